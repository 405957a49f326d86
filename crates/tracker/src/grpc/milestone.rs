//! The gRPC service of milestones: decode, one call, encode. No rule of the domain is here.

use milepost_proto::tracker::v1::milestone_service_server::MilestoneService;
use milepost_proto::tracker::v1::*;
use milepost_types::PageToken;
use tonic::{Request, Response, Status, async_trait};

use super::forecasts::history;
use super::{Api, current_date, revision, stored, unreadable};
use crate::convert::read;
use crate::convert::told::dates_advanced;
use crate::error::Failure;
use crate::list::page;
use milepost_service::value::date_message;

#[async_trait]
impl MilestoneService for Api {
    async fn get_milestone(
        &self,
        request: Request<GetMilestoneRequest>,
    ) -> Result<Response<GetMilestoneResponse>, Status> {
        let name = read::get(request.get_ref()).map_err(Failure::from)?;
        self.arrive(&request, &request.get_ref().min_revisions).await?;
        let view = self.ledger.view();
        let milestone = Some(stored(&view, &name)?);
        Ok(Response::new(GetMilestoneResponse { milestone, revision: revision(view.position()) }))
    }

    async fn list_milestones(
        &self,
        request: Request<ListMilestonesRequest>,
    ) -> Result<Response<ListMilestonesResponse>, Status> {
        let read::List { query, digest, begun_at } = read::list(request.get_ref()).map_err(Failure::from)?;
        self.arrive(&request, &request.get_ref().min_revisions).await?;
        let look = move |view: &milepost_ledger::View<'_>| {
            Ok((page(view, &query).map_err(|error| unreadable(error.into()))?, view.position()))
        };
        let (page, position) = self.look(look).await?;
        self.metrics.listed(page.looked_at, page.milestones.len());
        let token =
            |after| PageToken { request: digest, sequence: begun_at.unwrap_or(position.sequence), after };
        Ok(Response::new(ListMilestonesResponse {
            milestones: page.milestones,
            next_page_token: page.next.map(|after| token(after).encode()).unwrap_or_default(),
            revision: revision(position),
        }))
    }

    async fn list_milestone_forecasts(
        &self,
        request: Request<ListMilestoneForecastsRequest>,
    ) -> Result<Response<ListMilestoneForecastsResponse>, Status> {
        let read::Forecasts { name, size, digest, from } =
            read::forecasts(request.get_ref()).map_err(Failure::from)?;
        self.arrive(&request, &request.get_ref().min_revisions).await?;
        let (newest, position) = {
            let view = self.ledger.view();
            (stored(&view, &name)?.forecast_sequence, view.position())
        };
        let (from, sequence) = from.unwrap_or((newest, position.sequence));
        let (forecasts, next) =
            history(&self.ledger.source(), &name, from, size).await.map_err(Failure::History)?;
        let token = PageToken { request: digest, sequence, after: next.to_be_bytes().to_vec() };
        Ok(Response::new(ListMilestoneForecastsResponse {
            forecasts,
            next_page_token: if next == 0 { String::new() } else { token.encode() },
            revision: revision(position),
        }))
    }

    async fn batch_create_milestones(
        &self,
        request: Request<BatchCreateMilestonesRequest>,
    ) -> Result<Response<BatchCreateMilestonesResponse>, Status> {
        let outcome = self.write(request).await?;
        let milestones = outcome.milestones()?;
        Ok(Response::new(BatchCreateMilestonesResponse { milestones, revision: outcome.revision }))
    }

    async fn advance_date(
        &self,
        request: Request<AdvanceDateRequest>,
    ) -> Result<Response<AdvanceDateResponse>, Status> {
        let outcome = self.write(request).await?;
        let days = dates_advanced(&outcome.receipt.events).map_err(|error| unreadable(error.into()))?;
        let current = current_date(&self.ledger.view(), &outcome.command.wish).map(date_message);
        Ok(Response::new(AdvanceDateResponse {
            current_date: days.last().map_or(current, |day| day.current_date),
            due_soon_count: days.iter().map(|day| day.due_soon_count).sum(),
            overdue_count: days.iter().map(|day| day.overdue_count).sum(),
            revision: outcome.revision,
        }))
    }

    async fn create_milestone(
        &self,
        request: Request<CreateMilestoneRequest>,
    ) -> Result<Response<CreateMilestoneResponse>, Status> {
        let outcome = self.write(request).await?;
        let milestone = Some(outcome.milestone(self)?);
        Ok(Response::new(CreateMilestoneResponse { milestone, revision: outcome.revision }))
    }

    async fn update_milestone(
        &self,
        request: Request<UpdateMilestoneRequest>,
    ) -> Result<Response<UpdateMilestoneResponse>, Status> {
        let outcome = self.write(request).await?;
        let milestone = Some(outcome.milestone(self)?);
        Ok(Response::new(UpdateMilestoneResponse { milestone, revision: outcome.revision }))
    }

    async fn delete_milestone(
        &self,
        request: Request<DeleteMilestoneRequest>,
    ) -> Result<Response<DeleteMilestoneResponse>, Status> {
        let outcome = self.write(request).await?;
        let milestone = Some(outcome.milestone(self)?);
        Ok(Response::new(DeleteMilestoneResponse { milestone, revision: outcome.revision }))
    }

    async fn undelete_milestone(
        &self,
        request: Request<UndeleteMilestoneRequest>,
    ) -> Result<Response<UndeleteMilestoneResponse>, Status> {
        let outcome = self.write(request).await?;
        let milestone = Some(outcome.milestone(self)?);
        Ok(Response::new(UndeleteMilestoneResponse { milestone, revision: outcome.revision }))
    }

    async fn reforecast_milestone(
        &self,
        request: Request<ReforecastMilestoneRequest>,
    ) -> Result<Response<ReforecastMilestoneResponse>, Status> {
        let outcome = self.write(request).await?;
        let milestone = Some(outcome.milestone(self)?);
        Ok(Response::new(ReforecastMilestoneResponse { milestone, revision: outcome.revision }))
    }

    async fn rebaseline_milestone(
        &self,
        request: Request<RebaselineMilestoneRequest>,
    ) -> Result<Response<RebaselineMilestoneResponse>, Status> {
        let outcome = self.write(request).await?;
        let milestone = Some(outcome.milestone(self)?);
        Ok(Response::new(RebaselineMilestoneResponse { milestone, revision: outcome.revision }))
    }

    async fn achieve_milestone(
        &self,
        request: Request<AchieveMilestoneRequest>,
    ) -> Result<Response<AchieveMilestoneResponse>, Status> {
        let outcome = self.write(request).await?;
        let milestone = Some(outcome.milestone(self)?);
        Ok(Response::new(AchieveMilestoneResponse { milestone, revision: outcome.revision }))
    }

    async fn partially_achieve_milestone(
        &self,
        request: Request<PartiallyAchieveMilestoneRequest>,
    ) -> Result<Response<PartiallyAchieveMilestoneResponse>, Status> {
        let outcome = self.write(request).await?;
        let milestone = Some(outcome.milestone(self)?);
        Ok(Response::new(PartiallyAchieveMilestoneResponse { milestone, revision: outcome.revision }))
    }

    async fn miss_milestone(
        &self,
        request: Request<MissMilestoneRequest>,
    ) -> Result<Response<MissMilestoneResponse>, Status> {
        let outcome = self.write(request).await?;
        let milestone = Some(outcome.milestone(self)?);
        Ok(Response::new(MissMilestoneResponse { milestone, revision: outcome.revision }))
    }

    async fn cancel_milestone(
        &self,
        request: Request<CancelMilestoneRequest>,
    ) -> Result<Response<CancelMilestoneResponse>, Status> {
        let outcome = self.write(request).await?;
        let milestone = Some(outcome.milestone(self)?);
        Ok(Response::new(CancelMilestoneResponse { milestone, revision: outcome.revision }))
    }

    async fn reopen_milestone(
        &self,
        request: Request<ReopenMilestoneRequest>,
    ) -> Result<Response<ReopenMilestoneResponse>, Status> {
        let outcome = self.write(request).await?;
        let milestone = Some(outcome.milestone(self)?);
        Ok(Response::new(ReopenMilestoneResponse { milestone, revision: outcome.revision }))
    }

    async fn add_milestone_evidence(
        &self,
        request: Request<AddMilestoneEvidenceRequest>,
    ) -> Result<Response<AddMilestoneEvidenceResponse>, Status> {
        let outcome = self.write(request).await?;
        let milestone = Some(outcome.milestone(self)?);
        Ok(Response::new(AddMilestoneEvidenceResponse { milestone, revision: outcome.revision }))
    }
}
