//! Reforecasts by many clients at full speed, on the empty portfolio and on the full one in turn.
//!
//! Both are written to in the same way: as many milestones, spread over their projects, none of which is achieved.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use milepost_client::Client;
use milepost_proto::google::r#type::Date;
use milepost_proto::tracker::v1::{ListMilestonesRequest, ReforecastMilestoneRequest};
use tokio::task::JoinSet;

use crate::generate::World;
use crate::system::{Error, Server};

/// Clients, each on a connection of its own.
const CLIENTS: usize = 64;
/// Milestones that are written to in turn.
const SUBJECTS: usize = 400;

/// The rates of the first and the second server in this round; who goes first changes from round to round.
pub async fn both(
    sides: [(&Server, &World); 2],
    round: usize,
    measure: Duration,
) -> Result<(f64, f64), Error> {
    let mut rates = [0.0; 2];
    let order = if round.is_multiple_of(2) { [0, 1] } else { [1, 0] };
    for side in order {
        let (server, world) = sides[side];
        rates[side] = rate(server, world, round, measure).await?;
    }
    Ok((rates[0], rates[1]))
}

async fn rate(server: &Server, world: &World, round: usize, measure: Duration) -> Result<f64, Error> {
    let names: Arc<[String]> = subjects(&server.client()?, world).await?.into();
    let next = Arc::new(AtomicU64::new(0));
    let begin = Instant::now() + measure / 3;
    let end = begin + measure;
    let mut writing = JoinSet::new();
    for _ in 0..CLIENTS {
        let (client, names, next) = (server.client()?, Arc::clone(&names), Arc::clone(&next));
        writing.spawn(write(client, names, next, round, begin..end));
    }
    let mut written = 0;
    while let Some(done) = writing.join_next().await {
        written += done??;
    }
    Ok(written as f64 / measure.as_secs_f64())
}

/// Writes until the end; how many were acknowledged in the measured time.
async fn write(
    client: Client,
    names: Arc<[String]>,
    next: Arc<AtomicU64>,
    round: usize,
    measured: std::ops::Range<Instant>,
) -> Result<u64, Error> {
    let (mut milestones, mut written) = (client.milestones(), 0);
    while Instant::now() < measured.end {
        let number = next.fetch_add(1, Ordering::Relaxed) as usize;
        let turn = round * 1000 + number / names.len();
        let request = ReforecastMilestoneRequest {
            name: names[number % names.len()].clone(),
            // Another date each time, so that no write changes nothing.
            forecast_date: Some(Date {
                year: 2100 + (turn / 28 % 900) as i32,
                month: 7,
                day: 1 + (turn % 28) as i32,
            }),
            reason: "材料到场推迟".into(),
            ..Default::default()
        };
        milestones.reforecast_milestone(request).await?;
        written += u64::from(measured.contains(&Instant::now()));
    }
    Ok(written)
}

/// Planned milestones of projects that are spread over the portfolio.
async fn subjects(client: &Client, world: &World) -> Result<Vec<String>, Error> {
    let (mut milestones, mut names) = (client.milestones(), Vec::new());
    let projects = world.projects.len();
    // Numbers whose halves, quarters and so on are far from each other.
    let step = (projects * 5 / 8) | 1;
    for turn in 0..projects {
        if names.len() >= SUBJECTS {
            break;
        }
        let request = ListMilestonesRequest {
            parent: world.project_name(turn * step % projects),
            filter: "state = PLANNED".into(),
            ..Default::default()
        };
        let page = milestones.list_milestones(request).await?.into_inner();
        names.extend(page.milestones.into_iter().map(|milestone| milestone.name));
    }
    names.truncate(SUBJECTS);
    names.sort_unstable();
    names.dedup();
    if names.is_empty() { Err("no milestone of the portfolio is planned".into()) } else { Ok(names) }
}
