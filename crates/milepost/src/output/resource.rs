//! What every resource can be shown as.
//!
//! Invariant: a row has as many cells as there are columns.

use comfy_table::Cell;

use super::card::Card;
use super::json::Described;

/// A resource of the API.
pub trait Resource: Described {
    /// The field of responses that holds one, as in `project`.
    const FIELD: &'static str;
    /// The headers of its table.
    const COLUMNS: &'static [&'static str];

    /// Its line in a table of what is under a parent, whose name every line would repeat.
    fn row(&self, under: &str) -> Vec<Cell>;
    /// All that is known of it.
    fn card(&self, card: &mut Card);
}
