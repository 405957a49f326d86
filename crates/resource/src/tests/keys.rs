//! Keys of rows and of indexes: taken apart to what they were made of, and ordered as that is.

use jiff::Timestamp;
use jiff::civil::Date;
use milepost_proto::registry::v1::{
    Batch, Organization, Party, Phase, Portfolio, Project, batch, organization,
};
use proptest::prelude::*;
use prost::Message;

use super::names::id;
use super::office::{BY_STATUS, Office, PARTS};
use super::world::{batch, name, phase, portfolio, project};
use crate::index::RowView;
use crate::row::{self, key, key_named, name as name_in};
use crate::{By, Index, Name, Rules, date_message, value};

/// The index keys of a resource.
fn keys<R: Rules<Office>>(resource: &R) -> Vec<Vec<u8>> {
    RowView::of(&resource.encode_to_vec())
        .unwrap()
        .keys::<Office, R>(&resource.name().parse().unwrap())
        .unwrap()
}

/// That each index gives the name back, and the fields of this length.
fn taken_apart<R: Rules<Office>>(resource: &R, keys: &[Vec<u8>], lengths: &[usize]) {
    for ((index, key), length) in R::INDEXES.iter().zip(keys).zip(lengths) {
        let (name, fields) = index.parts::<R>(key).unwrap();
        assert_eq!((name.to_string().as_str(), fields.len()), (resource.name(), *length), "{}", index.tag);
        assert_eq!(index.key(name.ids(), fields), *key);
        assert_eq!(index.row_key::<Office, R>(key), Some((row::key::<Office, R>(&name), fields)));
        assert!(key.starts_with(&index.start(&name.ids()[..index.under]).done()));
    }
}

#[test]
fn keys_are_these_bytes_for_ever() {
    let row = |key: Vec<u8>| String::from_utf8(key).unwrap();
    assert_eq!(row(key::<Office, Portfolio>(&name("portfolios/wsc"))), "\x01wsc");
    assert_eq!(row(key::<Office, Phase>(&name("portfolios/wsc/projects/x/phases/one"))), "\x04wsc\0x\0one");
    let parent_project = "portfolios/wsc/projects/whole".to_owned();
    let x = Project { parent_project, update_time: super::world::instant(258), ..project("wsc", "x") };
    let expected: [&[u8]; 4] = [
        b"\x14wsc\0\x01x",
        b"\x15wsc\0whole\0x",
        b"\x12wsc\0n\0x",
        b"\x18wsc\0\x80\0\0\0\0\0\x01\x02\0\0\0\0x",
    ];
    assert_eq!(keys(&x), expected);
    let expected: [&[u8]; 3] = [
        b"\x16wsc\0x\0\0\0\0\x02\0one",
        b"\x19wsc\0\0\0\0\x02\0x\0one",
        b"\x1awsc\0n\0\x80\0\0\0\0\0\0\0\0\0\0\0x\0one",
    ];
    assert_eq!(keys(&phase("portfolios/wsc/projects/x", "one", 2)), expected);
    assert_eq!(keys(&batch("wsc", "b", 27)), [b"\x17\x07\xe5\x05\x1bwsc\0b"]);
}

#[test]
fn a_text_that_names_a_resource_has_its_key_and_other_shapes_have_none() {
    let phase = "portfolios/wsc/projects/x/phases/one";
    assert_eq!(key_named::<Office, Phase>(phase), Some(key::<Office, Phase>(&name(phase))));
    assert_eq!(key_named::<Office, Portfolio>("portfolios/wsc"), Some(b"\x01wsc".to_vec()));
    for other in
        ["", "portfolios", "portfolios/wsc/projects/x", "portfolios/wsc/parts/x/phases/one", "/portfolios/a"]
    {
        assert_eq!(key_named::<Office, Phase>(other), None, "{other}");
    }
    assert_eq!(key_named::<Office, Phase>(&format!("{phase}/more")), None);
}

