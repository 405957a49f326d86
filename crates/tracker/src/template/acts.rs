//! What may be done to milestones that a template made, beyond what may be done to all.
//!
//! | act | what holds besides |
//! |---|---|
//! | achieve | a BUNDLED gate needs its members on its own day; coupled ones are achieved together, or on the day of those before, or the coupling is broken |
//! | reforecast | coupled ones that are open move together |
//! | reopen | coupled ones that have one day are reopened together; not while a BUNDLED gate is ACHIEVED by it |
//! | update | its type and what must be shown of it are the template's |
//! | extend | as often, as far and as early as the template says |
//!
//! Invariant: what is coupled has one day: it is achieved, expected and reopened in one entry. A refusal names all that does
//! not hold.

use std::collections::BTreeSet;

use jiff::civil::Date;
use milepost_proto::event::v1::event::{Payload, Resource};
use milepost_proto::event::v1::{CouplingAchieved, CouplingBroken, MilestoneExtended};
use milepost_proto::tracker::v1::milestone::{CouplingState, Expiry, Gate, State};
use milepost_proto::tracker::v1::{Milestone, MilestoneExtension};
use milepost_resource::{Change, Checked, EventKind, check_state, date, date_message};
use milepost_types::{DamagedRow, Precondition, Rejection, ResourceName as _, Violations};

use super::made::{BY_COUPLING, BY_MEMBER, achieved_on, is_open, others, others_of_template};
use super::settled::{Settled, settle_all, settled_besides};
use super::validity::{announcements, is_kept, last_day};
use crate::act::check_day;
use crate::decide::Scope;
use crate::milestone::{ChangeContext, To, missing_evidence, states_changed};
use crate::names::MilestoneName;

/// The milestones that are coupled with one, whatever state they are in; none if the coupling is broken.
fn coupled(scope: &Scope<'_>, milestone: &Checked<Milestone>) -> Result<Vec<Checked<Milestone>>, DamagedRow> {
    if milestone.coupling.is_empty() || milestone.coupling_state() == CouplingState::Broken {
        return Ok(Vec::new());
    }
    let mut others = others_of_template(scope, BY_COUPLING, &milestone.coupling, milestone)?;
    others.retain(|other| other.coupling_state() != CouplingState::Broken);
    Ok(others)
}

/// Which of those that are coupled with one keep it from being achieved on a day: they were achieved on another, or are
/// open and not achieved with it. What was missed or cancelled has no day; if it is reopened, it joins that of the others.
fn parted(
    before: &Checked<Milestone>,
    others: &[Checked<Milestone>],
    (actual, together): (Date, bool),
) -> Vec<Precondition> {
    let unmet = |other: &Checked<Milestone>, description| Precondition {
        kind: "COUPLED",
        subject: other.name().to_string(),
        description,
    };
    let parted = |other: &Checked<Milestone>| match achieved_on(other) {
        Some(day) if day != actual => {
            let description = format!(
                "it is coupled with {} and was achieved on {day}; give that day, or use AchieveMilestone with \
                 break_coupling",
                before.name()
            );
            Some(unmet(other, description))
        }
        None if is_open(other) && !together => {
            let description = format!(
                "it is coupled with {} and is achieved on the same day; use AchieveCoupledMilestones, or set \
                 break_coupling",
                before.name()
            );
            Some(unmet(other, description))
        }
        _ => None,
    };
    others.iter().filter_map(parted).collect()
}

/// What does not hold for the achievement of these together on a day: documents, and members of a gate.
fn unmet(
    scope: &Scope<'_>,
    achieved: &[&Checked<Milestone>],
    day: Date,
) -> Result<Vec<Precondition>, Rejection> {
    let mut conditions = Vec::new();
    for milestone in achieved {
        conditions.extend(missing_evidence(milestone));
        if milestone.gate() != Gate::Bundled {
            continue;
        }
        for id in &milestone.gate_members {
            let Ok(id) = id.parse() else { continue };
            let name = MilestoneName::under(milestone.name().parent_ids(), id);
            let together = achieved.iter().any(|other| *other.name() == name);
            if !together && !scope.rows.get(&name)?.is_some_and(|member| holds(&member, day)) {
                conditions.push(Precondition {
                    kind: "MEMBER_OPEN",
                    subject: name.to_string(),
                    description: format!(
                        "{} joins it, and on {day} it was not achieved, or what it brings had ended",
                        milestone.name()
                    ),
                });
            }
        }
    }
    Ok(conditions)
}

