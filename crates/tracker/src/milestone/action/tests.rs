//! The rules, one by one: what each action does, what it refuses, and what changes nothing.

use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::milestone::samples::{BASELINE, NAME, TODAY, change_context, evidence, milestone};
use crate::milestone::{Draft, Nearness, Outlook, Timeliness, create};

const LATER: Date = date(2021, 6, 10);

fn done(milestone: &Milestone, action: Action) -> Change {
    act(milestone, None, &action, &change_context()).unwrap().unwrap()
}

fn refused(milestone: &Milestone, action: Action) -> Rejection {
    act(milestone, None, &action, &change_context()).unwrap_err()
}

fn reforecast(forecast: Option<Date>) -> Action {
    Action::Reforecast { forecast, reason: "rain".into() }
}

fn achieve(actual: Option<Date>) -> Action {
    Action::Achieve { actual, reason: String::new() }
}

fn in_state(state: State) -> Milestone {
    let actual = matches!(state, State::Achieved | State::PartiallyAchieved).then_some(TODAY);
    let planned = state == State::Planned;
    let timeliness = if planned { milestone().timeliness } else { Timeliness::default() };
    Milestone { state, actual, timeliness, ..milestone() }
}

#[test]
fn a_forecast_moves_the_due_date_and_links_to_the_one_before() {
    let before = Milestone { forecast: Some(date(2021, 6, 3)), forecast_sequence: 5, ..milestone() };
    let change = done(&before, reforecast(Some(LATER)));
    assert_eq!(
        change.event_kind,
        EventKind::Reforecast {
            previous: Some(date(2021, 6, 3)),
            forecast: Some(LATER),
            slip: Some(5),
            reason: "rain".into(),
            previous_sequence: 5,
        }
    );
    let after = change.milestone;
    assert_eq!((after.forecast, after.forecast_sequence, after.etag), (Some(LATER), 9, Etag(9)));
    assert_eq!((after.outlook(), after.variance_working_days), (Some(Outlook::AtRisk), Some(10)));
    assert_eq!(
        change.fields,
        ["forecast_date", "forecast_sequence", "outlook", "slippage", "variance_working_days"]
    );
    assert_eq!(change.date, Some(LATER));
    assert_eq!(after.update_time, change_context().commit_time);
}

#[test]
fn a_first_forecast_slips_from_the_baseline_and_a_withdrawn_one_back_to_it() {
    let first = done(&milestone(), reforecast(Some(LATER)));
    assert!(matches!(
        first.event_kind,
        EventKind::Reforecast { previous: None, slip: Some(10), previous_sequence: 0, .. }
    ));
    let withdrawn = done(&first.milestone, reforecast(None));
    assert!(matches!(
        withdrawn.event_kind,
        EventKind::Reforecast { forecast: None, slip: Some(-10), previous_sequence: 9, .. }
    ));
    assert_eq!(withdrawn.date, Some(BASELINE));
    assert_eq!(withdrawn.milestone.variance_working_days, None);
    let undated = Milestone { baseline: None, timeliness: Timeliness::default(), ..milestone() };
    let change = done(&undated, reforecast(Some(LATER)));
    assert!(matches!(change.event_kind, EventKind::Reforecast { slip: None, .. }));
}

#[test]
fn what_changes_nothing_is_accepted_and_is_nothing() {
    let given = evidence("permit");
    let mut with_evidence = milestone();
    with_evidence.evidence.push(Evidence { create_time: change_context().commit_time, ..given.clone() });
    let patch = Patch { display_name: Some("开工".into()), baseline: Some(BASELINE), ..Patch::default() };
    for (milestone, action) in [
        (milestone(), reforecast(None)),
        (milestone(), Action::Rebaseline { baseline: BASELINE, reason: "again".into() }),
        (milestone(), Action::Update(Box::new(patch))),
        (with_evidence, Action::AddEvidence(given)),
    ] {
        assert_eq!(act(&milestone, Some(Etag(3)), &action, &change_context()), Ok(None), "{action:?}");
    }
}

