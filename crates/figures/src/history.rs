//! What was reported of projects: plans, completed investment, received funds, and the days of start, end and
//! enrolment, with the day of each report and of its commit. Which table they stand in is the service's.
//!
//! A project's row says what is so now; these rows say what was so before. They are made of the rows alone, as each
//! project is put, and only ever added to. Invariants: a fact stands here for each thing that was said and differed from
//! what was said before, and for each that was taken out, in the order of the commits; so whoever takes them all has what
//! the project's row has now.
//!
//! The facts of a year stand together for all projects of a portfolio: a report is of one year. One that touches several
//! years stands in each; days of start, end and enrolment stand in the year 0.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use bytes::Bytes;
use jiff::civil::Date;
use milepost_ledger::key::Key;
use milepost_ledger::{Direction, KeyRange, Read, Write};
use milepost_proto::google::r#type as gtype;
use milepost_proto::registry::v1::{
    AnnualPlan, CompletedInvestment, Period, Portfolio, Project, ReceivedFunds,
};
use milepost_proto::wire::{self, Value};
use milepost_resource::{Name, Unreadable, instant};
use milepost_types::{ResourceId, ResourceName as _, TimeZoneId, limits};
use prost::{DecodeError, Message};
use prost_types::Timestamp;

use crate::encoded::Day;

/// A row that would have more bytes is followed by another one, so that adding costs the same however many there are.
const ROW_BYTES: usize = 4 << 10;
/// The year of facts that are of none.
const NO_YEAR: u16 = 0;

/// What a fact is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum Kind {
    /// Nothing that this version knows.
    Unspecified = 0,
    /// The plan of a year.
    Plan = 1,
    /// Completed investment.
    Completed = 2,
    /// Received funds.
    Received = 3,
    /// The day on which it started.
    Start = 4,
    /// The day on which it ended.
    End = 5,
    /// The day on which it was enrolled.
    Enrolment = 6,
}

/// Something that was said of a project, or taken out of it, as it is stored.
#[derive(Clone, PartialEq, prost::Message)]
struct HistoryEntry {
    /// What it is about.
    #[prost(enumeration = "Kind", tag = "1")]
    kind: i32,
    /// The message as it stands in the project: a plan, a report, a date. Of what was taken out, as it was.
    #[prost(bytes = "bytes", tag = "2")]
    said: Bytes,
    /// Whether it was taken out.
    #[prost(bool, tag = "3")]
    removed: bool,
    /// The day of the commit, as [`Day`] has it.
    #[prost(uint32, tag = "4")]
    committed: u32,
    /// The sequence of the commit.
    #[prost(uint64, tag = "5")]
    sequence: u64,
}

/// The same, read where it stands in its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fact<'a> {
    /// What it is about.
    pub kind: Kind,
    /// The encoded plan, report or date. Of what was taken out, as it was.
    pub said: &'a [u8],
    /// Whether it was taken out.
    pub removed: bool,
    /// The day of the commit.
    pub committed: Day,
    /// The sequence of the commit.
    pub sequence: u64,
}

/// A row.
#[derive(Clone, PartialEq, prost::Message)]
struct Row {
    #[prost(message, repeated, tag = "1")]
    facts: Vec<HistoryEntry>,
}

/// What of a project's row facts are made of, with the numbers of its schema.
#[derive(Clone, PartialEq, prost::Message)]
struct Said {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, repeated, tag = "15")]
    annual_plans: Vec<AnnualPlan>,
    #[prost(message, repeated, tag = "16")]
    completed_investments: Vec<CompletedInvestment>,
    #[prost(message, optional, tag = "19")]
    actual_period: Option<Period>,
    #[prost(message, repeated, tag = "22")]
    received_funds: Vec<ReceivedFunds>,
    #[prost(message, optional, tag = "23")]
    enrolment_date: Option<gtype::Date>,
    #[prost(message, optional, tag = "41")]
    update_time: Option<Timestamp>,
    #[prost(string, tag = "43")]
    etag: String,
}

/// The day on which something was committed at a time, in the time zone of a portfolio, by the rows; none if that cannot
/// be read.
pub type CommitDay = fn(&dyn Write, &Name<Portfolio>, jiff::Timestamp) -> Option<Date>;

