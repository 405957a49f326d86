//! The task that lets days begin: each civil date in each portfolio's time zone.
//!
//! Invariants: days that were missed begin one by one, as many as are believable; beyond that the clock is
//! taken to be wrong until somebody confirms the date by hand. A clock that goes back changes nothing: a
//! date that began has begun. A day that takes several entries is submitted until it is the current date. Days that were
//! missed begin when everything was followed that the registry knows: on such a day it would have been known. So does what
//! became due of days that have begun, as by a policy that is adopted for the past. The next day waits for that, too, but
//! begins if it is not to be had: what passed is found by all that was acknowledged in it. However much is late, midnight is
//! midnight in all portfolios: what is late goes on entry by entry, each portfolio in its turn, and in between days begin.
//! What a day passed over, or does not get done, is in the way of no day, and is reported until it is.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
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
use crate::decide::{Tracker, awaits_passed_over_start, between};
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

/// What a check of the clock found.
#[derive(Default)]
struct Found {
    /// Portfolios whose days do not begin by themselves.
    stuck: BTreeMap<PortfolioName, TooFar>,
    /// Why something does not get done, for people.
    failed: Option<String>,
    /// How following the registry to its end went, if that was asked for.
    followed: Option<Result<(), String>>,
}

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
        let mut found = Found::default();
        let mut portfolios = self.begin_days(&mut found, unconfirmed).await;
        let (mut left, mut vain) = (self.days_left(), BTreeSet::new());
        let mut late = VecDeque::new();
        loop {
            if late.is_empty() {
                let all = portfolios.iter().filter(|dated| !vain.contains(&dated.name));
                late.extend(all.filter_map(|dated| self.late(&dated.name)));
            }
            let Some((name, current)) = late.pop_front() else { break };
            match self.do_late(&name, current, &mut found).await {
                Ok(true) => late.extend(self.late(&name)),
                Ok(false) => _ = vain.insert(name),
                Err(error) => {
                    found.failed = Some(cannot_advance(&name, &error));
                    vain.insert(name);
                }
            }
            if self.days_left() > left {
                // What the registry acknowledged by then belongs to the day that passed.
                found.followed = found.followed.filter(Result::is_err);
                portfolios = self.begin_days(&mut found, unconfirmed).await;
                left = self.days_left();
                if found.failed.is_some() || !found.stuck.is_empty() {
                    // What is late may take long.
                    self.report(&found.stuck, found.failed.clone());
                }
            }
        }
        if found.failed.is_none() && found.stuck.is_empty() {
            found.failed = portfolios.iter().find_map(|dated| self.undone(&dated.name, &vain));
        }
        self.report(&found.stuck, found.failed);
        *unconfirmed = found.stuck.into_iter().map(|(name, far)| (name, far.current)).collect();
        let wait = self.wait(&portfolios);
        if matches!(found.followed, Some(Err(_))) { wait.min(LONGEST_WAIT_FOR_REGISTRY) } else { wait }
    }

    /// Lets the days of all portfolios begin that are to; says the portfolios, with their dates after that.
    async fn begin_days(&self, found: &mut Found, unconfirmed: &Unconfirmed) -> Vec<Dated> {
        let (mut portfolios, failed) = self.dated();
        found.failed = failed.or(found.failed.take());
        for portfolio in &mut portfolios {
            let (begins, name) = (self.days_to_begin(portfolio), portfolio.name.clone());
            if begins > 0
                && let Err(why) = self.follow_to_tail(found).await
            {
                if begins > 1 {
                    found.failed = Some(behind(&name, "missed days", &why));
                    continue;
                }
                tracing::warn!(portfolio = %name, why, "a day begins without all that the registry may know");
            }
            match self.catch_up(portfolio).await {
                Ok(None) => _ = found.stuck.remove(&name),
                Ok(Some(far)) => {
                    let is_known =
                        found.stuck.contains_key(&name) || unconfirmed.get(&name) == Some(&far.current);
                    if !is_known {
                        far.report(&name, self.max_catch_up_days);
                    }
                    found.stuck.insert(name, far);
                }
                Err(error) => found.failed = Some(cannot_advance(&name, &error)),
            }
        }
        portfolios
    }

    /// Follows the registry to its end, once in a check; why not, if that is not to be had.
    async fn follow_to_tail(&self, found: &mut Found) -> Result<(), String> {
        if found.followed.is_none() {
            let reached = self.upstream.follow_to_tail(Instant::now() + self.interval).await;
            found.followed = Some(reached.map_err(|status| status.message().to_owned()));
        }
        found.followed.clone().unwrap_or(Ok(()))
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

    /// How many days of all portfolios did not begin yet that are to begin by themselves.
    fn days_left(&self) -> u64 {
        let left = |dated: &Dated| if dated.current.is_none() { 1 } else { self.days_to_begin(dated) };
        self.dated().0.iter().map(|dated| u64::from(left(dated))).sum()
    }

    /// Lets the days begin that a portfolio missed, or says that they are too many.
    async fn catch_up(&self, portfolio: &mut Dated) -> Result<Option<TooFar>, String> {
        loop {
            let today = portfolio.zone.date_at(self.clock.now());
            let next = match portfolio.current {
                None => today,
                Some(current) if current >= today => return Ok(None),
                Some(current) => {
                    let days = between(current, today);
                    if days > self.max_catch_up_days {
                        return Ok(Some(TooFar { current, today, days }));
                    }
                    current.tomorrow().map_err(|error| error.to_string())?
                }
            };
            // If not, a later day was begun before the clock or the time zone went back.
            if !self.advance(&portfolio.name, next).await? {
                return Ok(None);
            }
            let reached = self.current(&portfolio.name).map_err(|row| row.to_string())?;
            if reached > portfolio.current && reached >= Some(next) {
                self.metrics.days_advanced.inc();
                portfolio.current = reached;
            }
        }
    }

    /// Does an entry of what became due after the current date of a portfolio had begun; whether there was one.
    async fn do_late(&self, name: &PortfolioName, current: Date, found: &mut Found) -> Result<bool, String> {
        if let Err(why) = self.follow_to_tail(found).await {
            found.failed = Some(behind(name, "is behind with what days bring", &why));
            return Ok(false);
        }
        self.advance(name, current).await
    }

    /// Submits an entry of a day; whether something came of it.
    async fn advance(&self, name: &PortfolioName, day: Date) -> Result<bool, String> {
        let day = AdvanceDate {
            portfolio: name.clone(),
            date: day,
            preview: false,
            traceparent: String::new(),
            permit: Permit::of_system(),
        };
        let command = Command::AdvanceDate(Arc::new(day));
        let submission = Submission::system(LedgerKind::Tracker.as_str(), command);
        match self.ledger.submit(submission).await {
            Ok(receipt) => Ok(!receipt.events.is_empty()),
            Err(SubmitError::Rejected(Rejection::DamagedRow(row))) => Err(row.to_string()),
            // The clock went back meanwhile, or the portfolio was deleted: the next check sees it.
            Err(SubmitError::Rejected(_) | SubmitError::Closing | SubmitError::Failed { .. }) => Ok(false),
            Err(error) => Err(error.to_string()),
        }
    }

    /// A portfolio in which something became due after its current date had begun, with that date.
    fn late(&self, name: &PortfolioName) -> Option<(PortfolioName, Date)> {
        let view = self.ledger.view();
        let current = current(&view, name).ok().flatten()?;
        warning::is_due(&view, name, current).then(|| (name.clone(), current))
    }

    /// What does not get done in a portfolio although its day has begun, for people. In some of them what is late was tried in
    /// vain.
    fn undone(&self, name: &PortfolioName, vain: &BTreeSet<PortfolioName>) -> Option<String> {
        let advice = "the log names the row; if it cannot be decoded, run `milepost store rebuild`";
        if vain.contains(name) && self.late(name).is_some() {
            return Some(format!("a warning policy of {name} is not evaluated to its end: {advice}"));
        }
        let view = self.ledger.view();
        let current = tables::date::get(&view, name).ok().flatten();
        let passed_over =
            current.is_some_and(|current| current.passed_over) || awaits_passed_over_start(&view, name);
        passed_over
            .then(|| format!("{name} passed over a milestone, for which each next day looks: {advice}"))
    }

    fn current(&self, portfolio: &PortfolioName) -> Result<Option<Date>, DamagedRow> {
        current(&self.ledger.view(), portfolio)
    }

    fn report(&self, stuck: &BTreeMap<PortfolioName, TooFar>, failed: Option<String>) {
        self.metrics.portfolios_unconfirmed.set(i64::try_from(stuck.len()).unwrap_or(i64::MAX));
        match (failed, stuck.first_key_value()) {
            (Some(reason), _) => {
                tracing::warn!(reason, "not all that days bring gets done");
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

fn cannot_advance(name: &PortfolioName, error: &str) -> String {
    format!("the date of {name} cannot be advanced: {error}")
}

fn behind(name: &PortfolioName, what: &str, why: &str) -> String {
    format!("{name} {what}, which goes on when the registry was followed to its end: {why}")
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
