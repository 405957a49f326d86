//! Applying templates and bringing projects up to later versions: what is made, kept, cancelled and refused.

use milepost_proto::event::v1::event::Payload;
use milepost_proto::event::v1::event::Resource;
use milepost_proto::registry::v1::{Period, Portfolio as PortfolioMessage, Project, WorkingCalendar};
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
    ]);
    world.version_in_force("v2", REFORM, vec![item("later")]);
    world.draft_version("v3", from(date(2021, 1, 1), vec![item("draft")])).unwrap();
    let none = world.apply(Some(date(2018, 12, 31))).unwrap_err();
    assert_eq!(unmet(none), [("NO_VERSION_IN_FORCE", "gov".to_owned())]);
    let future = world.apply(Some(date(2021, 5, 14))).unwrap_err();
    assert_eq!(faults(future), [("application_date".to_owned(), "DATE_IN_FUTURE")]);
    let events = world.apply(Some(date(2020, 6, 30))).unwrap();
    let made = ["survey", "design", "handover", "someday"];
    let created: Vec<_> = said(&events)
        .into_iter()
        .filter(|(kind, _)| *kind == "milestone.created")
        .map(|(_, id)| id)
        .collect();
    assert_eq!(created, made);
    assert_eq!(said(&events)[0], ("template.applied", "v1"));
    assert!(events[1..].iter().all(|event| !event.caused_by.is_empty()));
    let Some(Payload::TemplateApplied(applied)) = &events[0].payload else { panic!() };
    assert_eq!((applied.made.len(), applied.kept.len(), applied.cancelled.len()), (4, 0, 0));
    assert_eq!(events[0].project, road().to_string());
    let expected = [Some(date(2021, 1, 30)), Some(date(2021, 2, 28)), Some(date(2022, 2, 28)), None];
    assert_eq!(
        made.map(|id| baseline(&world, id)),
        expected,
        "months are clamped; what is counted from nothing has no date"
    );
    let survey = world.made("survey");
    assert_eq!(
        (survey.template_version, survey.template_item.as_str()),
        (version("v1").to_string(), "survey")
    );
    assert_eq!(survey.state, i32::from(Milestones::Planned));
    assert_eq!(world.rebuilt(), world.rows);
}

/// Items that are counted from the start of a project, from its planned start, and from its planned end.
fn anchored() -> Vec<TemplateItem> {
    let days = Unit::CalendarDays;
    vec![
        dated(item("opening"), Anchor::ProjectStart, 1, days),
        dated(item("survey"), Anchor::PlannedStart, -30, days),
        after(item("design"), "survey", 1, Unit::Months),
        dated(item("handover"), Anchor::PlannedEnd, 0, days),
        item("someday"),
    ]
}

/// A request that says none of the days of a project.
const SILENT: Dates =
    Dates { days: ProjectDays { start: None, planned_start: None, planned_end: None }, allow_undated: false };

/// The items, and the project `road` that is planned from April 2021 for two years and started in May.
fn scheduled() -> World {
    let (mut world, mut registry) = World::with_projects(&["road"]);
    world.create_template("gov").unwrap();
    world.version_in_force("v1", OLD, anchored());
    let period = |start, end| Some(Period { start_date: Some(date_message(start)), end_date: end });
    let Resource::ProjectResource(project) = crate::tests::registry::project("road") else { panic!() };
    let project = Project {
        planned_period: period(date(2021, 4, 1), Some(date_message(date(2023, 4, 1)))),
        actual_period: period(date(2021, 5, 10), None),
        etag: "9".into(),
        ..project
    };
    let updated = ("milepost.project.updated", Some(Resource::ProjectResource(project)));
    world.ingest(registry.append(vec![updated])).unwrap();
    world
}

#[test]
fn the_days_of_a_request_win_over_those_of_the_project() {
    let mut world = scheduled();
    world.apply_by(None, SILENT).unwrap();
    let ids = ["opening", "survey", "design", "handover", "someday"];
    let expected = [date(2021, 5, 11), date(2021, 3, 2), date(2021, 4, 2), date(2023, 4, 1)];
    assert_eq!(ids.map(|id| baseline(&world, id))[..4], expected.map(Some));
    assert_eq!(baseline(&world, "someday"), None);
    assert_eq!(world.rebuilt(), world.rows);
    let mut world = scheduled();
    let days =
        ProjectDays { start: Some(date(2021, 1, 1)), planned_end: Some(date(2022, 1, 1)), ..SILENT.days };
    world.apply_by(None, Dates { days, ..SILENT }).unwrap();
    let expected = [date(2021, 1, 2), date(2021, 3, 2), date(2021, 4, 2), date(2022, 1, 1)];
    assert_eq!(ids.map(|id| baseline(&world, id))[..4], expected.map(Some));
}

