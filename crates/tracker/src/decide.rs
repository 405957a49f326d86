//! Dispatch: what a command needs is loaded from rows, the pure rule is asked, what changed becomes events.
//!
//! Invariants: decisions depend on rows, command and context alone; every entry says how far the
//! registry had been followed when it was decided. The one thing remembered between decisions is what a
//! portfolio's row was read as, and that is asked for with the row itself.

mod days;
mod ingest;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use jiff::civil::Date;
use milepost_ledger::{Context, Decision, Domain, Entry, Read, Unusable, Write};
use milepost_service::source_reset::RESTORED;
use milepost_types::{
    DamagedRow, Etag, GoOn, MilestoneName, PortfolioName, Position, ProjectName, Rejection, ResourceId,
    ResourceKind, check_batch, limits,
};

pub(crate) use self::days::{Today, between};
use crate::command::{Command, Refusal, TracedCommand};
use crate::convert::event::Events;
use crate::convert::read_event::all_carried;
use crate::milestone::{Action, ChangeContext, Draft, act, create};
use crate::mirror::Portfolio;
use crate::{apply, tables};

/// Bytes of the events of an entry that may be one of several parts: with what surrounds them, and with any one
/// event of a milestone, an entry stays below the least `max_entry_bytes` that can be configured, 1 MiB. So no
/// day and no entry of the registry can have too many events.
pub(crate) const PART_BYTES: usize = 800 << 10;

/// The rules of the tracker, as the ledger runs them.
pub(crate) struct Tracker {
    portfolios: Portfolios,
    /// [`PART_BYTES`]; less in tests.
    pub(crate) part_bytes: usize,
}

impl Default for Tracker {
    fn default() -> Self {
        Self { portfolios: Portfolios::default(), part_bytes: PART_BYTES }
    }
}

impl Domain for Tracker {
    type Command = Arc<TracedCommand>;
    type Rejection = Refusal;

    const STORE_VERSION: u32 = tables::STORE_VERSION;

    fn decide(
        &self,
        rows: &dyn Read,
        command: &Arc<TracedCommand>,
        context: &Context,
    ) -> Result<Decision, Refusal> {
        let scope = DecisionContext {
            rows,
            context,
            traceparent: &command.traceparent,
            portfolios: &self.portfolios,
            part_bytes: self.part_bytes,
        };
        match &command.command {
            Command::Create { portfolio, drafts } => scope.create(portfolio, drafts),
            Command::Act { name, etag, action } => scope.act(name, *etag, action),
            Command::AdvanceDate { portfolio, date, preview } => {
                scope.advance_date(portfolio, *date, *preview)
            }
            Command::Ingest { source_entry, skip } => {
                Ok(ingest::decide(&scope, source_entry, skip.as_deref())?)
            }
            Command::ResetFollower { to, reason } => Ok(scope.reset_follower(to, reason)),
            Command::FollowRestored { from, to } => Ok(scope.follow_restored(*from, to)?),
        }
    }

    fn apply(&self, rows: &mut dyn Write, entry: &Entry) -> Result<(), Unusable> {
        apply::apply(rows, entry)
    }
}

/// What a command is decided on.
pub(crate) struct DecisionContext<'a> {
    pub(crate) rows: &'a dyn Read,
    context: &'a Context,
    traceparent: &'a str,
    portfolios: &'a Portfolios,
    /// Bytes of the events of an entry that may be one of several parts.
    pub(crate) part_bytes: usize,
}

