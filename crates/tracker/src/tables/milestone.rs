//! Table 1: milestones by name.
//!
//! Key: see [`super`]. Value: the encoded `tracker.v1.Milestone`, byte for byte as in the last event
//! that speaks of it. Put by every `milepost.milestone.*` event; never deleted.
//! Invariant: whoever puts a row here keeps `due` and `baseline` in step.

use bytes::Bytes;
use milepost_ledger::key::Key;
use milepost_ledger::{KeyRange, Read, Write};
use milepost_types::{DamagedRow, MilestoneName, ProjectPattern};

use super::key;
use super::{Table, baseline, due};
use crate::convert::Unreadable;
use crate::convert::milestone::{MilestoneView, from_stored};
use crate::milestone::Milestone;

/// The milestone with this name.
///
/// # Errors
/// If the row cannot be decoded; so with everything here that reads rows.
pub(crate) fn get(rows: &dyn Read, name: &MilestoneName) -> Result<Option<Milestone>, DamagedRow> {
    let key = key::of_milestone(Table::Milestone, name);
    rows.get(&key).map(|value| read(&key, &value)).transpose()
}

/// The milestone that the row of this key holds.
pub(crate) fn read(key: &[u8], value: &Bytes) -> Result<Milestone, DamagedRow> {
    from_stored(value).map_err(|error| Table::Milestone.damaged(key, error))
}

/// What the row of this key shows.
pub(crate) fn view_of(key: &[u8], value: &Bytes) -> Result<MilestoneView, DamagedRow> {
    MilestoneView::at(value).map_err(|error| Table::Milestone.damaged(key, error))
}

/// Whether the milestone with this name is deleted; `None` if there is none.
pub(crate) fn is_deleted(rows: &dyn Read, name: &MilestoneName) -> Result<Option<bool>, DamagedRow> {
    let key = key::of_milestone(Table::Milestone, name);
    let view_of = rows.get(&key).map(|value| view_of(&key, &value)).transpose()?;
    Ok(view_of.map(|view_of| view_of.is_deleted()))
}

/// The keys of the milestones under a parent.
pub(crate) fn range(parent: &ProjectPattern) -> KeyRange {
    let key = Key::of(Table::Milestone);
    let key = match parent {
        ProjectPattern::One(project) => key.under(project.portfolio().id()).under(project.id()),
        ProjectPattern::InPortfolio(portfolio) => key.under(portfolio.id()),
        ProjectPattern::All => key,
    };
    KeyRange::prefix(&key.done())
}

/// Sets a milestone's row, and its rows in the indexes.
///
/// # Errors
/// If the row to be, or the one before, cannot be decoded.
pub(crate) fn put(rows: &mut dyn Write, name: &MilestoneName, value: &Bytes) -> Result<(), Unreadable> {
    let key = key::of_milestone(Table::Milestone, name);
    let after = MilestoneView::at(value)?;
    let before = rows.get(&key).map(|value| view_of(&key, &value)).transpose().map_err(Unreadable::new)?;
    due::keep(rows, &key, before.as_ref(), &after);
    baseline::keep(rows, &key, before.as_ref(), &after);
    // A copy: a slice would keep the whole entry in memory.
    rows.put(key, Bytes::copy_from_slice(value));
    Ok(())
}
