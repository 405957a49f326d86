//! Corrections: what becomes of warnings that are computed again, and what is refused.

use jiff::civil::{Date, date};
use milepost_proto::event::v1::event::{Payload, Resource};
use milepost_proto::registry::v1::{AnnualPlan, Project};
use milepost_proto::tracker::v1::warning_policy::{Missing, Period as Every};
use milepost_proto::tracker::v1::{Warning, WarningLight, WarningPolicy, WarningRuns};
use milepost_resource::{Custom, Run, Target, date_message};
use milepost_types::Rejection;

use super::evaluations::{Office, UNIT, cny, completed, peers, three_times, twenty_points_behind};
use super::orders::{behind, by_month, created, opening};
use super::policies::{act, creation, faults, name, update};
use super::published::published;
use crate::supervision::withdraw_order;
use crate::tables;
use crate::tests::registry::{deleted, portfolio};
use crate::tests::world::{command, kinds};
use crate::warning::{Recompute, WarningName, adopt, grant, retire};
use WarningLight::{Green, Red, Yellow};

const MARCH: Date = date(2021, 3, 31);
const APRIL: Date = date(2021, 4, 30);
const MAY: Date = date(2021, 5, 31);
const SEPTEMBER: Date = date(2021, 9, 30);
const OCTOBER: Date = date(2021, 10, 31);

/// What is computed again a second time differs in nothing, also where a step has a day of its own.
#[test]
fn a_review_stays_on_its_day_however_often_a_period_is_computed_again() {
    let mut office = Office::on(date(2021, 7, 10));
    office.project("road", twenty_points_behind(&[3, 4, 5]));
    office.adopt("w", three_times(published("yc-progress")), date(2021, 3, 1));
    let review = |office: &Office| {
        let warning = office.warning("w", "road", MAY).unwrap();
        (warning.revision, warning.review_date, warning.steps[0].review_date)
    };
    let november = Some(date_message(date(2021, 11, 30)));
    assert_eq!(review(&office), (1, november, november));
    // One more in May is as yellow as before.
    let mut more = twenty_points_behind(&[3, 4]);
    more.push(completed(5, 101 * UNIT, Some(MAY)));
    office.project("road", more);
    assert_eq!(kinds(&office.recompute("w", MAY).unwrap()), ["warning.corrected", "warning.superseded"]);
    assert_eq!(review(&office), (2, november, november));
    office.wait(date(2021, 7, 20));
    assert_eq!(office.recompute("w", MAY).unwrap(), [], "nothing differs");
    assert_eq!(office.world.rebuilt(), office.world.rows);
}

/// As an older version, or a project that was cancelled then, left it.
#[test]
fn a_correction_opens_no_order_for_a_step_that_was_reached_without_one() {
    let mut office = Office::on(date(2021, 3, 1));
    office.project("road", behind(3..=4));
    office.adopt("w", opening(), date(2021, 3, 1));
    office.wait(APRIL);
    let order = office.order("road");
    office.act(&order, ("误发".to_owned(), None), withdraw_order as Run<_, _, _>).unwrap();
    let mut warning = office.warning("w", "road", APRIL).unwrap();
    warning.steps[0].order.clear();
    office.put(&warning);
    office.project("road", by_month(&[(3, 60), (4, 161)]));
    let events = office.recompute("w", APRIL).unwrap();
    assert_eq!(kinds(&events), ["warning.corrected", "warning.superseded"]);
    assert_eq!(office.step_orders(APRIL), [""]);
}

/// office.md, section 4: a step follows once for each run, also where an excuse moves it after its order was over.
#[test]
fn office_4_a_run_whose_order_is_over_gets_no_second_one() {
    let mut office = Office::on(date(2021, 6, 1));
    office.project("road", behind(3..=5));
    office.adopt("w", opening(), date(2021, 3, 1));
    let order = office.order("road");
    office.act(&order, ("已追上".to_owned(), None), withdraw_order as Run<_, _, _>).unwrap();
    let events = office.excuse("flood", &[APRIL]);
    assert!(created(&events).is_empty(), "{:?}", kinds(&events));
    assert_eq!((office.step_orders(APRIL).len(), office.step_orders(MAY)), (0, vec![order.name]));
    assert_eq!(office.world.rebuilt(), office.world.rows);
}

