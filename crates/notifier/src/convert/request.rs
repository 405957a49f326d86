//! Reads and checks requests; reports all faults of a request together.
//!
//! Does not look at the log: whether a cursor is one of it is checked where it is read.

mod list;

use std::time::Duration;

use jiff::Timestamp;
use milepost_proto::notifier::v1::watch_events_request::{From, Start as WireStart};
use milepost_proto::notifier::v1::{EventSelection, WatchEventsRequest};
use milepost_types::{Cursor, Rejection, Violations};

pub(crate) use self::list::{ListRequest, ListStart, Order, list};
use crate::audience::Audience;
use crate::selection::Selection;

/// The checkpoint interval of a stream if none is given.
const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(10);
const CHECKPOINT_INTERVAL_MIN: Duration = Duration::from_millis(100);
const CHECKPOINT_INTERVAL_MAX: Duration = Duration::from_secs(600);

/// Where a stream starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// After a cursor, which is to be checked against the log.
    After(Cursor),
    /// With what was committed at this time or later.
    At(Timestamp),
    /// With the earliest event that is kept.
    Earliest,
    /// With what is committed from now on.
    Latest,
}

/// What a watch asks for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WatchRequest {
    pub(crate) start: Start,
    pub(crate) selection: Selection,
    pub(crate) checkpoint_interval: Duration,
}

/// Reads a watch request of this audience, of a log whose earliest cursor is this.
pub(crate) fn watch(
    request: &WatchEventsRequest,
    earliest: Cursor,
    audience: Audience,
) -> Result<WatchRequest, Rejection> {
    let mut violations = Violations::new();
    let selection = collect(selection(request.selection.as_ref(), audience), &mut violations);
    let start = match &request.from {
        None => Ok(Start::Earliest),
        Some(From::AfterCursor(text)) => cursor(text, earliest).map(Start::After),
        Some(From::AtTime(time)) => timestamp("at_time", time).map(Start::At),
        Some(From::Start(start)) => match WireStart::try_from(*start) {
            Ok(WireStart::Unspecified | WireStart::Earliest) => Ok(Start::Earliest),
            Ok(WireStart::Latest) => Ok(Start::Latest),
            Err(_) => {
                Err(Rejection::invalid("start", "UNKNOWN_ENUM_VALUE", "give START_EARLIEST or START_LATEST"))
            }
        },
    };
    let start = collect(start, &mut violations);
    let interval =
        request.checkpoint_interval.map(|interval| Duration::try_from(interval).unwrap_or_default());
    let checkpoint_interval = interval.unwrap_or(CHECKPOINT_INTERVAL);
    if !(CHECKPOINT_INTERVAL_MIN..=CHECKPOINT_INTERVAL_MAX).contains(&checkpoint_interval) {
        violations.push("checkpoint_interval", "OUT_OF_RANGE", "give 100 ms to 10 min, or nothing for 10 s");
    }
    let (selection, start) = finish(selection, start, violations)?;
    Ok(WatchRequest { start, selection, checkpoint_interval })
}

fn selection(selection: Option<&EventSelection>, audience: Audience) -> Result<Selection, Rejection> {
    let selection = match selection {
        None => Selection::all(),
        Some(asked) => Selection::new(&asked.resource, &asked.types, &asked.filter)?,
    };
    Ok(selection.heard_by(audience))
}

fn cursor(text: &str, earliest: Cursor) -> Result<Cursor, Rejection> {
    text.parse().map_err(|error| Rejection::CursorInvalid { error, earliest })
}

fn timestamp(field: &str, time: &prost_types::Timestamp) -> Result<Timestamp, Rejection> {
    Timestamp::new(time.seconds, time.nanos).map_err(|_| {
        Rejection::invalid(field, "INVALID_TIME", "give a time between the years -9999 and 9999")
    })
}

/// Adds the violations of an `Invalid` rejection to the others; another rejection is returned as it is.
fn collect<T>(result: Result<T, Rejection>, violations: &mut Violations) -> Result<T, Rejection> {
    if let Err(Rejection::Invalid(found)) = &result {
        violations.extend(found.clone());
    }
    result
}

/// The parts, or every faulty field, or the first other refusal.
fn finish<S>(
    selection: Result<Selection, Rejection>,
    start: Result<S, Rejection>,
    mut violations: Violations,
) -> Result<(Selection, S), Rejection> {
    match &selection {
        // A filter that is the only fault is refused with its column.
        Err(Rejection::Filter { field, error }) if !violations.is_empty() => {
            violations.check::<(), _>(*field, Err(error.clone()));
        }
        _ => {}
    }
    violations.into_result(())?;
    Ok((selection?, start?))
}
