//! What is known of a project for a period, as the plain values that are measured.
//!
//! Invariants: what counts as known is what reports of the registry count (crate `figures`); amounts are in the portfolio's
//! currency, and what is in another one is missing, not converted. What is only as of now, such as when a project is
//! to start, says nothing of what was so before.

use jiff::ToSpan;
use jiff::civil::Date;
use milepost_figures::{Ask, Day, KnownProject, Planned, Reported, Window};
use milepost_proto::figure::v1::Knowledge;
use milepost_proto::registry::v1::Project;
use milepost_proto::registry::v1::project::Status;
use milepost_proto::registry::v1::query_statistics_request::TimeBasis;
use milepost_proto::tracker::v1::Milestone;
use milepost_proto::tracker::v1::warning_test::Metric;
use milepost_resource::{Rows, date};
use milepost_types::{CurrencyCode, DamagedRow, Fraction, ResourceName as _};

use super::measure::{Expected, Measured, Why};
use super::period::Period;
use crate::decide::Tracker;
use crate::names::ProjectName;
use crate::tables;
use crate::tables::outcome::Outcome;

/// As of when something is known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AsOf {
    pub(crate) day: Date,
    pub(crate) knowledge: Knowledge,
}

/// What is observed of a project, and what is missing in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Observed {
    pub(crate) measured: Result<Measured, Why>,
    /// Whether what is missing could only make what is actual greater.
    pub(crate) lower_bound: bool,
    pub(crate) missing: Vec<Why>,
}

impl Observed {
    fn without(why: Why) -> Self {
        Self { measured: Err(why), lower_bound: false, missing: Vec::new() }
    }

    fn whole(measured: Measured) -> Self {
        Self { measured: Ok(measured), lower_bound: false, missing: Vec::new() }
    }
}

/// A project for a period.
pub(crate) struct Known<'a> {
    pub(crate) rows: &'a Rows<'a, Tracker>,
    pub(crate) name: &'a ProjectName,
    pub(crate) project: &'a Project,
    pub(crate) period: Period,
    pub(crate) as_of: AsOf,
    pub(crate) currency: CurrencyCode,
    pub(crate) time_basis: TimeBasis,
    /// Of the year of the period.
    year: KnownProject,
}

impl<'a> Known<'a> {
    /// What is known of a project, which a row holds, for a period.
    ///
    /// # Errors
    /// If a row cannot be decoded; so with all that is read.
    pub(crate) fn of(
        rows: &'a Rows<'a, Tracker>,
        (name, project, row): (&'a ProjectName, &'a Project, &bytes::Bytes),
        (period, as_of): (Period, AsOf),
        (currency, time_basis): (CurrencyCode, TimeBasis),
    ) -> Result<Self, DamagedRow> {
        let days = (period.end.first_of_year(), period.end);
        let ask =
            Ask { day: as_of.day, knowledge: as_of.knowledge, plan_year: i32::from(period.end.year()), days };
        let year = tables::project::known_of(rows.read, name, row.clone(), &ask)?;
        Ok(Self { rows, name, project, period, as_of, currency, time_basis, year })
    }

    /// What is observed of it.
    pub(crate) fn observe(&self, metric: Metric, row: &bytes::Bytes) -> Result<Observed, DamagedRow> {
        Ok(match metric {
            Metric::Investment | Metric::Unspecified => self.investment(),
            Metric::PeriodTask => self.period_task(),
            Metric::Funds => self.funds(),
            Metric::Milestones => return self.milestones(),
            Metric::Growth => return self.growth(row),
            Metric::StartDelay => self.start_delay(),
            Metric::EnrolmentAge => self.enrolment_age(),
        })
    }

    fn since_january(&self) -> (Date, Date) {
        (self.period.end.first_of_year(), self.period.end)
    }

