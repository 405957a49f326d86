//! Following: facts, starts, replays, what is skipped.

use jiff::civil::{Date, date};
use milepost_proto::event::v1::Event;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::tracker::v1::CreateMilestoneRequest;
use milepost_proto::tracker::v1::milestone::State;
use milepost_service::value::date_message;
use milepost_types::{GoOn, Rejection};
use prost::Message;

use crate::command::Command;
use crate::milestone::CONSTRUCTION_START;
use crate::source::SourceEntry;
use crate::tables;
use crate::tests::World;
use crate::tests::registry::{project, started};
use crate::tests::samples::BASELINE;
use crate::tests::world::{Action, create, draft, kinds, name};

const DAY: Date = date(2021, 5, 12);

fn construction_start(project: &str, id: &str) -> CreateMilestoneRequest {
    let mut draft = draft(project, Some(id), Some(BASELINE));
    let milestone = draft.milestone.as_mut().unwrap();
    milestone.r#type = CONSTRUCTION_START.into();
    milestone.required_evidence = vec!["permit".into()];
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
    let recorded = world.ingest(registry.start(&["road"], DAY)).unwrap();
    assert_eq!(kinds(&recorded), ["source.followed", "milestone.achieved"]);
    assert_eq!(recorded[1].caused_by, format!("{}/{}/0", registry.log, registry.tail().sequence));
    let start = world.milestone(&name("road", "start"));
    assert_eq!((start.state(), start.actual_date), (State::Achieved, Some(date_message(DAY))));
    assert_eq!(start.state_reason, "the registry started the project on 2021-05-12");
    assert_eq!(world.milestone(&name("road", "end")).state(), State::Planned);
    assert_eq!(world.milestone(&name("road-b", "start")).state(), State::Planned);
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
        assert_eq!(world.ingest(registry.source_entry(sequence)).unwrap(), []);
    }
    assert_eq!(world.rows, rows);
    registry.project("lost");
    let late = registry.project("bridge");
    let refusal = world.ingest(late).unwrap_err();
    let Rejection::LogDiverged { given, own } = refusal else { panic!("{refusal:?}") };
    assert_eq!((given.sequence, own), (own.sequence + 1, start.position));
}

