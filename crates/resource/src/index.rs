//! What resources can be found and ordered by besides their names: index tables, whose rows have no value.
//!
//! A key is the table's tag, the first ids of the name, the fields of the index, and the other ids. Text ends
//! with a zero, numbers are big-endian, and a date is year, month, day: keys order as the fields do, from the
//! left. Keys are made from the encoded row, of which only these fields are read.

use milepost_ledger::key::{Key, Parts, ordered_date, ordered_instant};
use milepost_proto::google::r#type as gtype;
use milepost_proto::resource::{Field, Kind, Resource};
use milepost_proto::wire::{self, Value};
use milepost_types::ResourceId;
use milepost_types::filter::{Operand, Pattern};
use prost::Message;

use crate::row::Unreadable;
use crate::rules::{Presence, Rules};
use crate::{Name, value};

/// An index of resources.
#[derive(Debug, Clone, Copy)]
pub struct Index {
    /// The tag of its rows. Persisted; never used again for something else.
    pub tag: u8,
    /// The name of its table for operators.
    pub table_name: &'static str,
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
        let mut parts = Parts::of(key, self.tag)?;
        let mut ids = Vec::with_capacity(R::TYPE.collections.len());
        for _ in 0..self.under {
            ids.push(parts.parent()?);
        }
        let fields = parts.rest();
        for by in self.by {
            match width::<R>(*by) {
                Some(width) => _ = parts.bytes(width)?,
                None => _ = parts.text()?,
            }
        }
        let fields = &fields[..fields.len() - parts.rest().len()];
        while ids.len() + 1 < R::TYPE.collections.len() {
            ids.push(parts.parent()?);
        }
        ids.push(parts.id()?);
        Some((Name::of(ids)?, fields))
    }

    /// The fields of a row's key; none if it is not in the index.
    pub(crate) fn fields<R: Resource>(&self, row: &[u8]) -> Result<Option<Vec<u8>>, Unreadable> {
        let deleted = || Ok::<_, Unreadable>(presence::<R>(row)? == Presence::Deleted);
        if self.live && deleted()? {
            return Ok(None);
        }
        for when in self.when {
            let holds = match when {
                When::Is(name, number) => self::number(row, field::<R>(name))? == *number,
                When::Has(name) => last(row, field::<R>(name).number)?.is_some(),
            };
            if !holds {
                return Ok(None);
            }
        }
        let (mut fields, mut found) = (Vec::new(), true);
        for by in self.by {
            match by {
                By::Deleted => fields.push(u8::from(deleted()?)),
                By::Field(name) => found &= push(&mut fields, row, field::<R>(name))?,
                By::FirstDate(names) => push_first_date::<R>(&mut fields, row, names)?,
            }
        }
        Ok(found.then_some(fields))
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
    let field = R::FIELDS.iter().find(|field| field.name == name);
    field.unwrap_or_else(|| panic!("an index of {} names {name}, which is no field", R::TYPE.name))
}

/// How many bytes a part of a key has; none for text.
fn width<R: Resource>(by: By) -> Option<usize> {
    let name = match by {
        By::Field(name) => name,
        By::FirstDate(_) => return Some(4),
        By::Deleted => return Some(1),
    };
    match field::<R>(name).kind {
        Kind::Enum => Some(1),
        Kind::Int | Kind::Date => Some(4),
        Kind::Instant => Some(12),
        _ => None,
    }
}

/// The last value of a field in an encoded message.
fn last(row: &[u8], number: u32) -> Result<Option<Value<'_>>, Unreadable> {
    let mut last = None;
    for field in wire::fields(row) {
        let (found, value) = field?;
        if found == number {
            last = Some(value);
        }
    }
    Ok(last)
}

fn run(row: &[u8], number: u32) -> Result<&[u8], Unreadable> {
    Ok(match last(row, number)? {
        Some(Value::Run(run)) => run,
        _ => &[],
    })
}

fn text<'a>(row: &'a [u8], field: &Field) -> Result<&'a str, Unreadable> {
    std::str::from_utf8(run(row, field.number)?).map_err(|error| Unreadable::of(field.name, error))
}

