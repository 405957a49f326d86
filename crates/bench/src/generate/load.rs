//! Sends the steps of a world, many at once, and goes on where an earlier run ended.
//!
//! How far it has come stands in a label of the portfolio itself. Everything up to the mark was answered; what comes after
//! it is sent, perhaps again, under the same request ids, so that nothing is made twice. Invariant: no step of a stage
//! is sent before all of the stages before it are answered.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use http::uri::PathAndQuery;
use milepost_client::Client;
use milepost_proto::registry::v1::{GetPortfolioRequest, Portfolio, UpdatePortfolioRequest};
use tokio::task::JoinSet;
use tonic::{Code, Request as Call};

use super::step::{Request, Stage, Step};
use super::world::World;
use super::{steps, value};
use crate::system::Error;

/// Who opens campaigns: a person does, and another signs them off.
const OPENER: &str = "generator";
/// Steps under way at once.
const CONCURRENT: usize = 64;
/// After so many steps the mark is set.
const MARK_EVERY: usize = 100;
/// The label that says how many steps were answered.
const PROGRESS: &str = "generator-progress";
/// The label that says by which version.
const VERSION: &str = "generator-version";

/// What a run did.
#[derive(Debug, Default)]
pub struct Loaded {
    /// How many steps an earlier run had done.
    pub skipped: usize,
    /// What each stage took.
    pub stages: Vec<StageRate>,
}

/// What a stage took.
#[derive(Debug)]
pub struct StageRate {
    pub stage: Stage,
    pub resources: u64,
    pub requests: u64,
    pub took: Duration,
}

impl StageRate {
    /// Requests a second.
    pub fn requests_per_second(&self) -> f64 {
        self.requests as f64 / self.took.as_secs_f64().max(f64::EPSILON)
    }
}

/// Makes a world, or what is missing of it; `tell` hears of each stage that is done, and of each step in it.
pub async fn load(
    client: &Client,
    world: &World,
    mut tell: impl FnMut(Progress<'_>),
) -> Result<Loaded, Error> {
    let opener = client.clone().with_principal(OPENER)?;
    let mut position = begun(client, world).await?;
    let mut loaded = Loaded { skipped: position, ..Loaded::default() };
    tell(Progress::Begun { skipped: position });
    let mut steps = steps(world).enumerate().skip(position).peekable();
    while let Some(stage) = steps.peek().map(|(_, step)| step.stage) {
        let of_stage = std::iter::from_fn(|| steps.next_if(|(_, step)| step.stage == stage));
        let caller = if stage == Stage::Campaigns { &opener } else { client };
        let rate = send_all(caller, world, stage, of_stage, &mut position, &mut tell).await?;
        tell(Progress::Stage(&rate));
        loaded.stages.push(rate);
        mark(client, world, position).await?;
    }
    Ok(loaded)
}

/// What a run says while it goes on.
#[derive(Debug)]
pub enum Progress<'a> {
    /// So many steps were done by an earlier run.
    Begun { skipped: usize },
    /// A step of this stage was answered.
    Step(Stage),
    /// A stage is done.
    Stage(&'a StageRate),
}

async fn send_all(
    client: &Client,
    world: &World,
    stage: Stage,
    mut steps: impl Iterator<Item = (usize, Step)>,
    position: &mut usize,
    tell: &mut impl FnMut(Progress<'_>),
) -> Result<StageRate, Error> {
    let begin = Instant::now();
    let mut rate = StageRate { stage, resources: 0, requests: 0, took: Duration::ZERO };
    let (mut sending, mut ahead, mut marked) = (JoinSet::new(), BTreeSet::new(), *position);
    loop {
        while sending.len() < CONCURRENT {
            let Some((number, step)) = steps.next() else { break };
            let client = client.clone();
            sending.spawn(async move { send(&client, &step).await.map(|()| (number, step)) });
        }
        let Some(sent) = sending.join_next().await else { break };
        let (number, step) = sent??;
        rate.resources += step.resources;
        rate.requests += step.requests.len() as u64;
        tell(Progress::Step(stage));
        ahead.insert(number);
        while ahead.remove(position) {
            *position += 1;
        }
        if stage != Stage::Portfolio && *position >= marked + MARK_EVERY {
            mark(client, world, *position).await?;
            marked = *position;
        }
    }
    rate.took = begin.elapsed();
    Ok(rate)
}

async fn send(client: &Client, step: &Step) -> Result<(), Error> {
    for request in &step.requests {
        call(client, request).await.map_err(|error| format!("{}: {error}", request.method))?;
    }
    Ok(())
}

/// Sends a request until it is answered. It may be sent again: it carries its request id.
async fn call(client: &Client, request: &Request) -> Result<(), milepost_client::Error> {
    let retry = client.retry();
    let path = PathAndQuery::from_static(request.method);
    retry
        .read(retry.deadline(), request.body.clone(), |body: Call<_>| {
            client.unary(request.ledger, path.clone(), body)
        })
        .await
        .map(drop)
}

/// How many steps an earlier run of the same world has done.
async fn begun(client: &Client, world: &World) -> Result<usize, Error> {
    let Some(portfolio) = portfolio(client, world).await? else { return Ok(0) };
    let version = portfolio.labels.get(VERSION).map(String::as_str);
    // Its first step may have been answered, and its first mark not set.
    if version.is_none() && portfolio.labels.get("synthetic").is_some_and(|is| is == "true") {
        return Ok(0);
    }
    if version != Some(env!("CARGO_PKG_VERSION")) {
        let name = world.portfolio();
        return Err(format!(
            "{name} is there and was not begun by this version; give another --seed, or an empty server"
        )
        .into());
    }
    let progress = portfolio.labels.get(PROGRESS).and_then(|steps| steps.parse().ok());
    progress.ok_or_else(|| format!("{} does not say how far it is", world.portfolio()).into())
}

async fn portfolio(client: &Client, world: &World) -> Result<Option<Portfolio>, Error> {
    let retry = client.retry();
    let request = GetPortfolioRequest { name: world.portfolio(), ..Default::default() };
    let got = retry.read(retry.deadline(), request, |request| {
        let mut portfolios = client.portfolios();
        async move { portfolios.get_portfolio(request).await }
    });
    match got.await {
        Ok(response) => Ok(response.portfolio),
        Err(milepost_client::Error::Call(failure)) if failure.code == Code::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Sets the mark: all steps before this one are answered.
async fn mark(client: &Client, world: &World, position: usize) -> Result<(), Error> {
    let Some(mut portfolio) = portfolio(client, world).await? else {
        return Err(format!("{} is gone", world.portfolio()).into());
    };
    portfolio.labels.insert(PROGRESS.to_owned(), position.to_string());
    portfolio.labels.insert(VERSION.to_owned(), env!("CARGO_PKG_VERSION").to_owned());
    portfolio.etag.clear();
    let request = UpdatePortfolioRequest {
        portfolio: Some(portfolio),
        update_mask: Some(value::mask(&["labels"])),
        ..Default::default()
    };
    let retry = client.retry();
    let update = retry.write(retry.deadline(), request, |request| {
        let mut portfolios = client.portfolios();
        async move { portfolios.update_portfolio(request).await }
    });
    update.await?;
    Ok(())
}
