//! The portfolios by display name: key `display name 0 portfolio`, no value. Follows the portfolios.

use milepost_types::ResourceId;

use super::Tag;
use super::key::Key;

/// The index row of a portfolio.
pub(crate) fn key(display_name: &str, id: &ResourceId) -> Vec<u8> {
    Key::of(Tag::PortfoliosByDisplayName).text(display_name).id(id)
}
