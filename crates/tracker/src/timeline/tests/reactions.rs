//! From events to entries: of the registry, of the directory, of the tracker; merged, bounded, once.

use jiff::ToSpan;
use jiff::civil::date;
use milepost_proto::event::v1::ProjectStatusChanged;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::tracker::v1::timeline_entry::State;
use milepost_types::limits;
use prost::Message;

use super::super::content::has_room;
use super::super::entry::seeded;
use super::*;
use crate::tests::world::{Action, create, draft, kinds};

fn of_headlines(event_type: &str, filter: &str) -> TimelineRule {
    TimelineRule {
        display_name: "改革".into(),
        event_type: event_type.into(),
        filter: filter.into(),
        kind: Kind::Reform.into(),
        headline: "{display_name}".into(),
        auto_publish: true,
        merge_key: "reform/{event_date}".into(),
        ..TimelineRule::default()
    }
}

/// A milestone of a project that readers are to hear of.
fn milestone(world: &mut World, project: &str, id: &str, headline: bool) {
    let labels =
        if headline { [("headline".to_owned(), "yes".to_owned())].into() } else { Default::default() };
    let request = CreateMilestoneRequest {
        parent: format!("portfolios/wsc/projects/{project}"),
        milestone_id: id.into(),
        milestone: Some(Milestone {
            display_name: "交地即领证".into(),
            translations: [("en".to_owned(), "Certificate on handover".to_owned())].into(),
            labels,
            ..Milestone::default()
        }),
        ..CreateMilestoneRequest::default()
    };
    world
        .read_and_submit(|violations| read_create::<_, Milestone>(request, violations, Violations::new()))
        .unwrap();
}

fn achieve(world: &mut World, project: &str, id: &str, day: Date) -> Vec<Event> {
    let name = format!("portfolios/wsc/projects/{project}/milestones/{id}");
    let action = Action::Achieve { actual: Some(day), reason: String::new() };
    world.act(name, action).unwrap()
}

/// office.md, section 8: the three batches and the round of 2020-04-03, without figures where none were said.
#[test]
fn batches_make_entries_with_their_figures_in_the_order_of_their_days() {
    let (mut world, mut registry) = world();
    world.create_rule("batches", of_batches()).unwrap();
    // Back-filled: in another order than they happened.
    for event in [
        batch("b4", date(2021, 5, 27), Some(8), Some(28_360_000_000)),
        batch("b1", date(2020, 4, 3), None, None),
        batch("b3", date(2021, 4, 15), Some(107), None),
        batch("b2", date(2020, 9, 11), Some(79), Some(130_000_000_000)),
    ] {
        let said = world.ingest(registry.append_events(vec![event])).unwrap();
        assert_eq!(kinds(&said), ["source.followed", "timeline_entry.created", "timeline_entry.published"]);
        assert!(said[1..].iter().all(|event| event.caused_by.ends_with("/0") && !event.caused_by.is_empty()));
    }
    assert_eq!(
        world.headlines("en"),
        [
            "b1 starts",
            "b2 starts: 79 projects, CNY 130 billion",
            "b3 starts: 107 projects",
            "b4 starts: 8 projects, CNY 28.36 billion",
        ]
    );
    assert_eq!(world.headlines("zh-CN")[1], "b2 集中开工，79 个项目，总投资 1,300 亿元");
    let told = world.timeline("zh-CN");
    let figures = |i: usize| {
        let figures = told[i].figures.iter();
        figures.map(|figure| (figure.label.clone(), figure.display_value.clone())).collect::<Vec<_>>()
    };
    assert_eq!(figures(0), []);
    assert_eq!(figures(1), [("项目".into(), "79".into()), ("总投资".into(), "1,300 亿元".into())]);
    assert_eq!(figures(2), [("项目".into(), "107".into())]);
    assert!(told[1].figures.iter().all(|figure| figure.declared));
    assert_eq!(told[1].figures[1].value, "130000000000");
    assert_eq!(world.rebuilt(), world.rows);
}

/// The start of a project, in a batch or by itself.
fn start(id: &str, batch: &str) -> Event {
    let name = format!("portfolios/wsc/projects/{id}");
    let payload = ProjectStatusChanged { batch: batch.into(), ..ProjectStatusChanged::default() };
    Event {
        r#type: "milepost.project.started".into(),
        subject: name.clone(),
        portfolio: "portfolios/wsc".into(),
        project: name,
        event_date: Some(date_message(date(2021, 5, 27))),
        resource: Some(crate::tests::registry::started(id, date(2021, 5, 27))),
        payload: Some(Payload::ProjectStatusChanged(payload)),
        ..Event::default()
    }
}

