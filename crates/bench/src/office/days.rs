//! Days that begin in a portfolio: what a day costs the tracker with all that it brings, and a day with nothing due.
//!
//! Days cannot be waited for. So the portfolio is made in the time zone in which the day begins last, and moves to the one
//! in which it begins first: one day or two begin at once. What is timed is from the answer to that move until the last of
//! them is the current date, the move's way from the registry to the tracker included.
//!
//! A day with nothing due is one of a portfolio whose history ended so long before that all its dates have passed, and whose
//! campaign is closed. Invariant: a day that brought anything is none.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::uri::PathAndQuery;
use jiff::ToSpan;
use jiff::civil::Date;
use milepost_client::Client;
use milepost_proto::google::r#type as gtype;
use milepost_proto::notifier::v1::{EventSelection, ListEventsRequest};
use milepost_proto::registry::v1::{Portfolio, UpdatePortfolioRequest};
use milepost_proto::tracker::v1::{CloseCampaignRequest, GetCurrentDateRequest};
use milepost_types::{Clock, LedgerKind, SystemClock, TimeZoneId};
use prost::Message;
use prost_types::{FieldMask, Timestamp};
use tonic::Code;

use crate::generate::{Plan, World, campaign_name};
use crate::system::Error;

/// Where a day begins last.
pub const LAST_ZONE: &str = "Etc/GMT+12";
/// Where a day begins first.
const FIRST_ZONE: &str = "Pacific/Kiritimati";
/// How long the days may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// What stands in the log of a day whatever it brings: the move, and that the day began.
const BESIDES: &str = "NOT type = milepost.portfolio.updated AND NOT type = milepost.portfolio.date_advanced";
/// The event of a day on which the standings of a campaign are found.
const STANDINGS: &str = "milepost.campaign.standings_computed";
/// So long after a history, in years, nothing is due of it any more: its plans reach nine years beyond it.
const YEARS: i32 = 10;

/// Days that began.
#[derive(Debug, Clone, Copy)]
pub struct Days {
    pub count: u32,
    pub took: Duration,
    /// How many events they brought, besides one of each day.
    pub events: usize,
    /// How many of these are the standings of a campaign.
    pub standings: usize,
}

impl Days {
    /// What one of them took, in milliseconds.
    pub fn ms_each(&self) -> f64 {
        self.took.as_secs_f64() * 1_000.0 / f64::from(self.count.max(1))
    }
}

/// Lets one day begin in a portfolio, or two.
pub async fn begin(client: &Client, world: &World) -> Result<Days, Error> {
    let (first, now) = (FIRST_ZONE.parse::<TimeZoneId>()?, SystemClock.now());
    let target = first.date_at(now);
    let before = current_date(client, world, Vec::new()).await?;
    let moved = UpdatePortfolioRequest {
        portfolio: Some(Portfolio {
            name: world.portfolio(),
            time_zone: FIRST_ZONE.into(),
            ..Portfolio::default()
        }),
        update_mask: Some(FieldMask { paths: vec!["time_zone".into()] }),
        ..UpdatePortfolioRequest::default()
    };
    let revision = client.portfolios().update_portfolio(moved).await?.into_inner().revision;
    let moved = Instant::now();
    while current_date(client, world, vec![revision.clone()]).await? < target {
        if moved.elapsed() > PATIENCE {
            return Err(format!("{target} has not begun after {PATIENCE:?}").into());
        }
    }
    let took = moved.elapsed();
    let count = u32::try_from((target - before).get_days()).unwrap_or_default();
    let brought = brought(client, world, now).await?;
    let standings = brought.iter().filter(|event_type| *event_type == STANDINGS).count();
    Ok(Days { count, took, events: brought.len(), standings })
}

/// The world of a portfolio in which nothing is due today, as large as that of this plan.
pub fn quiet(plan: &Plan) -> World {
    World::new(Plan { until: plan.until.saturating_sub(YEARS.years()), ..plan.clone() })
}

/// Lets one day begin, or two, in the portfolio of a [`quiet`] world, whose campaign is closed before.
pub async fn begin_quiet(client: &Client, world: &World) -> Result<Days, Error> {
    close_campaign(client, world).await?;
    super::settled(client).await?;
    let days = begin(client, world).await?;
    match days.events {
        0 => Ok(days),
        events => {
            Err(format!("the days brought {events} events, so they say nothing of a day with nothing due")
                .into())
        }
    }
}

/// A world without anything under construction has none.
async fn close_campaign(client: &Client, world: &World) -> Result<(), Error> {
    let request = CloseCampaignRequest { name: campaign_name(world), ..CloseCampaignRequest::default() };
    let path = PathAndQuery::from_static("/milepost.tracker.v1.CampaignService/CloseCampaign");
    let request = tonic::Request::new(Bytes::from(request.encode_to_vec()));
    match client.unary(LedgerKind::Tracker, path, request).await {
        Ok(_) => Ok(()),
        Err(status) if status.code() == Code::NotFound => Ok(()),
        Err(status) => Err(format!("the campaign cannot be closed: {}", status.message()).into()),
    }
}

async fn current_date(client: &Client, world: &World, min_revisions: Vec<String>) -> Result<Date, Error> {
    let request = GetCurrentDateRequest { portfolio: world.portfolio(), min_revisions };
    let current = client.milestones().get_current_date(request).await?.into_inner().current_date;
    let gtype::Date { year, month, day } = current.ok_or("the portfolio has no current date yet")?;
    Ok(Date::new(year.try_into()?, month.try_into()?, day.try_into()?)?)
}

/// The types of the events that days brought since then.
async fn brought(client: &Client, world: &World, since: jiff::Timestamp) -> Result<Vec<String>, Error> {
    super::settled(client).await?;
    let mut request = ListEventsRequest {
        selection: Some(EventSelection {
            resource: world.portfolio(),
            filter: BESIDES.into(),
            ..EventSelection::default()
        }),
        page_size: 1_000,
        from_time: Some(Timestamp { seconds: since.as_second(), nanos: since.subsec_nanosecond() }),
        ..ListEventsRequest::default()
    };
    let mut types = Vec::new();
    loop {
        let page = client.events().list_events(request.clone()).await?.into_inner();
        types.extend(page.events.into_iter().map(|event| event.r#type));
        if page.next_page_token.is_empty() {
            return Ok(types);
        }
        request.page_token = page.next_page_token;
    }
}
