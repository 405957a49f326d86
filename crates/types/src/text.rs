//! Texts of people: names, remarks, translations, labels.
//!
//! Invariant: what these checks let through has no control characters and no direction overrides
//! (which would let a name disguise another), no blanks around it, and no more characters than
//! its limit. Text is kept exactly as given: not trimmed, not normalised. Chinese is as good as Latin.

use std::collections::BTreeMap;

use crate::id::ResourceId;
use crate::language::LanguageTag;
use crate::limits;
use crate::quote::quoted;
use crate::violation::{Fault, Violations};

/// What is wrong with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing, where something is required.
    #[error("the text is empty; give at least one character")]
    Empty,
    /// More characters than the limit.
    #[error("the text has more than {limit} characters; shorten it")]
    TooLong {
        /// How many are allowed.
        limit: usize,
    },
    /// A control character, a direction override, or a line break in a text of one line.
    #[error("the text has the character U+{code:04X} at place {place}, which is not allowed; remove it", code = u32::from(*.character))]
    Character {
        /// The character.
        character: char,
        /// Its place, from 1, in characters.
        place: usize,
    },
    /// A blank at the beginning or the end.
    #[error("the text begins or ends with a blank; remove it")]
    Blank,
}

impl Fault for TextError {
    fn reason(&self) -> &'static str {
        match self {
            TextError::Empty => "REQUIRED",
            TextError::TooLong { .. } => "TOO_LONG",
            TextError::Character { .. } => "INVALID_CHARACTER",
            TextError::Blank => "SURROUNDING_BLANK",
        }
    }
}

/// A display name: one line of 1 to [`limits::DISPLAY_NAME_CHARS`] characters.
pub fn display_name(text: impl Into<String>) -> Result<String, TextError> {
    line(text, limits::DISPLAY_NAME_CHARS)
}

/// One line of 1 to `limit` characters.
pub fn line(text: impl Into<String>, limit: usize) -> Result<String, TextError> {
    checked(text.into(), limit, false)
}

/// Lines of 1 to [`limits::TEXT_CHARS`] characters: a purpose, a remark, a reason.
pub fn text(text: impl Into<String>) -> Result<String, TextError> {
    checked(text.into(), limits::TEXT_CHARS, true)
}

/// Display names by language. Paths of violations are the tags.
pub fn translations<K: AsRef<str>, V: Into<String>>(
    given: impl IntoIterator<Item = (K, V)>,
) -> Result<BTreeMap<LanguageTag, String>, Violations> {
    by_language(given, |name| display_name(name))
}

/// Lines of text by language. Paths of violations are the tags.
pub fn text_translations<K: AsRef<str>, V: Into<String>>(
    given: impl IntoIterator<Item = (K, V)>,
) -> Result<BTreeMap<LanguageTag, String>, Violations> {
    by_language(given, |lines| text(lines))
}

fn by_language<K: AsRef<str>, V>(
    given: impl IntoIterator<Item = (K, V)>,
    check: impl Fn(V) -> Result<String, TextError>,
) -> Result<BTreeMap<LanguageTag, String>, Violations> {
    let mut violations = Violations::new();
    let mut kept = BTreeMap::new();
    for (count, (tag, name)) in given.into_iter().enumerate() {
        if count == limits::TRANSLATIONS {
            violations.push("", "TOO_MANY", format!("give at most {} languages", limits::TRANSLATIONS));
            break;
        }
        let field = path(tag.as_ref());
        let name = violations.check(field.clone(), check(name));
        let tag = violations.check(field.clone(), tag.as_ref().parse::<LanguageTag>());
        if let (Some(tag), Some(name)) = (tag, name)
            && kept.insert(tag, name).is_some()
        {
            violations.push(field, "DUPLICATE", "the language is given twice in different spellings");
        }
    }
    violations.into_result(kept)
}

/// Labels: free pairs of the caller's. Keys are as ids, values one line or nothing. Paths of violations are the keys.
pub fn labels<K: Into<String>, V: Into<String>>(
    given: impl IntoIterator<Item = (K, V)>,
) -> Result<BTreeMap<String, String>, Violations> {
    let mut violations = Violations::new();
    let mut kept = BTreeMap::new();
    for (count, (key, value)) in given.into_iter().enumerate() {
        if count == limits::LABELS {
            violations.push("", "TOO_MANY", format!("give at most {} labels", limits::LABELS));
            break;
        }
        let (key, value) = (key.into(), value.into());
        let field = path(&key);
        violations.check(field.clone(), key.parse::<ResourceId>());
        if value.is_empty() {
            kept.insert(key, value);
        } else if let Some(value) = violations.check(field, line(value, limits::LABEL_VALUE_CHARS)) {
            kept.insert(key, value);
        }
    }
    violations.into_result(kept)
}

/// The path of a map's entry, short whatever the key is.
fn path(key: &str) -> String {
    format!("[{}]", quoted(key))
}

fn checked(text: String, limit: usize, breaks: bool) -> Result<String, TextError> {
    if text.is_empty() {
        return Err(TextError::Empty);
    }
    for (i, character) in text.chars().enumerate() {
        if i == limit {
            return Err(TextError::TooLong { limit });
        }
        if forbidden(character, breaks) {
            return Err(TextError::Character { character, place: i + 1 });
        }
    }
    if text.starts_with(blank) || text.ends_with(blank) {
        return Err(TextError::Blank);
    }
    Ok(text)
}

fn forbidden(c: char, breaks: bool) -> bool {
    match c {
        '\n' | '\r' | '\t' => !breaks,
        // Line and paragraph separators, embeddings and overrides, isolates.
        '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        _ => c.is_control(),
    }
}

/// White space, and the characters without width that look like nothing.
fn blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}' | '\u{2060}' | '\u{feff}' | '\u{3164}')
}

#[cfg(test)]
mod tests;
