//! Indicators: what their observations add up to on a day, as known then and now. The numbers are
//! those of office.md, section 2, and of the facts of the Western Science City.

use milepost_proto::event::v1::Event;
use milepost_proto::figure::v1::Knowledge;
use milepost_proto::google::r#type::Date;
use milepost_proto::registry::v1::indicator::{Flag, Kind, Rollup};
use milepost_proto::registry::v1::indicator_value::Absence;
use milepost_proto::registry::v1::observation::Qualifier;
use milepost_proto::registry::v1::*;
use tonic::{Code, Status};

use super::events::events_after;
use super::office::{Office, conditions, faults, refusal};

pub(super) fn name(id: &str) -> String {
    format!("portfolios/wsc/indicators/{id}")
}

pub(super) fn day(year: i32, month: i32, day: i32) -> Option<Date> {
    Some(Date { year, month, day })
}

pub(super) fn of(kind: Kind) -> Indicator {
    Indicator { display_name: "指标".to_owned(), kind: kind.into(), ..Indicator::default() }
}

/// One that sums its parts.
pub(super) fn summing(kind: Kind) -> Indicator {
    Indicator { rollup: Rollup::Sum.into(), ..of(kind) }
}

pub(super) fn part_of(whole: &str, indicator: Indicator) -> Indicator {
    Indicator { part_of: name(whole), ..indicator }
}

pub(super) async fn try_indicator(office: &Office, id: &str, of: Indicator) -> Result<Indicator, Status> {
    let request = CreateIndicatorRequest {
        parent: "portfolios/wsc".to_owned(),
        indicator_id: id.to_owned(),
        indicator: Some(of),
        ..CreateIndicatorRequest::default()
    };
    Ok(office.indicators().create_indicator(request).await?.into_inner().indicator.unwrap())
}

pub(super) async fn indicator(office: &Office, id: &str, of: Indicator) -> Indicator {
    try_indicator(office, id, of).await.unwrap()
}

pub(super) async fn update(
    office: &Office,
    id: &str,
    paths: &[&str],
    of: Indicator,
) -> Result<Indicator, Status> {
    let paths = paths.iter().map(ToString::to_string).collect();
    let request = UpdateIndicatorRequest {
        indicator: Some(Indicator { name: name(id), ..of }),
        update_mask: Some(prost_types::FieldMask { paths }),
        ..UpdateIndicatorRequest::default()
    };
    Ok(office.indicators().update_indicator(request).await?.into_inner().indicator.unwrap())
}

pub(super) async fn get(office: &Office, id: &str) -> Indicator {
    let request = GetIndicatorRequest { name: name(id), ..Default::default() };
    office.indicators().get_indicator(request).await.unwrap().into_inner().indicator.unwrap()
}

/// An observation of these days.
pub(super) fn found(value: &str, from: Option<Date>, to: Option<Date>) -> Observation {
    Observation {
        period: Some(Period { start_date: from, end_date: to }),
        value: value.to_owned(),
        source: "管委会".to_owned(),
        ..Observation::default()
    }
}

/// An observation of one day.
pub(super) fn on(value: &str, date: Option<Date>) -> Observation {
    found(value, date, date)
}

pub(super) async fn try_observe(
    office: &Office,
    indicator: &str,
    id: &str,
    observation: Observation,
) -> Result<Observation, Status> {
    let request = CreateObservationRequest {
        parent: name(indicator),
        observation_id: id.to_owned(),
        observation: Some(observation),
        ..CreateObservationRequest::default()
    };
    Ok(office.observations().create_observation(request).await?.into_inner().observation.unwrap())
}

/// The events of the entry of an observation.
pub(super) async fn observe(
    office: &Office,
    indicator: &str,
    id: &str,
    observation: Observation,
) -> Vec<Event> {
    let sequence = office.sequence();
    try_observe(office, indicator, id, observation).await.unwrap();
    events_after(office, sequence).await
}

pub(super) async fn try_series(
    office: &Office,
    id: &str,
    request: GetIndicatorSeriesRequest,
) -> Result<IndicatorSeries, Status> {
    let request = GetIndicatorSeriesRequest { name: name(id), ..request };
    Ok(office.indicators().get_indicator_series(request).await?.into_inner().series.unwrap())
}

pub(super) async fn series(office: &Office, id: &str) -> IndicatorSeries {
    try_series(office, id, GetIndicatorSeriesRequest::default()).await.unwrap()
}

