//! Pages: order, what is on them, and that they go on.

use jiff::ToSpan;
use jiff::civil::{Date, date};
use milepost_proto::tracker::v1 as proto;
use milepost_types::{Filter, MilestoneName, PortfolioName, limits};
use proptest::prelude::*;

use crate::command::Command;
use crate::list::{Order, Page, Query, SCHEMA};
use crate::milestone::{Action, Draft};
use crate::tests::World;
use crate::tests::world::{create, draft, name};

fn page(world: &World, query: &Query) -> Page {
    crate::list::page(&world.rows, query, world.now).unwrap()
}

fn query(parent: &str) -> Query {
    Query {
        parent: parent.parse().unwrap(),
        size: 1000,
        filter: Filter::all(),
        order: Order::Name,
        descending: false,
        show_deleted: false,
        after: None,
    }
}

fn filtered(filter: &str) -> Query {
    Query { filter: Filter::parse(filter, &SCHEMA).unwrap(), ..query("portfolios/wsc/projects/-") }
}

/// The names on all pages, without what is the same in all of them.
fn names(world: &World, query: &Query) -> Vec<String> {
    let (mut names, mut query) = (Vec::new(), query.clone());
    loop {
        let page = page(world, &query);
        assert!(page.milestones.len() <= query.size);
        let short = |milestone: &proto::Milestone| {
            let parts: Vec<_> = milestone.name.split('/').collect();
            format!("{}/{}/{}", parts[1], parts[3], parts[5])
        };
        names.extend(page.milestones.iter().map(short));
        query.after = page.next;
        if query.after.is_none() {
            return names;
        }
    }
}

fn day(days: i64) -> Date {
    date(2021, 5, 13).saturating_add(days.days())
}

/// Three projects in two portfolios.
fn world() -> World {
    let (mut world, mut registry) = World::with_projects(&["a", "road"]);
    world.ingest(registry.portfolio("alpha")).unwrap();
    let elsewhere = crate::tests::registry::project("z");
    let milepost_proto::event::v1::event::Resource::ProjectResource(mut project) = elsewhere else {
        panic!()
    };
    project.name = "portfolios/alpha/projects/z".into();
    let resource = milepost_proto::event::v1::event::Resource::ProjectResource(project);
    world.ingest(registry.append(vec![("milepost.project.created", Some(resource))])).unwrap();
    for (project, id, days) in
        [("a", "x", Some(3)), ("a", "y", None), ("road", "b", Some(1)), ("road", "a", Some(9))]
    {
        world.submit(create(vec![draft(project, Some(id), days.map(day))])).unwrap();
    }
    let portfolio: PortfolioName = "portfolios/alpha".parse().unwrap();
    let drafts = [("m", Some(3)), ("n", Some(2))].map(|(id, days)| Draft {
        project: "portfolios/alpha/projects/z".parse().unwrap(),
        ..draft("z", Some(id), days.map(day))
    });
    world.submit(Command::Create { portfolio, drafts: drafts.into() }).unwrap();
    world
}

#[test]
fn a_list_is_in_the_order_asked_for_under_the_parent_asked_for() {
    let world = world();
    let all = ["alpha/z/m", "alpha/z/n", "wsc/a/x", "wsc/a/y", "wsc/road/a", "wsc/road/b"];
    assert_eq!(names(&world, &query("portfolios/-/projects/-")), all);
    assert_eq!(names(&world, &query("portfolios/wsc/projects/-")), all[2..]);
    assert_eq!(names(&world, &query("portfolios/wsc/projects/road")), all[4..]);
    assert!(names(&world, &query("portfolios/wsc/projects/ro")).is_empty());
    let by = |parent: &str| Query { order: Order::Forecast, ..query(parent) };
    let dated = ["wsc/road/b", "alpha/z/n", "alpha/z/m", "wsc/a/x", "wsc/road/a", "wsc/a/y"];
    assert_eq!(names(&world, &by("portfolios/-/projects/-")), dated);
    assert_eq!(
        names(&world, &by("portfolios/wsc/projects/-")),
        ["wsc/road/b", "wsc/a/x", "wsc/road/a", "wsc/a/y"]
    );
    assert_eq!(names(&world, &by("portfolios/wsc/projects/road")), ["wsc/road/b", "wsc/road/a"]);
}

