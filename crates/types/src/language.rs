//! Language tags after BCP 47, for translations.
//!
//! Invariant: a tag that is accepted is well formed (RFC 5646, 2.1) and in its conventional case (`zh-Hans-CN`), so
//! that two spellings of one tag are one key. Whether its subtags are registered is not checked.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::limits::LANGUAGE_TAG_CHARS;
use crate::quote::{quoted, shortened};
use crate::violation::Fault;

/// A language tag, such as `zh-CN`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LanguageTag(Box<str>);

impl LanguageTag {
    /// The tag that was stored: it was checked when it was accepted.
    pub fn stored(tag: String) -> Self {
        Self(tag.into())
    }

    /// The tag as text, in its conventional case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The language, of those that there are, that is nearest to the one that is wanted: it itself, or one that says it
/// more closely (`zh-Hans` for `zh`); then the same without its last part (`zh` for `zh-CN`), and so on; `None` if
/// no language is left. All tags are in their conventional case.
pub fn nearest<'a>(wanted: &str, held: impl IntoIterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let mut wanted = wanted;
    while !wanted.is_empty() {
        let fits = |tag: &&str| *tag == wanted || is_within(tag, wanted);
        // The shortest says the least besides.
        let found = held.clone().into_iter().filter(fits).min_by_key(|tag| (tag.len(), *tag));
        if found.is_some() {
            return found;
        }
        wanted = wanted.rsplit_once('-').map_or("", |(rest, _)| rest);
    }
    None
}

/// A text in the language that is nearest to the one that is wanted, and which that is; `None` if it is in no language
/// near to it. `own` is the language of `text`, which may be empty where there are only translations.
pub fn in_language<'a>(
    wanted: &str,
    (text, own): (&'a str, &'a str),
    translations: &'a BTreeMap<String, String>,
) -> Option<(&'a str, &'a str)> {
    let own = Some(own).filter(|_| !text.is_empty());
    let tag = nearest(wanted, own.into_iter().chain(translations.keys().map(String::as_str)))?;
    if Some(tag) == own {
        return Some((text, tag));
    }
    translations.get_key_value(tag).map(|(tag, text)| (text.as_str(), tag.as_str()))
}

/// Whether somebody who wants a language is served by another: it is the same, or one of the two says the other more
/// closely (`zh-CN` and `zh`).
pub fn serves(held: &str, wanted: &str) -> bool {
    held == wanted || is_within(held, wanted) || is_within(wanted, held)
}

/// Whether a tag says another one more closely.
fn is_within(tag: &str, wider: &str) -> bool {
    tag.strip_prefix(wider).is_some_and(|rest| rest.starts_with('-'))
}

impl fmt::Display for LanguageTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for LanguageTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is not a language tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text} is no language tag; give a BCP 47 tag such as zh-CN or en", text = quoted(.0))]
pub struct LanguageTagError(String);

impl Fault for LanguageTagError {
    fn reason(&self) -> &'static str {
        "INVALID_LANGUAGE_TAG"
    }
}

impl FromStr for LanguageTag {
    type Err = LanguageTagError;

    fn from_str(text: &str) -> Result<Self, LanguageTagError> {
        let lower = text.to_ascii_lowercase();
        if text.len() > LANGUAGE_TAG_CHARS || !well_formed(&lower) {
            return Err(LanguageTagError(shortened(text)));
        }
        Ok(Self(conventional(&lower).into()))
    }
}

/// `language[-extlang][-script][-region]*[-variant]*[-extension][-x-private]`, or `x-private` alone.
fn well_formed(lower: &str) -> bool {
    let alpha = |s: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&s.len()) && s.bytes().all(|b| b.is_ascii_lowercase())
    };
    let alphanumeric = |s: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&s.len()) && s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    let digits = |s: &str, length: usize| s.len() == length && s.bytes().all(|b| b.is_ascii_digit());
    let variant =
        |s: &str| alphanumeric(s, 5..=8) || (alphanumeric(s, 4..=4) && s.as_bytes()[0].is_ascii_digit());

    let mut subtags = lower.split('-').peekable();
    let language = subtags.peek().copied().unwrap_or_default();
    if language != "x" {
        if !alpha(language, 2..=8) {
            return false;
        }
        subtags.next();
        // Up to three extended languages, after a short language only.
        for _ in 0..3 {
            if language.len() <= 3 {
                subtags.next_if(|s| alpha(s, 3..=3));
            }
        }
        subtags.next_if(|s| alpha(s, 4..=4));
        subtags.next_if(|s| alpha(s, 2..=2) || digits(s, 3));
        let mut seen = Vec::new();
        while let Some(subtag) = subtags.next_if(|s| variant(s)) {
            if seen.contains(&subtag) {
                return false;
            }
            seen.push(subtag);
        }
        // Extensions: a singleton once, and at least one subtag of 2 to 8 characters after it.
        while let Some(singleton) = subtags.next_if(|s| alphanumeric(s, 1..=1) && *s != "x") {
            if seen.contains(&singleton) || subtags.next_if(|s| alphanumeric(s, 2..=8)).is_none() {
                return false;
            }
            seen.push(singleton);
            while subtags.next_if(|s| alphanumeric(s, 2..=8)).is_some() {}
        }
    }
    match subtags.next() {
        None => true,
        Some("x") => subtags.peek().is_some() && subtags.all(|subtag| alphanumeric(subtag, 1..=8)),
        Some(_) => false,
    }
}

