//! One reader through the history, from its first write to the last, and again until the time is over.

use std::time::Instant;

use super::{Bench, HISTORY};
use crate::figure::{Figure, Unit};
use crate::system::{Error, From};

pub async fn measure(bench: &Bench<'_>) -> Result<Vec<Figure>, Error> {
    let length = bench.system.fill(HISTORY).await?.min(HISTORY);
    let begin = Instant::now();
    let end = begin + bench.measure;
    let (mut seen, mut payloads) = (0, Vec::new());
    while Instant::now() < end {
        let mut readers = bench.system.watchers(1, 1, From::Start).await?;
        let mut read = 0;
        while read < length && Instant::now() < end {
            for reader in &mut readers {
                reader.next(&mut payloads).await?;
            }
            read += payloads.len() as u64;
            payloads.clear();
        }
        seen += read;
    }
    Ok(vec![Figure::new(Unit::EventsPerSecond, seen as f64 / begin.elapsed().as_secs_f64())])
}
