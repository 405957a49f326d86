//! Places in the log for which no cursor was answered yet: inside a batch, and before the last events.
//!
//! Invariant: a place is found by listing, never by the id of an event: after a reset an event may stand in the log
//! twice.

use jiff::Timestamp;
use milepost_client::{Selection, Start};
use milepost_proto::notifier::v1::{GetLogInfoRequest, ListEventsRequest, ListEventsResponse};

use super::cursor_file::CursorFile;
use super::{NEWEST_FIRST, timestamp};
use crate::cli::session::Session;
use crate::error::Error;

/// Events of a page at most.
const PAGE: u64 = 1000;

/// How far a watch has come.
pub struct Progress<'a> {
    session: &'a Session,
    selection: &'a Selection,
    file: Option<CursorFile>,
    reached: Start,
}

impl<'a> Progress<'a> {
    /// At the start of a watch, whose cursors are kept in a file if there is one.
    pub fn new(
        session: &'a Session,
        selection: &'a Selection,
        file: Option<CursorFile>,
        start: Start,
    ) -> Self {
        Self { session, selection, file, reached: start }
    }

    /// Whether cursors are kept.
    pub fn is_kept(&self) -> bool {
        self.file.is_some()
    }

    /// Everything up to this cursor was handled.
    ///
    /// # Errors
    /// If the cursor cannot be kept.
    pub fn pass(&mut self, cursor: String) -> Result<(), Error> {
        if let Some(file) = &mut self.file {
            file.keep(&cursor)?;
        }
        self.reached = Start::After(cursor);
        Ok(())
    }

    /// The cursor after the next `count` events; `None` if the place that was reached is not known, which is so only
    /// before the first response to a watch from the latest event on.
    ///
    /// # Errors
    /// If they cannot be listed.
    pub async fn cursor_after(&self, count: usize) -> Result<Option<String>, Error> {
        let mut request =
            ListEventsRequest { selection: Some(self.selection.clone()), ..ListEventsRequest::default() };
        match &self.reached {
            Start::After(cursor) => request.after_cursor.clone_from(cursor),
            Start::At(time) => request.from_time = Some(timestamp(*time)),
            Start::Earliest => {}
            Start::Latest => return Ok(None),
        }
        let (cursor, listed) = follow(self.session, request, count as u64).await?;
        Ok((listed == count as u64).then_some(cursor))
    }
}

/// The cursor just before the last `count` events that a selection matches, of those that entered the log at a time or
/// later; if there are fewer, before all of them.
///
/// # Errors
/// If they cannot be listed.
pub async fn cursor_before_last(
    session: &Session,
    selection: &Selection,
    count: u64,
    from_time: Option<Timestamp>,
) -> Result<String, Error> {
    let request = ListEventsRequest {
        selection: Some(selection.clone()),
        order_by: NEWEST_FIRST.to_owned(),
        from_time: from_time.map(timestamp),
        ..ListEventsRequest::default()
    };
    follow(session, request, count).await.map(|(cursor, _)| cursor)
}

/// The cursor after the latest event.
///
/// # Errors
/// If the log cannot be asked.
pub async fn latest_cursor(session: &Session) -> Result<String, Error> {
    let info = session
        .read(
            GetLogInfoRequest {},
            |client, request| async move { client.events().get_log_info(request).await },
        )
        .await?;
    Ok(info.latest_cursor)
}

/// Follows the pages of a list until it has so many events, or ends; the cursor there, and how many it has.
async fn follow(
    session: &Session,
    mut request: ListEventsRequest,
    count: u64,
) -> Result<(String, u64), Error> {
    let mut listed = 0;
    loop {
        request.page_size = i32::try_from(PAGE.min(count - listed)).unwrap_or(i32::MAX);
        let response: ListEventsResponse = session
            .read(
                request.clone(),
                |client, request| async move { client.events().list_events(request).await },
            )
            .await?;
        listed += response.events.len() as u64;
        if listed >= count || response.next_page_token.is_empty() {
            return Ok((response.cursor, listed));
        }
        request.after_cursor.clear();
        request.page_token = response.next_page_token;
    }
}