#[test]
fn a_day_that_nobody_says_is_refused_for_all_that_need_it_unless_they_may_be_undated() {
    let mut world = planned(anchored());
    let rows = world.rows.clone();
    let refused = world.apply_by(None, SILENT).unwrap_err();
    let said = refused.to_string();
    for field in ["give start_date,", "give planned_start_date,", "give planned_end_date,"] {
        assert!(said.contains(field), "{field}: {said}");
    }
    let unknown = |id: &str| ("DATE_UNKNOWN", id.to_owned());
    assert_eq!(unmet(refused), ["opening", "survey", "design", "handover"].map(unknown));
    let refused = world.apply(None).unwrap_err();
    assert_eq!(unmet(refused), [unknown("opening")], "the others are given");
    assert_eq!(world.rows, rows, "nothing is made");
    world.apply_by(None, Dates { allow_undated: true, ..GIVEN }).unwrap();
    assert_eq!(baseline(&world, "opening"), None);
    assert_eq!(baseline(&world, "handover"), DAYS.planned_end);
}

#[test]
fn an_upgrade_needs_the_days_of_what_it_makes_and_of_nothing_else() {
    let mut world = planned(anchored());
    world.apply_by(None, Dates { allow_undated: true, ..SILENT }).unwrap();
    let end = dated(item("opened"), Anchor::PlannedEnd, 1, Unit::CalendarDays);
    world.version_in_force("v2", REFORM, [anchored(), vec![end]].concat());
    let refused = world.upgrade_by("v2", SILENT).unwrap_err();
    assert_eq!(unmet(refused), [("DATE_UNKNOWN", "opened".to_owned())]);
    world.upgrade("v2").unwrap();
    assert_eq!(baseline(&world, "opened"), Some(date(2022, 3, 1)));
    assert_eq!(baseline(&world, "handover"), None, "what is there keeps its dates");
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
    // Another day is no help: what is to be known first comes first.
    let both = world.apply(Some(date(2018, 12, 31))).unwrap_err();
    assert_eq!(unmet(both), [("ALREADY_APPLIED", "a".to_owned()), ("NO_VERSION_IN_FORCE", "gov".to_owned())]);
}

