//! Of what a caller may not see, a list tells nothing: neither that it is there, nor how it is called, nor when it is due.
//! Its pages and their tokens are those of a server that does not have it.

use milepost_proto::access::v1::{Grant, ListGrantsRequest};
use milepost_proto::tracker::v1::{ListMilestonesRequest, Milestone};
use milepost_service::access::Scopes;
use milepost_types::{Place, limits};
use proptest::prelude::*;

use super::floating::grant;
use super::lists::stored;
use super::milestones::{milestone, named};
use super::office::Office;
use super::rows::Rows;
use super::scopes::{scopes, some_scopes};
use super::world::{World, now, page_of, project};
use crate::request::read_list;
use crate::row;
use crate::rules::Rules;

/// A page as it is sent, and how many rows were read for it.
type Sent = (Vec<bytes::Bytes>, String, usize);

/// All pages of a list, one after another.
fn sent<R: Rules<Office>>(rows: &Rows, scopes: &Scopes, request: impl Fn(String) -> R::List) -> Vec<Sent> {
    let (mut all, mut token) = (Vec::new(), String::new());
    loop {
        rows.take_count();
        let (page, next) = page_of::<R>(rows, &request(token), scopes).unwrap();
        all.push((page.resources, next.clone(), rows.take_count()));
        if next.is_empty() {
            return all;
        }
        token = next;
    }
}

/// A world with all of these, and one with those that are in the scopes.
fn worlds<R: Rules<Office>>(all: &[R], scopes: &Scopes) -> [World; 2] {
    let stored = |seen: &dyn Fn(&R) -> bool| {
        let mut world = stored(&[project("a", "x")]);
        all.iter().filter(|one| seen(one)).for_each(|one| world.put(one));
        world
    };
    [stored(&|_| true), stored(&|one| scopes.cover(Place::of(one.name())))]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn milestones_are_listed_as_if_those_of_others_were_not_there(
        some in prop::collection::vec(
            (0..3usize, 0..3usize, 0..3usize, prop::option::of(1..4i32)), 0..24,
        ),
        seen in some_scopes(),
        parent in prop::sample::select(vec!["a/projects/x", "a/projects/-", "-/projects/-"]),
        order in prop::sample::select(vec!["name", "forecast_date", "display_name"]),
        filter in prop::sample::select(vec!["", "baseline_date = 2021-05-01", "display_name = n"]),
        descending: bool,
        page_size in 1..4i32,
    ) {
        let all: Vec<_> = some.into_iter().map(|(portfolio, project, id, day)| {
            let (portfolio, project) = (["a", "a-b", "b"][portfolio], ["x", "x-y", "y1"][project]);
            let under = format!("portfolios/{portfolio}/projects/{project}");
            let display_name = ["n", "nn", "o"][id].to_owned();
            Milestone { display_name, ..milestone(&under, ["a", "b", "ab"][id], day, None) }
        }).collect();
        let scopes = scopes(&seen);
        let [whole, part] = worlds(&all, &scopes).map(|world| {
            sent::<Milestone>(&world.rows, &scopes, |page_token| ListMilestonesRequest {
                parent: format!("portfolios/{parent}"),
                filter: filter.to_owned(),
                order_by: format!("{order}{}", if descending { " desc" } else { "" }),
                page_size,
                page_token,
                ..ListMilestonesRequest::default()
            })
        });
        prop_assert_eq!(whole, part);
    }

    #[test]
    fn grants_are_listed_as_if_those_of_others_were_not_there(
        some in prop::collection::vec((0..7usize, 0..3usize, 0..3usize), 0..24),
        seen in some_scopes(),
        parent in prop::sample::select(vec!["", "portfolios/a", "portfolios/a/projects/x"]),
        filter in prop::sample::select(vec![
            "",
            "role = ROLE_VIEWER",
            "principal = \"user:corp/a\"",
            "principal = (\"user:corp/a\" OR \"user:corp/ab\")",
        ]),
        descending: bool,
        page_size in 1..4i32,
    ) {
        let places = [
            "", "portfolios/a/", "portfolios/b/", "portfolios/ab/", "portfolios/a/projects/x/",
            "portfolios/a/projects/x-y/", "portfolios/b/projects/x/",
        ];
        let all: Vec<_> = some.into_iter().map(|(place, id, principal)| {
            let principal = format!("user:corp/{}", ["a", "ab", "b"][principal]);
            grant(&format!("{}grants/{}", places[place], ["a", "b", "x"][id]), &principal)
        }).collect();
        let scopes = scopes(&seen);
        let [whole, part] = worlds(&all, &scopes).map(|world| {
            sent::<Grant>(&world.rows, &scopes, |page_token| ListGrantsRequest {
                parent: parent.to_owned(),
                filter: filter.to_owned(),
                order_by: format!("name{}", if descending { " desc" } else { "" }),
                page_size,
                page_token,
                ..ListGrantsRequest::default()
            })
        });
        prop_assert_eq!(whole, part);
    }
}

#[test]
fn a_page_that_has_all_that_may_be_seen_is_the_last_one() {
    let mut world = stored(&[project("a", "x")]);
    for place in ["portfolios/a", "portfolios/b"] {
        world.put(&grant(&format!("{place}/grants/g"), "user:corp/bob"));
    }
    let list = |parent: &str| ListGrantsRequest {
        parent: parent.to_owned(),
        filter: "principal = \"user:corp/bob\"".to_owned(),
        page_size: 1,
        ..ListGrantsRequest::default()
    };
    for parent in ["", "portfolios/a"] {
        let (page, next) = page_of::<Grant>(&world.rows, &list(parent), &scopes(&["portfolios/a"])).unwrap();
        assert_eq!((page.resources.len(), page.scanned, next.as_str()), (1, 1, ""), "{parent:?}");
    }
}

/// More than a page looks at are in the scope, and more than that between them are not.
#[test]
fn no_page_ends_at_what_may_not_be_seen_however_much_of_it_there_is() {
    let (own, other) = ("portfolios/a/projects/x", "portfolios/a/projects/y");
    let mut world = stored(&[project("a", "x"), project("a", "y")]);
    for i in 0..limits::PAGE_ROWS + 5 {
        let id = format!("m{i:05}");
        world.put(&milestone(own, &id, Some(if i < 3 { 1 } else { 28 }), None));
        world.put(&milestone(other, &id, Some(14), None));
    }
    let scopes = scopes(&[own]);
    for (order, first) in [("forecast_date", "m00000"), ("forecast_date desc", "m10004")] {
        let mut request = ListMilestonesRequest {
            parent: "portfolios/a/projects/-".to_owned(),
            order_by: order.to_owned(),
            page_size: 1000,
            ..ListMilestonesRequest::default()
        };
        let mut names = Vec::new();
        loop {
            let list = read_list::<Office, Milestone>(&request, &scopes).unwrap();
            let page = list.page::<Office, Milestone>(&crate::Rows::new(&world.rows), now()).unwrap();
            names.extend(page.resources.iter().map(named));
            let Some(next) = page.next else { break };
            let name = row::name::<Office, Milestone>(&next.key).unwrap().to_string();
            assert!(name.starts_with(own), "{name}");
            request.page_token = list.next_page_token(Some(next), 1);
        }
        assert_eq!(names.len(), limits::PAGE_ROWS + 5);
        assert_eq!(names[0], format!("{own}/milestones/{first}"));
        let all = std::collections::BTreeSet::from_iter(&names);
        assert_eq!(all.len(), names.len(), "none twice");
    }
}
