//! The systems that are measured, behind one interface: writers, watchers, history, memory.
//!
//! Invariants: every system gets payloads of the same size and the same number of connections (but for
//! watchers of PostgreSQL, which takes one for each), with its default durable settings; a write returns
//! when it is acknowledged as durable. A system is started in a directory of its own and ends when it is
//! dropped.

mod echo;
mod etcd;
mod jetstream;
mod milepost;
mod postgres;
mod process;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use milepost_client::connector;
use tonic::transport::{Channel, Endpoint};

pub use echo::serve as serve_echo;
pub use milepost::{Milepost, Mode, Server, journal_bytes};
pub use process::disk_bytes;

/// For one attempt to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What went wrong, for people.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// A system that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, clap::ValueEnum)]
pub enum Kind {
    /// `milepost serve all`.
    Milepost,
    /// The same with TLS.
    MilepostTls,
    /// The same with the JWTs of an issuer, and grants.
    MilepostJwt,
    /// A bare tonic server that answers with what it is sent: the transport's own limit. Keeps nothing.
    Echo,
    /// etcd, one node.
    Etcd,
    /// NATS JetStream, one node, `sync_interval: always`.
    Jetstream,
    /// PostgreSQL: a row, an outbox row and a NOTIFY in one transaction.
    Postgres,
}

/// What every system is given.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The directory that the system may use; it exists and is empty.
    pub dir: PathBuf,
    /// Bytes of the payload of one write; its first eight are the write's number, big end first.
    pub payload_bytes: usize,
    /// Rows, keys or subjects that writes go to, in turn.
    pub subjects: usize,
    /// Connections of writers, at most: fewer than writers are shared by them.
    pub connections: usize,
    /// The programs, where they are not found by themselves.
    pub programs: Programs,
}

/// Where programs are that are not on the path.
#[derive(Debug, Clone)]
pub struct Programs {
    /// `milepost`.
    pub milepost: PathBuf,
    /// `nats-server`.
    pub nats: PathBuf,
}

/// Where a watcher starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// With what is written once the watcher is returned.
    Now,
    /// With the first write there is.
    Start,
}

/// Tells the number of the write that a payload is of; none if it is of something else.
pub type Number = fn(&[u8]) -> Option<u64>;

/// A system that runs.
pub trait System: Send + Sync {
    /// Clients that write, each for itself, over the setting's connections.
    fn writers(&self, count: usize) -> BoxFuture<'_, Result<Vec<Box<dyn Writer>>, Error>>;

    /// Clients that watch everything that is written, over so many connections.
    fn watchers(
        &self,
        count: usize,
        connections: usize,
        from: From,
    ) -> BoxFuture<'_, Result<Vec<Box<dyn Watcher>>, Error>>;

    /// Makes the history at least so many writes long, as fast as the system can; tells how long it is.
    fn fill(&self, count: u64) -> BoxFuture<'_, Result<u64, Error>>;

    /// What tells the number of the write that a watcher's payload is of.
    fn numbers(&self) -> Number {
        number
    }

    /// The bytes of memory that its processes use now.
    fn memory_bytes(&self) -> u64;
}

/// A client that writes and waits until the write is durable.
pub trait Writer: Send {
    /// Does the write with this number.
    fn write(&mut self, number: u64) -> BoxFuture<'_, Result<(), Error>>;
}

/// A client that watches.
pub trait Watcher: Send {
    /// Waits for what comes next and puts its payloads at the end of `into`; at least one, unless it was
    /// only a sign of life. May be cancelled.
    fn next<'a>(&'a mut self, into: &'a mut Vec<Bytes>) -> BoxFuture<'a, Result<(), Error>>;
}

impl Kind {
    /// All of them, in the order of tables.
    pub const ALL: [Self; 7] = [
        Self::Milepost,
        Self::MilepostTls,
        Self::MilepostJwt,
        Self::Echo,
        Self::Etcd,
        Self::Jetstream,
        Self::Postgres,
    ];

    /// Which version is installed, or why it cannot be measured.
    pub fn version(self, programs: &Programs) -> Result<String, String> {
        match self {
            Self::Milepost | Self::MilepostTls | Self::MilepostJwt => milepost::version(programs),
            Self::Echo => Ok("tonic, in this program".to_owned()),
            Self::Etcd => etcd::version(),
            Self::Jetstream => jetstream::version(programs),
            Self::Postgres => postgres::version(),
        }
    }

    /// Starts it.
    pub async fn start(self, setting: &Setting) -> Result<Box<dyn System>, Error> {
        Ok(match self {
            Self::Milepost => Box::new(Milepost::start(setting, Mode::Open).await?),
            Self::MilepostTls => Box::new(Milepost::start(setting, Mode::Tls).await?),
            Self::MilepostJwt => Box::new(Milepost::start(setting, Mode::Jwt).await?),
            Self::Echo => Box::new(echo::Echo::start(setting).await?),
            Self::Etcd => Box::new(etcd::Etcd::start(setting).await?),
            Self::Jetstream => Box::new(jetstream::Jetstream::start(setting).await?),
            Self::Postgres => Box::new(postgres::Postgres::start(setting).await?),
        })
    }

    /// Whether it is Milepost with something that protects it, which costs writes the most.
    pub fn is_protected(self) -> bool {
        matches!(self, Self::MilepostTls | Self::MilepostJwt)
    }

    /// Whether its watchers can be so many: PostgreSQL takes a process for each.
    pub fn takes_watchers(self, count: usize) -> bool {
        match self {
            Self::Echo | Self::MilepostTls | Self::MilepostJwt => false,
            Self::Postgres => count <= 1000,
            Self::Milepost | Self::Etcd | Self::Jetstream => true,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Milepost => "Milepost",
            Self::MilepostTls => "Milepost, TLS",
            Self::MilepostJwt => "Milepost, JWT",
            Self::Echo => "tonic echo",
            Self::Etcd => "etcd",
            Self::Jetstream => "JetStream",
            Self::Postgres => "PostgreSQL",
        })
    }
}

/// The payload of the write with this number; the rest of it is text that does not compress to nothing.
fn payload(number: u64, bytes: usize) -> Vec<u8> {
    let mut payload = number.to_be_bytes().to_vec();
    let mut state = number | 1;
    payload.resize_with(bytes.max(8), || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        b'a' + (state >> 59) as u8 % 26
    });
    payload
}

/// The number at the beginning of a payload.
fn number(payload: &[u8]) -> Option<u64> {
    payload.first_chunk().map(|bytes| u64::from_be_bytes(*bytes))
}

/// The whole path of a program, if it is on the path or one already.
fn find(program: &Path) -> Option<PathBuf> {
    if program.components().count() > 1 {
        return program.is_file().then(|| program.to_owned());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(program)).find(|path| path.is_file())
}

/// So many connections with tonic's settings, by the sockets of Milepost's client, which send a unary request in one
/// system call. All systems that speak gRPC are given the same.
async fn channels(url: &str, count: usize) -> Result<Vec<Channel>, Error> {
    let endpoint = Endpoint::new(url.to_owned())?;
    let mut channels = Vec::with_capacity(count);
    for _ in 0..count {
        channels.push(endpoint.connect_with_connector(connector(CONNECT_TIMEOUT)).await?);
    }
    Ok(channels)
}
