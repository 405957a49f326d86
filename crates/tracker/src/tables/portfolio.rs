//! Table 4: what is kept of each portfolio of the registry.
//!
//! Key: see [`super`]. Value: the encoded `event.v1.FollowedPortfolio`, as in the event that took it over.
//! Put by `milepost.source.followed`; dropped when the registry is followed anew.

use bytes::Bytes;
use milepost_ledger::key::Key;
use milepost_ledger::{Direction, KeyRange, Read, Write};
use milepost_types::{DamagedRow, ResourceId};

use super::Table;
use super::key;
use crate::convert::mirror;
use crate::mirror::{Portfolio, PortfolioFact};
use crate::names::PortfolioName;

/// The row of a portfolio, as bytes: what is made of it is worth remembering.
pub(crate) fn get_stored(rows: &dyn Read, name: &PortfolioName) -> Option<Bytes> {
    rows.get(&key::of_portfolio(Table::Portfolio, name))
}

/// What the row of a portfolio says.
///
/// # Errors
/// If it cannot be decoded; so with [`all`].
pub(crate) fn read(name: &PortfolioName, value: &Bytes) -> Result<PortfolioFact, DamagedRow> {
    read_at(&key::of_portfolio(Table::Portfolio, name), value)
}

/// What is known of a portfolio, as rules use it.
///
/// # Errors
/// If the row cannot be decoded.
pub(crate) fn get(rows: &dyn Read, name: &PortfolioName) -> Result<Option<Portfolio>, DamagedRow> {
    let fact = get_stored(rows, name).map(|value| read(name, &value)).transpose()?;
    Ok(fact.map(|fact| Portfolio::from(&fact)))
}

/// Whether the portfolio with these ids is deleted; none if it is not known.
///
/// # Errors
/// If the row cannot be decoded.
pub(crate) fn is_deleted(rows: &dyn Read, ids: &[ResourceId]) -> Result<Option<bool>, DamagedRow> {
    let key = key::of(Table::Portfolio, ids);
    let deleted = rows.get(&key).map(|value| mirror::portfolio_is_deleted(&value)).transpose();
    deleted.map_err(|error| Table::Portfolio.damaged(&key, error))
}

/// All portfolios, by name.
pub(crate) fn all(rows: &dyn Read) -> impl Iterator<Item = Result<PortfolioFact, DamagedRow>> {
    rows.scan(&all_keys(), Direction::Forward).map(|(key, value)| read_at(&key, &value))
}

fn read_at(key: &[u8], value: &Bytes) -> Result<PortfolioFact, DamagedRow> {
    mirror::portfolio_from_stored(value).map_err(|error| Table::Portfolio.damaged(key, error))
}

/// Sets what is kept of a portfolio.
pub(crate) fn put(rows: &mut dyn Write, name: &PortfolioName, value: Bytes) {
    rows.put(key::of_portfolio(Table::Portfolio, name), value);
}

/// Drops what is kept of all portfolios.
pub(crate) fn clear(rows: &mut dyn Write) {
    let keys: Vec<_> = rows.scan(&all_keys(), Direction::Forward).map(|(key, _)| key).collect();
    keys.iter().for_each(|key| rows.delete(key));
}

fn all_keys() -> KeyRange {
    KeyRange::prefix(&Key::of(Table::Portfolio).done())
}