/// The table that facts stand in.
#[derive(Debug, Clone, Copy)]
pub struct History {
    /// The tag of its rows.
    pub tag: u8,
    /// Its name, for operators.
    pub table_name: &'static str,
}

impl History {
    /// Adds what a project's row says and the one before did not, and what it does not say any more.
    ///
    /// # Errors
    /// If a row cannot be decoded.
    pub fn put(
        &self,
        rows: &mut dyn Write,
        before: Option<&[u8]>,
        after: &[u8],
        commit_day: CommitDay,
    ) -> Result<(), Unreadable> {
        let before = before.map(Said::decode).transpose()?.unwrap_or_default();
        let after = Said::decode(after)?;
        let mut by_year = BTreeMap::<u16, Row>::new();
        for (years, fact) in changes(&before, &after) {
            for year in years {
                by_year.entry(year).or_default().facts.push(fact.clone());
            }
        }
        if by_year.is_empty() {
            return Ok(());
        }
        let name: Name<Project> =
            after.name.parse().map_err(|error| Unreadable::new(format_args!("name: {error}")))?;
        let time = instant(after.update_time.as_ref()).unwrap_or_default();
        let day = commit_day(&*rows, &name.parent(), time).unwrap_or_else(|| TimeZoneId::UTC.date_at(time));
        let (committed, sequence) = (Day::from(day), after.etag.parse().unwrap_or_default());
        for (year, mut row) in by_year {
            for fact in &mut row.facts {
                (fact.committed, fact.sequence) = (committed.0, sequence);
            }
            self.append(rows, &name, year, &row.encode_to_vec());
        }
        Ok(())
    }

    /// Adds to the last row of a project in a year, or after it.
    fn append(&self, rows: &mut dyn Write, name: &Name<Project>, year: u16, added: &[u8]) {
        let of_project = || self.start(name.parent_ids(), year).under(name.id());
        let key = |number: u32| of_project().bytes(&number.to_be_bytes()).done();
        let range = KeyRange::prefix(&of_project().done());
        let last = rows.scan(&range, Direction::Backward).next();
        let (number, held) = match last {
            None => (0, Bytes::new()),
            Some((key, held)) => {
                let number = key.last_chunk().map_or(0, |number| u32::from_be_bytes(*number));
                if held.len() + added.len() > ROW_BYTES { (number + 1, Bytes::new()) } else { (number, held) }
            }
        };
        // Two encoded lists, one after the other, are the encoded list of both.
        rows.put(key(number), [&held[..], added].concat().into());
    }

    /// The beginning of the keys of a year.
    fn start(&self, portfolio: &[ResourceId], year: u16) -> Key {
        portfolio.iter().fold(Key::of(self.tag), Key::under).bytes(&year.to_be_bytes())
    }

    /// The facts of a year, of the projects of a portfolio whose ids are from the first to the last, both included. With
    /// `days`, the days of start, end and enrolment too.
    pub fn of_year(
        &self,
        rows: &dyn Read,
        portfolio: &Name<Portfolio>,
        year: i32,
        days: bool,
        (first, last): (&str, &str),
    ) -> YearHistory {
        let year = u16::try_from(year).unwrap_or(NO_YEAR);
        let read = |year| {
            let prefix = self.start(portfolio.ids(), year).done();
            let key = |id: &str, end| [&prefix[..], id.as_bytes(), &[end]].concat();
            // A zero follows each id.
            let range = KeyRange { start: key(first, 0), end: Some(key(last, 1)) };
            let found = rows.scan(&range, Direction::Forward);
            found.map(|(key, row)| (key.slice(prefix.len()..), row)).collect()
        };
        let years = [year].into_iter().chain(days.then_some(NO_YEAR));
        YearHistory { of_years: years.map(read).collect() }
    }

    /// The rows with the facts of one project: reports that touch these years, and of plans those of one year. With
    /// `days`, the days of start, end and enrolment too.
    pub(crate) fn of_project(
        &self,
        rows: &dyn Read,
        name: &Name<Project>,
        years: RangeInclusive<i32>,
        plan_year: i32,
        days: bool,
    ) -> ProjectHistory {
        let (first, last) = ((*years.start()).min(plan_year), (*years.end()).max(plan_year));
        let mut held = Vec::new();
        for year in days.then_some(NO_YEAR).into_iter().chain(self::years(first, last)) {
            let of_project = self.start(name.parent_ids(), year).under(name.id());
            // By key: rows are numbered without a gap, and a scan costs as much as several of them.
            for number in 0_u32.. {
                let key = of_project.clone().bytes(&number.to_be_bytes()).done();
                let Some(row) = rows.get(&key) else { break };
                held.push((year, row));
            }
        }
        ProjectHistory { rows: held, years, plan_year }
    }

