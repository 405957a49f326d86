//! Applying templates and bringing projects up to later versions: what is made, kept, cancelled and refused.

use milepost_proto::event::v1::event::Payload;
use milepost_proto::event::v1::event::Resource;
use milepost_proto::registry::v1::{Portfolio as PortfolioMessage, WorkingCalendar};
use milepost_proto::tracker::v1::milestone::State as Milestones;

use super::*;

fn planned(items: Vec<TemplateItem>) -> World {
    let mut world = World::with_template();
    world.version_in_force("v1", OLD, items);
    world
}

fn baseline(world: &World, id: &str) -> Option<Date> {
    milepost_resource::date(world.made(id).baseline_date.as_ref())
}

#[test]
fn a_version_is_picked_by_the_day_and_its_milestones_have_their_dates() {
    let days = Unit::CalendarDays;
    let mut world = planned(vec![
        dated(item("survey"), Anchor::PlannedStart, -30, days),
        after(item("design"), "survey", 1, Unit::Months),
        dated(item("handover"), Anchor::PlannedEnd, 0, days),
        item("someday"),
        dated(item("opening"), Anchor::ProjectStart, 1, days),
    ]);
    world.version_in_force("v2", REFORM, vec![item("later")]);
    world.draft_version("v3", from(date(2021, 1, 1), vec![item("draft")])).unwrap();
    let none = world.apply(Some(date(2018, 12, 31))).unwrap_err();
    assert_eq!(unmet(none), [("NO_VERSION_IN_FORCE", "gov".to_owned())]);
    let future = world.apply(Some(date(2021, 5, 14))).unwrap_err();
    assert_eq!(faults(future), [("application_date".to_owned(), "DATE_IN_FUTURE")]);
    let events = world.apply(Some(date(2020, 6, 30))).unwrap();
    let made = ["survey", "design", "handover", "someday", "opening"];
    let created: Vec<_> = said(&events)
        .into_iter()
        .filter(|(kind, _)| *kind == "milestone.created")
        .map(|(_, id)| id)
        .collect();
    assert_eq!(created, made);
    assert_eq!(said(&events)[0], ("template.applied", "v1"));
    assert!(events[1..].iter().all(|event| !event.caused_by.is_empty()));
    let Some(Payload::TemplateApplied(applied)) = &events[0].payload else { panic!() };
    assert_eq!((applied.made.len(), applied.kept.len(), applied.cancelled.len()), (5, 0, 0));
    assert_eq!(events[0].project, road().to_string());
    let expected = [Some(date(2021, 1, 30)), Some(date(2021, 2, 28)), Some(date(2022, 2, 28)), None, None];
    assert_eq!(
        made.map(|id| baseline(&world, id)),
        expected,
        "months are clamped; what is not known has no date"
    );
    let survey = world.made("survey");
    assert_eq!(
        (survey.template_version, survey.template_item.as_str()),
        (version("v1").to_string(), "survey")
    );
    assert_eq!(survey.state, i32::from(Milestones::Planned));
    assert_eq!(world.rebuilt(), world.rows);
}

#[test]
fn a_template_is_applied_once_and_every_id_that_is_taken_is_named() {
    let mut world = planned(vec![item("a"), item("b"), item("c")]);
    world.create("a", None);
    world.create("c", None);
    world.act(made("c"), Action::Delete).unwrap();
    let rows = world.rows.clone();
    let taken = world.apply(None).unwrap_err();
    assert_eq!(unmet(taken), [("MILESTONE_EXISTS", "a".to_owned()), ("MILESTONE_EXISTS", "c".to_owned())]);
    assert_eq!(world.rows, rows, "nothing is made");
    let mut world = planned(vec![item("a")]);
    world.apply(None).unwrap();
    let again = world.apply(None).unwrap_err();
    assert_eq!(unmet(again), [("ALREADY_APPLIED", "a".to_owned())]);
}

#[test]
fn a_project_that_is_not_known_or_deleted_gets_nothing() {
    let mut world = planned(vec![item("a")]);
    let project: ProjectName = "portfolios/wsc/projects/never".parse().unwrap();
    let application = Application { project, which: None::<Date>, days: DAYS };
    let target = Target { name: template(), etag: None };
    let refused = world.submit(command(Custom::act(target, application, apply as Run<_, _, _>))).unwrap_err();
    assert!(matches!(refused, Rejection::NotFound { .. }), "{refused}");
}

#[test]
fn working_days_are_counted_by_the_calendar_of_the_day_of_the_application() {
    let (mut world, mut registry) = World::with_projects(&["road"]);
    world.create_template("gov").unwrap();
    let items = vec![dated(item("a"), Anchor::PlannedStart, 1, Unit::WorkingDays)];
    world.version_in_force("v1", OLD, items);
    let days = |days: &[Date]| days.iter().copied().map(date_message).collect();
    // The 2nd to the 4th of March 2021 are holidays by now, and the 6th, a Saturday, is worked.
    let calendar = WorkingCalendar {
        weekdays: vec![1, 2, 3, 4, 5],
        holidays: days(&[date(2021, 3, 2), date(2021, 3, 3), date(2021, 3, 4), date(2021, 3, 5)]),
        make_up_days: days(&[date(2021, 3, 6)]),
    };
    let Resource::PortfolioResource(portfolio) = crate::tests::registry::portfolio("wsc") else { panic!() };
    let extended = PortfolioMessage { working_calendar: Some(calendar), ..portfolio };
    let extended = Resource::PortfolioResource(extended);
    world.ingest(registry.append(vec![("milepost.portfolio.updated", Some(extended))])).unwrap();
    world.apply(None).unwrap();
    assert_eq!(baseline(&world, "a"), Some(date(2021, 3, 6)));
}

