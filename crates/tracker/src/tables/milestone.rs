//! Table 1: milestones by name.
//!
//! Key: see [`super`]. Value: the encoded `tracker.v1.Milestone`, byte for byte as in the last event
//! that speaks of it. Put by every `milepost.milestone.*` event; never deleted.
//! Invariant: whoever puts a row here keeps `due` and `baseline` in step.

use bytes::Bytes;
use milepost_ledger::key::Key;
use milepost_ledger::{KeyRange, Read, Write};
use milepost_types::{MilestoneName, ProjectPattern};

use super::key;
use super::{Table, baseline, due};
use crate::convert::milestone::{Glance, from_stored};
use crate::milestone::Milestone;

/// The milestone with this name.
///
/// # Panics
/// If the row cannot be read: then the store is not what this version made of the journal.
pub(crate) fn get(rows: &dyn Read, name: &MilestoneName) -> Option<Milestone> {
    get_at(rows, &key::of_milestone(Table::Milestone, name))
}

/// The milestone at this key; panics as [`get`].
pub(crate) fn get_at(rows: &dyn Read, key: &[u8]) -> Option<Milestone> {
    rows.get(key).map(|value| read(&value))
}

/// The milestone that a row holds; panics as [`get`].
pub(crate) fn read(value: &Bytes) -> Milestone {
    match from_stored(value) {
        Ok(milestone) => milestone,
        Err(error) => panic!("a milestone's row cannot be read: {error}"),
    }
}

/// Whether the milestone with this name is deleted; `None` if there is none.
pub(crate) fn is_deleted(rows: &dyn Read, name: &MilestoneName) -> Option<bool> {
    rows.get(&key::of_milestone(Table::Milestone, name)).map(|value| Glance::at(&value).is_deleted())
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
pub(crate) fn put(rows: &mut dyn Write, name: &MilestoneName, value: &Bytes) {
    let key = key::of_milestone(Table::Milestone, name);
    let after = Glance::at(value);
    let before = rows.get(&key).map(|value| Glance::at(&value));
    due::keep(rows, &key, before.as_ref(), &after);
    baseline::keep(rows, &key, before.as_ref(), &after);
    // A copy: a slice would keep the whole entry in memory.
    rows.put(key, Bytes::copy_from_slice(value));
}
