//! The methods of templates and their versions besides the standard ones, and those of milestones that templates make.
//!
//! Invariant: reading a request finds every fault of it at once. What an application answers is built from the events of
//! its entry, so that the same request id answers the same again; only one that changed nothing is answered from the rows.
//! No rule of the domain is here.

use std::sync::Arc;

use milepost_ledger::View;
use milepost_proto::event::v1::event::{Payload, Resource as Carried};
use milepost_proto::event::v1::{Event, TemplateApplied};
use milepost_proto::google::r#type as gtype;
use milepost_proto::tracker::v1::milestone::State;
use milepost_proto::tracker::v1::*;
use milepost_proto::{WriteRequest, rule::AccessRequest};
use milepost_resource::{
    Act, Api, Command as ResourceCommand, MALFORMED, Method, Paging, Query, ReadAct, Rows, act, call,
    optional_date, optional_text, query, required_text, write,
};
use milepost_service::access::Permitted;
use milepost_service::refusal;
use milepost_service::request::Caller;
use milepost_service::status::internal;
use milepost_service::value::date;
use milepost_types::{Rejection, Violations, page_size};
use prost::Message;
use tonic::{Response, Status};

use crate::command::Command;
use crate::decide::Tracker;
use crate::names::{ProjectName, TemplateName, TemplateVersionName};
use crate::template::{
    Application, Dates, Extend, JointReport, ProjectDays, RequirementQuery, Which, achieve_coupled, apply,
    extend, of_project, page, publish, upgrade,
};

