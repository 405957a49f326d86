//! The projects of a report: read from their rows, matched with the filter, and related to each other.
//!
//! Invariants: of a row no more is decoded than the report needs, and without a filter it is walked over once. A project
//! is listed if it is no part of another one that matches, at any remove; it is split if no part of it matches.

use bytes::Bytes;
use milepost_figures::{Day, Plans, Reported, Snapshot, YearHistory};
use milepost_ledger::key::Key;
use milepost_ledger::{Direction, KeyRange, Read, Row};
use milepost_proto::figure::v1::Knowledge;
use milepost_proto::registry::v1::project::{Listing, Status};
use milepost_proto::registry::v1::{Portfolio, Project};
use milepost_proto::wire::{self, Value};
use milepost_resource::{FilterRow, Name, Rules, Unreadable, decode, in_parts};
use milepost_types::filter::CurrentDate;
use milepost_types::{CurrencyCode, DamagedRow, Filter};

use crate::tables::Registry;
use crate::tables::history::HISTORY;

/// So many rows are read at one go.
const ROWS_AT_ONCE: usize = 256;
const TABLE: u8 = <Project as Rules<Registry>>::TABLE;

/// What is read of rows.
pub(super) struct Reader<'a> {
    pub(super) rows: &'a dyn Read,
    pub(super) portfolio: &'a Name<Portfolio>,
    pub(super) filter: &'a Filter<usize>,
    /// The numbers of the fields that the filter and the groups need.
    pub(super) numbers: Vec<u32>,
    pub(super) current_date: Option<CurrentDate>,
    pub(super) year: i32,
    /// The first and the last day that count.
    pub(super) days: Option<(Day, Day)>,
    pub(super) day: Day,
    pub(super) currency: CurrencyCode,
    pub(super) knowledge: Knowledge,
}

/// A project of the portfolio that is not deleted.
pub(super) struct ReportedProject {
    pub(super) id: String,
    /// The name of the project that it is a part of; empty: none.
    parent: String,
    /// What it says that it is listed as.
    pub(super) listing: Listing,
    pub(super) status: Status,
    /// What it comes to, if it matches.
    pub(super) counted: Option<Counted>,
}

/// What a project comes to.
pub(super) struct Counted {
    /// Its fields that the groups need, if they need any.
    pub(super) fields: Option<Box<Project>>,
    /// The days that are known, and whether the row has no start or no end whatever is known.
    pub(super) start: Day,
    pub(super) end: Day,
    pub(super) enrolment: Day,
    pub(super) has_start: bool,
    pub(super) has_end: bool,
    pub(super) plans: Plans,
    pub(super) completed: Reported,
    pub(super) received: Reported,
}