    /// Drops all facts.
    pub fn clear(&self, rows: &mut dyn Write) {
        let range = KeyRange::prefix(&Key::of(self.tag).done());
        let keys: Vec<_> = rows.scan(&range, Direction::Forward).map(|(key, _)| key).collect();
        keys.iter().for_each(|key| rows.delete(key));
    }
}

/// What was said newly or taken out, and the years that it is of. What is taken out comes first.
fn changes(before: &Said, after: &Said) -> Vec<(Vec<u16>, HistoryEntry)> {
    let mut changes = Vec::new();
    // What is to be done in words is no figure.
    let figures = |plan: &AnnualPlan| AnnualPlan { content: String::new(), ..plan.clone() };
    let plans = |said: &Said| said.annual_plans.iter().map(|plan| (plan.year, figures(plan))).collect();
    compare(Kind::Plan, plans(before), plans(after), |year, _| years(*year, *year), &mut changes);
    let completed = |said: &Said| {
        let all = said.completed_investments.iter();
        all.map(|completed| (ends(completed.period.as_ref()), completed.clone())).collect()
    };
    compare(Kind::Completed, completed(before), completed(after), |ends, _| of_period(ends), &mut changes);
    let received = |said: &Said| {
        let all = said.received_funds.iter();
        all.map(|received| (ends(received.period.as_ref()), received.clone())).collect()
    };
    compare(Kind::Received, received(before), received(after), |ends, _| of_period(ends), &mut changes);
    for (kind, day) in [
        (Kind::Start, (|said| said.actual_period?.start_date) as fn(&Said) -> Option<gtype::Date>),
        (Kind::End, |said| said.actual_period?.end_date),
        (Kind::Enrolment, |said| said.enrolment_date),
    ] {
        let one = |said: &Said| day(said).map(|date| ((), date)).into_iter().collect();
        compare(kind, one(before), one(after), |(), _| vec![NO_YEAR], &mut changes);
    }
    changes
}

/// Finds what differs between two lists of messages, each with what it is known by.
fn compare<K: Ord, M: Message + PartialEq>(
    kind: Kind,
    before: BTreeMap<K, M>,
    after: BTreeMap<K, M>,
    years: impl Fn(&K, &M) -> Vec<u16>,
    changes: &mut Vec<(Vec<u16>, HistoryEntry)>,
) {
    let fact = |message: &M, removed| HistoryEntry {
        kind: kind.into(),
        said: message.encode_to_vec().into(),
        removed,
        ..HistoryEntry::default()
    };
    for (key, gone) in before.iter().filter(|(key, _)| !after.contains_key(key)) {
        changes.push((years(key, gone), fact(gone, true)));
    }
    for (key, said) in after.iter().filter(|(key, said)| before.get(key) != Some(said)) {
        changes.push((years(key, said), fact(said, false)));
    }
}

fn ends(period: Option<&Period>) -> (Day, Day) {
    let day = |date: Option<&gtype::Date>| date.map(Day::from).unwrap_or_default();
    let period = period.copied().unwrap_or_default();
    (day(period.start_date.as_ref()), day(period.end_date.as_ref()))
}

fn of_period((start, end): &(Day, Day)) -> Vec<u16> {
    let year = |day: Day| i32::try_from(day.year()).unwrap_or_default();
    years(year(*start), year(*end))
}

/// The years from one to another, as far as there are reports of them.
fn years(first: i32, last: i32) -> Vec<u16> {
    let (first, last) = (first.max(*limits::YEARS.start()), last.min(*limits::YEARS.end()));
    (first..=last).filter_map(|year| u16::try_from(year).ok()).collect()
}

/// The facts of a year, of projects of a portfolio.
#[derive(Debug, Default)]
pub struct YearHistory {
    /// For each year that they stand in, the rows with what follows the year in their keys: the id of the project and a
    /// zero come first, so they are in the order of ids.
    of_years: Vec<Vec<(Bytes, Bytes)>>,
}