#[test]
fn pages_of_every_size_and_both_directions_give_the_same() {
    let world = world();
    for parent in ["portfolios/-/projects/-", "portfolios/wsc/projects/-", "portfolios/wsc/projects/road"] {
        for order in [Order::Name, Order::Forecast] {
            let whole = Query { order, ..query(parent) };
            let expected = names(&world, &whole);
            for size in 1..8 {
                let forward = Query { size, ..whole.clone() };
                assert_eq!(names(&world, &forward), expected, "{parent} {order:?} {size}");
                let mut backward = names(&world, &Query { descending: true, ..forward });
                backward.reverse();
                assert_eq!(backward, expected, "{parent} {order:?} {size} backward");
            }
        }
    }
}

#[test]
fn what_comes_and_goes_between_pages_neither_repeats_nor_hides_others() {
    let mut world = world();
    let first = Query { size: 3, order: Order::Forecast, ..query("portfolios/-/projects/-") };
    let page_one = page(&world, &first);
    // The last one of the page moves to the front, another comes after it on the same day.
    let moved: MilestoneName = page_one.milestones[2].name.parse().unwrap();
    world.act(&moved, Action::Reforecast { forecast: Some(day(0)), reason: String::new() }).unwrap();
    world.submit(create(vec![draft("a", Some("w"), Some(day(3)))])).unwrap();
    let rest = names(&world, &Query { after: page_one.next, ..first });
    assert_eq!(rest, ["wsc/a/w", "wsc/a/x", "wsc/road/a", "wsc/a/y"]);
}

#[test]
fn today_in_a_filter_is_the_current_date_of_each_rows_portfolio() {
    let mut world = world();
    let everywhere =
        |filter: &str| Query { parent: "portfolios/-/projects/-".parse().unwrap(), ..filtered(filter) };
    let within = everywhere("baseline_date <= days(3) AND state = PLANNED");
    assert_eq!(names(&world, &within), ["alpha/z/m", "alpha/z/n", "wsc/a/x", "wsc/road/b"]);
    // What a portfolio was advanced to counts, and the clock where none was.
    world.now += jiff::SignedDuration::from_hours(72);
    world.advance(day(2)).unwrap();
    assert_eq!(world.today().current, day(2));
    assert_eq!(names(&world, &everywhere("baseline_date < today()")), ["alpha/z/n", "wsc/road/b"]);
    assert_eq!(names(&world, &everywhere("baseline_date = (days(1) OR days(7))")), ["wsc/a/x", "wsc/road/a"]);
    let by_forecast = |filter: &str| Query { order: Order::Forecast, ..everywhere(filter) };
    assert_eq!(
        names(&world, &by_forecast("baseline_date = days(1) OR baseline_date = today()")),
        ["alpha/z/m", "wsc/a/x"]
    );
}

#[test]
fn deleted_ones_are_seen_only_if_asked_for() {
    let mut world = world();
    world.act(&name("road", "a"), Action::Delete).unwrap();
    let road = query("portfolios/wsc/projects/road");
    assert_eq!(names(&world, &road), ["wsc/road/b"]);
    assert_eq!(names(&world, &Query { show_deleted: true, ..road }), ["wsc/road/a", "wsc/road/b"]);
}

