//! Campaigns: a window of days in which projects compete by quality, safety and progress.
//!
//! Invariants: the weights of what a campaign judges by add up to a whole; a project is a member once on any day; targets
//! are frozen when it is opened, or a project joins, and nothing changes them. Every day is judged by the version in force
//! on it, for its whole window. `actions` says what may be done, `target` what is frozen, `facts` and `inspected` what
//! is known of a member, which `walk` reads project by project, `score` and `rank` what comes of that, `standings` puts
//! it together, `room` how large all that may be, `days` what a day brings.

mod actions;
pub(crate) mod days;
mod facts;
mod inspected;
mod rank;
mod room;
mod score;
pub(crate) mod standings;
mod target;
mod walk;

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;
use milepost_proto::tracker::v1::campaign::State;
use milepost_proto::tracker::v1::campaign_criterion::Kind;
use milepost_proto::tracker::v1::{Campaign, CampaignCriterion, CampaignMember};
use milepost_resource::{
    By, Checked, Index, Rules, Unreadable, When, check_state, date, date_message, known_state,
};
use milepost_types::{DamagedRow, Decimal, Precondition, Rejection, ResourceId, Violations, limits, quoted};

pub(crate) use actions::{Amendment, SignOff, amend, cancel, close, open, revise, sign_off};

use crate::decide::{Scope, Tracker, between};
use crate::names::{CampaignName, ProjectName};
use crate::parent::{Followed, missing_member};
use crate::tables;

/// The campaigns of each portfolio that have standings each day, by their first day.
pub(crate) const OPEN: Index =
    Index { tag: 72, live: true, when: &[When::Is("state", State::Open as i32)], orders: false, ..BY_START };

/// The campaigns of each portfolio by their first day.
const BY_START: Index =
    Index { tag: 71, under: 1, by: &[By::Field("start_date")], live: false, when: &[], orders: true };

impl Rules<Tracker> for Campaign {
    type Above = Followed<Self>;

    const TABLE: u8 = 70;
    const TABLE_NAME: &'static str = "tracker.campaign";
    const ID_PREFIX: char = 'c';
    const INDEXES: &'static [Index] = &[BY_START, OPEN];

    fn check_field(&self, field: &str, violations: &mut Violations) {
        if field == "criteria" {
            check_criteria(&self.criteria, violations);
        }
    }

    fn check(&self, violations: &mut Violations) {
        if !violations.are_of("criteria") {
            check_tie_breakers(&self.criteria, &self.tie_breakers, violations);
        }
        check_pioneer_rule(self, violations);
        let (Some(start), Some(end)) = (first_day(self), last_day(self)) else { return };
        if end < start {
            let description = format!("{end} is before {start}, the first day; exchange them or correct one");
            return violations.push("end_date", "INVALID_PERIOD", description);
        }
        if between(start, end) > limits::CAMPAIGN_DAYS {
            let limit = limits::CAMPAIGN_DAYS;
            let description = format!("{end} is more than {limit} days after {start}, the first day");
            violations.push("end_date", "OUT_OF_RANGE", description);
        }
        check_members(self, (start, end), violations);
    }

    /// What may be done to a campaign, and what a day makes of it, depends on these.
    fn check_stored(&self) -> Result<(), Unreadable> {
        known_state(self)?;
        if first_day(self).is_none() || last_day(self).is_none() {
            return Err(Unreadable::new("its first or its last day is no date"));
        }
        if self.state() != State::Draft && self.targets.len() > self.members.len() {
            return Err(Unreadable::of("targets", "are more than its members"));
        }
        Ok(())
    }

    fn begin(&mut self) {
        self.set_state(State::Draft);
    }

    fn admit(
        scope: &Scope<'_>,
        before: Option<&Checked<Self>>,
        after: &Checked<Self>,
    ) -> Result<(), Rejection> {
        let live = before.filter(|before| !before.is_deleted());
        if let Some(before) = live.filter(|before| judged(before) != judged(after)) {
            check_state(before, "update", &[State::Draft])?;
        }
        let before = before.iter().flat_map(|before| &before.members);
        let known: HashSet<&str> = before.map(|member| member.project.as_str()).collect();
        let members = after.members.iter().map(|member| member.project.as_str()).enumerate();
        let new = members.filter(|(_, project)| !known.contains(project));
        let new = new.map(|(i, project)| (format!("campaign.members[{i}].project"), project));
        let mut violations = Violations::new();
        let conditions = check_projects(scope, after.name().parent_ids(), new, &mut violations)?;
        violations.into_result(())?;
        Rejection::unless_met(conditions)
    }

    fn release(_: &Scope<'_>, campaign: &Checked<Self>) -> Result<(), Rejection> {
        check_state(campaign, "delete", &[State::Draft, State::Cancelled])
    }
}

/// The first day.
fn first_day(campaign: &Campaign) -> Option<Date> {
    date(campaign.start_date.as_ref())
}

/// The last day.
fn last_day(campaign: &Campaign) -> Option<Date> {
    date(campaign.end_date.as_ref())
}

/// What of a campaign is fixed once it is opened, but by its methods.
fn judged(campaign: &Campaign) -> impl PartialEq + '_ {
    let Campaign { start_date, end_date, members, criteria, tie_breakers, pioneer_rule, veto, .. } = campaign;
    (start_date, end_date, members, criteria, (tie_breakers, pioneer_rule, veto))
}

/// The first and the last day of a stored one.
///
/// # Errors
/// If one is no date.
fn days_of(name: &CampaignName, campaign: &Campaign) -> Result<(Date, Date), DamagedRow> {
    let days = first_day(campaign).zip(last_day(campaign));
    days.ok_or_else(|| name.damaged("its first or its last day is no date"))
}