/// Of two runs each has its own order: what an excuse takes from the first is not given to the second.
#[test]
fn a_step_that_moves_keeps_the_order_of_its_own_run() {
    let mut office = Office::on(date(2021, 3, 1));
    // May is green, June not stated, July, August and September are behind.
    office.project("road", by_month(&[(3, 60), (4, 160), (5, 500)]));
    office.adopt("w", opening(), date(2021, 3, 1));
    let mut both = Vec::new();
    for end in [APRIL, date(2021, 8, 31)] {
        office.wait(end);
        let [order] = &office.step_orders(end)[..] else { panic!("{end}") };
        let order = office.orders("road").into_iter().find(|other| other.name == *order).unwrap();
        office.act(&order, ("已追上".to_owned(), None), withdraw_order as Run<_, _, _>).unwrap();
        both.push(order.name);
    }
    office.wait(SEPTEMBER);
    let events = office.excuse("flood", &[APRIL, date(2021, 8, 31)]);
    assert!(created(&events).is_empty(), "{:?}", kinds(&events));
    assert_eq!(office.step_orders(SEPTEMBER), both[1..]);
    assert_eq!(office.orders("road").len(), 2);
}

/// A run that only a correction makes is another one than that of an order which is over.
#[test]
fn a_run_that_a_correction_makes_opens_an_order_of_its_own() {
    let mut office = Office::on(date(2021, 3, 1));
    // May is green, July is behind, August is green again, and September is not stated.
    office.project("road", by_month(&[(3, 60), (4, 160), (5, 500), (7, 500), (8, 800)]));
    office.adopt("w", opening(), date(2021, 3, 1));
    office.wait(APRIL);
    let order = office.order("road");
    office.act(&order, ("已追上".to_owned(), None), withdraw_order as Run<_, _, _>).unwrap();
    office.wait(OCTOBER);
    assert_eq!(office.orders("road").len(), 1);
    // In October, 800 of 1,000, it is behind for the first time; without August, after July, for the second.
    let events = office.excuse("flood", &[APRIL, date(2021, 8, 31)]);
    let [opened] = created(&events)[..] else { panic!("{:?}", kinds(&events)) };
    assert_eq!(office.step_orders(OCTOBER), std::slice::from_ref(&opened.subject));
    assert_ne!(opened.subject, order.name);
}

/// An order is left only if no warning that counts names it: also of those that stay as they are.
#[test]
fn an_order_that_a_later_warning_names_is_not_left() {
    let mut office = Office::on(date(2021, 2, 1));
    // May is green, July and August are behind, and September is red, after which nothing is of what was before.
    office.project("road", by_month(&[(2, 0), (3, 60), (4, 160), (5, 500)]));
    let mut third = opening();
    third.steps[0].consecutive = 3;
    office.adopt("w", third, date(2021, 2, 1));
    office.wait(SEPTEMBER);
    let order = office.order("road");
    for end in [APRIL, SEPTEMBER] {
        assert_eq!(office.step_orders(end), std::slice::from_ref(&order.name), "{end}");
    }
    let events = office.excuse("flood", &[APRIL]);
    let Some(Payload::WarningExcused(excused)) = &events[1].payload else { panic!("{:?}", kinds(&events)) };
    assert_eq!((office.step_orders(APRIL).len(), &excused.orders[..]), (0, &[][..]));
    assert_eq!(office.warning("w", "road", SEPTEMBER).unwrap().revision, 1, "it stays as it is");
}

/// Whoever put the policy out of force wants no more of its orders.
#[test]
fn a_correction_by_a_policy_that_is_retired_opens_no_order() {
    let mut office = Office::on(date(2021, 5, 10));
    office.project("road", by_month(&[(3, 60), (4, 400)]));
    office.adopt("w", opening(), date(2021, 3, 1));
    office.world.submit(act("w", (String::new(), None), retire as Run<_, _, _>)).unwrap();
    office.project("road", behind(3..=4));
    let events = office.recompute("w", APRIL).unwrap();
    assert_eq!(kinds(&events), ["warning.corrected", "warning.superseded"]);
    assert_eq!((office.step_orders(APRIL), office.orders("road")), (vec![String::new()], Vec::new()));
    assert_eq!(office.recompute("w", APRIL).unwrap(), []);
}

