//! Observations: they stay as they are, contradict each other, and are preferred or retracted; and what of them was known
//! when. The rules are those of office.md, sections 0 and 2.

use milepost_proto::event::v1::Event;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::figure::v1::Knowledge;
use milepost_proto::google::r#type::Date;
use milepost_proto::registry::v1::indicator::{Flag, Kind};
use milepost_proto::registry::v1::indicator_value::Absence;
use milepost_proto::registry::v1::observation::{Qualifier, State};
use milepost_proto::registry::v1::*;
use tonic::{Code, Status};

use super::events::events_after;
use super::indicators::{day, found, get, indicator, name, observe, of, on, series, try_observe, try_series};
use super::office::{Office, faults, refusal};

const REASON: &str = "统计局更正";

fn observation(id: &str) -> String {
    format!("{}/observations/{id}", name("firms"))
}

/// An office with one indicator.
async fn office() -> Office {
    let office = Office::with_portfolio().await;
    indicator(&office, "firms", of(Kind::Stock)).await;
    office
}

pub(super) async fn try_prefer(office: &Office, id: &str, date: Option<Date>) -> Result<Vec<Event>, Status> {
    let sequence = office.sequence();
    let request = PreferObservationRequest {
        name: observation(id),
        reason: REASON.to_owned(),
        date,
        ..PreferObservationRequest::default()
    };
    office.observations().prefer_observation(request).await?;
    Ok(events_after(office, sequence).await)
}

pub(super) async fn try_retract(office: &Office, id: &str, date: Option<Date>) -> Result<Vec<Event>, Status> {
    let sequence = office.sequence();
    let request = RetractObservationRequest {
        name: observation(id),
        reason: REASON.to_owned(),
        date,
        ..RetractObservationRequest::default()
    };
    office.observations().retract_observation(request).await?;
    Ok(events_after(office, sequence).await)
}

async fn get_observation(office: &Office, id: &str) -> Observation {
    let request = GetObservationRequest { name: observation(id), ..Default::default() };
    office.observations().get_observation(request).await.unwrap().into_inner().observation.unwrap()
}

fn types(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.r#type.strip_prefix("milepost.").unwrap()).collect()
}

/// The value, or why there is none.
async fn current(office: &Office) -> Result<String, Absence> {
    let current = get(office, "firms").await.current.unwrap();
    match current.absence() {
        Absence::Unspecified => Ok(current.value),
        absence => Err(absence),
    }
}

#[tokio::test]
async fn an_observation_is_stored_as_it_was_said() {
    let office = office().await;
    let said = Observation { note: "含在建".to_owned(), ..on("-0195.500", day(2021, 5, 1)) };
    let created = try_observe(&office, "firms", "o", said.clone()).await.unwrap();
    assert_eq!((created.value.as_str(), created.qualifier()), ("-0195.500", Qualifier::Exact));
    assert_eq!((created.state(), created.reported_date), (State::Active, day(2021, 5, 27)));
    assert_eq!((created.series.as_str(), created.decisions.len()), ("", 0));
    assert_eq!(get_observation(&office, "o").await, created);
    assert_eq!(series(&office, "firms").await.current.unwrap().value, "-195.5", "by its value");
    let status = try_observe(&office, "firms", "o", said).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::AlreadyExists, "RESOURCE_ALREADY_EXISTS".into()));
    assert!(
        status.message().ends_with("choose another id"),
        "it can neither be updated nor deleted: {status:?}"
    );
}

#[tokio::test]
async fn everything_that_is_wrong_with_an_observation_is_named_at_once() {
    let office = office().await;
    let sequence = office.sequence();
    let wrong = Observation {
        value: "1.2345678".to_owned(),
        source: String::new(),
        qualifier: 9,
        dimensions: [("No Key".to_owned(), "x".to_owned())].into(),
        reported_date: day(2021, 2, 30),
        ..found("", day(2021, 5, 2), day(2021, 5, 1))
    };
    let status = try_observe(&office, "firms", "o", wrong).await.unwrap_err();
    let mut fields: Vec<_> = faults(&status);
    fields.sort();
    let fault = |field: &str, reason: &str| (format!("observation.{field}"), reason.to_owned());
    let expected = [
        fault("dimensions[\"No Key\"]", "INVALID_KEY"),
        fault("period", "INVALID_PERIOD"),
        fault("qualifier", "UNKNOWN_ENUM_VALUE"),
        fault("reported_date", "INVALID_DATE"),
        fault("source", "REQUIRED"),
        fault("value", "INVALID_DECIMAL"),
    ];
    let reasonless =
        |list: &[(String, String)]| list.iter().map(|(field, _)| field.clone()).collect::<Vec<_>>();
    assert_eq!(reasonless(&fields), reasonless(&expected));
    // Nothing is of the future, or reported before it was over.
    let future =
        Observation { reported_date: day(2021, 5, 28), ..found("1", day(2021, 5, 28), day(2021, 5, 29)) };
    let status = try_observe(&office, "firms", "o", future).await.unwrap_err();
    let expected = [
        fault("period.start_date", "DATE_IN_FUTURE"),
        fault("period.end_date", "DATE_IN_FUTURE"),
        fault("reported_date", "DATE_IN_FUTURE"),
        fault("reported_date", "REPORTED_BEFORE_END"),
    ];
    assert_eq!(faults(&status), expected);
    assert_eq!(office.sequence(), sequence);
    try_observe(&office, "firms", "today", on("1", day(2021, 5, 27))).await.unwrap();
}

