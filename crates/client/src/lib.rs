//! The Rust client of Milepost: channels, retries where they are safe, watches that resume, and the
//! follower that servers use on one another.
//!
//! Invariants: a write is sent again only under the request id it was first sent with; a watch and a
//! follower deliver everything after their start, in order, each once, whatever happens to servers and
//! connections meanwhile, or end with an error that says why they cannot. No task runs in the
//! background: nothing happens unless the caller polls.

mod backoff;
mod channel;
mod client;
mod credentials;
mod error;
mod follow;
mod gzip;
mod position;
mod retry;
mod socket;
#[cfg(test)]
mod testing;
mod tls;
mod transport;
mod unary;
mod watch;
mod words;

pub use backoff::Backoff;
pub use channel::{ConnectOptions, Endpoint, Lease, Pool};
pub use client::{Client, Endpoints};
pub use credentials::CredentialChannel;
pub use error::{Error, Failure, FieldFault};
pub use follow::{FollowBatch, FollowError, FollowOptions, FollowState, FollowedEntry, Follower};
pub use retry::Retry;
pub use socket::connector;
pub use tls::TlsOptions;
pub use transport::{Transport, TransportChannel};
pub use watch::{
    Batch, Delivery, EventRange, Phase, Reset, Selection, SourceResetNotice, Start, Watch, WatchOptions,
    WatchState,
};
