//! `GetLogInfo`: the id of the log, its first and last position, and its sources.

use milepost_ledger::position_to_proto;
use milepost_proto::notifier::v1::{GetLogInfoRequest, GetLogInfoResponse, SourceProgress};
use milepost_service::access::Permitted;
use tonic::{Response, Status};

use super::{EventApi, Sources};
use crate::source::Followed;
use crate::tables::Rows;

pub(super) async fn get_log_info(
    api: EventApi,
    _: Permitted<GetLogInfoRequest>,
) -> Result<Response<GetLogInfoResponse>, Status> {
    let log = &api.streams.log;
    let tail = log.tail();
    Ok(Response::new(GetLogInfoResponse {
        log_id: tail.log.to_string(),
        earliest_cursor: log.earliest().to_string(),
        latest_cursor: log.latest().to_string(),
        durable_sequence: tail.sequence,
        sources: api.sources.progress(),
    }))
}

impl Sources {
    fn progress(&self) -> Vec<SourceProgress> {
        let view = self.ledger.view();
        let info = |source, progress: &crate::follower::Progress| {
            let applied = Rows(&view).applied(source);
            SourceProgress {
                source: source.to_string(),
                position: applied.as_ref().map(position_to_proto),
                lag_entries: progress.lag(applied.as_ref()),
            }
        };
        self.progress.iter().map(|(source, progress)| info(*source, progress)).collect()
    }
}
