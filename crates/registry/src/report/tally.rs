//! Adding projects up: shares of counts, and sums of money, with what is missing.
//!
//! Invariant: adding is exact and in any order the same. A figure is a lower bound only if what is missing could make it
//! nothing but greater.

use milepost_figures::{Day, Planned, Reported};
use milepost_proto::figure::v1::MissingFigure;
use milepost_proto::registry::v1::project::{Listing, Status};
use milepost_types::limits;

use super::projects::{Counted, ReportedProject};

const NOT_REPORTED: &str = "NOT_REPORTED";
const STRADDLES: &str = "STRADDLES";
const OTHER_CURRENCY: &str = "OTHER_CURRENCY";
const NO_DATE: &str = "NO_DATE";
const NO_SCHEDULE: &str = "NO_SCHEDULE";
const OVERLAPS: &str = "OVERLAPS";

/// What something that is missing could do to a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Could {
    /// Make it greater.
    Raise,
    /// Make it greater or less.
    Move,
    /// Nothing: it is missing in another one.
    Nothing,
}

/// What is missing in a figure.
#[derive(Debug, Default)]
pub(super) struct Missing {
    pub(super) named: Vec<MissingFigure>,
    pub(super) count: i32,
    /// Whether some of it could make the figure greater.
    pub(super) is_above: bool,
    /// Whether some of it could make the figure greater or less.
    pub(super) is_open: bool,
}

/// How many of the counted projects have a property.
#[derive(Debug, Default)]
pub(super) struct Share {
    pub(super) part: i32,
    pub(super) whole: i32,
    pub(super) missing: Missing,
}

/// What was reported of what is planned, in billionths.
#[derive(Debug, Default)]
pub(super) struct Flow {
    pub(super) planned: i128,
    /// Of how many projects.
    pub(super) counted: i32,
    pub(super) reported: i128,
    /// What was reported of projects without a plan.
    pub(super) unplanned: i128,
    pub(super) missing: Missing,
}

/// What schedules come to, in billionths, and how many plans have one.
#[derive(Debug, Default)]
pub(super) struct Scheduled {
    pub(super) nanos: i128,
    pub(super) counted: i32,
    pub(super) missing: Missing,
}

/// What projects come to.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) listed: i32,
    pub(super) split: i32,
    pub(super) start: Share,
    pub(super) completion: Share,
    pub(super) enrolment: Share,
    pub(super) investment: Flow,
    pub(super) funds: Flow,
    pub(super) schedule: Scheduled,
}

/// A project that is added.
pub(super) struct Added<'a> {
    pub(super) candidate: &'a ReportedProject,
    pub(super) project: &'a Counted,
    /// What it is listed as in the year.
    pub(super) listing: Listing,
    pub(super) day: Day,
    /// Whether the year has begun.
    pub(super) has_begun: bool,
    /// What its name begins with, before the id, if it is named where something of it is missing.
    pub(super) named: Option<&'a str>,
}

/// A name, not put together: few are written.
#[derive(Debug, Clone, Copy)]
struct ProjectName<'a> {
    prefix: &'a str,
    id: &'a str,
}

impl<'a> Added<'a> {
    fn name(&self) -> Option<ProjectName<'a>> {
        self.named.map(|prefix| ProjectName { prefix, id: &self.candidate.id })
    }

    /// Whether a day that is known has come.
    fn is_by(&self, day: Day) -> bool {
        day.is_set() && day <= self.day
    }
}

impl Missing {
    /// Whether it could make the figure nothing but greater.
    pub(super) fn is_lower_bound(&self) -> bool {
        self.is_above && !self.is_open
    }

    fn add(&mut self, name: Option<ProjectName<'_>>, why: &str, count: u32, could: Could) {
        if count == 0 {
            return;
        }
        self.is_above |= could == Could::Raise;
        self.is_open |= could == Could::Move;
        self.count = self.count.saturating_add(i32::try_from(count).unwrap_or(i32::MAX));
        let Some(ProjectName { prefix, id }) = name else { return };
        let room = limits::MISSING_NAMED - self.named.len();
        for _ in 0..room.min(count as usize) {
            self.named.push(MissingFigure { subject: [prefix, id].concat(), why: why.to_owned() });
        }
    }
}

impl Share {
    fn add(&mut self, is_part: bool) {
        self.whole += 1;
        self.part += i32::from(is_part);
    }
}

impl Flow {
    fn add(&mut self, added: &Added<'_>, planned: Planned, reported: &Reported) {
        let name = added.name();
        let (raise, open) = match planned {
            Planned::Amount(_) => (Could::Raise, Could::Move),
            _ => (Could::Nothing, Could::Nothing),
        };
        match planned {
            Planned::Amount(nanos) => {
                self.planned += nanos;
                self.counted += 1;
                self.reported += reported.nanos;
                let unreported = added.has_begun && reported.is_empty();
                self.missing.add(name, NOT_REPORTED, unreported.into(), raise);
            }
            Planned::Nothing => self.unplanned += reported.nanos,
            Planned::Elsewhere => return self.missing.add(name, OTHER_CURRENCY, 1, Could::Move),
        }
        self.missing.add(name, STRADDLES, reported.straddling, raise);
        self.missing.add(name, OTHER_CURRENCY, reported.elsewhere, raise);
        self.missing.add(name, OVERLAPS, reported.overlapping, open);
    }
}

impl Tally {
    /// Adds a project of the basis.
    pub(super) fn add(&mut self, added: &Added<'_>) {
        let Added { project, listing, .. } = *added;
        let (name, status) = (added.name(), added.candidate.status);
        let is_built = matches!(status, Status::Completed | Status::InService);
        let has_started = is_built || status == Status::Construction;
        let (undated, unended) = (has_started && !project.has_start, is_built && !project.has_end);
        let (started, ended) = (added.is_by(project.start), added.is_by(project.end));
        if listing == Listing::NewStart {
            self.start.add(started);
            self.start.missing.add(name, NO_DATE, undated.into(), Could::Raise);
        }
        if listing == Listing::Completed {
            self.completion.add(ended);
            self.completion.missing.add(name, NO_DATE, unended.into(), Could::Raise);
        }
        if started {
            self.enrolment.add(added.is_by(project.enrolment));
        }
        // It may be one of those that started by the day, so the share may be greater or less.
        self.enrolment.missing.add(name, NO_DATE, undated.into(), Could::Move);
        self.investment.add(added, project.plans.investment, &project.completed);
        self.funds.add(added, project.plans.funds, &project.received);
        if let Planned::Amount(_) = project.plans.investment {
            match project.plans.scheduled {
                Some(nanos) => {
                    self.schedule.nanos += nanos;
                    self.schedule.counted += 1;
                }
                None => self.schedule.missing.add(name, NO_SCHEDULE, 1, Could::Raise),
            }
        }
    }
}
