//! Every order, direction, filter and page size of projects, while others write.

use milepost_types::{PortfolioPattern, ProjectName, limits};
use proptest::prelude::*;

use super::super::projects::{By, ORDERS, Order, SCHEMA, list};
use super::*;

const PORTFOLIOS: [&str; 3] = ["a", "a-b", "b"];

fn some_project() -> impl Strategy<Value = proto::Project> {
    let ids = prop::sample::select(vec!["x", "x-y", "y", "y1", "z"]);
    let names = prop::sample::select(vec!["名", "名称", "n", "na", "nb"]);
    let times = prop::sample::select(vec![0i64, 1, 3_599, 3_600, 3_601, 7_200, 90_000]);
    (prop::sample::select(PORTFOLIOS.to_vec()), ids, names, times, 1..4i32, any::<bool>(), any::<bool>())
        .prop_map(|(portfolio, id, name, updated, status, key, deleted)| proto::Project {
            status,
            key: key.then_some(true),
            delete_time: instant(5).filter(|_| deleted),
            ..project(portfolio, id, name, updated)
        })
}

fn some_rows(projects: &[proto::Project]) -> Rows {
    let mut rows = Rows::default();
    for portfolio in PORTFOLIOS {
        put_portfolio(&mut rows, portfolio, "p");
    }
    // Several of one name are one project that changed.
    projects.iter().for_each(|project| put_project(&mut rows, project));
    rows
}

fn name(project: &proto::Project) -> ProjectName {
    project.name.parse().unwrap()
}

/// What the list must tell, by hand.
fn model(rows: &Rows, parent: &PortfolioPattern, query: &Query<By, Order>) -> Vec<proto::Project> {
    let stored = rows.scan(&tables::projects::all(), Direction::Forward);
    let mut told: Vec<_> = stored
        .map(|(_, row)| proto::Project::decode(row).unwrap())
        .filter(|project| parent.matches(name(project).portfolio()))
        .filter(|project| query.show_deleted || project.delete_time.is_none())
        .filter(|project| query.filter.matches(project))
        .collect();
    told.sort_by_cached_key(|project| match query.order {
        Order::Name => (String::new(), 0, name(project)),
        Order::DisplayName => (project.display_name.clone(), 0, name(project)),
        Order::UpdateTime => (String::new(), project.update_time.unwrap().seconds, name(project)),
    });
    if query.direction == Direction::Backward {
        told.reverse();
    }
    told
}

const FILTERS: [&str; 12] = [
    "",
    "status = STATUS_PREPARATION",
    "status = STATUS_PREPARATION AND key = true",
    "status != STATUS_PREPARATION",
    "display_name = \"名\"",
    "display_name = \"na*\"",
    "display_name = \"na\" AND status = STATUS_PROPOSED",
    "display_name:\"称\"",
    "name = \"portfolios/a/projects/x\"",
    "name = \"portfolios/a/projects/x*\"",
    "name:\"portfolios/a\"",
    "update_time >= \"1970-01-01T01:00:00Z\"",
];

fn some_query() -> impl Strategy<Value = Query<By, Order>> {
    let orders = prop::sample::select(ORDERS.map(|(_, order)| order).to_vec());
    let directions = prop::sample::select(vec![Direction::Forward, Direction::Backward]);
    (orders, directions, prop::sample::select(FILTERS.to_vec()), any::<bool>(), 1..6usize).prop_map(
        |(order, direction, filter, show_deleted, size)| Query {
            show_deleted,
            size,
            ..query(&SCHEMA, filter, order, direction)
        },
    )
}

