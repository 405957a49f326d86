//! Rows in memory that were set or removed: the type that the layers, the base and the checkpoint file share.
//!
//! Invariant: `None` is a tombstone; it hides the row of every layer behind it.

use std::collections::BTreeMap;

use bytes::Bytes;
use imbl::OrdMap;

/// One row that was set, or with `None` removed.
pub(crate) type Change = (Bytes, Option<Bytes>);

/// Changes, one after another.
pub(crate) type ChangeIter<'a> = Box<dyn Iterator<Item = Change> + Send + 'a>;

/// The changes of one command or one group, by key.
pub(crate) type Changes = BTreeMap<Bytes, Option<Bytes>>;

/// The memory table: a persistent map, so that a view shares it with the writer.
pub(crate) type Table = OrdMap<Bytes, Option<Bytes>>;
