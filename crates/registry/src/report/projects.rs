//! The projects of a report: read from their rows, matched with the filter, and related to each other.
//!
//! Invariants: of a row no more is decoded than the report needs. A project is listed if it is no part of another one
//! that matches, at any remove; it is split if no part of it matches.

use std::collections::HashMap;

use bytes::Bytes;
use milepost_figures::{Day, Plans, Reported, Snapshot};
use milepost_proto::figure::v1::Knowledge;
use milepost_proto::registry::v1::Project;
use milepost_proto::registry::v1::project::{Listing, Status};
use milepost_proto::wire::{self, Value};
use milepost_resource::{FilterRow, Name, Unreadable, read_fields};
use milepost_types::filter::CurrentDate;
use milepost_types::{CurrencyCode, Filter, Rejection, ResourceName as _};

use crate::parallel::in_parts;

/// Fewer rows than these are read on one thread.
const ROWS_PER_THREAD: usize = 1_000;

/// A project with its row.
pub(super) type ProjectRow = (Name<Project>, Bytes);

/// What is read of rows.
pub(super) struct Reader<'a> {
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
    /// What was reported before, by the ids of projects, if that is asked for.
    pub(super) history: HashMap<String, Vec<Bytes>>,
}

/// A project of the portfolio that is not deleted.
pub(super) struct ReportedProject {
    pub(super) name: String,
    /// The name of the project that it is a part of; empty: none.
    pub(super) parent: String,
    /// What it says that it is listed as.
    pub(super) listing: Listing,
    pub(super) status: Status,
    /// What it comes to, if it matches.
    pub(super) counted: Option<Counted>,
}

/// What a project comes to.
pub(super) struct Counted {
    /// Its fields that the groups need.
    pub(super) fields: Project,
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
    /// Reads all rows, on several threads if they are many.
    pub(super) fn read_all(&self, rows: &[ProjectRow]) -> Result<Vec<ReportedProject>, Rejection> {
        let parts = in_parts(rows, ROWS_PER_THREAD, |rows| -> Result<Vec<ReportedProject>, Rejection> {
            let each = rows.iter().map(|(name, row)| {
                self.read(name, row).map_err(|error| Rejection::from(name.damaged(error)))
            });
            each.filter_map(Result::transpose).collect()
        });
        let mut all = Vec::with_capacity(rows.len());
        for part in parts {
            all.append(&mut part?);
        }
        Ok(all)
    }

    /// Reads a row; none if the project is deleted.
    fn read(&self, name: &Name<Project>, row: &Bytes) -> Result<Option<ReportedProject>, Unreadable> {
        let Some(mut project) = ReportedProject::read(row)? else { return Ok(None) };
        project.name = name.to_string();
        let fields = match self.numbers.is_empty() {
            true => Project::default(),
            false => read_fields::<Project>(row, &self.numbers)?,
        };
        if self.filter.matches(&FilterRow::of(&fields, &|| self.current_date.clone())) {
            project.counted = Some(self.count(name, row, fields)?);
        }
        Ok(Some(project))
    }

    fn count(&self, name: &Name<Project>, row: &Bytes, fields: Project) -> Result<Counted, Unreadable> {
        let is_latest = self.knowledge == Knowledge::Latest;
        let mut known = Snapshot::now(row, self.year, self.days.filter(|_| is_latest))?;
        let (has_start, has_end) = (known.start.is_set(), known.end.is_set());
        if !is_latest {
            let held = self.history.get(name.id().as_str()).map(Vec::as_slice).unwrap_or_default();
            known = known.then(&milepost_figures::read(held)?, self.day, self.knowledge)?;
        }
        let Snapshot { start, end, enrolment, .. } = known;
        Ok(Counted {
            fields,
            start,
            end,
            enrolment,
            has_start,
            has_end,
            plans: Plans::of(known.plan.as_ref(), self.days, self.currency)?,
            completed: Reported::of(&known.completed, self.days, self.currency)?,
            received: Reported::of(&known.received, self.days, self.currency)?,
        })
    }
}

impl ReportedProject {
    /// What every project of the portfolio is read for; none if it is deleted.
    fn read(row: &[u8]) -> Result<Option<Self>, Unreadable> {
        let mut project = Self {
            name: String::new(),
            parent: String::new(),
            listing: Listing::Unspecified,
            status: Status::Unspecified,
            counted: None,
        };
        let number = |number: u64| i32::try_from(number).unwrap_or_default();
        for field in wire::fields(row) {
            match field? {
                (8, Value::Number(listing)) => {
                    project.listing = Listing::try_from(number(listing)).unwrap_or_default();
                }
                (20, Value::Run(parent)) => {
                    project.parent = String::from_utf8_lossy(parent).into_owned();
                }
                (30, Value::Number(status)) => {
                    project.status = Status::try_from(number(status)).unwrap_or_default();
                }
                (42, _) => return Ok(None),
                _ => {}
            }
        }
        Ok(Some(project))
    }
}

/// How the projects of a report are related.
pub(super) struct Relations<'a> {
    by_name: HashMap<&'a str, usize>,
    projects: &'a [ReportedProject],
    /// Whether each matches and is no part of another one that does.
    pub(super) listed: Vec<bool>,
    /// Whether each matches and has no part that does.
    pub(super) split: Vec<bool>,
}

impl<'a> Relations<'a> {
    pub(super) fn of(projects: &'a [ReportedProject]) -> Self {
        let by_name = projects.iter().enumerate().map(|(i, project)| (project.name.as_str(), i)).collect();
        let matching: Vec<bool> = projects.iter().map(|project| project.counted.is_some()).collect();
        let mut relations = Self { by_name, projects, listed: matching.clone(), split: matching.clone() };
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
        let above = |i: &usize| self.by_name.get(self.projects[*i].parent.as_str()).copied();
        // There is no cycle; if there were one, it would end.
        std::iter::successors(above(&of), above).take(self.projects.len())
    }
}
