//! Spans of time and instants as they are typed.
//!
//! Invariant: a value that is not exact is refused with an example of one that is.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use milepost_types::{Clock, SystemClock};

/// A span of time such as `10s`, `1m30s`, `500ms`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let hint = || format!("{text:?} is no span of time; write it as in 10s, 1m30s or 500ms");
    let span: SignedDuration = text.parse().map_err(|_| hint())?;
    let span = Duration::try_from(span).map_err(|_| hint())?;
    if span.is_zero() { Err("the span of time is zero".to_owned()) } else { Ok(span) }
}

/// An instant such as `2021-05-27T08:00:00+08:00`, or a span of time such as `2h` for that long ago.
pub fn instant(text: &str) -> Result<Timestamp, String> {
    instant_before(text, &SystemClock)
}

fn instant_before(text: &str, clock: &dyn Clock) -> Result<Timestamp, String> {
    if let Ok(instant) = text.parse() {
        return Ok(instant);
    }
    let hint = "write a time with its offset, as in 2021-05-27T08:00:00+08:00, or how long ago, as in 2h";
    let ago = duration(text).map_err(|_| hint.to_owned())?;
    let ago = SignedDuration::try_from(ago).map_err(|_| hint.to_owned())?;
    clock.now().checked_sub(ago).map_err(|_| hint.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use milepost_types::ManualClock;

    #[test]
    fn times_have_an_offset_or_are_so_long_ago() {
        let clock = ManualClock::new("2021-05-27T08:00:00Z".parse().unwrap());
        let at = |text: &str| instant_before(text, &clock).map(|instant| instant.to_string());
        assert_eq!(at("2021-05-27T08:00:00+08:00"), Ok("2021-05-27T00:00:00Z".to_owned()));
        assert_eq!(at("2h"), Ok("2021-05-27T06:00:00Z".to_owned()));
        for text in ["2021-05-27", "2021-05-27T08:00:00", "yesterday", "-2h"] {
            assert!(at(text).is_err(), "{text}");
        }
        assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
        assert!(duration("0s").is_err());
        assert!(duration("10").is_err());
    }
}
