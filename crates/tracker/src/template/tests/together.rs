//! Milestones of one act: what they satisfy is satisfied once, and what they keep is kept once. That two of one coupling would
//! satisfy one requirement is refused when their version is drafted.

use milepost_proto::tracker::v1::milestone::{CouplingState, Expiry, State as Milestones};

use super::*;
use crate::tests::registry::started;

const DAY: Date = date(2021, 5, 12);

/// An item that is coupled by `land` and satisfies a requirement.
fn coupled(id: &str, code: &str) -> TemplateItem {
    TemplateItem { coupling: "land".into(), ..satisfying(id, &[code]) }
}

fn of_type(item: TemplateItem, r#type: &str) -> TemplateItem {
    TemplateItem { r#type: r#type.into(), ..item }
}

/// An item that ends after two years unless something of a type happens by then.
fn ending(item: TemplateItem, until_type: &str) -> TemplateItem {
    let validity =
        MilestoneValidity { months: 24, until_type: until_type.into(), ..MilestoneValidity::default() };
    TemplateItem { validity: Some(validity), ..item }
}

fn applied(items: Vec<TemplateItem>) -> World {
    let mut world = World::with_template();
    world.version_in_force("v1", OLD, items);
    world.apply(None).unwrap();
    world
}

fn together(world: &mut World, id: &str, reported: Option<Date>) -> Result<Vec<Event>, Rejection> {
    let target = Target { name: made(id), etag: None };
    let report = JointReport { actual: Some(DAY), reason: String::new(), reported };
    world.submit(command(Custom::act(target, report, achieve_coupled as Run<_, _, _>)))
}

/// What is said of requirements.
fn of_requirements(events: &[Event]) -> Vec<(&str, &str)> {
    said(events).into_iter().filter(|(kind, _)| kind.starts_with("requirement.")).collect()
}

fn updated(events: &[Event]) -> Vec<&str> {
    let updated = said(events).into_iter().filter(|(kind, _)| *kind == "milestone.updated");
    updated.map(|(_, id)| id).collect()
}

/// What a coupling is broken for may bring another of it something, which stays.
#[test]
fn a_coupling_that_is_broken_takes_nothing_back_that_the_act_brought() {
    let mut world = applied(vec![
        ending(coupled("permit", "permit"), "landCertificate"),
        of_type(coupled("certificate", "deed"), "landCertificate"),
    ]);
    world.act(made("certificate"), Action::Miss { reason: "延期".into() }).unwrap();
    world.achieve("permit", date(2021, 3, 1)).unwrap();
    world.reopen("certificate").unwrap();
    let target = Target { name: made("certificate"), etag: None };
    let change = StateChange::AchieveAlone(Some(date(2021, 4, 1)));
    let alone = StateReport { change, reason: "先行".to_owned(), reported: None };
    let events = world.submit(command(Custom::act(target, alone, change_state as Run<_, _, _>))).unwrap();
    let expected = [
        ("milestone.achieved", "certificate"),
        ("requirement.satisfied", "certificate"),
        ("milestone.updated", "permit"),
        ("coupling.broken", "permit"),
    ];
    assert_eq!(said(&events), expected);
    let permit = world.made("permit");
    assert_eq!((permit.used_date, permit.expiry()), (Some(date_message(date(2021, 4, 1))), Expiry::Used));
    assert_eq!(permit.coupling_state(), CouplingState::Broken);
    assert_eq!(world.rebuilt(), world.rows);
}

/// What two of one type keep is found by the day of both, and said once; reopened together, nothing keeps it.
#[test]
fn what_two_of_one_type_keep_is_kept_once_and_given_up_once() {
    let land = |id: &str, code: &str| of_type(coupled(id, code), "land");
    let mut world = applied(vec![
        land("handover", "land"),
        land("certificate", "deed"),
        ending(satisfying("approval", &["approval"]), "land"),
    ]);
    world.achieve("approval", date(2021, 4, 1)).unwrap();
    let events = together(&mut world, "certificate", None).unwrap();
    assert_eq!(updated(&events), ["approval"]);
    let approval = world.made("approval");
    assert_eq!((approval.expiry(), approval.used_date), (Expiry::Used, Some(date_message(DAY))));
    let events = world.reopen("handover").unwrap();
    assert_eq!(updated(&events), ["approval"]);
    let approval = world.made("approval");
    assert_eq!((approval.expiry(), approval.used_date), (Expiry::Valid, None));
    assert_eq!(world.rebuilt(), world.rows);
}

#[test]
fn what_one_of_two_waits_for_and_the_other_is_happened_on_their_day() {
    let waiting = ending(coupled("certificate", "deed"), "land");
    for items in [
        vec![waiting.clone(), of_type(coupled("handover", "land"), "land")],
        vec![of_type(coupled("handover", "land"), "land"), waiting],
    ] {
        let mut world = applied(items);
        let events = together(&mut world, "handover", None).unwrap();
        assert!(updated(&events).is_empty(), "it is achieved so");
        assert_eq!(world.made("certificate").used_date, Some(date_message(DAY)));
        world.reopen("certificate").unwrap();
        assert_eq!(world.made("certificate").used_date, None);
        assert_eq!(world.rebuilt(), world.rows);
    }
}

#[test]
fn a_start_that_achieves_two_satisfies_what_both_would_once() {
    let (mut world, mut registry) = World::with_projects(&["road"]);
    world.create_template("gov").unwrap();
    let start = |id: &str| of_type(satisfying(id, &["started"]), "constructionStart");
    world.version_in_force("v1", OLD, vec![start("phase-1"), start("phase-2")]);
    world.apply(None).unwrap();
    let event = ("milepost.project.started", Some(started("road", DAY)));
    let events = world.ingest(registry.append(vec![event])).unwrap();
    assert_eq!(world.made("phase-2").state(), Milestones::Achieved);
    assert_eq!(of_requirements(&events), [("requirement.satisfied", "phase-1")]);
    assert_eq!(world.satisfied(None), [("started".into(), "phase-1".into(), None)]);
    let events = world.reopen("phase-2").unwrap();
    assert_eq!(of_requirements(&events), [], "it satisfies nothing");
    let events = world.reopen("phase-1").unwrap();
    assert_eq!(of_requirements(&events), [("requirement.unsatisfied", "phase-1")]);
    assert_eq!(world.rebuilt(), world.rows);
}

/// office.md, section 0: outcomes of milestones gain `reported_date`, which is never later than the day.
#[test]
fn all_that_are_achieved_together_say_when_that_was_reported() {
    let mut world = applied(vec![coupled("handover", "land"), coupled("certificate", "deed")]);
    let early = together(&mut world, "handover", Some(date(2021, 5, 14))).unwrap_err();
    assert_eq!(faults(early), [("reported_date".to_owned(), "DATE_IN_FUTURE")]);
    // Whatever has not come is said at once, together or alone.
    let target = || Target { name: made("handover"), etag: None };
    let (never, to_come) = (Some(date(2021, 5, 15)), Some(date(2021, 5, 14)));
    let both = JointReport { actual: to_come, reason: String::new(), reported: never };
    let change = StateChange::Achieve(to_come);
    let alone = StateReport { change, reason: String::new(), reported: never };
    for act in [
        Custom::act(target(), both, achieve_coupled as Run<_, _, _>),
        Custom::act(target(), alone, change_state as Run<_, _, _>),
    ] {
        let refused = faults(world.submit(command(act)).unwrap_err());
        let future = ["actual_date", "reported_date"].map(|field| (field.to_owned(), "DATE_IN_FUTURE"));
        assert_eq!(refused, future);
    }
    let reported = date(2021, 5, 13);
    together(&mut world, "handover", Some(reported)).unwrap();
    for id in ["handover", "certificate"] {
        assert_eq!(world.made(id).outcome_reported_date, Some(date_message(reported)), "{id}");
    }
}
