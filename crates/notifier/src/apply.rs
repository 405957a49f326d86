//! Applies an entry to the rows.
//!
//! Invariant: depends on the entry and the rows only; applies every entry that `decide` made, and refuses any
//! other: an entry of another ledger is damage.

use milepost_ledger::{CommandId, Entry, Unusable, Write};
use milepost_service::access::table;
use milepost_types::{LedgerKind, quoted};

use crate::convert::envelope::{OfAccess, checked_source};
use crate::convert::reset::{self, ResetEvent};
use crate::tables::{abandoned_logs, applied, block_index, later_logs};

/// Applies an entry.
///
/// # Errors
/// If `decide` did not make it.
pub(crate) fn apply(rows: &mut dyn Write, entry: &Entry) -> Result<(), Unusable> {
    let first = entry.events.first().ok_or_else(|| Unusable::new("it has no events"))?;
    match &entry.command_id {
        CommandId::Source(position) => {
            let mut source = None;
            for (index, event) in entry.events.iter().enumerate() {
                let (own, access) = source_of(event).map_err(|error| error.in_event(index))?;
                if let Some((field, resource)) = access.filter(|_| own == LedgerKind::Registry) {
                    let put = table::put_field(rows, field, resource);
                    put.map_err(|error| Unusable::new(error).in_event(index))?;
                }
                if source.is_some_and(|source| source != own) {
                    return Err(Unusable::new("its events are of several ledgers").in_event(index));
                }
                source = Some(own);
            }
            if let Some(source) = source {
                applied::put(rows, source, position);
            }
        }
        // Everything else is a reset.
        CommandId::Request { .. } | CommandId::Server(_) => {
            let decoded = reset::decode(first).map_err(|error| Unusable::new(error).in_event(0))?;
            apply_reset(rows, &decoded, entry.sequence);
        }
    }
    if entry.sequence.is_multiple_of(block_index::BLOCK) {
        for source in LedgerKind::ALL {
            if let Some(own) = applied::get(rows, source).filter(|own| own.sequence > 0) {
                block_index::end_block(rows, entry.sequence, &own);
            }
        }
    }
    Ok(())
}

/// The source that an event was taken over from, and what it says of access.
fn source_of(event: &[u8]) -> Result<(LedgerKind, OfAccess<'_>), Unusable> {
    let (name, access) = checked_source(event).map_err(Unusable::new)?;
    let source = name.parse().ok().filter(|source| *source != LedgerKind::Notifier);
    source
        .map(|source| (source, access))
        .ok_or_else(|| Unusable::new(format_args!("an event of {}, which is no source", quoted(name))))
}

/// Records that a source is followed from another position, as of the entry with this sequence.
fn apply_reset(rows: &mut dyn Write, reset: &ResetEvent, sequence: u64) {
    let ResetEvent { source, previous, to } = reset;
    if *source == LedgerKind::Registry {
        table::forget_after(rows, to.after.sequence);
    }
    for (log, fork) in to.in_common(*previous) {
        later_logs::put(rows, log, &fork);
    }
    match applied::get(rows, *source) {
        Some(own) if own.log == to.after.log => {
            abandoned_logs::raise(rows, own.log, own.sequence);
            if to.after.sequence < own.sequence {
                block_index::forget_after(rows, &to.after, sequence);
            }
        }
        Some(own) => {
            // What comes after it is waited for in the later log, as far as both have it; where nothing tells how
            // far that is, it is not waited for at all.
            let known = later_logs::of(rows, own.log).iter().any(|fork| fork.log == to.after.log);
            abandoned_logs::raise(rows, own.log, if known { own.sequence } else { u64::MAX });
            if own.sequence > 0 {
                block_index::end_block(rows, sequence.next_multiple_of(block_index::BLOCK), &own);
            }
        }
        None => {}
    }
    applied::put(rows, *source, &to.after);
}
