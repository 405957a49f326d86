//! What a service says of a resource: its rules, its tables, what it is under.
//!
//! Invariant: rules are pure: they depend on the resource, on other rows and on the context of the decision,
//! and on nothing else.

use std::marker::PhantomData;

use bytes::Bytes;
use jiff::Timestamp;
use milepost_ledger::{Context, Direction, KeyRange, Read, Write};
use milepost_proto::resource::{Resource, TopLevel};
use milepost_service::access::Permit;
use milepost_types::{DamagedRow, NameError, Rejection, ResourceId, Violations};
use prost::Message;

use crate::index::{Index, RowView};
use crate::row::{self, Unreadable};
use crate::token::{self, TokenFormat};
use crate::{Change, Checked, EventKind, Name};

/// The rules of a resource in the service `D`. Those that are not given hold nothing.
///
/// The service is a parameter because messages are of another crate than their rules.
pub trait Rules<D>: Resource {
    /// What it is under, in the tables of the same store: [`Under`] a resource, or [`TopLevel`].
    type Above: Parent<D>;

    /// The tag of its rows. Persisted; never used again for something else.
    const TABLE: u8;
    /// The name of its table for operators: `registry.phases`.
    const TABLE_NAME: &'static str;
    /// What the ids begin with that the server makes.
    const ID_PREFIX: char;
    /// What else it can be found by.
    const INDEXES: &'static [Index] = &[];
    /// Whether what reads show of it needs other rows, perhaps many.
    const READS_OTHERS: bool = false;
    /// How its lists write their page tokens: callers hold them.
    const TOKENS: &'static dyn TokenFormat = &token::PLAIN;

    /// Finds what is wrong with one field of a request beyond its schema.
    fn check_field(&self, field: &str, violations: &mut Violations) {
        let _ = (field, violations);
    }

    /// Finds what is wrong between the parts of a field that was set.
    fn check_parts(&self, field: &str, violations: &mut Violations) {
        let _ = (field, violations);
    }

    /// Finds what is wrong between fields.
    fn check(&self, violations: &mut Violations) {
        let _ = violations;
    }

    /// Brings one that an earlier version stored to what this version stores; none: all versions stored the same.
    const UPGRADE: Option<Upgrade<Self>> = None;

    /// Refuses a stored one that this version cannot work with.
    fn check_stored(&self) -> Result<(), Unreadable> {
        Ok(())
    }

    /// Writes further rows derived from this one, besides its own and its index rows, from its row before, if there was
    /// one, and its row to be; none: there are none.
    const PUT_BESIDES: Option<PutBesides> = None;

    /// How reads show it where that is not its row; none: reads show its row as it is.
    const SHOW: Option<Show<D, Self>> = None;

    /// Sets the output fields of a new one.
    fn begin(&mut self) {}

    /// Refuses what other rows do not allow: a creation (there is none before), an update, or an undeletion.
    fn admit(
        scope: &Scope<'_, D>,
        before: Option<&Checked<Self>>,
        after: &Checked<Self>,
    ) -> Result<(), Rejection> {
        let _ = (scope, before, after);
        Ok(())
    }

    /// The same for those of one request to create several, which may refer to each other.
    fn admit_created(scope: &Scope<'_, D>, created: &[Created<Self>]) -> Result<(), Rejection> {
        created.iter().try_for_each(|created| Self::admit(scope, None, &created.resource))
    }

    /// Refuses a deletion that other rows do not allow.
    fn release(scope: &Scope<'_, D>, resource: &Checked<Self>) -> Result<(), Rejection> {
        let _ = (scope, resource);
        Ok(())
    }

    /// Sets the output fields that depend on what happens, or on other rows.
    fn complete(
        scope: &Scope<'_, D>,
        kind: &EventKind,
        name: &Name<Self>,
        before: Option<&Checked<Self>>,
        resource: &mut Self,
    ) -> Result<(), Rejection> {
        let _ = (scope, kind, name, before, resource);
        Ok(())
    }

    /// Adds to a change what its event says besides: a civil date, an announcement.
    fn describe(
        scope: &Scope<'_, D>,
        before: Option<&Checked<Self>>,
        after: &Checked<Self>,
        change: Change,
    ) -> Result<Change, Rejection> {
        let _ = (scope, before, after);
        Ok(change)
    }
}

/// Brings a resource that an earlier version stored to what this version stores; false if it was as it should be.
pub type Upgrade<R> = fn(&mut R) -> Result<bool, Unreadable>;

