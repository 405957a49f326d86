//! Entries: drafts, publications, withdrawals, and what readers see of them.

use jiff::civil::date;
use milepost_proto::tracker::v1::timeline_entry::State;
use milepost_resource::{Standard, Target};

use super::*;
use crate::tests::world::kinds;

/// office.md, section 8: DRAFT→PUBLISHED→WITHDRAWN→DRAFT; scenario 6: the uid stays, the sequence rises.
#[test]
fn an_entry_is_published_withdrawn_and_published_again_under_one_uid() {
    let (mut world, _) = world();
    let plan = name("plan");
    world.create_entry("plan", editorial("规划公布", date(2020, 9, 16))).unwrap();
    assert_eq!(world.headlines("zh-CN"), [""; 0], "a draft is not for readers");
    assert_eq!(kinds(&world.publish(&plan).unwrap()), ["timeline_entry.published"]);
    let first = world.entry(&plan);
    assert_eq!((first.state(), first.sequence, first.has_changes), (State::Published, 1, false));
    assert_eq!(world.publish(&plan).unwrap(), [], "nothing changed since");

    let withdrawn = world.withdraw(&plan, "有误").unwrap();
    assert_eq!(kinds(&withdrawn), ["timeline_entry.withdrawn"]);
    assert_eq!(world.headlines("zh-CN"), [""; 0]);
    let told = page(
        &milepost_resource::Rows::new(&world.rows),
        &TimelineQuery { show_withdrawn: true, ..query("zh-CN") },
    );
    let told = told.unwrap().items.pop().unwrap();
    assert!(told.withdrawn && told.headline.is_empty() && told.uid == first.uid && told.sequence == 2);

    for refused in [world.withdraw(&plan, "x"), world.publish(&plan)] {
        assert!(matches!(refused, Err(Rejection::WrongState { .. })), "{refused:?}");
    }
    assert_eq!(kinds(&world.revise(&plan).unwrap()), ["timeline_entry.revised"]);
    assert!(matches!(world.revise(&plan), Err(Rejection::WrongState { .. })));
    world.publish(&plan).unwrap();
    let again = world.entry(&plan);
    assert_eq!((again.uid, again.sequence, again.withdrawal_reason.as_str()), (first.uid, 3, ""));
    assert_eq!(again.first_publish_time, first.first_publish_time);
    assert_eq!(world.headlines("zh-CN"), ["规划公布"]);
    assert_eq!(world.rebuilt(), world.rows);
}

/// office.md, section 8: changing a published entry makes a draft revision; readers see the old until republished.
#[test]
fn readers_see_what_was_published_until_it_is_published_again() {
    let (mut world, _) = world();
    let plan = name("plan");
    world.create_entry("plan", editorial("规划公布", date(2020, 9, 16))).unwrap();
    world.publish(&plan).unwrap();
    let changed = TimelineEntry {
        headline: "国土空间规划公布".into(),
        date: Some(date_message(date(2020, 9, 17))),
        ..world.entry(&plan)
    };
    world.update_entry(changed, "headline,date").unwrap();
    assert!(world.entry(&plan).has_changes);
    let told = world.timeline("zh-CN");
    assert_eq!((told[0].headline.as_str(), told[0].sequence), ("规划公布", 1));
    assert_eq!(told[0].date, Some(date_message(date(2020, 9, 16))));
    // Taken back, nothing is left to be published.
    let back = TimelineEntry {
        headline: "规划公布".into(),
        date: Some(date_message(date(2020, 9, 16))),
        ..world.entry(&plan)
    };
    world.update_entry(back, "headline,date").unwrap();
    assert!(!world.entry(&plan).has_changes);
    let changed = TimelineEntry { headline: "国土空间规划公布".into(), ..world.entry(&plan) };
    world.update_entry(changed, "headline").unwrap();
    world.publish(&plan).unwrap();
    assert_eq!(world.headlines("zh-CN"), ["国土空间规划公布"]);
    assert_eq!(world.entry(&plan).sequence, 2);
    assert_eq!(world.rebuilt(), world.rows);
}

/// office.md, section 8: the states, and what is refused in each.
#[test]
fn a_withdrawn_entry_is_not_changed_and_a_published_one_not_deleted() {
    let (mut world, _) = world();
    let plan = name("plan");
    world.create_entry("plan", editorial("规划公布", date(2020, 9, 16))).unwrap();
    world.publish(&plan).unwrap();
    let delete = |world: &mut World| {
        let target = Target { name: name("plan"), etag: None };
        world.read_and_submit(|_| Some(Box::new(Standard::<TimelineEntry>::Delete(target))))
    };
    assert!(matches!(delete(&mut world), Err(Rejection::WrongState { action: "delete", .. })));
    world.withdraw(&plan, "有误").unwrap();
    let entry = world.entry(&plan);
    let refused = world.update_entry(TimelineEntry { headline: "x".into(), ..entry }, "headline");
    assert!(matches!(refused, Err(Rejection::WrongState { action: "change", .. })), "{refused:?}");
    delete(&mut world).unwrap();
    // Calendars must hear of it all the same.
    let query = TimelineQuery { show_withdrawn: true, ..query("") };
    let told = page(&milepost_resource::Rows::new(&world.rows), &query).unwrap().items;
    assert!(told.len() == 1 && told[0].withdrawn);
}