#[test]
fn a_start_that_achieves_nothing_is_skipped_with_its_reason() {
    let (mut world, mut registry) = World::with_projects(&["road", "bridge"]);
    world.submit(create(vec![construction_start("bridge", "start")])).unwrap();
    let recorded = world.ingest(registry.start(&["road", "bridge"], DAY)).unwrap();
    assert_eq!(kinds(&recorded), ["source.followed", "source.skipped", "milestone.achieved"]);
    let Some(Payload::SourceSkipped(skipped)) = &recorded[1].payload else { panic!() };
    assert_eq!(skipped.r#type, "milepost.project.started");
    assert_eq!(skipped.event_id, recorded[1].caused_by);
    assert!(skipped.reason.contains("constructionStart"), "{}", skipped.reason);
    // Started again, after what has been: nothing is achieved twice.
    let recorded = world.ingest(registry.start(&["bridge"], DAY)).unwrap();
    assert_eq!(kinds(&recorded), ["source.followed", "source.skipped"]);
}

#[test]
fn an_event_that_cannot_be_understood_is_skipped_with_its_reason_and_the_rest_of_its_entry_is_not() {
    let (mut world, mut registry) = World::with_projects(&[]);
    let bridge = Some(crate::tests::registry::project("bridge"));
    let source_entry =
        registry.append(vec![("milepost.project.started", None), ("milepost.project.created", bridge)]);
    let recorded = world.ingest(source_entry).unwrap();
    assert_eq!(kinds(&recorded), ["source.followed", "source.skipped"]);
    let Some(Payload::SourceSkipped(skipped)) = &recorded[1].payload else { panic!() };
    assert_eq!(skipped.event_id, format!("{}/{}/0", registry.log, registry.tail().sequence));
    assert!(skipped.reason.contains("no project"), "{}", skipped.reason);
    world.submit(create(vec![construction_start("bridge", "start")])).unwrap();
    assert_eq!(tables::source::get(&world.rows), Some(registry.tail()));
}

#[test]
fn what_is_not_relevant_is_followed_without_a_word() {
    let (mut world, mut registry) = World::with_projects(&[]);
    let recorded = world.ingest(registry.append(vec![("milepost.organization.created", None)])).unwrap();
    assert_eq!(kinds(&recorded), ["source.followed"]);
}

#[test]
fn an_entry_can_be_followed_without_deriving_anything() {
    let (mut world, mut registry) = World::with_projects(&["road"]);
    world.submit(create(vec![construction_start("road", "start")])).unwrap();
    let source_entry = std::sync::Arc::new(registry.start(&["road"], DAY));
    let recorded = world.submit(Command::Ingest { source_entry, skip: Some("too large".into()) }).unwrap();
    assert_eq!(kinds(&recorded), ["source.followed", "source.skipped"]);
    assert_eq!(world.milestone(&name("road", "start")).state(), State::Planned);
    assert_eq!(tables::source::get(&world.rows), Some(registry.tail()));
}

#[test]
fn a_batch_of_ten_thousand_starts_is_taken_over_in_parts_each_start_once() {
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
    let recorded = world.ingest(registry.start(&ids, DAY)).unwrap();
    let entries = &world.entries[before..];
    assert!(entries.len() > 2, "{}", entries.len());
    let most = entries.iter().map(|entry| entry.encode(&milepost_types::Hash::ZERO).bytes.len()).max();
    assert!(most.unwrap() < (1 << 20) - 4096, "{most:?}");
    assert!(entries.iter().all(|entry| entry.decided_on == [registry.tail()]));
    let headers = recorded.iter().filter(|event| event.r#type.starts_with("milepost.source.")).count();
    assert_eq!(headers, entries.len());
    let achieved = recorded.iter().filter(|event| event.r#type == "milepost.milestone.achieved");
    for (index, event) in achieved.clone().enumerate() {
        assert_eq!(event.caused_by, format!("{}/{}/{index}", registry.log, registry.tail().sequence));
    }
    assert_eq!(achieved.count(), 10_000);
    assert_eq!(world.rebuilt(), world.rows);
}

/// A world with a start of four projects to come, two milestones each, of which an entry has room for few.
fn crowded() -> (World, crate::tests::Registry, SourceEntry) {
    let ids = ["a", "b", "c", "d"];
    let (mut world, mut registry) = World::with_projects(&ids);
    let drafts = ids.iter().flat_map(|id| ["one", "two"].map(|m| construction_start(id, m)));
    world.submit(create(drafts.collect())).unwrap();
    let mut events: Vec<_> =
        ids.iter().map(|id| ("milepost.project.started", Some(started(id, DAY)))).collect();
    events.insert(2, ("milepost.project.started", None));
    let source_entry = registry.append(events);
    world.domain.part_bytes = 1_500;
    (world, registry, source_entry)
}

fn part(world: &mut World, source_entry: &SourceEntry) -> Vec<Event> {
    let source_entry = std::sync::Arc::new(source_entry.clone());
    world.submit(Command::Ingest { source_entry, skip: None }).unwrap()
}

#[test]
fn what_does_not_fit_one_entry_is_taken_over_in_parts_and_the_position_moves_with_the_last() {
    let (mut world, registry, source_entry) = crowded();
    let before = tables::source::get(&world.rows);
    let mut achieved = Vec::new();
    let mut skipped = 0;
    let mut parts = 0;
    loop {
        let recorded = part(&mut world, &source_entry);
        parts += 1;
        achieved.extend(
            recorded.iter().filter(|event| event.r#type.ends_with("achieved")).map(|e| e.subject.clone()),
        );
        skipped += recorded.iter().filter(|event| event.r#type.ends_with("skipped")).count();
        assert_eq!(world.rebuilt(), world.rows);
        if kinds(&recorded)[0] == "source.followed" {
            break;
        }
        assert_eq!(kinds(&recorded)[0], "source.partly_followed");
        assert_eq!(tables::source::get(&world.rows), before);
    }
    assert!(parts > 2, "{parts}");
    assert_eq!((achieved.len(), skipped), (8, 1));
    assert!(achieved.is_sorted_by(|a, b| a < b), "each once: {achieved:?}");
    assert_eq!(tables::source::get(&world.rows), Some(registry.tail()));
    assert_eq!(part(&mut world, &source_entry), []);
    assert!(!world.rows.0.keys().any(|key| key[0] == 9), "nothing is left of the parts");
}

#[test]
fn what_is_written_between_two_parts_is_not_undone_by_the_next() {
    let (mut world, _, source_entry) = crowded();
    let first = part(&mut world, &source_entry);
    let done = world.milestone(&first.last().unwrap().subject.parse().unwrap());
    assert_eq!(done.state(), State::Achieved);
    world.act(&done.name, Action::Reopen { reason: "a mistake".into() }).unwrap();
    // To come: one that the office achieved itself meanwhile is not achieved again.
    let own = name("d", "two");
    let achieve = Action::Achieve { actual: Some(BASELINE), reason: String::new() };
    world.now = "2021-06-01T00:00:00Z".parse().unwrap();
    let evidence = Action::AddEvidence(crate::tests::samples::evidence("permit"));
    world.act(&own, evidence).unwrap();
    world.act(&own, achieve).unwrap();
    let recorded = world.ingest(source_entry).unwrap();
    let achieved = recorded.iter().chain(&first).filter(|event| event.r#type.ends_with("achieved")).count();
    assert_eq!(achieved, 7);
    assert_eq!(
        world.milestone(&done.name.parse().unwrap()).state(),
        State::Planned,
        "it was reopened after its start"
    );
    assert_eq!(world.milestone(&own).actual_date, Some(date_message(BASELINE)));
    assert_eq!(world.rebuilt(), world.rows);
}

/// Also in the middle of one start: the next part goes on after what the part before achieved.
#[test]
fn what_is_reopened_in_the_middle_of_a_start_stays_open() {
    let (mut world, mut registry) = World::with_projects(&["road"]);
    let ids = ["a", "b", "c", "d"];
    world.submit(create(ids.map(|id| construction_start("road", id)).into())).unwrap();
    world.domain.part_bytes = 1_500;
    let source_entry = registry.start(&["road"], DAY);
    let first = part(&mut world, &source_entry);
    assert_eq!(
        (kinds(&first)[0], first[1].subject.as_str()),
        ("source.partly_followed", &*name("road", "a").to_string())
    );
    world.act(name("road", "a"), Action::Reopen { reason: "a mistake".into() }).unwrap();
    while kinds(&part(&mut world, &source_entry)).first() == Some(&"source.partly_followed") {}
    let states = ids.map(|id| world.milestone(&name("road", id)).state());
    assert_eq!(states, [State::Planned, State::Achieved, State::Achieved, State::Achieved]);
    assert_eq!(world.rebuilt(), world.rows);
}

#[test]
fn facts_that_do_not_fit_one_entry_are_taken_over_in_parts() {
    let (mut world, mut registry) = World::with_projects(&[]);
    world.domain.part_bytes = 500;
    let ids: Vec<String> = (0..40).map(|index| format!("p{index:02}")).collect();
    let created = ids.iter().map(|id| ("milepost.project.created", Some(project(id)))).collect();
    let recorded = world.ingest(registry.append(created)).unwrap();
    assert!(recorded.len() > 3, "{}", recorded.len());
    assert!(
        recorded[..recorded.len() - 1].iter().all(|event| event.r#type == "milepost.source.partly_followed")
    );
    for id in &ids {
        let known = tables::project::is_deleted(&world.rows, crate::tests::world::project_name(id).ids());
        assert_eq!(known, Ok(Some(false)), "{id}");
    }
    assert_eq!(world.rebuilt(), world.rows);
}

#[test]
fn a_reset_in_the_middle_of_an_entry_forgets_how_much_of_it_was_taken_over() {
    let (mut world, registry, source_entry) = crowded();
    part(&mut world, &source_entry);
    assert!(world.rows.0.keys().any(|key| key[0] == 9));
    let reset = |to| Command::ResetFollower { to: GoOn::after(to), reason: "restored".into() };
    world.submit(reset(registry.position(2))).unwrap();
    assert!(!world.rows.0.keys().any(|key| key[0] == 9));
    for sequence in 3..=registry.entries.len() {
        world.ingest(registry.source_entry(sequence)).unwrap();
    }
    let achieved = |entry: &milepost_ledger::Entry| {
        let events = entry.events.iter().map(|event| Event::decode(event.clone()).unwrap());
        events.filter(|event| event.r#type.ends_with("achieved")).count()
    };
    assert_eq!(
        world.entries.iter().map(achieved).sum::<usize>(),
        8,
        "what was achieved is not achieved again"
    );
    assert_eq!(world.rebuilt(), world.rows);
}

/// What a follower at the last but one entry asks for when it finds the registry restored at an entry.
fn follow_restored(world: &World, restored: &crate::tests::Registry) -> Command {
    let from = tables::source::get(&world.rows);
    let to = GoOn::by_itself(from, restored.log, &restored.lineage).unwrap();
    Command::FollowRestored { from, to }
}

#[test]
fn a_part_of_an_entry_that_a_restore_lost_is_not_passed_over() {
    let (mut world, registry, source_entry) = crowded();
    part(&mut world, &source_entry);
    let before = registry.restored(4, registry.entries.len() - 1);
    let refused = world.submit(follow_restored(&world, &before)).unwrap_err();
    let Rejection::LogDiverged { own, .. } = refused else { panic!("{refused:?}") };
    assert_eq!(own, source_entry.position);
}

#[test]
fn a_part_of_an_entry_that_a_restore_kept_goes_on_and_names_its_causes_as_before() {
    let (mut world, registry, source_entry) = crowded();
    part(&mut world, &source_entry);
    let restored = registry.restored(4, registry.entries.len());
    world.submit(follow_restored(&world, &restored)).unwrap();
    let same = restored.source_entry(registry.entries.len());
    assert_eq!(same.reactions, source_entry.reactions, "events keep their ids");
    world.ingest(same).unwrap();
    let achieved = |entry: &milepost_ledger::Entry| {
        let events = entry.events.iter().map(|event| Event::decode(event.clone()).unwrap());
        events.filter(|event| event.r#type.ends_with("achieved")).count()
    };
    assert_eq!(world.entries.iter().map(achieved).sum::<usize>(), 8);
    assert_eq!(world.rebuilt(), world.rows);
}

/// A milestone that comes to await the start of its project after that is as one that awaited it before.
#[test]
fn what_comes_to_be_or_comes_back_after_the_start_of_its_project_is_achieved_on_that_day() {
    let (mut world, mut registry) = World::with_projects(&["road", "bridge"]);
    let deleted = |world: &mut World, id: &str| {
        world.submit(create(vec![construction_start("road", id)])).unwrap();
        world.act(name("road", id), Action::Delete).unwrap();
    };
    deleted(&mut world, "deleted");
    world.create("retyped", None);
    world.ingest(registry.start(&["road"], DAY)).unwrap();
    let start = |id: &str, kind: &str| {
        vec![(format!("milestone.{kind}"), id.to_owned()), ("milestone.achieved".to_owned(), id.to_owned())]
    };
    let said = |events: Vec<Event>| -> Vec<_> {
        let id = |event: &Event| event.subject.rsplit('/').next().unwrap().to_owned();
        let of = |event: &Event| (event.r#type["milepost.".len()..].to_owned(), id(event));
        assert!(events[1..].iter().all(|event| event.caused_by == events[0].event_id));
        events.iter().map(of).filter(|(kind, _)| !kind.ends_with("overdue")).collect()
    };
    let drafts = vec![construction_start("road", "created"), construction_start("bridge", "start")];
    let events = world.submit(create(drafts)).unwrap();
    assert_eq!(kinds(&events), ["milestone.created", "milestone.achieved", "milestone.created"]);
    let events = world.act(name("road", "deleted"), Action::Undelete).unwrap();
    assert_eq!(said(events), start("deleted", "undeleted"));
    let retyped = milepost_proto::tracker::v1::UpdateMilestoneRequest {
        milestone: Some(milepost_proto::tracker::v1::Milestone {
            name: name("road", "retyped").to_string(),
            r#type: CONSTRUCTION_START.into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let update = |violations: &mut milepost_types::Violations| {
        milepost_resource::read_update::<crate::decide::Tracker, milepost_proto::tracker::v1::Milestone>(
            retyped.clone(),
            violations,
        )
    };
    assert_eq!(said(world.read_and_submit(update).unwrap()), start("retyped", "updated"));
    for id in ["created", "deleted", "retyped"] {
        let found = world.milestone(&name("road", id));
        assert_eq!((found.state(), found.actual_date), (State::Achieved, Some(date_message(DAY))), "{id}");
        assert_eq!(found.state_reason, "the registry started the project on 2021-05-12");
    }
    assert_eq!(world.milestone(&name("bridge", "start")).state(), State::Planned);
    // What somebody reopened since awaits nothing.
    world.act(name("road", "created"), Action::Reopen { reason: "日期待核实".into() }).unwrap();
    world.act(name("road", "created"), Action::Delete).unwrap();
    let events = world.act(name("road", "created"), Action::Undelete).unwrap();
    assert_eq!(kinds(&events)[0], "milestone.undeleted");
    assert_eq!(world.milestone(&name("road", "created")).state(), State::Planned);
    assert_eq!(world.rebuilt(), world.rows);
}
