//! The members of an alliance: who joins, who leaves and who leads, from a day on.
//!
//! Invariant: all changes of one request take effect on the same day, and no day before it changes: a stay goes on, ends,
//! or is split where its lead changes.

use std::collections::BTreeSet;

use jiff::civil::Date;
use milepost_proto::event::v1::AllianceMembersChanged;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::registry::v1::{Alliance, AllianceMember, Organization};
use milepost_resource::{Change, Checked, EventKind, Name, date, date_message};
use milepost_types::{Period, Precondition, Rejection, Violations, limits};

use crate::portfolio::act_date;
use crate::reference;
use crate::stay::{Stay, first_overlap, first_without_one_lead, lead_fault};
use crate::tables::Scope;

/// What changes.
pub(crate) struct Changes {
    /// The organizations that join: their names.
    pub(crate) joining: Vec<String>,
    /// The organizations that leave: their names.
    pub(crate) leaving: Vec<String>,
    /// The organization that leads; empty: who leads already.
    pub(crate) lead: String,
    /// From which day on; none: today.
    pub(crate) date: Option<Date>,
    /// Empty: not said.
    pub(crate) reason: String,
}

/// Finds stays that end before they begin.
pub(super) fn check_ends(members: &[AllianceMember], violations: &mut Violations) {
    for (i, member) in members.iter().enumerate() {
        let [joined, left] = [&member.joined, &member.left].map(|given| date(given.as_ref()));
        violations.check(format!("members[{i}].left"), Period::new(joined, left));
    }
}

/// When a member is one.
pub(super) fn period(member: &AllianceMember) -> Period {
    Period::stored(date(member.joined.as_ref()), date(member.left.as_ref()))
}

/// Adds to `conditions` what the rules about days do not allow.
pub(super) fn check_stays<'a>(
    alliance: &Name<Alliance>,
    members: &'a [AllianceMember],
    conditions: &mut Vec<Precondition>,
) {
    let stay = |member: &'a AllianceMember| Stay {
        who: &member.organization,
        lead: member.lead,
        period: period(member),
    };
    let stays: Vec<_> = members.iter().map(stay).collect();
    if let Some((one, _)) = first_overlap(&stays) {
        let subject = stays[one].who.to_owned();
        let description =
            "two of its stays in the alliance share a day; end one before the other begins".to_owned();
        conditions.push(Precondition { kind: "OVERLAP", subject, description });
    }
    if let Some((day, leads)) = first_without_one_lead(&stays, 1) {
        let description = format!("of the members, {}", lead_fault(day, leads));
        conditions.push(Precondition { kind: "LEAD", subject: alliance.to_string(), description });
    }
}

/// Changes who is a member and who leads, from a day on.
///
/// # Errors
/// If what leaves or is to lead is no member on the day, if what joins is one or is not there, or if a rule about days
/// would not hold.
pub(crate) fn change(
    scope: &Scope<'_>,
    before: &Checked<Alliance>,
    changes: &Changes,
) -> Result<Vec<Change>, Rejection> {
    let day = act_date(scope, &before.name().parent(), "date", changes.date)?;
    let mut conditions = Vec::new();
    for (i, name) in changes.joining.iter().enumerate() {
        reference::check::<Organization>(scope, &format!("joining[{i}]"), name, &mut conditions)?;
    }
    let members = changed(&before.members, changes, day, &mut conditions);
    if members.len() > limits::ALLIANCE_MEMBERS {
        let limit = limits::ALLIANCE_MEMBERS as u64;
        return Err(Rejection::LimitExceeded { what: "stays in one alliance", limit });
    }
    if conditions.is_empty() {
        check_stays(before.name(), &members, &mut conditions);
    }
    Rejection::unless_met(conditions)?;
    if members == before.members {
        return Ok(Vec::new());
    }
    let lead = members.iter().find(|member| member.lead && period(member).contains(day));
    let payload = Payload::AllianceMembersChanged(AllianceMembersChanged {
        joined: changes.joining.clone(),
        left: changes.leaving.clone(),
        lead: lead.map(|member| member.organization.clone()).unwrap_or_default(),
        reason: changes.reason.clone(),
    });
    let after = before.changed(scope, |alliance| alliance.members.clone_from(&members));
    let kind = EventKind::custom("milepost.alliance.members_changed", payload);
    Ok(vec![Change::new(scope, kind, Some(before), after)?.on(Some(day))])
}

/// The members from a day on; with what cannot be done among the conditions.
fn changed(
    before: &[AllianceMember],
    Changes { joining, leaving, lead, .. }: &Changes,
    day: Date,
    conditions: &mut Vec<Precondition>,
) -> Vec<AllianceMember> {
    let leaving: BTreeSet<_> = leaving.iter().collect();
    let (mut members, mut left) = (Vec::with_capacity(before.len() + joining.len()), BTreeSet::new());
    for member in before {
        if leaving.contains(&member.organization) && period(member).contains(day) {
            left.insert(&member.organization);
            members.extend(until(member, day));
        } else {
            members.push(member.clone());
        }
    }
    for name in leaving.iter().filter(|name| !left.contains(**name)) {
        conditions.push(not_member(name, day));
    }
    let joined = Some(date_message(day));
    members.extend(joining.iter().map(|organization| AllianceMember {
        organization: organization.clone(),
        lead: false,
        joined,
        left: None,
    }));
    if lead.is_empty() {
        return members;
    }
    if !members.iter().any(|member| member.organization == *lead && period(member).contains(day)) {
        conditions.push(not_member(lead, day));
    }
    members.iter().flat_map(|member| led_by(member, lead, day)).collect()
}

