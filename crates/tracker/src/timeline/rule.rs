//! Rules: which events make entries, and what these say.
//!
//! Invariants: a rule that is stored can be read: its event type is one that events have, its filter fits them, every
//! field of its patterns can be written. Rules of events that access or timelines are about are refused: what they
//! hold is not for readers, and an entry makes no further one.

use std::collections::BTreeMap;

use milepost_proto::resource::Facts;
use milepost_proto::tracker::v1::{TimelineRule, TimelineRuleFigure};
use milepost_resource::{By, Checked, Index, Rules};
use milepost_types::{
    Filter, Permission, Place, Rejection, ResourceId, Violations, event_type, limits, quoted,
};

use super::pattern::{self, Pattern};
use super::selection::{self, RuleField};
use super::values::{self, Field};
use crate::convert::event::{DATE_ADVANCED, DATE_ADVANCING};
use crate::decide::{Scope, Tracker};
use crate::parent::Followed;

/// The rules that are not deleted, by the type of their events, and then by portfolio.
pub(super) const BY_EVENT_TYPE: Index =
    Index { tag: 16, under: 0, by: &[By::Field("event_type")], live: true, when: &[], orders: false };

/// How the types of events begin that make no entries.
const NOT_PUBLIC: [&str; 8] = [
    DATE_ADVANCED,
    DATE_ADVANCING,
    "milepost.source.",
    "milepost.grant.",
    "milepost.service_account.",
    "milepost.api_token.",
    "milepost.timeline_entry.",
    "milepost.timeline_rule.",
];

/// Whether events of a type may make entries.
pub(super) fn is_public(event_type: &str) -> bool {
    !NOT_PUBLIC.iter().any(|beginning| event_type.starts_with(beginning))
}

impl Rules<Tracker> for TimelineRule {
    type Above = Followed<Self>;

    const TABLE: u8 = 15;
    const TABLE_NAME: &'static str = "tracker.timeline_rule";
    const ID_PREFIX: char = 'u';
    const INDEXES: &'static [Index] = &[BY_EVENT_TYPE];

    fn check_field(&self, field: &str, violations: &mut Violations) {
        let of_type = &self.event_type;
        match field {
            "event_type" if !of_type.is_empty() && !event_type::is_known(of_type) => {
                violations.push(field, "UNKNOWN_EVENT_TYPE", event_type::unknown(of_type));
            }
            "event_type" if !is_public(of_type) => {
                let description =
                    format!("events of type {} are not public; give another type", quoted(of_type));
                violations.push(field, "EVENT_TYPE_NOT_PUBLIC", description);
            }
            // Which fields there are depends on the type; how a pattern is written does not.
            "headline" | "translations" | "text" | "text_translations" | "merge_key" => {
                let is_own = |path: &str| path.split('[').next() == Some(field);
                for (path, text) in patterns(self).filter(|(path, _)| is_own(path)) {
                    if let Err(faults) = Pattern::parse(text, &|_| Ok(Field::Subject)) {
                        pattern::record(&path, &faults, violations);
                    }
                }
            }
            _ => {}
        }
    }

    fn check(&self, violations: &mut Violations) {
        if !self.event_type.is_empty() {
            read(self, violations);
        }
        let bytes: usize = patterns(self).map(|(_, text)| text.len()).sum();
        if bytes > limits::TIMELINE_RULE_BYTES {
            let description = format!(
                "the patterns of a rule take at most {} bytes in all languages; shorten them",
                limits::TIMELINE_RULE_BYTES
            );
            violations.push("text_translations", "TOO_LARGE", description);
        }
    }

    fn admit(
        scope: &Scope<'_>,
        before: Option<&Checked<Self>>,
        after: &Checked<Self>,
    ) -> Result<(), Rejection> {
        if after.auto_publish {
            check_may_publish(scope, after)?;
        }
        let portfolio = after.name().parent_ids();
        let own = before.filter(|before| !before.is_deleted() && before.event_type == after.event_type);
        let others = of_type(scope, &after.event_type, portfolio).take(limits::TIMELINE_RULES_OF_TYPE);
        if own.is_none() && others.count() == limits::TIMELINE_RULES_OF_TYPE {
            let limit = limits::TIMELINE_RULES_OF_TYPE as u64;
            return Err(Rejection::LimitExceeded {
                what: "rules of a timeline for one type of event",
                limit,
            });
        }
        Ok(())
    }
}

/// Refuses a rule that publishes to who may not publish in its portfolio.
fn check_may_publish(scope: &Scope<'_>, rule: &Checked<TimelineRule>) -> Result<(), Rejection> {
    let scopes = scope.permit.scopes_of(scope.rows.read, scope.context.now, Permission::Publish);
    let portfolio = rule.name().parent().to_string();
    if scopes.cover(Place::of(&portfolio)) {
        return Ok(());
    }
    Err(Rejection::denied(&[Permission::Publish], &portfolio))
}

