//! Names and parents of lists: read, written, ordered, refused.

use milepost_proto::registry::v1::{Batch, Phase, Portfolio, Project};
use milepost_types::ResourceName as _;
use proptest::prelude::*;

use super::world::name;
use crate::{Name, ParentIds};

pub(super) fn id() -> impl Strategy<Value = String> {
    // Few, short and with hyphens: many are the beginning of another.
    "[ab](-?[ab0]){0,2}"
}

fn phase_name(ids: &[String]) -> String {
    format!("portfolios/{}/projects/{}/phases/{}", ids[0], ids[1], ids[2])
}

proptest! {
    #[test]
    fn a_name_is_read_back(ids in prop::collection::vec(id(), 3)) {
        let text = phase_name(&ids);
        let phase = name::<Phase>(&text);
        prop_assert_eq!(phase.to_string(), text.clone());
        prop_assert_eq!(format!("{phase:?}"), text);
        prop_assert!(phase.ids().iter().map(|id| id.as_str()).eq(ids.iter().map(String::as_str)));
        prop_assert_eq!(Name::of(phase.ids().to_vec()), Some(phase.clone()));
        prop_assert_eq!(Name::under(phase.parent_ids(), phase.id().clone()), phase);
    }

    #[test]
    fn names_order_by_their_ids_from_the_left(
        a in prop::collection::vec(id(), 3),
        b in prop::collection::vec(id(), 3),
    ) {
        prop_assert_eq!(name::<Phase>(&phase_name(&a)).cmp(&name(&phase_name(&b))), a.cmp(&b));
    }

    #[test]
    fn a_parent_is_written_as_it_is_read(ids in prop::collection::vec(id(), 0..3)) {
        let parent = ParentIds(ids.iter().map(|id| id.parse().unwrap()).collect());
        let segment = |at: usize| ids.get(at).map_or("-", String::as_str);
        let text = format!("portfolios/{}/projects/{}", segment(0), segment(1));
        prop_assert_eq!(parent.text::<Phase>(), text.clone());
        prop_assert_eq!(ParentIds::read::<Phase>(&text), Ok(parent));
    }
}

#[test]
fn a_name_knows_what_it_is_under() {
    let phase: Name<Phase> = name("portfolios/a/projects/x/phases/one");
    assert_eq!(phase.parent(), name("portfolios/a/projects/x"));
    assert_eq!(phase.ancestor::<Portfolio>(), Some(name("portfolios/a")));
    assert_eq!(phase.ancestor::<Project>(), Some(name("portfolios/a/projects/x")));
    assert_eq!(phase.ancestor::<Phase>(), Some(phase.clone()));
    assert_eq!(phase.ancestor::<Batch>(), None);
    assert_eq!(name::<Project>("portfolios/a/projects/x").ancestor::<Phase>(), None);
    assert_eq!(Name::<Project>::of(phase.ids().to_vec()), None);
}

const SHAPE: &str = "the shape is portfolios/{portfolio}/projects/{project}";

#[test]
fn what_is_no_name_is_refused_with_the_reason() {
    for (text, problem) in [
        ("", "it is empty"),
        ("x", "its segments do not match"),
        ("portfolios/a", "its segments do not match"),
        ("portfolios/a/batches/x", "its segments do not match"),
        ("portfolios/a/projects/x/phases/one", "its segments do not match"),
        ("/portfolios/a/projects/x", "its segments do not match"),
        ("portfolios/a/projects/x/", "its segments do not match"),
        ("projects/x", "its segments do not match"),
        ("portfolios/a/projects/", "the id is empty; give 1 to 63 characters such as science-avenue"),
        ("portfolios/a/projects/X", "the id \"X\" has the character 'X'; use only a to z, 0 to 9 and hyphen"),
        (
            "portfolios/-/projects/x",
            "\"-\" reads across a collection and is only for the parent of a list; give the id of one resource",
        ),
    ] {
        let error = text.parse::<Name<Project>>().unwrap_err();
        let shape = match problem {
            "its segments do not match" => " `portfolios/{portfolio}/projects/{project}`".to_owned(),
            _ => format!("; {SHAPE}"),
        };
        let expected = format!("{text:?} is not the name of a project: {problem}{shape}");
        assert_eq!(error.to_string(), expected);
    }
    let long = format!("portfolios/a/projects/{}", "x".repeat(4_000));
    assert!(long.parse::<Name<Project>>().unwrap_err().to_string().contains("it is too long"));
}

#[test]
fn a_parent_is_open_from_the_right() {
    let read = |text: &str| ParentIds::read::<Phase>(text);
    assert_eq!(read("portfolios/-/projects/-").unwrap().0.len(), 0);
    assert_eq!(read("portfolios/a/projects/-").unwrap().0.len(), 1);
    assert_eq!(read("portfolios/a/projects/x").unwrap().0.len(), 2);
    let closed = read("portfolios/-/projects/x").unwrap_err().to_string();
    assert!(closed.contains("use portfolios/-/projects/- or name the portfolio"), "{closed}");
    for text in ["", "-", "portfolios/-", "portfolios/a", "portfolios/a/projects/x/phases/-"] {
        assert!(read(text).is_err(), "{text}");
    }
    assert_eq!(ParentIds::read::<Portfolio>(""), Ok(ParentIds(Vec::new())));
    assert_eq!(ParentIds(Vec::new()).text::<Portfolio>(), "");
}
