//! Which day it is in a portfolio, and the daily sweep: what a day brings to other resources, by their [works](super::works),
//! and which milestones come near or pass, when the date advances.
//!
//! Invariants: days are swept one after another; a milestone is announced once a day at most, in the order of
//! names, after the works, which come after the starts that passed milestones over. A day that does not fit one entry is swept in parts, each with what is left of the works
//! and after the milestone that the part before ended with, and is the current date when the last is in. An entry in which
//! a work changed something has no later day. What is written in between is as of that day
//! already, and is not announced again. Only milestones that a day touches are read, through the indexes; the
//! first day that a portfolio has, the first after an earlier version announced its date, and the first after one that passed
//! over a milestone, reads all of them. A row that cannot be decoded is logged and passed over: the rest of the day happens.
//! A work finds what it passed over by its index, on any later day. The indexes of milestones have a day once: that one was
//! passed over is said with the day, so that each next day looks for it until it can be read.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::mem::take;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use milepost_ledger::Read;
use milepost_ledger::key::ordered_date;
use milepost_proto::tracker::v1::Milestone;
use milepost_proto::tracker::v1::milestone::Nearness;
use milepost_resource::{Change, Checked, Rows};
use milepost_types::DamagedRow;

use super::Scope;
use super::starts;
use super::works::{Changes, LATE_WORKS, WORKS, Work};
use crate::convert::event::{DayCounts, Events, Reserved};
use crate::convert::milestone::is_planned;
use crate::milestone::{BASELINE, DUE, Timeliness, comes_to, day_change, passed, timeliness_on, touched};
use crate::mirror::Portfolio;
use crate::names::{MilestoneName, PortfolioName};
use crate::tables;
use crate::tables::advancing::Advancing;
use crate::timeline::Reactions;

/// How many days after `from` another date is; 0 if it is not after it.
pub(crate) fn between(from: Date, to: Date) -> u32 {
    // Both are within 20,000 years, which 32 bits of days hold.
    (to.duration_since(from).as_hours() / 24).max(0) as u32
}

/// Which day it is in a portfolio. The only answer to that question: it does not go back, whatever becomes of
/// the clock or the time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Today {
    /// The current date: the last day that was swept. Until one was, the clock's.
    pub(crate) current: Date,
    /// The day after it, while it is being swept.
    pub(crate) advancing: Option<Date>,
}

impl Today {
    /// Of a portfolio, when the clock says `now`.
    ///
    /// # Errors
    /// If a row cannot be decoded.
    pub(crate) fn of(
        rows: &dyn Read,
        name: &PortfolioName,
        portfolio: &Portfolio,
        now: Timestamp,
    ) -> Result<Self, DamagedRow> {
        let advancing = tables::advancing::get(rows, name)?.map(|advancing| advancing.day);
        let current = tables::date::get(rows, name)?.map(|current| current.date);
        Ok(Self { current: current.unwrap_or_else(|| portfolio.clock_date(now)), advancing })
    }

    /// The day that what is written now is as of.
    pub(crate) fn of_writes(&self) -> Date {
        self.advancing.unwrap_or(self.current)
    }
}

/// Makes `date` the portfolio's current date, day by day, as far as an entry goes; the next entry goes on. A
/// date that is not after the current one brings only what became due of days that have begun.
pub(crate) fn advance(
    scope: &Scope<'_>,
    name: &PortfolioName,
    date: Date,
    events: &mut Events<'_>,
) -> Result<(), DamagedRow> {
    let mut sweep = DaySweep::new(scope, name)?;
    let mut reactions = Reactions::of_day(scope);
    if let (None, Some(current)) = (sweep.next(date), sweep.current) {
        return sweep.run_late(current, &mut reactions, events);
    }
    while let Some(day) = sweep.next(date) {
        if events.bytes() > scope.service.part_bytes || !sweep.run(day, &mut reactions, events)? {
            break;
        }
        // The works of the next day, and what looks at all milestones, go by the rows that this entry leaves.
        if sweep.worked || sweep.at_all {
            break;
        }
    }
    Ok(())
}

