//! The gRPC service of projects: decode, one call, encode. No rule of the domain is here.

use milepost_ledger::View;
use milepost_proto::registry::v1::project_service_server::ProjectService;
use milepost_proto::registry::v1::*;
use tonic::{Request, Response, Status, async_trait};

use super::{Api, refused, revision, sound};
use crate::command::Wish;
use crate::convert::list::listing;
use crate::convert::{project_request as convert, request};
use crate::list::projects::{ORDERS, SCHEMA, list};
use crate::project::Command;
use crate::tables::{portfolios, projects};

#[async_trait]
impl ProjectService for Api {
    async fn create_project(
        &self,
        request: Request<CreateProjectRequest>,
    ) -> Result<Response<CreateProjectResponse>, Status> {
        let outcome = self.write(request, |r, v| convert::create(r, v).map(wish)).await?;
        let project = Some(outcome.resource()?);
        Ok(Response::new(CreateProjectResponse { project, revision: outcome.revision }))
    }

    async fn get_project(
        &self,
        request: Request<GetProjectRequest>,
    ) -> Result<Response<GetProjectResponse>, Status> {
        let name = sound(|v| request::name(&request.get_ref().name, v))?;
        self.arrive(&request, &request.get_ref().min_revisions).await?;
        let view = self.ledger.view();
        let project = projects::message(&view, &name).map_err(refused)?;
        Ok(Response::new(GetProjectResponse { project: Some(project), revision: revision(view.position()) }))
    }

    async fn list_projects(
        &self,
        request: Request<ListProjectsRequest>,
    ) -> Result<Response<ListProjectsResponse>, Status> {
        let asked = request.get_ref();
        let listing = listing(asked.into(), |v| v.check("parent", asked.parent.parse()), &SCHEMA, &ORDERS)
            .map_err(refused)?;
        self.arrive(&request, &asked.min_revisions).await?;
        let (page, listing, position) = self
            .look(move |view| Ok((list(view, &listing.parent, &listing.query)?, listing, view.position())))
            .await?;
        self.metrics.listed(page.looked_at, page.resources.len());
        Ok(Response::new(ListProjectsResponse {
            projects: page.resources,
            next_page_token: listing.next_page_token(page.next, position.sequence),
            revision: revision(position),
        }))
    }

    async fn update_project(
        &self,
        request: Request<UpdateProjectRequest>,
    ) -> Result<Response<UpdateProjectResponse>, Status> {
        let outcome = self.write(request, |r, v| convert::update(r, v).map(wish)).await?;
        let project = Some(outcome.resource()?);
        Ok(Response::new(UpdateProjectResponse { project, revision: outcome.revision }))
    }

    async fn delete_project(
        &self,
        request: Request<DeleteProjectRequest>,
    ) -> Result<Response<DeleteProjectResponse>, Status> {
        let outcome = self.write(request, |r, v| convert::delete(&r, v).map(wish)).await?;
        let project = Some(outcome.resource()?);
        Ok(Response::new(DeleteProjectResponse { project, revision: outcome.revision }))
    }

    async fn undelete_project(
        &self,
        request: Request<UndeleteProjectRequest>,
    ) -> Result<Response<UndeleteProjectResponse>, Status> {
        let outcome = self.write(request, |r, v| convert::undelete(&r, v).map(wish)).await?;
        let project = Some(outcome.resource()?);
        Ok(Response::new(UndeleteProjectResponse { project, revision: outcome.revision }))
    }

    async fn batch_create_projects(
        &self,
        request: Request<BatchCreateProjectsRequest>,
    ) -> Result<Response<BatchCreateProjectsResponse>, Status> {
        let outcome = self.write(request, |r, v| convert::create_several(r, v).map(wish)).await?;
        let projects = outcome.resources()?;
        Ok(Response::new(BatchCreateProjectsResponse { projects, revision: outcome.revision }))
    }

    async fn batch_get_projects(
        &self,
        request: Request<BatchGetProjectsRequest>,
    ) -> Result<Response<BatchGetProjectsResponse>, Status> {
        let (parent, names) = sound(|v| convert::names(request.get_ref(), v))?;
        self.arrive(&request, &request.get_ref().min_revisions).await?;
        let read = move |view: &View<'_>| {
            portfolios::check_parent(view, &parent)?;
            Ok((projects::messages(view, &names)?, view.position()))
        };
        let (projects, position) = self.look(read).await?;
        Ok(Response::new(BatchGetProjectsResponse { projects, revision: revision(position) }))
    }

    async fn prepare_project(
        &self,
        request: Request<PrepareProjectRequest>,
    ) -> Result<Response<PrepareProjectResponse>, Status> {
        let outcome = self.write(request, |r, v| convert::prepare(r, v).map(wish)).await?;
        let project = Some(outcome.resource()?);
        Ok(Response::new(PrepareProjectResponse { project, revision: outcome.revision }))
    }

    async fn start_project(
        &self,
        request: Request<StartProjectRequest>,
    ) -> Result<Response<StartProjectResponse>, Status> {
        let outcome = self.write(request, |r, v| convert::start(r, v).map(wish)).await?;
        let project = Some(outcome.resource()?);
        Ok(Response::new(StartProjectResponse { project, revision: outcome.revision }))
    }

    async fn complete_project(
        &self,
        request: Request<CompleteProjectRequest>,
    ) -> Result<Response<CompleteProjectResponse>, Status> {
        let outcome = self.write(request, |r, v| convert::complete(r, v).map(wish)).await?;
        let project = Some(outcome.resource()?);
        Ok(Response::new(CompleteProjectResponse { project, revision: outcome.revision }))
    }

    async fn commission_project(
        &self,
        request: Request<CommissionProjectRequest>,
    ) -> Result<Response<CommissionProjectResponse>, Status> {
        let outcome = self.write(request, |r, v| convert::commission(r, v).map(wish)).await?;
        let project = Some(outcome.resource()?);
        Ok(Response::new(CommissionProjectResponse { project, revision: outcome.revision }))
    }

    async fn suspend_project(
        &self,
        request: Request<SuspendProjectRequest>,
    ) -> Result<Response<SuspendProjectResponse>, Status> {
        let outcome = self.write(request, |r, v| convert::suspend(r, v).map(wish)).await?;
        let project = Some(outcome.resource()?);
        Ok(Response::new(SuspendProjectResponse { project, revision: outcome.revision }))
    }

    async fn resume_project(
        &self,
        request: Request<ResumeProjectRequest>,
    ) -> Result<Response<ResumeProjectResponse>, Status> {
        let outcome = self.write(request, |r, v| convert::resume(r, v).map(wish)).await?;
        let project = Some(outcome.resource()?);
        Ok(Response::new(ResumeProjectResponse { project, revision: outcome.revision }))
    }

    async fn cancel_project(
        &self,
        request: Request<CancelProjectRequest>,
    ) -> Result<Response<CancelProjectResponse>, Status> {
        let outcome = self.write(request, |r, v| convert::cancel(r, v).map(wish)).await?;
        let project = Some(outcome.resource()?);
        Ok(Response::new(CancelProjectResponse { project, revision: outcome.revision }))
    }
}

fn wish(command: Command) -> Wish {
    Wish::Project(Box::new(command))
}
