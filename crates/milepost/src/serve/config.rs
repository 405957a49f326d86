//! The configuration of each role: what every server has, and the sections of the services that are in it.
//!
//! In one process the services find each other without being told; a URL that is set all the same is
//! used.

use std::net::{Ipv4Addr, SocketAddr};

use milepost_service::config::server::Server;
use milepost_service::config::{Flat, Rules};
use milepost_service::host::{Kit, Part};
use milepost_service::journal_service::Journals;
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

    /// Lets the services of one process find each other where it listens, but for URLs that were set.
    fn meet(&mut self, here: SocketAddr, is_set: &dyn Fn(&str) -> bool) {
        let _ = (here, is_set);
    }

    /// Opens the services.
    fn open(self, kit: Kit) -> impl Future<Output = Result<Vec<Part>, BoxError>> + Send;
}

impl Role for All {
    fn server(&self) -> &Server {
        &self.server
    }

    fn meet(&mut self, here: SocketAddr, is_set: &dyn Fn(&str) -> bool) {
        let urls = [
            ("tracker.registry_url", &mut self.tracker.registry_url),
            ("notifier.registry_url", &mut self.notifier.registry_url),
            ("notifier.tracker_url", &mut self.notifier.tracker_url),
        ];
        for (key, url) in urls {
            if !is_set(key) {
                *url = format!("http://{here}");
            }
        }
    }

    async fn open(self, kit: Kit) -> Result<Vec<Part>, BoxError> {
        let registry = milepost_registry::Service::open(&kit, &self.server).await?;
        let tracker = milepost_tracker::Service::open(&kit, &self.server, &self.tracker).await?;
        let notifier = milepost_notifier::Service::open(&kit, &self.server, &self.notifier).await?;
        let journals = Journals::new(&kit)
            .with(LedgerKind::Registry, registry.followed(&self.server))
            .with(LedgerKind::Tracker, tracker.followed(&self.server))
            .with(LedgerKind::Notifier, notifier.followed(&self.server));
        Ok(vec![journal(&kit, journals), registry.part(&kit), tracker.part(&kit), notifier.part(&kit)])
    }
}

impl Role for Registry {
    fn server(&self) -> &Server {
        &self.server
    }

    async fn open(self, kit: Kit) -> Result<Vec<Part>, BoxError> {
        let registry = milepost_registry::Service::open(&kit, &self.server).await?;
        let journals = Journals::new(&kit).with(LedgerKind::Registry, registry.followed(&self.server));
        Ok(vec![journal(&kit, journals), registry.part(&kit)])
    }
}

impl Role for Tracker {
    fn server(&self) -> &Server {
        &self.server
    }

    async fn open(self, kit: Kit) -> Result<Vec<Part>, BoxError> {
        let tracker = milepost_tracker::Service::open(&kit, &self.server, &self.tracker).await?;
        let journals = Journals::new(&kit).with(LedgerKind::Tracker, tracker.followed(&self.server));
        Ok(vec![journal(&kit, journals), tracker.part(&kit)])
    }
}

impl Role for Notifier {
    fn server(&self) -> &Server {
        &self.server
    }

    async fn open(self, kit: Kit) -> Result<Vec<Part>, BoxError> {
        let notifier = milepost_notifier::Service::open(&kit, &self.server, &self.notifier).await?;
        let journals = Journals::new(&kit).with(LedgerKind::Notifier, notifier.followed(&self.server));
        Ok(vec![journal(&kit, journals), notifier.part(&kit)])
    }
}

/// The part that shows the ledgers of the process.
fn journal(kit: &Kit, journals: Journals) -> Part {
    let service = journals.into_service().max_decoding_message_size(kit.limits.max_request_bytes.length());
    Part::new("journal").service(service)
}
