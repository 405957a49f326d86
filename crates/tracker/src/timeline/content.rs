//! What readers see of an entry, and in which language.
//!
//! Invariant: a text is told in the language that was asked for, or else in the nearest one that it is there in, which is
//! said; nothing is translated or made up.

use std::collections::BTreeMap;

use milepost_proto::tracker::v1::{TimelineContent, TimelineEntry, TimelineFigure};
use milepost_resource::encoded_len;
use milepost_types::language::{self, serves};
use milepost_types::{Precondition, Rejection, limits};

use crate::mirror::Portfolio;

/// The language of a text of which nobody said it, after BCP 47: undetermined.
const UNDETERMINED: &str = "und";

/// What readers would see if the entry was published in this portfolio now.
pub(super) fn content(entry: &TimelineEntry, portfolio: &Portfolio) -> TimelineContent {
    let said = [entry.language.as_str(), portfolio.language.as_str(), UNDETERMINED];
    let language = said.into_iter().find(|tag| !tag.is_empty()).unwrap_or_default();
    TimelineContent {
        date: entry.date,
        kind: entry.kind,
        headline: entry.headline.clone(),
        text: entry.text.clone(),
        language: language.to_owned(),
        translations: entry.translations.clone(),
        text_translations: entry.text_translations.clone(),
        figures: entry.figures.clone(),
        subjects: entry.subjects.clone(),
        rank_in_day: entry.rank_in_day,
        language_said: !entry.language.is_empty(),
    }
}

/// Whether an entry says something else than what readers see. A language that it did not say then either is that of the
/// publication, whatever became of the portfolio's; to say the same one is no change.
pub(super) fn differs(entry: &TimelineEntry, published: &TimelineContent) -> bool {
    let mut portfolio = Portfolio::unknown();
    portfolio.language.clone_from(&published.language);
    let mut now = content(entry, &portfolio);
    now.language_said &= published.language_said;
    now != *published
}

/// Whether what readers would see has room.
pub(super) fn has_room(entry: &TimelineEntry) -> bool {
    encoded_len(&content(entry, &Portfolio::unknown())) <= limits::TIMELINE_CONTENT_BYTES
}

/// A text in the nearest language to those that are wanted, else in its own, else in any that it is there in; and which
/// that is. `own` is the language of `text`, which may be there in translations alone.
pub(super) fn in_language<'a>(
    text: &'a str,
    own: &'a str,
    translations: &'a BTreeMap<String, String>,
    wanted: &[&str],
) -> (&'a str, &'a str) {
    let found = wanted.iter().find_map(|wanted| language::in_language(wanted, (text, own), translations));
    let any = || translations.first_key_value().filter(|_| text.is_empty());
    let found = found.or_else(|| any().map(|(tag, text)| (text.as_str(), tag.as_str())));
    found.unwrap_or((text, own))
}

/// The languages that a text is there in, its own first.
fn languages<'a>(
    text: &str,
    own: &'a str,
    translations: &'a BTreeMap<String, String>,
) -> impl Iterator<Item = &'a str> {
    let own = Some(own).filter(|own| !text.is_empty() && !own.is_empty());
    own.into_iter().chain(translations.keys().map(String::as_str))
}

/// Refuses what is not there in a language that the portfolio requires, all of it.
///
/// # Errors
/// A precondition `MISSING_TRANSLATION` for each text and language.
pub(super) fn check_languages(
    name: &str,
    content: &TimelineContent,
    portfolio: &Portfolio,
) -> Result<(), Rejection> {
    let missing = missing_translations(content, portfolio);
    if missing.is_empty() {
        return Ok(());
    }
    let precondition =
        |description| Precondition { kind: "MISSING_TRANSLATION", subject: name.to_owned(), description };
    Err(Rejection::Preconditions(missing.into_iter().map(precondition).collect()))
}

/// What is not there in a language that the portfolio requires, in words.
pub(super) fn missing_translations(content: &TimelineContent, portfolio: &Portfolio) -> Vec<String> {
    let mut missing = Vec::new();
    for language in &portfolio.required_languages {
        let mut check = |what: &str, text: &str, translations: &BTreeMap<String, String>| {
            if !languages(text, &content.language, translations).any(|tag| serves(tag, language)) {
                missing.push(format!(
                    "{what} is not there in {language}, which the portfolio requires; give it"
                ));
            }
        };
        check("the headline", &content.headline, &content.translations);
        if !content.text.is_empty() || !content.text_translations.is_empty() {
            check("the text", &content.text, &content.text_translations);
        }
        for TimelineFigure { label, translations, .. } in &content.figures {
            let what = format!("the label {} of a figure", milepost_types::quoted(label));
            check(&what, label, translations);
        }
    }
    missing
}
