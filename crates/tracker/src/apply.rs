//! What an entry does to rows.
//!
//! Invariants: rows come of events alone, and live rows and rebuilt ones are equal; events of types that
//! this version does not know do nothing.

use milepost_ledger::{Entry, Write};

use crate::convert::Unreadable;
use crate::convert::told::{Effect, Facts, effect};
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
        Effect::Date(portfolio, current) => {
            tables::date::put(rows, &portfolio, current);
            tables::advancing::remove(rows, &portfolio);
        }
        Effect::Advancing(portfolio, advancing) => tables::advancing::put(rows, &portfolio, &advancing),
        Effect::Followed { position, facts } => {
            apply_facts(rows, facts);
            tables::source::put(rows, &position);
            tables::partly::remove(rows);
        }
        Effect::PartlyFollowed { partly, facts } => {
            apply_facts(rows, facts);
            tables::partly::put(rows, &partly);
        }
        Effect::Reset(position) => {
            if position.sequence == 0 {
                tables::portfolio::clear(rows);
                tables::project::clear(rows);
            }
            tables::source::put(rows, &position);
            tables::partly::remove(rows);
        }
        Effect::Nothing => {}
    }
    Ok(())
}

fn apply_facts(rows: &mut dyn Write, facts: Facts) {
    for (name, value) in facts.portfolios {
        tables::portfolio::put(rows, &name, value);
    }
    for (name, value) in facts.projects {
        tables::project::put(rows, &name, value);
    }
}
