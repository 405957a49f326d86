//! A policy: its content, and how it is published and taken back.
//!
//! Invariants: the conditions of a policy are expressions that can be evaluated; its group is one of its programme. It is
//! fixed once it is published. It is published by another person than drafted it; what it supersedes was published
//! before it. One that is published is not deleted: it is withdrawn.

use std::collections::BTreeSet;

use jiff::civil::Date;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::event::v1::{PolicyPublished, PolicySuperseded, PolicyWithdrawn};
use milepost_proto::registry::v1::policy::{State, Subject};
use milepost_proto::registry::v1::{Policy, PolicyCondition, PolicyProgramme};
use milepost_resource::{
    By, Change, Checked, EventKind, Index, Name, Rules, Under, add_drafter, check_another_person,
    check_state, date, date_message,
};
use milepost_types::{Period, Precondition, Rejection, ResourceId, Violations, limits};

use super::act_date;
use super::expression::Expression;
use crate::reference::condition;
use crate::tables::{Registry, Scope};

/// The policies of each programme by their group.
pub(crate) const BY_GROUP: Index =
    Index { tag: 69, under: 1, by: &[By::Field("group")], live: true, when: &[], orders: false };

/// The policies of all programmes by their state.
pub(crate) const BY_STATE: Index = Index { tag: 70, under: 0, by: &[By::Field("state")], ..BY_GROUP };

impl Rules<Registry> for Policy {
    type Above = Under<PolicyProgramme>;

    const TABLE: u8 = 66;
    const TABLE_NAME: &'static str = "registry.policies";
    const ID_PREFIX: char = 'y';
    const INDEXES: &'static [Index] = &[
        BY_GROUP,
        BY_STATE,
        Index { tag: 68, under: 1, by: &[By::Field("display_name")], live: false, when: &[], orders: true },
    ];

    fn check_field(&self, field: &str, violations: &mut Violations) {
        match field {
            "group" if !self.group.is_empty() => {
                violations.check("group", self.group.parse::<ResourceId>());
            }
            "conditions" => {
                check_ids(&self.conditions, violations);
                // An update may leave the subject as it is.
                check_expressions(&self.conditions, self.subject() != Subject::Organization, violations);
            }
            _ => {}
        }
    }

    fn check(&self, violations: &mut Violations) {
        let [from, until] = [&self.valid_from, &self.valid_until].map(|day| date(day.as_ref()));
        violations.check("valid_until", Period::new(from, until));
        if self.subject() != Subject::Unspecified {
            check_expressions(&self.conditions, self.subject() == Subject::Project, violations);
        }
    }

    fn begin(&mut self) {
        self.set_state(State::Draft);
    }

    fn admit(
        scope: &Scope<'_>,
        before: Option<&Checked<Self>>,
        after: &Checked<Self>,
    ) -> Result<(), Rejection> {
        let is_undeleted = before.is_some_and(|before| before.is_deleted());
        if let Some(before) = before.filter(|_| !is_undeleted) {
            check_state(before, "change it", &[State::Draft])?;
        }
        let mut violations = Violations::new();
        check_group(scope, after, &mut violations)?;
        let missing = check_superseded(scope, before, after, &mut violations)?;
        violations.into_result(())?;
        Rejection::unless_met(missing.into_iter().collect())
    }

    fn release(_: &Scope<'_>, policy: &Checked<Self>) -> Result<(), Rejection> {
        check_state(policy, "delete", &[State::Draft, State::Withdrawn])
    }

    fn complete(
        scope: &Scope<'_>,
        kind: &EventKind,
        _: &Name<Self>,
        _: Option<&Checked<Self>>,
        policy: &mut Self,
    ) -> Result<(), Rejection> {
        let is_draft = policy.state() == State::Draft;
        if is_draft && matches!(kind, EventKind::Created | EventKind::Updated) {
            add_drafter(&mut policy.drafters, &scope.context.actor)?;
        }
        Ok(())
    }
}

/// Finds what is wrong with expressions, which may ask about projects or not.
fn check_expressions(conditions: &[PolicyCondition], of_projects: bool, violations: &mut Violations) {
    let given = conditions.iter().enumerate().filter(|(_, condition)| !condition.expression.is_empty());
    for (i, condition) in given {
        let faults = Expression::compile(&condition.expression, of_projects).err().unwrap_or_default();
        for fault in faults {
            violations.check::<(), _>(format!("conditions[{i}].expression"), Err(fault));
        }
    }
}

/// Finds ids and groups of alternatives that are none, ids that are given twice, and expressions that are missing.
fn check_ids(conditions: &[PolicyCondition], violations: &mut Violations) {
    let mut ids = BTreeSet::new();
    for (i, condition) in conditions.iter().enumerate() {
        let path = |field: &str| format!("conditions[{i}].{field}");
        // That the id is missing is said already.
        for (field, id) in [("id", &condition.id), ("alternative", &condition.alternative)] {
            if !id.is_empty() {
                violations.check(path(field), id.parse::<ResourceId>());
            }
        }
        if !ids.insert(&condition.id) {
            violations.push(path("id"), "DUPLICATE", "another condition of the policy has this id");
        }
        if condition.expression.is_empty() {
            violations.push(path("expression"), "REQUIRED", "say what must hold, as an expression");
        }
    }
}

