//! Rows as they are stored: read in part, named when damaged, kept with their index rows.

use bytes::Bytes;
use milepost_ledger::{Actor, CommandId, Entry, Write as _};
use milepost_proto::event::v1::Event;
use milepost_proto::google::r#type::Money;
use milepost_proto::registry::v1::*;
use milepost_proto::resource::Resource as _;
use milepost_types::{DamagedRow, LedgerKind};
use prost::Message;

use super::office::{BY_STATUS, Office, PARTS, TABLES};
use super::rows::Rows;
use super::world::{World, instant, name, now, page, portfolio, project, target};
use crate::row::key;
use crate::{Name, Presence, apply};

const X: &str = "portfolios/a/projects/x";

/// The office with `x`, whose row is this.
fn with_row(row: Vec<u8>) -> World {
    let mut world = World::with_project();
    world.rows.put(key::<Office, Project>(&name(X)), row.into());
    world
}

/// That what was read is the row of `x`, which cannot be decoded.
fn lost<T: std::fmt::Debug, E: Into<milepost_types::Rejection>>(read: Result<T, E>, what: &str) {
    let row = DamagedRow { table: "office.projects", key: r"a\x00x".to_owned(), what: what.to_owned() };
    match read.map_err(Into::into).unwrap_err() {
        milepost_types::Rejection::DamagedRow(found) => {
            assert_eq!((found.table, &found.key), (row.table, &row.key));
            assert!(found.what.contains(what), "{found}");
        }
        other => panic!("{other}"),
    }
}

#[test]
fn some_fields_are_read_without_the_others() {
    let site = Some(Site { latitude: Some(29.5), longitude: Some(106.3), ..Site::default() });
    let labels = [("a".to_owned(), "b".to_owned())].into();
    let whole = Project { site, labels, key: Some(false), sector: "s".to_owned(), ..project("a", "x") };
    let torn = [whole.encode_to_vec(), b"\x52\x01\xff".to_vec()].concat();
    let numbers = ["key", "site", "labels"]
        .map(|name| Project::FIELDS.iter().find(|field| field.name == name).unwrap().number);
    let read: Project = crate::read_fields(&torn, &numbers).unwrap();
    let expected = Project { site: whole.site, labels: whole.labels, key: whole.key, ..Project::default() };
    assert_eq!(read, expected);
    assert_eq!(crate::read_fields::<Project>(&torn, &[]).unwrap(), Project::default());
    assert!(crate::read_fields::<Project>(&torn, &[10]).is_err(), "the text that is no UTF-8");
    let of = |path: &str| Project::FILTER.iter().position(|field| field.path() == path);
    assert_eq!(of("site.latitude").and_then(crate::field_number::<Project>), Some(9));
    assert_eq!(crate::field_number::<Project>(usize::MAX), None);
}

#[test]
fn a_field_and_the_presence_are_read_without_the_rest() {
    let investment = Some(Money { currency_code: "CNY".to_owned(), units: 5, nanos: 0 });
    let whole = Project { investment: investment.clone(), ..project("a", "x") };
    // A text that is no UTF-8 is in the way of whoever reads it, and of nobody else.
    let torn = [whole.encode_to_vec(), b"\x52\x01\xff".to_vec()].concat();
    let mut world = with_row(torn.clone());
    let rows = crate::Rows::<Office>::new(&world.rows);
    assert_eq!(rows.presence::<Project>(&name(X)), Ok(Presence::Present));
    assert_eq!(
        rows.field::<Project, Money>(&name(X), "investment"),
        Ok((Presence::Present, investment.clone()))
    );
    assert_eq!(rows.field::<Project, Site>(&name(X), "site"), Ok((Presence::Present, None)));
    let none: Name<Project> = name("portfolios/a/projects/none");
    assert_eq!(rows.presence(&none), Ok(Presence::Missing));
    assert_eq!(rows.field::<_, Money>(&none, "investment"), Ok((Presence::Missing, None)));
    lost(rows.get::<Project>(&name(X)), "UTF-8");
    let gone = Project { delete_time: instant(1), ..Project::default() }.encode_to_vec();
    world = with_row([torn, gone].concat());
    let rows = crate::Rows::<Office>::new(&world.rows);
    assert_eq!(rows.presence::<Project>(&name(X)), Ok(Presence::Deleted));
    assert_eq!(rows.field::<Project, Money>(&name(X), "investment"), Ok((Presence::Deleted, investment)));
}

#[test]
fn a_row_that_cannot_be_decoded_is_named_by_whoever_reads_it() {
    let cut = project("a", "x").encode_to_vec();
    let mut world = with_row(cut[..cut.len() - 1].to_vec());
    let rows = crate::Rows::<Office>::new(&world.rows);
    lost(rows.get::<Project>(&name(X)), "");
    lost(rows.presence::<Project>(&name(X)), "");
    lost(rows.field::<Project, Money>(&name(X), "investment"), "");
    let list = |order_by: &str, filter: &str| ListProjectsRequest {
        parent: "portfolios/a".to_owned(),
        order_by: order_by.to_owned(),
        filter: filter.to_owned(),
        ..ListProjectsRequest::default()
    };
    for (order_by, filter) in [("", ""), ("display_name", ""), ("", "status = STATUS_PROPOSED")] {
        lost(page::<Project>(&world.rows, &list(order_by, filter)).map(|(page, _)| page.scanned), "");
    }
    lost(world.delete::<Project>(target(X, None)), "");
    let phases = ListPhasesRequest { parent: X.to_owned(), ..ListPhasesRequest::default() };
    assert!(page::<Phase>(&world.rows, &phases).is_ok(), "what is under it is read");
    let phase = CreatePhaseRequest {
        parent: X.to_owned(),
        phase: Some(Phase { display_name: "p".to_owned(), order: 1, ..Phase::default() }),
        ..CreatePhaseRequest::default()
    };
    lost(world.create::<Phase>(phase), "");
}

