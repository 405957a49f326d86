//! Days that begin: what each tells, and in which order.

use jiff::ToSpan;
use jiff::civil::{Date, date};
use milepost_proto::event::v1::Event;
use milepost_proto::event::v1::event::Payload;
use milepost_types::{Rejection, limits};

use crate::milestone::samples::{BASELINE, TODAY};
use crate::milestone::{Action, Outlook};
use crate::tests::World;
use crate::tests::world::{kinds, name};

/// A world where it is years later, so that any of these days may have begun.
fn world() -> World {
    let (mut world, _) = World::with_projects(&["road"]);
    world.advance(TODAY).unwrap();
    world.now = "2031-01-01T00:00:00Z".parse().unwrap();
    world
}

fn days(events: &[Event]) -> Vec<(Date, i32, i32)> {
    let told = |event: &Event| match &event.payload {
        Some(Payload::DateAdvanced(day)) => {
            let current = crate::convert::values::stored_date(day.current_date.as_ref()).unwrap().unwrap();
            Some((current, day.due_soon_count, day.overdue_count))
        }
        _ => None,
    };
    events.iter().filter_map(told).collect()
}

#[test]
fn a_day_tells_itself_first_and_then_who_stands_otherwise_by_name() {
    let mut world = world();
    for id in ["b", "a", "c"] {
        world.create(id, Some(BASELINE));
    }
    world.create("far", Some(BASELINE.saturating_add(1.days())));
    let soon = BASELINE.saturating_sub(7.days());
    world.advance(soon.yesterday().unwrap()).unwrap();
    let told = world.advance(soon).unwrap();
    assert_eq!(kinds(&told)[0], "portfolio.date_advanced");
    assert_eq!(kinds(&told)[1..], ["milestone.due_soon"; 3]);
    assert_eq!(days(&told), [(soon, 3, 0)]);
    let subjects: Vec<_> = told[1..].iter().map(|event| event.subject.rsplit('/').next().unwrap()).collect();
    assert_eq!(subjects, ["a", "b", "c"]);
    assert_eq!(told[1].changed_fields, ["outlook"]);
    assert_eq!(world.milestone(&name("road", "a")).outlook, Some(Outlook::DueSoon));
}

#[test]
fn a_date_that_is_not_after_the_current_one_changes_nothing() {
    let mut world = world();
    assert_eq!(world.advance(TODAY).unwrap(), []);
    assert_eq!(world.advance(TODAY.yesterday().unwrap()).unwrap(), []);
}

#[test]
fn a_date_in_the_future_is_refused_and_today_in_the_zone_is_not() {
    let (mut world, _) = World::with_projects(&["road"]);
    // It is the 14th in Shanghai already.
    world.now = "2021-05-13T16:30:00Z".parse().unwrap();
    let refusal = world.advance(date(2021, 5, 15)).unwrap_err().rejection;
    let Rejection::Invalid(violations) = refusal else { panic!("{refusal:?}") };
    assert_eq!(violations.iter().next().unwrap().field, "date");
    assert_eq!(days(&world.advance(date(2021, 5, 14)).unwrap()), [(date(2021, 5, 14), 0, 0)]);
}

#[test]
fn no_command_lets_more_days_begin_than_the_limit() {
    let (mut world, _) = World::with_projects(&["road"]);
    let limit_days = limits::ADVANCE_DAYS;
    let earliest = TODAY.saturating_sub(i64::from(limit_days).days());
    let refusal = world.advance(earliest.yesterday().unwrap()).unwrap_err().rejection;
    let Rejection::Invalid(violations) = refusal else { panic!("{refusal:?}") };
    assert_eq!(violations.iter().next().unwrap().reason, "DATE_TOO_EARLY");
    assert_eq!(days(&world.advance(earliest).unwrap()), [(earliest, 0, 0)]);

    world.now = "2031-01-01T00:00:00Z".parse().unwrap();
    let to = TODAY.tomorrow().unwrap();
    let refusal = world.advance(to).unwrap_err().rejection;
    assert_eq!(refusal, Rejection::ClockRefused { from: earliest, to, limit_days });
    assert_eq!(days(&world.advance(TODAY).unwrap()).len(), limit_days as usize);
    assert_eq!(days(&world.advance(to).unwrap()), [(to, 0, 0)]);
}

