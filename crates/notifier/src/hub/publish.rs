//! The task that hands the hub what was committed.

use std::sync::Arc;

use milepost_ledger::journal::{ReadLimit, StoredEntry};
use milepost_ledger::{EntryError, FeedError, Source};
use milepost_service::host::BoxError;
use milepost_types::LogId;
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
                hub.publish(&entries(from.log, stored)?);
                // Those who were woken go first: if they take long, what is committed meanwhile goes out together.
                tokio::task::yield_now().await;
            }
            // The ledger closes, or has failed: the part that watches it says why.
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

fn entries(log: LogId, stored: Vec<StoredEntry>) -> Result<Vec<Arc<LoggedEntry>>, EntryError> {
    stored.into_iter().map(|stored| LoggedEntry::new(log, stored).map(Arc::new)).collect()
}