pub(super) async fn on_day(office: &Office, id: &str, date: Option<Date>) -> IndicatorSeries {
    try_series(office, id, GetIndicatorSeriesRequest { date, ..Default::default() }).await.unwrap()
}

async fn over(office: &Office, id: &str, from: Option<Date>, to: Option<Date>) -> IndicatorValue {
    let span = Some(Period { start_date: from, end_date: to });
    let request = GetIndicatorSeriesRequest { span, ..Default::default() };
    try_series(office, id, request).await.unwrap().sum_over_time.unwrap()
}

pub(super) fn types(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.r#type.strip_prefix("milepost.").unwrap()).collect()
}

/// The figures of the science city in mid-2021.
#[tokio::test]
async fn the_figures_of_the_science_city_are_held_without_loss() {
    let office = Office::with_portfolio().await;
    let mid = day(2021, 5, 20);
    for (id, display_name, value) in [
        ("institutions", "市级以上研发机构", "278"),
        ("incubators", "市级以上孵化器和众创空间", "16"),
        ("high-tech", "高新技术企业", "195"),
        ("municipal", "市级科技型企业", "876"),
        ("attracted", "引进项目", "145"),
    ] {
        let scope = "核心区".to_owned();
        let display_name = display_name.to_owned();
        indicator(&office, id, Indicator { display_name, scope, ..of(Kind::Stock) }).await;
        assert_eq!(types(&observe(&office, id, "o", on(value, mid)).await), ["observation.created"]);
    }
    indicator(&office, "national", part_of("incubators", of(Kind::Stock))).await;
    observe(&office, "national", "o", on("5", mid)).await;
    let unit = "亿元".to_owned();
    indicator(&office, "investment", Indicator { unit, ..of(Kind::Stock) }).await;
    let over_1775 = Observation {
        qualifier: Qualifier::AtLeast.into(),
        note: "超过1775亿元".to_owned(),
        ..on("1775", mid)
    };
    observe(&office, "investment", "o", over_1775).await;

    let request = ListIndicatorsRequest { parent: "portfolios/wsc".to_owned(), ..Default::default() };
    let listed = office.indicators().list_indicators(request).await.unwrap().into_inner().indicators;
    let value = |of: &Indicator| {
        let current = of.current.clone().unwrap();
        (of.name.rsplit('/').next().unwrap().to_owned(), current.value.clone(), current.qualifier())
    };
    let expected = [
        ("attracted", "145", Qualifier::Exact),
        ("high-tech", "195", Qualifier::Exact),
        ("incubators", "16", Qualifier::Exact),
        ("institutions", "278", Qualifier::Exact),
        ("investment", "1775", Qualifier::AtLeast),
        ("municipal", "876", Qualifier::Exact),
        ("national", "5", Qualifier::Exact),
    ];
    let expected = expected.map(|(id, value, of)| (id.to_owned(), value.to_owned(), of));
    assert_eq!(listed.iter().map(value).collect::<Vec<_>>(), expected);
    assert!(listed.iter().all(|one| one.flags.is_empty() && one.contradiction_count == 0));
    assert_eq!(series(&office, "incubators").await.contradictions, []);
}

/// office.md, section 2: a part is not more than its whole: 16, of which 5.
#[tokio::test]
async fn a_part_that_is_more_than_its_whole_is_flagged_on_both_and_refused_on_none() {
    let office = Office::with_portfolio().await;
    let mid = day(2021, 5, 20);
    indicator(&office, "whole", of(Kind::Stock)).await;
    indicator(&office, "part", part_of("whole", of(Kind::Stock))).await;
    observe(&office, "whole", "o", on("16", mid)).await;
    observe(&office, "part", "o", on("17", mid)).await;
    assert_eq!(get(&office, "whole").await.flags, [i32::from(Flag::ExceededByPart)]);
    assert_eq!(get(&office, "part").await.flags, [i32::from(Flag::ExceedsWhole)]);
    let flagged = series(&office, "part").await.contradictions;
    assert_eq!((flagged.len(), flagged[0].flag()), (1, Flag::ExceedsWhole));
    let values: Vec<_> = flagged[0].values.iter().map(|one| (one.name.clone(), one.value.as_str())).collect();
    assert_eq!(values, [(name("part"), "17"), (name("whole"), "16")]);
    // Of other days the two need not agree, and what contradicts both stays.
    observe(&office, "part", "later", on("18", day(2021, 5, 21))).await;
    let flags = async |id: &str| get(&office, id).await.flags;
    assert_eq!((flags("part").await.len(), flags("whole").await.len()), (1, 1));
    observe(&office, "whole", "later", on("30", day(2021, 5, 21))).await;
    assert_eq!((flags("part").await.len(), flags("whole").await.len()), (1, 1));
    // Nor of another kind.
    indicator(&office, "share", part_of("whole", of(Kind::Rate))).await;
    observe(&office, "share", "o", on("97.2", mid)).await;
    assert!(get(&office, "share").await.flags.is_empty());
    assert_eq!(series(&office, "whole").await.contradiction_count, 1);
}

