//! The hub: passes what was just committed to every watcher whose selection matches it.
//!
//! An event is compared once with each distinct selection that might match it, not once with each watcher; an
//! index by resource, project, portfolio and type finds these selections.
//! Watchers with equal selections are a group; a group keeps what matched it, up to the hub's bounds,
//! and its watchers are cursors into that.
//!
//! Invariants: what is before a group's floor may be missing from it; what is after the floor and up to
//! the published position and matches is there, in order, each once, and so are the notices of resets, in
//! every group. A watcher costs the publisher nothing
//! but a wake-up; a watcher that falls behind the floor reads from the log. Events are shared, never copied.

mod fan_out;
mod group;
mod index;
mod publish;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use milepost_service::access::table::is_event_of_access;
use milepost_types::{Cursor, Position};
use parking_lot::Mutex;
use tokio::sync::watch;

pub use self::fan_out::FanOut;
pub(crate) use self::group::{Group, Item, Slot, Taken};
use self::index::Index;
pub(crate) use self::publish::publish;
use crate::convert::envelope::envelope;
use crate::log::LoggedEntry;
use crate::metrics::Metrics;
use crate::selection::Selection;

/// What the hub keeps at most for watchers that are a little behind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Bytes of events.
    pub(crate) bytes: usize,
    /// Events, each counted once for every group that it is in.
    pub(crate) references: usize,
}

/// Passes events from the publisher to watchers; clones share it.
#[derive(Clone)]
pub(crate) struct Hub {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    /// Everything up to this position was offered to the groups.
    published: watch::Sender<Position>,
    draining: AtomicBool,
    bounds: Bounds,
    metrics: Metrics,
}

#[derive(Default)]
struct State {
    groups: HashMap<u64, Member>,
    by_selection: HashMap<Selection, u64>,
    index: Index,
    next_id: u64,
    /// What the groups hold, oldest first.
    ring: VecDeque<Held>,
    bytes: usize,
    references: usize,
    /// Whether what is being published says something of access.
    access_changed: bool,
}

struct Member {
    group: Arc<Group>,
    watchers: usize,
    /// What the current publication adds to it.
    staged: Vec<Item>,
}

/// An event or a notice that groups hold.
struct Held {
    bytes: usize,
    groups: Box<[u64]>,
}

impl Hub {
    /// A hub that publishes what comes after `position`.
    pub(crate) fn new(position: Position, bounds: Bounds, metrics: Metrics) -> Self {
        let shared = Shared {
            state: Mutex::default(),
            published: watch::Sender::new(position),
            draining: AtomicBool::new(false),
            bounds,
            metrics,
        };
        Self { shared: Arc::new(shared) }
    }

    /// Everything up to this position was offered to the groups.
    pub(crate) fn published(&self) -> Position {
        *self.shared.published.borrow()
    }

    /// Offers entries to the groups and wakes the watchers that they concern.
    pub(crate) fn publish(&self, entries: &[Arc<LoggedEntry>]) {
        let Some(last) = entries.last() else { return };
        let mut wakers = Vec::new();
        {
            let mut state = self.shared.state.lock();
            let mut touched = Vec::new();
            for entry in entries {
                state.stage(entry, &mut touched);
            }
            for id in touched {
                if let Some(member) = state.groups.get_mut(&id) {
                    member.group.append(&mut member.staged, &mut wakers);
                }
            }
            if std::mem::take(&mut state.access_changed) {
                // Who may not go on must hear of it, whatever is selected.
                state.groups.values().for_each(|member| member.group.take_wakers(&mut wakers));
            }
            state.evict(&self.shared.bounds);
            self.shared.metrics.recent_bytes.set(i64::try_from(state.bytes).unwrap_or(i64::MAX));
            // Under the lock, so that a group that is made now knows from where on it is complete.
            self.shared.published.send_replace(last.position);
        }
        wakers.into_iter().for_each(std::task::Waker::wake);
    }

    /// Joins the group of a selection, until the membership is dropped.
    pub(crate) fn join(&self, selection: &Selection) -> Membership {
        let mut state = self.shared.state.lock();
        let id = match state.by_selection.get(selection) {
            Some(id) => *id,
            None => state.open(selection, &self.published()),
        };
        let member = state.groups.get_mut(&id).expect("an indexed group exists");
        member.watchers += 1;
        let group = Arc::clone(&member.group);
        self.shared.metrics.watchers.inc();
        self.shared.metrics.selections.set(i64::try_from(state.groups.len()).unwrap_or(i64::MAX));
        Membership { hub: self.clone(), id, slot: group.slot(), group }
    }

