//! The gRPC service of phases: decode, one call, encode. No rule of the domain is here.

use milepost_proto::registry::v1::phase_service_server::PhaseService;
use milepost_proto::registry::v1::*;
use tonic::{Request, Response, Status, async_trait};

use super::{Api, refused, revision, sound};
use crate::command::Wish;
use crate::convert::list::listing;
use crate::convert::{phase as convert, request};
use crate::list::phases::{ORDERS, SCHEMA, list};
use crate::tables::phases;

#[async_trait]
impl PhaseService for Api {
    async fn create_phase(
        &self,
        request: Request<CreatePhaseRequest>,
    ) -> Result<Response<CreatePhaseResponse>, Status> {
        let outcome = self.write(request, |r, v| convert::create(r, v).map(Wish::Phase)).await?;
        let phase = Some(outcome.resource()?);
        Ok(Response::new(CreatePhaseResponse { phase, revision: outcome.revision }))
    }

    async fn get_phase(
        &self,
        request: Request<GetPhaseRequest>,
    ) -> Result<Response<GetPhaseResponse>, Status> {
        let name = sound(|v| request::name(&request.get_ref().name, v))?;
        self.arrive(&request, &request.get_ref().min_revisions).await?;
        let view = self.ledger.view();
        let phase = phases::message(&view, &name).map_err(refused)?;
        Ok(Response::new(GetPhaseResponse { phase: Some(phase), revision: revision(view.position()) }))
    }

    async fn list_phases(
        &self,
        request: Request<ListPhasesRequest>,
    ) -> Result<Response<ListPhasesResponse>, Status> {
        let asked = request.get_ref();
        let listing = listing(asked.into(), |v| v.check("parent", asked.parent.parse()), &SCHEMA, &ORDERS)
            .map_err(refused)?;
        self.arrive(&request, &asked.min_revisions).await?;
        let (page, listing, position) = self
            .look(move |view| Ok((list(view, &listing.parent, &listing.query)?, listing, view.position())))
            .await?;
        self.metrics.listed(page.looked_at, page.resources.len());
        Ok(Response::new(ListPhasesResponse {
            phases: page.resources,
            next_page_token: listing.next_page_token(page.next, position.sequence),
            revision: revision(position),
        }))
    }

    async fn update_phase(
        &self,
        request: Request<UpdatePhaseRequest>,
    ) -> Result<Response<UpdatePhaseResponse>, Status> {
        let outcome = self.write(request, |r, v| convert::update(r, v).map(Wish::Phase)).await?;
        let phase = Some(outcome.resource()?);
        Ok(Response::new(UpdatePhaseResponse { phase, revision: outcome.revision }))
    }

    async fn delete_phase(
        &self,
        request: Request<DeletePhaseRequest>,
    ) -> Result<Response<DeletePhaseResponse>, Status> {
        let outcome = self.write(request, |r, v| convert::delete(&r, v).map(Wish::Phase)).await?;
        let phase = Some(outcome.resource()?);
        Ok(Response::new(DeletePhaseResponse { phase, revision: outcome.revision }))
    }

    async fn undelete_phase(
        &self,
        request: Request<UndeletePhaseRequest>,
    ) -> Result<Response<UndeletePhaseResponse>, Status> {
        let outcome = self.write(request, |r, v| convert::undelete(&r, v).map(Wish::Phase)).await?;
        let phase = Some(outcome.resource()?);
        Ok(Response::new(UndeletePhaseResponse { phase, revision: outcome.revision }))
    }
}
