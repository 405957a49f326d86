//! A server that knows its callers: TLS, a client certificate for each of some names, and `first` as the first
//! administrator. The principal of a name is `cert:urn:office:{name}`.
//!
//! Commands of the real program are run as one of the names. What the cases need besides stands in the cases.

use std::time::Duration;

use milepost_client::{Client, Endpoint, Endpoints, TlsOptions};
use tempfile::TempDir;
use tokio::process::Command;

use crate::authority::{Authority, HOUR};
use crate::cli::{Run, run_command};
use crate::{Cluster, Role, binary, within};

const PATIENCE: Duration = Duration::from_secs(30);

/// The server, and the files of who calls it.
pub struct Protected {
    /// `servers.pem` and `clients.pem` are the CAs; `{name}.pem` and `{name}.key` the certificates.
    pub dir: TempDir,
    /// All services in one process.
    pub cluster: Cluster,
    /// Who signs the certificates of callers.
    pub clients: Authority,
}

impl Protected {
    /// Starts a server with certificates for these names, and for `first`; with this configuration besides, in which
    /// `DIR` stands for its directory.
    ///
    /// # Panics
    /// If it does not start; the other methods if a command cannot be run.
    pub async fn start(names: &[&str], set: &[(&str, &str)]) -> Self {
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
        let set: Vec<_> =
            own.iter().chain(set).map(|(key, value)| (*key, value.replace("DIR", &place))).collect();
        let set: Vec<_> = set.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let mut cluster = Cluster::all(&set);
        cluster.start().await;
        Self { dir, cluster, clients }
    }

    /// A file of the directory.
    pub fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_string_lossy().into_owned()
    }

    /// Where the server is reached.
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.cluster.server(Role::All).grpc().port())
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

    /// Runs a command until it succeeds: a grant holds where the registry is followed a moment after it was made.
    pub async fn when_allowed(&self, who: &str, words: &str) {
        within(PATIENCE, format!("{who} {words}"), async {
            while self.run(who, words).await.code != Some(0) {
                tokio::task::yield_now().await;
            }
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

    /// A client with one connection, with the certificate of this name if there is one.
    pub fn client(&self, who: Option<&str>) -> Client {
        let file = |kind: &str| who.map(|who| self.path(&format!("{who}.{kind}")).into());
        let ca = Some(self.path("servers.pem").into());
        let tls = TlsOptions { ca, certificate: file("pem"), key: file("key"), domain: None };
        let endpoint =
            Endpoint::parse(&self.url()).and_then(|endpoint| endpoint.tls(tls)).expect("an endpoint");
        Client::new(&Endpoints::one(endpoint), 1)
    }
}
