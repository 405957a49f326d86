//! The rules, one by one: what each action does, what it refuses, and what changes nothing.

use std::sync::LazyLock;

use jiff::civil::date;
use milepost_ledger::key::ordered_date;
use milepost_ledger::{Actor, Authentication};
use milepost_proto::event::v1::Event;
use milepost_proto::event::v1::event::Resource;
use milepost_proto::tracker::v1::CreateMilestoneRequest;
use milepost_proto::tracker::v1::milestone::{Nearness, Outlook, Slippage};
use milepost_resource::{Custom, Run, Target, date as date_of};
use milepost_types::Etag;
use proptest::prelude::*;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};

use super::*;
use crate::convert::milestone::awaits_start;
use crate::milestone::CONSTRUCTION_START;
use crate::names::MilestoneName;
use crate::tests::World;
use crate::tests::samples::{BASELINE, TODAY, evidence};
use crate::tests::world::{Action, create, draft, kinds, name};

const LATER: Date = date(2021, 6, 10);
const START: &str = "portfolios/wsc/projects/road/milestones/start";
const STATES: [State; 5] =
    [State::Planned, State::Achieved, State::PartiallyAchieved, State::NotMet, State::Cancelled];

/// A tracker with the milestone `start`, which is planned and has a baseline.
fn world() -> World {
    world_with(|_| {})
}

/// The same, of which a creation says this too.
fn world_with(say: impl FnOnce(&mut Milestone)) -> World {
    let (mut world, _) = World::with_projects(&["road"]);
    let mut request = draft("road", Some("start"), Some(BASELINE));
    say(request.milestone.as_mut().unwrap());
    world.submit(create(vec![request])).unwrap();
    world
}

/// The same, in this state.
fn in_state(state: State) -> World {
    let (mut world, reason) = (world(), || "before".to_owned());
    match state {
        State::Unspecified | State::Planned => return world,
        State::Achieved => done(&mut world, achieve(None)),
        State::PartiallyAchieved => {
            done(&mut world, Action::PartiallyAchieve { actual: None, reason: reason() })
        }
        State::NotMet => done(&mut world, Action::Miss { reason: reason() }),
        State::Cancelled => done(&mut world, Action::Cancel { reason: reason() }),
    };
    world
}

fn start(world: &World) -> Milestone {
    world.milestone(&START.parse().unwrap())
}

/// What was done to `start`.
#[derive(Debug)]
struct Done {
    event: Event,
    /// What is announced besides.
    announced: Option<Event>,
    /// The milestone after it, as its row has it.
    after: Milestone,
}

impl Done {
    fn of(world: &World, mut events: Vec<Event>) -> Self {
        let after = start(world);
        assert!(matches!(events.len(), 1 | 2), "{:?}", kinds(&events));
        for event in &events {
            assert_eq!(event.resource, Some(Resource::MilestoneResource(after.clone())));
            assert_eq!(
                (event.subject.as_str(), event.project.as_str()),
                (START, "portfolios/wsc/projects/road")
            );
        }
        let announced = (events.len() == 2).then(|| events.remove(1));
        Self { event: events.remove(0), announced, after }
    }

    fn kind(&self) -> &str {
        self.event.r#type.trim_start_matches("milepost.milestone.")
    }

    fn payload(self) -> Payload {
        self.event.payload.unwrap()
    }
}

fn done(world: &mut World, action: Action) -> Done {
    let events = world.act(START, action).unwrap();
    Done::of(world, events)
}

fn refused(world: &mut World, action: Action) -> Rejection {
    world.act(START, action).unwrap_err()
}

fn reforecast(forecast: Option<Date>) -> Action {
    Action::Reforecast { forecast, reason: "rain".into() }
}

fn rebaseline(baseline: Date) -> Action {
    Action::Rebaseline { baseline, reason: "approved".into() }
}

fn achieve(actual: Option<Date>) -> Action {
    Action::Achieve { actual, reason: String::new() }
}

fn reopen() -> Action {
    Action::Reopen { reason: "no".into() }
}

fn day(date: Date) -> Option<milepost_proto::google::r#type::Date> {
    Some(date_message(date))
}

#[test]
fn a_forecast_moves_the_due_date_and_links_to_the_one_before() {
    let mut world = world();
    let created = start(&world);
    let first = done(&mut world, reforecast(Some(date(2021, 6, 3))));
    let fields = ["forecast_date", "forecast_sequence", "outlook", "slippage", "variance_working_days"];
    assert_eq!(first.event.changed_fields, fields);
    assert_eq!(first.after.forecast_sequence, 4);
    world.now += jiff::SignedDuration::from_secs(60);
    let second = done(&mut world, reforecast(Some(LATER)));
    assert_eq!(second.kind(), "reforecast");
    assert_eq!(second.event.event_date, day(LATER));
    assert_eq!(
        second.event.changed_fields,
        ["forecast_date", "forecast_sequence", "variance_working_days"],
        "it was at risk before"
    );
    let after = &second.after;
    assert_eq!((after.forecast_date, after.forecast_sequence, after.etag.as_str()), (day(LATER), 5, "5"));
    assert_eq!((after.outlook(), after.variance_working_days), (Outlook::AtRisk, Some(10)));
    assert_eq!(after.update_time, Some(instant_message(world.now)));
    assert_eq!(after.create_time, created.create_time);
    assert_ne!(after.update_time, after.create_time);
    let expected = event::MilestoneReforecast {
        previous_date: day(date(2021, 6, 3)),
        forecast_date: day(LATER),
        slip_working_days: Some(5),
        reason: "rain".into(),
        previous_sequence: 4,
        reported_date: None,
    };
    assert_eq!(second.payload(), Payload::MilestoneReforecast(expected));
}

