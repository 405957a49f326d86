//! Indexes by paths: a key for each value at the end of one, kept as the resource changes, and what lists read by them.

use milepost_ledger::Read;
use milepost_proto::google::r#type::Date;
use milepost_proto::registry::v1::*;
use milepost_types::ResourceId;

use super::office::{MEMBERS, Office, PARTIES, PLANNED_END};
use super::world::{World, batch, ids, page, portfolio, project};
use crate::{Index, Name, Rules};

fn with(batch: Batch, members: &[&str]) -> Batch {
    let members = members.iter().map(|id| format!("portfolios/a/projects/{id}")).collect();
    Batch { members, ..batch }
}

/// The names in an index under the portfolio `a` with these fields.
fn found<R: Rules<Office>>(world: &World, index: Index, fields: &[u8]) -> Vec<String> {
    let under: ResourceId = "a".parse().unwrap();
    let names = crate::Rows::<Office>::new(&world.rows).names::<R>(index, &[under], fields);
    names.map(|name: Name<R>| name.ids().last().unwrap().to_string()).collect()
}

#[test]
fn a_list_has_a_key_for_each_value_and_they_follow_what_changes() {
    let mut world = World::default();
    world.put(&portfolio("a"));
    world.put(&with(batch("a", "first", 1), &["x", "y", "x"]));
    world.put(&with(batch("a", "second", 1), &["y"]));
    world.put(&with(batch("a", "none", 1), &[]));
    assert_eq!(found::<Batch>(&world, MEMBERS, b"x\0"), ["first"]);
    assert_eq!(found::<Batch>(&world, MEMBERS, b"y\0"), ["first", "second"]);
    assert_eq!(found::<Batch>(&world, MEMBERS, b""), ["first", "first", "second"]);
    world.put(&with(batch("a", "first", 1), &["z", "y"]));
    assert_eq!(found::<Batch>(&world, MEMBERS, b"x\0"), [""; 0]);
    assert_eq!(found::<Batch>(&world, MEMBERS, b"z\0"), ["first"]);
    assert_eq!(found::<Batch>(&world, MEMBERS, b"y\0"), ["first", "second"]);
    // A name that another begins with is another.
    assert_eq!(found::<Batch>(&world, MEMBERS, b"\0"), [""; 0]);
}

#[test]
fn a_path_goes_through_messages_and_lists_and_may_follow_other_fields() {
    let party = |id: &str| Party { organization: format!("organizations/{id}"), roles: Vec::new() };
    let ending =
        |day: i32| Some(Period { start_date: None, end_date: Some(Date { year: 2021, month: 5, day }) });
    let mut world = World::default();
    world.put(&Project { parties: vec![party("o"), party("q"), party("o")], ..project("a", "x") });
    world.put(&Project { parties: vec![party("q")], planned_period: ending(2), ..project("a", "y") });
    world.put(&Project { planned_period: ending(1), ..project("a", "z") });
    assert_eq!(found::<Project>(&world, PARTIES, b"o\0"), ["x"]);
    assert_eq!(found::<Project>(&world, PARTIES, b"q\0"), ["x", "y"]);
    assert_eq!(
        found::<Project>(&world, PLANNED_END, b"n\0"),
        ["z", "y"],
        "by the day, and only where there is one"
    );
    let under: ResourceId = "a".parse().unwrap();
    let until = |day: u8| -> Vec<String> {
        let rows = crate::Rows::<Office>::new(&world.rows);
        let names = rows.names_from_last::<Project>(
            PLANNED_END,
            std::slice::from_ref(&under),
            b"n\0",
            &[7, 229, 5, day],
        );
        names.map(|name| name.ids()[1].to_string()).collect()
    };
    assert_eq!(
        (until(9), until(2), until(1), until(0)),
        (vec!["y".into(), "z".into()], vec!["y".into(), "z".into()], vec!["z".into()], vec![])
    );
}

#[test]
fn a_list_by_a_member_looks_at_no_more_than_it_answers() {
    let mut world = World::default();
    world.put(&portfolio("a"));
    for i in 0..200 {
        let id = format!("b{i:03}");
        world.put(&with(batch("a", &id, 1), if i % 50 == 0 { &["rare", "common"] } else { &["common"] }));
    }
    let cost = |filter: &str| {
        let request = ListBatchesRequest {
            parent: "portfolios/a".to_owned(),
            filter: filter.to_owned(),
            page_size: 1000,
            ..ListBatchesRequest::default()
        };
        let (page, _) = page::<Batch>(&world.rows, &request).unwrap();
        (page.resources.len(), page.scanned)
    };
    let member = |id: &str| format!("members:\"portfolios/a/projects/{id}\"");
    assert_eq!(cost(&member("rare")), (4, 4));
    assert_eq!(cost(&member("none")), (0, 0));
    assert_eq!(cost(&format!("{} AND {}", member("rare"), member("common"))).0, 4);
    assert_eq!(cost("members:\"portfolios/b/projects/rare\""), (0, 4), "of another portfolio");
    // What is found by either is found once.
    assert_eq!(cost(&format!("{} OR {}", member("rare"), member("common"))), (200, 200));
    assert_eq!(cost("members:\"portfolios/a/projects/ra*\"").0, 4);
    let page = page::<Batch>(
        &world.rows,
        &ListBatchesRequest {
            parent: "portfolios/a".to_owned(),
            filter: member("rare"),
            page_size: 3,
            ..ListBatchesRequest::default()
        },
    );
    let (page, next) = page.unwrap();
    let batches: Vec<Batch> =
        page.resources.into_iter().map(|row| prost::Message::decode(row).unwrap()).collect();
    assert_eq!((ids(&batches), next.is_empty()), (vec!["b000", "b050", "b100"], false));
}

#[test]
fn many_values_are_brought_up_to_date_in_one_go() {
    let mut world = World::default();
    let all: Vec<String> = (0..10_000).map(|i| format!("p{i:05}")).collect();
    let of = |ids: &[String]| with(batch("a", "b", 1), &ids.iter().map(String::as_str).collect::<Vec<_>>());
    world.put(&of(&all));
    world.put(&of(&all[1..]));
    assert_eq!(found::<Batch>(&world, MEMBERS, b"").len(), 9_999);
    let row = world.rows.get(b"\x05a\0b").map(|row| row.len());
    assert!(row.is_some_and(|bytes| bytes > 250_000), "{row:?}");
}