/// office.md, section 8: a batch's member starts make none; a start by itself does.
#[test]
fn what_a_batch_starts_makes_no_entry_of_its_own_and_nothing_follows_twice() {
    let (mut world, mut registry) = world();
    world.create_rule("batches", of_batches()).unwrap();
    let starts = TimelineRule {
        headline: "开工".into(),
        merge_key: String::new(),
        ..of_headlines("milepost.project.started", "")
    };
    world.create_rule("starts", starts).unwrap();
    let events = vec![
        batch("b", date(2021, 5, 27), Some(8), None),
        start("science-avenue", "portfolios/wsc/batches/b"),
        start("science-valley", "portfolios/wsc/batches/b"),
    ];
    world.ingest(registry.append_events(events)).unwrap();
    let [entry] = &world.entries()[..] else { panic!("{:?}", world.entries()) };
    assert_eq!(entry.subjects, ["portfolios/wsc/batches/b"]);
    world.ingest(registry.append_events(vec![start("science-avenue", "")])).unwrap();
    let made = world.entries();
    assert_eq!(made.len(), 2);
    world.follow_again(&registry);
    assert_eq!(world.entries(), made);
    assert_eq!(world.rebuilt(), world.rows);
}

/// office.md, sections 8 and 0: an older journal followed again publishes nothing by the settings of then.
#[test]
fn what_is_made_of_events_of_before_a_rule_stays_a_draft_also_when_they_are_followed_again() {
    let (mut world, mut registry) = world();
    let now = world.now.as_second();
    let at = |seconds: i64, event: Event| Event {
        commit_time: Some(prost_types::Timestamp { seconds: now + seconds, nanos: 0 }),
        ..event
    };
    let day = date(2021, 4, 15);
    let asks = |asks| vec![("milepost.portfolio.updated", Some(portfolio("wsc", asks)))];
    world.ingest(registry.append_events(vec![at(-100, batch("a", day, None, None))])).unwrap();
    world.ingest(registry.append(asks(true))).unwrap();
    world
        .create_rule("batches", TimelineRule { merge_key: "batch/{event_date}".into(), ..of_batches() })
        .unwrap();
    assert_eq!(world.entries().len(), 0);
    // When it was said, the portfolio did not ask for another person yet.
    world.follow_again(&registry);
    let [entry] = &world.entries()[..] else { panic!("{:?}", world.entries()) };
    assert_eq!(entry.state(), State::Draft);
    assert!(entry.rule_note.contains("the event is of before the rule"), "{}", entry.rule_note);
    assert_eq!(world.timeline("").len(), 0);

    // A person publishes it by the settings of today; what joins it late does not reach readers by itself.
    let name: EntryName = entry.name.parse().unwrap();
    world.actor = person("user:corp/bob");
    world.publish(&name).unwrap();
    world.ingest(registry.append(asks(false))).unwrap();
    world.ingest(registry.append_events(vec![at(-50, batch("b", day, None, None))])).unwrap();
    let joined = world.entry(&name);
    assert!(joined.has_changes && joined.rule_note.contains("of before the rule"), "{joined:?}");
    let made = world.entries();
    world.follow_again(&registry);
    assert_eq!(world.entries(), made);
    // What happens from then on is published at once.
    let later = at(10, batch("c", date(2021, 5, 27), None, None));
    world.ingest(registry.append_events(vec![later])).unwrap();
    assert_eq!(world.headlines("en"), ["a starts", "c starts"]);
    assert_eq!(world.rebuilt(), world.rows);
}

