//! Offline commands of operators: for journals, stores and followers of a stopped server.
//!
//! Invariant: a command writes only to what it could read completely; a command that fails for a ledger has not
//! changed it. They work on the files, so the server of the same data directory must be stopped,
//! but for `verify` and `export`. Those two and `check` only read: the data directory may be
//! read-only. All ledgers are processed, even if one fails.

mod follower;
mod journal;
mod store;

use std::io;
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
use crate::output::json;
use crate::output::{Format, note, print};

pub use follower::{FollowerCommand, run as follower};
pub use journal::{JournalCommand, run as journal};
pub use store::{StoreCommand, run as store};

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
    /// Those that are there, or the one that was asked for.
    fn present(&self) -> Result<Vec<LedgerKind>, BoxError> {
        if let Some(kind) = self.ledger {
            return Ok(vec![kind]);
        }
        let mut present = Vec::new();
        for kind in LedgerKind::ALL {
            let dir = journal_dir(&self.data.data_dir, kind);
            // One that cannot be looked at is not one that is not there.
            if dir.try_exists().map_err(of_path(&dir))? {
                present.push(kind);
            }
        }
        if present.is_empty() {
            let dir = self.data.data_dir.display();
            return Err(format!("{dir} holds no ledger; give the servers' directory with --data-dir").into());
        }
        Ok(present)
    }

    /// Runs an operation on each in the data directory; reports how it went at once and continues with the
    /// next.
    ///
    /// # Errors
    /// Names those with which something went wrong.
    fn each(
        &self,
        format: Format,
        act: impl Fn(&Path, LedgerKind) -> Result<Outcome, BoxError>,
    ) -> Result<(), Error> {
        let present = self.present()?;
        let run = |kind: &LedgerKind| {
            let done = act(&self.data.data_dir, *kind);
            let failed = done.is_err().then_some(kind.as_str());
            say(*kind, done, format);
            failed
        };
        let failed: Vec<&str> = present.iter().filter_map(run).collect();
        if failed.is_empty() {
            return Ok(());
        }
        let failed = format!("{} of {} ledgers failed: {}", failed.len(), present.len(), failed.join(", "));
        Err(Error::Other(failed.into()))
    }
}

/// What a command did with a ledger, or found of it.
struct Outcome {
    /// For people, without the ledger's name.
    lines: Vec<String>,
    /// For programs, an object; numbers of 64 bits are texts.
    facts: Value,
}

/// Prints how it went with a ledger: lines, or one object on a line. A closed standard output ends nothing: the
/// exit code is enough.
fn say(ledger: LedgerKind, done: Result<Outcome, BoxError>, format: Format) {
    let text = match (format, done) {
        (Format::Json, done) => {
            let mut object = json!({ "ledger": ledger.as_str(), "ok": done.is_ok() });
            let facts =
                done.map_or_else(|error| json!({ "fault": of_ledger(&*error) }), |outcome| outcome.facts);
            if let Value::Object(facts) = facts {
                facts.into_iter().for_each(|(key, fact)| object[key] = fact);
            }
            json::line(&object)
        }
        (_, Ok(outcome)) => outcome.lines.iter().map(|line| format!("{ledger}: {line}\n")).collect(),
        (_, Err(error)) => return note(&format!("error: {ledger}: {}", chain(&*error))),
    };
    let _ = print(&text);
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

/// The error of a path, with its name.
fn of_path(path: &Path) -> impl Fn(io::Error) -> String {
    move |error| format!("{}: {error}", path.display())
}

/// A position as the API has it.
fn position(position: &Position) -> Value {
    json::to_value(&position_to_proto(position))
}