/// The rules for events of a type in the portfolio with these ids, or in all; in the order of names.
pub(super) fn of_type<'a>(
    scope: &Scope<'a>,
    event_type: &str,
    portfolio: &[ResourceId],
) -> impl Iterator<Item = super::RuleName> + use<'a> {
    let mut fields = [event_type.as_bytes(), &[0]].concat();
    for id in portfolio {
        fields.extend_from_slice(id.as_str().as_bytes());
        fields.push(0);
    }
    scope.rows.names::<TimelineRule>(BY_EVENT_TYPE, &[], &fields)
}

/// The patterns of a rule, each with the path of its field.
fn patterns(rule: &TimelineRule) -> impl Iterator<Item = (String, &str)> {
    fn tagged<'a>(
        field: &'a str,
        texts: &'a BTreeMap<String, String>,
    ) -> impl Iterator<Item = (String, &'a str)> {
        texts.iter().map(move |(tag, text)| (path(field, tag), text.as_str()))
    }
    let alone = [("headline", &rule.headline), ("text", &rule.text), ("merge_key", &rule.merge_key)];
    let alone = alone.into_iter().map(|(field, text)| (field.to_owned(), text.as_str()));
    let all = alone.chain(tagged("translations", &rule.translations));
    all.chain(tagged("text_translations", &rule.text_translations)).filter(|(_, text)| !text.is_empty())
}

/// The path of a text in a language.
fn path(field: &str, tag: &str) -> String {
    format!("{field}[{}]", quoted(tag))
}

/// A rule, read.
pub(super) struct ReadRule {
    pub(super) filter: Filter<RuleField>,
    pub(super) headline: Pattern,
    pub(super) translations: BTreeMap<String, Pattern>,
    pub(super) text: Option<Pattern>,
    pub(super) text_translations: BTreeMap<String, Pattern>,
    pub(super) merge_key: Option<Pattern>,
    /// Of each figure its field.
    pub(super) figures: Vec<Field>,
}

/// Reads a rule; none if something is wrong, which is recorded.
pub(super) fn read(rule: &TimelineRule, violations: &mut Violations) -> Option<ReadRule> {
    let facts = values::facts(&rule.event_type);
    let filter = violations.check("filter", selection::parse(&rule.filter, facts));
    let figures: Vec<_> =
        rule.figures.iter().enumerate().map(|(i, given)| figure(i, given, facts, violations)).collect();
    let mut pattern = |path: &str, text: &str| match Pattern::parse(text, &|path| values::find(path, facts)) {
        Ok(pattern) => Some(pattern),
        Err(faults) => {
            pattern::record(path, &faults, violations);
            None
        }
    };
    let headline = pattern("headline", &rule.headline);
    let translations = by_language("translations", &rule.translations, &mut pattern);
    let text = optional("text", &rule.text, &mut pattern);
    let text_translations = by_language("text_translations", &rule.text_translations, &mut pattern);
    let merge_key = optional("merge_key", &rule.merge_key, &mut pattern);
    Some(ReadRule {
        filter: filter?,
        headline: headline?,
        translations: translations?,
        text: text?,
        text_translations: text_translations?,
        merge_key: merge_key?,
        figures: figures.into_iter().collect::<Option<_>>()?,
    })
}

/// A pattern that may be empty.
fn optional(
    path: &str,
    text: &str,
    pattern: &mut impl FnMut(&str, &str) -> Option<Pattern>,
) -> Option<Option<Pattern>> {
    if text.is_empty() { Some(None) } else { pattern(path, text).map(Some) }
}

fn by_language(
    field: &str,
    texts: &BTreeMap<String, String>,
    pattern: &mut impl FnMut(&str, &str) -> Option<Pattern>,
) -> Option<BTreeMap<String, Pattern>> {
    let read = texts.iter().map(|(tag, text)| (tag, pattern(&path(field, tag), text)));
    // All of them, so that each fault is recorded.
    let read: Vec<_> = read.collect();
    read.into_iter().map(|(tag, pattern)| Some((tag.clone(), pattern?))).collect()
}

/// The field of a figure.
fn figure(
    index: usize,
    given: &TimelineRuleFigure,
    facts: Option<Facts>,
    violations: &mut Violations,
) -> Option<Field> {
    let found = values::find(&given.field, facts).and_then(|field| {
        if field.is_figure(facts) {
            return Ok(field);
        }
        Err(format!("{} is no whole number, decimal number or amount", quoted(&given.field)))
    });
    match found {
        Ok(field) => Some(field),
        Err(description) => {
            violations.push(format!("figures[{index}].field"), "UNKNOWN_FIELD", description);
            None
        }
    }
}

/// What a rule that was stored says.
///
/// # Errors
/// If it cannot be read: then its row is damaged, for it was read when it was accepted.
pub(super) fn read_stored(rule: &Checked<TimelineRule>) -> Result<ReadRule, milepost_types::DamagedRow> {
    let mut violations = Violations::new();
    let read = read(rule, &mut violations);
    violations.finish(read).map_err(|found| rule.name().damaged::<Tracker>(found))
}