/// Whether a milestone was achieved by a day, and what it brings had not ended on it.
fn holds(milestone: &Checked<Milestone>, day: Date) -> bool {
    let used = date(milestone.used_date.as_ref());
    let until = date(milestone.valid_until.as_ref()).filter(|until| !is_kept(used, *until));
    let is_achieved = achieved_on(milestone).is_some_and(|from| from <= day) && !milestone.is_deleted();
    is_achieved && until.is_none_or(|until| day <= until)
}

/// What comes of achieving one alone, for a reason.
pub(crate) fn achieve(
    scope: &Scope<'_>,
    before: &Checked<Milestone>,
    (to, may_break): (To, bool),
    reason: &str,
    context: &ChangeContext,
) -> Result<Vec<Change>, Rejection> {
    let others = coupled(scope, before)?;
    let mut conditions = unmet(scope, &[before], to.day)?;
    let parted = parted(before, &others, (to.day, false));
    let breaks = may_break && !parted.is_empty();
    if !breaks {
        conditions.extend(parted);
    }
    Rejection::unless_met(conditions)?;
    let mut achieved = states_changed(scope, &[before], to, reason, context, |milestone| {
        if breaks {
            milestone.set_coupling_state(CouplingState::Broken);
        } else if milestone.coupling_state() == CouplingState::Coupled {
            milestone.set_coupling_state(CouplingState::Achieved);
        }
    })?;
    if !breaks {
        return Ok(achieved);
    }
    let payload = CouplingBroken {
        coupling: before.coupling.clone(),
        milestones: names(others.iter().chain([before])),
        reason: reason.to_owned(),
    };
    let broken: Vec<_> = others
        .iter()
        .map(|other| {
            // The act may have changed it already.
            let changed = last_of(&achieved, other.name()).cloned();
            let before = changed.map_or_else(
                || other.clone(),
                |changed| other.changed(scope, |milestone| *milestone = changed),
            );
            let after =
                before.changed(scope, |milestone| milestone.set_coupling_state(CouplingState::Broken));
            let kind =
                EventKind::custom("milepost.coupling.broken", Payload::CouplingBroken(payload.clone()));
            Change::of(kind, Some(&before), after).on(Some(to.day))
        })
        .collect();
    let last = achieved.pop().map(|last| last.announcing(broken));
    Ok(achieved.into_iter().chain(last).collect())
}

/// A milestone as the last of some changes leaves it; none if none is of it.
fn last_of<'a>(changes: &'a [Change], name: &MilestoneName) -> Option<&'a Milestone> {
    let name = name.to_string();
    let milestones = changes.iter().flat_map(Change::resources).filter_map(|resource| match resource {
        Resource::MilestoneResource(milestone) if milestone.name == name => Some(milestone),
        _ => None,
    });
    milestones.last()
}

/// The names of milestones, in order.
fn names<'a>(milestones: impl Iterator<Item = &'a Checked<Milestone>>) -> Vec<String> {
    let mut names: Vec<_> = milestones.map(|milestone| milestone.name().to_string()).collect();
    names.sort_unstable();
    names
}

/// That a milestone and those that are coupled with it were achieved.
pub(crate) struct JointReport {
    /// The day of all of them; none: today.
    pub(crate) actual: Option<Date>,
    /// Empty: not said.
    pub(crate) reason: String,
    /// The day on which it was reported; none: that of the commit.
    pub(crate) reported: Option<Date>,
}

