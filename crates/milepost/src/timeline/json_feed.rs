//! JSON Feed 1.1 (jsonfeed.org): the newest first, as readers of feeds expect.
//!
//! Invariant: the id of an item is the uid of its entry. What the format has no field for stands under `_milepost`: the
//! day, the kind, the figures, the subjects, and the languages of what is in another one than the title.

use milepost_proto::tracker::v1::TimelineItem;
use serde_json::{Map, Value, json};

use super::words::Words;
use super::{Timeline, day, instant};

/// The document.
pub(super) fn document(timeline: &Timeline) -> String {
    let words = Words::of(&timeline.language);
    let mut feed = Map::new();
    feed.insert("version".into(), json!("https://jsonfeed.org/version/1.1"));
    feed.insert("title".into(), json!(format!("{} {}", timeline.title().0, words.timeline)));
    if !timeline.portfolio.description.is_empty() {
        feed.insert("description".into(), json!(timeline.portfolio.description));
    }
    if !timeline.language.is_empty() {
        feed.insert("language".into(), json!(timeline.language));
    }
    feed.insert("items".into(), timeline.visible().rev().map(item).collect());
    let text = serde_json::to_string_pretty(&Value::Object(feed)).unwrap_or_default();
    text + "\n"
}

fn item(item: &TimelineItem) -> Value {
    let words = Words::of(&item.headline_language);
    let time = |time| instant(time).map(|time| json!(time.to_string()));
    let mut fields = Map::new();
    fields.insert("id".into(), json!(item.uid));
    fields.insert("title".into(), json!(item.headline));
    fields.insert("content_text".into(), json!(content(item, words)));
    fields.extend(time(item.first_publish_time.as_ref()).map(|time| ("date_published".into(), time)));
    fields.extend(time(item.last_publish_time.as_ref()).map(|time| ("date_modified".into(), time)));
    fields.insert("tags".into(), json!([words.kind(item.kind())]));
    if !item.headline_language.is_empty() {
        fields.insert("language".into(), json!(item.headline_language));
    }
    let figures = item.figures.iter().map(|figure| {
        let mut fields = Map::new();
        fields.insert("label".into(), json!(figure.label));
        if figure.label_language != item.headline_language {
            fields.insert("language".into(), json!(figure.label_language));
        }
        fields.insert("value".into(), json!(figure.value));
        if !figure.unit.is_empty() {
            fields.insert("unit".into(), json!(figure.unit));
        }
        fields.insert("declared".into(), json!(figure.declared));
        Value::Object(fields)
    });
    let mut own = Map::new();
    own.insert("about".into(), json!("https://milepost.dev/timeline"));
    own.insert("name".into(), json!(item.name));
    own.insert("sequence".into(), json!(item.sequence));
    own.extend(day(item).map(|day| ("date".into(), json!(day.to_string()))));
    own.insert("kind".into(), json!(item.kind().as_str_name()));
    if !item.text.is_empty() && item.text_language != item.headline_language {
        own.insert("text_language".into(), json!(item.text_language));
    }
    own.insert("figures".into(), figures.collect());
    own.insert("subjects".into(), json!(item.subjects));
    fields.insert("_milepost".into(), Value::Object(own));
    Value::Object(fields)
}

/// The text and the figures of an entry, as text; its headline if it has neither.
pub(super) fn content(item: &TimelineItem, words: &Words) -> String {
    let text = Some(item.text.clone()).filter(|text| !text.is_empty());
    let figures = item.figures.iter().map(|figure| {
        let declared = if figure.declared { format!(" ({})", words.declared) } else { String::new() };
        format!("{}{}{}{declared}", figure.label, words.colon, figure.display_value)
    });
    let lines: Vec<_> = text.into_iter().chain(figures).collect();
    if lines.is_empty() { item.headline.clone() } else { lines.join("\n") }
}