fn some_parent() -> impl Strategy<Value = PortfolioPattern> {
    prop::sample::select(vec!["portfolios/a", "portfolios/a-b", "portfolios/-"])
        .prop_map(|parent| parent.parse().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn pages_together_are_the_list(
        projects in prop::collection::vec(some_project(), 0..24),
        parent in some_parent(),
        query in some_query(),
    ) {
        let rows = some_rows(&projects);
        let told = pages(&query, |query| list(&rows, &parent, query).unwrap());
        prop_assert_eq!(told, model(&rows, &parent, &query));
    }

    #[test]
    fn what_does_not_change_between_pages_is_told_once_and_in_order(
        before in prop::collection::vec(some_project(), 0..16),
        writes in prop::collection::vec(some_project(), 0..8),
        parent in some_parent(),
        query in some_query(),
    ) {
        let mut rows = some_rows(&before);
        let touched: Vec<_> = writes.iter().map(name).collect();
        let unchanged = |projects: Vec<proto::Project>| -> Vec<_> {
            projects.into_iter().filter(|project| !touched.contains(&name(project))).collect()
        };
        let expected = unchanged(model(&rows, &parent, &query));
        let mut writes = writes.iter();
        let told = pages(&query, |query| {
            let page = list(&rows, &parent, query).unwrap();
            if let Some(write) = writes.next() {
                put_project(&mut rows, write);
            }
            page
        });
        prop_assert_eq!(unchanged(told), expected);
    }
}

#[test]
fn every_filter_tells_something_somewhere() {
    let mut projects = Vec::new();
    for (i, display_name) in ["名", "na", "名称"].into_iter().enumerate() {
        for (j, id) in ["x", "x-y", "y"].into_iter().enumerate() {
            let status = 1 + i32::from(i == 0);
            let key = (j == 0).then_some(true);
            let updated = 3_600 * i64::try_from(j).unwrap();
            projects.push(proto::Project {
                status,
                key,
                ..project(PORTFOLIOS[i], id, display_name, updated)
            });
        }
    }
    let rows = some_rows(&projects);
    for filter in FILTERS {
        let query = query(&SCHEMA, filter, Order::Name, Direction::Forward);
        let told = pages(&query, |query| list(&rows, &PortfolioPattern::All, query).unwrap());
        assert!(!told.is_empty(), "{filter}");
        assert_eq!(told.len() == 9, filter.is_empty(), "{filter}");
    }
}

#[test]
fn an_equality_on_an_index_looks_at_no_more_than_it_tells() {
    let mut rows = some_rows(&[]);
    for i in 0..500 {
        let rare = i % 100 == 0;
        let status = if rare { 3 } else { 1 };
        let display_name = if rare { "rare" } else { "common" };
        put_project(
            &mut rows,
            &proto::Project { status, ..project("a", &format!("p{i}"), display_name, i * 3600) },
        );
    }
    let parent = "portfolios/a".parse().unwrap();
    for (filter, told) in [
        ("status = STATUS_CONSTRUCTION", 5),
        ("display_name = rare", 5),
        ("name = \"portfolios/a/projects/p7\"", 1),
        ("name = \"portfolios/a/projects/p49*\"", 11),
    ] {
        let page = list(&rows, &parent, &query(&SCHEMA, filter, Order::Name, Direction::Forward)).unwrap();
        assert_eq!((page.resources.len(), page.looked_at), (told, told), "{filter}");
    }
    let query = query(&SCHEMA, "display_name = \"ra*\"", Order::DisplayName, Direction::Backward);
    assert_eq!(list(&rows, &parent, &query).unwrap().looked_at, 5);
}

#[test]
fn the_latest_updates_are_found_without_reading_the_rest() {
    let mut rows = some_rows(&[]);
    for i in 0..500 {
        put_project(&mut rows, &project("a", &format!("p{i}"), "n", i * 3600));
    }
    rows.told.set(0);
    let query = Query { size: 3, ..query(&SCHEMA, "", Order::UpdateTime, Direction::Backward) };
    let page = list(&rows, &"portfolios/a".parse().unwrap(), &query).unwrap();
    let names: Vec<_> =
        page.resources.iter().map(|project| project.name.rsplit('/').next().unwrap()).collect();
    assert_eq!(names, ["p499", "p498", "p497"]);
    assert!(rows.told.get() < 30, "{}", rows.told.get());
}

#[test]
fn a_search_for_few_among_many_is_cut_into_pages() {
    let mut rows = some_rows(&[]);
    let count = limits::PAGE_ROWS + 5;
    for i in 0..count {
        let key = (i + 1 == count).then_some(true);
        put_project(&mut rows, &proto::Project { key, ..project("a", &format!("p{i:06}"), "n", 0) });
    }
    let parent = "portfolios/a".parse().unwrap();
    let query = query(&SCHEMA, "key = true", Order::Name, Direction::Forward);
    let first = list(&rows, &parent, &query).unwrap();
    assert!(first.resources.is_empty() && first.next.is_some());
    let told = pages(&query, |query| list(&rows, &parent, query).unwrap());
    assert_eq!(told.len(), 1);
}

#[test]
fn a_search_through_large_rows_is_cut_sooner() {
    let mut rows = some_rows(&[]);
    for i in 0..40 {
        let purpose = "x".repeat(2 << 20);
        put_project(&mut rows, &proto::Project { purpose, ..project("a", &format!("p{i:02}"), "n", 0) });
    }
    let parent = "portfolios/a".parse().unwrap();
    let query = query(&SCHEMA, "key = true", Order::Name, Direction::Forward);
    let first = list(&rows, &parent, &query).unwrap();
    assert!(first.next.is_some() && first.looked_at == 32, "{}", first.looked_at);
    assert!(pages(&query, |query| list(&rows, &parent, query).unwrap()).is_empty());
}

#[test]
fn a_page_fits_one_answer_and_holds_one_resource_at_least() {
    let parent = "portfolios/a".parse().unwrap();
    // Sizes of which many, few, one, and not even one is within the bound.
    for (sizes, count) in [
        ([5_000, 5_000], 900),
        ([1_500_000, 1_500_000], 5),
        ([2_050_000, 2_200_000], 5),
        ([5_000_000, 5_000_000], 3),
    ] {
        let mut rows = some_rows(&[]);
        for i in 0..count {
            let purpose = "x".repeat(sizes[i % 2]);
            put_project(&mut rows, &proto::Project { purpose, ..project("a", &format!("p{i:03}"), "n", 0) });
        }
        for order in ORDERS.map(|(_, order)| order) {
            let query = query(&SCHEMA, "", order, Direction::Forward);
            let told = pages(&query, |query| {
                let page = list(&rows, &parent, query).unwrap();
                let answer = proto::ListProjectsResponse { projects: page.resources, ..Default::default() };
                let alone = answer.projects.len() == 1 && sizes[0] == 5_000_000;
                let size = answer.encoded_len();
                assert!(alone || size <= limits::ANSWER_ITEM_BYTES, "{order:?} {size}");
                assert!(!answer.projects.is_empty());
                Page { resources: answer.projects, ..page }
            });
            assert_eq!(told.len(), count, "{order:?} {sizes:?}");
        }
    }
}

#[test]
fn there_is_no_list_of_a_portfolio_that_is_not_there() {
    let query = query(&SCHEMA, "", Order::Name, Direction::Forward);
    assert!(list(&Rows::default(), &"portfolios/a".parse().unwrap(), &query).is_err());
    assert!(list(&Rows::default(), &PortfolioPattern::All, &query).unwrap().resources.is_empty());
}

/// One portfolio's projects, all updated in one minute, in one status, of one display name, and few in
/// another after it.
#[test]
fn a_page_reads_no_more_rows_however_many_there_are() {
    let mut rows = some_rows(&[]);
    for i in 0..300 {
        put_project(&mut rows, &project("a", &format!("p{i:03}"), "n", i / 10));
        put_project(&mut rows, &project(if i % 2 == 0 { "a-b" } else { "b" }, &format!("q{i:03}"), "n", 7));
    }
    for direction in [Direction::Forward, Direction::Backward] {
        for (order, filter) in [
            (Order::Name, ""),
            (Order::Name, "status = STATUS_PROPOSED"),
            (Order::Name, "display_name = n"),
            (Order::DisplayName, ""),
            (Order::UpdateTime, ""),
        ] {
            let query = Query { size: 10, ..query(&SCHEMA, filter, order, direction) };
            let told = pages(&query, |query| {
                rows.told.set(0);
                let page = list(&rows, &PortfolioPattern::All, query).unwrap();
                assert!(rows.told.get() < 50, "{order:?} {filter} {direction:?}: {}", rows.told.get());
                page
            });
            assert_eq!(told.len(), 600);
        }
    }
}
