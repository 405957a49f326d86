//! Offline commands of operators: for journals, stores and followers of a stopped server.
//!
//! Invariant: a command writes only to what it could read completely; a command that fails for a ledger has not
//! changed it. They work on the files, so the server of the same data directory must be stopped,
//! but for `verify` and `export`. Those two and `check` only read: the data directory may be
//! read-only. All ledgers are processed, even if one fails.

mod follower;
mod journal;
mod store;

use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use milepost_types::LedgerKind;

use crate::error::BoxError;
use crate::output::{note, print};

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
        let mut present = Vec::new();
        for kind in LedgerKind::ALL {
            let dir = milepost_service::ledger::journal_dir(&self.data.data_dir, kind);
            match std::fs::metadata(&dir) {
                Ok(_) => present.push(kind),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                // One that cannot be looked at is not one that is not there.
                Err(error) => return Err(format!("{}: {error}", dir.display()).into()),
            }
        }
        if present.is_empty() {
            let dir = self.data.data_dir.display();
            return Err(format!("{dir} holds no ledger; give the servers' directory with --data-dir").into());
        }
        Ok(present)
    }

    /// Runs an operation on each; reports a failure at once and continues with the next.
    ///
    /// # Errors
    /// Names those with which something went wrong.
    fn each(&self, mut act: impl FnMut(LedgerKind) -> Result<(), BoxError>) -> Result<(), BoxError> {
        let present = self.present()?;
        let mut failed = Vec::new();
        for kind in &present {
            if let Err(error) = act(*kind) {
                note(&format!("error: {kind}: {}", crate::error::chain(error.as_ref())));
                failed.push(kind.as_str());
            }
        }
        match failed.len() {
            0 => Ok(()),
            count => {
                Err(format!("{count} of {} ledgers failed: {}", present.len(), failed.join(", ")).into())
            }
        }
    }
}

/// Prints a result on standard output. A closed standard output ends nothing: the exit code is enough.
fn say(line: &str) {
    let _ = print(&format!("{line}\n"));
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

#[cfg(test)]
mod tests;
