//! What resources can be found and ordered by besides their names: index tables, whose rows have no value.
//!
//! A key is the table's tag, the first ids of the name, the fields of the index, and the other ids. Text ends
//! with a zero, numbers are big-endian, and a date is year, month, day: keys order as the fields do, from the
//! left. Keys are made from the encoded row, which is walked over and not decoded. By a path, a resource may have many keys
//! in one index, one for each value: those of a list of ten thousand names.

use std::collections::BTreeSet;

use milepost_ledger::key::{Key, Parts, ordered_date, ordered_instant};
use milepost_proto::google::r#type as gtype;
use milepost_proto::resource::{Field, Kind, Resource};
use milepost_proto::wire::{self, Value};
use milepost_types::ResourceId;
use milepost_types::filter::{Operand, Pattern};
use prost::Message;

use crate::row::{self, Unreadable};
use crate::rules::{Presence, Rules};
use crate::{Name, value};

/// An index of resources.
#[derive(Debug, Clone, Copy)]
pub struct Index {
    /// The tag of its rows. Persisted; never used again for something else.
    pub tag: u8,
    /// How many ids of the name come before the fields: what is under one parent stands together.
    pub under: usize,
    /// The fields.
    pub by: &'static [By],
    /// Whether it leaves out what is deleted.
    pub live: bool,
    /// What else must be so for one to be in it.
    pub when: &'static [When],
    /// Whether lists can be ordered by its first field.
    pub orders: bool,
}

/// A part of an index key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The field of this name. What names no resource in a field that may name one is not in the index.
    Field(&'static str),
    /// The first date that is there of the fields of these names; what has none comes after all dates.
    FirstDate(&'static [&'static str]),
    /// The field at the end of this path through messages and lists, from the outside. A resource with several values
    /// there has a key for each of them, and one without any has none.
    Path(&'static [&'static str]),
    /// Whether it is deleted: what is comes after what is not.
    Deleted,
}

/// A condition for being in an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The enum field of this name has this number.
    Is(&'static str, i32),
    /// The message field of this name is there.
    Has(&'static str),
}

impl Index {
    /// The name of the first field.
    pub(crate) fn first(&self) -> &'static str {
        match self.by.first() {
            Some(By::Field(name) | By::FirstDate([name, ..])) => name,
            _ => "",
        }
    }

    /// The beginning of the keys under these ids.
    pub(crate) fn start(&self, ids: &[ResourceId]) -> Key {
        ids.iter().fold(Key::of(self.tag), Key::under)
    }

    /// The key of the resource with these ids and these fields.
    pub(crate) fn key(&self, ids: &[ResourceId], fields: &[u8]) -> Vec<u8> {
        let (before, after) = ids.split_at(self.under.min(ids.len()));
        let key = self.start(before).bytes(fields);
        match after.split_last() {
            Some((id, above)) => above.iter().fold(key, Key::under).id(id),
            None => key.done(),
        }
    }

    /// The name and the fields in a key.
    pub(crate) fn parts<'a, R: Resource>(&self, key: &'a [u8]) -> Option<(Name<R>, &'a [u8])> {
        let [above, fields, below] = self.split::<R>(key)?;
        Some((Name::of(row::ids(&[above, below].concat())?)?, fields))
    }

    /// The key of the row that a key leads to, and the fields in the latter. No name is made: a list goes through thousands
    /// of keys.
    pub(crate) fn row_key<'a, D, R: Rules<D>>(&self, key: &'a [u8]) -> Option<(Vec<u8>, &'a [u8])> {
        let [above, fields, below] = self.split::<R>(key)?;
        Some(([&[R::TABLE][..], above, below].concat(), fields))
    }

    /// The ids before the fields, each with its zero, the fields, and the other ids.
    fn split<'a, R: Resource>(&self, key: &'a [u8]) -> Option<[&'a [u8]; 3]> {
        let mut parts = Parts::of(key, self.tag)?;
        let ids = parts.rest();
        for _ in 0..self.under {
            parts.text()?;
        }
        let fields = parts.rest();
        for by in self.by {
            match width::<R>(*by) {
                Some(width) => _ = parts.bytes(width)?,
                None => _ = parts.text()?,
            }
        }
        let below = parts.rest();
        Some([&ids[..ids.len() - fields.len()], &fields[..fields.len() - below.len()], below])
    }

    /// The fields of a row's keys: of one, but for paths; none if it is not in the index.
    pub(crate) fn fields<R: Resource>(&self, row: &RowView<'_>) -> Result<Vec<Vec<u8>>, Unreadable> {
        let deleted = row.presence::<R>() == Presence::Deleted;
        let holds = |when: &When| match when {
            When::Is(name, number) => row.number(field::<R>(name)) == *number,
            When::Has(name) => row.last(field::<R>(name)).is_some(),
        };
        if self.live && deleted || !self.when.iter().all(holds) {
            return Ok(Vec::new());
        }
        let mut keys = vec![Vec::new()];
        for by in self.by {
            let mut parts = BTreeSet::new();
            match by {
                By::Path(path) => values_at(row, R::FIELDS, path, &mut parts)?,
                by => parts.extend(single::<R>(*by, row, deleted)?),
            }
            let longer = keys.iter().flat_map(|key| parts.iter().map(move |part| [&key[..], part].concat()));
            keys = longer.collect();
        }
        Ok(keys)
    }

    /// What lists order by, of the fields in a key: without the zero that ends text.
    pub(crate) fn order<R: Resource>(&self, fields: &[u8]) -> Vec<u8> {
        fields[..fields.len() - usize::from(self.ends_with_text::<R>())].to_vec()
    }

    /// Whether the fields end with text, which a zero follows.
    pub(crate) fn ends_with_text<R: Resource>(&self) -> bool {
        self.by.last().is_some_and(|by| width::<R>(*by).is_none())
    }
}

