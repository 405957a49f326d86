//! What an entry says that a rule makes of an event.
//!
//! Invariant: nothing is invented: a figure whose field is absent is left out, and what a pattern asks for and is absent
//! leaves nothing and is noted. What comes of patterns is within the limits of an entry.

use milepost_proto::event::v1::Event;
use milepost_proto::tracker::v1::{TimelineEntry, TimelineFigure};
use milepost_resource::{date_message, instant};
use milepost_types::limits;

use super::content::has_room;
use super::entry::seeded;
use super::pattern::{Pattern, Written};
use super::reaction::{LoadedRule, subjects};
use super::values::Style;
use crate::decide::Scope;

/// An entry to be, and what its rule could not do, for people.
pub(super) struct Draft {
    pub(super) entry: TimelineEntry,
    pub(super) note: String,
}

/// What is written of one event, and noted of it.
struct Writer<'a> {
    loaded: &'a LoadedRule,
    event: &'a Event,
    /// The language of names that nothing else is said of.
    own: &'a str,
    notes: Vec<String>,
}

/// The key by which an event joins others; none if it joins none.
pub(super) fn key(loaded: &LoadedRule, event: &Event) -> Option<String> {
    let pattern = loaded.read.merge_key.as_ref()?;
    let Written { text, absent } = pattern.write(event, &loaded.portfolio.zone, Style::Key);
    let text = one_line(&text);
    if text.is_empty() || !absent.is_empty() {
        return None;
    }
    if text.chars().count() <= limits::DISPLAY_NAME_CHARS {
        return Some(text);
    }
    // What differs behind the limit stays different.
    let beginning: String = text.chars().take(limits::DISPLAY_NAME_CHARS / 2).collect();
    Some(format!("{}#{}", beginning.trim_end(), seeded(&["long key", &text])))
}

/// What a rule makes of an event.
pub(super) fn draft(scope: &Scope<'_>, loaded: &LoadedRule, event: &Event) -> Draft {
    let LoadedRule { rule, read, portfolio } = loaded;
    let said = [&portfolio.language, &rule.language].map(String::as_str);
    let own = said.into_iter().find(|tag| !tag.is_empty()).unwrap_or_default();
    let to = if rule.language.is_empty() { own } else { &rule.language };
    let mut writer = Writer { loaded, event, own, notes: Vec::new() };
    if read.merge_key.is_some() && key(loaded, event).is_none() {
        writer.notes.push("nothing joins it, for a field of the merge_key is absent".to_owned());
    }
    let mut headline = writer.headline(&read.headline, to);
    if headline.is_empty() {
        headline = event.subject.chars().take(limits::DISPLAY_NAME_CHARS).collect();
    }
    let translations =
        read.translations.iter().map(|(tag, pattern)| (tag.clone(), writer.headline(pattern, tag)));
    let translations = translations.filter(|(_, text)| !text.is_empty()).collect();
    let text = read.text.as_ref().map(|pattern| writer.text(pattern, to)).unwrap_or_default();
    let texts = read.text_translations.iter().map(|(tag, pattern)| (tag.clone(), writer.text(pattern, tag)));
    let text_translations = texts.filter(|(_, text)| !text.is_empty()).collect();
    let day = milepost_resource::date(event.event_date.as_ref());
    let day = day.unwrap_or_else(|| {
        let committed = instant(event.commit_time.as_ref()).unwrap_or(scope.context.commit_time);
        portfolio.zone.date_at(committed)
    });
    let entry = TimelineEntry {
        date: Some(date_message(day)),
        kind: rule.kind,
        headline,
        text,
        language: rule.language.clone(),
        translations,
        text_translations,
        figures: writer.figures(),
        subjects: subjects(event),
        rank_in_day: rule.rank_in_day,
        ..TimelineEntry::default()
    };
    let entry = writer.shortened(entry);
    Draft { entry, note: writer.notes.join("; ") }
}

impl Writer<'_> {
    fn written(&mut self, pattern: &Pattern, to: &str) -> String {
        let style = Style::Language { to, own: self.own };
        let Written { text, absent } = pattern.write(self.event, &self.loaded.portfolio.zone, style);
        for path in absent {
            let language = if to.is_empty() { String::new() } else { format!(", or not there in {to}") };
            let note = format!("{{{path}}} is absent{language}");
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
        text
    }

    /// One line of what comes of a pattern.
    fn headline(&mut self, pattern: &Pattern, to: &str) -> String {
        let line = one_line(&self.written(pattern, to));
        self.limited(line, limits::DISPLAY_NAME_CHARS, "headline", to)
    }

    /// Lines of what comes of a pattern.
    fn text(&mut self, pattern: &Pattern, to: &str) -> String {
        let text = self.written(pattern, to).trim().to_owned();
        self.limited(text, limits::TEXT_CHARS, "text", to)
    }

    fn limited(&mut self, text: String, limit: usize, what: &str, to: &str) -> String {
        if text.chars().count() <= limit {
            return text;
        }
        self.notes.push(format!("the {what} in {to} was too long"));
        text.chars().take(limit).collect::<String>().trim_end().to_owned()
    }

    /// The figures whose fields are there.
    fn figures(&mut self) -> Vec<TimelineFigure> {
        let LoadedRule { rule, read, portfolio } = self.loaded;
        let mut figures = Vec::with_capacity(rule.figures.len());
        for (given, field) in rule.figures.iter().zip(&read.figures) {
            let Some(value) = field.value(self.event, &portfolio.zone) else { continue };
            let Some((value, currency)) = value.figure() else {
                self.notes.push(format!("{} is beyond what a figure holds", given.field));
                continue;
            };
            figures.push(TimelineFigure {
                label: given.label.clone(),
                translations: given.translations.clone(),
                value,
                unit: if given.unit.is_empty() { currency } else { given.unit.clone() },
                declared: given.declared,
            });
        }
        figures
    }

    /// The entry without the texts that it has no room for, the last ones first.
    fn shortened(&mut self, mut entry: TimelineEntry) -> TimelineEntry {
        let mut left_out = false;
        while !has_room(&entry) {
            left_out = true;
            let shortened = entry.text_translations.pop_last().is_some()
                || !std::mem::take(&mut entry.text).is_empty()
                || entry.figures.pop().is_some();
            // Headlines alone have room.
            if !shortened {
                break;
            }
        }
        if left_out {
            self.notes.push("texts were left out, for together they were too long".to_owned());
        }
        entry
    }
}

/// The text in one line, without blanks around it.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
