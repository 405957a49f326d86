//! `backup restore`: a data directory made from a backup.
//!
//! Invariant: the new directory appears whole or not at all. What there is and what was chosen is said before
//! anything is written. What was revoked after the cut stays revoked. Which cut is consistent is decided in crate
//! `backup`, not here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{ArgGroup, Args};
use indicatif::ProgressBar;
use jiff::Timestamp;
use milepost_backup::{
    BackupTarget, Bounds, Chain, Chosen, Layout, LogBackup, Restored, Use, Wanted, read_chain, read_entries,
};
use milepost_ledger::Entry;
use milepost_ledger::journal::StoredEntry;
use milepost_proto::event::v1::Event;
use milepost_proto::event::v1::event::Resource;
use milepost_service::access::table::is_event_of_access;
use milepost_service::config::server::Server;
use milepost_service::host::ServiceContext;
use milepost_service::ledger::journal_dir;
use milepost_service::origin::expected;
use milepost_types::{LedgerKind, LogId, Position};
use prost::Message;
use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::super::position;
use super::Target;
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
    // A chain up to a manifest does not have what came after that.
    let whole =
        if args.manifest.is_some() { &read_chain(&target, None, |_, _| Ok(())).await? } else { &chain };
    let revoked = revoked_later(&target, &chain, whole, &chosen).await?;
    let (restored, carried) = restore_to(&target, &chain, &chosen, &args.data_dir, revoked).await?;
    if format == Format::Json {
        let facts = bounds.iter().zip(&chosen).zip(&restored);
        let object = |((bounds, chosen), restored): ((_, _), &Restored)| {
            let mut facts = facts_of(bounds, chosen, restored);
            if restored.ledger == LedgerKind::Registry {
                facts["revokedAgain"] = json!(carried);
                facts["revocationsKnownUntil"] = json!({
                    "time": whole.time.map(|time| time.to_string()),
                    "position": known_until(whole).as_ref().map(position),
                });
            }
            json::line(&facts)
        };
        return print(&facts.map(object).collect::<String>());
    }
    for Restored { ledger, tail, lineage } in &restored {
        let from = lineage.parent().map_or_else(String::new, |fork| format!(", restored from {fork}"));
        print(&format!("{ledger}: {tail}{from}\n"))?;
    }
    if !carried.is_empty() {
        let all = carried.join(", ");
        print(&format!("registry: revoked later, and so again in entries of their own: {all}\n"))?;
    }
    if let (Some(time), Some(position)) = (whole.time, known_until(whole)) {
        print(&format!(
            "registry: revocations are known up to {time}, {position}; what was revoked later must be revoked again\n"
        ))?;
    }
    let dir = args.data_dir.display();
    print(&format!(
        "{dir} is complete; cursors and followers up to these entries go on by themselves\n\
         serve it: milepost serve all --data-dir {dir}\n"
    ))
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

/// What the backup says was revoked, in any log of the registry, after the entry with which that is to end or where
/// that entry's log has it not: it stays revoked, or tokens and grants would live again that somebody had ended.
async fn revoked_later(
    target: &BackupTarget,
    chain: &Chain,
    whole: &Chain,
    chosen: &[Chosen],
) -> Result<Vec<String>, Error> {
    let registry = LedgerKind::Registry;
    let end = chosen.iter().find(|chosen| chosen.ledger == registry).map(|chosen| chosen.sequence);
    let Some((log, end)) = chain.ledgers.get(&registry).zip(end) else { return Ok(Vec::new()) };
    // The last that each log says of a resource: what one revoked, no other one takes back.
    let mut last: BTreeMap<(LogId, String), Revocable> = BTreeMap::new();
    let show = |log, entry: &StoredEntry| {
        last.extend(Revocable::of_entry(entry).map(|(name, state)| ((log, name), state)));
    };
    whole.read_left_out(target, registry, (log, end), show).await?;
    let revoked = last.into_iter().filter(|(_, state)| state.is_revoked);
    let revoked: Vec<(String, Revocable)> = revoked.map(|((_, name), state)| (name, state)).collect();
    if revoked.is_empty() {
        return Ok(Vec::new());
    }
    // Another log may have given the same name to another resource.
    let mut restored: BTreeMap<String, Revocable> = BTreeMap::new();
    let show = |entry: &StoredEntry| restored.extend(Revocable::of_entry(entry));
    read_entries(target, registry, log, (0, end), show).await?;
    let is_restored = |(name, state): &(String, Revocable)| {
        restored.get(name).is_some_and(|own| !own.is_revoked && own.create_time == state.create_time)
    };
    let names: BTreeSet<_> = revoked.into_iter().filter(is_restored).map(|(name, _)| name).collect();
    Ok(names.into_iter().collect())
}

/// Where the registry stands at the end of the backup: revocations after that are not known to it.
fn known_until(whole: &Chain) -> Option<Position> {
    whole.ledgers.get(&LedgerKind::Registry).map(LogBackup::position)
}

/// What an event says of something that can be revoked.
struct Revocable {
    /// Together with the name, which one it is.
    create_time: Option<prost_types::Timestamp>,
    is_revoked: bool,
}

impl Revocable {
    /// What the events of an entry say of them, by their names.
    fn of_entry(entry: &StoredEntry) -> impl Iterator<Item = (String, Self)> {
        // What cannot be decoded is refused when it is restored or verified.
        let events = Entry::decode_events(entry).unwrap_or_default();
        let events = events.into_iter().filter_map(|event| Event::decode(event).ok());
        events.filter(|event| is_event_of_access(&event.r#type)).map(|event| {
            let is_revoked = event.r#type.ends_with(".deleted");
            let create_time = match event.resource {
                Some(Resource::GrantResource(grant)) => grant.create_time,
                Some(Resource::ServiceAccountResource(account)) => account.create_time,
                Some(Resource::ApiTokenResource(token)) => token.create_time,
                _ => None,
            };
            (event.subject, Self { create_time, is_revoked })
        })
    }
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
