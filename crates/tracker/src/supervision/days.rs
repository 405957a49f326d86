//! What the beginning of a day, or another working calendar, makes of rectification orders: another light, a higher level.
//!
//! Invariant: an order whose day is done needs nothing more of it. Only orders are read whose light or level was to change
//! by now; what days make of an order does not lower its level.

use jiff::civil::Date;
use milepost_proto::tracker::v1::RectificationOrder;
use milepost_resource::{Change, Checked, EventKind, date_message};
use milepost_schedule::Calendar;
use milepost_types::DamagedRow;

use super::clock::{is_final, level_on, light_on, next_change};
use super::order::{NEXT_CHANGE, escalated, light_changed};
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
        Ok(of_order(scope, &order, &known.calendar, day))
    })))
}

/// What a day makes of an order by this calendar; nothing if it is as the day has it.
pub(crate) fn of_order(
    scope: &Scope<'_>,
    before: &Checked<RectificationOrder>,
    calendar: &Calendar,
    day: Date,
) -> Vec<Change> {
    if is_final(before) || before.is_deleted() {
        return Vec::new();
    }
    let (mut changes, mut order) = (Vec::new(), before.clone());
    let (light, level) = (light_on(before, calendar, day), level_on(before, calendar, day).max(before.level));
    // The last of the changes says when the next is: an entry may end before it.
    let next = |order: &RectificationOrder| next_change(order, calendar, day).map(date_message);
    if light != before.light() {
        let kind = light_changed(before.light(), light, day);
        let after = before.changed(scope, |order| {
            order.set_light(light);
            if level == order.level {
                order.next_change_date = next(order);
            }
        });
        changes.push(Change::of(kind, Some(before), after.clone()).on(Some(day)));
        order = after;
    }
    if level > before.level {
        let kind = escalated(before.level, level, day);
        let after = order.changed(scope, |order| {
            order.level = level;
            order.next_change_date = next(order);
        });
        changes.push(Change::of(kind, Some(&order), after).on(Some(day)));
    }
    if changes.is_empty() && next(before) != before.next_change_date {
        let after = before.changed(scope, |order| order.next_change_date = next(order));
        changes.push(Change::of(EventKind::Updated, Some(before), after).on(Some(day)));
    }
    changes
}
