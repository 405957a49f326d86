//! A project that contributes to a collection and whose row cannot be decoded: it keeps nothing else from changing.

use bytes::Bytes;
use milepost_resource::read_update;

use super::super::collections::{self, create, of};
use super::*;
use crate::collection::rollup::rollup;

fn element(planned_measure: &str) -> CollectionElement {
    let contribution = |id: &str| CollectionContribution {
        project: project_name(id),
        measure: "1".to_owned(),
        ..CollectionContribution::default()
    };
    CollectionElement {
        id: "e".to_owned(),
        planned_measure: planned_measure.to_owned(),
        contributions: vec![contribution("p0"), contribution("p1")],
        ..CollectionElement::default()
    }
}

impl World {
    fn moved(&mut self, id: &str, step: Move) {
        let act = Custom::act(
            target::<Project>(&project_name(id)),
            Advance { step, date: None, reason: String::new() },
            advance,
        );
        self.ask(act).unwrap();
    }
}

#[test]
fn a_contributor_that_cannot_be_read_keeps_neither_the_others_nor_the_collection_from_changing() {
    let mut world = World::with_projects(2);
    let request = create("c", of(&[element("2")]));
    let act = read_create::<Registry, Collection>(request, &mut Violations::new(), Violations::new());
    world.ask(act.unwrap()).unwrap();
    for id in ["p0", "p1"] {
        world.moved(id, Move::Start);
    }
    world.moved("p0", Move::Complete);
    // An actual period that is none.
    let row = world.rows.rows.get_mut(&b"\x03wsc\0p0"[..]).unwrap();
    *row = Bytes::from([&row[..], b"\x9a\x01\x01\xff"].concat());
    world.moved("p1", Move::Complete);
    let changed =
        Collection { name: collections::name("c"), elements: vec![element("3")], ..Collection::default() };
    let request = UpdateCollectionRequest { collection: Some(changed), ..Default::default() };
    let act = read_update::<Registry, Collection>(request, &mut Violations::new());
    world.ask(act.unwrap()).unwrap();
    // What is asked of it names the row.
    let rows = crate::tables::Rows::new(&world.rows);
    let collection = rows.find(&collections::name("c").parse().unwrap()).unwrap();
    let refused = rollup(&rows, &collection, jiff::civil::date(2021, 5, 27)).unwrap_err();
    assert!(matches!(refused, Rejection::DamagedRow(_)), "{refused}");
}
