//! Converts an entry of a source to a command.

use milepost_client::FollowedEntry;
use milepost_ledger::journal::StoredEntry;
use milepost_ledger::{Entry, EntryError};
use milepost_types::{LedgerKind, Position};

use crate::source::SourceEntry;

/// The entry of a source that came after `after`.
///
/// # Errors
/// If this version cannot read it.
pub(crate) fn source_entry(
    source: LedgerKind,
    after: Position,
    followed: FollowedEntry,
) -> Result<SourceEntry, EntryError> {
    let FollowedEntry { sequence, hash, bytes } = followed;
    let entry = Entry::decode(&StoredEntry { sequence, hash, bytes })?;
    Ok(SourceEntry {
        source,
        position: Position::after(after.log, sequence, &hash),
        after,
        commit_time: entry.commit_time,
        portfolio: entry.portfolio,
        decided_on: entry.decided_on,
        events: entry.events,
    })
}
