//! Rows that cannot be decoded: named for whatever needs them, and in nobody else's way.

use bytes::Bytes;
use milepost_ledger::Domain as _;
use milepost_proto::event::v1::Event;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::tracker::v1::milestone::{Outlook, State};
use milepost_proto::tracker::v1::{ListMilestonesRequest, Milestone, MilestoneRequirement};
use milepost_service::access::Permit;
use milepost_types::{DamagedRow, Rejection};

use crate::command::{AdvanceDate, Command};
use crate::milestone::CONSTRUCTION_START;
use crate::tables::{Table, key};
use crate::tests::World;
use crate::tests::samples::BASELINE;
use crate::tests::world::{Action, advance, create, draft, kinds, name, project_name};

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
fn a_damaged_milestone_is_named_to_actions_and_lists_and_days_go_on_for_others() {
    let (mut world, _) = world();
    let damaged = ("tracker.milestone", r"wsc\x00road\x00start".to_owned());
    let refused = world.act(name("road", "start"), Action::Delete).unwrap_err();
    assert_eq!(lost(refused), damaged);
    let date = world.now.to_zoned(jiff::tz::TimeZone::UTC).date();
    assert_eq!(kinds(&world.advance(date).unwrap()), ["portfolio.date_advanced"]);
    for parent in ["portfolios/wsc/projects/road", "portfolios/wsc/projects/-", "portfolios/-/projects/-"] {
        for order in ["name", "forecast_date"] {
            assert_eq!(lost(listed(&world, parent, order, "").unwrap_err()), damaged, "{parent} {order}");
        }
    }
    assert_eq!(listed(&world, "portfolios/wsc/projects/bridge", "", "").unwrap().len(), 1);
    world.act(name("road", "end"), Action::Delete).unwrap();
}

/// The follower goes on for all others, and the start is not lost: it comes on the day after the row can be read again.
#[test]
fn a_start_passes_over_a_damaged_milestone_and_achieves_it_when_it_can_be_read_again() {
    let (mut world, mut registry) = world();
    let row = world.rebuilt().0[&b"\x01wsc\0road\0start"[..]].clone();
    let started = BASELINE.yesterday().unwrap();
    let recorded = world.ingest(registry.start(&["road", "bridge"], started)).unwrap();
    assert_eq!(kinds(&recorded), ["source.followed", "source.skipped", "milestone.achieved"]);
    let Some(Payload::SourceSkipped(skipped)) = &recorded[1].payload else { panic!() };
    assert_eq!(skipped.milestones, [name("road", "start").to_string()]);
    assert_eq!(skipped.start_date, Some(milepost_resource::date_message(started)));
    assert!(skipped.reason.contains(r"tracker.milestone with the key wsc\x00road\x00start"), "{skipped:?}");
    assert_eq!(world.milestone(&name("bridge", "start")).state(), State::Achieved);
    // It goes on, and so do days.
    assert_eq!(kinds(&world.ingest(registry.project("rail")).unwrap()), ["source.followed"]);
    let days = ["2021-05-13", "2021-05-14", "2021-05-15", "2021-05-16"].map(|day| day.parse().unwrap());
    world.now = "2021-05-20T04:00:00Z".parse().unwrap();
    for day in &days[..2] {
        assert_eq!(kinds(&world.advance(*day).unwrap()), ["portfolio.date_advanced"]);
    }
    world.put_row(&name("road", "start"), row);
    assert_eq!(world.rebuilt(), world.rows);
    let recorded = world.advance(days[2]).unwrap();
    assert_eq!(
        kinds(&recorded),
        ["portfolio.date_advancing", "milestone.achieved", "portfolio.date_advanced"]
    );
    let start = world.milestone(&name("road", "start"));
    assert_eq!((start.state(), start.actual_date), (State::Achieved, skipped.start_date));
    // Once: what is taken back stays so.
    world.act(name("road", "start"), Action::Reopen { reason: "not yet".into() }).unwrap();
    assert_eq!(kinds(&world.advance(days[3]).unwrap()), ["portfolio.date_advanced"]);
    assert_eq!(world.milestone(&name("road", "start")).state(), State::Planned);
    assert_eq!(world.rebuilt(), world.rows);
}

