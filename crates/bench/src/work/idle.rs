//! The memory that idle watchers take on their server.

use std::time::Duration;

use super::{Bench, WATCHER_CONNECTIONS};
use crate::figure::{Figure, Unit};
use crate::system::{Error, From};

/// After this long, what was used for opening is given back.
const SETTLES: Duration = Duration::from_secs(2);

pub async fn measure(bench: &Bench<'_>, watchers: usize) -> Result<Vec<Figure>, Error> {
    let before = bench.system.memory_bytes();
    let watching = bench.system.watchers(watchers, WATCHER_CONNECTIONS, From::Now).await?;
    tokio::time::sleep(SETTLES).await;
    let after = bench.system.memory_bytes();
    drop(watching);
    Ok(vec![Figure::new(Unit::AddedMebibytes, after.saturating_sub(before) as f64 / f64::from(1 << 20))])
}
