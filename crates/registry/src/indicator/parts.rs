//! What an indicator is a part of, and what its parts are.
//!
//! Invariants: what an indicator newly names as its whole is there, in the same portfolio and not a part of it; what it
//! named before may stay. Parts of one that sums them have its kind and its unit.

use std::collections::BTreeSet;

use milepost_proto::registry::v1::Indicator;
use milepost_proto::registry::v1::indicator::Rollup;
use milepost_resource::{By, Checked, Index, Name, Presence};
use milepost_types::{Precondition, Rejection, ResourceName as _, Violations, limits};

use crate::reference::{check_portfolio, condition};
use crate::tables::{Rows, Scope};

/// The indicators that are not deleted by what they are a part of.
pub(super) const PARTS: Index =
    Index { tag: 42, under: 1, by: &[By::Field("part_of")], live: true, when: &[], orders: false };

/// Whether the parts of an indicator are summed.
pub(super) fn has_sum(indicator: &Indicator) -> bool {
    indicator.rollup() == Rollup::Sum
}

/// The parts of an indicator that are not deleted.
pub(super) fn parts<'a>(
    rows: &Rows<'a>,
    indicator: &Name<Indicator>,
) -> impl Iterator<Item = Name<Indicator>> + use<'a> {
    let field = [indicator.id().as_str().as_bytes(), &[0]].concat();
    rows.names::<Indicator>(PARTS, indicator.parent_ids(), &field)
}

/// What an indicator is a part of, if that is not deleted.
pub(super) fn whole(rows: &Rows<'_>, indicator: &Indicator) -> Result<Option<Name<Indicator>>, Rejection> {
    let Some(whole) = named(indicator) else { return Ok(None) };
    Ok((rows.presence(&whole)? == Presence::Present).then_some(whole))
}

fn named(indicator: &Indicator) -> Option<Name<Indicator>> {
    indicator.part_of.parse().ok()
}

/// Checks what an indicator is a part of, and what is a part of it, after a change.
pub(super) fn check(
    scope: &Scope<'_>,
    before: Option<&Checked<Indicator>>,
    after: &Checked<Indicator>,
) -> Result<(), Rejection> {
    let mut conditions = Vec::new();
    let undeleted = before.is_some_and(|before| before.is_deleted());
    let is_new = before.and_then(|before| named(before)) != named(after);
    if let Some(name) = named(after) {
        if is_new {
            check_name(after, &name)?;
        }
        if is_new || undeleted {
            check_there(scope, after, &name, &mut conditions)?;
        }
        if is_new {
            check_cycle(scope, after, &name, &mut conditions)?;
        }
        if let Some(whole) = scope.rows.get(&name)?.filter(|whole| has_sum(whole)) {
            check_summed(&whole, after, after.name(), &mut conditions);
        }
    }
    let sums =
        |indicator: &Checked<Indicator>| has_sum(indicator).then(|| (indicator.kind, indicator.unit.clone()));
    if has_sum(after) && before.and_then(sums) != sums(after) {
        for part in parts(&scope.rows, after.name()) {
            check_summed(after, &*scope.rows.find(&part)?, &part, &mut conditions);
        }
    }
    Rejection::unless_met(conditions)
}

/// What needs no other rows to be refused.
fn check_name(after: &Checked<Indicator>, whole: &Name<Indicator>) -> Result<(), Rejection> {
    let mut violations = Violations::new();
    if whole == after.name() {
        let description = "an indicator cannot be a part of itself; name another";
        violations.push("indicator.part_of", "PART_OF_CYCLE", description);
    } else {
        let (field, portfolio) = (|| "indicator.part_of".to_owned(), after.name().parent());
        check_portfolio(field, whole, &portfolio, &mut violations);
    }
    Ok(violations.into_result(())?)
}

/// Records a whole that is not there, or has too many parts.
fn check_there(
    scope: &Scope<'_>,
    after: &Checked<Indicator>,
    whole: &Name<Indicator>,
    conditions: &mut Vec<Precondition>,
) -> Result<(), Rejection> {
    let presence = scope.rows.presence(whole)?;
    conditions.extend(condition(whole, presence, "indicator.part_of"));
    let others = parts(&scope.rows, whole).filter(|other| other != after.name());
    if presence == Presence::Present
        && others.take(limits::INDICATOR_PARTS).count() == limits::INDICATOR_PARTS
    {
        let what = "parts of one indicator";
        return Err(Rejection::LimitExceeded { what, limit: limits::INDICATOR_PARTS as u64 });
    }
    Ok(())
}

/// Records a whole that is a part of the indicator, at any remove.
fn check_cycle(
    scope: &Scope<'_>,
    after: &Checked<Indicator>,
    whole: &Name<Indicator>,
    conditions: &mut Vec<Precondition>,
) -> Result<(), Rejection> {
    let mut seen = BTreeSet::from([after.name().clone()]);
    let mut at = Some(whole.clone());
    while let Some(next) = at {
        if !seen.insert(next.clone()) {
            let description = format!(
                "indicator.part_of: {} would be a part of itself through it; name another",
                after.name()
            );
            push(conditions, "PART_OF_CYCLE", &next, description);
            break;
        }
        at = scope.rows.get(&next)?.and_then(|indicator| named(&indicator));
    }
    Ok(())
}

/// Records a part that cannot be summed with others.
fn check_summed(
    whole: &Indicator,
    part: &Indicator,
    name: &Name<Indicator>,
    conditions: &mut Vec<Precondition>,
) {
    if (whole.kind, &whole.unit) == (part.kind, &part.unit) {
        return;
    }
    let description = format!(
        "its kind is {} and its unit {:?}, and those of what sums it are {} and {:?}; make them the same, or leave the rollup out",
        part.kind().as_str_name(),
        part.unit,
        whole.kind().as_str_name(),
        whole.unit
    );
    push(conditions, "NOT_SUMMABLE", name, description);
}

fn push(
    conditions: &mut Vec<Precondition>,
    kind: &'static str,
    subject: &Name<Indicator>,
    description: String,
) {
    if conditions.len() < limits::VIOLATIONS {
        conditions.push(Precondition { kind, subject: subject.to_string(), description });
    }
}
