//! The methods of resources besides the standard ones: from their requests to what is to be done.
//!
//! Invariant: reading a request finds every fault of it at once. No rule of the domain is here.

use std::collections::HashSet;

use milepost_proto::google::r#type as gtype;
use milepost_proto::registry::v1::*;
use milepost_proto::resource::{CreateRequest as _, Resource, TargetRequest};
use milepost_resource::{
    Act, Custom, Method, Name, ParentIds, ReadText, Rules, Run, Standard, Target, act, create, names,
    optional_date, optional_text, read_create, read_several, reason_and_day, required_text, target, write,
};
use milepost_service::request::check_nested;
use milepost_types::{Rejection, Violations, check_batch, limits};

use crate::batch::{cancel, members, start::start};
use crate::members::{BATCH, Group, MemberChange};
use crate::project::status::{Advance, Move, advance};
use crate::tables::{Registry, Rows};

mod alliance;
mod annual_list;
mod api_token;
mod assignment;
mod collection;
mod indicator;
mod officers;
mod plan;
mod policy;
mod report;

pub(crate) use alliance::{of_activities, of_alliances};
pub(crate) use annual_list::of_annual_lists;
pub(crate) use api_token::of_api_tokens;
pub(crate) use assignment::of_assignments;
pub(crate) use collection::of_collections;
pub(crate) use indicator::{of_indicators, of_observations};
pub(crate) use policy::{of_policies, of_policy_programmes};
pub(crate) use report::of_reports;

