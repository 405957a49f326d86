//! Corrections: what becomes of the warnings of a project when a period of it was excused, or is computed again.
//!
//! Invariants: nothing that was evaluated is changed; a warning of the next revision stands beside it, and only where
//! something differs. Of later periods what the tests found stays, and runs and what is shown follow anew. A step that is
//! reached only now is done; an order of a step that is not reached any more stays, and the event names it.

use jiff::civil::Date;
use milepost_proto::event::v1 as event;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::figure::v1::Knowledge;
use milepost_proto::tracker::v1::{Warning, WarningPolicy, WarningResult};
use milepost_resource::{Act, Change, Checked, Decided, EventKind, Rows, date, date_message};
use milepost_types::{DamagedRow, Rejection};

use super::evaluation::{Evaluator, Occasion};
use super::known::AsOf;
use super::light::Light;
use super::measure::{Missing, worst};
use super::order::Orders;
use super::outcome::{before, carried, counted, from, held_again, made, name_of, of_period, runs_message};
use super::period::Period;
use super::policy::{current_date, evaluation_date, rule_of};
use super::{PolicyName, WarningName};
use crate::decide::{Scope, Tracker};
use crate::names::ProjectName;
use crate::tables;

/// What is corrected.
pub(super) struct Correction<'a> {
    /// Why, as was said.
    pub(super) reason: &'a str,
    /// The day on which it is.
    pub(super) day: Date,
    /// Periods that are excused, by their ends, and the excuse.
    pub(super) excused: (&'a [Date], &'a str),
    /// What the tests find of a period, by its end, computed again.
    pub(super) found: Option<(Date, Vec<WarningResult>)>,
}

/// A warning, and the one in its place.
struct Pair {
    old: Checked<Warning>,
    name: WarningName,
    new: Warning,
    is_excused: bool,
    /// The orders that it opens.
    opened: Vec<Change>,
}

/// The corrections of a project's warnings by a policy.
pub(super) fn corrections(
    scope: &Scope<'_>,
    policy: &Checked<WarningPolicy>,
    project: &ProjectName,
    correction: &Correction<'_>,
) -> Result<Vec<Change>, DamagedRow> {
    let ends = correction.excused.0.iter().copied().chain(correction.found.iter().map(|(end, _)| *end));
    let Some(first) = ends.min() else { return Ok(Vec::new()) };
    let today = current_date(scope, &project.parent())?;
    let mut orders = Orders::of(scope, policy, project, today);
    let pairs = pairs(scope, policy, project, (correction, first), &mut orders)?;
    // A step may be reached by another period now.
    let reached: Vec<_> = pairs.iter().flat_map(|pair| &pair.new.steps).map(|step| &step.order).collect();
    let mut left = Vec::with_capacity(pairs.len());
    for pair in &pairs {
        let mut open = orders.open_since(&pair.old.steps, first)?;
        open.retain(|order| !reached.contains(&order));
        left.push(open);
    }
    let changes = pairs.into_iter().zip(left);
    Ok(changes.map(|(pair, left)| corrected(scope, pair, left, correction.day)).collect())
}

