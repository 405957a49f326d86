//! The watchers of one selection, and what matched it lately.
//!
//! Invariant: everything that matches after the floor, up to what was published, is among the items, in
//! order; so is the notice of every reset, whatever is selected. A waker that was registered when there was nothing to
//! take is called when there is.

use std::collections::VecDeque;
use std::task::Waker;

use bytes::Bytes;
use milepost_types::Cursor;
use parking_lot::Mutex;

use crate::selection::Selection;

/// An event in a group, or a notice to its watchers.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// The cursor after it.
    pub(crate) cursor: Cursor,
    /// Encoded.
    pub(crate) bytes: Bytes,
    /// Whether it is the notice of a reset, and no event.
    pub(crate) is_notice: bool,
}

/// What a watcher gets.
#[derive(Debug)]
pub(crate) enum Taken {
    /// Events, and how far the log was scanned with them.
    Events {
        /// At least one.
        events: Vec<Bytes>,
        /// After the last of them, or further if nothing that matches is in between.
        cursor: Cursor,
    },
    /// The reset of a source comes next.
    Reset {
        /// Its notice, encoded.
        notice: Bytes,
        /// Just after it.
        cursor: Cursor,
    },
    /// Nothing that matches is after the cursor, up to this one. The waker is registered.
    Nothing(Cursor),
    /// The next events are not kept any more: read them from the log.
    Behind,
}

/// The place of a watcher's waker.
#[derive(Debug)]
pub(crate) struct Slot(usize);

/// The watchers of one selection.
pub(crate) struct Group {
    selection: Selection,
    state: Mutex<State>,
}

struct State {
    items: VecDeque<Item>,
    /// What matched up to here is not kept.
    floor: Cursor,
    wakers: Vec<Option<Waker>>,
    free: Vec<usize>,
}

impl Group {
    /// A group that is complete after `floor`.
    pub(super) fn new(selection: Selection, floor: Cursor) -> Self {
        let state = State { items: VecDeque::new(), floor, wakers: Vec::new(), free: Vec::new() };
        Self { selection, state: Mutex::new(state) }
    }

    pub(super) fn selection(&self) -> &Selection {
        &self.selection
    }

    /// Adds what was published and takes the wakers of those who wait.
    pub(super) fn append(&self, items: &mut Vec<Item>, wakers: &mut Vec<Waker>) {
        let mut state = self.state.lock();
        state.items.extend(items.drain(..));
        wakers.extend(state.wakers.iter_mut().filter_map(Option::take));
    }

    pub(super) fn take_wakers(&self, wakers: &mut Vec<Waker>) {
        wakers.extend(self.state.lock().wakers.iter_mut().filter_map(Option::take));
    }

    pub(super) fn drop_oldest(&self) {
        let mut state = self.state.lock();
        if let Some(oldest) = state.items.pop_front() {
            state.floor = oldest.cursor;
        }
    }

    /// How many wait.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.state.lock().wakers.iter().flatten().count()
    }

    pub(super) fn slot(&self) -> Slot {
        let mut state = self.state.lock();
        Slot(state.free.pop().unwrap_or_else(|| {
            state.wakers.push(None);
            state.wakers.len() - 1
        }))
    }

    pub(super) fn give_back(&self, slot: &Slot) {
        let mut state = self.state.lock();
        state.wakers[slot.0] = None;
        state.free.push(slot.0);
    }

    /// As `Membership::take`; `published` was read before.
    pub(super) fn take(
        &self,
        after: &Cursor,
        published: Cursor,
        count: usize,
        bytes: usize,
        slot: &Slot,
        waker: &Waker,
    ) -> Taken {
        let mut state = self.state.lock();
        if after.next() < state.floor.next() {
            return Taken::Behind;
        }
        let first = state.items.partition_point(|item| item.cursor.next() <= after.next());
        let mut events = Vec::with_capacity(count.min(state.items.len() - first));
        let mut cursor = *after;
        let mut taken = 0;
        let mut rest = false;
        for item in state.items.range(first..) {
            if item.is_notice && events.is_empty() {
                return Taken::Reset { notice: item.bytes.clone(), cursor: item.cursor };
            }
            let fits = events.is_empty() || (events.len() < count && taken + item.bytes.len() <= bytes);
            if item.is_notice || !fits {
                rest = true;
                break;
            }
            taken += item.bytes.len();
            cursor = item.cursor;
            events.push(item.bytes.clone());
        }
        if !rest {
            cursor = further(cursor, published);
        }
        if events.is_empty() {
            let own = &mut state.wakers[slot.0];
            if own.as_ref().is_none_or(|own| !own.will_wake(waker)) {
                *own = Some(waker.clone());
            }
            return Taken::Nothing(cursor);
        }
        Taken::Events { events, cursor }
    }
}

/// The cursor that reaches further.
pub(crate) fn further(one: Cursor, other: Cursor) -> Cursor {
    if one.next() < other.next() { other } else { one }
}
