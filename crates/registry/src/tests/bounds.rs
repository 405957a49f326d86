//! Bounds of indicators: thresholds that are crossed and targets that are reached, and what is announced of that in the
//! entry of the observation. The rules are those of office.md, section 2.

use milepost_proto::event::v1::Event;
use milepost_proto::event::v1::event::{Payload, Resource};
use milepost_proto::registry::v1::indicator::Kind;
use milepost_proto::registry::v1::observation::Qualifier;
use milepost_proto::registry::v1::target_verdict::Verdict;
use milepost_proto::registry::v1::*;

use super::indicators::{
    day, found, get, indicator, name, observe, of, on, on_day, part_of, series, summing, types, update,
};
use super::observations::{try_prefer, try_retract};
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
        assert_eq!(event.sequence, events[0].sequence);
        assert!(matches!(event.resource, Some(Resource::IndicatorResource(_))));
    }
    assert_eq!(
        [&events[1].changed_fields[..], &events[2].changed_fields],
        [["reached_thresholds"], ["reached_targets"]]
    );
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
    assert_eq!(observe(&office, "a", "o", on("16", day(2021, 5, 1))).await.len(), 1, "it may be more");
    let events = observe(&office, "b", "o", on("5", day(2021, 5, 1))).await;
    assert_eq!(types(&events)[1..], ["indicator.threshold_crossed"; 2]);
    assert_eq!([&events[1].subject, &events[2].subject], [&name("all"), &name("top")]);
    // With an observation of its own it is held to that.
    observe(&office, "all", "o", on("20", day(2021, 5, 1))).await;
    let events = observe(&office, "b", "later", on("4", day(2021, 5, 2))).await;
    assert_eq!(types(&events), ["observation.created"], "the top sums what its part says: 20 still");
}

/// The threshold and the target of `firms`.
const BOUND: &str = "10";

fn bounded() -> Indicator {
    Indicator {
        thresholds: vec![IndicatorThreshold { value: BOUND.into(), label: String::new() }],
        targets: vec![IndicatorTarget { year: 2021, value: BOUND.into(), date: None }],
        ..of(Kind::Stock)
    }
}

/// An office with `firms`, of which 20 were observed.
async fn with_firms() -> Office {
    let office = Office::with_portfolio().await;
    indicator(&office, "firms", bounded()).await;
    let events = observe(&office, "firms", "first", on("20", day(2021, 5, 1))).await;
    assert_eq!(types(&events)[1..], ["indicator.threshold_crossed", "indicator.target_reached"]);
    let kept = get(&office, "firms").await;
    assert_eq!(
        (&kept.reached_thresholds[..], &kept.reached_targets),
        (&[BOUND.to_owned()][..], &kept.targets)
    );
    office
}

/// Checks that the last of these events says that the threshold was left.
async fn assert_left(office: &Office, events: &[Event]) {
    let crossed = events.iter().filter(|event| event.r#type == "milepost.indicator.threshold_crossed");
    let crossed: Vec<_> = crossed.map(|event| event.payload.clone()).collect();
    let [Some(Payload::IndicatorThresholdCrossed(crossed))] = &crossed[..] else { panic!("{events:?}") };
    assert_eq!((crossed.reached.len(), &crossed.left, &*crossed.value), (0, &bounded().thresholds, "5"));
    let now = get(office, "firms").await;
    assert!(now.reached_thresholds.is_empty() && now.reached_targets.is_empty());
    assert_eq!(series(office, "firms").await.thresholds[0].reached, Some(false));
}

#[tokio::test]
async fn a_fall_is_announced_in_whatever_way_an_observation_is_corrected() {
    let correction = || on("5", day(2021, 5, 1));
    // It is corrected, and the correction preferred.
    let office = with_firms().await;
    let events = observe(&office, "firms", "right", correction()).await;
    assert_eq!(types(&events), ["observation.created", "indicator.contradicted"]);
    assert_left(&office, &try_prefer(&office, "right", None).await.unwrap()).await;
    // And comes to it once more, which is announced as the first time.
    let events = try_prefer(&office, "first", None).await.unwrap();
    assert_eq!(types(&events)[1..3], ["indicator.threshold_crossed", "indicator.target_reached"]);
    // It is corrected, and what it corrects retracted.
    let office = with_firms().await;
    observe(&office, "firms", "right", correction()).await;
    assert_left(&office, &try_retract(&office, "first", None).await.unwrap()).await;
    // It is retracted, and then corrected.
    let office = with_firms().await;
    let events = try_retract(&office, "first", None).await.unwrap();
    assert_eq!(types(&events), ["observation.retracted"], "nothing is known");
    assert_left(&office, &observe(&office, "firms", "right", correction()).await).await;
    // What is not exact enough comes in between.
    let office = with_firms().await;
    let at_most = Observation { qualifier: Qualifier::AtMost.into(), ..on("25", day(2021, 5, 2)) };
    assert_eq!(types(&observe(&office, "firms", "second", at_most).await), ["observation.created"]);
    assert_left(&office, &observe(&office, "firms", "third", on("5", day(2021, 5, 3))).await).await;
}

#[tokio::test]
async fn a_contradiction_that_is_retracted_announces_no_bound_again() {
    let office = with_firms().await;
    observe(&office, "firms", "false", on("5", day(2021, 5, 1))).await;
    let events = try_retract(&office, "false", None).await.unwrap();
    assert_eq!(types(&events), ["observation.retracted", "indicator.reconciled"]);
    let kept = get(&office, "firms").await;
    assert_eq!((kept.reached_thresholds.len(), kept.reached_targets.len()), (1, 1));
}

/// So it is, too, with what an earlier version did not keep.
#[tokio::test]
async fn a_bound_that_was_set_when_the_value_was_beyond_it_is_left_as_any_other() {
    let office = Office::with_portfolio().await;
    indicator(&office, "firms", of(Kind::Stock)).await;
    observe(&office, "firms", "first", on("20", day(2021, 5, 1))).await;
    update(&office, "firms", &["thresholds", "targets"], bounded()).await.unwrap();
    let events = observe(&office, "firms", "right", on("5", day(2021, 5, 1))).await;
    assert_eq!(types(&events), ["observation.created", "indicator.contradicted", "indicator.updated"]);
    assert_eq!(events[2].changed_fields, ["reached_targets", "reached_thresholds"]);
    assert_eq!(get(&office, "firms").await.contradiction_count, 1);
    assert_left(&office, &try_prefer(&office, "right", None).await.unwrap()).await;
}