/// What needs a damaged row to be achieved waits with it, also where the start takes several entries.
#[test]
fn what_a_damaged_milestone_keeps_from_being_achieved_is_found_with_it() {
    for part_bytes in [800 << 10, 1] {
        let (mut world, mut registry) = World::with_projects(&["road"]);
        for (id, code) in [("a", "r"), ("b", "r"), ("c", "s")] {
            let mut start = draft("road", Some(id), Some(BASELINE));
            start.milestone.as_mut().unwrap().r#type = CONSTRUCTION_START.into();
            world.submit(create(vec![start])).unwrap();
            let requirement = MilestoneRequirement { code: code.into(), ..MilestoneRequirement::default() };
            let version = "portfolios/wsc/templates/t/versions/v".to_owned();
            let made = world.milestone(&name("road", id));
            world.store(&Milestone { template_version: version, requirements: vec![requirement], ..made });
        }
        let row = world.damage(&name("road", "b"));
        world.domain.part_bytes = part_bytes;
        let source_entry = registry.start(&["road"], BASELINE);
        let recorded = world.ingest(source_entry).unwrap();
        let said: Vec<_> = recorded
            .iter()
            .filter_map(|event| match &event.payload {
                Some(Payload::SourceSkipped(skipped)) => Some(skipped.milestones.clone()),
                _ => None,
            })
            .collect();
        let mut missed = [name("road", "a"), name("road", "b")].map(|name| name.to_string()).to_vec();
        missed.sort_unstable();
        assert!(said.iter().all(|said| said.iter().eq(&missed)) && !said.is_empty(), "{said:?}");
        assert_eq!(world.milestone(&name("road", "c")).state(), State::Achieved);
        assert_eq!(world.milestone(&name("road", "a")).state(), State::Planned);
        world.put_row(&name("road", "b"), row);
        let recorded = world.advance("2021-05-13".parse().unwrap()).unwrap();
        let achieved = kinds(&recorded).into_iter().filter(|kind| *kind == "milestone.achieved").count();
        assert_eq!(achieved, 2, "{:?}", kinds(&recorded));
    }
}

/// Of a portfolio that cannot be read no start says anything, and others go on.
#[test]
fn a_start_in_a_portfolio_that_cannot_be_read_waits_until_it_can_be() {
    let (mut world, mut registry) = World::with_projects(&["road"]);
    let mut start = draft("road", Some("start"), Some(BASELINE));
    start.milestone.as_mut().unwrap().r#type = CONSTRUCTION_START.into();
    world.submit(create(vec![start])).unwrap();
    damage(&mut world, &key::of_portfolio(Table::Portfolio, &project_name("road").parent()), NO_TEXT);
    let recorded = world.ingest(registry.start(&["road"], BASELINE)).unwrap();
    assert_eq!(kinds(&recorded), ["source.followed", "source.skipped"]);
    world.rows = world.rebuilt();
    let recorded = world.advance("2021-05-13".parse().unwrap()).unwrap();
    assert_eq!(
        kinds(&recorded),
        ["portfolio.date_advancing", "milestone.achieved", "portfolio.date_advanced"]
    );
}