/// What comes of achieving a milestone and those that are coupled with it on one day.
pub(crate) fn achieve_coupled(
    scope: &Scope<'_>,
    before: &Checked<Milestone>,
    JointReport { actual, reason, reported }: &JointReport,
) -> Result<Vec<Change>, Rejection> {
    check_state(before, "achieve", &[State::Planned, State::PartiallyAchieved])?;
    let context = ChangeContext::of(scope, before.name())?;
    let (day, reported) = context.outcome_days("actual_date", (*actual, (None, "")), *reported)?;
    let to = To { state: State::Achieved, day, reported };
    let others = coupled(scope, before)?;
    let (open, done): (Vec<_>, Vec<_>) = others.iter().partition(|other| is_open(other));
    let not_coupled = open.is_empty().then(|| Precondition {
        kind: "NOT_COUPLED",
        subject: before.name().to_string(),
        description: "no other open milestone is coupled with it; use AchieveMilestone".to_owned(),
    });
    let all: Vec<_> = [before].into_iter().chain(open).collect();
    let mut conditions: Vec<_> = not_coupled.into_iter().collect();
    conditions.extend(unmet(scope, &all, day)?);
    conditions.extend(parted(before, &others, (day, true)));
    Rejection::unless_met(conditions)?;
    let mut changes = states_changed(scope, &all, to, reason, &context, |milestone| {
        milestone.set_coupling_state(CouplingState::Achieved);
    })?;
    let achieved = all.into_iter().chain(done.into_iter().filter(|other| achieved_on(other).is_some()));
    let payload = CouplingAchieved { coupling: before.coupling.clone(), milestones: names(achieved) };
    let event = Change::without_resource("milepost.coupling.achieved", Payload::CouplingAchieved(payload));
    let name = before.name();
    let (project, portfolio) = (name.parent(), name.parent().parent());
    let event = event.concerning(name.to_string(), portfolio.to_string(), project.to_string());
    changes.push(event.on(Some(day)));
    Ok(changes)
}

/// Those that are reforecast with a milestone: those that are coupled with it and open.
pub(crate) fn reforecast_with(
    scope: &Scope<'_>,
    milestone: &Checked<Milestone>,
) -> Result<Vec<Checked<Milestone>>, DamagedRow> {
    let mut others = coupled(scope, milestone)?;
    others.retain(|other| is_open(other));
    Ok(others)
}

/// What comes of taking an outcome back, for a reason: those that are coupled and have one day are open together.
pub(crate) fn reopen(
    scope: &Scope<'_>,
    before: &Checked<Milestone>,
    to: To,
    reason: &str,
    context: &ChangeContext,
) -> Result<Vec<Change>, Rejection> {
    let mut others = coupled(scope, before)?;
    others.retain(|other| achieved_on(other).is_some() && achieved_on(other) == achieved_on(before));
    let all: Vec<_> = [before].into_iter().chain(&others).collect();
    let (mut conditions, mut named) = (Vec::new(), BTreeSet::new());
    for milestone in &all {
        for gate in others_with_member(scope, milestone)? {
            let is_reopened = all.iter().any(|other| other.name() == gate.name());
            if gate.state() == State::Achieved && !is_reopened && named.insert(gate.name().clone()) {
                conditions.push(Precondition {
                    kind: "GATE_ACHIEVED",
                    subject: gate.name().to_string(),
                    description: format!(
                        "it is achieved, and {} is one of its members; reopen it first",
                        milestone.name()
                    ),
                });
            }
        }
    }
    Rejection::unless_met(conditions)?;
    let changes = states_changed(scope, &all, to, reason, context, |milestone| {
        if milestone.coupling_state() == CouplingState::Achieved {
            milestone.set_coupling_state(CouplingState::Coupled);
        }
    })?;
    Ok(changes)
}

/// The BUNDLED gates that a milestone is a member of.
fn others_with_member(
    scope: &Scope<'_>,
    member: &Checked<Milestone>,
) -> Result<Vec<Checked<Milestone>>, DamagedRow> {
    others(scope, BY_MEMBER, member.name().id().as_str(), member.name())
}

/// Refuses a change of what others of its template find a milestone by, or of what must be shown of it.
pub(crate) fn check_update(before: &Checked<Milestone>, after: &Checked<Milestone>) -> Result<(), Rejection> {
    let mut violations = Violations::new();
    let fixed = "a template made the milestone, and says this; only UpgradeTemplate changes it";
    if before.r#type != after.r#type {
        violations.push("milestone.type", "FIXED", fixed);
    }
    if before.required_evidence != after.required_evidence {
        violations.push("milestone.required_evidence", "FIXED", fixed);
    }
    violations.into_result(()).map_err(Rejection::from)
}

/// Refuses the deletion of a milestone that satisfies or carries something: what it brought is taken back by reopening it.
pub(crate) fn check_deletion(milestone: &Checked<Milestone>) -> Result<(), Rejection> {
    if milestone.state() != State::Achieved {
        return Ok(());
    }
    Err(Rejection::precondition(
        "ACHIEVED",
        milestone.name().to_string(),
        "a template made it, and it is achieved, so that requirements, gates and approvals may rest on it; reopen it first",
    ))
}

