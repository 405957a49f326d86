//! Bounds of indicators: thresholds that are crossed and targets that are reached, and what is announced of that in the
//! entry of the observation. The rules are those of office.md, section 2.

use milepost_proto::event::v1::event::{Payload, Resource};
use milepost_proto::registry::v1::indicator::Kind;
use milepost_proto::registry::v1::observation::Qualifier;
use milepost_proto::registry::v1::target_verdict::Verdict;
use milepost_proto::registry::v1::*;

use super::indicators::{
    day, found, indicator, name, observe, of, on, on_day, part_of, series, summing, types,
};
use super::office::Office;

/// office.md, section 2: equality crosses, and what follows is in the entry of what caused it.
#[tokio::test]
async fn thresholds_are_crossed_by_equality_and_targets_are_reached_in_the_entry_of_the_observation() {
    let office = Office::with_portfolio().await;
    let threshold =
        |value: &str, label: &str| IndicatorThreshold { value: value.into(), label: label.into() };
    let target = |year, value: &str| IndicatorTarget { year, value: value.into(), date: None };
    let own = Indicator {
        thresholds: vec![threshold("300", "三百"), threshold("278.0", "今年")],
        targets: vec![target(2022, "300"), target(2020, "250"), target(2021, "278")],
        ..of(Kind::Stock)
    };
    indicator(&office, "institutions", own).await;
    observe(&office, "institutions", "first", on("260", day(2021, 3, 1))).await;
    let events = observe(&office, "institutions", "second", on("278", day(2021, 5, 1))).await;
    let expected = ["observation.created", "indicator.threshold_crossed", "indicator.target_reached"];
    assert_eq!(types(&events), expected);
    for event in &events[1..] {
        assert_eq!((&event.caused_by, &event.subject), (&events[0].event_id, &name("institutions")));
        assert_eq!((event.sequence, event.changed_fields.len()), (events[0].sequence, 0));
        assert!(matches!(event.resource, Some(Resource::IndicatorResource(_))));
    }
    assert_eq!(events[0].event_date, day(2021, 5, 1));
    let Some(Payload::IndicatorThresholdCrossed(crossed)) = &events[1].payload else { panic!("{events:?}") };
    assert_eq!((crossed.previous_value.as_str(), crossed.value.as_str()), ("260", "278"));
    assert_eq!((crossed.reached.clone(), crossed.left.len()), (vec![threshold("278.0", "今年")], 0));
    let Some(Payload::IndicatorTargetReached(reached)) = &events[2].payload else { panic!("{events:?}") };
    assert_eq!(reached.targets, [target(2021, "278")]);
    // It goes back, and comes again: to both.
    let events = observe(&office, "institutions", "third", on("277.999999", day(2021, 5, 2))).await;
    let Some(Payload::IndicatorThresholdCrossed(crossed)) = &events[1].payload else { panic!("{events:?}") };
    assert_eq!((crossed.reached.len(), crossed.left.clone()), (0, vec![threshold("278.0", "今年")]));
    let at_least = Observation { qualifier: Qualifier::AtLeast.into(), ..on("310", day(2021, 5, 3)) };
    let events = observe(&office, "institutions", "fourth", at_least).await;
    let Some(Payload::IndicatorThresholdCrossed(crossed)) = &events[1].payload else { panic!("{events:?}") };
    assert_eq!((crossed.reached.len(), crossed.qualifier()), (2, Qualifier::AtLeast));
    assert_eq!(types(&events)[2..], ["indicator.target_reached"], "2021 and 2022");
    // What stays where it is announces nothing.
    let events = observe(&office, "institutions", "fifth", on("311", day(2021, 5, 4))).await;
    assert_eq!(types(&events), ["observation.created"]);

    let found = series(&office, "institutions").await;
    let verdicts: Vec<_> = found.targets.iter().map(|one| (one.year, one.verdict())).collect();
    let unknown = [(2020, Verdict::Unknown), (2021, Verdict::Reached), (2022, Verdict::Reached)];
    assert_eq!(verdicts, unknown, "nothing was observed in 2020");
    assert!(found.thresholds.iter().all(|one| one.reached == Some(true)));
    let earlier = on_day(&office, "institutions", day(2021, 3, 1)).await;
    assert!(earlier.thresholds.iter().all(|one| one.reached == Some(false)));
    assert_eq!(earlier.targets[1].verdict(), Verdict::Open);
    // What is observed later of a year that is past tells whether its target was reached.
    let events = observe(&office, "institutions", "old", on("249", day(2020, 12, 1))).await;
    assert_eq!(types(&events), ["observation.created"]);
    assert_eq!(series(&office, "institutions").await.targets[0].verdict(), Verdict::Missed);
}

