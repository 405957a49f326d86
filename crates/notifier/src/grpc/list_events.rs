//! `ListEvents`: events in the order of the log, or the newest first, page by page.
//!
//! A page ends when it is full, in number or in bytes as in every list, or when it has scanned so much of the log,
//! in entries or in bytes, that the caller should get a cursor. The reset of a source is a page of
//! its own.

#[cfg(test)]
mod tests;

use milepost_ledger::journal::ReadLimit;
use milepost_proto::notifier::v1::ListEventsRequest;
use milepost_service::access::Permitted;
use milepost_service::refusal;
use milepost_service::request::Caller;
use milepost_types::{Cursor, Room, limits};
use tonic::{Response, Status};

use super::EventApi;
use super::status::read_failure;
use crate::audience::{Audience, PERMISSIONS};
use crate::convert::reply::ListReply;
use crate::convert::request::{self, ListRequest, ListStart, Order};
use crate::error::ReadFailure;
use crate::log::{BackwardReader, EventLog};
use crate::stream::{BackwardPage, Done, Page, Place};

/// Entries that one page scans.
const SCANNED_ENTRIES: u64 = 20_000;
/// What is read at once.
const READ: ReadLimit = ReadLimit { entries: 1000, bytes: 1 << 20 };

pub(super) async fn list_events(
    api: EventApi,
    request: Permitted<ListEventsRequest>,
) -> Result<Response<ListReply>, Status> {
    let caller = Caller::of_permitted(&request).map_err(|rejection| refusal::status(&rejection))?;
    let audience = Audience::of(&request.stream_access(PERMISSIONS));
    let request = request.into_inner();
    let log = &api.streams.log;
    let ask =
        request::list(&request, log.earliest(), audience).map_err(|rejection| refusal::status(&rejection))?;
    let reached = api.sources.wait_for_revisions(&request.min_revisions, caller.deadline).await;
    reached.map_err(|rejection| refusal::status(&rejection))?;
    let page = match ask.order {
        Order::Ascending => ascending(log, &ask).await,
        Order::Descending => descending(log, &ask).await,
    };
    page.map(Response::new).map_err(read_failure)
}

async fn ascending(log: &EventLog, ask: &ListRequest) -> Result<ListReply, ReadFailure> {
    let (_, after) = extent(log, ask.start).await?;
    let tail = log.tail().sequence;
    let mut page = Page::new(&ask.selection, after, Room::page(ask.page_size));
    let mut at_end = false;
    while !at_end
        && !page.is_full()
        && page.cursor().position.sequence - after.position.sequence < SCANNED_ENTRIES
        && page.scanned_bytes() < limits::PAGE_ROW_BYTES
    {
        let entries = log.read(page.cursor(), READ).await?;
        page.take(&entries);
        at_end = entries.is_empty();
    }
    let Done { events, cursor, notice } = page.finish();
    let next_page_token = if at_end { String::new() } else { ask.page_token_after(&cursor, tail) };
    Ok(ListReply { events, next_page_token, cursor: cursor.to_string(), source_reset: notice })
}

async fn descending(log: &EventLog, ask: &ListRequest) -> Result<ListReply, ReadFailure> {
    let (before, end) = extent(log, ask.start).await?;
    let (place, tail): (Place, u64) = (before.next(), log.tail().sequence);
    let mut page = BackwardPage::new(&ask.selection, place, end.next(), Room::page(ask.page_size));
    let mut reader = BackwardReader::new(log);
    while let Some(last) = page.wants()
        && !page.is_full()
        && place.0 - page.place().0 < SCANNED_ENTRIES
        && reader.bytes_read() < limits::PAGE_ROW_BYTES
    {
        // An entry that the end is in is looked through from there on.
        page.take(&reader.read(end.next().0, last).await?);
    }
    let (sequence, index) = page.place();
    let (cursor, next_page_token) = if page.wants().is_none() {
        (end, String::new())
    } else {
        let cursor = log.before(sequence, index).await?;
        (cursor, ask.page_token_before(&cursor, &end, tail))
    };
    let (events, notice) = page.finish();
    Ok(ListReply { events, next_page_token, cursor: cursor.to_string(), source_reset: notice })
}

/// Before and after which cursors the page is, as of now.
async fn extent(log: &EventLog, start: ListStart) -> Result<(Cursor, Cursor), ReadFailure> {
    match start {
        ListStart::First { after, from_time } => {
            let mut from = log.earliest();
            if let Some(time) = from_time {
                from = log.at(time).await?;
            }
            if let Some(cursor) = after {
                let after = log.check(&cursor).await?;
                from = if after.next() < from.next() { from } else { after };
            }
            Ok((log.latest(), from))
        }
        ListStart::After(cursor) => Ok((log.latest(), log.check(&cursor).await?)),
        ListStart::Before(cursor, end) => Ok((log.check(&cursor).await?, log.check(&end).await?)),
    }
}
