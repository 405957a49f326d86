//! Milestones: what the tracker says of them beyond the schema.
//!
//! Invariants: a milestone begins PLANNED; how it stands to its dates, and its variance, are as of its last
//! change or of the portfolio's current date, whichever is later. A forecast that it begins with is its first,
//! and the history of its forecasts begins there. The rules read no clock.

mod actions;
mod outlook;
mod token;

use std::sync::Arc;

use jiff::civil::Date;
use milepost_proto::google::r#type as gtype;
use milepost_proto::tracker::v1::Milestone;
use milepost_proto::tracker::v1::milestone::{Nearness, Slippage, State};
use milepost_resource::{
    By, Change, Checked, EventKind, Index, PutBesides, Rules, TokenFormat, Unreadable, Upgrade, When,
    add_person, date, date_message, known_state,
};
use milepost_types::{DamagedRow, Rejection, Violations};

pub(crate) use actions::{
    Reforecast, StateChange, StateReport, To, achieve_started, add_evidence, change_state, missing_evidence,
    rebaseline, reforecast, start_reason, states_changed,
};
use actions::{achieved_at_once, check_reported};
pub(crate) use outlook::{Timeliness, comes_to, day_change, passed, timeliness_on, touched};

use crate::act::check_day;
use crate::decide::{Scope, Today, Tracker};
use crate::mirror::Portfolio;
use crate::names::{MilestoneName, PortfolioName};
use crate::parent::Followed;
use crate::tables::outcome;
use crate::template;

/// The type of the milestone that a project's start achieves, as OC4IDS spells it.
pub(crate) const CONSTRUCTION_START: &str = "constructionStart";

/// The milestones of each portfolio by due date, whatever their state; those without one come last.
pub(crate) const DUE: Index = Index {
    tag: 2,
    under: 1,
    by: &[By::FirstDate(&["forecast_date", "baseline_date"])],
    live: false,
    when: &[],
    orders: true,
};

/// The milestones of each portfolio by baseline date, while they are PLANNED: the day after its baseline is when
/// one with a later forecast becomes late. A new forecast touches nothing here.
pub(crate) const BASELINE: Index = Index {
    tag: 3,
    by: &[By::Field("baseline_date")],
    live: true,
    when: &[When::Is("state", State::Planned as i32), When::Has("baseline_date")],
    orders: false,
    ..DUE
};

impl Rules<Tracker> for Milestone {
    type Above = Followed<Self>;

    const TABLE: u8 = 1;
    const TABLE_NAME: &'static str = "tracker.milestone";
    const ID_PREFIX: char = 'm';
    const INDEXES: &'static [Index] = &[
        DUE,
        BASELINE,
        template::BY_COUPLING,
        template::BY_REQUIREMENT,
        template::BY_TYPE,
        template::NEXT_EXPIRY,
        template::BY_UNTIL_TYPE,
        template::BY_MEMBER,
        template::FILE_BY,
    ];
    const TOKENS: &'static dyn TokenFormat = &token::Bare;

    const UPGRADE: Option<Upgrade<Self>> = Some(upgrade);
    const PUT_BESIDES: Option<PutBesides> = Some(outcome::put);

    /// What may be done to a milestone, and what a day makes of it, depends on these.
    fn check_stored(&self) -> Result<(), Unreadable> {
        known_state(self)?;
        Nearness::try_from(self.nearness).map_err(|_| Unreadable::of("nearness", "is unknown"))?;
        Slippage::try_from(self.slippage).map_err(|_| Unreadable::of("slippage", "is unknown"))?;
        let dates = [&self.baseline_date, &self.forecast_date, &self.actual_date];
        if dates.into_iter().flatten().any(|given| date(Some(given)).is_none()) {
            return Err(Unreadable::new("one of its dates is no date"));
        }
        Ok(())
    }

    fn begin(&mut self) {
        self.set_state(State::Planned);
    }

    fn admit(_: &Scope<'_>, before: Option<&Checked<Self>>, after: &Checked<Self>) -> Result<(), Rejection> {
        match before.filter(|before| template::is_made(before)) {
            Some(before) => template::check_update(before, after),
            None => Ok(()),
        }
    }

    fn release(_: &Scope<'_>, milestone: &Checked<Self>) -> Result<(), Rejection> {
        if template::is_made(milestone) { template::check_deletion(milestone) } else { Ok(()) }
    }

    fn complete(
        scope: &Scope<'_>,
        kind: &EventKind,
        name: &MilestoneName,
        _: Option<&Checked<Self>>,
        milestone: &mut Self,
    ) -> Result<(), Rejection> {
        if matches!(kind, EventKind::Created) {
            add_person(&mut milestone.date_authors, &scope.context.actor);
            if milestone.forecast_date.is_some() {
                milestone.forecast_sequence = scope.context.sequence;
            }
        }
        refresh_derived(milestone, &ChangeContext::of(scope, name)?);
        Ok(())
    }

    /// The date of a creation event is the due date. What comes to await the start of a project that started is achieved.
    fn describe(
        scope: &Scope<'_>,
        before: Option<&Checked<Self>>,
        after: &Checked<Self>,
        change: Change,
    ) -> Result<Change, Rejection> {
        let mut change = if before.is_none() { change.on(due(after)) } else { change };
        if outlook::comes_near(before, after) {
            let context = ChangeContext::of(scope, after.name())?;
            change = change.announcing(outlook::announcement(before, after, &context));
        }
        Ok(change.announcing(achieved_at_once(scope, before, after)?))
    }
}