    /// From now on every stream announces its end and ends.
    pub(crate) fn drain(&self) {
        self.shared.draining.store(true, Ordering::SeqCst);
        let mut wakers = Vec::new();
        for member in self.shared.state.lock().groups.values() {
            member.group.take_wakers(&mut wakers);
        }
        wakers.into_iter().for_each(std::task::Waker::wake);
    }

    /// Whether streams are to end.
    pub(crate) fn draining(&self) -> bool {
        self.shared.draining.load(Ordering::SeqCst)
    }

    /// The metrics.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }

    fn leave(&self, id: u64) {
        let mut state = self.shared.state.lock();
        self.shared.metrics.watchers.dec();
        let Some(member) = state.groups.get_mut(&id) else { return };
        member.watchers -= 1;
        if member.watchers == 0 {
            state.close(id);
            self.shared.metrics.selections.set(i64::try_from(state.groups.len()).unwrap_or(i64::MAX));
        }
    }
}

impl State {
    fn open(&mut self, selection: &Selection, published: &Position) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let group = Arc::new(Group::new(selection.clone(), Cursor::after(*published)));
        self.index.add(id, &selection.route());
        self.by_selection.insert(selection.clone(), id);
        self.groups.insert(id, Member { group, watchers: 0, staged: Vec::new() });
        id
    }

    fn close(&mut self, id: u64) {
        if let Some(member) = self.groups.remove(&id) {
            self.by_selection.remove(member.group.selection());
            self.index.remove(id, &member.group.selection().route());
        }
    }

    /// Stages the events of an entry with the groups that they match.
    fn stage(&mut self, entry: &LoggedEntry, touched: &mut Vec<u64>) {
        if self.groups.is_empty() {
            return;
        }
        let mut candidates = Vec::new();
        for (index, event) in entry.events.iter().enumerate() {
            // `decide` read every envelope before the event was taken over.
            let Ok(envelope) = envelope(event) else { continue };
            self.access_changed |= is_event_of_access(envelope.kind);
            self.index.find(&envelope, &mut candidates);
            candidates.retain(|id| {
                let Some(member) = self.groups.get_mut(id) else { return false };
                let matches = member.group.selection().matches(&envelope);
                if matches {
                    if member.staged.is_empty() {
                        touched.push(*id);
                    }
                    let cursor = entry.cursor(index);
                    member.staged.push(Item { cursor, bytes: event.clone(), is_notice: false });
                }
                matches
            });
            if !candidates.is_empty() {
                self.bytes += event.len();
                self.references += candidates.len();
                self.ring.push_back(Held { bytes: event.len(), groups: candidates.as_slice().into() });
            }
        }
        if let Some(notice) = &entry.notice {
            self.stage_notice(entry, notice, touched);
        }
    }

    /// Stages the notice of a reset with every group: every watcher that passes it gets it.
    fn stage_notice(&mut self, entry: &LoggedEntry, notice: &Bytes, touched: &mut Vec<u64>) {
        let cursor = Cursor::after(entry.position);
        for (id, member) in &mut self.groups {
            if member.staged.is_empty() {
                touched.push(*id);
            }
            member.staged.push(Item { cursor, bytes: notice.clone(), is_notice: true });
        }
        self.bytes += notice.len();
        self.references += self.groups.len();
        self.ring.push_back(Held { bytes: notice.len(), groups: self.groups.keys().copied().collect() });
    }

    /// Drops the oldest events beyond the bounds.
    fn evict(&mut self, bounds: &Bounds) {
        while self.bytes > bounds.bytes || self.references > bounds.references {
            let Some(held) = self.ring.pop_front() else { break };
            self.bytes -= held.bytes;
            self.references -= held.groups.len();
            for member in held.groups.iter().filter_map(|id| self.groups.get(id)) {
                member.group.drop_oldest();
            }
        }
    }
}

/// A watcher's place in the group of its selection.
pub(crate) struct Membership {
    hub: Hub,
    id: u64,
    slot: Slot,
    group: Arc<Group>,
}

impl Membership {
    /// The next events after a cursor, at most so many and so many bytes; if there are none, the waker
    /// is called when there are.
    pub(crate) fn take(
        &self,
        after: &Cursor,
        events: usize,
        bytes: usize,
        waker: &std::task::Waker,
    ) -> Taken {
        // First how far was published: whatever matched up to there is in the group by now.
        let published = Cursor::after(self.hub.published());
        self.group.take(after, published, events, bytes, &self.slot, waker)
    }

    /// The selection of the group.
    pub(crate) fn selection(&self) -> &Selection {
        self.group.selection()
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.group.give_back(&self.slot);
        self.hub.leave(self.id);
    }
}
