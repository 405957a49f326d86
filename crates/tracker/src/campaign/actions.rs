//! What may be done to a campaign, and what comes of it.
//!
//! | act | from | to |
//! |---|---|---|
//! | open | DRAFT | OPEN |
//! | amend | OPEN | the same, from the day after |
//! | close | OPEN, after its last day | CLOSED |
//! | cancel | DRAFT, OPEN, CLOSED | CANCELLED |
//! | sign off | CLOSED, by another person than opened it | FINAL |
//! | revise | FINAL, by another person than opened it | the same |
//!
//! Invariants: each has a day; days of acts do not go back. What a sign-off freezes is of the same entry.

use std::collections::BTreeMap;

use jiff::civil::Date;
use milepost_proto::event::v1 as event;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::figure::v1::Knowledge;
use milepost_proto::tracker::v1::campaign::State;
use milepost_proto::tracker::v1::{
    Campaign, CampaignCriterion, CampaignExclusion, CampaignMember, CampaignSignOff, CampaignStanding,
    CampaignStandings, CampaignVersion,
};
use milepost_resource::{
    Change, Checked, EventKind, add_drafter_or_nobody, add_person, check_state, date, date_message,
    require_another_person,
};
use milepost_types::{Decimal, Precondition, Rejection, Violations, limits};

use super::{check_projects, days_of, joining, project_of, standings, takes_part, target};
use crate::act;
use crate::decide::Scope;
use crate::milestone::ChangeContext;

/// The day of an act: the current date if none is given.
fn act_day(scope: &Scope<'_>, before: &Checked<Campaign>, given: Option<Date>) -> Result<Date, Rejection> {
    let current = ChangeContext::in_portfolio(scope, &before.name().parent())?.current_date;
    let last = date(before.act_date.as_ref());
    act::act_day(current, last, given, "the day of the last act on the campaign")
}

/// The campaign in another state.
fn moved(campaign: &mut Campaign, state: State, reason: &str, day: Date) {
    campaign.set_state(state);
    reason.clone_into(&mut campaign.state_reason);
    campaign.act_date = Some(date_message(day));
}

/// Opens it, and freezes the targets.
///
/// # Errors
/// If the state or the day does not allow it; so with all acts.
pub(crate) fn open(
    scope: &Scope<'_>,
    before: &Checked<Campaign>,
    given: &Option<Date>,
) -> Result<Vec<Change>, Rejection> {
    check_state(before, "open", &[State::Draft])?;
    let day = act_day(scope, before, *given)?;
    let (name, portfolio) = (before.name().to_string(), before.name().parent());
    if before.members.is_empty() {
        let description = "a campaign without members has nothing to judge; add members";
        return Err(Rejection::precondition("NO_MEMBERS", name, description));
    }
    let (start, end) = days_of(before);
    let mut targets = Vec::with_capacity(before.members.len());
    for member in &before.members {
        let project = project_of(&member.project, &portfolio)?;
        targets.push(target::freeze(scope, &project, (super::join_day(member, start), end))?);
    }
    target::check_room(targets.iter())?;
    let mut opened_by = Vec::new();
    add_drafter_or_nobody(&mut opened_by, &scope.context.actor)?;
    let after = before.changed(scope, |campaign| {
        moved(campaign, State::Open, "", day);
        campaign.targets = targets;
        campaign.opened_by = opened_by;
        campaign.versions = vec![CampaignVersion {
            start_date: campaign.start_date,
            criteria: campaign.criteria.clone(),
            tie_breakers: campaign.tie_breakers.clone(),
            reason: String::new(),
        }];
    });
    let kind =
        EventKind::custom("milepost.campaign.opened", Payload::CampaignOpened(event::CampaignOpened {}));
    Ok(vec![Change::of(kind, Some(before), after).on(Some(day))])
}

/// What changes from the day after on.
#[derive(Debug)]
pub(crate) struct Amendment {
    pub(crate) reason: String,
    pub(crate) date: Option<Date>,
    /// Without days.
    pub(crate) add: Vec<CampaignMember>,
    /// Names of projects.
    pub(crate) remove: Vec<String>,
    /// Empty: as before.
    pub(crate) criteria: Vec<CampaignCriterion>,
    pub(crate) tie_breakers: Vec<String>,
}

