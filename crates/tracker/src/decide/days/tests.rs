//! Days that begin: what each says, and in which order.

use jiff::ToSpan;
use jiff::civil::{Date, date};
use milepost_ledger::Domain as _;
use milepost_proto::event::v1::Event;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::tracker::v1::milestone::{Nearness, Outlook};
use milepost_proto::tracker::v1::{RectificationOrder, rectification_order};
use milepost_service::access::Permit;
use milepost_service::value::date_message;
use milepost_types::{Rejection, limits};
use prost::Message as _;

use crate::command::{AdvanceDate, Command};
use crate::decide::Tracker;
use crate::tests::samples::{BASELINE, TODAY};
use crate::tests::world::{Action, Counted, advance, create, draft, kinds, name};
use crate::tests::{Registry, World};

/// A world where it is years later, so that any of these days may have begun.
fn world() -> World {
    let (mut world, _) = World::with_projects(&["road"]);
    world.advance(TODAY).unwrap();
    world.now = "2031-01-01T00:00:00Z".parse().unwrap();
    world
}

fn days(events: &[Event]) -> Vec<(Date, i32, i32)> {
    let recorded = |event: &Event| match &event.payload {
        Some(Payload::DateAdvanced(day)) => {
            let current = milepost_resource::date(day.current_date.as_ref()).unwrap();
            Some((current, day.due_soon_count, day.overdue_count))
        }
        _ => None,
    };
    events.iter().filter_map(recorded).collect()
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
    let recorded = world.advance(soon).unwrap();
    assert_eq!(kinds(&recorded)[0], "portfolio.date_advanced");
    assert_eq!(kinds(&recorded)[1..], ["milestone.due_soon"; 3]);
    assert_eq!(days(&recorded), [(soon, 3, 0)]);
    let subjects: Vec<_> =
        recorded[1..].iter().map(|event| event.subject.rsplit('/').next().unwrap()).collect();
    assert_eq!(subjects, ["a", "b", "c"]);
    assert_eq!(recorded[1].changed_fields, ["nearness", "outlook"]);
    assert_eq!(world.milestone(&name("road", "a")).outlook(), Outlook::DueSoon);
}

/// office.md, section 0: what a date moves is found by indexes.
#[test]
fn a_day_with_nothing_due_reads_the_same_however_large_the_portfolio_is() {
    let (day, far) = (TODAY.tomorrow().unwrap(), BASELINE.saturating_add(1.years()));
    let reads = |count: usize| {
        let mut world = world();
        let drafts = (0..count).map(|index| draft("road", Some(&format!("m{index:04}")), Some(far)));
        world.submit(create(drafts.collect())).unwrap();
        for index in 0..count {
            let order = RectificationOrder {
                name: format!("portfolios/wsc/projects/road/rectificationOrders/r{index:04}"),
                issue_date: Some(date_message(TODAY)),
                due_date: Some(date_message(far)),
                act_date: Some(date_message(TODAY)),
                state: rectification_order::State::Issued.into(),
                next_change_date: Some(date_message(far)),
                ..RectificationOrder::default()
            };
            let table = milepost_resource::Table::of::<Tracker, RectificationOrder>();
            table.put(&mut world.rows, order.encode_to_vec().into()).unwrap();
        }
        let rows = Counted::new(&world.rows);
        let decision = world.domain.decide(&rows, &advance(day), &world.context()).unwrap();
        assert_eq!(decision.events.len(), 1, "nothing but the date");
        rows.reads()
    };
    assert_eq!(reads(10), reads(200));
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
    let refusal = world.advance(date(2021, 5, 15)).unwrap_err();
    let Rejection::Invalid(violations) = refusal else { panic!("{refusal:?}") };
    assert_eq!(violations.iter().next().unwrap().field, "date");
    assert_eq!(days(&world.advance(date(2021, 5, 14)).unwrap()), [(date(2021, 5, 14), 0, 0)]);
}

