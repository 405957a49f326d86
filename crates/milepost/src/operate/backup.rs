//! Backups of a stopped server, and what is done with backups: make one, verify, list, restore.
//!
//! Invariant: `verify` and `list` write nothing. `restore` has files of its own. What a backup is, and which
//! cut is consistent, is decided in crate `backup`.

mod restore;
mod revocations;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use milepost_backup::{Backup, BackupTarget, LedgerSource, Manifest, Outcome, Use, read_chain, verify};
use milepost_ledger::Source;
use milepost_ledger::journal::OpenMode;
use milepost_service::ledger::journal_dir;
use milepost_types::{LedgerKind, Position, SystemClock};
use serde_json::{Value, json};

use super::{open, position};
use crate::error::{Error, of_ledger};
use crate::output::table::{self, Column, Room};
use crate::output::zone::Zones;
use crate::output::{Format, Output, json, print, progress};

const AFTER_HELP: &str = "\
Targets:
  file:///a/directory, or s3://bucket/prefix: S3 takes credentials, region and endpoint from the
  standard variables AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL. The
  store must create objects only if they are absent (If-None-Match: *). One target takes the
  backups of one server, which makes them itself: serve --set backup.target=URL. deploy/backup.md shows each
  command at work.";

/// What to do with backups.
#[derive(Debug, Subcommand)]
#[command(after_long_help = AFTER_HELP)]
pub enum BackupCommand {
    /// Backs up what is new in the journals of a stopped server
    Run(Run),
    /// Reads everything that a target has, checks every hash, and names the first fault
    Verify(Target),
    /// Lists the manifests of a target: when each was made, and where every ledger stood
    List(Target),
    /// Makes a new data directory of all ledgers, at one point in time
    ///
    /// All ledgers are restored as one act, up to a cut in which no follower is ahead of its source. Each log
    /// gets a new id and records what it was restored from, so that cursors and followers up to there go on.
    Restore(restore::Restore),
}

/// Where backups are, and how the outcome is printed.
#[derive(Debug, Args)]
pub struct Target {
    /// Where the backups are: file:///a/directory or s3://bucket/prefix
    #[arg(long, value_name = "URL", env = "MILEPOST_BACKUP__TARGET")]
    target: String,
    /// How the outcome is printed [default: table]
    ///
    /// With json, standard output has one object on a line for each manifest (list), for each ledger
    /// (restore), or one alone, and nothing else. Numbers of 64 bits are text, positions are as in the API.
    /// Standard error has {"error": {…}} on one line if the command fails.
    #[arg(short = 'o', long, value_parser = ["table", "json"])]
    format: Option<String>,
}

/// A backup by hand.
#[derive(Debug, Args)]
pub struct Run {
    /// The directory of the journals and stores
    #[arg(long, value_name = "DIR", env = "MILEPOST_DATA_DIR", default_value = "milepost-data")]
    data_dir: PathBuf,
    #[command(flatten)]
    target: Target,
}

/// Does what is asked with backups, and prints the outcome.
///
/// # Errors
/// Why it was not done, or what is wrong with a backup.
pub async fn backup(command: BackupCommand, format: Format) -> Result<(), Error> {
    match command {
        BackupCommand::Run(args) => run(&args, format).await,
        BackupCommand::Verify(args) => check(&args, format).await,
        BackupCommand::List(args) => list(&args, format).await,
        BackupCommand::Restore(args) => restore::restore(&args, format).await,
    }
}

async fn run(args: &Run, format: Format) -> Result<(), Error> {
    let target = BackupTarget::open(&args.target.target, Use::Write)?;
    let mut ledgers = Vec::new();
    for kind in LedgerKind::ALL {
        let dir = journal_dir(&args.data_dir, kind);
        if dir.try_exists().map_err(Error::read(&dir))? {
            let journal = open(&args.data_dir, kind, OpenMode::ReadWrite)?;
            ledgers.push(LedgerSource { kind, source: Source::new(journal) });
        }
    }
    if ledgers.is_empty() {
        let dir = args.data_dir.display();
        let message = format!("{dir} holds no ledger; give the servers' directory with --data-dir");
        return Err(Error::Other(message.into()));
    }
    let bar = progress::spinner("backing up");
    let done = Backup::new(target, ledgers, Arc::new(SystemClock), env!("CARGO_PKG_VERSION")).run().await?;
    bar.finish_and_clear();
    let Outcome { manifest, is_new, entries, bytes, positions } = done;
    print(&if format == Format::Json {
        json::line(&json!({
            "ok": true,
            "manifest": manifest.to_string(),
            "new": is_new,
            "entries": entries.to_string(),
            "bytes": bytes.to_string(),
            "ledgers": stands(positions),
        }))
    } else if is_new {
        let stands = lines(positions);
        format!("manifest {manifest}: {entries} entries, {bytes} bytes compressed\n{stands}")
    } else {
        format!("nothing is new since manifest {manifest}\n{}", lines(positions))
    })
}

