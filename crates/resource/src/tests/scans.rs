//! How many rows a list reads: an index where the filter or the order allows it, and never without a bound.

use milepost_proto::registry::v1::*;
use milepost_types::limits;

use super::lists::stored;
use super::world::{World, batch, ids, instant, page, pages, phase, portfolio, project};

fn list(filter: &str, order_by: &str) -> ListProjectsRequest {
    ListProjectsRequest {
        parent: "portfolios/a".to_owned(),
        filter: filter.to_owned(),
        order_by: order_by.to_owned(),
        page_size: 1000,
        ..ListProjectsRequest::default()
    }
}

/// 500 projects of which five are rare: in status, in name, and as a part.
fn many() -> World {
    let mut world = stored(&[]);
    for i in 0..500 {
        let rare = i % 100 == 0;
        world.put(&Project {
            status: if rare { 3 } else { 1 },
            display_name: if rare { "rare" } else { "common" }.to_owned(),
            parent_project: if rare { "portfolios/a/projects/p7".to_owned() } else { String::new() },
            update_time: instant(i * 3600),
            ..project("a", &format!("p{i}"))
        });
    }
    world
}

/// How many resources a list answers, and how many it looked at.
fn cost(world: &World, request: &ListProjectsRequest) -> (usize, usize) {
    let (page, _) = page::<Project>(&world.rows, request).unwrap();
    (page.resources.len(), page.scanned)
}

#[test]
fn an_equality_on_an_index_looks_at_no_more_than_it_answers() {
    let world = many();
    for (filter, count) in [
        ("status = STATUS_CONSTRUCTION", 5),
        ("status = STATUS_CONSTRUCTION AND display_name = rare", 5),
        ("display_name = rare", 5),
        ("parent_project = \"portfolios/a/projects/p7\"", 5),
        ("status = (STATUS_CONSTRUCTION OR STATUS_CANCELLED OR STATUS_CONSTRUCTION)", 5),
        ("display_name = rare OR display_name = none", 5),
        ("name = \"portfolios/a/projects/p7\"", 1),
        ("name = \"portfolios/a/projects/none\"", 0),
        ("name = \"portfolios/a/projects/p49*\"", 11),
    ] {
        assert_eq!(cost(&world, &list(filter, "")), (count, count), "{filter}");
        let everywhere =
            ListProjectsRequest { parent: "portfolios/-".to_owned(), ..list(filter, "name desc") };
        let (found, looked_at) = cost(&world, &everywhere);
        let by_name = filter.starts_with("name = ") && filter.contains('*');
        assert_eq!((found, looked_at == found), (count, !by_name), "{filter}");
    }
    assert_eq!(cost(&world, &list("display_name = \"ra*\"", "display_name desc")), (5, 5));
}

#[test]
fn a_list_of_one_name_looks_at_that_row_alone_or_at_none() {
    let world = many();
    for (filter, count) in [
        ("name = \"portfolios/a/projects/p7\" AND status = STATUS_PROPOSED", 1),
        ("name = \"portfolios/a/projects/p7\" AND name = \"portfolios/a/projects/p*\"", 1),
        ("name = \"portfolios/b/projects/p7\"", 0),
        ("name = nonsense", 0),
    ] {
        for direction in ["name", "name desc"] {
            assert_eq!(cost(&world, &list(filter, direction)), (count, count), "{filter}");
        }
    }
}

#[test]
fn an_index_that_would_miss_rows_is_not_used() {
    let mut world = many();
    let deleted = Project { status: 3, delete_time: instant(1), ..project("a", "deleted") };
    world.put(&deleted);
    // Of another portfolio, which the key of the index does not say.
    let elsewhere = "portfolios/b/projects/p7";
    world.put(&Project { parent_project: elsewhere.to_owned(), ..project("a", "elsewhere") });
    let shown = ListProjectsRequest { show_deleted: true, ..list("status = STATUS_CONSTRUCTION", "") };
    assert_eq!(cost(&world, &shown), (6, 502), "a live index does not have what is deleted");
    assert_eq!(cost(&world, &list("NOT status = STATUS_PROPOSED", "")).0, 5);
    assert_eq!(cost(&world, &list("status = STATUS_CONSTRUCTION OR display_name = common", "")).0, 500);
    assert_eq!(cost(&world, &list("NOT (status = STATUS_CONSTRUCTION AND display_name = rare)", "")).0, 496);
    let part = list(&format!("parent_project = \"{elsewhere}\""), "");
    assert_eq!(cost(&world, &part), (1, 6), "what the key does not say is compared after it");
    assert_eq!(
        cost(&world, &list("display_name = \"ra*\" OR status = STATUS_PROPOSED", "display_name")).0,
        501
    );
    assert_eq!(cost(&world, &list("parent_project != \"*\"", "")).0, 495, "what is no part is in no index");
}

