//! Excuses: asked for, and granted or refused by another person.
//!
//! | method | from | to |
//! |---|---|---|
//! | grant | REQUESTED | GRANTED |
//! | refuse | REQUESTED | REFUSED |
//!
//! Invariants: whoever grants or refuses an excuse did not ask for it; a granted one does not change, and stays. What is
//! granted late corrects the warnings of its periods, and of those after them.

use jiff::civil::Date;
use milepost_proto::event::v1 as event;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::tracker::v1::excuse::State;
use milepost_proto::tracker::v1::{Excuse, WarningPolicy};
use milepost_resource::{
    By, Change, Checked, Document, EventKind, Index, Rules, Unreadable, When, add_drafter_or_nobody,
    check_state, date, date_message, instant_message, known_state, require_another_person,
};
use milepost_types::{DamagedRow, Precondition, Rejection, Violations};

use super::correction::{Correction, corrections};
use super::policy::{current_date, rule_of};
use super::rule::Rule;
use super::{ExcuseName, PolicyName};
use crate::act::act_day;
use crate::decide::{Scope, Tracker};
use crate::parent::Followed;

/// The granted excuses of each portfolio by policy.
pub(crate) const GRANTED: Index = Index {
    tag: 91,
    under: 1,
    by: &[By::Field("policy")],
    live: true,
    when: &[When::Is("state", State::Granted as i32)],
    orders: false,
};

impl Rules<Tracker> for Excuse {
    type Above = Followed<Self>;

    const TABLE: u8 = 90;
    const TABLE_NAME: &'static str = "tracker.excuse";
    const ID_PREFIX: char = 'x';
    const INDEXES: &'static [Index] = &[GRANTED];

    fn check_field(&self, field: &str, violations: &mut Violations) {
        if field == "evidence" {
            for (i, evidence) in self.evidence.iter().enumerate().filter(|(_, of)| of.sha256.len() != 32) {
                let bytes = evidence.sha256.len();
                let description = format!("a SHA-256 has 32 bytes, not {bytes}");
                violations.push(format!("evidence[{i}].sha256"), "INVALID_LENGTH", description);
            }
        }
    }

    /// What may be done to an excuse, and whose warnings it is about, depends on these.
    fn check_stored(&self) -> Result<(), Unreadable> {
        known_state(self)?;
        self.policy.parse::<PolicyName>().map(|_| ()).map_err(|error| Unreadable::of("policy", error))
    }

    fn begin(&mut self) {
        self.set_state(State::Requested);
    }

    fn admit(
        scope: &Scope<'_>,
        before: Option<&Checked<Self>>,
        after: &Checked<Self>,
    ) -> Result<(), Rejection> {
        match before.filter(|before| !before.is_deleted()) {
            Some(before) if asked(before) == asked(after) => return Ok(()),
            Some(before) => check_state(before, "update", &[State::Requested])?,
            None => {}
        }
        check_policy(scope, after)
    }

    fn release(_: &Scope<'_>, excuse: &Checked<Self>) -> Result<(), Rejection> {
        check_state(excuse, "delete", &[State::Requested, State::Refused])
    }

    fn complete(
        scope: &Scope<'_>,
        kind: &EventKind,
        _: &ExcuseName,
        before: Option<&Checked<Self>>,
        excuse: &mut Self,
    ) -> Result<(), Rejection> {
        if !matches!(kind, EventKind::Created | EventKind::Updated) {
            return Ok(());
        }
        let given_before = before.map(|before| &before.evidence[..]).unwrap_or_default();
        for document in &mut excuse.evidence {
            let same = given_before.iter().find(|other| other.parts() == document.parts());
            let given =
                same.map_or(Some(instant_message(scope.context.commit_time)), |same| same.create_time);
            document.create_time = given;
        }
        let is_labelled_alone = before.is_some_and(|before| asked(before) == asked(excuse));
        if !is_labelled_alone {
            add_drafter_or_nobody(&mut excuse.requesters, &scope.context.actor)?;
        }
        Ok(())
    }
}

/// What is asked for.
fn asked(excuse: &Excuse) -> impl PartialEq + '_ {
    let documents: Vec<_> = excuse.evidence.iter().map(Document::parts).collect();
    (&excuse.policy, &excuse.period_ends, &excuse.text, documents)
}