    fn investment(&self) -> Observed {
        let plans = self.year.plans(self.period.end, self.currency);
        let whole = match amount(plans.investment) {
            Ok(whole) => whole,
            Err(why) => return Observed::without(why),
        };
        let completed = self.year.completed(self.since_january(), self.currency);
        let expected = match self.time_basis {
            TimeBasis::Schedule => plans.scheduled.map(Expected::Amount).ok_or(Why::NoSchedule),
            _ => self.time_progress(),
        };
        rate(completed, whole, expected)
    }

    fn period_task(&self) -> Observed {
        let plans = self.year.plans(self.period.end, self.currency);
        let whole = match amount(plans.investment) {
            Ok(whole) => whole,
            Err(why) => return Observed::without(why),
        };
        let completed = self.year.completed((self.period.start, self.period.end), self.currency);
        let before = match self.period.start.yesterday() {
            Ok(before) if before.year() == self.period.end.year() => {
                self.year.plans(before, self.currency).scheduled
            }
            _ => plans.scheduled.map(|_| 0),
        };
        let expected = plans.scheduled.zip(before).map(|(by_end, before)| Expected::Amount(by_end - before));
        rate(completed, whole, expected.ok_or(Why::NoSchedule))
    }

    fn funds(&self) -> Observed {
        let plans = self.year.plans(self.period.end, self.currency);
        let whole = match amount(plans.funds) {
            Ok(whole) => whole,
            Err(why) => return Observed::without(why),
        };
        let received = self.year.received(self.since_january(), self.currency);
        let expected = match (self.time_basis, amount(plans.investment), plans.scheduled) {
            (TimeBasis::Schedule, Ok(plan), Some(scheduled)) => {
                Fraction::new(scheduled, plan).map(Expected::Share).ok_or(Why::TooLarge)
            }
            (TimeBasis::Schedule, ..) => Err(Why::NoSchedule),
            _ => self.time_progress(),
        };
        rate(received, whole, expected)
    }

    /// How far the year has come by the end of the period.
    fn time_progress(&self) -> Result<Expected, Why> {
        let window = Window::new(i32::from(self.period.end.year()), self.period.end);
        let part = if self.time_basis == TimeBasis::Days { window.passed() } else { window.months() };
        milepost_figures::fraction(part).map(Expected::Share).ok_or(Why::NothingExpected)
    }

    fn growth(&self, row: &bytes::Bytes) -> Result<Observed, DamagedRow> {
        let Some(end) = year_before(self.period.end) else { return Ok(Observed::without(Why::NoBase)) };
        let days = (end.first_of_year(), end);
        let AsOf { day, knowledge } = self.as_of;
        let ask = Ask { day, knowledge, plan_year: i32::from(end.year()), days };
        let before = tables::project::known_of(self.rows.read, self.name, row.clone(), &ask)?;
        let before = before.completed(days, self.currency);
        let now = self.year.completed(self.since_january(), self.currency);
        let (complete, lower_bound) = (missing(before).is_empty(), is_lower_bound(now));
        let mut left_out = [missing(now), missing(before)].concat();
        left_out.sort_unstable();
        left_out.dedup();
        if before.nanos == 0 {
            return Ok(Observed { missing: left_out, ..Observed::without(Why::NoBase) });
        }
        if now.is_empty() {
            return Ok(Observed { missing: left_out, ..Observed::without(Why::NotReported) });
        }
        Ok(Observed {
            measured: Ok(Measured::Growth { now: now.nanos, before: before.nanos }),
            lower_bound: lower_bound && complete,
            missing: left_out,
        })
    }