/// office.md, section 8: one entry per merge key, and nothing joins one without.
#[test]
fn nothing_joins_an_entry_that_lost_its_key_and_the_next_event_makes_one_of_its_own() {
    let (mut world, mut registry) = world();
    let day = date(2021, 4, 15);
    world
        .create_rule("batches", TimelineRule { merge_key: "batch/{event_date}".into(), ..of_batches() })
        .unwrap();
    let mut say = |world: &mut World, ids: &[&str]| {
        let events = ids.iter().map(|id| batch(id, day, None, None)).collect();
        world.ingest(registry.append_events(events)).unwrap();
        registry.clone()
    };
    say(&mut world, &["a", "b"]);
    let first: EntryName = world.entries().remove(0).name.parse().unwrap();
    let cleared = TimelineEntry { merge_key: String::new(), ..world.entry(&first) };
    world.update_entry(cleared, "merge_key").unwrap();
    say(&mut world, &["c"]);
    assert_eq!(world.entries().len(), 2);
    assert_eq!(world.entry(&first).subjects.len(), 2);
    let own = world.entries().into_iter().find(|entry| entry.name != first.to_string()).unwrap();
    assert_eq!((own.merge_key.as_str(), own.headline.as_str()), ("batch/2021-04-15", "c 集中开工"));
    assert_eq!(own.subjects, ["portfolios/wsc/batches/c"]);
    // Nor one with another key.
    let other = TimelineEntry { merge_key: "x".into(), ..world.entry(&first) };
    world.update_entry(other, "merge_key").unwrap();
    let said = say(&mut world, &["d"]);
    assert_eq!(world.entry(&own.name.parse().unwrap()).subjects.len(), 2);
    assert_eq!(world.entry(&first).subjects.len(), 2);
    let made = world.entries();
    world.follow_again(&said);
    assert_eq!(world.entries(), made);
}

#[test]
fn an_entry_that_somebody_made_under_the_name_to_be_neither_is_joined_nor_is_in_the_way() {
    let (mut world, mut registry) = world();
    let day = date(2021, 4, 15);
    world
        .create_rule("keyed", TimelineRule { merge_key: "batch/{event_date}".into(), ..of_batches() })
        .unwrap();
    world.create_rule("own", of_batches()).unwrap();
    let sequence = registry.entries.len() as u64 + 1;
    let event = milepost_types::EventId { log: registry.log, sequence, index: 0 }.to_string();
    for parts in
        [&["key", "batch/2021-04-15"][..], &["event", "portfolios/wsc/timelineRules/own", &event][..]]
    {
        world.create_entry(seeded(parts).as_str(), editorial("占位", day)).unwrap();
    }
    world.ingest(registry.append_events(vec![batch("a", day, None, None)])).unwrap();
    assert_eq!(world.headlines("en"), ["a starts", "a starts"]);
    let made = world.entries();
    assert_eq!(made.iter().filter(|entry| entry.headline == "占位" && entry.subjects.is_empty()).count(), 2);
    world.follow_again(&registry);
    assert_eq!(world.entries(), made);
}

/// office.md, section 8: one entry per merge key; 2021-02-03, rule and coupling merged, Science Valley a subject.
#[test]
fn the_reform_and_the_first_project_that_it_reaches_are_one_entry_of_their_day() {
    let (mut world, mut registry) = world();
    let filter = "resource.labels.headline = yes";
    world.create_rule("achieved", of_headlines("milepost.milestone.achieved", filter)).unwrap();
    world
        .create_rule(
            "drafts",
            TimelineRule {
                auto_publish: false,
                ..of_headlines("milepost.policy_programme.published", filter)
            },
        )
        .unwrap();
    milestone(&mut world, "science-valley", "land", true);
    milestone(&mut world, "science-avenue", "land", false);
    let day = date(2021, 2, 3);
    let programmes = vec![programme("certificate-at-handover", true), programme("powers", false)];
    let said = world.ingest(registry.append_events(programmes)).unwrap();
    assert_eq!(kinds(&said), ["source.followed", "timeline_entry.created"]);
    let [entry] = &world.entries()[..] else { panic!() };
    assert_eq!((entry.state(), entry.headline.as_str()), (State::Draft, "交地即领证"));

    let said = achieve(&mut world, "science-valley", "land", day);
    assert_eq!(kinds(&said), ["milestone.achieved", "timeline_entry.updated"]);
    assert_eq!(said[1].caused_by, said[0].event_id);
    let said = achieve(&mut world, "science-avenue", "land", day);
    assert_eq!(kinds(&said), ["milestone.achieved"], "it has no label");
    let [entry] = &world.entries()[..] else { panic!() };
    assert_eq!(entry.date, Some(date_message(day)));
    assert_eq!(
        entry.subjects,
        [
            "policyProgrammes/certificate-at-handover",
            "portfolios/wsc/projects/science-valley/milestones/land",
            "portfolios/wsc/projects/science-valley",
        ]
    );
    assert_eq!(world.rebuilt(), world.rows);
}