#[tokio::test]
async fn parts_add_up_as_exactly_as_they_are_known_and_what_is_missing_is_named() {
    let office = Office::with_portfolio().await;
    indicator(&office, "all", summing(Kind::Stock)).await;
    for (id, whole) in [("a", "all"), ("b", "all"), ("c", "all"), ("d", "c")] {
        let own = if id == "c" { summing(Kind::Stock) } else { of(Kind::Stock) };
        indicator(&office, id, part_of(whole, own)).await;
    }
    let none = series(&office, "all").await.sum_of_parts.unwrap();
    assert_eq!((none.value, none.counted, none.missing_count, none.lower_bound), (None, 0, 3, false));
    observe(&office, "a", "o", on("195", day(2021, 5, 1))).await;
    let at_least = Observation { qualifier: Qualifier::AtLeast.into(), ..on("876.5", day(2021, 4, 1)) };
    observe(&office, "b", "o", at_least).await;
    let some = series(&office, "all").await;
    let sum = some.sum_of_parts.clone().unwrap();
    assert_eq!((sum.value.as_deref(), sum.numerator.as_str(), sum.counted), (Some("1071.5"), "1071.5", 2));
    assert_eq!((sum.lower_bound, sum.missing_count), (true, 1));
    assert_eq!((sum.missing[0].subject.clone(), sum.missing[0].why.as_str()), (name("c"), "NO_OBSERVATION"));
    assert_eq!(some.sum_qualifier(), Qualifier::AtLeast);
    // Parts of parts.
    observe(&office, "d", "o", on("0.5", day(2021, 5, 2))).await;
    let sum = series(&office, "all").await.sum_of_parts.unwrap();
    assert_eq!((sum.value.as_deref(), sum.counted, sum.lower_bound), (Some("1072"), 3, false));
    assert_eq!(on_day(&office, "all", day(2021, 5, 1)).await.sum_of_parts.unwrap().missing_count, 1);
    // Its own observation stands beside them.
    let at_least = Observation { qualifier: Qualifier::AtLeast.into(), ..on("1000", day(2021, 5, 2)) };
    observe(&office, "all", "at-least", at_least).await;
    let own = series(&office, "all").await;
    assert_eq!(own.current.unwrap().value, "1000");
    assert!(own.contradictions.is_empty(), "it may be as much as the sum");
    observe(&office, "all", "o", on("1000", day(2021, 5, 3))).await;
    assert_eq!(series(&office, "all").await.contradictions[0].flag(), Flag::ExceededBySum, "1072 or more");
    observe(&office, "b", "exact", on("876.5", day(2021, 5, 2))).await;
    let own = series(&office, "all").await;
    assert_eq!(own.sum_qualifier(), Qualifier::Exact);
    assert_eq!(own.contradictions[0].flag(), Flag::ExceededBySum);
    // A sum that cannot be held is none.
    observe(&office, "a", "most", on("999999999999999", day(2021, 5, 3))).await;
    let sum = series(&office, "all").await.sum_of_parts.unwrap();
    assert_eq!((sum.value, sum.missing[0].why.as_str()), (None, "SUM_OVERFLOW"));
}

