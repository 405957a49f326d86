//! Table 4: what is kept of each portfolio of the registry.
//!
//! Key: see [`super`]. Value: the encoded `event.v1.FollowedPortfolio`, as in the event that told of it.
//! Put by `milepost.source.followed`; dropped when the registry is followed anew.

use bytes::Bytes;
use milepost_ledger::key::Key;
use milepost_ledger::{Direction, KeyRange, Read, Write};
use milepost_types::PortfolioName;

use super::Table;
use super::key;
use crate::convert::facts;
use crate::facts::PortfolioFact;

/// The row of a portfolio, as bytes: what is made of it is worth remembering.
pub(crate) fn get_stored(rows: &dyn Read, name: &PortfolioName) -> Option<Bytes> {
    rows.get(&key::of_portfolio(Table::Portfolio, name))
}

/// What a row says.
///
/// # Panics
/// If the row cannot be read: then the store is not what this version made of the journal.
pub(crate) fn read(value: &Bytes) -> PortfolioFact {
    facts::portfolio_from_stored(value).expect("a portfolio's row can be read")
}

/// All portfolios, by name; panics as [`read`].
pub(crate) fn all(rows: &dyn Read) -> impl Iterator<Item = PortfolioFact> {
    rows.scan(&all_keys(), Direction::Forward).map(|(_, value)| read(&value))
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