#[test]
fn no_command_lets_more_days_begin_than_the_limit() {
    let (mut world, _) = World::with_projects(&["road"]);
    let limit_days = limits::ADVANCE_DAYS;
    let earliest = TODAY.saturating_sub(i64::from(limit_days).days());
    let refusal = world.advance(earliest.yesterday().unwrap()).unwrap_err();
    let Rejection::Invalid(violations) = refusal else { panic!("{refusal:?}") };
    assert_eq!(violations.iter().next().unwrap().reason, "DATE_TOO_EARLY");
    assert_eq!(days(&world.advance(earliest).unwrap()), [(earliest, 0, 0)]);

    world.now = "2031-01-01T00:00:00Z".parse().unwrap();
    let to = TODAY.tomorrow().unwrap();
    let refusal = world.advance(to).unwrap_err();
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
    let recorded = world.advance(to).unwrap();
    let advanced = days(&recorded);
    assert_eq!(advanced.len(), 34);
    assert!(advanced.windows(2).all(|pair| pair[0].0.tomorrow().unwrap() == pair[1].0));
    let story: Vec<_> = kinds(&recorded).into_iter().filter(|kind| kind.starts_with("milestone")).collect();
    assert_eq!(
        story,
        [
            "milestone.due_soon",
            "milestone.outlook_changed",
            "milestone.overdue",
            "milestone.due_soon",
            "milestone.overdue"
        ]
    );
    assert_eq!(advanced.iter().map(|day| day.1).sum::<i32>(), 2);
    assert_eq!(advanced.iter().map(|day| day.2).sum::<i32>(), 2);
    at_risk = world.milestone(&at_risk.name.parse().unwrap());
    assert_eq!(at_risk.outlook(), Outlook::Overdue);
    assert_eq!(world.rebuilt(), world.rows);
}