/// office.md, section 2: a rate never sums, a stock never over time, a flow over time only if periods tile.
#[tokio::test]
async fn only_a_flow_is_summed_over_time_and_only_if_its_periods_tile() {
    let office = Office::with_portfolio().await;
    for (id, kind) in [("stock", Kind::Stock), ("rate", Kind::Rate), ("flow", Kind::Flow)] {
        indicator(&office, id, of(kind)).await;
        let from = day(2021, 1, 1);
        observe(&office, id, "january", found("10", from, day(2021, 1, 31))).await;
        observe(&office, id, "march", found("30.5", day(2021, 3, 1), day(2021, 3, 31))).await;
    }
    let quarter = async |id: &str| over(&office, id, day(2021, 1, 1), day(2021, 3, 31)).await;
    for id in ["stock", "rate"] {
        let never = quarter(id).await;
        assert_eq!((never.value.as_str(), never.absence()), ("", Absence::NeverOverTime));
    }
    assert_eq!(quarter("flow").await.absence(), Absence::NotTiled, "a gap");
    observe(&office, "flow", "february", found("20", day(2021, 2, 1), day(2021, 2, 28))).await;
    let sum = quarter("flow").await;
    assert_eq!((sum.value.as_str(), sum.qualifier(), sum.counted), ("60.5", Qualifier::Exact, 3));
    assert_eq!(over(&office, "flow", day(2021, 1, 1), day(2021, 4, 30)).await.absence(), Absence::NotTiled);
    assert_eq!(
        over(&office, "flow", day(2020, 1, 1), day(2020, 12, 31)).await.absence(),
        Absence::NoObservation
    );
    // What reaches beyond the span is left out; within it nothing may overlap.
    observe(&office, "flow", "straddles", found("7", day(2020, 12, 15), day(2021, 1, 14))).await;
    assert_eq!(quarter("flow").await.value, "60.5");
    let first_half =
        Observation { qualifier: Qualifier::AtLeast.into(), ..found("8", day(2021, 1, 1), day(2021, 1, 15)) };
    observe(&office, "flow", "overlaps", first_half).await;
    assert_eq!(quarter("flow").await.absence(), Absence::NotTiled);
    // What was observed of exactly the span is its value.
    observe(&office, "flow", "quarter", found("61", day(2021, 1, 1), day(2021, 3, 31))).await;
    let exact = quarter("flow").await;
    assert_eq!((exact.value.as_str(), exact.counted), ("61", 1));
    // And a period that is contradicted has no sum.
    observe(&office, "flow", "february-too", found("21", day(2021, 2, 1), day(2021, 2, 28))).await;
    let february = over(&office, "flow", day(2021, 2, 1), day(2021, 3, 31)).await;
    assert_eq!(february.absence(), Absence::Contradicted);
    let request = GetIndicatorSeriesRequest {
        span: Some(Period { start_date: day(2021, 2, 1), end_date: None }),
        date: day(2021, 5, 28),
        ..Default::default()
    };
    let status = try_series(&office, "flow", request).await.unwrap_err();
    assert_eq!(faults(&status)[0], ("span.end_date".to_owned(), "REQUIRED".to_owned()));
}

#[tokio::test]
async fn parts_of_a_flow_add_up_for_one_period() {
    let office = Office::with_portfolio().await;
    indicator(&office, "all", summing(Kind::Flow)).await;
    for id in ["a", "b"] {
        indicator(&office, id, part_of("all", of(Kind::Flow))).await;
        observe(&office, id, "january", found("1", day(2021, 1, 1), day(2021, 1, 31))).await;
    }
    observe(&office, "a", "february", found("5", day(2021, 2, 1), day(2021, 2, 28))).await;
    let sum = series(&office, "all").await.sum_of_parts.unwrap();
    assert_eq!((sum.value.as_deref(), sum.lower_bound), (Some("5"), true));
    assert_eq!((sum.missing[0].subject.clone(), sum.missing[0].why.as_str()), (name("b"), "OTHER_PERIOD"));
    let january = on_day(&office, "all", day(2021, 1, 31)).await.sum_of_parts.unwrap();
    assert_eq!((january.value.as_deref(), january.lower_bound), (Some("2"), false));
    // Its own last period says of which the parts are asked.
    observe(&office, "all", "january", found("3", day(2021, 1, 1), day(2021, 1, 31))).await;
    assert_eq!(series(&office, "all").await.sum_of_parts.unwrap().value.as_deref(), Some("2"));
}

