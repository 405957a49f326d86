//! Journals: walk the chain, write an export, restore one.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Subcommand;
use milepost_ledger::journal::disk::{Disk, PRIVATE_FILE, SystemDisk};
use milepost_ledger::journal::file::{FileOptions, verify};
use milepost_ledger::journal::{self, Engine, Journal, OpenMode, export};
use milepost_service::ledger::journal_dir;
use milepost_service::origin::expected;
use milepost_types::{LedgerKind, Lineage};

use super::{Data, Ledgers, finish, say};
use crate::error::BoxError;
use crate::output::progress;

/// What to do with a journal.
#[derive(Debug, Subcommand)]
pub enum JournalCommand {
    /// Walks the hash chain of every entry of each ledger and names the first bad one; changes nothing
    Verify(Verify),
    /// Writes a journal to one file with a checksum; changes nothing
    Export(Export),
    /// Restores an export as a new journal, under a new log id; the ledger must not exist yet
    Import(Import),
}

#[derive(Debug, clap::Args)]
pub struct Verify {
    #[command(flatten)]
    ledgers: Ledgers,
}

#[derive(Debug, clap::Args)]
pub struct Export {
    #[command(flatten)]
    pub(super) data: Data,
    /// Which ledger: registry, tracker or notifier
    #[arg(long)]
    pub(super) ledger: LedgerKind,
    /// The file to write, for its owner alone; it must not exist
    pub(super) file: PathBuf,
}

#[derive(Debug, clap::Args)]
pub struct Import {
    #[command(flatten)]
    pub(super) data: Data,
    /// Which ledger: registry, tracker or notifier
    #[arg(long)]
    pub(super) ledger: LedgerKind,
    /// The export to restore
    pub(super) file: PathBuf,
}

/// Does it.
pub async fn run(command: JournalCommand) -> ExitCode {
    match command {
        JournalCommand::Verify(args) => finish(move || check(&args.ledgers)).await,
        JournalCommand::Export(args) => finish(move || write(&args)).await,
        JournalCommand::Import(args) => finish(move || restore(&args)).await,
    }
}

pub(super) fn check(ledgers: &Ledgers) -> Result<(), BoxError> {
    ledgers.each(|kind| {
        let bar = progress::spinner(&format!("verifying {kind}"));
        let dir = journal_dir(&ledgers.data.data_dir, kind);
        let verified = verify(&dir, expected(kind), &SystemDisk, &mut |sequence| bar.set_position(sequence));
        bar.finish_and_clear();
        let verified = verified?;
        say(&format!(
            "{kind}: {} entries, {} bytes in {} segments, chain unbroken to {}",
            verified.tail.sequence, verified.bytes, verified.segments, verified.tail
        ));
        match verified.name {
            Some(name) => say(&format!("{kind}: it is named {name}")),
            None => say(&format!(
                "{kind}: it bears no name, because an older version made it; its next segment will be named {kind}"
            )),
        }
        tell_lineage(kind, &verified.lineage);
        if let Some((segment, offset)) = verified.torn {
            say(&format!(
                "{kind}: after the last entry, in {} at byte {offset}, is a write that was never acknowledged; the next start cuts it off",
                segment.display()
            ));
        }
        Ok(())
    })
}

pub(super) fn write(args: &Export) -> Result<(), BoxError> {
    let journal = open(&args.data.data_dir, args.ledger)?;
    // It holds all that the journal holds.
    let file = File::options().write(true).create_new(true).mode(PRIVATE_FILE).open(&args.file);
    let file = file.map_err(|error| format!("{}: {error}", args.file.display()))?;
    let mut out = BufWriter::new(file);
    let bar = progress::bar("exporting", journal.info().tail.sequence);
    let exported = export::export(&*journal, &mut out, &mut |sequence| bar.set_position(sequence))
        .map_err(BoxError::from)
        .and_then(|exported| {
            out.flush()?;
            out.get_ref().sync_all()?;
            Ok(exported)
        });
    bar.finish_and_clear();
    match exported {
        Ok(exported) => {
            say(&format!(
                "{}: {} entries, {} bytes, to {}",
                args.ledger, exported.tail.sequence, exported.bytes, exported.tail
            ));
            Ok(())
        }
        Err(error) => {
            // A half export is no export; the fault that made it so counts more than one in removing it.
            let _ = std::fs::remove_file(&args.file);
            Err(error)
        }
    }
}

pub(super) fn restore(args: &Import) -> Result<(), BoxError> {
    let mut file = File::open(&args.file).map_err(|error| format!("{}: {error}", args.file.display()))?;
    let dir = journal_dir(&args.data.data_dir, args.ledger);
    if let Some(above) = dir.parent() {
        SystemDisk.create_dir_all(above).map_err(|error| format!("{}: {error}", above.display()))?;
    }
    let bar = progress::spinner("restoring");
    let disk = Arc::new(SystemDisk);
    let (ledger, options) = (args.ledger, FileOptions::default());
    let imported = export::import(&mut file, &dir, expected(ledger), options, disk, &mut |sequence| {
        bar.set_position(sequence)
    });
    bar.finish_and_clear();
    let imported = imported?;
    say(&format!("{ledger}: restored to {}", imported.tail));
    match imported.name {
        Some(name) => say(&format!("{ledger}: the export is named {name}")),
        None => say(&format!("{ledger}: the export bears no name, because an older version made it")),
    }
    tell_lineage(ledger, &imported.lineage);
    say(&format!(
        "followers and cursors of {} up to sequence {} go on by themselves; a follower that had come further stands \
         still, and its service is not ready, until `milepost follower reset` says where it goes on",
        imported.lineage.parent().map_or_else(String::new, |parent| parent.log.to_string()),
        imported.tail.sequence
    ));
    Ok(())
}

/// Tells what a log was restored from, the nearest first.
fn tell_lineage(kind: LedgerKind, lineage: &Lineage) {
    for (index, fork) in lineage.forks().iter().enumerate() {
        let before = if index == 0 { "restored from" } else { "which was restored from" };
        say(&format!("{kind}: {before} {fork}"));
    }
}

/// A ledger's journal, to read.
pub(super) fn open(data_dir: &Path, kind: LedgerKind) -> Result<Arc<dyn Journal>, BoxError> {
    let dir = journal_dir(data_dir, kind);
    Ok(journal::open(Engine::default(), &dir, expected(kind), OpenMode::ReadOnly)?)
}

/// A ledger's journal that nobody else may use meanwhile: its server must not run.
pub(super) fn open_alone(data_dir: &Path, kind: LedgerKind) -> Result<Arc<dyn Journal>, BoxError> {
    let dir = journal_dir(data_dir, kind);
    if !dir.is_dir() {
        return Err(format!("{} holds no journal", dir.display()).into());
    }
    Ok(journal::open(Engine::default(), &dir, expected(kind), OpenMode::ReadWrite)?)
}