/// The warnings of a project from a period on that are not as they would be, and those in their places.
fn pairs(
    scope: &Scope<'_>,
    policy: &Checked<WarningPolicy>,
    project: &ProjectName,
    (correction, first): (&Correction<'_>, Date),
    orders: &mut Orders<'_>,
) -> Result<Vec<Pair>, DamagedRow> {
    let (ends, excuse) = correction.excused;
    let rule = rule_of(policy)?;
    let mut pairs = Vec::new();
    let mut last = before(&scope.rows, project, policy.name(), first)?.map(Checked::into_inner);
    for old in from(&scope.rows, project, policy.name(), first)? {
        let Some(end) = date(old.period_end.as_ref()) else { continue };
        let computed = correction.found.as_ref().filter(|(of, _)| *of == end).map(|(_, tests)| tests.clone());
        let is_computed = computed.is_some();
        let held = last.as_ref().map(|last| &last.tests[..]).unwrap_or_default();
        let tests = computed.unwrap_or_else(|| again(&old.tests, held, rule.missing));
        let is_excused = ends.contains(&end);
        let mut new = Warning::clone(&old);
        if is_excused {
            excuse.clone_into(&mut new.excuse);
        }
        let (after, reached) = rule.progression.follow(&carried(last.as_ref()), counted(&tests, &new.excuse));
        let evaluated = date(old.evaluation_date.as_ref()).unwrap_or(end);
        let revision = old.revision.saturating_add(1);
        let name = name_of(project, policy.name(), end, revision);
        let (steps, opened) = orders.reached((&name, evaluated), &reached, &old.steps)?;
        new.light = Light::message(worst(tests.iter().map(|test| Light::of(test.light))));
        new.shown_light = Light::message(after.shown);
        new.tests = tests;
        new.runs = runs_message(after.runs);
        new.review_date = steps.iter().find_map(|step| step.review_date);
        new.steps = steps;
        if new != *old {
            if is_computed {
                new.evaluation_date = Some(date_message(correction.day));
            }
            new.revision = revision;
            correction.reason.clone_into(&mut new.reason);
            pairs.push(Pair { old, name, new: new.clone(), is_excused, opened });
        }
        last = Some(new);
    }
    Ok(pairs)
}

/// What tests found, where those without a value keep the light that the period before has now.
fn again(tests: &[WarningResult], held: &[WarningResult], missing: Missing) -> Vec<WarningResult> {
    let mut tests = tests.to_vec();
    if missing == Missing::Hold {
        for (i, test) in tests.iter_mut().enumerate() {
            held_again(test, held.get(i).and_then(|held| Light::of(held.light)));
        }
    }
    tests
}

/// The warning in the place of an old one, with the orders that it opens and those that it leaves; and that the old one is
/// not the one that counts any more.
fn corrected(scope: &Scope<'_>, pair: Pair, orders: Vec<String>, day: Date) -> Change {
    let Pair { old, name, new, is_excused, opened } = pair;
    let kind = if is_excused {
        let payload = event::WarningExcused { excuse: new.excuse.clone(), orders };
        EventKind::custom("milepost.warning.excused", Payload::WarningExcused(payload))
    } else {
        let (corrects, reason) = (old.name().to_string(), new.reason.clone());
        let payload = event::WarningCorrected { corrects, reason, orders };
        EventKind::custom("milepost.warning.corrected", Payload::WarningCorrected(payload))
    };
    let superseded = old.changed(scope, |warning| warning.superseded_by = name.to_string());
    let payload = event::WarningSuperseded { superseded_by: name.to_string() };
    let superseding = EventKind::custom("milepost.warning.superseded", Payload::WarningSuperseded(payload));
    let announced = Change::of(superseding, Some(&old), superseded).on(Some(day));
    made(scope, name, &new, kind, day).announcing([announced]).announcing(opened)
}

/// A request to compute a period of a policy again, by all that is known now.
pub(crate) struct Recompute {
    pub(crate) policy: PolicyName,
    /// The last day of the period.
    pub(crate) end: Date,
    /// Only of this project; none: of all.
    pub(crate) project: Option<ProjectName>,
    pub(crate) reason: String,
}

impl Recompute {
    /// Refuses a period that was not evaluated, and a project that has no warning of it.
    fn check_evaluated(
        &self,
        scope: &Scope<'_>,
        policy: &Checked<WarningPolicy>,
        period: Period,
    ) -> Result<(), Rejection> {
        let adopted = date(policy.adopted_date.as_ref()).filter(|adopted| *adopted <= self.end);
        let is_to_come = |next: Date| next <= evaluation_date(policy, period);
        if adopted.is_none() || date(policy.next_evaluation_date.as_ref()).is_some_and(is_to_come) {
            let description = format!("the policy has not evaluated the period that ends on {}", self.end);
            return Err(Rejection::invalid("period_end", "NOT_EVALUATED", description));
        }
        let Some(project) = &self.project else { return Ok(()) };
        if of_period(&scope.rows, project, &self.policy, self.end)?.is_none() {
            let description = format!("{project} has no warning of the period that ends on {}", self.end);
            return Err(Rejection::invalid("project", "NO_WARNING", description));
        }
        Ok(())
    }
}

impl Act<Tracker> for Recompute {
    fn decide(&self, scope: &Scope<'_>) -> Result<Decided, Rejection> {
        let policy = scope.rows.find(&self.policy)?;
        if policy.is_deleted() {
            return Err(Rejection::deleted(&self.policy));
        }
        let rule = rule_of(&policy)?;
        let Some(period) = rule.periods.ending_on(self.end) else {
            let description =
                format!("no period of the policy ends on {}; give the last day of one", self.end);
            return Err(Rejection::invalid("period_end", "NO_PERIOD", description));
        };
        self.check_evaluated(scope, &policy, period)?;
        let portfolio = self.policy.parent();
        let day = current_date(scope, &portfolio)?;
        let as_of = AsOf { day, knowledge: Knowledge::Latest };
        let occasion = Occasion { period, as_of };
        let known = scope.service.portfolio_or_unknown(scope.rows.read, &portfolio)?;
        let evaluator = Evaluator::new(scope.rows.read, rule, portfolio.clone(), known);
        let peers = evaluator.peers(occasion)?;
        let projects = match &self.project {
            Some(project) => vec![Ok(project.clone())],
            None => tables::project::names(scope.rows.read, &portfolio),
        };
        let mut changes = Vec::new();
        for project in projects {
            let project = project?;
            // What was not evaluated then is not evaluated now.
            if of_period(&scope.rows, &project, &self.policy, self.end)?.is_none() {
                continue;
            }
            let Some(candidate) = evaluator.candidate_of(&project, day)? else { continue };
            let previous = before(&scope.rows, &project, &self.policy, self.end)?;
            let held = previous.as_ref().map(|previous| &previous.tests[..]).unwrap_or_default();
            let evaluated = evaluator.evaluate(&candidate, occasion, &peers, held)?;
            let correction = Correction {
                reason: &self.reason,
                day,
                excused: (&[], ""),
                found: Some((self.end, evaluated.tests)),
            };
            changes.extend(corrections(scope, &policy, &project, &correction)?);
        }
        Ok(changes.into())
    }

    fn subject(&self, _: &Rows<'_, Tracker>, _: jiff::Timestamp) -> Result<Option<bytes::Bytes>, Rejection> {
        Ok(None)
    }

    fn answers_with_all(&self) -> Option<&'static str> {
        Some("warnings")
    }
}
