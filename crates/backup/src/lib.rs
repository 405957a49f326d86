//! Backups of ledgers: immutable ranges of entries and hash-linked manifests in a directory or an object
//! store, and data directories that are restored from them.
//!
//! A target holds `{ledger}/{log id}/{first}-{last}.entries` (`range`) and `{number}.manifest` (`manifest`).
//! `run` adds to them, `chain`, `entries` and `verify` read them, `cut` chooses where a restore ends, `restore` makes
//! journals again. Invariants: an object is created once and never overwritten or removed; a manifest is
//! created only when every range that it names is durable, so a crash leaves a whole backup and perhaps
//! objects that no manifest names; the positions of a manifest, and of a restore, are a consistent cut: no
//! follower is ahead of its source. Does not remove old backups, and does not back up what is derived
//! (stores).

mod chain;
mod cut;
mod digest;
mod entries;
mod error;
mod manifest;
mod range;
mod restore;
mod run;
mod target;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod verify;

pub use chain::{Chain, LogBackup, read_chain};
pub use cut::{Bounds, Chosen, Wanted};
pub use digest::Digest;
pub use entries::read_entries;
pub use error::Error;
pub use manifest::{FORMAT, LedgerRecord, Manifest, Range};
pub use restore::{FinishError, Layout, Progress, Restored, restore};
pub use run::{Backup, LedgerSource, Outcome};
pub use target::{BackupTarget, Use};
pub use verify::{Verified, verify};