/// office.md, section 8: further events join as subjects.
#[test]
fn what_joins_a_published_entry_is_published_unless_somebody_is_changing_it() {
    let (mut world, _) = world();
    let rule = TimelineRule {
        translations: [("en".to_owned(), "{display_name}".to_owned())].into(),
        ..of_headlines("milepost.milestone.achieved", "")
    };
    world.create_rule("achieved", rule).unwrap();
    for (project, id) in [("science-valley", "a"), ("science-valley", "b"), ("science-avenue", "c")] {
        milestone(&mut world, project, id, true);
    }
    let day = date(2021, 2, 3);
    achieve(&mut world, "science-valley", "a", day);
    let joined = achieve(&mut world, "science-valley", "b", day);
    assert_eq!(kinds(&joined), ["milestone.achieved", "timeline_entry.updated", "timeline_entry.published"]);
    assert_eq!(world.timeline("en")[0].subjects.len(), 3);
    let entry = world.entries().remove(0);
    let request = UpdateTimelineEntryRequest {
        timeline_entry: Some(TimelineEntry { text: "在改".into(), ..entry }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["text".into()] }),
        ..Default::default()
    };
    world
        .read_and_submit(|violations| milepost_resource::read_update::<_, TimelineEntry>(request, violations))
        .unwrap();
    let joined = achieve(&mut world, "science-avenue", "c", day);
    assert_eq!(kinds(&joined), ["milestone.achieved", "timeline_entry.updated"]);
    assert_eq!(world.timeline("en")[0].subjects.len(), 3, "readers wait for who changes it");
    assert_eq!(world.entries()[0].subjects.len(), 5);
}

/// office.md, section 8: publishing by rule needs the languages too, else it stays a draft and says why.
#[test]
fn a_rule_that_cannot_publish_leaves_a_draft_that_says_why() {
    let (mut world, mut registry) = world();
    world.create_rule("achieved", of_headlines("milepost.milestone.achieved", "")).unwrap();
    let asks = TimelineRule { headline: "{declared_count} 个项目开工".into(), ..of_batches() };
    world.create_rule("asks", asks).unwrap();
    milestone(&mut world, "science-valley", "land", true);
    achieve(&mut world, "science-valley", "land", date(2021, 2, 3));
    world.ingest(registry.append_events(vec![batch("b", date(2020, 4, 3), None, None)])).unwrap();
    let entries = world.entries();
    assert!(entries.iter().all(|entry| entry.state() == State::Draft));
    let note = |day: Date| {
        let entry = entries.iter().find(|entry| entry.date == Some(date_message(day))).unwrap();
        entry.rule_note.clone()
    };
    assert!(note(date(2021, 2, 3)).contains("the headline is not there in en"), "{}", note(date(2021, 2, 3)));
    assert!(note(date(2020, 4, 3)).contains("{declared_count} is absent"), "{}", note(date(2020, 4, 3)));
    // An editor gives what is missing, and publishes.
    let entry = entries.into_iter().find(|entry| entry.date == Some(date_message(date(2021, 2, 3)))).unwrap();
    let name: EntryName = entry.name.parse().unwrap();
    let request = UpdateTimelineEntryRequest {
        timeline_entry: Some(TimelineEntry {
            translations: [("en".into(), "Certificate".into())].into(),
            ..entry
        }),
        ..Default::default()
    };
    world
        .read_and_submit(|violations| milepost_resource::read_update::<_, TimelineEntry>(request, violations))
        .unwrap();
    world.publish(&name).unwrap();
    assert_eq!(world.entry(&name).rule_note, "");
}

/// office.md, section 8: if the portfolio asks for it, a person publishes.
#[test]
fn a_portfolio_that_asks_a_person_to_publish_is_asked_by_rules_too() {
    let (mut world, mut registry) = world();
    world.create_rule("batches", of_batches()).unwrap();
    let said = vec![
        Event {
            r#type: "milepost.portfolio.updated".into(),
            subject: "portfolios/wsc".into(),
            portfolio: "portfolios/wsc".into(),
            resource: Some(portfolio("wsc", true)),
            ..Event::default()
        },
        batch("b", date(2020, 4, 3), None, None),
    ];
    // What the portfolio is by the same entry counts.
    world.ingest(registry.append_events(said)).unwrap();
    let entry = world.entries().remove(0);
    assert_eq!((entry.state(), entry.drafters.len()), (State::Draft, 0));
    assert!(entry.rule_note.contains("asks a person to publish"), "{}", entry.rule_note);
    world.actor = person("user:corp/bob");
    world.publish(&entry.name.parse().unwrap()).unwrap();
}