#[test]
fn a_first_forecast_slips_from_the_baseline_and_a_withdrawn_one_back_to_it() {
    let of = |done: Done| match done.payload() {
        Payload::MilestoneReforecast(reforecast) => reforecast,
        other => panic!("{other:?}"),
    };
    let mut world = world();
    let first = of(done(&mut world, reforecast(Some(LATER))));
    assert_eq!((first.previous_date, first.slip_working_days, first.previous_sequence), (None, Some(10), 0));
    let withdrawn = done(&mut world, reforecast(None));
    assert_eq!((withdrawn.event.event_date, withdrawn.after.variance_working_days), (day(BASELINE), None));
    let withdrawn = of(withdrawn);
    assert_eq!(
        (withdrawn.forecast_date, withdrawn.slip_working_days, withdrawn.previous_sequence),
        (None, Some(-10), 4)
    );
    let mut undated = world_with(|milestone| milestone.baseline_date = None);
    assert_eq!(of(done(&mut undated, reforecast(Some(LATER)))).slip_working_days, None);
    let back = done(&mut undated, reforecast(None));
    assert_eq!((back.event.event_date, back.after.outlook()), (None, Outlook::Unspecified));
    assert_eq!(of(back).slip_working_days, None);
}

/// office.md, section 0: outcomes and forecasts of milestones gain `reported_date`, which is never later than the day.
#[test]
fn outcomes_and_forecasts_say_on_which_day_they_were_reported() {
    let mut world = world();
    let run = |world: &mut World, report: StateReport| world.report(START, report);
    let of = |change, reported| StateReport { change, reason: "so".into(), reported };
    let tomorrow = TODAY.tomorrow().unwrap();
    for change in [StateChange::Achieve(None), StateChange::PartiallyAchieve(None), StateChange::Miss(None)] {
        let refused = run(&mut world, of(change, Some(tomorrow))).unwrap_err().to_string();
        assert!(refused.contains("reported_date"), "{refused}");
    }
    let missed = StateChange::Miss(Some(date(2021, 5, 2)));
    run(&mut world, of(missed, Some(date(2021, 5, 3)))).unwrap();
    assert_eq!(start(&world).outcome_reported_date, day(date(2021, 5, 3)));
    run(&mut world, of(StateChange::Reopen(None), None)).unwrap();
    assert_eq!(start(&world).outcome_reported_date, None);
    let given = Reforecast { forecast: Some(LATER), reason: String::new(), reported: Some(date(2021, 5, 4)) };
    let target = Target { name: START.parse().unwrap(), etag: None };
    let command = crate::tests::world::command(Custom::act(target, given, super::reforecast as Run<_, _, _>));
    let events = world.submit(command).unwrap();
    let Some(Payload::MilestoneReforecast(said)) = &events[0].payload else { panic!("{events:?}") };
    assert_eq!(said.reported_date, day(date(2021, 5, 4)));
    let stored = world.entries.last().unwrap().events[0].clone();
    let (forecast, _) = crate::convert::read_event::forecast(&stored, START).unwrap().unwrap();
    assert_eq!(forecast.reported_date, day(date(2021, 5, 4)));
}

/// office.md, section 0: every act has a civil date, which is never later than the day.
#[test]
fn what_did_not_happen_or_is_taken_back_says_on_which_day() {
    type Change = fn(Option<Date>) -> StateChange;
    let given = date(2021, 5, 3);
    let report = |change, reported| StateReport { change, reason: "so".into(), reported };
    for (is_open, change) in [
        (true, StateChange::Miss as Change),
        (true, StateChange::Cancel as Change),
        (false, StateChange::Reopen as Change),
    ] {
        let mut world = world();
        if !is_open {
            world.report(START, report(StateChange::Cancel(Some(given)), None)).unwrap();
        }
        let before = start(&world);
        let refused = world.report(START, report(change(TODAY.tomorrow().ok()), None)).unwrap_err();
        assert!(refused.to_string().contains("date"), "{refused}");
        assert_eq!(start(&world), before);
        let events = world.report(START, report(change(Some(given)), Some(date(2021, 5, 4)))).unwrap();
        assert_eq!(events[0].event_date, day(given));
        let after = start(&world);
        assert_eq!((after.state_date, after.actual_date), (day(given), None));
        assert_eq!(after.outcome_reported_date, day(date(2021, 5, 4)));
    }
    let mut world = world();
    let events = world.report(START, report(StateChange::Cancel(None), None)).unwrap();
    assert_eq!((events[0].event_date, start(&world).state_date), (day(TODAY), day(TODAY)));
}

#[test]
fn what_changes_nothing_is_accepted_and_leaves_no_trace() {
    let mut world = world();
    done(&mut world, Action::AddEvidence(evidence("permit")));
    let nothing = |world: &mut World, action: Action| {
        let before = start(world);
        let etag = before.etag.parse().ok();
        assert_eq!(world.submit(action.clone().on(START, etag)), Ok(Vec::new()), "{action:?}");
        assert_eq!(start(world), before);
    };
    nothing(&mut world, reforecast(None));
    nothing(&mut world, rebaseline(BASELINE));
    // When it was given is not said by whoever gives it.
    let create_time = Some(prost_types::Timestamp::default());
    nothing(&mut world, Action::AddEvidence(Evidence { create_time, ..evidence("permit") }));
    done(&mut world, reforecast(Some(LATER)));
    nothing(&mut world, Action::Reforecast { forecast: Some(LATER), reason: "another reason".into() });
}

