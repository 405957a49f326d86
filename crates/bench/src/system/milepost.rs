//! Milepost: a real `milepost serve all` with its default settings, through its public API.
//!
//! A write is `ReforecastMilestone` on a loaded portfolio, acknowledged when it is durable in the tracker's
//! journal; a watcher is a `WatchEvents` stream of the notifier, which has followed the tracker and keeps a
//! durable copy. Events are taken as the bytes they are, as the other systems' payloads are.

mod protection;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::uri::PathAndQuery;
use milepost_client::{Client, CredentialChannel};
use milepost_proto::google::r#type::Date;
use milepost_proto::notifier::v1::{WatchEventsRequest, watch_events_request};
use milepost_proto::tracker::v1::ReforecastMilestoneRequest;
use milepost_proto::tracker::v1::milestone_service_client::MilestoneServiceClient;
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;
use tonic::Streaming;
use tonic::transport::Channel;

use super::process::{self, Process};
use super::{Error, From, Number, Programs, Setting, System, Watcher, Writer};
use crate::portfolio;
pub use protection::Mode;
use protection::Protection;

const WATCH: &str = "/milepost.notifier.v1.EventService/WatchEvents";
/// Clients that fill the history.
const FILLERS: usize = 256;

pub fn version(programs: &Programs) -> Result<String, String> {
    let missing = || {
        let path = programs.milepost.display();
        format!("{path} is not there: cargo build --release, or say where it is with --milepost")
    };
    let program = super::find(&programs.milepost).ok_or_else(missing)?;
    let said = process::run(&program, ["--version"], None).map_err(|error| error.to_string())?;
    Ok(said.trim().to_owned())
}

/// A server, its portfolio loaded.
pub struct Milepost {
    setting: Setting,
    server: Server,
    names: Arc<[String]>,
    /// The next number that `fill` writes, and how many writes there were at least.
    written: AtomicU64,
}

impl Milepost {
    pub async fn start(setting: &Setting, mode: Mode) -> Result<Self, Error> {
        let server = Server::start(&setting.programs.milepost, &setting.dir, mode).await?;
        let administrator = server.protection.administrator(server.port).await?;
        let names = portfolio::load(&administrator, &server.client()?, setting.subjects).await?.into();
        Ok(Self { setting: setting.clone(), server, names, written: AtomicU64::new(0) })
    }

    /// The bytes of one event of a write, encoded: what the other systems are given as payload.
    pub async fn event_bytes(setting: &Setting) -> Result<usize, Error> {
        let setting = Setting { subjects: 1, connections: 1, ..setting.clone() };
        let milepost = Self::start(&setting, Mode::Open).await?;
        let mut watcher = milepost.watchers(1, 1, From::Now).await?;
        // As long as most numbers are.
        milepost.writers(1).await?[0].write(100_000).await?;
        let mut events = Vec::new();
        let bytes = loop {
            watcher[0].next(&mut events).await?;
            // Others are of what was loaded.
            if let Some(event) = events.iter().find(|event| number(event) == Some(100_000)) {
                break event.len();
            }
        };
        milepost.server.stop().await?;
        Ok(bytes)
    }

    /// The server without its load.
    pub fn into_server(self) -> Server {
        self.server
    }
}

impl System for Milepost {
    fn writers(&self, count: usize) -> BoxFuture<'_, Result<Vec<Box<dyn Writer>>, Error>> {
        async move {
            let names = Arc::clone(&self.names);
            let clients = (0..self.setting.connections.min(count)).map(|_| self.server.client());
            let clients = clients.collect::<Result<Vec<_>, _>>()?;
            let clients = clients.iter().map(Client::milestones).collect::<Vec<_>>();
            let writer = |number: usize| {
                let client = clients[number % clients.len()].clone();
                Box::new(Reforecasts { client, names: names.clone() }) as Box<dyn Writer>
            };
            Ok((0..count).map(writer).collect())
        }
        .boxed()
    }

    fn watchers(
        &self,
        count: usize,
        connections: usize,
        from: From,
    ) -> BoxFuture<'_, Result<Vec<Box<dyn Watcher>>, Error>> {
        async move {
            let channels = self.server.channels(connections.min(count)).await?;
            let mut opening = JoinSet::new();
            for number in 0..count {
                opening.spawn(Events::open(channels[number % channels.len()].clone(), from));
            }
            let mut watchers: Vec<Box<dyn Watcher>> = Vec::with_capacity(count);
            while let Some(opened) = opening.join_next().await {
                watchers.push(Box::new(opened??));
            }
            Ok(watchers)
        }
        .boxed()
    }

    fn fill(&self, count: u64) -> BoxFuture<'_, Result<u64, Error>> {
        async move {
            let mut writing = JoinSet::new();
            let first = self.written.load(Ordering::Relaxed);
            for (start, mut writer) in (first..).zip(self.writers(FILLERS).await?) {
                writing.spawn(async move {
                    for number in (start..count).step_by(FILLERS) {
                        writer.write(number).await?;
                    }
                    Ok::<_, Error>(())
                });
            }
            while let Some(done) = writing.join_next().await {
                done??;
            }
            Ok(self.written.fetch_max(count, Ordering::Relaxed).max(count))
        }
        .boxed()
    }

    fn numbers(&self) -> Number {
        number
    }

    fn memory_bytes(&self) -> u64 {
        self.server.memory_bytes()
    }
}

/// Of an event, only what holds the number.
#[derive(Clone, PartialEq, Message)]
struct Numbered {
    #[prost(message, optional, tag = "130")]
    reforecast: Option<Reason>,
}

#[derive(Clone, PartialEq, Message)]
struct Reason {
    #[prost(string, tag = "4")]
    reason: String,
}