/// office.md, section 8: WITHDRAWN is shown by nobody but a person.
#[test]
fn an_entry_that_was_deleted_is_not_made_again_and_a_withdrawn_one_not_shown_again() {
    let (mut world, mut registry) = world();
    world
        .create_rule("batches", TimelineRule { merge_key: "batch/{event_date}".into(), ..of_batches() })
        .unwrap();
    let day = date(2020, 9, 11);
    world.ingest(registry.append_events(vec![batch("a", day, Some(79), None)])).unwrap();
    let name: EntryName = world.entries()[0].name.parse().unwrap();
    world.withdraw(&name, "有误").unwrap();
    world.ingest(registry.append_events(vec![batch("b", day, Some(80), None)])).unwrap();
    assert_eq!(world.entry(&name).state(), State::Withdrawn);
    assert_eq!(world.entry(&name).subjects.len(), 2);
    let target = milepost_resource::Target { name: name.clone(), etag: None };
    world
        .read_and_submit(|_| Some(Box::new(milepost_resource::Standard::<TimelineEntry>::Delete(target))))
        .unwrap();
    let said = world.ingest(registry.append_events(vec![batch("c", day, Some(81), None)])).unwrap();
    assert_eq!(kinds(&said), ["source.followed"]);
    assert_eq!(world.entries().len(), 1);
}

#[test]
fn a_rule_that_is_deleted_or_of_another_portfolio_makes_nothing() {
    let (mut world, mut registry) = world();
    world.create_rule("batches", of_batches()).unwrap();
    let other = Event { portfolio: "portfolios/lj".into(), ..batch("b", date(2020, 9, 11), None, None) };
    world.ingest(registry.append_events(vec![other])).unwrap();
    assert_eq!(world.entries().len(), 0);
    let target = milepost_resource::Target {
        name: "portfolios/wsc/timelineRules/batches".parse().unwrap(),
        etag: None,
    };
    world
        .read_and_submit(|_| Some(Box::new(milepost_resource::Standard::<TimelineRule>::Delete(target))))
        .unwrap();
    world.ingest(registry.append_events(vec![batch("b", date(2020, 9, 11), None, None)])).unwrap();
    assert_eq!(world.entries().len(), 0);
}

/// office.md, section 8: a rebuild in the middle changes nothing.
#[test]
fn a_huge_entry_of_the_registry_makes_all_its_entries_in_parts_through_a_rebuild_in_the_middle() {
    let (mut world, mut registry) = world();
    world.domain.part_bytes = 20_000;
    world.create_rule("batches", of_batches()).unwrap();
    world.create_rule("second", TimelineRule { auto_publish: false, ..of_batches() }).unwrap();
    let days = (0..300).map(|i| date(2020, 1, 1).saturating_add(i.days()));
    let events = days.enumerate().map(|(i, day)| batch(&format!("b{i:03}"), day, Some(1), None)).collect();
    let entry = std::sync::Arc::new(registry.append_events(events));
    let mut parts = 0;
    loop {
        let command = Command::Ingest { source_entry: entry.clone(), skip: None };
        let said = world.submit(command).unwrap();
        if said.is_empty() {
            break;
        }
        parts += 1;
        let bytes: usize = said.iter().map(Message::encoded_len).sum();
        assert!(bytes < 24_000, "{bytes}");
        // The store is lost, and made anew of the journal.
        world.rows = world.rebuilt();
    }
    assert!(parts > 10, "{parts}");
    assert_eq!(world.entries().len(), 600);
    assert_eq!(world.timeline("zh-CN").len(), 300);
    assert_eq!(world.rebuilt(), world.rows);
}

/// office.md, section 8: further events join as subjects, 200 at most.
#[test]
fn the_subjects_that_join_one_entry_are_bounded() {
    let (mut world, mut registry) = world();
    world.create_rule("batches", TimelineRule { merge_key: "one".into(), ..of_batches() }).unwrap();
    let events = |from: usize| {
        let ids = from..from + limits::TIMELINE_JOINED_SUBJECTS;
        ids.map(|i| batch(&format!("b{i}"), date(2020, 1, 1), None, None)).collect()
    };
    world.ingest(registry.append_events(events(0))).unwrap();
    let entry = world.entries().remove(0);
    assert_eq!((entry.subjects.len(), entry.more_subjects), (limits::TIMELINE_JOINED_SUBJECTS, false));
    let said = world.ingest(registry.append_events(events(1000))).unwrap();
    // Only the first says that there is no room.
    assert_eq!(kinds(&said), ["source.followed", "timeline_entry.updated"]);
    let entry = world.entries().remove(0);
    assert_eq!((entry.subjects.len(), entry.more_subjects), (limits::TIMELINE_JOINED_SUBJECTS, true));
}

