//! The shortest way through every room: create, read, list, and what is refused on the way.

use milepost_proto::registry::v1::*;
use tonic::Code;

use super::office::{Office, create_project, faults, named, refusal};

#[tokio::test]
async fn what_is_created_is_read_back() {
    let office = Office::open().await;
    let portfolio = office.portfolio("wsc").await;
    assert_eq!((portfolio.name.as_str(), portfolio.etag.as_str()), ("portfolios/wsc", "1"));
    let created = office.project("science-avenue", named("科学大道")).await;
    assert_eq!(created.status(), project::Status::Proposed);
    assert_eq!(created.etag, "2");
    assert_eq!(office.get_project("science-avenue").await, created);
    let request = ListProjectsRequest { parent: "portfolios/-".into(), ..ListProjectsRequest::default() };
    let listed = office.projects().list_projects(request).await.unwrap().into_inner();
    assert_eq!(listed.projects, [created]);
    assert_eq!(listed.next_page_token, "");
}

#[tokio::test]
async fn every_fault_is_told_at_once() {
    let office = Office::with_portfolio().await;
    let request = CreateProjectRequest {
        parent: "portfolio/wsc".into(),
        project_id: "Science Avenue".into(),
        request_id: "no blanks".into(),
        ..create_project("x", Project { sector: "x\n".into(), ..named("") })
    };
    let status = office.projects().create_project(request).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::InvalidArgument, "INVALID_FIELDS".into()));
    let mut fields: Vec<_> = faults(&status).into_iter().map(|(field, _)| field).collect();
    fields.sort();
    assert_eq!(fields, ["parent", "project.display_name", "project.sector", "project_id", "request_id"]);
}

#[tokio::test]
async fn a_project_needs_its_portfolio_and_a_name_of_its_own() {
    let office = Office::open().await;
    let status = office.try_project("x", named("x")).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::NotFound, "RESOURCE_NOT_FOUND".into()));
    office.portfolio("wsc").await;
    office.project("x", named("x")).await;
    let status = office.try_project("x", named("y")).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::AlreadyExists, "RESOURCE_ALREADY_EXISTS".into()));
}
