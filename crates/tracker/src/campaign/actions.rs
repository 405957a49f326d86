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

use std::collections::{BTreeMap, HashSet};

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
    Change, Checked, EventKind, add_person, check_state, date, date_message, encoded_len,
    require_another_person, require_person,
};
use milepost_types::{DamagedRow, Decimal, Precondition, Rejection, Violations, limits};

use super::days::Passing;
use super::{check_projects, days_of, join_day, joining, project_of, room, standings, target};
use crate::act::{self, check_day, unmet};
use crate::decide::Scope;
use crate::milestone::ChangeContext;
use crate::parent::incomplete;
use crate::tables;

/// Before which day no act is.
const LAST_ACT: &str = "the day of the last act on the campaign";

/// The current date of its portfolio.
fn current_date(scope: &Scope<'_>, campaign: &Checked<Campaign>) -> Result<Date, DamagedRow> {
    Ok(ChangeContext::in_portfolio(scope, &campaign.name().parent())?.current_date)
}

/// The day of an act: the current date if none is given.
fn act_day(scope: &Scope<'_>, before: &Checked<Campaign>, given: Option<Date>) -> Result<Date, Rejection> {
    let current = current_date(scope, before)?;
    let last = date(before.act_date.as_ref());
    act::act_day(current, last, given, LAST_ACT)
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
/// If the state or the day does not allow it; so with all acts. If it is not known who opens it: then nobody could sign it
/// off.
pub(crate) fn open(
    scope: &Scope<'_>,
    before: &Checked<Campaign>,
    given: &Option<Date>,
) -> Result<Vec<Change>, Rejection> {
    check_state(before, "open", &[State::Draft])?;
    let day = act_day(scope, before, *given)?;
    let name = before.name();
    let mut conditions = Vec::new();
    let person = require_person(&name.to_string(), &scope.context.actor, "sign it off");
    let opened_by = unmet(person, &mut conditions)?;
    if before.members.is_empty() {
        let description = "a campaign without members has nothing to judge; add members".to_owned();
        conditions.push(Precondition { kind: "NO_MEMBERS", subject: name.to_string(), description });
    }
    let projects = before.members.iter().map(|member| member.project.as_str()).enumerate();
    let members = projects.map(|(i, project)| (format!("campaign.members[{i}].project"), project));
    let mut violations = Violations::new();
    conditions.extend(check_projects(scope, name.parent_ids(), members, &mut violations)?);
    violations.into_result(())?;
    Rejection::unless_met(conditions)?;
    let (start, end) = days_of(name, before)?;
    let mut targets = Vec::with_capacity(before.members.len());
    for member in &before.members {
        let project = project_of(name, &member.project)?;
        targets.push(target::freeze(scope, &project, (join_day(member, start), end))?);
    }
    target::check_room(targets.iter())?;
    let opening_date = Some(date_message(current_date(scope, before)?));
    let after = before.changed(scope, |campaign| {
        moved(campaign, State::Open, "", day);
        campaign.opening_date = opening_date;
        campaign.targets = targets;
        campaign.opened_by = opened_by.into_iter().collect();
        campaign.versions = vec![CampaignVersion {
            start_date: campaign.start_date,
            criteria: campaign.criteria.clone(),
            tie_breakers: campaign.tie_breakers.clone(),
            reason: String::new(),
        }];
    });
    room::check(name, &after)?;
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
    let current = current_date(scope, before)?;
    let (start, end) = days_of(before.name(), before)?;
    let (day, mut violations) = (amendment.date.unwrap_or(current), Violations::new());
    let last = date(before.act_date.as_ref());
    check_day("date", day, (last, current), LAST_ACT, &mut violations);
    let from = day.tomorrow().unwrap_or(Date::MAX).max(start);
    if violations.is_empty() && from > end {
        let description = format!("the campaign has no day after {day}; its last one is {end}");
        violations.push("date", "DATE_TOO_LATE", description);
    }
    let missing = check_amended_members(scope, before, amendment, (start, from), &mut violations)?;
    violations.into_result(())?;
    Rejection::unless_met(missing)?;
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
        changes.push(Change::of(kind, Some(&campaign), after.clone()).on(Some(day)));
        campaign = after;
    }
    room::check(before.name(), &campaign)?;
    Ok(changes)
}

