//! Phases of the few projects that are built in several, one after another.

use milepost_proto::registry::v1::{CreatePhaseRequest, Phase};

use super::step::{Stage, Step};
use super::value::{days, days_between, english, marked, money, period};
use super::world::{Project, World};

/// Projects of one step.
const EACH: usize = 20;
const NUMERALS: [&str; 4] = ["一", "二", "三", "四"];

/// The steps that make them.
pub fn steps(world: &World) -> impl Iterator<Item = Step> {
    world.projects.chunks(EACH).enumerate().filter_map(|(place, projects)| {
        let mut step = Step::new(Stage::Phases, &world.id, "phases", place as u64);
        for project in projects {
            for request in phases(world, project) {
                step.resources += 1;
                step.registry("/milepost.registry.v1.PhaseService/CreatePhase", request);
            }
        }
        (!step.requests.is_empty()).then_some(step)
    })
}

/// The requests for one project; most have no phases.
fn phases(world: &World, project: &Project) -> Vec<CreatePhaseRequest> {
    let mut draw = world.draw("phases", project.number);
    let count = if draw.happens(12) { draw.between(2, 4) } else { 0 };
    let span = days_between(project.planned.start, project.planned.end);
    let phase = |place: i64| {
        let start = days(project.planned.start, span * place / count);
        let end = days(project.planned.start, span * (place + 1) / count - 1);
        Phase {
            display_name: marked(&format!("第{}期", NUMERALS[place as usize])),
            translations: english(&format!("phase {}", place + 1)),
            order: place as i32 + 1,
            planned_period: Some(period(start, end)),
            investment: project.investment.map(|wan| money(wan / count)),
            ..Default::default()
        }
    };
    let create = |place: i64| CreatePhaseRequest {
        parent: world.project_name(project.number),
        phase_id: format!("phase-{}", place + 1),
        phase: Some(phase(place)),
        ..Default::default()
    };
    (0..count).map(create).collect()
}
