//! Closed-loop writes: so many clients, each with one write under way. Latencies are measured by the client, from
//! the call to its answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::{Bench, latencies};
use crate::figure::{Figure, Unit};
use crate::system::{Error, Writer};

pub async fn measure(bench: &Bench<'_>, clients: usize) -> Result<Vec<Figure>, Error> {
    let first = bench.next.load(Ordering::Relaxed);
    let next = Arc::new(AtomicU64::new(first));
    let writers = bench.system.writers(clients).await?;
    let begin = Instant::now() + bench.warm_up;
    let end = begin + bench.measure;
    let mut writing = JoinSet::new();
    for writer in writers {
        writing.spawn(write(writer, Arc::clone(&next), begin, end));
    }
    let mut times = Vec::new();
    while let Some(done) = writing.join_next().await {
        times.extend(done??);
    }
    bench.take(next.load(Ordering::Relaxed) - first);
    let rate = times.len() as f64 / bench.measure.as_secs_f64();
    Ok([Figure::new(Unit::WritesPerSecond, rate)].into_iter().chain(latencies(times)).collect())
}

/// Writes until the end; how long each took that was acknowledged in the measured time.
async fn write(
    mut writer: Box<dyn Writer>,
    next: Arc<AtomicU64>,
    begin: Instant,
    end: Instant,
) -> Result<Vec<Duration>, Error> {
    let mut times = Vec::new();
    loop {
        let started = Instant::now();
        if started >= end {
            return Ok(times);
        }
        writer.write(next.fetch_add(1, Ordering::Relaxed)).await?;
        let done = Instant::now();
        if done >= begin && done < end {
            times.push(done - started);
        }
    }
}
