//! Names of currencies in written amounts, beside the codes of ISO 4217.
//!
//! Invariant: a name is here only if it belongs to one currency. Names of three letters are taken for codes,
//! and whether there is such a code is left to [`CurrencyCode`]. Signs such as `¥` are no names.

use super::characters::after_blanks;
use super::number::unread;
use crate::currency::{CurrencyCode, CurrencyError};

pub(super) const LETTERS: &str = "its letters are no currency code";

/// Names that stand before or after the number.
const BEFORE_OR_AFTER: [(&str, &str); 8] = [
    ("人民币", "CNY"),
    ("人民幣", "CNY"),
    ("RMB", "CNY"),
    ("新台币", "TWD"),
    ("新台幣", "TWD"),
    ("新臺幣", "TWD"),
    ("台币", "TWD"),
    ("臺幣", "TWD"),
];

/// Names that stand after the number only.
const AFTER: [(&str, &str); 12] = [
    ("元", "CNY"),
    ("元人民币", "CNY"),
    ("元人民幣", "CNY"),
    ("美元", "USD"),
    ("欧元", "EUR"),
    ("歐元", "EUR"),
    ("日元", "JPY"),
    ("港元", "HKD"),
    ("英镑", "GBP"),
    ("英鎊", "GBP"),
    ("澳门元", "MOP"),
    ("澳門元", "MOP"),
];

/// The name of a currency that the text begins with, and what follows it and its blanks.
pub(super) fn name_before(text: &str) -> Result<(Option<&str>, &str), &'static str> {
    let letters = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    let length = match letters {
        0 => BEFORE_OR_AFTER.iter().find(|(name, _)| text.starts_with(name)).map(|(name, _)| name.len()),
        3 => Some(letters),
        _ => return Err(LETTERS),
    };
    let (name, rest) = text.split_at(length.unwrap_or(0));
    Ok((length.map(|_| name), after_blanks(rest)))
}

/// The name of a currency that the text is, after the number; `None` if there is no more text.
pub(super) fn name_after(text: &str) -> Result<Option<&str>, &'static str> {
    if text.is_empty() {
        return Ok(None);
    }
    let letters = text.bytes().all(|b| b.is_ascii_alphabetic());
    match (letters, text.len()) {
        (true, 3) => Ok(Some(text)),
        (true, _) => Err(LETTERS),
        _ if names().any(|(name, _)| *name == text) => Ok(Some(text)),
        _ => Err(unread(text)),
    }
}

/// The code that is meant by a name, or is it.
pub(super) fn code(name: &str) -> Result<CurrencyCode, CurrencyError> {
    names().find(|(known, _)| *known == name).map_or(name, |(_, code)| code).parse()
}

/// Every name and its code.
pub(super) fn names() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    BEFORE_OR_AFTER.iter().chain(&AFTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_of_a_current_currency() {
        for (name, expected) in names() {
            assert_eq!(code(name).unwrap().as_str(), *expected, "{name}");
        }
    }

    #[test]
    fn only_some_names_stand_before_the_number() {
        for (name, _) in BEFORE_OR_AFTER {
            assert_eq!(name_before(&format!("{name} 5")), Ok((Some(name), "5")));
        }
        for (name, _) in AFTER {
            let text = format!("{name} 5");
            assert_eq!(name_before(&text), Ok((None, text.as_str())));
        }
        assert!(names().all(|(name, _)| name_after(name) == Ok(Some(name))));
    }
}
