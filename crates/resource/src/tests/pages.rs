//! Pages: their bounds, their tokens, and what comes and goes between them.

use milepost_proto::registry::v1::*;
use milepost_service::access::Scopes;
use milepost_types::{Rejection, TokenError, TokenKind, limits};
use proptest::prelude::*;
use prost::Message;

use super::lists::{ORDERS, model, order_of, some_parent, some_project, stored};
use super::office::Office;
use super::world::{World, faults, name, page, pages, portfolio, project};
use crate::token::{PLAIN, SortKey, TokenFormat};

fn list(parent: &str) -> ListProjectsRequest {
    ListProjectsRequest { parent: parent.to_owned(), page_size: 1000, ..ListProjectsRequest::default() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_does_not_change_between_pages_is_listed_once_and_in_order(
        before in prop::collection::vec(some_project(), 0..16),
        writes in prop::collection::vec(some_project(), 0..8),
        (parent, under) in some_parent(),
        filter in prop::sample::select(vec!["", "status = STATUS_PROPOSED", "display_name = \"n*\""]),
        order in prop::sample::select(&ORDERS[..]),
        descending: bool,
        page_size in 1..6i32,
    ) {
        let mut world = stored(&before);
        let touched: Vec<_> = writes.iter().map(|project| project.name.clone()).collect();
        let stays = |projects: Vec<Project>| -> Vec<_> {
            projects.into_iter().filter(|project| !touched.contains(&project.name)).collect()
        };
        let takes = |project: &Project| match filter {
            "" => project.delete_time.is_none(),
            "status = STATUS_PROPOSED" => project.delete_time.is_none() && project.status == 1,
            _ => project.delete_time.is_none() && project.display_name.starts_with('n'),
        };
        let expected = stays(model(&world.rows, &under, takes, order_of(order), descending));
        let mut request = ListProjectsRequest {
            parent,
            filter: filter.to_owned(),
            order_by: format!("{order}{}", if descending { " desc" } else { "" }),
            page_size,
            ..ListProjectsRequest::default()
        };
        let (mut listed, mut writes) = (Vec::new(), writes.iter());
        loop {
            let (page, next) = page::<Project>(&world.rows, &request).unwrap();
            listed.extend(page.resources.into_iter().map(|row| Project::decode(row).unwrap()));
            if next.is_empty() {
                break;
            }
            request.page_token = next;
            if let Some(write) = writes.next() {
                world.put(write);
            }
        }
        prop_assert_eq!(stays(listed), expected);
    }

    #[test]
    fn sort_keys_are_read_back(order: Vec<u8>, key: Vec<u8>) {
        let sort_key = SortKey { order, key };
        prop_assert_eq!(PLAIN.decode(&PLAIN.encode(&sort_key), true), Some(sort_key));
    }

    #[test]
    fn a_token_goes_on_after_a_name_whether_it_was_listed_or_not(
        order: Vec<u8>,
        key: Vec<u8>,
        by in prop::sample::select(&ORDERS[..]),
        desc: bool,
    ) {
        let world = stored(&[project("a", "x"), project("b", "y")]);
        let order_by = format!("{by}{}", if desc { " desc" } else { "" });
        let list = ListProjectsRequest { order_by, ..list("portfolios/-") };
        let asked = crate::request::read_list::<Office, Project>(&list, &Scopes::everywhere()).unwrap();
        let after = |key: Vec<u8>| {
            let page_token = asked.next_page_token(Some(SortKey { order: order.clone(), key }), 1);
            page::<Project>(&world.rows, &ListProjectsRequest { page_token, ..list.clone() })
        };
        let malformed = Rejection::PageToken(TokenError::Malformed { expected: TokenKind::Page });
        prop_assert_eq!(after(key).map(|(page, _)| page.scanned), Err(malformed));
        let missing = name::<Project>("portfolios/a-b/projects/z");
        let (page, next) = after(crate::row::key::<Office, Project>(&missing)).unwrap();
        prop_assert!(page.resources.len() <= 2 && next.is_empty());
    }
}

#[test]
fn nothing_else_is_a_sort_key() {
    for bytes in [&[][..], &[0], &[0, 2, 1], &[255, 255, 0]] {
        assert_eq!(PLAIN.decode(bytes, true), None, "{bytes:?}");
    }
}

#[test]
fn a_page_token_is_good_for_its_request_only() {
    let world = stored(&[project("a", "x"), project("a", "y"), project("b", "x")]);
    let first = ListProjectsRequest {
        filter: "status = STATUS_PROPOSED AND display_name = n".to_owned(),
        page_size: 1,
        ..list("portfolios/a")
    };
    let (_, page_token) = page::<Project>(&world.rows, &first).unwrap();
    let next = ListProjectsRequest { page_token, ..first };
    let good = [
        next.clone(),
        ListProjectsRequest { page_size: 7, ..next.clone() },
        ListProjectsRequest { order_by: " name asc".to_owned(), ..next.clone() },
        // The same in another spelling.
        ListProjectsRequest {
            filter: "display_name=\"n\"  status = STATUS_PROPOSED".to_owned(),
            ..next.clone()
        },
    ];
    for request in good {
        let (page, _) = page::<Project>(&world.rows, &request).unwrap();
        assert_eq!(page.resources.len(), 1, "{request:?}");
    }
    let other = [
        ListProjectsRequest { parent: "portfolios/b".to_owned(), ..next.clone() },
        ListProjectsRequest { parent: "portfolios/-".to_owned(), ..next.clone() },
        ListProjectsRequest { filter: String::new(), ..next.clone() },
        ListProjectsRequest { order_by: "display_name".to_owned(), ..next.clone() },
        ListProjectsRequest { order_by: "name desc".to_owned(), ..next.clone() },
        ListProjectsRequest { show_deleted: true, ..next.clone() },
    ];
    for request in other {
        let refused = page::<Project>(&world.rows, &request).map(|(page, _)| page.scanned).unwrap_err();
        assert_eq!(refused, Rejection::PageToken(TokenError::OtherRequest), "{request:?}");
    }
    let batches = ListBatchesRequest {
        parent: next.parent.clone(),
        page_token: next.page_token.clone(),
        ..ListBatchesRequest::default()
    };
    assert!(page::<Batch>(&world.rows, &batches).is_err(), "of another resource");
    let torn = ListProjectsRequest { page_token: next.page_token[1..].to_owned(), ..next };
    assert!(matches!(page::<Project>(&world.rows, &torn), Err(Rejection::PageToken(_))));
}

#[test]
fn every_fault_of_a_list_is_named_then_that_of_its_token() {
    let world = World::default();
    let mut request = ListProjectsRequest {
        parent: "portfolios".to_owned(),
        page_size: -1,
        order_by: "name, display_name".to_owned(),
        filter: "x = 1".to_owned(),
        page_token: "x".to_owned(),
        ..ListProjectsRequest::default()
    };
    let refused =
        |request: &ListProjectsRequest| page::<Project>(&world.rows, request).map(|(page, _)| page.scanned);
    let wrong = [
        ("parent", "INVALID_NAME"),
        ("page_size", "INVALID_PAGE_SIZE"),
        ("order_by", "INVALID_ORDER_BY"),
        ("filter", "INVALID_FILTER"),
    ];
    let wrong = wrong.map(|(path, reason)| (path.to_owned(), reason));
    assert_eq!(faults(refused(&request)), wrong);
    request = ListProjectsRequest {
        filter: request.filter,
        page_token: request.page_token,
        ..list("portfolios/a")
    };
    assert!(matches!(refused(&request), Err(Rejection::Filter { field: "filter", .. })));
    request.filter.clear();
    assert!(matches!(refused(&request), Err(Rejection::PageToken(_))));
    request.page_token.clear();
    assert_eq!(refused(&request), Err(Rejection::not_found(&name::<Portfolio>("portfolios/a"))));
    assert_eq!(refused(&list("portfolios/-")), Ok(0));
    let phases =
        |parent: &str| ListPhasesRequest { parent: parent.to_owned(), ..ListPhasesRequest::default() };
    let world = stored(&[project("a", "x")]);
    for parent in ["portfolios/c/projects/-", "portfolios/c/projects/x", "portfolios/a/projects/y"] {
        assert!(page::<Phase>(&world.rows, &phases(parent)).is_err(), "{parent}");
    }
    assert!(page::<Phase>(&world.rows, &phases("portfolios/a/projects/x")).is_ok());
}

#[test]
fn a_page_fits_one_answer_and_holds_one_resource_at_least() {
    // Sizes of which many, few, one, and not even one is within the bound.
    for (sizes, count) in [
        ([5_000, 5_000], 900),
        ([1_500_000, 1_500_000], 5),
        ([2_050_000, 2_200_000], 5),
        ([5_000_000, 5_000_000], 3),
    ] {
        let mut world = World::default();
        world.put(&portfolio("a"));
        for i in 0..count {
            let purpose = "x".repeat(sizes[i % 2]);
            world.put(&Project { purpose, ..project("a", &format!("p{i:03}")) });
        }
        for order in ORDERS {
            let mut request = ListProjectsRequest { order_by: order.to_owned(), ..list("portfolios/a") };
            let mut listed = 0;
            loop {
                let (page, next) = page::<Project>(&world.rows, &request).unwrap();
                let bytes: usize = page.resources.iter().map(|row| row.len() + 5).sum();
                let alone = page.resources.len() == 1 && sizes[0] == 5_000_000;
                assert!(alone || bytes <= limits::ANSWER_ITEM_BYTES, "{order} {bytes}");
                assert!(!page.resources.is_empty());
                listed += page.resources.len();
                if next.is_empty() {
                    break;
                }
                request.page_token = next;
            }
            assert_eq!(listed, count, "{order} {sizes:?}");
        }
    }
}

#[test]
fn what_is_shown_is_as_of_the_read_and_its_size_counts() {
    let world = stored(&[]);
    let listed = pages::<Portfolio>(&world.rows, |page_token| ListPortfoliosRequest {
        page_size: 1,
        page_token,
        ..ListPortfoliosRequest::default()
    });
    assert_eq!(listed.len(), 3);
    assert!(listed.iter().all(|portfolio| portfolio.current_date.is_some_and(|date| date.day == 27)));
}
