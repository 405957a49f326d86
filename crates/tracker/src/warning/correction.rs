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
use milepost_proto::tracker::v1::{ReachedStep, Warning, WarningPolicy, WarningResult};
use milepost_resource::{Change, Checked, EventKind, date, date_message};
use milepost_types::DamagedRow;

use super::light::{Light, Progression};
use super::measure::Missing;
use super::order::Orders;
use super::outcome::{as_said, before, counted, follow, from, held_again, kind, made, name_of, set_steps};
use super::policy::{current_date, rule_of};
use super::rule::Rule;
use super::{PolicyName, WarningName};
use crate::decide::Scope;
use crate::names::ProjectName;

/// What is corrected.
pub(super) struct Correction<'a> {
    /// Why, as was said.
    pub(super) reason: &'a str,
    /// The day on which it is.
    pub(super) day: Date,
    /// Periods that are excused, by their ends, and the excuse.
    pub(super) excused: (&'a [Date], &'a str),
    /// What the tests find of a period, computed again: as its first warning would say it.
    pub(super) found: Option<Warning>,
}

/// A period of a project: its warning, if it has one, and the one that would be in its place.
struct Walked {
    old: Option<Checked<Warning>>,
    name: WarningName,
    new: Warning,
    /// What was shown before it.
    shown_before: Option<Light>,
    is_excused: bool,
    is_computed: bool,
    /// The steps that it reaches, by their places.
    reached: Vec<usize>,
    /// The orders that these open.
    opened: Vec<Change>,
}

impl Walked {
    /// The steps that were reached before.
    fn steps(&self) -> &[ReachedStep] {
        self.old.as_ref().map(|old| &old.steps[..]).unwrap_or_default()
    }
}

/// The corrections of a project's warnings by a policy.
pub(super) fn corrections(
    scope: &Scope<'_>,
    policy: &Checked<WarningPolicy>,
    project: &ProjectName,
    correction: &Correction<'_>,
) -> Result<Vec<Change>, DamagedRow> {
    let computed = correction.found.as_ref().and_then(|found| date(found.period_end.as_ref()));
    let ends = correction.excused.0.iter().copied().chain(computed);
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
        let mut open = orders.open_since(walked.steps(), first)?;
        open.retain(|order| !named.contains(order));
        left.push(open);
    }
    let changed =
        walked.into_iter().zip(left).filter(|(walked, _)| walked.old.as_deref() != Some(&walked.new));
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
    let olds = from(&scope.rows, project, policy, first)?;
    let mut each: Vec<_> = olds.into_iter().map(|old| (Warning::clone(&old), Some(old))).collect();
    if let Some(found) = &correction.found
        && each.first().is_none_or(|(first, _)| first.period_end != found.period_end)
    {
        each.insert(0, (found.clone(), None));
    }
    let before = before(&scope.rows, project, policy, first)?;
    let mut all: Vec<Walked> = Vec::with_capacity(each.len());
    for (mut new, old) in each {
        let Some(end) = date(new.period_end.as_ref()) else { continue };
        let last = all.last().map(|last| &last.new).or(before.as_deref());
        let shown_before = last.and_then(|last| Light::of(last.shown_light));
        let found = correction.found.as_ref().filter(|found| found.period_end == new.period_end);
        let is_computed = found.is_some();
        let held = last.map(|last| &last.tests[..]).unwrap_or_default();
        new.tests = match found {
            Some(found) => {
                let said = found.tests.iter().enumerate();
                said.map(|(i, found)| as_said(found, new.tests.get(i))).collect()
            }
            None => again(&new.tests, held, rule.missing),
        };
        // What another excuse excused before stays so.
        let is_excused = ends.contains(&end) && new.excuse.is_empty();
        if is_excused {
            excuse.clone_into(&mut new.excuse);
        }
        let reached = follow(&mut new, &rule.progression, last);
        let revision = old.as_ref().map_or(1, |old| old.revision.saturating_add(1));
        let name = name_of(project, policy, end, revision);
        let opened = Vec::new();
        all.push(Walked { old, name, new, shown_before, is_excused, is_computed, reached, opened });
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
        let Walked { name, new, is_computed, reached, .. } = &walked[at];
        let evaluated = date(new.evaluation_date.as_ref()).filter(|_| !is_computed);
        let occasion = (name, evaluated.unwrap_or(correction.day));
        let of_run = |index| order_of_run(walked, at, progression, index);
        let (steps, opened) = orders.reached(occasion, reached, walked[at].steps(), of_run)?;
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
    let mut steps = before.chain(after).flat_map(Walked::steps);
    steps.find(|step| step.index == index).map(|step| step.order.clone())
}

/// The warning in the place of an old one, with the orders that it opens and those that it leaves; and that the old one is
/// not the one that counts any more. Or the first one of a period that had none.
fn corrected(scope: &Scope<'_>, walked: Walked, orders: Vec<String>, correction: &Correction<'_>) -> Change {
    let Walked { old, name, mut new, shown_before, is_excused, is_computed, opened, .. } = walked;
    let day = correction.day;
    correction.reason.clone_into(&mut new.reason);
    let Some(old) = old else {
        return made(scope, name, &new, kind(shown_before, &new), day).announcing(opened);
    };
    if is_computed {
        new.evaluation_date = Some(date_message(day));
    }
    new.revision = old.revision.saturating_add(1);
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
