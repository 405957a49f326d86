//! SIGTERM and SIGINT: the first asks the process to stop, the second ends it at once. SIGHUP ends nothing: it is for
//! `tls`, which reads its files again.
//!
//! Invariant: the second works whatever the process is doing, for it is handled in a task of its own.

use std::future::Future;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Runs a process's work with a token that the first signal cancels. The second signal ends the
/// process at once, with 128 and the signal's number as the exit code: 130 for SIGINT, 143 for SIGTERM.
///
/// # Errors
/// If signals cannot be handled.
pub async fn with_signals<F, Fut>(work: F) -> std::io::Result<Fut::Output>
where
    F: FnOnce(CancellationToken) -> Fut,
    Fut: Future,
{
    let token = CancellationToken::new();
    let signals =
        Signals { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? };
    // Once it is handled anywhere it does not end the process, be there TLS or not.
    let _hangup = signal(SignalKind::hangup())?;
    // Aborted when it is dropped, with the end of the work.
    let mut tasks = JoinSet::new();
    tasks.spawn(watch(signals, token.clone()));
    Ok(work(token).await)
}

#[allow(clippy::disallowed_methods, reason = "the second signal ends the process without closing anything")]
async fn watch(mut signals: Signals, token: CancellationToken) {
    let first = signals.next().await;
    tracing::info!(signal = first.name, "stopping; a second signal stops at once");
    token.cancel();
    let second = signals.next().await;
    tracing::warn!(signal = second.name, "stopped at once by a second signal");
    std::process::exit(128 + second.number);
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

struct Received {
    name: &'static str,
    number: i32,
}

impl Signals {
    async fn next(&mut self) -> Received {
        tokio::select! {
            _ = self.interrupt.recv() => Received { name: "SIGINT", number: SignalKind::interrupt().as_raw_value() },
            _ = self.terminate.recv() => Received { name: "SIGTERM", number: SignalKind::terminate().as_raw_value() },
        }
    }
}