/// RFC 5646, 2.1.1: regions upper case, scripts title case, but neither after a singleton.
fn conventional(lower: &str) -> String {
    let mut out = String::with_capacity(lower.len());
    let mut after_singleton = false;
    for (i, subtag) in lower.split('-').enumerate() {
        if i > 0 {
            out.push('-');
        }
        let plain = i == 0 || after_singleton || !subtag.bytes().all(|b| b.is_ascii_lowercase());
        match subtag.len() {
            2 if !plain => out.push_str(&subtag.to_ascii_uppercase()),
            4 if !plain => {
                out.push_str(&subtag[..1].to_ascii_uppercase());
                out.push_str(&subtag[1..]);
            }
            _ => out.push_str(subtag),
        }
        after_singleton |= subtag.len() == 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_take_their_conventional_case() {
        for (given, held) in [
            ("zh", "zh"),
            ("ZH-cn", "zh-CN"),
            ("zh-hans-cn", "zh-Hans-CN"),
            ("zh-cmn-HANS-cn", "zh-cmn-Hans-CN"),
            ("es-419", "es-419"),
            ("sl-rozaj-biske-1994", "sl-rozaj-biske-1994"),
            ("EN-CA-X-CA", "en-CA-x-ca"),
            ("de-DE-u-co-phonebk", "de-DE-u-co-phonebk"),
            ("x-whatever", "x-whatever"),
        ] {
            assert_eq!(given.parse::<LanguageTag>().unwrap().as_str(), held);
        }
    }

    #[test]
    fn the_nearest_language_is_the_same_then_a_closer_one_then_a_wider_one() {
        let held = ["en", "zh-Hans-CN", "zh-CN", "pt-BR"];
        for (wanted, found) in [
            ("en", Some("en")),
            ("en-GB", Some("en")),
            ("zh", Some("zh-CN")),
            ("zh-Hans", Some("zh-Hans-CN")),
            ("zh-TW", Some("zh-CN")),
            ("pt", Some("pt-BR")),
            ("p", None),
            ("fr", None),
            ("", None),
        ] {
            assert_eq!(nearest(wanted, held), found, "{wanted}");
        }
    }

    #[test]
    fn a_language_serves_one_that_it_says_more_closely_or_less_and_no_sister() {
        assert!(serves("zh-CN", "zh-CN") && serves("zh", "zh-CN") && serves("zh-CN", "zh"));
        assert!(!serves("zh-CN", "zh-TW") && !serves("en", "zh") && !serves("zh", "zhu"));
    }

    #[test]
    fn ill_formed_tags_are_refused() {
        for text in [
            "",
            "-",
            "z",
            "zh-",
            "-zh",
            "zh_CN",
            "zh--CN",
            "中文",
            "zh-CN-CN",
            "x",
            "en-x",
            "en-a",
            "en-a-bb-a-cc",
            "sl-rozaj-rozaj",
            "toolonglanguage",
            "zh CN",
            "en-x-abcdefgh-abcdefgh-abcdefgh-abcdefgh",
        ] {
            assert!(text.parse::<LanguageTag>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_text_is_found_in_the_nearest_of_its_own_language_and_its_translations() {
        let translations: BTreeMap<String, String> =
            [("en", "Text"), ("zh-TW", "本文")].map(|(tag, text)| (tag.to_owned(), text.to_owned())).into();
        for (own, wanted, expected) in [
            ("zh", "zh", Some(("正文", "zh"))),
            ("zh", "zh-TW", Some(("本文", "zh-TW"))),
            ("zh-CN", "zh-HK", Some(("正文", "zh-CN"))),
            ("zh-CN", "en-GB", Some(("Text", "en"))),
            ("en", "en", Some(("正文", "en"))),
            ("zh-CN", "fr", None),
            ("", "fr", None),
        ] {
            assert_eq!(in_language(wanted, ("正文", own), &translations), expected, "{wanted} of {own}");
        }
        assert_eq!(in_language("zh-CN", ("", "zh-CN"), &translations), Some(("本文", "zh-TW")));
        assert_eq!(in_language("en", ("", "en"), &translations), Some(("Text", "en")));
    }
}