/// Changes members or weights from the day after on.
pub(crate) fn amend(
    scope: &Scope<'_>,
    before: &Checked<Campaign>,
    amendment: &Amendment,
) -> Result<Vec<Change>, Rejection> {
    check_state(before, "amend", &[State::Open])?;
    let day = act_day(scope, before, amendment.date)?;
    let (start, end) = days_of(before);
    let from = day.tomorrow().unwrap_or(Date::MAX).max(start);
    if from > end {
        let description = format!("the campaign has no day after {day}; its last one is {end}");
        return Err(Rejection::invalid("date", "DATE_TOO_LATE", description));
    }
    let mut changes = Vec::new();
    let mut campaign = before.clone();
    if !amendment.add.is_empty() || !amendment.remove.is_empty() {
        let after = with_members(scope, &campaign, amendment, (day, from))?;
        let names =
            |members: &[CampaignMember]| members.iter().map(|member| member.project.clone()).collect();
        let payload = Payload::CampaignMembersChanged(event::CampaignMembersChanged {
            start_date: Some(date_message(from)),
            joined: names(&amendment.add),
            left: amendment.remove.clone(),
            reason: amendment.reason.clone(),
        });
        let kind = EventKind::custom("milepost.campaign.members_changed", payload);
        changes.push(Change::of(kind, Some(&campaign), after.clone()).on(Some(day)));
        campaign = after;
    }
    if !amendment.criteria.is_empty() {
        if campaign.versions.len() >= limits::CAMPAIGN_VERSIONS {
            let limit = limits::CAMPAIGN_VERSIONS as u64;
            return Err(Rejection::LimitExceeded { what: "versions of one campaign", limit });
        }
        let version = CampaignVersion {
            start_date: Some(date_message(from)),
            criteria: amendment.criteria.clone(),
            tie_breakers: amendment.tie_breakers.clone(),
            reason: amendment.reason.clone(),
        };
        let after = campaign.changed(scope, |campaign| {
            campaign.criteria.clone_from(&amendment.criteria);
            campaign.tie_breakers.clone_from(&amendment.tie_breakers);
            campaign.versions.push(version.clone());
            campaign.act_date = Some(date_message(day));
        });
        let payload = Payload::CampaignAmended(event::CampaignAmended {
            previous: campaign.versions.last().cloned(),
            version: Some(version),
        });
        let kind = EventKind::custom("milepost.campaign.amended", payload);
        changes.push(Change::of(kind, Some(&campaign), after).on(Some(day)));
    }
    Ok(changes)
}

/// The campaign with other members from a day on.
fn with_members(
    scope: &Scope<'_>,
    before: &Checked<Campaign>,
    amendment: &Amendment,
    (day, from): (Date, Date),
) -> Result<Checked<Campaign>, Rejection> {
    let (start, end) = days_of(before);
    let member_on = |project: &str, of: &Campaign| {
        let is = |member: &CampaignMember| member.project == project && takes_part(member, start, from);
        of.members.iter().position(is)
    };
    let portfolio = before.name().parent();
    let added = amendment.add.iter().enumerate();
    let added = added.map(|(i, member)| (format!("add_members[{i}].project"), member.project.as_str()));
    check_projects(scope, before.name().parent_ids(), added)?;
    let mut violations = Violations::new();
    let mut leaving = BTreeMap::new();
    for (i, project) in amendment.remove.iter().enumerate() {
        match member_on(project, before) {
            Some(index) => _ = leaving.insert(index, i),
            None => {
                let description = format!("{project} is no member on {from}");
                violations.push(format!("remove_members[{i}]"), "NOT_MEMBER", description);
            }
        }
    }
    let mut seen = BTreeMap::new();
    for (i, member) in amendment.add.iter().enumerate() {
        let is_there = member_on(&member.project, before).is_some();
        if is_there || seen.insert(&member.project, i).is_some() {
            let description = format!("{} is a member on {from} already", member.project);
            violations.push(format!("add_members[{i}].project"), "OVERLAP", description);
        }
    }
    violations.into_result(())?;
    if before.members.len() + amendment.add.len() > limits::CAMPAIGN_MEMBERS {
        let limit = limits::CAMPAIGN_MEMBERS as u64;
        return Err(Rejection::LimitExceeded { what: "members of one campaign", limit });
    }
    let mut targets = Vec::with_capacity(amendment.add.len());
    for member in &amendment.add {
        targets.push(target::freeze(scope, &project_of(&member.project, &portfolio)?, (from, end))?);
    }
    target::check_room(before.targets.iter().chain(&targets))?;
    Ok(before.changed(scope, |campaign| {
        for index in leaving.keys() {
            campaign.members[*index].leave_date = Some(date_message(from));
        }
        campaign.members.extend(amendment.add.iter().map(|member| joining(member, from)));
        campaign.targets.extend(targets);
        campaign.act_date = Some(date_message(day));
    }))
}

