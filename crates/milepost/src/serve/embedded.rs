//! All services inside another command of this process: the demo's.
//!
//! Invariant: they are served exactly as `serve all` serves them; only who says stop differs.

use std::net::SocketAddr;
use std::path::PathBuf;

use milepost_service::config::Flat;
use milepost_service::config::server::Server;
use milepost_service::host::{self, Ending, Kit, Listeners};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::config::{All, Role};
use crate::error::BoxError;

/// Where all services of one process are to listen, and where their data is.
#[derive(Debug, Clone)]
pub struct Embedded {
    /// The directory of the journals and stores.
    pub data_dir: PathBuf,
    /// The gRPC port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The port of metrics and probes, if there is to be one.
    pub admin_listen: Option<SocketAddr>,
}

/// All services, running in this process.
#[derive(Debug)]
pub struct Running {
    /// Where gRPC is really served.
    pub grpc: SocketAddr,
    /// Where metrics and probes are really served, if they are.
    pub admin: Option<SocketAddr>,
    stop: CancellationToken,
    server: JoinHandle<Result<Ending, host::Error>>,
}

/// Starts all services on the journals and stores of a directory; answers when they are ready.
pub async fn start(embedded: Embedded) -> Result<Running, BoxError> {
    let server = Server {
        listen: embedded.listen,
        admin_listen: embedded.admin_listen,
        data_dir: embedded.data_dir,
        ..Server::default()
    };
    let config = All { server: Flat(server), ..All::default() };
    let server = config.server().clone();
    let listeners = Listeners::bind(&server).await?;
    let (grpc, admin) = listeners.addresses();
    let grpc = grpc.ok_or("the system does not tell the address")?;
    let kit = Kit::new(&server);
    let mut readiness = kit.readiness.watch();
    let stop = CancellationToken::new();
    let stopped = stop.clone().cancelled_owned();
    let running = tokio::spawn(async move {
        let open = |kit| config.open(kit);
        host::run(&server, kit, listeners, open, stopped).await
    });
    let mut running = Running { grpc, admin, stop, server: running };
    tokio::select! {
        _ = readiness.wait_for(|report| !report.checks.is_empty() && report.ready()) => Ok(running),
        failure = running.failed() => Err(failure),
    }
}

impl Running {
    /// Waits until the services end of themselves, because one of them failed. May be cancelled.
    pub async fn failed(&mut self) -> BoxError {
        match (&mut self.server).await {
            Ok(Ok(_)) => "the services ended".into(),
            Ok(Err(error)) => error.into(),
            Err(error) => error.into(),
        }
    }

    /// Drains and closes them.
    pub async fn shutdown(self) -> Result<(), BoxError> {
        self.stop.cancel();
        self.server.await??;
        Ok(())
    }
}
