//! Service requests where the registry is followed: one that cannot be read is in nobody's way, and a calendar that
//! changes moves their escalations.

use bytes::Bytes;
use jiff::civil::date;
use milepost_proto::event::v1::Event;
use milepost_proto::event::v1::event::{Payload, Resource};
use milepost_proto::registry::v1 as registry;
use milepost_proto::tracker::v1::service_request::State;
use milepost_proto::tracker::v1::{CreateServiceRequestRequest, ServiceRequest};
use milepost_resource::read_create;
use milepost_types::Violations;
use prost::Message;

use super::registry::assignment;
use super::world::{command, kinds};
use super::*;
use crate::command::Command;
use crate::decide::Tracker;
use crate::tables::mirror_version::{self, MIRROR_VERSION};

/// The portfolio's current date when a world begins.
const TODAY: Date = date(2021, 5, 11);
/// The day before.
const DUE: Date = date(2021, 5, 10);
const FIRST: Date = date(2021, 1, 1);

/// A world with the project `road`, whose officer is `a`, and these requests, due the day before.
fn world(ids: &[&str]) -> (World, Registry) {
    let (mut world, mut registry) = World::with_projects(&["road"]);
    let a = assignment("a", "user:corp/a", true, FIRST, None);
    world.ingest(registry.assign("milepost.assignment.created", &[a])).unwrap();
    world.now = "2021-05-11T04:00:00Z".parse().unwrap();
    world.advance(TODAY).unwrap();
    for id in ids {
        let request = CreateServiceRequestRequest {
            parent: PROJECT.into(),
            service_request_id: id.to_string(),
            service_request: Some(ServiceRequest {
                title: "临时用电".into(),
                requester: "user:corp/unit-7".into(),
                due_date: day(DUE),
                ..ServiceRequest::default()
            }),
            ..CreateServiceRequestRequest::default()
        };
        let mut violations = Violations::new();
        let act = read_create::<Tracker, ServiceRequest>(request, &mut violations, Violations::new());
        world.submit(command(violations.finish(act).unwrap())).unwrap();
    }
    (world, registry)
}

fn key(id: &str) -> Vec<u8> {
    [&b"\x1ewsc\0road\0"[..], id.as_bytes()].concat()
}

fn request(world: &World, id: &str) -> ServiceRequest {
    ServiceRequest::decode(world.rows.0[&key(id)[..]].clone()).unwrap()
}

/// Makes a row one whose first field is no text.
fn damage(world: &mut World, key: &[u8]) {
    let row = world.rows.0.get_mut(key).unwrap();
    *row = Bytes::from([&row[..], b"\x0a\x01\xff"].concat());
}

fn skipped(events: &[Event]) -> Vec<String> {
    let reason = |event: &Event| match &event.payload {
        Some(Payload::SourceSkipped(skipped)) => Some(skipped.reason.clone()),
        _ => None,
    };
    events.iter().filter_map(reason).collect()
}

/// That `b` leads from today on instead of `a`.
fn handed_over(registry: &mut Registry) -> crate::source::SourceEntry {
    let a = assignment("a", "user:corp/a", true, FIRST, Some(DUE));
    let b = assignment("b", "user:corp/b", true, TODAY, None);
    registry.assign("milepost.assignment.handed_over", &[a, b])
}

#[test]
fn a_request_that_cannot_be_read_keeps_its_officer_and_the_follower_goes_on() {
    let (mut world, mut registry) = world(&["bad", "good"]);
    damage(&mut world, &key("bad"));
    let events = world.ingest(handed_over(&mut registry)).unwrap();
    assert_eq!(kinds(&events), ["source.followed", "service_request.officer_changed", "source.skipped"]);
    assert_eq!(request(&world, "good").officer, "user:corp/b");
    assert!(skipped(&events)[0].contains(r"tracker.service_request with the key wsc\x00road\x00bad"));
    assert_eq!(kinds(&world.ingest(registry.project("bridge")).unwrap()), ["source.followed"]);
}

