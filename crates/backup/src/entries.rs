//! Reading the entries that a backup has of a ledger, without restoring them: those of a log, and those that a restore
//! leaves out.
//!
//! Invariant: what is left out is whatever any log of the ledger has that the restored one will not have: what came
//! after its end, and what another log has of its own. What two logs have in common is not left out with either.

use milepost_ledger::journal::StoredEntry;
use milepost_types::{Hash, LedgerKind, LogId};

use crate::chain::{Chain, LogBackup};
use crate::error::Error;
use crate::range;
use crate::target::BackupTarget;

/// Shows the entries of a log after one sequence, up to another one.
///
/// # Errors
/// If a range cannot be read.
pub async fn read_entries(
    target: &BackupTarget,
    ledger: LedgerKind,
    log: &LogBackup,
    (after, up_to): (u64, u64),
    mut show: impl FnMut(&StoredEntry),
) -> Result<(), Error> {
    let mut previous = Hash::ZERO;
    for next in &log.ranges {
        if next.last > after && next.first <= up_to {
            let entries = range::read(target, ledger, log.log, next, &previous).await?;
            let is_asked_for = |entry: &&StoredEntry| entry.sequence > after && entry.sequence <= up_to;
            entries.iter().filter(is_asked_for).for_each(&mut show);
        }
        previous = next.hash.hash();
    }
    Ok(())
}

impl Chain {
    /// Shows the entries of a ledger, each with its log, that are left out where `log` is restored up to the entry
    /// `end`: log by log, each from its first entry on that is not restored.
    ///
    /// # Errors
    /// If a range cannot be read.
    pub async fn read_left_out(
        &self,
        target: &BackupTarget,
        ledger: LedgerKind,
        (log, end): (&LogBackup, u64),
        mut show: impl FnMut(LogId, &StoredEntry),
    ) -> Result<(), Error> {
        for other in self.logs(ledger) {
            let after = in_common(log, other).min(end);
            read_entries(target, ledger, other, (after, u64::MAX), |entry| show(other.log, entry)).await?;
        }
        Ok(())
    }
}

/// The last sequence up to which two logs are the same history; 0 for none.
fn in_common(one: &LogBackup, other: &LogBackup) -> u64 {
    if one.log == other.log {
        return u64::MAX;
    }
    let known = |log: &LogBackup| [&[log.position()], log.lineage.forks()].concat();
    let (own, others) = (known(one), known(other));
    let shared = own.iter().flat_map(|own| {
        others.iter().filter(|other| other.log == own.log).map(|other| other.sequence.min(own.sequence))
    });
    shared.max().unwrap_or(0)
}
