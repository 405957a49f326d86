//! Values that messages of every service have: dates, instants, texts that need not be said.
//!
//! Invariant: nothing is rounded, completed or guessed: a partial date is refused.

use jiff::Timestamp;
use jiff::civil::Date;
use milepost_proto::google::r#type as gtype;
use milepost_types::{DateError, date_from_parts};

/// The date of a message.
///
/// # Errors
/// If there is no such day.
pub fn date(message: gtype::Date) -> Result<Date, DateError> {
    date_from_parts(message.year, message.month, message.day)
}

/// A date as a message.
pub fn date_message(date: Date) -> gtype::Date {
    gtype::Date { year: date.year().into(), month: date.month().into(), day: date.day().into() }
}

/// An instant as a message.
pub fn instant_message(instant: Timestamp) -> prost_types::Timestamp {
    // Protobuf counts nanoseconds from the second below, jiff towards the epoch.
    let (mut seconds, mut nanos) = (instant.as_second(), instant.subsec_nanosecond());
    if nanos < 0 {
        seconds -= 1;
        nanos += 1_000_000_000;
    }
    prost_types::Timestamp { seconds, nanos }
}

/// A text that may be empty, for nothing said; else it is checked.
///
/// # Errors
/// What the check says.
pub fn said<E>(given: String, check: impl FnOnce(String) -> Result<String, E>) -> Result<String, E> {
    if given.is_empty() { Ok(given) } else { check(given) }
}
