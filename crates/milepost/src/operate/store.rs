//! Stores: check one against its checkpoint, or rebuild it from its journal.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use milepost_ledger::journal::OpenMode;
use milepost_ledger::{Digest, Error as LedgerError, Options, StoreError, check_store};
use milepost_service::ledger::dir;
use milepost_types::{LedgerKind, Position};
use serde_json::json;
use tempfile::TempDir;

use super::{Ledgers, Outcome, open, position};
use crate::error::{BoxError, Cause, Error, chain};
use crate::output::{Format, progress};

/// What to do with a store.
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Reads every row and compares with what the store says of itself; changes nothing
    Check {
        #[command(flatten)]
        ledgers: Ledgers,
        /// Where a copy of each store is read, which is removed at the end; it needs as much room as the largest
        /// [default: the system's temporary directory, TMPDIR]
        #[arg(long, value_name = "DIR")]
        scratch: Option<PathBuf>,
    },
    /// Throws the store away and derives it from its journal
    Rebuild(Ledgers),
}

/// Does it, and prints the outcome.
///
/// # Errors
/// With which ledgers something is wrong.
pub fn run(command: StoreCommand, format: Format) -> Result<(), Error> {
    match command {
        StoreCommand::Check { ledgers, scratch } => {
            let scratch = scratch.unwrap_or_else(std::env::temp_dir);
            ledgers.each(format, |data_dir, kind| Ok(outcome(check(data_dir, kind, &scratch)?)))
        }
        StoreCommand::Rebuild(ledgers) => {
            ledgers.each(format, |data_dir, kind| Ok(outcome(Some(rebuild(data_dir, kind)?))))
        }
    }
}

/// The same of a store that was checked and of one that was rebuilt, so that they can be compared.
fn outcome(store: Option<(Position, Digest)>) -> Outcome {
    match store {
        Some((at, digest)) => Outcome {
            lines: vec![format!("{digest}, at {at}")],
            facts: json!({
                "empty": false,
                "rows": digest.rows.to_string(),
                "digest": format!("{:032x}", digest.sum),
                "position": position(&at),
            }),
        },
        None => Outcome {
            lines: vec!["empty; the next start derives it from the journal".to_owned()],
            facts: json!({ "empty": true }),
        },
    }
}

/// Checks a store by a copy in the `scratch` directory.
fn check(data_dir: &Path, kind: LedgerKind, scratch: &Path) -> Result<Option<(Position, Digest)>, BoxError> {
    let elsewhere = |error: &Cause| -> BoxError {
        let (cause, scratch) = (chain(error), scratch.display());
        format!("{cause}; a copy of the store is read in {scratch}, --scratch gives another directory").into()
    };
    let copy = TempDir::with_prefix_in("milepost-check-", scratch).map_err(|error| elsewhere(&error))?;
    match check_store(&dir(data_dir, kind), copy.path(), &Options::default()) {
        Err(LedgerError::Store(error @ StoreError::Io { .. })) => Err(elsewhere(&error)),
        checked => Ok(checked?),
    }
}

fn rebuild(data_dir: &Path, kind: LedgerKind) -> Result<(Position, Digest), BoxError> {
    let (dir, options) = (dir(data_dir, kind), Options::default());
    let journal = open(data_dir, kind, OpenMode::ReadWrite)?;
    let _bar = progress::spinner(&format!("rebuilding {kind}"));
    match kind {
        LedgerKind::Registry => Ok(milepost_registry::rebuild_store(&dir, &*journal, &options)?),
        LedgerKind::Tracker => Ok(milepost_tracker::rebuild_store(&dir, &*journal, &options)?),
        LedgerKind::Notifier => Ok(milepost_notifier::rebuild_store(&dir, &*journal, &options)?),
    }
}
