//! The tables of the registry's store, on one page.
//!
//! A key begins with its table's tag; ids are ASCII without a zero, so a zero byte ends what is not last
//! and keys order as names do. Numbers are big-endian, signed ones with the sign bit flipped. The value
//! of a resource's row is its encoded public message, the bytes of the event that put it; what else can be
//! found by it stands in index tables without values, whose keys end with the resource's id.
//!
//! Invariant: an index row is there exactly if the resource's row says so; only `put` in the resource's
//! module writes either. Changing a layout means a new [`STORE_VERSION`]: stores are rebuilt.
//!
//! | table | tag | key after the tag | value |
//! |---|---|---|---|
//! | portfolios | 1 | portfolio | `registry.v1.Portfolio` |
//! | organizations | 2 | organization | `registry.v1.Organization` |
//! | projects | 3 | portfolio 0 project | `registry.v1.Project` |
//! | phases | 4 | portfolio 0 project 0 phase | `registry.v1.Phase` |
//! | batches | 5 | portfolio 0 batch | `registry.v1.Batch` |
//! | portfolios by display name | 16 | display name 0 portfolio | – |
//! | organizations by display name | 17 | display name 0 organization | – |
//! | projects by display name | 18 | portfolio 0 display name 0 project | – |
//! | none any more (projects by minute of update) | 19 | | |
//! | projects by status, not deleted | 20 | portfolio 0 status (u8) project | – |
//! | parts by parent, not deleted | 21 | portfolio 0 parent 0 project | – |
//! | phases by order | 22 | portfolio 0 project 0 order (u32) deleted (u8) phase | – |
//! | batches by start date | 23 | portfolio 0 year (u16) month (u8) day (u8) batch | – |
//! | projects by time of update | 24 | portfolio 0 seconds (i64) nanoseconds (u32) project | – |
//! | phases by order across projects | 25 | portfolio 0 order (u32) deleted (u8) project 0 phase | – |

pub(crate) mod batches;
pub(crate) mod batches_by_start_date;
pub(crate) mod organizations;
pub(crate) mod organizations_by_display_name;
pub(crate) mod parts;
pub(crate) mod phases;
pub(crate) mod phases_by_order;
pub(crate) mod phases_by_order_across;
pub(crate) mod portfolios;
pub(crate) mod portfolios_by_display_name;
pub(crate) mod projects;
pub(crate) mod projects_by_display_name;
pub(crate) mod projects_by_status;
pub(crate) mod projects_by_update_time;

#[cfg(test)]
mod tests;

use bytes::Bytes;
use milepost_ledger::{Read, Write};
use milepost_types::{DamagedRow, Rejection, ResourceName};
use prost::Message;

use crate::convert::request::Resource;
use crate::convert::{Unreadable, value};

/// Raised when a table or `apply` changes: stores of another version are rebuilt.
pub(crate) const STORE_VERSION: u32 = 2;

/// The first byte of every key. Persisted; a tag is never used again for something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Tag {
    Portfolios = 1,
    Organizations = 2,
    Projects = 3,
    Phases = 4,
    Batches = 5,
    PortfoliosByDisplayName = 16,
    OrganizationsByDisplayName = 17,
    ProjectsByDisplayName = 18,
    ProjectsByStatus = 20,
    Parts = 21,
    PhasesByOrder = 22,
    BatchesByStartDate = 23,
    ProjectsByUpdateTime = 24,
    PhasesByOrderAcross = 25,
}

impl Tag {
    /// The table's name for operators, after the ledger that it belongs to.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Tag::Portfolios => "registry.portfolios",
            Tag::Organizations => "registry.organizations",
            Tag::Projects => "registry.projects",
            Tag::Phases => "registry.phases",
            Tag::Batches => "registry.batches",
            Tag::PortfoliosByDisplayName => "registry.portfolios_by_display_name",
            Tag::OrganizationsByDisplayName => "registry.organizations_by_display_name",
            Tag::ProjectsByDisplayName => "registry.projects_by_display_name",
            Tag::ProjectsByStatus => "registry.projects_by_status",
            Tag::Parts => "registry.parts",
            Tag::PhasesByOrder => "registry.phases_by_order",
            Tag::BatchesByStartDate => "registry.batches_by_start_date",
            Tag::ProjectsByUpdateTime => "registry.projects_by_update_time",
            Tag::PhasesByOrderAcross => "registry.phases_by_order_across",
        }
    }

    /// The row of this table that cannot be decoded.
    pub(crate) fn damaged(self, key: &[u8], what: impl std::fmt::Display) -> DamagedRow {
        DamagedRow::new(self.name(), key, what)
    }
}

impl From<Tag> for u8 {
    fn from(tag: Tag) -> u8 {
        tag as u8
    }
}

/// The row of a key, decoded to its message or to the part of it that `M` names; `None` if there is none.
fn decoded<M: Message + Default>(rows: &dyn Read, table: Tag, key: &[u8]) -> Result<Option<M>, DamagedRow> {
    read(rows, table, key, |message| Ok(message))
}

/// Whether the resource of a key is deleted; `None` if there is none.
pub(crate) fn is_deleted<M: Resource>(rows: &dyn Read, key: &[u8]) -> Result<Option<bool>, DamagedRow> {
    Ok(decoded::<M>(rows, M::TABLE, key)?.map(|message| message.is_deleted()))
}

/// The row of a key as `convert` reads its message; `None` if there is none.
fn read<M: Message + Default, T>(
    rows: &dyn Read,
    table: Tag,
    key: &[u8],
    convert: impl FnOnce(M) -> Result<T, Unreadable>,
) -> Result<Option<T>, DamagedRow> {
    let Some(row) = rows.get(key) else { return Ok(None) };
    let read = M::decode(row).map_err(Unreadable::from).and_then(convert);
    read.map(Some).map_err(|error| table.damaged(key, error))
}

/// The part that an index asks of a resource which is to be put, and the resource's name.
fn head<M: Message + Default, N: ResourceName>(
    row: &Bytes,
    name: impl FnOnce(&M) -> &str,
) -> Result<(M, N), Unreadable> {
    let head = M::decode(row.clone())?;
    let name = value::stored_name("name", name(&head))?;
    Ok((head, name))
}

/// The resource's row of this key, as a read tells it.
///
/// # Errors
/// If what it tells cannot be computed.
pub(crate) fn told(rows: &dyn Read, key: &[u8]) -> Result<Option<Bytes>, Rejection> {
    if key.first() == Some(&Tag::Batches.into()) { batches::told_row(rows, key) } else { Ok(rows.get(key)) }
}

/// Puts a resource's row, and brings its index rows from what the row before said to what this one says.
fn put(rows: &mut dyn Write, key: Vec<u8>, row: Bytes, before: Vec<Vec<u8>>, after: Vec<Vec<u8>>) {
    for gone in before.iter().filter(|key| !after.contains(key)) {
        rows.delete(gone);
    }
    for new in after.into_iter().filter(|key| !before.contains(key)) {
        rows.put(new, Bytes::new());
    }
    rows.put(key, row);
}

impl From<DamagedRow> for Unreadable {
    fn from(row: DamagedRow) -> Self {
        Unreadable::new(row)
    }
}
