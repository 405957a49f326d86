//! What an entry does to rows.
//!
//! Invariants: rows come of events alone, and live rows and rebuilt ones are equal; events of types that
//! this version does not know do nothing.

use milepost_ledger::{Entry, Write};

use crate::convert::Unreadable;
use crate::convert::told::{Effect, effect};
use crate::tables;

/// Brings the rows from before an entry to after it.
///
/// # Panics
/// If an event of ours cannot be read: then the journal is not what this version can use.
pub(crate) fn apply(rows: &mut dyn Write, entry: &Entry) {
    for (index, event) in entry.events.iter().enumerate() {
        let applied = effect(event).and_then(|effect| apply_effect(rows, effect));
        if let Err(error) = applied {
            panic!("event {index} of entry {} cannot be applied: {error}", entry.sequence);
        }
    }
}

fn apply_effect(rows: &mut dyn Write, effect: Effect) -> Result<(), Unreadable> {
    match effect {
        Effect::Milestone(name, value) => tables::milestone::put(rows, &name, &value)?,
        Effect::Date(portfolio, date) => tables::date::put(rows, &portfolio, date),
        Effect::Followed { position, portfolios, projects } => {
            for (name, value) in portfolios {
                tables::portfolio::put(rows, &name, value);
            }
            for (name, value) in projects {
                tables::project::put(rows, &name, value);
            }
            tables::source::put(rows, &position);
        }
        Effect::Reset(position) => {
            if position.sequence == 0 {
                tables::portfolio::clear(rows);
                tables::project::clear(rows);
            }
            tables::source::put(rows, &position);
        }
        Effect::Nothing => {}
    }
    Ok(())
}