/// An earlier version kept the outlook and not the two facts that it comes of.
fn upgrade(milestone: &mut Milestone) -> Result<bool, Unreadable> {
    let old = milestone.nearness == 0 && milestone.outlook != 0;
    if old {
        Timeliness::implied(milestone)?.set(milestone);
    }
    Ok(old)
}

/// The date that a milestone is due: the forecast, or the baseline where there is none.
pub(crate) fn due(milestone: &Milestone) -> Option<Date> {
    date(milestone.forecast_date.as_ref()).or_else(|| date(milestone.baseline_date.as_ref()))
}

/// Brings up to date what follows from the rest. A deleted one keeps how it stood.
fn refresh_derived(milestone: &mut Milestone, context: &ChangeContext) {
    if let Some(timeliness) = timeliness_on(milestone, context.current_date) {
        timeliness.set(milestone);
    }
    let end = milestone.actual_date.as_ref().or(milestone.forecast_date.as_ref());
    milestone.variance_working_days = context.slip(date(milestone.baseline_date.as_ref()), date(end));
}

/// When and where a rule is applied: all that it depends on besides the resource.
#[derive(Debug, Clone)]
pub(crate) struct ChangeContext {
    /// Which day it is, for whatever a rule asks it.
    pub(crate) current_date: Date,
    /// The portfolio, with its working days.
    pub(crate) portfolio: Arc<Portfolio>,
}

impl ChangeContext {
    /// Of a decision on the milestone of this name.
    ///
    /// # Errors
    /// If a row cannot be decoded; so with [`ChangeContext::within`].
    pub(crate) fn of(scope: &Scope<'_>, name: &MilestoneName) -> Result<Self, DamagedRow> {
        let portfolio = name.ancestor().unwrap_or_else(|| name.parent().parent());
        Self::in_portfolio(scope, &portfolio)
    }

    /// Of a decision in the portfolio of this name.
    pub(crate) fn in_portfolio(scope: &Scope<'_>, name: &PortfolioName) -> Result<Self, DamagedRow> {
        Self::within(scope, name, scope.service.portfolio_or_unknown(scope.rows.read, name)?)
    }

    /// Of a decision in a portfolio that is this.
    pub(crate) fn within(
        scope: &Scope<'_>,
        name: &PortfolioName,
        portfolio: Arc<Portfolio>,
    ) -> Result<Self, DamagedRow> {
        let today = Today::of(scope.rows.read, name, &portfolio, scope.context.now)?;
        Ok(Self { current_date: today.of_writes(), portfolio })
    }

    /// The day of an act that a field of its request says: the current date if none is given, and never after it.
    ///
    /// # Errors
    /// If it has not come.
    pub(crate) fn act_day(&self, field: &str, given: Option<Date>) -> Result<Date, Rejection> {
        let day = given.unwrap_or(self.current_date);
        let mut violations = Violations::new();
        check_day(field, day, (None, self.current_date), "", &mut violations);
        Ok(violations.into_result(day)?)
    }

    /// The day of a change of state, which a field gives, and the one on which that was reported, if it is given. It is not
    /// before a first day, of which is said which it is.
    ///
    /// # Errors
    /// All of them that have not come, or are too early; or if it was reported before it was.
    pub(crate) fn outcome_days(
        &self,
        field: &str,
        (given, (first, what)): (Option<Date>, (Option<Date>, &str)),
        reported: Option<Date>,
    ) -> Result<(Date, Option<gtype::Date>), Rejection> {
        let (day, mut violations) = (given.unwrap_or(self.current_date), Violations::new());
        check_day(field, day, (first, self.current_date), what, &mut violations);
        check_reported(reported, (Some(day), self.current_date), &mut violations);
        Ok(violations.into_result((day, reported.map(date_message)))?)
    }

    /// Working days from one date to another, positive if it is later; none without both. The slip of a
    /// forecast, of a baseline, and the variance are all this.
    pub(crate) fn slip(&self, from: Option<Date>, to: Option<Date>) -> Option<i32> {
        from.zip(to).map(|(from, to)| self.portfolio.calendar.working_days_between(from, to))
    }
}

#[cfg(test)]
mod tests;
