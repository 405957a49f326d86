//! Which services a role opens, and how they reach each other.
//!
//! Invariant: in one process a service calls the journal of another without a connection, unless a URL is
//! configured; the journals of all services of a process are served under one gRPC service.

use milepost_client::Transport;
use milepost_service::config::server::Server;
use milepost_service::host::{Component, ServiceContext};
use milepost_service::journal_service::{Followed, Journals};
use milepost_types::LedgerKind;

use super::config::{All, ELSEWHERE, Notifier, Registry, Tracker};
use crate::error::BoxError;

/// What a process can run as.
pub trait Role: Send + 'static {
    /// What every server has.
    fn server(&self) -> &Server;

    /// Opens the services.
    fn open(self, context: ServiceContext) -> impl Future<Output = Result<Vec<Component>, BoxError>> + Send;
}

impl Role for All {
    fn server(&self) -> &Server {
        &self.server
    }

    async fn open(self, context: ServiceContext) -> Result<Vec<Component>, BoxError> {
        let Self { server, tracker, notifier } = self;
        let registry = milepost_registry::Service::open(&context, &server).await?;
        let here = within(&context, LedgerKind::Registry, registry.followed(&server));
        let to_registry = tracker.registry()?.unwrap_or_else(|| here.clone());
        let tracker = milepost_tracker::Service::open(&context, &server, &tracker, to_registry).await?;
        let to_registry = notifier.registry()?.unwrap_or(here);
        let here = within(&context, LedgerKind::Tracker, tracker.followed(&server));
        let sources = [to_registry, notifier.tracker()?.unwrap_or(here)];
        let notifier = milepost_notifier::Service::open(&context, &server, &notifier, sources).await?;
        let journals = Journals::new(&context)
            .with(LedgerKind::Registry, registry.followed(&server))
            .with(LedgerKind::Tracker, tracker.followed(&server))
            .with(LedgerKind::Notifier, notifier.followed(&server));
        Ok(vec![
            journal(&context, journals),
            registry.component(&context),
            tracker.component(&context),
            notifier.component(&context),
        ])
    }
}

impl Role for Registry {
    fn server(&self) -> &Server {
        &self.server
    }

    async fn open(self, context: ServiceContext) -> Result<Vec<Component>, BoxError> {
        let registry = milepost_registry::Service::open(&context, &self.server).await?;
        let journals = Journals::new(&context).with(LedgerKind::Registry, registry.followed(&self.server));
        Ok(vec![journal(&context, journals), registry.component(&context)])
    }
}

impl Role for Tracker {
    fn server(&self) -> &Server {
        &self.server
    }

    async fn open(self, context: ServiceContext) -> Result<Vec<Component>, BoxError> {
        let registry = self.tracker.registry()?.ok_or(ELSEWHERE)?;
        let tracker =
            milepost_tracker::Service::open(&context, &self.server, &self.tracker, registry).await?;
        let journals = Journals::new(&context).with(LedgerKind::Tracker, tracker.followed(&self.server));
        Ok(vec![journal(&context, journals), tracker.component(&context)])
    }
}

impl Role for Notifier {
    fn server(&self) -> &Server {
        &self.server
    }

    async fn open(self, context: ServiceContext) -> Result<Vec<Component>, BoxError> {
        let config = &self.notifier;
        let sources = [config.registry()?.ok_or(ELSEWHERE)?, config.tracker()?.ok_or(ELSEWHERE)?];
        let notifier = milepost_notifier::Service::open(&context, &self.server, config, sources).await?;
        let journals = Journals::new(&context).with(LedgerKind::Notifier, notifier.followed(&self.server));
        Ok(vec![journal(&context, journals), notifier.component(&context)])
    }
}

/// The transport to a ledger's journal for the other services of the process.
fn within(context: &ServiceContext, ledger: LedgerKind, followed: Followed) -> Transport {
    Transport::in_process(Journals::new(context).with(ledger, followed).into_service())
}

/// The component that serves the journals of the process.
fn journal(context: &ServiceContext, journals: Journals) -> Component {
    let service =
        journals.into_service().max_decoding_message_size(context.limits.max_request_bytes.length());
    Component::new("journal").service(service)
}
