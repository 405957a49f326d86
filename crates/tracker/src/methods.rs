//! The methods of resources besides the standard ones: from their requests to what is to be done.
//!
//! Invariant: reading a request finds every fault of it at once. No rule of the domain is here.

mod campaign;
mod date;
pub(crate) mod forecasts;
mod service_request;
mod supervision;
mod template;
mod timeline;
mod warning;

pub(crate) use campaign::of_campaigns;
pub(crate) use service_request::of_service_requests;
pub(crate) use supervision::{of_findings, of_inspections, of_rectification_orders};
pub(crate) use template::{of_template_versions, of_templates};

use std::collections::HashSet;

use milepost_proto::google::r#type as gtype;
use milepost_proto::resource::{Resource, TargetRequest};
use milepost_proto::tracker::v1::*;
use milepost_resource::{
    Act, Method, Name, ParentIds, ReadText, Standard, act, call, create, evidence, optional_date,
    optional_text, required_text, write,
};
use milepost_service::request::check_nested;
use milepost_service::value::date;
use milepost_types::{GoOn, Violations, limits};

use crate::command::Command;
use crate::decide::Tracker;
use crate::milestone::{
    Reforecast, StateChange, StateReport, add_evidence, change_state, rebaseline, reforecast,
};
use crate::names::{MilestoneName, ProjectName};

pub(crate) use timeline::of_timeline_entries;
pub(crate) use warning::{of_excuses, of_warning_policies};

/// The methods of milestones.
pub(crate) fn of_milestones() -> Vec<(&'static str, Method<Tracker>)> {
    vec![
        write("BatchCreateMilestones", create_several),
        call("ListMilestoneForecasts", forecasts::list),
        call("GetCurrentDate", date::current),
        call("AdvanceDate", date::advance),
        write("ReforecastMilestone", |request: ReforecastMilestoneRequest, violations| {
            act(&request, reforecast, violations, |violations| {
                let reason = optional_text("reason", &request.reason, violations);
                let forecast = optional_date("forecast_date", request.forecast_date, violations);
                let reported = optional_date("reported_date", request.reported_date, violations);
                Some(Reforecast { forecast: forecast?, reason, reported: reported? })
            })
        }),
        write("RebaselineMilestone", |request: RebaselineMilestoneRequest, violations| {
            act(&request, rebaseline, violations, |violations| {
                let reason = required_text("reason", &request.reason, violations);
                let given = violations.require("baseline_date", request.baseline_date);
                let baseline = given.and_then(|given| violations.check("baseline_date", date(given)));
                Some((baseline?, reason))
            })
        }),
        write("AchieveMilestone", |request: AchieveMilestoneRequest, violations| {
            let alone = request.break_coupling;
            let reason: ReadText = if alone { required_text } else { optional_text };
            let reason = (reason, request.reason.as_str());
            state_change(&request, reason, request.reported_date, violations, |violations| {
                let actual = optional_date("actual_date", request.actual_date, violations)?;
                Some(if alone { StateChange::AchieveAlone(actual) } else { StateChange::Achieve(actual) })
            })
        }),
        template::achieve_coupled_milestones(),
        template::extend_approval(),
        template::list_requirements(),
        write("PartiallyAchieveMilestone", |request: PartiallyAchieveMilestoneRequest, violations| {
            let reason = (required_text as ReadText, request.reason.as_str());
            state_change(&request, reason, request.reported_date, violations, |violations| {
                let actual = optional_date("actual_date", request.actual_date, violations);
                Some(StateChange::PartiallyAchieve(actual?))
            })
        }),
        write("MissMilestone", |request: MissMilestoneRequest, violations| {
            let reason = (required_text as ReadText, request.reason.as_str());
            state_change(&request, reason, request.reported_date, violations, |violations| {
                optional_date("date", request.date, violations).map(StateChange::Miss)
            })
        }),
        write("CancelMilestone", |request: CancelMilestoneRequest, violations| {
            let reason = (required_text as ReadText, request.reason.as_str());
            state_change(&request, reason, request.reported_date, violations, |violations| {
                optional_date("date", request.date, violations).map(StateChange::Cancel)
            })
        }),
        write("ReopenMilestone", |request: ReopenMilestoneRequest, violations| {
            let reason = (required_text as ReadText, request.reason.as_str());
            state_change(&request, reason, request.reported_date, violations, |violations| {
                optional_date("date", request.date, violations).map(StateChange::Reopen)
            })
        }),
        write("AddMilestoneEvidence", |request: AddMilestoneEvidenceRequest, violations| {
            act(&request, add_evidence, violations, |violations| {
                evidence(request.evidence.clone(), violations)
            })
        }),
    ]
}

