//! The rows of resources: a row's value is the encoded message, the bytes of the event that put it.
//!
//! Invariants: an index row is there exactly if the resource's row says so, and only [`put`] writes either.
//! What cannot be decoded is damage, and named; no rule for requests is run on what is stored.

use std::collections::BTreeSet;

use bytes::Bytes;
use jiff::Timestamp;
use milepost_ledger::key::{Key, Parts};
use milepost_ledger::{Entry, Unusable, Write};
use milepost_proto::resource::Resource;
use milepost_proto::wire;
use milepost_types::{DamagedRow, LedgerKind, Rejection, ResourceId, ResourceName, quoted};

use crate::Name;
use crate::event::carried;
use crate::index::{By, Index, RowView};
use crate::rules::{Rows, Rules};

/// Stored bytes that this version cannot decode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Unreadable {
    what: String,
}

impl Unreadable {
    /// What is wrong with them.
    pub fn new(what: impl std::fmt::Display) -> Self {
        Self { what: what.to_string() }
    }

    /// The same, of a field.
    pub fn of(field: &str, what: impl std::fmt::Display) -> Self {
        Self { what: format!("{field}: {what}") }
    }
}

impl From<prost::DecodeError> for Unreadable {
    fn from(error: prost::DecodeError) -> Self {
        Self::new(error)
    }
}

/// The key of a resource: its table's tag, then its ids, with a zero between them.
pub(crate) fn key<D, R: Rules<D>>(name: &Name<R>) -> Vec<u8> {
    key_under::<D, R>(name.parent_ids()).id(name.id())
}

/// The key of the resource that a text names with all collections of its type. Its ids are not looked at: of a text that
/// is no name it may be a key that no row has.
pub(crate) fn key_named<D, R: Rules<D>>(name: &str) -> Option<Vec<u8>> {
    let (mut key, mut segments) = (Key::of(R::TABLE), name.split('/'));
    for (i, collection) in R::TYPE.collections.iter().enumerate() {
        if i > 0 {
            key = key.bytes(&[0]);
        }
        segments.next().filter(|segment| segment == collection)?;
        key = key.beginning(segments.next()?);
    }
    segments.next().is_none().then(|| key.done())
}

/// The beginning of the keys of what is under these ids.
pub(crate) fn key_under<D, R: Rules<D>>(ids: &[ResourceId]) -> Key {
    ids.iter().fold(Key::of(R::TABLE), Key::under)
}

/// The name in a key.
pub(crate) fn name<D, R: Rules<D>>(key: &[u8]) -> Option<Name<R>> {
    Name::of(ids(Parts::of(key, R::TABLE)?.rest())?)
}

/// The ids that end a key, with a zero between them.
pub(crate) fn ids(key: &[u8]) -> Option<Vec<ResourceId>> {
    key.split(|byte| *byte == 0).map(|id| ResourceId::stored(std::str::from_utf8(id).ok()?)).collect()
}

/// A row that was decoded.
pub(crate) struct Stored<R> {
    row: Bytes,
    /// The resource that it holds, as this version has it.
    pub(crate) resource: R,
    /// Whether an earlier version stored it otherwise.
    upgraded: bool,
}

/// Decodes a row.
pub(crate) fn decode<D, R: Rules<D>>(row: Bytes) -> Result<Stored<R>, Unreadable> {
    let mut resource = R::decode(row.clone())?;
    let upgraded = R::UPGRADE.map_or(Ok(false), |upgrade| upgrade(&mut resource))?;
    Ok(Stored { row, resource, upgraded })
}

/// The resource that a row holds, if this version can work with it.
pub(crate) fn read<D, R: Rules<D>>(row: Bytes) -> Result<R, Unreadable> {
    let resource = decode::<D, R>(row)?.resource;
    resource.check_stored()?;
    Ok(resource)
}

/// The numbers of these fields of a resource.
pub fn field_numbers<R: Resource>(names: &[&str]) -> Vec<u32> {
    let named = R::FIELDS.iter().filter(|field| names.contains(&field.name));
    named.map(|field| field.number).collect()
}

/// The resource in a row with the fields of these numbers alone: nothing else of it is decoded.
///
/// # Errors
/// If the row cannot be decoded as far as that.
pub fn read_fields<R: Resource>(row: &[u8], numbers: &[u32]) -> Result<R, Unreadable> {
    let (mut fields, mut kept) = (wire::fields(row), Vec::new());
    loop {
        let before = fields.rest();
        let Some(field) = fields.next() else { break };
        if numbers.contains(&field?.0) {
            kept.extend_from_slice(&before[..before.len() - fields.rest().len()]);
        }
    }
    Ok(R::decode(&kept[..])?)
}

/// The row of the resource with this name, as reads show it. One that is shown as it is stored is checked and not decoded: a
/// page has a thousand of them.
pub(crate) fn show<D, R: Rules<D>>(
    rows: &Rows<'_, D>,
    now: Timestamp,
    name: &Name<R>,
    row: Bytes,
) -> Result<Bytes, Rejection> {
    if R::SHOW.is_none() && R::UPGRADE.is_none() {
        wire::check(&row, R::FIELDS).map_err(|error| name.damaged(error))?;
        return Ok(row);
    }
    let stored = decode::<D, R>(row).map_err(|error| name.damaged(error))?;
    show_decoded(rows, now, name, stored)
}

