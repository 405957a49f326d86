//! What indicators are held to that sum their parts: targets of a year, and what is said to be at least so much.

use milepost_proto::event::v1::event::Payload;
use milepost_proto::google::r#type::Date;
use milepost_proto::registry::v1::indicator::{Flag, Kind};
use milepost_proto::registry::v1::observation::Qualifier;
use milepost_proto::registry::v1::target_verdict::Verdict;
use milepost_proto::registry::v1::*;

use super::events::events_after;
use super::indicators::{
    day, found, get, indicator, name, observe, of, on, part_of, series, summing, try_observe,
};
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

/// An office with `all`, which sums `a`, `b` and `c`.
async fn with_parts(own: Indicator) -> Office {
    let office = Office::at("2022-03-01").await;
    let kind = own.kind();
    indicator(&office, "all", own).await;
    for part in ["a", "b", "c"] {
        indicator(&office, part, part_of("all", of(kind))).await;
    }
    office
}

/// office.md, section 2: a sum of which a part is missing is at least so much.
#[tokio::test]
async fn a_sum_that_is_certain_from_below_is_held_to_bounds_and_to_the_whole() {
    let date = day(2021, 12, 31);
    let thresholds = vec![IndicatorThreshold { value: "10".into(), label: String::new() }];
    let office = with_parts(Indicator { thresholds: thresholds.clone(), ..summing(Kind::Stock) }).await;
    assert_eq!(observe(&office, "a", "o", on("6", date)).await.len(), 1, "it may be more");
    let events = observe(&office, "b", "o", on("6", date)).await;
    let Some(Payload::IndicatorThresholdCrossed(crossed)) = &events[1].payload else { panic!("{events:?}") };
    assert_eq!(
        (&*crossed.value, crossed.qualifier(), &crossed.reached),
        ("12", Qualifier::AtLeast, &thresholds)
    );
    assert_eq!(series(&office, "all").await.thresholds[0].reached, Some(true));
    // And its own value is less.
    observe(&office, "all", "o", on("10", date)).await;
    let flagged = series(&office, "all").await;
    assert!(flagged.sum_of_parts.unwrap().lower_bound);
    let sum = &flagged.contradictions[0];
    assert_eq!((sum.flag(), &*sum.values[1].value), (Flag::ExceededBySum, "12"));
    assert_eq!(sum.values[1].qualifier(), Qualifier::AtLeast);
    assert_eq!(get(&office, "all").await.flags, [i32::from(Flag::ExceededBySum)]);
    // Where values may be negative, nothing is certain.
    let office = with_parts(Indicator { thresholds, ..summing(Kind::Stock) }).await;
    observe(&office, "a", "o", on("13", date)).await;
    observe(&office, "b", "o", on("-1", date)).await;
    assert_eq!(series(&office, "all").await.thresholds[0].reached, None);
}

/// office.md, section 2: nor where observations of days in the year are negative that cannot be added up.
#[tokio::test]
async fn a_year_is_not_certain_from_below_beside_a_part_whose_negative_periods_overlap() {
    let target = IndicatorTarget { year: 2021, value: "10".into(), ..IndicatorTarget::default() };
    for (other, verdict) in [("8", Verdict::Reached), ("-8", Verdict::Unknown)] {
        let office = with_parts(Indicator { targets: vec![target.clone()], ..summing(Kind::Flow) }).await;
        let (from, to) = year(2021);
        observe(&office, "a", "o", found("12", from, to)).await;
        let first = day(2021, 1, 1);
        observe(&office, "b", "o", found(other, first, day(2021, 1, 15))).await;
        observe(&office, "b", "p", found(other, first, day(2021, 1, 31))).await;
        assert_eq!(series(&office, "all").await.targets[0].verdict(), verdict, "{other}");
    }
}

/// office.md, section 2: nothing is certain from below where a value that is contradicted may be negative.
#[tokio::test]
async fn a_sum_is_not_certain_from_below_beside_a_contradiction_of_which_one_side_is_negative() {
    let thresholds = vec![IndicatorThreshold { value: "10".into(), label: String::new() }];
    let target = IndicatorTarget { year: 2021, value: "10".into(), ..IndicatorTarget::default() };
    let (from, to) = year(2021);
    for kind in [Kind::Stock, Kind::Flow] {
        for (other, certain) in [("6", true), ("-6", false)] {
            let sum =
                Indicator { thresholds: thresholds.clone(), targets: vec![target.clone()], ..summing(kind) };
            let office = with_parts(sum).await;
            let observed = |value| {
                if kind == Kind::Flow { found(value, from, to) } else { on(value, day(2021, 12, 31)) }
            };
            observe(&office, "a", "o", observed("12")).await;
            observe(&office, "b", "o", observed("5")).await;
            observe(&office, "b", "p", observed(other)).await;
            let all = series(&office, "all").await;
            let sum = all.sum_of_parts.unwrap();
            assert_eq!((sum.value.as_deref(), sum.lower_bound), (Some("12"), certain), "{kind:?} {other}");
            assert_eq!(all.thresholds[0].reached, certain.then_some(true), "{kind:?} {other}");
            let verdict = if certain { Verdict::Reached } else { Verdict::Unknown };
            assert_eq!(all.targets[0].verdict(), verdict, "{kind:?} {other}");
        }
    }
}