/// What [`advance`] would announce in all its entries, as one event without the milestones.
pub(crate) fn preview(
    scope: &Scope<'_>,
    name: &PortfolioName,
    date: Date,
    events: &mut Events<'_>,
) -> Result<(), DamagedRow> {
    let mut sweep = DaySweep::new(scope, name)?;
    let (previous, mut counts) = (sweep.current, Counts::default());
    let mut last = None;
    while let Some(day) = sweep.next(date) {
        counts.add(sweep.begin(day));
        for change in sweep.outlook_changes(day) {
            match change {
                Ok(change) => counts.count(&change),
                Err(_) => counts.passed_over = true,
            }
        }
        // All are as they were before the first of the days: none is looked at twice.
        sweep.finish(day, false);
        last = Some(day);
    }
    if let Some(day) = last {
        let counts = DayCounts { previous, ..sweep.counts(day, counts) };
        let reserved = events.reserve(0);
        events.date_advanced(reserved, name, counts);
    }
    Ok(())
}

/// How many became due soon, and overdue, and whether one was passed over.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    due_soon: u32,
    overdue: u32,
    passed_over: bool,
}

impl Counts {
    fn add(&mut self, other: Counts) {
        self.due_soon += other.due_soon;
        self.overdue += other.overdue;
        self.passed_over |= other.passed_over;
    }

    fn count(&mut self, OutlookChange { before, after, .. }: &OutlookChange) {
        match comes_to(*before, *after) {
            Nearness::DueSoon => self.due_soon += 1,
            Nearness::Overdue => self.overdue += 1,
            Nearness::Ahead | Nearness::Unspecified => {}
        }
    }
}

/// A milestone that a day changes, with how timely it was and is.
struct OutlookChange {
    milestone: Checked<Milestone>,
    before: Timeliness,
    after: Timeliness,
}

/// The sweep of a portfolio's days in one entry.
struct DaySweep<'a> {
    scope: &'a Scope<'a>,
    name: &'a PortfolioName,
    current: Option<Date>,
    /// The day whose sweep earlier entries began.
    begun: Option<Advancing>,
    /// Whether the next day reads all milestones.
    at_all: bool,
    /// Whether a work of a day changed something in this entry.
    worked: bool,
    /// Where rows are that were passed over.
    passed_over: RefCell<BTreeSet<String>>,
    previous_sequence: u64,
}

impl<'a> DaySweep<'a> {
    fn new(scope: &'a Scope<'a>, name: &'a PortfolioName) -> Result<Self, DamagedRow> {
        let current = tables::date::get(scope.rows.read, name)?;
        let begun = tables::advancing::get(scope.rows.read, name)?;
        let announced_by = current.and_then(|current| current.sequence);
        let previous_sequence =
            begun.as_ref().map(|begun| begun.sequence).or(announced_by).unwrap_or_default();
        Ok(Self {
            scope,
            name,
            current: current.map(|current| current.date),
            begun,
            at_all: current.is_none_or(|current| current.sequence.is_none() || current.passed_over),
            worked: false,
            passed_over: RefCell::default(),
            previous_sequence,
        })
    }

    /// The next day to sweep on the way to `date`; none if that is the current date, or before it.
    fn next(&self, date: Date) -> Option<Date> {
        match (&self.begun, self.current) {
            (Some(begun), _) => Some(begun.day).filter(|day| *day <= date),
            (None, Some(current)) => current.tomorrow().ok().filter(|day| *day <= date),
            (None, None) => Some(date),
        }
    }

