//! The registry as a part of a process: its ledger opened, its gRPC services to be added to a server.
//!
//! Invariant: the service answers for its ledger: if that fails the process stops, and it is closed
//! when no call runs any more.

use std::path::Path;
use std::sync::Arc;

use milepost_ledger::journal::Journal;
use milepost_ledger::{Digest, Ledger, Options, rebuild};
use milepost_proto::registry::v1::batch_service_server::BatchServiceServer;
use milepost_proto::registry::v1::organization_service_server::OrganizationServiceServer;
use milepost_proto::registry::v1::phase_service_server::PhaseServiceServer;
use milepost_proto::registry::v1::portfolio_service_server::PortfolioServiceServer;
use milepost_proto::registry::v1::project_service_server::ProjectServiceServer;
use milepost_service::config::server::Server;
use milepost_service::host::{BoxError, Kit, Part};
use milepost_service::journal_service::Followed;
use milepost_service::ledger;
use milepost_types::{Clock, LedgerKind, Position};
use tonic::codec::CompressionEncoding;

use crate::decide::Registry;
use crate::grpc::Api;
use crate::metrics::Metrics;

/// Why the registry cannot be opened, or its store not be rebuilt.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The journal cannot be read or is in use, or the store can neither be used nor rebuilt.
    #[error("the registry's ledger cannot be opened")]
    Open(#[source] BoxError),
    /// The store cannot be rebuilt.
    #[error("the registry's store cannot be rebuilt")]
    Rebuild(#[source] milepost_ledger::Error),
}

/// The registry of a process.
#[derive(Clone)]
pub struct Service {
    pub(crate) api: Api,
}

impl Service {
    /// Opens the registry's ledger under the configured data directory, which may take long.
    ///
    /// # Errors
    /// If the ledger cannot be opened.
    pub async fn open(kit: &Kit, config: &Server) -> Result<Self, Error> {
        let ledger = ledger::open(kit, config, LedgerKind::Registry, Registry).await.map_err(Error::Open)?;
        let clock = Arc::clone(&kit.clock);
        Ok(Self { api: Api { ledger, metrics: Metrics::register(&kit.metrics), clock } })
    }

    /// Opens the registry on this journal, with its store under `dir`. For tests and tools.
    ///
    /// # Errors
    /// If the ledger cannot be opened.
    pub fn on(
        kit: &Kit,
        dir: &Path,
        journal: Arc<dyn Journal>,
        clock: Arc<dyn Clock>,
        options: Options,
    ) -> Result<Self, Error> {
        let name = LedgerKind::Registry.as_str();
        let ledger = Ledger::open(name, dir, journal, Arc::new(Registry), Arc::clone(&clock), options);
        let ledger = ledger.map_err(|error| Error::Open(error.into()))?;
        Ok(Self { api: Api { ledger, metrics: Metrics::register(&kit.metrics), clock } })
    }

    /// The registry's share of a server: its services, and its ledger's life.
    pub fn part(&self, kit: &Kit) -> Part {
        let limit = kit.limits.max_request_bytes.length();
        macro_rules! server {
            ($server:ident) => {
                $server::new(self.api.clone())
                    .max_decoding_message_size(limit)
                    .accept_compressed(CompressionEncoding::Gzip)
            };
        }
        let part = Part::new(LedgerKind::Registry.as_str())
            .service(server!(PortfolioServiceServer))
            .service(server!(OrganizationServiceServer))
            .service(server!(ProjectServiceServer))
            .service(server!(PhaseServiceServer))
            .service(server!(BatchServiceServer));
        ledger::attach(part, kit, LedgerKind::Registry, &self.api.ledger)
    }

    /// The registry's journal as the journal service shows it. It follows no other.
    pub fn followed(&self, config: &Server) -> Followed {
        ledger::followed(config, &self.api.ledger, Vec::new)
    }

    /// The last entry that reads show.
    pub fn position(&self) -> Position {
        self.api.ledger.position()
    }

    /// Finishes what waits and closes the ledger. Blocks. A server's part does so by itself.
    pub fn close(&self) {
        self.api.ledger.close();
    }
}

/// Throws the store under `dir` away and builds it anew from the journal, offline. Blocks.
///
/// # Errors
/// If the journal cannot be read or the store not be written.
pub fn rebuild_store(
    dir: &Path,
    journal: &dyn Journal,
    options: &Options,
) -> Result<(Position, Digest), Error> {
    rebuild(dir, journal, &Registry, options).map_err(Error::Rebuild)
}