#[tokio::test]
async fn the_target_of_a_year_is_reached_by_parts_that_are_enough_without_what_is_missing() {
    let target = IndicatorTarget { year: 2021, value: "100".into(), ..IndicatorTarget::default() };
    let office = with_parts(Indicator { targets: vec![target], ..summing(Kind::Flow) }).await;
    let (from, to) = year(2021);
    observe(&office, "a", "o", found("60", from, to)).await;
    assert_eq!(series(&office, "all").await.targets[0].verdict(), Verdict::Unknown);
    observe(&office, "b", "o", found("60", from, to)).await;
    let verdict = &series(&office, "all").await.targets[0];
    let judged = verdict.judged_value.as_ref().unwrap();
    assert_eq!((verdict.verdict(), &*judged.value), (Verdict::Reached, "120"));
    assert_eq!(judged.qualifier(), Qualifier::AtLeast);
}

/// office.md, section 2: what contradicts a whole and a part is flagged on both.
#[tokio::test]
async fn what_contradicts_a_part_and_its_whole_stays_flagged_on_both_whatever_is_observed_later() {
    let office = Office::at("2021-12-31").await;
    indicator(&office, "all", summing(Kind::Flow)).await;
    indicator(&office, "a", part_of("all", of(Kind::Flow))).await;
    let month = |number: i32, last: i32| (day(2021, number, 1), day(2021, number, last));
    let flagged = async || {
        let flags = [get(&office, "all").await.flags, get(&office, "a").await.flags];
        let listed = [series(&office, "all").await, series(&office, "a").await];
        (flags, listed.map(|series| series.contradictions.iter().map(|of| of.period).collect::<Vec<_>>()))
    };
    let ((from, to), (next_from, next_to)) = (month(10, 31), month(11, 30));
    observe(&office, "all", "october", found("10", from, to)).await;
    observe(&office, "a", "october", found("11", from, to)).await;
    let both = flagged().await;
    let flags = [&[Flag::ExceededByPart, Flag::ExceededBySum][..], &[Flag::ExceedsWhole]];
    assert_eq!(both.0, flags.map(|flags| flags.iter().map(|flag| i32::from(*flag)).collect::<Vec<_>>()));
    let october = Some(Period { start_date: from, end_date: to });
    assert_eq!(both.1, [vec![october; 2], vec![october]]);
    observe(&office, "a", "november", found("5", next_from, next_to)).await;
    assert_eq!(flagged().await, both);
    observe(&office, "all", "november", found("6", next_from, next_to)).await;
    assert_eq!(flagged().await, both);
    // It is one of the last periods of the whole still, though not of the part.
    for i in 0..24 {
        let date = day(2021, 12, 1 + i);
        observe(&office, "a", &format!("o-{i}"), found("0", date, date)).await;
    }
    assert_eq!(flagged().await, both);
}

/// What a sum of sums says is missing is what is missing of them.
#[tokio::test]
async fn what_is_missing_of_a_part_that_is_a_sum_is_named_with_why() {
    let office = Office::at("2021-12-31").await;
    let date = day(2021, 5, 1);
    indicator(&office, "n0", summing(Kind::Stock)).await;
    indicator(&office, "n1", part_of("n0", summing(Kind::Stock))).await;
    for part in ["n2", "n3"] {
        indicator(&office, part, part_of("n1", of(Kind::Stock))).await;
    }
    observe(&office, "n2", "o", on("7", date)).await;
    observe(&office, "n3", "o", on("1", date)).await;
    observe(&office, "n3", "other", on("2", date)).await;
    for id in ["n1", "n0"] {
        let sum = series(&office, id).await.sum_of_parts.unwrap();
        let missing: Vec<_> = sum.missing.iter().map(|of| (of.subject.clone(), &*of.why)).collect();
        assert_eq!((sum.value.as_deref(), sum.counted, sum.lower_bound), (Some("7"), 1, true), "{id}");
        assert_eq!(missing, [(name("n3"), "CONTRADICTED")], "{id}");
    }
    for i in 0..20 {
        let own = if i < 19 { summing(Kind::Stock) } else { of(Kind::Stock) };
        let own = if i == 0 { own } else { part_of(&format!("d{}", i - 1), own) };
        indicator(&office, &format!("d{i}"), own).await;
    }
    let why = async |id: &str| series(&office, id).await.sum_of_parts.unwrap().missing.remove(0);
    assert_eq!((why("d0").await.subject, why("d0").await.why), (name("d16"), "TOO_DEEP".into()));
    assert_eq!((why("d4").await.subject, why("d4").await.why), (name("d5"), "NO_OBSERVATION".into()));
}
