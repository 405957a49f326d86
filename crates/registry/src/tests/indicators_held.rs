//! What indicators are held to that sum their parts: targets of a year, and what is said to be at least so much.

use milepost_proto::google::r#type::Date;
use milepost_proto::registry::v1::indicator::Kind;
use milepost_proto::registry::v1::observation::Qualifier;
use milepost_proto::registry::v1::target_verdict::Verdict;
use milepost_proto::registry::v1::*;

use super::events::events_after;
use super::indicators::{found, indicator, of, part_of, series, summing, try_observe};
use super::office::Office;

fn year(of: i32) -> (Option<Date>, Option<Date>) {
    (Some(Date { year: of, month: 1, day: 1 }), Some(Date { year: of, month: 12, day: 31 }))
}

/// office.md, section 2: where an indicator has no observation, its targets are held against the sum.
#[tokio::test]
async fn a_flow_without_observations_is_held_to_the_target_of_a_year_by_the_sum_of_its_parts() {
    let office = Office::at("2022-03-01").await;
    let target = IndicatorTarget { year: 2021, value: "100".into(), ..IndicatorTarget::default() };
    indicator(&office, "all", Indicator { targets: vec![target], ..summing(Kind::Flow) }).await;
    indicator(&office, "a", part_of("all", of(Kind::Flow))).await;
    // The other part is a sum itself.
    indicator(&office, "b", part_of("all", summing(Kind::Flow))).await;
    indicator(&office, "b-1", part_of("b", of(Kind::Flow))).await;
    let (from, to) = year(2021);
    try_observe(&office, "a", "o", found("60", from, to)).await.unwrap();
    assert_eq!(series(&office, "all").await.targets[0].verdict(), Verdict::Unknown, "one part is not known");
    let sequence = office.sequence();
    try_observe(&office, "b-1", "o", found("60", from, to)).await.unwrap();
    let events = events_after(&office, sequence).await;
    let reached = events.iter().filter(|event| event.r#type == "milepost.indicator.target_reached");
    let reached: Vec<_> = reached.map(|event| event.subject.as_str()).collect();
    assert_eq!(reached, [super::indicators::name("all")]);
    let verdict = &series(&office, "all").await.targets[0];
    assert_eq!(
        (verdict.verdict(), &*verdict.judged_value.as_ref().unwrap().value),
        (Verdict::Reached, "120")
    );
}

#[tokio::test]
async fn of_a_year_that_some_part_has_not_ended_only_what_is_reached_is_certain() {
    let office = Office::at("2021-12-31").await;
    let target =
        |value: &str| IndicatorTarget { year: 2021, value: value.into(), ..IndicatorTarget::default() };
    indicator(&office, "all", Indicator { targets: vec![target("100")], ..summing(Kind::Flow) }).await;
    indicator(&office, "more", Indicator { targets: vec![target("200")], ..summing(Kind::Flow) }).await;
    for (id, whole) in [("a", "all"), ("b", "all"), ("c", "more")] {
        indicator(&office, id, part_of(whole, of(Kind::Flow))).await;
    }
    let (from, to) = year(2021);
    let june = Some(Date { year: 2021, month: 6, day: 30 });
    try_observe(&office, "a", "o", found("60", from, to)).await.unwrap();
    try_observe(&office, "b", "o", found("60", from, june)).await.unwrap();
    try_observe(&office, "c", "o", found("60", from, june)).await.unwrap();
    office.turn_to("2022-03-01");
    assert_eq!(series(&office, "all").await.targets[0].verdict(), Verdict::Reached);
    assert_eq!(series(&office, "more").await.targets[0].verdict(), Verdict::Unknown);
}

#[tokio::test]
async fn a_sum_of_parts_is_at_least_so_much_only_if_what_is_missing_could_not_lower_it() {
    let office = Office::at("2021-12-31").await;
    let day = Some(Date { year: 2021, month: 5, day: 1 });
    for (id, value, qualifier, expected) in [
        ("exact", "5", Qualifier::Exact, true),
        ("least", "5", Qualifier::AtLeast, true),
        ("most", "5", Qualifier::AtMost, false),
        ("about", "5", Qualifier::About, false),
        ("negative", "-5", Qualifier::Exact, false),
    ] {
        indicator(&office, id, summing(Kind::Stock)).await;
        for part in ["a", "b"] {
            indicator(&office, &format!("{id}-{part}"), part_of(id, of(Kind::Stock))).await;
        }
        let observation = Observation { qualifier: qualifier.into(), ..found(value, day, day) };
        try_observe(&office, &format!("{id}-a"), "o", observation).await.unwrap();
        let sum = series(&office, id).await.sum_of_parts.unwrap();
        assert_eq!((sum.lower_bound, sum.missing_count), (expected, 1), "{id}");
    }
}