/// office.md, section 2: same period and dimensions, other value: both kept, flagged, no value until one is
/// preferred or retracted.
#[tokio::test]
async fn observations_that_contradict_each_other_are_kept_and_there_is_no_value_until_somebody_decides() {
    let office = office().await;
    let date = day(2021, 5, 1);
    observe(&office, "firms", "old", on("870", day(2021, 4, 1))).await;
    observe(&office, "firms", "a", on("876", date)).await;
    // The same value from another source.
    let events = observe(&office, "firms", "same", on("876.0", date)).await;
    assert_eq!(types(&events), ["observation.created"]);
    assert_eq!(current(&office).await.as_deref(), Ok("876"));
    let events = observe(&office, "firms", "b", on("878", date)).await;
    assert_eq!(types(&events), ["observation.created", "indicator.contradicted"]);
    assert_eq!(events[1].caused_by, events[0].event_id);
    assert_eq!(events[1].changed_fields, ["contradiction_count"]);
    let Some(Payload::IndicatorContradicted(said)) = &events[1].payload else { panic!("{events:?}") };
    let values: Vec<_> = said.values.iter().map(|one| (one.name.clone(), one.value.as_str())).collect();
    assert_eq!(values, [(observation("a"), "876"), (observation("b"), "878"), (observation("same"), "876")]);
    assert_eq!(current(&office).await, Err(Absence::Contradicted), "no earlier period stands in");
    let held = get(&office, "firms").await;
    assert_eq!((held.contradiction_count, held.flags.clone()), (1, vec![i32::from(Flag::Contradicted)]));
    let listed = async |filter: &str| {
        let (parent, filter) = ("portfolios/wsc".to_owned(), filter.to_owned());
        let request = ListIndicatorsRequest { parent, filter, ..Default::default() };
        office.indicators().list_indicators(request).await.unwrap().into_inner().indicators.len()
    };
    assert_eq!(listed("contradiction_count > 0").await, 1);
    let points = series(&office, "firms").await;
    assert_eq!(points.points.iter().map(|one| one.value.as_str()).collect::<Vec<_>>(), ["870", ""]);
    assert_eq!((points.contradiction_count, points.contradictions[0].flag()), (1, Flag::Contradicted));

    let events = try_prefer(&office, "b", None).await.unwrap();
    assert_eq!(types(&events), ["observation.preferred", "indicator.reconciled"]);
    assert_eq!(
        (events[0].event_date, events[1].caused_by.clone()),
        (day(2021, 5, 27), events[0].event_id.clone())
    );
    let Some(Payload::ObservationPreferred(preferred)) = &events[0].payload else { panic!("{events:?}") };
    assert_eq!((preferred.reason.as_str(), preferred.displaced.as_str()), (REASON, ""));
    let Some(Payload::IndicatorReconciled(settled)) = &events[1].payload else { panic!("{events:?}") };
    assert_eq!(settled.observation, observation("b"));
    assert_eq!(current(&office).await.as_deref(), Ok("878"));
    assert_eq!(listed("contradiction_count > 0").await, 0);
    // Another one, instead.
    let events = try_prefer(&office, "a", None).await.unwrap();
    assert_eq!(types(&events), ["observation.preferred", "observation.displaced"]);
    assert_eq!(events[1].caused_by, events[0].event_id);
    let Some(Payload::ObservationDisplaced(displaced)) = &events[1].payload else { panic!("{events:?}") };
    assert_eq!(displaced.by, observation("a"));
    let states = async || {
        let (a, b) = (get_observation(&office, "a").await, get_observation(&office, "b").await);
        (a.state(), b.state(), current(&office).await)
    };
    assert_eq!(states().await, (State::Preferred, State::Active, Ok("876".to_owned())));
    // What is preferred is retracted: those that are left contradict each other.
    let events = try_retract(&office, "a", None).await.unwrap();
    assert_eq!(types(&events), ["observation.retracted", "indicator.contradicted"]);
    let events = try_retract(&office, "b", None).await.unwrap();
    assert_eq!(types(&events), ["observation.retracted", "indicator.reconciled"]);
    assert_eq!(states().await, (State::Retracted, State::Retracted, Ok("876".to_owned())));
    try_retract(&office, "same", None).await.unwrap();
    assert_eq!(current(&office).await.as_deref(), Ok("870"), "nothing is left of the period");
    let request = ListObservationsRequest {
        parent: name("firms"),
        filter: "state = STATE_RETRACTED".to_owned(),
        ..Default::default()
    };
    let kept = office.observations().list_observations(request).await.unwrap().into_inner().observations;
    assert_eq!(kept.len(), 3, "what is retracted is kept");
    assert_eq!(kept[0].decisions.len(), 2);
    assert_eq!(
        (kept[0].decisions[0].state(), kept[0].decisions[1].state()),
        (State::Preferred, State::Retracted)
    );
}