/// Makes a stored resource what reads show; false if nothing changes.
pub type Show<D, R> = fn(&Rows<'_, D>, Timestamp, &Name<R>, &mut R) -> Result<bool, Rejection>;

/// Puts rows beside those of a resource, from its row before, if there was one, and its row to be.
pub type PutBesides = fn(&mut dyn Write, Option<&[u8]>, &[u8]) -> Result<(), Unreadable>;

/// A resource that a request creates.
pub struct Created<R: Resource> {
    /// The field of the request that says it.
    pub field: String,
    /// As it is to be.
    pub resource: Checked<R>,
}

/// Rows of the service `D`, as resources.
pub struct Rows<'a, D> {
    /// As they are.
    pub read: &'a dyn Read,
    service: PhantomData<fn() -> D>,
}

impl<'a, D> Rows<'a, D> {
    /// These rows.
    pub fn new(read: &'a dyn Read) -> Self {
        Self { read, service: PhantomData }
    }

    /// The row of a resource, as it is stored.
    pub fn row<R: Rules<D>>(&self, name: &Name<R>) -> Option<Bytes> {
        self.read.get(&row::key::<D, R>(name))
    }

    /// The row of the resource that a text names, as it is stored. No name is made of the text: that would cost more than
    /// finding the row.
    ///
    /// # Errors
    /// If the text is no name.
    pub fn row_named<R: Rules<D>>(&self, name: &str) -> Result<Option<Bytes>, NameError> {
        match row::key_named::<D, R>(name).and_then(|key| self.read.get(&key)) {
            Some(row) => Ok(Some(row)),
            None => Ok(self.row::<R>(&name.parse()?)),
        }
    }

    /// The resource of this name, if there is one.
    ///
    /// # Errors
    /// If its row cannot be decoded; so with everything here that reads rows.
    pub fn get<R: Rules<D>>(&self, name: &Name<R>) -> Result<Option<Checked<R>>, DamagedRow> {
        self.row(name).map(|row| self.read(name, row)).transpose()
    }

    /// The resource of this name, whose row is this.
    pub fn read<R: Rules<D>>(&self, name: &Name<R>, row: Bytes) -> Result<Checked<R>, DamagedRow> {
        let resource = row::read::<D, R>(row).map_err(|error| name.damaged(error))?;
        Ok(Checked::stored(name.clone(), resource))
    }

    /// The names and rows of the resources under these ids, in the order of names, from the one after this on.
    pub fn under<R: Rules<D>>(
        &self,
        ids: &[ResourceId],
        after: Option<&Name<R>>,
    ) -> impl Iterator<Item = Result<(Name<R>, Bytes), DamagedRow>> + use<'a, R, D> {
        let after = after.map(|after| row::key::<D, R>(after));
        let range = KeyRange::prefix(&row::key_under::<D, R>(ids).done());
        let rows = self.read.scan(&range.beyond(after.as_deref(), Direction::Forward), Direction::Forward);
        rows.map(|(key, row)| {
            let name = row::name::<D, R>(&key);
            Ok((name.ok_or_else(|| row::damaged::<D, R>(&key, "its key is no name"))?, row))
        })
    }

    /// The resource of this name.
    ///
    /// # Errors
    /// If there is none.
    pub fn find<R: Rules<D>>(&self, name: &Name<R>) -> Result<Checked<R>, Rejection> {
        self.get(name)?.ok_or_else(|| Rejection::not_found(name))
    }

    /// Whether there is a resource of this name.
    pub fn presence<R: Rules<D>>(&self, name: &Name<R>) -> Result<Presence, DamagedRow> {
        let Some(row) = self.row(name) else { return Ok(Presence::Missing) };
        let view = RowView::of(&row).map_err(|error| name.damaged(error))?;
        Ok(view.presence::<R>())
    }

    /// Whether there is a resource of this name, and a field of it that is a message, without decoding the rest.
    pub fn field<R: Rules<D>, M: Message + Default>(
        &self,
        name: &Name<R>,
        field: &str,
    ) -> Result<(Presence, Option<M>), DamagedRow> {
        let Some(row) = self.row(name) else { return Ok((Presence::Missing, None)) };
        let read = |row: &[u8]| {
            let view = RowView::of(row)?;
            Ok((view.presence::<R>(), view.message::<R, M>(field)?))
        };
        read(&row).map_err(|error: Unreadable| name.damaged(error))
    }

    /// Whether there is a resource of this name, and the number in a field of it, of an enum too; 0 if it has none.
    pub fn number<R: Rules<D>>(&self, name: &Name<R>, field: &str) -> Result<(Presence, i32), DamagedRow> {
        let Some(row) = self.row(name) else { return Ok((Presence::Missing, 0)) };
        let view = RowView::of(&row).map_err(|error| name.damaged(error))?;
        Ok((view.presence::<R>(), view.number_of::<R>(field)))
    }

    /// The names of the resources under these ids whose keys in an index go on with these fields, in its order.
    pub fn names<R: Rules<D>>(
        &self,
        index: Index,
        ids: &[ResourceId],
        fields: &[u8],
    ) -> impl Iterator<Item = Name<R>> + use<'a, R, D> {
        let start = index.start(ids).bytes(fields).done();
        let keys = self.read.scan(&KeyRange::prefix(&start), Direction::Forward);
        keys.filter_map(move |(key, _)| Some(index.parts::<R>(&key)?.0))
    }

    /// The names of the resources under these ids whose keys in an index go on with these fields, and then with bytes up
    /// to `until`: the last first.
    pub fn names_from_last<R: Rules<D>>(
        &self,
        index: Index,
        ids: &[ResourceId],
        fields: &[u8],
        until: &[u8],
    ) -> impl Iterator<Item = Name<R>> + use<'a, R, D> {
        let start = index.start(ids).bytes(fields);
        let KeyRange { end, .. } = KeyRange::prefix(&start.clone().bytes(until).done());
        let keys = self.read.scan(&KeyRange { start: start.done(), end }, Direction::Backward);
        keys.filter_map(move |(key, _)| Some(index.parts::<R>(&key)?.0))
    }

    /// The names of the resources under these ids whose keys in an index go on with these bytes or more, in its order,
    /// each with what its key goes on with; if `beyond`, not with these bytes themselves.
    pub fn names_from<R: Rules<D>>(
        &self,
        index: Index,
        ids: &[ResourceId],
        from: &[u8],
        beyond: bool,
    ) -> impl Iterator<Item = (Bytes, Name<R>)> + use<'a, R, D> {
        let under = index.start(ids).done();
        let mut range = KeyRange::prefix(&under);
        range.start.extend_from_slice(from);
        range.start.extend(beyond.then_some(0));
        let keys = self.read.scan(&range, Direction::Forward);
        keys.filter_map(move |(key, _)| Some((key.slice(under.len()..), index.parts::<R>(&key)?.0)))
    }
}