#[tokio::test]
async fn where_less_is_better_bounds_are_reached_from_above() {
    let office = Office::with_portfolio().await;
    let own = Indicator {
        higher_is_better: Some(false),
        thresholds: vec![IndicatorThreshold { value: "5".into(), label: String::new() }],
        targets: vec![IndicatorTarget { date: day(2021, 5, 10), value: "5".into(), year: 0 }],
        ..of(Kind::Rate)
    };
    indicator(&office, "vacancy", own).await;
    assert_eq!(observe(&office, "vacancy", "first", on("5.1", day(2021, 5, 1))).await.len(), 1);
    let events = observe(&office, "vacancy", "second", on("5", day(2021, 5, 2))).await;
    assert_eq!(types(&events)[1..], ["indicator.threshold_crossed", "indicator.target_reached"]);
    let at_most = Observation { qualifier: Qualifier::AtMost.into(), ..on("6", day(2021, 5, 3)) };
    observe(&office, "vacancy", "third", at_most).await;
    let open = series(&office, "vacancy").await;
    assert_eq!((open.thresholds[0].reached, open.targets[0].verdict()), (None, Verdict::Unknown));
}

#[tokio::test]
async fn the_year_of_a_flow_is_what_its_periods_add_up_to() {
    let office = Office::with_portfolio().await;
    let target = |year, value: &str| IndicatorTarget { year, value: value.into(), date: None };
    let own = Indicator { targets: vec![target(2020, "40"), target(2021, "25")], ..of(Kind::Flow) };
    indicator(&office, "investment", own).await;
    for (id, value, from, to) in [
        ("h1-2020", "20", (2020, 1, 1), (2020, 6, 30)),
        ("h2-2020", "19", (2020, 7, 1), (2020, 12, 31)),
        ("q1-2021", "20", (2021, 1, 1), (2021, 3, 31)),
    ] {
        let date = |(year, month, number)| day(year, month, number);
        observe(&office, "investment", id, found(value, date(from), date(to))).await;
    }
    let verdicts = async || {
        let found = series(&office, "investment").await.targets;
        let verdict = |one: &TargetVerdict| {
            (one.verdict(), one.judged_value.clone().map(|value| value.value).unwrap_or_default())
        };
        found.iter().map(verdict).collect::<Vec<_>>()
    };
    assert_eq!(verdicts().await, [(Verdict::Missed, "39".into()), (Verdict::Open, "20".into())]);
    let events = observe(&office, "investment", "april", found("5", day(2021, 4, 1), day(2021, 4, 30))).await;
    assert_eq!(types(&events)[1..], ["indicator.target_reached"]);
    assert_eq!(verdicts().await[1], (Verdict::Reached, "25".into()));
}

#[tokio::test]
async fn what_sums_its_parts_crosses_by_their_observations() {
    let office = Office::with_portfolio().await;
    let thresholds = vec![IndicatorThreshold { value: "21".into(), label: String::new() }];
    indicator(&office, "top", Indicator { thresholds: thresholds.clone(), ..summing(Kind::Stock) }).await;
    indicator(&office, "all", part_of("top", Indicator { thresholds, ..summing(Kind::Stock) })).await;
    for id in ["a", "b"] {
        indicator(&office, id, part_of("all", of(Kind::Stock))).await;
    }
    assert_eq!(observe(&office, "a", "o", on("16", day(2021, 5, 1))).await.len(), 1, "a part is missing");
    let events = observe(&office, "b", "o", on("5", day(2021, 5, 1))).await;
    assert_eq!(types(&events)[1..], ["indicator.threshold_crossed"; 2]);
    assert_eq!([&events[1].subject, &events[2].subject], [&name("all"), &name("top")]);
    // With an observation of its own it is held to that.
    observe(&office, "all", "o", on("20", day(2021, 5, 1))).await;
    let events = observe(&office, "b", "later", on("4", day(2021, 5, 2))).await;
    assert_eq!(types(&events), ["observation.created"], "the top sums what its part says: 20 still");
}