impl<'a> DecisionContext<'a> {
    /// The events of the entry, none yet.
    pub(crate) fn events(&self) -> Events<'a> {
        Events::new(self.context, self.traceparent)
    }

    /// What is known of a portfolio.
    pub(crate) fn portfolio(&self, name: &PortfolioName) -> Result<Option<Arc<Portfolio>>, DamagedRow> {
        self.portfolios.read(self.rows, name)
    }

    /// The at of a rule in a portfolio.
    pub(crate) fn at<'p>(
        &self,
        name: &PortfolioName,
        portfolio: &'p Portfolio,
    ) -> Result<ChangeContext<'p>, DamagedRow> {
        Ok(ChangeContext {
            sequence: self.context.sequence,
            commit_time: self.context.commit_time,
            current_date: Today::of(self.rows, name, portfolio, self.context.now)?.of_writes(),
            calendar: &portfolio.calendar,
        })
    }

    /// The decision that these events are.
    pub(crate) fn decision(&self, portfolio: &ResourceId, events: Events<'_>) -> Decision {
        Decision {
            portfolio: portfolio.to_string(),
            decided_on: tables::source::get(self.rows).into_iter().collect(),
            events: events.finish(),
        }
    }

    fn known_portfolio(&self, name: &PortfolioName) -> Result<Arc<Portfolio>, Refusal> {
        let portfolio =
            self.portfolio(name)?.ok_or_else(|| Refusal::unknown(ResourceKind::PORTFOLIO, name))?;
        if portfolio.deleted { Err(Refusal::on_mirror(Rejection::deleted(name))) } else { Ok(portfolio) }
    }

    fn check_project(&self, name: &ProjectName) -> Result<(), Refusal> {
        match tables::project::is_deleted(self.rows, name)? {
            Some(false) => Ok(()),
            Some(true) => Err(Refusal::on_mirror(Rejection::deleted(name))),
            None => Err(Refusal::unknown(ResourceKind::PROJECT, name)),
        }
    }

    fn create(&self, name: &PortfolioName, drafts: &[Draft]) -> Result<Decision, Refusal> {
        let mut checked: Option<&ProjectName> = None;
        for draft in drafts {
            let project = &draft.project;
            if checked != Some(project) {
                self.check_project(project)?;
                checked = Some(project);
            }
        }
        let portfolio = self.known_portfolio(name)?;
        let at = self.at(name, &portfolio)?;
        let mut events = self.events();
        for (index, draft) in drafts.iter().enumerate() {
            let id = draft.id.clone().unwrap_or_else(|| made_id(self.context.seed, index));
            let change = create(draft, id, &at);
            if let Some(deleted) = tables::milestone::is_deleted(self.rows, &change.milestone.name)? {
                return Err(Rejection::already_exists(&change.milestone.name, deleted).into());
            }
            events.milestone(change, "");
        }
        let decision = self.decision(name.id(), events);
        check_batch("milestones", answer_sizes(&decision.events))?;
        Ok(decision)
    }

    fn act(&self, name: &MilestoneName, etag: Option<Etag>, action: &Action) -> Result<Decision, Refusal> {
        let milestone = tables::milestone::get(self.rows, name)?.ok_or_else(|| Rejection::not_found(name))?;
        self.check_project(name.project())?;
        let portfolio = self.known_portfolio(name.portfolio())?;
        let at = self.at(name.portfolio(), &portfolio)?;
        let mut events = self.events();
        match act(&milestone, etag, action, &at)? {
            Some(change) => events.milestone(change, ""),
            None => return Ok(Decision::default()),
        }
        Ok(self.decision(name.portfolio().id(), events))
    }

    fn advance_date(&self, name: &PortfolioName, date: Date, preview: bool) -> Result<Decision, Refusal> {
        let portfolio = self.known_portfolio(name)?;
        let today = portfolio.clock_date(self.context.now);
        let current = tables::date::get(self.rows, name)?.map(|current| current.date);
        if date > today && current.is_none_or(|current| date > current) {
            let description =
                format!("{date} is after {today}, which the clock says in the portfolio's time zone");
            return Err(Rejection::invalid("date", "DATE_IN_FUTURE", description).into());
        }
        let limit_days = limits::ADVANCE_DAYS;
        match current {
            Some(from) if between(from, date) > limit_days => {
                return Err(Rejection::ClockRefused { from, to: date, limit_days }.into());
            }
            None if between(date, today) > limit_days => {
                let description = format!(
                    "{date} is more than {limit_days} days before today, {today} in the portfolio's time zone"
                );
                return Err(Rejection::invalid("date", "DATE_TOO_EARLY", description).into());
            }
            _ => {}
        }
        let mut events = self.events();
        let advance = if preview { days::preview } else { days::advance };
        advance(self, name, &portfolio, date, &mut events)?;
        Ok(self.decision(name.id(), events))
    }

    fn reset_follower(&self, to: &GoOn, reason: &str) -> Decision {
        let previous = tables::source::get(self.rows);
        if previous == Some(to.after) {
            return Decision::default();
        }
        let mut events = self.events();
        events.reset(previous, to, reason);
        Decision { portfolio: String::new(), decided_on: vec![to.after], events: events.finish() }
    }

    /// Only from where the follower stood that found the restored log: whoever went on meanwhile is not
    /// brought back.
    fn follow_restored(&self, from: Option<Position>, to: &GoOn) -> Result<Decision, Rejection> {
        // Of the next entry a part may have been taken over already: then the follower stands behind it.
        let begun = tables::partly::begun(self.rows)?;
        if let Some(own) = begun.filter(|begun| to.lineage.resolve(to.after.log, *begun).is_none()) {
            return Err(Rejection::LogDiverged { given: to.after, own });
        }
        match tables::source::get(self.rows) {
            own if own == from => Ok(self.reset_follower(to, RESTORED)),
            Some(own) if own.log != to.after.log => Err(Rejection::LogDiverged { given: to.after, own }),
            _ => Ok(Decision::default()),
        }
    }
}

/// The bytes of each milestone that these events carry, which are what is answered.
fn answer_sizes(events: &[Bytes]) -> impl Iterator<Item = usize> {
    all_carried(events).unwrap_or_default().into_iter().map(|milestone| milestone.len())
}

/// An id that the server makes: the same again when the command is decided again.
fn made_id(seed: u128, index: usize) -> ResourceId {
    /// Odd, so that different indexes give different bits.
    const STEP: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;
    ResourceId::from_seed('m', seed.wrapping_add((index as u128).wrapping_mul(STEP)).to_be_bytes())
}

/// What rows of portfolios were read as: a calendar may hold thousands of days.
#[derive(Default)]
struct Portfolios {
    known: Mutex<HashMap<String, (Bytes, Arc<Portfolio>)>>,
}

/// Portfolios remembered at most.
const REMEMBERED: usize = 4096;

impl Portfolios {
    fn read(&self, rows: &dyn Read, name: &PortfolioName) -> Result<Option<Arc<Portfolio>>, DamagedRow> {
        let Some(stored) = tables::portfolio::get_stored(rows, name) else { return Ok(None) };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((bytes, portfolio)) = known.get(name.id().as_str())
            && *bytes == stored
        {
            return Ok(Some(Arc::clone(portfolio)));
        }
        let portfolio = Arc::new(Portfolio::from(&tables::portfolio::read(name, &stored)?));
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(name.id().to_string(), (stored, Arc::clone(&portfolio)));
        Ok(Some(portfolio))
    }
}

#[cfg(test)]
mod tests;
