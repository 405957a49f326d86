//! The configuration of each role: what every server has, and the sections of the services that are in it.
//!
//! In one process the services reach each other without being told where, and without a connection, unless a
//! URL is set.

use std::net::{Ipv4Addr, SocketAddr};

use milepost_client::Transport;
use milepost_service::config::server::Server;
use milepost_service::config::{Flat, Found, Rules};
use milepost_service::host::{Component, ServiceContext};
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
        pub tracker: milepost_tracker::Config =
            milepost_tracker::Config { registry_url: None, ..milepost_tracker::Config::default() },
        /// The event log and its streams.
        pub notifier: milepost_notifier::Config = milepost_notifier::Config {
            registry_url: None,
            tracker_url: None,
            ..milepost_notifier::Config::default()
        },
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

impl Rules for Tracker {
    fn rules(&self, found: &mut Found<'_>) {
        if self.tracker.registry_url.is_none() {
            found.fault("tracker.registry_url", ELSEWHERE);
        }
    }
}

impl Rules for Notifier {
    fn rules(&self, found: &mut Found<'_>) {
        let urls =
            [("registry_url", &self.notifier.registry_url), ("tracker_url", &self.notifier.tracker_url)];
        for (key, _) in urls.into_iter().filter(|(_, url)| url.is_none()) {
            found.fault(&format!("notifier.{key}"), ELSEWHERE);
        }
    }
}

/// What is wrong with no URL where there is nothing to follow in the process.
const ELSEWHERE: &str = "it is in another process; say where";

/// A server with the ports of its role.
fn at(port: u16, admin_port: u16) -> Server {
    let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    Server { listen: local(port), admin_listen: Some(local(admin_port)), ..Server::default() }
}

/// What a process can be.
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

/// The way to a ledger's journal for the other services of the process.
fn within(context: &ServiceContext, ledger: LedgerKind, followed: Followed) -> Transport {
    Transport::in_process(Journals::new(context).with(ledger, followed).into_service())
}

/// The component that shows the ledgers of the process.
fn journal(context: &ServiceContext, journals: Journals) -> Component {
    let service =
        journals.into_service().max_decoding_message_size(context.limits.max_request_bytes.length());
    Component::new("journal").service(service)
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use milepost_service::config::{Layers, Section, reference};

    use super::*;

    fn load<C: Section + Default + Clone>(text: &str) -> Result<C, String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("milepost.toml");
        std::fs::write(&path, text).unwrap();
        let layers = Layers { file: Some(path), ..Layers::default() };
        layers.load(C::default()).map(|loaded| loaded.config).map_err(|faults| faults.to_string())
    }

    #[test]
    fn what_a_role_prints_is_the_same_again_when_it_is_read() {
        fn check<C: Section + Default + Clone + PartialEq + Debug>() {
            assert_eq!(load(&reference::<C>()), Ok(C::default()));
        }
        check::<All>();
        check::<Registry>();
        check::<Tracker>();
        check::<Notifier>();
        assert_eq!(All::default().tracker.registry_url, None, "it is in this process");
    }

    #[test]
    fn a_service_alone_must_be_told_where_the_others_are() {
        let faults = load::<Tracker>("[tracker]\nregistry_url = 'none'\n").unwrap_err();
        assert!(faults.contains("tracker.registry_url: it is in another process"), "{faults}");
        let none = "[notifier]\nregistry_url = 'none'\ntracker_url = 'none'\n";
        let faults = load::<Notifier>(none).unwrap_err();
        for key in ["notifier.registry_url", "notifier.tracker_url"] {
            assert!(faults.contains(key), "{faults}");
        }
        let elsewhere = load::<All>("[tracker]\nregistry_url = 'http://registry:7401'\n").unwrap();
        assert_eq!(elsewhere.tracker.registry_url.as_deref(), Some("http://registry:7401"));
    }
}
