//! The batches: key `portfolio 0 batch`, value the encoded `Batch`. Changed in place.

use bytes::Bytes;
use milepost_ledger::key::{Key, Parts};
use milepost_ledger::{KeyRange, Read, Write};
use milepost_proto::google::r#type as gtype;
use milepost_proto::registry::v1 as proto;
use milepost_types::{BatchName, DamagedRow, PortfolioName, ProjectName, Rejection, ResourceId};
use prost::Message;

use super::{Tag, batches_by_start_date, decoded, projects, put as put_row, read};
use crate::batch::Batch;
use crate::batch::figures::Figures;
use crate::convert::{self, Unreadable, value};
use crate::project::references::Presence;

/// The key of a batch.
pub(crate) fn key(name: &BatchName) -> Vec<u8> {
    Key::of(Tag::Batches).under(name.portfolio().id()).id(name.id())
}

/// The name in a key.
pub(crate) fn name(key: &[u8]) -> Option<BatchName> {
    let mut key = Parts::of(key, Tag::Batches)?;
    let portfolio = PortfolioName::new(key.parent()?);
    Some(BatchName::new(portfolio, key.id()?))
}

/// The batches of a portfolio.
pub(crate) fn of_portfolio(portfolio: &ResourceId) -> KeyRange {
    KeyRange::prefix(&Key::of(Tag::Batches).under(portfolio).done())
}

/// All batches.
pub(crate) fn all() -> KeyRange {
    KeyRange::prefix(&Key::of(Tag::Batches).done())
}

/// The batch of this name.
///
/// # Errors
/// If its row cannot be decoded; so with everything here that reads rows.
pub(crate) fn get(rows: &dyn Read, name: &BatchName) -> Result<Option<Batch>, DamagedRow> {
    read(rows, Tag::Batches, &key(name), convert::batch::stored)
}

/// What an index asks of a batch.
#[derive(Clone, PartialEq, prost::Message)]
struct Part {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "4")]
    start_date: Option<gtype::Date>,
}

/// The name of a batch, and its index row.
fn head(part: Part) -> Result<(BatchName, Vec<u8>), Unreadable> {
    let name: BatchName = value::stored_name("name", &part.name)?;
    let date = value::stored("start_date", value::stored_date("start_date", part.start_date)?)?;
    let index = batches_by_start_date::key(name.portfolio().id(), date, name.id());
    Ok((name, index))
}

/// Sets a batch's row, and its index row.
///
/// # Errors
/// If the row to be, or the one before, cannot be decoded.
pub(crate) fn put(rows: &mut dyn Write, row: Bytes) -> Result<(), Unreadable> {
    let (name, after) = head(Part::decode(row.clone())?)?;
    let key = key(&name);
    let before = read(rows, Tag::Batches, &key, head)?.map(|(_, index)| vec![index]).unwrap_or_default();
    put_row(rows, key, row, before, vec![after]);
    Ok(())
}

/// What these members of a batch add up to, as the projects' rows have them.
///
/// # Errors
/// If that cannot be held, or if a member's row cannot be decoded.
pub(crate) fn registered(
    rows: &dyn Read,
    batch: &BatchName,
    members: &[ProjectName],
) -> Result<Figures, Rejection> {
    let mut present = Vec::with_capacity(members.len());
    for member in members {
        let head = projects::head(rows, member)?;
        present.extend(head.filter(|head| head.presence == Presence::Present).map(|head| head.investment));
    }
    Figures::of(batch, present.into_iter())
}

/// The batch of this name, as a read tells it: what it registers is as of now while it is planned.
///
/// # Errors
/// If there is none, if its row or a member's cannot be decoded, or if what it registers cannot be held.
pub(crate) fn told(rows: &dyn Read, name: &BatchName) -> Result<proto::Batch, Rejection> {
    told_at(rows, &key(name))?.ok_or_else(|| Rejection::not_found(name))
}

/// The bytes of the batch with this key, as a read tells it.
///
/// # Errors
/// As [`told`].
pub(crate) fn told_row(rows: &dyn Read, key: &[u8]) -> Result<Option<Bytes>, Rejection> {
    Ok(told_at(rows, key)?.map(|message| message.encode_to_vec().into()))
}

fn told_at(rows: &dyn Read, key: &[u8]) -> Result<Option<proto::Batch>, Rejection> {
    let message: Option<proto::Batch> = decoded(rows, Tag::Batches, key)?;
    message.map(|message| current(rows, message)).transpose()
}

/// A batch of a row, as a read tells it.
///
/// # Errors
/// As [`told`].
pub(crate) fn current(rows: &dyn Read, mut message: proto::Batch) -> Result<proto::Batch, Rejection> {
    if message.state() == proto::batch::State::Planned {
        let by_name = || Key::of(Tag::Batches).bytes(message.name.as_bytes()).done();
        let name = value::stored_name("name", &message.name);
        let name = name.map_err(|error| Tag::Batches.damaged(&by_name(), error))?;
        let members = convert::batch::stored_members(&message);
        let members = members.map_err(|error| Tag::Batches.damaged(&key(&name), error))?;
        convert::batch::set_figures(&mut message, &registered(rows, &name, &members)?);
    }
    Ok(message)
}