fn number(row: &[u8], field: &Field) -> Result<i32, Unreadable> {
    Ok(match last(row, field.number)? {
        // A negative one takes all 64 bits on the wire.
        #[allow(clippy::cast_possible_truncation)]
        Some(Value::Number(number)) => (number as u32).cast_signed(),
        _ => 0,
    })
}

/// Whether a row is of a resource that is deleted.
pub(crate) fn presence<R: Resource>(row: &[u8]) -> Result<Presence, Unreadable> {
    let deleted = last(row, field::<R>("delete_time").number)?.is_some();
    Ok(if deleted { Presence::Deleted } else { Presence::Present })
}

/// Whether a row is of a resource that is deleted, and a field of it that is a message.
pub(crate) fn message<R: Resource, M: Message + Default>(
    row: &[u8],
    name: &str,
) -> Result<(Presence, Option<M>), Unreadable> {
    let presence = presence::<R>(row)?;
    match last(row, field::<R>(name).number)? {
        Some(Value::Run(run)) => Ok((presence, Some(M::decode(run)?))),
        _ => Ok((presence, None)),
    }
}

/// The name of a row's resource.
pub(crate) fn name<R: Resource>(row: &[u8]) -> Result<Name<R>, Unreadable> {
    let name = text(row, field::<R>("name"))?;
    name.parse().map_err(|error| Unreadable::of("name", error))
}

/// The index keys of the row of the resource with this name.
pub(crate) fn keys<D, R: Rules<D>>(name: &Name<R>, row: &[u8]) -> Result<Vec<Vec<u8>>, Unreadable> {
    let mut keys = Vec::with_capacity(R::INDEXES.len());
    for index in R::INDEXES {
        keys.extend(index.fields::<R>(row)?.map(|fields| index.key(name.ids(), &fields)));
    }
    Ok(keys)
}

fn push_first_date<R: Resource>(key: &mut Vec<u8>, row: &[u8], names: &[&str]) -> Result<(), Unreadable> {
    for name in names {
        let date = gtype::Date::decode(run(row, field::<R>(name).number)?)?;
        if let Some(date) = value::date(Some(&date)) {
            key.extend_from_slice(&ordered_date(date));
            return Ok(());
        }
    }
    key.extend_from_slice(&[0xff; 4]);
    Ok(())
}

/// Adds a field of a row to a key; false if it names no resource.
fn push(key: &mut Vec<u8>, row: &[u8], field: &Field) -> Result<bool, Unreadable> {
    let missing = || Unreadable::of(field.name, "is missing");
    match field.kind {
        Kind::Enum => key.push(enum_byte(number(row, field)?)),
        Kind::Int => key.extend_from_slice(&number(row, field)?.to_be_bytes()),
        Kind::Date => {
            let date = gtype::Date::decode(run(row, field.number)?)?;
            match value::date(Some(&date)) {
                Some(date) => key.extend_from_slice(&ordered_date(date)),
                None if field.required => return Err(missing()),
                None => key.extend_from_slice(&[0; 4]),
            }
        }
        Kind::Instant => {
            let given = last(row, field.number)?.ok_or_else(missing)?;
            let Value::Run(given) = given else { return Err(missing()) };
            let instant = prost_types::Timestamp::decode(given)?;
            let instant = value::instant(Some(&instant)).ok_or_else(missing)?;
            key.extend_from_slice(&ordered_instant(instant));
        }
        Kind::Text if field.reference.is_some() => {
            let name = text(row, field)?;
            let Some((_, id)) = name.rsplit_once('/') else { return Ok(false) };
            push_text(key, id);
        }
        _ => push_text(key, text(row, field)?),
    }
    Ok(true)
}

/// The bytes in a key of a field that has this value; none for values that keys do not tell.
pub(crate) fn equal<R: Resource>(name: &str, operand: &Operand) -> Option<Vec<u8>> {
    let field = field::<R>(name);
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
