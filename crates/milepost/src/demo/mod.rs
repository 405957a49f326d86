//! `milepost demo`: everything in one process, loaded with the Western (Chongqing) Science City.
//!
//! Invariant: the demo knows of the services only the address they listen on; it loads, follows and reads
//! through the public API, as any client would. Run again on the same store it loads nothing twice. Every command
//! that it suggests parses, which tests of `cli` show, and names things that the data set has.

mod data;
mod load;
mod picture;
mod story;
mod svg;
pub mod template;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use clap::Args;
use milepost_client::{Selection, Start, WatchOptions};
use milepost_service::config::server::{Log, Server};
use milepost_service::telemetry;
use tempfile::TempDir;
use tokio::signal::ctrl_c;

use crate::DEFAULT_ENDPOINT;
use crate::cli::session::Session;
use crate::context::Settings;
use crate::error::Error;
use crate::output::chart::painted;
use crate::output::{note, print, text};
use crate::serve::Running;
use data::DataSet;
use load::Loaded;
use picture::HEADING;
use story::Story;

#[cfg(test)]
pub(crate) use tests::suggestions;

const GRPC_PORT: u16 = 7400;
const ADMIN_PORT: u16 = 7410;
/// How long a call may take.
const PATIENCE: &str = "30s";
/// How often a quiet stream tells how far it is: the demo waits for the end of the log.
const CHECKPOINT_INTERVAL: std::time::Duration = std::time::Duration::from_millis(100);

/// Commands that work on what was loaded, as a shell takes them.
const COMMANDS: [&str; 6] = [
    "project list western-science-city --filter 'key = true'",
    "batch list western-science-city",
    "milestone list western-science-city -",
    "event watch --resource portfolios/western-science-city",
    "milestone create western-science-city ultra-transient-facility acceptance \
     --display-name 验收 --baseline-date 2030-06-28",
    "milestone reforecast western-science-city ultra-transient-facility acceptance \
     --forecast-date 2030-09-27 --reason 设备交付推迟",
];

/// Runs everything in one process and loads the Western (Chongqing) Science City.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Ends after loading instead of serving until interrupted
    #[arg(long)]
    exit: bool,
    /// Keeps journals and stores in this directory [default: a temporary one, removed at the end]
    #[arg(long = "data-dir", alias = "data", value_name = "DIR")]
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
    let (data_dir, temporary) = match &args.data {
        Some(dir) => (dir.clone(), None),
        None => {
            let dir = TempDir::with_prefix("milepost-demo-").map_err(Error::write(&std::env::temp_dir()))?;
            (dir.path().to_owned(), Some(dir))
        }
    };
    // What an operator would have to look at still shows; the demo was not started to read logs.
    let log = Log { filter: "warn".to_owned(), ..Log::default() };
    telemetry::init(&log, None).expect("logging is started here only");
    let server = Server {
        listen: address(args.port, GRPC_PORT),
        admin_listen: Some(address(args.admin_port, ADMIN_PORT)),
        data_dir: data_dir.clone(),
        ..Server::default()
    };
    let mut running = Running::start(server).await.map_err(Error::Demo)?;

    let (set, endpoint) = (DataSet::western_science_city(), format!("http://{}", running.grpc));
    let shown = tokio::select! {
        biased;
        _ = ctrl_c() => Err(Error::Interrupted),
        cause = running.failed() => Err(Error::Demo(cause)),
        shown = show(&set, &endpoint, args.svg.as_deref()) => shown,
    };
    let served = match shown {
        Ok(()) if !args.exit => serve_on(&mut running, temporary.is_some(), &data_dir).await,
        shown => shown,
    };
    let ended = tokio::select! {
        ended = running.shutdown() => ended.map_err(Error::Demo),
        _ = ctrl_c() => Err(Error::Interrupted),
    };
    served.and(ended)
}

/// The port that was asked for; else the usual one if it is free, else any free one.
fn address(asked: Option<u16>, usual: u16) -> SocketAddr {
    let free = || if TcpListener::bind((Ipv4Addr::LOCALHOST, usual)).is_ok() { usual } else { 0 };
    (Ipv4Addr::LOCALHOST, asked.unwrap_or_else(free)).into()
}

/// Says where everything is, and waits until interrupted.
async fn serve_on(running: &mut Running, temporary: bool, data_dir: &Path) -> Result<(), Error> {
    print(&suggest(running.grpc, running.admin, data_dir, temporary))?;
    tokio::select! {
        biased;
        _ = ctrl_c() => {
            note("\nstopping");
            Ok(())
        }
        cause = running.failed() => Err(Error::Demo(cause)),
    }
}

/// A session with the demo's own services.
fn session(endpoint: &str) -> Result<Session, Error> {
    let texts = [endpoint, "table", "true", PATIENCE].map(|text| Some(text.to_owned()));
    let [endpoint, format, utc, timeout] = texts;
    Session::new(Settings { endpoint, format, utc, timeout, ..Settings::default() })
}

/// Loads the data set while a subscriber prints what happens, then draws what is there.
async fn show(set: &DataSet, endpoint: &str, svg: Option<&Path>) -> Result<(), Error> {
    let session = session(endpoint)?;
    let (portfolio, columns) = (&set.portfolio, session.output().columns);
    let english = portfolio.translations.get("en").map(String::as_str).unwrap_or_default();
    let title = format!("{} {english}", portfolio.display_name);
    print(&format!(
        "Milepost {} · {title}\n\nLoading through the public API at {endpoint}; \
         what a subscriber sees meanwhile:\n\n",
        env!("CARGO_PKG_VERSION"),
    ))?;
    let options = WatchOptions { checkpoint_interval: Some(CHECKPOINT_INTERVAL), ..WatchOptions::default() };
    let start = Start::After(load::log_end(&session).await?);
    let events = session.client().watch(start, Selection::default(), options);
    let mut story = Story::new(columns);
    let loaded = story.follow(events, load::load(&session, set)).await?;

    print(&summary(&loaded, story.printed))?;
    print(&picture::draw(&session, &portfolio.name, columns).await?)?;
    let Some(file) = svg else { return Ok(()) };
    // The terminal's width does not change the file.
    let picture = picture::draw(&session, &portfolio.name, None).await?;
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

/// The last output: where the demo listens, where its data is, and what to try.
fn suggest(grpc: SocketAddr, admin: Option<SocketAddr>, data_dir: &Path, temporary: bool) -> String {
    let endpoint = format!("http://{grpc}");
    let mut text = format!("\nListening\n  gRPC     {endpoint} (reflection and health included)\n");
    if let Some(admin) = admin {
        text.push_str(&format!("  admin    http://{admin}/metrics, /healthz, /readyz\n"));
    }
    let kept = if temporary { ", removed at the end; --data-dir DIR keeps it" } else { "" };
    text.push_str(&format!("  data     {}{kept}\n\nTry, in another terminal\n", data_dir.display()));
    // As it was called, so that the commands work where they are copied to.
    let called = std::env::args().next().filter(|called| called.contains('/'));
    let program = called.unwrap_or_else(|| "milepost".to_owned());
    text.extend(commands(&endpoint).map(|line| format!("  {program} {line}\n")));
    text + "\nCtrl-C ends.\n"
}

/// The commands for a server, which they name unless it is where they look by themselves.
fn commands(endpoint: &str) -> impl Iterator<Item = String> {
    let at = if endpoint == DEFAULT_ENDPOINT { String::new() } else { format!(" --endpoint {endpoint}") };
    COMMANDS.iter().map(move |line| format!("{line}{at}"))
}

#[cfg(test)]
mod tests;
