//! etcd, one node: a write is a `put`, a watcher is a watch on the prefix of all keys.
//!
//! Settings: the defaults, but `--quota-backend-bytes` is 8 GiB (the most that etcd recommends), since
//! the default of 2 GiB would end a long run, and only errors are logged. Nothing is compacted, so the
//! history is every write there was. etcd syncs its log to disk before it answers, and one sync serves
//! all writes that wait by then.
//!
//! Writers share a client, that is an HTTP/2 connection, as far as there are more of them than
//! connections; so do watchers, each with a watch stream, and so a watch, of its own.

mod api;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::task::JoinSet;
use tonic::Status;

use self::api::{Client, Watching};
use super::process::{self, Process};
use super::{Error, From, Setting, System, Watcher, Writer};

/// What all keys begin with.
const PREFIX: &str = "m/";
/// The first key after all with the prefix.
const PREFIX_END: &str = "m0";
/// The largest database, in bytes, that etcd recommends.
const QUOTA_BYTES: u64 = 8 << 30;
/// Writes under way at once when the history is made.
const FILLERS: usize = 512;

/// Which version is installed, or how to install it.
pub fn version() -> Result<String, String> {
    let output = process::run(&program()?, ["--version"], None).map_err(|error| error.to_string())?;
    let version = output.lines().find_map(|line| line.strip_prefix("etcd Version: "));
    version.map(|version| format!("etcd {version}")).ok_or_else(|| format!("etcd --version said: {output}"))
}

fn program() -> Result<PathBuf, String> {
    super::find(Path::new("etcd"))
        .ok_or_else(|| "no etcd on the path: apt-get install etcd-server".to_owned())
}

/// A running etcd.
pub struct Etcd {
    process: Process,
    endpoint: String,
    setting: Setting,
}

impl Etcd {
    /// Starts it in the setting's directory; ready when it answers a read.
    pub async fn start(setting: &Setting) -> Result<Self, Error> {
        let endpoint = format!("http://127.0.0.1:{}", process::free_port()?);
        let peers = format!("http://127.0.0.1:{}", process::free_port()?);
        let args = [
            format!("--data-dir={}", setting.dir.join("data").display()),
            format!("--listen-client-urls={endpoint}"),
            format!("--advertise-client-urls={endpoint}"),
            format!("--listen-peer-urls={peers}"),
            format!("--initial-advertise-peer-urls={peers}"),
            format!("--initial-cluster=default={peers}"),
            format!("--quota-backend-bytes={QUOTA_BYTES}"),
            "--logger=zap".to_owned(),
            "--log-level=error".to_owned(),
        ];
        let log = setting.dir.join("etcd.log");
        let mut process = Process::start(&program()?, args, None, "KILL", &log)?;
        let answers = async || {
            let revision = tokio::time::timeout(Duration::from_secs(1), revision(&endpoint));
            matches!(revision.await, Ok(Ok(_)))
        };
        process.ready(answers).await.map_err(|error| format!("etcd {error}"))?;
        Ok(Self { process, endpoint, setting: setting.clone() })
    }

    async fn clients(&self, count: usize) -> Result<Vec<Client>, Error> {
        Ok(super::channels(&self.endpoint, count.max(1)).await?.into_iter().map(Client::new).collect())
    }

    async fn put_writers(&self, count: usize) -> Result<Vec<Put>, Error> {
        let clients = self.clients(count.min(self.setting.connections)).await?;
        let writer = |client: &Client| Put {
            client: client.clone(),
            subjects: self.setting.subjects.max(1) as u64,
            payload_bytes: self.setting.payload_bytes,
        };
        Ok(clients.iter().cycle().take(count).map(writer).collect())
    }
}

impl System for Etcd {
    fn writers(&self, count: usize) -> BoxFuture<'_, Result<Vec<Box<dyn Writer>>, Error>> {
        Box::pin(async move {
            let writers = self.put_writers(count).await?;
            Ok(writers.into_iter().map(|writer| Box::new(writer) as Box<dyn Writer>).collect())
        })
    }

    fn watchers(
        &self,
        count: usize,
        connections: usize,
        from: From,
    ) -> BoxFuture<'_, Result<Vec<Box<dyn Watcher>>, Error>> {
        Box::pin(async move {
            let clients = self.clients(count.min(connections)).await?;
            let mut watchers: Vec<Box<dyn Watcher>> = Vec::with_capacity(count);
            for client in clients.iter().cycle().take(count) {
                watchers.push(Box::new(Watch::start(client, from).await?));
            }
            Ok(watchers)
        })
    }

    fn fill(&self, count: u64) -> BoxFuture<'_, Result<u64, Error>> {
        Box::pin(async move {
            let kept = length(revision(&self.endpoint).await?);
            let next = Arc::new(AtomicU64::new(kept));
            let mut fillers = JoinSet::new();
            for mut writer in self.put_writers(FILLERS).await? {
                let next = Arc::clone(&next);
                fillers.spawn(async move {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= count {
                            return Ok::<_, Error>(());
                        }
                        writer.write(number).await?;
                    }
                });
            }
            while let Some(filler) = fillers.join_next().await {
                filler??;
            }
            Ok(length(revision(&self.endpoint).await?))
        })
    }

    fn memory_bytes(&self) -> u64 {
        self.process.memory_bytes()
    }
}

/// A writer.
struct Put {
    client: Client,
    subjects: u64,
    payload_bytes: usize,
}

impl Writer for Put {
    fn write(&mut self, number: u64) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            let key = format!("{PREFIX}{}", number % self.subjects);
            let payload = super::payload(number, self.payload_bytes);
            self.client.put(key, payload).await.map_err(|error| failed("put", &error))?;
            Ok(())
        })
    }
}

/// A watcher.
struct Watch(Watching);

impl Watch {
    /// Starts a watch; returns when etcd says that it is there.
    async fn start(client: &Client, from: From) -> Result<Self, Error> {
        let start = match from {
            From::Now => 0,
            From::Start => 1,
        };
        let watch = client.clone().watch(PREFIX, PREFIX_END, start).await;
        let mut watch = Self(watch.map_err(|error| failed("watch", &error))?);
        let mut first = Vec::new();
        if !watch.receive(&mut first).await? {
            return Err("etcd: the first answer to a watch was not that it was created".into());
        }
        Ok(watch)
    }

    /// Receives one message; tells whether it was that the watch was created.
    async fn receive(&mut self, into: &mut Vec<Bytes>) -> Result<bool, Error> {
        let answer = self.0.messages.message().await.map_err(|error| failed("watch", &error))?;
        let answer = answer.ok_or("etcd ended a watch: see etcd.log in its directory")?;
        if answer.canceled {
            return Err(format!("etcd cancelled a watch: {}", answer.cancel_reason).into());
        }
        into.extend(answer.events.into_iter().filter_map(|event| event.kv).map(|kv| kv.value));
        Ok(answer.created)
    }
}

impl Watcher for Watch {
    fn next<'a>(&'a mut self, into: &'a mut Vec<Bytes>) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move { self.receive(into).await.map(drop) })
    }
}

async fn revision(endpoint: &str) -> Result<i64, Error> {
    let channel = super::channels(endpoint, 1).await?.remove(0);
    Client::new(channel).revision().await.map_err(|error| failed("range", &error))
}

/// An empty store has revision 1, and each write adds one.
fn length(revision: i64) -> u64 {
    u64::try_from(revision).map_or(0, |revision| revision.saturating_sub(1))
}

fn failed(what: &str, error: &Status) -> Error {
    format!("etcd {what}: {error}; see etcd.log in its directory").into()
}
