//! Running servers: `serve all|registry|tracker|notifier`, and all of them inside the demo.
//!
//! Invariant: apart or together, the services meet over the same gRPC APIs. A role's configuration has only
//! keys that are read.

mod backup;
mod config;
mod process;
mod traces;

use clap::{Args, ValueEnum};
use milepost_service::config::{ConfigArgs, Layers, Section};
use milepost_service::host::{Listeners, ServiceContext, with_signals};
use milepost_service::telemetry;

use crate::error::Error;
use crate::output::print;
use config::{All, Notifier, Registry, Tracker};

pub use process::{Process, Running};

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
        Role::All => serve::<All>("milepost", &layers, print).await,
        Role::Registry => serve::<Registry>("milepost-registry", &layers, print).await,
        Role::Tracker => serve::<Tracker>("milepost-tracker", &layers, print).await,
        Role::Notifier => serve::<Notifier>("milepost-notifier", &layers, print).await,
    }
}

/// `name` is what the process is called in traces.
async fn serve<C>(name: &str, layers: &Layers, only_print: bool) -> Result<(), Error>
where
    C: Section + Default + Clone + Into<Process>,
{
    let loaded = layers.load(C::default())?;
    if only_print {
        return print(&loaded.print());
    }
    let process: Process = loaded.config.into();
    let traces = traces::start(name, &process.server.traces).map_err(Error::Serve)?;
    telemetry::init(&process.server.log, traces.as_ref()).expect("logging is started here only");
    let context = ServiceContext::new(&process.server);
    if let Some(traces) = &traces {
        traces.register(&context.metrics);
    }
    let served = with_signals(|stop| async move {
        let served = match Listeners::bind(&process.server).await {
            Ok(listeners) => process.run(context, listeners, stop).await,
            Err(error) => Err(error),
        };
        if let Some(traces) = traces {
            // What cannot be sent within seconds is lost, and the log says so.
            let _ = tokio::task::spawn_blocking(|| traces.finish()).await;
        }
        served
    });
    let served = served.await.map_err(|error| Error::Serve(error.into()))?;
    served.map(drop).map_err(|error| Error::Serve(error.into()))
}