#[test]
fn a_request_that_cannot_be_read_is_named_once_by_an_entry_that_takes_several() {
    let ids: Vec<String> = (0..12).map(|i| format!("r{i:02}")).collect();
    let (mut world, mut registry) = world(&ids.iter().map(String::as_str).collect::<Vec<_>>());
    damage(&mut world, &key("r00"));
    world.domain.part_bytes = 2_000;
    let before = world.entries.len();
    let events = world.ingest(handed_over(&mut registry)).unwrap();
    assert!(world.entries.len() - before > 2);
    assert_eq!(skipped(&events).len(), 1);
    let changed = kinds(&events).into_iter().filter(|kind| *kind == "service_request.officer_changed");
    assert_eq!(changed.count(), 11);
}

#[test]
fn what_is_over_is_not_read_for_another_officer() {
    let (mut world, mut registry) = world(&["over", "open"]);
    let mut over = request(&world, "over");
    over.set_state(State::Withdrawn);
    let table = milepost_resource::Table::of::<Tracker, ServiceRequest>();
    table.put(&mut world.rows, over.encode_to_vec().into()).unwrap();
    damage(&mut world, &key("over"));
    let events = world.ingest(handed_over(&mut registry)).unwrap();
    assert_eq!(kinds(&events), ["source.followed", "service_request.officer_changed"]);
}

#[test]
fn an_assignment_that_cannot_be_read_is_followed_on_as_the_registry_says_it_next() {
    let (mut world, mut registry) = world(&["r"]);
    damage(&mut world, b"\x21wsc\0road\0a");
    // Of all assignments of the project it is not known who leads.
    let c = assignment("c", "user:corp/c", false, TODAY, None);
    let events = world.ingest(registry.assign("milepost.assignment.created", &[c])).unwrap();
    assert_eq!(kinds(&events), ["source.followed", "source.skipped"]);
    assert!(skipped(&events)[0].contains("tracker.assignment"));
    let events = world.ingest(handed_over(&mut registry)).unwrap();
    assert_eq!(kinds(&events), ["source.followed", "service_request.officer_changed"]);
    assert_eq!(world.rebuilt(), world.rows, "also the days on which it began and ended");
}

/// The events of all entries as a version wrote them that kept neither assignments nor languages.
fn as_written_before(world: &mut World) {
    for entry in &mut world.entries {
        for bytes in &mut entry.events {
            let mut event = Event::decode(bytes.clone()).unwrap();
            if let Some(Payload::SourceFollowed(followed)) = &mut event.payload {
                followed.assignments.clear();
                followed.portfolios.iter_mut().for_each(|of| of.required_languages.clear());
                followed.mirror_version = 0;
            }
            *bytes = event.encode_to_vec().into();
        }
    }
    world.rows = world.rebuilt();
}

fn portfolio(calendar: Option<registry::WorkingCalendar>) -> Resource {
    Resource::PortfolioResource(registry::Portfolio {
        name: "portfolios/wsc".into(),
        time_zone: "Asia/Shanghai".into(),
        working_calendar: calendar,
        required_languages: vec!["zh-CN".into(), "en".into()],
        ..registry::Portfolio::default()
    })
}

#[test]
fn what_timelines_ask_of_a_portfolio_is_kept_when_it_is_read_again_and_no_damaged_request_holds_that_up() {
    let (mut world, mut registry) = world(&["bad", "good"]);
    world.ingest(registry.append(vec![("milepost.portfolio.updated", Some(portfolio(None)))])).unwrap();
    as_written_before(&mut world);
    let required = |world: &World| {
        let name = "portfolios/wsc".parse().unwrap();
        crate::tables::portfolio::get(&world.rows, &name).unwrap().unwrap().required_languages
    };
    assert_eq!((mirror_version::get(&world.rows), required(&world)), (0, Vec::<String>::new()));
    damage(&mut world, &key("bad"));
    let read: Vec<_> = (1..=registry.entries.len()).map(|sequence| registry.source_entry(sequence)).collect();
    let last = read.last().unwrap().portfolios.clone();
    let assignments: Vec<_> = read.into_iter().flat_map(|entry| entry.assignments).collect();
    let position = registry.tail();
    let refollow = |portfolios: Vec<_>, assignments: Vec<_>, is_last| Command::UpgradeMirror {
        position,
        portfolios: portfolios.into(),
        projects: std::sync::Arc::default(),
        assignments: assignments.into(),
        is_last,
    };
    world.submit(refollow(Vec::new(), assignments, false)).unwrap();
    world.submit(refollow(last, Vec::new(), false)).unwrap();
    assert_eq!(required(&world), ["zh-CN", "en"]);
    world.submit(refollow(Vec::new(), Vec::new(), true)).unwrap();
    assert_eq!(mirror_version::get(&world.rows), MIRROR_VERSION);
}

