//! The kernel: a journal of what happened and a store of what is now.
//!
//! Every service is a ledger. A command is decided on the current rows, its events become one
//! entry of the journal, and the entry is applied to the rows: by pure functions of the service
//! (`Domain`), run by one writer that commits many commands with one sync.
//! Invariants: nothing is visible to anyone before it is durable; an entry takes effect whole or not
//! at all; live rows and rows rebuilt from the journal are equal. This crate is the only one
//! that names sled, and it knows nothing of any service's domain.

mod domain;
mod entry;
mod error;
mod feed;
pub mod journal;
pub mod key;
mod ledger;
mod offline;
mod options;
mod panic;
mod queue;
mod request_ids;
mod shared;
mod state;
mod stats;
mod store;
mod submission;
mod wait;
mod writer;

pub use domain::{
    Context, Decision, Direction, Domain, KeyRange, LEDGER_TAG, Read, Row, RowIter, Unusable, Write,
};
pub use entry::{
    Actor, Authentication, CommandId, Entry, EntryError, FORMAT, actor_to_proto, position_from_proto,
    position_to_proto,
};
pub use error::{Error, SubmitError, WaitError};
pub use feed::{Feed, FeedError, Source};
pub use journal::chain;
pub use ledger::Ledger;
pub use offline::{check_store, rebuild};
pub use options::Options;
pub use stats::Stats;
pub use store::{Digest, Step, StoreError, View};
pub use submission::{Receipt, Submission};