#[test]
fn days_that_pass_make_entries_too_and_one_of_a_key_in_one_command() {
    let (mut world, _) = world();
    let rule = TimelineRule { merge_key: "overdue".into(), ..of_headlines("milepost.milestone.overdue", "") };
    world.create_rule("overdue", rule).unwrap();
    world.advance(date(2021, 5, 13)).unwrap();
    for (id, day) in [("a", 20), ("b", 21)] {
        let draft = crate::tests::world::draft("science-avenue", Some(id), Some(date(2021, 5, day)));
        world
            .read_and_submit(|violations| read_create::<_, Milestone>(draft, violations, Violations::new()))
            .unwrap();
    }
    world.now = "2021-05-25T04:00:00Z".parse().unwrap();
    let said = world.advance(date(2021, 5, 25)).unwrap();
    let of_entries: Vec<_> = kinds(&said).into_iter().filter(|kind| kind.starts_with("timeline")).collect();
    assert_eq!(of_entries, ["timeline_entry.created", "timeline_entry.updated"]);
    assert_eq!(world.entries()[0].subjects.len(), 3, "two milestones of one project");
    assert_eq!(world.rebuilt(), world.rows);
}

/// office.md, section 8: one entry per merge key, also over the parts of one entry and a rebuild between them.
#[test]
fn events_of_a_huge_entry_of_the_registry_join_over_its_parts() {
    let (mut world, mut registry) = world();
    world.domain.part_bytes = 20_000;
    world
        .create_rule("batches", TimelineRule { merge_key: "batch/{event_date}".into(), ..of_batches() })
        .unwrap();
    let day = |i: usize| date(2020, 1, 1 + (i % 3) as i8);
    let events = (0..90).map(|i| batch(&format!("b{i:03}"), day(i), Some(1), None)).collect();
    let entry = std::sync::Arc::new(registry.append_events(events));
    let mut parts = 0;
    while !world.submit(Command::Ingest { source_entry: entry.clone(), skip: None }).unwrap().is_empty() {
        parts += 1;
        world.rows = world.rebuilt();
    }
    assert!(parts > 10, "{parts}");
    let told = world.timeline("zh-CN");
    assert_eq!(told.iter().map(|item| item.subjects.len()).collect::<Vec<_>>(), [30, 30, 30]);
    let mut subjects: Vec<_> = told.into_iter().flat_map(|item| item.subjects).collect();
    subjects.sort();
    subjects.dedup();
    assert_eq!(subjects.len(), 90);
}

#[test]
fn events_that_find_no_room_in_an_entry_leave_a_trace_once() {
    let (mut world, mut registry) = world();
    let tags =
        ["fr", "de", "it", "es", "pt", "nl", "pl", "cs", "sv", "da", "fi", "el", "hu", "ro", "bg", "hr"];
    let of_length = |last: usize| {
        let length = |i: usize| if i + 1 == tags.len() { last } else { limits::TEXT_CHARS };
        let texts = tags.iter().enumerate().map(|(i, tag)| ((*tag).to_owned(), "x".repeat(length(i))));
        TimelineEntry {
            merge_key: "one".into(),
            text_translations: texts.collect(),
            ..editorial("满", date(2020, 1, 1))
        }
    };
    let full = (1..limits::TEXT_CHARS).rev().map(of_length).find(has_room).unwrap();
    world.create_entry("full", full).unwrap();
    world.create_rule("batches", TimelineRule { merge_key: "one".into(), ..of_batches() }).unwrap();
    let mut join = |id: &str| {
        let event = batch(id, date(2020, 1, 1), None, None);
        kinds(&world.ingest(registry.append_events(vec![event])).unwrap()).join(" ")
    };
    assert_eq!(join("a"), "source.followed timeline_entry.updated");
    assert_eq!(join("b"), "source.followed");
    let entry = world.entry(&name("full"));
    assert_eq!((entry.subjects.len(), entry.more_subjects), (0, true));
}

