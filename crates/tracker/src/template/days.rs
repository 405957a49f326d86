//! What the beginning of a day ends of what milestones bring, and what another working calendar makes of when they end.
//!
//! Invariant: a milestone whose day is done needs nothing more of it: its next day is a later one. Only milestones of which
//! something ends by the day are read; by a calendar those that an extension may be filed for.

use jiff::civil::Date;
use milepost_proto::tracker::v1::Milestone;
use milepost_resource::{Change, Checked, EventKind, date};
use milepost_schedule::Calendar;
use milepost_types::DamagedRow;

use super::made::NEXT_EXPIRY;
use super::validity::{announcements, settle};
use crate::decide::Scope;
use crate::decide::works::{Changes, due};
use crate::names::PortfolioName;

/// What the beginning of a day makes of the milestones of which something ends by it, those first that were first to end.
///
/// # Errors
/// If the portfolio cannot be decoded.
pub(crate) fn changes<'a>(
    scope: &'a Scope<'a>,
    portfolio: &'a PortfolioName,
    day: Date,
) -> Result<Changes<'a>, DamagedRow> {
    let known = scope.service.portfolio_or_unknown(scope.rows.read, portfolio)?;
    let names = due::<Milestone>(&scope.rows, NEXT_EXPIRY, portfolio, day);
    Ok(Box::new(names.map(move |name| {
        let Some(milestone) = scope.rows.get(&name)? else { return Ok(Vec::new()) };
        Ok(of_milestone(scope, &milestone, &known.calendar, day).into_iter().collect())
    })))
}

/// What a day makes of a milestone by this calendar: the first of what is said of it, and the rest because of that. By another
/// calendar than before it may be that nothing is said yet: then other days alone are kept.
pub(crate) fn of_milestone(
    scope: &Scope<'_>,
    before: &Checked<Milestone>,
    calendar: &Calendar,
    day: Date,
) -> Option<Change> {
    let used = date(before.used_date.as_ref());
    let mut settled = (**before).clone();
    settle(&mut settled, used, calendar, day);
    if settled == **before {
        return None;
    }
    let after = before.changed(scope, |milestone| *milestone = settled);
    // A row that could not be read on its day comes later.
    let came = date(before.next_expiry_date.as_ref()).map_or(day, |next| next.min(day));
    let mut announced = announcements(before, &after, (came, day)).into_iter();
    let first = announced.next().map(|first| first.announcing(announced));
    Some(first.unwrap_or_else(|| Change::of(EventKind::Updated, Some(before), after).on(Some(day))))
}
