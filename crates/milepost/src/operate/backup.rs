//! Backups of a stopped server, and what is done with backups: make one, verify, list, restore.
//!
//! Invariant: `verify` and `list` write nothing; `restore` makes a new directory whole or not at all, and
//! says what there is and what it chose before it begins. What a backup is, and which cut is consistent, is
//! decided in crate `backup`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{ArgGroup, Args, Subcommand};
use indicatif::ProgressBar;
use jiff::Timestamp;
use milepost_backup::{
    Backup, BackupTarget, Bounds, Chain, Chosen, Layout, LedgerSource, Manifest, Outcome, Restored, Use,
    Wanted, read_chain, restore, verify,
};
use milepost_ledger::Source;
use milepost_ledger::journal::OpenMode;
use milepost_service::ledger::journal_dir;
use milepost_service::origin::expected;
use milepost_types::{LedgerKind, Position, SystemClock};
use serde_json::{Value, json};

use super::{open, position};
use crate::cli::read::instant;
use crate::error::{Error, of_ledger};
use crate::output::table::{self, Column, Room};
use crate::output::zone::Zones;
use crate::output::{Format, Output, json, print, progress};

const AFTER_HELP: &str = "\
Targets:
  file:///a/directory, or s3://bucket/prefix: S3 takes credentials, region and endpoint from the
  standard variables AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL. The
  store must create objects only if they are absent (If-None-Match: *). One target takes the
  backups of one server, which makes them itself: serve --set backup.target=URL.

Examples:
  milepost backup run --data-dir city --target file:///var/backups/milepost
  milepost backup verify --target file:///var/backups/milepost
  milepost backup restore --target s3://backups/city --data-dir restored --at 2026-05-27T08:00:00Z
  milepost backup restore --target s3://backups/city --data-dir restored --sequence registry=1200";

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
    Restore(Restore),
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

/// A restore.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("point").args(["at", "sequence", "latest"]))]
pub struct Restore {
    /// The directory to make; it must not exist
    #[arg(long, value_name = "DIR")]
    data_dir: PathBuf,
    #[command(flatten)]
    target: Target,
    /// Up to this time: 2026-05-27T08:00:00+08:00, or 2h for that long ago
    #[arg(long, value_name = "TIME", value_parser = instant)]
    at: Option<Timestamp>,
    /// Up to this entry of a ledger; may be repeated. The others end as late as that allows
    #[arg(long, value_name = "LEDGER=N", value_parser = sequence)]
    sequence: Vec<(LedgerKind, u64)>,
    /// Up to the end of the backup, as without any of these
    #[arg(long)]
    latest: bool,
    /// As of an earlier manifest: for what was given up when a ledger was restored
    #[arg(long, value_name = "N")]
    manifest: Option<u64>,
}

