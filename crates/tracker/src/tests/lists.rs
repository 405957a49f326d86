//! Pages: order, what is on them, and that they go on.

use jiff::ToSpan;
use jiff::civil::{Date, date};
use milepost_proto::tracker::v1::{BatchCreateMilestonesRequest, ListMilestonesRequest, Milestone};
use milepost_service::value::date_message;
use milepost_types::{Violations, limits};
use proptest::prelude::*;

use crate::methods::create_several;
use crate::tests::World;
use crate::tests::world::{Action, command, create, draft, name};

const ORDERS: [&str; 2] = ["name", "forecast_date"];

fn query(parent: &str) -> ListMilestonesRequest {
    ListMilestonesRequest { parent: parent.to_owned(), page_size: 1000, ..ListMilestonesRequest::default() }
}

fn filtered(filter: &str) -> ListMilestonesRequest {
    ListMilestonesRequest { filter: filter.to_owned(), ..query("portfolios/wsc/projects/-") }
}

/// The same in this order.
fn by(order: &str, query: &ListMilestonesRequest) -> ListMilestonesRequest {
    ListMilestonesRequest { order_by: order.to_owned(), ..query.clone() }
}

/// The names on all pages, without what is the same in all of them.
fn names(world: &World, query: &ListMilestonesRequest) -> Vec<String> {
    let (mut names, mut query) = (Vec::new(), query.clone());
    loop {
        let (milestones, next, _) = world.page(&query).unwrap();
        assert!(milestones.len() <= query.page_size as usize);
        names.extend(milestones.iter().map(|milestone| short(&milestone.name)));
        query.page_token = next;
        if query.page_token.is_empty() {
            return names;
        }
    }
}

fn short(name: &str) -> String {
    let parts: Vec<_> = name.split('/').collect();
    format!("{}/{}/{}", parts[1], parts[3], parts[5])
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
    let requests = [("m", 3), ("n", 2)].map(|(id, days)| {
        let mut request = draft("z", Some(id), Some(day(days)));
        request.parent.clear();
        request
    });
    let (parent, requests) = ("portfolios/alpha/projects/z".to_owned(), requests.into());
    let batch = BatchCreateMilestonesRequest { parent, requests, ..BatchCreateMilestonesRequest::default() };
    let act = create_several(batch, &mut Violations::new()).unwrap();
    world.submit(command(act)).unwrap();
    world
}

#[test]
fn a_list_is_in_the_order_asked_for_under_the_parent_asked_for() {
    let world = world();
    let all = ["alpha/z/m", "alpha/z/n", "wsc/a/x", "wsc/a/y", "wsc/road/a", "wsc/road/b"];
    assert_eq!(names(&world, &query("portfolios/-/projects/-")), all);
    assert_eq!(names(&world, &query("portfolios/wsc/projects/-")), all[2..]);
    assert_eq!(names(&world, &query("portfolios/wsc/projects/road")), all[4..]);
    assert!(world.page(&query("portfolios/wsc/projects/ro")).is_err());
    let by = |parent: &str| by("forecast_date", &query(parent));
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
        for order in ORDERS {
            let expected = names(&world, &by(order, &query(parent)));
            for page_size in 1..8 {
                let sized = ListMilestonesRequest { page_size, ..query(parent) };
                assert_eq!(names(&world, &by(order, &sized)), expected, "{parent} {order} {page_size}");
                let mut backward = names(&world, &by(&format!("{order} desc"), &sized));
                backward.reverse();
                assert_eq!(backward, expected, "{parent} {order} {page_size} backward");
            }
        }
    }
}

#[test]
fn what_comes_and_goes_between_pages_neither_repeats_nor_hides_others() {
    let mut world = world();
    let first = by("forecast_date", &query("portfolios/-/projects/-"));
    let first = ListMilestonesRequest { page_size: 3, ..first };
    let (page_one, page_token, _) = world.page(&first).unwrap();
    // The last one of the page moves to the front, another comes after it on the same day.
    world
        .act(&page_one[2].name, Action::Reforecast { forecast: Some(day(0)), reason: String::new() })
        .unwrap();
    world.submit(create(vec![draft("a", Some("w"), Some(day(3)))])).unwrap();
    let rest = names(&world, &ListMilestonesRequest { page_token, ..first });
    assert_eq!(rest, ["wsc/a/w", "wsc/a/x", "wsc/road/a", "wsc/a/y"]);
}

