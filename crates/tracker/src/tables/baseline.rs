//! Table 3: planned milestones of a portfolio by baseline date.
//!
//! Key: see [`super`]. Value: nothing. Kept in step with the milestone's own row.
//! Invariant: one row for each milestone that is PLANNED, has a baseline and is not deleted: the day
//! after its baseline is when one with a later forecast becomes late. A new forecast touches nothing here.

use bytes::Bytes;
use jiff::civil::Date;
use milepost_ledger::key::Key;
use milepost_ledger::{KeyRange, Write};
use milepost_types::PortfolioName;

use super::Table;
use super::key;
use crate::convert::milestone::MilestoneView;

/// The rows of a portfolio with this baseline.
pub(crate) fn range_on(portfolio: &PortfolioName, date: Date) -> KeyRange {
    KeyRange::prefix(&Key::of(Table::Baseline).under(portfolio.id()).bytes(&key::day(Some(date))).done())
}

/// Sets, moves or removes the row of the milestone with this key.
pub(super) fn keep(
    rows: &mut dyn Write,
    milestone_key: &[u8],
    before: Option<&MilestoneView>,
    after: &MilestoneView,
) {
    let indexed = |view_of: &MilestoneView| view_of.baseline().filter(|_| view_of.is_planned());
    let (before, after) = (before.and_then(indexed), indexed(after));
    if before == after {
        return;
    }
    if before.is_some() {
        rows.delete(&key::of_index(Table::Baseline, milestone_key, before));
    }
    if after.is_some() {
        rows.put(key::of_index(Table::Baseline, milestone_key, after), Bytes::new());
    }
}
