//! Which day it is in a portfolio, and the daily sweep: which milestones come near or pass when the date advances.
//!
//! Invariants: days are swept one after another; a milestone is announced once a day at most, in the order of
//! names. A day that does not fit one entry is swept in parts, each after the milestone that the part before
//! ended with, and is the current date when the last is in. What is written in between is as of that day
//! already, and is not announced again. Only milestones that a day touches are read, through the indexes; the
//! first day that a portfolio has, and the first after an earlier version announced its date, reads all of them.

use std::collections::BTreeSet;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use milepost_ledger::{Direction, KeyRange, Read};
use milepost_types::{DamagedRow, MilestoneName, PortfolioName, ProjectPattern};

use super::DecisionContext;
use crate::convert::event::{DayCounts, Events};
use crate::milestone::{Change, ChangeContext, Milestone, Nearness, Timeliness, on, passed, touched};
use crate::mirror::Portfolio;
use crate::tables;
use crate::tables::advancing::Advancing;
use crate::tables::key;

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
/// date that is not after the current one changes nothing. A milestone that cannot be decoded lets no day begin
/// that touches it.
pub(crate) fn advance(
    scope: &DecisionContext<'_>,
    name: &PortfolioName,
    portfolio: &Portfolio,
    date: Date,
    events: &mut Events<'_>,
) -> Result<(), DamagedRow> {
    let mut sweep = DaySweep::new(scope, name, portfolio)?;
    while let Some(day) = sweep.next(date) {
        if events.bytes() > scope.part_bytes || !sweep.run(day, events)? {
            break;
        }
    }
    Ok(())
}

/// What [`advance`] would announce in all its entries, as one event without the milestones.
pub(crate) fn preview(
    scope: &DecisionContext<'_>,
    name: &PortfolioName,
    portfolio: &Portfolio,
    date: Date,
    events: &mut Events<'_>,
) -> Result<(), DamagedRow> {
    let mut sweep = DaySweep::new(scope, name, portfolio)?;
    let (previous, mut counts) = (sweep.current, Counts::default());
    let mut last = None;
    while let Some(day) = sweep.next(date) {
        counts.add(sweep.begin(day));
        for change in sweep.changes(day) {
            counts.count(&change?);
        }
        sweep.finish(day);
        last = Some(day);
    }
    if let Some(day) = last {
        let counts = DayCounts { previous, ..sweep.counts(day, counts) };
        let place = events.keep_place(0);
        events.date_advanced(place, name, counts);
    }
    Ok(())
}

/// How many became due soon, and overdue.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    due_soon: u32,
    overdue: u32,
}

impl Counts {
    fn add(&mut self, other: Counts) {
        self.due_soon += other.due_soon;
        self.overdue += other.overdue;
    }

    fn count(&mut self, change: &Change) {
        match change.event_kind.comes_to() {
            Some(Nearness::DueSoon) => self.due_soon += 1,
            Some(Nearness::Overdue) => self.overdue += 1,
            Some(Nearness::Ahead) | None => {}
        }
    }
}

/// The sweep of a portfolio's days in one entry.
struct DaySweep<'a> {
    rows: &'a dyn Read,
    part_bytes: usize,
    name: &'a PortfolioName,
    at: ChangeContext<'a>,
    current: Option<Date>,
    /// The day whose sweep earlier entries began.
    begun: Option<Advancing>,
    /// Whether the next day reads all milestones.
    at_all: bool,
    previous_sequence: u64,
}

