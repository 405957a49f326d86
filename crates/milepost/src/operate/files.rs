//! The files of ledgers. Journals: walk the chain, write an export, restore one. Stores: check one against its
//! checkpoint, or rebuild it from its journal.
//!
//! Invariant: an export that fails leaves no file; what only looks changes nothing. Does not repair damage.

use std::fs::File;
use std::io::{BufWriter, ErrorKind, IntoInnerError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use milepost_ledger::journal::disk::{Disk, SystemDisk};
use milepost_ledger::journal::file::{FileOptions, Verified, verify};
use milepost_ledger::journal::{OpenMode, export};
use milepost_ledger::{Digest, Error as LedgerError, Options, StoreError, check_store};
use milepost_service::ledger::{dir, journal_dir};
use milepost_service::origin::expected;
use milepost_types::{LedgerKind, LedgerName, Lineage, Position};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Data, Ledgers, Outcome, open, position, say};
use crate::error::{BoxError, Cause, Error, chain};
use crate::output::{Format, progress};

/// What to do with a journal.
#[derive(Debug, Subcommand)]
pub enum JournalCommand {
    /// Walks the hash chain of every entry of each ledger and names the first bad one; changes nothing
    Verify(Ledgers),
    /// Writes a journal to one new file with a checksum, for its owner alone; changes nothing
    Export(Export),
    /// Restores an export as a new journal, under a new log id; the ledger must not exist yet
    Import(Export),
}

/// An export of a journal.
#[derive(Debug, Args)]
pub struct Export {
    #[command(flatten)]
    data: Data,
    /// Which ledger: registry, tracker or notifier
    #[arg(long)]
    ledger: LedgerKind,
    /// The file of the export
    file: PathBuf,
}

/// Does what is asked with journals, and prints the outcome.
///
/// # Errors
/// Why it was not done, or with which ledgers something is wrong.
pub fn journal(command: JournalCommand, format: Format) -> Result<(), Error> {
    let (ledger, outcome) = match command {
        JournalCommand::Verify(ledgers) => return ledgers.each(format, walk),
        JournalCommand::Export(export) => (export.ledger, write(&export)?),
        JournalCommand::Import(export) => (export.ledger, restore(&export)?),
    };
    say(ledger, Ok(outcome), format)
}

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

/// Does what is asked with stores, and prints the outcome.
///
/// # Errors
/// With which ledgers something is wrong.
pub fn store(command: StoreCommand, format: Format) -> Result<(), Error> {
    match command {
        StoreCommand::Check { ledgers, scratch } => {
            let scratch = scratch.unwrap_or_else(std::env::temp_dir);
            ledgers.each(format, |data_dir, kind| check(data_dir, kind, &scratch).map(outcome))
        }
        StoreCommand::Rebuild(ledgers) => {
            ledgers.each(format, |data_dir, kind| rebuild(data_dir, kind).map(Some).map(outcome))
        }
    }
}

fn walk(data_dir: &Path, kind: LedgerKind) -> Result<Outcome, BoxError> {
    let bar = progress::spinner(&format!("verifying {kind}"));
    let (dir, progress) = (journal_dir(data_dir, kind), &mut |sequence| bar.set_position(sequence));
    let Verified { tail, name, lineage, segments, bytes, torn } =
        verify(&dir, expected(kind), &SystemDisk, progress)?;
    let entries = tail.sequence;
    let walked = format!("{entries} entries, {bytes} bytes in {segments} segments, chain unbroken to {tail}");
    let mut outcome = describe(walked, &tail, ("it", name), &lineage);
    outcome.facts["bytes"] = json!(bytes.to_string());
    outcome.facts["segments"] = json!(segments.to_string());
    outcome.facts["torn"] = Value::Null;
    if let Some((segment, offset)) = torn {
        let segment = segment.display().to_string();
        outcome.lines.push(format!(
            "after the last entry, in {segment} at byte {offset}, is a write that was never acknowledged; \
             the next start cuts it off"
        ));
        outcome.facts["torn"] = json!({ "segment": segment, "offset": offset.to_string() });
    }
    Ok(outcome)
}

