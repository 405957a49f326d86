//! Dispatch: what a command needs is loaded from rows, the pure rule is asked, what changed becomes events.
//!
//! Invariants: decisions depend on rows, command and context alone; every entry says how far the
//! registry had been followed when it was decided. The one thing remembered between decisions is what a
//! portfolio's row was read as, and that is asked for with the row itself.

mod days;
mod ingest;
mod mirror_upgrade;
mod starts;
pub(crate) mod works;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use jiff::Timestamp;
use milepost_ledger::{Context, Decision, Domain, Entry, Read, Unusable, Write};
use milepost_proto::registry::v1::Portfolio as PortfolioMessage;
use milepost_resource::{Dates, Name, Rows};
use milepost_service::access::Permit;
use milepost_service::source_reset::RESTORED;
use milepost_types::filter::CurrentDate;
use milepost_types::{DamagedRow, GoOn, LedgerKind, Position, Rejection, limits};

pub(crate) use self::days::{Today, between};
pub(crate) use self::starts::awaits_passed_over_start;
use crate::command::{AdvanceDate, Command};
use crate::convert::event::{Events, MirrorUpdate};
use crate::mirror::Portfolio;
use crate::names::PortfolioName;
use crate::parent::check_portfolio;
use crate::timeline::Reactions;
use crate::{apply, tables};

/// Bytes of the events of an entry that may be one of several parts: an entry of several events stays below 1 MiB with
/// what surrounds them. One that is alone takes no more with what it announces, and what the rules of a timeline make of
/// all that stays below the least `max_entry_bytes` that can be configured, 16 MiB. So no day and no entry of the registry
/// can have too many events.
pub(crate) const PART_BYTES: usize = 800 << 10;

/// The rules of the tracker, as the ledger runs them.
#[derive(Clone)]
pub(crate) struct Tracker {
    portfolios: Arc<Portfolios>,
    /// [`PART_BYTES`]; less in tests.
    pub(crate) part_bytes: usize,
}

/// What a decision of the tracker depends on.
pub(crate) type Scope<'a> = milepost_resource::Scope<'a, Tracker>;

impl Default for Tracker {
    fn default() -> Self {
        Self { portfolios: Arc::default(), part_bytes: PART_BYTES }
    }
}

impl std::fmt::Debug for Tracker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tracker").finish_non_exhaustive()
    }
}

impl Tracker {
    /// What is known of a portfolio.
    pub(crate) fn portfolio(
        &self,
        rows: &dyn Read,
        name: &PortfolioName,
    ) -> Result<Option<Arc<Portfolio>>, DamagedRow> {
        self.portfolios.read(rows, name)
    }

    /// The same; what is taken for a portfolio that nothing is known of, if it is not known.
    pub(crate) fn portfolio_or_unknown(
        &self,
        rows: &dyn Read,
        name: &PortfolioName,
    ) -> Result<Arc<Portfolio>, DamagedRow> {
        Ok(self.portfolio(rows, name)?.unwrap_or_else(|| Arc::new(Portfolio::unknown())))
    }
}

/// The date of milestones is that of `GetCurrentDate`.
impl Dates for Tracker {
    fn current_date(
        rows: &Rows<'_, Self>,
        name: &Name<PortfolioMessage>,
        now: Timestamp,
    ) -> Result<Option<CurrentDate>, DamagedRow> {
        let portfolio = tables::portfolio::get(rows.read, name)?.unwrap_or_else(Portfolio::unknown);
        let today = Today::of(rows.read, name, &portfolio, now)?;
        Ok(Some(CurrentDate::new(today.current, &portfolio.zone)))
    }
}

impl Domain for Tracker {
    type Command = Command;
    type Rejection = Rejection;

    const STORE_VERSION: u32 = tables::STORE_VERSION;

    fn decide(&self, rows: &dyn Read, command: &Command, context: &Context) -> Result<Decision, Rejection> {
        let system = Permit::of_system();
        let permit = if let Command::AdvanceDate(asked) = command { &asked.permit } else { &system };
        let scope = Scope { service: self, rows: Rows::new(rows), context, permit };
        match command {
            Command::Resources(command) => {
                let decision = milepost_resource::decide(self, LedgerKind::Tracker, rows, command, context)?;
                let mut events = Events::after(context, &command.traceparent, decision.events);
                Reactions::new(&scope, &[]).follow_request(&mut events)?;
                Ok(Decision {
                    decided_on: tables::source::get(rows).into_iter().collect(),
                    events: events.finish(),
                    ..decision
                })
            }
            Command::AdvanceDate(command) => advance_date(&scope, command),
            Command::Ingest { source_entry, skip } => {
                Ok(ingest::decide(&scope, source_entry, skip.as_deref())?)
            }
            Command::UpgradeMirror { position, portfolios, projects, assignments, is_last } => {
                let update = MirrorUpdate { portfolios, projects, assignments };
                Ok(mirror_upgrade::decide(&scope, position, update, *is_last))
            }
            Command::ResetFollower { to, reason } => Ok(reset_follower(&scope, to, reason)),
            Command::FollowRestored { from, to } => Ok(follow_restored(&scope, *from, to)?),
        }
    }