fn number(event: &[u8]) -> Option<u64> {
    let reason = Numbered::decode(event).ok()?.reforecast?.reason;
    reason.rsplit_once(' ')?.1.parse().ok()
}

struct Reforecasts {
    client: MilestoneServiceClient<CredentialChannel>,
    names: Arc<[String]>,
}

impl Writer for Reforecasts {
    fn write(&mut self, number: u64) -> BoxFuture<'_, Result<(), Error>> {
        let (subject, round) = (number as usize % self.names.len(), number as usize / self.names.len());
        let request = ReforecastMilestoneRequest {
            name: self.names[subject].clone(),
            // Another date each time, so that no write changes nothing.
            forecast_date: Some(Date {
                year: 2100 + (round / 28 % 900) as i32,
                month: 7,
                day: 1 + (round % 28) as i32,
            }),
            reason: format!("材料到场推迟 {number}"),
            ..Default::default()
        };
        async move { Ok(self.client.reforecast_milestone(request).await.map(drop)?) }.boxed()
    }
}

/// `WatchEventsResponse`, its events left as they are.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Response {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    pub(super) events: Vec<Bytes>,
    #[prost(string, tag = "2")]
    pub(super) cursor: String,
}

struct Events(Streaming<Response>);

impl Events {
    /// A stream, once its first response came.
    async fn open(channel: Channel, from: From) -> Result<Self, Error> {
        let start = match from {
            From::Now => watch_events_request::Start::Latest,
            From::Start => watch_events_request::Start::Earliest,
        };
        let from = Some(watch_events_request::From::Start(start.into()));
        let request = WatchEventsRequest { from, ..Default::default() };
        let mut client = tonic::client::Grpc::new(channel).max_decoding_message_size(64 << 20);
        client.ready().await?;
        let codec = tonic_prost::ProstCodec::<WatchEventsRequest, Response>::default();
        let path = PathAndQuery::from_static(WATCH);
        let mut stream =
            client.server_streaming(tonic::Request::new(request), path, codec).await?.into_inner();
        if start == watch_events_request::Start::Latest {
            stream.message().await?;
        }
        Ok(Self(stream))
    }
}

impl Watcher for Events {
    fn next<'a>(&'a mut self, into: &'a mut Vec<Bytes>) -> BoxFuture<'a, Result<(), Error>> {
        async move {
            let response = self.0.message().await?.ok_or("the stream of Milepost ended")?;
            into.extend(response.events);
            Ok(())
        }
        .boxed()
    }
}

/// A server process.
pub struct Server {
    process: Process,
    port: u16,
    program: PathBuf,
    dir: PathBuf,
    mode: Mode,
    protection: Protection,
}

impl Server {
    /// Starts a server on a directory, and waits until it is ready.
    pub async fn start(program: &Path, dir: &Path, mode: Mode) -> Result<Self, Error> {
        let (port, admin) = (process::free_port()?, process::free_port()?);
        let protection = Protection::new(mode, dir)?;
        let words = [
            "serve".to_owned(),
            "all".to_owned(),
            format!("--listen=127.0.0.1:{port}"),
            format!("--admin-listen=127.0.0.1:{admin}"),
            format!("--data-dir={}", dir.join("data").display()),
        ];
        let found = super::find(program).ok_or_else(|| format!("{} is not there", program.display()))?;
        let mut process = Process::start(
            &found,
            words.iter().chain(protection.arguments()),
            None,
            "KILL",
            &dir.join("milepost.log"),
        )?;
        process.ready(async || is_ready(admin).await.unwrap_or(false)).await?;
        Ok(Self { process, port, program: program.to_owned(), dir: dir.to_owned(), mode, protection })
    }

    /// Stops it in order, has its data prepared, and starts it again; how long that start took.
    pub async fn restart(
        self,
        prepare: impl Fn(&Path) -> Result<(), Error>,
    ) -> Result<(Self, Duration), Error> {
        let (program, dir, data, mode) = (self.program.clone(), self.dir.clone(), self.data(), self.mode);
        self.stop().await?;
        prepare(&data)?;
        let begin = Instant::now();
        Ok((Self::start(&program, &dir, mode).await?, begin.elapsed()))
    }

    /// Where it keeps its data.
    pub fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    /// The program that it is.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Stops it in order.
    pub async fn stop(self) -> Result<(), Error> {
        self.process.stop().await
    }

    /// A client with a connection of its own, which may write.
    pub fn client(&self) -> Result<Client, Error> {
        self.protection.client(self.port)
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn memory_bytes(&self) -> u64 {
        self.process.memory_bytes()
    }

    async fn channels(&self, count: usize) -> Result<Vec<Channel>, Error> {
        super::channels(&self.url(), count).await
    }
}

/// Whether the admin port says that everything is open and followed.
async fn is_ready(admin: u16) -> Result<bool, Error> {
    let mut connection = tokio::net::TcpStream::connect(("127.0.0.1", admin)).await?;
    connection.write_all(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await?;
    Ok(answer.starts_with("HTTP/1.1 200"))
}

/// How many entries a ledger's journal has, and in how many bytes, as `journal verify` counts them.
pub fn journal_bytes(program: &Path, data: &Path, ledger: &str) -> Result<(u64, u64), Error> {
    let words = ["journal".as_ref(), "verify".as_ref(), "--data-dir".as_ref(), data.as_os_str()];
    let said = process::run(program, words, None)?;
    let line = said.lines().find_map(|line| line.strip_prefix(ledger)?.strip_prefix(": "));
    let mut numbers = line.unwrap_or_default().split_whitespace().filter_map(|word| word.parse().ok());
    match (numbers.next(), numbers.next()) {
        (Some(entries), Some(bytes)) => Ok((entries, bytes)),
        _ => Err(format!("no entries of the {ledger} in: {said}").into()),
    }
}
