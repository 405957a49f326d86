//! Table 38: the outcomes that each milestone had, with when they were reported and committed.
//!
//! Key: see [`super`]. Value: [`Outcome`]s in the order of the commits, as a repeated field. A row is made of the rows of
//! the milestone alone, as each is put, and only added to: so it says what was known of an outcome on a day, also of one
//! that was taken back. A milestone that has been nothing but PLANNED has none.

use std::collections::BTreeMap;

use bytes::Bytes;
use milepost_figures::Day;
use milepost_ledger::key::Key;
use milepost_ledger::{Direction, KeyRange, Read, Write};
use milepost_proto::figure::v1::Knowledge;
use milepost_proto::google::r#type as gtype;
use milepost_proto::tracker::v1::milestone::State;
use milepost_resource::{Unreadable, instant};
use milepost_types::{DamagedRow, TimeZoneId};
use prost::Message;

use super::Table;
use super::key;
use crate::names::{MilestoneName, ProjectName};

/// What became of a milestone.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub(crate) struct Outcome {
    /// Its state from then on, PLANNED if an outcome was taken back: the number of the schema.
    #[prost(int32, tag = "1")]
    pub(crate) state: i32,
    /// The day on which it came to that, as [`Day`] has it; 0: an earlier version did not say.
    #[prost(uint32, tag = "2")]
    day: u32,
    /// The day of the report; 0: not said.
    #[prost(uint32, tag = "3")]
    reported: u32,
    /// The day of the commit, in the time zone of the portfolio.
    #[prost(uint32, tag = "4")]
    committed: u32,
}

/// A row.
#[derive(Clone, PartialEq, prost::Message)]
struct Row {
    #[prost(message, repeated, tag = "1")]
    outcomes: Vec<Outcome>,
}

/// What of a milestone outcomes are made of, with the numbers of its schema.
#[derive(Clone, PartialEq, prost::Message)]
struct MilestoneView {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "13")]
    actual_date: Option<gtype::Date>,
    #[prost(int32, tag = "30")]
    state: i32,
    #[prost(message, optional, tag = "38")]
    outcome_reported_date: Option<gtype::Date>,
    #[prost(message, optional, tag = "39")]
    state_date: Option<gtype::Date>,
    #[prost(message, optional, tag = "41")]
    update_time: Option<prost_types::Timestamp>,
}

impl MilestoneView {
    fn outcome(&self) -> Outcome {
        let day = |date: Option<&gtype::Date>| date.map(Day::from).unwrap_or_default().0;
        Outcome {
            state: self.state,
            day: day(self.actual_date.as_ref().or(self.state_date.as_ref())),
            reported: day(self.outcome_reported_date.as_ref()),
            committed: 0,
        }
    }
}

/// Adds the outcome of a milestone's row, if it is another one than before.
///
/// # Errors
/// If a row cannot be decoded.
pub(crate) fn put(rows: &mut dyn Write, before: Option<&[u8]>, after: &[u8]) -> Result<(), Unreadable> {
    let planned = Outcome { state: State::Planned.into(), ..Outcome::default() };
    let before = before.map(MilestoneView::decode).transpose()?.map_or(planned, |before| before.outcome());
    let after = MilestoneView::decode(after)?;
    let mut outcome = after.outcome();
    if outcome == before {
        return Ok(());
    }
    let name: MilestoneName = after.name.parse().map_err(Unreadable::new)?;
    super::passed_over_start::remove(rows, &name);
    let time = instant(after.update_time.as_ref()).unwrap_or_default();
    let portfolio = super::portfolio::get(&*rows, &name.parent().parent()).ok().flatten();
    let zone = portfolio.map_or(TimeZoneId::UTC, |portfolio| portfolio.zone);
    outcome.committed = Day::from(zone.date_at(time)).0;
    let key = key::of(Table::MilestoneOutcome, name.ids());
    let held = rows.get(&key).unwrap_or_default();
    let added = Row { outcomes: vec![outcome] }.encode_to_vec();
    // Two encoded lists, one after the other, are the encoded list of both.
    rows.put(key, [&held[..], &added].concat().into());
    Ok(())
}

/// The outcomes of the milestone with this id of a project; none if it has had none.
///
/// # Errors
/// If the row cannot be decoded.
pub(crate) fn of_milestone(
    rows: &dyn Read,
    project: &ProjectName,
    id: &str,
) -> Result<Vec<Outcome>, DamagedRow> {
    let under = project.ids().iter().fold(Key::of(Table::MilestoneOutcome), Key::under);
    let key = under.beginning(id).done();
    let Some(row) = rows.get(&key) else { return Ok(Vec::new()) };
    let row = Row::decode(row).map_err(|error| Table::MilestoneOutcome.damaged(&key, error))?;
    Ok(row.outcomes)
}

/// The outcomes of the milestones of a project, by their ids; of one without any there is nothing.
///
/// # Errors
/// If a row cannot be decoded.
pub(crate) fn of_project(
    rows: &dyn Read,
    project: &ProjectName,
) -> Result<BTreeMap<String, Vec<Outcome>>, DamagedRow> {
    let prefix = project.ids().iter().fold(Key::of(Table::MilestoneOutcome), Key::under).done();
    let read = |(key, value): (Bytes, Bytes)| {
        let id = key.get(prefix.len()..).unwrap_or_default();
        let outcomes = Row::decode(value).map_err(|error| Table::MilestoneOutcome.damaged(&key, error))?;
        Ok((String::from_utf8_lossy(id).into_owned(), outcomes.outcomes))
    };
    rows.scan(&KeyRange::prefix(&prefix), Direction::Forward).map(read).collect()
}

