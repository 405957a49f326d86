//! The command `generate`: a world on a server that runs.

use jiff::civil::Date;
use milepost_client::{Client, Endpoint, Endpoints};

use super::world::TIME_ZONE;
use super::{Loaded, Plan, Progress, StageRate, World, load, steps};
use crate::figure::Unit;
use crate::progress::bar;
use crate::system::Error;

/// Connections; calls are spread over them.
const CONNECTIONS: usize = 8;

/// What `generate` is given.
#[derive(Debug, clap::Args)]
pub struct Generate {
    /// How many projects, each with about thirty milestones and years of history
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    projects: u32,
    /// The same seed, with the same projects and last day, makes the same portfolio
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The last day on which anything happened, not after today
    #[arg(long, default_value = "2025-10-31")]
    until: Date,
    /// A server with all services, where nothing says who may do what
    #[arg(long, default_value = "http://127.0.0.1:7400")]
    endpoint: String,
}

impl Generate {
    /// Makes the world, or what an earlier run left to make.
    pub async fn run(self) -> Result<(), Error> {
        let plan = Plan {
            seed: self.seed,
            projects: self.projects as usize,
            until: self.until,
            time_zone: TIME_ZONE,
        };
        let world = World::new(plan);
        let endpoint = Endpoint::parse(&self.endpoint)?;
        let client = Client::new(&Endpoints::one(endpoint), CONNECTIONS);
        let progress = bar(steps(&world).count() as u64);
        let making = load(&client, &world, |said| match said {
            Progress::Begun { skipped } => progress.inc(skipped as u64),
            Progress::Step(stage) => {
                progress.set_message(stage.title());
                progress.inc(1);
            }
            Progress::Stage(rate) => progress.suspend(|| eprintln!("{}", line(rate))),
        });
        let loaded = tokio::select! {
            loaded = making => loaded?,
            interrupted = tokio::signal::ctrl_c() => {
                interrupted?;
                return Err("interrupted; the same command goes on from here".into());
            }
        };
        progress.finish_and_clear();
        println!("{}", total(&world, &loaded));
        Ok(())
    }
}

fn line(rate: &StageRate) -> String {
    let print = |value: f64| Unit::P50Ms.format(value);
    format!(
        "{}: {} resources, {} requests in {} s ({} requests/s)",
        rate.stage.title(),
        print(rate.resources as f64),
        print(rate.requests as f64),
        print(rate.took.as_secs_f64()),
        print(rate.requests_per_second())
    )
}

fn total(world: &World, loaded: &Loaded) -> String {
    let print = |value: f64| Unit::P50Ms.format(value);
    let seconds: f64 = loaded.stages.iter().map(|rate| rate.took.as_secs_f64()).sum();
    let requests: u64 = loaded.stages.iter().map(|rate| rate.requests).sum();
    let name = world.portfolio();
    match (loaded.skipped, requests) {
        (_, 0) => format!("{name} was whole already"),
        (0, _) => format!("{name}: {} requests in {} s", print(requests as f64), print(seconds)),
        (skipped, _) => format!(
            "{name}: {} requests in {} s; an earlier run had done {} steps",
            print(requests as f64),
            print(seconds),
            print(skipped as f64)
        ),
    }
}
