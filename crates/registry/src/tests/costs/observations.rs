//! What an observation costs below an indicator with many targets.

use milepost_proto::google::r#type::Date;

use super::super::indicators::{found, name, of, part_of, summing};
use super::*;

fn created(world: &mut World, id: &str, indicator: Indicator) {
    let request = CreateIndicatorRequest {
        parent: "portfolios/wsc".to_owned(),
        indicator_id: id.to_owned(),
        indicator: Some(indicator),
        ..CreateIndicatorRequest::default()
    };
    let act = read_create::<Registry, Indicator>(request, &mut Violations::new(), Violations::new());
    world.ask(act.unwrap()).unwrap();
}

#[test]
fn an_observation_reads_what_it_may_move_and_not_each_part_for_each_target() {
    let mut world = World::with_projects(0);
    let target = |year: i32, day: i32| IndicatorTarget {
        date: Some(Date { year, month: 1, day }),
        value: "1000".to_owned(),
        ..IndicatorTarget::default()
    };
    // Those before the observation, and those that are still to come.
    let targets = (1..=28).flat_map(|day| [target(2020, day), target(2022, day)]).collect();
    let whole = Indicator { targets, ..summing(indicator::Kind::Stock) };
    created(&mut world, "all", whole);
    let parts = 20;
    for i in 0..parts {
        created(&mut world, &format!("p{i}"), part_of("all", of(indicator::Kind::Stock)));
    }
    let mut most = 0;
    for i in 0..parts {
        let day = Some(Date { year: 2021, month: 5, day: 1 });
        let request = CreateObservationRequest {
            parent: name(&format!("p{i}")),
            observation_id: "o".to_owned(),
            observation: Some(found("1", day, day)),
            ..CreateObservationRequest::default()
        };
        let act = read_create::<Registry, Observation>(request, &mut Violations::new(), Violations::new());
        most = most.max(world.ask(act.unwrap()).unwrap());
    }
    // Before and after, once for the thresholds and once for the targets, a few rows of each part.
    assert!(most < parts * 20, "it read {most} rows");
}
