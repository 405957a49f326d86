//! `backup restore`: a data directory made from a backup.
//!
//! Invariant: the new directory appears whole or not at all. What there is and what was chosen is said before
//! anything is written. What was revoked after the cut stays revoked, or nothing is restored, unless that is to be
//! forgotten. Which cut is consistent is decided in crate
//! `backup`, not here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{ArgGroup, Args};
use indicatif::ProgressBar;
use jiff::Timestamp;
use milepost_backup::{BackupTarget, Bounds, Chain, Chosen, Layout, Restored, Use, Wanted, read_chain};
use milepost_service::config::server::Server;
use milepost_service::host::ServiceContext;
use milepost_service::ledger::journal_dir;
use milepost_service::origin::expected;
use milepost_types::{LedgerKind, Position};
use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::super::position;
use super::Target;
use super::revocations::Later;
use crate::cli::read::instant;
use crate::error::Error;
use crate::output::{Format, json, print, progress};

/// A restore.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("point").args(["at", "sequence"]))]
pub struct Restore {
    /// The directory to make; it must not exist
    #[arg(long, value_name = "DIR")]
    data_dir: PathBuf,
    #[command(flatten)]
    target: Target,
    /// Up to this time, not to the end of the backup: 2026-05-27T08:00:00+08:00, or 2h for that long ago
    #[arg(long, value_name = "TIME", value_parser = instant)]
    at: Option<Timestamp>,
    /// Up to this entry of a ledger; may be repeated. The others end as late as that allows
    #[arg(long, value_name = "LEDGER=N", value_parser = sequence)]
    sequence: Vec<(LedgerKind, u64)>,
    /// As of an earlier manifest: for what was given up when a ledger was restored
    #[arg(long, value_name = "N")]
    manifest: Option<u64>,
    /// Although it cannot be read what was revoked later: that lives again, until it is revoked by hand
    #[arg(long)]
    forget_revocations: bool,
}

/// Restores a data directory, and prints what there was, what was chosen and what came of it.
///
/// # Errors
/// Why it was not restored; then nothing is left of it.
pub(super) async fn restore(args: &Restore, format: Format) -> Result<(), Error> {
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
    let later = match args.forget_revocations {
        true => Later::default(),
        false => Later::read(&target, &chain, &chosen, args.manifest.is_some()).await?,
    };
    let known_until = later.known_until;
    let (restored, again) = restore_to(&target, &chain, &chosen, &args.data_dir, later.revoked).await?;
    if format == Format::Json {
        let facts = bounds.iter().zip(&chosen).zip(&restored);
        let object = |((bounds, chosen), restored): ((_, _), &Restored)| {
            let mut facts = facts_of(bounds, chosen, restored);
            if restored.ledger == LedgerKind::Registry {
                facts["revokedAgain"] = json!(again);
                facts["revocationsKnownUntil"] = json!(
                    known_until
                        .map(|(time, at)| json!({ "time": time.to_string(), "position": position(&at) }))
                );
            }
            json::line(&facts)
        };
        return print(&facts.map(object).collect::<String>());
    }
    let dir = args.data_dir.display();
    let tails = restored.iter().map(tail).collect::<String>();
    let revocations = revocations(&again, known_until, args.forget_revocations);
    print(&format!(
        "{tails}{revocations}{dir} is complete; cursors and followers up to these entries go on by themselves\n\
         serve it: milepost serve all --data-dir {dir}\n"
    ))
}

/// Where a ledger stands, for people.
fn tail(Restored { ledger, tail, lineage }: &Restored) -> String {
    let from = lineage.parent().map_or_else(String::new, |fork| format!(", restored from {fork}"));
    format!("{ledger}: {tail}{from}\n")
}

/// What became of what was revoked later, for people.
fn revocations(again: &[String], known_until: Option<(Timestamp, Position)>, is_forgotten: bool) -> String {
    let again = match again {
        [] => String::new(),
        names => {
            format!("registry: revoked later, and so again in entries of their own: {}\n", names.join(", "))
        }
    };
    let known = match known_until {
        Some((time, at)) => format!(
            "registry: revocations are known up to {time}, {at}; what was revoked later must be revoked again\n"
        ),
        None if is_forgotten => {
            "registry: whatever was revoked later lives again, until it is revoked by hand\n".to_owned()
        }
        None => String::new(),
    };
    again + &known
}

/// Restores, with a bar over the entries of all ledgers; what came of it, and what was revoked again.
async fn restore_to(
    target: &BackupTarget,
    chain: &Chain,
    chosen: &[Chosen],
    dir: &Path,
    revoked: Vec<String>,
) -> Result<(Vec<Restored>, Vec<String>), Error> {
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
    let handle = Handle::current();
    let finish = move |dir: &Path| {
        if revoked.is_empty() {
            return Ok(Vec::new());
        }
        let server = Server { data_dir: dir.to_owned(), ..Server::default() };
        let context = ServiceContext::new(&server);
        handle.block_on(milepost_registry::revoke(&context, &server, &revoked))
    };
    let restored = milepost_backup::restore(target, chain, chosen, dir, layout, progress, finish).await?;
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

/// A ledger and a sequence, as in `registry=1200`.
fn sequence(text: &str) -> Result<(LedgerKind, u64), String> {
    let expected = || format!("{text:?} is not a ledger and a sequence, such as registry=1200");
    let (ledger, sequence) = text.split_once('=').ok_or_else(expected)?;
    let ledger = ledger.parse().map_err(|error: milepost_types::LedgerKindError| error.to_string())?;
    Ok((ledger, sequence.parse().map_err(|_| expected())?))
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
