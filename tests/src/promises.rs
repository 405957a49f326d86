//! What was acknowledged against what is there.

use std::collections::{BTreeMap, HashMap};

use milepost_client::Client;
use milepost_proto::event::v1::Event;
use milepost_types::LedgerKind;

use crate::history::{self, SourceEntry, by_request_id, latest};
use crate::load::Sent;
use crate::resource::{Resource, rows};

/// Everything that happened in an office, once its followers are at the ends of their sources.
#[derive(Debug)]
pub struct Record {
    /// The registry's journal.
    pub registry: Vec<SourceEntry>,
    /// The tracker's journal.
    pub tracker: Vec<SourceEntry>,
    /// The notifier's log, bookkeeping included.
    pub log: Vec<Event>,
}

impl Record {
    /// Reads it all.
    ///
    /// # Panics
    /// If it cannot be read.
    pub async fn read(client: &Client) -> Self {
        history::settled(client).await;
        Self {
            registry: history::journal(client, LedgerKind::Registry).await,
            tracker: history::journal(client, LedgerKind::Tracker).await,
            log: history::events(client, history::everything()).await,
        }
    }

    /// The log is what the streams promise; see `history`.
    ///
    /// # Panics
    /// If it is not.
    pub fn assert_streams(&self) {
        let sources = [(LedgerKind::Registry, &self.registry[..]), (LedgerKind::Tracker, &self.tracker[..])];
        history::assert_exactly_once(&self.log, &sources);
        history::assert_causes_first(&self.log, &self.tracker);
    }

    /// Every acknowledged command is there with one entry, which holds what was answered; one of which
    /// nothing was heard has one entry or none, whole.
    ///
    /// # Panics
    /// If not.
    pub fn assert_kept(&self, sent: &[Sent]) {
        let entries = by_request_id(&self.log);
        let mut events: HashMap<(&str, u64), Vec<&Event>> = HashMap::new();
        for event in &self.log {
            events.entry((&event.source, event.sequence)).or_default().push(event);
        }
        for Sent { command, outcome } in sent {
            let id = command.request_id();
            let source = command.ledger().as_str();
            let sequences = entries.get(&(source, id)).map_or(&[][..], Vec::as_slice);
            let Some(outcome) = outcome else {
                assert!(sequences.len() <= 1, "{id}, of which nothing was heard, was done at {sequences:?}");
                continue;
            };
            let [sequence] = sequences else {
                panic!("{id} was acknowledged once and is there at {sequences:?}: {command:?}");
            };
            let found: BTreeMap<_, _> = events[&(source, *sequence)]
                .iter()
                .filter_map(|event| Resource::of_event(event))
                .map(|resource| (resource.name().to_owned(), resource))
                .collect();
            assert_eq!(found.len(), outcome.resources.len(), "{id} did more or less than was answered");
            for resource in &outcome.resources {
                assert_eq!(found.get(resource.name()), Some(resource), "{id} is not what was answered");
                assert_eq!(resource.sequence(), *sequence, "{id} has another sequence than was answered");
            }
        }
    }

    /// What the services list is the last state of each resource in the log.
    ///
    /// # Panics
    /// If it is not.
    pub async fn assert_rows(&self, client: &Client) {
        let (rows, mut logged) = (rows(client).await, latest(&self.log));
        logged.retain(|_, resource| !matches!(resource, Resource::Batch(_) | Resource::Phase(_)));
        for (name, resource) in &logged {
            assert_eq!(rows.get(name), Some(resource), "{name} is not as in the log");
        }
        assert_eq!(rows.len(), logged.len(), "there are resources that no event is about");
    }
}