#[test]
fn filters_see_every_field_by_its_path() {
    let (mut world, _) = World::with_projects(&["road"]);
    let mut full = draft("road", Some("full"), Some(day(14)));
    full.forecast = Some(day(20));
    full.details.kind = "constructionStart".into();
    full.details.code = "M-1".into();
    full.details.weight = Some(3);
    full.details.owner = Some("organizations/cqu".parse().unwrap());
    full.details.required_evidence = vec!["permit".into()];
    full.details.remarks = "a note".into();
    full.details.duration_working_days = 5;
    full.details.labels.insert("ring".into(), "inner".into());
    world.submit(create(vec![full, draft("road", Some("bare"), None)])).unwrap();
    for filter in [
        "type = constructionStart",
        "code = \"M-*\"",
        "weight >= 3",
        "owner = \"organizations/cqu\"",
        "required_evidence:permit",
        "remarks:note",
        "baseline_date = 2021-05-27",
        "forecast_date > 2021-06-01 forecast_date < 2021-06-03",
        "duration_working_days > 4",
        "labels.ring = inner",
        "labels:ring",
        "outlook = OUTLOOK_AT_RISK",
        "nearness = NEARNESS_AHEAD",
        "slippage = SLIPPAGE_AT_RISK",
        "variance_working_days = 4",
        "name = \"*full\"",
    ] {
        assert_eq!(names(&world, &filtered(filter)), ["wsc/road/full"], "{filter}");
    }
    for filter in [
        "state = STATE_PLANNED",
        "project = \"portfolios/wsc/projects/road\"",
        "portfolio:\"portfolios/wsc\"",
        "display_name = 开工",
        "actual_date != 2021-05-27",
        "create_time <= 2021-05-13T04:00:00Z update_time > 2021-01-01T00:00:00Z",
        "",
    ] {
        assert_eq!(names(&world, &filtered(filter)).len(), 2, "{filter}");
    }
    assert_eq!(names(&world, &filtered("type != \"*\" outlook != \"*\"")), ["wsc/road/bare"]);
}

#[test]
fn a_page_looks_at_so_many_rows_and_goes_on() {
    let (mut world, _) = World::with_projects(&["a", "road"]);
    let between = (0..11).map(|days| draft("a", Some(&format!("x{days:02}")), Some(day(days)))).collect();
    world.submit(create(between)).unwrap();
    for thousand in 0..11 {
        let ids: Vec<String> = (0..1000).map(|i| format!("m{thousand:02}{i:03}")).collect();
        let drafts = ids.iter().map(|id| draft("road", Some(id), Some(day(thousand)))).collect();
        world.submit(create(drafts)).unwrap();
    }
    for order in [Order::Name, Order::Forecast] {
        let last = Query { order, size: 5, ..filtered("name = \"*m10999\"") };
        let first = page(&world, &last);
        assert!(first.milestones.is_empty() && first.next.is_some());
        assert_eq!(names(&world, &last), ["wsc/road/m10999"]);
    }
    // Too many to be sorted for a page, and still in their order.
    let whole = Query { order: Order::Forecast, ..query("portfolios/wsc/projects/road") };
    assert!(page(&world, &Query { size: 5, ..whole.clone() }).scanned <= limits::PAGE_ROWS);
    let expected: Vec<_> = (0..11_000).map(|i| format!("wsc/road/m{i:05}")).collect();
    assert_eq!(names(&world, &whole), expected);
    let mut backward = names(&world, &Query { descending: true, ..whole });
    backward.reverse();
    assert_eq!(backward, expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Any rows, any page size: all pages together are the sorted whole.
    #[test]
    fn pages_are_the_sorted_whole(
        rows in proptest::collection::vec((0usize..2, 0usize..40, proptest::option::of(0i64..6)), 0..30),
        size in 1usize..7,
        descending: bool,
    ) {
        let (mut world, _) = World::with_projects(&["a", "road"]);
        let mut expected = Vec::new();
        for (project, id, days) in rows {
            let project = ["a", "road"][project];
            let due = days.map(day);
            if world.submit(create(vec![draft(project, Some(&format!("m{id}")), due)])).is_ok() {
                expected.push((crate::tables::key::day(due), name(project, &format!("m{id}"))));
            }
        }
        expected.sort();
        if descending {
            expected.reverse();
        }
        let expected: Vec<_> = expected.iter().map(|(_, name)| {
            let parts: Vec<_> = name.to_string().split('/').map(str::to_owned).collect();
            format!("{}/{}/{}", parts[1], parts[3], parts[5])
        }).collect();
        for parent in ["portfolios/-/projects/-", "portfolios/wsc/projects/-"] {
            let query = Query { order: Order::Forecast, descending, size, ..query(parent) };
            prop_assert_eq!(&names(&world, &query), &expected);
        }
    }
}
