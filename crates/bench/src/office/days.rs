//! Days that begin in the full portfolio: what a day costs the tracker, with all that it brings.
//!
//! Days cannot be waited for. So the portfolio is made in the time zone in which the day begins last, and moves to the one
//! in which it begins first: one day or two begin at once. What is timed is from the answer to that move until the last of
//! them is the current date, the move's way from the registry to the tracker included.

use std::time::{Duration, Instant};

use jiff::civil::Date;
use milepost_client::Client;
use milepost_proto::google::r#type as gtype;
use milepost_proto::notifier::v1::{EventSelection, ListEventsRequest};
use milepost_proto::registry::v1::{Portfolio, UpdatePortfolioRequest};
use milepost_proto::tracker::v1::GetCurrentDateRequest;
use milepost_types::{Clock, SystemClock, TimeZoneId};
use prost_types::{FieldMask, Timestamp};

use crate::generate::World;
use crate::system::Error;

/// Where a day begins last.
pub const LAST_ZONE: &str = "Etc/GMT+12";
/// Where a day begins first.
const FIRST_ZONE: &str = "Pacific/Kiritimati";
/// How long the days may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// What stands in the log of a day whatever it brings: the move, and that the day began.
const BESIDES: &str = "NOT type = milepost.portfolio.updated AND NOT type = milepost.portfolio.date_advanced";

/// Days that began.
#[derive(Debug, Clone, Copy)]
pub struct Days {
    pub count: u32,
    pub took: Duration,
    /// How many events they brought, besides one of each day.
    pub events: usize,
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
    Ok(Days { count, took, events: brought(client, world, now).await? })
}

async fn current_date(client: &Client, world: &World, min_revisions: Vec<String>) -> Result<Date, Error> {
    let request = GetCurrentDateRequest { portfolio: world.portfolio(), min_revisions };
    let current = client.milestones().get_current_date(request).await?.into_inner().current_date;
    let gtype::Date { year, month, day } = current.ok_or("the portfolio has no current date yet")?;
    Ok(Date::new(year.try_into()?, month.try_into()?, day.try_into()?)?)
}

/// How many events days brought since then.
async fn brought(client: &Client, world: &World, since: jiff::Timestamp) -> Result<usize, Error> {
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
    let mut count = 0;
    loop {
        let page = client.events().list_events(request.clone()).await?.into_inner();
        count += page.events.len();
        if page.next_page_token.is_empty() {
            return Ok(count);
        }
        request.page_token = page.next_page_token;
    }
}