/// Finds what is wrong with the members that an amendment adds and removes. Returns the conditions that others do not meet:
/// those that are not there.
fn check_amended_members(
    scope: &Scope<'_>,
    before: &Checked<Campaign>,
    amendment: &Amendment,
    (start, from): (Date, Date),
    violations: &mut Violations,
) -> Result<Vec<Precondition>, DamagedRow> {
    let name = before.name();
    let lasting = lasting(before, (start, from));
    let added = amendment.add.iter().map(|member| member.project.as_str()).enumerate();
    let fields = added.clone().map(|(i, project)| (format!("add_members[{i}].project"), project));
    let missing = check_projects(scope, name.parent_ids(), fields, violations)?;
    for (i, project) in amendment.remove.iter().enumerate() {
        if !lasting.contains(project.as_str()) {
            let description = format!("{project} is no member on {from}, and none later");
            violations.push(format!("remove_members[{i}]"), "NOT_MEMBER", description);
        }
    }
    let mut seen = HashSet::new();
    for (i, project) in added {
        if lasting.contains(project) || !seen.insert(project) {
            let description = format!("{project} is a member on {from} already, or joins later");
            violations.push(format!("add_members[{i}].project"), "OVERLAP", description);
        }
    }
    Ok(missing)
}

/// The campaign with other members from a day on.
fn with_members(
    scope: &Scope<'_>,
    before: &Checked<Campaign>,
    amendment: &Amendment,
    (day, from): (Date, Date),
) -> Result<Checked<Campaign>, Rejection> {
    let name = before.name();
    let (start, end) = days_of(name, before)?;
    let found = tables::standings::last_day(scope.rows.read, name, Date::MAX);
    let mut targets = Vec::with_capacity(amendment.add.len());
    for member in &amendment.add {
        targets.push(target::freeze(scope, &project_of(name, &member.project)?, (from, end))?);
    }
    let after = before.changed(scope, |campaign| {
        remove(campaign, &amendment.remove, (start, from), found);
        campaign.members.extend(amendment.add.iter().map(|member| joining(member, from)));
        campaign.targets.extend(targets);
        campaign.act_date = Some(date_message(day));
    });
    if after.members.len() > limits::CAMPAIGN_MEMBERS {
        let limit = limits::CAMPAIGN_MEMBERS as u64;
        return Err(Rejection::LimitExceeded { what: "members of one campaign", limit });
    }
    target::check_room(after.targets.iter())?;
    Ok(after)
}

/// The projects that are members on a day or later.
fn lasting(campaign: &Campaign, (start, from): (Date, Date)) -> HashSet<&str> {
    let lasting = campaign.members.iter().filter(|member| lasts(member, (start, from)));
    lasting.map(|member| member.project.as_str()).collect()
}

/// Whether a member takes part on this day or a later one.
fn lasts(member: &CampaignMember, (start, from): (Date, Date)) -> bool {
    date(member.leave_date.as_ref()).is_none_or(|leave| from.max(join_day(member, start)) < leave)
}

/// Removes projects from a day on: they leave on it, or on the later day on which they join. What they would join on it or
/// later is as if it had never been planned, unless standings of that day were found: `found` is the last day that has
/// them.
fn remove(campaign: &mut Campaign, projects: &[String], (start, from): (Date, Date), found: Option<Date>) {
    let leaving: HashSet<&str> = projects.iter().map(String::as_str).collect();
    let members = std::mem::take(&mut campaign.members);
    let mut targets = std::mem::take(&mut campaign.targets).into_iter();
    for mut member in members {
        let target = targets.next();
        if lasts(&member, (start, from)) && leaving.contains(member.project.as_str()) {
            let join = join_day(&member, start);
            if from <= join && found.is_none_or(|found| found < join) {
                continue;
            }
            member.leave_date = Some(date_message(from.max(join)));
        }
        campaign.members.push(member);
        campaign.targets.extend(target);
    }
}

