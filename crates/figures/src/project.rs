//! A project as it is known on a day: its plan, its reports, and the days on which it started, ended and was enrolled.
//!
//! Invariant: what is asked of days is answered of days that were read; of others nothing is known here.

use bytes::Bytes;
use jiff::civil::Date;
use milepost_ledger::Read;
use milepost_proto::figure::v1::Knowledge;
use milepost_proto::registry::v1::Project;
use milepost_resource::Name;
use milepost_types::{CurrencyCode, DamagedRow};
use prost::DecodeError;

use crate::amounts::{Plans, Reported};
use crate::encoded::Day;
use crate::history::History;
use crate::knowledge::Snapshot;

/// What is to be known of a project, and as of when.
#[derive(Debug, Clone, Copy)]
pub struct Ask {
    /// The day by which it was reported, or committed; with LATEST it does not matter.
    pub day: Date,
    /// What counts as known.
    pub knowledge: Knowledge,
    /// The year of the plan.
    pub plan_year: i32,
    /// The first and the last day that reports are asked of.
    pub days: (Date, Date),
}

/// A project as it is known.
#[derive(Debug)]
pub struct KnownProject {
    snapshot: Snapshot,
}

impl History {
    /// The project of an encoded message, as far as it counts as known.
    ///
    /// # Errors
    /// If a row cannot be decoded.
    pub fn known(
        &self,
        rows: &dyn Read,
        name: &Name<Project>,
        row: Bytes,
        ask: &Ask,
    ) -> Result<KnownProject, DamagedRow> {
        let (first, last) = ask.days;
        let days = (Day::from(first), Day::from(last));
        let damaged =
            |error: DecodeError| DamagedRow::new(self.table_name, name.to_string().as_bytes(), error);
        let is_latest = matches!(ask.knowledge, Knowledge::Unspecified | Knowledge::Latest);
        // What was known then is said by the facts.
        let now = Snapshot::now(&row, ask.plan_year, Some(days).filter(|_| is_latest));
        let now = now.map_err(damaged)?;
        let snapshot = if is_latest {
            now
        } else {
            let years = i32::from(first.year())..=i32::from(last.year());
            // By their reports alone, days are what the project says now.
            let is_strict = ask.knowledge == Knowledge::ThenStrict;
            let held = self.of_project(rows, name, years, ask.plan_year, is_strict);
            let facts = held.facts().map_err(damaged)?;
            now.then(facts.into_iter().map(Ok), ask.day.into(), ask.knowledge).map_err(damaged)?
        };
        Ok(KnownProject { snapshot })
    }
}

impl KnownProject {
    /// What was planned for the year, and what of it by its schedule up to a day.
    pub fn plans(&self, until: Date, currency: CurrencyCode) -> Plans {
        let days = Some((until.first_of_year().into(), until.into()));
        Plans::of(self.snapshot.plan.as_ref(), days, currency)
    }

    /// Investment that was completed between two days, which are not outside of those that were asked of. A report that
    /// crosses one of them is counted as straddling, never split.
    pub fn completed(&self, (first, last): (Date, Date), currency: CurrencyCode) -> Reported {
        Reported::of(&self.snapshot.completed, Some((first.into(), last.into())), currency)
    }

    /// Funds that were received between two days, which are not outside of those that were asked of.
    pub fn received(&self, (first, last): (Date, Date), currency: CurrencyCode) -> Reported {
        Reported::of(&self.snapshot.received, Some((first.into(), last.into())), currency)
    }

    /// The day on which it started; none if that is not known.
    pub fn start(&self) -> Option<Date> {
        self.snapshot.start.date()
    }

    /// The day on which it ended; none if that is not known.
    pub fn end(&self) -> Option<Date> {
        self.snapshot.end.date()
    }

    /// The day on which it was enrolled; none if that is not known.
    pub fn enrolment(&self) -> Option<Date> {
        self.snapshot.enrolment.date()
    }
}
