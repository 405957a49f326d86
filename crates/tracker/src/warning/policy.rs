//! Warning policies: drafted, adopted, retired.
//!
//! | method | from | to |
//! |---|---|---|
//! | adopt | DRAFT | ADOPTED |
//! | retire | ADOPTED | RETIRED |
//!
//! Invariants: what an adopted policy says does not change any more, so that every evaluation by it can be done again;
//! while it has a further period that ended while it was in force, or may end so, it keeps the day on which that is
//! evaluated: what had ended by the day on which it is put out of force is evaluated to its end still, on its day.

use jiff::ToSpan;
use jiff::civil::Date;
use milepost_proto::event::v1 as event;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::google::r#type as gtype;
use milepost_proto::tracker::v1::WarningPolicy;
use milepost_proto::tracker::v1::warning_policy::State;
use milepost_resource::{
    By, Change, Checked, EventKind, Index, Rules, Unreadable, When, check_state, date, date_message,
    known_state,
};
use milepost_types::{DamagedRow, Rejection, Violations, limits};

use super::period::Period;
use super::rule::{self, Rule};
use crate::act::act_day;
use crate::decide::{Scope, Today, Tracker};
use crate::names::PortfolioName;
use crate::parent::Followed;

/// The policies of each portfolio by the next day on which they evaluate a period.
pub(crate) const NEXT_EVALUATION: Index = Index {
    tag: 86,
    under: 1,
    by: &[By::Field("next_evaluation_date")],
    live: true,
    when: &[When::Has("next_evaluation_date")],
    orders: false,
};

impl Rules<Tracker> for WarningPolicy {
    type Above = Followed<Self>;

    const TABLE: u8 = 85;
    const TABLE_NAME: &'static str = "tracker.warning_policy";
    const ID_PREFIX: char = 'w';
    const INDEXES: &'static [Index] = &[NEXT_EVALUATION];

    fn check_field(&self, field: &str, violations: &mut Violations) {
        rule::check_field(self, field, violations);
    }

    fn check(&self, violations: &mut Violations) {
        rule::read(self, violations);
    }

    /// What may be done to a policy, and what it evaluates, depends on these.
    fn check_stored(&self) -> Result<(), Unreadable> {
        known_state(self)?;
        let mut violations = Violations::new();
        if rule::read(self, &mut violations).is_none() {
            return Err(Unreadable::new("it cannot be read"));
        }
        Ok(())
    }

    fn begin(&mut self) {
        self.set_state(State::Draft);
    }

    fn admit(_: &Scope<'_>, before: Option<&Checked<Self>>, after: &Checked<Self>) -> Result<(), Rejection> {
        let Some(before) = before.filter(|before| !before.is_deleted()) else { return Ok(()) };
        let labelled = Self {
            labels: before.labels.clone(),
            update_time: before.update_time,
            etag: before.etag.clone(),
            ..Self::clone(after)
        };
        if labelled == **before { Ok(()) } else { check_state(before, "update", &[State::Draft]) }
    }

    fn release(_: &Scope<'_>, policy: &Checked<Self>) -> Result<(), Rejection> {
        check_state(policy, "delete", &[State::Draft, State::Retired])
    }
}

/// What a policy says.
///
/// # Errors
/// If it cannot be read: it was checked when it was written.
pub(crate) fn rule_of(policy: &Checked<WarningPolicy>) -> Result<Rule, DamagedRow> {
    let read = rule::read(policy, &mut Violations::new());
    read.ok_or_else(|| policy.name().damaged("it cannot be read"))
}

/// The day on which a policy evaluates a period.
pub(crate) fn evaluation_date(policy: &WarningPolicy, period: Period) -> Date {
    period.end.saturating_add(policy.evaluate_after_days.days())
}

/// The day on which a policy evaluates its next period, if there is one that ends while it is in force.
pub(super) fn next_evaluation(policy: &WarningPolicy, next: Option<Period>) -> Option<gtype::Date> {
    let retired = date(policy.retired_date.as_ref());
    let next = next.filter(|next| retired.is_none_or(|retired| next.end <= retired));
    next.map(|next| date_message(evaluation_date(policy, next)))
}

/// The current date of a portfolio.
pub(super) fn current_date(scope: &Scope<'_>, portfolio: &PortfolioName) -> Result<Date, DamagedRow> {
    let known = scope.service.portfolio_or_unknown(scope.rows.read, portfolio)?;
    Ok(Today::of(scope.rows.read, portfolio, &known, scope.context.now)?.of_writes())
}

/// What comes of putting a policy in force from a day on.
pub(crate) fn adopt(
    scope: &Scope<'_>,
    before: &Checked<WarningPolicy>,
    given: &Option<Date>,
) -> Result<Vec<Change>, Rejection> {
    check_state(before, "adopt", &[State::Draft])?;
    let current = current_date(scope, &before.name().parent())?;
    let (day, rule) = (act_day(current, None, *given, "")?, rule_of(before)?);
    if let Some(first) = rule.periods.first_of(limits::WARNING_PERIODS, day, current) {
        let description = format!(
            "more than {} periods have ended since {day}, which would all be evaluated; give {first} or a later day",
            limits::WARNING_PERIODS
        );
        return Err(Rejection::invalid("date", "DATE_TOO_EARLY", description));
    }
    let after = before.changed(scope, |policy| {
        policy.set_state(State::Adopted);
        policy.adopted_date = Some(date_message(day));
        policy.next_evaluation_date = next_evaluation(policy, rule.periods.ending_from(day));
    });
    let payload = Payload::WarningPolicyAdopted(event::WarningPolicyAdopted {});
    let kind = EventKind::custom("milepost.warning_policy.adopted", payload);
    Ok(vec![Change::new(scope, kind, Some(before), after)?.on(Some(day))])
}

/// What comes of putting a policy out of force, for a reason, from a day on.
pub(crate) fn retire(
    scope: &Scope<'_>,
    before: &Checked<WarningPolicy>,
    (reason, given): &(String, Option<Date>),
) -> Result<Vec<Change>, Rejection> {
    check_state(before, "retire", &[State::Adopted])?;
    let current = current_date(scope, &before.name().parent())?;
    let adopted = date(before.adopted_date.as_ref());
    let day = act_day(current, adopted, *given, "from when on it is in force")?;
    let (rule, next) = (rule_of(before)?, date(before.next_evaluation_date.as_ref()));
    let end = next.map(|next| next.saturating_sub(before.evaluate_after_days.days()));
    let next = end.and_then(|end| rule.periods.ending_on(end));
    let after = before.changed(scope, |policy| {
        policy.set_state(State::Retired);
        reason.clone_into(&mut policy.state_reason);
        policy.retired_date = Some(date_message(day));
        policy.next_evaluation_date = next_evaluation(policy, next);
    });
    let payload = event::WarningPolicyRetired { reason: reason.clone() };
    let kind = EventKind::custom("milepost.warning_policy.retired", Payload::WarningPolicyRetired(payload));
    Ok(vec![Change::new(scope, kind, Some(before), after)?.on(Some(day))])
}