#[test]
fn an_index_has_what_it_says() {
    let deleted = |resource: Project| Project { delete_time: super::world::instant(0), ..resource };
    let tags = |keys: Vec<Vec<u8>>| keys.iter().map(|key| key[0]).collect::<Vec<_>>();
    // Without a parent it is no part.
    assert_eq!(tags(keys(&project("a", "x"))), [20, 18, 24]);
    let part = Project { parent_project: "portfolios/a/projects/y".to_owned(), ..project("a", "x") };
    assert_eq!(tags(keys(&part)), [20, 21, 18, 24]);
    assert_eq!(tags(keys(&deleted(part))), [18, 24], "a deleted one is in no live index");
    let whole = phase("portfolios/a/projects/x", "one", 1);
    let gone = Phase { delete_time: super::world::instant(9), ..whole.clone() };
    assert_eq!(keys(&whole)[0][9..], *b"\0one");
    assert_eq!(keys(&gone)[0][9..], *b"\x01one");
    let none = Organization { name: "organizations/o".to_owned(), ..Organization::default() };
    assert_eq!(keys(&none), [b"\x11\0o"]);
    let undated = Batch { start_date: None, ..batch("a", "b", 1) };
    let missing = RowView::of(&undated.encode_to_vec())
        .unwrap()
        .keys::<Office, Batch>(&undated.name.parse().unwrap())
        .unwrap_err();
    assert_eq!(missing.to_string(), "start_date: is missing");
    let unordered = Project { update_time: None, ..project("a", "x") };
    let missing = RowView::of(&unordered.encode_to_vec())
        .unwrap()
        .keys::<Office, Project>(&unordered.name.parse().unwrap())
        .unwrap_err();
    assert_eq!(missing.to_string(), "update_time: is missing");
}

#[test]
fn an_index_of_members_has_one_key_for_each_resource_that_a_list_names() {
    let by = &[By::Path(&["parties", "organization"])];
    let index = Index { tag: 90, under: 0, by, live: true, when: &[], orders: false };
    let party = |id: &str| Party { organization: format!("organizations/{id}"), roles: Vec::new() };
    let x = Project { parties: ["b", "a", "b"].map(party).to_vec(), ..project("wsc", "x") };
    let fields =
        |project: &Project| index.fields::<Project>(&RowView::of(&project.encode_to_vec()).unwrap()).unwrap();
    assert_eq!(fields(&x), [b"a\0", b"b\0"]);
    let name = name::<Project>(&x.name);
    let key = index.key(name.ids(), &fields(&x)[0]);
    assert_eq!(key, b"\x5aa\0wsc\0x");
    assert_eq!(index.parts::<Project>(&key), Some((name, &b"a\0"[..])));
    assert!(fields(&project("wsc", "x")).is_empty());
    assert!(fields(&Project { delete_time: super::world::instant(1), ..x }).is_empty());
}

#[test]
fn a_key_of_another_table_is_not_taken_apart() {
    assert_eq!(name_in::<Office, Project>(b"\x04a\0x"), None);
    for key in [&b"\x14a\0\x01"[..], b"\x14a\0", b"\x14", b"", b"\x15a\0\x01x", b"\x14A\0\x01x"] {
        assert_eq!(BY_STATUS.parts::<Project>(key), None, "{key:?}");
    }
    assert_eq!(PARTS.parts::<Project>(b"\x15a\0whole"), None);
    assert!(PARTS.parts::<Project>(b"\x15a\0whole\0x").is_some());
}

fn instants() -> impl Strategy<Value = Timestamp> {
    (-377_705_023_201i64..253_402_207_200, 0..1_000_000_000i32).prop_map(|(seconds, nanos)| {
        Timestamp::new(seconds, 0).unwrap() + jiff::SignedDuration::from_nanos(nanos.into())
    })
}

fn dates() -> impl Strategy<Value = Date> {
    (1..=9999i16, 1..=12i8, 1..=28i8).prop_map(|(year, month, day)| Date::new(year, month, day).unwrap())
}

fn texts() -> impl Strategy<Value = String> {
    "[ab名]{1,3}"
}

