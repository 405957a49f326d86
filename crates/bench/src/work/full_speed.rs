//! Watchers of writes at full speed: deliveries a second, from the first write until every watcher has
//! every one, or a time limit passes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout_at;

use super::{Bench, LIVE_WRITERS, WATCHER_CONNECTIONS};
use crate::figure::{Figure, Unit};
use crate::system::{Error, From, Watcher};

/// How long watchers may take for what is left when the writers end, in times of the writing.
const PATIENCE: u32 = 6;

pub async fn measure(bench: &Bench<'_>, watchers: usize) -> Result<Vec<Figure>, Error> {
    let watching = bench.system.watchers(watchers, WATCHER_CONNECTIONS, From::Now).await?;
    let writers = bench.system.writers(LIVE_WRITERS).await?;
    let first = bench.next.load(Ordering::Relaxed);
    let next = Arc::new(AtomicU64::new(first));
    let begin = Instant::now();
    let (end, patience) = (begin + bench.measure, begin + bench.measure * PATIENCE);
    let (written, total) = watch::channel(None);
    let mut seeing = JoinSet::new();
    for watcher in watching {
        seeing.spawn(count(watcher, total.clone(), patience));
    }
    let mut writing = JoinSet::new();
    for mut writer in writers {
        let next = Arc::clone(&next);
        writing.spawn(async move {
            while Instant::now() < end {
                writer.write(next.fetch_add(1, Ordering::Relaxed)).await?;
            }
            Ok::<_, Error>(())
        });
    }
    while let Some(done) = writing.join_next().await {
        done??;
    }
    let wrote = next.load(Ordering::Relaxed) - first;
    let writing_took = begin.elapsed();
    bench.take(wrote);
    written.send_replace(Some(wrote));
    let mut delivered = 0;
    while let Some(done) = seeing.join_next().await {
        delivered += done??;
    }
    let took = begin.elapsed().as_secs_f64();
    Ok(vec![
        Figure::new(Unit::DeliveriesPerSecond, delivered as f64 / took),
        Figure::new(Unit::WritesPerSecond, wrote as f64 / writing_took.as_secs_f64()),
        Figure::new(Unit::Missing, (wrote * watchers as u64).saturating_sub(delivered) as f64),
    ])
}

/// Counts until there are as many as were written.
async fn count(
    mut watcher: Box<dyn Watcher>,
    mut total: watch::Receiver<Option<u64>>,
    patience: Instant,
) -> Result<u64, Error> {
    let (mut seen, mut payloads) = (0, Vec::new());
    loop {
        if total.borrow_and_update().is_some_and(|total| seen >= total) {
            return Ok(seen);
        }
        tokio::select! {
            Ok(()) = total.changed() => {}
            next = timeout_at(patience.into(), watcher.next(&mut payloads)) => match next {
                Err(_) => return Ok(seen),
                Ok(next) => next?,
            },
        }
        seen += payloads.len() as u64;
        payloads.clear();
    }
}