/// How long what an achieved milestone brings is extended.
pub(crate) struct Extend {
    /// When it was filed; none: today.
    pub(crate) filed: Option<Date>,
    /// The new last day.
    pub(crate) until: Date,
    pub(crate) reason: String,
}

/// What comes of an extension.
pub(crate) fn extend(
    scope: &Scope<'_>,
    before: &Checked<Milestone>,
    Extend { filed, until, reason }: &Extend,
) -> Result<Vec<Change>, Rejection> {
    check_state(before, "extend", &[State::Achieved])?;
    let context = ChangeContext::of(scope, before.name())?;
    let today = context.current_date;
    let filed = filed.unwrap_or(today);
    let unmet =
        |kind, description: String| Precondition { kind, subject: before.name().to_string(), description };
    let (validity, last) = match (&before.validity, date(before.valid_until.as_ref())) {
        (Some(validity), Some(last)) if validity.extensions > 0 => (validity, last),
        _ => {
            let description = "its template does not say that it may be extended".to_owned();
            return Err(Rejection::Preconditions(vec![unmet("NOT_EXTENDABLE", description)]));
        }
    };
    check_days(before, (filed, today), (*until, last))?;
    let mut conditions = Vec::new();
    let (count, limit) = (before.extensions.len(), validity.extensions);
    if usize::try_from(limit).is_ok_and(|limit| count >= limit) {
        let description = format!("it was extended {count} times, which is as often as its template allows");
        conditions.push(unmet("ALREADY_EXTENDED", description));
    }
    if before.expiry() == Expiry::Used {
        let description = "it was made use of in time, so it does not end any more".to_owned();
        conditions.push(unmet("ALREADY_USED", description));
    }
    if let Some(file_by) = date(before.file_by.as_ref()).filter(|file_by| filed > *file_by) {
        let days = validity.file_before_working_days;
        let description = format!(
            "it was filed on {filed}, after {file_by}, the last day that is {days} working days before {last}"
        );
        conditions.push(unmet("TOO_LATE", description));
    }
    let latest = last_day(last, validity.extension_months);
    if *until > latest {
        let months = validity.extension_months;
        let description = format!("{until} is after {latest}, which is {months} months after {last}");
        conditions.push(unmet("TOO_LONG", description));
    }
    Rejection::unless_met(conditions)?;
    let extension = MilestoneExtension {
        filed_date: Some(date_message(filed)),
        previous_valid_until: Some(date_message(last)),
        valid_until: Some(date_message(*until)),
        reason: reason.clone(),
    };
    let mut after = (**before).clone();
    after.valid_until = extension.valid_until;
    after.extensions.push(extension.clone());
    let (own, others) = settle_all(scope, vec![Settled { before: before.clone(), after }], &context)?;
    let mut others = settled_besides(scope, others, filed, &context);
    let extended = |Settled { before, after }: Settled| {
        let after = before.changed(scope, |milestone| *milestone = after);
        let announced = announcements(&before, &after, (filed, today));
        let payload = Payload::MilestoneExtended(MilestoneExtended {
            previous_valid_until: extension.previous_valid_until,
            valid_until: extension.valid_until,
            filed_date: extension.filed_date,
            reason: extension.reason.clone(),
        });
        let kind = EventKind::custom("milepost.milestone.extended", payload);
        let change = Change::of(kind, Some(&before), after).on(Some(filed));
        change.announcing(announced).announcing(std::mem::take(&mut others))
    };
    Ok(own.into_iter().map(extended).collect())
}

/// Refuses days that do not come one after the other.
fn check_days(
    before: &Checked<Milestone>,
    (filed, today): (Date, Date),
    (until, last): (Date, Date),
) -> Result<(), Rejection> {
    let mut violations = Violations::new();
    let achieved = date(before.actual_date.as_ref());
    check_day("filed_date", filed, (achieved, today), "when it was achieved", &mut violations);
    if until <= last {
        let description = format!("{until} is not after {last}, the last day so far");
        violations.push("valid_until", "DATE_TOO_EARLY", description);
    }
    violations.into_result(()).map_err(Rejection::from)
}
