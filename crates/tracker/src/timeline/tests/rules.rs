//! Rules: what is refused when they are written.

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

#[test]
fn events_that_are_not_for_readers_make_no_entries() {
    for event_type in [
        "milepost.grant.created",
        "milepost.api_token.created",
        "milepost.service_account.updated",
        "milepost.timeline_entry.published",
        "milepost.source.followed",
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