/// Closes it, once its last day has passed.
pub(crate) fn close(
    scope: &Scope<'_>,
    before: &Checked<Campaign>,
    given: &Option<Date>,
) -> Result<Vec<Change>, Rejection> {
    check_state(before, "close", &[State::Open])?;
    let day = act_day(scope, before, *given)?;
    let (_, end) = days_of(before);
    if day <= end {
        let description = format!("its last day is {end}; it is closed on a day after that");
        return Err(Rejection::precondition("NOT_ENDED", before.name().to_string(), description));
    }
    Ok(vec![closed(scope, before, day)])
}

/// That it is closed on a day.
pub(super) fn closed(scope: &Scope<'_>, before: &Checked<Campaign>, day: Date) -> Change {
    let after = before.changed(scope, |campaign| moved(campaign, State::Closed, "", day));
    let payload = Payload::CampaignClosed(event::CampaignClosed {});
    let kind = EventKind::custom("milepost.campaign.closed", payload);
    Change::of(kind, Some(before), after).on(Some(day))
}

/// Gives it up, for a reason.
pub(crate) fn cancel(
    scope: &Scope<'_>,
    before: &Checked<Campaign>,
    (reason, given): &(String, Option<Date>),
) -> Result<Vec<Change>, Rejection> {
    check_state(before, "cancel", &[State::Draft, State::Open, State::Closed])?;
    let day = act_day(scope, before, *given)?;
    let after = before.changed(scope, |campaign| moved(campaign, State::Cancelled, reason, day));
    let payload = Payload::CampaignCancelled(event::CampaignCancelled {
        previous_state: before.state,
        reason: reason.clone(),
    });
    let kind = EventKind::custom("milepost.campaign.cancelled", payload);
    Ok(vec![Change::of(kind, Some(before), after).on(Some(day))])
}

/// How it ends.
#[derive(Debug)]
pub(crate) struct SignOff {
    /// Empty: it is the first.
    pub(crate) reason: String,
    pub(crate) date: Option<Date>,
    /// Names of projects.
    pub(crate) pioneers: Vec<String>,
    pub(crate) exclusions: Vec<CampaignExclusion>,
}

/// Signs it off.
pub(crate) fn sign_off(
    scope: &Scope<'_>,
    before: &Checked<Campaign>,
    given: &SignOff,
) -> Result<Vec<Change>, Rejection> {
    check_state(before, "sign off", &[State::Closed])?;
    seal(scope, before, given)
}

/// Signs it off again, for a reason.
pub(crate) fn revise(
    scope: &Scope<'_>,
    before: &Checked<Campaign>,
    given: &SignOff,
) -> Result<Vec<Change>, Rejection> {
    check_state(before, "revise", &[State::Final])?;
    seal(scope, before, given)
}

