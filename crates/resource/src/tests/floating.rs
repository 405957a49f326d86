//! What floats: names with one, two or three ids, their keys, what they are under, and what lists of them read.

use milepost_proto::access::v1::{Grant, ListGrantsRequest, Role};
use milepost_proto::registry::v1::{Portfolio, Project};
use milepost_types::ResourceName as _;
use proptest::prelude::*;
use prost::Message;

use super::names::id;
use super::office::{BY_PRINCIPAL, Office};
use super::world::{World, name, page, pages};
use crate::index::RowView;
use crate::row::{key, name as name_in};
use crate::{Name, ParentIds};

/// The name with these ids, and the text of what it is under.
fn texts(ids: &[String]) -> (String, String) {
    let (own, above) = ids.split_last().unwrap();
    let above =
        ["portfolios", "projects"].iter().zip(above).map(|(collection, id)| format!("{collection}/{id}"));
    let parent = above.collect::<Vec<_>>().join("/");
    let slash = if parent.is_empty() { "" } else { "/" };
    (format!("{parent}{slash}grants/{own}"), parent)
}

pub(super) fn grant(name: &str, principal: &str) -> Grant {
    let (name, principal) = (name.to_owned(), principal.to_owned());
    Grant { name, principal, role: Role::Viewer.into(), etag: "1".to_owned(), ..Grant::default() }
}

proptest! {
    #[test]
    fn a_name_its_key_and_its_text_say_the_same(ids in prop::collection::vec(id(), 1..4)) {
        let (text, parent) = texts(&ids);
        let grant: Name<Grant> = name(&text);
        prop_assert_eq!(grant.to_string(), text);
        prop_assert!(grant.ids().iter().map(|id| id.as_str()).eq(ids.iter().map(String::as_str)));
        let row = key::<Office, Grant>(&grant);
        prop_assert_eq!(row[1..].to_vec(), ids.join("\0").into_bytes());
        prop_assert_eq!(name_in::<Office, Grant>(&row), Some(grant.clone()));
        prop_assert_eq!(Name::of(grant.ids().to_vec()), Some(grant.clone()));
        prop_assert_eq!(Name::under(grant.parent_ids(), grant.id().clone()), grant.clone());
        prop_assert_eq!(ParentIds::read::<Grant>(&parent), Ok(ParentIds(grant.parent_ids().to_vec())));
    }

    #[test]
    fn an_index_key_gives_the_name_and_the_principal_back(
        ids in prop::collection::vec(id(), 1..4),
        principal in "user:[ab]/[ab部:]{1,3}",
    ) {
        let (text, _) = texts(&ids);
        let row = grant(&text, &principal).encode_to_vec();
        let keys = RowView::of(&row).unwrap().keys::<Office, Grant>(&name(&text)).unwrap();
        let (found, fields) = BY_PRINCIPAL.parts::<Grant>(&keys[0]).unwrap();
        prop_assert_eq!(found, name(&text));
        prop_assert_eq!(fields.to_vec(), format!("{principal}\0").into_bytes());
    }

    #[test]
    fn keys_order_as_names_do(
        a in prop::collection::vec(id(), 1..4),
        b in prop::collection::vec(id(), 1..4),
    ) {
        let row = |ids: &[String]| key::<Office, Grant>(&name(&texts(ids).0));
        prop_assert_eq!(row(&a).cmp(&row(&b)), a.cmp(&b));
        prop_assert_eq!(name::<Grant>(&texts(&a).0).cmp(&name(&texts(&b).0)), a.cmp(&b));
    }
}

#[test]
fn a_name_knows_what_it_is_under_and_no_more() {
    let top: Name<Grant> = name("grants/portfolios");
    let middle: Name<Grant> = name("portfolios/a/grants/g");
    let low: Name<Grant> = name("portfolios/a/projects/x/grants/g");
    assert_eq!([&top, &middle, &low].map(|name| name.ancestor::<Portfolio>().is_some()), [false, true, true]);
    assert_eq!([&top, &middle, &low].map(|name| name.ancestor::<Project>().is_some()), [false, false, true]);
    assert_eq!(low.ancestor::<Project>(), Some(name("portfolios/a/projects/x")));
    assert_eq!(middle.ancestor::<Portfolio>(), Some(name("portfolios/a")));
}

