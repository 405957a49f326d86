//! Patterns: what they write, and what is wrong with them.

use milepost_proto::event::v1::Event;
use milepost_types::TimeZoneId;

use super::super::pattern::Pattern;
use super::super::values::{Style, facts, find};
use super::batch;
use jiff::civil::date;

fn written(pattern: &str, event: &Event, to: &str) -> (String, Vec<String>) {
    let facts = facts(&event.r#type);
    let pattern = Pattern::parse(pattern, &|path| find(path, facts)).unwrap();
    let written = pattern.write(event, &TimeZoneId::UTC, Style::Language { to, own: "zh-CN" });
    (written.text, written.absent)
}

fn faults(pattern: &str) -> Vec<String> {
    let facts = facts("milepost.batch.started");
    let faults = Pattern::parse(pattern, &|path| find(path, facts)).unwrap_err();
    faults.into_iter().map(|fault| format!("{}: {}", fault.column, fault.message)).collect()
}

/// office.md, section 8: 1,300 亿 is CNY 130 billion; a segment vanishes when its value is absent.
#[test]
fn fields_are_written_in_the_language_and_parts_vanish_with_what_is_absent() {
    let pattern = "{display_name}[，{declared_count} 个项目][，{declared_investment}]（{event_date}）";
    let whole = batch("秋季", date(2020, 9, 11), Some(1079), Some(130_000_000_000));
    assert_eq!(
        written(pattern, &whole, "zh-CN").0,
        "秋季 集中开工，1,079 个项目，1,300 亿元（2020年9月11日）"
    );
    let en = "{display_name}[: {declared_count} projects][, {declared_investment}] on {event_date}";
    assert_eq!(
        written(en, &whole, "en").0,
        "秋季 starts: 1,079 projects, CNY 130 billion on 11 September 2020"
    );
    let bare = batch("春季", date(2020, 4, 3), None, None);
    assert_eq!(written(pattern, &bare, "zh-CN"), ("春季 集中开工（2020年4月3日）".into(), vec![]));
}

/// office.md, section 8: a value that is absent is never made up.
#[test]
fn what_is_absent_outside_of_parts_leaves_nothing_and_is_named() {
    let bare = batch("春季", date(2020, 4, 3), None, None);
    let (text, absent) = written("{declared_count} 个项目[，{place}]", &bare, "zh-CN");
    assert_eq!((text.as_str(), absent), (" 个项目", vec!["declared_count".to_owned()]));
    // A name that is not there in the language is not taken for one.
    let (text, absent) = written("[{display_name}]", &bare, "fr");
    assert_eq!((text.as_str(), absent.len()), ("", 0));
    assert_eq!(written("{display_name}", &bare, "fr").1, ["display_name"]);
    // One without a resource has the fields of events alone.
    let event = Event { event_date: bare.event_date, ..Event::default() };
    assert_eq!(written("{event_date}", &event, "en").0, "3 April 2020");
}

/// office.md, section 8: patterns per language; a name is in the nearest one, the own being one of them.
#[test]
fn a_name_is_written_in_the_nearest_of_its_own_language_and_its_translations() {
    let mut event = batch("x", date(2020, 4, 3), None, None);
    if let Some(milepost_proto::event::v1::event::Resource::BatchResource(batch)) = &mut event.resource {
        batch.translations.insert("zh-TW".into(), "x 集中開工".into());
    }
    let facts = facts(&event.r#type);
    let pattern = Pattern::parse("{display_name}", &|path| find(path, facts)).unwrap();
    let written =
        |own: &str, to: &str| pattern.write(&event, &TimeZoneId::UTC, Style::Language { to, own }).text;
    for (own, to, expected) in [
        ("zh", "zh-TW", "x 集中開工"),
        ("zh", "zh-CN", "x 集中开工"),
        ("zh-CN", "zh", "x 集中开工"),
        ("zh-CN", "zh-HK", "x 集中开工"),
        // Said to be in the language, it goes before what is only taken to be in it.
        ("zh-TW", "zh-TW", "x 集中開工"),
        ("zh-CN", "en-GB", "x starts"),
        ("zh-CN", "fr", ""),
        ("", "fr", ""),
        ("", "", "x 集中开工"),
    ] {
        assert_eq!(written(own, to), expected, "{to} of {own}");
    }
}

/// office.md, section 8: patterns.
#[test]
fn a_backslash_takes_the_next_character_as_it_is() {
    let bare = batch("x", date(2020, 4, 3), None, None);
    assert_eq!(written("\\[{portfolio}\\] \\{\\}\\\\", &bare, "en").0, "[portfolios/wsc] {}\\");
}

/// office.md, section 8: merge keys.
#[test]
fn keys_are_written_without_a_language() {
    let event = batch("x", date(2020, 4, 3), Some(1079), Some(130_000_000_000));
    let facts = facts(&event.r#type);
    let pattern = "{event_date}/{declared_count}/{declared_investment}/{display_name}";
    let pattern = Pattern::parse(pattern, &|path| find(path, facts)).unwrap();
    let key = pattern.write(&event, &TimeZoneId::UTC, Style::Key).text;
    assert_eq!(key, "2020-04-03/1079/CNY 130000000000.00/x 集中开工");
}

/// office.md, section 8: patterns.
#[test]
fn every_fault_is_named_with_its_column() {
    assert_eq!(
        faults("科学{declared_cuont}")[0].split(';').next().unwrap(),
        "4: there is no field \"declared_cuont\""
    );
    assert!(faults("科学{declared_cuont}")[0].contains("did you mean declared_count?"));
    let all = faults("a ] [b] [c [{nome}] {display_name");
    let columns: Vec<_> = all.iter().map(|fault| fault.split(':').next().unwrap()).collect();
    assert_eq!(columns, ["3", "5", "12", "14", "21"], "{all:?}");
    for (pattern, what) in [
        ("[{display_name}", "1: this [ is not closed"),
        ("}", "1: this } closes nothing"),
        ("ab\\", "3: nothing follows"),
        ("{}", "2: there is no field"),
        ("{members}", "2: \"members\" has several values"),
        ("{state}", "2: \"state\" is no text"),
        ("{labels}", "2: \"labels\" holds texts by key"),
        ("{display_name.x}", "2: \"display_name.x\" has no fields"),
    ] {
        assert!(faults(pattern)[0].starts_with(what), "{pattern}: {:?}", faults(pattern));
    }
}

/// office.md, section 8: patterns.
#[test]
fn fields_inside_of_messages_and_labels_are_written() {
    use milepost_proto::event::v1::event::Resource;
    use milepost_proto::registry::v1::{Period, Project};
    let project = Project {
        name: "portfolios/wsc/projects/x".into(),
        labels: [("nick".to_owned(), "大道".to_owned())].into(),
        actual_period: Some(Period {
            start_date: Some(milepost_resource::date_message(date(2020, 9, 11))),
            end_date: None,
        }),
        ..Project::default()
    };
    let event = Event {
        r#type: "milepost.project.started".into(),
        resource: Some(Resource::ProjectResource(project)),
        ..Event::default()
    };
    let pattern = "{labels.nick} {actual_period.start_date}[ {actual_period.end_date}][ {labels.none}]";
    assert_eq!(written(pattern, &event, "zh").0, "大道 2020年9月11日");
}
