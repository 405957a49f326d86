//! What operators do beside a stopped server: look after journals, stores and followers.
//!
//! Invariant: nothing is written to what could not be read whole; a command that fails has changed
//! nothing. They work on the files, so the server of the same data directory must be stopped, but for
//! `verify`, `export` and `check`, which only read.

mod follower;
mod journal;
mod store;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use milepost_types::LedgerKind;

use crate::error::BoxError;
use crate::output::note;

pub use follower::{FollowerCommand, run as follower};
pub use journal::{JournalCommand, run as journal};
pub use store::{StoreCommand, run as store};

/// Where the files are.
#[derive(Debug, Args)]
pub struct Data {
    /// The directory of the journals and stores
    #[arg(long, value_name = "DIR", env = "MILEPOST_DATA_DIR", default_value = "milepost-data")]
    data_dir: PathBuf,
}

/// One ledger, or all that the data directory has.
#[derive(Debug, Args)]
pub struct Ledgers {
    #[command(flatten)]
    data: Data,
    /// Only this ledger: registry, tracker or notifier
    #[arg(long)]
    ledger: Option<LedgerKind>,
}

impl Ledgers {
    /// Those that are there, or the one that was asked for.
    fn present(&self) -> Result<Vec<LedgerKind>, BoxError> {
        if let Some(kind) = self.ledger {
            return Ok(vec![kind]);
        }
        let there =
            |kind: &LedgerKind| milepost_service::ledger::journal_dir(&self.data.data_dir, *kind).is_dir();
        let present: Vec<_> = LedgerKind::ALL.into_iter().filter(there).collect();
        if present.is_empty() {
            let dir = self.data.data_dir.display();
            return Err(format!("{dir} holds no ledger; give the servers' directory with --data-dir").into());
        }
        Ok(present)
    }
}

/// Runs blocking work to its end and says how it went.
async fn finish(work: impl FnOnce() -> Result<(), BoxError> + Send + 'static) -> ExitCode {
    let done = tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(error.into()));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            note(&format!("error: {}", crate::error::chain(error.as_ref())));
            ExitCode::FAILURE
        }
    }
}