#[test]
fn a_key_with_other_ids_is_none() {
    for none in
        [&b"\x07"[..], b"\x07a\0", b"\x07\0a", b"\x07a\0b\0c\0d", b"\x07A\0b", b"\x06a", b"\x07a\0\0b"]
    {
        assert_eq!(name_in::<Office, Grant>(none), None, "{none:?}");
    }
}

/// The names of grants, without what they all have.
fn names(grants: &[Grant]) -> String {
    let short = |grant: &Grant| {
        grant.name.replace("portfolios/", "").replace("projects/", "").replace("grants/", "!")
    };
    grants.iter().map(short).collect::<Vec<_>>().join(" ")
}

/// Grants whose ids and whose parents' ids are the beginning of one another.
fn world() -> World {
    let mut world = World::with_project();
    for (name, principal) in [
        ("grants/a", "user:corp/a"),
        ("grants/ax", "user:corp/b"),
        ("portfolios/a/grants/x", "user:corp/b"),
        ("portfolios/a/projects/x/grants/a", "user:corp/a"),
        ("portfolios/a/projects/x/grants/b", "user:corp/b"),
        ("portfolios/a/projects/xx/grants/a", "user:corp/a"),
        ("portfolios/ax/grants/a", "user:corp/a"),
        ("portfolios/ax/projects/x/grants/a", "user:corp/ab"),
    ] {
        world.put(&grant(name, principal));
    }
    world
}

fn list(parent: &str, filter: &str) -> ListGrantsRequest {
    let (parent, filter) = (parent.to_owned(), filter.to_owned());
    ListGrantsRequest { parent, filter, ..ListGrantsRequest::default() }
}

#[test]
fn a_list_has_what_is_under_its_parent_and_under_all_below() {
    let world = world();
    let names = |parent: &str, filter: &str| names(&pages(&world.rows, |_| list(parent, filter)));
    assert_eq!(names("", ""), "!a a/!x a/x/!a a/x/!b a/xx/!a !ax ax/!a ax/x/!a");
    assert_eq!(names("portfolios/a", ""), "a/!x a/x/!a a/x/!b a/xx/!a");
    assert_eq!(names("portfolios/a/projects/x", ""), "a/x/!a a/x/!b");
    assert_eq!(names("", "principal = \"user:corp/a\""), "!a a/x/!a a/xx/!a ax/!a");
    assert_eq!(names("portfolios/a", "principal = \"user:corp/a\""), "a/x/!a a/xx/!a");
    assert_eq!(names("", "portfolio = \"portfolios/a\""), "a/!x a/x/!a a/x/!b a/xx/!a");
    assert_eq!(names("", "NOT portfolio:*"), "!a !ax");
    assert_eq!(names("", "NOT project:*"), "!a a/!x !ax ax/!a");
    assert_eq!(names("portfolios/a", "name = \"portfolios/a/projects/x/grants/*\""), "a/x/!a a/x/!b");
}

#[test]
fn pages_of_every_size_and_direction_have_each_once() {
    let world = world();
    for (parent, count) in [("", 8), ("portfolios/a", 4), ("portfolios/a/projects/x", 2)] {
        for filter in ["", "principal = \"user:corp/*\"", "principal = (\"user:corp/a\" OR \"user:corp/b\")"]
        {
            let whole: Vec<Grant> = pages(&world.rows, |_| list(parent, filter));
            let expected = if filter.contains("OR") && parent.is_empty() { count - 1 } else { count };
            assert_eq!(whole.len(), expected, "{parent} {filter}");
            for (order_by, page_size) in [("name", 1), ("name", 3), ("name desc", 1), ("name desc", 3)] {
                let request = |page_token| ListGrantsRequest {
                    order_by: order_by.to_owned(),
                    page_size,
                    page_token,
                    ..list(parent, filter)
                };
                let mut found: Vec<Grant> = pages(&world.rows, request);
                if order_by == "name desc" {
                    found.reverse();
                }
                assert_eq!(found, whole, "{parent} {filter} {order_by} {page_size}");
            }
        }
    }
}

#[test]
fn a_principal_is_found_without_reading_other_grants() {
    let mut world = world();
    (0..500).for_each(|i| world.put(&grant(&format!("portfolios/a/grants/g{i}"), "user:corp/many")));
    let (page, _) = page::<Grant>(&world.rows, &list("", "principal = \"user:corp/a\"")).unwrap();
    assert_eq!((page.resources.len(), page.scanned), (4, 4));
}
