//! The store: the current state as rows, derived from the journal and never more than that.
//!
//! Rows are in layers: the changes of a command (a `Draft`), the changes of its group before it, the committed
//! memory table, a frozen table while it is written, and sled (`base`). One read path covers all of them, in one key
//! space with a tag byte per table; tag 0 is the ledger's own.
//! Invariant: the base holds exactly the rows at one sequence, which its mark names; if that does not hold on
//! open, the store is removed and rebuilt. It never reads the journal.

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
