//! The configuration of each role: what every server has, and the sections of the services that are in it.
//!
//! Invariant: a role that runs alone has a URL for each service it follows; `All` needs none, and a URL that is set
//! replaces the call within the process.

use std::net::Ipv4Addr;

use milepost_client::Endpoint;
use milepost_service::config::server::Server;
use milepost_service::config::upstream::Upstream;
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

impl Rules for All {
    fn rules(&self, found: &mut Found<'_>) {
        check_tracker(&self.tracker, &self.server.upstream, found);
        check_notifier(&self.notifier, &self.server.upstream, found);
    }
}

impl Rules for Registry {}

impl Rules for Tracker {
    fn rules(&self, found: &mut Found<'_>) {
        if self.tracker.registry_url.is_none() {
            found.fault("tracker.registry_url", ELSEWHERE);
        }
        check_tracker(&self.tracker, &self.server.upstream, found);
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
        check_notifier(&self.notifier, &self.server.upstream, found);
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

fn check_tracker(tracker: &milepost_tracker::Config, upstream: &Upstream, found: &mut Found<'_>) {
    check_url("tracker.registry_url", tracker.registry_url.as_deref(), upstream, found);
}

fn check_notifier(notifier: &milepost_notifier::Config, upstream: &Upstream, found: &mut Found<'_>) {
    check_url("notifier.registry_url", notifier.registry_url.as_deref(), upstream, found);
    check_url("notifier.tracker_url", notifier.tracker_url.as_deref(), upstream, found);
}

/// Reports a URL that a token would be sent to where others can read it.
fn check_url(key: &str, url: Option<&str>, upstream: &Upstream, found: &mut Found<'_>) {
    let endpoint = url.and_then(|url| Endpoint::parse(url).ok());
    if upstream.token_file.is_some() && endpoint.is_some_and(|endpoint| endpoint.is_open()) {
        found.fault(key, "others could read the token of upstream.token_file on the way: write https://");
    }
}

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

    #[test]
    fn a_token_of_this_server_is_not_sent_to_where_others_can_read_it() {
        let token = tempfile::NamedTempFile::new().unwrap();
        let upstream = format!("[upstream]\ntoken_file = '{}'\n", token.path().display());
        let urls = |scheme: &str| {
            format!("{upstream}[notifier]\nregistry_url = '{scheme}://a'\ntracker_url = '{scheme}://b'\n")
        };
        let faults = load::<Notifier>(&urls("http")).unwrap_err();
        for key in ["notifier.registry_url: others could read", "notifier.tracker_url: others could read"] {
            assert!(faults.contains(key), "{faults}");
        }
        assert!(load::<Notifier>(&urls("https")).is_ok());
        let faults =
            load::<Tracker>(&format!("{upstream}[tracker]\nregistry_url = 'http://a'\n")).unwrap_err();
        assert!(faults.contains("tracker.registry_url: others could read"), "{faults}");
    }
}
