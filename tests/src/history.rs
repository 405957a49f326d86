//! What happened, read back through the public API: the sources' journals, and the notifier's log.
//!
//! The checks here are the promises of the streams: each entry of each source exactly once, whole and in
//! its order; no effect before its cause.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use milepost_client::{Client, FollowOptions, Selection};
use milepost_proto::event::v1::Event;
use milepost_proto::journal::v1::{Entry, GetLedgerInfoRequest, GetLedgerInfoResponse};
use milepost_proto::notifier::v1::{GetLogInfoRequest, ListEventsRequest};
use milepost_types::{LedgerKind, Position};
use prost::Message;

use crate::resource::Resource;
use crate::wait::{until, within};

const PATIENCE: Duration = Duration::from_secs(60);

/// All events, bookkeeping included.
pub fn everything() -> Selection {
    Selection { types: vec!["milepost.*".to_owned(), "milepost.source.*".to_owned()], ..Selection::default() }
}

/// What a ledger says of itself.
///
/// # Panics
/// If it does not answer.
pub async fn info(client: &Client, ledger: LedgerKind) -> GetLedgerInfoResponse {
    let request = GetLedgerInfoRequest { ledger: ledger.to_string() };
    client.journal(ledger).get_ledger_info(request).await.expect("ledger info").into_inner()
}

/// The last sequence of a ledger.
///
/// # Panics
/// If it does not answer.
pub async fn sequence(client: &Client, ledger: LedgerKind) -> u64 {
    info(client, ledger).await.tail.map_or(0, |tail| tail.sequence)
}

/// Waits until the tracker has followed the registry, and the notifier both, to their ends.
///
/// # Panics
/// If they do not.
pub async fn settled(client: &Client) {
    until(PATIENCE, "followers at the ends of their sources", async || {
        let registry = info(client, LedgerKind::Registry).await.tail;
        let tracker = info(client, LedgerKind::Tracker).await;
        if tracker.followed.first() != registry.as_ref() {
            return Err(format!("the tracker is at {:?} of {registry:?}", tracker.followed));
        }
        let log = client.events().get_log_info(GetLogInfoRequest {}).await.expect("log info").into_inner();
        for (source, tail) in [("registry", registry), ("tracker", tracker.tail)] {
            let at = log.sources.iter().find(|progress| progress.source == source);
            let at = at.and_then(|progress| progress.position.clone());
            if at != tail && tail.as_ref().is_some_and(|tail| tail.sequence > 0) {
                return Err(format!("the notifier is at {at:?} of the {source}'s {tail:?}"));
            }
        }
        Ok(())
    })
    .await;
}

/// One entry of a source, decoded.
#[derive(Debug, Clone)]
pub struct SourceEntry {
    /// The entry.
    pub entry: Entry,
    /// Its events.
    pub events: Vec<Event>,
    /// Its place.
    pub position: Position,
}

/// All entries of a ledger's journal, up to where it ends now.
///
/// # Panics
/// If it cannot be followed.
pub async fn journal(client: &Client, ledger: LedgerKind) -> Vec<SourceEntry> {
    let end = sequence(client, ledger).await;
    let mut follower = client.follow(ledger, None, FollowOptions::default());
    let mut entries: Vec<SourceEntry> = Vec::new();
    while (entries.len() as u64) < end {
        let batch = within(PATIENCE, "entries of a journal", follower.next()).await.expect("it is followed");
        for stored in batch.entries {
            let entry = Entry::decode(stored.bytes.clone()).expect("an entry");
            let events = entry.events.iter().map(|event| Event::decode(event.clone()).expect("an event"));
            let events: Vec<_> = events.collect();
            assert!(!events.is_empty(), "entry {} of the {ledger} has no event", stored.sequence);
            let position = Position::after(batch.tail.log, stored.sequence, &stored.hash);
            entries.push(SourceEntry { entry, events, position });
        }
    }
    entries.truncate(end as usize);
    entries
}