/// An older version did not say that a light was kept, and counted it.
#[test]
fn what_an_older_version_kept_stays_as_it_was_found() {
    let november = date(2021, 11, 30);
    let mut office = Office::on(date(2021, 10, 1));
    office.project("road", vec![completed(9, 500 * UNIT, Some(SEPTEMBER))]);
    let policy = WarningPolicy { missing: Missing::Hold.into(), ..published("wh-ratio") };
    office.adopt("w", policy, SEPTEMBER);
    office.wait(SEPTEMBER);
    office.say("road", Project::default());
    office.wait(november);
    for end in [OCTOBER, november] {
        let mut kept = office.warning("w", "road", end).unwrap();
        assert_eq!((kept.light(), kept.tests[0].why.remove(0)), (Red, "HELD".to_owned()));
        let run = i32::from(end.month()) - 8;
        kept.runs = Some(WarningRuns { yellow: run, red: run, ..WarningRuns::default() });
        office.put(&kept);
    }
    assert_eq!(office.recompute("w", OCTOBER).unwrap().len(), 4, "what is computed now is kept, and says so");
    let kept = office.warning("w", "road", november).unwrap();
    assert_eq!((kept.light(), &kept.tests[0].why[..]), (Red, &["NO_PLAN".to_owned()][..]));
    assert_eq!(kept.runs.unwrap().red, 2, "September and November");
}

/// The first excuse stays, and what is granted without a word is for the reason for which it was asked.
#[test]
fn a_period_that_is_excused_already_is_not_excused_again() {
    let mut office = Office::on(date(2021, 5, 10));
    office.project("road", twenty_points_behind(&[3, 4]));
    office.adopt("w", published("yc-progress"), date(2021, 3, 1));
    office.by("user:corp/a");
    office.ask_excuse("flood", "w", &[MARCH]).unwrap();
    office.by("user:corp/b");
    let target = Target { name: "portfolios/wsc/projects/road/excuses/flood".parse().unwrap(), etag: None };
    let wordless = Custom::act(target, (String::new(), None), grant as Run<_, _, _>);
    let events = office.world.submit(command(wordless)).unwrap();
    let corrected = ["warning.excused", "warning.superseded", "warning.corrected", "warning.superseded"];
    assert_eq!(kinds(&events)[1..], corrected);
    let warning = office.warning("w", "road", MARCH).unwrap();
    assert_eq!((warning.revision, warning.reason.as_str()), (2, "洪水"));
    let Some(Payload::WarningCorrected(payload)) = &events[3].payload else { panic!("{events:?}") };
    assert_eq!(payload.reason, "洪水");
    let events = office.excuse("rain", &[MARCH]);
    assert_eq!(kinds(&events), ["excuse.granted"]);
    assert_eq!(office.warning("w", "road", MARCH).unwrap(), warning);
}

#[test]
fn nothing_is_computed_again_in_a_deleted_portfolio() {
    let mut office = Office::on(date(2021, 11, 5));
    office.project("road", vec![completed(10, 500 * UNIT, None)]);
    office.adopt("w", published("wh-ratio"), OCTOBER);
    office.project("road", vec![completed(10, 900 * UNIT, None)]);
    office.registry_says(deleted(portfolio("wsc")));
    let refused = office.recompute("w", OCTOBER).unwrap_err();
    assert!(matches!(refused, Rejection::Deleted { .. }), "{refused}");
}

/// Projects that were not followed yet would be missed.
#[test]
fn nothing_is_computed_again_while_the_registry_is_followed_anew() {
    let mut office = Office::on(date(2021, 11, 5));
    office.project("road", vec![completed(10, 500 * UNIT, None)]);
    office.adopt("w", published("wh-ratio"), OCTOBER);
    office.project("road", vec![completed(10, 900 * UNIT, None)]);
    tables::mirror_version::put(&mut office.world.rows, 2);
    let refused = office.recompute("w", OCTOBER).unwrap_err();
    assert!(format!("{refused:?}").contains("REGISTRY_INCOMPLETE"), "{refused}");
}

