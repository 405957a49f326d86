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

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;

use bytes::Bytes;
use jiff::civil::Date;
use milepost_ledger::key::Key;
use milepost_ledger::{Direction, KeyRange, Read, Write};
use milepost_proto::google::r#type as gtype;
use milepost_proto::registry::v1::{
    AnnualPlan, CompletedInvestment, Period, Portfolio, Project, ReceivedFunds,
};
use milepost_resource::{Name, Unreadable, instant};
use milepost_types::{DamagedRow, ResourceId, ResourceName as _, TimeZoneId, limits};
use prost::Message;
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

/// Something that was said of a project, or taken out of it.
#[derive(Clone, PartialEq, prost::Message)]
pub struct HistoryEntry {
    /// What it is about.
    #[prost(enumeration = "Kind", tag = "1")]
    pub kind: i32,
    /// The message as it stands in the project: a plan, a report, a date. Of what was taken out, as it was.
    #[prost(bytes = "bytes", tag = "2")]
    pub said: Bytes,
    /// Whether it was taken out.
    #[prost(bool, tag = "3")]
    pub removed: bool,
    /// The day of the commit, as [`Day`] has it.
    #[prost(uint32, tag = "4")]
    pub committed: u32,
    /// The sequence of the commit.
    #[prost(uint64, tag = "5")]
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

    /// The facts of a year, by the ids of projects. With `days`, the days of start, end and enrolment too.
    ///
    /// # Errors
    /// If a row cannot be decoded.
    pub fn of_year(
        &self,
        rows: &dyn Read,
        portfolio: &Name<Portfolio>,
        year: i32,
        days: bool,
    ) -> Result<HashMap<String, Vec<Bytes>>, DamagedRow> {
        let year = u16::try_from(year).unwrap_or(NO_YEAR);
        let mut found = HashMap::<String, Vec<Bytes>>::new();
        for year in [year].into_iter().chain(days.then_some(NO_YEAR)) {
            let prefix = self.start(portfolio.ids(), year).done();
            for (key, row) in rows.scan(&KeyRange::prefix(&prefix), Direction::Forward) {
                let id = key.get(prefix.len()..).and_then(|rest| rest.split(|byte| *byte == 0).next());
                let id = id.and_then(|id| std::str::from_utf8(id).ok());
                let id =
                    id.ok_or_else(|| DamagedRow::new(self.table_name, &key, "its key names no project"))?;
                match found.get_mut(id) {
                    Some(held) => held.push(row),
                    None => _ = found.insert(id.to_owned(), vec![row]),
                }
            }
        }
        Ok(found)
    }

    /// The facts of one project in the order of their commits: reports that touch these years, and of plans those of one
    /// year. With `days`, the days of start, end and enrolment too. A report that touches several of the years may stand
    /// here several times in a row, which says the same.
    ///
    /// # Errors
    /// If a row cannot be decoded.
    pub fn of_project(
        &self,
        rows: &dyn Read,
        name: &Name<Project>,
        years: RangeInclusive<i32>,
        plan_year: i32,
        days: bool,
    ) -> Result<Vec<HistoryEntry>, DamagedRow> {
        let (first, last) = ((*years.start()).min(plan_year), (*years.end()).max(plan_year));
        let mut facts = Vec::new();
        for year in days.then_some(NO_YEAR).into_iter().chain(self::years(first, last)) {
            let of_project = self.start(name.parent_ids(), year).under(name.id());
            // By key: rows are numbered without a gap, and a scan costs as much as several of them.
            for number in 0_u32.. {
                let key = of_project.clone().bytes(&number.to_be_bytes()).done();
                let Some(row) = rows.get(&key) else { break };
                let damaged = |error| DamagedRow::new(self.table_name, &key, error);
                let is_of = |fact: &HistoryEntry| match fact.kind() {
                    Kind::Plan => i32::from(year) == plan_year,
                    _ => year == NO_YEAR || years.contains(&i32::from(year)),
                };
                facts.extend(read(&[row]).map_err(damaged)?.into_iter().filter(is_of));
            }
        }
        facts.sort_by_key(|fact| fact.sequence);
        Ok(facts)
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

/// The facts in rows of one project, in the order of their commits.
///
/// # Errors
/// If one cannot be decoded.
pub fn read(rows: &[Bytes]) -> Result<Vec<HistoryEntry>, Unreadable> {
    let mut facts = Vec::new();
    for row in rows {
        facts.append(&mut Row::decode(row.clone())?.facts);
    }
    Ok(facts)
}