/// The field of this name.
fn field<R: Resource>(name: &str) -> &'static Field {
    named(R::FIELDS, name)
}

/// The field of this name among these.
fn named(fields: &'static [Field], name: &str) -> &'static Field {
    let field = fields.iter().find(|field| field.name == name);
    field.unwrap_or_else(|| panic!("an index names {name}, which is no field"))
}

/// The field at the end of a path.
pub(crate) fn field_at<R: Resource>(path: &[&str]) -> &'static Field {
    let (last, above) = path.split_last().unwrap_or_else(|| panic!("a path of an index names a field"));
    named(above.iter().fold(R::FIELDS, |fields, name| named(fields, name).fields), last)
}

/// How many bytes a part of a key has; none for text.
fn width<R: Resource>(by: By) -> Option<usize> {
    let field = match by {
        By::Field(name) => field::<R>(name),
        By::Path(path) => field_at::<R>(path),
        By::FirstDate(_) => return Some(4),
        By::Deleted => return Some(1),
    };
    match field.kind {
        Kind::Enum => Some(1),
        Kind::Int | Kind::Date => Some(4),
        Kind::Instant => Some(12),
        _ => None,
    }
}

/// An encoded resource, walked over once: of most rows a few fields are all that is asked for.
pub(crate) struct RowView<'a>(Vec<(u32, Value<'a>)>);

impl<'a> RowView<'a> {
    /// Of this row.
    pub(crate) fn of(row: &'a [u8]) -> Result<Self, Unreadable> {
        // As many as most resources have.
        let mut fields = Vec::with_capacity(32);
        for field in wire::fields(row) {
            fields.push(field?);
        }
        Ok(Self(fields))
    }

    /// The last value of a field.
    fn last(&self, field: &Field) -> Option<Value<'a>> {
        self.0.iter().rev().find(|(number, _)| *number == field.number).map(|(_, value)| *value)
    }

    fn run(&self, field: &Field) -> &'a [u8] {
        match self.last(field) {
            Some(Value::Run(run)) => run,
            _ => &[],
        }
    }

    fn text(&self, field: &Field) -> Result<&'a str, Unreadable> {
        std::str::from_utf8(self.run(field)).map_err(|error| Unreadable::of(field.name, error))
    }

    fn number(&self, field: &Field) -> i32 {
        match self.last(field) {
            // A negative one takes all 64 bits on the wire.
            #[allow(clippy::cast_possible_truncation)]
            Some(Value::Number(number)) => (number as u32).cast_signed(),
            _ => 0,
        }
    }

    /// Whether the resource is deleted.
    pub(crate) fn presence<R: Resource>(&self) -> Presence {
        let deleted = self.last(field::<R>("delete_time")).is_some();
        if deleted { Presence::Deleted } else { Presence::Present }
    }

    /// A field that is a number.
    pub(crate) fn number_of<R: Resource>(&self, name: &str) -> i32 {
        self.number(field::<R>(name))
    }

    /// A field that is a message.
    pub(crate) fn message<R: Resource, M: Message + Default>(
        &self,
        name: &str,
    ) -> Result<Option<M>, Unreadable> {
        match self.last(field::<R>(name)) {
            Some(Value::Run(run)) => Ok(Some(M::decode(run)?)),
            _ => Ok(None),
        }
    }

    /// The resource's name.
    pub(crate) fn name<R: Resource>(&self) -> Result<Name<R>, Unreadable> {
        let name = self.text(field::<R>("name"))?;
        name.parse().map_err(|error| Unreadable::of("name", error))
    }

    /// The index keys of the resource, which has this name.
    pub(crate) fn keys<D, R: Rules<D>>(&self, name: &Name<R>) -> Result<Vec<Vec<u8>>, Unreadable> {
        let mut keys = Vec::with_capacity(R::INDEXES.len());
        for index in R::INDEXES {
            keys.extend(index.fields::<R>(self)?.iter().map(|fields| index.key(name.ids(), fields)));
        }
        Ok(keys)
    }
}

