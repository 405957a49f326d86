//! What an office asks all day, of a full portfolio: pages of lists and answers, and reforecasts beside an empty portfolio.
//!
//! Invariants: both servers have default settings and have ended when `run` returns, and their directory is gone. What is
//! timed is one call after another of one client over loopback, until the answer is there whole. Targets are printed
//! beside the figures; a figure beyond its target is no failure, an answer that is refused is one.

mod arguments;
mod days;
mod query;
mod questions;
mod reforecasts;
mod report;
mod settled;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::civil::Date;
use milepost_client::Client;

use crate::generate::{self, Progress, StageRate, World};
use crate::progress::bar;
use crate::system::{Error, Mode, Server};
use query::{Prepared, Query, Seen};
use report::{json, table};
use settled::settled;

pub use arguments::Office;

/// What is measured, and how.
#[derive(Debug)]
pub struct Plan {
    pub seed: u64,
    pub projects: usize,
    /// The last day of the histories.
    pub until: Date,
    pub rounds: usize,
    /// How often each query is called in a round.
    pub calls: usize,
    /// How long reforecasts are measured in a round, on each portfolio.
    pub measure: Duration,
    /// The milepost program.
    pub program: PathBuf,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// How the full portfolio was made.
    pub loaded: Vec<StageRate>,
    pub answers: Vec<Answer>,
    /// Acknowledged reforecasts a second in each round: with the empty portfolio, with the full one.
    pub reforecasts: Vec<(f64, f64)>,
    /// The days that began in the full portfolio; none if they did not.
    pub days: Option<days::Days>,
    /// The days with nothing due that began in a portfolio as large; none if they did not.
    pub quiet_days: Option<days::Days>,
    /// The memory of the server of the full portfolio, in bytes, before it had another one.
    pub memory_bytes: u64,
    pub failures: Vec<String>,
}

/// The times of one query.
#[derive(Debug)]
pub struct Answer {
    pub query: Query,
    pub seen: Seen,
    pub times: Vec<Duration>,
}

/// The projects of the portfolio that is called empty: as many as have milestones enough to write to.
const EMPTY: usize = 34;
/// A query that took so long in a round is not called again in it.
const LONG: Duration = Duration::from_secs(10);

/// Measures.
pub async fn run(plan: &Plan) -> Result<Outcome, Error> {
    let dir = tempfile::Builder::new().prefix("milepost-office-").tempdir()?;
    let world = |projects| {
        World::new(generate::Plan {
            seed: plan.seed,
            projects: plan.projects.min(projects),
            until: plan.until,
            time_zone: days::LAST_ZONE,
        })
    };
    let (full, empty) = (world(usize::MAX), world(EMPTY));
    let (full_server, mut outcome) = {
        let server = start(plan, &dir.path().join("full")).await?;
        let loaded = load(&server.client()?, &full).await?;
        (server, Outcome { loaded, ..Outcome::default() })
    };
    let empty_server = start(plan, &dir.path().join("empty")).await?;
    load(&empty_server.client()?, &empty).await?;
    let client = full_server.client()?;
    settled(&client).await?;
    let prepared = prepare(&client, &full, &mut outcome).await;
    let progress = bar((plan.rounds * (prepared.len() + 2)) as u64);
    for round in 0..plan.rounds {
        progress.set_message(format!("round {}: queries", round + 1));
        for (place, prepared) in prepared.iter().enumerate() {
            let times = call(&client, prepared, plan.calls).await;
            match times {
                Ok(times) => outcome.answers[place].times.extend(times),
                Err(error) => outcome.failures.push(format!("round {}, {error}", round + 1)),
            }
            progress.inc(1);
        }
        progress.set_message(format!("round {}: reforecasts", round + 1));
        let sides = [(&empty_server, &empty), (&full_server, &full)];
        match reforecasts::both(sides, round, plan.measure).await {
            Ok(rates) => outcome.reforecasts.push(rates),
            Err(error) => outcome.failures.push(format!("round {}, reforecasts: {error}", round + 1)),
        }
        progress.inc(2);
    }
    progress.finish_and_clear();
    match days::begin(&client, &full).await {
        Ok(days) => outcome.days = Some(days),
        Err(error) => outcome.failures.push(format!("days: {error}")),
    }
    outcome.memory_bytes = full_server.memory_bytes();
    match quiet_days(&client, &full).await {
        Ok(days) => outcome.quiet_days = Some(days),
        Err(error) => outcome.failures.push(format!("days with nothing due: {error}")),
    }
    full_server.stop().await?;
    empty_server.stop().await?;
    Ok(outcome)
}

/// Makes another portfolio beside the full one, as large and with nothing due, and lets days begin in it.
async fn quiet_days(client: &Client, full: &World) -> Result<days::Days, Error> {
    let quiet = days::quiet(&full.plan);
    load(client, &quiet).await?;
    days::begin_quiet(client, &quiet).await
}

async fn start(plan: &Plan, dir: &Path) -> Result<Server, Error> {
    std::fs::create_dir(dir)?;
    Server::start(&plan.program, dir, Mode::Open).await
}

async fn load(client: &Client, world: &World) -> Result<Vec<StageRate>, Error> {
    let progress = bar(generate::steps(world).count() as u64);
    let loaded = generate::load(client, world, |said| {
        if let Progress::Step(stage) = said {
            progress.set_message(format!("loading: {}", stage.title()));
            progress.inc(1);
        }
    });
    let loaded = loaded.await?;
    progress.finish_and_clear();
    Ok(loaded.stages)
}

/// Calls every query once, which warms it up; one that is refused is a failure and is not measured.
async fn prepare(client: &Client, world: &World, outcome: &mut Outcome) -> Vec<Prepared> {
    let mut all = Vec::new();
    for query in questions::all(world) {
        let title = format!("{}: {}", query.noun, query.title);
        match query.prepare(client).await {
            Ok((prepared, seen)) => {
                all.push(prepared);
                outcome.answers.push(Answer { query, seen, times: Vec::new() });
            }
            Err(error) => outcome.failures.push(format!("{title}: {error}")),
        }
    }
    all
}

/// Calls a query so often, or until that has taken long enough.
async fn call(client: &Client, prepared: &Prepared, calls: usize) -> Result<Vec<Duration>, Error> {
    let mut times = Vec::with_capacity(calls);
    while times.len() < calls && times.iter().sum::<Duration>() < LONG {
        let begin = Instant::now();
        prepared.call(client).await?;
        times.push(begin.elapsed());
    }
    Ok(times)
}
