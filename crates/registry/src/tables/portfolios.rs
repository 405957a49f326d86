//! The portfolios: key `portfolio`, value the encoded `Portfolio`. Changed in place.

use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use milepost_ledger::key::{Key, Parts};
use milepost_ledger::{KeyRange, Read, Write};
use milepost_proto::registry::v1 as proto;
use milepost_types::{DamagedRow, PortfolioName, PortfolioPattern, Rejection, ResourceId, TimeZoneId};

use super::{Tag, decoded, head, portfolios_by_display_name, put as put_row, read};
use crate::convert::{self, Unreadable};
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
///
/// # Errors
/// If its row cannot be decoded; so with everything here that reads rows.
pub(crate) fn get(rows: &dyn Read, name: &PortfolioName) -> Result<Option<Portfolio>, DamagedRow> {
    read(rows, Tag::Portfolios, &key(name), convert::portfolio::stored)
}

/// The portfolio of this name, as it is stored.
///
/// # Errors
/// If there is none, or if its row cannot be decoded.
pub(crate) fn message(rows: &dyn Read, name: &PortfolioName) -> Result<proto::Portfolio, Rejection> {
    decoded(rows, Tag::Portfolios, &key(name))?.ok_or_else(|| Rejection::not_found(name))
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
    #[prost(message, optional, tag = "9")]
    current_date: Option<milepost_proto::google::r#type::Date>,
    #[prost(message, optional, tag = "22")]
    delete_time: Option<prost_types::Timestamp>,
}

impl Head {
    /// Which day it is in it.
    pub(crate) fn current_date(&self, now: Timestamp) -> Date {
        current_date(&self.time_zone, self.current_date, now)
    }
}

/// Which day it is in a portfolio, by what was stored of it.
fn current_date(zone: &str, latest: Option<milepost_proto::google::r#type::Date>, now: Timestamp) -> Date {
    let latest = latest.and_then(|date| convert::value::date(date).ok());
    TimeZoneId::stored(zone.to_owned()).current_date(now, latest)
}

/// A portfolio as it is stored, saying which day it is now.
pub(crate) fn dated(mut portfolio: proto::Portfolio, now: Timestamp) -> proto::Portfolio {
    let today = current_date(&portfolio.time_zone, portfolio.current_date, now);
    portfolio.current_date = Some(convert::value::date_message(today));
    portfolio
}

/// The head of a portfolio that is there and not deleted.
///
/// # Errors
/// If it is not, or if its row cannot be decoded.
pub(crate) fn open(rows: &dyn Read, name: &PortfolioName) -> Result<Head, Rejection> {
    let head: Option<Head> = decoded(rows, Tag::Portfolios, &key(name))?;
    let head = head.ok_or_else(|| Rejection::not_found(name))?;
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
///
/// # Errors
/// If the row to be, or the one before, cannot be decoded.
pub(crate) fn put(rows: &mut dyn Write, row: Bytes) -> Result<(), Unreadable> {
    let (after, name): (Head, PortfolioName) = head(&row, |head: &Head| &head.name)?;
    let key = key(&name);
    let index = |head: Head| vec![portfolios_by_display_name::key(&head.display_name, name.id())];
    let before = decoded(rows, Tag::Portfolios, &key)?.map(index).unwrap_or_default();
    put_row(rows, key, row, before, index(after));
    Ok(())
}

/// The ids of all portfolios, in order.
pub(crate) fn ids(rows: &dyn Read) -> Vec<ResourceId> {
    let rows = rows.scan(&all(), milepost_ledger::Direction::Forward);
    rows.filter_map(|(key, _)| Some(name(&key)?.id().clone())).collect()
}
