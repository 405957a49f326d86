//! A subscriber that watches from the beginning, through whatever happens to the server.

use std::time::Duration;

use milepost_client::{Batch, Client, Delivery, Selection, Start, Watch, WatchOptions};
use milepost_proto::event::v1::Event;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::wait::within;

const PATIENCE: Duration = Duration::from_secs(60);

/// A watch that collects what it is given.
#[derive(Debug)]
pub struct Watching {
    count: watch::Receiver<usize>,
    stop: watch::Sender<bool>,
    task: JoinHandle<Vec<Event>>,
}

impl Watching {
    /// Watches from the earliest event. Every `change_after` batches it lets go of the stream and begins a
    /// new one after its last cursor, as a subscriber does that is started anew; 0: never.
    pub fn start(client: &Client, selection: Selection, change_after: usize) -> Self {
        let (sender, count) = watch::channel(0);
        let (stop, mut stopped) = watch::channel(false);
        let client = client.clone();
        let task = tokio::spawn(async move {
            let mut events = Vec::new();
            let mut watch = begin(&client, Start::Earliest, &selection);
            let mut batches = 0;
            loop {
                let batch: Batch = tokio::select! {
                    _ = stopped.wait_for(|stop| *stop) => return events,
                    delivery = watch.next() => match delivery {
                        Some(Ok(Delivery::Batch(batch))) => batch,
                        Some(Ok(Delivery::Reset(reset))) => panic!("a source was reset: {reset:?}"),
                        Some(Err(error)) => panic!("the watch ended: {error}"),
                        None => panic!("the watch ended without a word"),
                    },
                };
                events.extend(batch.events);
                sender.send_replace(events.len());
                batches += 1;
                if change_after > 0 && batches % change_after == 0 {
                    watch = begin(&client, Start::After(batch.cursor), &selection);
                }
            }
        });
        Self { count, stop, task }
    }

    /// Waits until it has so many events, and then for one more turn of the server, so that one too many
    /// would have come; then ends it.
    ///
    /// # Panics
    /// If they do not come, or the watch ended.
    pub async fn finish(mut self, count: usize) -> Vec<Event> {
        let reached = self.count.wait_for(|have| *have >= count);
        drop(within(PATIENCE, format!("{count} watched events"), reached).await);
        self.stop.send_replace(true);
        within(PATIENCE, "end of the watch", self.task).await.expect("the watch did not end before")
    }
}

fn begin(client: &Client, start: Start, selection: &Selection) -> Watch {
    let options = WatchOptions {
        backoff: milepost_client::Backoff { min: Duration::from_millis(5), max: Duration::from_millis(100) },
        ..WatchOptions::default()
    };
    client.watch(start, selection.clone(), options)
}