#[test]
fn days_that_were_missed_begin_one_by_one() {
    let mut world = world();
    world.create("start", Some(BASELINE));
    let mut at_risk = world.create("risk", Some(BASELINE));
    let forecast = Some(BASELINE.saturating_add(10.days()));
    world.act(&at_risk.name, Action::Reforecast { forecast, reason: String::new() }).unwrap();
    let to = BASELINE.saturating_add(20.days());
    let told = world.advance(to).unwrap();
    let advanced = days(&told);
    assert_eq!(advanced.len(), 34);
    assert!(advanced.windows(2).all(|pair| pair[0].0.tomorrow().unwrap() == pair[1].0));
    let story: Vec<_> = kinds(&told).into_iter().filter(|kind| kind.starts_with("milestone")).collect();
    assert_eq!(
        story,
        ["milestone.due_soon", "milestone.outlook_changed", "milestone.overdue", "milestone.overdue"]
    );
    assert_eq!(advanced.iter().map(|day| day.1).sum::<i32>(), 1);
    assert_eq!(advanced.iter().map(|day| day.2).sum::<i32>(), 2);
    at_risk = world.milestone(&at_risk.name);
    assert_eq!(at_risk.outlook, Some(Outlook::Overdue));
    assert_eq!(world.rebuilt(), world.rows);
}

#[test]
fn day_by_day_or_at_once_the_same_is_told() {
    let run = |step: i64| {
        let mut world = world();
        for (id, days) in [("a", 3), ("b", 9), ("c", 20)] {
            let baseline = TODAY.saturating_add(days.days());
            world.create(id, Some(baseline));
            let forecast = Some(baseline.saturating_add((days % 4).days()));
            world.act(&name("road", id), Action::Reforecast { forecast, reason: String::new() }).unwrap();
        }
        let mut told = Vec::new();
        let mut day = TODAY;
        while day < TODAY.saturating_add(36.days()) {
            day = day.saturating_add(step.days());
            told.extend(world.advance(day).unwrap());
        }
        told.into_iter().map(|event| (event.r#type, event.subject, event.event_date)).collect::<Vec<_>>()
    };
    assert_eq!(run(1), run(36));
    assert_eq!(run(1), run(4));
}

#[test]
fn only_planned_milestones_that_are_not_deleted_are_told() {
    let mut world = world();
    for (id, action) in [
        ("done", Action::Achieve { actual: None, reason: String::new() }),
        ("missed", Action::Miss { reason: "r".into() }),
        ("gone", Action::Delete),
    ] {
        let milestone = world.create(id, Some(BASELINE));
        world.now = "2021-05-13T04:00:00Z".parse().unwrap();
        world.act(&milestone.name, action).unwrap();
        world.now = "2031-01-01T00:00:00Z".parse().unwrap();
    }
    let told = world.advance(BASELINE.saturating_add(30.days())).unwrap();
    assert!(kinds(&told).iter().all(|kind| *kind == "portfolio.date_advanced"), "{told:?}");
}

#[test]
fn the_first_day_looks_at_all_milestones_there_are() {
    let (mut world, _) = World::with_projects(&["road"]);
    world.create("start", Some(BASELINE));
    world.create("undated", None);
    assert_eq!(world.milestone(&name("road", "start")).outlook, Some(Outlook::OnTrack));
    world.now = "2021-06-30T04:00:00Z".parse().unwrap();
    let told = world.advance(date(2021, 6, 30)).unwrap();
    assert_eq!(kinds(&told), ["portfolio.date_advanced", "milestone.overdue"]);
    assert_eq!(days(&told), [(date(2021, 6, 30), 0, 1)]);
}