#[test]
fn an_outcome_is_reached_from_the_states_that_allow_it_and_no_other() {
    type Case = (fn(String) -> Action, &'static str, &'static str, State, &'static [State]);
    let cases: [Case; 5] = [
        (
            |reason| Action::Achieve { actual: None, reason },
            "achieve",
            "achieved",
            State::Achieved,
            &[State::Planned, State::PartiallyAchieved],
        ),
        (
            |reason| Action::PartiallyAchieve { actual: None, reason },
            "partially achieve",
            "partially_achieved",
            State::PartiallyAchieved,
            &[State::Planned],
        ),
        (
            |reason| Action::Miss { reason },
            "miss",
            "not_met",
            State::NotMet,
            &[State::Planned, State::PartiallyAchieved],
        ),
        (
            |reason| Action::Cancel { reason },
            "cancel",
            "cancelled",
            State::Cancelled,
            &[State::Planned, State::PartiallyAchieved],
        ),
        (
            |reason| Action::Reopen { reason },
            "reopen",
            "reopened",
            State::Planned,
            &[State::Achieved, State::PartiallyAchieved, State::NotMet, State::Cancelled],
        ),
    ];
    for (action, verb, kind, to, from) in cases {
        for state in STATES {
            let (mut world, action) = (in_state(state), action("said".into()));
            let case = format!("{to:?} from {state:?}");
            if !from.contains(&state) {
                let expected = Rejection::WrongState {
                    name: START.into(),
                    action: verb,
                    state: state.as_str_name().into(),
                    allowed: from.iter().map(|state| state.as_str_name().to_owned()).collect(),
                };
                assert_eq!(refused(&mut world, action), expected, "{case}");
                continue;
            }
            let done = done(&mut world, action);
            let after = &done.after;
            assert_eq!(
                (done.kind(), after.state(), after.state_reason.as_str()),
                (kind, to, "said"),
                "{case}"
            );
            let happened = matches!(to, State::Achieved | State::PartiallyAchieved);
            let actual = happened.then_some(TODAY).and_then(day);
            assert_eq!((after.actual_date, done.event.event_date), (actual, day(TODAY)), "{case}");
            let stands = (after.nearness(), after.slippage(), after.outlook());
            let expected = match to {
                State::Planned => (Nearness::Ahead, Slippage::None, Outlook::OnTrack),
                _ => (Nearness::Unspecified, Slippage::Unspecified, Outlook::Unspecified),
            };
            assert_eq!(stands, expected, "{case}");
            let changed = event::MilestoneStateChanged {
                previous_state: state.into(),
                state: to.into(),
                reason: "said".into(),
            };
            assert_eq!(done.payload(), Payload::MilestoneStateChanged(changed), "{case}");
        }
    }
}

#[test]
fn the_actual_date_is_the_current_date_unless_said_and_never_later() {
    let partly = |actual| Action::PartiallyAchieve { actual, reason: "half".into() };
    for action in [achieve, partly] {
        let yesterday = TODAY.yesterday().unwrap();
        let said = done(&mut world(), action(Some(yesterday)));
        assert_eq!((said.after.actual_date, said.event.event_date), (day(yesterday), day(yesterday)));
        assert_eq!(done(&mut world(), action(Some(TODAY))).after.actual_date, day(TODAY));
        let mut world = world();
        let Rejection::Invalid(violations) = refused(&mut world, action(TODAY.tomorrow().ok())) else {
            panic!("tomorrow is not refused");
        };
        let found: Vec<_> =
            violations.iter().map(|violation| (violation.field.as_str(), violation.reason)).collect();
        assert_eq!(found, [("actual_date", "DATE_IN_FUTURE")]);
        // By the clock it is tomorrow, but that day has not begun.
        world.advance(TODAY).unwrap();
        world.now += jiff::SignedDuration::from_hours(24);
        assert!(matches!(refused(&mut world, action(TODAY.tomorrow().ok())), Rejection::Invalid(_)));
        assert_eq!(done(&mut world, action(None)).after.actual_date, day(TODAY));
    }
}

#[test]
fn variance_is_to_the_actual_date_once_there_is_one() {
    let mut world = world();
    assert_eq!(start(&world).variance_working_days, None);
    assert_eq!(done(&mut world, reforecast(Some(LATER))).after.variance_working_days, Some(10));
    let achieved = done(&mut world, achieve(None));
    assert_eq!(achieved.after.variance_working_days, Some(-10));
    let fields = ["actual_date", "nearness", "outlook", "slippage", "state", "variance_working_days"];
    assert_eq!(achieved.event.changed_fields, fields, "no reason was given, and there was none");
    assert_eq!(done(&mut world, reopen()).after.variance_working_days, Some(10));
}

#[test]
fn all_required_evidence_must_be_there_and_all_that_is_missing_is_told() {
    let required = ["permit", "photo", "record"].map(str::to_owned);
    let mut world = world_with(|milestone| milestone.required_evidence = required.into());
    done(&mut world, Action::AddEvidence(evidence("photo")));
    let missing = |title: &str| Precondition {
        kind: "MISSING_EVIDENCE",
        subject: START.into(),
        description: format!("\"{title}\" is required; add it by AddMilestoneEvidence"),
    };
    let expected = Rejection::Preconditions(["permit", "record"].map(missing).into());
    assert_eq!(refused(&mut world, achieve(None)), expected);
    done(&mut world, Action::AddEvidence(evidence("permit")));
    done(&mut world, Action::AddEvidence(evidence("record")));
    assert_eq!(done(&mut world, achieve(None)).after.state(), State::Achieved);
    // In part, a milestone may be achieved without.
    let part = Action::PartiallyAchieve { actual: None, reason: "half".into() };
    let mut bare = world_with(|milestone| milestone.required_evidence = vec!["permit".into()]);
    assert_eq!(done(&mut bare, part).after.state(), State::PartiallyAchieved);
    assert_eq!(refused(&mut bare, achieve(None)), Rejection::Preconditions(vec![missing("permit")]));
}

#[test]
fn evidence_is_dated_by_the_entry_and_added_in_any_state() {
    for state in STATES {
        let mut world = in_state(state);
        let given = Evidence { create_time: Some(prost_types::Timestamp::default()), ..evidence("photo") };
        let done = done(&mut world, Action::AddEvidence(given));
        let dated = Evidence { create_time: Some(instant_message(world.now)), ..evidence("photo") };
        assert_eq!(done.after.evidence, std::slice::from_ref(&dated));
        assert_eq!(
            (done.kind(), &done.event.changed_fields[..]),
            ("evidence_added", &["evidence".into()][..])
        );
        assert_eq!((done.after.state(), done.event.event_date), (state, None));
        let added = event::MilestoneEvidenceAdded { evidence: Some(dated) };
        assert_eq!(done.payload(), Payload::MilestoneEvidenceAdded(added));
    }
}

#[test]
fn a_document_that_differs_in_anything_is_another_one() {
    let mut world = world();
    let permit = evidence("permit");
    for other in [
        permit.clone(),
        Evidence { title: "other".into(), ..permit.clone() },
        Evidence { uri: "https://example.com/other".into(), ..permit.clone() },
        Evidence { sha256: vec![8; 32], ..permit.clone() },
    ] {
        let before = start(&world).evidence;
        let after = done(&mut world, Action::AddEvidence(other)).after.evidence;
        assert_eq!((after.len(), &after[..before.len()]), (before.len() + 1, &before[..]), "in order");
    }
}

#[test]
fn a_milestone_has_so_many_documents_and_no_more() {
    let mut world = world();
    let documents = (0..limits::EVIDENCE).map(|i| evidence(&format!("photo {i}"))).collect();
    world.store(&Milestone { evidence: documents, ..start(&world) });
    let refusal = refused(&mut world, Action::AddEvidence(evidence("one more")));
    let expected = Rejection::LimitExceeded { what: "documents of one milestone", limit: 200 };
    assert_eq!(refusal, expected);
    assert_eq!(world.act(START, Action::AddEvidence(evidence("photo 7"))), Ok(Vec::new()), "it is there");
}

#[test]
fn documents_of_one_milestone_are_bounded_in_bytes_and_a_full_one_with_plain_uris_fits() {
    let document = |index: usize, letter: &str| Evidence {
        title: format!("{}{index:03}", "名".repeat(limits::DISPLAY_NAME_CHARS - 3)),
        uri: letter.repeat(limits::URI_CHARS),
        ..evidence("")
    };
    let mut plain = world();
    let documents = (1..limits::EVIDENCE).map(|index| document(index, "x")).collect();
    plain.store(&Milestone { evidence: documents, ..start(&plain) });
    let full = done(&mut plain, Action::AddEvidence(document(0, "x"))).after;
    assert_eq!(full.evidence.len(), limits::EVIDENCE);
    let mut wide = world();
    let documents = (1..90).map(|index| document(index, "里")).collect();
    wide.store(&Milestone { evidence: documents, ..start(&wide) });
    done(&mut wide, Action::AddEvidence(document(90, "里")));
    let refusal = refused(&mut wide, Action::AddEvidence(document(0, "里")));
    let what = "bytes of the documents of one milestone";
    assert_eq!(refusal, Rejection::LimitExceeded { what, limit: 614_400 });
}

#[test]
fn only_a_planned_milestone_is_reforecast_but_any_gets_a_new_baseline() {
    for state in STATES {
        let mut world = in_state(state);
        let done = done(&mut world, rebaseline(LATER));
        assert_eq!((done.kind(), done.event.event_date), ("rebaselined", day(LATER)));
        assert_eq!((done.after.baseline_date, done.after.state()), (day(LATER), state));
        let varies = matches!(state, State::Achieved | State::PartiallyAchieved);
        let fields =
            if varies { &["baseline_date", "variance_working_days"][..] } else { &["baseline_date"] };
        assert_eq!(done.event.changed_fields, fields);
        let expected = event::MilestoneRebaselined {
            previous_date: day(BASELINE),
            baseline_date: day(LATER),
            slip_working_days: Some(10),
            reason: "approved".into(),
        };
        assert_eq!(done.payload(), Payload::MilestoneRebaselined(expected));
        match world.act(START, reforecast(Some(BASELINE))) {
            Ok(_) => assert_eq!(state, State::Planned),
            Err(Rejection::WrongState { action: "reforecast", allowed, .. }) => {
                assert_ne!(state, State::Planned);
                assert_eq!(allowed, ["STATE_PLANNED"]);
            }
            Err(other) => panic!("{other}"),
        }
    }
    let mut undated = world_with(|milestone| milestone.baseline_date = None);
    let first = done(&mut undated, rebaseline(LATER)).payload();
    let Payload::MilestoneRebaselined(first) = first else { panic!("{first:?}") };
    assert_eq!((first.previous_date, first.slip_working_days), (None, None));
}

#[test]
fn whoever_set_a_date_cannot_approve_the_next_one() {
    let by = |principal: &str, on_behalf_of: &str| Actor {
        principal: principal.into(),
        authentication: Authentication::Jwt,
        on_behalf_of: on_behalf_of.into(),
        ..Actor::default()
    };
    let (planner, reporter, approver) = ("user:corp/planner", "user:corp/reporter", "user:corp/approver");
    let mut world = World { actor: by(planner, ""), ..World::with_projects(&["road"]).0 };
    world.submit(create(vec![draft("road", Some("start"), Some(BASELINE))])).unwrap();
    world.actor = by(reporter, "user:corp/other");
    done(&mut world, reforecast(Some(date(2021, 6, 3))));
    // That another sets another date does not help.
    world.actor = by(planner, "");
    done(&mut world, reforecast(Some(LATER)));
    let before = start(&world);
    for (principal, on_behalf_of) in
        [(planner, ""), (reporter, ""), ("user:corp/other", ""), (approver, planner), (approver, reporter)]
    {
        world.actor = by(principal, on_behalf_of);
        match refused(&mut world, rebaseline(LATER)) {
            Rejection::Preconditions(found) => assert_eq!(found[0].kind, "SAME_PERSON"),
            other => panic!("{principal} for {on_behalf_of}: {other}"),
        }
        assert_eq!(start(&world), before);
    }
    world.actor = by(approver, "");
    let approved = done(&mut world, rebaseline(LATER));
    assert_eq!(approved.after.date_authors, []);
    // What was approved since is no longer theirs.
    world.actor = by(planner, "");
    done(&mut world, rebaseline(BASELINE));
}

#[test]
fn a_deleted_milestone_can_only_be_undeleted() {
    let (mut world, name) = (world(), START.parse::<MilestoneName>().unwrap());
    assert_eq!(refused(&mut world, Action::Undelete), Rejection::not_deleted(&name));
    let deleted = done(&mut world, Action::Delete);
    assert_eq!((deleted.kind(), &deleted.event.changed_fields[..]), ("deleted", &["delete_time".into()][..]));
    assert_eq!(deleted.after.delete_time, Some(instant_message(world.now)));
    assert_eq!(world.act(START, Action::Delete), Ok(Vec::new()));
    let reason = || "x".to_owned();
    for action in [
        reforecast(Some(LATER)),
        rebaseline(LATER),
        achieve(None),
        Action::PartiallyAchieve { actual: None, reason: reason() },
        Action::Miss { reason: reason() },
        Action::Cancel { reason: reason() },
        reopen(),
        Action::AddEvidence(evidence("photo")),
        // What would change nothing is refused too.
        reforecast(None),
    ] {
        assert_eq!(refused(&mut world, action), Rejection::deleted(&name));
    }
    let undeleted = done(&mut world, Action::Undelete);
    assert_eq!(
        (undeleted.kind(), &undeleted.event.changed_fields[..]),
        ("undeleted", &["delete_time".into()][..])
    );
    assert_eq!((undeleted.after.delete_time, undeleted.after.state()), (None, State::Planned));
}

#[test]
fn an_undeleted_milestone_stands_as_of_the_current_date() {
    let mut world = world();
    let deleted = done(&mut world, Action::Delete).after;
    assert_eq!(deleted.outlook(), Outlook::OnTrack, "it keeps how it stood");
    // Noon of 10 June in Shanghai.
    world.now = "2021-06-10T04:00:00Z".parse().unwrap();
    let undeleted = done(&mut world, Action::Undelete);
    assert_eq!(undeleted.after.outlook(), Outlook::Overdue);
    assert_eq!(undeleted.event.changed_fields, ["delete_time", "nearness", "outlook"]);
    assert_eq!(undeleted.announced.unwrap().r#type, "milepost.milestone.overdue");
}

#[test]
fn a_stale_etag_is_refused_before_anything_else() {
    let mut world = world();
    let stale = |world: &mut World, action: Action, current: u64| {
        let refusal = world.submit(action.on(START, Some(Etag(2)))).unwrap_err();
        let expected = Rejection::StaleEtag { name: START.into(), given: Etag(2), current: Etag(current) };
        assert_eq!(refusal, expected);
    };
    for action in [
        reforecast(None),
        achieve(TODAY.tomorrow().ok()),
        reopen(),
        Action::AddEvidence(evidence("photo")),
        Action::Undelete,
    ] {
        stale(&mut world, action, 3);
    }
    done(&mut world, Action::Delete);
    for action in [Action::Delete, Action::Undelete, achieve(None)] {
        stale(&mut world, action, 4);
    }
}

#[test]
fn a_start_achieves_planned_construction_starts_only_and_asks_for_no_evidence() {
    let (mut world, mut registry) = World::with_projects(&["road"]);
    let request = |id: &str, kind: &str| {
        let mut request = draft("road", Some(id), Some(BASELINE));
        let milestone = request.milestone.as_mut().unwrap();
        milestone.r#type = kind.into();
        milestone.required_evidence = vec!["permit".into()];
        request
    };
    let ids = ["cancelled", "deleted", "partly", "start"];
    let mut requests: Vec<_> = ids.iter().map(|id| request(id, CONSTRUCTION_START)).collect();
    requests.push(request("other", "constructionEnd"));
    world.submit(create(requests)).unwrap();
    world.act(name("road", "cancelled"), Action::Cancel { reason: "x".into() }).unwrap();
    world.act(name("road", "deleted"), Action::Delete).unwrap();
    let partly = Action::PartiallyAchieve { actual: None, reason: "x".into() };
    world.act(name("road", "partly"), partly).unwrap();
    let milestones = |world: &World| {
        let rows = milepost_resource::Rows::<crate::decide::Tracker>::new(&world.rows);
        rows.under::<Milestone>(name("road", "start").parent_ids(), None)
            .map(Result::unwrap)
            .collect::<Vec<_>>()
    };
    let awaiting = |world: &World| {
        let awaiting = milestones(world).into_iter().filter(|(_, row)| awaits_start(row).unwrap());
        awaiting.map(|(name, _)| name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(awaiting(&world), [START]);

    let before = milestones(&world);
    let mut events = world.ingest(registry.start(&["road"], BASELINE)).unwrap();
    assert_eq!(kinds(&events), ["source.followed", "milestone.achieved"]);
    let done = Done::of(&world, events.split_off(1));
    assert_eq!((done.after.state(), done.after.actual_date), (State::Achieved, day(BASELINE)));
    assert_eq!((done.after.variance_working_days, done.after.outlook()), (Some(0), Outlook::Unspecified));
    assert_eq!(done.event.event_date, day(BASELINE));
    let fields =
        ["actual_date", "nearness", "outlook", "slippage", "state", "state_reason", "variance_working_days"];
    assert_eq!(done.event.changed_fields, fields);
    let others = |rows: Vec<(MilestoneName, bytes::Bytes)>| {
        rows.into_iter().filter(|(name, _)| name.to_string() != START).collect::<Vec<_>>()
    };
    assert_eq!(others(milestones(&world)), others(before));
    assert_eq!(awaiting(&world), [""; 0]);
    world.ingest(registry.start(&["road"], LATER)).unwrap();
    assert_eq!(start(&world), done.after);
}

#[test]
fn a_new_milestone_is_planned_and_its_first_forecast_begins_the_history() {
    let created = |say: fn(&mut Milestone)| {
        let mut world = world_with(say);
        let entry = world.entries.pop().unwrap();
        let events = entry.events.into_iter().map(|event| Event::decode(event).unwrap()).collect();
        Done::of(&world, events)
    };
    let plain = created(|_| {});
    assert_eq!(plain.kind(), "created");
    assert_eq!((plain.after.state(), plain.after.forecast_sequence), (State::Planned, 0));
    assert_eq!((plain.after.outlook(), plain.event.event_date), (Outlook::OnTrack, day(BASELINE)));
    assert_eq!((plain.after.etag.as_str(), plain.after.create_time), ("3", plain.after.update_time));
    assert!(plain.event.changed_fields.is_empty());
    let forecast = created(|milestone| milestone.forecast_date = day(LATER));
    assert_eq!((forecast.after.forecast_sequence, forecast.event.event_date), (3, day(LATER)));
    assert_eq!(forecast.after.variance_working_days, Some(10));
    assert!(forecast.event.changed_fields.is_empty());
    let undated = created(|milestone| milestone.baseline_date = None);
    assert_eq!((undated.after.outlook(), undated.event.event_date), (Outlook::Unspecified, None));
    assert_eq!(undated.after.variance_working_days, None);
}

/// What is announced besides a change: how near the due date was and is.
fn announced(done: &Done) -> Option<(Nearness, Nearness)> {
    let announcement = done.announced.as_ref()?;
    let Some(Payload::MilestoneOutlookChanged(changed)) = &announcement.payload else {
        panic!("{announcement:?}")
    };
    let kind = match changed.nearness() {
        Nearness::DueSoon => "milepost.milestone.due_soon",
        Nearness::Overdue => "milepost.milestone.overdue",
        other => panic!("{other:?} is announced"),
    };
    assert_eq!(announcement.r#type, kind);
    assert_eq!(announcement.caused_by, done.event.event_id);
    assert_eq!(announcement.changed_fields, ["nearness"]);
    assert_eq!((announcement.event_date, changed.current_date), (day(TODAY), day(TODAY)));
    let after = &done.after;
    let stands = (changed.nearness(), changed.slippage(), changed.outlook());
    assert_eq!(stands, (after.nearness(), after.slippage(), after.outlook()));
    Some((changed.previous_nearness(), changed.nearness()))
}

#[test]
fn what_makes_a_due_date_near_or_passed_announces_it_whatever_slipped() {
    let (ahead, soon, overdue) = (Nearness::Ahead, Nearness::DueSoon, Nearness::Overdue);
    let at = |days: i64| TODAY.saturating_add(jiff::Span::new().days(days));
    for (baseline, forecast, wanted) in [
        (Some(8), None, None),
        (Some(7), None, Some(soon)),
        (Some(0), None, Some(soon)),
        (Some(-1), None, Some(overdue)),
        // It slipped, and is near or past all the same.
        (Some(2), Some(5), Some(soon)),
        (Some(-9), Some(0), Some(soon)),
        (Some(-9), Some(-1), Some(overdue)),
        (Some(-1), Some(8), None),
        (None, None, None),
    ] {
        let (mut world, _) = World::with_projects(&["road"]);
        let mut request = draft("road", Some("start"), baseline.map(at));
        request.milestone.as_mut().unwrap().forecast_date = forecast.map(at).and_then(day);
        let events = world.submit(create(vec![request])).unwrap();
        let wanted = wanted.map(|wanted| (Nearness::Unspecified, wanted));
        assert_eq!(announced(&Done::of(&world, events)), wanted, "{baseline:?} {forecast:?}");
    }

    let mut world = world();
    let mut says = |action: Action| announced(&done(&mut world, action));
    assert_eq!(says(reforecast(Some(at(3)))), Some((ahead, soon)));
    // Another near date is the same state, and is not announced again; one after a later date is.
    assert_eq!(says(reforecast(Some(at(2)))), None);
    assert_eq!(says(reforecast(Some(at(90)))), None);
    assert_eq!(says(reforecast(Some(at(3)))), Some((ahead, soon)));
    assert_eq!(says(reforecast(Some(at(-1)))), Some((soon, overdue)));
    assert_eq!(says(reforecast(Some(at(1)))), Some((overdue, soon)), "it is near again");
    assert_eq!(says(reforecast(Some(at(-1)))), Some((soon, overdue)));
    assert_eq!(says(achieve(None)), None);
    assert_eq!(says(reopen()), Some((Nearness::Unspecified, overdue)));
    assert_eq!((says(Action::Delete), says(Action::Undelete)), (None, None), "it was overdue before");
    let rebaselined = done(&mut self::world(), rebaseline(at(-1)));
    assert_eq!(announced(&rebaselined), Some((ahead, overdue)));
}

#[test]
fn each_creation_of_several_is_followed_by_what_it_announces() {
    let (mut world, _) = World::with_projects(&["road"]);
    let request =
        |(id, date): (&str, Date)| -> CreateMilestoneRequest { draft("road", Some(id), Some(date)) };
    let dates = [("b", TODAY), ("a", BASELINE), ("c", TODAY.yesterday().unwrap())];
    let events = world.submit(create(dates.map(request).into())).unwrap();
    let expected =
        ["created", "due_soon", "created", "created", "overdue"].map(|kind| format!("milestone.{kind}"));
    assert_eq!(kinds(&events), expected);
    let causes: Vec<_> = events.iter().map(|event| event.caused_by.as_str()).collect();
    let ids: Vec<_> = events.iter().map(|event| event.event_id.as_str()).collect();
    assert_eq!(causes, ["", ids[0], "", "", ids[3]]);
    let subjects: Vec<_> = events.iter().map(|event| event.subject.rsplit('/').next().unwrap()).collect();
    assert_eq!(subjects, ["b", "b", "a", "c", "c"]);
}

fn actions() -> impl Strategy<Value = Action> {
    let days = || (0i64..40).prop_map(|day| TODAY.saturating_add(jiff::Span::new().days(day - 20)));
    let reason = || prop_oneof![Just("r".to_owned()), Just("s".to_owned())];
    prop_oneof![
        proptest::option::of(days()).prop_map(reforecast),
        days().prop_map(rebaseline),
        proptest::option::of(days()).prop_map(achieve),
        (proptest::option::of(days()), reason())
            .prop_map(|(actual, reason)| Action::PartiallyAchieve { actual, reason }),
        reason().prop_map(|reason| Action::Miss { reason }),
        reason().prop_map(|reason| Action::Cancel { reason }),
        reason().prop_map(|reason| Action::Reopen { reason }),
        Just(Action::Delete),
        Just(Action::Undelete),
        (0..3).prop_map(|i| Action::AddEvidence(evidence(&format!("photo {i}")))),
    ]
}

/// The fields that differ, but those that differ always; sorted.
fn different(before: &Milestone, after: &Milestone) -> Vec<String> {
    static MILESTONE: LazyLock<MessageDescriptor> = LazyLock::new(|| {
        let pool = DescriptorPool::decode(milepost_proto::FILE_DESCRIPTOR_SET).unwrap();
        pool.get_message_by_name("milepost.tracker.v1.Milestone").unwrap()
    });
    let [before, after] = [before, after].map(|milestone| {
        DynamicMessage::decode(MILESTONE.clone(), milestone.encode_to_vec().as_slice()).unwrap()
    });
    let differs = MILESTONE.fields().filter(|field| {
        let same = before.get_field(field) == after.get_field(field);
        !same || before.has_field(field) != after.has_field(field)
    });
    let names = differs.map(|field| field.name().to_owned());
    let mut names: Vec<_> = names.filter(|name| name != "etag" && name != "update_time").collect();
    names.sort_unstable();
    names
}

/// The index rows of `start`, as it says itself.
fn index_keys(milestone: &Milestone) -> Vec<Vec<u8>> {
    let key = |tag: &[u8], date: [u8; 4]| [tag, b"wsc\0", &date[..], b"road\0start"].concat();
    let mut keys = vec![key(b"\x02", due(milestone).map_or([0xff; 4], ordered_date))];
    if milestone.state() == State::Planned && milestone.delete_time.is_none() {
        keys.extend(
            date_of(milestone.baseline_date.as_ref()).map(|baseline| key(b"\x03", ordered_date(baseline))),
        );
    }
    keys
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn whatever_is_done_the_invariants_hold(
        baseline in proptest::option::of(0i64..20),
        actions in proptest::collection::vec(actions(), 1..30),
    ) {
        let baseline = baseline.map(|days| TODAY.saturating_add(jiff::Span::new().days(days)));
        let mut world = world_with(|milestone| milestone.baseline_date = baseline.and_then(day));
        let mut before = start(&world);
        for action in actions {
            let Ok(events) = world.act(START, action) else { continue };
            if events.is_empty() {
                prop_assert_eq!(start(&world), before.clone());
                continue;
            }
            let done = Done::of(&world, events);
            let after = &done.after;
            let happened = matches!(after.state(), State::Achieved | State::PartiallyAchieved);
            let actual = date_of(after.actual_date.as_ref());
            prop_assert_eq!(actual.is_some(), happened);
            prop_assert!(actual.is_none_or(|actual| actual <= TODAY));
            let open = after.state() == State::Planned && due(after).is_some();
            prop_assert_eq!(after.outlook() != Outlook::Unspecified, open);
            prop_assert_eq!(after.nearness() != Nearness::Unspecified, open);
            let end = actual.or(date_of(after.forecast_date.as_ref()));
            let varies = after.baseline_date.is_some() && end.is_some();
            prop_assert_eq!(after.variance_working_days.is_some(), varies);
            prop_assert_eq!(&after.etag, &done.event.sequence.to_string());
            prop_assert_eq!(&done.event.changed_fields, &different(&before, after));
            prop_assert!(!done.event.changed_fields.is_empty());
            // The history of forecasts is a chain.
            match &done.event.payload {
                Some(Payload::MilestoneReforecast(forecast)) => {
                    prop_assert_eq!(forecast.previous_sequence, before.forecast_sequence);
                    prop_assert_eq!(after.forecast_sequence, done.event.sequence);
                }
                _ => prop_assert_eq!(after.forecast_sequence, before.forecast_sequence),
            }
            let near = after.nearness() >= Nearness::DueSoon && after.nearness() != before.nearness();
            prop_assert_eq!(announced(&done).is_some(), near);
            let indexes = world.rows.0.keys().filter(|key| matches!(key[0], 2 | 3));
            prop_assert_eq!(indexes.map(|key| key.to_vec()).collect::<Vec<_>>(), index_keys(after));
            before = done.after;
        }
        prop_assert_eq!(world.rebuilt(), world.rows);
    }
}

/// office.md, section 0: `reported_date` is never later than today, and what happened was not reported before.
#[test]
fn an_outcome_is_not_reported_before_it_was() {
    let (mut world, _) = World::with_projects(&["road"]);
    let day = |day| jiff::civil::date(2021, 5, day);
    let name = name("road", "m").to_string();
    world.create("m", None);
    let of = |change, reported| StateReport { change, reason: "x".into(), reported: Some(reported) };
    for (change, field) in [
        (StateChange::Achieve as fn(Option<jiff::civil::Date>) -> StateChange, "actual_date"),
        (StateChange::PartiallyAchieve, "actual_date"),
        (StateChange::Miss, "date"),
        (StateChange::Cancel, "date"),
    ] {
        let mut reasons = |on, reported| match world.report(&name, of(change(on), reported)) {
            Err(Rejection::Invalid(found)) => {
                found.iter().map(|fault| format!("{} {}", fault.field, fault.reason)).collect::<Vec<_>>()
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(reasons(Some(day(11)), day(10)), ["reported_date DATE_TOO_EARLY"]);
        assert_eq!(reasons(None, day(12)), ["reported_date DATE_TOO_EARLY"], "it is of today");
        assert_eq!(reasons(Some(day(11)), day(14)), ["reported_date DATE_IN_FUTURE"]);
        let both = [format!("{field} DATE_IN_FUTURE"), "reported_date DATE_IN_FUTURE".to_owned()];
        assert_eq!(reasons(Some(day(14)), day(15)), both);
    }
    world.report(&name, of(StateChange::Achieve(Some(day(11))), day(11))).unwrap();
    let refused = world.report(&name, of(StateChange::Reopen(Some(day(12))), day(11)));
    assert!(matches!(refused, Err(Rejection::Invalid(_))), "{refused:?}");
    world.report(&name, of(StateChange::Reopen(Some(day(12))), day(13))).unwrap();
}

/// office.md, section 0: no day is later than today, whether something changes by it or not.
#[test]
fn a_forecast_that_is_the_same_is_not_reported_on_a_day_to_come() {
    let (mut world, _) = World::with_projects(&["road"]);
    let name = name("road", "m");
    world.create("m", None);
    let forecast = Some(jiff::civil::date(2021, 8, 1));
    let mut reforecast = |reported| {
        let asked = Reforecast { forecast, reason: String::new(), reported };
        let target = Target { name: name.clone(), etag: None };
        world.submit(crate::tests::world::command(Custom::act(
            target,
            asked,
            super::reforecast as Run<_, _, _>,
        )))
    };
    reforecast(None).unwrap();
    let Err(Rejection::Invalid(found)) = reforecast(Some(jiff::civil::date(2030, 1, 1))) else { panic!() };
    let found: Vec<_> = found.iter().map(|fault| (fault.field.as_str(), fault.reason)).collect();
    assert_eq!(found, [("reported_date", "DATE_IN_FUTURE")]);
    assert!(reforecast(Some(jiff::civil::date(2021, 5, 13))).unwrap().is_empty());
}

#[test]
fn an_outcome_is_taken_back_on_its_day_or_later() {
    let (mut world, _) = World::with_projects(&["road"]);
    let day = |day| jiff::civil::date(2021, 5, day);
    let name = name("road", "m").to_string();
    world.create("m", None);
    let of = |change| StateReport { change, reason: "x".into(), reported: None };
    for change in
        [StateChange::Achieve, StateChange::PartiallyAchieve, StateChange::Miss, StateChange::Cancel]
    {
        world.report(&name, of(change(Some(day(11))))).unwrap();
        let Err(Rejection::Invalid(found)) = world.report(&name, of(StateChange::Reopen(Some(day(10)))))
        else {
            panic!()
        };
        let found: Vec<_> = found.iter().map(|fault| (fault.field.as_str(), fault.reason)).collect();
        assert_eq!(found, [("date", "DATE_TOO_EARLY")]);
        world.report(&name, of(StateChange::Reopen(Some(day(11))))).unwrap();
    }
}
