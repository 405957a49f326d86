//! `GetEvent`: one event by its id.

use milepost_proto::notifier::v1::GetEventRequest;
use milepost_service::access::Permitted;
use milepost_service::refusal;
use milepost_service::request::Caller;
use milepost_types::{EventId, Rejection, ResourceKind};
use tonic::{Response, Status};

use super::EventApi;
use super::status::read_failure;
use crate::audience::{Audience, PERMISSIONS};
use crate::convert::envelope::envelope;
use crate::convert::reply::GetReply;
use crate::log::PlaceOf;

pub(super) async fn get_event(
    api: EventApi,
    request: Permitted<GetEventRequest>,
) -> Result<Response<GetReply>, Status> {
    let caller = Caller::of_permitted(&request).map_err(|rejection| refusal::status(&rejection))?;
    let audience = Audience::of(&request.stream_access(PERMISSIONS));
    let request = request.into_inner();
    let id = event_id(&request.event_id).map_err(|rejection| refusal::status(&rejection))?;
    let reached = api.sources.wait_for_revisions(&request.min_revisions, caller.deadline).await;
    reached.map_err(|rejection| refusal::status(&rejection))?;
    let place = api.sources.place(&id);
    let found = api.streams.log.find(place, &id).await.map_err(read_failure)?;
    let heard = found.filter(|(event, _)| envelope(event).is_ok_and(|event| audience.hears(&event)));
    let (event, cursor) = heard.ok_or_else(|| {
        refusal::status(&Rejection::NotFound { kind: ResourceKind::EVENT, name: id.to_string() })
    })?;
    Ok(Response::new(GetReply { event: Some(event), cursor: cursor.to_string() }))
}

fn event_id(text: &str) -> Result<EventId, Rejection> {
    if text.is_empty() {
        return Err(Rejection::invalid("event_id", "REQUIRED", "the field is required; give a value"));
    }
    text.parse().map_err(|fault| Rejection::fault("event_id", fault))
}

impl super::Sources {
    fn place(&self, id: &EventId) -> PlaceOf {
        let lineage = self.ledger.source().info().lineage;
        let view = self.ledger.view();
        PlaceOf::event(&view, &view.position(), &lineage, id)
    }
}