/// The same of one that was decoded.
pub(crate) fn show_decoded<D, R: Rules<D>>(
    rows: &Rows<'_, D>,
    now: Timestamp,
    name: &Name<R>,
    Stored { row, mut resource, upgraded }: Stored<R>,
) -> Result<Bytes, Rejection> {
    let changed = R::SHOW.map_or(Ok(false), |show| show(rows, now, name, &mut resource))?;
    Ok(if changed || upgraded { resource.encode_to_vec().into() } else { row })
}

/// The row with this key that cannot be decoded.
pub(crate) fn damaged<D, R: Rules<D>>(key: &[u8], what: impl std::fmt::Display) -> DamagedRow {
    DamagedRow::new(R::TABLE_NAME, key, what)
}

/// Sets a resource's row, and brings its index rows from what the row before said to what this one says.
pub(crate) fn put<D, R: Rules<D>>(rows: &mut dyn Write, row: Bytes) -> Result<(), Unreadable> {
    let view = RowView::of(&row)?;
    let name = view.name::<R>()?;
    // Sorted: they may be many.
    let keys = |view: &RowView<'_>| view.keys::<D, R>(&name).map(BTreeSet::from_iter);
    let after: BTreeSet<_> = keys(&view)?;
    let key = key::<D, R>(&name);
    let held = rows.get(&key);
    let before = held.as_ref().map(|row| keys(&RowView::of(row)?)).transpose();
    let before = before.map_err(|error| Unreadable::new(damaged::<D, R>(&key, error)))?.unwrap_or_default();
    for gone in before.difference(&after) {
        rows.delete(gone);
    }
    for new in after.into_iter().filter(|key| !before.contains(key)) {
        rows.put(new, Bytes::new());
    }
    if let Some(put_besides) = R::PUT_BESIDES {
        put_besides(rows, held.as_deref(), &row)?;
    }
    rows.put(key, row);
    Ok(())
}

/// How the resources of one kind are put.
#[derive(Clone, Copy)]
pub struct Table {
    tag: u8,
    event_field: u32,
    check: fn(&Bytes) -> Result<(), Unreadable>,
    put: fn(&mut dyn Write, Bytes) -> Result<(), Unreadable>,
}

impl Table {
    /// The table of these resources.
    ///
    /// # Panics
    /// While it is compiled, if an index leaves out what a list that is ordered by it must have.
    pub const fn of<D, R: Rules<D>>() -> Self {
        let mut i = 0;
        while i < R::INDEXES.len() {
            let Index { live, when, orders, under, by, .. } = R::INDEXES[i];
            let mut part = 0;
            while part < by.len() {
                assert!(
                    !orders || !matches!(by[part], By::Path(_)),
                    "a list is ordered by what has one value"
                );
                part += 1;
            }
            let whole = !live && when.is_empty();
            assert!(whole || !orders, "a list cannot be ordered by an index that leaves out what it shows");
            assert!(under < R::TYPE.collections.len(), "an index is under ids of parents");
            i += 1;
        }
        let check = |row: &Bytes| Ok(R::decode(row.clone()).map(drop)?);
        Self { tag: R::TABLE, event_field: R::EVENT_FIELD, check, put: put::<D, R> }
    }

    /// The table of the resource that an event has in the field of this number.
    pub fn of_event(tables: &[Self], field: u32) -> Option<&Self> {
        tables.iter().find(|table| table.event_field == field)
    }

    /// Refuses a row that cannot be decoded; what rules say of it is for those who change it.
    ///
    /// # Errors
    /// Why it cannot be decoded.
    pub fn check(&self, row: &Bytes) -> Result<(), Unreadable> {
        (self.check)(row)
    }

    /// The tag of its rows.
    pub const fn tag(&self) -> u8 {
        self.tag
    }

    /// Sets a resource's row, and its index rows.
    ///
    /// # Errors
    /// If the row to be, or the one before, cannot be decoded.
    pub fn put(&self, rows: &mut dyn Write, row: Bytes) -> Result<(), Unreadable> {
        (self.put)(rows, row)
    }
}

/// Brings the rows from before an entry of this ledger to after it: each event's resource becomes its row.
///
/// The type of an event does not matter: a change of any kind is whole in its resource. An event of another
/// ledger is damage: it is not passed over.
///
/// # Errors
/// If an event cannot be read, or is not of this ledger.
pub fn apply(
    rows: &mut dyn Write,
    entry: &Entry,
    ledger: LedgerKind,
    tables: &[Table],
) -> Result<(), Unusable> {
    for (index, event) in entry.events.iter().enumerate() {
        let carried = carried(event).map_err(|error| Unusable::new(error).in_event(index))?;
        if carried.source != ledger.as_str().as_bytes() {
            let source = quoted(&String::from_utf8_lossy(carried.source));
            let what = format_args!("an event of {source}, not of the {ledger}");
            return Err(Unusable::new(what).in_event(index));
        }
        let Some((number, resource)) = carried.resource else { continue };
        if let Some(table) = Table::of_event(tables, number) {
            // A copy: a slice would keep the whole entry in memory for as long as the row.
            table
                .put(rows, Bytes::copy_from_slice(resource))
                .map_err(|error| Unusable::new(error).in_event(index))?;
        }
    }
    Ok(())
}