/// Of the outcomes of a milestone the last that counts of a day, as known by a day. What is taken back is taken back for all
/// days, but before the day on which it was cancelled it was wanted, whatever is known.
pub(crate) fn known(outcomes: &[Outcome], of: Day, by: Day, knowledge: Knowledge) -> Option<&Outcome> {
    let is_known = |outcome: &&Outcome| match knowledge {
        Knowledge::Unspecified | Knowledge::Latest => true,
        Knowledge::ThenStrict => outcome.committed <= by.0,
        Knowledge::Then if outcome.reported > 0 => outcome.reported <= by.0,
        Knowledge::Then => outcome.committed <= by.0,
    };
    let is_of = |outcome: &&Outcome| !outcome.is_cancelled() || outcome.since() <= of;
    outcomes.iter().filter(is_of).rfind(is_known)
}

impl Outcome {
    /// Whether the milestone was cancelled.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.state == i32::from(State::Cancelled)
    }

    /// The day on which the milestone was achieved as a whole; none if it was not.
    pub(crate) fn achieved(&self) -> Option<Day> {
        (self.state == i32::from(State::Achieved) && self.day > 0).then_some(Day(self.day))
    }

    /// Since when it is so: since the commit if an earlier version did not say.
    fn since(&self) -> Day {
        Day(if self.day > 0 { self.day } else { self.committed })
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Date, date};

    use super::*;
    use crate::milestone::{StateChange, StateReport};
    use crate::tests::World;
    use crate::tests::world::Action;

    fn known_on(world: &World, knowledge: Knowledge, day: Date) -> Option<Day> {
        let project = "portfolios/wsc/projects/road".parse().unwrap();
        let outcomes = of_milestone(&world.rows, &project, "start").unwrap();
        assert_eq!(of_milestone(&world.rows, &project, "star"), Ok(Vec::new()), "of another one");
        known(&outcomes, day.into(), day.into(), knowledge)?.achieved()
    }

    /// office.md, section 0, Knowledge: milestone outcomes are known by the day of their report, else of their commit.
    #[test]
    fn an_outcome_is_known_from_its_report_and_one_that_was_taken_back_until_then() {
        let (mut world, _) = World::with_projects(&["road"]);
        let name = world.create("start", None).name;
        assert_eq!(known_on(&world, Knowledge::Latest, date(2021, 5, 13)), None);
        let achieved = date(2021, 5, 3);
        world.achieve_reported(&name, achieved, Some(date(2021, 5, 5)));
        world.now = "2021-05-14T17:00:00Z".parse().unwrap();
        let known = Day::from(achieved);
        let of = |world: &World, knowledge, day| known_on(world, knowledge, date(2021, 5, day));
        assert_eq!([4, 5].map(|day| of(&world, Knowledge::Then, day)), [None, Some(known)]);
        assert_eq!([12, 13].map(|day| of(&world, Knowledge::ThenStrict, day)), [None, Some(known)]);
        assert_eq!(of(&world, Knowledge::Latest, 1), Some(known), "of which day it is, its reader asks");
        // In Shanghai it is the 15th.
        world.act(&name, Action::Reopen { reason: "not yet".into() }).unwrap();
        assert_eq!([14, 15].map(|day| of(&world, Knowledge::Then, day)), [Some(known), None]);
        assert_eq!(of(&world, Knowledge::Latest, 15), None);
        assert_eq!(world.rebuilt(), world.rows);
    }

    /// office.md, section 0, Knowledge: LATEST is all facts about days up to the day, so what was cancelled later was wanted.
    #[test]
    fn a_milestone_is_cancelled_from_the_day_of_that_on_whatever_is_known_later() {
        let (mut world, _) = World::with_projects(&["road"]);
        let name = world.create("start", None).name;
        let cancelled = |world: &World, knowledge, day| {
            let project = "portfolios/wsc/projects/road".parse().unwrap();
            let outcomes = of_milestone(&world.rows, &project, "start").unwrap();
            let day = date(2021, 5, day).into();
            known(&outcomes, day, day, knowledge).is_some_and(Outcome::is_cancelled)
        };
        // It is 13 May.
        let (on, reported) = (Some(date(2021, 5, 3)), Some(date(2021, 5, 5)));
        world
            .report(&name, StateReport { change: StateChange::Cancel(on), reason: "no".into(), reported })
            .unwrap();
        for (knowledge, first) in [(Knowledge::Latest, 3), (Knowledge::Then, 5), (Knowledge::ThenStrict, 13)]
        {
            let found = [first - 1, first].map(|day| cancelled(&world, knowledge, day));
            assert_eq!(found, [false, true], "{knowledge:?}");
        }
        world.act(&name, Action::Reopen { reason: "wanted".into() }).unwrap();
        assert!(!cancelled(&world, Knowledge::Latest, 13), "what is taken back is so for all days");
        assert_eq!(world.rebuilt(), world.rows);
    }

    /// Persisted: stores hold these bytes.
    #[test]
    fn the_bytes_of_a_row_never_change() {
        let (mut world, _) = World::with_projects(&["road"]);
        let name = world.create("start", None).name;
        world.achieve_reported(&name, date(2021, 5, 3), Some(date(2021, 5, 5)));
        let key = key::of(Table::MilestoneOutcome, name.parse::<MilestoneName>().unwrap().ids());
        assert_eq!(key, b"\x26wsc\0road\0start");
        let value = world.rows.get(&key).unwrap();
        let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "0a11080210c7c6d10918c9c6d10920d1c6d109");
    }
}
