//! Whether a policy fits: from its conditions to one outcome, and why it does not.
//!
//! Invariants: a policy that is not in force on the day is NOT_IN_FORCE, whatever its conditions say; else one condition
//! that fails decides; else one that is not known does; conditions with the same `alternative` are one, of which one is
//! enough. A policy without conditions is UNKNOWN. An error counts as unknown.

use std::sync::Arc;

use jiff::civil::Date;
use milepost_proto::registry::v1::policy::{State, Subject};
use milepost_proto::registry::v1::policy_match::Outcome;
use milepost_proto::registry::v1::unmet_condition::Result as ConditionResult;
use milepost_proto::registry::v1::{ConditionValue, Policy, PolicyMatch, UnmetCondition};
use milepost_resource::{Checked, Name, date};
use milepost_types::DamagedRow;

use super::expression::{Bindings, Expression, Expressions, Reference, Truth};
use super::facts::Facts;
use crate::tables::Rows;

/// A policy whose conditions are ready to be evaluated.
pub(crate) struct Matcher {
    pub(crate) policy: Checked<Policy>,
    /// The ids in its name, each behind a byte 0: they order as names do.
    pub(crate) key: Vec<u8>,
    /// The conditions, by index; those of alternatives together.
    groups: Vec<Vec<(usize, Arc<Expression>)>>,
}

/// How a policy stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Match {
    pub(crate) outcome: Outcome,
    /// How many conditions fail, alternatives counted once.
    pub(crate) failed: usize,
    /// Of how many it is not known.
    pub(crate) unknown: usize,
    /// The results of those that were evaluated and do not hold, by index; of alternatives, if none holds.
    unmet: Vec<(usize, Truth)>,
}

/// How far to evaluate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Until the outcome is known.
    Outcome,
    /// All conditions.
    All,
}

impl Matcher {
    /// Of a policy that was read.
    ///
    /// # Errors
    /// If a condition of it is none that this version knows: it was checked when it was accepted.
    pub(crate) fn of(policy: Checked<Policy>, known: &Expressions) -> Result<Self, DamagedRow> {
        let of_projects = policy.subject() == Subject::Project;
        let mut groups: Vec<(&str, Vec<_>)> = Vec::new();
        for (i, condition) in policy.conditions.iter().enumerate() {
            let compiled = known.get(&condition.expression, of_projects).map_err(|faults| {
                let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
                policy.name().damaged(format_args!("conditions[{i}].expression: {}", faults.join("; ")))
            })?;
            let alternative = condition.alternative.as_str();
            match groups.iter_mut().find(|(other, _)| *other == alternative && !alternative.is_empty()) {
                Some((_, group)) => group.push((i, compiled)),
                None => groups.push((alternative, vec![(i, compiled)])),
            }
        }
        let groups = groups.into_iter().map(|(_, group)| group).collect();
        let key = policy.name().ids().iter().flat_map(|id| [&[0], id.as_str().as_bytes()].concat()).collect();
        Ok(Self { policy, key, groups })
    }

    /// The policy of this name, if there is one.
    pub(crate) fn get(
        rows: &Rows<'_>,
        name: &Name<Policy>,
        known: &Expressions,
    ) -> Result<Option<Self>, DamagedRow> {
        rows.get(name)?.map(|policy| Self::of(policy, known)).transpose()
    }

    /// Whether it is asked once for each project of an organization.
    pub(crate) fn is_of_projects(&self) -> bool {
        self.policy.subject() == Subject::Project
    }

    /// Whether it is in force on a day.
    pub(crate) fn is_in_force(&self, on: Date) -> bool {
        let [from, until, withdrawn] =
            [&self.policy.valid_from, &self.policy.valid_until, &self.policy.withdrawal_date]
                .map(|day| date(day.as_ref()));
        let is_published = matches!(self.policy.state(), State::Published | State::Withdrawn);
        is_published
            && from.is_none_or(|from| from <= on)
            && until.is_none_or(|until| on <= until)
            && withdrawn.is_none_or(|withdrawn| on < withdrawn)
    }

