//! The history of each project: what was done with it and its milestones, one act after another.
//!
//! Invariant: the acts of a project are one step, so that they are sent in their order.

use milepost_proto::registry::v1::{
    AdjustAnnualPlanRequest, CancelProjectRequest, CommissionProjectRequest, CompleteProjectRequest,
    PrepareProjectRequest, Project as Message, StartProjectRequest, SuspendProjectRequest,
    UpdateProjectRequest,
};
use milepost_proto::tracker::v1::{
    AchieveMilestoneRequest, AddMilestoneEvidenceRequest, CancelMilestoneRequest, Evidence,
    MissMilestoneRequest, PartiallyAchieveMilestoneRequest, ReforecastMilestoneRequest,
};

use super::draw::Draw;
use super::milestone::{self, Fact, MilestoneOutcome};
use super::money;
use super::officer;
use super::service_request;
use super::step::{Stage, Step};
use super::value::date;
use super::words::REASONS;
use super::world::{Outcome, Project, World};

/// The steps, one for each project to which anything happened.
pub fn steps(world: &World) -> impl Iterator<Item = Step> {
    world.projects.iter().map(|project| step(world, project)).filter(|step| !step.requests.is_empty())
}

fn step(world: &World, project: &Project) -> Step {
    let mut step = Step::new(Stage::Histories, &world.id, "history", project.number as u64);
    begin(world, project, &mut step);
    officer::assign(world, project, &mut step);
    service_request::ask(world, project, &mut step);
    adjust(world, project, &mut step);
    let mut draw = world.draw("history", project.number);
    for fact in milestone::facts(world, project) {
        let name = format!("{}/milestones/{}", world.project_name(project.number), fact.id());
        reforecast(&name, &fact, &mut draw, &mut step);
        conclude(&name, &fact, &mut draw, &mut step);
    }
    correct(world, project, &mut step);
    end(world, project, &mut draw, &mut step);
    step
}

fn begin(world: &World, project: &Project, step: &mut Step) {
    let name = world.project_name(project.number);
    if project.outcome == Outcome::Preparation {
        step.registry(
            "/milepost.registry.v1.ProjectService/PrepareProject",
            PrepareProjectRequest { name, ..Default::default() },
        );
    } else if project.is_started() && project.batch.is_none() {
        let start_date = Some(date(project.expected.start));
        step.registry(
            "/milepost.registry.v1.ProjectService/StartProject",
            StartProjectRequest { name, start_date, ..Default::default() },
        );
    }
}

fn reforecast(name: &str, fact: &Fact, draw: &mut Draw, step: &mut Step) {
    // The tracker may have achieved it already.
    if fact.outcome == MilestoneOutcome::Started {
        return;
    }
    for forecast in &fact.forecasts {
        step.tracker(
            "/milepost.tracker.v1.MilestoneService/ReforecastMilestone",
            ReforecastMilestoneRequest {
                name: name.to_owned(),
                reason: draw.pick(&REASONS).to_owned(),
                forecast_date: Some(date(*forecast)),
                ..Default::default()
            },
        );
    }
}

fn conclude(name: &str, fact: &Fact, draw: &mut Draw, step: &mut Step) {
    let name = name.to_owned();
    let actual_date = fact.actual.map(date);
    match fact.outcome {
        MilestoneOutcome::Planned | MilestoneOutcome::Started => {}
        MilestoneOutcome::Achieved => {
            if !fact.evidence().is_empty() {
                evidence(&name, fact, draw, step);
            }
            step.tracker(
                "/milepost.tracker.v1.MilestoneService/AchieveMilestone",
                AchieveMilestoneRequest { name, actual_date, ..Default::default() },
            );
        }
        MilestoneOutcome::PartiallyAchieved => step.tracker(
            "/milepost.tracker.v1.MilestoneService/PartiallyAchieveMilestone",
            PartiallyAchieveMilestoneRequest {
                name,
                actual_date,
                reason: "部分移交，其余继续实施".into(),
                ..Default::default()
            },
        ),
        MilestoneOutcome::Missed => step.tracker(
            "/milepost.tracker.v1.MilestoneService/MissMilestone",
            MissMilestoneRequest {
                name, reason: "方案调整，不再单独验收".into(), ..Default::default()
            },
        ),
        MilestoneOutcome::Cancelled => step.tracker(
            "/milepost.tracker.v1.MilestoneService/CancelMilestone",
            CancelMilestoneRequest { name, reason: "项目终止".into(), ..Default::default() },
        ),
    }
}

fn evidence(name: &str, fact: &Fact, draw: &mut Draw, step: &mut Step) {
    let sha256 = draw.hash();
    let evidence = Evidence {
        title: fact.evidence().to_owned(),
        uri: format!("https://documents.example/{name}"),
        sha256,
        create_time: None,
    };
    step.tracker(
        "/milepost.tracker.v1.MilestoneService/AddMilestoneEvidence",
        AddMilestoneEvidenceRequest { name: name.to_owned(), evidence: Some(evidence), ..Default::default() },
    );
}

/// Plans that were adjusted in the middle of their year.
fn adjust(world: &World, project: &Project, step: &mut Step) {
    for (year, day, plan) in money::adjusted(world, project) {
        step.registry(
            "/milepost.registry.v1.ProjectService/AdjustAnnualPlan",
            AdjustAnnualPlanRequest {
                name: world.project_name(project.number),
                annual_plan: Some(money::plan(year, plan, day)),
                date: Some(date(day)),
                reason: "年中调整投资计划".into(),
                ..Default::default()
            },
        );
    }
}

/// What was reported of money and is known better now.
fn correct(world: &World, project: &Project, step: &mut Step) {
    let history = money::history(world, project);
    if history.completed.values().all(|fact| fact.correction.is_none()) {
        return;
    }
    let project = Message {
        name: world.project_name(project.number),
        completed_investments: money::completed_investments(&history, true),
        ..Default::default()
    };
    step.registry(
        "/milepost.registry.v1.ProjectService/UpdateProject",
        UpdateProjectRequest {
            project: Some(project),
            update_mask: Some(super::value::mask(&["completed_investments"])),
            ..Default::default()
        },
    );
}

fn end(world: &World, project: &Project, draw: &mut Draw, step: &mut Step) {
    let name = world.project_name(project.number);
    let reason = draw.pick(&REASONS).to_owned();
    if project.is_built() {
        step.registry(
            "/milepost.registry.v1.ProjectService/CompleteProject",
            CompleteProjectRequest {
                name: name.clone(),
                completion_date: Some(date(project.expected.end)),
                ..Default::default()
            },
        );
    }
    match project.outcome {
        Outcome::InService => step.registry(
            "/milepost.registry.v1.ProjectService/CommissionProject",
            CommissionProjectRequest {
                name,
                commission_date: project.commissioned.map(date),
                ..Default::default()
            },
        ),
        Outcome::Suspended => step.registry(
            "/milepost.registry.v1.ProjectService/SuspendProject",
            SuspendProjectRequest { name, reason, ..Default::default() },
        ),
        Outcome::Cancelled => step.registry(
            "/milepost.registry.v1.ProjectService/CancelProject",
            CancelProjectRequest { name, reason, ..Default::default() },
        ),
        _ => {}
    }
}
