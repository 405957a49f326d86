//! Logs that a reset left: nobody waits any more for what they had beyond what was taken over.
//!
//! A value only rises: what once counted as followed always does.

use milepost_ledger::{Read, Write};
use milepost_types::LogId;

use super::{Tag, log_key, take_sequence};

/// The sequence up to which a log that was left counts as followed.
pub(crate) fn get(rows: &dyn Read, log: LogId) -> Option<u64> {
    rows.get(&log_key(Tag::AbandonedLogs, log).done()).map(|row| take_sequence(&row))
}

/// Lets a log count as followed up to a sequence.
pub(crate) fn raise(rows: &mut dyn Write, log: LogId, sequence: u64) {
    let sequence = get(rows, log).unwrap_or(0).max(sequence);
    rows.put(log_key(Tag::AbandonedLogs, log).done(), sequence.to_be_bytes().to_vec().into());
}
