//! The configuration of each role: what every server has, and the sections of the services that are in it.
//!
//! Invariant: a role that runs alone has a URL for each service it follows; `All` needs none, and a URL that is set
//! replaces the call within the process.

use std::net::Ipv4Addr;

use milepost_service::config::server::Server;
use milepost_service::config::{Flat, Found, Rules};
use milepost_service::section;

use super::Process;

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
        if self.notifier.registry_url.is_none() {
            found.fault("notifier.registry_url", ELSEWHERE);
        }
        if self.notifier.tracker_url.is_none() {
            found.fault("notifier.tracker_url", ELSEWHERE);
        }
    }
}

impl From<All> for Process {
    fn from(All { server, tracker, notifier }: All) -> Self {
        Self { server: server.0, registry: true, tracker: Some(tracker), notifier: Some(notifier) }
    }
}

impl From<Registry> for Process {
    fn from(Registry { server }: Registry) -> Self {
        Self { server: server.0, registry: true, tracker: None, notifier: None }
    }
}

impl From<Tracker> for Process {
    fn from(Tracker { server, tracker }: Tracker) -> Self {
        Self { server: server.0, registry: false, tracker: Some(tracker), notifier: None }
    }
}

impl From<Notifier> for Process {
    fn from(Notifier { server, notifier }: Notifier) -> Self {
        Self { server: server.0, registry: false, tracker: None, notifier: Some(notifier) }
    }
}

/// What is wrong with no URL where there is nothing to follow in the process.
pub(super) const ELSEWHERE: &str = "it is in another process; say where";

/// A server with the ports of its role.
fn at(port: u16, admin_port: u16) -> Server {
    let local = |port| (Ipv4Addr::LOCALHOST, port).into();
    Server { listen: local(port), admin_listen: Some(local(admin_port)), ..Server::default() }
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
    fn a_service_alone_requires_the_urls_of_the_others() {
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
