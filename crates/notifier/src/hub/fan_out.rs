//! A hub with many watchers and one publisher, as benches drive it. Nothing else uses it.

use std::sync::Arc;
use std::task::Waker;

use bytes::Bytes;
use jiff::Timestamp;
use milepost_ledger::{Actor, CommandId, Entry};
use milepost_proto::event::v1::Event;
use milepost_types::{Cursor, Hash, LogId, Position};
use prost::Message;

use super::{Bounds, Hub, Membership, Taken};
use crate::log::LoggedEntry;
use crate::metrics::Metrics;
use crate::selection::Selection;

const LOG: LogId = LogId::from_bytes([7; 16]);
const PORTFOLIO: &str = "portfolios/wsc";

/// Watchers that take what is published.
pub struct FanOut {
    hub: Hub,
    watchers: Vec<(Membership, Cursor)>,
    event: Bytes,
    published: u64,
}

impl FanOut {
    /// So many watchers: of everything, or each of a project of its own, of which one is written to.
    pub fn new(watchers: usize, apart: bool) -> Self {
        let start = Position::start(LOG);
        let hub = Hub::new(start, Bounds { bytes: 1 << 20, references: 1 << 20 }, Metrics::default());
        let selection = |number: usize| {
            let resource = if apart { format!("{PORTFOLIO}/projects/x{number}") } else { String::new() };
            Selection::new(&resource, &[], "").unwrap_or_else(|_| Selection::all())
        };
        let join = |number| (hub.join(&selection(number)), Cursor::after(start));
        let watchers = (0..watchers).map(join).collect();
        let event = Event {
            event_id: format!("{LOG}/1/0"),
            source: "tracker".into(),
            subject: format!("{PORTFOLIO}/projects/x0/milestones/opening"),
            portfolio: PORTFOLIO.into(),
            project: format!("{PORTFOLIO}/projects/x0"),
            r#type: "milepost.milestone.reforecast".into(),
            traceparent: "t".repeat(200),
            ..Event::default()
        };
        Self { hub, watchers, event: event.encode_to_vec().into(), published: 0 }
    }

    /// Publishes one event and lets every watcher take what there is for it; how many events they took.
    pub fn round(&mut self) -> usize {
        self.published += 1;
        let entry = Entry {
            sequence: self.published,
            commit_time: Timestamp::UNIX_EPOCH,
            actor: Actor::default(),
            command_id: CommandId::Server(String::new()),
            decided_on: Vec::new(),
            portfolio: String::new(),
            events: vec![self.event.clone()],
        };
        let Ok(entry) = LoggedEntry::new(LOG, entry.encode(&Hash::ZERO)) else { return 0 };
        self.hub.publish(&[Arc::new(entry)]);
        let mut count = 0;
        for (membership, at) in &mut self.watchers {
            match membership.take(at, 256, 64 << 10, Waker::noop()) {
                Taken::Events { events, cursor } => {
                    count += events.len();
                    *at = cursor;
                }
                Taken::Reset { cursor, .. } | Taken::Nothing(cursor) => *at = cursor,
                Taken::Behind => {}
            }
        }
        count
    }
}