/// Also of a policy that is in force no longer only what was evaluated is computed again.
#[test]
fn a_period_that_a_retired_policy_did_not_evaluate_is_refused() {
    let mut office = Office::on(date(2021, 11, 5));
    office.project("road", vec![completed(10, 500 * UNIT, None)]);
    office.adopt("w", published("wh-ratio"), OCTOBER);
    office.world.submit(act("w", (String::new(), None), retire as Run<_, _, _>)).unwrap();
    for end in [date(2021, 11, 30), date(2022, 1, 31)] {
        let refused = office.recompute("w", end).unwrap_err();
        assert_eq!(faults(refused), [("period_end".to_owned(), "NOT_EVALUATED")], "{end}");
    }
    office.project("road", vec![completed(10, 900 * UNIT, None)]);
    assert_eq!(office.recompute("w", OCTOBER).unwrap().len(), 2);
    assert_eq!(office.lights("w", "road", OCTOBER), (Green, Green));
}

/// Whatever the filter finds now: what has a warning of the period was evaluated.
#[test]
fn a_project_that_the_filter_does_not_find_any_more_is_computed_again() {
    let mut office = Office::on(date(2021, 11, 5));
    let key = |key, units: i128| Project {
        key: Some(key),
        annual_plans: vec![AnnualPlan { year: 2021, investment: cny(1_200 * UNIT), ..AnnualPlan::default() }],
        completed_investments: vec![completed(10, units * UNIT, None)],
        ..Project::default()
    };
    office.say("road", key(true, 500));
    office.say("rail", key(false, 500));
    office.adopt("w", WarningPolicy { filter: "key = true".into(), ..published("wh-ratio") }, OCTOBER);
    office.say("road", key(false, 900));
    assert_eq!(kinds(&office.recompute("w", OCTOBER).unwrap()), ["warning.corrected", "warning.superseded"]);
    assert_eq!(office.lights("w", "road", OCTOBER), (Green, Green));
    assert_eq!(office.warning("w", "rail", OCTOBER), None);
    let refused = office.recompute_of("w", OCTOBER, Some("rail"), None).unwrap_err();
    assert_eq!(
        faults(refused),
        [("project".to_owned(), "NO_WARNING")],
        "it was not evaluated, nor would it be now"
    );
}

/// office.md, section 4: PEER_GAP compares with all that were evaluated, whatever the filter finds now.
#[test]
fn office_4_what_is_computed_again_is_compared_with_what_was_evaluated() {
    let mut office = Office::on(date(2021, 11, 5));
    let project = |key, units: i128| Project {
        key: Some(key),
        annual_plans: vec![AnnualPlan {
            year: 2021,
            investment: cny(1_200 * UNIT),
            reported_date: Some(date_message(date(2021, 1, 1))),
            ..AnnualPlan::default()
        }],
        completed_investments: vec![completed(10, units * UNIT, Some(OCTOBER))],
        ..Project::default()
    };
    for (id, units) in [("a", 500), ("b", 640), ("c", 880)] {
        office.say(id, project(true, units));
    }
    office.adopt("w", WarningPolicy { filter: "key = true".into(), ..published("tj-worst") }, OCTOBER);
    let before = office.warning("w", "a", OCTOBER).unwrap();
    // One is not found any more, and another one is found only now.
    office.say("c", project(false, 880));
    office.say("d", project(true, 100));
    office.wait(date(2021, 11, 6));
    let plan = |warning: &Warning| peers(warning)[0].1.to_owned();
    assert_eq!(plan(&before), (3_600 * UNIT).to_string());
    assert_eq!(office.recompute("w", OCTOBER).unwrap(), [], "nothing differs");
    // One that is named and has no warning is one of them.
    office.recompute_of("w", OCTOBER, Some("d"), None).unwrap();
    let named = office.warning("w", "d", OCTOBER).unwrap();
    assert_eq!(peers(&named), [(&*(2_120 * UNIT).to_string(), &*(4_800 * UNIT).to_string())]);
}