/// A method, by its name.
type Named = (&'static str, Method<Registry>);

/// The methods of projects.
pub(crate) fn of_projects() -> Vec<Named> {
    vec![
        write("BatchCreateProjects", create_several),
        read_several("BatchGetProjects", read_names, |request| &request.min_revisions, rows),
        write("AdjustAnnualPlan", plan::adjust_annual_plan),
        write("PrepareProject", |request: PrepareProjectRequest, violations| {
            moved(&request, (optional_text, &request.reason), (Move::Prepare, request.date), violations)
        }),
        write("StartProject", |request: StartProjectRequest, violations| {
            moved(&request, (optional_text, &request.reason), (Move::Start, request.start_date), violations)
        }),
        write("CompleteProject", |request: CompleteProjectRequest, violations| {
            moved(
                &request,
                (optional_text, &request.reason),
                (Move::Complete, request.completion_date),
                violations,
            )
        }),
        write("CommissionProject", |request: CommissionProjectRequest, violations| {
            moved(
                &request,
                (optional_text, &request.reason),
                (Move::Commission, request.commission_date),
                violations,
            )
        }),
        write("SuspendProject", |request: SuspendProjectRequest, violations| {
            moved(&request, (required_text, &request.reason), (Move::Suspend, request.date), violations)
        }),
        write("ResumeProject", |request: ResumeProjectRequest, violations| {
            moved(&request, (required_text, &request.reason), (Move::Resume, request.date), violations)
        }),
        write("CancelProject", |request: CancelProjectRequest, violations| {
            moved(&request, (required_text, &request.reason), (Move::Cancel, request.date), violations)
        }),
    ]
}

/// The methods of batches.
pub(crate) fn of_batches() -> Vec<Named> {
    vec![
        write("CreateBatch", create_batch),
        write("AddBatchMembers", |request: AddBatchMembersRequest, violations| {
            changed_members(&BATCH, &request, (&request.members, request.date), members::add, violations)
        }),
        write("RemoveBatchMembers", |request: RemoveBatchMembersRequest, violations| {
            changed_members(&BATCH, &request, (&request.members, request.date), members::remove, violations)
        }),
        write("StartBatch", |request: StartBatchRequest, violations| {
            Some(Custom::act(target::<Batch>(&request, violations)?, (), start))
        }),
        write("CancelBatch", |request: CancelBatchRequest, violations| {
            act(&request, cancel, violations, |violations| {
                reason_and_day(&request.reason, request.date, violations)
            })
        }),
    ]
}

/// The name of a resource at a field, which may be empty for none.
fn reference<R: Resource>(field: &str, given: String, violations: &mut Violations) -> Option<String> {
    if !given.is_empty() {
        violations.check(field, given.parse::<Name<R>>())?;
    }
    Some(given)
}

/// A move of a project, for this reason and on this day.
fn moved(
    request: &impl TargetRequest,
    (reason, said): (ReadText, &str),
    (step, date): (Move, Option<gtype::Date>),
    violations: &mut Violations,
) -> Option<Box<dyn Act<Registry>>> {
    act(request, advance, violations, |violations| {
        let reason = reason("reason", said, violations);
        let date = optional_date(step.date_field(), date, violations);
        Some(Advance { step, date: date?, reason })
    })
}

/// Several projects to be created under one portfolio.
fn create_several(
    request: BatchCreateProjectsRequest,
    violations: &mut Violations,
) -> Option<Box<dyn Act<Registry>>> {
    let parent: Option<Name<Portfolio>> = violations.check("parent", request.parent.parse());
    let parent = parent.map(|parent| parent.ids().to_vec());
    if request.requests.is_empty() {
        return violations.require("requests", None);
    }
    if !violations.check_count("requests", request.requests.len(), limits::BATCH_REQUESTS) {
        return None;
    }
    let mut ids = HashSet::new();
    let mut new = Vec::with_capacity(request.requests.len());
    for (i, mut each) in request.requests.into_iter().enumerate() {
        let mut found = Violations::new();
        if !each.parent.is_empty() && each.parent != request.parent {
            found.push("parent", "OTHER_PARENT", "leave it empty, or give the parent of the whole request");
        }
        check_nested(&mut each, &mut found);
        if !each.project_id.is_empty() && !ids.insert(each.project_id.clone()) {
            found.push("project_id", "DUPLICATE", "another of these requests has the same id");
        }
        let (field, parent) = (format!("requests[{i}].project"), parent.clone());
        new.extend(create::<Registry, Project>(&mut each, field, parent, &mut found));
        violations.nest(&format!("requests[{i}]"), found);
    }
    Some(Box::new(Standard::<Project>::Create { new, answer: Some("projects") }))
}

/// The projects that are to be read together, and under which parent.
fn read_names(
    request: &BatchGetProjectsRequest,
    violations: &mut Violations,
) -> Option<(ParentIds, Vec<Name<Project>>)> {
    let parent = violations.check("parent", ParentIds::read::<Project>(&request.parent));
    if request.names.is_empty() {
        return violations.require("names", None);
    }
    if !violations.check_count("names", request.names.len(), limits::BATCH_REQUESTS) {
        return None;
    }
    let names: Vec<(usize, Name<Project>)> = names("names", &request.names, violations);
    if let Some(parent) = &parent {
        for (i, name) in names.iter().filter(|(_, name)| !name.ids().starts_with(&parent.0)) {
            let description = format!("{name} is not in {}", parent.text::<Project>());
            violations.push(format!("names[{i}]"), "OTHER_PARENT", description);
        }
    }
    Some((parent?, names.into_iter().map(|(_, name)| name).collect()))
}

/// The rows of these projects.
fn rows(
    rows: &Rows<'_>,
    (parent, names): (ParentIds, Vec<Name<Project>>),
) -> Result<Vec<bytes::Bytes>, Rejection> {
    parent.check_there::<_, Project>(rows)?;
    let found = names.iter().map(|name| rows.row(name).ok_or_else(|| Rejection::not_found(name)));
    let found = found.collect::<Result<Vec<_>, _>>()?;
    check_batch("projects", found.iter().map(bytes::Bytes::len))?;
    // What cannot be decoded is damage.
    names.iter().try_for_each(|name| rows.get(name).map(|_| ()))?;
    Ok(found)
}

/// A batch to be created, whose members are checked here.
fn create_batch(request: CreateBatchRequest, violations: &mut Violations) -> Option<Box<dyn Act<Registry>>> {
    let portfolio = request.parent().parse().ok();
    let given = request.batch.as_ref().map(|batch| batch.members.as_slice()).unwrap_or_default();
    // Between the id and the other fields, as the request has them.
    let mut found = Violations::new();
    BATCH.check_given(given, portfolio.as_ref(), &mut found);
    read_create::<Registry, Batch>(request, violations, found)
}

/// Members to be added to a resource, or to be taken out.
fn changed_members<R: Rules<Registry> + Resource<Parent = Portfolio>>(
    of: &Group,
    request: &impl TargetRequest,
    given: (&[String], Option<gtype::Date>),
    change: Run<Registry, R, MemberChange>,
    violations: &mut Violations,
) -> Option<Box<dyn Act<Registry>>> {
    let (target, members) = read_members(of, request, given, violations);
    Some(Custom::act(target?, members?, change))
}

/// The resource whose members change, and which on which day.
fn read_members<R: Resource<Parent = Portfolio>>(
    of: &Group,
    request: &impl TargetRequest,
    (given, date): (&[String], Option<gtype::Date>),
    violations: &mut Violations,
) -> (Option<Target<R>>, Option<MemberChange>) {
    let target = target::<R>(request, violations);
    if given.is_empty() {
        violations.push("members", "REQUIRED", "give at least one project");
    }
    let portfolio = target.as_ref().map(|target| target.name.parent());
    let members = of.read("members", given, portfolio.as_ref(), violations);
    let members = members.into_iter().map(|(_, member)| member).collect();
    let date = optional_date("date", date, violations);
    (target, date.map(|date| MemberChange { members, date }))
}
