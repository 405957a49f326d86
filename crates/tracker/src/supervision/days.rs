//! What the beginning of a day, or another working calendar, makes of rectification orders: another light, a higher level.
//!
//! Invariant: an order whose day is done needs nothing more of it. Only orders are read whose light or level was to change
//! by now; what days make of an order does not lower its level.

use jiff::civil::Date;
use milepost_proto::tracker::v1::RectificationOrder;
use milepost_resource::{Change, Checked, EventKind};
use milepost_schedule::Calendar;
use milepost_types::DamagedRow;

use super::order::{NEXT_CHANGE, announcements, refresh_derived};
use crate::decide::Scope;
use crate::decide::works::{Changes, due};
use crate::names::PortfolioName;

/// What the beginning of a day makes of the orders that it touches, the earliest first.
///
/// # Errors
/// If the portfolio cannot be decoded.
pub(crate) fn changes<'a>(
    scope: &'a Scope<'a>,
    portfolio: &'a PortfolioName,
    day: Date,
) -> Result<Changes<'a>, DamagedRow> {
    let known = scope.service.portfolio_or_unknown(scope.rows.read, portfolio)?;
    let names = due::<RectificationOrder>(&scope.rows, NEXT_CHANGE, portfolio, day);
    Ok(Box::new(names.map(move |name| {
        let Some(order) = scope.rows.get(&name)? else { return Ok(Vec::new()) };
        Ok(of_order(scope, &order, &known.calendar, day).into_iter().collect())
    })))
}

/// What a day makes of an order by this calendar, as one change; none if it is as the day has it.
pub(crate) fn of_order(
    scope: &Scope<'_>,
    before: &Checked<RectificationOrder>,
    calendar: &Calendar,
    day: Date,
) -> Option<Change> {
    let after = before.changed(scope, |order| refresh_derived(order, Some(before), calendar, day));
    let mut announced = announcements(Some(before), &after, day).into_iter();
    // An entry may end after it: what else there is belongs to it.
    if let Some(first) = announced.next() {
        return Some(first.announcing(announced));
    }
    let is_sooner_or_later = after.next_change_date != before.next_change_date;
    is_sooner_or_later.then(|| Change::of(EventKind::Updated, Some(before), after).on(Some(day)))
}
