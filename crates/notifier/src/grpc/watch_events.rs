//! `WatchEvents`: events as they are committed, from any start.

use milepost_proto::notifier::v1::WatchEventsRequest;
use milepost_service::access::Permitted;
use milepost_service::refusal;
use milepost_types::Cursor;
use tonic::{Response, Status};

use super::EventApi;
use super::status::read_failure;
use crate::audience::{Audience, PERMISSIONS};
use crate::convert::request::{self, Start};
use crate::error::ReadFailure;
use crate::log::EventLog;
use crate::stream::WatchStream;

pub(super) async fn watch_events(
    api: EventApi,
    request: Permitted<WatchEventsRequest>,
) -> Result<Response<WatchStream>, Status> {
    let earliest = api.streams.log.earliest();
    let access = request.stream_access(PERMISSIONS);
    let ask = request::watch(request.get_ref(), earliest, Audience::of(&access))
        .map_err(|rejection| refusal::status(&rejection))?;
    let after = start(&api.streams.log, ask.start).await.map_err(read_failure)?;
    Ok(Response::new(WatchStream::new(api.streams, &ask.selection, access, after, ask.checkpoint_interval)))
}

/// The cursor of a start, as of now.
async fn start(log: &EventLog, start: Start) -> Result<Cursor, ReadFailure> {
    match start {
        Start::After(cursor) => log.check(&cursor).await,
        Start::At(time) => log.at(time).await,
        Start::Earliest => Ok(log.earliest()),
        Start::Latest => Ok(log.latest()),
    }
}