fn seal(scope: &Scope<'_>, before: &Checked<Campaign>, given: &SignOff) -> Result<Vec<Change>, Rejection> {
    let day = act_day(scope, before, given.date)?;
    let name = before.name();
    require_another_person(&name.to_string(), &scope.context.actor, &before.opened_by, "opened it")?;
    if before.sign_offs.len() >= limits::CAMPAIGN_SIGN_OFFS {
        let limit = limits::CAMPAIGN_SIGN_OFFS as u64;
        return Err(Rejection::LimitExceeded { what: "sign-offs of one campaign", limit });
    }
    let (_, end) = days_of(before);
    let found = standings::compute(&scope.rows, name, before, end, Knowledge::Latest)?;
    Rejection::unless_met(conditions(before, &found, given))?;
    let number = i32::try_from(before.sign_offs.len()).unwrap_or(i32::MAX).saturating_add(1);
    let mut signed_by = Vec::new();
    add_person(&mut signed_by, &scope.context.actor);
    let sign_off = CampaignSignOff {
        number,
        date: Some(date_message(day)),
        reason: given.reason.clone(),
        pioneers: given.pioneers.clone(),
        exclusions: given.exclusions.clone(),
        signed_by,
    };
    let after = before.changed(scope, |campaign| {
        moved(campaign, State::Final, &given.reason, day);
        campaign.sign_offs.push(sign_off.clone());
    });
    let (event_type, payload) = match number {
        1 => {
            let payload = event::CampaignSignedOff { sign_off: Some(sign_off) };
            ("milepost.campaign.signed_off", Payload::CampaignSignedOff(payload))
        }
        _ => {
            let payload = event::CampaignRevised { sign_off: Some(sign_off) };
            ("milepost.campaign.revised", Payload::CampaignRevised(payload))
        }
    };
    let frozen = CampaignStandings { stored: true, sign_off: number, ..found };
    let announcement = standings::computed(name, frozen, end);
    let change = Change::of(EventKind::custom(event_type, payload), Some(before), after);
    Ok(vec![change.on(Some(day)).announcing([announcement])])
}

/// What of a sign-off does not hold.
fn conditions(campaign: &Campaign, found: &CampaignStandings, given: &SignOff) -> Vec<Precondition> {
    let rule = campaign.pioneer_rule.clone().unwrap_or_default();
    let members: BTreeMap<&str, &CampaignStanding> =
        found.standings.iter().map(|standing| (standing.project.as_str(), standing)).collect();
    let is_excluded = |project: &str| given.exclusions.iter().any(|exclusion| exclusion.project == project);
    let mut conditions = Vec::new();
    let mut fails = |kind, subject: &str, description: String| {
        conditions.push(Precondition { kind, subject: subject.to_owned(), description });
    };
    for pioneer in &given.pioneers {
        let why = match members.get(pioneer.as_str()) {
            None => Some("it was no member on the last day".to_owned()),
            Some(_) if is_excluded(pioneer) => Some("it is excluded".to_owned()),
            Some(standing) => not_eligible(standing, (&rule.min_score, rule.min_days)),
        };
        if let Some(why) = why {
            fails("NOT_ELIGIBLE", pioneer, why);
        }
    }
    if rule.max > 0 && given.pioneers.len() > usize::try_from(rule.max).unwrap_or_default() {
        let (count, max) = (given.pioneers.len(), rule.max);
        fails("TOO_MANY_PIONEERS", &found.campaign, format!("{count} are named, and {max} at most may be"));
    }
    for exclusion in
        given.exclusions.iter().filter(|exclusion| !members.contains_key(exclusion.project.as_str()))
    {
        fails("NOT_MEMBER", &exclusion.project, "it was no member on the last day".to_owned());
    }
    for standing in found.standings.iter().filter(|standing| standing.total.is_none()) {
        if !is_excluded(&standing.project) {
            let why: Vec<_> = standing.scores.iter().filter_map(standings::why_not).collect();
            let description =
                format!("{}; supply what is missing, or exclude it with a reason", why.join(", "));
            fails("NOT_EVALUATED", &standing.project, description);
        }
    }
    conditions
}

/// Why a member may not be named a pioneer.
fn not_eligible(standing: &CampaignStanding, (min_score, min_days): (&str, i32)) -> Option<String> {
    let Some(total) = &standing.total else { return Some("it has no rank".to_owned()) };
    if let Some(finding) = standing.vetoed_by.first() {
        return Some(format!("it is vetoed by {finding}"));
    }
    // Both were checked.
    let (total, least) = (total.parse::<Decimal>().ok()?, min_score.parse::<Decimal>().ok());
    if let Some(least) = least.filter(|least| total < *least) {
        return Some(format!("its total is {total}, and {least} at least is asked for"));
    }
    let days = standing.member_days;
    (days < min_days)
        .then(|| format!("it was a member for {days} days, and {min_days} at least are asked for"))
}
