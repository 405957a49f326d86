//! Rows that cannot be decoded: named for whatever needs them, and in nobody else's way.

use bytes::Bytes;
use milepost_types::{DamagedRow, Filter, ProjectPattern, Rejection};

use crate::command::Refusal;
use crate::list::{Order, Page, Query, SCHEMA, page};
use crate::milestone::samples::BASELINE;
use crate::milestone::{Action, CONSTRUCTION_START, State};
use crate::tables::{Table, key};
use crate::tests::World;
use crate::tests::world::{create, draft, kinds, name, project_name};

/// Two projects with a construction start each, of which the one of `road` cannot be decoded.
fn world() -> (World, crate::tests::Registry) {
    let (mut world, registry) = World::with_projects(&["road", "bridge"]);
    for project in ["road", "bridge"] {
        let mut start = draft(project, Some("start"), Some(BASELINE));
        start.details.kind = CONSTRUCTION_START.into();
        world.submit(create(vec![start])).unwrap();
    }
    world.create("end", Some(BASELINE));
    damage(&mut world, key::of_milestone(Table::Milestone, &name("road", "start")), NO_TEXT);
    (world, registry)
}

/// A name that is no text: seen by who reads the whole row.
const NO_TEXT: &[u8] = b"\x0a\x01\xff";
/// A name that ends too early: seen by who reads any part of the row.
const CUT_OFF: &[u8] = b"\x0a\x05x";

fn damage(world: &mut World, key: Vec<u8>, with: &[u8]) {
    let row = world.rows.0.get_mut(key.as_slice()).unwrap();
    *row = Bytes::from([&row[..], with].concat());
}

/// The row that a refusal names.
fn lost(refusal: Refusal) -> (&'static str, String) {
    let Refusal { rejection: Rejection::DamagedRow(DamagedRow { table, key, .. }), on_mirror: false } =
        refusal
    else {
        panic!("{refusal:?}")
    };
    (table, key)
}

fn listed(world: &World, parent: &str, order: Order) -> Result<Page, DamagedRow> {
    listed_by(world, parent, order, "")
}

fn listed_by(world: &World, parent: &str, order: Order, filter: &str) -> Result<Page, DamagedRow> {
    let query = Query {
        parent: parent.parse::<ProjectPattern>().unwrap(),
        size: 10,
        filter: Filter::parse(filter, &SCHEMA).unwrap(),
        order,
        descending: false,
        show_deleted: false,
        after: None,
    };
    page(&world.rows, &query, world.now)
}

#[test]
fn a_damaged_milestone_is_named_to_actions_lists_and_days_and_others_go_on() {
    let (mut world, _) = world();
    let damaged = ("tracker.milestone", r"wsc\x00road\x00start".to_owned());
    let refused = world.act(&name("road", "start"), Action::Delete).unwrap_err();
    assert_eq!(lost(refused), damaged);
    let date = world.now.to_zoned(jiff::tz::TimeZone::UTC).date();
    assert_eq!(lost(world.advance(date).unwrap_err()), damaged);
    for parent in ["portfolios/wsc/projects/road", "portfolios/wsc/projects/-", "portfolios/-/projects/-"] {
        for order in [Order::Name, Order::Forecast] {
            let row = listed(&world, parent, order).unwrap_err();
            assert_eq!((row.table, row.key), damaged, "{parent} {order:?}");
        }
    }
    assert_eq!(listed(&world, "portfolios/wsc/projects/bridge", Order::Name).unwrap().milestones.len(), 1);
    world.act(&name("road", "end"), Action::Delete).unwrap();
}

#[test]
fn a_start_that_needs_a_damaged_row_is_not_taken_over_until_the_rows_are_rebuilt() {
    let (mut world, mut registry) = world();
    let start = registry.start(&["road", "bridge"], BASELINE);
    let refused = world.ingest(start.clone()).unwrap_err();
    assert_eq!(lost(refused), ("tracker.milestone", r"wsc\x00road\x00start".to_owned()));
    assert_eq!(world.milestone(&name("bridge", "start")).state, State::Planned);
    world.rows = world.rebuilt();
    let recorded = world.ingest(start).unwrap();
    assert_eq!(kinds(&recorded), ["source.followed", "milestone.achieved", "milestone.achieved"]);
}

#[test]
fn a_damaged_fact_of_the_registry_is_named_to_what_rests_on_it() {
    let (mut world, _) = world();
    damage(&mut world, key::of_project(Table::Project, &project_name("bridge")), CUT_OFF);
    let refused = world.act(&name("bridge", "start"), Action::Delete).unwrap_err();
    assert_eq!(lost(refused), ("tracker.project", r"wsc\x00bridge".to_owned()));
    damage(&mut world, key::of_portfolio(Table::Portfolio, project_name("road").portfolio()), NO_TEXT);
    let refused = world.act(&name("road", "end"), Action::Delete).unwrap_err();
    assert_eq!(lost(refused), ("tracker.portfolio", "wsc".to_owned()));
    // Which day it is there is not known; whoever does not ask for it is answered.
    let bridge = "portfolios/wsc/projects/bridge";
    let row = listed_by(&world, bridge, Order::Name, "baseline_date < days(9000)").unwrap_err();
    assert_eq!((row.table, row.key.as_str()), ("tracker.portfolio", "wsc"));
    assert_eq!(listed_by(&world, bridge, Order::Name, "baseline_date:*").unwrap().milestones.len(), 1);
}
