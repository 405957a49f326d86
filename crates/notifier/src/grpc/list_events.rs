//! `ListEvents`: events in the order of the log, page by page.
//!
//! A page ends when it is full, in number or in bytes as in every list, or when it has scanned so much of the log,
//! in entries or in bytes, that the caller should get a cursor. The reset of a source is a page of
//! its own.

use milepost_ledger::journal::ReadLimit;
use milepost_proto::notifier::v1::ListEventsRequest;
use milepost_service::refusal;
use milepost_service::request::Caller;
use milepost_types::{Room, limits};
use tonic::{Request, Response, Status};

use super::EventApi;
use super::status::read_failure;
use super::watch_events::start;
use crate::convert::reply::ListReply;
use crate::convert::request;
use crate::stream::{Done, Page};

/// Entries that one page scans.
const SCANNED_ENTRIES: u64 = 20_000;
/// What is read at once.
const READ: ReadLimit = ReadLimit { entries: 1000, bytes: 1 << 20 };

pub(super) async fn list_events(
    api: EventApi,
    request: Request<ListEventsRequest>,
) -> Result<Response<ListReply>, Status> {
    let caller = Caller::of(&request).map_err(|rejection| refusal::status(&rejection))?;
    let request = request.into_inner();
    let log = &api.streams.log;
    let ask = request::list(&request, log.earliest()).map_err(|rejection| refusal::status(&rejection))?;
    let reached = api.sources.wait_for_revisions(&request.min_revisions, caller.deadline).await;
    reached.map_err(|rejection| refusal::status(&rejection))?;

    let after = start(log, ask.start).await.map_err(read_failure)?;
    let tail = log.tail().sequence;
    let mut page = Page::new(&ask.selection, after, Room::page(ask.page_size));
    let mut at_end = false;
    while !at_end
        && !page.is_full()
        && page.cursor().position.sequence - after.position.sequence < SCANNED_ENTRIES
        && page.scanned_bytes() < limits::PAGE_ROW_BYTES
    {
        let entries = log.read(page.cursor(), READ).await.map_err(read_failure)?;
        page.take(&entries);
        at_end = entries.is_empty();
    }
    let Done { events, cursor, notice } = page.finish();
    let next_page_token = if at_end { String::new() } else { ask.next_page_token(&cursor, tail) };
    let cursor = cursor.to_string();
    Ok(Response::new(ListReply { events, next_page_token, cursor, source_reset: notice }))
}
