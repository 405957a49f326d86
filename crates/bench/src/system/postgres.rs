//! PostgreSQL: a write is a transaction that updates a row, adds one to an outbox and notifies; a watcher
//! listens, and on a notification reads what the outbox has that it has not seen.
//!
//! Settings: as `initdb` leaves them (`fsync` and `synchronous_commit` are on), but `max_connections` is
//! raised; on loopback, like the others. The transaction is one prepared statement, so it takes one round
//! trip, and it is committed when it is answered.
//!
//! A watcher has a connection, and so a process of the server, of its own: it must, to be notified.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, StreamExt, TryStreamExt};
use tokio::sync::mpsc;
use tokio_postgres::types::ToSql;
use tokio_postgres::{AsyncMessage, Client, Config, NoTls, Row, Statement};

use super::process::{self, Process};
use super::{Error, From, Setting, System, Watcher, Writer};

/// Who the server runs as if we are root, as whom it refuses to.
const USER: &str = "postgres";
/// Enough for a thousand watchers, and writers.
const MAX_CONNECTIONS: usize = 1_200;
/// Rows that one call of a watcher takes if they are there.
const BATCH: usize = 256;
/// Rows that one read of a live watcher asks for. With a limit it is planned along the index.
const PAGE: usize = 1_024;
/// Numbers of rows that a watcher still waits for though it has seen later ones.
const MISSING: i64 = 4_096;

const SCHEMA: &str = "
    CREATE TABLE milestones (id bigint PRIMARY KEY, payload bytea NOT NULL);
    CREATE TABLE outbox (id bigserial PRIMARY KEY, payload bytea NOT NULL);";
const WRITE: &str = "
    WITH row AS (UPDATE milestones SET payload = $2 WHERE id = $1),
         event AS (INSERT INTO outbox (payload) VALUES ($2))
    SELECT pg_notify('outbox', '')";
const HISTORY: &str = "SELECT id, payload FROM outbox ORDER BY id";
const NEWS: &str = "
    SELECT id, payload FROM outbox WHERE id = ANY($2)
    UNION ALL (SELECT id, payload FROM outbox WHERE id > $1 ORDER BY id LIMIT $3)";
const LAST: &str = "SELECT coalesce(max(id), 0) FROM outbox";
const LENGTH: &str = "SELECT count(*) FROM outbox";
/// The number, big end first, and the rest of the payload.
const FILL: &str =
    "INSERT INTO outbox (payload) SELECT int8send(n) || $3 FROM generate_series($1::bigint, $2::bigint) n";

/// Which version is installed, or how to install it.
pub fn version() -> Result<String, String> {
    let output =
        process::run(&program("postgres")?, ["--version"], None).map_err(|error| error.to_string())?;
    Ok(output.trim().replace("postgres (PostgreSQL)", "PostgreSQL"))
}

/// A program of PostgreSQL; Debian keeps those of the server off the path.
fn program(name: &str) -> Result<PathBuf, String> {
    let debian = || {
        let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
        let programs = versions.filter_map(Result::ok).map(|version| version.path().join("bin").join(name));
        programs.filter(|program| program.is_file()).max()
    };
    let found = super::find(Path::new(name)).or_else(debian);
    found.ok_or_else(|| format!("no {name} on the path: apt-get install postgresql"))
}

/// A running server with its tables.
pub struct Postgres {
    process: Process,
    config: Config,
    setting: Setting,
}

impl Postgres {
    /// Makes a cluster in the setting's directory and starts it; ready when all rows are there.
    pub async fn start(setting: &Setting) -> Result<Self, Error> {
        let (data, port) = (setting.dir.join("data"), process::free_port()?);
        if process::is_root() {
            process::run(Path::new("chown"), [USER.as_ref(), setting.dir.as_os_str()], None)?;
        }
        let pgdata = format!("--pgdata={}", data.display());
        let args = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", &pgdata];
        process::run(&program("initdb")?, args, Some(USER)).map_err(|error| {
            format!("PostgreSQL {error} (user {USER} must be able to enter {})", setting.dir.display())
        })?;
        let args = [
            "-D".to_owned(),
            data.display().to_string(),
            "--listen_addresses=127.0.0.1".to_owned(),
            format!("--port={port}"),
            "--unix_socket_directories=".to_owned(),
            format!("--max_connections={MAX_CONNECTIONS}"),
        ];
        // QUIT ends it and its children without a checkpoint.
        let log = setting.dir.join("postgres.log");
        let mut process = Process::start(&program("postgres")?, args, Some(USER), "QUIT", &log)?;
        let mut config = Config::new();
        config.host("127.0.0.1").port(port).user("postgres").dbname("postgres");
        let answers = async || connect(&config).await.is_ok();
        process.ready(answers).await.map_err(|error| format!("PostgreSQL {error}"))?;

        let client = connect(&config).await?;
        client.batch_execute(SCHEMA).await.map_err(failed("make the tables"))?;
        let last = i64::try_from(setting.subjects.max(1))? - 1;
        let payload = super::payload(0, setting.payload_bytes);
        let rows = "INSERT INTO milestones SELECT id, $2 FROM generate_series(0, $1::bigint) id";
        client.execute(rows, &[&last, &payload]).await.map_err(failed("make the rows"))?;
        settle(&client).await?;
        Ok(Self { process, config, setting: setting.clone() })
    }
}

