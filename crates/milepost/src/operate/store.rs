//! Stores: check one against its own mark, or build it anew from its journal.

use std::process::ExitCode;

use clap::Subcommand;
use milepost_ledger::{Options, check_store};
use milepost_service::ledger::{dir, journal_dir};
use milepost_types::LedgerKind;

use super::{Ledgers, finish, journal};
use crate::error::BoxError;
use crate::output::progress;

/// What to do with a store.
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Reads every row and compares with what the store says of itself
    Check(Ledgers),
    /// Throws the store away and derives it from its journal
    Rebuild(Ledgers),
}

/// Does it.
pub async fn run(command: StoreCommand) -> ExitCode {
    match command {
        StoreCommand::Check(args) => finish(move || check(&args)).await,
        StoreCommand::Rebuild(args) => finish(move || anew(&args)).await,
    }
}

fn check(args: &Ledgers) -> Result<(), BoxError> {
    for kind in args.present()? {
        match check_store(&dir(&args.data.data_dir, kind), &Options::default())? {
            Some((position, digest)) => println!("{kind}: {digest}, at {position}"),
            None => println!("{kind}: empty; the next start derives it from the journal"),
        }
    }
    Ok(())
}

fn anew(args: &Ledgers) -> Result<(), BoxError> {
    for kind in args.present()? {
        let dir = dir(&args.data.data_dir, kind);
        let journal = journal::open_alone(&journal_dir(&args.data.data_dir, kind))?;
        let options = Options::default();
        let bar = progress::spinner(&format!("rebuilding {kind}"));
        let rebuilt: Result<_, BoxError> = match kind {
            LedgerKind::Registry => {
                milepost_registry::rebuild_store(&dir, &journal, &options).map_err(Into::into)
            }
            LedgerKind::Tracker => {
                milepost_tracker::rebuild_store(&dir, &journal, &options).map_err(Into::into)
            }
            LedgerKind::Notifier => {
                milepost_notifier::rebuild_store(&dir, &journal, &options).map_err(Into::into)
            }
        };
        bar.finish_and_clear();
        let (position, digest) = rebuilt?;
        println!("{kind}: {digest}, at {position}");
    }
    Ok(())
}