#[test]
fn today_in_a_filter_is_the_current_date_of_each_rows_portfolio() {
    let mut world = world();
    let everywhere = |filter: &str| ListMilestonesRequest {
        parent: "portfolios/-/projects/-".to_owned(),
        ..filtered(filter)
    };
    let within = everywhere("baseline_date <= days(3) AND state = PLANNED");
    assert_eq!(names(&world, &within), ["alpha/z/m", "alpha/z/n", "wsc/a/x", "wsc/road/b"]);
    // What a portfolio was advanced to counts, and the clock where none was.
    world.now += jiff::SignedDuration::from_hours(72);
    world.advance(day(2)).unwrap();
    assert_eq!(world.today().current, day(2));
    assert_eq!(names(&world, &everywhere("baseline_date < today()")), ["alpha/z/n", "wsc/road/b"]);
    assert_eq!(names(&world, &everywhere("baseline_date = (days(1) OR days(7))")), ["wsc/a/x", "wsc/road/a"]);
    let by_forecast = |filter: &str| by("forecast_date", &everywhere(filter));
    assert_eq!(
        names(&world, &by_forecast("baseline_date = days(1) OR baseline_date = today()")),
        ["alpha/z/m", "wsc/a/x"]
    );
}

#[test]
fn deleted_ones_are_seen_only_if_asked_for() {
    let mut world = world();
    world.act(name("road", "a"), Action::Delete).unwrap();
    let road = query("portfolios/wsc/projects/road");
    assert_eq!(names(&world, &road), ["wsc/road/b"]);
    assert_eq!(
        names(&world, &ListMilestonesRequest { show_deleted: true, ..road }),
        ["wsc/road/a", "wsc/road/b"]
    );
}

#[test]
fn filters_see_every_field_by_its_path() {
    let (mut world, _) = World::with_projects(&["road"]);
    let mut full = draft("road", Some("full"), Some(day(14)));
    full.milestone = Some(Milestone {
        forecast_date: Some(date_message(day(20))),
        r#type: "constructionStart".to_owned(),
        code: "M-1".to_owned(),
        weight: Some(3),
        owner: "organizations/cqu".to_owned(),
        required_evidence: vec!["permit".to_owned()],
        remarks: "a note".to_owned(),
        duration_working_days: 5,
        labels: [("ring".to_owned(), "inner".to_owned())].into(),
        ..full.milestone.unwrap()
    });
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
    for order in ORDERS {
        let last = ListMilestonesRequest { page_size: 5, ..by(order, &filtered("name = \"*m10999\"")) };
        let (first, next, _) = world.page(&last).unwrap();
        assert!(first.is_empty() && !next.is_empty());
        assert_eq!(names(&world, &last), ["wsc/road/m10999"]);
    }
    // Too many to be sorted for a page, and still in their order.
    let road = query("portfolios/wsc/projects/road");
    let whole = by("forecast_date", &road);
    let (_, _, scanned) = world.page(&ListMilestonesRequest { page_size: 5, ..whole.clone() }).unwrap();
    assert!(scanned <= limits::PAGE_ROWS);
    let expected: Vec<_> = (0..11_000).map(|i| format!("wsc/road/m{i:05}")).collect();
    assert_eq!(names(&world, &whole), expected);
    let mut backward = names(&world, &by("forecast_date desc", &road));
    backward.reverse();
    assert_eq!(backward, expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Any rows, any page size: all pages together are the sorted whole.
    #[test]
    fn pages_are_the_sorted_whole(
        rows in proptest::collection::vec((0usize..2, 0usize..40, proptest::option::of(0i64..6)), 0..30),
        page_size in 1i32..7,
        descending: bool,
    ) {
        let (mut world, _) = World::with_projects(&["a", "road"]);
        let mut expected = Vec::new();
        for (project, id, days) in rows {
            let project = ["a", "road"][project];
            let due = days.map(day);
            if world.submit(create(vec![draft(project, Some(&format!("m{id}")), due)])).is_ok() {
                expected.push((due.is_none(), due, name(project, &format!("m{id}"))));
            }
        }
        expected.sort();
        if descending {
            expected.reverse();
        }
        let expected: Vec<_> = expected.iter().map(|(_, _, name)| short(&name.to_string())).collect();
        let order = if descending { "forecast_date desc" } else { "forecast_date" };
        for parent in ["portfolios/-/projects/-", "portfolios/wsc/projects/-"] {
            let query = ListMilestonesRequest { page_size, ..by(order, &query(parent)) };
            prop_assert_eq!(&names(&world, &query), &expected);
        }
    }
}