/// office.md, section 8: publishing needs the portfolio's required languages, each that is missing is named.
#[test]
fn every_text_that_is_not_there_in_a_required_language_is_named() {
    let (mut world, _) = world();
    let entry = TimelineEntry {
        translations: Default::default(),
        text: "正文".into(),
        figures: vec![TimelineFigure { label: "项目".into(), value: "79".into(), ..Default::default() }],
        ..editorial("规划公布", date(2020, 9, 16))
    };
    world.create_entry("plan", entry).unwrap();
    let Err(Rejection::Preconditions(found)) = world.publish(&name("plan")) else { panic!() };
    let said: Vec<_> = found.iter().map(|one| format!("{} {}", one.kind, one.description)).collect();
    assert_eq!(said.len(), 3, "{said:?}");
    for (said, what) in said.iter().zip(["the headline", "the text", "the label \"项目\""]) {
        assert!(said.starts_with(&format!("MISSING_TRANSLATION {what}")) && said.contains("in en"), "{said}");
    }
    // A closer or a wider tag of the same language serves.
    let entry = TimelineEntry {
        translations: [("en-GB".to_owned(), "Plan".to_owned())].into(),
        language: "zh".into(),
        ..editorial("规划公布", date(2020, 9, 16))
    };
    world.create_entry("wide", entry).unwrap();
    world.publish(&name("wide")).unwrap();
}

/// Who proved who they are, and for whom they act.
fn by(who: &str, on_behalf_of: &str) -> Actor {
    Actor { on_behalf_of: on_behalf_of.into(), ..person(who) }
}

/// A world whose portfolio asks that another person publishes than drafted.
fn world_of_two() -> (World, Registry) {
    let (mut world, mut registry) = world();
    world
        .ingest(registry.append(vec![("milepost.portfolio.updated", Some(portfolio("wsc", true)))]))
        .unwrap();
    (world, registry)
}

/// office.md, sections 8 and 0: if the portfolio asks for it, another person publishes than drafted.
#[test]
fn who_drafted_does_not_publish_where_another_person_is_asked_for() {
    let (mut world, _) = world_of_two();
    world.actor = by("user:corp/ann", "");
    world.create_entry("plan", editorial("规划公布", date(2020, 9, 16))).unwrap();
    for same in [by("user:corp/ann", ""), by("user:corp/bob", "user:corp/ann")] {
        world.actor = same;
        assert_eq!(preconditions(world.publish(&name("plan")).unwrap_err()), ["SAME_PERSON"]);
    }
    world.actor = by("user:corp/bob", "");
    world.publish(&name("plan")).unwrap();
    assert_eq!(world.entry(&name("plan")).drafters, []);
    // Who changes it then has drafted.
    let entry = world.entry(&name("plan"));
    world.update_entry(TimelineEntry { text: "x".into(), ..entry }, "text").unwrap();
    assert_eq!(world.entry(&name("plan")).drafters.len(), 1);
}

/// office.md, section 0: an empty principal: ACTOR_UNKNOWN; also of an entry that a rule made and nobody changed
/// further.
#[test]
fn nobody_is_no_other_person_be_it_who_drafted_or_who_publishes() {
    let (mut world, mut registry) = world_of_two();
    world.create_rule("batches", of_batches()).unwrap();
    world.ingest(registry.append_events(vec![batch("b", date(2020, 4, 3), None, None)])).unwrap();
    let by_rule: EntryName = world.entries().remove(0).name.parse().unwrap();
    world.actor = by("user:corp/ann", "");
    world.create_entry("plan", editorial("规划公布", date(2020, 9, 16))).unwrap();
    let refused = |world: &mut World, who: Actor, name: &EntryName| {
        world.actor = who;
        assert_eq!(preconditions(world.publish(name).unwrap_err()), ["ACTOR_UNKNOWN"]);
    };
    for name in [&name("plan"), &by_rule] {
        refused(&mut world, Actor::default(), name);
    }
    // Nobody changes what the rule made: it is not known who drafted it then.
    let changed = TimelineEntry { rank_in_day: 3, ..world.entry(&by_rule) };
    world.update_entry(changed, "rank_in_day").unwrap();
    for who in [Actor::default(), by("user:corp/bob", "")] {
        refused(&mut world, who, &by_rule);
    }
    world.actor = by("user:corp/ann", "");
    let changed = TimelineEntry { rank_in_day: 4, ..world.entry(&by_rule) };
    world.update_entry(changed, "rank_in_day").unwrap();
    assert_eq!(preconditions(world.publish(&by_rule).unwrap_err()), ["SAME_PERSON"]);
    world.actor = by("user:corp/bob", "");
    world.publish(&by_rule).unwrap();
}

