//! The store: what is now, as rows, derived from the journal and never more than that.
//!
//! Rows live in layers: what a command changes (a `Draft`), what its group changed before it, the committed
//! memory table, a frozen table while it is written, and sled (`base`). One read path goes through all of them, one key
//! space holds them all, with a tag byte per table; tag 0 is the ledger's own.
//! Invariant: what the base holds is exactly the rows at one sequence, which its own row names; if
//! that cannot be shown on open, the store is thrown away and rebuilt.

mod base;
mod cache;
mod change;
mod checkpoint;
mod copy;
mod digest;
mod draft;
mod error;
mod layers;
mod mark;
mod merge;
mod open;
mod pending;
mod tree;
mod view;

pub use checkpoint::Step;
pub use digest::Digest;
pub use error::StoreError;
pub use view::View;

pub(crate) use base::Base;
pub(crate) use change::{Changes, Table};
pub(crate) use checkpoint::{Checkpointer, Done, write as write_checkpoint};
pub(crate) use draft::Draft;
pub(crate) use layers::{Layers, Tip};
pub(crate) use mark::Mark;
pub(crate) use open::{discard, open_or_start, read_mark, rebuild_dir, swap_in};