/// Closes it, once its last day has passed; the standings of days that none found are found first, one after another.
///
/// # Errors
/// If they do not fit one request: the next day that begins finds them, in as many entries as it takes, and closes it.
pub(crate) fn close(
    scope: &Scope<'_>,
    before: &Checked<Campaign>,
    given: &Option<Date>,
) -> Result<Vec<Change>, Rejection> {
    check_state(before, "close", &[State::Open])?;
    let day = act_day(scope, before, *given)?;
    let (_, end) = days_of(before.name(), before)?;
    if day <= end {
        let description = format!("its last day is {end}; it is closed on a day after that");
        return Err(Rejection::precondition("NOT_ENDED", before.name().to_string(), description));
    }
    let passing = Passing::of(scope, before.clone(), day)?;
    let first = passing.next;
    if first.is_some() {
        Rejection::unless_met(incomplete(scope.rows.read, before.name()).into_iter().collect())?;
    }
    let (mut changes, mut bytes) = (Vec::new(), 0);
    for passed in passing {
        let passed = passed?;
        bytes += passed.bytes;
        if let Some(first) = first.filter(|_| passed.bytes > 0 && !changes.is_empty())
            && bytes > scope.service.part_bytes
        {
            let description = format!(
                "the standings of its days from {first} to {end} were not found yet, and are too many for one request; the \
                 next day of the portfolio finds them, and closes it"
            );
            return Err(Rejection::precondition("STANDINGS_MISSING", before.name().to_string(), description));
        }
        changes.push(passed.change);
    }
    Ok(changes)
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
    if before.sign_offs.len() >= limits::CAMPAIGN_SIGN_OFFS {
        let limit = limits::CAMPAIGN_SIGN_OFFS as u64;
        return Err(Rejection::LimitExceeded { what: "sign-offs of one campaign", limit });
    }
    let (_, end) = days_of(name, before)?;
    let found = standings::compute(&scope.rows, name, before, end, Knowledge::Latest)?;
    let mut conditions = Vec::new();
    let actor = &scope.context.actor;
    let another = require_another_person(&name.to_string(), actor, &before.opened_by, "opened it");
    unmet(another, &mut conditions)?;
    conditions.extend(incomplete(scope.rows.read, before.name()));
    conditions.extend(unfulfilled(before, &found, given));
    Rejection::unless_met(conditions)?;
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
    let bytes = before.sign_offs.iter().chain([&sign_off]).map(encoded_len).sum::<usize>();
    if bytes > limits::CAMPAIGN_SIGN_OFF_BYTES {
        let limit = limits::CAMPAIGN_SIGN_OFF_BYTES as u64;
        return Err(Rejection::LimitExceeded { what: "bytes of the sign-offs of one campaign", limit });
    }
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
fn unfulfilled(campaign: &Campaign, found: &CampaignStandings, given: &SignOff) -> Vec<Precondition> {
    let rule = campaign.pioneer_rule.clone().unwrap_or_default();
    let members: BTreeMap<&str, &CampaignStanding> =
        found.standings.iter().map(|standing| (standing.project.as_str(), standing)).collect();
    let excluded: HashSet<&str> =
        given.exclusions.iter().map(|exclusion| exclusion.project.as_str()).collect();
    let mut conditions = Vec::new();
    let mut fails = |kind, subject: &str, description: String| {
        conditions.push(Precondition { kind, subject: subject.to_owned(), description });
    };
    for pioneer in &given.pioneers {
        let why = match members.get(pioneer.as_str()) {
            None => Some("it was no member on the last day".to_owned()),
            Some(_) if excluded.contains(pioneer.as_str()) => Some("it is excluded".to_owned()),
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
    for CampaignExclusion { project, .. } in &given.exclusions {
        match members.get(project.as_str()) {
            None => fails("NOT_MEMBER", project, "it was no member on the last day".to_owned()),
            Some(standing) if standing.total.is_some() => {
                fails("HAS_RANK", project, "it has a rank, and only who has none is left out".to_owned());
            }
            Some(_) => {}
        }
    }
    for standing in found.standings.iter().filter(|standing| standing.total.is_none()) {
        if !excluded.contains(standing.project.as_str()) {
            let mut why: Vec<_> = standing.scores.iter().filter_map(standings::why_not).collect();
            why.extend(Some(&standing.total_missing).filter(|why| !why.is_empty()).cloned());
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
