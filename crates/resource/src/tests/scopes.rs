//! Lists of callers who may see a part: the same as for others, without what they may not see.

use milepost_proto::registry::v1::*;
use milepost_service::access::Scopes;
use milepost_types::{Place, Rejection, TokenError};
use proptest::prelude::*;

use super::lists::{Choice, ORDERS, model, order_of, some_choice, some_parent, some_project, stored};
use super::world::{World, batch, page_of, pages_of, phase, portfolio, project};

pub(super) fn scopes(names: &[&str]) -> Scopes {
    names.iter().map(|name| Place::of(name).scope().unwrap()).collect()
}

pub(super) fn some_scopes() -> impl Strategy<Value = Vec<&'static str>> {
    let all = vec![
        "portfolios/a",
        "portfolios/b",
        "portfolios/a/projects/x",
        "portfolios/a/projects/x-y",
        "portfolios/a/projects/y1",
        "portfolios/a-b/projects/y",
        "portfolios/b/projects/x",
    ];
    prop::sample::subsequence(all, 0..=4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn pages_of_what_may_be_seen_together_are_the_list_without_the_rest(
        projects in prop::collection::vec(some_project(), 0..24),
        seen in some_scopes(),
        (parent, under) in some_parent(),
        choice in prop::option::of(some_choice()),
        order in prop::sample::select(&ORDERS[..]),
        (descending, show_deleted) in any::<(bool, bool)>(),
        page_size in 1..6i32,
    ) {
        let world = stored(&projects);
        let scopes = scopes(&seen);
        let listed = pages_of::<Project>(&world.rows, &scopes, |page_token| ListProjectsRequest {
            parent: parent.clone(),
            filter: choice.as_ref().map(Choice::text).unwrap_or_default(),
            order_by: format!("{order}{}", if descending { " desc" } else { "" }),
            show_deleted,
            page_size,
            page_token,
            ..ListProjectsRequest::default()
        });
        let takes = |project: &Project| {
            scopes.cover(Place::of(&project.name))
                && (show_deleted || project.delete_time.is_none())
                && choice.as_ref().is_none_or(|choice| choice.takes(project))
        };
        prop_assert_eq!(listed, model(&world.rows, &under, takes, order_of(order), descending));
    }
}

fn names<R>(listed: Vec<R>, name: impl Fn(R) -> String) -> Vec<String> {
    listed.into_iter().map(name).collect()
}

#[test]
fn a_project_is_seen_without_its_portfolio_and_a_batch_of_the_same_id_is_not() {
    let mut world = World::default();
    world.put(&portfolio("a"));
    world.put(&project("a", "x"));
    world.put(&batch("a", "x", 1));
    world.put(&phase("portfolios/a/projects/x", "one", 1));
    world.put(&phase("portfolios/a/projects/xy", "two", 1));
    let of_project = scopes(&["portfolios/a/projects/x"]);
    let of_portfolio = scopes(&["portfolios/a"]);
    let portfolios = |scopes| {
        let list = |page_token| ListPortfoliosRequest { page_token, ..ListPortfoliosRequest::default() };
        names(pages_of::<Portfolio>(&world.rows, scopes, list), |found| found.name)
    };
    assert_eq!(portfolios(&of_project), [""; 0]);
    assert_eq!(portfolios(&of_portfolio), ["portfolios/a"]);
    let batches = |scopes| {
        let parent = "portfolios/-".to_owned();
        let list =
            |page_token| ListBatchesRequest { parent: parent.clone(), page_token, ..Default::default() };
        names(pages_of::<Batch>(&world.rows, scopes, list), |found| found.name)
    };
    assert_eq!(batches(&of_project), [""; 0]);
    assert_eq!(batches(&of_portfolio), ["portfolios/a/batches/x"]);
    for order_by in ["", "order"] {
        let list = |page_token| ListPhasesRequest {
            parent: "portfolios/a/projects/-".to_owned(),
            order_by: order_by.to_owned(),
            page_token,
            ..Default::default()
        };
        let phases = names(pages_of::<Phase>(&world.rows, &of_project, list), |found| found.name);
        assert_eq!(phases, ["portfolios/a/projects/x/phases/one"], "{order_by}");
    }
}

#[test]
fn only_what_may_be_seen_is_scanned() {
    let mut world = World::default();
    world.put(&portfolio("a"));
    world.put(&portfolio("b"));
    for i in 0..500 {
        world.put(&project("a", &format!("x{i}")));
    }
    world.put(&project("b", "x"));
    let list = ListProjectsRequest { parent: "portfolios/-".into(), ..Default::default() };
    let (page, next) = page_of::<Project>(&world.rows, &list, &scopes(&["portfolios/b"])).unwrap();
    assert_eq!((page.resources.len(), page.scanned, next.as_str()), (1, 1, ""));
}

#[test]
fn a_page_token_is_good_only_for_who_may_see_the_same() {
    let mut world = World::default();
    world.put(&portfolio("a"));
    ["x", "y", "z"].iter().for_each(|id| world.put(&project("a", id)));
    let first =
        ListProjectsRequest { parent: "portfolios/-".into(), page_size: 1, ..ListProjectsRequest::default() };
    let of_portfolio = scopes(&["portfolios/a"]);
    let (_, page_token) = page_of::<Project>(&world.rows, &first, &of_portfolio).unwrap();
    let next = ListProjectsRequest { page_token, ..first };
    assert!(page_of::<Project>(&world.rows, &next, &of_portfolio).is_ok());
    for other in [Scopes::everywhere(), scopes(&["portfolios/a/projects/x"]), scopes(&[])] {
        let refused = page_of::<Project>(&world.rows, &next, &other).map(|_| ()).unwrap_err();
        assert_eq!(refused, Rejection::PageToken(TokenError::OtherRequest), "{other}");
    }
}
