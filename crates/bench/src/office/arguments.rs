//! The command `office`.

use std::path::PathBuf;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use milepost_types::{Clock, SystemClock};

use super::{Plan, json, run, table};
use crate::system::Error;

/// What `office` is given.
#[derive(Debug, clap::Args)]
pub struct Office {
    /// Projects of the full portfolio, each with about thirty milestones
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    projects: u32,
    /// How often everything is measured, in turn
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// How often each query is called in a round
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    calls: u32,
    /// How long reforecasts are measured in a round on each portfolio, in seconds
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=600))]
    secs: u64,
    /// The seed of the portfolio
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The last day of the histories [default: yesterday, so that dates are near as on a working day]
    #[arg(long)]
    until: Option<Date>,
    /// The milepost program [default: beside this one]
    #[arg(long)]
    milepost: Option<PathBuf>,
    /// Print one JSON object instead of the table
    #[arg(long)]
    json: bool,
}

impl Office {
    /// Measures, and prints what it found.
    pub async fn run(self) -> Result<(), Error> {
        let beside = || Ok::<_, Error>(std::env::current_exe()?.with_file_name("milepost"));
        let yesterday = || SystemClock.now().to_zoned(TimeZone::UTC).date().yesterday();
        let plan = Plan {
            seed: self.seed,
            projects: self.projects as usize,
            until: self.until.map_or_else(yesterday, Ok)?,
            rounds: self.rounds as usize,
            calls: self.calls as usize,
            measure: Duration::from_secs(self.secs),
            program: self.milepost.map_or_else(beside, Ok)?,
        };
        // Dropped when interrupted, which ends the servers.
        let outcome = tokio::select! {
            outcome = run(&plan) => outcome?,
            interrupted = tokio::signal::ctrl_c() => {
                interrupted?;
                return Err("interrupted".into());
            }
        };
        if self.json {
            println!("{:#}", json(&plan, &outcome));
        } else {
            print!("{}", table(&plan, &outcome));
        }
        match outcome.failures.len() {
            0 => Ok(()),
            count => Err(format!("{count} measurements failed; see above").into()),
        }
    }
}