#[tokio::test]
async fn a_decision_needs_a_reason_a_state_and_a_day_that_fits() {
    let office = office().await;
    let date = day(2021, 5, 1);
    let reported = |value: &str| Observation { reported_date: day(2021, 5, 10), ..on(value, date) };
    observe(&office, "firms", "a", reported("1")).await;
    observe(&office, "firms", "b", reported("2")).await;
    let sequence = office.sequence();
    let fault = |field: &str, reason: &str| (field.to_owned(), reason.to_owned());
    let nothing = PreferObservationRequest::default();
    let status = office.observations().prefer_observation(nothing).await.unwrap_err();
    assert_eq!(faults(&status), [fault("name", "REQUIRED"), fault("reason", "REQUIRED")]);
    let status = try_prefer(&office, "a", day(2021, 5, 28)).await.unwrap_err();
    assert_eq!(faults(&status), [fault("date", "DATE_IN_FUTURE")]);
    let status = try_retract(&office, "a", day(2021, 5, 9)).await.unwrap_err();
    assert_eq!(faults(&status), [fault("date", "DATE_BEFORE_REPORT")]);
    assert_eq!(office.sequence(), sequence);
    try_prefer(&office, "a", day(2021, 5, 20)).await.unwrap();
    let status = try_prefer(&office, "a", None).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::FailedPrecondition, "WRONG_STATE".into()));
    let status = try_prefer(&office, "b", day(2021, 5, 19)).await.unwrap_err();
    assert_eq!(faults(&status), [fault("date", "DATE_BEFORE_DECISION")]);
    try_prefer(&office, "b", day(2021, 5, 20)).await.unwrap();
    try_retract(&office, "b", day(2021, 5, 21)).await.unwrap();
    for refused in [try_prefer(&office, "b", None).await, try_retract(&office, "b", None).await] {
        assert_eq!(refusal(&refused.unwrap_err()), (Code::FailedPrecondition, "WRONG_STATE".into()));
    }
    let request = PreferObservationRequest {
        name: observation("a"),
        reason: REASON.to_owned(),
        etag: "1".to_owned(),
        ..Default::default()
    };
    let status = office.observations().prefer_observation(request).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::Aborted, "ETAG_MISMATCH".into()));
    let delete = DeleteIndicatorRequest { name: name("firms"), ..Default::default() };
    office.indicators().delete_indicator(delete).await.unwrap();
    for status in [
        try_prefer(&office, "a", None).await.unwrap_err(),
        try_observe(&office, "firms", "c", on("1", date)).await.unwrap_err(),
    ] {
        assert_eq!(refusal(&status), (Code::FailedPrecondition, "RESOURCE_DELETED".into()));
    }
}

