//! A whole office: the services as one process or as three, in a directory of their own.
//!
//! Invariant: a role keeps its directory, its ports and its configuration over every kill and restart.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use milepost_client::{Client, Endpoint, Endpoints};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::ports;
use crate::server::{Launch, Server};

/// What one process serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// All three services.
    All,
    /// The registry.
    Registry,
    /// The tracker.
    Tracker,
    /// The notifier.
    Notifier,
}

impl Role {
    /// As in `serve registry`.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::All => "all",
            Role::Registry => "registry",
            Role::Tracker => "tracker",
            Role::Notifier => "notifier",
        }
    }
}

/// Servers and what they keep.
#[derive(Debug)]
pub struct Cluster {
    // The servers go before the directory that they write to.
    servers: BTreeMap<Role, Server>,
    launches: BTreeMap<Role, Launch>,
    dir: TempDir,
}

impl Cluster {
    /// One process with all services, not started yet.
    ///
    /// # Panics
    /// If there is no temporary directory.
    pub fn all(set: &[(&str, &str)]) -> Self {
        Self::of(&[Role::All], set)
    }

    /// Three processes that find each other by URL, not started yet.
    ///
    /// # Panics
    /// If there is no temporary directory.
    pub fn apart(set: &[(&str, &str)]) -> Self {
        Self::of(&[Role::Registry, Role::Tracker, Role::Notifier], set)
    }

    fn of(roles: &[Role], set: &[(&str, &str)]) -> Self {
        let dir = TempDir::with_prefix("milepost-").expect("a temporary directory");
        let mut launches = BTreeMap::new();
        for role in roles {
            // Alone, a role has a directory of its own, as on a machine of its own.
            let data = dir.path().join(if *role == Role::All { "data" } else { role.as_str() });
            let launch = Launch {
                role: role.as_str(),
                listen: ports::free(),
                admin: ports::free(),
                data,
                log: dir.path().join(format!("{}.log", role.as_str())),
                set: set.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
                wrapper: Vec::new(),
            };
            launches.insert(*role, launch);
        }
        let mut cluster = Self { servers: BTreeMap::new(), launches, dir };
        cluster.introduce();
        cluster
    }

    /// Tells those that follow where those are that they follow.
    fn introduce(&mut self) {
        let url = |role| self.launches.get(&role).map(|launch: &Launch| format!("http://{}", launch.listen));
        let (Some(registry), Some(tracker)) = (url(Role::Registry), url(Role::Tracker)) else { return };
        let mut tell = |role: Role, key: &str, value: &str| {
            let launch = self.launches.get_mut(&role).expect("they are all here");
            launch.set.push((key.to_owned(), value.to_owned()));
        };
        tell(Role::Tracker, "tracker.registry_url", &registry);
        tell(Role::Notifier, "notifier.registry_url", &registry);
        tell(Role::Notifier, "notifier.tracker_url", &tracker);
    }

    /// Starts whatever is not running and waits until it is ready.
    ///
    /// # Panics
    /// If one does not become ready.
    pub async fn start(&mut self) {
        let missing: Vec<_> =
            self.launches.keys().copied().filter(|role| !self.servers.contains_key(role)).collect();
        for role in &missing {
            self.spawn(*role);
        }
        for role in missing {
            self.server_mut(role).ready().await;
        }
    }

    /// Starts one and waits until it is ready.
    ///
    /// # Panics
    /// If it does not become ready.
    pub async fn start_one(&mut self, role: Role) {
        self.spawn(role);
        self.server_mut(role).ready().await;
    }

    /// Starts one and waits for nothing.
    ///
    /// # Panics
    /// If it runs already.
    pub fn spawn(&mut self, role: Role) {
        let server = self.launches[&role].spawn();
        assert!(self.servers.insert(role, server).is_none(), "the {} runs already", role.as_str());
    }

    /// Kills one, as a crash does.
    ///
    /// # Panics
    /// If it does not run; so for every method that follows.
    pub async fn kill(&mut self, role: Role) {
        self.take(role).kill().await;
    }

    /// Asks one to stop, and waits until it has.
    pub async fn stop(&mut self, role: Role) -> ExitStatus {
        self.take(role).stop().await
    }

    /// Sends a signal to one.
    pub fn signal(&self, role: Role, signal: Signal) {
        self.server(role).signal(signal);
    }

    /// The process of a role, taken out of the cluster's hands.
    pub fn take(&mut self, role: Role) -> Server {
        self.servers.remove(&role).unwrap_or_else(|| panic!("the {} does not run", role.as_str()))
    }

    /// The process of a role.
    pub fn server(&self, role: Role) -> &Server {
        self.servers.get(&role).unwrap_or_else(|| panic!("the {} does not run", role.as_str()))
    }

    /// One that runs, to wait for what it says.
    pub fn server_mut(&mut self, role: Role) -> &mut Server {
        self.servers.get_mut(&role).unwrap_or_else(|| panic!("the {} does not run", role.as_str()))
    }

    /// How a role is started; may be changed while it does not run.
    pub fn launch(&mut self, role: Role) -> &mut Launch {
        self.launches.get_mut(&role).expect("a role of this cluster")
    }

    /// The directory of a role's journals and stores.
    pub fn data(&self, role: Role) -> PathBuf {
        self.launches[&role].data.clone()
    }

    /// The cluster's own directory, for whatever a test keeps besides.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A client with this many connections to each service.
    pub fn client(&self, connections: usize) -> Client {
        let endpoint = |role| {
            let launch = self.launches.get(&role).unwrap_or_else(|| &self.launches[&Role::All]);
            Endpoint::parse(&format!("http://{}", launch.listen)).expect("it is a URL")
        };
        let endpoints = Endpoints {
            registry: endpoint(Role::Registry),
            tracker: endpoint(Role::Tracker),
            notifier: endpoint(Role::Notifier),
        };
        Client::new(&endpoints, connections)
    }
}