/// Finds a group that the programme does not have.
fn check_group(
    scope: &Scope<'_>,
    policy: &Checked<Policy>,
    violations: &mut Violations,
) -> Result<(), Rejection> {
    if policy.group.is_empty() {
        return Ok(());
    }
    let programme = scope.rows.find(&policy.name().parent())?;
    if programme.groups.iter().any(|group| group.code == policy.group) {
        return Ok(());
    }
    let codes: Vec<_> = programme.groups.iter().map(|group| group.code.as_str()).collect();
    let known = if codes.is_empty() { "none".to_owned() } else { codes.join(", ") };
    let description = format!("the programme has no group {}; it has {known}", policy.group);
    violations.push("policy.group", "UNKNOWN_GROUP", description);
    Ok(())
}

/// Finds a predecessor that is named newly and is the policy itself. Returns the condition that another one does not meet: it
/// is not there.
fn check_superseded(
    scope: &Scope<'_>,
    before: Option<&Checked<Policy>>,
    after: &Checked<Policy>,
    violations: &mut Violations,
) -> Result<Option<Precondition>, Rejection> {
    const FIELD: &str = "policy.supersedes";
    let is_held = before.is_some_and(|before| before.supersedes == after.supersedes);
    let Some(predecessor) = predecessor(after).filter(|_| !is_held) else { return Ok(None) };
    if predecessor == *after.name() {
        violations.push(FIELD, "SUPERSEDES_ITSELF", "a policy takes the place of another; name that");
        return Ok(None);
    }
    Ok(condition(&predecessor, scope.rows.presence(&predecessor)?, FIELD))
}

/// The policy whose place a policy takes.
fn predecessor(policy: &Policy) -> Option<Name<Policy>> {
    policy.supersedes.parse().ok()
}

/// Publishes a policy on a day; none: today. What it supersedes hears of it.
///
/// # Errors
/// If it is no draft, if the day has not begun, if the caller drafted it, or if what it supersedes was not published.
pub(crate) fn publish(
    scope: &Scope<'_>,
    policy: &Checked<Policy>,
    given: &Option<Date>,
) -> Result<Vec<Change>, Rejection> {
    check_state(policy, "publish", &[State::Draft])?;
    let date = act_date(scope.context.now, "publish_date", *given)?;
    let name = policy.name().to_string();
    check_another_person(&name, &scope.context.actor, &policy.drafters, "drafted it")?;
    let superseded =
        predecessor(policy).map(|predecessor| supersede(scope, &predecessor, &name)).transpose()?;
    let after = policy.changed(scope, |policy| {
        policy.set_state(State::Published);
        policy.publish_date = Some(date_message(date));
    });
    let kind = EventKind::custom("milepost.policy.published", Payload::PolicyPublished(PolicyPublished {}));
    let published = Change::new(scope, kind, Some(policy), after)?.on(Some(date));
    let superseded = superseded.map(|change| change.on(Some(date)).because_of(0));
    Ok([published].into_iter().chain(superseded).collect())
}

/// Records the successor in the policy that it supersedes.
fn supersede(scope: &Scope<'_>, predecessor: &Name<Policy>, successor: &str) -> Result<Change, Rejection> {
    let refused = |kind, what: &str| {
        Err(Rejection::precondition(
            kind,
            predecessor.to_string(),
            format!("it is to be superseded, but {what}"),
        ))
    };
    let Some(before) = scope.rows.get(predecessor)? else {
        return refused("REFERENCE_NOT_FOUND", "there is no such policy");
    };
    if before.is_deleted() {
        return refused("REFERENCE_DELETED", "it is deleted; undelete it first");
    }
    if before.state() == State::Draft {
        return refused("NOT_PUBLISHED", "it was never published; publish it first, or supersede another");
    }
    if before.superseded_by.len() >= limits::POLICY_SUCCESSORS {
        let limit = limits::POLICY_SUCCESSORS as u64;
        return Err(Rejection::LimitExceeded { what: "successors of one policy", limit });
    }
    let after = before.changed(scope, |policy| policy.superseded_by.push(successor.to_owned()));
    let payload = Payload::PolicySuperseded(PolicySuperseded { superseded_by: successor.to_owned() });
    Change::new(scope, EventKind::custom("milepost.policy.superseded", payload), Some(&before), after)
}

/// Takes a policy back from a day on, for this reason; none: today.
///
/// # Errors
/// If it is not published, or if the day has not begun.
pub(crate) fn withdraw(
    scope: &Scope<'_>,
    policy: &Checked<Policy>,
    (reason, given): &(String, Option<Date>),
) -> Result<Vec<Change>, Rejection> {
    check_state(policy, "withdraw", &[State::Published])?;
    let date = act_date(scope.context.now, "withdrawal_date", *given)?;
    let after = policy.changed(scope, |policy| {
        policy.set_state(State::Withdrawn);
        policy.withdrawal_date = Some(date_message(date));
        policy.withdrawal_reason.clone_from(reason);
    });
    let payload = Payload::PolicyWithdrawn(PolicyWithdrawn { reason: reason.clone() });
    let kind = EventKind::custom("milepost.policy.withdrawn", payload);
    Ok(vec![Change::new(scope, kind, Some(policy), after)?.on(Some(date))])
}
