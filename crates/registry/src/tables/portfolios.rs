//! The portfolios: key `portfolio`, value the encoded `Portfolio`. Changed in place.

use bytes::Bytes;
use milepost_ledger::key::{Key, Parts};
use milepost_ledger::{KeyRange, Read, Write};
use milepost_proto::registry::v1 as proto;
use milepost_types::{PortfolioName, PortfolioPattern, Rejection, ResourceId, TimeZoneId};

use super::{Tag, decoded, portfolios_by_display_name, put as put_row};
use crate::convert;
use crate::portfolio::Portfolio;

/// The key of a portfolio.
pub(crate) fn key(name: &PortfolioName) -> Vec<u8> {
    Key::of(Tag::Portfolios).id(name.id())
}

/// The name in a key.
pub(crate) fn name(key: &[u8]) -> Option<PortfolioName> {
    Some(PortfolioName::new(Parts::of(key, Tag::Portfolios)?.id()?))
}

/// All portfolios.
pub(crate) fn all() -> KeyRange {
    KeyRange::prefix(&Key::of(Tag::Portfolios).done())
}

/// The portfolio of this name.
pub(crate) fn get(rows: &dyn Read, name: &PortfolioName) -> Option<Portfolio> {
    rows.get(&key(name)).map(|row| convert::portfolio::stored(decoded(row, Tag::Portfolios)))
}

/// The portfolio of this name, as the API tells it.
pub(crate) fn message(rows: &dyn Read, name: &PortfolioName) -> Option<proto::Portfolio> {
    rows.get(&key(name)).map(|row| decoded(row, Tag::Portfolios))
}

/// What others ask of a portfolio.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Head {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    display_name: String,
    #[prost(string, tag = "4")]
    time_zone: String,
    #[prost(message, optional, tag = "22")]
    delete_time: Option<prost_types::Timestamp>,
}

impl Head {
    /// The time zone that tells which day it is.
    pub(crate) fn zone(&self) -> TimeZoneId {
        self.time_zone
            .parse()
            .unwrap_or_else(|error| panic!("{} has no usable time zone: {error}", self.name))
    }
}

/// The head of a portfolio that is there and not deleted.
///
/// # Errors
/// If it is not.
pub(crate) fn open(rows: &dyn Read, name: &PortfolioName) -> Result<Head, Rejection> {
    let row = rows.get(&key(name)).ok_or_else(|| Rejection::not_found(name))?;
    let head: Head = decoded(row, Tag::Portfolios);
    if head.delete_time.is_some() { Err(Rejection::deleted(name)) } else { Ok(head) }
}

/// Refuses to read under a portfolio that is not there; a deleted one is, and so are all portfolios
/// together.
///
/// # Errors
/// If there is no such portfolio.
pub(crate) fn check_parent(rows: &dyn Read, parent: &PortfolioPattern) -> Result<(), Rejection> {
    match parent {
        PortfolioPattern::One(name) if rows.get(&key(name)).is_none() => Err(Rejection::not_found(name)),
        PortfolioPattern::One(_) | PortfolioPattern::All => Ok(()),
    }
}

/// Sets a portfolio's row, and its index row.
pub(crate) fn put(rows: &mut dyn Write, row: Bytes) {
    let head: Head = decoded(row.clone(), Tag::Portfolios);
    let name: PortfolioName =
        head.name.parse().unwrap_or_else(|error| panic!("a row without a name: {error}"));
    let key = key(&name);
    let index = |head: Head| vec![portfolios_by_display_name::key(&head.display_name, name.id())];
    let before = rows.get(&key).map(|row| index(decoded(row, Tag::Portfolios))).unwrap_or_default();
    put_row(rows, key, row, before, index(head));
}

/// The ids of all portfolios, in order.
pub(crate) fn ids(rows: &dyn Read) -> Vec<ResourceId> {
    let rows = rows.scan(&all(), milepost_ledger::Direction::Forward);
    rows.filter_map(|(key, _)| Some(name(&key)?.id().clone())).collect()
}