#[test]
fn the_latest_updates_are_found_without_reading_the_rest() {
    let world = many();
    world.rows.take_count();
    let request = ListProjectsRequest { page_size: 3, ..list("", "update_time desc") };
    let (page, _) = page::<Project>(&world.rows, &request).unwrap();
    let listed: Vec<Project> =
        page.resources.into_iter().map(|row| prost::Message::decode(row).unwrap()).collect();
    assert_eq!(ids(&listed), ["p499", "p498", "p497"]);
    let read = world.rows.take_count();
    assert!(read < 30, "{read}");
}

#[test]
fn a_search_for_few_among_many_is_cut_into_pages() {
    let mut world = stored(&[]);
    let count = limits::PAGE_ROWS + 5;
    for i in 0..count {
        let key = (i + 1 == count).then_some(true);
        world.put(&Project { key, ..project("a", &format!("p{i:06}")) });
    }
    for order in ["", "display_name", "update_time"] {
        let first = list("key = true", order);
        let (page, next) = page::<Project>(&world.rows, &first).unwrap();
        assert!(page.resources.is_empty() && !next.is_empty());
        assert_eq!(page.scanned, limits::PAGE_ROWS);
        let listed =
            pages::<Project>(&world.rows, |page_token| ListProjectsRequest { page_token, ..first.clone() });
        assert_eq!(listed.len(), 1);
    }
}

#[test]
fn a_search_through_large_rows_is_cut_sooner() {
    let mut world = stored(&[]);
    for i in 0..40 {
        world.put(&Project { purpose: "x".repeat(2 << 20), ..project("a", &format!("p{i:02}")) });
    }
    let (page, next) = page::<Project>(&world.rows, &list("key = true", "")).unwrap();
    assert_eq!((page.scanned, next.is_empty()), (32, false));
}

#[test]
fn a_page_reads_no_more_rows_however_many_there_are() {
    let mut world = stored(&[]);
    for i in 0..300 {
        let at = |portfolio, id: String, updated| Project {
            update_time: instant(updated),
            ..project(portfolio, &id)
        };
        world.put(&at("a", format!("p{i:03}"), i / 10));
        world.put(&at(if i % 2 == 0 { "a-b" } else { "b" }, format!("q{i:03}"), 7));
    }
    for order in ["name", "display_name", "update_time"] {
        for (filter, by_name) in [("", false), ("status = STATUS_PROPOSED", true), ("display_name = n", true)]
        {
            if by_name && order != "name" {
                continue;
            }
            for direction in ["", " desc"] {
                let listed = pages::<Project>(&world.rows, |page_token| {
                    let read = world.rows.take_count();
                    assert!(page_token.is_empty() || read < 50, "{order}{direction} {filter}: {read}");
                    ListProjectsRequest {
                        parent: "portfolios/-".to_owned(),
                        page_size: 10,
                        page_token,
                        ..list(filter, &format!("{order}{direction}"))
                    }
                });
                assert_eq!(listed.len(), 600);
            }
        }
    }
}

#[test]
fn a_page_of_phases_reads_no_more_rows_however_many_there_are() {
    let mut world = stored(&[]);
    for (portfolio, i) in ["a", "b"].into_iter().flat_map(|portfolio| (0..300).map(move |i| (portfolio, i))) {
        let project = format!("portfolios/{portfolio}/projects/x{}", i / 3);
        world.put(&phase(&project, &format!("h{i}"), 1 + i % 3));
    }
    for (parent, count) in [("portfolios/a/projects/-", 300), ("portfolios/-/projects/-", 600)] {
        for order_by in ["order", "order desc"] {
            let listed = pages::<Phase>(&world.rows, |page_token| {
                let read = world.rows.take_count();
                assert!(page_token.is_empty() || read < 50, "{parent} {order_by}: {read}");
                ListPhasesRequest {
                    parent: parent.to_owned(),
                    order_by: order_by.to_owned(),
                    page_size: 10,
                    page_token,
                    ..ListPhasesRequest::default()
                }
            });
            let orders: Vec<_> = listed.iter().map(|phase| phase.order).collect();
            assert!(orders.is_sorted() || orders.is_sorted_by(|a, b| a >= b));
            assert_eq!(listed.len(), count);
        }
    }
}

/// The index is not under the portfolio: what another portfolio has is passed over, within the bound.
#[test]
fn an_index_across_parents_orders_what_is_under_one_of_them() {
    let mut world = World::default();
    ["a", "b"].into_iter().for_each(|id| world.put(&portfolio(id)));
    for (portfolio, id, day) in [("a", "one", 3), ("b", "two", 1), ("a", "three", 4), ("b", "four", 3)] {
        world.put(&batch(portfolio, id, day));
    }
    for (parent, expected) in
        [("portfolios/-", vec!["two", "one", "four", "three"]), ("portfolios/a", vec!["one", "three"])]
    {
        for (order_by, reversed) in [("start_date", false), ("start_date desc", true)] {
            let mut listed = pages::<Batch>(&world.rows, |page_token| ListBatchesRequest {
                parent: parent.to_owned(),
                order_by: order_by.to_owned(),
                page_size: 1,
                page_token,
                ..ListBatchesRequest::default()
            });
            if reversed {
                listed.reverse();
            }
            assert_eq!(ids(&listed), expected, "{parent} {order_by}");
        }
    }
}