/// An excuse that cannot be read keeps its own project from being evaluated, and no other one.
#[test]
fn an_excuse_that_cannot_be_read_is_in_the_way_of_its_project_alone() {
    let mut office = Office::on(date(2021, 3, 1));
    for id in ["rail", "road"] {
        office.project(id, twenty_points_behind(&[3, 4]));
    }
    office.adopt("w", published("yc-progress"), date(2021, 3, 1));
    office.excuse("flood", &[APRIL]);
    let flood: crate::warning::ExcuseName = "portfolios/wsc/projects/road/excuses/flood".parse().unwrap();
    let row = office.world.damage(&flood);
    office.wait(MARCH);
    assert_eq!(
        (office.warning("w", "road", MARCH), office.lights("w", "rail", MARCH)),
        (None, (Yellow, Yellow))
    );
    assert_eq!(office.world.policy("w").next_evaluation_date, Some(date_message(APRIL)), "it goes on");
    let replayed = office.replay_policy("w", MARCH, MARCH);
    let ids: Vec<_> = replayed.projects.iter().map(|project| &project.project[24..]).collect();
    assert_eq!(ids, ["rail"]);
    let refused = office.recompute_of("w", MARCH, Some("road"), None).unwrap_err();
    assert!(matches!(refused, Rejection::DamagedRow(_)), "{refused}");
    let fact = office.damage("rail");
    office.wait(APRIL);
    office.mend("rail", fact);
    let events = office.recompute_of("w", APRIL, Some("rail"), None).unwrap();
    assert!(!events.is_empty(), "an excuse of another project is not in its way");
    office.world.put_row(&flood, row);
    let events = office.recompute_of("w", APRIL, Some("road"), None).unwrap();
    assert_eq!(kinds(&events), ["warning.excused"]);
}

/// A project that cannot be read is in no other's way, neither on the day nor later.
#[test]
fn a_project_that_could_not_be_read_on_the_day_is_evaluated_when_it_is_named() {
    let mut office = Office::on(date(2021, 3, 1));
    for id in ["rail", "road"] {
        office.project(id, twenty_points_behind(&[3, 4, 5]));
    }
    office.adopt("w", three_times(published("yc-progress")), date(2021, 3, 1));
    let fact = office.damage("road");
    office.wait(MARCH);
    assert_eq!((office.warning("w", "road", MARCH), office.lights("w", "rail", MARCH).0), (None, Yellow));
    office.mend("road", fact);
    office.wait(MAY);
    assert_eq!(office.lights("w", "road", MAY), (Yellow, Yellow), "for the second time");

    // Others are computed again without it, and it cannot be.
    office.project("rail", Vec::new());
    let fact = office.damage("road");
    let events = office.recompute("w", MAY).unwrap();
    assert_eq!(kinds(&events), ["warning.corrected", "warning.superseded"]);
    let refused = office.recompute_of("w", MARCH, Some("road"), None).unwrap_err();
    assert!(matches!(refused, Rejection::DamagedRow(_)), "{refused}");
    office.mend("road", fact);
    assert_eq!(office.recompute("w", APRIL).unwrap().len(), 2 * 2, "those of rail");

    office.wait(date(2021, 6, 10));
    office.recompute("w", MARCH).unwrap();
    assert_eq!(office.warning("w", "road", MARCH), None, "what has no warning is not evaluated by itself");
    let events = office.recompute_of("w", MARCH, Some("road"), None).unwrap();
    let later = ["warning.corrected", "warning.superseded"];
    assert_eq!(kinds(&events), [&["warning.raised"][..], &later, &later].concat());
    let first = office.warning("w", "road", MARCH).unwrap();
    assert_eq!((first.revision, first.reason.as_str(), first.shown_light()), (1, "补报", Yellow));
    assert_eq!(first.evaluation_date, Some(date_message(date(2021, 6, 10))));
    assert_eq!(events[0].event_date, first.evaluation_date);
    assert_eq!(office.lights("w", "road", MAY), (Yellow, Red), "for the third time");
    assert_eq!(office.recompute_of("w", MARCH, Some("road"), None).unwrap(), []);
    assert_eq!(office.world.rebuilt(), office.world.rows);
}

/// Its excuse counts for its first warning, too, when that comes late.
#[test]
fn the_first_warning_that_comes_late_is_excused_if_its_period_is() {
    let mut office = Office::on(date(2021, 3, 1));
    office.project("road", twenty_points_behind(&[3]));
    office.adopt("w", published("yc-progress"), date(2021, 3, 1));
    office.excuse("flood", &[MARCH]);
    let fact = office.damage("road");
    office.wait(MARCH);
    office.mend("road", fact);
    let events = office.recompute_of("w", MARCH, Some("road"), None).unwrap();
    assert_eq!(kinds(&events), ["warning.excused"]);
    let warning = office.warning("w", "road", MARCH).unwrap();
    assert_eq!(
        (warning.excuse.as_str(), warning.light()),
        ("portfolios/wsc/projects/road/excuses/flood", Yellow)
    );
}