    fn apply(&self, rows: &mut dyn Write, entry: &Entry) -> Result<(), Unusable> {
        apply::apply(rows, entry)
    }
}

fn advance_date(scope: &Scope<'_>, command: &AdvanceDate) -> Result<Decision, Rejection> {
    let AdvanceDate { portfolio: name, date, preview, traceparent, permit: _ } = command;
    let (date, rows) = (*date, scope.rows.read);
    scope.permit.check(rows, scope.context.now)?;
    check_portfolio(&scope.rows, name.ids())?;
    let portfolio = scope.service.portfolio(rows, name)?.ok_or_else(|| Rejection::not_found(name))?;
    let today = portfolio.clock_date(scope.context.now);
    let current = tables::date::get(rows, name)?.map(|current| current.date);
    if date > today && current.is_none_or(|current| date > current) {
        let description =
            format!("{date} is after {today}, which the clock says in the portfolio's time zone");
        return Err(Rejection::invalid("date", "DATE_IN_FUTURE", description));
    }
    let limit_days = limits::ADVANCE_DAYS;
    match current {
        Some(from) if between(from, date) > limit_days => {
            return Err(Rejection::ClockRefused { from, to: date, limit_days });
        }
        None if between(date, today) > limit_days => {
            let description = format!(
                "{date} is more than {limit_days} days before today, {today} in the portfolio's time zone"
            );
            return Err(Rejection::invalid("date", "DATE_TOO_EARLY", description));
        }
        _ => {}
    }
    let mut events = Events::new(scope.context, traceparent);
    let advance = if *preview { days::preview } else { days::advance };
    advance(scope, name, date, &mut events)?;
    Ok(Decision {
        portfolio: name.ids()[0].to_string(),
        decided_on: tables::source::get(rows).into_iter().collect(),
        events: events.finish(),
    })
}

fn reset_follower(scope: &Scope<'_>, to: &GoOn, reason: &str) -> Decision {
    let previous = tables::source::get(scope.rows.read);
    if previous == Some(to.after) {
        return Decision::default();
    }
    let mut events = Events::new(scope.context, "");
    events.reset(previous, to, reason);
    Decision { portfolio: String::new(), decided_on: vec![to.after], events: events.finish() }
}

/// Only from where the follower stood that found the restored log: whoever went on meanwhile is not
/// brought back.
fn follow_restored(scope: &Scope<'_>, from: Option<Position>, to: &GoOn) -> Result<Decision, Rejection> {
    // Of the next entry a part may have been taken over already: then the follower stands behind it.
    let begun = tables::partly::begun(scope.rows.read)?;
    if let Some(own) = begun.filter(|begun| to.lineage.resolve(to.after.log, *begun).is_none()) {
        return Err(Rejection::LogDiverged { given: to.after, own });
    }
    match tables::source::get(scope.rows.read) {
        own if own == from => Ok(reset_follower(scope, to, RESTORED)),
        Some(own) if own.log != to.after.log => Err(Rejection::LogDiverged { given: to.after, own }),
        _ => Ok(Decision::default()),
    }
}

/// What rows of portfolios were read as: a calendar may hold thousands of days.
#[derive(Default)]
struct Portfolios {
    known: Mutex<HashMap<PortfolioName, (Bytes, Arc<Portfolio>)>>,
}

/// Portfolios remembered at most.
const REMEMBERED: usize = 4096;

impl Portfolios {
    fn read(&self, rows: &dyn Read, name: &PortfolioName) -> Result<Option<Arc<Portfolio>>, DamagedRow> {
        let Some(stored) = tables::portfolio::get_stored(rows, name) else { return Ok(None) };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((bytes, portfolio)) = known.get(name)
            && *bytes == stored
        {
            return Ok(Some(Arc::clone(portfolio)));
        }
        let portfolio = Arc::new(Portfolio::from(&tables::portfolio::read(name, &stored)?));
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(name.clone(), (stored, Arc::clone(&portfolio)));
        Ok(Some(portfolio))
    }
}

#[cfg(test)]
mod tests;
