//! Offline commands of operators: for journals, stores and followers of a stopped server, for its backups and
//! upgrades.
//!
//! Invariant: a command writes only to what it could read completely; a command that fails for a ledger has
//! not changed it. They work on the files, so the server of the same data directory must be stopped, but for
//! `verify`,
//! `export` and `upgrade check`. Those and `check` only read. All ledgers are processed, even if one fails.

mod backup;
mod break_glass;
mod files;
mod follower;
mod upgrade;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use milepost_ledger::journal::file::OpenError;
use milepost_ledger::journal::{Engine, Journal, OpenMode, open as open_journal};
use milepost_ledger::position_to_proto;
use milepost_service::ledger::journal_dir;
use milepost_service::origin::expected;
use milepost_types::{LedgerKind, Position};
use serde_json::{Value, json};

use crate::error::{BoxError, Error, chain, of_ledger};
use crate::output::{Format, json, note, print};

pub use backup::{BackupCommand, backup};
pub use break_glass::{BreakGlass, run as break_glass};
pub use files::{JournalCommand, StoreCommand, journal, store};
pub use follower::{FollowerCommand, run as follower};
pub use upgrade::{UpgradeCommand, upgrade};

/// Where the files are, and how the outcome is printed.
#[derive(Debug, Args)]
pub struct Data {
    /// The directory of the journals and stores
    #[arg(long, value_name = "DIR", env = "MILEPOST_DATA_DIR", default_value = "milepost-data")]
    data_dir: PathBuf,
    /// How the outcome is printed [default: table]
    ///
    /// With json, standard output has one object on a line for each ledger and nothing else: "ledger", "ok",
    /// and what the text says; where "ok" is false, "fault" with a message, a reason and facts. Numbers of 64
    /// bits are text, positions are as in the API. Standard error has {"error": {…}} on one line if the
    /// command fails.
    #[arg(short = 'o', long, value_parser = ["table", "json"])]
    format: Option<String>,
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
    /// Does something with the one that was asked for, or with each that is there; prints at once how it
    /// went, and continues with the next.
    ///
    /// # Errors
    /// Names those with which something went wrong.
    fn each(
        &self,
        format: Format,
        act: impl Fn(&Path, LedgerKind) -> Result<Outcome, BoxError>,
    ) -> Result<(), Error> {
        let (data_dir, mut done, mut failed, mut said) = (&self.data.data_dir, 0, Vec::new(), Ok(()));
        for kind in LedgerKind::ALL.into_iter().filter(|kind| self.ledger.is_none_or(|asked| asked == *kind))
        {
            let dir = journal_dir(data_dir, kind);
            // One that cannot be looked at is not one that is not there.
            if self.ledger.is_some() || dir.try_exists().map_err(Error::read(&dir))? {
                let outcome = act(data_dir, kind);
                done += 1;
                failed.extend(outcome.is_err().then_some(kind.as_str()));
                // The next one is looked at even if this one could not be spoken of.
                said = said.and(say(kind, outcome, format));
            }
        }
        Err(Error::Other(match (done, failed.len()) {
            (0, _) => {
                let dir = data_dir.display();
                format!("{dir} holds no ledger; give the servers' directory with --data-dir").into()
            }
            (_, 0) => return said,
            (_, count) => format!("{count} of {done} ledgers failed: {}", failed.join(", ")).into(),
        }))
    }
}

/// What a command did with a ledger, or found of it.
struct Outcome {
    /// For people, without the ledger's name.
    lines: Vec<String>,
    /// For programs, an object; numbers of 64 bits are texts.
    facts: Value,
}

/// Prints how it went with a ledger: lines, or one object on a line. A closed standard output is no error:
/// the exit code is enough.
fn say(ledger: LedgerKind, done: Result<Outcome, BoxError>, format: Format) -> Result<(), Error> {
    let text = match (format, done) {
        (Format::Json, done) => {
            let mut object = json!({ "ledger": ledger.as_str(), "ok": done.is_ok() });
            let facts = done.map(|outcome| outcome.facts);
            let facts = facts.unwrap_or_else(|error| json!({ "fault": of_ledger(&*error) }));
            let facts = facts.as_object().into_iter().flatten();
            facts.for_each(|(key, fact)| object[key] = fact.clone());
            json::line(&object)
        }
        (_, Ok(outcome)) => outcome.lines.iter().map(|line| format!("{ledger}: {line}\n")).collect(),
        (_, Err(error)) => {
            note(&format!("error: {ledger}: {}", chain(&*error)));
            return Ok(());
        }
    };
    match print(&text) {
        Err(Error::Output(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        printed => printed,
    }
}

/// A ledger's journal. If it is opened to write, nothing else may use it meanwhile: its server must not run.
fn open(data_dir: &Path, kind: LedgerKind, mode: OpenMode) -> Result<Arc<dyn Journal>, BoxError> {
    let dir = journal_dir(data_dir, kind);
    // Else it would be created.
    if mode == OpenMode::ReadWrite && !dir.is_dir() {
        return Err(OpenError::Missing { dir }.into());
    }
    Ok(open_journal(Engine::default(), &dir, expected(kind), mode)?)
}

/// A position as the API has it.
fn position(position: &Position) -> Value {
    json::to_value(&position_to_proto(position))
}
