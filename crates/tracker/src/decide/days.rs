//! The beginning of days: which milestones of a portfolio stand otherwise to their dates.
//!
//! Invariants: days begin one after another, each told before the next; a milestone is told once a day
//! at most, in the order of names. Only milestones that a day touches are looked at, through the indexes;
//! the first day that a portfolio has looks at all of them.

use std::collections::BTreeSet;

use bytes::Bytes;
use jiff::civil::Date;
use milepost_ledger::{Direction, KeyRange, Read};
use milepost_types::{DamagedRow, PortfolioName, ProjectPattern};

use super::Scene;
use crate::convert::event::Events;
use crate::facts::Portfolio;
use crate::milestone::{Change, Happening, Milestone, Moment, Outlook, outlook, passed, touched};
use crate::tables;
use crate::tables::key;

/// How many days after `from` another date is; 0 if it is not after it.
pub(crate) fn between(from: Date, to: Date) -> u32 {
    // Both are within 20,000 years, which 32 bits of days hold.
    (to.duration_since(from).as_hours() / 24).max(0) as u32
}

/// Makes `date` the portfolio's current date, day by day. A date that is not after the current one
/// changes nothing. A milestone that cannot be decoded lets no day begin that touches it.
pub(crate) fn advance(
    scene: &Scene<'_>,
    name: &PortfolioName,
    portfolio: &Portfolio,
    date: Date,
    events: &mut Events<'_>,
) -> Result<(), DamagedRow> {
    let moment = scene.moment(name, portfolio)?;
    let Some(mut current) = tables::date::get(scene.rows, name)? else {
        let changes = first_day(scene.rows, name, date, &moment)?;
        tell(events, name, None, date, changes);
        return Ok(());
    };
    while current < date {
        let Ok(day) = current.tomorrow() else { break };
        let changes = next_day(scene.rows, name, day, &moment)?;
        tell(events, name, Some(current), day, changes);
        current = day;
    }
    Ok(())
}

fn tell(
    events: &mut Events<'_>,
    name: &PortfolioName,
    previous: Option<Date>,
    day: Date,
    changes: Vec<Change>,
) {
    let count = |wanted: Outlook| {
        let is = |change: &&Change| matches!(change.happening, Happening::OutlookChanged { outlook, .. } if outlook == wanted);
        i32::try_from(changes.iter().filter(is).count()).unwrap_or(i32::MAX)
    };
    events.date_advanced(name, previous, day, count(Outlook::DueSoon), count(Outlook::Overdue));
    for change in changes {
        events.milestone(change, "");
    }
}

/// What the day after the current one changes.
fn next_day(
    rows: &dyn Read,
    name: &PortfolioName,
    day: Date,
    moment: &Moment<'_>,
) -> Result<Vec<Change>, DamagedRow> {
    let touched = touched(day);
    let due = touched.due.into_iter().flatten().map(|date| tables::due::range_on(name, date));
    let baseline = touched.baseline.into_iter().map(|date| tables::baseline::range_on(name, date));
    let keys: BTreeSet<Vec<u8>> = due.chain(baseline).flat_map(|range| indexed(rows, &range)).collect();
    let mut changes = Vec::new();
    for key in &keys {
        let Some(milestone) = rows.get(key).map(|value| planned(key, &value)).transpose()?.flatten() else {
            continue;
        };
        if let Some((previous, outlook)) = passed(&milestone, day) {
            changes.push(Change::of_outlook(milestone, previous, outlook, day, moment));
        }
    }
    Ok(changes)
}

/// What the first day changes: outlooks were as of the clock's day until now.
fn first_day(
    rows: &dyn Read,
    name: &PortfolioName,
    day: Date,
    moment: &Moment<'_>,
) -> Result<Vec<Change>, DamagedRow> {
    let range = tables::milestone::range(&ProjectPattern::InPortfolio(name.clone()));
    let mut changes = Vec::new();
    for (key, value) in rows.scan(&range, Direction::Forward) {
        let Some(milestone) = planned(&key, &value)? else { continue };
        let now = outlook(milestone.state, milestone.baseline, milestone.forecast, day);
        if let Some(now) = now.filter(|now| milestone.outlook != Some(*now)) {
            let previous = milestone.outlook;
            changes.push(Change::of_outlook(milestone, previous, now, day, moment));
        }
    }
    Ok(changes)
}

/// The keys of the milestones that an index leads to.
fn indexed(rows: &dyn Read, range: &KeyRange) -> Vec<Vec<u8>> {
    rows.scan(range, Direction::Forward).map(|(index_key, _)| key::of_indexed(&index_key)).collect()
}

fn planned(key: &[u8], value: &Bytes) -> Result<Option<Milestone>, DamagedRow> {
    let planned = tables::milestone::glance(key, value)?.is_planned();
    planned.then(|| tables::milestone::read(key, value)).transpose()
}

#[cfg(test)]
mod tests;
