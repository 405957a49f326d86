//! Rows that cannot be decoded: named for whatever needs them, and in nobody else's way.

use bytes::Bytes;
use milepost_proto::tracker::v1::milestone::State;
use milepost_proto::tracker::v1::{ListMilestonesRequest, Milestone};
use milepost_types::{DamagedRow, Rejection, Violations};

use crate::milestone::CONSTRUCTION_START;
use crate::tables::{Table, key};
use crate::tests::World;
use crate::tests::samples::BASELINE;
use crate::tests::world::{Action, create, draft, kinds, name, project_name};

/// Two projects with a construction start each, of which the one of `road` cannot be decoded.
fn world() -> (World, crate::tests::Registry) {
    let (mut world, registry) = World::with_projects(&["road", "bridge"]);
    for project in ["road", "bridge"] {
        let mut start = draft(project, Some("start"), Some(BASELINE));
        start.milestone.as_mut().unwrap().r#type = CONSTRUCTION_START.into();
        world.submit(create(vec![start])).unwrap();
    }
    world.create("end", Some(BASELINE));
    damage(&mut world, b"\x01wsc\0road\0start", NO_TEXT);
    (world, registry)
}

/// A name that is no text: seen by who reads the whole row.
const NO_TEXT: &[u8] = b"\x0a\x01\xff";
/// A name that ends too early: seen by who reads any part of the row.
const CUT_OFF: &[u8] = b"\x0a\x05x";

fn damage(world: &mut World, key: &[u8], with: &[u8]) {
    let row = world.rows.0.get_mut(key).unwrap();
    *row = Bytes::from([&row[..], with].concat());
}

/// The row that a refusal names.
fn lost(refusal: Rejection) -> (&'static str, String) {
    let Rejection::DamagedRow(DamagedRow { table, key, .. }) = refusal else { panic!("{refusal:?}") };
    (table, key)
}

fn listed(world: &World, parent: &str, order_by: &str, filter: &str) -> Result<Vec<Milestone>, Rejection> {
    let [parent, order_by, filter] = [parent, order_by, filter].map(str::to_owned);
    let request = ListMilestonesRequest { parent, order_by, filter, ..ListMilestonesRequest::default() };
    world.page(&request).map(|(milestones, ..)| milestones)
}

#[test]
fn a_damaged_milestone_is_named_to_actions_lists_and_days_and_others_go_on() {
    let (mut world, _) = world();
    let damaged = ("tracker.milestone", r"wsc\x00road\x00start".to_owned());
    let refused = world.act(name("road", "start"), Action::Delete).unwrap_err();
    assert_eq!(lost(refused), damaged);
    let date = world.now.to_zoned(jiff::tz::TimeZone::UTC).date();
    assert_eq!(lost(world.advance(date).unwrap_err()), damaged);
    for parent in ["portfolios/wsc/projects/road", "portfolios/wsc/projects/-", "portfolios/-/projects/-"] {
        for order in ["name", "forecast_date"] {
            assert_eq!(lost(listed(&world, parent, order, "").unwrap_err()), damaged, "{parent} {order}");
        }
    }
    assert_eq!(listed(&world, "portfolios/wsc/projects/bridge", "", "").unwrap().len(), 1);
    world.act(name("road", "end"), Action::Delete).unwrap();
}

#[test]
fn a_start_that_needs_a_damaged_row_is_not_taken_over_until_the_rows_are_rebuilt() {
    let (mut world, mut registry) = world();
    let start = registry.start(&["road", "bridge"], BASELINE);
    let refused = world.ingest(start.clone()).unwrap_err();
    assert_eq!(lost(refused), ("tracker.milestone", r"wsc\x00road\x00start".to_owned()));
    assert_eq!(world.milestone(&name("bridge", "start")).state(), State::Planned);
    world.rows = world.rebuilt();
    let recorded = world.ingest(start).unwrap();
    assert_eq!(kinds(&recorded), ["source.followed", "milestone.achieved", "milestone.achieved"]);
}

#[test]
fn a_damaged_row_that_a_start_or_a_day_does_not_concern_is_not_in_its_way() {
    let (mut world, mut registry) = World::with_projects(&["road"]);
    let mut start = draft("road", Some("start"), Some(BASELINE));
    start.milestone.as_mut().unwrap().r#type = CONSTRUCTION_START.into();
    world.submit(create(vec![start])).unwrap();
    for id in ["planned", "done"] {
        world.create(id, Some(BASELINE));
    }
    world.act(name("road", "done"), Action::Achieve { actual: None, reason: String::new() }).unwrap();
    damage(&mut world, b"\x01wsc\0road\0done", NO_TEXT);
    let date = world.now.to_zoned(jiff::tz::TimeZone::UTC).date();
    assert_eq!(kinds(&world.advance(date).unwrap()), ["portfolio.date_advanced"]);
    damage(&mut world, b"\x01wsc\0road\0planned", NO_TEXT);
    let recorded = world.ingest(registry.start(&["road"], date)).unwrap();
    assert_eq!(kinds(&recorded), ["source.followed", "milestone.achieved"]);
    world.now = "2021-06-01T00:00:00Z".parse().unwrap();
    let refused = world.advance(BASELINE.tomorrow().unwrap()).unwrap_err();
    assert_eq!(lost(refused), ("tracker.milestone", r"wsc\x00road\x00planned".to_owned()), "a day does");
}

