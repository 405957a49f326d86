//! What milestones bring ends: by days, one by one, and is kept by what happens in time, or extended.

use milepost_proto::tracker::v1::milestone::Expiry;

use super::*;
use crate::tests::world::advance;

const APPROVED: Date = date(2020, 7, 20);

/// A world in which `approval` was achieved on 20 July 2020, to end two years later unless `start` happened; it satisfies
/// `approval` as long, `eia` for five years.
fn approved() -> World {
    let mut world = World::with_template();
    world.advance(date(2021, 5, 13)).unwrap();
    let validity = MilestoneValidity {
        months: 24,
        until_type: "constructionStart".into(),
        extensions: 1,
        extension_months: 12,
        file_before_working_days: 30,
    };
    let satisfies = |code: &str, validity_months| TemplateRequirement { code: code.into(), validity_months };
    let approval = TemplateItem {
        validity: Some(validity),
        satisfies: vec![satisfies("approval", 0), satisfies("eia", 60)],
        ..item("approval")
    };
    let start = TemplateItem { r#type: "constructionStart".into(), ..item("start") };
    world.version_in_force("v1", OLD, vec![approval, start]);
    world.apply(None).unwrap();
    world.achieve("approval", APPROVED).unwrap();
    world
}

fn at(world: &mut World, day: Date) -> Vec<(String, Option<Date>)> {
    world.now = format!("{day}T04:00:00Z").parse().unwrap();
    let events = world.advance(day).unwrap();
    let of_template =
        |event: &&Event| ["expir", "requirement"].iter().any(|kind| event.r#type.contains(kind));
    let date = |event: &Event| milepost_resource::date(event.event_date.as_ref());
    let events = events.iter().filter(of_template);
    events.map(|event| (event.r#type["milepost.".len()..].to_owned(), date(event))).collect()
}

fn extension(filed: Date, until: Date) -> crate::command::Command {
    let target = Target { name: made("approval"), etag: None };
    let extend_by = Extend { filed: Some(filed), until, reason: "征地延误".into() };
    command(Custom::act(target, extend_by, extend as Run<_, _, _>))
}

/// office.md, section 7: approved 2020-07-20; expired on 2022-07-21; announced once, day by day after downtime.
#[test]
fn what_is_not_made_use_of_expires_the_day_after_its_last_one() {
    let mut world = approved();
    assert_eq!(world.made("approval").file_by, Some(date_message(date(2022, 6, 8))));
    assert_eq!(at(&mut world, date(2022, 5, 8)), []);
    assert_eq!(at(&mut world, date(2022, 5, 9)), [("milestone.expiring".to_owned(), Some(date(2022, 5, 9)))]);
    assert_eq!(at(&mut world, date(2022, 7, 20)), []);
    let until = Some(date(2022, 7, 20));
    assert_eq!(world.satisfied(None)[0], ("approval".into(), "approval".into(), until));
    let day = Some(date(2022, 7, 21));
    let expired = [("milestone.expired".to_owned(), day), ("requirement.unsatisfied".to_owned(), day)];
    assert_eq!(at(&mut world, date(2022, 7, 21)), expired);
    assert_eq!(world.codes("approval"), ["eia"], "that holds five years");
    assert_eq!(world.satisfied(Some(date(2022, 7, 20))).len(), 2, "on that day both held");
    assert_eq!(world.rebuilt(), world.rows);
    // Nobody was there for three years.
    let later = [("requirement.unsatisfied".to_owned(), Some(date(2025, 7, 21)))];
    assert_eq!(at(&mut world, date(2025, 12, 31)), later);
    assert_eq!(world.rebuilt(), world.rows);
}

#[test]
fn downtime_makes_the_same_events_on_the_same_days() {
    let mut world = approved();
    let all = at(&mut world, date(2022, 12, 31));
    let expired = Some(date(2022, 7, 21));
    let expected = [
        ("milestone.expiring".to_owned(), Some(date(2022, 5, 9))),
        ("milestone.expired".to_owned(), expired),
        ("requirement.unsatisfied".to_owned(), expired),
    ];
    assert_eq!(all, expected);
    assert_eq!(world.rebuilt(), world.rows);
}

/// office.md, section 7: a start on 2022-07-20 is in time.
#[test]
fn a_start_on_the_last_day_keeps_it_and_one_on_the_day_after_does_not() {
    for (start, expected) in [(date(2022, 7, 20), Expiry::Used), (date(2022, 7, 21), Expiry::Expired)] {
        let mut world = approved();
        at(&mut world, date(2022, 7, 19));
        at(&mut world, start);
        world.achieve("start", start).unwrap();
        at(&mut world, date(2026, 1, 1));
        assert_eq!(world.made("approval").expiry(), expected, "{start}");
        let codes: &[&str] = if expected == Expiry::Used { &["approval", "eia"] } else { &["eia"] };
        // The five years of `eia` are kept by either start.
        assert_eq!(world.codes("approval"), codes, "{start}");
        assert_eq!(world.rebuilt(), world.rows);
    }
}

#[test]
fn a_start_that_is_reported_late_takes_the_end_back_and_one_that_is_reopened_brings_it_again() {
    let mut world = approved();
    at(&mut world, date(2022, 8, 1));
    assert_eq!(world.made("approval").expiry(), Expiry::Expired);
    let events = world.achieve("start", date(2022, 7, 20)).unwrap();
    let expected = [
        ("milestone.achieved", "start"),
        ("milestone.updated", "approval"),
        ("requirement.satisfied", "approval"),
    ];
    assert_eq!(said(&events), expected);
    assert_eq!(world.made("approval").expiry(), Expiry::Used);
    let events = world.reopen("start").unwrap();
    let expected = [
        ("milestone.reopened", "start"),
        ("milestone.updated", "approval"),
        ("milestone.expired", "approval"),
        ("requirement.unsatisfied", "approval"),
    ];
    assert_eq!(said(&events), expected);
    assert_eq!(world.rebuilt(), world.rows);
}

#[test]
fn the_start_that_the_registry_says_keeps_it_too() {
    let (mut world, mut registry) = World::with_projects(&["road"]);
    world.create_template("gov").unwrap();
    let other = approved();
    let version = other.stored_version("v1");
    world.draft_version("v1", from(OLD, version.items)).unwrap();
    world.publish_version("v1", None).unwrap();
    world.apply(None).unwrap();
    world.achieve("approval", APPROVED).unwrap();
    world.ingest(registry.start(&["road"], date(2021, 5, 12))).unwrap();
    assert_eq!(world.made("approval").expiry(), Expiry::Used);
    assert_eq!(world.made("approval").next_expiry_date, None);
}

#[test]
fn a_start_that_was_deleted_when_the_registry_said_it_keeps_it_when_it_is_back() {
    let (mut world, mut registry) = World::with_projects(&["road"]);
    world.create_template("gov").unwrap();
    world.version_in_force("v1", OLD, approved().stored_version("v1").items);
    world.apply(None).unwrap();
    world.achieve("approval", APPROVED).unwrap();
    world.act(made("start"), Action::Delete).unwrap();
    world.ingest(registry.start(&["road"], date(2021, 5, 12))).unwrap();
    assert_eq!(world.made("approval").expiry(), Expiry::Valid);
    let events = world.act(made("start"), Action::Undelete).unwrap();
    let expected = [
        ("milestone.undeleted", "start"),
        ("milestone.achieved", "start"),
        ("milestone.updated", "approval"),
    ];
    assert_eq!(said(&events), expected);
    assert_eq!(world.made("approval").expiry(), Expiry::Used);
    assert_eq!(at(&mut world, date(2022, 12, 31)), []);
    assert_eq!(world.rebuilt(), world.rows);
}

/// office.md, section 7, F[SW]: three years, then re-review if not started.
#[test]
fn a_requirement_of_three_years_is_open_again_after_them_unless_the_project_started() {
    let (achieved, last, after) = (date(2020, 6, 10), date(2023, 6, 10), date(2023, 6, 11));
    for (start, is_kept) in [(None, false), (Some(last), true), (Some(after), false)] {
        let (mut world, mut registry) = World::with_projects(&["road"]);
        world.create_template("gov").unwrap();
        let until_start =
            MilestoneValidity { until_type: "constructionStart".into(), ..MilestoneValidity::default() };
        let soil_water = TemplateItem {
            validity: Some(until_start),
            satisfies: vec![TemplateRequirement { code: "soil-water".into(), validity_months: 36 }],
            ..item("soil-water")
        };
        let begins = TemplateItem { r#type: "constructionStart".into(), ..item("start") };
        world.version_in_force("v1", OLD, vec![soil_water, begins]);
        world.apply(Some(date(2020, 6, 1))).unwrap();
        world.achieve("soil-water", achieved).unwrap();
        assert_eq!(at(&mut world, last), []);
        let by = |until| ("soil-water".to_owned(), "soil-water".to_owned(), until);
        assert_eq!(world.satisfied(None), [by(Some(last))]);
        if let Some(start) = start {
            at(&mut world, start);
            world.ingest(registry.start(&["road"], start)).unwrap();
        }
        let events = at(&mut world, date(2026, 1, 1));
        let ends = [("requirement.unsatisfied".to_owned(), Some(after))];
        // Said on the day after the last one already, if that is when it started.
        assert_eq!(events, if start.is_none() { &ends[..] } else { &[] }, "{start:?}");
        assert_eq!(world.satisfied(None), if is_kept { vec![by(None)] } else { Vec::new() }, "{start:?}");
        assert_eq!(world.satisfied(Some(last)).len(), 1, "on that day it held");
        if !is_kept {
            world.reopen("soil-water").unwrap();
            world.achieve("soil-water", date(2025, 12, 1)).unwrap();
            assert_eq!(world.codes("soil-water"), ["soil-water"], "reviewed again");
        }
        assert_eq!(world.rebuilt(), world.rows);
    }
}

/// office.md, section 7: one extension of a year at most, filed by 2022-06-08.
#[test]
fn an_extension_is_filed_in_time_granted_once_and_no_longer_than_a_year() {
    let mut world = approved();
    at(&mut world, date(2022, 7, 25));
    let rows = world.rows.clone();
    let both = world.submit(extension(date(2022, 6, 9), date(2023, 7, 21))).unwrap_err();
    assert_eq!(unmet(both), [("TOO_LATE", "approval".to_owned()), ("TOO_LONG", "approval".to_owned())]);
    let days = world.submit(extension(date(2020, 7, 19), date(2022, 7, 20))).unwrap_err();
    let early = ["filed_date", "valid_until"].map(|field| (field.to_owned(), "DATE_TOO_EARLY"));
    assert_eq!(faults(days), early);
    let future = world.submit(extension(date(2022, 7, 26), date(2023, 7, 20))).unwrap_err();
    assert_eq!(faults(future), [("filed_date".to_owned(), "DATE_IN_FUTURE")]);
    let both = world.submit(extension(date(2022, 7, 26), date(2022, 7, 20))).unwrap_err();
    let of_both = [("filed_date", "DATE_IN_FUTURE"), ("valid_until", "DATE_TOO_EARLY")];
    assert_eq!(faults(both), of_both.map(|(field, reason)| (field.to_owned(), reason)));
    assert_eq!(world.rows, rows);
    // Filed on the last day, recorded after the end: it did not end.
    let events = world.submit(extension(date(2022, 6, 8), date(2023, 7, 20))).unwrap();
    assert_eq!(said(&events), [("milestone.extended", "approval"), ("requirement.satisfied", "approval")]);
    let again = world.submit(extension(date(2022, 6, 8), date(2024, 7, 20))).unwrap_err();
    assert_eq!(unmet(again), [("ALREADY_EXTENDED", "approval".to_owned())]);
    let day = Some(date(2023, 7, 21));
    let expected = [
        ("milestone.expiring".to_owned(), Some(date(2023, 6, 20))),
        ("milestone.expired".to_owned(), day),
        ("requirement.unsatisfied".to_owned(), day),
    ];
    assert_eq!(at(&mut world, date(2024, 1, 1)), expected);
    assert_eq!(world.rebuilt(), world.rows);
}

#[test]
fn what_does_not_end_or_was_used_is_not_extended() {
    let mut world = approved();
    world.achieve("start", date(2021, 5, 1)).unwrap();
    let used = world.submit(extension(date(2021, 5, 1), date(2023, 7, 20))).unwrap_err();
    assert_eq!(unmet(used), [("ALREADY_USED", "approval".to_owned())]);
    let target = Target { name: made("start"), etag: None };
    let asked = Extend { filed: None, until: date(2023, 7, 20), reason: "x".into() };
    let never = world.submit(command(Custom::act(target, asked, extend as Run<_, _, _>))).unwrap_err();
    assert_eq!(unmet(never), [("NOT_EXTENDABLE", "start".to_owned())]);
    world.reopen("approval").unwrap();
    let open = world.submit(extension(date(2021, 5, 1), date(2023, 7, 20))).unwrap_err();
    assert!(matches!(open, Rejection::WrongState { .. }), "{open}");
}

/// Of a day that takes several entries each is made once, wherever one ends.
#[test]
fn a_sweep_that_is_broken_off_goes_on_and_says_nothing_twice() {
    let mut world = World::with_template();
    let validity = MilestoneValidity { months: 24, ..MilestoneValidity::default() };
    let approval = |i: usize| TemplateItem {
        validity: Some(validity.clone()),
        ..satisfying(&format!("a{i}"), &[&format!("r{i}")])
    };
    world.version_in_force("v1", OLD, (0..40).map(approval).collect());
    world.apply(None).unwrap();
    for i in 0..40 {
        world.achieve(&format!("a{i}"), APPROVED).unwrap();
    }
    at(&mut world, date(2022, 7, 20));
    world.domain.part_bytes = 4 << 10;
    let day = date(2022, 7, 21);
    world.now = format!("{day}T04:00:00Z").parse().unwrap();
    let (mut parts, mut expired) = (0, Vec::new());
    loop {
        let events = world.submit(advance(day)).unwrap();
        if events.is_empty() {
            break;
        }
        parts += 1;
        let of_kind = events.iter().filter(|event| event.r#type == "milepost.milestone.expired");
        expired.extend(of_kind.map(|event| event.subject.clone()));
        // The process stops, and its rows are made anew.
        world.rows = world.rebuilt();
    }
    assert!(parts > 2, "{parts}");
    let count = expired.len();
    expired.sort_unstable();
    expired.dedup();
    assert_eq!((count, expired.len()), (40, 40), "each once");
    assert!(world.satisfied(None).is_empty());
}

#[test]
fn milestones_of_no_template_are_in_no_index_of_them() {
    let mut world = approved();
    let of_templates = |world: &World| world.rows.0.keys().filter(|key| (58..=64).contains(&key[0])).count();
    let before = of_templates(&world);
    world.create("plain", Some(APPROVED));
    world
        .act(made("plain"), Action::Achieve { actual: Some(date(2021, 5, 1)), reason: String::new() })
        .unwrap();
    assert_eq!(of_templates(&world), before);
}

/// What cannot be read is in nobody's way, and ends, of its own day, when it can be read again.
#[test]
fn a_milestone_that_cannot_be_read_keeps_no_other_from_its_end() {
    let mut world = World::with_template();
    let validity = MilestoneValidity { months: 24, ..MilestoneValidity::default() };
    let approval = |i: usize| TemplateItem { validity: Some(validity.clone()), ..item(&format!("a{i}")) };
    world.version_in_force("v1", OLD, (0..3).map(approval).collect());
    world.apply(None).unwrap();
    for i in 0..3 {
        world.achieve(&format!("a{i}"), APPROVED).unwrap();
    }
    at(&mut world, date(2022, 7, 20));
    let row = world.damage(&made("a0"));
    let ended = |day| ("milestone.expired".to_owned(), Some(day));
    assert_eq!(at(&mut world, date(2022, 7, 22)), [ended(date(2022, 7, 21)), ended(date(2022, 7, 21))]);
    world.put_row(&made("a0"), row);
    assert_eq!(at(&mut world, date(2022, 7, 24)), [ended(date(2022, 7, 21))]);
    assert_eq!(world.rebuilt(), world.rows);
}

/// By a calendar with more days off an extension can be filed until a later day: the day that was to say so looks once, and
/// the new one says it.
#[test]
fn a_calendar_that_changes_moves_the_day_of_the_warning_and_is_looked_at_once() {
    let mut world = approved();
    let mut registry = crate::tests::Registry::new(3);
    registry.portfolio("wsc");
    registry.project("road");
    registry.project("tower");
    let next = world.made("approval").next_expiry_date;
    assert_eq!(next, Some(date_message(date(2022, 5, 9))));
    let milepost_proto::event::v1::event::Resource::PortfolioResource(portfolio) =
        crate::tests::registry::portfolio("wsc")
    else {
        panic!()
    };
    // All seven days are worked: thirty of them before 20 July 2022 is 20 June.
    let calendar = milepost_proto::registry::v1::WorkingCalendar {
        weekdays: (1..=7).collect(),
        ..milepost_proto::registry::v1::WorkingCalendar::default()
    };
    let portfolio = milepost_proto::registry::v1::Portfolio { working_calendar: Some(calendar), ..portfolio };
    let resource = milepost_proto::event::v1::event::Resource::PortfolioResource(portfolio);
    world.ingest(registry.append(vec![("milepost.portfolio.updated", Some(resource))])).unwrap();
    at(&mut world, date(2022, 5, 8));
    world.now = "2022-05-09T04:00:00Z".parse().unwrap();
    let events = world.advance(date(2022, 5, 9)).unwrap();
    assert_eq!(kinds(&events), ["portfolio.date_advanced", "milestone.updated"]);
    assert_eq!(world.made("approval").file_by, Some(date_message(date(2022, 6, 20))));
    world.now = "2022-05-10T04:00:00Z".parse().unwrap();
    assert_eq!(kinds(&world.advance(date(2022, 5, 10)).unwrap()), ["portfolio.date_advanced"]);
    let warned = [("milestone.expiring".to_owned(), Some(date(2022, 5, 21)))];
    assert_eq!(at(&mut world, date(2022, 7, 20)), warned, "30 days before 20 June");
    assert_eq!(world.rebuilt(), world.rows);
}

/// What is kept needs what keeps it once, however many are kept.
#[test]
fn another_approval_that_a_start_keeps_reads_no_more_the_more_starts_there_are() {
    use milepost_ledger::Domain as _;
    let reads = |approvals: usize, starts: usize| {
        let mut world = World::with_template();
        let validity =
            MilestoneValidity { months: 24, until_type: "start".into(), ..MilestoneValidity::default() };
        let approval = |i: usize| TemplateItem { validity: Some(validity.clone()), ..item(&format!("a{i}")) };
        let start = |i: usize| TemplateItem { r#type: "start".into(), ..item(&format!("s{i}")) };
        let items = (0..approvals).map(approval).chain((0..starts).map(start));
        world.version_in_force("v1", OLD, items.collect());
        world.apply(None).unwrap();
        for i in 0..approvals {
            world.achieve(&format!("a{i}"), APPROVED).unwrap();
        }
        let achieve = Action::Achieve { actual: Some(date(2021, 5, 1)), reason: String::new() };
        let achieve = achieve.on(&made("s0").to_string(), None);
        let rows = crate::tests::world::Counted::new(&world.rows);
        let decision = world.domain.decide(&rows, &achieve, &world.context()).unwrap();
        assert_eq!(decision.events.len(), 1 + approvals);
        rows.reads()
    };
    assert_eq!(reads(8, 9) - reads(2, 9), reads(8, 3) - reads(2, 3));
}