#[test]
fn an_index_row_without_a_row_is_damage_and_so_is_a_message_that_is_none() {
    let mut world = World::with_project();
    world.rows.delete(&key::<Office, Project>(&name(X)));
    let list = ListProjectsRequest {
        parent: "portfolios/a".to_owned(),
        order_by: "display_name".to_owned(),
        ..ListProjectsRequest::default()
    };
    let read = page::<Project>(&world.rows, &list).map(|(page, _)| page.scanned);
    lost(read, "an index has it, but it is not there");
    let no_money = [project("a", "x").encode_to_vec(), b"\x62\x01\xff".to_vec()].concat();
    let world = with_row(no_money);
    lost(crate::Rows::<Office>::new(&world.rows).field::<Project, Money>(&name(X), "investment"), "");
}

#[test]
fn today_is_that_of_each_portfolio_and_a_damaged_one_fails_the_page() {
    let mut world = World::with_project();
    world.put(&Project { update_time: instant(now().as_second()), ..project("a", "y") });
    let list = |filter: &str| ListProjectsRequest {
        parent: "portfolios/-".to_owned(),
        filter: filter.to_owned(),
        ..ListProjectsRequest::default()
    };
    let count = |world: &World, filter: &str| {
        page::<Project>(&world.rows, &list(filter)).map(|(page, _)| page.resources.len())
    };
    assert_eq!(count(&world, "update_time >= today()"), Ok(1));
    // A portfolio that is not there has no date: only what is no comparison with it is found.
    world.put(&project("b", "x"));
    assert_eq!(count(&world, "update_time >= today() OR update_time < today()"), Ok(2));
    world.rows.put(b"\x01b".to_vec(), Bytes::from_static(b"\xff"));
    assert_eq!(count(&world, ""), Ok(3), "nothing asks for its date");
    match count(&world, "update_time >= today()") {
        Err(milepost_types::Rejection::DamagedRow(row)) => {
            assert_eq!((row.table, row.key.as_str()), ("office.portfolios", "b"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_this_version_does_not_know_is_read_and_not_acted_on() {
    let mut world = with_row(Project { status: 8, ..project("a", "x") }.encode_to_vec());
    lost(world.delete::<Project>(target(X, None)), "status: is unknown");
    let list = ListProjectsRequest { parent: "portfolios/a".to_owned(), ..ListProjectsRequest::default() };
    assert_eq!(page::<Project>(&world.rows, &list).unwrap().0.resources.len(), 1);
    let filter = "status = STATUS_PROPOSED OR status:*".to_owned();
    let filtered = ListProjectsRequest { filter, ..list };
    assert!(
        page::<Project>(&world.rows, &filtered).unwrap().0.resources.is_empty(),
        "it has no known status"
    );
}

#[test]
fn index_rows_follow_the_row() {
    let mut world = World::default();
    let steps = [
        (project("a", "x"), 4),
        (Project { status: 3, parent_project: "portfolios/a/projects/y".to_owned(), ..project("a", "x") }, 5),
        (Project { delete_time: instant(1), ..project("a", "x") }, 3),
    ];
    for (x, count) in &steps {
        world.put(x);
        assert_eq!(world.rows.rows.len(), *count);
    }
    world.put(&steps[1].0);
    let (mut direct, rows) = (World::default(), crate::Rows::<Office>::new(&world.rows));
    direct.put(&steps[1].0);
    assert_eq!(direct.rows.rows, world.rows.rows, "however it came about");
    let ids = name::<Project>(X).parent_ids().to_vec();
    assert!(rows.names::<Project>(BY_STATUS, &ids, &[3]).eq([name(X)]));
    assert_eq!(rows.names::<Project>(BY_STATUS, &ids, &[1]).count(), 0);
    assert!(rows.names::<Project>(PARTS, &ids, b"y\0").eq([name(X)]));
}

fn applied(rows: &mut Rows, event: &Event) -> Result<(), String> {
    let entry = Entry {
        sequence: 1,
        commit_time: now(),
        actor: Actor::default(),
        command_id: CommandId::Server("s".to_owned()),
        decided_on: Vec::new(),
        portfolio: String::new(),
        events: vec![Bytes::from(event.encode_to_vec())],
    };
    apply(rows, &entry, LedgerKind::Registry, &TABLES).map_err(|error| error.to_string())
}

#[test]
fn an_event_of_another_ledger_or_without_a_name_is_refused_and_one_without_a_resource_changes_nothing() {
    let mut rows = Rows::default();
    let event = |source: &str, resource| Event { source: source.to_owned(), resource, ..Event::default() };
    applied(&mut rows, &event("registry", None)).unwrap();
    let other = applied(&mut rows, &event("tracker", None)).unwrap_err();
    assert!(other.contains("an event of \"tracker\", not of the registry"), "{other}");
    let nameless = Portfolio::default().into_event();
    let refused = applied(&mut rows, &event("registry", Some(nameless))).unwrap_err();
    assert!(refused.contains("name: "), "{refused}");
    assert!(rows.rows.is_empty());
    applied(&mut rows, &event("registry", Some(portfolio("a").into_event()))).unwrap();
    assert_eq!(rows.rows.len(), 2);
}