type Named = (&'static str, Method<Tracker>);

/// The methods of templates.
pub(crate) fn of_templates() -> Vec<Named> {
    vec![
        call("ApplyTemplate", |api, request: Permitted<ApplyTemplateRequest>| async move {
            let (template, project) = (request.get_ref().name.clone(), request.get_ref().project.clone());
            let Outcome { template_version, made, kept, cancelled, revision } =
                applied(api, request, read_apply, (template, project, String::new())).await?;
            Ok(Response::new(ApplyTemplateResponse { template_version, made, kept, cancelled, revision }))
        }),
        call("UpgradeTemplate", |api, request: Permitted<UpgradeTemplateRequest>| async move {
            let UpgradeTemplateRequest { name, project, version, .. } = request.get_ref().clone();
            let Outcome { template_version, made, kept, cancelled, revision } =
                applied(api, request, read_upgrade, (name, project, version)).await?;
            Ok(Response::new(UpgradeTemplateResponse { template_version, made, kept, cancelled, revision }))
        }),
    ]
}

/// The methods of versions.
pub(crate) fn of_template_versions() -> Vec<Named> {
    vec![write("PublishTemplateVersion", |request: PublishTemplateVersionRequest, violations| {
        act(&request, publish, violations, |violations| {
            optional_date("publish_date", request.publish_date, violations)
        })
    })]
}

/// A method of milestones.
pub(super) fn achieve_coupled_milestones() -> Named {
    write("AchieveCoupledMilestones", |request: AchieveCoupledMilestonesRequest, violations| {
        act(&request, achieve_coupled, violations, |violations| {
            let reason = optional_text("reason", &request.reason, violations);
            let actual = optional_date("actual_date", request.actual_date, violations);
            let reported = optional_date("reported_date", request.reported_date, violations);
            Some(JointReport { actual: actual?, reason, reported: reported? })
        })
    })
}

/// A method of milestones.
pub(super) fn extend_approval() -> Named {
    write("ExtendApproval", |request: ExtendApprovalRequest, violations| {
        act(&request, extend, violations, |violations| {
            let reason = required_text("reason", &request.reason, violations);
            let filed = optional_date("filed_date", request.filed_date, violations);
            let given = violations.require("valid_until", request.valid_until);
            let until = given.and_then(|given| violations.check("valid_until", date(given)));
            Some(Extend { filed: filed?, until: until?, reason })
        })
    })
}

/// A method of milestones.
pub(super) fn list_requirements() -> Named {
    query(
        "ListRequirements",
        read_requirements,
        |request: &ListRequirementsRequest| &request.min_revisions,
        requirements,
    )
}

/// A request for a page of requirements: its query, and the token of the page.
type RequirementsRequest = (RequirementQuery, String);

fn read_requirements(
    request: &ListRequirementsRequest,
    violations: &mut Violations,
) -> Option<RequirementsRequest> {
    let project = violations.check("parent", request.parent.parse::<ProjectName>());
    let date = optional_date("date", request.date, violations);
    let size = violations.check("page_size", page_size(request.page_size));
    let query = RequirementQuery { project: project?, date: date?, size: size?, after: None };
    Some((query, request.page_token.clone()))
}

fn requirements(
    query: Query<'_, Tracker, RequirementsRequest>,
) -> Result<ListRequirementsResponse, Rejection> {
    const METHOD: &str = "milepost.tracker.v1.MilestoneService/ListRequirements";
    let (first, page_token) = query.request;
    let day = first.date.map(|day| day.to_string()).unwrap_or_default();
    let paging = Paging::read(METHOD, [first.project.to_string(), day], page_token)?;
    let asked = RequirementQuery { after: paging.after.clone(), ..first.clone() };
    if !asked.has_sound_token() {
        return Err(MALFORMED);
    }
    let (requirements, next) = page(&query.rows, query.now, &asked)?;
    let next_page_token = paging.next(next, query.position.sequence);
    Ok(ListRequirementsResponse { requirements, next_page_token, revision: query.revision() })
}

/// The project of a request about a template, which is in the same portfolio.
fn project(given: &str, template: &str, violations: &mut Violations) -> Option<ProjectName> {
    let project = violations.check("project", given.parse::<ProjectName>())?;
    let portfolio = template.parse::<TemplateName>().map(|template| template.parent()).ok();
    if portfolio.is_some_and(|portfolio| portfolio != project.parent()) {
        let description = format!("{project} is in another portfolio than the template");
        violations.push("project", "OTHER_PARENT", description);
        return None;
    }
    Some(project)
}

/// The days of a project that a request says, and whether it may do without others.
fn dates(given: [Option<gtype::Date>; 3], allow_undated: bool, violations: &mut Violations) -> Option<Dates> {
    let [start, planned_start, planned_end] = given;
    let start = optional_date("start_date", start, violations);
    let planned_start = optional_date("planned_start_date", planned_start, violations);
    let planned_end = optional_date("planned_end_date", planned_end, violations);
    let days = ProjectDays { start: start?, planned_start: planned_start?, planned_end: planned_end? };
    Some(Dates { days, allow_undated })
}

fn read_apply(request: ApplyTemplateRequest, violations: &mut Violations) -> Option<Box<dyn Act<Tracker>>> {
    act(&request, apply, violations, |violations| {
        let project = project(&request.project, &request.name, violations);
        let which = optional_date("application_date", request.application_date, violations);
        let given = [request.start_date, request.planned_start_date, request.planned_end_date];
        let dates = dates(given, request.allow_undated, violations);
        Some(Application { project: project?, which: which?, dates: dates? })
    })
}

fn read_upgrade(
    request: UpgradeTemplateRequest,
    violations: &mut Violations,
) -> Option<Box<dyn Act<Tracker>>> {
    act(&request, upgrade, violations, |violations| {
        let project = project(&request.project, &request.name, violations);
        let version = violations.check("version", request.version.parse::<TemplateVersionName>());
        if let (Some(version), Ok(template)) = (&version, request.name.parse::<TemplateName>())
            && version.parent() != template
        {
            let description = format!("{version} is a version of another template");
            violations.push("version", "OTHER_PARENT", description);
        }
        let given = [request.start_date, request.planned_start_date, request.planned_end_date];
        let dates = dates(given, request.allow_undated, violations);
        let date = optional_date("date", request.date, violations);
        let reported = optional_date("reported_date", request.reported_date, violations);
        let which = Which { version: version?, date: date?, reported: reported? };
        Some(Application { project: project?, which, dates: dates? })
    })
}

/// What came of an application.
struct Outcome {
    template_version: String,
    made: Vec<Milestone>,
    kept: Vec<String>,
    cancelled: Vec<Milestone>,
    revision: String,
}

/// Submits an application, and says what came of it. `about` is its template, its project and its version.
async fn applied<Q: WriteRequest + AccessRequest + 'static>(
    api: Arc<Api<Tracker>>,
    request: Permitted<Q>,
    read: ReadAct<Tracker, Q>,
    (template, project, template_version): (String, String, String),
) -> Result<Outcome, Status> {
    let refused = |rejection| refusal::status(&rejection);
    let caller = Caller::of_permitted(&request).map_err(refused)?;
    let permit = request.permit().clone();
    let submission = api.submission(&caller, request.into_inner(), |request, violations| {
        let (act, traceparent) = (read(request, violations)?, caller.traceparent.clone());
        Some(Command::from(Arc::new(ResourceCommand { act, traceparent, permit })))
    });
    let submission = submission.await?;
    // Dates are counted from those of the project once, and do not follow it.
    api.catch_up(caller.deadline).await?;
    let receipt = api.submit(submission, caller.deadline).await?;
    let revision = api.revision(receipt.position);
    let decoded: Result<Vec<_>, _> =
        receipt.events.iter().map(|event| Event::decode(event.clone())).collect();
    let events = decoded.map_err(|error| internal("an event of an application cannot be read", &error))?;
    let said = events.iter().find_map(|event| match &event.payload {
        Some(Payload::TemplateApplied(applied)) => Some(applied.clone()),
        _ => None,
    });
    let Some(TemplateApplied { template_version, kept, .. }) = said else {
        // It was up to date before, so its names are sound.
        let read = move |view: &View<'_>| kept_names(&Rows::new(view), &template, &project);
        let kept = api.read_settled(caller.deadline, read).await?;
        return Ok(Outcome { template_version, made: Vec::new(), kept, cancelled: Vec::new(), revision });
    };
    let (mut made, mut cancelled) = (Vec::<Milestone>::new(), Vec::new());
    for event in events {
        let Some(Carried::MilestoneResource(milestone)) = event.resource else { continue };
        match event.payload {
            Some(Payload::Created(_)) => made.push(milestone),
            Some(Payload::MilestoneStateChanged(changed)) if changed.state() == State::Cancelled => {
                cancelled.push(milestone);
            }
            // What is made of a project that started may be achieved at once.
            Some(Payload::MilestoneStateChanged(_)) => {
                made.iter_mut()
                    .filter(|made| made.name == milestone.name)
                    .for_each(|made| made.clone_from(&milestone));
            }
            _ => {}
        }
    }
    Ok(Outcome { template_version, made, kept, cancelled, revision })
}

/// The names of the milestones that a template made in a project.
fn kept_names(rows: &Rows<'_, Tracker>, template: &str, project: &str) -> Result<Vec<String>, Rejection> {
    let (Ok(template), Ok(project)) = (template.parse(), project.parse()) else { return Ok(Vec::new()) };
    let milestones = of_project(rows, &template, &project)?;
    let live = milestones.iter().filter(|milestone| !milestone.is_deleted());
    Ok(live.map(|milestone| milestone.name().to_string()).collect())
}
