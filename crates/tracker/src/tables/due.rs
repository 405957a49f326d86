//! Table 2: milestones of a portfolio by due date; those without one come last.
//!
//! Key: see [`super`]. Value: nothing. Kept in step with the milestone's own row.
//! Invariant: exactly one row a milestone, whatever its state: lists order by it, and the daily sweep scans it.

use bytes::Bytes;
use jiff::civil::Date;
use milepost_ledger::key::Key;
use milepost_ledger::{KeyRange, Write};
use milepost_types::PortfolioName;

use super::Table;
use super::key;
use crate::convert::milestone::MilestoneView;

/// The rows of a portfolio.
pub(crate) fn range(portfolio: &PortfolioName) -> KeyRange {
    KeyRange::prefix(&Key::of(Table::Due).under(portfolio.id()).done())
}

/// The rows of a portfolio that are due on a day.
pub(crate) fn range_on(portfolio: &PortfolioName, date: Date) -> KeyRange {
    KeyRange::prefix(&Key::of(Table::Due).under(portfolio.id()).bytes(&key::day(Some(date))).done())
}

/// Moves the row of the milestone with this key, if its due date moved.
pub(super) fn keep(
    rows: &mut dyn Write,
    milestone_key: &[u8],
    before: Option<&MilestoneView>,
    after: &MilestoneView,
) {
    if before.is_some_and(|before| before.due() == after.due()) {
        return;
    }
    if let Some(before) = before {
        rows.delete(&key::of_index(Table::Due, milestone_key, before.due()));
    }
    rows.put(key::of_index(Table::Due, milestone_key, after.due()), Bytes::new());
}
