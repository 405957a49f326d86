//! The streams of a connection, counted: what a drain still has to wait for.
//!
//! Invariant: a stream is open until the last that holds it is dropped, and is being answered from its
//! beginning until its answer is made. What is left of it then waits for the other side, or for events.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The streams of a connection; clones count the same ones.
#[derive(Debug, Clone, Default)]
pub(super) struct Streams(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    open: AtomicUsize,
    /// Those of the open ones whose answer is being made.
    answering: AtomicUsize,
    /// There was one.
    any: AtomicBool,
}

impl Streams {
    /// A stream is opened, until what is returned is dropped.
    pub(super) fn open(&self) -> OpenStream {
        self.0.any.store(true, Ordering::Relaxed);
        self.0.open.fetch_add(1, Ordering::Relaxed);
        self.0.answering.fetch_add(1, Ordering::Relaxed);
        OpenStream { streams: self.clone(), answering: true }
    }

    /// How many are open.
    pub(super) fn open_count(&self) -> usize {
        self.0.open.load(Ordering::Relaxed)
    }

    /// Whether one is being answered.
    pub(super) fn is_answering(&self) -> bool {
        self.0.answering.load(Ordering::Relaxed) > 0
    }

    /// Whether there was one since the connection began.
    pub(super) fn was_any(&self) -> bool {
        self.0.any.load(Ordering::Relaxed)
    }
}

/// One open stream, counted until this is dropped.
#[derive(Debug)]
pub(super) struct OpenStream {
    streams: Streams,
    answering: bool,
}

impl OpenStream {
    /// The answer is made.
    pub(super) fn answered(&mut self) {
        if std::mem::take(&mut self.answering) {
            self.streams.0.answering.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.answered();
        self.streams.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_answered_once_and_open_until_it_is_dropped() {
        let streams = Streams::default();
        assert_eq!((streams.was_any(), streams.open_count(), streams.is_answering()), (false, 0, false));
        let mut one = streams.open();
        let other = streams.open();
        one.answered();
        one.answered();
        assert_eq!((streams.open_count(), streams.is_answering()), (2, true));
        drop(other);
        assert_eq!((streams.open_count(), streams.is_answering()), (1, false));
        drop(one);
        assert_eq!((streams.was_any(), streams.open_count(), streams.is_answering()), (true, 0, false));
    }
}
