//! Servers that know their callers: TLS, a client certificate for each of some names, and `first` as the first
//! administrator. The principal of a name is `cert:urn:office:{name}`.
//!
//! Commands of the real program are run as one of the names. What the cases need besides stands in the cases.

use std::time::Duration;

use milepost_client::{Client, Endpoint, Endpoints, TlsOptions};
use milepost_types::{Clock, SystemClock};
use serde_json::{Deserializer, Value};
use tempfile::TempDir;
use tokio::process::Command;
use tonic::transport::Channel;

use crate::authority::{Authority, HOUR};
use crate::cli::{Run, run_command};
use crate::wait::until;
use crate::{Cluster, Role, binary};

const PATIENCE: Duration = Duration::from_secs(30);
/// How far off the end of a token is that is good for the whole of a test.
const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);
/// The name that followers have where the services are apart.
const FOLLOWER: &str = "follower";

/// The servers, and the files of who calls them.
pub struct Protected {
    /// `servers.pem` and `clients.pem` are the CAs; `{name}.pem` and `{name}.key` the certificates.
    pub dir: TempDir,
    /// All services in one process, or each in its own.
    pub cluster: Cluster,
    /// Who signs the certificates of callers.
    pub clients: Authority,
    /// Where each server is reached.
    urls: Vec<(Role, String)>,
}

/// When a token may end that is made now and good for the whole of a test.
pub fn expire_time() -> String {
    (SystemClock.now() + MONTH).to_string()
}

impl Protected {
    /// Starts a server with certificates for these names, and for `first`; with this configuration besides, in which
    /// `DIR` stands for its directory.
    ///
    /// # Panics
    /// If it does not start; the other methods if a command cannot be run.
    pub async fn start(names: &[&str], set: &[(&str, &str)]) -> Self {
        let mut office = Self::prepare(Cluster::all(&[]), &[Role::All], names, set);
        office.cluster.start().await;
        office
    }

    /// The same with three servers, which `first` has admitted as followers of each other.
    pub async fn apart(names: &[&str], set: &[(&str, &str)]) -> Self {
        let roles = [Role::Registry, Role::Tracker, Role::Notifier];
        let names = [names, &[FOLLOWER]].concat();
        let mut office = Self::prepare(Cluster::apart(&[]), &roles, &names, set);
        let (registry, tracker) = (office.url_of(Role::Registry), office.url_of(Role::Tracker));
        let [ca, certificate, key] =
            ["servers.pem", "follower.pem", "follower.key"].map(|file| office.path(file));
        for (role, key_of_url, url) in [
            (Role::Tracker, "tracker.registry_url", &registry),
            (Role::Notifier, "notifier.registry_url", &registry),
            (Role::Notifier, "notifier.tracker_url", &tracker),
        ] {
            let set = &mut office.cluster.launch(role).set;
            set.push((key_of_url.to_owned(), url.clone()));
            let upstream = [("ca", &ca), ("certificate", &certificate), ("key", &key)];
            set.extend(upstream.map(|(key, file)| (format!("upstream.{key}"), file.clone())));
        }
        office.cluster.start_one(Role::Registry).await;
        office.grant("grants/follower", &format!("cert:urn:office:{FOLLOWER}"), FOLLOWER).await;
        office.cluster.start().await;
        office
    }

    /// The certificates of these names, and the configuration of all servers.
    fn prepare(mut cluster: Cluster, roles: &[Role], names: &[&str], set: &[(&str, &str)]) -> Self {
        let dir = TempDir::with_prefix("milepost-protected-").expect("a temporary directory");
        let (servers, clients) =
            (Authority::new(dir.path(), "servers"), Authority::new(dir.path(), "clients"));
        servers.server(HOUR).write(dir.path(), "server");
        for name in names.iter().chain(&["first"]) {
            clients.client_of(&[&format!("urn:office:{name}")]).write(dir.path(), name);
        }
        let place = dir.path().to_string_lossy().into_owned();
        let own = [
            ("tls.certificate", "DIR/server.pem"),
            ("tls.key", "DIR/server.key"),
            ("tls.client_ca", "DIR/clients.pem"),
            ("access.certificates", "true"),
            ("access.bootstrap_administrators", "cert:urn:office:first"),
        ];
        let mut urls = Vec::new();
        for role in roles {
            let launch = cluster.launch(*role);
            let set = own.iter().chain(set);
            launch.set.extend(set.map(|(key, value)| ((*key).to_owned(), value.replace("DIR", &place))));
            urls.push((*role, format!("https://localhost:{}", launch.listen.port())));
        }
        Self { dir, cluster, clients, urls }
    }