#[test]
fn a_project_that_is_not_known_or_deleted_gets_nothing() {
    let mut world = planned(vec![item("a")]);
    let project: ProjectName = "portfolios/wsc/projects/never".parse().unwrap();
    let application = Application { project, which: None::<Date>, dates: GIVEN };
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

/// What a version dropped, a later one may have again; what somebody cancelled, nobody wants any more.
#[test]
fn what_an_upgrade_cancelled_is_open_again_if_a_later_version_has_it_again() {
    let mut world = planned(vec![item("kept"), item("dropped"), item("unwanted")]);
    world.apply(Some(date(2020, 1, 1))).unwrap();
    world.act(made("unwanted"), Action::Cancel { reason: "不再需要".into() }).unwrap();
    world.version_in_force("v2", REFORM, vec![item("kept")]);
    world.upgrade("v2").unwrap();
    assert_eq!(world.made("dropped").state(), Milestones::Cancelled);
    let again = TemplateItem { required_evidence: vec!["批复".into()], ..satisfying("dropped", &["eia"]) };
    world.version_in_force("v3", date(2021, 2, 3), vec![item("kept"), again, item("unwanted")]);
    let events = world.upgrade("v3").unwrap();
    let expected = [
        ("template.upgraded", "v3"),
        ("milestone.updated", "dropped"),
        ("milestone.updated", "kept"),
        ("milestone.reopened", "dropped"),
    ];
    assert_eq!(said(&events), expected);
    let Some(Payload::TemplateApplied(applied)) = &events[0].payload else { panic!() };
    assert_eq!(applied.kept, ["dropped", "kept", "unwanted"].map(|id| made(id).to_string()));
    let dropped = world.made("dropped");
    assert_eq!(
        (dropped.state(), dropped.template_version, dropped.required_evidence, dropped.state_reason),
        (
            Milestones::Planned,
            version("v3").to_string(),
            vec!["批复".to_owned()],
            format!("{} has the item again", version("v3"))
        )
    );
    assert_eq!(world.made("unwanted").state(), Milestones::Cancelled);
    assert!(world.upgrade("v3").unwrap().is_empty());
    let evidence = crate::tests::samples::evidence("批复");
    world.act(made("dropped"), Action::AddEvidence(evidence)).unwrap();
    world.achieve("dropped", date(2021, 5, 1)).unwrap();
    assert_eq!(world.codes("dropped"), ["eia"]);
    assert_eq!(world.rebuilt(), world.rows);
}

/// The words of an upgrade are anybody's, and so is a cancellation of what an upgrade dropped and a person reopened.
#[test]
fn what_somebody_cancelled_stays_cancelled_whatever_they_say() {
    let mut world = planned(vec![item("kept"), item("unwanted"), item("both")]);
    world.apply(Some(date(2020, 1, 1))).unwrap();
    let reason = format!("{} has no such item", version("v2"));
    world.act(made("unwanted"), Action::Cancel { reason: reason.clone() }).unwrap();
    world.version_in_force("v2", REFORM, vec![item("kept"), item("unwanted")]);
    world.upgrade("v2").unwrap();
    let both = world.made("both");
    assert_eq!((both.state(), both.dropped_by_upgrade), (Milestones::Cancelled, true));
    assert_eq!(both.state_reason, reason);
    world.act(made("both"), Action::Reopen { reason: "还需要".into() }).unwrap();
    world.act(made("both"), Action::Cancel { reason }).unwrap();
    world.version_in_force("v3", date(2021, 2, 3), vec![item("kept"), item("unwanted"), item("both")]);
    world.upgrade("v3").unwrap();
    for id in ["unwanted", "both"] {
        let milestone = world.made(id);
        assert_eq!((milestone.state(), milestone.dropped_by_upgrade), (Milestones::Cancelled, false), "{id}");
    }
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
    let refused = world.apply_by(None, Dates { days, ..GIVEN }).unwrap_err();
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

/// A refusal names all that does not hold.
#[test]
fn an_upgrade_before_its_version_is_in_force_is_refused_with_all_that_is_not_known() {
    let (mut world, _) = World::with_projects(&["road"]);
    world.create_template("gov").unwrap();
    world.version_in_force("v1", OLD, vec![item("a")]);
    let works = dated(item("works"), Anchor::ProjectStart, 0, Unit::CalendarDays);
    world.version_in_force("v2", date(2021, 2, 1), vec![item("a"), works, item("there")]);
    world.apply(Some(OLD)).unwrap();
    world.create("there", None);
    let refused = world.upgrade_on("v2", Some(date(2021, 1, 31)), GIVEN).unwrap_err();
    let all = [("NOT_IN_FORCE", "v2"), ("DATE_UNKNOWN", "works"), ("MILESTONE_EXISTS", "there")];
    assert_eq!(unmet(refused), all.map(|(kind, subject)| (kind, subject.to_owned())));
}

#[test]
fn an_upgrade_is_not_before_the_one_that_dropped_what_it_reopens() {
    let mut world = World::with_template();
    world.version_in_force("v1", OLD, vec![item("a"), item("b")]);
    world.version_in_force("v2", date(2020, 1, 1), vec![item("b")]);
    world.version_in_force("v3", date(2020, 2, 1), vec![item("a"), item("b")]);
    world.apply(Some(OLD)).unwrap();
    world.upgrade_on("v2", Some(date(2020, 6, 1)), GIVEN).unwrap();
    let early = world.upgrade_on("v3", Some(date(2020, 5, 31)), GIVEN).unwrap_err();
    assert_eq!(faults(early), [("date".to_owned(), "DATE_TOO_EARLY")]);
    world.upgrade_on("v3", Some(date(2020, 6, 1)), GIVEN).unwrap();
    assert_eq!(world.made("a").state_date, Some(date_message(date(2020, 6, 1))));
}