/// Of three of the five working days after the first overdue one nobody works, and then somebody does.
#[test]
fn a_calendar_that_changes_moves_the_next_escalation_at_once() {
    let holidays = (12..=14).filter_map(|of| day(date(2021, 5, of))).collect();
    let with_holidays = registry::WorkingCalendar { holidays, ..registry::WorkingCalendar::default() };
    let changed = |registry: &mut Registry, calendar| {
        registry.append_events(vec![Event {
            r#type: "milepost.portfolio.updated".into(),
            changed_fields: vec!["working_calendar".into()],
            resource: Some(portfolio(calendar)),
            ..Event::default()
        }])
    };
    let (mut world, mut registry) = world(&["r"]);
    let escalates = |world: &World| (request(world, "r").level, request(world, "r").escalation_date);
    assert_eq!(escalates(&world), (1, day(date(2021, 5, 18))));
    let events = world.ingest(changed(&mut registry, Some(with_holidays.clone()))).unwrap();
    assert_eq!(kinds(&events), ["source.followed", "service_request.updated"]);
    assert_eq!(escalates(&world), (1, day(date(2021, 5, 21))));
    let cause = &events[0];
    assert!(events[1].caused_by.ends_with(&format!("/{}/0", registry.entries.len())), "{cause:?}");
    world.ingest(changed(&mut registry, None)).unwrap();
    assert_eq!(escalates(&world), (1, day(date(2021, 5, 18))));
    world.now = "2021-05-18T04:00:00Z".parse().unwrap();
    let events = world.advance(date(2021, 5, 18)).unwrap();
    assert_eq!(kinds(&events).iter().filter(|kind| **kind == "service_request.escalated").count(), 1);
    // What it has escalated to stays, and days off move what is next beyond it.
    world.ingest(changed(&mut registry, Some(with_holidays.clone()))).unwrap();
    assert_eq!(escalates(&world), (2, day(date(2021, 5, 28))));
    // What has come by the days that count now is announced.
    world.now = "2021-05-25T04:00:00Z".parse().unwrap();
    world.advance(date(2021, 5, 25)).unwrap();
    let events = world.ingest(changed(&mut registry, None)).unwrap();
    assert_eq!(kinds(&events), ["source.followed", "service_request.escalated"]);
    assert_eq!(escalates(&world), (3, None));
    assert_eq!(kinds(&world.ingest(changed(&mut registry, None)).unwrap()), ["source.followed"]);
    assert_eq!(world.rebuilt(), world.rows);
}

/// Each of the entries that a calendar takes reads what it changes itself, and not all that is left.
#[test]
fn a_calendar_that_changes_much_is_taken_over_in_parts_that_read_what_they_change() {
    use milepost_ledger::Domain as _;

    let ids: Vec<String> = (0..100).map(|i| format!("r{i:02}")).collect();
    let (mut world, mut registry) = world(&ids.iter().map(String::as_str).collect::<Vec<_>>());
    let holidays = (12..=14).filter_map(|of| day(date(2021, 5, of))).collect();
    let calendar = registry::WorkingCalendar { holidays, ..registry::WorkingCalendar::default() };
    let source_entry = registry.append_events(vec![Event {
        r#type: "milepost.portfolio.updated".into(),
        changed_fields: vec!["working_calendar".into()],
        resource: Some(portfolio(Some(calendar))),
        ..Event::default()
    }]);
    world.domain.part_bytes = 4_000;
    let command = Command::Ingest { source_entry: std::sync::Arc::new(source_entry.clone()), skip: None };
    let counted = super::world::Counted::new(&world.rows);
    let part = world.domain.decide(&counted, &command, &world.context()).unwrap();
    let (changed, reads) = (part.events.len() - 1, counted.reads());
    assert!((1..10).contains(&changed) && reads < 60, "{reads} reads for {changed} of 100");
    let events = world.ingest(source_entry).unwrap();
    let changed = kinds(&events).into_iter().filter(|kind| *kind == "service_request.updated");
    assert_eq!(changed.count(), 100);
    assert_eq!(world.rebuilt(), world.rows);
}