/// What a decision of the service `D` depends on.
pub struct Scope<'a, D> {
    /// The service.
    pub service: &'a D,
    /// The rows before it.
    pub rows: Rows<'a, D>,
    /// Its time, its sequence, its seed.
    pub context: &'a Context,
    /// What the caller may do.
    pub permit: &'a Permit,
}

/// Whether something that is referred to is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// There is none.
    Missing,
    /// It is deleted.
    Deleted,
    /// It is there.
    Present,
}

/// What resources are under in the service `D`.
pub trait Parent<D> {
    /// Refuses to change what is under the resource with these ids, if it or what it is under is missing or
    /// deleted.
    ///
    /// # Errors
    /// What is missing or deleted, the highest first.
    fn check_open(rows: &Rows<'_, D>, ids: &[ResourceId]) -> Result<(), Rejection>;

    /// Refuses to read under the resource with these ids, if it or what it is under is missing. With fewer
    /// ids, those that are given must be there.
    ///
    /// # Errors
    /// What is missing, the highest first.
    fn check_there(rows: &Rows<'_, D>, ids: &[ResourceId]) -> Result<(), Rejection>;
}

impl<D> Parent<D> for TopLevel {
    fn check_open(_: &Rows<'_, D>, _: &[ResourceId]) -> Result<(), Rejection> {
        Ok(())
    }

    fn check_there(_: &Rows<'_, D>, _: &[ResourceId]) -> Result<(), Rejection> {
        Ok(())
    }
}

/// Under resources `R`.
#[derive(Debug, Clone, Copy)]
pub struct Under<R>(PhantomData<fn() -> R>);

impl<D, R: Rules<D>> Parent<D> for Under<R> {
    fn check_open(rows: &Rows<'_, D>, ids: &[ResourceId]) -> Result<(), Rejection> {
        let Some((id, above)) = ids.split_last() else { return Ok(()) };
        R::Above::check_open(rows, above)?;
        let name = Name::<R>::under(above, id.clone());
        match rows.presence(&name)? {
            Presence::Missing => Err(Rejection::not_found(&name)),
            Presence::Deleted => Err(Rejection::deleted(&name)),
            Presence::Present => Ok(()),
        }
    }

    fn check_there(rows: &Rows<'_, D>, ids: &[ResourceId]) -> Result<(), Rejection> {
        let depth = R::TYPE.collections.len();
        let Some((above, own)) = ids.split_at_checked(depth - 1) else {
            return R::Above::check_there(rows, ids);
        };
        R::Above::check_there(rows, above)?;
        let [id] = own else { return Ok(()) };
        let name = Name::<R>::under(above, id.clone());
        if rows.row(&name).is_none() { Err(Rejection::not_found(&name)) } else { Ok(()) }
    }
}