#[test]
fn a_list_needs_no_more_of_a_portfolio_than_that_it_is_there() {
    let (mut world, _) = World::with_projects(&["road"]);
    world.create("end", Some(BASELINE));
    damage(&mut world, &key::of_portfolio(Table::Portfolio, &project_name("road").parent()), CUT_OFF);
    assert_eq!(listed(&world, "portfolios/wsc/projects/-", "forecast_date", "").unwrap().len(), 1);
}

#[test]
fn a_damaged_fact_of_the_registry_is_named_to_what_rests_on_it() {
    let (mut world, _) = world();
    damage(&mut world, &key::of_project(Table::Project, &project_name("bridge")), CUT_OFF);
    let refused = world.act(name("bridge", "start"), Action::Delete).unwrap_err();
    assert_eq!(lost(refused), ("tracker.project", r"wsc\x00bridge".to_owned()));
    damage(&mut world, &key::of_portfolio(Table::Portfolio, &project_name("road").parent()), NO_TEXT);
    let refused = world.act(name("road", "end"), Action::Delete).unwrap_err();
    assert_eq!(lost(refused), ("tracker.portfolio", "wsc".to_owned()));
    // Which day it is there is not known; whoever does not ask for it is answered.
    let (mut world, _) = self::world();
    damage(&mut world, &key::of_portfolio(Table::Portfolio, &project_name("road").parent()), NO_TEXT);
    let bridge = "portfolios/wsc/projects/bridge";
    let refused = listed(&world, bridge, "", "baseline_date < days(9000)").unwrap_err();
    assert_eq!(lost(refused), ("tracker.portfolio", "wsc".to_owned()));
    assert_eq!(listed(&world, bridge, "", "baseline_date:*").unwrap().len(), 1);
}

/// The day waits for the milestone; days before it, requests, and milestones whose names come first do not.
#[test]
fn what_a_day_brings_before_a_damaged_milestone_happens_once_and_the_rest_when_it_can_be_read_again() {
    use milepost_proto::tracker::v1::{CreateServiceRequestRequest, ServiceRequest};
    let (mut world, _) = World::with_projects(&["road"]);
    world.advance("2021-05-13".parse().unwrap()).unwrap();
    for id in ["a", "b", "c"] {
        world.create(id, Some("2021-05-20".parse().unwrap()));
    }
    let request = CreateServiceRequestRequest {
        parent: project_name("road").to_string(),
        service_request: Some(ServiceRequest {
            title: "临时用电".into(),
            requester: "user:corp/unit".into(),
            due_date: Some(milepost_service::value::date_message("2021-05-20".parse().unwrap())),
            ..ServiceRequest::default()
        }),
        ..CreateServiceRequestRequest::default()
    };
    world
        .read_and_submit(|violations| {
            milepost_resource::read_create::<_, ServiceRequest>(request, violations, Violations::new())
        })
        .unwrap();
    let row = world.damage(&name("road", "b"));
    world.now = "2021-05-25T04:00:00Z".parse().unwrap();
    let count = world.entries.len();
    assert_eq!(lost(world.advance("2021-05-23".parse().unwrap()).unwrap_err()).0, "tracker.milestone");
    let said = |world: &World, from: usize| -> Vec<String> {
        let entries = world.entries[from..].iter();
        let events = entries.flat_map(|entry| &entry.events);
        let event = |event: &Bytes| {
            let event: milepost_proto::event::v1::Event = prost::Message::decode(event.clone()).unwrap();
            format!(
                "{} {}",
                event.r#type.trim_start_matches("milepost."),
                event.subject.rsplit('/').next().unwrap()
            )
        };
        let kinds = events.map(event).filter(|event| event.contains("overdue"));
        kinds
            .map(|event| {
                event
                    .split(' ')
                    .take(if event.starts_with("milestone") { 2 } else { 1 })
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect()
    };
    assert_eq!(said(&world, count), ["service_request.overdue", "milestone.overdue a"]);
    let today = world.today();
    assert_eq!(
        (today.current, today.advancing),
        ("2021-05-20".parse().unwrap(), Some("2021-05-21".parse().unwrap()))
    );
    world.put_row(&name("road", "b"), row);
    let count = world.entries.len();
    world.advance("2021-05-23".parse().unwrap()).unwrap();
    assert_eq!(said(&world, count), ["milestone.overdue b", "milestone.overdue c"]);
    assert_eq!(world.rebuilt(), world.rows);
}