#[tokio::test]
async fn what_is_a_part_fits_its_whole_and_no_indicator_is_a_part_of_itself() {
    let office = Office::with_portfolio().await;
    office.portfolio("other").await;
    let fault = |field: &str, reason: &str| (field.to_owned(), reason.to_owned());
    let status = try_indicator(&office, "x", summing(Kind::Rate)).await.unwrap_err();
    assert_eq!(faults(&status), [fault("indicator.rollup", "RATE_NEVER_SUMS")]);
    let status = try_indicator(&office, "x", part_of("x", of(Kind::Stock))).await.unwrap_err();
    assert_eq!(faults(&status), [fault("indicator.part_of", "PART_OF_CYCLE")]);
    let elsewhere = Indicator { part_of: "portfolios/other/indicators/x".into(), ..of(Kind::Stock) };
    let status = try_indicator(&office, "x", elsewhere).await.unwrap_err();
    assert_eq!(faults(&status), [fault("indicator.part_of", "OTHER_PORTFOLIO")]);
    let status = try_indicator(&office, "x", part_of("never", of(Kind::Stock))).await.unwrap_err();
    assert_eq!(conditions(&status), [fault("REFERENCE_NOT_FOUND", &name("never"))]);

    let unit = |unit: &str, of: Indicator| Indicator { unit: unit.to_owned(), ..of };
    indicator(&office, "all", unit("家", summing(Kind::Stock))).await;
    for wrong in [unit("家", of(Kind::Flow)), unit("个", of(Kind::Stock)), unit("家", of(Kind::Rate))] {
        let status = try_indicator(&office, "a", part_of("all", wrong)).await.unwrap_err();
        assert_eq!(conditions(&status), [fault("NOT_SUMMABLE", &name("a"))]);
    }
    indicator(&office, "a", part_of("all", unit("家", of(Kind::Stock)))).await;
    indicator(&office, "b", part_of("a", unit("%", of(Kind::Rate)))).await;
    // The whole cannot change away from its parts, nor begin to sum what does not fit.
    let status = update(&office, "all", &["unit"], unit("个", Indicator::default())).await.unwrap_err();
    assert_eq!(conditions(&status), [fault("NOT_SUMMABLE", &name("a"))]);
    let status = update(&office, "a", &["rollup"], summing(Kind::Stock)).await.unwrap_err();
    assert_eq!(conditions(&status), [fault("NOT_SUMMABLE", &name("b"))]);
    let status = update(&office, "all", &["part_of"], part_of("b", Indicator::default())).await.unwrap_err();
    assert!(conditions(&status).contains(&fault("PART_OF_CYCLE", &name("all"))), "{status:?}");

    let delete = DeleteIndicatorRequest { name: name("a"), ..Default::default() };
    let status = office.indicators().delete_indicator(delete.clone()).await.unwrap_err();
    assert_eq!(conditions(&status), [fault("HAS_PARTS", &name("b"))]);
    let part = DeleteIndicatorRequest { name: name("b"), ..Default::default() };
    office.indicators().delete_indicator(part).await.unwrap();
    office.indicators().delete_indicator(delete).await.unwrap();
    let undelete = UndeleteIndicatorRequest { name: name("b"), ..Default::default() };
    let status = office.indicators().undelete_indicator(undelete).await.unwrap_err();
    assert_eq!(conditions(&status), [fault("REFERENCE_DELETED", &name("a"))]);
    assert_eq!(series(&office, "all").await.sum_of_parts.unwrap().missing_count, 0, "a deleted part is none");
}

/// office.md, section 0: lists have at most 1,000 members.
#[tokio::test]
async fn an_indicator_has_at_most_1000_thresholds_and_targets() {
    let office = Office::with_portfolio().await;
    let thresholds = |count: i32| {
        let one = |i: i32| IndicatorThreshold { value: i.to_string(), label: String::new() };
        Indicator { thresholds: (0..count).map(one).collect(), ..of(Kind::Stock) }
    };
    let targets = |count: i32| {
        let one = |i: i32| IndicatorTarget {
            date: day(2000 + i / 336, 1 + i % 12, 1 + i / 12 % 28),
            year: 0,
            value: "1".into(),
        };
        Indicator { targets: (0..count).map(one).collect(), ..of(Kind::Stock) }
    };
    assert_eq!(indicator(&office, "thresholds", thresholds(1_000)).await.thresholds.len(), 1_000);
    assert_eq!(indicator(&office, "targets", targets(1_000)).await.targets.len(), 1_000);
    for (wrong, field) in [(thresholds(1_001), "thresholds"), (targets(1_001), "targets")] {
        let status = try_indicator(&office, "more", wrong).await.unwrap_err();
        assert_eq!(faults(&status), [(format!("indicator.{field}"), "TOO_MANY".to_owned())]);
    }
}