impl System for Postgres {
    fn writers(&self, count: usize) -> BoxFuture<'_, Result<Vec<Box<dyn Writer>>, Error>> {
        Box::pin(async move {
            let mut sessions = Vec::new();
            for _ in 0..count.min(self.setting.connections).max(1) {
                let client = connect(&self.config).await?;
                let write = client.prepare(WRITE).await.map_err(failed("prepare"))?;
                sessions.push((Arc::new(client), write));
            }
            let subjects = self.setting.subjects.max(1) as u64;
            let writer = |(client, write): &(Arc<Client>, Statement)| {
                let (client, write) = (Arc::clone(client), write.clone());
                let payload_bytes = self.setting.payload_bytes;
                Box::new(Transact { client, write, subjects, payload_bytes }) as Box<dyn Writer>
            };
            Ok(sessions.iter().cycle().take(count).map(writer).collect())
        })
    }

    fn watchers(
        &self,
        count: usize,
        _connections: usize,
        from: From,
    ) -> BoxFuture<'_, Result<Vec<Box<dyn Watcher>>, Error>> {
        Box::pin(async move {
            let mut watchers: Vec<Box<dyn Watcher>> = Vec::with_capacity(count);
            for _ in 0..count {
                watchers.push(Box::new(Listen::start(&self.config, from).await?));
            }
            Ok(watchers)
        })
    }

    fn fill(&self, count: u64) -> BoxFuture<'_, Result<u64, Error>> {
        Box::pin(async move {
            let client = connect(&self.config).await?;
            let first = one(&client, LENGTH).await?;
            let last = i64::try_from(count)? - 1;
            if first <= last {
                let rest = super::payload(0, self.setting.payload_bytes).split_off(8);
                client.execute(FILL, &[&first, &last, &rest]).await.map_err(failed("fill the outbox"))?;
                settle(&client).await?;
            }
            Ok(u64::try_from(one(&client, LENGTH).await?)?)
        })
    }

    fn memory_bytes(&self) -> u64 {
        self.process.memory_bytes()
    }
}

/// A writer.
struct Transact {
    client: Arc<Client>,
    write: Statement,
    subjects: u64,
    payload_bytes: usize,
}

impl Writer for Transact {
    fn write(&mut self, number: u64) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            let row = i64::try_from(number % self.subjects)?;
            let payload = super::payload(number, self.payload_bytes);
            self.client.execute(&self.write, &[&row, &payload]).await.map_err(failed("write"))?;
            Ok(())
        })
    }
}

/// A watcher.
struct Listen {
    client: Arc<Client>,
    news: Statement,
    /// Holds a notification, or several as one.
    notified: mpsc::Receiver<()>,
    /// The read under way. It is kept when a call is cancelled, so that the next one goes on with it.
    rows: Option<BoxStream<'static, Result<Row, tokio_postgres::Error>>>,
    /// How many rows it gave.
    given: usize,
    seen: Seen,
}

impl Listen {
    /// Listens, and then looks where the outbox ends, or begins to read it.
    async fn start(config: &Config, from: From) -> Result<Self, Error> {
        let (client, mut connection) = config.connect(NoTls).await.map_err(failed("connect"))?;
        let (notify, notified) = mpsc::channel(1);
        let mut messages = stream::poll_fn(move |context| connection.poll_message(context));
        tokio::spawn(async move {
            while let Ok(Some(message)) = messages.try_next().await {
                if let AsyncMessage::Notification(_) = message {
                    // A full channel says as much.
                    let _ = notify.try_send(());
                }
            }
        });
        client.batch_execute("LISTEN outbox").await.map_err(failed("listen"))?;
        let news = client.prepare(NEWS).await.map_err(failed("prepare"))?;
        let (mut rows, mut seen) = (None, Seen::default());
        match from {
            From::Now => seen.last = one(&client, LAST).await?,
            From::Start => {
                let history =
                    client.query_raw(HISTORY, [0_i64; 0]).await.map_err(failed("read the outbox"))?;
                rows = Some(history.boxed());
            }
        }
        Ok(Self { client: Arc::new(client), news, notified, rows, given: 0, seen })
    }

