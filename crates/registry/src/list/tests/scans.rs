//! The orders of the other nouns.

use super::super::{batches, organizations, phases, portfolios};
use super::*;

fn ids<M>(resources: &[M], name: impl Fn(&M) -> &str) -> Vec<String> {
    resources.iter().map(|resource| name(resource).rsplit('/').next().unwrap().to_owned()).collect()
}

fn both_ways(mut told: impl FnMut(Direction) -> Vec<String>, expected: &[&str]) {
    assert_eq!(told(Direction::Forward), expected);
    let mut backward = told(Direction::Backward);
    backward.reverse();
    assert_eq!(backward, expected);
}

#[test]
fn portfolios_and_organizations_are_ordered_by_display_name_then_name() {
    let mut rows = Rows::default();
    for (id, display_name) in [("a", "z"), ("b", "y"), ("c", "y"), ("d", "yy"), ("e", "名")] {
        put_portfolio(&mut rows, id, display_name);
        let organization = proto::Organization {
            name: format!("organizations/{id}"),
            display_name: display_name.to_owned(),
            ..proto::Organization::default()
        };
        tables::organizations::put(&mut rows, organization.encode_to_vec().into());
    }
    let expected = ["b", "c", "d", "a", "e"];
    both_ways(
        |direction| {
            let query = query(&portfolios::SCHEMA, "", portfolios::Order::DisplayName, direction);
            let told = pages(&Query { size: 2, ..query }, |query| portfolios::list(&rows, query));
            ids(&told, |portfolio| &portfolio.name)
        },
        &expected,
    );
    both_ways(
        |direction| {
            let query = query(&organizations::SCHEMA, "", organizations::Order::DisplayName, direction);
            let told = pages(&Query { size: 2, ..query }, |query| organizations::list(&rows, query));
            ids(&told, |organization| &organization.name)
        },
        &expected,
    );
    let named =
        query(&portfolios::SCHEMA, "display_name = \"y*\"", portfolios::Order::Name, Direction::Forward);
    let told = pages(&named, |query| portfolios::list(&rows, query));
    assert_eq!(ids(&told, |portfolio| &portfolio.name), ["b", "c", "d"]);
}

fn put_phase(rows: &mut Rows, project: &str, id: &str, order: i32, deleted: bool) {
    let phase = proto::Phase {
        name: format!("portfolios/a/projects/{project}/phases/{id}"),
        order,
        delete_time: instant(1).filter(|_| deleted),
        ..proto::Phase::default()
    };
    tables::phases::put(rows, phase.encode_to_vec().into());
}

#[test]
fn phases_are_in_the_order_of_their_project_and_across_projects() {
    let mut rows = Rows::default();
    put_portfolio(&mut rows, "a", "a");
    for id in ["x", "y"] {
        put_project(&mut rows, &project("a", id, "n", 0));
    }
    for (project, id, order, deleted) in
        [("x", "one", 300, false), ("x", "two", 2, false), ("x", "old", 2, true), ("y", "three", 1, false)]
    {
        put_phase(&mut rows, project, id, order, deleted);
    }
    for (parent, expected) in [
        ("portfolios/a/projects/x", vec!["two", "old", "one"]),
        ("portfolios/a/projects/-", vec!["three", "two", "old", "one"]),
        ("portfolios/-/projects/-", vec!["three", "two", "old", "one"]),
    ] {
        let parent = parent.parse().unwrap();
        let told = |order, show_deleted, direction| {
            let query = Query { size: 1, show_deleted, ..query(&phases::SCHEMA, "", order, direction) };
            let told = pages(&query, |query| phases::list(&rows, &parent, query).unwrap());
            ids(&told, |phase| &phase.name)
        };
        both_ways(|direction| told(phases::Order::Order, true, direction), &expected);
        let live: Vec<_> = expected.iter().copied().filter(|id| *id != "old").collect();
        both_ways(|direction| told(phases::Order::Order, false, direction), &live);
        let mut by_name = told(phases::Order::Name, true, Direction::Forward);
        by_name.sort();
        let mut all: Vec<_> = expected.iter().map(ToString::to_string).collect();
        all.sort();
        assert_eq!(by_name, all);
    }
    let query = query(&phases::SCHEMA, "", phases::Order::Name, Direction::Forward);
    assert!(phases::list(&rows, &"portfolios/a/projects/z".parse().unwrap(), &query).is_err());
    assert!(phases::list(&rows, &"portfolios/b/projects/-".parse().unwrap(), &query).is_err());
}

#[test]
fn batches_are_ordered_by_their_day_across_portfolios() {
    use milepost_proto::google::r#type::Date;
    let mut rows = Rows::default();
    put_portfolio(&mut rows, "a", "a");
    put_portfolio(&mut rows, "b", "b");
    for (portfolio, id, year, month) in
        [("a", "one", 2021, 4), ("b", "two", 2020, 9), ("a", "three", 2021, 5), ("b", "four", 2021, 4)]
    {
        let batch = proto::Batch {
            name: format!("portfolios/{portfolio}/batches/{id}"),
            start_date: Some(Date { year, month, day: 27 }),
            state: proto::batch::State::Planned.into(),
            ..proto::Batch::default()
        };
        tables::batches::put(&mut rows, batch.encode_to_vec().into());
    }
    for (parent, expected) in
        [("portfolios/-", vec!["two", "one", "four", "three"]), ("portfolios/a", vec!["one", "three"])]
    {
        let parent = parent.parse().unwrap();
        both_ways(
            |direction| {
                let query = query(&batches::SCHEMA, "", batches::Order::StartDate, direction);
                let query = Query { size: 1, ..query };
                let told = pages(&query, |query| batches::list(&rows, &parent, query).unwrap());
                ids(&told, |batch| &batch.name)
            },
            &expected,
        );
    }
}

#[test]
fn places_are_read_back_and_nothing_else_is_one() {
    let place = Place { order: "名".into(), key: vec![3, 0, 255] };
    assert_eq!(Place::decode(&place.encode()), Some(place));
    for bytes in [&[][..], &[0], &[0, 2, 1], &[255, 255, 0]] {
        assert_eq!(Place::decode(bytes), None, "{bytes:?}");
    }
}
