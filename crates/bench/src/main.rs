//! Load on a running Milepost through its public API, and what came of it. It measures and starts
//! nothing: the server is started by whoever asks.
//!
//! A write is `ReforecastMilestone` on a loaded portfolio: what an office does all day. Every figure is of
//! acknowledged writes, which are durable.

mod load;
mod portfolio;

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures a running Milepost.
#[derive(Parser)]
#[command(name = "milepost-bench", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Durable writes per second, and how long each took.
    Write(Write),
}

/// How to load.
#[derive(clap::Args)]
struct Write {
    /// Where the server is.
    #[arg(long, default_value = "http://127.0.0.1:7400")]
    endpoint: String,
    /// How many clients write at once, each waiting for its answer.
    #[arg(long, default_value_t = 64)]
    clients: usize,
    /// Over how many connections they are spread.
    #[arg(long, default_value_t = 8)]
    connections: usize,
    /// How many milestones there are to write to.
    #[arg(long, default_value_t = 10_000)]
    milestones: usize,
    /// How long to warm up, in seconds.
    #[arg(long, default_value_t = 2)]
    warm_up_secs: u64,
    /// How long to measure, in seconds.
    #[arg(long, default_value_t = 10)]
    secs: u64,
    /// Print one line of JSON instead of text.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let Command::Write(write) = Arguments::parse().command;
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("cannot start a runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(measure(&write)) {
        Ok(report) if write.json => println!("{}", report.json()),
        Ok(report) => println!("{report}"),
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

async fn measure(write: &Write) -> Result<load::Report, milepost_client::Error> {
    let client = portfolio::connect(&write.endpoint, write.connections)?;
    let milestones = portfolio::load(&client, write.milestones).await?;
    let plan = load::Plan {
        clients: write.clients,
        warm_up: Duration::from_secs(write.warm_up_secs),
        measure: Duration::from_secs(write.secs),
    };
    load::run(&client, &milestones, plan).await
}
