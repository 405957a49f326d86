//! The methods of campaigns besides the standard ones: from their requests to what is to be done, or read.
//!
//! Invariant: reading a request finds every fault of it at once. No rule of the domain is here.

use std::collections::HashSet;
use std::hash::Hash;

use jiff::civil::Date;
use milepost_proto::figure::v1::Knowledge;
use milepost_proto::google::r#type as gtype;
use milepost_proto::resource::Node;
use milepost_proto::tracker::v1::*;
use milepost_resource::{
    Method, Query, act, check_fields, check_message, enum_value, names, optional_date, query, reason_and_day,
    required_text, write, write_by_all,
};
use milepost_types::{Rejection, Violations, limits};

use crate::campaign::standings::{StandingsRequest, answer};
use crate::campaign::{
    Amendment, SignOff, amend, cancel, check_criteria, check_tie_breakers, close, open, revise, sign_off,
};
use crate::decide::Tracker;

/// The methods of campaigns.
pub(crate) fn of_campaigns() -> Vec<(&'static str, Method<Tracker>)> {
    vec![
        query(
            "GetCampaignStandings",
            read_standings,
            |request: &GetCampaignStandingsRequest| &request.min_revisions,
            standings,
        ),
        write("OpenCampaign", |request: OpenCampaignRequest, violations| {
            act(&request, open, violations, |violations| optional_date("date", request.date, violations))
        }),
        write("AmendCampaign", |request: AmendCampaignRequest, violations| {
            act(&request, amend, violations, |violations| amendment(&request, violations))
        }),
        write_by_all("CloseCampaign", |request: CloseCampaignRequest, violations| {
            act(&request, close, violations, |violations| optional_date("date", request.date, violations))
        }),
        write("CancelCampaign", |request: CancelCampaignRequest, violations| {
            act(&request, cancel, violations, |violations| {
                reason_and_day(&request.reason, request.date, violations)
            })
        }),
        write_by_all("SignOffCampaign", |request: SignOffCampaignRequest, violations| {
            act(&request, sign_off, violations, |violations| {
                let given = (request.date, &request.pioneers[..], &request.exclusions[..]);
                ending(String::new(), given, violations)
            })
        }),
        write_by_all("ReviseCampaign", |request: ReviseCampaignRequest, violations| {
            act(&request, revise, violations, |violations| {
                let reason = required_text("reason", &request.reason, violations);
                let given = (request.date, &request.pioneers[..], &request.exclusions[..]);
                let ending = ending(String::new(), given, violations);
                Some(SignOff { reason, ..ending? })
            })
        }),
    ]
}

fn amendment(request: &AmendCampaignRequest, violations: &mut Violations) -> Option<Amendment> {
    let date = optional_date("date", request.date, violations);
    let reason = required_text("reason", &request.reason, violations);
    if request.add_members.is_empty() && request.remove_members.is_empty() && request.criteria.is_empty() {
        let description = "say what changes: members to add or to remove, or criteria";
        violations.push("add_members", "NO_CHANGE", description);
    }
    let fits = check_messages("add_members", &request.add_members, limits::CAMPAIGN_MEMBERS, violations);
    for (i, member) in request.add_members.iter().enumerate() {
        for (field, given) in [("join_date", member.join_date), ("leave_date", member.leave_date)] {
            if given.is_some() {
                let description = "who is added joins on the day after, and stays; leave it out";
                violations.push(format!("add_members[{i}].{field}"), "NOT_ALLOWED", description);
            }
        }
    }
    let removed = projects("remove_members", &request.remove_members, violations);
    let (criteria, tie_breakers) = weights(request, violations)?;
    Some(Amendment {
        reason,
        date: date?,
        add: fits.then(|| request.add_members.clone())?,
        remove: removed?,
        criteria,
        tie_breakers,
    })
}

/// What is judged by from then on, checked as it is in a campaign; nothing if that stays.
fn weights(
    request: &AmendCampaignRequest,
    violations: &mut Violations,
) -> Option<(Vec<CampaignCriterion>, Vec<String>)> {
    if request.criteria.is_empty() {
        return Some((Vec::new(), Vec::new()));
    }
    let (criteria, tie_breakers) = (request.criteria.clone(), request.tie_breakers.clone());
    let mut given = Campaign { criteria, tie_breakers, ..Campaign::default() };
    check_fields(&mut given, &["criteria", "tie_breakers"], violations);
    if given.criteria.len().max(given.tie_breakers.len()) > limits::CAMPAIGN_CRITERIA {
        return None;
    }
    check_criteria(&given.criteria, violations);
    if !violations.are_of("criteria") {
        check_tie_breakers(&given.criteria, &given.tie_breakers, violations);
    }
    Some((given.criteria, given.tie_breakers))
}

/// How a campaign ends, but for the reason.
fn ending(
    reason: String,
    (date, pioneers, exclusions): (Option<gtype::Date>, &[String], &[CampaignExclusion]),
    violations: &mut Violations,
) -> Option<SignOff> {
    let date = optional_date("date", date, violations);
    let pioneers = projects("pioneers", pioneers, violations);
    let fits = check_messages("exclusions", exclusions, limits::CAMPAIGN_MEMBERS, violations);
    if fits {
        let excluded = exclusions.iter().map(|exclusion| exclusion.project.as_str()).enumerate();
        each_once(excluded, |i| format!("exclusions[{i}].project"), violations);
    }
    Some(SignOff { reason, date: date?, pioneers: pioneers?, exclusions: fits.then(|| exclusions.to_vec())? })
}