#[test]
fn day_by_day_or_at_once_the_same_is_recorded() {
    let run = |step: i64| {
        let mut world = world();
        for (id, days) in [("a", 3), ("b", 9), ("c", 20)] {
            let baseline = TODAY.saturating_add(days.days());
            world.create(id, Some(baseline));
            let forecast = Some(baseline.saturating_add((days % 4).days()));
            world.act(name("road", id), Action::Reforecast { forecast, reason: String::new() }).unwrap();
        }
        let mut recorded = Vec::new();
        let mut day = TODAY;
        while day < TODAY.saturating_add(36.days()) {
            day = day.saturating_add(step.days());
            recorded.extend(world.advance(day).unwrap());
        }
        recorded.into_iter().map(|event| (event.r#type, event.subject, event.event_date)).collect::<Vec<_>>()
    };
    assert_eq!(run(1), run(36));
    assert_eq!(run(1), run(4));
}

#[test]
fn only_planned_milestones_that_are_not_deleted_are_recorded() {
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
    let recorded = world.advance(BASELINE.saturating_add(30.days())).unwrap();
    assert!(kinds(&recorded).iter().all(|kind| *kind == "portfolio.date_advanced"), "{recorded:?}");
}

#[test]
fn the_first_day_looks_at_all_milestones_there_are() {
    let (mut world, _) = World::with_projects(&["road"]);
    world.create("start", Some(BASELINE));
    world.create("undated", None);
    assert_eq!(world.milestone(&name("road", "start")).outlook(), Outlook::OnTrack);
    world.now = "2021-06-30T04:00:00Z".parse().unwrap();
    let recorded = world.advance(date(2021, 6, 30)).unwrap();
    assert_eq!(kinds(&recorded), ["portfolio.date_advanced", "milestone.overdue"]);
    assert_eq!(days(&recorded), [(date(2021, 6, 30), 0, 1)]);
}

/// A world with `count` milestones that `BASELINE` and the days around it touch, where an entry of several parts
/// has room for few of them.
fn crowded(count: usize) -> World {
    let mut world = world();
    let drafts = (0..count).map(|index| draft("road", Some(&format!("m{index:04}")), Some(BASELINE)));
    world.submit(create(drafts.collect())).unwrap();
    world.advance(BASELINE.saturating_sub(8.days())).unwrap();
    world.domain.part_bytes = 4_000;
    world
}

#[test]
fn a_day_that_does_not_fit_one_entry_is_told_in_parts_each_milestone_once() {
    let mut world = crowded(40);
    let (before, day) = (BASELINE.saturating_sub(8.days()), BASELINE.saturating_sub(7.days()));
    let mut subjects = Vec::new();
    let mut parts = 0;
    loop {
        let recorded = world.submit(advance(day)).unwrap();
        let last = kinds(&recorded)[0] == "portfolio.date_advanced";
        assert_eq!(
            kinds(&recorded)[0],
            if last { "portfolio.date_advanced" } else { "portfolio.date_advancing" }
        );
        assert!(kinds(&recorded)[1..].iter().all(|kind| *kind == "milestone.due_soon"));
        subjects.extend(recorded[1..].iter().map(|event| event.subject.clone()));
        parts += 1;
        // The day counts when the last part is in.
        let today = world.today();
        assert_eq!((today.current, today.advancing), if last { (day, None) } else { (before, Some(day)) });
        let bytes: usize = world.entries.last().unwrap().events.iter().map(|event| event.len()).sum();
        assert!(bytes < 5_000, "{bytes}");
        assert_eq!(world.rebuilt(), world.rows);
        if last {
            assert_eq!(days(&recorded), [(day, 40, 0)], "of all parts");
            break;
        }
    }
    assert!(parts > 3, "{parts}");
    assert_eq!(subjects.len(), 40);
    assert!(subjects.is_sorted_by(|a, b| a < b), "each once, by name");
    assert_eq!(world.submit(advance(day)).unwrap(), []);
}

#[test]
fn no_entry_of_a_day_comes_near_the_least_entry_that_can_be_configured() {
    let mut world = world();
    for from in [0, 200] {
        let drafts = (from..from + 200).map(|index| {
            let mut draft = draft("road", Some(&format!("m{index:04}")), Some(BASELINE));
            draft.milestone.as_mut().unwrap().remarks = "注".repeat(limits::TEXT_CHARS);
            draft
        });
        world.submit(create(drafts.collect())).unwrap();
    }
    let from = world.entries.len();
    let recorded = world.advance(BASELINE).unwrap();
    assert_eq!(kinds(&recorded).iter().filter(|kind| **kind == "milestone.due_soon").count(), 400);
    let entries = &world.entries[from..];
    assert!(entries.len() >= 6, "{}", entries.len());
    let most = entries.iter().map(|entry| entry.encode(&milepost_types::Hash::ZERO).bytes.len()).max();
    assert!(most.unwrap() < (1 << 20) - 4096, "{most:?}");
}

#[test]
fn an_event_of_the_largest_milestone_there_can_be_fits_a_part() {
    use milepost_proto::tracker::v1::{Evidence, Milestone};
    let mut world = world();
    let text = || "注".repeat(limits::TEXT_CHARS);
    let line = |index: usize| format!("{index:03}{}", "\u{20000}".repeat(limits::DISPLAY_NAME_CHARS - 3));
    let mut draft = draft("road", Some("start"), Some(BASELINE));
    let label = |index: usize| format!("l{index:02}{}", "x".repeat(limits::ID_CHARS - 3));
    // A language, a script, and a region by number each.
    let tag = |index: usize| format!("{}{:03}", ["zh-Hans-", "en-Latn-"][index % 2], index + 1);
    let said = draft.milestone.take().unwrap();
    draft.milestone = Some(Milestone {
        display_name: line(0),
        translations: (0..limits::TRANSLATIONS).map(|i| (tag(i), line(i))).collect(),
        required_evidence: (0..limits::REQUIRED_EVIDENCE).map(line).collect(),
        remarks: "\u{20000}".repeat(limits::TEXT_CHARS),
        labels: (0..limits::LABELS).map(|i| (label(i), line(i))).collect(),
        ..said
    });
    world.submit(create(vec![draft])).unwrap();
    let milestone: Milestone = world.milestone(&name("road", "start"));
    let document = |index: usize| Evidence {
        title: line(index),
        uri: "x".repeat(limits::URI_CHARS),
        sha256: vec![7; 32],
        create_time: None,
    };
    for index in 0..limits::EVIDENCE {
        world.act(&milestone.name, Action::AddEvidence(document(index))).unwrap();
    }
    let reason = text();
    world.act(&milestone.name, Action::Miss { reason: reason.clone() }).unwrap();
    world.act(&milestone.name, Action::Reopen { reason }).unwrap();
    world.advance(BASELINE).unwrap();
    let bytes = world.entries.last().unwrap().events.iter().map(|event| event.len()).max().unwrap();
    assert!(bytes > 600 << 10, "{bytes}");
    assert!(bytes < crate::decide::PART_BYTES, "{bytes}");
}

#[test]
fn what_is_written_between_two_parts_of_a_day_stands_as_of_it_and_is_told_once() {
    let mut world = crowded(40);
    let day = BASELINE.saturating_sub(7.days());
    let first = world.submit(advance(day)).unwrap();
    let swept: &str = &first.last().unwrap().subject;
    // A new one on either side of where the part ended, one that the day did not come to yet, and one that it did.
    for id in ["a", "z"] {
        let recorded = world.submit(create(vec![draft("road", Some(id), Some(BASELINE))])).unwrap();
        assert_eq!(kinds(&recorded), ["milestone.created", "milestone.due_soon"]);
        assert_eq!(recorded[1].caused_by, recorded[0].event_id);
        assert_eq!(recorded[1].event_date, Some(date_message(day)));
    }
    let forecast = Some(day);
    let reforecast = Action::Reforecast { forecast, reason: "sooner".into() };
    let recorded = world.act(name("road", "m0039"), reforecast.clone()).unwrap();
    assert_eq!(kinds(&recorded), ["milestone.reforecast", "milestone.due_soon"]);
    assert_eq!(kinds(&world.act(swept, reforecast).unwrap()), ["milestone.reforecast"]);
    let recorded = world.act(name("road", "m0038"), Action::Achieve { actual: None, reason: String::new() });
    assert_eq!(kinds(&recorded.unwrap()), ["milestone.achieved"]);
    assert_eq!(world.milestone(&name("road", "m0038")).actual_date, Some(date_message(day)));

    let rest = world.advance(day).unwrap();
    let subjects: Vec<_> =
        first.iter().chain(&rest).filter(|event| event.r#type.ends_with("due_soon")).collect();
    assert_eq!(subjects.len(), 38, "neither the new ones, nor the two that were written, again");
    assert_eq!(days(&rest).last(), Some(&(day, 38, 0)));
    assert_eq!(world.rebuilt(), world.rows);
}

#[test]
fn days_in_parts_and_days_at_once_tell_the_same_and_a_preview_counts_it() {
    let run = |part_bytes: usize| {
        let mut world = crowded(12);
        world.domain.part_bytes = part_bytes;
        let to = BASELINE.saturating_add(2.days());
        let (portfolio, traceparent) = ("portfolios/wsc".parse().unwrap(), String::new());
        let preview =
            AdvanceDate { portfolio, date: to, preview: true, traceparent, permit: Permit::of_system() };
        let preview = Command::AdvanceDate(std::sync::Arc::new(preview));
        let mut previewed = World { entries: world.entries.clone(), now: world.now, ..World::default() };
        previewed.rows = world.rows.clone();
        previewed.domain.part_bytes = part_bytes;
        let counted = days(&previewed.submit(preview).unwrap());
        let recorded = world.advance(to).unwrap();
        let sums = days(&recorded).iter().fold((to, 0, 0), |sum, day| (to, sum.1 + day.1, sum.2 + day.2));
        assert_eq!(counted, [sums]);
        let recorded =
            recorded.into_iter().filter(|event| event.r#type != "milepost.portfolio.date_advancing");
        let mut recorded: Vec<_> = recorded
            .map(|event| (event.event_date.map(|d| (d.month, d.day)), event.r#type, event.subject))
            .collect();
        recorded.sort();
        recorded
    };
    assert_eq!(run(1_500), run(usize::MAX));
}

#[test]
fn the_current_date_stays_when_the_zone_moves_west() {
    let (mut world, mut registry) = World::with_projects(&["road"]);
    world.create("start", Some(BASELINE));
    world.advance(TODAY).unwrap();
    move_west(&mut world, &mut registry);
    // It is the 12th there; the day that began has begun, for every rule.
    let today = world.today();
    assert_eq!((today.current, today.of_writes()), (TODAY, TODAY));
    assert_eq!(world.advance(TODAY).unwrap(), [], "it is that day, and that is no fault");
    let recorded = world.create("soon", Some(TODAY.saturating_add(7.days())));
    assert_eq!(recorded.outlook(), Outlook::DueSoon);
    world.act(&recorded.name, Action::Achieve { actual: None, reason: String::new() }).unwrap();
    assert_eq!(world.milestone(&recorded.name.parse().unwrap()).actual_date, Some(date_message(TODAY)));
    world.act(name("road", "start"), Action::Achieve { actual: Some(TODAY), reason: String::new() }).unwrap();
    let tomorrow = world.create("later", None).name;
    let action = Action::Achieve { actual: TODAY.tomorrow().ok(), reason: String::new() };
    let refusal = world.act(&tomorrow, action).unwrap_err();
    assert!(matches!(refusal, Rejection::Invalid(_)), "{refusal:?}");
}

/// The portfolio's time zone is New York's from now on.
fn move_west(world: &mut World, registry: &mut Registry) {
    use milepost_proto::event::v1::event::Resource;
    let Resource::PortfolioResource(mut moved) = crate::tests::registry::portfolio("wsc") else { panic!() };
    moved.time_zone = "America/New_York".into();
    world.now = "2021-05-13T01:00:00Z".parse().unwrap();
    let updated = ("milepost.portfolio.updated", Some(Resource::PortfolioResource(moved)));
    world.ingest(registry.append(vec![updated])).unwrap();
}

/// The entries as an earlier version wrote them: without how near a due date is, and without announcements.
fn as_before(world: &World) -> World {
    use milepost_proto::event::v1::event::Resource;
    use prost::Message;
    let mut before = World { now: world.now, ..World::default() };
    for entry in &world.entries {
        let mut entry = entry.clone();
        let events = entry.events.iter().map(|event| Event::decode(event.clone()).unwrap());
        let events = events.filter(|event| !event.r#type.ends_with("due_soon") || event.caused_by.is_empty());
        let events = events.map(|mut event| {
            if let Some(Resource::MilestoneResource(milestone)) = &mut event.resource {
                (milestone.nearness, milestone.slippage) = (0, 0);
            }
            if let Some(Payload::DateAdvanced(advanced)) = &mut event.payload {
                advanced.previous_sequence = None;
            }
            event.encode_to_vec().into()
        });
        entry.events = events.collect();
        before.entries.push(entry);
    }
    before.rows = before.rebuilt();
    before
}

#[test]
fn entries_of_an_earlier_version_make_the_rows_that_they_made_and_the_next_day_makes_good_what_it_did_not_announce()
 {
    let mut world = world();
    let at = |days: i64| TODAY.saturating_add(days.days());
    world.create("near", Some(at(2)));
    world.create("far", Some(at(30)));
    for (id, baseline, forecast) in [("late", -9, 3), ("risk", 20, 40), ("risk-soon", 4, 6)] {
        let mut draft = draft("road", Some(id), Some(at(baseline)));
        draft.milestone.as_mut().unwrap().forecast_date = Some(date_message(at(forecast)));
        world.submit(create(vec![draft])).unwrap();
    }
    let mut world = as_before(&world);
    let row = world.rows.0.get(&b"\x06wsc"[..]).unwrap();
    assert_eq!(row.as_ref(), [0x07, 0xe5, 5, 13], "as it was");
    let read = |world: &World, id: &str| world.milestone(&name("road", id));
    assert_eq!(read(&world, "near").nearness(), Nearness::DueSoon);
    assert_eq!(read(&world, "late").nearness(), Nearness::Unspecified, "it was not kept");
    assert_eq!(read(&world, "late").outlook(), Outlook::Late);

    let recorded = world.advance(at(1)).unwrap();
    let recorded: Vec<_> = recorded
        .iter()
        .map(|event| {
            (event.r#type.trim_start_matches("milepost."), event.subject.rsplit('/').next().unwrap())
        })
        .collect();
    assert_eq!(
        recorded,
        [
            ("portfolio.date_advanced", "wsc"),
            ("milestone.due_soon", "late"),
            ("milestone.outlook_changed", "risk"),
            ("milestone.due_soon", "risk-soon"),
        ],
        "what was near or known is not recorded again"
    );
    // From then on a day looks only at what it touches.
    assert_eq!(kinds(&world.advance(at(2)).unwrap()), ["portfolio.date_advanced"]);
    assert_eq!(world.rebuilt(), world.rows);
}