/// office.md, section 8, scenario 6 where another person publishes: withdrawn and published again, nobody changing it.
#[test]
fn what_was_published_by_another_person_is_so_again_though_nobody_changed_it() {
    let (mut world, mut registry) = world_of_two();
    let keyed = TimelineEntry {
        merge_key: "batch/2020-09-16".into(),
        ..editorial("规划公布", date(2020, 9, 16))
    };
    world.actor = by("user:corp/ann", "");
    world.create_entry("plan", keyed).unwrap();
    world.actor = by("user:corp/bob", "");
    world.publish(&name("plan")).unwrap();
    world.withdraw(&name("plan"), "有误").unwrap();
    world.actor = by("user:corp/ann", "");
    world.revise(&name("plan")).unwrap();
    world.actor = by("user:corp/bob", "");
    world.publish(&name("plan")).unwrap();
    assert_eq!(world.entry(&name("plan")).sequence, 3);
    // So is what a rule added, which no rule may publish here, and says so.
    let rule = TimelineRule { merge_key: "batch/{event_date}".into(), ..of_batches() };
    world.create_rule("batches", rule).unwrap();
    world.ingest(registry.append_events(vec![batch("b", date(2020, 9, 16), None, None)])).unwrap();
    let joined = world.entry(&name("plan"));
    assert!(joined.has_changes && joined.drafters.is_empty(), "{joined:?}");
    assert!(joined.rule_note.contains("asks a person to publish"), "{}", joined.rule_note);
    world.publish(&name("plan")).unwrap();
    assert_eq!(world.timeline("")[0].subjects, ["portfolios/wsc/batches/b"]);
    assert_eq!(world.entry(&name("plan")).rule_note, "");
}

/// office.md, section 8: MISSING_TRANSLATION also of a text that is there in another required language alone.
#[test]
fn a_text_that_is_there_only_in_a_translation_is_missing_in_the_own_language() {
    let (mut world, mut registry) = world();
    let translated = || TimelineEntry {
        text_translations: [("en".to_owned(), "Text".to_owned())].into(),
        ..editorial("规划公布", date(2020, 9, 16))
    };
    world.create_entry("plan", translated()).unwrap();
    let Err(Rejection::Preconditions(found)) = world.publish(&name("plan")) else { panic!() };
    let said: Vec<_> = found.iter().map(|one| one.description.as_str()).collect();
    assert_eq!(said, ["the text is not there in zh-CN, which the portfolio requires; give it"]);
    // Where nothing is required, readers get the text that there is.
    let nothing = crate::tests::registry::portfolio("wsc");
    world.ingest(registry.append(vec![("milepost.portfolio.updated", Some(nothing))])).unwrap();
    world.publish(&name("plan")).unwrap();
    for wanted in ["fr", "en", "zh-CN", ""] {
        let item = world.timeline(wanted).remove(0);
        assert_eq!((item.text.as_str(), item.text_language.as_str()), ("Text", "en"), "{wanted}");
    }
}

#[test]
fn a_language_that_is_no_longer_said_is_a_change_that_is_published() {
    let (mut world, mut registry) = world();
    let english = TimelineEntry {
        language: "en".into(),
        translations: [("zh-CN".to_owned(), "规划公布".to_owned())].into(),
        ..editorial("规划公布", date(2020, 9, 16))
    };
    world.create_entry("plan", english).unwrap();
    world.publish(&name("plan")).unwrap();
    let cleared = TimelineEntry { language: String::new(), ..world.entry(&name("plan")) };
    world.update_entry(cleared, "language").unwrap();
    assert!(world.entry(&name("plan")).has_changes);
    let cleared = TimelineEntry {
        translations: [("en".to_owned(), "Plan".to_owned())].into(),
        ..world.entry(&name("plan"))
    };
    world.update_entry(cleared, "translations").unwrap();
    world.publish(&name("plan")).unwrap();
    assert_eq!(world.timeline("zh-CN")[0].headline_language, "zh-CN");
    // What the portfolio is written in later, and saying the language that it is in, are none.
    let Resource::PortfolioResource(mut later) = portfolio("wsc", false) else { panic!() };
    later.language = "en".into();
    let later = Resource::PortfolioResource(later);
    world.ingest(registry.append(vec![("milepost.portfolio.updated", Some(later))])).unwrap();
    let said = TimelineEntry { language: "zh-CN".into(), ..world.entry(&name("plan")) };
    world.update_entry(said, "language").unwrap();
    assert!(!world.entry(&name("plan")).has_changes);
}