/// The events that a selection matches, in the order of the log.
///
/// # Panics
/// If they cannot be listed.
pub async fn events(client: &Client, selection: Selection) -> Vec<Event> {
    let mut request =
        ListEventsRequest { selection: Some(selection), page_size: 1000, ..ListEventsRequest::default() };
    let mut events = Vec::new();
    loop {
        let page = client.events().list_events(request.clone()).await.expect("a page").into_inner();
        events.extend(page.events);
        if page.next_page_token.is_empty() {
            return events;
        }
        request.page_token = page.next_page_token;
    }
}

/// The log holds each entry of each source exactly once, whole, in its source's order, and nothing else.
///
/// # Panics
/// If it does not.
pub fn assert_exactly_once(log: &[Event], sources: &[(LedgerKind, &[SourceEntry])]) {
    let mut ids = HashSet::new();
    for event in log {
        assert!(ids.insert(event.event_id.as_str()), "{} is there twice", event.event_id);
    }
    for (ledger, entries) in sources {
        for (index, entry) in entries.iter().enumerate() {
            assert_eq!(entry.entry.sequence, index as u64 + 1, "a gap in the {ledger}'s journal");
        }
        let mut found = log.iter().filter(|event| event.source == ledger.as_str());
        for expected in entries.iter().flat_map(|entry| &entry.events) {
            let found = found.next().unwrap_or_else(|| panic!("{} is missing", expected.event_id));
            assert_eq!(found, expected, "an event is another one than in the {ledger}'s journal");
        }
        assert!(found.next().is_none(), "the log has more of the {ledger} than its journal");
    }
    let total: usize = sources.iter().flat_map(|(_, entries)| *entries).map(|entry| entry.events.len()).sum();
    assert_eq!(log.len(), total, "the log holds events of nobody");
    // An entry's events are not torn apart by those of another.
    let mut closed = HashSet::new();
    let mut open = ("", 0);
    for event in log {
        let entry = (event.source.as_str(), event.sequence);
        if entry != open {
            assert!(closed.insert(entry), "the events of entry {entry:?} are torn apart");
            open = entry;
        }
    }
}

/// No effect stands before its cause: neither before the event it names, nor before an entry that it was
/// decided on.
///
/// # Panics
/// If one does.
pub fn assert_causes_first(log: &[Event], tracker: &[SourceEntry]) {
    let mut seen: HashSet<&str> = HashSet::new();
    let mut reached: HashMap<&str, u64> = HashMap::new();
    let decided_on: HashMap<u64, &SourceEntry> =
        tracker.iter().map(|entry| (entry.entry.sequence, entry)).collect();
    for event in log {
        if !event.caused_by.is_empty() {
            let before = seen.contains(event.caused_by.as_str());
            assert!(before, "{} stands before its cause {}", event.event_id, event.caused_by);
        }
        if event.source == LedgerKind::Tracker.as_str() {
            for position in &decided_on[&event.sequence].entry.decided_on {
                let have = reached.get("registry").copied().unwrap_or(0);
                let id = &event.event_id;
                assert!(have >= position.sequence, "{id} was decided on {position:?}, the log is at {have}");
            }
        }
        seen.insert(&event.event_id);
        reached.insert(&event.source, event.sequence);
    }
}

/// The last resource that the log tells of each name.
pub fn latest(log: &[Event]) -> BTreeMap<String, Resource> {
    let mut latest: BTreeMap<String, Resource> = BTreeMap::new();
    for resource in log.iter().filter_map(Resource::of_event) {
        latest.insert(resource.name().to_owned(), resource);
    }
    latest
}

/// Which sequences the entries of each request id have, by source.
pub fn by_request_id(log: &[Event]) -> HashMap<(&str, &str), Vec<u64>> {
    let mut found: HashMap<(&str, &str), Vec<u64>> = HashMap::new();
    for event in log.iter().filter(|event| !event.request_id.is_empty()) {
        let sequences = found.entry((&event.source, &event.request_id)).or_default();
        if sequences.last() != Some(&event.sequence) {
            sequences.push(event.sequence);
        }
    }
    found
}