#[test]
fn an_upgrade_makes_what_is_new_keeps_what_is_achieved_and_cancels_the_open_rest() {
    let mut world = planned(vec![item("done"), item("gone"), item("kept")]);
    world.apply(Some(date(2020, 1, 1))).unwrap();
    world.achieve("done", date(2020, 2, 1)).unwrap();
    let evidence = |id: &str| TemplateItem { required_evidence: vec!["批复".into()], ..item(id) };
    world.version_in_force(
        "v2",
        REFORM,
        vec![item("done"), evidence("kept"), after(item("new"), "done", 1, Unit::Months)],
    );
    let events = world.upgrade("v2").unwrap();
    let changed: Vec<_> = said(&events).into_iter().filter(|(kind, _)| !kind.contains("overdue")).collect();
    let expected = [
        ("template.upgraded", "v2"),
        ("milestone.created", "new"),
        ("milestone.updated", "kept"),
        ("milestone.cancelled", "gone"),
    ];
    assert_eq!(changed, expected);
    let Some(Payload::TemplateApplied(applied)) = &events[0].payload else { panic!() };
    assert_eq!(applied.kept, [made("done").to_string(), made("kept").to_string()]);
    let done = world.made("done");
    assert_eq!((done.state(), done.template_version), (Milestones::Achieved, version("v1").to_string()));
    let kept = world.made("kept");
    assert_eq!(
        (kept.required_evidence, kept.template_version),
        (vec!["批复".to_owned()], version("v2").to_string())
    );
    assert_eq!(baseline(&world, "new"), Some(date(2020, 3, 1)), "counted from what happened");
    // Whoever does the same at the same time finds nothing to do.
    assert!(world.upgrade("v2").unwrap().is_empty());
    let earlier = world.upgrade("v1").unwrap_err();
    assert_eq!(unmet(earlier), [("NOT_LATER", "v2".to_owned())]);
    assert_eq!(world.rebuilt(), world.rows);
}

#[test]
fn an_upgrade_is_to_a_later_version_that_is_published_and_in_force_of_what_was_applied() {
    let mut world = planned(vec![item("a")]);
    world.version_in_force("v2", date(2021, 6, 1), vec![item("b")]);
    let refused = world.upgrade("v2").unwrap_err();
    assert_eq!(unmet(refused), [("NOT_IN_FORCE", "v2".to_owned()), ("NOT_APPLIED", "road".to_owned())]);
    world.apply(None).unwrap();
    world.draft_version("v3", from(REFORM, vec![item("b")])).unwrap();
    assert!(matches!(world.upgrade("v3").unwrap_err(), Rejection::WrongState { .. }));
    assert!(matches!(world.upgrade("never").unwrap_err(), Rejection::NotFound { .. }));
}

#[test]
fn an_upgrade_over_an_id_that_is_taken_changes_nothing() {
    let mut world = planned(vec![item("a"), item("b")]);
    world.apply(None).unwrap();
    world.create("c", None);
    world.version_in_force("v2", REFORM, vec![item("c")]);
    let rows = world.rows.clone();
    assert_eq!(unmet(world.upgrade("v2").unwrap_err()), [("MILESTONE_EXISTS", "c".to_owned())]);
    assert_eq!(world.rows, rows);
}

#[test]
fn items_whose_dates_are_beyond_the_years_are_named_all_at_once() {
    let far = |id: &str| dated(item(id), Anchor::PlannedEnd, 10_000, Unit::CalendarDays);
    let mut world = planned(vec![far("a"), item("b"), far("c")]);
    let end = Some(date(9999, 1, 1));
    let days = ProjectDays { planned_end: end, ..ProjectDays::default() };
    let application = Application { project: road(), which: None::<Date>, days };
    let target = Target { name: template(), etag: None };
    let refused = world.submit(command(Custom::act(target, application, apply as Run<_, _, _>))).unwrap_err();
    assert_eq!(
        unmet(refused),
        [("DATE_OUT_OF_RANGE", "a".to_owned()), ("DATE_OUT_OF_RANGE", "c".to_owned())]
    );
}

#[test]
fn five_hundred_items_are_made_in_one_entry() {
    let mut items = vec![dated(item("i0"), Anchor::PlannedStart, 0, Unit::WorkingDays)];
    items.extend(
        (1..500).map(|i| after(item(&format!("i{i}")), &format!("i{}", i - 1), 1, Unit::WorkingDays)),
    );
    let mut world = planned(items);
    let before = world.entries.len();
    let events = world.apply(None).unwrap();
    assert_eq!(world.entries.len(), before + 1);
    let count = kinds(&events).iter().filter(|kind| **kind == "milestone.created").count();
    assert_eq!(count, 500);
    // 499 working days are 99 weeks and 4 days.
    assert_eq!(baseline(&world, "i499"), Some(date(2023, 1, 27)));
    let bytes: usize = events.iter().map(prost::Message::encoded_len).sum();
    assert!(bytes < 4 << 20, "{bytes}");
    assert_eq!(world.rebuilt(), world.rows);
}

#[test]
fn what_a_template_made_and_is_achieved_is_not_deleted() {
    let mut world = planned(vec![item("a")]);
    world.apply(None).unwrap();
    world.achieve("a", date(2021, 5, 1)).unwrap();
    assert_eq!(unmet(world.act(made("a"), Action::Delete).unwrap_err()), [("ACHIEVED", "a".to_owned())]);
    world.reopen("a").unwrap();
    world.act(made("a"), Action::Delete).unwrap();
    let refused = world.apply(None).unwrap_err();
    assert_eq!(unmet(refused), [("MILESTONE_EXISTS", "a".to_owned())], "its id stays taken");
}