    /// A read of what was not seen; it begins when it is polled.
    fn read(&self) -> BoxStream<'static, Result<Row, tokio_postgres::Error>> {
        let (client, news, last) = (Arc::clone(&self.client), self.news.clone(), self.seen.last);
        let missing: Vec<i64> = self.seen.missing.iter().copied().collect();
        let begun = async move {
            let parameters: [&(dyn ToSql + Sync); 3] = [&last, &missing, &(PAGE as i64)];
            client.query_raw(&news, parameters).await
        };
        stream::once(begun).try_flatten().boxed()
    }

    /// Takes the rows that are there, at least one; none if the read ends.
    async fn take(&mut self, into: &mut Vec<Bytes>) -> Result<(), Error> {
        if self.rows.is_none() {
            // After a full page there may be more; else there is when it is notified.
            if self.given < PAGE {
                self.notified.recv().await.ok_or("PostgreSQL closed a connection: see postgres.log")?;
            }
            // Whatever was notified by now, this read sees.
            let _ = self.notified.try_recv();
            (self.rows, self.given) = (Some(self.read()), 0);
        }
        let Some(rows) = &mut self.rows else { return Ok(()) };
        let full = into.len() + BATCH;
        let mut next = rows.try_next().await;
        while let Some(row) = next.map_err(failed("read the outbox"))? {
            self.given += 1;
            let (id, payload) = (row.try_get(0)?, row.try_get(1)?);
            if self.seen.is_new(id) {
                into.push(Bytes::copy_from_slice(payload));
            }
            if into.len() >= full {
                return Ok(());
            }
            match rows.try_next().now_or_never() {
                Some(more) => next = more,
                None => return Ok(()),
            }
        }
        self.rows = None;
        Ok(())
    }
}

impl Watcher for Listen {
    fn next<'a>(&'a mut self, into: &'a mut Vec<Bytes>) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let before = into.len();
            while into.len() == before {
                self.take(into).await?;
            }
            Ok(())
        })
    }
}

/// Which rows a watcher has seen. Numbers are given out before the commit, so a row may be there after
/// one with a higher number.
#[derive(Debug, Default)]
struct Seen {
    /// The highest number.
    last: i64,
    /// Numbers below it that were not there. Those of a transaction that failed never will be, so only
    /// the newest are kept.
    missing: BTreeSet<i64>,
}

impl Seen {
    fn is_new(&mut self, id: i64) -> bool {
        if id <= self.last {
            return self.missing.remove(&id);
        }
        self.missing.extend((self.last + 1).max(id - MISSING)..id);
        self.last = id;
        while self.missing.first().is_some_and(|first| *first < id - MISSING) {
            self.missing.pop_first();
        }
        true
    }
}

/// A connection, driven until its client is dropped.
async fn connect(config: &Config) -> Result<Client, Error> {
    let (client, connection) = config.connect(NoTls).await.map_err(failed("connect"))?;
    tokio::spawn(connection);
    Ok(client)
}

async fn one(client: &Client, query: &str) -> Result<i64, Error> {
    let row = client.query_one(query, &[]).await.map_err(failed("read the outbox"))?;
    Ok(row.try_get(0)?)
}

/// Does what would be done in the background after many changes, so that it does not disturb a measurement.
async fn settle(client: &Client) -> Result<(), Error> {
    for statement in ["VACUUM (ANALYZE)", "CHECKPOINT"] {
        client.batch_execute(statement).await.map_err(failed("settle"))?;
    }
    Ok(())
}

fn failed(what: &'static str) -> impl Fn(tokio_postgres::Error) -> Error {
    move |error| {
        let cause = error.as_db_error().map_or_else(|| error.to_string(), ToString::to_string);
        format!("PostgreSQL {what}: {cause}; see postgres.log in its directory").into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_come_late_are_new_once() {
        let mut seen = Seen { last: 7, ..Seen::default() };
        let new = [7, 8, 11, 9, 9, 11, 10, 12].map(|id| seen.is_new(id));
        assert_eq!(new, [false, true, true, true, false, false, true, true]);
        assert_eq!((seen.last, seen.missing.len()), (12, 0));
    }

    #[test]
    fn rows_that_never_come_are_forgotten() {
        let mut seen = Seen::default();
        assert!(seen.is_new(3 * MISSING) && seen.is_new(4 * MISSING));
        assert_eq!(seen.missing.first(), Some(&(3 * MISSING + 1)));
        assert!(!seen.is_new(5));
    }
}
