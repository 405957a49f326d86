//! The id of a resource: the last segment of its name, chosen by the caller or by the server.
//!
//! Invariant: a `ResourceId` matches `[a-z]([a-z0-9-]{0,61}[a-z0-9])?`, or a year, for resources of which each year
//! has one. It says nothing about which collection the id stands in; `name` does.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::limits::{ID_CHARS, YEARS};
use crate::quote::quoted;
use crate::violation::Fault;

/// A resource id: 1 to 63 lower-case ASCII letters, digits and hyphens; it starts with a letter and
/// does not end with a hyphen.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId(Box<str>);

impl ResourceId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// An id for a resource whose caller chose none: the letter `prefix` says what it is, the rest
    /// are 122 of the 128 bits of `seed`, so that equal seeds give equal ids.
    ///
    /// The caller draws the bits; `decide` must not, and takes them from its context.
    pub fn from_seed(prefix: char, seed: [u8; 16]) -> Self {
        let letter = if prefix.is_ascii_lowercase() { prefix } else { 'r' };
        let uuid = uuid::Builder::from_random_bytes(seed).into_uuid();
        Self(format!("{letter}-{}", uuid.simple()).into())
    }

    /// The id of what there is one of a year: the year, in four digits.
    ///
    /// # Errors
    /// If the text is no year.
    pub fn of_year(text: &str) -> Result<Self, IdError> {
        let is_year = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(year) if is_year && YEARS.contains(&year) => Ok(Self(text.into())),
            _ => Err(IdError::Year(crate::quote::shortened(text))),
        }
    }

    /// The id that was stored, whichever it is.
    pub fn stored(text: &str) -> Option<Self> {
        text.parse().or_else(|_| Self::of_year(text)).ok()
    }

    /// As [`ResourceId::from_seed`], with bits from the operating system's random source.
    pub fn generate(prefix: char) -> Self {
        Self::from_seed(prefix, *Uuid::new_v4().as_bytes())
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl AsRef<str> for ResourceId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// Why a text is not a resource id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Nothing was given.
    #[error("the id is empty; give 1 to 63 characters such as science-avenue")]
    Empty,
    /// More than [`ID_CHARS`] characters.
    #[error("the id {id} is too long; use at most 63 characters", id = quoted(.0))]
    TooLong(String),
    /// Only `-`, which stands for a whole collection and never for one resource.
    #[error(
        "\"-\" reads across a collection and is only for the parent of a list; give the id of one resource"
    )]
    Dash,
    /// The first character is not a lower-case letter.
    #[error("the id {id} must start with a lower-case letter a to z", id = quoted(.0))]
    Start(String),
    /// The last character is a hyphen.
    #[error("the id {id} must not end with a hyphen", id = quoted(.0))]
    End(String),
    /// Not a year, where the id is one.
    #[error("the id {id} must be a year from 1900 to 2200, such as 2021", id = quoted(.0))]
    Year(String),
    /// A character that no id has.
    #[error("the id {id} has the character {character:?}; use only a to z, 0 to 9 and hyphen", id = quoted(.id))]
    Character {
        /// The text that was given.
        id: String,
        /// The first character that is not allowed.
        character: char,
    },
}

impl Fault for IdError {
    fn reason(&self) -> &'static str {
        match self {
            IdError::Empty => "REQUIRED",
            IdError::TooLong(_) => "TOO_LONG",
            _ => "INVALID_ID",
        }
    }
}

impl FromStr for ResourceId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let bytes = text.as_bytes();
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        match bytes {
            [] => return Err(IdError::Empty),
            [b'-'] => return Err(IdError::Dash),
            _ => {}
        }
        if text.chars().nth(ID_CHARS).is_some() {
            return Err(IdError::TooLong(crate::quote::shortened(text)));
        }
        if let Some(character) = text.chars().find(|&c| !allowed(c)) {
            return Err(IdError::Character { id: text.into(), character });
        }
        if !bytes[0].is_ascii_lowercase() {
            return Err(IdError::Start(text.into()));
        }
        if bytes[bytes.len() - 1] == b'-' {
            return Err(IdError::End(text.into()));
        }
        Ok(Self(text.into()))
    }
}
