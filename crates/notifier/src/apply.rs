//! Brings the rows from before an entry to after it.
//!
//! Invariant: depends on the entry and the rows only, and never fails on an entry that `decide` made.

use milepost_ledger::{CommandId, Entry, Write};
use milepost_types::LedgerKind;

use crate::convert::envelope::envelope;
use crate::convert::reset;
use crate::tables::{applied, left, places};

/// Applies an entry.
///
/// # Panics
/// If it is none that `decide` made.
pub(crate) fn apply(rows: &mut dyn Write, entry: &Entry) {
    match &entry.command_id {
        CommandId::Source(position) => {
            let event = envelope(&entry.events[0]).expect("an event that was looked at when it was decided");
            let source: LedgerKind =
                event.source.parse().expect("a source that was looked at when it was decided");
            applied::put(rows, source, position);
        }
        // Everything else is a reset.
        CommandId::Request { .. } | CommandId::Server(_) => {
            let (source, to) = reset::decode(&entry.events[0]);
            match applied::get(rows, source) {
                Some(own) if own.log == to.log => {
                    left::raise(rows, own.log, own.sequence);
                    if to.sequence < own.sequence {
                        places::forget_after(rows, &to, entry.sequence);
                    }
                }
                Some(own) => left::raise(rows, own.log, u64::MAX),
                None => {}
            }
            applied::put(rows, source, &to);
        }
    }
    if entry.sequence.is_multiple_of(places::BLOCK) {
        for source in LedgerKind::ALL {
            if let Some(own) = applied::get(rows, source).filter(|own| own.sequence > 0) {
                places::end_block(rows, entry.sequence, &own);
            }
        }
    }
}