    /// What earlier entries announced of the day.
    fn begin(&self, day: Date) -> Counts {
        let begun = self.begun.as_ref().filter(|begun| begun.day == day);
        let counts = |begun: &Advancing| Counts {
            due_soon: begun.due_soon,
            overdue: begun.overdue,
            passed_over: begun.passed_over,
        };
        begun.map(counts).unwrap_or_default()
    }

    /// The day was swept to its end.
    fn finish(&mut self, day: Date, passed_over: bool) {
        (self.current, self.begun, self.at_all) = (Some(day), None, passed_over);
    }

    /// Sweeps a day, from where earlier entries left off; `false` if the entry is full before its end.
    fn run(
        &mut self,
        day: Date,
        reactions: &mut Reactions<'_>,
        events: &mut Events<'_>,
    ) -> Result<bool, DamagedRow> {
        let before = events.len();
        let reserved = events.reserve(0);
        let mut counts = self.begin(day);
        let mut through = self.through(day).cloned();
        // What else a day brings goes by the rows after the starts that were passed over.
        if self.run_work(starts::changes, day, 1, reactions, events)? || self.worked {
            self.cut(day, (before, reserved), counts, through.as_ref(), events);
            return Ok(false);
        }
        for work in WORKS {
            if self.run_work(*work, day, 1, reactions, events)? {
                self.cut(day, (before, reserved), counts, through.as_ref(), events);
                return Ok(false);
            }
        }
        for change in self.outlook_changes(day) {
            let change = match change {
                Ok(change) => change,
                Err(row) => {
                    self.pass_over(&row, day);
                    counts.passed_over = true;
                    continue;
                }
            };
            let (mark, name) = (events.len(), change.milestone.name().clone());
            let mut counted = counts;
            counted.count(&change);
            let OutlookChange { milestone, before: previous, after: now } = change;
            let change = day_change(self.scope, &milestone, (previous, now), day);
            self.add(Ok(vec![change]), day, reactions, events)?;
            // What is alone in its entry is written whatever its size.
            if events.bytes() > self.scope.service.part_bytes && mark > 1 {
                events.truncate(mark);
                self.cut(day, (before, reserved), counts, through.as_ref(), events);
                return Ok(false);
            }
            (counts, through) = (counted, Some(name));
        }
        events.date_advanced(reserved, self.name, self.counts(day, counts));
        self.finish(day, counts.passed_over);
        Ok(true)
    }