/// The day of a correction is said as that of any act.
#[test]
fn a_correction_is_of_a_day_from_the_evaluation_on() {
    let mut office = Office::on(date(2021, 11, 20));
    office.project("road", vec![completed(10, 500 * UNIT, Some(OCTOBER))]);
    let policy = WarningPolicy { evaluate_after_days: 5, ..published("wh-ratio") };
    office.adopt("w", policy, OCTOBER);
    office.project("road", vec![completed(10, 900 * UNIT, Some(OCTOBER))]);
    let mut on = |day| office.recompute_of("w", OCTOBER, None, Some(date(2021, 11, day)));
    assert_eq!(faults(on(21).unwrap_err()), [("date".to_owned(), "DATE_IN_FUTURE")]);
    assert_eq!(faults(on(4).unwrap_err()), [("date".to_owned(), "DATE_TOO_EARLY")]);
    let events = on(5).unwrap();
    let day = Some(date_message(date(2021, 11, 5)));
    assert!(events.iter().all(|event| event.event_date == day), "{events:?}");
    assert_eq!(office.warning("w", "road", OCTOBER).unwrap().evaluation_date, day);
}

/// All that is wrong is named at once.
#[test]
fn what_is_computed_again_is_refused_for_each_fault_of_the_request() {
    let mut office = Office::on(date(2021, 11, 20));
    office.project("road", vec![completed(10, 500 * UNIT, Some(OCTOBER))]);
    office.adopt("w", published("wh-ratio"), OCTOBER);
    let mut refused = |end, project| {
        let tomorrow = Some(date(2021, 11, 21));
        let found = faults(office.recompute_of("w", end, project, tomorrow).unwrap_err());
        found.into_iter().map(|(field, reason)| format!("{field} {reason}")).collect::<Vec<_>>()
    };
    assert_eq!(refused(date(2021, 10, 30), None), ["period_end NO_PERIOD", "date DATE_IN_FUTURE"]);
    assert_eq!(refused(APRIL, None), ["period_end NOT_EVALUATED", "date DATE_IN_FUTURE"]);
    assert_eq!(refused(OCTOBER, Some("rail")), ["date DATE_IN_FUTURE", "project NO_WARNING"]);
    assert_eq!(refused(OCTOBER, Some("road")), ["date DATE_IN_FUTURE"]);
}

/// A draft that was by months when excuses were asked for.
#[test]
fn an_excuse_is_not_granted_for_what_is_no_period_of_the_policy_any_more() {
    let mut office = Office::on(date(2021, 3, 1));
    office.project("road", twenty_points_behind(&[3, 4]));
    let draft = WarningPolicy { name: name("w").to_string(), ..published("yc-progress") };
    office.world.submit(creation("w", draft.clone()).unwrap()).unwrap();
    office.by("user:corp/a");
    office.ask_excuse("march", "w", &[MARCH]).unwrap();
    office.ask_excuse("spring", "w", &[MARCH, APRIL, MAY]).unwrap();
    let quarterly = WarningPolicy { period: Every::Quarter.into(), excusable: false, ..draft.clone() };
    office.world.submit(update(quarterly, &["period", "excusable"])).unwrap();
    office.by("user:corp/b");
    let Rejection::Preconditions(unmet) = office.decide_excuse("spring", grant).unwrap_err() else {
        panic!()
    };
    let unmet: Vec<_> = unmet.iter().map(|unmet| (unmet.kind, &unmet.description[..22])).collect();
    let expected = [
        ("NOT_EXCUSABLE", "excuse.policy: the pol"),
        ("NO_PERIOD", "excuse.period_ends[1]:"),
        ("NO_PERIOD", "excuse.period_ends[2]:"),
    ];
    assert_eq!(unmet, expected);
    office.world.submit(update(draft, &["excusable"])).unwrap();
    assert_eq!(kinds(&office.decide_excuse("march", grant).unwrap()), ["excuse.granted"]);
}