#[test]
fn what_rules_make_of_one_request_is_bounded() {
    let (mut world, _) = world();
    let tags = ["en", "fr", "de", "it", "es", "pt", "nl", "pl", "cs", "sv", "da", "fi", "el", "hu"];
    let text = || "x".repeat(limits::TEXT_CHARS);
    let rule = TimelineRule {
        text: text(),
        text_translations: tags.iter().map(|tag| ((*tag).to_owned(), text())).collect(),
        translations: [("en".to_owned(), "Milestone".to_owned())].into(),
        merge_key: String::new(),
        headline: "里程碑".into(),
        ..of_headlines("milepost.milestone.created", "")
    };
    world.create_rule("milestones", rule).unwrap();
    let several = |from: usize, to: usize| {
        let id = |i: usize| format!("m{i}");
        create((from..to).map(|i| draft("science-avenue", Some(&id(i)), None)).collect())
    };
    let refused = world.submit(several(0, 250)).unwrap_err();
    assert!(matches!(refused, Rejection::LimitExceeded { limit: 33_554_432, .. }), "{refused:?}");
    assert_eq!(world.entries().len(), 0);
    let said = world.submit(several(0, 20)).unwrap();
    assert_eq!((said.len(), world.timeline("en").len()), (60, 20));
}

#[test]
fn what_a_rule_could_not_do_is_noted() {
    let (mut world, mut registry) = world();
    let long = "x".repeat(60);
    let rules = [
        ("key", TimelineRule { merge_key: "{declared_count}".into(), ..of_batches() }, "nothing joins it"),
        ("figure", of_batches(), "declared_investment is beyond what a figure holds"),
        (
            "headline",
            TimelineRule { headline: "{display_name}".repeat(4), ..of_batches() },
            "the headline in zh-CN was too long",
        ),
        (
            "text",
            TimelineRule {
                text: "{description}".into(),
                text_translations: ["en", "fr", "de", "it", "es", "pt"]
                    .map(|tag| (tag.to_owned(), "{description}".to_owned()))
                    .into(),
                ..of_batches()
            },
            "texts were left out",
        ),
    ];
    for (id, rule, _) in &rules {
        world.create_rule(id, rule.clone()).unwrap();
    }
    let mut event = batch(&long, date(2020, 1, 1), None, Some(1_000_000_000_000_000));
    if let Some(Resource::BatchResource(batch)) = &mut event.resource {
        batch.description = "长".repeat(limits::TEXT_CHARS);
    }
    world.ingest(registry.append_events(vec![event])).unwrap();
    let entries = world.entries();
    for (id, _, note) in &rules {
        let of_rule = |entry: &&TimelineEntry| entry.rule.ends_with(&format!("/{id}"));
        let entry = entries.iter().find(of_rule).unwrap();
        assert!(entry.rule_note.contains(note), "{id}: {}", entry.rule_note);
        assert!(entry.state() == State::Draft && entry.figures.is_empty(), "{id}");
        assert!(entry.headline.chars().count() <= limits::DISPLAY_NAME_CHARS && has_room(entry), "{id}");
    }
}

#[test]
fn keys_that_differ_behind_their_limit_stay_different() {
    let (mut world, mut registry) = world();
    let merge_key = format!("{}{{display_name}}", "k".repeat(150));
    world.create_rule("batches", TimelineRule { merge_key, ..of_batches() }).unwrap();
    for (id, count) in [("a", 1), ("b", 2), ("a", 2)] {
        let event = batch(&format!("{}{id}", "x".repeat(60)), date(2020, 1, 1), None, None);
        world.ingest(registry.append_events(vec![event])).unwrap();
        assert_eq!(world.entries().len(), count, "{id}");
    }
    for entry in world.entries() {
        assert!(entry.merge_key.chars().count() <= limits::DISPLAY_NAME_CHARS, "{}", entry.merge_key);
    }
}

