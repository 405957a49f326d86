//! Writes at a fixed rate, and the latency to every watcher: from the call of the write to the arrival of its
//! event. A writer that is late does not wait for the next tick to catch up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval_at, timeout_at};

use super::{Bench, LIVE_WRITERS, WATCHER_CONNECTIONS, latencies};
use crate::figure::{Figure, Unit};
use crate::system::{Error, From, Number, Watcher};

/// How long watchers may take for what is under way when the last write is done.
const PATIENCE: Duration = Duration::from_secs(20);

/// When each write was begun, in nanoseconds since the first.
struct Begun {
    start: Instant,
    first: u64,
    at: Vec<AtomicU64>,
}

pub async fn measure(bench: &Bench<'_>, watchers: usize, per_second: u64) -> Result<Vec<Figure>, Error> {
    let total = per_second * (bench.warm_up + bench.measure).as_secs().max(1);
    let warm_up = per_second * bench.warm_up.as_secs();
    let watching = bench.system.watchers(watchers, WATCHER_CONNECTIONS, From::Now).await?;
    let writers = bench.system.writers(LIVE_WRITERS.min(per_second as usize)).await?;
    let at = (0..total).map(|_| AtomicU64::new(0)).collect();
    let begun = Arc::new(Begun { start: Instant::now(), first: bench.take(total), at });
    let end = begun.start + bench.warm_up + bench.measure + PATIENCE;

    let mut seeing = JoinSet::new();
    for watcher in watching {
        seeing.spawn(watch(watcher, Arc::clone(&begun), bench.system.numbers(), end));
    }
    let mut writing = JoinSet::new();
    let pace = Duration::from_secs(1) * writers.len() as u32 / per_second as u32;
    let count = writers.len();
    for (nth, mut writer) in writers.into_iter().enumerate() {
        let begun = Arc::clone(&begun);
        let offset = pace * nth as u32 / count as u32;
        writing.spawn(async move {
            let mut ticks = interval_at((begun.start + offset).into(), pace);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
            for index in (nth..begun.at.len()).step_by(count) {
                ticks.tick().await;
                begun.at[index].store(begun.start.elapsed().as_nanos() as u64, Ordering::Relaxed);
                writer.write(begun.first + index as u64).await?;
            }
            Ok::<_, Error>(())
        });
    }
    while let Some(done) = writing.join_next().await {
        done??;
    }
    let (mut times, mut missing) = (Vec::new(), 0);
    while let Some(done) = seeing.join_next().await {
        let seen = done??;
        missing += total - seen.len() as u64;
        times.extend(seen.into_iter().filter(|(index, _)| *index >= warm_up).map(|(_, took)| took));
    }
    Ok(latencies(times).into_iter().chain([Figure::new(Unit::Missing, missing as f64)]).collect())
}

/// Which writes came, once each, and after how long; returns when all have.
async fn watch(
    mut watcher: Box<dyn Watcher>,
    begun: Arc<Begun>,
    number: Number,
    end: Instant,
) -> Result<Vec<(u64, Duration)>, Error> {
    let mut seen = vec![false; begun.at.len()];
    let (mut arrived, mut payloads) = (Vec::with_capacity(seen.len()), Vec::new());
    while arrived.len() < seen.len() {
        match timeout_at(end.into(), watcher.next(&mut payloads)).await {
            Err(_) => break,
            Ok(next) => next?,
        }
        let now = begun.start.elapsed();
        for payload in payloads.drain(..) {
            let index = number(&payload).and_then(|number| number.checked_sub(begun.first));
            let Some(index) = index.filter(|index| *index < seen.len() as u64) else { continue };
            if std::mem::replace(&mut seen[index as usize], true) {
                return Err(format!("write {index} came twice").into());
            }
            let started = Duration::from_nanos(begun.at[index as usize].load(Ordering::Relaxed));
            arrived.push((index, now.saturating_sub(started)));
        }
    }
    Ok(arrived)
}
