//! The batches: key `portfolio 0 batch`, value the encoded `Batch`. Changed in place.

use bytes::Bytes;
use milepost_ledger::{KeyRange, Read, Write};
use milepost_proto::google::r#type as gtype;
use milepost_types::{BatchName, PortfolioName, ResourceId};

use super::key::{Key, Parts};
use super::{Tag, batches_by_start_date, decoded, put as put_row};
use crate::batch::Batch;
use crate::convert;

/// The key of a batch.
pub(crate) fn key(name: &BatchName) -> Vec<u8> {
    Key::of(Tag::Batches).text(name.portfolio().id().as_str()).id(name.id())
}

/// The name in a key.
#[cfg_attr(not(test), allow(dead_code))]
pub(crate) fn name(key: &[u8]) -> Option<BatchName> {
    let mut key = Parts::of(key, Tag::Batches)?;
    let portfolio = PortfolioName::new(key.parent()?);
    Some(BatchName::new(portfolio, key.id()?))
}

/// The batches of a portfolio whose ids begin so.
pub(crate) fn beginning(portfolio: &ResourceId, id: &str) -> KeyRange {
    KeyRange::prefix(&Key::of(Tag::Batches).text(portfolio.as_str()).beginning(id).done())
}

/// All batches.
pub(crate) fn all() -> KeyRange {
    KeyRange::prefix(&Key::of(Tag::Batches).done())
}

/// The batch of this name.
pub(crate) fn get(rows: &dyn Read, name: &BatchName) -> Option<Batch> {
    rows.get(&key(name)).map(|row| convert::batch::stored(decoded(row, Tag::Batches)))
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
