//! Rules: what is refused when they are written.

use jiff::civil::date;
use milepost_resource::{Standard, Target};
use milepost_types::limits;

use super::*;

fn faults(rule: TimelineRule) -> Vec<String> {
    let (mut world, _) = world();
    match world.create_rule("r", rule) {
        Err(Rejection::Invalid(found)) => {
            found.iter().map(|one| format!("{} {}: {}", one.field, one.reason, one.description)).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn assert_faults(rule: TimelineRule, expected: &[&str]) {
    let found = faults(rule);
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found} / {expected}");
    }
}

/// office.md, section 8: event type, filter, patterns per language.
#[test]
fn a_faulty_pattern_is_refused_with_its_column_and_so_is_every_other_fault() {
    assert_faults(
        TimelineRule {
            event_type: "milepost.batch.strated".into(),
            headline: "{display_name".into(),
            translations: [("en".to_owned(), "a ]".to_owned())].into(),
            text: "[x]".into(),
            merge_key: "}".into(),
            ..of_batches()
        },
        &[
            "timeline_rule.event_type UNKNOWN_EVENT_TYPE: no event has the type \"milepost.batch.strated\"; did you mean",
            "timeline_rule.merge_key INVALID_PATTERN: column 1: this } closes nothing",
            "timeline_rule.headline INVALID_PATTERN: column 1: this { is not closed",
            "timeline_rule.translations[\"en\"] INVALID_PATTERN: column 3: this ] closes nothing",
            "timeline_rule.text INVALID_PATTERN: column 1: there is no field in this part",
        ],
    );
    assert_faults(
        TimelineRule {
            filter: "resource.declared_cuont > 3".into(),
            headline: "科学{nome}".into(),
            figures: vec![
                TimelineRuleFigure { label: "a".into(), field: "display_name".into(), ..Default::default() },
                TimelineRuleFigure { label: "b".into(), field: "none".into(), ..Default::default() },
            ],
            ..of_batches()
        },
        &[
            "timeline_rule.filter INVALID_FILTER: column 1: there is no field \"resource.declared_cuont\"",
            "timeline_rule.figures[0].field UNKNOWN_FIELD: \"display_name\" is no whole number",
            "timeline_rule.figures[1].field UNKNOWN_FIELD: there is no field \"none\"",
            "timeline_rule.headline INVALID_PATTERN: column 4: there is no field \"nome\"",
        ],
    );
}

/// office.md, section 8: which events make entries.
#[test]
fn events_that_are_not_for_readers_make_no_entries() {
    for event_type in [
        "milepost.grant.created",
        "milepost.api_token.created",
        "milepost.service_account.updated",
        "milepost.timeline_entry.published",
        "milepost.source.followed",
        // Of days themselves nothing follows; of what they make overdue it does.
        "milepost.portfolio.date_advanced",
        "milepost.portfolio.date_advancing",
    ] {
        let rule = TimelineRule {
            event_type: event_type.into(),
            headline: "x".into(),
            translations: Default::default(),
            figures: Vec::new(),
            ..of_batches()
        };
        assert!(
            faults(rule)[0].starts_with("timeline_rule.event_type EVENT_TYPE_NOT_PUBLIC"),
            "{event_type}"
        );
    }
}

/// office.md, section 8: what a rule says can be written and found.
#[test]
fn what_events_without_a_resource_do_not_have_is_no_field() {
    for event_type in
        ["milepost.collection.element_completed", "milepost.policy.matched", "milepost.policy.unmatched"]
    {
        let rule = TimelineRule {
            event_type: event_type.into(),
            headline: "{display_name}".into(),
            filter: "resource.labels.headline = yes".into(),
            translations: Default::default(),
            figures: Vec::new(),
            ..of_batches()
        };
        assert_faults(
            rule.clone(),
            &[
                "timeline_rule.filter INVALID_FILTER: column 1",
                "timeline_rule.headline INVALID_PATTERN: column 2: there is no field \"display_name\": events of this type",
            ],
        );
        let (mut world, _) = world();
        let of_event =
            TimelineRule { headline: "{subject}".into(), filter: "event_date >= 2021-01-01".into(), ..rule };
        world.create_rule("r", of_event).unwrap();
    }
}

/// office.md, section 8: a rule that is changed makes what it says from then on.
#[test]
fn a_rule_that_is_changed_finds_and_makes_what_it_says_now() {
    let (mut world, mut registry) = world();
    world.create_rule("r", of_batches()).unwrap();
    let mut say = |world: &mut World, event_type: &str, id: &str, count: i32| {
        let event = Event { r#type: event_type.into(), ..batch(id, date(2020, 9, 11), Some(count), None) };
        world.ingest(registry.append_events(vec![event])).unwrap();
        world.headlines("en").len()
    };
    let (started, cancelled) = ("milepost.batch.started", "milepost.batch.cancelled");
    world
        .update_rule("r", TimelineRule { event_type: cancelled.into(), ..of_batches() }, "event_type")
        .unwrap();
    assert_eq!((say(&mut world, started, "a", 9), say(&mut world, cancelled, "b", 9)), (0, 1));
    let filter = TimelineRule { filter: "resource.declared_count > 50".into(), ..of_batches() };
    world.update_rule("r", filter, "filter").unwrap();
    assert_eq!((say(&mut world, cancelled, "c", 50), say(&mut world, cancelled, "d", 51)), (1, 2));
    let drafts = TimelineRule { auto_publish: false, ..of_batches() };
    world.update_rule("r", drafts, "auto_publish").unwrap();
    assert_eq!((say(&mut world, cancelled, "e", 60), world.entries().len()), (2, 3));
    // What its fields are is read anew with the type.
    let milestones = TimelineRule { event_type: "milepost.milestone.achieved".into(), ..of_batches() };
    let Err(Rejection::Invalid(found)) = world.update_rule("r", milestones, "event_type") else { panic!() };
    assert!(found.iter().any(|fault| fault.field == "timeline_rule.headline"), "{found}");
    assert_eq!(world.rebuilt(), world.rows);
}

/// office.md, section 8: a rule that is there again makes entries again, within the limit.
#[test]
fn a_rule_whose_deletion_is_taken_back_makes_entries_again_unless_there_are_too_many() {
    let (mut world, mut registry) = world();
    let target = || Target { name: "portfolios/wsc/timelineRules/r".parse().unwrap(), etag: None };
    let undelete = |world: &mut World| {
        world.read_and_submit(|_| Some(Box::new(Standard::<TimelineRule>::Undelete(target()))))
    };
    world.create_rule("r", of_batches()).unwrap();
    world.read_and_submit(|_| Some(Box::new(Standard::<TimelineRule>::Delete(target())))).unwrap();
    let mut say = |world: &mut World, id: &str| {
        world.ingest(registry.append_events(vec![batch(id, date(2020, 9, 11), None, None)])).unwrap();
        world.entries().len()
    };
    assert_eq!(say(&mut world, "a"), 0);
    for i in 0..limits::TIMELINE_RULES_OF_TYPE {
        let other = TimelineRule { filter: "event_date < 2000-01-01".into(), ..of_batches() };
        world.create_rule(&format!("r{i}"), other).unwrap();
    }
    assert!(matches!(undelete(&mut world), Err(Rejection::LimitExceeded { limit: 20, .. })));
    let other = Target { name: "portfolios/wsc/timelineRules/r0".parse().unwrap(), etag: None };
    world.read_and_submit(|_| Some(Box::new(Standard::<TimelineRule>::Delete(other)))).unwrap();
    undelete(&mut world).unwrap();
    assert_eq!(say(&mut world, "b"), 1, "and nothing of what it missed");
    assert_eq!(world.rebuilt(), world.rows);
}

/// office.md, section 8: rules of a timeline.
#[test]
fn rules_for_one_type_are_limited() {
    let (mut world, _) = world();
    for i in 0..limits::TIMELINE_RULES_OF_TYPE {
        world.create_rule(&format!("r{i}"), of_batches()).unwrap();
    }
    let refused = world.create_rule("more", of_batches());
    assert!(matches!(refused, Err(Rejection::LimitExceeded { limit: 20, .. })), "{refused:?}");
    world
        .create_rule("other", TimelineRule { event_type: "milepost.batch.cancelled".into(), ..of_batches() })
        .unwrap();
}
