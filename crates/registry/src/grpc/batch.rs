//! `BatchService`. What a planned batch registers is computed for each read of it.

use milepost_proto::registry::v1::batch_service_server::BatchService;
use milepost_proto::registry::v1::*;
use tonic::{Request, Response, Status, async_trait};

use super::{Api, refused, revision, sound};
use crate::command::Wish;
use crate::convert::list::listing;
use crate::convert::{batch as convert, request};
use crate::list::batches::{ORDERS, SCHEMA, list};
use crate::tables::batches;

#[async_trait]
impl BatchService for Api {
    async fn create_batch(
        &self,
        request: Request<CreateBatchRequest>,
    ) -> Result<Response<CreateBatchResponse>, Status> {
        let outcome = self.write(request, |r, v| convert::create(r, v).map(Wish::Batch)).await?;
        let batch = Some(outcome.resource()?);
        Ok(Response::new(CreateBatchResponse { batch, revision: outcome.revision }))
    }

    async fn get_batch(
        &self,
        request: Request<GetBatchRequest>,
    ) -> Result<Response<GetBatchResponse>, Status> {
        let name = sound(|v| request::name(&request.get_ref().name, v))?;
        self.arrive(&request, &request.get_ref().min_revisions).await?;
        let (batch, position) =
            self.look(move |view| Ok((batches::told(view, &name)?, view.position()))).await?;
        Ok(Response::new(GetBatchResponse { batch: Some(batch), revision: revision(position) }))
    }

    async fn list_batches(
        &self,
        request: Request<ListBatchesRequest>,
    ) -> Result<Response<ListBatchesResponse>, Status> {
        let asked = request.get_ref();
        let listing = listing(asked.into(), |v| v.check("parent", asked.parent.parse()), &SCHEMA, &ORDERS)
            .map_err(refused)?;
        self.arrive(&request, &asked.min_revisions).await?;
        let (page, listing, position) = self
            .look(move |view| Ok((list(view, &listing.parent, &listing.query)?, listing, view.position())))
            .await?;
        self.metrics.listed(page.looked_at, page.resources.len());
        Ok(Response::new(ListBatchesResponse {
            batches: page.resources,
            next_page_token: listing.next_page_token(page.next, position.sequence),
            revision: revision(position),
        }))
    }

    async fn update_batch(
        &self,
        request: Request<UpdateBatchRequest>,
    ) -> Result<Response<UpdateBatchResponse>, Status> {
        let outcome = self.write(request, |r, v| convert::update(r, v).map(Wish::Batch)).await?;
        let batch = Some(outcome.resource()?);
        Ok(Response::new(UpdateBatchResponse { batch, revision: outcome.revision }))
    }

    async fn delete_batch(
        &self,
        request: Request<DeleteBatchRequest>,
    ) -> Result<Response<DeleteBatchResponse>, Status> {
        let outcome = self.write(request, |r, v| convert::delete(&r, v).map(Wish::Batch)).await?;
        let batch = Some(outcome.resource()?);
        Ok(Response::new(DeleteBatchResponse { batch, revision: outcome.revision }))
    }

    async fn undelete_batch(
        &self,
        request: Request<UndeleteBatchRequest>,
    ) -> Result<Response<UndeleteBatchResponse>, Status> {
        let outcome = self.write(request, |r, v| convert::undelete(&r, v).map(Wish::Batch)).await?;
        let batch = Some(outcome.resource()?);
        Ok(Response::new(UndeleteBatchResponse { batch, revision: outcome.revision }))
    }

    async fn add_batch_members(
        &self,
        request: Request<AddBatchMembersRequest>,
    ) -> Result<Response<AddBatchMembersResponse>, Status> {
        let outcome = self.write(request, |r, v| convert::add(&r, v).map(Wish::Batch)).await?;
        let batch = Some(outcome.resource()?);
        Ok(Response::new(AddBatchMembersResponse { batch, revision: outcome.revision }))
    }

    async fn remove_batch_members(
        &self,
        request: Request<RemoveBatchMembersRequest>,
    ) -> Result<Response<RemoveBatchMembersResponse>, Status> {
        let outcome = self.write(request, |r, v| convert::remove(&r, v).map(Wish::Batch)).await?;
        let batch = Some(outcome.resource()?);
        Ok(Response::new(RemoveBatchMembersResponse { batch, revision: outcome.revision }))
    }

    async fn start_batch(
        &self,
        request: Request<StartBatchRequest>,
    ) -> Result<Response<StartBatchResponse>, Status> {
        let outcome = self.write(request, |r, v| convert::start(&r, v).map(Wish::Batch)).await?;
        let batch = Some(outcome.resource()?);
        Ok(Response::new(StartBatchResponse { batch, revision: outcome.revision }))
    }

    async fn cancel_batch(
        &self,
        request: Request<CancelBatchRequest>,
    ) -> Result<Response<CancelBatchResponse>, Status> {
        let outcome = self.write(request, |r, v| convert::cancel(r, v).map(Wish::Batch)).await?;
        let batch = Some(outcome.resource()?);
        Ok(Response::new(CancelBatchResponse { batch, revision: outcome.revision }))
    }
}