    /// What a work brings, as far as an entry goes that has so many events before any work; whether it is full.
    fn run_work(
        &mut self,
        work: Work,
        day: Date,
        least: usize,
        reactions: &mut Reactions<'_>,
        events: &mut Events<'_>,
    ) -> Result<bool, DamagedRow> {
        for changes in self.changes(work, day) {
            let mark = events.len();
            if !self.add(changes, day, reactions, events)? {
                continue;
            }
            self.worked = true;
            // What is alone in its entry is written whatever its size.
            if events.bytes() > self.scope.service.part_bytes && mark > least {
                events.truncate(mark);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What became due after the current date had begun, as far as an entry goes.
    fn run_late(
        &mut self,
        current: Date,
        reactions: &mut Reactions<'_>,
        events: &mut Events<'_>,
    ) -> Result<(), DamagedRow> {
        for work in LATE_WORKS {
            if self.run_work(*work, current, 0, reactions, events)? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// What a work brings, one resource after another.
    fn changes(&self, work: Work, day: Date) -> Changes<'a> {
        work(self.scope, self.name, day).unwrap_or_else(|row| Box::new(std::iter::once(Err(row))))
    }

    /// Adds changes, and what the rules of timelines make of them; `false` if there are none, as where a row that they need
    /// cannot be decoded.
    fn add(
        &self,
        changes: Result<Vec<Change>, DamagedRow>,
        day: Date,
        reactions: &mut Reactions<'_>,
        events: &mut Events<'_>,
    ) -> Result<bool, DamagedRow> {
        let mark = events.len();
        match changes {
            Ok(changes) => changes.into_iter().for_each(|change| events.add(change)),
            Err(row) => self.pass_over(&row, day),
        }
        reactions.follow_up(mark, events)?;
        take(&mut reactions.passed_over).iter().for_each(|row| self.pass_over(row, day));
        Ok(events.len() > mark)
    }

    /// Says of a row, once in an entry, that the day went on without what needs it.
    fn pass_over(&self, row: &DamagedRow, day: Date) {
        if self.passed_over.borrow_mut().insert(row.place()) {
            let portfolio = self.name;
            tracing::error!(%portfolio, %day, %row, "a day goes on without what needs a row that cannot be decoded");
        }
    }

    /// Ends an entry in the midst of a day, which began at an index of it.
    fn cut(
        &self,
        day: Date,
        (before, reserved): (usize, Reserved),
        counts: Counts,
        through: Option<&MilestoneName>,
        events: &mut Events<'_>,
    ) {
        if events.len() > before + 1 {
            events.date_advancing(reserved, self.name, self.counts(day, counts), through);
        } else {
            // There is nothing of this day in the entry.
            events.truncate(before);
        }
    }

    /// The milestone that earlier entries of the day ended with.
    fn through(&self, day: Date) -> Option<&MilestoneName> {
        self.begun.as_ref().filter(|begun| begun.day == day)?.through.as_ref()
    }

    fn counts(&self, day: Date, counts: Counts) -> DayCounts {
        DayCounts {
            previous: self.current,
            day,
            due_soon: counts.due_soon,
            overdue: counts.overdue,
            previous_sequence: self.previous_sequence,
            passed_over: counts.passed_over,
        }
    }

    /// What a day changes, from where earlier entries left off, in the order of names.
    fn outlook_changes(&self, day: Date) -> Box<dyn Iterator<Item = Result<OutlookChange, DamagedRow>> + '_> {
        let rows = &self.scope.rows;
        let through = self.through(day);
        if self.at_all {
            let found = rows.under::<Milestone>(self.name.ids(), through);
            // How it stood is what is kept: it may be as of another day than the one before.
            return Box::new(found.filter_map(move |found| {
                self.outlook_change(found, |milestone| {
                    Some((Timeliness::kept(milestone), timeliness_on(milestone, day)?))
                })
            }));
        }
        let names = self.touched(day).into_iter();
        let names = names.filter(move |name| through.is_none_or(|through| name > through));
        let found = names.filter_map(move |name| rows.row(&name).map(|row| Ok((name, row))));
        Box::new(
            found.filter_map(move |found| self.outlook_change(found, |milestone| passed(milestone, day))),
        )
    }

    /// The change of a milestone, if it is planned and the day changes how timely it is.
    fn outlook_change(
        &self,
        found: Result<(MilestoneName, Bytes), DamagedRow>,
        timeliness: impl FnOnce(&Milestone) -> Option<(Timeliness, Timeliness)>,
    ) -> Option<Result<OutlookChange, DamagedRow>> {
        let change = || {
            let (name, row) = found?;
            if !is_planned(&row).map_err(|error| name.damaged(error))? {
                return Ok(None);
            }
            let milestone = self.scope.rows.read(&name, row)?;
            let changed = timeliness(&milestone).filter(|(before, after)| before != after);
            Ok(changed.map(|(before, after)| OutlookChange { milestone, before, after }))
        };
        change().transpose()
    }

    /// The milestones that a day touches, in order.
    fn touched(&self, day: Date) -> BTreeSet<MilestoneName> {
        let touched = touched(day);
        let due = touched.due.into_iter().flatten().map(|date| (DUE, date));
        let dates = due.chain(touched.baseline.into_iter().map(|date| (BASELINE, date)));
        let rows: &Rows<'_, _> = &self.scope.rows;
        dates
            .flat_map(|(index, date)| {
                rows.names::<Milestone>(index, self.name.ids(), &ordered_date(date)).collect::<Vec<_>>()
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
