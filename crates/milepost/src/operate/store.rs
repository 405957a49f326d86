//! Stores: check one against its checkpoint, or rebuild it from its journal.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use milepost_ledger::{Digest, Error, Options, StoreError, check_store};
use milepost_service::ledger::dir;
use milepost_types::{LedgerKind, Position};
use tempfile::TempDir;

use super::{Ledgers, finish, journal, say};
use crate::error::BoxError;
use crate::output::progress;

/// What to do with a store.
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Reads every row and compares with what the store says of itself; changes nothing
    Check(Check),
    /// Throws the store away and derives it from its journal
    Rebuild(Ledgers),
}

#[derive(Debug, clap::Args)]
pub struct Check {
    #[command(flatten)]
    ledgers: Ledgers,
    /// Where a copy of each store is read, which is removed at the end; it needs as much room as the largest
    /// [default: the system's temporary directory, TMPDIR]
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
}

/// Does it.
pub async fn run(command: StoreCommand) -> ExitCode {
    match command {
        StoreCommand::Check(Check { ledgers, scratch }) => {
            let scratch = scratch.unwrap_or_else(std::env::temp_dir);
            finish(move || check(&ledgers, &scratch)).await
        }
        StoreCommand::Rebuild(args) => finish(move || rebuild(&args)).await,
    }
}

/// Checks each store by a copy in the `scratch` directory.
fn check(ledgers: &Ledgers, scratch: &Path) -> Result<(), BoxError> {
    ledgers.each(|kind| {
        match check_one(&ledgers.data.data_dir, kind, scratch)? {
            Some((position, digest)) => say(&format!("{kind}: {digest}, at {position}")),
            None => say(&format!("{kind}: empty; the next start derives it from the journal")),
        }
        Ok(())
    })
}

pub(super) fn check_one(
    data_dir: &Path,
    kind: LedgerKind,
    scratch: &Path,
) -> Result<Option<(Position, Digest)>, BoxError> {
    let elsewhere = |error: &(dyn std::error::Error + 'static)| -> BoxError {
        let (cause, scratch) = (crate::error::chain(error), scratch.display());
        format!("{cause}; a copy of the store is read in {scratch}, --scratch gives another directory").into()
    };
    let copy = TempDir::with_prefix_in("milepost-check-", scratch).map_err(|error| elsewhere(&error))?;
    match check_store(&dir(data_dir, kind), copy.path(), &Options::default()) {
        Err(Error::Store(error @ StoreError::Io { .. })) => Err(elsewhere(&error)),
        checked => Ok(checked?),
    }
}

pub(super) fn rebuild(args: &Ledgers) -> Result<(), BoxError> {
    args.each(|kind| {
        let dir = dir(&args.data.data_dir, kind);
        let journal = journal::open_alone(&args.data.data_dir, kind)?;
        let options = Options::default();
        let bar = progress::spinner(&format!("rebuilding {kind}"));
        let rebuilt: Result<_, BoxError> = match kind {
            LedgerKind::Registry => {
                milepost_registry::rebuild_store(&dir, &*journal, &options).map_err(Into::into)
            }
            LedgerKind::Tracker => {
                milepost_tracker::rebuild_store(&dir, &*journal, &options).map_err(Into::into)
            }
            LedgerKind::Notifier => {
                milepost_notifier::rebuild_store(&dir, &*journal, &options).map_err(Into::into)
            }
        };
        bar.finish_and_clear();
        let (position, digest) = rebuilt?;
        say(&format!("{kind}: {digest}, at {position}"));
        Ok(())
    })
}