/// The part of a key that is no path; none if the resource is not in the index.
fn single<R: Resource>(by: By, row: &RowView<'_>, deleted: bool) -> Result<Option<Vec<u8>>, Unreadable> {
    let mut part = Vec::new();
    let is_in = match by {
        By::Deleted => {
            part.push(u8::from(deleted));
            true
        }
        By::Field(name) => push(&mut part, row, field::<R>(name))?,
        By::FirstDate(names) => {
            push_first_date::<R>(&mut part, row, names)?;
            true
        }
        By::Path(_) => false,
    };
    Ok(is_in.then_some(part))
}

/// Adds what the values at the end of a path are in keys, each once.
fn values_at(
    row: &RowView<'_>,
    fields: &'static [Field],
    path: &[&str],
    found: &mut BTreeSet<Vec<u8>>,
) -> Result<(), Unreadable> {
    let Some((name, rest)) = path.split_first() else { return Ok(()) };
    let field = named(fields, name);
    for (_, value) in row.0.iter().filter(|(number, _)| *number == field.number) {
        match value {
            Value::Run(run) if !rest.is_empty() => values_at(&RowView::of(run)?, field.fields, rest, found)?,
            value => {
                let mut part = Vec::new();
                if push(&mut part, &RowView(vec![(field.number, *value)]), field)? {
                    found.insert(part);
                }
            }
        }
    }
    Ok(())
}

fn push_first_date<R: Resource>(
    key: &mut Vec<u8>,
    row: &RowView<'_>,
    names: &[&str],
) -> Result<(), Unreadable> {
    for name in names {
        let date = gtype::Date::decode(row.run(field::<R>(name)))?;
        if let Some(date) = value::date(Some(&date)) {
            key.extend_from_slice(&ordered_date(date));
            return Ok(());
        }
    }
    key.extend_from_slice(&[0xff; 4]);
    Ok(())
}

/// Adds a field of a row to a key; false if it names no resource.
fn push(key: &mut Vec<u8>, row: &RowView<'_>, field: &Field) -> Result<bool, Unreadable> {
    let missing = || Unreadable::of(field.name, "is missing");
    match field.kind {
        Kind::Enum => key.push(enum_byte(row.number(field))),
        Kind::Int => key.extend_from_slice(&row.number(field).to_be_bytes()),
        Kind::Date => {
            let date = gtype::Date::decode(row.run(field))?;
            match value::date(Some(&date)) {
                Some(date) => key.extend_from_slice(&ordered_date(date)),
                None if field.required => return Err(missing()),
                None => key.extend_from_slice(&[0; 4]),
            }
        }
        Kind::Instant => {
            let given = row.last(field).ok_or_else(missing)?;
            let Value::Run(given) = given else { return Err(missing()) };
            let instant = prost_types::Timestamp::decode(given)?;
            let instant = value::instant(Some(&instant)).ok_or_else(missing)?;
            key.extend_from_slice(&ordered_instant(instant));
        }
        Kind::Text if field.reference.is_some() => {
            let name = row.text(field)?;
            let Some((_, id)) = name.rsplit_once('/') else { return Ok(false) };
            push_text(key, id);
        }
        _ => push_text(key, row.text(field)?),
    }
    Ok(true)
}

/// The bytes in a key of a field that has this value; none for values that keys do not tell.
pub(crate) fn equal(field: &Field, operand: &Operand) -> Option<Vec<u8>> {
    let mut key = Vec::new();
    match (field.kind, operand) {
        (Kind::Enum, Operand::Enum(name)) => {
            let at = field.names.iter().position(|known| known == name)?;
            key.push(enum_byte(field.numbers[at]));
        }
        (Kind::Date, Operand::Date(date)) => key.extend_from_slice(&ordered_date(*date)),
        (Kind::Text, Operand::Text(Pattern::Whole(name))) if field.reference.is_some() => {
            push_text(&mut key, name.rsplit_once('/')?.1);
        }
        (Kind::Text, Operand::Text(Pattern::Whole(text))) => push_text(&mut key, text),
        _ => return None,
    }
    Some(key)
}

fn push_text(key: &mut Vec<u8>, text: &str) {
    key.extend_from_slice(text.as_bytes());
    key.push(0);
}

fn enum_byte(number: i32) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}
