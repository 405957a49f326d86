//! The id a client gives to a write, so that sending it again does nothing twice (AIP-155).
//!
//! Invariant: 1 to 128 visible ASCII characters. What an id was used for, and by whom, is the
//! ledger's business.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::limits::REQUEST_ID_CHARS;
use crate::violation::Fault;

/// A client's id for one write.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(Box<str>);

impl RequestId {
    /// A new id (UUID version 7), for clients and for writes that came without one.
    pub fn generate() -> Self {
        Self(Uuid::now_v7().to_string().into())
    }

    /// The id in a request's field, where the empty text means that none was given.
    pub fn from_field(text: &str) -> Result<Option<Self>, RequestIdError> {
        if text.is_empty() { Ok(None) } else { text.parse().map(Some) }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Why a text is no request id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestIdError {
    /// Nothing, or too much.
    #[error("a request id has 1 to 128 characters; a UUID is a good one")]
    Length,
    /// A blank, a control character, or one beyond ASCII.
    #[error("a request id is made of visible ASCII characters; a UUID is a good one")]
    Character,
}

impl Fault for RequestIdError {
    fn reason(&self) -> &'static str {
        "INVALID_REQUEST_ID"
    }
}

impl FromStr for RequestId {
    type Err = RequestIdError;

    fn from_str(text: &str) -> Result<Self, RequestIdError> {
        if text.is_empty() || text.len() > REQUEST_ID_CHARS {
            return Err(RequestIdError::Length);
        }
        if !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(RequestIdError::Character);
        }
        Ok(Self(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visible_ascii_of_any_length_up_to_the_limit() {
        assert!("a".parse::<RequestId>().is_ok());
        assert!("~".repeat(128).parse::<RequestId>().is_ok());
        assert_eq!("~".repeat(129).parse::<RequestId>(), Err(RequestIdError::Length));
        assert_eq!("".parse::<RequestId>(), Err(RequestIdError::Length));
        for text in ["a b", "a\n", "科学城", "\u{7f}"] {
            assert_eq!(text.parse::<RequestId>(), Err(RequestIdError::Character), "{text:?}");
        }
        assert_eq!(RequestId::from_field(""), Ok(None));
    }

    #[test]
    fn generated_ids_are_valid_and_differ() {
        let (a, b) = (RequestId::generate(), RequestId::generate());
        assert_eq!(a.as_str().parse(), Ok(a.clone()));
        assert_ne!(a, b);
    }
}
