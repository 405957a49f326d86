//! Which events a selection matches, what it refuses, and that its route hides nothing.

use proptest::prelude::*;

use super::*;

fn selection(resource: &str, types: &[&str], filter: &str) -> Selection {
    let types: Vec<_> = types.iter().map(|kind| (*kind).to_owned()).collect();
    Selection::new(resource, &types, filter).unwrap()
}

pub(crate) fn event<'a>(kind: &'a str, subject: &'a str) -> Envelope<'a> {
    let project =
        subject.split("/milestones/").next().filter(|name| name.contains("/projects/")).unwrap_or_default();
    let portfolio = if subject.starts_with("portfolios/") { &subject[..12] } else { "" };
    Envelope { kind, subject, project, portfolio, source: "tracker", actor: "office", ..Envelope::default() }
}

const MILESTONE: &str = "portfolios/p/projects/x/milestones/m";

#[test]
fn a_resource_selects_itself_and_what_is_below_it() {
    let achieved = event("milepost.milestone.achieved", MILESTONE);
    for (resource, matches) in [
        ("", true),
        ("portfolios/p", true),
        ("portfolios/p/projects/x", true),
        (MILESTONE, true),
        ("portfolios/q", false),
        ("portfolios/p/projects/xx", false),
        ("portfolios/p/projects/x/milestones/mm", false),
        ("organizations/p", false),
    ] {
        assert_eq!(selection(resource, &[], "").matches(&achieved), matches, "{resource}");
    }
    assert!(
        !selection("portfolios/p", &[], "").matches(&event("milepost.portfolio.created", "portfolios/pp"))
    );
}

#[test]
fn types_are_named_or_begin_so() {
    let achieved = event("milepost.milestone.achieved", MILESTONE);
    for (types, matches) in [
        (&["milepost.milestone.achieved"][..], true),
        (&["milepost.milestone.*"], true),
        (&["milepost.*"], true),
        (&["milepost.project.started", "milepost.milestone.*"], true),
        (&["milepost.project.*"], false),
        (&["milepost.milestone.not_met"], false),
    ] {
        assert_eq!(selection("", types, "").matches(&achieved), matches, "{types:?}");
    }
}

