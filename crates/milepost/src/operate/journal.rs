//! Journals: walk the chain, write an export, restore one.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Subcommand;
use milepost_ledger::journal::disk::{Disk, PRIVATE_FILE, SystemDisk};
use milepost_ledger::journal::file::{FileOptions, OpenError, Verified, verify};
use milepost_ledger::journal::{self, Engine, Journal, OpenMode, export};
use milepost_service::ledger::journal_dir;
use milepost_service::origin::expected;
use milepost_types::{LedgerKind, Lineage};
use serde_json::json;

use super::{Data, Ledgers, Outcome, position, say};
use crate::error::{BoxError, Error};
use crate::output::{Format, progress};

/// What to do with a journal.
#[derive(Debug, Subcommand)]
pub enum JournalCommand {
    /// Walks the hash chain of every entry of each ledger and names the first bad one; changes nothing
    Verify(Ledgers),
    /// Writes a journal to one file with a checksum; changes nothing
    Export {
        #[command(flatten)]
        data: Data,
        /// Which ledger: registry, tracker or notifier
        #[arg(long)]
        ledger: LedgerKind,
        /// The file to write, for its owner alone; it must not exist
        file: PathBuf,
    },
    /// Restores an export as a new journal, under a new log id; the ledger must not exist yet
    Import {
        #[command(flatten)]
        data: Data,
        /// Which ledger: registry, tracker or notifier
        #[arg(long)]
        ledger: LedgerKind,
        /// The export to restore
        file: PathBuf,
    },
}

/// Does it, and prints the outcome.
///
/// # Errors
/// Why it was not done, or with which ledgers something is wrong.
pub fn run(command: JournalCommand, format: Format) -> Result<(), Error> {
    match command {
        JournalCommand::Verify(ledgers) => {
            ledgers.each(format, |kind| check(&ledgers.data.data_dir, kind))?
        }
        JournalCommand::Export { data, ledger, file } => {
            say(ledger, Ok(write(&data.data_dir, ledger, &file)?), format);
        }
        JournalCommand::Import { data, ledger, file } => {
            say(ledger, Ok(restore(&data.data_dir, ledger, &file)?), format);
        }
    }
    Ok(())
}

fn check(data_dir: &Path, kind: LedgerKind) -> Result<Outcome, BoxError> {
    let bar = progress::spinner(&format!("verifying {kind}"));
    let dir = journal_dir(data_dir, kind);
    let verified = verify(&dir, expected(kind), &SystemDisk, &mut |sequence| bar.set_position(sequence));
    let Verified { tail, name, lineage, segments, bytes, torn } = verified?;
    let entries = tail.sequence;
    let mut lines =
        vec![format!("{entries} entries, {bytes} bytes in {segments} segments, chain unbroken to {tail}")];
    lines.push(match name {
        Some(name) => format!("it is named {name}"),
        None => format!(
            "it bears no name, because an older version made it; its next segment will be named {kind}"
        ),
    });
    lines.extend(lineage_lines(&lineage));
    lines.extend(torn.iter().map(|(segment, offset)| {
        format!(
            "after the last entry, in {} at byte {offset}, is a write that was never acknowledged; \
             the next start cuts it off",
            segment.display()
        )
    }));
    let facts = json!({
        "entries": entries.to_string(),
        "bytes": bytes.to_string(),
        "segments": segments.to_string(),
        "tail": position(&tail),
        "name": name.map(|name| name.to_string()),
        "lineage": lineage.forks().iter().map(position).collect::<Vec<_>>(),
        "torn": torn.map(|(segment, offset)| {
            json!({ "segment": segment.display().to_string(), "offset": offset.to_string() })
        }),
    });
    Ok(Outcome { lines, facts })
}

fn write(data_dir: &Path, kind: LedgerKind, path: &Path) -> Result<Outcome, BoxError> {
    let journal = open(data_dir, kind)?;
    // It holds all that the journal holds.
    let file = File::options().write(true).create_new(true).mode(PRIVATE_FILE).open(path);
    let mut out = BufWriter::new(file.map_err(|error| format!("{}: {error}", path.display()))?);
    let bar = progress::bar("exporting", journal.info().tail.sequence);
    let exported = export::export(&*journal, &mut out, &mut |sequence| bar.set_position(sequence))
        .map_err(BoxError::from)
        .and_then(|exported| {
            out.flush()?;
            out.get_ref().sync_all()?;
            Ok(exported)
        });
    let export::Exported { tail, bytes } = exported.inspect_err(|_| {
        // A half export is no export; the fault that made it so counts more than one in removing it.
        let _ = std::fs::remove_file(path);
    })?;
    let facts = json!({
        "file": path.display().to_string(),
        "entries": tail.sequence.to_string(),
        "bytes": bytes.to_string(),
        "tail": position(&tail),
    });
    Ok(Outcome { lines: vec![format!("{} entries, {bytes} bytes, to {tail}", tail.sequence)], facts })
}

fn restore(data_dir: &Path, kind: LedgerKind, path: &Path) -> Result<Outcome, BoxError> {
    let mut file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let dir = journal_dir(data_dir, kind);
    if let Some(above) = dir.parent() {
        SystemDisk.create_dir_all(above).map_err(|error| format!("{}: {error}", above.display()))?;
    }
    let bar = progress::spinner("restoring");
    let (disk, options) = (Arc::new(SystemDisk), FileOptions::default());
    let progress = &mut |sequence| bar.set_position(sequence);
    let imported = export::import(&mut file, &dir, expected(kind), options, disk, progress);
    let export::Imported { tail, name, lineage } = imported?;
    let named = match name {
        Some(name) => format!("the export is named {name}"),
        None => "the export bears no name, because an older version made it".to_owned(),
    };
    let mut lines = vec![format!("restored to {tail}"), named];
    lines.extend(lineage_lines(&lineage));
    lines.push(format!(
        "followers and cursors of {} up to sequence {} go on by themselves; a follower that had come \
         further stands still, and its service is not ready, until `milepost follower reset` says where it goes on",
        lineage.parent().map_or_else(String::new, |parent| parent.log.to_string()),
        tail.sequence
    ));
    let facts = json!({
        "file": path.display().to_string(),
        "entries": tail.sequence.to_string(),
        "tail": position(&tail),
        "name": name.map(|name| name.to_string()),
        "lineage": lineage.forks().iter().map(position).collect::<Vec<_>>(),
    });
    Ok(Outcome { lines, facts })
}

/// What a log was restored from, the nearest first.
fn lineage_lines(lineage: &Lineage) -> impl Iterator<Item = String> {
    let before = std::iter::once("").chain(std::iter::repeat("which was "));
    before.zip(lineage.forks()).map(|(before, fork)| format!("{before}restored from {fork}"))
}

/// A ledger's journal, to read.
pub(super) fn open(data_dir: &Path, kind: LedgerKind) -> Result<Arc<dyn Journal>, BoxError> {
    let dir = journal_dir(data_dir, kind);
    Ok(journal::open(Engine::default(), &dir, expected(kind), OpenMode::ReadOnly)?)
}

/// A ledger's journal that nothing else may use meanwhile: its server must not run.
pub(super) fn open_alone(data_dir: &Path, kind: LedgerKind) -> Result<Arc<dyn Journal>, BoxError> {
    let dir = journal_dir(data_dir, kind);
    if !dir.is_dir() {
        return Err(OpenError::Missing { dir }.into());
    }
    Ok(journal::open(Engine::default(), &dir, expected(kind), OpenMode::ReadWrite)?)
}
