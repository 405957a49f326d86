//! Running servers: `serve all|registry|tracker|notifier`, and all of them inside the demo.
//!
//! Invariant: apart or together, the services meet over the same gRPC APIs; in one process they do so
//! without a connection. A role's configuration has only keys that are read.

mod advice;
mod config;
mod embedded;
mod wiring;

use clap::{Args, ValueEnum};
use milepost_service::config::{ConfigArgs, Layers, Section};
use milepost_service::host::{self, Listeners, ServiceContext, with_signals};
use milepost_service::telemetry;

use crate::error::{Error, chain};
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

/// Runs servers until they are stopped. Variables of the command line are not theirs.
///
/// # Errors
/// If the configuration is faulty, or the servers do not start or fail.
pub async fn run(args: ServeArgs, variables_of_clients: &[&'static str]) -> Result<(), Error> {
    let mut layers = args.config.layers(std::env::vars_os());
    layers.not_configuration.extend(variables_of_clients);
    let print = args.config.print_config;
    match args.role {
        Role::All => serve(&layers, All::default(), print).await,
        Role::Registry => serve(&layers, Registry::default(), print).await,
        Role::Tracker => serve(&layers, Tracker::default(), print).await,
        Role::Notifier => serve(&layers, Notifier::default(), print).await,
    }
}

async fn serve<C>(layers: &Layers, defaults: C, print: bool) -> Result<(), Error>
where
    C: wiring::Role + Section + Clone,
{
    let loaded = layers.load(defaults)?;
    if print {
        // A closed standard output is no error.
        let _ = std::io::Write::write_all(&mut std::io::stdout(), loaded.print().as_bytes());
        return Ok(());
    }
    let config = loaded.config;
    telemetry::init(&config.server().log)
        .map_err(|error| Error::Serve(format!("logs cannot be written: {}", chain(&error)).into()))?;
    telemetry::log_panics();
    let served = with_signals(|stop| async move {
        let server = config.server().clone();
        let listeners = Listeners::bind(&server).await?;
        let context = ServiceContext::new(&server);
        let open = |context| config.open(context);
        host::run(&server, context, listeners, open, stop.cancelled_owned()).await
    });
    match served.await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(Error::Serve(error.into())),
        Err(error) => Err(Error::Serve(error.into())),
    }
}
