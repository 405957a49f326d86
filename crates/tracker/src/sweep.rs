//! The task that lets days begin: each civil date in each portfolio's time zone.
//!
//! Invariants: days that were missed begin one by one, as many as are believable; beyond that the clock is
//! taken to be wrong until somebody confirms the date by hand. A clock that goes back changes nothing: a
//! date that began has begun. A day that takes several entries is submitted until it is the current date. Days that were
//! missed begin when everything was followed that the registry knows: on such a day it would have been known. So does what
//! became due of days that have begun, as by a policy that is adopted for the past. The next day waits for that, too, but
//! begins if it is not to be had: what passed is found by all that was acknowledged in it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::civil::Date;
use milepost_ledger::{Ledger, Submission, SubmitError, View};
use milepost_service::access::Permit;
use milepost_service::host::BoxError;
use milepost_service::readiness::Check;
use milepost_types::{Clock, DamagedRow, LedgerKind, Rejection, TimeZoneId};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::command::{AdvanceDate, Command};
use crate::decide::{Tracker, between};
use crate::follow::upstream::Upstream;
use crate::metrics::Metrics;
use crate::mirror::Portfolio;
use crate::names::PortfolioName;
use crate::tables;
use crate::warning;

/// The shortest wait between two checks of the clock.
const LEAST_WAIT: Duration = Duration::from_millis(10);
/// The longest wait after a check that found the registry not to be had.
const LONGEST_WAIT_FOR_REGISTRY: Duration = Duration::from_secs(2);

/// The task.
pub(crate) struct Sweep {
    pub(crate) ledger: Ledger<Tracker>,
    pub(crate) upstream: Arc<Upstream>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) check: Check,
    pub(crate) metrics: Metrics,
    pub(crate) drain: CancellationToken,
    /// Notified when there may be another portfolio.
    pub(crate) portfolios: Arc<Notify>,
    pub(crate) max_catch_up_days: u32,
    pub(crate) interval: Duration,
}

/// A portfolio and its dates.
struct Dated {
    name: PortfolioName,
    zone: TimeZoneId,
    current: Option<Date>,
}

/// Portfolios whose date waits to be confirmed, with their current dates.
type Unconfirmed = BTreeMap<PortfolioName, Date>;

impl Sweep {
    /// Lets days begin until the server drains.
    pub(crate) async fn run(self) -> Result<(), BoxError> {
        let mut unconfirmed = Unconfirmed::new();
        let drain = self.drain.clone();
        loop {
            let wait = tokio::select! {
                () = drain.cancelled() => return Ok(()),
                wait = self.check_clock(&mut unconfirmed) => wait,
            };
            tokio::select! {
                () = drain.cancelled() => return Ok(()),
                () = tokio::time::sleep(wait) => {}
                () = self.portfolios.notified() => {}
            }
        }
    }

    /// Checks the clock once; returns how long until the next check.
    async fn check_clock(&self, unconfirmed: &mut Unconfirmed) -> Duration {
        let (portfolios, mut failed) = self.dated();
        let mut stuck = BTreeMap::new();
        let mut followed = None;
        for portfolio in &portfolios {
            let begins = self.days_to_begin(portfolio);
            let is_late =
                begins == 0 && portfolio.current.is_some_and(|day| self.is_late(&portfolio.name, day));
            if (begins > 0 || is_late) && followed.is_none() {
                let reached = self.upstream.follow_to_tail(Instant::now() + self.interval).await;
                followed = Some(reached.map_err(|status| status.message().to_owned()));
            }
            let name = &portfolio.name;
            match (begins, &followed) {
                (1, Some(Err(why))) => {
                    tracing::warn!(portfolio = %name, why, "a day begins without all that the registry may know");
                }
                (_, Some(Err(why))) if begins > 1 || is_late => {
                    let what = if is_late { "is behind with what days bring" } else { "missed days" };
                    failed = Some(format!(
                        "{name} {what}, which goes on when the registry was followed to its end: {why}"
                    ));
                    continue;
                }
                _ => {}
            }
            match self.catch_up(portfolio).await {
                Ok(None) => {}
                Ok(Some(far)) => {
                    if unconfirmed.get(&portfolio.name) != Some(&far.current) {
                        far.report(&portfolio.name, self.max_catch_up_days);
                    }
                    stuck.insert(portfolio.name.clone(), far);
                }
                Err(error) => {
                    failed = Some(format!("the date of {} cannot be advanced: {error}", portfolio.name))
                }
            }
        }
        self.report(&stuck, failed);
        *unconfirmed = stuck.into_iter().map(|(name, far)| (name, far.current)).collect();
        let wait = self.wait(&portfolios);
        if matches!(followed, Some(Err(_))) { wait.min(LONGEST_WAIT_FOR_REGISTRY) } else { wait }
    }

    /// The portfolios that are not deleted, and why others cannot be read.
    fn dated(&self) -> (Vec<Dated>, Option<String>) {
        let view = self.ledger.view();
        let (mut portfolios, mut failed) = (Vec::new(), None);
        for fact in tables::portfolio::all(&view) {
            let dated = fact.and_then(|fact| {
                let current = current(&view, &fact.name)?;
                Ok((fact, current))
            });
            match dated {
                Ok((fact, current)) if !fact.deleted => {
                    let zone = Portfolio::from(&fact).zone;
                    portfolios.push(Dated { current, zone, name: fact.name });
                }
                Ok(_) => {}
                Err(row) => failed = Some(format!("no day begins for a portfolio: {row}")),
            }
        }
        (portfolios, failed)
    }

