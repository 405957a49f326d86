//! Journals: walk the chain, write an export, restore one.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use milepost_ledger::journal::disk::{Disk, PRIVATE_FILE, SystemDisk};
use milepost_ledger::journal::file::{FileOptions, Verified, verify};
use milepost_ledger::journal::{OpenMode, export};
use milepost_service::ledger::journal_dir;
use milepost_service::origin::expected;
use milepost_types::{LedgerKind, LedgerName, Lineage, Position};
use serde_json::json;
use tempfile::TempPath;

use super::{Data, Ledgers, Outcome, of_path, open, position, say};
use crate::error::{BoxError, Error};
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

/// Does it, and prints the outcome.
///
/// # Errors
/// Why it was not done, or with which ledgers something is wrong.
pub fn run(command: JournalCommand, format: Format) -> Result<(), Error> {
    let (ledger, outcome) = match command {
        JournalCommand::Verify(ledgers) => return ledgers.each(format, check),
        JournalCommand::Export(export) => (export.ledger, write(&export)?),
        JournalCommand::Import(export) => (export.ledger, restore(&export)?),
    };
    say(ledger, Ok(outcome), format);
    Ok(())
}

fn check(data_dir: &Path, kind: LedgerKind) -> Result<Outcome, BoxError> {
    let bar = progress::spinner(&format!("verifying {kind}"));
    let (dir, progress) = (journal_dir(data_dir, kind), &mut |sequence| bar.set_position(sequence));
    let verified = verify(&dir, expected(kind), &SystemDisk, progress)?;
    let Verified { tail, name, lineage, segments, bytes, torn } = verified;
    let entries = tail.sequence;
    let walked = format!("{entries} entries, {bytes} bytes in {segments} segments, chain unbroken to {tail}");
    let mut outcome = describe(walked, &tail, ("it", name), &lineage);
    if name.is_none() {
        outcome.lines.push(format!("its next segment will be named {kind}"));
    }
    outcome.lines.extend(torn.iter().map(|(segment, offset)| {
        format!(
            "after the last entry, in {} at byte {offset}, is a write that was never acknowledged; \
             the next start cuts it off",
            segment.display()
        )
    }));
    outcome.facts["bytes"] = json!(bytes.to_string());
    outcome.facts["segments"] = json!(segments.to_string());
    outcome.facts["torn"] = json!(torn.map(|(segment, offset)| {
        json!({ "segment": segment.display().to_string(), "offset": offset.to_string() })
    }));
    Ok(outcome)
}

fn write(Export { data, ledger, file: path }: &Export) -> Result<Outcome, BoxError> {
    let journal = open(&data.data_dir, *ledger, OpenMode::ReadOnly)?;
    // It holds all that the journal holds.
    let file = File::options().write(true).create_new(true).mode(PRIVATE_FILE).open(path);
    let mut out = BufWriter::new(file.map_err(of_path(path))?);
    // A half export is no export: it is removed unless it is kept.
    let half = TempPath::try_from_path(path)?;
    let bar = progress::bar("exporting", journal.info().tail.sequence);
    let exported = export::export(&*journal, &mut out, &mut |sequence| bar.set_position(sequence))?;
    out.flush()?;
    out.get_ref().sync_all()?;
    half.keep()?;
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
    let mut file = File::open(path).map_err(of_path(path))?;
    let dir = journal_dir(&data.data_dir, *ledger);
    if let Some(above) = dir.parent() {
        SystemDisk.create_dir_all(above).map_err(of_path(above))?;
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
    let named = match name {
        Some(name) => format!("{bearer} is named {name}"),
        None => format!("{bearer} bears no name, because an older version made it"),
    };
    let before = std::iter::once("").chain(std::iter::repeat("which was "));
    let forks = before.zip(lineage.forks()).map(|(before, fork)| format!("{before}restored from {fork}"));
    let facts = json!({
        "entries": tail.sequence.to_string(),
        "tail": position(tail),
        "name": name.map(|name| name.to_string()),
        "lineage": lineage.forks().iter().map(position).collect::<Vec<_>>(),
    });
    Outcome { lines: [done, named].into_iter().chain(forks).collect(), facts }
}
