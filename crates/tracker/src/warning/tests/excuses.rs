//! Excuses as resources: what is kept of them besides what they ask for.

use jiff::civil::date;
use milepost_proto::tracker::v1::{CreateExcuseRequest, Evidence, Excuse, UpdateExcuseRequest};
use milepost_resource::{Rows, date_message, instant_message, read_create, read_update};
use milepost_types::Violations;

use super::evaluations::Office;
use super::policies::name;
use super::published::published;
use crate::decide::Tracker;
use crate::tests::samples::evidence;
use crate::tests::world::command;
use crate::warning::ExcuseName;

const EXCUSE: &str = "portfolios/wsc/projects/road/excuses/flood";

fn asked(evidence: Vec<Evidence>) -> Excuse {
    Excuse {
        name: EXCUSE.into(),
        policy: name("yc").to_string(),
        period_ends: vec![date_message(date(2021, 5, 31))],
        text: "洪水".into(),
        evidence,
        ..Excuse::default()
    }
}

fn kept(office: &Office) -> Excuse {
    let name: ExcuseName = EXCUSE.parse().unwrap();
    Rows::<Tracker>::new(&office.world.rows).get(&name).unwrap().unwrap().into_inner()
}

#[test]
fn a_document_of_an_excuse_keeps_the_time_at_which_it_was_first_given() {
    let mut office = Office::on(date(2021, 7, 1));
    office.project("road", Vec::new());
    office.adopt("yc", published("yc-progress"), date(2021, 7, 1));
    let given = instant_message(office.world.now);
    let claimed = Some(instant_message("2001-01-01T00:00:00Z".parse().unwrap()));
    let request = CreateExcuseRequest {
        parent: "portfolios/wsc/projects/road".into(),
        excuse_id: "flood".into(),
        excuse: Some(asked(vec![Evidence { create_time: claimed, ..evidence("report") }])),
        ..CreateExcuseRequest::default()
    };
    let mut violations = Violations::new();
    let act = read_create::<Tracker, Excuse>(request, &mut violations, Violations::new());
    office.world.submit(command(violations.finish(act).unwrap())).unwrap();
    assert_eq!(kept(&office).evidence[0].create_time, Some(given));

    office.wait(date(2021, 7, 2));
    let later = instant_message(office.world.now);
    let request = UpdateExcuseRequest {
        excuse: Some(asked(vec![evidence("photo"), evidence("report")])),
        update_mask: Some(prost_types::FieldMask { paths: vec!["evidence".to_owned()] }),
        ..UpdateExcuseRequest::default()
    };
    let mut violations = Violations::new();
    let act = read_update::<Tracker, Excuse>(request, &mut violations);
    office.world.submit(command(violations.finish(act).unwrap())).unwrap();
    let times: Vec<_> = kept(&office).evidence.iter().map(|document| document.create_time).collect();
    assert_eq!(times, [Some(later), Some(given)]);
}
