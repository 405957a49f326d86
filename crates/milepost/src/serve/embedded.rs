//! All services inside another command of this process: the demo's.
//!
//! Invariant: they are served exactly as `serve all` serves them; only the shutdown signal differs.

use std::net::SocketAddr;
use std::path::PathBuf;

use milepost_service::config::Flat;
use milepost_service::config::server::Server;
use milepost_service::host::{self, Ending, Listeners, ServiceContext};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::config::All;
use super::wiring::Role;
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
    /// `None` once it has ended and its end was returned: a task returns it only once.
    server: Option<JoinHandle<Result<Ending, host::Error>>>,
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
    let context = ServiceContext::new(&server);
    let mut readiness = context.readiness.watch();
    let stop = CancellationToken::new();
    let stopped = stop.clone().cancelled_owned();
    let running = tokio::spawn(async move {
        let open = |context| config.open(context);
        host::run(&server, context, listeners, open, stopped).await
    });
    let mut running = Running { grpc, admin, stop, server: Some(running) };
    tokio::select! {
        // Services that ended let go of their checks too: then there is nothing to wait for but the reason.
        Ok(_) = readiness.wait_for(|report| !report.checks.is_empty() && report.ready()) => {}
        failure = running.failed() => return Err(failure),
    }
    Ok(running)
}

impl Running {
    /// Waits until the services end of themselves, because one of them failed. May be cancelled; returns the failure once.
    pub async fn failed(&mut self) -> BoxError {
        match self.ended().await {
            Ok(()) => "the services ended".into(),
            Err(error) => error,
        }
    }

    /// Drains and closes them. A failure that was returned before is not returned again.
    ///
    /// # Errors
    /// If they did not end well.
    pub async fn shutdown(mut self) -> Result<(), BoxError> {
        self.stop.cancel();
        self.ended().await
    }

    /// Waits for the end of the services; at once if it was waited for before.
    async fn ended(&mut self) -> Result<(), BoxError> {
        let Some(server) = &mut self.server else { return Ok(()) };
        let ended = server.await;
        self.server = None;
        ended??;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::error::chain;

    fn embedded(data_dir: &std::path::Path) -> Embedded {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Embedded { data_dir: data_dir.to_owned(), listen, admin_listen: None }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn services_that_cannot_start_say_why_every_time() {
        let file = tempfile::NamedTempFile::new().unwrap();
        // Whether readiness or the task tells first that it is over depends on the threads.
        for _ in 0..200 {
            let error = start(embedded(file.path())).await.expect_err("a file is no data directory");
            let reason = chain(error.as_ref());
            assert!(reason.contains(&file.path().display().to_string()), "{reason}");
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_end_of_services_is_told_once_and_shutting_down_after_it_is_no_fault() {
        let dir = tempfile::tempdir().unwrap();
        let mut running = start(embedded(dir.path())).await.unwrap();
        running.stop.cancel();
        assert_eq!(running.failed().await.to_string(), "the services ended");
        running.shutdown().await.unwrap();
    }
}
