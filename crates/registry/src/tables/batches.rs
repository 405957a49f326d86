//! The batches: key `portfolio 0 batch`, value the encoded `Batch`. Changed in place.

use bytes::Bytes;
use milepost_ledger::key::{Key, Parts};
use milepost_ledger::{KeyRange, Read, Write};
use milepost_proto::google::r#type as gtype;
use milepost_proto::registry::v1 as proto;
use milepost_types::{BatchName, PortfolioName, ProjectName, Rejection, ResourceId};
use prost::Message;

use super::{Tag, batches_by_start_date, decoded, projects, put as put_row};
use crate::batch::Batch;
use crate::batch::figures::Figures;
use crate::convert;
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
pub(crate) fn get(rows: &dyn Read, name: &BatchName) -> Option<Batch> {
    rows.get(&key(name)).map(|row| convert::batch::stored(decoded(row, Tag::Batches)))
}

/// The batch of this name, as the API tells it.
pub(crate) fn message(rows: &dyn Read, name: &BatchName) -> Option<proto::Batch> {
    rows.get(&key(name)).map(|row| decoded(row, Tag::Batches))
}

/// What an index asks of a batch.
#[derive(Clone, PartialEq, prost::Message)]
struct Head {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "4")]
    start_date: Option<gtype::Date>,
}

/// Sets a batch's row, and its index row.
pub(crate) fn put(rows: &mut dyn Write, row: Bytes) {
    let head: Head = decoded(row.clone(), Tag::Batches);
    let name: BatchName = head.name.parse().unwrap_or_else(|error| panic!("a row without a name: {error}"));
    let key = key(&name);
    let index = |head: Head| {
        let date = convert::value::stored_date(head.start_date.as_ref());
        vec![batches_by_start_date::key(name.portfolio().id(), date, name.id())]
    };
    let before = rows.get(&key).map(|row| index(decoded(row, Tag::Batches))).unwrap_or_default();
    put_row(rows, key, row, before, index(head));
}

/// What these members of a batch add up to, as the projects' rows have them.
///
/// # Errors
/// If that cannot be held.
pub(crate) fn registered(
    rows: &dyn Read,
    batch: &BatchName,
    members: &[ProjectName],
) -> Result<Figures, Rejection> {
    let present = members.iter().filter_map(|member| projects::head(rows, member));
    let present = present.filter(|head| head.presence() == Presence::Present);
    Figures::of(batch, present.map(|head| head.investment()))
}

/// The batch of this name, as a read tells it: what it registers is as of now while it is planned.
///
/// # Errors
/// If there is none, or if what it registers cannot be held.
pub(crate) fn told(rows: &dyn Read, name: &BatchName) -> Result<proto::Batch, Rejection> {
    let message = message(rows, name).ok_or_else(|| Rejection::not_found(name))?;
    current(rows, message)
}

/// A batch of a row, as a read tells it.
///
/// # Errors
/// If what it registers cannot be held.
pub(crate) fn current(rows: &dyn Read, mut message: proto::Batch) -> Result<proto::Batch, Rejection> {
    if message.state() == proto::batch::State::Planned
        && let Ok(name) = message.name.parse::<BatchName>()
    {
        let members: Vec<_> = message.members.iter().filter_map(|member| member.parse().ok()).collect();
        convert::batch::set_figures(&mut message, &registered(rows, &name, &members)?);
    }
    Ok(message)
}

/// A row's bytes, as a read tells them.
///
/// # Errors
/// If what it registers cannot be held.
pub(crate) fn current_row(rows: &dyn Read, row: Bytes) -> Result<Bytes, Rejection> {
    Ok(current(rows, decoded(row, Tag::Batches))?.encode_to_vec().into())
}
