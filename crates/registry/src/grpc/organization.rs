//! The gRPC service of organizations: decode, one call, encode. No rule of the domain is here.

use milepost_proto::registry::v1::organization_service_server::OrganizationService;
use milepost_proto::registry::v1::*;
use tonic::{Request, Response, Status, async_trait};

use super::{Api, refused, revision, sound};
use crate::command::Wish;
use crate::convert::list::{Everything, listing};
use crate::convert::{organization as convert, request};
use crate::list::organizations::{ORDERS, SCHEMA, list};
use crate::tables::organizations;

#[async_trait]
impl OrganizationService for Api {
    async fn create_organization(
        &self,
        request: Request<CreateOrganizationRequest>,
    ) -> Result<Response<CreateOrganizationResponse>, Status> {
        let outcome = self.write(request, |r, v| convert::create(r, v).map(Wish::Organization)).await?;
        let organization = Some(outcome.resource()?);
        Ok(Response::new(CreateOrganizationResponse { organization, revision: outcome.revision }))
    }

    async fn get_organization(
        &self,
        request: Request<GetOrganizationRequest>,
    ) -> Result<Response<GetOrganizationResponse>, Status> {
        let name = sound(|v| request::name(&request.get_ref().name, v))?;
        self.arrive(&request, &request.get_ref().min_revisions).await?;
        let view = self.ledger.view();
        let organization = organizations::message(&view, &name).map_err(refused)?;
        Ok(Response::new(GetOrganizationResponse {
            organization: Some(organization),
            revision: revision(view.position()),
        }))
    }

    async fn list_organizations(
        &self,
        request: Request<ListOrganizationsRequest>,
    ) -> Result<Response<ListOrganizationsResponse>, Status> {
        let asked = request.get_ref();
        let listing = listing(asked.into(), |_| Some(Everything), &SCHEMA, &ORDERS).map_err(refused)?;
        self.arrive(&request, &asked.min_revisions).await?;
        let (page, listing, position) =
            self.look(move |view| Ok((list(view, &listing.query)?, listing, view.position()))).await?;
        self.metrics.listed(page.looked_at, page.resources.len());
        Ok(Response::new(ListOrganizationsResponse {
            organizations: page.resources,
            next_page_token: listing.next_page_token(page.next, position.sequence),
            revision: revision(position),
        }))
    }

    async fn update_organization(
        &self,
        request: Request<UpdateOrganizationRequest>,
    ) -> Result<Response<UpdateOrganizationResponse>, Status> {
        let outcome = self.write(request, |r, v| convert::update(r, v).map(Wish::Organization)).await?;
        let organization = Some(outcome.resource()?);
        Ok(Response::new(UpdateOrganizationResponse { organization, revision: outcome.revision }))
    }

    async fn delete_organization(
        &self,
        request: Request<DeleteOrganizationRequest>,
    ) -> Result<Response<DeleteOrganizationResponse>, Status> {
        let outcome = self.write(request, |r, v| convert::delete(&r, v).map(Wish::Organization)).await?;
        let organization = Some(outcome.resource()?);
        Ok(Response::new(DeleteOrganizationResponse { organization, revision: outcome.revision }))
    }

    async fn undelete_organization(
        &self,
        request: Request<UndeleteOrganizationRequest>,
    ) -> Result<Response<UndeleteOrganizationResponse>, Status> {
        let outcome = self.write(request, |r, v| convert::undelete(&r, v).map(Wish::Organization)).await?;
        let organization = Some(outcome.resource()?);
        Ok(Response::new(UndeleteOrganizationResponse { organization, revision: outcome.revision }))
    }
}
