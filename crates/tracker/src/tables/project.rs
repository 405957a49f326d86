//! Table 5: what is kept of each project of the registry.
//!
//! Key: see [`super`]. Value: the encoded `event.v1.FollowedProject`, as in the event that told of it. Put
//! by `milepost.source.followed`; dropped when the registry is followed anew.

use bytes::Bytes;
use milepost_ledger::key::Key;
use milepost_ledger::{Direction, KeyRange, Read, Write};
use milepost_types::ProjectName;

use super::Table;
use super::key;
use crate::convert::facts;

/// Whether a project is deleted; none if it is not known.
///
/// # Panics
/// If the row cannot be read: then the store is not what this version made of the journal.
pub(crate) fn is_deleted(rows: &dyn Read, name: &ProjectName) -> Option<bool> {
    let value = rows.get(&key::of_project(Table::Project, name))?;
    Some(facts::project_is_deleted(&value).expect("a project's row can be read"))
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
