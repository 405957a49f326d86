//! Requests to create milestones, one or many.
//!
//! Invariants: the faults of all requests of a batch are reported at once, under `requests[i]`; every
//! milestone of a batch is in the batch's parent, and no id stands twice in a project.

use std::collections::BTreeSet;

use milepost_proto::tracker::v1 as proto;
use milepost_service::mask::Mask;
use milepost_service::request::check_nested;
use milepost_types::{PortfolioName, ProjectName, ProjectPattern, Violations, limits};

use super::fields;
use super::request::optional_date;
use crate::command::Command;
use crate::milestone::Draft;

/// A command to create one milestone.
pub(super) fn create(request: proto::CreateMilestoneRequest, violations: &mut Violations) -> Option<Command> {
    let project: Option<ProjectName> = violations.check("parent", request.parent.parse());
    let draft = draft(project, &request.milestone_id, request.milestone, violations)?;
    Some(Command::Create { portfolio: draft.project.portfolio().clone(), drafts: vec![draft] })
}

/// A command to create several.
pub(super) fn batch(
    request: proto::BatchCreateMilestonesRequest,
    violations: &mut Violations,
) -> Option<Command> {
    let parent = violations.check("parent", request.parent.parse()).and_then(|parent| match parent {
        ProjectPattern::All => {
            let description = "a batch is in one portfolio; give portfolios/{portfolio}/projects/-";
            violations.push("parent", "INVALID_NAME", description);
            None
        }
        ProjectPattern::One(_) | ProjectPattern::InPortfolio(_) => Some(parent),
    });
    if request.requests.is_empty() {
        violations.require::<()>("requests", None);
    }
    if !violations.check_count("requests", request.requests.len(), limits::BATCH_REQUESTS) {
        return None;
    }
    let count = request.requests.len();
    let mut drafts = Vec::with_capacity(count);
    let mut seen = BTreeSet::new();
    for (index, request) in request.requests.into_iter().enumerate() {
        let mut found = Violations::new();
        if let Some(draft) = member(parent.as_ref(), request, &mut found) {
            if draft.id.is_some() && !seen.insert((draft.project.clone(), draft.id.clone())) {
                found.push("milestone_id", "DUPLICATE", "the id is given twice for one project");
            }
            drafts.push(draft);
        }
        violations.nest(&format!("requests[{index}]"), found);
    }
    let portfolio: PortfolioName = parent?.portfolio()?.clone();
    (drafts.len() == count).then_some(Command::Create { portfolio, drafts })
}

/// One request of a batch.
fn member(
    parent: Option<&ProjectPattern>,
    mut request: proto::CreateMilestoneRequest,
    violations: &mut Violations,
) -> Option<Draft> {
    check_nested(&mut request, violations);
    let project = match (parent.and_then(ProjectPattern::project), request.parent.as_str()) {
        (Some(project), "") => Some(project.clone()),
        (_, given) => violations.check("parent", given.parse::<ProjectName>()),
    };
    if let (Some(parent), Some(project)) = (parent, &project)
        && !parent.matches(project)
    {
        violations.push(
            "parent",
            "OTHER_PARENT",
            format!("{project} is not in the batch's parent, {parent}"),
        );
    }
    draft(project, &request.milestone_id, request.milestone, violations)
}

fn draft(
    project: Option<ProjectName>,
    id: &str,
    milestone: Option<proto::Milestone>,
    violations: &mut Violations,
) -> Option<Draft> {
    let id = violations.check_optional("milestone_id", (!id.is_empty()).then_some(id), str::parse);
    let milestone = violations.require("milestone", milestone)?;
    let mut found = Violations::new();
    let baseline = optional_date("baseline_date", milestone.baseline_date, &mut found);
    let forecast = optional_date("forecast_date", milestone.forecast_date, &mut found);
    let message = proto::Milestone { baseline_date: None, forecast_date: None, ..milestone };
    let details = fields::details(fields::patch(message, &Mask::All, &mut found));
    violations.nest("milestone", found);
    Some(Draft { project: project?, id: id?, details: details?, baseline: baseline?, forecast: forecast? })
}
