//! Following: facts, starts, replays, what is skipped.

use jiff::civil::{Date, date};
use milepost_proto::event::v1::event::Payload;
use milepost_types::Rejection;

use crate::command::Wish;
use crate::milestone::samples::BASELINE;
use crate::milestone::{CONSTRUCTION_START, Draft, State};
use crate::tables;
use crate::tests::World;
use crate::tests::world::{create, draft, kinds, name};

const DAY: Date = date(2021, 5, 12);

fn construction_start(project: &str, id: &str) -> Draft {
    let mut draft = draft(project, Some(id), Some(BASELINE));
    draft.details.kind = CONSTRUCTION_START.into();
    draft.details.required_evidence = vec!["permit".into()];
    draft
}

#[test]
fn a_start_achieves_the_projects_construction_start_and_names_its_cause() {
    let (mut world, mut registry) = World::with_projects(&["road", "road-b"]);
    let drafts = vec![
        construction_start("road", "start"),
        draft("road", Some("end"), None),
        construction_start("road-b", "start"),
    ];
    world.submit(create(drafts)).unwrap();
    let told = world.ingest(registry.start(&["road"], DAY)).unwrap();
    assert_eq!(kinds(&told), ["source.followed", "milestone.achieved"]);
    assert_eq!(told[1].caused_by, format!("{}/{}/0", registry.log, registry.tail().sequence));
    let start = world.milestone(&name("road", "start"));
    assert_eq!((start.state, start.actual), (State::Achieved, Some(DAY)));
    assert_eq!(start.state_reason, "the registry started the project on 2021-05-12");
    assert_eq!(world.milestone(&name("road", "end")).state, State::Planned);
    assert_eq!(world.milestone(&name("road-b", "start")).state, State::Planned);
    assert_eq!(world.entries.last().unwrap().decided_on, [registry.tail()]);
    assert_eq!(tables::source::get(&world.rows), Some(registry.tail()));
}

#[test]
fn an_entry_takes_effect_once_and_in_order() {
    let (mut world, mut registry) = World::with_projects(&["road"]);
    world.submit(create(vec![construction_start("road", "start")])).unwrap();
    let start = registry.start(&["road"], DAY);
    world.ingest(start.clone()).unwrap();
    let rows = world.rows.clone();
    for sequence in 1..=registry.entries.len() {
        assert_eq!(world.ingest(registry.arrival(sequence)).unwrap(), []);
    }
    assert_eq!(world.rows, rows);
    registry.project("lost");
    let late = registry.project("bridge");
    let refusal = world.ingest(late).unwrap_err();
    let Rejection::LogDiverged { given, own } = refusal.rejection else { panic!("{refusal:?}") };
    assert_eq!((given.sequence, own), (own.sequence + 1, start.position));
}

#[test]
fn a_start_that_achieves_nothing_is_skipped_with_its_reason() {
    let (mut world, mut registry) = World::with_projects(&["road", "bridge"]);
    world.submit(create(vec![construction_start("bridge", "start")])).unwrap();
    let told = world.ingest(registry.start(&["road", "bridge"], DAY)).unwrap();
    assert_eq!(kinds(&told), ["source.followed", "source.skipped", "milestone.achieved"]);
    let Some(Payload::SourceSkipped(skipped)) = &told[1].payload else { panic!() };
    assert_eq!(skipped.r#type, "milepost.project.started");
    assert_eq!(skipped.event_id, told[1].caused_by);
    assert!(skipped.reason.contains("constructionStart"), "{}", skipped.reason);
    // Started again, after what has been: nothing is achieved twice.
    let told = world.ingest(registry.start(&["bridge"], DAY)).unwrap();
    assert_eq!(kinds(&told), ["source.followed", "source.skipped"]);
}

#[test]
fn an_event_that_cannot_be_understood_is_skipped_with_its_reason_and_the_rest_of_its_entry_is_not() {
    let (mut world, mut registry) = World::with_projects(&[]);
    let bridge = Some(crate::tests::registry::project("bridge"));
    let arrival =
        registry.append(vec![("milepost.project.started", None), ("milepost.project.created", bridge)]);
    let told = world.ingest(arrival).unwrap();
    assert_eq!(kinds(&told), ["source.followed", "source.skipped"]);
    let Some(Payload::SourceSkipped(skipped)) = &told[1].payload else { panic!() };
    assert_eq!(skipped.event_id, format!("{}/{}/0", registry.log, registry.tail().sequence));
    assert!(skipped.reason.contains("no project"), "{}", skipped.reason);
    world.submit(create(vec![construction_start("bridge", "start")])).unwrap();
    assert_eq!(tables::source::get(&world.rows), Some(registry.tail()));
}

#[test]
fn what_is_not_relevant_is_followed_without_a_word() {
    let (mut world, mut registry) = World::with_projects(&[]);
    let told = world.ingest(registry.append(vec![("milepost.organization.created", None)])).unwrap();
    assert_eq!(kinds(&told), ["source.followed"]);
}

#[test]
fn an_entry_can_be_followed_without_deriving_anything() {
    let (mut world, mut registry) = World::with_projects(&["road"]);
    world.submit(create(vec![construction_start("road", "start")])).unwrap();
    let arrival = std::sync::Arc::new(registry.start(&["road"], DAY));
    let told = world.submit(Wish::Ingest { arrival, skip: Some("too large".into()) }).unwrap();
    assert_eq!(kinds(&told), ["source.followed", "source.skipped"]);
    assert_eq!(world.milestone(&name("road", "start")).state, State::Planned);
    assert_eq!(tables::source::get(&world.rows), Some(registry.tail()));
}

#[test]
fn a_batch_of_ten_thousand_starts_is_one_entry() {
    let (mut world, mut registry) = World::with_projects(&[]);
    let ids: Vec<String> = (0..10_000).map(|i| format!("p{i:05}")).collect();
    let created = ids
        .iter()
        .map(|id| ("milepost.project.created", Some(crate::tests::registry::project(id))))
        .collect();
    world.ingest(registry.append(created)).unwrap();
    for chunk in ids.chunks(1000) {
        world.submit(create(chunk.iter().map(|id| construction_start(id, "start")).collect())).unwrap();
    }
    let before = world.entries.len();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let told = world.ingest(registry.start(&ids, DAY)).unwrap();
    assert_eq!(world.entries.len(), before + 1);
    assert_eq!(told.len(), 10_001);
    for (index, event) in told[1..].iter().enumerate() {
        assert_eq!(event.r#type, "milepost.milestone.achieved");
        assert_eq!(event.caused_by, format!("{}/{}/{index}", registry.log, registry.tail().sequence));
    }
    assert_eq!(world.rebuilt(), world.rows);
}
