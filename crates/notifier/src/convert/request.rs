//! Reads and checks requests; reports all faults of a request together.

use std::time::Duration;

use jiff::Timestamp;
use milepost_proto::notifier::v1::watch_events_request::{From, Start as WireStart};
use milepost_proto::notifier::v1::{EventSelection, ListEventsRequest, WatchEventsRequest};
use milepost_types::{Cursor, PageToken, Rejection, RequestDigest, Violations, page_size};

use crate::selection::Selection;

/// The method's name in page tokens.
const LIST_EVENTS: &str = "milepost.notifier.v1.EventService/ListEvents";
/// The checkpoint interval of a stream if none is given.
const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(10);
const CHECKPOINT_INTERVAL_MIN: Duration = Duration::from_millis(100);
const CHECKPOINT_INTERVAL_MAX: Duration = Duration::from_secs(600);

/// Where a stream or a list starts.
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

/// What a list asks for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ListRequest {
    pub(crate) start: Start,
    pub(crate) selection: Selection,
    pub(crate) page_size: usize,
    digest: RequestDigest,
}

impl ListRequest {
    /// The token of the page after a cursor, of a log that ends at this sequence.
    pub(crate) fn next_page_token(&self, after: &Cursor, sequence: u64) -> String {
        PageToken { request: self.digest, sequence, after: after.to_string().into_bytes() }.encode()
    }
}

/// Reads a watch request of a log whose earliest cursor is this.
pub(crate) fn watch(request: &WatchEventsRequest, earliest: Cursor) -> Result<WatchRequest, Rejection> {
    let mut violations = Violations::new();
    let selection = collect(selection(request.selection.as_ref()), &mut violations);
    let start = match &request.from {
        None => Ok(Start::Earliest),
        Some(From::AfterCursor(text)) => cursor(text, earliest),
        Some(From::AtTime(time)) => Timestamp::new(time.seconds, time.nanos).map(Start::At).map_err(|_| {
            Rejection::invalid("at_time", "INVALID_TIME", "give a time between the years -9999 and 9999")
        }),
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

/// Reads a list request of a log whose earliest cursor is this.
pub(crate) fn list(request: &ListEventsRequest, earliest: Cursor) -> Result<ListRequest, Rejection> {
    let mut violations = Violations::new();
    let page_size = violations.check("page_size", page_size(request.page_size)).unwrap_or_default();
    let selection = collect(selection(request.selection.as_ref()), &mut violations);
    let digest = selection.as_ref().map(|selection| RequestDigest::of(LIST_EVENTS, selection.parts())).ok();
    let start = match (request.after_cursor.as_str(), request.page_token.as_str()) {
        ("", "") => Ok(Start::Earliest),
        (text, "") => cursor(text, earliest),
        ("", token) => match &digest {
            Some(digest) => page(token, digest),
            None => Ok(Start::Earliest),
        },
        _ => Err(Rejection::invalid(
            "after_cursor",
            "NOT_WITH_PAGE_TOKEN",
            "a page token says where to go on; leave the cursor out",
        )),
    };
    let start = collect(start, &mut violations);
    let (selection, start) = finish(selection, start, violations)?;
    let digest = digest.unwrap_or(RequestDigest::from_bytes([0; 16]));
    Ok(ListRequest { start, selection, page_size, digest })
}

fn selection(selection: Option<&EventSelection>) -> Result<Selection, Rejection> {
    match selection {
        None => Ok(Selection::all()),
        Some(asked) => Selection::new(&asked.resource, &asked.types, &asked.filter),
    }
}

fn cursor(text: &str, earliest: Cursor) -> Result<Start, Rejection> {
    text.parse().map(Start::After).map_err(|error| Rejection::CursorInvalid { error, earliest })
}

fn page(token: &str, digest: &RequestDigest) -> Result<Start, Rejection> {
    let token = PageToken::decode(token, digest).map_err(Rejection::PageToken)?;
    let text = String::from_utf8(token.after).unwrap_or_default();
    text.parse().map(Start::After).map_err(Rejection::PageToken)
}

/// Adds the violations of an `Invalid` rejection to the others; another rejection is returned as it is.
fn collect<T>(result: Result<T, Rejection>, violations: &mut Violations) -> Result<T, Rejection> {
    if let Err(Rejection::Invalid(found)) = &result {
        violations.extend(found.clone());
    }
    result
}

/// The parts, or every faulty field, or the first other refusal.
fn finish(
    selection: Result<Selection, Rejection>,
    start: Result<Start, Rejection>,
    violations: Violations,
) -> Result<(Selection, Start), Rejection> {
    violations.into_result(())?;
    Ok((selection?, start?))
}
