//! What a restore must not undo: grants, API tokens and service accounts that were revoked after the entry with which
//! the registry is to end.
//!
//! Invariant: what any log of the registry says was revoked counts, also one that was given up, or one that took the place
//! of the restored one; but only of the resource that it says it of, not of another one of the same name. Nothing is
//! written here: what is revoked again is an entry that the registry makes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use milepost_backup::{BackupTarget, Chain, Chosen, LogBackup, read_chain, read_entries};
use milepost_ledger::Entry;
use milepost_ledger::journal::StoredEntry;
use milepost_proto::event::v1::Event;
use milepost_proto::event::v1::event::Resource;
use milepost_service::access::table::is_event_of_access;
use milepost_types::{LedgerKind, LogId, Position};
use prost::Message;

use crate::error::Error;

/// What the backup says of the registry after the entry with which that is to end.
#[derive(Default)]
pub(super) struct Later {
    /// What was revoked, and is in force at that entry.
    pub(super) revoked: Vec<String>,
    /// When the last backup was made, and where the registry stood: what was revoked after that is not known to it.
    pub(super) known_until: Option<(Timestamp, Position)>,
}

impl Later {
    /// Reads what was revoked in any log of the registry: it stays revoked, or tokens and grants would live again that
    /// somebody had ended. A chain up to a manifest does not have what came after that.
    ///
    /// # Errors
    /// If a manifest or a range cannot be read: then it is not known.
    pub(super) async fn read(
        target: &BackupTarget,
        chain: &Chain,
        chosen: &[Chosen],
        is_up_to_manifest: bool,
    ) -> Result<Self, Error> {
        let whole = if is_up_to_manifest { &read_chain(target, None, |_, _| Ok(())).await? } else { chain };
        let registry = LedgerKind::Registry;
        let end = chosen.iter().find(|chosen| chosen.ledger == registry).map(|chosen| chosen.sequence);
        let Some((log, end)) = chain.ledgers.get(&registry).zip(end) else { return Ok(Self::default()) };
        let stands = whole.ledgers.get(&registry).map(LogBackup::position);
        let revoked = revoked_later(target, whole, log, end).await?;
        Ok(Self { revoked, known_until: whole.time.zip(stands) })
    }
}

/// What any log of the registry says was revoked that the restored one, `log` up to `end`, has in force.
async fn revoked_later(
    target: &BackupTarget,
    whole: &Chain,
    log: &LogBackup,
    end: u64,
) -> Result<Vec<String>, Error> {
    let registry = LedgerKind::Registry;
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
