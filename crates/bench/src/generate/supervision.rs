//! Inspections of what is being built, what they found, and rectification orders of some of that.
//!
//! Invariant: acts on one project are in the order of their days, all within the last hundred days of the history.

use milepost_proto::tracker::v1::finding::Severity;
use milepost_proto::tracker::v1::inspection::Kind;
use milepost_proto::tracker::v1::{
    Aspect, CompleteInspectionRequest, CreateFindingRequest, CreateInspectionRequest,
    CreateRectificationOrderRequest, Finding, Inspection, RectificationOrder,
};

use super::step::{Stage, Step};
use super::value::{date, days, days_between, labels, marked};
use super::world::{Outcome, Project, World};

/// Projects of one step.
const STEP: usize = 20;
/// How many days of the history are inspected.
const DAYS: i64 = 100;
const TITLES: [&str; 5] = ["临边防护缺失", "模板松动", "养护不足", "排水不畅", "围挡缺口"];

/// The steps that inspect every project under construction.
pub fn steps(world: &World) -> impl Iterator<Item = Step> {
    let steps = (0..world.projects.len()).step_by(STEP).map(move |first| {
        let mut step = Step::new(Stage::Inspections, &world.id, "inspections", first as u64);
        let projects = world.projects.iter().skip(first).take(STEP);
        for project in projects.filter(|project| project.outcome == Outcome::Construction) {
            inspect(world, project, &mut step);
        }
        step
    });
    steps.filter(|step| !step.requests.is_empty())
}

/// One inspection of each aspect, with up to three findings, for the first of which some have an order.
fn inspect(world: &World, project: &Project, step: &mut Step) {
    let mut draw = world.draw("inspections", project.number);
    let first = project.expected.start.max(days(world.plan.until, -DAYS));
    let mut day = days(first, draw.between(0, days_between(first, world.plan.until) / 2));
    let parent = world.project_name(project.number);
    for (aspect, id) in [(Aspect::Quality, "quality"), (Aspect::Safety, "safety")] {
        let inspection = Inspection {
            title: marked("日常巡查"),
            kind: Kind::Daily.into(),
            aspects: vec![aspect.into()],
            planned_date: Some(date(day)),
            labels: labels([("synthetic", "true")]),
            ..Default::default()
        };
        let create = CreateInspectionRequest {
            parent: parent.clone(),
            inspection_id: id.into(),
            inspection: Some(inspection),
            ..Default::default()
        };
        step.tracker("/milepost.tracker.v1.InspectionService/CreateInspection", create);
        let name = format!("{parent}/inspections/{id}");
        let done = CompleteInspectionRequest {
            name: name.clone(),
            date: Some(date(day)),
            reported_date: Some(date(day)),
            ..Default::default()
        };
        step.tracker("/milepost.tracker.v1.InspectionService/CompleteInspection", done);
        step.resources += 1;
        let found = draw.between(0, 3);
        for number in 0..found {
            let finding = Finding {
                inspection: name.clone(),
                title: marked(draw.pick(&TITLES)),
                aspect: aspect.into(),
                severity: draw
                    .pick(&[Severity::Observation, Severity::Minor, Severity::Minor, Severity::Major])
                    .into(),
                finding_date: Some(date(day)),
                reported_date: Some(date(day)),
                labels: labels([("synthetic", "true")]),
                ..Default::default()
            };
            let create = CreateFindingRequest {
                parent: parent.clone(),
                finding_id: format!("{id}-{number}"),
                finding: Some(finding),
                ..Default::default()
            };
            step.tracker("/milepost.tracker.v1.FindingService/CreateFinding", create);
            step.resources += 1;
        }
        if found > 0 && draw.happens(40) {
            let order = RectificationOrder {
                title: marked("限期整改"),
                findings: vec![format!("{parent}/findings/{id}-0")],
                responsible: world.organization_name(project.number % world.organizations),
                due_date: Some(date(days(day, draw.between(5, 60)))),
                issue_date: Some(date(day)),
                labels: labels([("synthetic", "true")]),
                ..Default::default()
            };
            let create = CreateRectificationOrderRequest {
                parent: parent.clone(),
                rectification_order_id: id.into(),
                rectification_order: Some(order),
                ..Default::default()
            };
            step.tracker("/milepost.tracker.v1.RectificationOrderService/CreateRectificationOrder", create);
            step.resources += 1;
        }
        day = days(day, draw.between(0, days_between(day, world.plan.until)));
    }
}