/// Refuses an excuse of a policy that is not there, of another portfolio, or excuses nothing, and periods that it does
/// not have.
fn check_policy(scope: &Scope<'_>, excuse: &Checked<Excuse>) -> Result<(), Rejection> {
    const FIELD: &str = "excuse.policy";
    let invalid = |reason, description: String| Err(Rejection::invalid(FIELD, reason, description));
    let Ok(name) = excuse.policy.parse::<PolicyName>() else { return Ok(()) };
    if name.parent_ids() != &excuse.name().ids()[..1] {
        return invalid("OTHER_PARENT", format!("{name} is of another portfolio than the project"));
    }
    let policy = match scope.rows.get(&name)? {
        Some(policy) if !policy.is_deleted() => policy,
        _ => return invalid("NOT_FOUND", format!("there is no {name}")),
    };
    let mut violations = Violations::new();
    for (field, day) in no_periods(excuse, &rule_of(&policy)?) {
        let description = format!("no period of the policy ends on {day}; give the last days of periods");
        violations.push(field, "NO_PERIOD", description);
    }
    violations.into_result(())?;
    Rejection::unless_met(not_excusable(&policy).into_iter().collect())
}

/// The days that end no period of a policy, with their fields.
fn no_periods(excuse: &Excuse, rule: &Rule) -> impl Iterator<Item = (String, Date)> {
    let days = excuse.period_ends.iter().enumerate();
    let days = days.filter_map(|(i, end)| Some((format!("excuse.period_ends[{i}]"), date(Some(end))?)));
    days.filter(|(_, day)| rule.periods.ending_on(*day).is_none())
}

/// The condition that a policy does not meet that excuses nothing.
fn not_excusable(policy: &Checked<WarningPolicy>) -> Option<Precondition> {
    (!policy.excusable).then(|| Precondition {
        kind: "NOT_EXCUSABLE",
        subject: policy.name().to_string(),
        description: "excuse.policy: the policy excuses nothing".to_owned(),
    })
}

/// The conditions that an excuse does not meet any more if its policy was a draft that was changed since.
fn outdated(
    excuse: &Checked<Excuse>,
    policy: &Checked<WarningPolicy>,
) -> Result<Vec<Precondition>, DamagedRow> {
    let rule = rule_of(policy)?;
    let no_period = |(field, day)| Precondition {
        kind: "NO_PERIOD",
        subject: excuse.name().to_string(),
        description: format!("{field}: no period of the policy ends on {day}; change the excuse first"),
    };
    Ok(not_excusable(policy).into_iter().chain(no_periods(excuse, &rule).map(no_period)).collect())
}

/// A decision: why, and on which day.
type Decision = (String, Option<Date>);

fn decided(
    scope: &Scope<'_>,
    before: &Checked<Excuse>,
    (event_type, state): (&'static str, State),
    (reason, given): &Decision,
) -> Result<(Change, Date), Rejection> {
    let action = if state == State::Granted { "grant" } else { "refuse" };
    check_state(before, action, &[State::Requested])?;
    let day = act_day(current_date(scope, &before.name().parent().parent())?, None, *given, "")?;
    let name = before.name().to_string();
    require_another_person(&name, &scope.context.actor, &before.requesters, "asked for it")?;
    let after = before.changed(scope, |excuse| {
        excuse.set_state(state);
        reason.clone_into(&mut excuse.state_reason);
        excuse.decision_date = Some(date_message(day));
    });
    let payload = Payload::ExcuseDecided(event::ExcuseDecided { reason: reason.clone() });
    let change = Change::new(scope, EventKind::custom(event_type, payload), Some(before), after)?;
    Ok((change.on(Some(day)), day))
}

/// What comes of granting an excuse: its periods that were evaluated already are corrected.
pub(crate) fn grant(
    scope: &Scope<'_>,
    before: &Checked<Excuse>,
    decision: &Decision,
) -> Result<Vec<Change>, Rejection> {
    let to = ("milepost.excuse.granted", State::Granted);
    let (change, day) = decided(scope, before, to, decision)?;
    let Ok(name) = before.policy.parse::<PolicyName>() else { return Ok(vec![change]) };
    let policy = scope.rows.find(&name)?;
    if policy.is_deleted() {
        return Err(Rejection::deleted(&name));
    }
    Rejection::unless_met(outdated(before, &policy)?)?;
    let ends: Vec<_> = before.period_ends.iter().filter_map(|end| date(Some(end))).collect();
    let excuse = before.name().to_string();
    let reason = if decision.0.is_empty() { &before.text } else { &decision.0 };
    let correction = Correction { reason, day, excused: (&ends, &excuse), found: None };
    let corrected = corrections(scope, &policy, &before.name().parent(), &correction)?;
    Ok(vec![change.announcing(corrected)])
}

/// What comes of refusing one.
pub(crate) fn refuse(
    scope: &Scope<'_>,
    before: &Checked<Excuse>,
    decision: &Decision,
) -> Result<Vec<Change>, Rejection> {
    let to = ("milepost.excuse.refused", State::Refused);
    Ok(vec![decided(scope, before, to, decision)?.0])
}