    /// A file of the directory.
    pub fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_string_lossy().into_owned()
    }

    /// Where the servers are reached, as the program takes it.
    pub fn url(&self) -> String {
        match &self.urls[..] {
            [(_, url)] => url.clone(),
            urls => {
                let named = urls.iter().map(|(role, url)| format!("{}={url}", role.as_str()));
                named.collect::<Vec<_>>().join(",")
            }
        }
    }

    /// Where a service is reached: the server of all of them is each.
    fn url_of(&self, role: Role) -> String {
        let own = self.urls.iter().find(|(of, _)| *of == role);
        own.unwrap_or(&self.urls[0]).1.clone()
    }

    /// The program for this server, without a credential.
    pub fn command(&self, words: &str) -> Command {
        let mut command = Command::new(binary::milepost());
        command.args(["--endpoint", &self.url(), "--ca", &self.path("servers.pem")]).args(words.split(' '));
        command
    }

    /// The same with the certificate of this name.
    pub fn command_of(&self, who: &str, words: &str) -> Command {
        let mut command = self.command(words);
        let [certificate, key] = ["pem", "key"].map(|kind| self.path(&format!("{who}.{kind}")));
        command.args(["--cert", &certificate, "--cert-key", &key]);
        command
    }

    /// Runs a command as this name.
    pub async fn run(&self, who: &str, words: &str) -> Run {
        run_command(self.command_of(who, words)).await
    }

    /// Runs a command with these flags, and no certificate.
    pub async fn with(&self, flags: &[&str], words: &str) -> Run {
        let mut command = self.command(words);
        command.args(flags);
        run_command(command).await
    }

    /// Runs a command as this name, which must succeed; what it printed.
    pub async fn does(&self, who: &str, words: &str) -> String {
        self.run(who, words).await.succeeded().out
    }

    /// The same, which must print one value; that.
    pub async fn json(&self, who: &str, words: &str) -> Value {
        let mut values = self.values(who, words).await;
        assert_eq!(values.len(), 1, "{words}: not one value: {values:?}");
        values.remove(0)
    }

    /// The same of a list: all values that it prints.
    pub async fn values(&self, who: &str, words: &str) -> Vec<Value> {
        let out = self.does(who, &format!("{words} --format json")).await;
        let values = Deserializer::from_str(&out).into_iter().collect::<Result<_, _>>();
        values.unwrap_or_else(|error| panic!("{words}: {error}:\n{out}"))
    }

    /// Runs a command until it succeeds: a grant holds where the registry is followed a moment after it was made.
    pub async fn when_allowed(&self, who: &str, words: &str) {
        until(PATIENCE, format!("{who} {words}"), async || {
            let run = self.run(who, words).await;
            if run.code == Some(0) { Ok(()) } else { Err(run.err) }
        })
        .await;
    }

    /// Runs a command as this name, which must be refused and say this; what it said.
    pub async fn refused(&self, who: &str, words: &str, says: &str) -> String {
        let run = self.run(who, words).await;
        assert!(run.code != Some(0) && run.err.contains(says), "{words}: {says:?} is not said: {run:?}");
        run.err
    }

    /// Makes a portfolio.
    pub async fn portfolio(&self, id: &str) {
        let words = format!("portfolio create {id} --display-name {id} --time-zone UTC");
        self.does("first", &format!("{words} --reporting-currency-code CNY")).await;
    }

    /// Makes a grant of this name.
    pub async fn grant(&self, name: &str, principal: &str, role: &str) {
        let words =
            format!("grant create {name} --grant-principal {principal} --role {role} --reason because");
        self.does("first", &words).await;
    }

    /// A client with one connection to each service, with the certificate of this name if there is one.
    pub fn client(&self, who: Option<&str>) -> Client {
        let endpoint = |role| self.endpoint(&self.url_of(role), who);
        let endpoints = Endpoints {
            registry: endpoint(Role::Registry),
            tracker: endpoint(Role::Tracker),
            notifier: endpoint(Role::Notifier),
        };
        Client::new(&endpoints, 1)
    }

    /// The same of the registry, or of the server of all, through a port that passes its connection on.
    pub fn client_through(&self, port: u16, who: Option<&str>) -> Client {
        let endpoint = self.endpoint(&format!("https://localhost:{port}"), who);
        let pool = endpoint.pool(1);
        Client::with_pools(pool.clone(), pool.clone(), pool)
    }

    /// A connection to the registry, or to the server of all, with the certificate of this name.
    pub fn channel(&self, who: &str) -> Channel {
        self.endpoint(&self.url_of(Role::Registry), Some(who)).channel()
    }

    fn endpoint(&self, url: &str, who: Option<&str>) -> Endpoint {
        let file = |kind: &str| who.map(|who| self.path(&format!("{who}.{kind}")).into());
        let ca = Some(self.path("servers.pem").into());
        let tls = TlsOptions { ca, certificate: file("pem"), key: file("key"), domain: None };
        Endpoint::parse(url).and_then(|endpoint| endpoint.tls(tls)).expect("an endpoint")
    }
}
