//! How a resource is shown: as a card and as a row of a table.
//!
//! Invariant: a row has as many cells as there are columns.

use comfy_table::Cell;

use super::card::Card;
use super::json::Described;
use super::zone::{Place, Zone};

/// A resource of the API.
pub trait Resource: Described {
    /// The field of responses that holds one, as in `project`.
    const FIELD: &'static str;
    /// The headers of its table.
    const COLUMNS: &'static [&'static str];
    /// Whether its line in a table shows times: only then must zones be known for it.
    const TIMES_IN_ROWS: bool = false;

    /// Where it belongs: in whose zone its times are shown.
    fn place(&self) -> Place<'_>;
    /// Its line in a table of what is under a parent, whose name every line would repeat.
    fn row(&self, under: &str, zone: &Zone) -> Vec<Cell>;
    /// All that is known of it.
    fn card(&self, card: &mut Card);
}
