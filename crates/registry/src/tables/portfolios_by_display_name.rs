//! The portfolios by display name: key `display name 0 portfolio`, no value. Follows the portfolios.

use milepost_ledger::key::{Key, Parts};
use milepost_types::{PortfolioName, ResourceId};

use super::Tag;

/// The index row of a portfolio.
pub(crate) fn key(display_name: &str, id: &ResourceId) -> Vec<u8> {
    Key::of(Tag::PortfoliosByDisplayName).text(display_name).id(id)
}

/// What the index rows begin with whose display names begin so.
pub(crate) fn beginning(display_name: &str) -> Vec<u8> {
    Key::of(Tag::PortfoliosByDisplayName).beginning(display_name).done()
}

/// The display name and the portfolio in a key.
pub(crate) fn parts(key: &[u8]) -> Option<(&str, PortfolioName)> {
    let mut key = Parts::of(key, Tag::PortfoliosByDisplayName)?;
    Some((key.text()?, PortfolioName::new(key.id()?)))
}
