//! Closed-loop load: so many clients, each with one write under way. Times are of the client's side,
//! from the call to its answer, warm-up left out.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use milepost_client::{Client, Error};
use milepost_proto::google::r#type::Date;
use milepost_proto::tracker::v1::ReforecastMilestoneRequest;
use serde_json::json;
use tokio::task::JoinSet;

/// How long, and with how many.
#[derive(Clone, Copy)]
pub struct Plan {
    pub clients: usize,
    pub warm_up: Duration,
    pub measure: Duration,
}

/// What was measured.
pub struct Report {
    clients: usize,
    elapsed: Duration,
    /// Sorted.
    times: Vec<Duration>,
}

/// Runs the load; every write is acknowledged or the run fails.
pub async fn run(client: &Client, milestones: &[String], plan: Plan) -> Result<Report, Error> {
    let milestones = Arc::new(milestones.to_vec());
    let begin = Instant::now() + plan.warm_up;
    let mut clients = JoinSet::new();
    for number in 0..plan.clients {
        let (client, milestones) = (client.clone(), Arc::clone(&milestones));
        clients.spawn(
            async move { write(client, &milestones, number, plan.clients, begin, plan.measure).await },
        );
    }
    let mut times = Vec::new();
    while let Some(done) = clients.join_next().await {
        match done {
            Ok(done) => times.extend(done?),
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }
    times.sort_unstable();
    Ok(Report { clients: plan.clients, elapsed: plan.measure, times })
}

async fn write(
    client: Client,
    milestones: &[String],
    number: usize,
    clients: usize,
    begin: Instant,
    measure: Duration,
) -> Result<Vec<Duration>, Error> {
    let mut service = client.milestones();
    let mut times = Vec::new();
    let mut at = number;
    loop {
        let started = Instant::now();
        if started >= begin + measure {
            return Ok(times);
        }
        let request = ReforecastMilestoneRequest {
            name: milestones[at % milestones.len()].clone(),
            // Another date each round, so that no write changes nothing.
            forecast_date: Some(Date {
                year: 2100 + (at / milestones.len() % 900) as i32,
                month: 7,
                day: 1 + (at % 28) as i32,
            }),
            reason: "材料到场推迟".into(),
            ..Default::default()
        };
        service.reforecast_milestone(request).await?;
        if started >= begin {
            times.push(started.elapsed());
        }
        at += clients;
    }
}

impl Report {
    fn per_second(&self) -> f64 {
        self.times.len() as f64 / self.elapsed.as_secs_f64()
    }

    fn quantile(&self, quantile: f64) -> Duration {
        let last = self.times.len().saturating_sub(1);
        self.times.get((last as f64 * quantile) as usize).copied().unwrap_or_default()
    }

    /// One object: rates per second, times in milliseconds.
    pub fn json(&self) -> serde_json::Value {
        let ms = |quantile| self.quantile(quantile).as_secs_f64() * 1e3;
        json!({
            "clients": self.clients,
            "writes": self.times.len(),
            "writes_per_second": self.per_second(),
            "p50_ms": ms(0.5),
            "p99_ms": ms(0.99),
            "max_ms": ms(1.0),
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} clients: {:.0} durable writes/s, p50 {:.2?}, p99 {:.2?}, max {:.2?}",
            self.clients,
            self.per_second(),
            self.quantile(0.5),
            self.quantile(0.99),
            self.quantile(1.0)
        )
    }
}
