//! Event types, and patterns of them: `milepost.milestone.achieved`, `milepost.milestone.*`.
//!
//! Invariant: a star stands only at the end, after a dot, so that a pattern can be found by the parts
//! of a type. A pattern that a caller gives fits at least one type that there is: any other is mistyped.
//! Events are not compared with that list: a service may be newer than this one.

use std::fmt;

use milepost_types::Fault;
use milepost_types::event_type::{self, EVENT_TYPES};
use milepost_types::quoted;

/// Characters of a type; longer than any there is.
const TYPE_CHARS: usize = 200;

/// A type, or all that begin so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum TypePattern {
    /// This type.
    Exactly(Box<str>),
    /// Every type that begins with this text, which ends with a dot.
    Under(Box<str>),
}

/// A text that is no pattern of types, or of types that no event has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TypePatternError {
    /// It is not written like one.
    Malformed(String),
    /// It fits no type that there is.
    Unknown(String),
}

impl fmt::Display for TypePatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(text) => write!(
                f,
                "{} is no event type; write one as in milepost.milestone.achieved, or milepost.milestone.* for all that begin so",
                quoted(text)
            ),
            Self::Unknown(text) => f.write_str(&event_type::unknown(text)),
        }
    }
}

impl Fault for TypePatternError {
    fn reason(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "INVALID_EVENT_TYPE",
            Self::Unknown(_) => "UNKNOWN_EVENT_TYPE",
        }
    }
}

impl TypePattern {
    /// Reads a type, or one that ends with `.*`.
    pub(crate) fn parse(text: &str) -> Result<Self, TypePatternError> {
        let (name, star) = match text.strip_suffix(".*") {
            Some(name) => (name, true),
            None => (text, false),
        };
        let word = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_lowercase())
                && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        };
        if text.len() > TYPE_CHARS || !name.split('.').all(word) {
            return Err(TypePatternError::Malformed(text.chars().take(TYPE_CHARS).collect()));
        }
        let pattern = if star { Self::Under(format!("{name}.").into()) } else { Self::Exactly(name.into()) };
        if !EVENT_TYPES.iter().any(|kind| pattern.fits(kind)) {
            return Err(TypePatternError::Unknown(text.to_owned()));
        }
        Ok(pattern)
    }

    /// The pattern of one type.
    pub(crate) fn exactly(kind: &str) -> Self {
        Self::Exactly(kind.into())
    }

    /// Whether the type is one of them.
    pub(crate) fn fits(&self, kind: &str) -> bool {
        match self {
            Self::Exactly(name) => kind == &**name,
            Self::Under(prefix) => kind.starts_with(&**prefix),
        }
    }

    /// Whether every type it fits begins so.
    pub(crate) fn begins_with(&self, prefix: &str) -> bool {
        match self {
            Self::Exactly(name) => name.starts_with(prefix),
            Self::Under(own) => own.starts_with(prefix),
        }
    }
}

impl fmt::Display for TypePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(name) => f.write_str(name),
            Self::Under(prefix) => write!(f, "{prefix}*"),
        }
    }
}
