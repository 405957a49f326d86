//! `milepost demo`: everything in one process, loaded with the Western (Chongqing) Science City.
//!
//! Invariant: the demo knows of the services only the address they listen on; it loads, follows and reads
//! through the public API, as any client would. Run again on the same store it loads nothing twice.

mod api;
mod chart;
mod data;
mod load;
mod next;
mod picture;
mod server;
mod story;
mod svg;

use std::path::{Path, PathBuf};

use clap::Args;
use milepost_client::{Client, Selection, Start, WatchOptions};
use milepost_service::config::server::Log;
use milepost_service::telemetry;
use tempfile::TempDir;
use tokio::signal::ctrl_c;

use crate::error::{BoxError, Error};
use crate::output::zone::Zones;
use crate::output::{Format, Output, note, print, progress, text};
use crate::serve::Running;
use chart::painted;
use data::DataSet;
use load::Loaded;
use picture::HEADING;
use story::Story;

#[cfg(test)]
pub(crate) use next::tests::suggestions;

/// How often a quiet stream tells how far it is: the demo waits for the end of the log.
const CHECKPOINT_INTERVAL: std::time::Duration = std::time::Duration::from_millis(100);

/// Runs everything in one process and loads the Western (Chongqing) Science City.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Ends after loading instead of serving until interrupted
    #[arg(long)]
    exit: bool,
    /// Keeps journals and stores in this directory [default: a temporary one, removed at the end]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Also writes the picture at the end to this file, as SVG; the same data makes the same file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// The gRPC port; 0 takes a free one [default: 7400, or a free one if that is taken]
    #[arg(long)]
    port: Option<u16>,
    /// The port of metrics and probes; 0 takes a free one [default: 7410, or a free one if that is taken]
    #[arg(long)]
    admin_port: Option<u16>,
}

/// Starts, loads, shows, and serves until interrupted.
///
/// # Errors
/// If the services do not start, fail, or refuse what is loaded.
pub async fn run(args: DemoArgs) -> Result<(), Error> {
    let set = DataSet::western_science_city()?;
    let (data_dir, temporary) = match &args.data {
        Some(dir) => (dir.clone(), None),
        None => {
            let dir = TempDir::with_prefix("milepost-demo-").map_err(Error::write(&std::env::temp_dir()))?;
            (dir.path().to_owned(), Some(dir))
        }
    };
    // What an operator would have to look at still shows; the demo was not started to read logs.
    let log = Log { filter: "warn".to_owned(), ..Log::default() };
    telemetry::init(&log).map_err(|error| Error::Services("logs cannot be written", error.into()))?;
    let spinner = progress::spinner("starting registry, tracker and notifier");
    let started = server::start(data_dir.clone(), args.port, args.admin_port).await;
    spinner.finish_and_clear();
    let mut running = started.map_err(|error| Error::Services("the services did not start", error))?;

    let endpoint = format!("http://{}", running.grpc);
    let shown = tokio::select! {
        biased;
        _ = ctrl_c() => Err(Error::Interrupted),
        cause = running.failed() => Err(failed(cause)),
        shown = show(&set, &endpoint, args.svg.as_deref()) => shown,
    };
    let served = match shown {
        Ok(()) if !args.exit => serve_on(&mut running, temporary.is_some(), &data_dir).await,
        shown => shown,
    };
    let badly = |error| Error::Services("the services did not end well", error);
    let ended = tokio::select! {
        ended = running.shutdown() => ended.map_err(badly),
        _ = ctrl_c() => Err(Error::Interrupted),
    };
    served.and(ended)
}

/// Says where everything is, and waits until interrupted.
async fn serve_on(running: &mut Running, temporary: bool, data_dir: &Path) -> Result<(), Error> {
    print(&next::text(running.grpc, running.admin, data_dir, temporary))?;
    tokio::select! {
        biased;
        _ = ctrl_c() => {
            note("\nstopping");
            Ok(())
        }
        cause = running.failed() => Err(failed(cause)),
    }
}

fn failed(cause: BoxError) -> Error {
    Error::Services("a service failed", cause)
}

/// Loads the data set while a subscriber prints what happens, then draws what is there.
async fn show(set: &DataSet, endpoint: &str, svg: Option<&Path>) -> Result<(), Error> {
    let columns = Output::stdout(Format::Table, Zones::utc()).columns;
    let client = Client::connect(endpoint)?;
    let portfolio = &set.portfolio;
    let english = portfolio.translations.get("en").map(String::as_str).unwrap_or_default();
    let title = format!("{} {english}", portfolio.display_name);
    print(&format!(
        "Milepost {} · {title}\n\nLoading through the public API at {endpoint}; \
         what a subscriber sees meanwhile:\n\n",
        env!("CARGO_PKG_VERSION"),
    ))?;
    let options = WatchOptions { checkpoint_interval: Some(CHECKPOINT_INTERVAL), ..WatchOptions::default() };
    let start = Start::After(load::log_end(&client).await?);
    let events = client.watch(start, Selection::default(), options);

    let bar = progress::bar("loading", set.steps.len() as u64);
    let mut story = Story::new(columns);
    let loaded = story.follow(events, load::load(&client, set, &bar), &bar).await?;
    bar.finish_and_clear();

    print(&summary(&loaded, story.printed))?;
    print(&picture::draw(&client, &portfolio.name, columns).await?)?;
    let Some(file) = svg else { return Ok(()) };
    // The terminal's width does not change the file.
    let picture = picture::draw(&client, &portfolio.name, None).await?;
    let text = format!("{}\n{picture}", painted(HEADING, &title));
    std::fs::write(file, svg::render(&title, &text)).map_err(Error::write(file))
}

fn summary(loaded: &Loaded, delivered: u64) -> String {
    let there = text::count(loaded.present, "was there already", "were there already");
    let writes = text::count(loaded.made, "write", "writes");
    let events = text::count(delivered, "event", "events");
    match (loaded.made, loaded.present) {
        (0, _) => format!("Nothing was loaded: all {there}.\n"),
        (_, 0) => {
            format!("\n{writes}, {events} delivered to the subscriber, each once, causes before effects.\n")
        }
        _ => format!("\n{writes}, {events} delivered to the subscriber; {there}.\n"),
    }
}

#[cfg(test)]
mod tests;
