//! The gRPC service of portfolios: decode, one call, encode. No rule of the domain is here.

use milepost_proto::registry::v1::portfolio_service_server::PortfolioService;
use milepost_proto::registry::v1::*;
use tonic::{Request, Response, Status, async_trait};

use super::{Api, Outcome, refused, revision, sound};
use crate::command::Wish;
use crate::convert::list::{Everything, listing};
use crate::convert::{portfolio as convert, request};
use crate::list::portfolios::{ORDERS, SCHEMA, list};
use crate::tables::portfolios;

impl Api {
    /// The portfolio after a write. One that changed nothing is answered as it is stored, which says which day it
    /// was then.
    fn answered(&self, outcome: &Outcome) -> Result<Portfolio, Status> {
        let portfolio = outcome.resource()?;
        Ok(if outcome.events.is_empty() { portfolios::dated(portfolio, self.clock.now()) } else { portfolio })
    }
}

#[async_trait]
impl PortfolioService for Api {
    async fn create_portfolio(
        &self,
        request: Request<CreatePortfolioRequest>,
    ) -> Result<Response<CreatePortfolioResponse>, Status> {
        let outcome = self.write(request, |r, v| convert::create(r, v).map(Wish::Portfolio)).await?;
        let portfolio = Some(self.answered(&outcome)?);
        Ok(Response::new(CreatePortfolioResponse { portfolio, revision: outcome.revision }))
    }

    async fn get_portfolio(
        &self,
        request: Request<GetPortfolioRequest>,
    ) -> Result<Response<GetPortfolioResponse>, Status> {
        let name = sound(|v| request::name(&request.get_ref().name, v))?;
        self.arrive(&request, &request.get_ref().min_revisions).await?;
        let view = self.ledger.view();
        let portfolio = portfolios::message(&view, &name).map_err(refused)?;
        let portfolio = portfolios::dated(portfolio, self.clock.now());
        Ok(Response::new(GetPortfolioResponse {
            portfolio: Some(portfolio),
            revision: revision(view.position()),
        }))
    }

    async fn list_portfolios(
        &self,
        request: Request<ListPortfoliosRequest>,
    ) -> Result<Response<ListPortfoliosResponse>, Status> {
        let asked = request.get_ref();
        let listing = listing(asked.into(), |_| Some(Everything), &SCHEMA, &ORDERS).map_err(refused)?;
        self.arrive(&request, &asked.min_revisions).await?;
        let now = self.clock.now();
        let (page, listing, position) =
            self.look(move |view| Ok((list(view, &listing.query, now)?, listing, view.position()))).await?;
        self.metrics.listed(page.looked_at, page.resources.len());
        Ok(Response::new(ListPortfoliosResponse {
            portfolios: page.resources,
            next_page_token: listing.next_page_token(page.next, position.sequence),
            revision: revision(position),
        }))
    }

    async fn update_portfolio(
        &self,
        request: Request<UpdatePortfolioRequest>,
    ) -> Result<Response<UpdatePortfolioResponse>, Status> {
        let outcome = self.write(request, |r, v| convert::update(r, v).map(Wish::Portfolio)).await?;
        let portfolio = Some(self.answered(&outcome)?);
        Ok(Response::new(UpdatePortfolioResponse { portfolio, revision: outcome.revision }))
    }

    async fn delete_portfolio(
        &self,
        request: Request<DeletePortfolioRequest>,
    ) -> Result<Response<DeletePortfolioResponse>, Status> {
        let outcome = self.write(request, |r, v| convert::delete(&r, v).map(Wish::Portfolio)).await?;
        let portfolio = Some(self.answered(&outcome)?);
        Ok(Response::new(DeletePortfolioResponse { portfolio, revision: outcome.revision }))
    }

    async fn undelete_portfolio(
        &self,
        request: Request<UndeletePortfolioRequest>,
    ) -> Result<Response<UndeletePortfolioResponse>, Status> {
        let outcome = self.write(request, |r, v| convert::undelete(&r, v).map(Wish::Portfolio)).await?;
        let portfolio = Some(self.answered(&outcome)?);
        Ok(Response::new(UndeletePortfolioResponse { portfolio, revision: outcome.revision }))
    }
}