/// A change of state, for this reason, as it was reported on a day.
fn state_change(
    request: &impl TargetRequest,
    (reason, said): (ReadText, &str),
    reported: Option<gtype::Date>,
    violations: &mut Violations,
    to: impl FnOnce(&mut Violations) -> Option<StateChange>,
) -> Option<Box<dyn Act<Tracker>>> {
    act(request, change_state, violations, |violations| {
        let reason = reason("reason", said, violations);
        let change = to(violations);
        let reported = optional_date("reported_date", reported, violations);
        Some(StateReport { change: change?, reason, reported: reported? })
    })
}

/// Several milestones to be created in one portfolio, each under its own project or all under one.
pub(crate) fn create_several(
    request: BatchCreateMilestonesRequest,
    violations: &mut Violations,
) -> Option<Box<dyn Act<Tracker>>> {
    let parent = in_portfolio::<Milestone>("a batch is in", &request.parent, violations);
    if request.requests.is_empty() {
        violations.require::<()>("requests", None);
    }
    if !violations.check_count("requests", request.requests.len(), limits::BATCH_REQUESTS) {
        return None;
    }
    let mut seen = HashSet::new();
    let mut new = Vec::with_capacity(request.requests.len());
    for (i, mut each) in request.requests.into_iter().enumerate() {
        let mut found = Violations::new();
        check_nested(&mut each, &mut found);
        let project = project(parent.as_ref(), &each.parent, &mut found);
        let ids = project.as_ref().map(|project| project.ids().to_vec());
        let field = format!("requests[{i}].milestone");
        let id = each.milestone_id.clone();
        if let Some(created) = create::<Tracker, Milestone>(&mut each, field, ids, &mut found) {
            if !id.is_empty() && !seen.insert((project, id)) {
                found.push("milestone_id", "DUPLICATE", "the id is given twice for one project");
            }
            new.push(created);
        }
        violations.nest(&format!("requests[{i}]"), found);
    }
    parent?;
    Some(Box::new(Standard::<Milestone>::Create { new, answer: Some("milestones") }))
}

/// The parent of what `is_in` (or of) one portfolio: that, or a project of it.
fn in_portfolio<R: Resource>(is_in: &str, given: &str, violations: &mut Violations) -> Option<ParentIds> {
    let parent = violations.check("parent", ParentIds::read::<R>(given))?;
    if parent.0.is_empty() {
        let description = format!("{is_in} one portfolio; give portfolios/{{portfolio}}/projects/-");
        violations.push("parent", "INVALID_NAME", description);
        return None;
    }
    Some(parent)
}

/// The project of one request of a batch, which need not say it if the batch's parent is one project.
fn project(parent: Option<&ParentIds>, given: &str, violations: &mut Violations) -> Option<ProjectName> {
    let project = match parent.and_then(|parent| Name::of(parent.0.clone())) {
        Some(project) if given.is_empty() => Some(project),
        _ => violations.check("parent", given.parse::<ProjectName>()),
    };
    if let (Some(parent), Some(project)) = (parent, &project)
        && !project.ids().starts_with(&parent.0)
    {
        let batch = parent.text::<Milestone>();
        let description = format!("{project} is not in the batch's parent, {batch}");
        violations.push("parent", "OTHER_PARENT", description);
    }
    project
}

/// The command to follow the registry from another position on.
pub(crate) fn reset_follower(to: GoOn, why: &str, violations: &mut Violations) -> Option<Command> {
    Some(Command::ResetFollower { to, reason: required_text("reason", why, violations) })
}

/// The name of a milestone in a request that reads.
fn name(given: &str, violations: &mut Violations) -> Option<MilestoneName> {
    violations.check("name", given.parse())
}

#[cfg(test)]
mod tests;
