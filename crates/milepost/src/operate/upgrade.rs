//! Whether this version may open a data directory: before an upgrade, and before a downgrade.
//!
//! Invariant: writes nothing and reads no entry, so that it is quick and may run beside the server of another
//! version. Whether the journals are whole is for `journal verify`.

use std::fs;
use std::path::Path;

use clap::Subcommand;
use milepost_ledger::journal::disk::{Disk, SystemDisk};
use milepost_ledger::journal::file::{FileOptions, Formats, OpenError, formats};
use milepost_service::ledger::{dir, journal_dir};
use milepost_types::LedgerKind;
use serde_json::json;

use super::{Data, Outcome, say};
use crate::error::{BoxError, Error};
use crate::output::{Format, note, print};

/// What to do before an upgrade.
#[derive(Debug, Subcommand)]
pub enum UpgradeCommand {
    /// Checks that this version may open every journal, and that there is room to rebuild the stores
    ///
    /// Exit code 0: this version can be started on the data, or there is none yet. 5: a journal is for a
    /// newer version, or there is too little room. 1: a journal cannot be read. Run it with the new version
    /// before an upgrade, and with the old one before a downgrade.
    Check(Data),
}

/// Checks a data directory, and prints what it found of each ledger.
///
/// # Errors
/// Which ledgers this version may not open or cannot read, or how much room is missing.
pub fn upgrade(UpgradeCommand::Check(data): UpgradeCommand, format: Format) -> Result<(), Error> {
    let data_dir = &data.data_dir;
    if !data_dir.try_exists().map_err(Error::read(data_dir))? {
        let message = "is not there; give the servers' directory with --data-dir, or make it if it is new";
        return Err(Error::NotFound(format!("{} {message}", data_dir.display())));
    }
    let (mut newer, mut unreadable, mut needed) = (Vec::new(), Vec::new(), 0);
    for kind in LedgerKind::ALL {
        let journal = journal_dir(data_dir, kind);
        if !journal.try_exists().map_err(Error::read(&journal))? {
            continue;
        }
        let found = formats(&journal, &SystemDisk).map_err(BoxError::from);
        let room = rebuild_bytes(data_dir, kind).map_err(Error::read(&dir(data_dir, kind)))?;
        needed += room + FileOptions::default().segment_bytes;
        match &found {
            Ok(found) if !found.is_readable() => newer.push(kind.as_str()),
            Ok(_) => {}
            Err(_) => unreadable.push(kind.as_str()),
        }
        say(kind, found.and_then(|found| outcome(&journal, &found, room)), format)?;
    }
    if needed == 0 {
        note(&format!("{} holds no ledger yet; any version can begin there", data_dir.display()));
        return Ok(());
    }
    if !unreadable.is_empty() {
        return Err(Error::Other(format!("{} cannot be checked", unreadable.join(", ")).into()));
    }
    if !newer.is_empty() {
        let newer = newer.join(", ");
        return Err(Error::State(format!(
            "{newer} was written by a newer version, which this one must not open; nothing was changed: run \
             the version that wrote it or a later one, or restore a backup from before the upgrade with the \
             version that made it"
        )));
    }
    check_room(data_dir, needed + FileOptions::default().min_free_bytes, format)
}

/// What is said of a journal; an error if this version may not open it.
fn outcome(journal: &Path, found: &Formats, room: u64) -> Result<Outcome, BoxError> {
    let Formats { format, min_reader, segments } = *found;
    if !found.is_readable() {
        return Err(OpenError::Newer { path: journal.to_owned(), format, min_reader }.into());
    }
    let own = Formats::OWN;
    let line = format!(
        "the journal has format {format}, for readers of {min_reader} or later; this version reads {own}; \
         to rebuild the store takes about {}",
        rounded(room)
    );
    let facts = json!({
        "format": format.to_string(),
        "minReader": min_reader.to_string(),
        "reads": own.to_string(),
        "segments": segments.to_string(),
        "rebuildBytes": room.to_string(),
    });
    Ok(Outcome { lines: vec![line], facts })
}

/// Whether there is room for the stores beside the old ones, for new segments, and what stays free.
fn check_room(data_dir: &Path, needed: u64, format: Format) -> Result<(), Error> {
    let free = SystemDisk.free_bytes(data_dir).map_err(Error::read(data_dir))?;
    if format != Format::Json {
        print(&format!("room: {} are needed, {} are free\n", rounded(needed), rounded(free)))?;
    }
    if free >= needed {
        return Ok(());
    }
    Err(Error::State(format!(
        "the disk of {} has {} free, and {} may be needed while stores are rebuilt: make room, or remove the \
         stores (DATA/LEDGER/store), which are derived from the journals again",
        data_dir.display(),
        rounded(free),
        rounded(needed)
    )))
}

/// About how many bytes a rebuilt store takes beside the one that is there: as many as that one or, where
/// there is none, as the journal.
fn rebuild_bytes(data_dir: &Path, kind: LedgerKind) -> std::io::Result<u64> {
    let store = dir(data_dir, kind).join("store");
    match store.try_exists()? {
        true => bytes_under(&store),
        false => bytes_under(&journal_dir(data_dir, kind)),
    }
}

fn bytes_under(dir: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { bytes_under(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}

/// In whole MiB, rounded up.
fn rounded(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(1 << 20))
}