#[tokio::test]
async fn everything_that_is_wrong_with_an_indicator_is_named_at_once() {
    let office = Office::with_portfolio().await;
    let target = |date, year, value: &str| IndicatorTarget { date, year, value: value.into() };
    let threshold = |value: &str| IndicatorThreshold { value: value.into(), label: String::new() };
    let wrong = Indicator {
        display_name: String::new(),
        unit: "x\ny".to_owned(),
        targets: vec![
            target(None, 0, "1"),
            target(day(2021, 5, 1), 2021, "1"),
            target(day(2022, 12, 31), 0, "1"),
            target(None, 2022, "x"),
            target(None, 1066, ""),
        ],
        thresholds: vec![threshold("1.0"), threshold("1"), threshold("1,000")],
        ..of(Kind::Unspecified)
    };
    let sequence = office.sequence();
    let status = try_indicator(&office, "x", wrong).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::InvalidArgument, "INVALID_FIELDS".into()));
    let mut found: Vec<_> = faults(&status).into_iter().collect();
    found.sort();
    let expected = [
        ("display_name", "REQUIRED"),
        ("kind", "REQUIRED"),
        ("targets[0].date", "REQUIRED"),
        ("targets[1].year", "CONTRADICTION"),
        ("targets[3]", "DUPLICATE"),
        ("targets[3].value", "INVALID_DECIMAL"),
        ("targets[4].value", "REQUIRED"),
        ("targets[4].year", "OUT_OF_RANGE"),
        ("thresholds[1].value", "DUPLICATE"),
        ("thresholds[2].value", "INVALID_DECIMAL"),
        ("unit", "INVALID_CHARACTER"),
    ];
    let expected = expected.map(|(field, reason)| (format!("indicator.{field}"), reason.to_owned()));
    assert_eq!(found, expected);
    assert_eq!(office.sequence(), sequence);
}

#[tokio::test]
async fn a_series_is_answered_by_its_dimensions_and_knows_its_requests() {
    let office = Office::with_portfolio().await;
    indicator(&office, "firms", of(Kind::Stock)).await;
    let in_district = |value: &str, district: &str| Observation {
        dimensions: [("district".to_owned(), district.to_owned())].into(),
        ..on(value, day(2021, 5, 1))
    };
    observe(&office, "firms", "all", on("876", day(2021, 5, 1))).await;
    observe(&office, "firms", "one", in_district("500", "高新区")).await;
    observe(&office, "firms", "other", in_district("376", "沙坪坝区")).await;
    assert_eq!(get(&office, "firms").await.contradiction_count, 0, "other dimensions");
    let dimensions = std::collections::HashMap::from([("district".to_owned(), "高新区".to_owned())]);
    let dimensions = dimensions.into_iter().collect();
    let request = GetIndicatorSeriesRequest { dimensions, ..Default::default() };
    let one = try_series(&office, "firms", request).await.unwrap();
    assert_eq!((one.current.unwrap().value.as_str(), one.points.len()), ("500", 1));
    assert_eq!(series(&office, "firms").await.points.len(), 1);
    let request = ListObservationsRequest {
        parent: name("firms"),
        filter: "dimensions.district = \"沙坪坝区\"".to_owned(),
        ..Default::default()
    };
    let listed = office.observations().list_observations(request).await.unwrap().into_inner().observations;
    assert_eq!((listed.len(), listed[0].value.as_str()), (1, "376"));

    let status = try_series(&office, "none", GetIndicatorSeriesRequest::default()).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::NotFound, "RESOURCE_NOT_FOUND".into()));
    let request = GetIndicatorSeriesRequest {
        date: day(2021, 13, 1),
        knowledge: 9,
        dimensions: [("No Key".to_owned(), "x".to_owned())].into(),
        span: Some(Period { start_date: day(2021, 2, 1), end_date: day(2021, 1, 1) }),
        ..Default::default()
    };
    let status = try_series(&office, "NONE", request).await.unwrap_err();
    let mut found: Vec<_> = faults(&status).into_iter().map(|(field, _)| field).collect();
    found.sort();
    assert_eq!(found, ["date", "dimensions[\"No Key\"]", "knowledge", "name", "span"]);
    let request = GetIndicatorSeriesRequest { date: day(2021, 5, 28), ..Default::default() };
    let status = try_series(&office, "firms", request).await.unwrap_err();
    assert_eq!(faults(&status), [("date".to_owned(), "DATE_IN_FUTURE".to_owned())]);
    let none = on_day(&office, "firms", day(2021, 4, 30)).await;
    assert_eq!(none.knowledge(), Knowledge::Latest);
    assert_eq!(none.current.unwrap().absence(), Absence::NoObservation);
}
