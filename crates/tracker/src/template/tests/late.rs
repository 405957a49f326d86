//! What comes late ends as what came in time: a calendar after what it counts, a start before the template that awaits it.

use milepost_proto::event::v1::event::Resource;
use milepost_proto::registry::v1::{Portfolio as PortfolioMessage, WorkingCalendar};
use milepost_proto::tracker::v1::milestone::{Expiry, State as Milestones};

use super::*;
use crate::source::SourceEntry;
use crate::tests::Registry;
use crate::tests::registry::{portfolio, started};

const START: Date = date(2021, 5, 12);

/// A milestone without what differs with the entry that it is of.
fn timeless(milestone: Milestone) -> Milestone {
    Milestone { etag: String::new(), create_time: None, update_time: None, ..milestone }
}

fn all(world: &World, ids: &[&str]) -> Vec<Milestone> {
    ids.iter().map(|id| timeless(world.made(id))).collect()
}

/// An approval that holds two years without a start, and may be extended once, filed 30 working days before.
fn approval(id: &str) -> TemplateItem {
    let validity = MilestoneValidity {
        months: 24,
        until_type: "constructionStart".into(),
        extensions: 1,
        extension_months: 12,
        file_before_working_days: 30,
    };
    TemplateItem { validity: Some(validity), ..satisfying(id, &[id]) }
}