#[test]
fn bookkeeping_is_selected_only_by_its_name() {
    let followed = event("milepost.source.followed", "");
    for (types, filter, matches) in [
        (&[][..], "", false),
        (&["milepost.*"], "", false),
        (&["milepost.source.*"], "", true),
        (&["milepost.source.followed"], "", true),
        (&["milepost.source.skipped"], "", false),
        (&[], r#"type = "milepost.source.followed""#, true),
        (&[], r#"type = "milepost.source.*""#, true),
        (&[], r#"type = ("milepost.source.followed" OR "milepost.source.skipped")"#, true),
        (&[], r#"type = "milepost.source.followed" OR actor = "office""#, true),
        (&[], r#"(type = "milepost.source.*" AND source = "tracker") OR actor = "nobody""#, true),
        // Another type is named, and this event matches by the other alternative.
        (&[], r#"type = "milepost.source.skipped" OR actor = "office""#, false),
        (&[], r#"NOT type = "milepost.source.skipped""#, false),
        (&[], r#"NOT type != "milepost.source.followed""#, true),
        (&[], r#"source = "tracker""#, false),
        (&[], r#"type = "milepost.*""#, false),
    ] {
        assert_eq!(selection("", types, filter).matches(&followed), matches, "{types:?} {filter}");
    }
}

#[test]
fn every_field_of_the_schema_can_be_filtered_by() {
    let event = Envelope {
        request_id: "r-1",
        caused_by: "log/1/0",
        commit_time: Some("2021-05-27T01:00:00Z".parse().unwrap()),
        event_date: Some("2021-05-27".parse().unwrap()),
        changed_fields: vec!["forecast_date", "remark"],
        ..event("milepost.milestone.updated", MILESTONE)
    };
    for filter in [
        r#"type = "milepost.milestone.updated""#,
        r#"source = "tracker""#,
        r#"subject:"portfolios/p/projects/x""#,
        r#"portfolio = "portfolios/p""#,
        r#"project = "portfolios/p/projects/x""#,
        "commit_time >= 2021-05-27T00:00:00Z",
        "event_date = 2021-05-27",
        r#"actor = "office""#,
        r#"request_id = "r-1""#,
        r#"caused_by:*"#,
        r#"changed_fields:"remark""#,
    ] {
        assert!(selection("", &[], filter).matches(&event), "{filter}");
    }
    assert!(!selection("", &[], r#"changed_fields:"owner""#).matches(&event));
    let count = SCHEMA.paths().count();
    assert_eq!(count, 11, "a new field needs a filter above");
}

#[test]
fn every_fault_is_named_at_once() {
    let types = ["milepost.*.achieved", "milepost.project.started", "", "milepost.bogus", "milepost.bogus.*"];
    let types = types.map(str::to_owned);
    let rejection = Selection::new("portfolios/P!", &types, "nonsense ~").unwrap_err();
    let Rejection::Invalid(violations) = rejection else { panic!("{rejection:?}") };
    let faults: Vec<_> =
        violations.iter().map(|violation| (violation.field.as_str(), violation.reason)).collect();
    assert_eq!(
        faults,
        [
            ("selection.resource", "INVALID_NAME"),
            ("selection.types[0]", "INVALID_EVENT_TYPE"),
            ("selection.types[2]", "INVALID_EVENT_TYPE"),
            ("selection.types[3]", "UNKNOWN_EVENT_TYPE"),
            ("selection.types[4]", "UNKNOWN_EVENT_TYPE"),
            ("selection.filter", "INVALID_FILTER"),
        ]
    );
    let rejection = Selection::new("", &[], r#"colour = "red""#).unwrap_err();
    assert!(matches!(rejection, Rejection::Filter { field: "selection.filter", .. }));
    let many = vec!["milepost.project.started".to_owned(); 65];
    assert!(matches!(Selection::new("", &many, "").unwrap_err(), Rejection::Invalid(_)));
}

#[test]
fn a_type_that_no_event_has_is_refused_wherever_it_is_asked_for() {
    for (types, filter, accepted) in [
        (&["milepost.milestone.achieved"][..], "", true),
        (&["milepost.source.*"], "", true),
        (&["milepost.milestone.achieve"], "", false),
        (&["milepost.milestone"], "", false),
        (&["milepost.milstone.*"], "", false),
        (&[], r#"type = "milepost.milestone.achieved""#, true),
        (&[], r#"type = "*.achieved""#, true),
        (&[], r#"type:"achieved""#, true),
        (&[], "type:*", true),
        (&[], r#"type = "milepost.bogus""#, false),
        (&[], r#"type != "milepost.bogus""#, false),
        (&[], r#"type = "milepost.bogus.*""#, false),
        (&[], r#"type:"acheived""#, false),
        // An order is no name of a type.
        (&[], r#"type >= "milepost.n""#, true),
    ] {
        let types: Vec<_> = types.iter().map(|kind| (*kind).to_owned()).collect();
        let made = Selection::new("", &types, filter);
        assert_eq!(made.is_ok(), accepted, "{types:?} {filter}: {made:?}");
    }
    let Err(Rejection::Filter { error, .. }) = Selection::new("", &[], r#"actor="x" type="milepost.bogus""#)
    else {
        panic!("it is refused as a filter");
    };
    assert_eq!(error.column, 16, "{error}");
}

#[test]
fn today_is_the_date_of_the_commit_in_utc() {
    // Half past midnight in Shanghai, the day before in UTC.
    let event = Envelope {
        commit_time: Some("2021-05-26T16:30:00Z".parse().unwrap()),
        event_date: Some("2021-05-19".parse().unwrap()),
        ..event("milepost.milestone.achieved", MILESTONE)
    };
    assert!(selection("", &[], "event_date = days(-7) AND commit_time = today()").matches(&event));
    assert!(!selection("", &[], "event_date > days(-7)").matches(&event));
    let untimed = Envelope { commit_time: None, ..event };
    assert!(!selection("", &[], "event_date = days(-7)").matches(&untimed));
}

#[test]
fn alternatives_are_routed_only_by_what_holds_for_all_of_them() {
    for (filter, route) in [
        (r#"subject:"portfolios/p" OR actor = "x""#, Route::Any),
        (r#"subject = ("portfolios/p" OR "portfolios/q")"#, Route::Any),
        (r#"NOT subject:"portfolios/p""#, Route::Any),
        (r#"project = "portfolios/p/projects/x" OR portfolio = "portfolios/p""#, Route::Any),
        (
            r#"portfolio = "portfolios/p" AND (subject:"portfolios/q" OR actor = "x")"#,
            Route::Portfolio("portfolios/p".into()),
        ),
        (
            r#"type = ("milepost.project.started" OR "milepost.milestone.achieved")"#,
            Route::Types(
                ["milepost.milestone.achieved", "milepost.project.started"].map(TypePattern::exactly).into(),
            ),
        ),
        (r#"type = ("milepost.project.*" OR "milepost.milestone.achieved")"#, Route::Any),
        (r#"type = "milepost.project.started" OR actor = "x""#, Route::Any),
    ] {
        assert_eq!(selection("", &[], filter).route(), route, "{filter}");
    }
}

#[test]
fn what_asks_for_the_same_is_equal() {
    let (b, a) = ("milepost.project.started", "milepost.milestone.*");
    let one = selection("", &[b, a, b], r#"actor = "x" AND source = "y""#);
    let two = selection("", &[a, b], r#"source="y"  actor="x""#);
    assert_eq!(one, two);
    assert_eq!(one.parts(), two.parts());
    let one = selection("", &[], r#"NOT (actor = "x" AND source != "y")"#);
    let two = selection("", &[], r#"source = "y" OR actor != "x""#);
    assert_eq!(one, two);
    assert_eq!(one.parts(), two.parts());
}

pub(crate) fn kinds() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "milepost.milestone.achieved",
        "milepost.milestone.created",
        "milepost.project.started",
        "milepost.source.followed",
    ])
}

pub(crate) fn subjects() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "",
        "portfolios/p",
        "portfolios/q",
        "portfolios/p/projects/x",
        "portfolios/p/projects/y",
        MILESTONE,
        "organizations/o",
    ])
}

/// Random filters: comparisons joined and negated in any way.
fn filters() -> impl Strategy<Value = String> {
    let comparisons = vec![
        r#"subject:"portfolios/p""#,
        r#"subject = "portfolios/p/projects/x""#,
        r#"subject = "portfolios/*""#,
        r#"subject:"portfolios/p/projects""#,
        r#"project = "portfolios/p/projects/x""#,
        r#"portfolio = "portfolios/p""#,
        r#"portfolio != "portfolios/p""#,
        r#"type = "milepost.project.started""#,
        r#"type = ("milepost.project.started" OR "milepost.milestone.achieved")"#,
        r#"type = "milepost.*""#,
        r#"type = "milepost.source.*""#,
        r#"actor = "office""#,
    ];
    let comparisons = prop::sample::select(comparisons).prop_map(str::to_owned);
    let filters = comparisons.prop_recursive(3, 8, 3, |inner| {
        let joined = |word: &'static str| {
            prop::collection::vec(inner.clone(), 2..4)
                .prop_map(move |parts| format!("({})", parts.join(word)))
        };
        prop_oneof![joined(" AND "), joined(" OR "), inner.clone().prop_map(|part| format!("(NOT ({part}))"))]
    });
    prop_oneof![1 => Just(String::new()), 9 => filters]
}

pub(crate) fn selections() -> impl Strategy<Value = Selection> {
    let patterns =
        vec!["milepost.milestone.*", "milepost.*", "milepost.source.*", "milepost.project.started"];
    let resources = prop_oneof![Just(""), subjects()];
    (resources, prop::collection::vec(prop::sample::select(patterns), 0..3), filters())
        .prop_map(|(resource, types, filter)| selection(resource, &types, &filter))
}

/// Whether an index that files a selection under its route would find it for the event.
fn found(route: &Route, event: &Envelope<'_>) -> bool {
    match route {
        Route::Subject(name) => is_under(event.subject, name),
        Route::Project(name) => event.project == &**name,
        Route::Portfolio(name) => event.portfolio == &**name,
        Route::Types(patterns) => patterns.iter().any(|pattern| pattern.fits(event.kind)),
        Route::Any => true,
    }
}

proptest! {
    #[test]
    fn a_route_hides_no_event(selection in selections(), kind in kinds(), subject in subjects()) {
        let event = event(kind, subject);
        prop_assert!(!selection.matches(&event) || found(&selection.route(), &event));
    }

    #[test]
    fn bookkeeping_is_in_no_filter_that_does_not_name_it(filter in filters(), subject in subjects()) {
        let event = event("milepost.source.followed", subject);
        let selection = selection("", &[], &filter);
        prop_assert!(filter.contains("milepost.source.") || !selection.matches(&event), "{}", filter);
    }
}
