//! The forecasts of a milestone, the newest first, read back from the journal.
//!
//! They are not stored a second time: a milestone knows the sequence of its last forecast, and each event
//! that reports one knows the sequence of the one before. Invariant: the chain is whole, whatever came
//! between; where it is not, the journal is not the tracker's own, and that is an error. A page token says only
//! where the chain is entered, and anybody can write one: where it says something else, the token is wrong.

use std::sync::Arc;

use milepost_ledger::journal::{ReadError, ReadLimit};
use milepost_ledger::{Entry, EntryError, Source};
use milepost_proto::tracker::v1::*;
use milepost_resource::{Api, Rows, Unreadable};
use milepost_service::access::Permitted;
use milepost_service::refusal;
use milepost_service::status::internal;
use milepost_types::{
    PageToken, Rejection, RequestDigest, Room, TokenError, TokenKind, Violations, page_size,
};
use prost::Message;
use tonic::{Response, Status};

use crate::convert::read_event::forecast;
use crate::decide::Tracker;
use crate::names::MilestoneName;

/// Why forecasts cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The journal cannot be read.
    #[error("the journal cannot be read")]
    Read(#[from] ReadError),
    /// An entry cannot be understood.
    #[error("an entry of the journal cannot be understood")]
    Entry(#[from] EntryError),
    /// An event cannot be understood.
    #[error("an event of entry {sequence} cannot be understood")]
    Event {
        /// The entry.
        sequence: u64,
        /// Why.
        source: Unreadable,
    },
    /// An entry does not report what a later one says that it does.
    #[error("entry {sequence} reports no forecast of {name}")]
    Missing {
        /// The entry.
        sequence: u64,
        /// The milestone.
        name: MilestoneName,
    },
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        match error {
            Error::Read(error) => refusal::read_status(&error),
            error => internal("the history of forecasts cannot be read", &error),
        }
    }
}

const MALFORMED: TokenError = TokenError::Malformed { expected: TokenKind::Page };

/// A request for a page of them, read.
struct HistoryRequest {
    name: MilestoneName,
    /// How many at most.
    size: usize,
    /// What its page tokens belong to.
    digest: RequestDigest,
    /// The sequence to go on from, and the one that the first page was read at; none: from the newest.
    from: Option<(u64, u64)>,
}

impl HistoryRequest {
    fn read(request: &ListMilestoneForecastsRequest) -> Result<Self, Rejection> {
        let mut violations = Violations::new();
        let name = super::name(&request.name, &mut violations);
        let size = violations.check("page_size", page_size(request.page_size));
        let parts = || Some((name?, size?));
        let (name, size) = violations.finish(parts())?;
        let method = "milepost.tracker.v1.MilestoneService/ListMilestoneForecasts";
        let digest = RequestDigest::of(method, [name.to_string()]);
        let from = |token: &str| {
            let token = PageToken::decode(token, &digest)?;
            let after = token.after.as_slice().try_into().map_err(|_| MALFORMED)?;
            Ok((u64::from_be_bytes(after), token.sequence))
        };
        let token = Some(request.page_token.as_str()).filter(|token| !token.is_empty());
        let from = token.map(from).transpose().map_err(Rejection::PageToken)?;
        Ok(Self { name, size, digest, from })
    }
}

/// The call: a page of the forecasts of a milestone.
pub(super) async fn list(
    api: Arc<Api<Tracker>>,
    request: Permitted<ListMilestoneForecastsRequest>,
) -> Result<Response<ListMilestoneForecastsResponse>, Status> {
    let refused = |rejection| refusal::status(&rejection);
    let HistoryRequest { name, size, digest, from } =
        HistoryRequest::read(request.get_ref()).map_err(refused)?;
    api.wait_for_revisions(&request, &request.get_ref().min_revisions).await?;
    let (newest, position) = {
        let view = api.ledger.view();
        // Only this field: whether a rule could work with the milestone does not matter here.
        let row = Rows::<Tracker>::new(&view).row(&name).ok_or_else(|| Rejection::not_found(&name));
        let milestone = Milestone::decode(row.map_err(refused)?).map_err(|error| name.damaged(error));
        (milestone.map_err(|row| refused(row.into()))?.forecast_sequence, view.position())
    };
    let malformed = || refused(Rejection::PageToken(MALFORMED));
    let is_token = from.is_some();
    let (from, sequence) = from.unwrap_or((newest, position.sequence));
    if is_token && !(1..=newest).contains(&from) {
        return Err(malformed());
    }
    let (forecasts, next) = match history(&api.ledger.source(), &name, from, size).await {
        Err(Error::Missing { sequence, .. }) if is_token && sequence == from => return Err(malformed()),
        found => found?,
    };
    let token = PageToken { request: digest, sequence, after: next.to_be_bytes().to_vec() };
    Ok(Response::new(ListMilestoneForecastsResponse {
        forecasts,
        next_page_token: if next == 0 { String::new() } else { token.encode() },
        revision: api.revision(position),
    }))
}

/// A page of at most `size` forecasts of a milestone, from the one that entry `from` reports on back, and
/// the sequence to go on from; 0 if there are no more, or for `from` if there are none.
pub(crate) async fn history(
    source: &Source,
    name: &MilestoneName,
    from: u64,
    size: usize,
) -> Result<(Vec<Forecast>, u64), Error> {
    let (mut room, mut found, mut sequence) = (Room::page(size), Vec::new(), from);
    while sequence > 0 && !room.is_full() {
        let (forecast, previous) = reported(source, name, sequence).await?;
        if !room.admit(forecast.encoded_len()) {
            break;
        }
        found.push(forecast);
        // A chain that does not go back would never end.
        if previous >= sequence {
            return Err(Error::Missing { sequence: previous, name: name.clone() });
        }
        sequence = previous;
    }
    Ok((found, sequence))
}

/// The forecast that an entry reports of a milestone, and the sequence of the one before.
async fn reported(source: &Source, name: &MilestoneName, sequence: u64) -> Result<(Forecast, u64), Error> {
    let missing = || Error::Missing { sequence, name: name.clone() };
    let entries = source.read_after(sequence - 1, ReadLimit { entries: 1, bytes: 1 }).await?;
    let stored = entries.first().filter(|stored| stored.sequence == sequence).ok_or_else(missing)?;
    let subject = name.to_string();
    for event in &Entry::decode(stored)?.events {
        let found = forecast(event, &subject).map_err(|source| Error::Event { sequence, source })?;
        if let Some(found) = found {
            return Ok(found);
        }
    }
    Err(missing())
}
