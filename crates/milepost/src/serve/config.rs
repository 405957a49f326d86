//! The configuration of each role: what every server has, and the sections of the services that are in it.
//!
//! In one process the services reach each other without being told where, and without a connection; a URL
//! that is set all the same is used.

use std::net::{Ipv4Addr, SocketAddr};

use milepost_client::Link;
use milepost_service::config::server::Server;
use milepost_service::config::{Flat, Rules};
use milepost_service::host::{Kit, Part};
use milepost_service::journal_service::{Followed, Journals};
use milepost_service::section;
use milepost_types::LedgerKind;

use crate::error::BoxError;

section! {
    /// All services in one process.
    pub struct All {
        /// What every server has.
        pub server: Flat<Server> = Flat(Server::default()),
        /// Milestones.
        pub tracker: milepost_tracker::Config = milepost_tracker::Config::default(),
        /// The event log and its streams.
        pub notifier: milepost_notifier::Config = milepost_notifier::Config::default(),
    }
}

section! {
    /// The registry alone.
    pub struct Registry {
        /// What every server has.
        pub server: Flat<Server> = Flat(at(7401, 7411)),
    }
}

section! {
    /// The tracker alone.
    pub struct Tracker {
        /// What every server has.
        pub server: Flat<Server> = Flat(at(7402, 7412)),
        /// Milestones.
        pub tracker: milepost_tracker::Config = milepost_tracker::Config::default(),
    }
}

section! {
    /// The notifier alone.
    pub struct Notifier {
        /// What every server has.
        pub server: Flat<Server> = Flat(at(7403, 7413)),
        /// The event log and its streams.
        pub notifier: milepost_notifier::Config = milepost_notifier::Config::default(),
    }
}

impl Rules for All {}
impl Rules for Registry {}
impl Rules for Tracker {}
impl Rules for Notifier {}

/// A server with the ports of its role.
fn at(port: u16, admin_port: u16) -> Server {
    let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    Server { listen: local(port), admin_listen: Some(local(admin_port)), ..Server::default() }
}

/// What a process can be.
pub trait Role: Send + 'static {
    /// What every server has.
    fn server(&self) -> &Server;

    /// Opens the services. `is_set` tells of a key whether its value is more than a default.
    fn open(
        self,
        kit: Kit,
        is_set: impl Fn(&str) -> bool + Send,
    ) -> impl Future<Output = Result<Vec<Part>, BoxError>> + Send;
}

impl Role for All {
    fn server(&self) -> &Server {
        &self.server
    }

    async fn open(self, kit: Kit, is_set: impl Fn(&str) -> bool + Send) -> Result<Vec<Part>, BoxError> {
        let Self { server, tracker, notifier } = self;
        let registry = milepost_registry::Service::open(&kit, &server).await?;
        let here = within(&kit, LedgerKind::Registry, registry.followed(&server));
        let link = if is_set("tracker.registry_url") { tracker.registry()? } else { here.clone() };
        let notifiers_registry = if is_set("notifier.registry_url") { notifier.registry()? } else { here };
        let tracker = milepost_tracker::Service::open(&kit, &server, &tracker, link).await?;
        let here = within(&kit, LedgerKind::Tracker, tracker.followed(&server));
        let link = if is_set("notifier.tracker_url") { notifier.tracker()? } else { here };
        let notifier =
            milepost_notifier::Service::open(&kit, &server, &notifier, notifiers_registry, link).await?;
        let journals = Journals::new(&kit)
            .with(LedgerKind::Registry, registry.followed(&server))
            .with(LedgerKind::Tracker, tracker.followed(&server))
            .with(LedgerKind::Notifier, notifier.followed(&server));
        Ok(vec![journal(&kit, journals), registry.part(&kit), tracker.part(&kit), notifier.part(&kit)])
    }
}

impl Role for Registry {
    fn server(&self) -> &Server {
        &self.server
    }

    async fn open(self, kit: Kit, _: impl Fn(&str) -> bool + Send) -> Result<Vec<Part>, BoxError> {
        let registry = milepost_registry::Service::open(&kit, &self.server).await?;
        let journals = Journals::new(&kit).with(LedgerKind::Registry, registry.followed(&self.server));
        Ok(vec![journal(&kit, journals), registry.part(&kit)])
    }
}

impl Role for Tracker {
    fn server(&self) -> &Server {
        &self.server
    }

    async fn open(self, kit: Kit, _: impl Fn(&str) -> bool + Send) -> Result<Vec<Part>, BoxError> {
        let registry = self.tracker.registry()?;
        let tracker = milepost_tracker::Service::open(&kit, &self.server, &self.tracker, registry).await?;
        let journals = Journals::new(&kit).with(LedgerKind::Tracker, tracker.followed(&self.server));
        Ok(vec![journal(&kit, journals), tracker.part(&kit)])
    }
}

impl Role for Notifier {
    fn server(&self) -> &Server {
        &self.server
    }

    async fn open(self, kit: Kit, _: impl Fn(&str) -> bool + Send) -> Result<Vec<Part>, BoxError> {
        let (registry, tracker) = (self.notifier.registry()?, self.notifier.tracker()?);
        let notifier =
            milepost_notifier::Service::open(&kit, &self.server, &self.notifier, registry, tracker).await?;
        let journals = Journals::new(&kit).with(LedgerKind::Notifier, notifier.followed(&self.server));
        Ok(vec![journal(&kit, journals), notifier.part(&kit)])
    }
}

/// The way to a ledger's journal for the other services of the process.
fn within(kit: &Kit, ledger: LedgerKind, followed: Followed) -> Link {
    Link::here(Journals::new(kit).with(ledger, followed).into_service())
}

/// The part that shows the ledgers of the process.
fn journal(kit: &Kit, journals: Journals) -> Part {
    let service = journals.into_service().max_decoding_message_size(kit.limits.max_request_bytes.length());
    Part::new("journal").service(service)
}