impl Reader<'_> {
    /// Reads all rows of the portfolio, in the order of their ids; on several threads if they are many.
    ///
    /// # Errors
    /// If one cannot be decoded.
    pub(super) fn read_all(&self) -> Result<Vec<ReportedProject>, DamagedRow> {
        let prefix = self.portfolio.ids().iter().fold(Key::of(TABLE), Key::under).done();
        let rows = self.rows.scan(&KeyRange::prefix(&prefix), Direction::Forward);
        let parts = in_parts(rows, ROWS_AT_ONCE, |rows| self.read_part(prefix.len(), &rows));
        let mut all = Vec::new();
        for part in parts {
            all.append(&mut part?);
        }
        Ok(all)
    }

    /// Reads rows, in whose keys the ids begin at this place. No name is made of a key: that would cost as much as finding
    /// the row.
    fn read_part(&self, id_at: usize, rows: &[Row]) -> Result<Vec<ReportedProject>, DamagedRow> {
        let damaged =
            |key: &[u8], error| DamagedRow::new(<Project as Rules<Registry>>::TABLE_NAME, key, error);
        let id_of = |key: &'_ Bytes| {
            let id = std::str::from_utf8(&key[id_at..]).ok().filter(|id| !id.is_empty());
            id.map(str::to_owned).ok_or_else(|| damaged(key, Unreadable::new("its key is no name")))
        };
        let ids = rows.iter().map(|(key, _)| id_of(key)).collect::<Result<Vec<_>, _>>()?;
        let history = self.history(&ids);
        let (mut read, mut fields) = (Vec::with_capacity(rows.len()), Vec::new());
        for ((key, row), id) in rows.iter().zip(ids) {
            let project = self.read(id, row, &history, &mut fields);
            read.extend(project.map_err(|error| damaged(key, error))?);
        }
        Ok(read)
    }

    /// What was reported before of the projects with these ids, which are in order, if what is known now is not what is
    /// asked for.
    fn history(&self, ids: &[String]) -> YearHistory {
        let is_strict = match self.knowledge {
            Knowledge::Unspecified | Knowledge::Latest => return YearHistory::default(),
            Knowledge::Then => false,
            Knowledge::ThenStrict => true,
        };
        let (Some(first), Some(last)) = (ids.first(), ids.last()) else { return YearHistory::default() };
        HISTORY.of_year(self.rows, self.portfolio, self.year, is_strict, (first, last))
    }

    /// Reads a row; none if the project is deleted. In `kept` the fields are gathered that the filter and the groups need.
    fn read(
        &self,
        id: String,
        row: &[u8],
        history: &YearHistory,
        kept: &mut Vec<u8>,
    ) -> Result<Option<ReportedProject>, Unreadable> {
        kept.clear();
        let (mut parent, mut listing, mut status) = (&[][..], 0, 0);
        // What does not match is not read any further.
        let (is_filtered, mut known) = (!self.filter.is_all(), Snapshot::default());
        let days = self.days.filter(|_| self.knowledge == Knowledge::Latest);
        let mut fields = wire::fields(row);
        loop {
            let before = fields.rest();
            let Some(field) = fields.next() else { break };
            let (number, value) = field?;
            match (number, value) {
                (8, Value::Number(number)) => listing = number,
                (20, Value::Run(run)) => parent = run,
                (30, Value::Number(number)) => status = number,
                (42, _) => return Ok(None),
                (_, Value::Run(run)) if !is_filtered => known.take(number, run, self.year, days)?,
                _ => {}
            }
            if self.numbers.contains(&number) {
                kept.extend_from_slice(&before[..before.len() - fields.rest().len()]);
            }
        }
        let is_read = !self.numbers.is_empty();
        let fields = is_read.then(|| decode::<Project>(kept).map(Box::new)).transpose()?;
        let current_date = || self.current_date.clone();
        // A filter needs a field, so there is none where no field was read.
        let matches = |fields: &Project| self.filter.matches(&FilterRow::of(fields, &current_date));
        let counted = if fields.as_deref().is_none_or(matches) {
            if is_filtered {
                known = Snapshot::now(row, self.year, days)?;
            }
            Some(self.count(&id, known, history, fields)?)
        } else {
            None
        };
        let number = |number: u64| i32::try_from(number).unwrap_or_default();
        Ok(Some(ReportedProject {
            id,
            parent: std::str::from_utf8(parent).unwrap_or_default().to_owned(),
            listing: Listing::try_from(number(listing)).unwrap_or_default(),
            status: Status::try_from(number(status)).unwrap_or_default(),
            counted,
        }))
    }

    fn count(
        &self,
        id: &str,
        mut known: Snapshot,
        history: &YearHistory,
        fields: Option<Box<Project>>,
    ) -> Result<Counted, Unreadable> {
        let (has_start, has_end) = (known.start.is_set(), known.end.is_set());
        if self.knowledge != Knowledge::Latest {
            known = known.then(history.of_project(id), self.day, self.knowledge)?;
        }
        let Snapshot { start, end, enrolment, .. } = known;
        Ok(Counted {
            fields,
            start,
            end,
            enrolment,
            has_start,
            has_end,
            plans: Plans::of(known.plan.as_ref(), self.days, self.currency),
            completed: Reported::of(&known.completed, self.days, self.currency),
            received: Reported::of(&known.received, self.days, self.currency),
        })
    }
}

/// How the projects of a report are related.
pub(super) struct Relations<'a> {
    /// In the order of their ids.
    pub(super) projects: &'a [ReportedProject],
    /// What their names begin with, before the id.
    pub(super) prefix: &'a str,
    /// Whether each matches and is no part of another one that does.
    pub(super) listed: Vec<bool>,
    /// Whether each matches and has no part that does.
    pub(super) split: Vec<bool>,
}

impl<'a> Relations<'a> {
    pub(super) fn of(projects: &'a [ReportedProject], prefix: &'a str) -> Self {
        let matching: Vec<bool> = projects.iter().map(|project| project.counted.is_some()).collect();
        let mut relations = Self { projects, prefix, listed: matching.clone(), split: matching.clone() };
        for (i, _) in matching.iter().enumerate().filter(|(_, matches)| **matches) {
            // One that is above the nearest is found from there.
            let above = relations.above(i).find(|above| matching[*above]);
            if let Some(above) = above {
                (relations.listed[i], relations.split[above]) = (false, false);
            }
        }
        relations
    }

    /// The projects that one is a part of, the nearest first.
    pub(super) fn above(&self, of: usize) -> impl Iterator<Item = usize> + use<'_, 'a> {
        let above = |i: &usize| {
            let id = self.projects[*i].parent.strip_prefix(self.prefix)?;
            self.projects.binary_search_by(|project| project.id.as_str().cmp(id)).ok()
        };
        // There is no cycle; if there were one, it would end.
        std::iter::successors(above(&of), above).take(self.projects.len())
    }
}
