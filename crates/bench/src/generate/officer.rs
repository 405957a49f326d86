//! Liaison officers: who serves which project, and who takes over.
//!
//! Officers are ids of the office's own. Invariants: nobody serves more projects than the portfolio allows, whenever that
//! is; where a project has two officers, the first leads.

use jiff::civil::Date;
use milepost_proto::registry::v1::{Assignment, CreateAssignmentRequest, HandOverAssignmentRequest};

use super::draw::Draw;
use super::step::Step;
use super::value::{date, days, days_between};
use super::world::{Project, World};

/// Projects of one officer at once, at most: five of their own, five taken over, and what rounding adds.
pub const MOST: i32 = 12;

/// Adds the officers of a project, if it has any.
pub fn assign(world: &World, project: &Project, step: &mut Step) {
    let mut draw = world.draw("officers", project.number);
    let count = count(project, &mut draw);
    if count == 0 {
        return;
    }
    for place in 0..count {
        step.resources += 1;
        step.registry(
            "/milepost.registry.v1.AssignmentService/CreateAssignment",
            CreateAssignmentRequest {
                parent: world.project_name(project.number),
                assignment_id: format!("officer-{}", place + 1),
                assignment: Some(assignment(world, project, place)),
                ..Default::default()
            },
        );
    }
    let last = last_day(world, project);
    let span = days_between(project.expected.start, last);
    if span > 60 && draw.happens(8) {
        hand_over(world, project, days(project.expected.start, draw.between(30, span)), step);
    }
}

/// How many officers a project has.
fn count(project: &Project, draw: &mut Draw) -> usize {
    match () {
        () if !project.is_started() || draw.happens(10) => 0,
        () if draw.happens(20) => 2,
        () => 1,
    }
}

/// Somebody who serves a project, if anybody does.
pub fn somebody(world: &World) -> String {
    let has_one = |project: &&Project| count(project, &mut world.draw("officers", project.number)) > 0;
    officer(world.projects.iter().find(has_one).map_or(0, |project| slot(world, project, 0)))
}

fn assignment(world: &World, project: &Project, place: usize) -> Assignment {
    Assignment {
        person: officer(slot(world, project, place)),
        organization: world.organization_name(project.number % world.organizations),
        lead: place == 0,
        start_date: Some(date(project.expected.start)),
        end_date: project.is_built().then(|| date(project.expected.end)),
        ..Default::default()
    }
}

fn hand_over(world: &World, project: &Project, day: Date, step: &mut Step) {
    let officers = officers(world);
    let successor = (slot(world, project, 0) + officers / 2) % officers;
    step.resources += 1;
    step.registry(
        "/milepost.registry.v1.AssignmentService/HandOverAssignment",
        HandOverAssignmentRequest {
            name: format!("{}/assignments/officer-1", world.project_name(project.number)),
            person: officer(successor),
            date: Some(date(day)),
            reason: "岗位调整".into(),
            successor_id: "officer-1-next".into(),
            ..Default::default()
        },
    );
}

/// The last day on which anything can be said of a project's officers.
fn last_day(world: &World, project: &Project) -> Date {
    if project.is_built() { project.expected.end } else { world.plan.until }
}

/// Two in five of the projects: so each has two places in five projects.
fn officers(world: &World) -> usize {
    (world.projects.len() * 2 / 5).max(8)
}

fn slot(world: &World, project: &Project, place: usize) -> usize {
    (project.number * 2 + place) % officers(world)
}

fn officer(number: usize) -> String {
    format!("synthetic-officer-{number:05}")
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::generate::tests::plan;

    #[test]
    fn nobody_serves_more_projects_than_the_portfolio_allows_nor_one_twice() {
        for projects in [1, 7, 24, 343] {
            let world = World::new(plan(projects));
            let mut served: HashMap<usize, i32> = HashMap::new();
            for project in &world.projects {
                let (first, second) = (slot(&world, project, 0), slot(&world, project, 1));
                let next = (first + officers(&world) / 2) % officers(&world);
                assert!(first != second && second != next && first != next, "{projects}: {project:?}");
                // As if all projects ran at once, each with all the officers that it may have.
                for officer in [first, second, next] {
                    *served.entry(officer).or_default() += 1;
                }
            }
            assert!(served.values().all(|count| *count <= MOST), "{projects}: {served:?}");
        }
    }
}
