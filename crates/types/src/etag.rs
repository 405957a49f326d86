//! An etag: the sequence of a resource's last change, as decimal text (AIP-154).
//!
//! Invariant: one etag has one text. An absent etag ("do not check") is the caller's `Option`.

use std::fmt;
use std::str::FromStr;

use crate::quote::{quoted, shortened};
use crate::violation::Fault;

/// The sequence, from 1, of the entry that changed a resource last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Etag(pub u64);

impl Etag {
    /// The etag in a request's field, where the empty text means that none was given.
    pub fn from_field(text: &str) -> Result<Option<Self>, EtagError> {
        if text.is_empty() { Ok(None) } else { text.parse().map(Some) }
    }
}

impl fmt::Display for Etag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A text that no server gave out as an etag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text} is no etag; give the one that came with the resource, or none", text = quoted(.0))]
pub struct EtagError(String);

impl Fault for EtagError {
    fn reason(&self) -> &'static str {
        "INVALID_ETAG"
    }
}

impl FromStr for Etag {
    type Err = EtagError;

    fn from_str(text: &str) -> Result<Self, EtagError> {
        let canonical = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
        match text.parse() {
            Ok(sequence) if canonical => Ok(Self(sequence)),
            _ => Err(EtagError(shortened(text))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_etag_is_read_back() {
        for sequence in [1, 10, u64::MAX] {
            assert_eq!(Etag(sequence).to_string().parse(), Ok(Etag(sequence)));
        }
        assert_eq!(Etag::from_field(""), Ok(None));
        assert_eq!(Etag::from_field("7"), Ok(Some(Etag(7))));
    }

    #[test]
    fn another_spelling_of_a_number_is_no_etag() {
        for text in ["", "0", "01", "+1", "-1", " 1", "1.0", "\"1\"", "18446744073709551616"] {
            assert!(text.parse::<Etag>().is_err(), "{text}");
        }
    }
}
