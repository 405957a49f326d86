//! Measures Milepost, and fills it.
//!
//! `compare` measures it beside the systems that a user might choose instead, in one run on one machine: it starts
//! every system that is installed on loopback, in a directory of its own, does the same work on each, round after round,
//! and stops them all at the end. `office` measures what an office asks of a large portfolio. `generate` makes such
//! portfolios. Figures are of acknowledged work.

mod compare;
mod figure;
mod generate;
mod office;
mod portfolio;
mod progress;
mod report;
mod system;
mod target;
mod work;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};

use crate::compare::{Outcome, Plan};
use crate::generate::Generate;
use crate::office::Office;
use crate::system::{Error, Kind, Programs};
use crate::work::Work;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures Milepost, alone and beside other systems.
#[derive(Parser)]
#[command(name = "milepost-bench", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measures every system that is installed, and prints a table
    Compare(Compare),
    /// Fills a server with a synthetic portfolio of any size, the same one for a seed
    Generate(Generate),
    /// Measures what an office asks of a portfolio of 10,000 projects, and prints a table
    Office(Office),
    /// Serves a bare tonic echo until the process ends
    #[command(hide = true)]
    ServeEcho { listen: SocketAddr },
}

#[derive(clap::Args)]
struct Compare {
    /// Only these systems and works, by commas: milepost, milepost-tls and milepost-jwt (of writes-64 alone),
    /// echo, etcd, jetstream, postgres; writes, live,
    /// full-speed, replay, idle, million; writes-64, of so many clients; live-100, of so many watchers.
    /// Systems alone: all works of them; works alone: of all systems
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// How often every system is measured, in turn
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// How long each work is measured, in seconds
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=600))]
    secs: u64,
    /// How long writes, and writes at a fixed rate, warm up before, in seconds
    #[arg(long, default_value_t = 1)]
    warm_up_secs: u64,
    /// Connections of writers, at most; less than the writers: they share
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..=1000))]
    connections: u16,
    /// Milestones, keys, subjects or rows that are written to in turn
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    subjects: u32,
    /// Entries of the work `million`
    #[arg(long, default_value_t = 1_000_000)]
    entries: u64,
    /// The milepost program [default: beside this one]
    #[arg(long)]
    milepost: Option<PathBuf>,
    /// The nats-server program
    #[arg(long, default_value = "nats-server")]
    nats_server: PathBuf,
    /// Print one JSON object instead of the table
    #[arg(long)]
    json: bool,
    /// Also write a chart to this SVG file
    #[arg(long)]
    svg: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    let outcome = runtime.block_on(async {
        match arguments.command {
            Command::Compare(compare) => compare.run().await,
            Command::Generate(generate) => generate.run().await,
            Command::Office(office) => office.run().await,
            Command::ServeEcho { listen } => system::serve_echo(listen).await,
        }
    });
    outcome.map_or_else(|error| failed(&error), |()| ExitCode::SUCCESS)
}

fn failed(error: &Error) -> ExitCode {
    eprint!("error: {error}");
    let mut source = error.source();
    while let Some(error) = source {
        eprint!(": {error}");
        source = error.source();
    }
    eprintln!();
    ExitCode::FAILURE
}

impl Compare {
    async fn run(self) -> Result<(), Error> {
        let plan = self.plan()?;
        // Dropped when interrupted, which ends the systems.
        let outcome = tokio::select! {
            outcome = compare::run(&plan) => outcome?,
            interrupted = tokio::signal::ctrl_c() => return Err(match interrupted {
                Ok(()) => "interrupted".into(),
                Err(error) => error.into(),
            }),
        };
        self.tell(&plan, &outcome)?;
        match outcome.failures.len() {
            0 => Ok(()),
            count => Err(format!("{count} measurements failed; see above").into()),
        }
    }

    fn tell(&self, plan: &Plan, outcome: &Outcome) -> Result<(), Error> {
        if self.json {
            println!("{:#}", report::json(plan, outcome));
        } else {
            print!("{}", report::table(plan, outcome));
        }
        if let Some(path) = &self.svg {
            std::fs::write(path, report::chart(plan, outcome))
                .map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(())
    }

    fn plan(&self) -> Result<Plan, Error> {
        let (systems, works) = self.chosen()?;
        let beside = || Ok::<_, Error>(std::env::current_exe()?.with_file_name("milepost"));
        let milepost = self.milepost.clone().map_or_else(beside, Ok)?;
        Ok(Plan {
            systems,
            works,
            rounds: self.rounds as usize,
            warm_up: Duration::from_secs(self.warm_up_secs),
            measure: Duration::from_secs(self.secs),
            subjects: self.subjects as usize,
            connections: self.connections.into(),
            programs: Programs { milepost, nats: self.nats_server.clone() },
        })
    }

    fn chosen(&self) -> Result<(Vec<Kind>, Vec<Work>), Error> {
        let (mut systems, mut works) = (Vec::new(), Vec::new());
        let all = Work::all(self.entries);
        for name in &self.only {
            let named: Vec<Work> = all.iter().filter(|work| work.is_called(name)).copied().collect();
            match Kind::from_str(name, true) {
                Ok(kind) => systems.push(kind),
                Err(_) if !named.is_empty() => works.extend(named),
                Err(_) => return Err(format!("--only {name}: no such system or work; see --help").into()),
            }
        }
        // In the order of tables, each once.
        let chosen = |kind: &Kind| systems.is_empty() || systems.contains(kind);
        let systems = Kind::ALL.into_iter().filter(chosen).collect();
        let works = all.into_iter().filter(|work| works.is_empty() || works.contains(work)).collect();
        Ok((systems, works))
    }
}