impl YearHistory {
    /// The facts of the project with this id, those about the same in the order of their commits.
    ///
    /// # Errors
    /// An item is one if a fact cannot be decoded.
    pub fn of_project(&self, id: &str) -> impl Iterator<Item = Result<Fact<'_>, DecodeError>> {
        let id = id.as_bytes();
        let of_project = move |rows: &'_ Vec<(Bytes, Bytes)>| {
            let first = rows.partition_point(|(key, _)| id_in(key) < id);
            first..first + rows[first..].iter().take_while(|(key, _)| id_in(key) == id).count()
        };
        let rows = self.of_years.iter().flat_map(move |rows| &rows[of_project(rows)]);
        rows.flat_map(|(_, row)| facts(row))
    }
}

/// The id that a key begins with.
fn id_in(key: &[u8]) -> &[u8] {
    key.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// The rows with the facts of a project.
#[derive(Debug)]
pub(crate) struct ProjectHistory {
    /// Each with its year.
    rows: Vec<(u16, Bytes)>,
    /// The years of reports.
    years: RangeInclusive<i32>,
    plan_year: i32,
}

impl ProjectHistory {
    /// The facts in the order of their commits. A report that touches several of the years may stand here several times in a
    /// row, which says the same.
    ///
    /// # Errors
    /// If a row cannot be decoded.
    pub(crate) fn facts(&self) -> Result<Vec<Fact<'_>>, DecodeError> {
        let mut found = Vec::new();
        for (year, row) in &self.rows {
            for fact in facts(row) {
                let fact = fact?;
                let is_of = match fact.kind {
                    Kind::Plan => i32::from(*year) == self.plan_year,
                    _ => *year == NO_YEAR || self.years.contains(&i32::from(*year)),
                };
                found.extend(is_of.then_some(fact));
            }
        }
        found.sort_by_key(|fact| fact.sequence);
        Ok(found)
    }
}

/// The facts in a row.
fn facts(row: &[u8]) -> impl Iterator<Item = Result<Fact<'_>, DecodeError>> {
    wire::fields(row).filter_map(|field| match field {
        Ok((1, Value::Run(run))) => Some(Fact::read(run)),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    })
}

impl<'a> Fact<'a> {
    fn read(run: &'a [u8]) -> Result<Self, DecodeError> {
        let (mut kind, mut committed) = (0, 0);
        let mut fact =
            Self { kind: Kind::Unspecified, said: &[], removed: false, committed: Day(0), sequence: 0 };
        for field in wire::fields(run) {
            match field? {
                (1, Value::Number(number)) => kind = number,
                (2, Value::Run(said)) => fact.said = said,
                (3, Value::Number(number)) => fact.removed = number != 0,
                (4, Value::Number(number)) => committed = number,
                (5, Value::Number(number)) => fact.sequence = number,
                // Of another wire type: the full decoder says what is wrong.
                (1..=5, _) => drop(HistoryEntry::decode(run)?),
                _ => {}
            }
        }
        fact.kind = i32::try_from(kind).ok().and_then(|kind| Kind::try_from(kind).ok()).unwrap_or(fact.kind);
        fact.committed = Day(u32::try_from(committed).unwrap_or_default());
        Ok(fact)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost::encoding::{WireType, encode_key};

    use super::*;

    proptest! {
        #[test]
        fn a_fact_is_what_was_encoded(
            kind in prop_oneof![0..=7, any::<i32>()],
            said in prop::collection::vec(any::<u8>(), 0..40),
            removed: bool,
            committed: u32,
            sequence: u64,
        ) {
            let entry = HistoryEntry { kind, said: said.into(), removed, committed, sequence };
            let encoded = entry.encode_to_vec();
            let fact = Fact {
                kind: entry.kind(),
                said: &entry.said,
                removed,
                committed: Day(committed),
                sequence,
            };
            prop_assert_eq!(Fact::read(&encoded), Ok(fact));
        }
    }

    #[test]
    fn a_field_of_another_wire_type_is_a_fault_and_one_of_a_later_version_is_passed_over() {
        let is_read = |tag| {
            let mut encoded = Vec::new();
            encode_key(tag, WireType::SixtyFourBit, &mut encoded);
            encoded.extend([0; 8]);
            Fact::read(&encoded).is_ok()
        };
        assert_eq!([1, 2, 3, 4, 5, 6].map(is_read), [false, false, false, false, false, true]);
    }
}