#[test]
fn an_entry_from_which_nothing_is_to_be_derived_says_so_once_where_a_rule_waits_for_it() {
    let (mut world, mut registry) = world();
    let skip = |registry: &mut Registry| Command::Ingest {
        source_entry: std::sync::Arc::new(registry.append_events(vec![
            batch("a", date(2020, 4, 3), None, None),
            batch("b", date(2020, 4, 3), None, None),
        ])),
        skip: Some("too large".into()),
    };
    let said = world.submit(skip(&mut registry)).unwrap();
    assert_eq!(kinds(&said), ["source.followed"]);
    world.create_rule("batches", of_batches()).unwrap();
    let said = world.submit(skip(&mut registry)).unwrap();
    assert_eq!(kinds(&said), ["source.followed", "source.skipped"]);
    let Some(milepost_proto::event::v1::event::Payload::SourceSkipped(skipped)) = &said[1].payload else {
        panic!()
    };
    assert_eq!(skipped.r#type, "milepost.batch.started");
    assert_eq!(skipped.reason, "too large; the same for 1 later events of its entry");
}

/// A rule, or an entry that events would join, that cannot be read is passed over by days; other rules and the day go on.
#[test]
fn a_rule_that_cannot_be_read_keeps_no_day_from_beginning_and_no_other_rule_from_its_entry() {
    let (mut world, _) = world();
    for id in ["first", "joined", "last"] {
        let rule = TimelineRule { merge_key: id.into(), ..of_headlines("milepost.milestone.overdue", "") };
        world.create_rule(id, rule).unwrap();
    }
    world.advance(date(2021, 5, 13)).unwrap();
    for (id, day) in [("a", 20), ("b", 24)] {
        let draft = crate::tests::world::draft("science-avenue", Some(id), Some(date(2021, 5, day)));
        world
            .read_and_submit(|violations| read_create::<_, Milestone>(draft, violations, Violations::new()))
            .unwrap();
    }
    let rule = "portfolios/wsc/timelineRules/first".parse::<super::super::RuleName>().unwrap();
    world.damage(&rule);
    world.now = "2021-05-21T04:00:00Z".parse().unwrap();
    let said = world.advance(date(2021, 5, 21)).unwrap();
    let made = |said: &[Event]| kinds(said).into_iter().filter(|kind| kind.starts_with("timeline")).count();
    assert_eq!(made(&said), 2, "{:?}", kinds(&said));
    let joined = world.entries().into_iter().find(|entry| entry.merge_key == "joined").unwrap();
    world.damage(&joined.name.parse::<EntryName>().unwrap());
    world.now = "2021-05-25T04:00:00Z".parse().unwrap();
    let said = world.advance(date(2021, 5, 25)).unwrap();
    assert!(kinds(&said).contains(&"milestone.overdue"));
    let updated: Vec<_> =
        said.iter().filter(|event| event.r#type == "milepost.timeline_entry.updated").collect();
    assert_eq!(updated.len(), 1, "{:?}", kinds(&said));
    assert_ne!(updated[0].subject, joined.name);
    assert_eq!(kinds(&said).iter().filter(|kind| **kind == "portfolio.date_advanced").count(), 4);
}

/// The same of what the registry says: the follower goes on, and says what it left out.
#[test]
fn a_rule_that_cannot_be_read_does_not_end_following() {
    let (mut world, mut registry) = world();
    for id in ["first", "last"] {
        world.create_rule(id, TimelineRule { merge_key: id.into(), ..of_batches() }).unwrap();
    }
    world.damage(&"portfolios/wsc/timelineRules/first".parse::<super::super::RuleName>().unwrap());
    let event = batch("a", date(2020, 4, 3), None, None);
    let said = world.ingest(registry.append_events(vec![event])).unwrap();
    let told: Vec<_> = kinds(&said).into_iter().filter(|kind| !kind.starts_with("timeline")).collect();
    assert_eq!(told, ["source.followed", "source.skipped"]);
    let entries = world.entries();
    assert_eq!(entries.iter().map(|entry| entry.merge_key.as_str()).collect::<Vec<_>>(), ["last"]);
    let skipped = said.iter().find_map(|event| match &event.payload {
        Some(milepost_proto::event::v1::event::Payload::SourceSkipped(skipped)) => Some(skipped),
        _ => None,
    });
    let skipped = skipped.unwrap();
    assert_eq!(skipped.r#type, "milepost.batch.started");
    assert!(skipped.reason.contains("timeline_rule"), "{}", skipped.reason);
    // An entry that an event would join.
    world.damage(&entries[0].name.parse::<EntryName>().unwrap());
    let event = batch("b", date(2020, 4, 4), None, None);
    let said = world.ingest(registry.append_events(vec![event])).unwrap();
    assert_eq!(kinds(&said), ["source.followed", "source.skipped"]);
}
