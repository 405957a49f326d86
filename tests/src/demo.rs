//! A server of what the demo loaded, and a shell beside it.
//!
//! Invariant: contexts are kept in the cluster's directory: those of whoever runs the tests are neither read nor
//! changed.

use tokio::process::Command;

use crate::cli::run_command;
use crate::{Cluster, Role, binary, document};

/// The portfolio that the demo loads.
pub const PORTFOLIO: &str = "western-science-city";

/// A server of what the demo loaded.
///
/// # Panics
/// If the demo or the server fails.
pub async fn start() -> Cluster {
    let mut cluster = Cluster::all(&[]);
    let mut command = Command::new(binary::milepost());
    command
        .args(["demo", "--exit", "--port", "0", "--admin-port", "0", "--data"])
        .arg(cluster.data(Role::All));
    run_command(command).await.succeeded();
    cluster.start().await;
    cluster
}

/// A shell in the cluster's directory that finds `milepost`, and the server, as a reader of README has them.
///
/// # Panics
/// If the server does not run.
pub fn shell(cluster: &Cluster, script: &str) -> Command {
    let mut command = document::shell(cluster.dir(), script);
    command.env("MILEPOST_ENDPOINT", cluster.server(Role::All).url());
    command
}
