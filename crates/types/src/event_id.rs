//! The id of an event: the log it was made in, its entry's sequence, its index in the entry.
//!
//! Invariant: one event has one permanent id, with one text, also where another log carries a copy of
//! it: a consumer's idempotency key.

use std::fmt;
use std::str::FromStr;

use crate::position::LogId;
use crate::quote::{quoted, shortened};
use crate::violation::Fault;

/// `{source log}/{sequence}/{index}`. Ids of one log order as its events do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    /// The log of the service that made the event.
    pub log: LogId,
    /// The sequence of its entry there, from 1.
    pub sequence: u64,
    /// Its index among the entry's events, from 0.
    pub index: u32,
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.log, self.sequence, self.index)
    }
}

/// A text that is no event's id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text} is no event id; give {{log}}/{{sequence}}/{{index}} exactly as the event has it", text = quoted(.0))]
pub struct EventIdError(String);

impl Fault for EventIdError {
    fn reason(&self) -> &'static str {
        "INVALID_EVENT_ID"
    }
}

impl FromStr for EventId {
    type Err = EventIdError;

    fn from_str(text: &str) -> Result<Self, EventIdError> {
        let read = || {
            let (log, rest) = text.split_once('/')?;
            let (sequence, index) = rest.split_once('/')?;
            let id = Self {
                log: log.parse().ok()?,
                sequence: sequence.parse().ok().filter(|sequence| *sequence > 0)?,
                index: index.parse().ok()?,
            };
            // One text for one id: no other case, no leading zeros, no plus signs.
            (id.to_string() == text).then_some(id)
        };
        read().ok_or_else(|| EventIdError(shortened(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "0195f3a0-7c1e-4b6e-9d55-2f1f0a8d3c11";

    #[test]
    fn ids_are_read_back_and_order_by_sequence() {
        let id = |sequence, index| EventId { log: LOG.parse().unwrap(), sequence, index };
        for (id, text) in [
            (id(1, 0), format!("{LOG}/1/0")),
            (id(u64::MAX, u32::MAX), format!("{LOG}/18446744073709551615/4294967295")),
        ] {
            assert_eq!(id.to_string(), text);
            assert_eq!(text.parse(), Ok(id));
        }
        assert!(id(9, 3) < id(10, 0) && id(10, 0) < id(10, 1));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "/1/0", "x/1/0"] {
            assert!(text.parse::<EventId>().is_err(), "{text}");
        }
        for rest in ["", "/1", "/0/0", "/01/0", "/+1/0", "/1/00", "/1/-1", "/1/0/", "/1/4294967296", "/1/0 "]
        {
            assert!(format!("{LOG}{rest}").parse::<EventId>().is_err(), "{rest}");
        }
        assert!(format!("{}/1/0", LOG.to_uppercase()).parse::<EventId>().is_err());
    }
}