#[test]
fn a_deletion_is_taken_back_unless_another_entry_has_the_key_by_now() {
    let (mut world, _) = world();
    let keyed = || TimelineEntry { merge_key: "k".into(), ..editorial("a", date(2020, 9, 16)) };
    let target = |id: &str| Target { name: name(id), etag: None };
    let delete = |world: &mut World, id: &str| {
        world.read_and_submit(|_| Some(Box::new(Standard::<TimelineEntry>::Delete(target(id)))))
    };
    let undelete = |world: &mut World, id: &str| {
        world.read_and_submit(|_| Some(Box::new(Standard::<TimelineEntry>::Undelete(target(id)))))
    };
    world.create_entry("a", keyed()).unwrap();
    delete(&mut world, "a").unwrap();
    world.create_entry("b", keyed()).unwrap();
    assert_eq!(preconditions(undelete(&mut world, "a").unwrap_err()), ["MERGE_KEY_TAKEN"]);
    delete(&mut world, "b").unwrap();
    assert_eq!(kinds(&undelete(&mut world, "a").unwrap()), ["timeline_entry.undeleted"]);
    assert_eq!(world.entry(&name("a")).state(), State::Draft);
    assert_eq!(preconditions(undelete(&mut world, "b").unwrap_err()), ["MERGE_KEY_TAKEN"]);
    assert_eq!(world.rebuilt(), world.rows);
}

/// office.md, sections 8 and 0: MERGE_KEY_TAKEN; texts of at most 4,096 characters.
#[test]
fn no_two_entries_have_one_merge_key_and_what_is_no_name_or_too_large_is_refused() {
    let (mut world, _) = world();
    let keyed = || TimelineEntry { merge_key: "k".into(), ..editorial("a", date(2020, 9, 16)) };
    world.create_entry("a", keyed()).unwrap();
    assert_eq!(preconditions(world.create_entry("b", keyed()).unwrap_err()), ["MERGE_KEY_TAKEN"]);
    let wrong = TimelineEntry {
        subjects: vec!["portfolios/wsc".into(), "nonsense".into(), "portfolios/wsc/".into()],
        ..editorial("a", date(2020, 9, 16))
    };
    let Err(Rejection::Invalid(found)) = world.create_entry("c", wrong) else { panic!() };
    let fields: Vec<_> = found.iter().map(|one| one.field.as_str()).collect();
    assert_eq!(fields, ["timeline_entry.subjects[1]", "timeline_entry.subjects[2]"]);
    let long = TimelineEntry { text: "长".repeat(4_097), ..editorial("a", date(2020, 9, 16)) };
    let Err(Rejection::Invalid(found)) = world.create_entry("long", long) else { panic!() };
    assert!(found.iter().any(|one| one.reason == "TOO_LONG"), "{found}");
    let large = ["fr", "de", "it", "es", "pt", "nl"].map(|tag| (tag.to_owned(), "长".repeat(4_096)));
    let large = TimelineEntry { text_translations: large.into(), ..editorial("a", date(2020, 9, 16)) };
    let Err(Rejection::Invalid(found)) = world.create_entry("d", large) else { panic!() };
    assert!(found.iter().any(|one| one.reason == "TOO_LARGE"), "{found}");
}

/// Persisted: stores hold these keys.
#[test]
fn the_keys_of_rows_never_change() {
    let (mut world, _) = world();
    let entry =
        TimelineEntry {
            merge_key: "k".into(), rank_in_day: 258, ..editorial("规划公布", date(2020, 9, 16))
        };
    world.create_entry("plan", entry).unwrap();
    world.create_rule("batches", of_batches()).unwrap();
    let keys = |world: &World| -> Vec<Vec<u8>> {
        world.rows.0.keys().filter(|key| (11..=16).contains(&key[0])).map(|key| key.to_vec()).collect()
    };
    let drafted: [&[u8]; 5] = [
        b"\x0bwsc\0plan",
        b"\x0dwsc\0\x07\xe4\x09\x10plan",
        b"\x0ewsc\0k\0plan",
        b"\x0fwsc\0batches",
        b"\x10milepost.batch.started\0wsc\0batches",
    ];
    assert_eq!(keys(&world), drafted);
    world.publish(&name("plan")).unwrap();
    assert_eq!(keys(&world)[1], b"\x0cwsc\0\x07\xe4\x09\x10\0\0\x01\x02plan");
    assert_eq!(keys(&world).len(), 6);
}