fn write(Export { data, ledger, file: path }: &Export) -> Result<Outcome, BoxError> {
    let journal = open(&data.data_dir, *ledger, OpenMode::ReadOnly)?;
    if path.symlink_metadata().is_ok() {
        return Err(Error::write(path)(ErrorKind::AlreadyExists.into()).into());
    }
    let dir = path.parent().filter(|dir| *dir != Path::new("")).unwrap_or(Path::new("."));
    // Beside it, for its owner alone: a half export is no export, whatever ends this.
    let half = tempfile::Builder::new().prefix(".export-").tempfile_in(dir).map_err(Error::write(path))?;
    let mut out = BufWriter::new(half);
    let bar = progress::bar("exporting", journal.info().tail.sequence);
    let exported = export::export(&*journal, &mut out, &mut |sequence| bar.set_position(sequence))?;
    let half = out.into_inner().map_err(IntoInnerError::into_error)?;
    half.as_file().sync_all()?;
    half.persist_noclobber(path).map_err(|error| Error::write(path)(error.error))?;
    File::open(dir)?.sync_all()?;
    let export::Exported { tail, bytes } = exported;
    let facts = json!({
        "file": path.display().to_string(),
        "entries": tail.sequence.to_string(),
        "bytes": bytes.to_string(),
        "tail": position(&tail),
    });
    Ok(Outcome { lines: vec![format!("{} entries, {bytes} bytes, to {tail}", tail.sequence)], facts })
}

fn restore(Export { data, ledger, file: path }: &Export) -> Result<Outcome, BoxError> {
    let mut file = File::open(path).map_err(Error::read(path))?;
    let dir = journal_dir(&data.data_dir, *ledger);
    if let Some(above) = dir.parent() {
        SystemDisk.create_dir_all(above).map_err(Error::write(above))?;
    }
    let bar = progress::spinner("restoring");
    let (disk, options) = (Arc::new(SystemDisk), FileOptions::default());
    let progress = &mut |sequence| bar.set_position(sequence);
    let imported = export::import(&mut file, &dir, expected(*ledger), options, disk, progress)?;
    let export::Imported { tail, name, lineage } = imported;
    let mut outcome = describe(format!("restored to {tail}"), &tail, ("the export", name), &lineage);
    outcome.lines.push(format!(
        "followers and cursors of {} up to sequence {} go on by themselves; a follower that had come \
         further stands still, and its service is not ready, until `milepost follower reset` says where it goes on",
        lineage.parent().map_or_else(String::new, |parent| parent.log.to_string()),
        tail.sequence
    ));
    outcome.facts["file"] = json!(path.display().to_string());
    Ok(outcome)
}

/// What is said of a whole journal: what was done with it, its name or that of its export, and the logs that
/// it was restored from, the nearest first.
fn describe(
    done: String,
    tail: &Position,
    (bearer, name): (&str, Option<LedgerName>),
    lineage: &Lineage,
) -> Outcome {
    // One that is another ledger's is refused, so a name says nothing new.
    let unnamed = name.is_none().then(|| format!("{bearer} bears no name, because an older version made it"));
    let before = std::iter::once("").chain(std::iter::repeat("which was "));
    let forks = before.zip(lineage.forks()).map(|(before, fork)| format!("{before}restored from {fork}"));
    let facts = json!({
        "entries": tail.sequence.to_string(),
        "tail": position(tail),
        "name": name.map(|name| name.to_string()),
        "lineage": lineage.forks().iter().map(position).collect::<Vec<_>>(),
    });
    Outcome { lines: std::iter::once(done).chain(unnamed).chain(forks).collect(), facts }
}

/// The same of a store that was checked and of one that was rebuilt, so that they can be compared.
fn outcome(store: Option<(Position, Digest)>) -> Outcome {
    let Some((at, digest)) = store else {
        let line = "empty; the next start derives it from the journal".to_owned();
        return Outcome { lines: vec![line], facts: json!({ "empty": true }) };
    };
    let facts = json!({
        "empty": false,
        "rows": digest.rows.to_string(),
        "digest": format!("{:032x}", digest.sum),
        "position": position(&at),
    });
    Outcome { lines: vec![format!("{digest}, at {at}")], facts }
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