/// Names of projects, none twice.
fn projects(field: &str, given: &[String], violations: &mut Violations) -> Option<Vec<String>> {
    if !violations.check_count(field, given.len(), limits::CAMPAIGN_MEMBERS) {
        return None;
    }
    let read = names::<milepost_proto::registry::v1::Project>(field, given, violations);
    each_once(read.iter().map(|(i, name)| (*i, name)), |i| format!("{field}[{i}]"), violations);
    Some(given.to_vec())
}

/// Finds projects that are given twice, each with its index, of which `field` makes the field.
fn each_once<T: Eq + Hash>(
    projects: impl Iterator<Item = (usize, T)>,
    field: impl Fn(usize) -> String,
    violations: &mut Violations,
) {
    let mut seen = HashSet::new();
    for (i, project) in projects {
        if !seen.insert(project) {
            violations.push(field(i), "DUPLICATE", "the project is given twice");
        }
    }
}

/// Checks the fields of messages in a list; false if there are too many.
fn check_messages<M: Node + Clone>(
    field: &str,
    given: &[M],
    limit: usize,
    violations: &mut Violations,
) -> bool {
    if !violations.check_count(field, given.len(), limit) {
        return false;
    }
    for (i, message) in given.iter().enumerate() {
        let mut found = Violations::new();
        check_message(&mut message.clone(), &mut found);
        violations.nest(&format!("{field}[{i}]"), found);
    }
    true
}

fn read_standings(
    request: &GetCampaignStandingsRequest,
    violations: &mut Violations,
) -> Option<StandingsRequest> {
    let name = violations.check("name", request.name.parse());
    let date: Option<Option<Date>> = optional_date("date", request.date, violations);
    let knowledge = enum_value::<Knowledge>("knowledge", request.knowledge, violations);
    if knowledge == Some(Knowledge::ThenStrict) {
        let description = "give KNOWLEDGE_LATEST or KNOWLEDGE_THEN: when a finding was withdrawn is kept by its own day, not by that of the commit";
        violations.push("knowledge", "NOT_ALLOWED", description);
    }
    let sign_off = u32::try_from(request.sign_off).ok();
    if sign_off.is_none() {
        violations.push("sign_off", "OUT_OF_RANGE", "sign-offs are numbered from 1");
    }
    Some(StandingsRequest { name: name?, date: date?, knowledge: knowledge?, sign_off: sign_off? })
}

fn standings(query: Query<'_, Tracker, StandingsRequest>) -> Result<GetCampaignStandingsResponse, Rejection> {
    let revision = query.revision();
    let standings = answer(&query.rows, query.now, query.request)?;
    Ok(GetCampaignStandingsResponse { standings: Some(standings), revision })
}

#[cfg(test)]
mod tests {
    use milepost_proto::tracker::v1::campaign_criterion::Kind;

    use super::*;

    fn faults(read: impl FnOnce(&mut Violations)) -> Vec<String> {
        let mut violations = Violations::new();
        read(&mut violations);
        let Err(found) = violations.into_result(()) else { return Vec::new() };
        found.iter().map(|fault| format!("{} {}", fault.field, fault.reason)).collect()
    }

    fn weighted(tie_breakers: &[&str]) -> AmendCampaignRequest {
        let kind = Kind::Progress.into();
        let criterion =
            CampaignCriterion { id: "progress".into(), kind, weight_bp: 10_000, ..Default::default() };
        AmendCampaignRequest {
            reason: "because".into(),
            criteria: vec![criterion],
            tie_breakers: tie_breakers.iter().map(|id| (*id).to_owned()).collect(),
            ..AmendCampaignRequest::default()
        }
    }

    /// Every day finds the standings of each member by them.
    #[test]
    fn what_an_amendment_judges_by_is_checked_as_in_a_campaign() {
        let found =
            |request: &AmendCampaignRequest| faults(|violations| drop(amendment(request, violations)));
        assert_eq!(found(&weighted(&["progress"])), [""; 0]);
        assert_eq!(found(&weighted(&["progress"; 1_000_000])), ["tie_breakers TOO_MANY"]);
        assert_eq!(found(&weighted(&["progress", "progress"])), ["tie_breakers[1] DUPLICATE"]);
        assert_eq!(found(&weighted(&["x"])), ["tie_breakers[0] UNKNOWN_CRITERION"]);
        let mut many = weighted(&[]);
        many.criteria = vec![many.criteria[0].clone(); 1_000_000];
        assert_eq!(found(&many), ["criteria TOO_MANY"]);
    }

    #[test]
    fn who_is_excluded_is_excluded_once() {
        let project = "portfolios/wsc/projects/a".to_owned();
        let exclusion = CampaignExclusion { project, reason: "no report".into() };
        let given = vec![exclusion.clone(), exclusion];
        let read = |violations: &mut Violations| drop(ending(String::new(), (None, &[], &given), violations));
        assert_eq!(faults(read), ["exclusions[1].project DUPLICATE"]);
    }
}