    fn milestones(&self) -> Result<Observed, DamagedRow> {
        let (mut achieved, mut due, mut all) = (0, 0, 0);
        let outcomes = tables::outcome::of_project(self.rows.read, self.name)?;
        let AsOf { day, knowledge } = self.as_of;
        let end = Day::from(self.period.end);
        for found in self.rows.under::<Milestone>(self.name.ids(), None) {
            let (name, row) = found?;
            let milestone = self.rows.read(&name, row)?;
            let own = outcomes.get(name.id().as_str()).map(Vec::as_slice).unwrap_or_default();
            let outcome = tables::outcome::known(own, end, day.into(), knowledge);
            if milestone.is_deleted() || outcome.is_some_and(Outcome::is_cancelled) {
                continue;
            }
            let weight = i128::from(milestone.weight.unwrap_or(1));
            let is_due = milestone.baseline_date.as_ref().is_some_and(|baseline| Day::from(baseline) <= end);
            let is_achieved = outcome.and_then(Outcome::achieved).is_some_and(|achieved| achieved <= end);
            all += weight;
            due += if is_due { weight } else { 0 };
            achieved += if is_achieved { weight } else { 0 };
        }
        if all == 0 {
            return Ok(Observed::without(Why::NoMilestones));
        }
        Ok(Observed::whole(Measured::Rate {
            actual: achieved,
            whole: all,
            expected: Ok(Expected::Amount(due)),
        }))
    }

    /// Whether it has started by the end of the period, and since when.
    fn start(&self) -> Result<Option<Date>, Why> {
        match self.year.start() {
            Some(start) => Ok((start <= self.period.end).then_some(start)),
            None if has_started(self.project) => Err(Why::NoDate),
            None => Ok(None),
        }
    }

    fn start_delay(&self) -> Observed {
        let planned =
            self.project.planned_period.as_ref().and_then(|planned| date(planned.start_date.as_ref()));
        match (self.start(), planned) {
            (Ok(Some(_)) | Err(_), _) => Observed::whole(Measured::Settled(Why::Done)),
            (Ok(None), None) => Observed::without(Why::NoPlannedStart),
            (Ok(None), Some(planned)) => Observed::whole(match planned.last_of_month() {
                end if end > self.period.end => Measured::Settled(Why::NotDue),
                since => Measured::Waiting { since, until: self.period.end },
            }),
        }
    }

    fn enrolment_age(&self) -> Observed {
        if self.year.enrolment().is_some_and(|enrolled| enrolled <= self.period.end) {
            return Observed::whole(Measured::Settled(Why::Done));
        }
        match self.start() {
            Ok(Some(since)) => Observed::whole(Measured::Waiting { since, until: self.period.end }),
            Ok(None) => Observed::whole(Measured::Settled(Why::NotDue)),
            Err(why) => Observed::without(why),
        }
    }
}

/// Whether the status says that a project has started.
fn has_started(project: &Project) -> bool {
    let status = match project.status() {
        Status::Suspended => project.suspended_status(),
        status => status,
    };
    matches!(status, Status::Construction | Status::Completed | Status::InService)
}

/// The same day of the year before; of the last day of a month the last one.
fn year_before(day: Date) -> Option<Date> {
    let before = day.checked_sub(1.year()).ok()?;
    Some(if day == day.last_of_month() { before.last_of_month() } else { before })
}

/// What is planned, if that is more than nothing.
fn amount(planned: Planned) -> Result<i128, Why> {
    match planned {
        Planned::Nothing | Planned::Amount(0) => Err(Why::NoPlan),
        Planned::Elsewhere => Err(Why::OtherCurrency),
        Planned::Amount(nanos) => Ok(nanos),
    }
}

/// What is missing in reports.
fn missing(reported: Reported) -> Vec<Why> {
    let Reported { straddling, elsewhere, overlapping, .. } = reported;
    let counts =
        [(straddling, Why::Straddles), (elsewhere, Why::OtherCurrency), (overlapping, Why::Overlaps)];
    counts.into_iter().filter(|(count, _)| *count > 0).map(|(_, why)| why).collect()
}

/// Whether what is missing in reports could only make them more.
fn is_lower_bound(reported: Reported) -> bool {
    reported.overlapping == 0 && (reported.straddling > 0 || reported.elsewhere > 0)
}

fn rate(reported: Reported, whole: i128, expected: Result<Expected, Why>) -> Observed {
    if reported.is_empty() {
        return Observed::whole(Measured::Unreported { whole });
    }
    Observed {
        measured: Ok(Measured::Rate { actual: reported.nanos, whole, expected }),
        lower_bound: is_lower_bound(reported),
        missing: missing(reported),
    }
}