/// The day on which it would be overdue finds it achieved.
#[test]
fn a_milestone_that_a_start_passed_over_is_achieved_before_the_day_asks_whether_it_is_overdue() {
    let (mut world, mut registry) = World::with_projects(&["road"]);
    world.advance("2021-05-13".parse().unwrap()).unwrap();
    let mut start = draft("road", Some("start"), Some("2021-05-20".parse().unwrap()));
    start.milestone.as_mut().unwrap().r#type = CONSTRUCTION_START.into();
    world.submit(create(vec![start])).unwrap();
    let row = world.damage(&name("road", "start"));
    world.ingest(registry.start(&["road"], "2021-05-12".parse().unwrap())).unwrap();
    world.now = "2021-05-25T04:00:00Z".parse().unwrap();
    world.advance("2021-05-20".parse().unwrap()).unwrap();
    world.put_row(&name("road", "start"), row);
    let events = world.advance("2021-05-22".parse().unwrap()).unwrap();
    assert_eq!(outlooks(&events), [("2021-05-12".to_owned(), "achieved", "start")]);
    assert_eq!(world.milestone(&name("road", "start")).state(), State::Achieved);
    assert_eq!(world.rebuilt(), world.rows);
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
    let events = world.advance(BASELINE.tomorrow().unwrap()).unwrap();
    assert!(
        kinds(&events).iter().all(|kind| *kind == "portfolio.date_advanced"),
        "nor in that of later days"
    );
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

/// What happens of milestones in these entries: the day, what, and to which.
fn outlooks(events: &[Event]) -> Vec<(String, &str, &str)> {
    let of_milestones = events.iter().filter(|event| event.r#type.starts_with("milepost.milestone."));
    let last = |text: &'_ str, of: char| text.rfind(of).map_or(0, |at| at + 1);
    let said = of_milestones.map(|event| {
        let day = milepost_resource::date(event.event_date.as_ref()).unwrap().to_string();
        (day, &event.r#type[last(&event.r#type, '.')..], &event.subject[last(&event.subject, '/')..])
    });
    said.collect()
}

/// Three milestones that are due on 20 May 2021, of which one cannot be read; it is the 13th.
fn due_on_the_20th() -> (World, Bytes) {
    let (mut world, _) = World::with_projects(&["road"]);
    world.advance("2021-05-13".parse().unwrap()).unwrap();
    for id in ["a", "b", "c"] {
        world.create(id, Some("2021-05-20".parse().unwrap()));
    }
    let row = world.damage(&name("road", "b"));
    world.now = "2021-06-25T04:00:00Z".parse().unwrap();
    (world, row)
}

/// The days go on for all others, and what was passed over is found on the day after it can be read again, once.
#[test]
fn a_damaged_milestone_holds_back_no_day_and_is_found_when_it_can_be_read_again() {
    let (mut world, row) = due_on_the_20th();
    let events = world.advance("2021-05-23".parse().unwrap()).unwrap();
    let on = |day: &str| format!("2021-05-{day}");
    assert_eq!(outlooks(&events), [(on("21"), "overdue", "a"), (on("21"), "overdue", "c")]);
    // Nothing is said again, however many days it cannot be read.
    assert_eq!(outlooks(&world.advance("2021-05-25".parse().unwrap()).unwrap()), []);
    world.put_row(&name("road", "b"), row);
    assert_eq!(world.rebuilt(), world.rows);
    let events = world.advance("2021-05-28".parse().unwrap()).unwrap();
    assert_eq!(outlooks(&events), [(on("26"), "overdue", "b")]);
    assert_eq!(world.milestone(&name("road", "b")).outlook(), Outlook::Overdue);
    assert_eq!(world.rebuilt(), world.rows);
}

/// The same where a day takes several entries, of which the first passes it over, and the rows are made anew between them.
#[test]
fn what_a_part_of_a_day_passes_over_is_found_after_the_day() {
    for rebuilt in [false, true] {
        let (mut world, row) = due_on_the_20th();
        world.advance("2021-05-20".parse().unwrap()).unwrap();
        world.domain.part_bytes = 1;
        let day = "2021-05-21".parse().unwrap();
        let mut parts = 0;
        loop {
            let events = world.submit(advance(day)).unwrap();
            if events.is_empty() {
                break;
            }
            parts += 1;
            if rebuilt {
                world.put_row(&name("road", "b"), row.clone());
                assert_eq!(world.rebuilt(), world.rows);
                world.damage(&name("road", "b"));
            }
        }
        assert!(parts > 1, "{parts}");
        world.put_row(&name("road", "b"), row);
        let events = world.advance("2021-05-24".parse().unwrap()).unwrap();
        assert_eq!(outlooks(&events), [("2021-05-22".to_owned(), "overdue", "b")]);
        assert_eq!(world.rebuilt(), world.rows);
    }
}

/// A day that is only tried counts what it can read.
#[test]
fn a_preview_passes_over_what_cannot_be_read() {
    let (world, _) = due_on_the_20th();
    let preview = AdvanceDate {
        portfolio: "portfolios/wsc".parse().unwrap(),
        date: "2021-05-21".parse().unwrap(),
        preview: true,
        traceparent: String::new(),
        permit: Permit::of_system(),
    };
    let command = Command::AdvanceDate(std::sync::Arc::new(preview));
    let decision = world.domain.decide(&world.rows, &command, &world.context()).unwrap();
    let event: Event = prost::Message::decode(decision.events[0].clone()).unwrap();
    let Some(Payload::DateAdvanced(advanced)) = event.payload else { panic!() };
    assert_eq!((advanced.due_soon_count, advanced.overdue_count), (0, 2));
}
