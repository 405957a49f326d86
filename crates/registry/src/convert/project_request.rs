//! Requests about projects.

use std::collections::HashSet;

use milepost_proto::google::r#type as gtype;
use milepost_proto::registry::v1 as proto;
use milepost_service::request::check_nested;
use milepost_types::{PortfolioName, PortfolioPattern, ProjectName, Violations, limits, text};

use super::project::{KNOWN, patch};
use super::{request, value};
use crate::project::status::Move;
use crate::project::{Command, Details};
use crate::record::Create;

/// A wish to create a project.
pub(crate) fn create(request: proto::CreateProjectRequest, violations: &mut Violations) -> Option<Command> {
    let parent = violations.check("parent", request.parent.parse());
    let create = one(parent, request, violations)?;
    Some(Command::Create(create))
}

fn one(
    parent: Option<PortfolioName>,
    request: proto::CreateProjectRequest,
    violations: &mut Violations,
) -> Option<Create<PortfolioName, Details>> {
    let id = request::id("project_id", &request.project_id, violations);
    let details = request::details(request.project, patch, violations);
    request::create(parent, id, details)
}

/// A wish to create several projects.
pub(crate) fn create_several(
    request: proto::BatchCreateProjectsRequest,
    violations: &mut Violations,
) -> Option<Command> {
    let parent: Option<PortfolioName> = violations.check("parent", request.parent.parse());
    if request.requests.is_empty() {
        return violations.require("requests", None);
    }
    if !violations.check_count("requests", request.requests.len(), limits::BATCH_REQUESTS) {
        return None;
    }
    let mut ids = HashSet::new();
    let mut creates = Vec::with_capacity(request.requests.len());
    for (i, mut each) in request.requests.into_iter().enumerate() {
        let mut found = Violations::new();
        if !each.parent.is_empty() && each.parent != request.parent {
            found.push("parent", "OTHER_PARENT", "leave it empty, or give the parent of the whole request");
        }
        check_nested(&mut each, &mut found);
        if !each.project_id.is_empty() && !ids.insert(each.project_id.clone()) {
            found.push("project_id", "DUPLICATE", "another of these requests has the same id");
        }
        creates.extend(one(parent.clone(), each, &mut found));
        violations.nest(&format!("requests[{i}]"), found);
    }
    violations.is_empty().then_some(Command::CreateSeveral(creates))
}

/// A wish to change fields of a project.
pub(crate) fn update(request: proto::UpdateProjectRequest, violations: &mut Violations) -> Option<Command> {
    let update =
        request::update::<Details, _, _>(request.update_mask, &KNOWN, request.project, patch, violations);
    update.map(Command::Update)
}

/// A wish to delete a project.
pub(crate) fn delete(request: &proto::DeleteProjectRequest, violations: &mut Violations) -> Option<Command> {
    request::target(&request.name, &request.etag, violations).map(Command::Delete)
}

/// A wish to undelete a project.
pub(crate) fn undelete(
    request: &proto::UndeleteProjectRequest,
    violations: &mut Violations,
) -> Option<Command> {
    request::target(&request.name, &request.etag, violations).map(Command::Undelete)
}

/// A wish to prepare a project.
pub(crate) fn prepare(request: proto::PrepareProjectRequest, violations: &mut Violations) -> Option<Command> {
    let target = request::target(&request.name, &request.etag, violations);
    let reason = value::optional_reason(request.reason, violations);
    Some(Command::Move(target?, Move::Prepare, reason?))
}

/// A wish to start a project.
pub(crate) fn start(request: proto::StartProjectRequest, violations: &mut Violations) -> Option<Command> {
    let target = request::target(&request.name, &request.etag, violations);
    let reason = value::optional_reason(request.reason, violations);
    let date = day("start_date", request.start_date, violations);
    Some(Command::Move(target?, Move::Start(date?), reason?))
}

/// A wish to tell that a project is built.
pub(crate) fn complete(
    request: proto::CompleteProjectRequest,
    violations: &mut Violations,
) -> Option<Command> {
    let target = request::target(&request.name, &request.etag, violations);
    let reason = value::optional_reason(request.reason, violations);
    let date = day("completion_date", request.completion_date, violations);
    Some(Command::Move(target?, Move::Complete(date?), reason?))
}

/// A wish to tell that a project is in use.
pub(crate) fn commission(
    request: proto::CommissionProjectRequest,
    violations: &mut Violations,
) -> Option<Command> {
    let target = request::target(&request.name, &request.etag, violations);
    let reason = value::optional_reason(request.reason, violations);
    let date = day("commission_date", request.commission_date, violations);
    Some(Command::Move(target?, Move::Commission(date?), reason?))
}

/// A wish to stop a project for a time.
pub(crate) fn suspend(request: proto::SuspendProjectRequest, violations: &mut Violations) -> Option<Command> {
    let target = request::target(&request.name, &request.etag, violations);
    let reason = violations.check("reason", text::text(request.reason));
    Some(Command::Move(target?, Move::Suspend, reason?))
}

/// A wish to go on with a project.
pub(crate) fn resume(request: proto::ResumeProjectRequest, violations: &mut Violations) -> Option<Command> {
    let target = request::target(&request.name, &request.etag, violations);
    let reason = violations.check("reason", text::text(request.reason));
    Some(Command::Move(target?, Move::Resume, reason?))
}

/// A wish to give a project up.
pub(crate) fn cancel(request: proto::CancelProjectRequest, violations: &mut Violations) -> Option<Command> {
    let target = request::target(&request.name, &request.etag, violations);
    let reason = violations.check("reason", text::text(request.reason));
    Some(Command::Move(target?, Move::Cancel, reason?))
}

/// The projects that are to be read together, and under which parent.
pub(crate) fn names(
    request: &proto::BatchGetProjectsRequest,
    violations: &mut Violations,
) -> Option<(PortfolioPattern, Vec<ProjectName>)> {
    let parent: Option<PortfolioPattern> = violations.check("parent", request.parent.parse());
    if request.names.is_empty() {
        return violations.require("names", None);
    }
    if !violations.check_count("names", request.names.len(), limits::BATCH_REQUESTS) {
        return None;
    }
    let names = value::project_names("names", &request.names, violations);
    if let Some(parent) = &parent {
        for (i, name) in names.iter().filter(|(_, name)| !parent.matches(name.portfolio())) {
            violations.push(format!("names[{i}]"), "OTHER_PARENT", format!("{name} is not in {parent}"));
        }
    }
    Some((parent?, names.into_iter().map(|(_, name)| name).collect()))
}

fn day(
    field: &str,
    given: Option<gtype::Date>,
    violations: &mut Violations,
) -> Option<Option<jiff::civil::Date>> {
    violations.check_optional(field, given, value::date)
}
