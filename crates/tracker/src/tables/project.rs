//! Table 5: what is kept of each project of the registry.
//!
//! Key: see [`super`]. Value: the encoded `event.v1.FollowedProject`, as in the event that took it over. Put
//! by `milepost.source.followed`; dropped when the registry is followed anew.

use bytes::Bytes;
use milepost_ledger::key::Key;
use milepost_ledger::{Direction, KeyRange, Read, Write};
use milepost_types::{DamagedRow, ResourceId};

use super::Table;
use super::key;
use crate::convert::mirror;
use crate::names::ProjectName;

/// Whether the project with these ids is deleted; none if it is not known.
///
/// # Errors
/// If the row cannot be decoded.
pub(crate) fn is_deleted(rows: &dyn Read, ids: &[ResourceId]) -> Result<Option<bool>, DamagedRow> {
    let key = key::of(Table::Project, ids);
    let deleted = rows.get(&key).map(|value| mirror::project_is_deleted(&value)).transpose();
    deleted.map_err(|error| Table::Project.damaged(&key, error))
}

/// Sets what is kept of a project.
pub(crate) fn put(rows: &mut dyn Write, name: &ProjectName, value: Bytes) {
    rows.put(key::of_project(Table::Project, name), value);
}

/// Drops what is kept of all projects.
pub(crate) fn clear(rows: &mut dyn Write) {
    let range = KeyRange::prefix(&Key::of(Table::Project).done());
    let keys: Vec<_> = rows.scan(&range, Direction::Forward).map(|(key, _)| key).collect();
    keys.iter().for_each(|key| rows.delete(key));
}
