//! Waiting with a deadline, and saying what for.

use std::fmt::Display;
use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

/// How often something is asked that cannot be waited for.
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// The same where the moment matters.
const MOMENT: Duration = Duration::from_millis(1);

/// The outcome of a future, within a limit.
///
/// # Panics
/// If the limit passes.
pub async fn within<T>(limit: Duration, what: impl Display, future: impl Future<Output = T>) -> T {
    match timeout(limit, future).await {
        Ok(outcome) => outcome,
        Err(_) => panic!("after {limit:?} still no {what}"),
    }
}

/// Asks until there is an answer, within a limit; what was last seen instead of one stands in the panic.
///
/// # Panics
/// If the limit passes.
pub async fn until<T>(limit: Duration, what: impl Display, ask: impl AsyncFnMut() -> Result<T, String>) -> T {
    asked_every(POLL_INTERVAL, limit, what, ask).await
}

/// The same, asked so often that it is still so when this returns: for what is to be met while it goes on.
///
/// # Panics
/// If the limit passes.
pub async fn at_once<T>(
    limit: Duration,
    what: impl Display,
    ask: impl AsyncFnMut() -> Result<T, String>,
) -> T {
    asked_every(MOMENT, limit, what, ask).await
}

async fn asked_every<T>(
    interval: Duration,
    limit: Duration,
    what: impl Display,
    mut ask: impl AsyncFnMut() -> Result<T, String>,
) -> T {
    let deadline = Instant::now() + limit;
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(instead) if Instant::now() > deadline => {
                panic!("after {limit:?} still no {what}: {instead}")
            }
            Err(_) => sleep(interval).await,
        }
    }
}
