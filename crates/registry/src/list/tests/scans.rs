//! The orders of the other nouns.

use jiff::Timestamp;

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
        tables::organizations::put(&mut rows, organization.encode_to_vec().into()).unwrap();
    }
    let expected = ["b", "c", "d", "a", "e"];
    both_ways(
        |direction| {
            let query = query(&portfolios::SCHEMA, "", portfolios::Order::DisplayName, direction);
            let told = pages(&Query { size: 2, ..query }, |query| {
                portfolios::list(&rows, query, Timestamp::UNIX_EPOCH).unwrap()
            });
            ids(&told, |portfolio| &portfolio.name)
        },
        &expected,
    );
    both_ways(
        |direction| {
            let query = query(&organizations::SCHEMA, "", organizations::Order::DisplayName, direction);
            let told = pages(&Query { size: 2, ..query }, |query| organizations::list(&rows, query).unwrap());
            ids(&told, |organization| &organization.name)
        },
        &expected,
    );
    let named =
        query(&portfolios::SCHEMA, "display_name = \"y*\"", portfolios::Order::Name, Direction::Forward);
    let told = pages(&named, |query| portfolios::list(&rows, query, Timestamp::UNIX_EPOCH).unwrap());
    assert_eq!(ids(&told, |portfolio| &portfolio.name), ["b", "c", "d"]);
}

fn put_phase(rows: &mut Rows, project: &str, id: &str, order: i32, deleted: bool) {
    let phase = proto::Phase {
        name: format!("portfolios/{project}/phases/{id}"),
        order,
        delete_time: instant(1).filter(|_| deleted),
        ..proto::Phase::default()
    };
    tables::phases::put(rows, phase.encode_to_vec().into()).unwrap();
}

#[test]
fn phases_are_in_the_order_of_their_project_and_across_projects() {
    let mut rows = Rows::default();
    for (portfolio, id) in [("a", "x"), ("a", "y"), ("a-b", "x")] {
        put_portfolio(&mut rows, portfolio, "a");
        put_project(&mut rows, &project(portfolio, id, "n", 0));
    }
    for (project, id, order, deleted) in [
        ("a/projects/x", "one", 300, false),
        ("a/projects/x", "two", 2, false),
        ("a/projects/x", "old", 2, true),
        ("a/projects/y", "three", 1, false),
        ("a-b/projects/x", "four", 2, false),
        ("a-b/projects/x", "five", 1, false),
    ] {
        put_phase(&mut rows, project, id, order, deleted);
    }
    for (parent, expected) in [
        ("portfolios/a/projects/x", vec!["two", "old", "one"]),
        ("portfolios/a/projects/-", vec!["three", "two", "old", "one"]),
        ("portfolios/a-b/projects/-", vec!["five", "four"]),
        ("portfolios/-/projects/-", vec!["three", "five", "two", "four", "old", "one"]),
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
fn a_page_of_phases_reads_no_more_rows_however_many_there_are() {
    let mut rows = Rows::default();
    for portfolio in ["a", "b"] {
        put_portfolio(&mut rows, portfolio, "p");
        for i in 0..300 {
            put_phase(
                &mut rows,
                &format!("{portfolio}/projects/x{}", i / 3),
                &format!("h{i}"),
                1 + i % 3,
                false,
            );
        }
    }
    for (parent, count) in [("portfolios/a/projects/-", 300), ("portfolios/-/projects/-", 600)] {
        for direction in [Direction::Forward, Direction::Backward] {
            let query = Query { size: 10, ..query(&phases::SCHEMA, "", phases::Order::Order, direction) };
            let told = pages(&query, |query| {
                rows.told.set(0);
                let page = phases::list(&rows, &parent.parse().unwrap(), query).unwrap();
                assert!(rows.told.get() < 50, "{parent} {direction:?}: {}", rows.told.get());
                page
            });
            let orders: Vec<_> = told.iter().map(|phase| phase.order).collect();
            assert!(orders.is_sorted() || orders.is_sorted_by(|a, b| a >= b));
            assert_eq!(told.len(), count);
        }
    }
}

/// A row has the figures of its batch's last change; what is answered has those of now.
#[test]
fn a_page_of_batches_fits_one_answer_with_the_figures_of_now() {
    let mut rows = Rows::default();
    put_portfolio(&mut rows, "a", "a");
    let mut members = Vec::new();
    for i in 0..200 {
        let currency_code = crate::tests::full::currency(i);
        let investment =
            Some(milepost_proto::google::r#type::Money { currency_code, units: i64::MAX, nanos: 0 });
        let project = proto::Project { investment, ..project("a", &format!("p{i}"), "n", 0) };
        put_project(&mut rows, &project);
        members.push(project.name);
    }
    for i in 0..600 {
        let batch = proto::Batch {
            name: format!("portfolios/a/batches/b{i}"),
            start_date: Some(milepost_proto::google::r#type::Date { year: 2021, month: 5, day: 27 }),
            state: proto::batch::State::Planned.into(),
            members: members.clone(),
            ..proto::Batch::default()
        };
        tables::batches::put(&mut rows, batch.encode_to_vec().into()).unwrap();
    }
    let query = query(&batches::SCHEMA, "", batches::Order::Name, Direction::Forward);
    let told = pages(&query, |query| {
        let page = batches::list(&rows, &"portfolios/a".parse().unwrap(), query).unwrap();
        let answer = proto::ListBatchesResponse { batches: page.resources, ..Default::default() };
        assert!(
            answer.encoded_len() <= milepost_types::limits::ANSWER_ITEM_BYTES,
            "{}",
            answer.encoded_len()
        );
        Page { resources: answer.batches, ..page }
    });
    assert_eq!(told.len(), 600);
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
        tables::batches::put(&mut rows, batch.encode_to_vec().into()).unwrap();
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