async fn check(args: &Target, format: Format) -> Result<(), Error> {
    let target = BackupTarget::open(&args.target, Use::Read)?;
    let bar = progress::bar("verifying", 0);
    let mut progress = |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    };
    let verified = verify(&target, &mut progress).await;
    bar.finish_and_clear();
    let (manifests, ranges, entries) = (verified.manifests, verified.ranges, verified.entries);
    let ok = verified.fault.is_none();
    print(&if format == Format::Json {
        let mut object = json!({
            "ok": ok,
            "manifests": manifests.to_string(),
            "ranges": ranges.to_string(),
            "entries": entries.to_string(),
            "bytes": verified.bytes.to_string(),
            "time": verified.time.map(|time| time.to_string()),
            "ledgers": stands(verified.positions),
        });
        if let Some(fault) = &verified.fault {
            object["fault"] = of_ledger(fault);
        }
        json::line(&object)
    } else {
        let until = if ok { "" } else { "before the first fault: " };
        let time = verified.time.map_or_else(String::new, |time| format!(", up to {time}"));
        let bytes = verified.bytes;
        let stands = lines(verified.positions);
        format!(
            "{until}{manifests} manifests, {ranges} ranges, {entries} entries, {bytes} bytes are \
             whole{time}\n{stands}"
        )
    })?;
    verified.fault.map_or(Ok(()), |fault| Err(fault.into()))
}

async fn list(args: &Target, format: Format) -> Result<(), Error> {
    let target = BackupTarget::open(&args.target, Use::Read)?;
    let mut manifests = Vec::new();
    let read = read_chain(&target, None, |manifest, _| {
        manifests.push(manifest.clone());
        Ok(())
    });
    read.await?;
    let added = |manifest: &Manifest| -> u64 {
        let ranges = manifest.ledgers.iter().flat_map(|record| &record.ranges);
        ranges.map(|range| range.last - range.first + 1).sum()
    };
    if format == Format::Json {
        let object = |manifest: &Manifest| {
            let at = manifest.ledgers.iter().map(|record| (record.ledger, record.position()));
            json::line(&json!({
                "manifest": manifest.number.to_string(),
                "time": manifest.time.to_string(),
                "software": manifest.software,
                "entries": added(manifest).to_string(),
                "ledgers": stands(at),
            }))
        };
        return print(&manifests.iter().map(object).collect::<String>());
    }
    let cells = |cell: &dyn Fn(&Manifest) -> String| {
        manifests.iter().map(|manifest| cell(manifest).into()).collect::<Vec<table::Cell>>()
    };
    let mut columns = vec![
        Column::new("MANIFEST", Room::Number, 0, cells(&|manifest| manifest.number.to_string())),
        Column::new("TIME", Room::Whole, 0, cells(&|manifest| manifest.time.to_string())),
        Column::new("ENTRIES", Room::Number, 1, cells(&|manifest| added(manifest).to_string())),
    ];
    for kind in LedgerKind::ALL {
        let stood = |manifest: &Manifest| {
            manifest.ledger(kind).map_or_else(|| "-".to_owned(), |record| record.sequence.to_string())
        };
        columns.push(Column::new(&kind.as_str().to_uppercase(), Room::Number, 0, cells(&stood)));
    }
    let output = Output::stdout(format, Zones::utc());
    print(&table::render(columns, output.columns, output.colour).text)
}

/// Where ledgers stand, for programs: sources before their followers, in whatever order a backup took them.
fn stands(positions: impl IntoIterator<Item = (LedgerKind, Position)>) -> Vec<Value> {
    let object =
        |(kind, at): (LedgerKind, Position)| json!({ "ledger": kind.as_str(), "tail": position(&at) });
    positions.into_iter().collect::<BTreeMap<_, _>>().into_iter().map(object).collect()
}

/// Where ledgers stand, for people, in the same order.
fn lines(positions: impl IntoIterator<Item = (LedgerKind, Position)>) -> String {
    let positions: BTreeMap<_, _> = positions.into_iter().collect();
    positions.into_iter().map(|(kind, at)| format!("{kind}: {at}\n")).collect()
}