/// That an organization is no member on a day.
pub(super) fn not_member(organization: &str, day: Date) -> Precondition {
    Precondition {
        kind: "NOT_MEMBER",
        subject: organization.to_owned(),
        description: format!("it is no member of the alliance on {day}; leave it out, or let it join first"),
    }
}

/// A stay that ends the day before; none if it began that day or later.
fn until(member: &AllianceMember, day: Date) -> Option<AllianceMember> {
    let last = day.yesterday().ok().filter(|last| period(member).contains(*last))?;
    Some(AllianceMember { left: Some(date_message(last)), ..member.clone() })
}

/// A stay from when this organization leads: in two parts, if it is another before the day.
fn led_by(member: &AllianceMember, lead: &str, day: Date) -> Vec<AllianceMember> {
    let leads = member.organization == lead;
    if leads == member.lead || !period(member).contains(day) {
        return vec![member.clone()];
    }
    let after = AllianceMember { lead: leads, joined: Some(date_message(day)), ..member.clone() };
    until(member, day).into_iter().chain([after]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: i8) -> Date {
        Date::constant(2021, 5, day)
    }

    fn member(id: &str, lead: bool, from: i8, to: Option<i8>) -> AllianceMember {
        AllianceMember {
            organization: format!("organizations/{id}"),
            lead,
            joined: Some(date_message(day(from))),
            left: to.map(|to| date_message(day(to))),
        }
    }

    fn changes(joining: &[&str], leaving: &[&str], lead: &str) -> Changes {
        let names = |ids: &[&str]| ids.iter().map(|id| format!("organizations/{id}")).collect();
        let lead = if lead.is_empty() { String::new() } else { format!("organizations/{lead}") };
        Changes { joining: names(joining), leaving: names(leaving), lead, date: None, reason: String::new() }
    }

    fn after(
        before: &[AllianceMember],
        changes: &Changes,
        on: i8,
    ) -> (Vec<AllianceMember>, Vec<&'static str>) {
        let mut conditions = Vec::new();
        let members = changed(before, changes, day(on), &mut conditions);
        (members, conditions.iter().map(|condition| condition.kind).collect())
    }

    /// office.md, section 2: one lead.
    #[test]
    fn a_lead_changes_on_a_day_and_both_stay() {
        let before = [member("a", true, 1, None), member("b", false, 1, None)];
        let (members, faults) = after(&before, &changes(&[], &[], "b"), 10);
        let split = [
            member("a", true, 1, Some(9)),
            member("a", false, 10, None),
            member("b", false, 1, Some(9)),
            member("b", true, 10, None),
        ];
        assert_eq!((members, faults), (split.to_vec(), vec![]));
        let (members, _) = after(&before, &changes(&[], &[], "b"), 1);
        assert_eq!(members, [member("a", false, 1, None), member("b", true, 1, None)], "on the first day");
        let (members, _) = after(&before, &changes(&[], &[], "a"), 10);
        assert_eq!(members, before, "who leads already");
    }

    /// office.md, section 2: members with the days on which they joined and left.
    #[test]
    fn who_leaves_was_a_member_up_to_the_day_before() {
        let before = [member("a", true, 1, None), member("b", false, 5, None)];
        let (members, faults) = after(&before, &changes(&["c"], &["a"], "c"), 10);
        let expected =
            [member("a", true, 1, Some(9)), member("b", false, 5, None), member("c", true, 10, None)];
        assert_eq!((members, faults), (expected.to_vec(), vec![]));
        let (members, _) = after(&before, &changes(&[], &["b"], ""), 5);
        assert_eq!(members, [member("a", true, 1, None)], "it never was");
    }

    #[test]
    fn who_is_no_member_cannot_leave_or_lead() {
        let before = [member("a", true, 1, None), member("b", false, 1, Some(4))];
        assert_eq!(after(&before, &changes(&[], &["b", "x"], "b"), 10).1, ["NOT_MEMBER"; 3]);
    }

    /// office.md, section 2: LEAD on every day.
    #[test]
    fn rules_about_days_hold_for_the_whole_time() {
        let check = |members: &[AllianceMember]| {
            let mut conditions = Vec::new();
            check_stays(&"portfolios/wsc/alliances/a".parse().unwrap(), members, &mut conditions);
            conditions.iter().map(|condition| condition.kind).collect::<Vec<_>>()
        };
        assert_eq!(check(&[]), [""; 0]);
        assert_eq!(check(&[member("a", false, 1, None)]), ["LEAD"], "one alone leads");
        assert_eq!(check(&[member("a", true, 1, Some(9)), member("b", false, 5, None)]), ["LEAD"]);
        assert_eq!(check(&[member("a", true, 1, Some(9)), member("a", true, 9, None)]), ["OVERLAP", "LEAD"]);
        assert_eq!(check(&[member("a", true, 1, Some(9)), member("b", true, 20, None)]), [""; 0], "a gap");
    }
}
