//! The task that publishes committed entries to the hub.

use milepost_ledger::journal::ReadLimit;
use milepost_ledger::{FeedError, Source};
use milepost_service::host::BoxError;
use tokio_util::sync::CancellationToken;

use super::Hub;
use crate::log::LoggedEntry;

/// Publishes what is committed, in order, until the drain; then has every stream end.
pub(crate) async fn publish(hub: Hub, source: Source, drain: CancellationToken) -> Result<(), BoxError> {
    let from = hub.published();
    let mut feed = source.feed(from);
    loop {
        let stored = tokio::select! {
            stored = feed.next(ReadLimit::default()) => stored,
            () = drain.cancelled() => break,
        };
        match stored {
            Ok(stored) => {
                hub.publish(&LoggedEntry::all(from.log, stored)?);
                // The woken watchers run first: what is committed meanwhile is published together.
                tokio::task::yield_now().await;
            }
            // The ledger closes, or has failed; the component that watches it reports why.
            Err(FeedError::Closed) => {
                drain.cancelled().await;
                break;
            }
            Err(error) => return Err(error.into()),
        }
    }
    hub.drain();
    Ok(())
}