fn sequence(text: &str) -> Result<(LedgerKind, u64), String> {
    let expected = || format!("{text:?} is not a ledger and a sequence, such as registry=1200");
    let (ledger, sequence) = text.split_once('=').ok_or_else(expected)?;
    let ledger = ledger.parse().map_err(|error: milepost_types::LedgerKindError| error.to_string())?;
    Ok((ledger, sequence.parse().map_err(|_| expected())?))
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
        BackupCommand::Restore(args) => bring_back(&args, format).await,
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

async fn bring_back(args: &Restore, format: Format) -> Result<(), Error> {
    let target = BackupTarget::open(&args.target.target, Use::Read)?;
    if args.data_dir.symlink_metadata().is_ok() {
        return Err(milepost_backup::Error::Exists { dir: args.data_dir.clone() }.into());
    }
    let bar = progress::bar("reading manifests", 0);
    let chain = read_chain(&target, args.manifest, |manifest, all| {
        bar.set_length(all);
        bar.set_position(manifest.number);
        Ok(())
    });
    let chain = chain.await?;
    bar.finish_and_clear();
    let say = |text: String| if format == Format::Json { Ok(()) } else { print(&text) };
    let bounds = chain.bounds();
    say(bounds.iter().map(|bounds| format!("{}: {}\n", bounds.ledger, available(bounds))).collect())?;
    let wanted = match args.at {
        Some(time) => Wanted::At(time),
        None if args.sequence.is_empty() => Wanted::Latest,
        None => Wanted::Sequences(sequences(&args.sequence)?),
    };
    let chosen = chain.choose(&target, &wanted).await?;
    say(chosen.iter().map(|chosen| format!("{}: {}\n", chosen.ledger, ends(chosen))).collect())?;
    let restored = restore_to(&target, &chain, &chosen, &args.data_dir).await?;
    if format == Format::Json {
        let facts = bounds.iter().zip(&chosen).zip(&restored);
        let object = |((bounds, chosen), restored)| json::line(&facts_of(bounds, chosen, restored));
        return print(&facts.map(object).collect::<String>());
    }
    for Restored { ledger, tail, lineage } in &restored {
        let from = lineage.parent().map_or_else(String::new, |fork| format!(", restored from {fork}"));
        print(&format!("{ledger}: {tail}{from}\n"))?;
    }
    let dir = args.data_dir.display();
    print(&format!(
        "{dir} is complete; cursors and followers up to these entries go on by themselves\n\
         serve it: milepost serve all --data-dir {dir}\n"
    ))
}

/// Restores, with a bar over the entries of all ledgers.
async fn restore_to(
    target: &BackupTarget,
    chain: &Chain,
    chosen: &[Chosen],
    dir: &Path,
) -> Result<Vec<Restored>, Error> {
    let bar: ProgressBar = progress::bar("restoring", chosen.iter().map(|chosen| chosen.sequence).sum());
    let before: BTreeMap<LedgerKind, u64> = chosen
        .iter()
        .scan(0, |sum, chosen| {
            let before = *sum;
            *sum += chosen.sequence;
            Some((chosen.ledger, before))
        })
        .collect();
    let layout = Layout { journal_dir, expected };
    let shown = bar.clone();
    let progress =
        Arc::new(move |ledger, sequence| shown.set_position(before.get(&ledger).unwrap_or(&0) + sequence));
    let restored = restore(target, chain, chosen, dir, layout, progress).await?;
    bar.finish_and_clear();
    Ok(restored)
}

/// Each ledger once.
fn sequences(given: &[(LedgerKind, u64)]) -> Result<BTreeMap<LedgerKind, u64>, Error> {
    let mut sequences = BTreeMap::new();
    for (ledger, sequence) in given {
        if sequences.insert(*ledger, *sequence).is_some() {
            return Err(Error::Usage(format!("--sequence is given twice for the {ledger}; give it once")));
        }
    }
    Ok(sequences)
}

/// What a backup has of a ledger.
fn available(bounds: &Bounds) -> String {
    match bounds.times {
        Some((from, to)) => format!("the backup has entries 1 to {}, times {from} to {to}", bounds.last),
        None => "the backup has no entries".to_owned(),
    }
}

/// Where a ledger ends.
fn ends(chosen: &Chosen) -> String {
    let Chosen { sequence, wanted, .. } = chosen;
    let of = chosen.time.map_or_else(String::new, |time| format!(", of {time}"));
    let ahead = match wanted == sequence {
        true => String::new(),
        false => format!("; with entry {wanted} it would be ahead of its source"),
    };
    format!("ends with entry {sequence}{of}{ahead}")
}

fn facts_of(bounds: &Bounds, chosen: &Chosen, restored: &Restored) -> Value {
    json!({
        "ledger": restored.ledger.as_str(),
        "ok": true,
        "available": {
            "entries": bounds.last.to_string(),
            "from": bounds.times.map(|(from, _)| from.to_string()),
            "to": bounds.times.map(|(_, to)| to.to_string()),
        },
        "entries": chosen.sequence.to_string(),
        "time": chosen.time.map(|time| time.to_string()),
        "tail": position(&restored.tail),
        "lineage": restored.lineage.forks().iter().map(position).collect::<Vec<_>>(),
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_and_its_sequence_are_read_and_what_is_neither_says_what_is_wrong() {
        assert_eq!(sequence("tracker=12"), Ok((LedgerKind::Tracker, 12)));
        for (text, said) in [
            ("tracker", "registry=1200"),
            ("tracker=", "registry=1200"),
            ("tracker=-1", "registry=1200"),
            ("跟踪=1", "use registry, tracker or notifier"),
        ] {
            assert!(sequence(text).unwrap_err().contains(said), "{text}");
        }
        let twice = [(LedgerKind::Tracker, 1), (LedgerKind::Tracker, 2)];
        assert!(sequences(&twice).unwrap_err().to_string().contains("twice for the tracker"));
    }
}