#[test]
fn an_outcome_is_reached_from_the_states_that_allow_it_and_no_other() {
    let reason = || "said".to_owned();
    type Case = (fn(String) -> Action, State, &'static [State]);
    let cases: [Case; 5] = [
        (
            |reason| Action::Achieve { actual: None, reason },
            State::Achieved,
            &[State::Planned, State::PartiallyAchieved],
        ),
        (
            |reason| Action::PartiallyAchieve { actual: None, reason },
            State::PartiallyAchieved,
            &[State::Planned],
        ),
        (|reason| Action::Miss { reason }, State::NotMet, &[State::Planned, State::PartiallyAchieved]),
        (|reason| Action::Cancel { reason }, State::Cancelled, &[State::Planned, State::PartiallyAchieved]),
        (
            |reason| Action::Reopen { reason },
            State::Planned,
            &[State::Achieved, State::PartiallyAchieved, State::NotMet, State::Cancelled],
        ),
    ];
    for (action, to, from) in cases {
        for state in State::ALL {
            let before = in_state(state);
            let outcome = act(&before, None, &action(reason()), &change_context());
            if !from.contains(&state) {
                let Err(Rejection::WrongState { name, state: recorded, allowed, .. }) = outcome else {
                    panic!("{to:?} from {state:?}: {outcome:?}");
                };
                assert_eq!((name.as_str(), recorded.as_str()), (NAME, state.as_str()));
                assert_eq!(allowed, from.iter().map(|state| state.as_str()).collect::<Vec<_>>());
                continue;
            }
            let change = outcome.unwrap().unwrap();
            let after = change.milestone;
            assert_eq!((after.state, after.state_reason.as_str()), (to, "said"));
            let happened = matches!(to, State::Achieved | State::PartiallyAchieved);
            assert_eq!(after.actual, happened.then_some(TODAY), "{to:?} from {state:?}");
            assert_eq!(after.outlook().is_some(), to == State::Planned);
            assert_eq!(
                change.event_kind,
                EventKind::StateChanged { previous: state, state: to, reason: reason() }
            );
        }
    }
}

#[test]
fn the_actual_date_is_today_unless_said_and_never_later() {
    let yesterday = TODAY.yesterday().unwrap();
    assert_eq!(done(&milestone(), achieve(Some(yesterday))).milestone.actual, Some(yesterday));
    assert_eq!(done(&milestone(), achieve(None)).date, Some(TODAY));
    let Rejection::Invalid(violations) = refused(&milestone(), achieve(TODAY.tomorrow().ok())) else {
        panic!("tomorrow is not refused");
    };
    let violation = violations.iter().next().unwrap();
    assert_eq!((violation.field.as_str(), violation.reason), ("actual_date", "DATE_IN_FUTURE"));
}

#[test]
fn variance_is_to_the_actual_date_once_there_is_one() {
    let before = Milestone { forecast: Some(LATER), ..milestone() };
    let after = done(&before, achieve(None)).milestone;
    assert_eq!(after.variance_working_days, Some(-10));
    let reopened = done(&after, Action::Reopen { reason: "no".into() }).milestone;
    assert_eq!(reopened.variance_working_days, Some(10));
}

#[test]
fn all_required_evidence_must_be_there_and_all_that_is_missing_is_recorded() {
    let mut before = milestone();
    before.details.required_evidence = vec!["permit".into(), "photo".into(), "record".into()];
    let before = done(&before, Action::AddEvidence(evidence("photo"))).milestone;
    let Rejection::Preconditions(missing) = refused(&before, achieve(None)) else { panic!() };
    let recorded: Vec<_> =
        missing.iter().map(|condition| (condition.kind, condition.description.as_str())).collect();
    assert_eq!(recorded.len(), 2);
    assert!(recorded[0].1.contains("permit") && recorded[1].1.contains("record"), "{recorded:?}");
    let before = done(&before, Action::AddEvidence(evidence("permit"))).milestone;
    let before = done(&before, Action::AddEvidence(evidence("record"))).milestone;
    assert_eq!(done(&before, achieve(None)).milestone.state, State::Achieved);
    // In part, a milestone may be achieved without.
    let part = Action::PartiallyAchieve { actual: None, reason: "half".into() };
    let mut bare = milestone();
    bare.details.required_evidence = vec!["permit".into()];
    assert_eq!(done(&bare, part).milestone.state, State::PartiallyAchieved);
}

#[test]
fn evidence_is_dated_by_the_entry_and_bounded() {
    let change = done(&milestone(), Action::AddEvidence(evidence("photo")));
    assert_eq!(change.milestone.evidence[0].create_time, change_context().commit_time);
    assert_eq!(change.fields, ["evidence"]);
    let mut full = milestone();
    full.evidence = (0..limits::EVIDENCE).map(|i| evidence(&format!("photo {i}"))).collect();
    let refusal = refused(&full, Action::AddEvidence(evidence("one more")));
    assert!(matches!(refusal, Rejection::LimitExceeded { limit: 200, .. }), "{refusal:?}");
}

#[test]
fn only_a_planned_milestone_is_reforecast_but_any_gets_a_new_baseline() {
    for state in State::ALL {
        let forecast = act(&in_state(state), None, &reforecast(Some(LATER)), &change_context());
        assert_eq!(forecast.is_ok(), state == State::Planned);
        let change =
            done(&in_state(state), Action::Rebaseline { baseline: LATER, reason: "approved".into() });
        assert_eq!(change.milestone.baseline, Some(LATER));
        assert!(matches!(
            change.event_kind,
            EventKind::Rebaselined { slip: Some(10), previous: Some(BASELINE), .. }
        ));
    }
}

#[test]
fn an_update_changes_what_it_names_and_leaves_dates_alone() {
    let patch = Patch { weight: Some(Some(3)), remarks: Some("note".into()), ..Patch::default() };
    let change = done(&milestone(), Action::Update(Box::new(patch)));
    assert_eq!(change.fields, ["remarks", "weight"]);
    assert_eq!(change.milestone.details.display_name, "开工");
    let patch = Patch { baseline: Some(LATER), forecast: Some(LATER), ..Patch::default() };
    let Rejection::Invalid(violations) = refused(&milestone(), Action::Update(Box::new(patch))) else {
        panic!("dates changed by an update");
    };
    let recorded: Vec<_> =
        violations.iter().map(|violation| (violation.field.as_str(), violation.reason)).collect();
    assert_eq!(
        recorded,
        [("milestone.baseline_date", "CHANGED_BY_METHOD"), ("milestone.forecast_date", "CHANGED_BY_METHOD")]
    );
}

#[test]
fn a_deleted_milestone_can_only_be_undeleted() {
    let deleted = done(&milestone(), Action::Delete).milestone;
    assert_eq!(deleted.delete_time, Some(change_context().commit_time));
    assert_eq!(act(&deleted, None, &Action::Delete, &change_context()), Ok(None));
    for action in [
        reforecast(Some(LATER)),
        achieve(None),
        Action::Update(Box::default()),
        Action::Rebaseline { baseline: LATER, reason: "x".into() },
        Action::AddEvidence(evidence("photo")),
    ] {
        assert!(matches!(refused(&deleted, action), Rejection::Deleted { .. }));
    }
    let undeleted = done(&deleted, Action::Undelete);
    assert_eq!(undeleted.fields, ["delete_time"]);
    assert_eq!(undeleted.milestone.delete_time, None);
    let name = undeleted.milestone.name.clone();
    assert_eq!(refused(&undeleted.milestone, Action::Undelete), Rejection::not_deleted(&name));
}

#[test]
fn an_undeleted_milestone_stands_as_of_the_current_date() {
    let deleted = done(&milestone(), Action::Delete).milestone;
    let later = ChangeContext { current_date: LATER, ..change_context() };
    let change = act(&deleted, None, &Action::Undelete, &later).unwrap().unwrap();
    assert_eq!(change.milestone.outlook(), Some(Outlook::Overdue));
    assert_eq!(change.fields, ["delete_time", "nearness", "outlook"]);
}

#[test]
fn a_stale_etag_is_refused_first() {
    let deleted = done(&milestone(), Action::Delete).milestone;
    let refusal = act(&deleted, Some(Etag(3)), &achieve(None), &change_context()).unwrap_err();
    assert!(matches!(refusal, Rejection::StaleEtag { given: Etag(3), current: Etag(9), .. }));
}

#[test]
fn a_start_achieves_planned_construction_starts_only_and_asks_for_no_evidence() {
    let mut start = milestone();
    start.details.kind = CONSTRUCTION_START.into();
    start.details.required_evidence = vec!["permit".into()];
    let change = started(&start, BASELINE, "started", &change_context()).unwrap();
    assert_eq!((change.milestone.state, change.milestone.actual), (State::Achieved, Some(BASELINE)));
    assert_eq!(change.milestone.variance_working_days, Some(0));
    assert_eq!(started(&change.milestone, BASELINE, "started", &change_context()), None);
    let deleted = done(&start, Action::Delete).milestone;
    assert_eq!(started(&deleted, BASELINE, "started", &change_context()), None);
    assert_eq!(started(&milestone(), BASELINE, "started", &change_context()), None);
}

#[test]
fn a_new_milestone_is_planned_and_its_first_forecast_begins_the_history() {
    let draft = |forecast| Draft {
        project: "portfolios/wsc/projects/science-avenue".parse().unwrap(),
        id: None,
        details: milestone().details,
        baseline: Some(BASELINE),
        forecast,
    };
    let change = create(&draft(None), "start".parse().unwrap(), &change_context());
    assert_eq!(change.milestone.name.to_string(), NAME);
    assert_eq!((change.milestone.state, change.milestone.forecast_sequence), (State::Planned, 0));
    assert_eq!((change.milestone.outlook(), change.date), (Some(Outlook::OnTrack), Some(BASELINE)));
    assert!(change.fields.is_empty());
    let change = create(&draft(Some(LATER)), "start".parse().unwrap(), &change_context());
    assert_eq!((change.milestone.forecast_sequence, change.date), (9, Some(LATER)));
    assert_eq!(change.milestone.variance_working_days, Some(10));
}

/// What is announced besides a change: how near the due date was and is.
fn announced(change: &Change) -> Option<(Option<Nearness>, Option<Nearness>)> {
    match &change.announcement {
        None => None,
        Some(EventKind::OutlookChanged { previous, now, current_date: TODAY }) => {
            Some((previous.nearness, now.nearness))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_makes_a_due_date_near_or_passed_announces_it_whatever_slipped() {
    let (soon, overdue) = (Some(Nearness::DueSoon), Some(Nearness::Overdue));
    let ahead = milestone().timeliness.nearness;
    let at = |days: i64| TODAY.saturating_add(jiff::Span::new().days(days));
    let draft = |baseline: Option<i64>, forecast: Option<i64>| Draft {
        project: "portfolios/wsc/projects/science-avenue".parse().unwrap(),
        id: None,
        details: milestone().details,
        baseline: baseline.map(at),
        forecast: forecast.map(at),
    };
    for (baseline, forecast, wanted) in [
        (Some(8), None, None),
        (Some(7), None, soon),
        (Some(-1), None, overdue),
        // It slipped, and is near or past all the same.
        (Some(2), Some(5), soon),
        (Some(-9), Some(0), soon),
        (Some(-9), Some(-1), overdue),
        (Some(-1), Some(8), None),
        (None, None, None),
    ] {
        let change = create(&draft(baseline, forecast), "start".parse().unwrap(), &change_context());
        assert_eq!(
            announced(&change),
            wanted.map(|wanted| (None, Some(wanted))),
            "{baseline:?} {forecast:?}"
        );
    }

    let near = done(&milestone(), reforecast(Some(at(3))));
    assert_eq!(announced(&near), Some((ahead, soon)));
    // Another near date is the same state, and is not announced again; one after a later date is.
    let still = done(&near.milestone, reforecast(Some(at(2))));
    assert_eq!(announced(&still), None);
    let later = done(&still.milestone, reforecast(Some(at(90))));
    assert_eq!(announced(&later), None);
    assert_eq!(announced(&done(&later.milestone, reforecast(Some(at(3))))), Some((ahead, soon)));
    let past = done(&still.milestone, reforecast(Some(at(-1))));
    assert_eq!(announced(&past), Some((soon, overdue)));

    let rebaselined = done(&milestone(), Action::Rebaseline { baseline: at(-1), reason: "approved".into() });
    assert_eq!(announced(&rebaselined), Some((ahead, overdue)));
    let achieved = done(&past.milestone, achieve(None));
    assert_eq!(announced(&achieved), None);
    let reopened = done(&achieved.milestone, Action::Reopen { reason: "no".into() });
    assert_eq!(announced(&reopened), Some((None, overdue)));
    let deleted = done(&past.milestone, Action::Delete);
    let undeleted = done(&deleted.milestone, Action::Undelete);
    assert_eq!((announced(&deleted), announced(&undeleted)), (None, None), "it was overdue before");
}

#[test]
fn documents_of_one_milestone_are_bounded_in_bytes_and_a_full_one_with_plain_uris_fits() {
    let title = "名".repeat(limits::DISPLAY_NAME_CHARS);
    let document = |index: usize, letter: &str| Evidence {
        title: format!("{}{index:03}", "名".repeat(limits::DISPLAY_NAME_CHARS - 3)),
        uri: letter.repeat(limits::URI_CHARS),
        ..evidence(&title)
    };
    let mut plain = milestone();
    plain.evidence = (1..limits::EVIDENCE).map(|index| document(index, "x")).collect();
    let full = done(&plain, Action::AddEvidence(document(0, "x"))).milestone;
    assert_eq!(full.evidence.len(), limits::EVIDENCE);
    let mut wide = milestone();
    wide.evidence = (1..=90).map(|index| document(index, "里")).collect();
    let refusal = refused(&wide, Action::AddEvidence(document(0, "里")));
    assert!(matches!(refusal, Rejection::LimitExceeded { limit: 614_400, .. }), "{refusal:?}");
}

fn actions() -> impl Strategy<Value = Action> {
    let days = || (0i64..40).prop_map(|day| TODAY.saturating_add(jiff::Span::new().days(day - 20)));
    prop_oneof![
        proptest::option::of(days()).prop_map(reforecast),
        days().prop_map(|baseline| Action::Rebaseline { baseline, reason: "r".into() }),
        proptest::option::of(days()).prop_map(achieve),
        proptest::option::of(days())
            .prop_map(|actual| Action::PartiallyAchieve { actual, reason: "r".into() }),
        Just(Action::Miss { reason: "r".into() }),
        Just(Action::Cancel { reason: "r".into() }),
        Just(Action::Reopen { reason: "r".into() }),
        Just(Action::Delete),
        Just(Action::Undelete),
        Just(Action::AddEvidence(evidence("photo"))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn whatever_is_done_the_invariants_hold(actions in proptest::collection::vec(actions(), 1..30)) {
        let mut now = milestone();
        for (i, action) in actions.iter().enumerate() {
            let at = ChangeContext { sequence: 10 + i as u64, ..change_context() };
            let Ok(Some(change)) = act(&now, None, action, &at) else { continue };
            let after = change.milestone;
            let happened = matches!(after.state, State::Achieved | State::PartiallyAchieved);
            prop_assert_eq!(after.actual.is_some(), happened);
            prop_assert!(after.actual.is_none_or(|actual| actual <= TODAY));
            let open = after.state == State::Planned && after.due().is_some();
            prop_assert_eq!(after.outlook().is_some(), open);
            prop_assert_eq!(after.etag, Etag(at.sequence));
            prop_assert!(!change.fields.is_empty() && change.fields.is_sorted());
            now = after;
        }
    }
}
