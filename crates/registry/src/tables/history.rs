//! What was reported of projects before: the table of the registry that `milepost-figures` keeps it in.
//!
//! Invariant: it is made of projects' rows alone, as each is put.

use milepost_figures::History;
use milepost_ledger::Write;
use milepost_resource::Unreadable;

use crate::portfolio::current_date;
use crate::tables::Rows;

/// The table.
pub(crate) const HISTORY: History = History { tag: 28, table_name: "registry.project_history" };

/// Adds what a project's row says and the one before did not, and what it does not say any more.
///
/// # Errors
/// If a row cannot be decoded.
pub(crate) fn put(rows: &mut dyn Write, before: Option<&[u8]>, after: &[u8]) -> Result<(), Unreadable> {
    HISTORY.put(rows, before, after, |rows, portfolio, time| {
        let portfolio = Rows::new(rows).get(portfolio).ok().flatten();
        portfolio.map(|portfolio| current_date(&portfolio, time))
    })
}