    /// How many days of a portfolio's time zone did not begin yet; 0 if they do not begin by themselves.
    fn days_to_begin(&self, portfolio: &Dated) -> u32 {
        let today = portfolio.zone.date_at(self.clock.now());
        let days = portfolio.current.map_or(0, |current| between(current, today));
        if days <= self.max_catch_up_days { days } else { 0 }
    }

    /// Lets the days begin that a portfolio missed, or reports that they are too many.
    async fn catch_up(&self, portfolio: &Dated) -> Result<Option<TooFar>, String> {
        let mut current = portfolio.current;
        loop {
            let today = portfolio.zone.date_at(self.clock.now());
            let next = match current {
                None => today,
                Some(current) if current >= today => match self.is_late(&portfolio.name, current) {
                    // What became due of days that have begun.
                    true => current,
                    false => return Ok(None),
                },
                Some(current) => {
                    let days = between(current, today);
                    if days > self.max_catch_up_days {
                        return Ok(Some(TooFar { current, today, days }));
                    }
                    current.tomorrow().map_err(|error| error.to_string())?
                }
            };
            let (name, traceparent) = (portfolio.name.clone(), String::new());
            let day = AdvanceDate {
                portfolio: name,
                date: next,
                preview: false,
                traceparent,
                permit: Permit::of_system(),
            };
            let command = Command::AdvanceDate(Arc::new(day));
            let submission = Submission::system(LedgerKind::Tracker.as_str(), command);
            match self.ledger.submit(submission).await {
                // A later day was begun before the clock or the time zone went back.
                Ok(receipt) if receipt.events.is_empty() => return Ok(None),
                Ok(_) => {}
                Err(SubmitError::Rejected(Rejection::DamagedRow(row))) => {
                    return Err(row.to_string());
                }
                // The clock went back meanwhile, or the portfolio was deleted: the next check sees it.
                Err(SubmitError::Rejected(_) | SubmitError::Closing | SubmitError::Failed { .. }) => {
                    return Ok(None);
                }
                Err(error) => return Err(error.to_string()),
            };
            let reached = self.current(&portfolio.name).map_err(|row| row.to_string())?;
            if reached > current && reached >= Some(next) {
                self.metrics.days_advanced.inc();
                current = reached;
            }
        }
    }

    /// Whether something became due after the current date had begun.
    fn is_late(&self, portfolio: &PortfolioName, current: Date) -> bool {
        warning::is_due(&self.ledger.view(), portfolio, current)
    }

    fn current(&self, portfolio: &PortfolioName) -> Result<Option<Date>, DamagedRow> {
        current(&self.ledger.view(), portfolio)
    }

    fn report(&self, stuck: &BTreeMap<PortfolioName, TooFar>, failed: Option<String>) {
        self.metrics.portfolios_unconfirmed.set(i64::try_from(stuck.len()).unwrap_or(i64::MAX));
        match (failed, stuck.first_key_value()) {
            (Some(reason), _) => {
                tracing::warn!(reason, "a day cannot begin");
                self.check.degraded(reason);
            }
            (None, Some((name, TooFar { current, today, days }))) => self.check.degraded(format!(
                "the clock says {today}, {days} days after the current date of {name}, {current} ({} such \
                 portfolios); if the clock is right, confirm by AdvanceDate",
                stuck.len()
            )),
            (None, None) => self.check.ready(),
        }
    }

    /// How long until the next check: the interval, or until the next midnight if that is sooner.
    fn wait(&self, portfolios: &[Dated]) -> Duration {
        let now = self.clock.now();
        let midnights = portfolios.iter().filter_map(|portfolio| until_midnight(&portfolio.zone, now));
        midnights.min().unwrap_or(self.interval).clamp(LEAST_WAIT, self.interval.max(LEAST_WAIT))
    }
}

fn current(view: &View<'_>, portfolio: &PortfolioName) -> Result<Option<Date>, DamagedRow> {
    Ok(tables::date::get(view, portfolio)?.map(|current| current.date))
}

/// How long until the next day begins in a time zone.
fn until_midnight(zone: &TimeZoneId, now: Timestamp) -> Option<Duration> {
    let tomorrow = zone.start_of(zone.date_at(now).tomorrow().ok()?)?;
    Duration::try_from(tomorrow.duration_since(now)).ok()
}

/// A current date that is further behind the clock than is believable.
struct TooFar {
    current: Date,
    today: Date,
    days: u32,
}

impl TooFar {
    fn report(&self, portfolio: &PortfolioName, limit_days: u32) {
        let Self { current, today, days } = self;
        tracing::error!(
            %portfolio, %current, %today, days, limit_days,
            "the clock is too far ahead of a portfolio's current date, so no day begins; if the clock is right, \
             confirm the date: milepost milestone advance-date, or AdvanceDate with this portfolio and date"
        );
    }
}

#[cfg(test)]
mod tests;