/// The first day of a member.
fn join_day(member: &CampaignMember, start: Date) -> Date {
    date(member.join_date.as_ref()).unwrap_or(start)
}

/// Whether a member takes part on a day.
fn takes_part(member: &CampaignMember, start: Date, day: Date) -> bool {
    join_day(member, start) <= day && date(member.leave_date.as_ref()).is_none_or(|leave| day < leave)
}

/// Finds what is wrong with what is judged by, under `criteria`.
pub(crate) fn check_criteria(criteria: &[CampaignCriterion], violations: &mut Violations) {
    let mut seen = HashMap::new();
    for (i, criterion) in criteria.iter().enumerate() {
        let id = &criterion.id;
        if !id.is_empty() && id.parse::<ResourceId>().is_err() {
            let description = format!("{} is no id: lower-case letters, digits and hyphens", quoted(id));
            violations.push(format!("criteria[{i}].id"), "INVALID_ID", description);
        }
        if let Some(first) = seen.insert(id, i).filter(|_| !id.is_empty()) {
            let description = format!("{} is the id of criteria[{first}] already", quoted(id));
            violations.push(format!("criteria[{i}].id"), "DUPLICATE", description);
        }
        if criterion.deductions.is_some() && criterion.kind() == Kind::Progress {
            let description = "progress is not judged by what inspections found; leave it out";
            violations.push(format!("criteria[{i}].deductions"), "NOT_ALLOWED", description);
        }
    }
    let sum: i64 = criteria.iter().map(|criterion| i64::from(criterion.weight_bp)).sum();
    if !criteria.is_empty() && sum != i64::from(limits::CAMPAIGN_WEIGHT) {
        let description = format!("the weights add up to {sum}, not to {}", limits::CAMPAIGN_WEIGHT);
        violations.push("criteria", "WRONG_SUM", description);
    }
}

/// Finds tie-breakers that are no criteria.
pub(crate) fn check_tie_breakers(
    criteria: &[CampaignCriterion],
    tie_breakers: &[String],
    violations: &mut Violations,
) {
    for (i, id) in tie_breakers.iter().enumerate() {
        if !criteria.iter().any(|criterion| criterion.id == *id) {
            let description = format!("{} is the id of no criterion", quoted(id));
            violations.push(format!("tie_breakers[{i}]"), "UNKNOWN_CRITERION", description);
        }
    }
}

/// Finds a least score that no total can have.
fn check_pioneer_rule(campaign: &Campaign, violations: &mut Violations) {
    let Some(rule) = &campaign.pioneer_rule else { return };
    let (Ok(score), Ok(most)) = (rule.min_score.parse::<Decimal>(), Decimal::from_micros(100_000_000)) else {
        return;
    };
    if score < Decimal::default() || score > most {
        let description = "a total is from 0 to 100; give a score in between, or leave it out";
        violations.push("pioneer_rule.min_score", "OUT_OF_RANGE", description);
    }
}

/// Finds what is wrong with the days of members, and between those of one project.
fn check_members(campaign: &Campaign, (start, end): (Date, Date), violations: &mut Violations) {
    let mut stays = HashMap::<&str, Vec<(Date, Date, usize)>>::new();
    for (i, member) in campaign.members.iter().enumerate() {
        let join = join_day(member, start);
        if join < start || join > end {
            let description = format!("{join} is no day of the campaign, from {start} to {end}");
            violations.push(format!("members[{i}].join_date"), "OUT_OF_RANGE", description);
        }
        let leave = date(member.leave_date.as_ref()).unwrap_or(Date::MAX);
        if leave < join {
            let description = format!("{leave} is before {join}, the day on which it joins");
            violations.push(format!("members[{i}].leave_date"), "INVALID_PERIOD", description);
        }
        if join < leave {
            stays.entry(&member.project).or_default().push((join, leave, i));
        }
    }
    let mut overlapping: Vec<usize> = Vec::new();
    for mut of_project in stays.into_values() {
        of_project.sort_unstable();
        let mut until = Date::MIN;
        for (join, leave, i) in of_project {
            if join < until {
                overlapping.push(i);
            }
            until = until.max(leave);
        }
    }
    overlapping.sort_unstable();
    for i in overlapping {
        let description = "the project is a member on some of these days already";
        violations.push(format!("members[{i}].project"), "OVERLAP", description);
    }
}

/// Finds projects, each with the field that names it, that are in another portfolio than this. Returns the conditions that
/// others do not meet: those that are not there.
fn check_projects<'a>(
    scope: &Scope<'_>,
    portfolio: &[ResourceId],
    projects: impl Iterator<Item = (String, &'a str)>,
    violations: &mut Violations,
) -> Result<Vec<Precondition>, DamagedRow> {
    let mut missing = Vec::new();
    for (field, project) in projects {
        let Some(name) = violations.check(field.clone(), project.parse::<ProjectName>()) else { continue };
        if name.parent_ids() != portfolio {
            let description = format!("{name} is in another portfolio than the campaign");
            violations.push(field, "OTHER_PARENT", description);
            continue;
        }
        missing.extend(missing_member(
            &field,
            &name,
            tables::project::is_deleted(scope.rows.read, name.ids())?,
        ));
    }
    Ok(missing)
}

/// The name of a member's project, which was checked.
fn project_of(name: &CampaignName, project: &str) -> Result<ProjectName, DamagedRow> {
    project.parse().map_err(|error| name.damaged(error))
}

/// A member that joins on a day.
fn joining(member: &CampaignMember, day: Date) -> CampaignMember {
    CampaignMember { join_date: Some(date_message(day)), ..member.clone() }
}

#[cfg(test)]
mod tests;
