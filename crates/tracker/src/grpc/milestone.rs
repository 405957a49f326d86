//! The calls of the milestone service: decode, one call, encode. No rule of the domain is here.

use std::sync::Arc;

use bytes::Bytes;
use milepost_proto::tracker::v1::*;
use milepost_types::PageToken;
use tonic::{Request, Response, Status};

use super::forecasts::history;
use super::{Api, revision, stored};
use crate::convert::read;
use crate::convert::request::ReadCommand;
use crate::error::Failure;
use crate::list::page;

/// The response of every write to one milestone, which is the same but for its name. The milestone is answered as
/// the bytes that it is stored as.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Written {
    #[prost(bytes = "bytes", tag = "1")]
    milestone: Bytes,
    #[prost(string, tag = "2")]
    revision: String,
}

/// A write to one milestone.
pub(super) async fn write<R: ReadCommand>(
    api: Arc<Api>,
    request: Request<R>,
) -> Result<Response<Written>, Status> {
    let outcome = api.write(request).await?;
    let milestone = outcome.milestone(&api)?;
    Ok(Response::new(Written { milestone, revision: outcome.revision }))
}

pub(super) async fn get_milestone(
    api: Arc<Api>,
    request: Request<GetMilestoneRequest>,
) -> Result<Response<GetMilestoneResponse>, Status> {
    let name = read::get(request.get_ref()).map_err(Failure::from)?;
    api.arrive(&request, &request.get_ref().min_revisions).await?;
    let view = api.ledger.view();
    let milestone = Some(stored(&view, &name)?);
    Ok(Response::new(GetMilestoneResponse { milestone, revision: revision(view.position()) }))
}

pub(super) async fn list_milestones(
    api: Arc<Api>,
    request: Request<ListMilestonesRequest>,
) -> Result<Response<ListMilestonesResponse>, Status> {
    let read::List { query, digest, begun_at } = read::list(request.get_ref()).map_err(Failure::from)?;
    api.arrive(&request, &request.get_ref().min_revisions).await?;
    api.parent(&request, &query.parent).await?;
    let now = api.clock.now();
    let look = move |view: &milepost_ledger::View<'_>| Ok((page(view, &query, now)?, view.position()));
    let (page, position) = api.look(look).await?;
    api.metrics.listed(page.scanned, page.milestones.len());
    let token = |after| PageToken { request: digest, sequence: begun_at.unwrap_or(position.sequence), after };
    Ok(Response::new(ListMilestonesResponse {
        milestones: page.milestones,
        next_page_token: page.next.map(|after| token(after).encode()).unwrap_or_default(),
        revision: revision(position),
    }))
}

pub(super) async fn list_milestone_forecasts(
    api: Arc<Api>,
    request: Request<ListMilestoneForecastsRequest>,
) -> Result<Response<ListMilestoneForecastsResponse>, Status> {
    let read::Forecasts { name, size, digest, from } =
        read::forecasts(request.get_ref()).map_err(Failure::from)?;
    api.arrive(&request, &request.get_ref().min_revisions).await?;
    let (newest, position) = {
        let view = api.ledger.view();
        (stored(&view, &name)?.forecast_sequence, view.position())
    };
    let (from, sequence) = from.unwrap_or((newest, position.sequence));
    let (forecasts, next) =
        history(&api.ledger.source(), &name, from, size).await.map_err(Failure::History)?;
    let token = PageToken { request: digest, sequence, after: next.to_be_bytes().to_vec() };
    Ok(Response::new(ListMilestoneForecastsResponse {
        forecasts,
        next_page_token: if next == 0 { String::new() } else { token.encode() },
        revision: revision(position),
    }))
}

pub(super) async fn batch_create_milestones(
    api: Arc<Api>,
    request: Request<BatchCreateMilestonesRequest>,
) -> Result<Response<BatchCreateMilestonesResponse>, Status> {
    let outcome = api.write(request).await?;
    let milestones = outcome.milestones()?;
    Ok(Response::new(BatchCreateMilestonesResponse { milestones, revision: outcome.revision }))
}