impl<'a> DaySweep<'a> {
    fn new(
        scope: &DecisionContext<'a>,
        name: &'a PortfolioName,
        portfolio: &'a Portfolio,
    ) -> Result<Self, DamagedRow> {
        let current = tables::date::get(scope.rows, name)?;
        let begun = tables::advancing::get(scope.rows, name)?;
        let announced_by = current.and_then(|current| current.sequence);
        let previous_sequence =
            begun.as_ref().map(|begun| begun.sequence).or(announced_by).unwrap_or_default();
        Ok(Self {
            rows: scope.rows,
            part_bytes: scope.part_bytes,
            name,
            at: scope.at(name, portfolio)?,
            current: current.map(|current| current.date),
            begun,
            at_all: announced_by.is_none(),
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
        begun.map(|begun| Counts { due_soon: begun.due_soon, overdue: begun.overdue }).unwrap_or_default()
    }

    /// The day was swept to its end.
    fn finish(&mut self, day: Date) {
        (self.current, self.begun, self.at_all) = (Some(day), None, false);
    }

    /// Sweeps a day, from where earlier entries left off; `false` if the entry is full before its end.
    fn run(&mut self, day: Date, events: &mut Events<'_>) -> Result<bool, DamagedRow> {
        let before = events.len();
        let place = events.keep_place(0);
        let mut counts = self.begin(day);
        let mut through: Option<MilestoneName> = None;
        for change in self.changes(day) {
            let change = change?;
            let (mark, name) = (events.len(), change.milestone.name.clone());
            let mut counted = counts;
            counted.count(&change);
            events.milestone(change, "");
            // What is alone in its entry is written whatever its size.
            if events.bytes() > self.part_bytes && mark > 1 {
                events.truncate(mark);
                match through {
                    Some(through) => {
                        events.date_advancing(place, self.name, self.counts(day, counts), &through);
                    }
                    // There is nothing of this day in the entry.
                    None => events.truncate(before),
                }
                return Ok(false);
            }
            (counts, through) = (counted, Some(name));
        }
        events.date_advanced(place, self.name, self.counts(day, counts));
        self.finish(day);
        Ok(true)
    }

    fn counts(&self, day: Date, counts: Counts) -> DayCounts {
        DayCounts {
            previous: self.current,
            day,
            due_soon: counts.due_soon,
            overdue: counts.overdue,
            previous_sequence: self.previous_sequence,
        }
    }

    /// What a day changes, from where earlier entries left off, in the order of names.
    fn changes(&self, day: Date) -> Box<dyn Iterator<Item = Result<Change, DamagedRow>> + '_> {
        let through = self.begun.as_ref().filter(|begun| begun.day == day).map(|begun| &*begun.through);
        if self.at_all {
            let range = tables::milestone::range(&ProjectPattern::InPortfolio(self.name.clone()));
            let rows = self.rows.scan(&range.beyond(through, Direction::Forward), Direction::Forward);
            let milestones = rows.map(|(key, value)| planned(&key, &value));
            return Box::new(milestones.filter_map(move |milestone| {
                self.change(day, milestone, |milestone| {
                    // How it stood is what is kept: it may be as of another day than the one before.
                    let (before, after) = (milestone.timeliness, on(milestone, day)?);
                    (before != after).then_some((before, after))
                })
            }));
        }
        let keys = self.touched(day).into_iter();
        let keys = keys.filter(move |key| through.is_none_or(|through| key.as_slice() > through));
        let milestones = keys.filter_map(|key| Some(planned(&key, &self.rows.get(&key)?)));
        Box::new(
            milestones
                .filter_map(move |milestone| self.change(day, milestone, |milestone| passed(milestone, day))),
        )
    }

    /// What a day makes of a milestone that is planned, if it makes anything of it.
    fn change(
        &self,
        day: Date,
        milestone: Result<Option<Milestone>, DamagedRow>,
        turns: impl FnOnce(&Milestone) -> Option<(Timeliness, Timeliness)>,
    ) -> Option<Result<Change, DamagedRow>> {
        let milestone = match milestone {
            Ok(milestone) => milestone?,
            Err(row) => return Some(Err(row)),
        };
        let (before, after) = turns(&milestone)?;
        Some(Ok(Change::of_day(milestone, before, after, day, &self.at)))
    }

    /// The keys of the milestones that a day touches, in order.
    fn touched(&self, day: Date) -> BTreeSet<Vec<u8>> {
        let touched = touched(day);
        let due = touched.due.into_iter().flatten().map(|date| tables::due::range_on(self.name, date));
        let baseline = touched.baseline.into_iter().map(|date| tables::baseline::range_on(self.name, date));
        due.chain(baseline).flat_map(|range| indexed(self.rows, &range)).collect()
    }
}

/// The keys of the milestones that an index leads to.
fn indexed(rows: &dyn Read, range: &KeyRange) -> Vec<Vec<u8>> {
    rows.scan(range, Direction::Forward).map(|(index_key, _)| key::of_indexed(&index_key)).collect()
}

fn planned(key: &[u8], value: &Bytes) -> Result<Option<Milestone>, DamagedRow> {
    let planned = tables::milestone::view_of(key, value)?.is_planned();
    planned.then(|| tables::milestone::read(key, value)).transpose()
}

#[cfg(test)]
mod tests;