/// office.md, section 0: THEN is what was reported by the day, strictly what was committed by it; LATEST is all
/// that is of the day.
#[tokio::test]
async fn a_series_is_as_known_then_or_as_known_now() {
    let office = office().await;
    // All committed on 27 May; of 1 May, reported on the 10th, the 12th and today.
    let reported = |value: &str, on_day: i32| Observation {
        reported_date: day(2021, 5, on_day),
        ..on(value, day(2021, 5, 1))
    };
    observe(&office, "firms", "a", reported("876", 10)).await;
    observe(&office, "firms", "b", reported("878", 12)).await;
    try_prefer(&office, "b", day(2021, 5, 15)).await.unwrap();
    try_retract(&office, "b", day(2021, 5, 20)).await.unwrap();
    observe(&office, "firms", "later", on("900", day(2021, 5, 18))).await;
    let value = async |knowledge: Knowledge, on_day: i32| {
        let request = GetIndicatorSeriesRequest {
            date: day(2021, 5, on_day),
            knowledge: knowledge.into(),
            ..Default::default()
        };
        let current = try_series(&office, "firms", request).await.unwrap().current.unwrap();
        match current.absence() {
            Absence::Unspecified => Ok(current.value),
            absence => Err(absence),
        }
    };
    let known = |value: &str| Ok(value.to_owned());
    for (on_day, then, latest) in [
        (1, Err(Absence::NoObservation), known("876")),
        (9, Err(Absence::NoObservation), known("876")),
        (10, known("876"), known("876")),
        (12, Err(Absence::Contradicted), known("876")),
        (15, known("878"), known("876")),
        (19, known("878"), known("900")),
        (20, known("876"), known("900")),
        (27, known("900"), known("900")),
    ] {
        assert_eq!(value(Knowledge::Then, on_day).await, then, "THEN on {on_day}");
        assert_eq!(value(Knowledge::Latest, on_day).await, latest, "LATEST on {on_day}");
        let strict = if on_day == 27 { known("900") } else { Err(Absence::NoObservation) };
        assert_eq!(value(Knowledge::ThenStrict, on_day).await, strict, "THEN_STRICT on {on_day}");
    }
    // What was committed late was not known before, whatever day it says.
    office.clock.advance(jiff::SignedDuration::from_hours(48));
    observe(
        &office,
        "firms",
        "late",
        Observation { reported_date: day(2021, 5, 18), ..on("901", day(2021, 5, 18)) },
    )
    .await;
    assert_eq!(value(Knowledge::ThenStrict, 27).await, known("900"));
    assert_eq!(value(Knowledge::ThenStrict, 29).await, Err(Absence::Contradicted));
    assert_eq!(value(Knowledge::Latest, 27).await, Err(Absence::Contradicted));
}

#[tokio::test]
async fn what_is_only_tried_or_repeated_changes_nothing() {
    let office = office().await;
    let date = day(2021, 5, 1);
    observe(&office, "firms", "a", on("1", date)).await;
    let (sequence, rows) = (office.sequence(), office.rows());
    let request = CreateObservationRequest {
        parent: name("firms"),
        observation_id: "b".to_owned(),
        observation: Some(on("2", date)),
        validate_only: true,
        ..Default::default()
    };
    let tried = office.observations().create_observation(request.clone()).await.unwrap().into_inner();
    assert_eq!(tried.observation.unwrap().reported_date, day(2021, 5, 27));
    let retract = RetractObservationRequest {
        name: observation("a"),
        reason: REASON.to_owned(),
        validate_only: true,
        ..Default::default()
    };
    office.observations().retract_observation(retract).await.unwrap();
    assert_eq!((office.sequence(), office.rows()), (sequence, rows));
    let request = CreateObservationRequest { validate_only: false, request_id: "r-1".to_owned(), ..request };
    let first = office.observations().create_observation(request.clone()).await.unwrap().into_inner();
    let again = office.observations().create_observation(request).await.unwrap().into_inner();
    assert_eq!((again.observation, office.sequence()), (first.observation, sequence + 1));
    assert_eq!(get(&office, "firms").await.contradiction_count, 1);
}

#[tokio::test]
async fn a_period_has_a_hundred_observations_and_an_observation_fifty_decisions() {
    let office = office().await;
    let date = day(2021, 5, 1);
    for i in 0..100 {
        observe(&office, "firms", &format!("o{i}"), on("1", date)).await;
    }
    let status = try_observe(&office, "firms", "one-more", on("1", date)).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::ResourceExhausted, "LIMIT_EXCEEDED".into()));
    try_observe(&office, "firms", "other", on("1", day(2021, 5, 2))).await.unwrap();
    for _ in 0..49 {
        for id in ["o1", "o2"] {
            try_prefer(&office, id, None).await.unwrap();
        }
    }
    let status = try_prefer(&office, "o1", None).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::ResourceExhausted, "LIMIT_EXCEEDED".into()));
    assert_eq!(types(&try_retract(&office, "o1", None).await.unwrap()), ["observation.retracted"]);
}

#[tokio::test]
async fn the_last_thousand_periods_are_answered_and_the_rest_is_asked_for_by_an_earlier_day() {
    let office = office().await;
    let first = jiff::civil::date(2018, 1, 1);
    let date =
        |i: i64| milepost_service::value::date_message(first.saturating_add(jiff::Span::new().days(i)));
    for i in 0..1_002 {
        observe(&office, "firms", &format!("o{i}"), on(&i.to_string(), Some(date(i)))).await;
    }
    let last = series(&office, "firms").await;
    assert_eq!((last.points.len(), last.has_earlier), (1_000, true));
    assert_eq!((last.points[0].value.as_str(), last.points[999].value.as_str()), ("2", "1001"));
    let request = GetIndicatorSeriesRequest { date: Some(date(1)), ..Default::default() };
    let earlier = try_series(&office, "firms", request).await.unwrap();
    assert_eq!((earlier.points.len(), earlier.has_earlier), (2, false));
}