fn some_project() -> impl Strategy<Value = Project> {
    (id(), id(), id(), texts(), instants(), 1..=7i32).prop_map(
        |(portfolio, id, parent, text, time, status)| Project {
            display_name: text,
            update_time: Some(value::instant_message(time)),
            status,
            parent_project: format!("portfolios/{portfolio}/projects/{parent}"),
            ..project(&portfolio, &id)
        },
    )
}

fn some_phase() -> impl Strategy<Value = Phase> {
    (id(), id(), 0..i32::MAX, texts(), instants(), any::<bool>()).prop_map(
        |(parent, id, order, text, time, deleted)| Phase {
            display_name: text,
            create_time: Some(value::instant_message(time)),
            delete_time: super::world::instant(1).filter(|_| deleted),
            ..phase(&format!("portfolios/a/projects/{parent}"), &id, order)
        },
    )
}

fn some_batch() -> impl Strategy<Value = Batch> {
    (id(), id(), dates()).prop_map(|(portfolio, id, date)| Batch {
        start_date: Some(date_message(date)),
        state: batch::State::Planned.into(),
        ..batch(&portfolio, &id, 1)
    })
}

fn order<T: Ord>(a: T, b: T) -> std::cmp::Ordering {
    a.cmp(&b)
}

proptest! {
    #[test]
    fn every_index_key_is_taken_apart(a in some_project(), b in some_phase(), c in some_batch(), kind in 0..8i32) {
        let width = a.display_name.len() + 1;
        let parent = a.parent_project.rsplit('/').next().unwrap().len() + 1;
        taken_apart(&a, &keys(&a), &[1, parent, width, 12]);
        taken_apart(&b, &keys(&b), &[5, 5, b.display_name.len() + 1 + 12]);
        taken_apart(&c, &keys(&c), &[4]);
        let name = "organizations/o".to_owned();
        let organization = Organization { name, kind, ..Organization::default() };
        prop_assert!(organization::Kind::try_from(kind).is_ok());
        taken_apart(&organization, &keys(&organization), &[1]);
        let portfolio = portfolio(&a.display_name.replace('名', "a"));
        taken_apart(&portfolio, &keys(&portfolio), &[portfolio.display_name.len() + 1]);
    }

    #[test]
    fn keys_order_as_names_and_fields_do(a in some_project(), b in some_project()) {
        let names = [name::<Project>(&a.name), name(&b.name)];
        let row = |name: &Name<Project>| key::<Office, Project>(name);
        prop_assert_eq!(row(&names[0]).cmp(&row(&names[1])), names[0].cmp(&names[1]));
        prop_assert_eq!(name_in::<Office, Project>(&row(&names[0])), Some(names[0].clone()));
        // Under one portfolio the fields decide.
        let b = Project { name: a.name.replace("/projects/", "/projects/a"), ..b };
        let (left, right) = (keys(&a), keys(&b));
        prop_assert_eq!(left[0].cmp(&right[0]), order((a.status, &a.name), (b.status, &b.name)));
        let text = |project: &Project| (project.display_name.clone(), project.name.clone());
        prop_assert_eq!(left[2].cmp(&right[2]), order(text(&a), text(&b)));
        let time = |project: &Project| value::instant(project.update_time.as_ref()).unwrap();
        prop_assert_eq!(left[3].cmp(&right[3]), order((time(&a), &a.name), (time(&b), &b.name)));
    }

    #[test]
    fn numbers_and_dates_order_as_they_do(a in some_phase(), b in some_phase(), x in some_batch(), y in some_batch()) {
        let fields = |phase: &Phase| (phase.order, phase.delete_time.is_some(), name::<Phase>(&phase.name));
        prop_assert_eq!(keys(&a)[1].cmp(&keys(&b)[1]), fields(&a).cmp(&fields(&b)));
        let fields = |batch: &Batch| (value::date(batch.start_date.as_ref()), name::<Batch>(&batch.name));
        prop_assert_eq!(keys(&x)[0].cmp(&keys(&y)[0]), fields(&x).cmp(&fields(&y)));
    }
}
