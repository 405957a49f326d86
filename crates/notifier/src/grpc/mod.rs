//! `milepost.notifier.v1.EventService`: one module per call, each decode → one read → encode.

mod get_event;
mod get_log_info;
mod list_events;
mod revisions;
mod routes;
pub(crate) mod status;
mod watch_events;

use std::sync::Arc;

use milepost_ledger::Ledger;
use milepost_types::LedgerKind;

pub(crate) use self::routes::EventRoutes;
use crate::decide::Rules;
use crate::follower::Progress;
use crate::stream::Streams;

/// The logs that are followed, and their progress.
#[derive(Clone)]
pub(crate) struct Sources {
    ledger: Ledger<Rules>,
    progress: Arc<[(LedgerKind, Arc<Progress>)]>,
}

impl Sources {
    /// The sources of a ledger, in their order.
    pub(crate) fn new(ledger: Ledger<Rules>, progress: Vec<(LedgerKind, Arc<Progress>)>) -> Self {
        Self { ledger, progress: progress.into() }
    }
}

/// The state that calls share; clones share it.
#[derive(Clone)]
pub(crate) struct EventApi {
    streams: Streams,
    sources: Sources,
}

impl EventApi {
    /// The calls over a log, its hub and its sources.
    pub(crate) fn new(streams: Streams, sources: Sources) -> Self {
        Self { streams, sources }
    }

    /// The state that streams share.
    pub(crate) fn streams(&self) -> &Streams {
        &self.streams
    }
}
