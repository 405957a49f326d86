//! The one binary: serve, demo, operate, and the command-line client.
//!
//! Invariant: a process ends by returning from `main` with an exit code that `--help` documents. The client
//! and the demo talk to servers through the public API only.

mod cli;
mod context;
mod demo;
mod error;
mod operate;
mod output;
mod reference;
mod report;
mod schema;
mod serve;
mod timeline;

use std::io::Write;
use std::process::ExitCode;

use milepost_service::config::check_variables;
use tokio::runtime::{Builder, Runtime};

use cli::{AccessCommand, Cli, Command, VARIABLES};
use error::{Error, report};
use output::Format;

/// The endpoint that clients use, and that `serve all` listens on, unless something else is configured.
const DEFAULT_ENDPOINT: &str = "http://127.0.0.1:7400";

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    if let Some(candidates) = cli::complete(std::env::args_os()) {
        // As it is: what separates candidates in bash is a control character. A closed output is no error.
        let _ = std::io::stdout().write_all(candidates.as_bytes());
        return ExitCode::SUCCESS;
    }
    let cli = match Cli::try_parse_from(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() && is_for_programs() => {
            return report(&cli::usage::refusal(&error), Format::Json);
        }
        Err(error) => {
            // Help goes to standard output, faults to standard error; a closed one is no error.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    let format = cli.format();
    let environment = check_variables(std::env::vars_os(), cli.variables()).map_err(Error::from);
    let done = environment.and_then(|()| match cli.command {
        Command::Serve(args) => runtime(Builder::new_multi_thread()).block_on(serve::run(args, &VARIABLES)),
        Command::Demo(args) => run(Builder::new_multi_thread(), demo::run(args)),
        Command::Journal(command) => operate::journal(command, format),
        Command::Store(command) => operate::store(command, format),
        Command::Backup(command) => run(Builder::new_multi_thread(), operate::backup(command, format)),
        Command::Upgrade(command) => operate::upgrade(command, format),
        Command::Access(AccessCommand::BreakGlass(args)) => {
            run(Builder::new_multi_thread(), operate::break_glass(args, format))
        }
        Command::Follower(command) => run(Builder::new_multi_thread(), operate::follower(command, format)),
        _ => run(Builder::new_current_thread(), async {
            tokio::select! {
                biased;
                _ = tokio::signal::ctrl_c() => Err(Error::Interrupted),
                done = cli.run_client() => done,
            }
        }),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report(&error, format),
    }
}

/// Whether JSON was asked for, as far as that can be known of a command line that is not understood.
fn is_for_programs() -> bool {
    let environment = std::env::var_os("MILEPOST_FORMAT");
    cli::usage::asks_for_json(std::env::args_os().skip(1), environment.as_deref())
}

/// Runs to the end; what still waits then, for input or for a peer, does not keep the process.
fn run(builder: Builder, command: impl Future<Output = Result<(), Error>>) -> Result<(), Error> {
    let runtime = runtime(builder);
    let done = runtime.block_on(command);
    runtime.shutdown_background();
    done
}

fn runtime(mut builder: Builder) -> Runtime {
    builder.enable_all().build().expect("the system has threads and an event queue")
}