    /// How it stands to a subject on a day, whose facts these are.
    pub(crate) fn evaluate(&self, on: Date, facts: &Bindings<'_>, extent: Extent) -> Match {
        let mut found = Match { outcome: Outcome::NotInForce, failed: 0, unknown: 0, unmet: Vec::new() };
        if !self.is_in_force(on) {
            return found;
        }
        for group in &self.groups {
            let Some(results) = unmet(group, facts) else { continue };
            match results.iter().all(|(_, result)| *result == Truth::False) {
                true => found.failed += 1,
                false => found.unknown += 1,
            }
            found.unmet.extend(results);
            if extent == Extent::Outcome && found.failed > 0 {
                break;
            }
        }
        found.outcome = match found {
            Match { failed: 1.., .. } => Outcome::DoesNotFit,
            Match { unknown: 1.., .. } => Outcome::Unknown,
            _ if self.groups.is_empty() => Outcome::Unknown,
            _ => Outcome::Fits,
        };
        found
    }

    /// Why it stands so: the conditions that do not hold, those that fail first.
    pub(crate) fn explain(&self, found: &Match, facts: &Bindings<'_>) -> Vec<UnmetCondition> {
        let mut unmet: Vec<_> = found.unmet.iter().collect();
        unmet.sort_by_key(|(i, result)| (*result != Truth::False, *i));
        let expressions = || self.groups.iter().flatten();
        let expression =
            |i: usize| expressions().find(|(other, _)| *other == i).map(|(_, expression)| expression);
        unmet
            .into_iter()
            .filter_map(|(i, result)| Some(self.why(*i, *result, expression(*i)?, facts)))
            .collect()
    }

    fn why(&self, i: usize, result: Truth, expression: &Expression, facts: &Bindings<'_>) -> UnmetCondition {
        let condition = &self.policy.conditions[i];
        let mut why = UnmetCondition {
            id: condition.id.clone(),
            title: condition.title.clone(),
            expression: condition.expression.clone(),
            alternative: condition.alternative.clone(),
            result: ConditionResult::False.into(),
            values: values(expression, facts.facts()),
            ..UnmetCondition::default()
        };
        if result != Truth::False {
            let missing = expression.missing(facts);
            let is_error = !missing.errors.is_empty();
            why.set_result(if is_error { ConditionResult::Error } else { ConditionResult::Unknown });
            why.absent_keys = missing.absent.iter().map(ToString::to_string).collect();
            why.error = missing.errors.join("; ");
        }
        why
    }

    /// The answer of a match.
    pub(crate) fn answer(&self, found: &Match, facts: &Facts<'_>) -> PolicyMatch {
        let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
        PolicyMatch {
            policy: self.policy.name().to_string(),
            display_name: self.policy.display_name.clone(),
            organization: facts.organization.name.clone(),
            project: facts.project.map(|project| project.name.clone()).unwrap_or_default(),
            outcome: found.outcome.into(),
            failed_count: count(found.failed),
            unknown_count: count(found.unknown),
            unmet_conditions: Vec::new(),
        }
    }
}

/// The results of conditions of which one is enough, if none holds.
fn unmet(group: &[(usize, Arc<Expression>)], facts: &Bindings<'_>) -> Option<Vec<(usize, Truth)>> {
    let mut results = Vec::with_capacity(group.len());
    for (i, expression) in group {
        match expression.evaluate(facts) {
            Truth::True => return None,
            result => results.push((*i, result)),
        }
    }
    Some(results)
}

/// The values that an expression reads, as far as they are there.
fn values(expression: &Expression, facts: &Facts<'_>) -> Vec<ConditionValue> {
    let shown = |reference: &Reference| {
        let value = facts.shown(reference).ok().flatten()?;
        Some(ConditionValue { key: reference.to_string(), value })
    };
    expression.references().iter().filter_map(shown).collect()
}
