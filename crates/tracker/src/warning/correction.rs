//! Corrections: what becomes of the warnings of a project when a period of it was excused, or is computed again.
//!
//! Invariants: nothing that was evaluated is changed; a warning of the next revision stands beside it, and only where
//! something differs. Of later periods what the tests found stays, and runs and what is shown follow anew. A step that is
//! reached only now is done, once for each run; an order of a step that is not reached any more stays, and the event names
//! it.

use std::collections::HashSet;

use jiff::civil::Date;
use milepost_proto::event::v1 as event;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::figure::v1::Knowledge;
use milepost_proto::tracker::v1::warning_policy::State;
use milepost_proto::tracker::v1::{Warning, WarningPolicy, WarningResult};
use milepost_resource::{Act, Change, Checked, Decided, EventKind, Rows, date, date_message};
use milepost_types::{DamagedRow, Rejection};

use super::evaluation::{Evaluator, Occasion};
use super::known::AsOf;
use super::light::{Light, Progression};
use super::measure::Missing;
use super::order::Orders;
use super::outcome::{before, counted, follow, from, held_again, made, name_of, of_period, set_steps};
use super::period::Period;
use super::policy::{current_date, evaluation_date, rule_of};
use super::rule::Rule;
use super::{PolicyName, WarningName};
use crate::decide::{Scope, Tracker};
use crate::names::ProjectName;
use crate::parent::{check_portfolio, incomplete};
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

/// A period of a project: its warning, and the one that would be in its place.
struct Walked {
    old: Checked<Warning>,
    name: WarningName,
    new: Warning,
    is_excused: bool,
    is_computed: bool,
    /// The steps that it reaches, by their places.
    reached: Vec<usize>,
    /// The orders that these open.
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
    let rule = rule_of(policy)?;
    let mut orders = Orders::of(scope, policy, project, current_date(scope, &project.parent())?);
    let mut walked = walk(scope, (policy.name(), &rule), project, (correction, first))?;
    reach_steps(&mut walked, &rule.progression, correction, &mut orders)?;
    // A step may be reached by another period now, or by one that stays as it is.
    let named: HashSet<_> =
        walked.iter().flat_map(|walked| &walked.new.steps).map(|step| &step.order).collect();
    let mut left = Vec::with_capacity(walked.len());
    for walked in &walked {
        let mut open = orders.open_since(&walked.old.steps, first)?;
        open.retain(|order| !named.contains(order));
        left.push(open);
    }
    let changed = walked.into_iter().zip(left).filter(|(walked, _)| walked.new != *walked.old);
    Ok(changed.map(|(walked, left)| corrected(scope, walked, left, correction)).collect())
}

/// The warnings of a project from a period on, and what would be in their places, but for the steps.
fn walk(
    scope: &Scope<'_>,
    (policy, rule): (&PolicyName, &Rule),
    project: &ProjectName,
    (correction, first): (&Correction<'_>, Date),
) -> Result<Vec<Walked>, DamagedRow> {
    let (ends, excuse) = correction.excused;
    let mut all: Vec<Walked> = Vec::new();
    let before = before(&scope.rows, project, policy, first)?;
    for old in from(&scope.rows, project, policy, first)? {
        let Some(end) = date(old.period_end.as_ref()) else { continue };
        let last = all.last().map(|last| &last.new).or(before.as_deref());
        let computed = correction.found.as_ref().filter(|(of, _)| *of == end).map(|(_, tests)| tests.clone());
        let is_computed = computed.is_some();
        let held = last.map(|last| &last.tests[..]).unwrap_or_default();
        let mut new = Warning::clone(&old);
        new.tests = computed.unwrap_or_else(|| again(&old.tests, held, rule.missing));
        // What another excuse excused before stays so.
        let is_excused = ends.contains(&end) && old.excuse.is_empty();
        if is_excused {
            excuse.clone_into(&mut new.excuse);
        }
        let reached = follow(&mut new, &rule.progression, last);
        let name = name_of(project, policy, end, old.revision.saturating_add(1));
        all.push(Walked { old, name, new, is_excused, is_computed, reached, opened: Vec::new() });
    }
    Ok(all)
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

/// Has the warnings say the steps that they reach, and opens their orders.
fn reach_steps(
    walked: &mut [Walked],
    progression: &Progression,
    correction: &Correction<'_>,
    orders: &mut Orders<'_>,
) -> Result<(), DamagedRow> {
    for at in 0..walked.len() {
        let Walked { old, name, is_computed, reached, .. } = &walked[at];
        let evaluated = date(old.evaluation_date.as_ref()).filter(|_| !is_computed);
        let of_run = |index| order_of_run(walked, at, progression, index);
        let evaluated = evaluated.unwrap_or(correction.day);
        let (steps, opened) = orders.reached((name, evaluated), reached, &old.steps, of_run)?;
        set_steps(&mut walked[at].new, steps);
        walked[at].opened = opened;
    }
    Ok(())
}

/// What a step had for an order where it was reached before in the run of a period; none if it was not.
fn order_of_run(walked: &[Walked], at: usize, progression: &Progression, index: i32) -> Option<String> {
    let step = progression.steps.get(usize::try_from(index).ok()?)?;
    let is_of_run = |walked: &&Walked| {
        counted(&walked.new.tests, &walked.new.excuse).is_none_or(|light| light >= step.at_light)
    };
    let before = walked[..at].iter().rev().take_while(is_of_run);
    let after = walked[at + 1..].iter().take_while(is_of_run);
    let mut steps = before.chain(after).flat_map(|walked| &walked.old.steps);
    steps.find(|step| step.index == index).map(|step| step.order.clone())
}

/// The warning in the place of an old one, with the orders that it opens and those that it leaves; and that the old one is
/// not the one that counts any more.
fn corrected(scope: &Scope<'_>, walked: Walked, orders: Vec<String>, correction: &Correction<'_>) -> Change {
    let Walked { old, name, mut new, is_excused, is_computed, opened, .. } = walked;
    let day = correction.day;
    if is_computed {
        new.evaluation_date = Some(date_message(day));
    }
    new.revision = old.revision.saturating_add(1);
    correction.reason.clone_into(&mut new.reason);
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
    /// Whether any project has a warning of the period.
    fn has_warnings(&self, scope: &Scope<'_>) -> Result<bool, DamagedRow> {
        for project in tables::project::names(scope.rows.read, &self.policy.parent()) {
            if of_period(&scope.rows, &project?, &self.policy, self.end)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Refuses a period that was not evaluated, and a project that has no warning of it.
    fn check_evaluated(
        &self,
        scope: &Scope<'_>,
        policy: &Checked<WarningPolicy>,
        period: Period,
    ) -> Result<(), Rejection> {
        let adopted = date(policy.adopted_date.as_ref()).filter(|adopted| *adopted <= self.end);
        let is_to_come = match (policy.state(), date(policy.next_evaluation_date.as_ref())) {
            // It does not say any more how far it came.
            (State::Retired, _) => !self.has_warnings(scope)?,
            (_, next) => next.is_some_and(|next| next <= evaluation_date(policy, period)),
        };
        if adopted.is_none() || is_to_come {
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
        check_portfolio(&scope.rows, self.policy.parent_ids())?;
        Rejection::unless_met(incomplete(scope.rows.read, &self.policy).into_iter().collect())?;
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
            let tests = evaluator.evaluate(&candidate, occasion, &peers, held)?;
            let correction =
                Correction { reason: &self.reason, day, excused: (&[], ""), found: Some((self.end, tests)) };
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
