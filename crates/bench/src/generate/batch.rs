//! Batches: days on which many projects start together, as announced and as registered.

use milepost_proto::registry::v1::{Batch, CreateBatchRequest, StartBatchRequest};

use super::step::{Stage, Step};
use super::value::{date, english, marked, money};
use super::words::{DISTRICTS, NAMES};
use super::world::World;

/// The steps that make and start them; those of a later stage may count on every member's start.
pub fn steps(world: &World) -> impl Iterator<Item = Step> {
    let mut members = vec![Vec::new(); world.batches()];
    for project in &world.projects {
        if let Some(batch) = project.batch {
            members[batch].push(project.number);
        }
    }
    let started = members.into_iter().enumerate().filter(|(_, members)| !members.is_empty());
    started.map(|(batch, members)| step(world, batch, &members))
}

fn step(world: &World, number: usize, members: &[usize]) -> Step {
    let mut step = Step::new(Stage::Batches, &world.id, "batches", number as u64);
    let day = world.batch_day(number);
    let batch_id = format!("b{number:04}");
    step.resources = 1;
    step.registry(
        "/milepost.registry.v1.BatchService/CreateBatch",
        CreateBatchRequest {
            parent: world.portfolio(),
            batch_id: batch_id.clone(),
            batch: Some(batch(world, number, members)),
            ..Default::default()
        },
    );
    if day <= world.plan.until {
        let name = format!("{}/batches/{batch_id}", world.portfolio());
        step.registry(
            "/milepost.registry.v1.BatchService/StartBatch",
            StartBatchRequest { name, ..Default::default() },
        );
    }
    step
}

fn batch(world: &World, number: usize, members: &[usize]) -> Batch {
    let mut draw = world.draw("batch", number);
    let day = world.batch_day(number);
    let district = draw.pick(&DISTRICTS);
    let place = draw.pick(&NAMES);
    // Announcements count what is not registered, too, and round the money.
    let announced = members.len() as i64 * draw.between(100, 130) / 100;
    let sum: i64 = members.iter().filter_map(|member| world.projects[*member].investment).sum();
    let rounded = (sum * draw.between(100, 135) / 100 + 9_999) / 10_000 * 10_000;
    Batch {
        display_name: marked(&format!("{}年{}月{}集中开工", day.year(), day.month(), district.zh)),
        translations: english(&format!("joint start in {}, {}", district.en, day.strftime("%B %Y"))),
        start_date: Some(date(day)),
        place: format!("{}{}", district.zh, place.0),
        declared_count: draw.happens(85).then_some(announced as i32),
        declared_investment: draw.happens(70).then(|| money(rounded)),
        members: members.iter().map(|member| world.project_name(*member)).collect(),
        ..Default::default()
    }
}
