//! Policy programmes: what an authority publishes together.
//!
//! Invariants: no two groups of a programme share a code; a group that policies are in stays, and so does a programme
//! that has policies. It is published once, by another person than drafted it, on a day that has begun.

use std::collections::BTreeSet;

use jiff::civil::Date;
use milepost_proto::event::v1::PolicyProgrammePublished;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::registry::v1::policy_programme::State;
use milepost_proto::registry::v1::{Policy, PolicyProgramme};
use milepost_proto::resource::TopLevel;
use milepost_resource::{
    By, Change, Checked, EventKind, Index, Name, Rules, add_drafter, check_another_person, check_state,
    date_message,
};
use milepost_types::{Precondition, Rejection, ResourceId, Violations, limits};

use super::act_date;
use super::rules::BY_GROUP;
use crate::tables::{Registry, Scope};

impl Rules<Registry> for PolicyProgramme {
    type Above = TopLevel;

    const TABLE: u8 = 65;
    const TABLE_NAME: &'static str = "registry.policy_programmes";
    const ID_PREFIX: char = 'g';
    const INDEXES: &'static [Index] = &[Index {
        tag: 67,
        under: 0,
        by: &[By::Field("display_name")],
        live: false,
        when: &[],
        orders: true,
    }];

    fn check_field(&self, field: &str, violations: &mut Violations) {
        let mut codes = BTreeSet::new();
        for (i, group) in self.groups.iter().enumerate().filter(|_| field == "groups") {
            let path = || format!("groups[{i}].code");
            // That it is missing is said already.
            if !group.code.is_empty() {
                violations.check(path(), group.code.parse::<ResourceId>());
            }
            if !codes.insert(&group.code) {
                violations.push(path(), "DUPLICATE", "another group of the programme has this code");
            }
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
        let kept: BTreeSet<&str> = after.groups.iter().map(|group| group.code.as_str()).collect();
        let groups = before.map(|before| before.groups.as_slice()).unwrap_or_default();
        let mut conditions = Vec::new();
        for group in groups.iter().filter(|group| !kept.contains(group.code.as_str())) {
            let code = [group.code.as_bytes(), &[0]].concat();
            let mut policies = scope.rows.names::<Policy>(BY_GROUP, after.name().ids(), &code);
            conditions.extend(policies.next().map(|policy| Precondition {
                kind: "GROUP_IN_USE",
                subject: policy.to_string(),
                description: format!(
                    "policy_programme.groups: the policy is in the group {}; keep that, or move the policy first",
                    group.code
                ),
            }));
        }
        conditions.truncate(limits::VIOLATIONS);
        Rejection::unless_met(conditions)
    }

    fn release(scope: &Scope<'_>, programme: &Checked<Self>) -> Result<(), Rejection> {
        match scope.rows.names::<Policy>(BY_GROUP, programme.name().ids(), &[]).next() {
            None => Ok(()),
            Some(policy) => Err(Rejection::precondition(
                "HAS_POLICIES",
                policy.to_string(),
                "the programme has policies that are not deleted, of which this is one; delete them first",
            )),
        }
    }

    fn complete(
        scope: &Scope<'_>,
        kind: &EventKind,
        _: &Name<Self>,
        _: Option<&Checked<Self>>,
        programme: &mut Self,
    ) -> Result<(), Rejection> {
        let is_draft = programme.state() == State::Draft;
        if is_draft && matches!(kind, EventKind::Created | EventKind::Updated) {
            add_drafter(&mut programme.drafters, &scope.context.actor)?;
        }
        Ok(())
    }
}

/// Announces a programme on a day; none: today.
///
/// # Errors
/// If it is announced already, if the day has not begun, or if the caller drafted it.
pub(crate) fn publish(
    scope: &Scope<'_>,
    programme: &Checked<PolicyProgramme>,
    given: &Option<Date>,
) -> Result<Vec<Change>, Rejection> {
    let date = act_date(scope.context.now, "publish_date", *given)?;
    check_state(programme, "publish", &[State::Draft])?;
    let name = programme.name().to_string();
    check_another_person(&name, &scope.context.actor, &programme.drafters, "drafted it")?;
    let after = programme.changed(scope, |programme| {
        programme.set_state(State::Published);
        programme.publish_date = Some(date_message(date));
    });
    let payload = Payload::PolicyProgrammePublished(PolicyProgrammePublished {});
    let kind = EventKind::custom("milepost.policy_programme.published", payload);
    Ok(vec![Change::new(scope, kind, Some(programme), after)?.on(Some(date))])
}
