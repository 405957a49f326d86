//! What the beginning of a day ends of what milestones bring.
//!
//! Invariant: a milestone whose day is done needs nothing more of it: its next day is a later one. Only milestones of which
//! something ends by the day are read.

use std::sync::Arc;

use jiff::civil::Date;
use milepost_proto::tracker::v1::Milestone;
use milepost_resource::{Change, Checked, date};
use milepost_types::DamagedRow;

use super::made::NEXT_EXPIRY;
use super::validity::{announcements, settle};
use crate::decide::Scope;
use crate::decide::works::{Changes, due};
use crate::mirror::Portfolio;
use crate::names::PortfolioName;

/// What the beginning of a day makes of the milestones of which something ends by it, those first that were first to end.
///
/// # Errors
/// If a row cannot be decoded.
pub(crate) fn changes<'a>(
    scope: &'a Scope<'a>,
    portfolio: &'a PortfolioName,
    day: Date,
) -> Result<Changes<'a>, DamagedRow> {
    let known = scope.service.portfolio_or_unknown(scope.rows.read, portfolio)?;
    let ends = |milestone: &Milestone| milestone.next_expiry_date;
    let names = due(scope, NEXT_EXPIRY, portfolio, ends, day)?;
    Ok(Box::new(names.into_iter().map(move |name| {
        let Some(milestone) = scope.rows.get(&name)? else { return Ok(Vec::new()) };
        Ok(of_milestone(scope, &milestone, &known, day).into_iter().collect())
    })))
}

/// What the beginning of a day makes of a milestone: the first of what is said of it, and the rest because of that.
fn of_milestone(
    scope: &Scope<'_>,
    before: &Checked<Milestone>,
    portfolio: &Arc<Portfolio>,
    day: Date,
) -> Option<Change> {
    let used = date(before.used_date.as_ref());
    let after = before.changed(scope, |milestone| settle(milestone, used, &portfolio.calendar, day));
    let mut announced = announcements(before, &after, day).into_iter();
    announced.next().map(|first| first.announcing(announced))
}