/// A draft whose excuses were asked for, or granted, before it was changed.
#[test]
fn what_is_not_excusable_is_not_excused_whenever_it_was_asked_for() {
    let mut office = Office::on(date(2021, 3, 1));
    office.project("road", twenty_points_behind(&[3, 4]));
    let draft = WarningPolicy { name: name("w").to_string(), ..published("yc-progress") };
    assert!(draft.excusable);
    office.world.submit(creation("w", draft.clone()).unwrap()).unwrap();
    office.excuse("granted", &[MARCH]);
    office.by("user:corp/a");
    office.ask_excuse("late", "w", &[MARCH]).unwrap();
    let draft = WarningPolicy { excusable: false, ..draft };
    office.world.submit(update(draft, &["excusable"])).unwrap();
    office.world.submit(act("w", Some(date(2021, 3, 1)), adopt as Run<_, _, _>)).unwrap();
    office.wait(APRIL);
    let warning = office.warning("w", "road", MARCH).unwrap();
    assert_eq!((warning.excuse.as_str(), warning.shown_light()), ("", Yellow));
    office.by("user:corp/b");
    let refused = office.decide_excuse("late", grant).unwrap_err();
    assert!(format!("{refused:?}").contains("NOT_EXCUSABLE"), "{refused}");
    let replayed = office.replay_policy("w", date(2021, 3, 1), APRIL);
    assert!(replayed.projects[0].periods.iter().all(|period| !period.excused), "{replayed:?}");
}

/// Rows of which is counted how many projects are looked up.
struct LookedUp<'a>(&'a crate::tests::world::Rows, std::sync::atomic::AtomicUsize);

impl milepost_ledger::Read for LookedUp<'_> {
    fn get(&self, key: &[u8]) -> Option<bytes::Bytes> {
        if key.first() == Some(&(tables::Table::Project as u8)) {
            self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
        self.0.get(key)
    }

    fn scan<'a>(
        &'a self,
        range: &milepost_ledger::KeyRange,
        direction: milepost_ledger::Direction,
    ) -> milepost_ledger::RowIter<'a> {
        self.0.scan(range, direction)
    }
}

/// More than one answer holds is refused as soon as that is known, not when all of it was computed.
#[test]
fn corrections_that_one_answer_does_not_hold_are_refused_before_all_are_computed() {
    use milepost_ledger::Domain as _;

    let mut office = Office::on(date(2021, 11, 5));
    let ids: Vec<_> = (0..540).map(|i| format!("p{i:03}")).collect();
    for id in &ids {
        office.project(id, vec![completed(10, 500 * UNIT, None)]);
    }
    office.adopt("w", published("wh-ratio"), OCTOBER);
    for id in &ids {
        office.project(id, vec![completed(10, 900 * UNIT, None)]);
    }
    let (policy, reason) = (name("w"), "补报".to_owned());
    let recompute = Recompute { policy, end: OCTOBER, project: None, reason, date: None };
    let rows = LookedUp(&office.world.rows, Default::default());
    let command = command(Box::new(recompute));
    let refused = office.world.domain.decide(&rows, &command, &office.world.context()).unwrap_err();
    let Rejection::AnswerTooLarge { what: "warnings", asked: 1_002, fit: 1_000 } = refused else {
        panic!("{refused}")
    };
    let looked_up = rows.1.into_inner();
    assert!((501..520).contains(&looked_up), "{looked_up}");
}

impl Office {
    /// Has the registry say something.
    fn registry_says(&mut self, resource: Resource) {
        self.world
            .ingest(self.registry.append(vec![("milepost.portfolio.updated", Some(resource))]))
            .unwrap();
    }

    /// Has a row of a warning be this, whatever made it so.
    fn put(&mut self, warning: &Warning) {
        use prost::Message;
        let name: WarningName = warning.name.parse().unwrap();
        self.world.put_row(&name, warning.encode_to_vec().into());
    }

    /// Periods of `w` are excused: one person asks for it, and another one grants it.
    fn excuse(&mut self, id: &str, ends: &[Date]) -> Vec<milepost_proto::event::v1::Event> {
        self.by("user:corp/a");
        self.ask_excuse(id, "w", ends).unwrap();
        self.by("user:corp/b");
        self.decide_excuse(id, grant).unwrap()
    }
}