fn start(id: &str) -> TemplateItem {
    TemplateItem { r#type: "constructionStart".into(), ..satisfying(id, &["started"]) }
}

/// The portfolio's working calendar is this from now on.
fn recalendared(registry: &mut Registry, working_calendar: Option<WorkingCalendar>) -> SourceEntry {
    let Resource::PortfolioResource(portfolio) = portfolio("wsc") else { panic!() };
    let portfolio = PortfolioMessage { working_calendar, ..portfolio };
    registry.append_events(vec![Event {
        r#type: "milepost.portfolio.updated".into(),
        changed_fields: vec!["working_calendar".into()],
        resource: Some(Resource::PortfolioResource(portfolio)),
        ..Event::default()
    }])
}

/// All seven days are worked: thirty of them before 20 July 2022 is 20 June, not 8 June.
fn all_days() -> Option<WorkingCalendar> {
    Some(WorkingCalendar { weekdays: (1..=7).collect(), ..WorkingCalendar::default() })
}

/// No day between 1 May and 14 July 2022 is worked: thirty before 20 July 2022 is 24 March.
fn long_holiday() -> Option<WorkingCalendar> {
    let first = date(2022, 5, 1);
    let days = (0..75).map(|n| date_message(first.saturating_add(jiff::Span::new().days(n))));
    Some(WorkingCalendar { holidays: days.collect(), ..WorkingCalendar::default() })
}

/// Approvals of 20 July 2020: one that is valid, and one that may no longer be extended.
fn approve(world: &mut World) {
    world.version_in_force("v1", OLD, vec![approval("approval"), approval("extended"), start("start")]);
    world.apply(None).unwrap();
    for id in ["approval", "extended"] {
        world.achieve(id, date(2020, 7, 20)).unwrap();
    }
    let target = Target { name: made("extended"), etag: None };
    let year =
        Extend { filed: Some(date(2021, 5, 1)), until: date(2023, 7, 20), reason: "征地延误".into() };
    world.submit(command(Custom::act(target, year, extend as Run<_, _, _>))).unwrap();
}

/// A world with these approvals, on a day, whose calendar comes before them or on that day; what that said.
fn counted(calendar: &Option<WorkingCalendar>, first: bool, day: Date) -> (World, Registry, Vec<Event>) {
    let (mut world, mut registry) = World::with_projects(&["road"]);
    world.create_template("gov").unwrap();
    world.advance(date(2021, 5, 13)).unwrap();
    if first {
        world.ingest(recalendared(&mut registry, calendar.clone())).unwrap();
    }
    approve(&mut world);
    world.now = format!("{day}T04:00:00Z").parse().unwrap();
    world.advance(day).unwrap();
    let said = match first {
        true => Vec::new(),
        false => world.ingest(recalendared(&mut registry, calendar.clone())).unwrap(),
    };
    (world, registry, said)
}

fn extended(world: &mut World, filed: Date) -> Result<Vec<Event>, Rejection> {
    let target = Target { name: made("approval"), etag: None };
    let until = date(2023, 7, 20);
    let year = Extend { filed: Some(filed), until, reason: "征地延误".into() };
    world.submit(command(Custom::act(target, year, extend as Run<_, _, _>)))
}

/// office.md, section 7: one extension ≤ 1 year, filed ≥ 30 working days before.
#[test]
fn a_calendar_that_comes_late_moves_the_last_day_to_file_and_announces_what_it_brings_near() {
    let ids = ["approval", "extended", "start"];
    for (calendar, day, file_by, kind) in [
        // To come, near and over.
        (all_days(), date(2022, 1, 10), date(2022, 6, 20), "milestone.updated"),
        (all_days(), date(2022, 5, 15), date(2022, 6, 20), "milestone.updated"),
        (all_days(), date(2022, 8, 1), date(2022, 6, 20), "milestone.updated"),
        (long_holiday(), date(2022, 1, 10), date(2022, 3, 24), "milestone.updated"),
        (long_holiday(), date(2022, 3, 1), date(2022, 3, 24), "milestone.expiring"),
        (long_holiday(), date(2022, 8, 1), date(2022, 3, 24), "milestone.updated"),
    ] {
        let (mut late, mut registry, events) = counted(&calendar, false, day);
        let (mut early, ..) = counted(&calendar, true, day);
        assert_eq!(all(&late, &ids), all(&early, &ids), "{day}");
        assert_eq!(late.made("approval").file_by, Some(date_message(file_by)), "{day}");
        assert_eq!(said(&events)[1..], [(kind, "approval")], "{day}");
        assert_eq!(events[1].caused_by, format!("{}/{}/0", registry.log, registry.tail().sequence));
        assert_eq!(events[1].event_date, Some(date_message(day)));
        assert_eq!(late.rebuilt(), late.rows);
        let again = late.ingest(recalendared(&mut registry, calendar)).unwrap();
        assert_eq!(kinds(&again), ["source.followed"], "it is the same calendar");
        // It may be filed on the day that it says, and not on the next.
        for world in [&mut late, &mut early] {
            if file_by < day {
                let refused = extended(world, file_by.tomorrow().unwrap()).unwrap_err();
                assert_eq!(unmet(refused), [("TOO_LATE", "approval".to_owned())], "{day}");
                extended(world, file_by).unwrap();
            } else {
                extended(world, day).unwrap();
            }
        }
        assert_eq!(all(&late, &ids), all(&early, &ids), "{day}");
        assert_eq!(late.rebuilt(), late.rows);
    }
}

/// What does not fit one entry goes on in the next, and one that cannot be read is named and keeps no other from it.
#[test]
fn a_calendar_that_comes_late_moves_each_of_many_once() {
    let (mut world, mut registry) = World::with_projects(&["road"]);
    world.create_template("gov").unwrap();
    world.advance(date(2021, 5, 13)).unwrap();
    let ids: Vec<String> = (0..40).map(|i| format!("a{i:02}")).collect();
    let items = ids.iter().map(|id| approval(id)).chain([start("start")]);
    world.version_in_force("v1", OLD, items.collect());
    world.apply(None).unwrap();
    for id in &ids {
        world.achieve(id, date(2020, 7, 20)).unwrap();
    }
    let row = world.damage(&made("a07"));
    world.domain.part_bytes = 4 << 10;
    let count = world.entries.len();
    let events = world.ingest(recalendared(&mut registry, all_days())).unwrap();
    assert!(world.entries.len() > count + 2, "{}", world.entries.len() - count);
    let moved: Vec<_> = events.iter().filter(|event| event.r#type == "milepost.milestone.updated").collect();
    let moved: Vec<_> = moved.iter().map(|event| event.subject.rsplit('/').next().unwrap()).collect();
    let others: Vec<_> = ids.iter().filter(|id| *id != "a07").collect();
    assert_eq!(moved, others);
    let skipped = events.iter().find(|event| event.r#type == "milepost.source.skipped").unwrap();
    assert!(format!("{skipped:?}").contains("a07"), "{skipped:?}");
    world.put_row(&made("a07"), row);
    assert_eq!(world.rebuilt(), world.rows);
}

/// A world with a template whose approval waits for the start of the project, and what comes to it.
struct Story {
    world: World,
    registry: Registry,
}

impl Story {
    fn new() -> Self {
        let (mut world, registry) = World::with_projects(&["road"]);
        world.create_template("gov").unwrap();
        world.advance(date(2021, 5, 13)).unwrap();
        let date_of = |item| dated(item, Anchor::ProjectStart, 0, Unit::CalendarDays);
        let works = TemplateItem { required_evidence: vec!["开工令".into()], ..date_of(start("works")) };
        world.version_in_force("v1", OLD, vec![approval("approval"), item("other"), start("start"), works]);
        Self { world, registry }
    }

    fn apply(&mut self) -> Vec<Event> {
        let days = ProjectDays { start: Some(START), ..DAYS };
        self.world.apply_by(None, Dates { days, allow_undated: false }).unwrap()
    }

    fn start(&mut self) -> Vec<Event> {
        self.world.ingest(self.registry.start(&["road"], START)).unwrap()
    }

    fn approve(&mut self) {
        self.world.achieve("approval", date(2020, 7, 20)).unwrap();
    }

    fn end(mut self) -> Vec<Milestone> {
        self.world.now = "2023-01-01T04:00:00Z".parse().unwrap();
        self.world.advance(date(2023, 1, 1)).unwrap();
        assert_eq!(self.world.rebuilt(), self.world.rows);
        all(&self.world, &["approval", "other", "start", "works"])
    }
}

/// An approval does not lapse of a project that started, whenever the template is applied.
#[test]
fn a_template_that_is_applied_after_the_start_ends_as_one_that_was_applied_before() {
    let mut before = Story::new();
    before.apply();
    before.approve();
    let events = before.start();
    let expected = [
        ("milestone.achieved", "start"),
        ("requirement.satisfied", "start"),
        ("milestone.updated", "approval"),
        ("milestone.achieved", "works"),
    ];
    assert_eq!(said(&events)[1..], expected);
    let mut after = Story::new();
    after.start();
    let events = after.apply();
    let made = events.iter().filter(|event| !event.r#type.ends_with("due_soon"));
    let made: Vec<_> = made.cloned().collect();
    let expected = [
        ("template.applied", "v1"),
        ("milestone.created", "approval"),
        ("milestone.created", "other"),
        ("milestone.created", "start"),
        ("milestone.created", "works"),
        ("milestone.achieved", "start"),
        ("requirement.satisfied", "start"),
        ("milestone.achieved", "works"),
    ];
    assert_eq!(
        said(&made).into_iter().filter(|(kind, _)| *kind != "milestone.overdue").collect::<Vec<_>>(),
        expected
    );
    let achieved = made.iter().filter(|event| event.r#type.ends_with("achieved"));
    assert!(achieved.clone().all(|event| event.caused_by == events[0].event_id));
    assert!(achieved.clone().all(|event| event.event_date == Some(date_message(START))));
    after.approve();
    assert_eq!(after.world.made("approval").expiry(), Expiry::Used);
    assert_eq!(after.world.made("start").state_reason, before.world.made("start").state_reason);
    assert_eq!(after.end(), before.end());
}

#[test]
fn a_start_milestone_that_an_upgrade_brings_is_achieved_by_the_start_that_was() {
    let version = || vec![approval("approval"), item("other"), start("start"), start("works")];
    let typed = |kind: &str| TemplateItem { r#type: kind.into(), ..start("works") };
    let story = || {
        let (mut world, registry) = World::with_projects(&["road"]);
        world.create_template("gov").unwrap();
        world.advance(date(2021, 5, 13)).unwrap();
        // `works` is there, of another type; `start` is not.
        let approval = TemplateItem { validity: None, ..approval("approval") };
        world.version_in_force("v1", OLD, vec![approval, item("other"), typed("works")]);
        world.version_in_force("v2", REFORM, version());
        Story { world, registry }
    };
    let mut before = story();
    before.world.apply(Some(OLD)).unwrap();
    before.world.upgrade("v2").unwrap();
    before.start();
    let mut after = story();
    after.start();
    after.world.apply(Some(OLD)).unwrap();
    assert_eq!(after.world.made("works").state(), Milestones::Planned, "it awaits no start yet");
    let events = after.world.upgrade("v2").unwrap();
    let achieved = said(&events).into_iter().filter(|(kind, _)| *kind == "milestone.achieved");
    assert_eq!(achieved.map(|(_, id)| id).collect::<Vec<_>>(), ["start", "works"]);
    // What a person reopened stays as that person left it.
    for story in [&mut before, &mut after] {
        story.approve();
        assert_eq!(story.world.made("approval").expiry(), Expiry::Used);
        story.world.reopen("works").unwrap();
        let more = [version(), vec![item("more")]].concat();
        story.world.version_in_force("v3", date(2021, 1, 1), more);
        story.world.upgrade("v3").unwrap();
        assert_eq!(story.world.made("works").state(), Milestones::Planned);
    }
    assert_eq!(after.end(), before.end());
}

/// An approval that was achieved before is kept by a start milestone that an upgrade brings.
#[test]
fn an_approval_is_kept_by_a_start_milestone_that_comes_after_it() {
    let (mut world, mut registry) = World::with_projects(&["road"]);
    world.create_template("gov").unwrap();
    world.advance(date(2021, 5, 13)).unwrap();
    world.version_in_force("v1", OLD, vec![approval("approval"), start("gone")]);
    world.version_in_force("v2", REFORM, vec![approval("approval"), start("start")]);
    world.apply(Some(OLD)).unwrap();
    world.act(made("gone"), Action::Cancel { reason: "不再需要".into() }).unwrap();
    world.achieve("approval", date(2020, 7, 20)).unwrap();
    world.ingest(registry.start(&["road"], START)).unwrap();
    assert_eq!(world.made("approval").expiry(), Expiry::Valid);
    let events = world.upgrade("v2").unwrap();
    assert!(said(&events).contains(&("milestone.updated", "approval")), "{:?}", said(&events));
    let approval = world.made("approval");
    assert_eq!((approval.expiry(), approval.used_date), (Expiry::Used, Some(date_message(START))));
    assert_eq!(world.rebuilt(), world.rows);
}

/// The registry corrects the day on which the project `road` started.
fn corrected(registry: &mut Registry, day: Date) -> SourceEntry {
    registry.append_events(vec![Event {
        r#type: "milepost.project.updated".into(),
        changed_fields: vec!["actual_period".into()],
        resource: Some(started("road", day)),
        ..Event::default()
    }])
}

/// office.md, section 7: a start on the last day is in time, one on the day after is not.
#[test]
fn a_start_whose_day_is_corrected_moves_what_it_achieved_and_what_that_keeps() {
    let (mut world, mut registry) = World::with_projects(&["road"]);
    world.create_template("gov").unwrap();
    world.advance(date(2021, 5, 13)).unwrap();
    world.version_in_force("v1", OLD, vec![approval("approval"), start("start"), start("works")]);
    world.apply(None).unwrap();
    world.achieve("approval", date(2019, 5, 12)).unwrap();
    world.ingest(registry.start(&["road"], START)).unwrap();
    assert_eq!(world.made("approval").expiry(), Expiry::Used);
    let (count, day) = (world.entries.len(), date(2021, 5, 13));
    let events = world.ingest(corrected(&mut registry, day)).unwrap();
    let expected = [
        ("milestone.achieved", "start"),
        ("milestone.updated", "approval"),
        ("milestone.expired", "approval"),
        ("requirement.unsatisfied", "approval"),
        ("milestone.achieved", "works"),
    ];
    assert_eq!((&said(&events)[1..], world.entries.len()), (&expected[..], count + 1));
    assert_eq!(events[1].caused_by, format!("{}/{}/0", registry.log, registry.tail().sequence));
    assert!(events[1..].iter().all(|event| event.event_date.is_none_or(|on| on == date_message(day))));
    for id in ["start", "works"] {
        assert_eq!(world.made(id).actual_date, Some(date_message(day)), "{id}");
    }
    assert_eq!(world.made("approval").expiry(), Expiry::Expired);
    assert_eq!(world.codes("start"), ["started"]);
    world.ingest(corrected(&mut registry, START)).unwrap();
    assert_eq!(world.made("approval").expiry(), Expiry::Used);
    let again = world.ingest(corrected(&mut registry, START)).unwrap();
    assert_eq!(kinds(&again), ["source.followed"], "it is the same day");
    assert_eq!(world.rebuilt(), world.rows);
}

/// What was granted stays granted, and once.
#[test]
fn a_start_that_was_extended_stays_so_when_its_day_is_corrected() {
    let (mut world, mut registry) = World::with_projects(&["road"]);
    world.create_template("gov").unwrap();
    world.advance(date(2021, 5, 13)).unwrap();
    let validity = approval("start")
        .validity
        .map(|validity| MilestoneValidity { until_type: "finish".into(), ..validity });
    let finish = TemplateItem { r#type: "finish".into(), ..satisfying("finish", &["finish"]) };
    world.version_in_force("v1", OLD, vec![TemplateItem { validity, ..start("start") }, finish]);
    world.apply(None).unwrap();
    world.ingest(registry.start(&["road"], START)).unwrap();
    let until = date(2024, 5, 1);
    let mut grant = || {
        let target = Target { name: made("start"), etag: None };
        let extend_by = Extend { filed: Some(date(2021, 5, 13)), until, reason: "征地延误".into() };
        world.submit(command(Custom::act(target, extend_by, extend as Run<_, _, _>)))
    };
    grant().unwrap();
    let refused = grant().unwrap_err();
    world.ingest(corrected(&mut registry, date(2021, 5, 13))).unwrap();
    let start = world.made("start");
    assert_eq!(
        (start.actual_date, start.valid_until),
        (Some(date_message(date(2021, 5, 13))), Some(date_message(until)))
    );
    assert_eq!(start.extensions.len(), 1, "{refused:?}");
    assert_eq!(world.rebuilt(), world.rows);
}

#[test]
fn a_day_that_somebody_gave_is_not_moved_by_a_corrected_start() {
    let (mut world, mut registry) = World::with_projects(&["road"]);
    world.create_template("gov").unwrap();
    world.version_in_force("v1", OLD, vec![start("own"), start("open")]);
    world.apply(None).unwrap();
    world.achieve("own", date(2021, 5, 10)).unwrap();
    world.ingest(registry.start(&["road"], START)).unwrap();
    world.reopen("open").unwrap();
    let events = world.ingest(corrected(&mut registry, date(2021, 5, 11))).unwrap();
    assert_eq!(kinds(&events), ["source.followed"]);
    assert_eq!(world.made("own").actual_date, Some(date_message(date(2021, 5, 10))));
    assert_eq!(world.made("open").state(), Milestones::Planned);
}
