//! Running servers: `serve all|registry|tracker|notifier`, and all of them inside the demo.
//!
//! Invariant: apart or together, the services meet over the same gRPC APIs; in one process they do so
//! without a connection. A role's configuration has only keys that are read.

mod advice;
mod config;
mod embedded;
mod wiring;

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use milepost_service::config::{ConfigArgs, EXIT_CODE, Faults, Layers, Section};
use milepost_service::host::{self, Listeners, ServiceContext, with_signals};
use milepost_service::telemetry;

use crate::error::BoxError;
use crate::output::note;
use config::{All, Notifier, Registry, Tracker};

pub use advice::{By, advice};
pub use embedded::{Embedded, Running, start};

/// Which servers to run, and how they are configured.
#[derive(Debug, Args)]
#[command(after_help = "Every configuration key, with what it means: milepost serve all --print-config")]
pub struct ServeArgs {
    /// Which services this process is
    #[arg(value_enum)]
    role: Role,
    #[command(flatten)]
    config: ConfigArgs,
}

/// Services that run as one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Role {
    /// Everything, on one port (7400)
    All,
    /// Portfolios, organizations, projects, phases, batches (7401)
    Registry,
    /// Milestones (7402)
    Tracker,
    /// The event log and its streams (7403)
    Notifier,
}

/// Runs servers until they are stopped.
pub async fn run(args: ServeArgs) -> ExitCode {
    let mut layers = args.config.layers(std::env::vars_os());
    layers.not_configuration.extend(["MILEPOST_ENDPOINT", "MILEPOST_PRINCIPAL"]);
    let print = args.config.print_config;
    match args.role {
        Role::All => serve(&layers, All::default(), print).await,
        Role::Registry => serve(&layers, Registry::default(), print).await,
        Role::Tracker => serve(&layers, Tracker::default(), print).await,
        Role::Notifier => serve(&layers, Notifier::default(), print).await,
    }
}

async fn serve<C: wiring::Role + Section + Clone>(layers: &Layers, defaults: C, print: bool) -> ExitCode {
    let loaded = match layers.load(defaults) {
        Ok(loaded) => loaded,
        Err(faults) => return refuse(&faults),
    };
    if print {
        // A closed standard output is no error.
        let _ = std::io::Write::write_all(&mut std::io::stdout(), loaded.print().as_bytes());
        return ExitCode::SUCCESS;
    }
    let config = loaded.config;
    if let Err(error) = telemetry::init(&config.server().log) {
        note(&format!("error: logs cannot be written: {}", crate::error::chain(&error)));
        return ExitCode::FAILURE;
    }
    telemetry::log_panics();
    let served = with_signals(|stop| async move {
        let server = config.server().clone();
        let listeners = Listeners::bind(&server).await?;
        let context = ServiceContext::new(&server);
        let open = |context| config.open(context);
        host::run(&server, context, listeners, open, stop.cancelled_owned()).await
    });
    let failure: BoxError = match served.await {
        Ok(Ok(_)) => return ExitCode::SUCCESS,
        Ok(Err(error)) => error.into(),
        Err(error) => error.into(),
    };
    note(&format!("error: {}", crate::error::chain(failure.as_ref())));
    if let Some(advice) = advice(failure.as_ref(), By::Serve) {
        note(&format!("hint: {advice}"));
    }
    ExitCode::FAILURE
}

fn refuse(faults: &Faults) -> ExitCode {
    note(&format!("{faults}"));
    ExitCode::from(EXIT_CODE)
}
