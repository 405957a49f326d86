//! Etags, request ids, validate_only, revisions: what holds for every write.

use jiff::SignedDuration;
use milepost_proto::registry::v1::*;
use milepost_service::request::PRINCIPAL;
use tonic::metadata::MetadataValue;
use tonic::{Code, Request};

use super::office::{Office, create_project, named, project_name, refusal};

#[tokio::test]
async fn a_stale_etag_is_refused_and_tells_the_current_one() {
    let office = Office::with_portfolio().await;
    let created = office.project("x", named("x")).await;
    let update = |display_name: &str, etag: &str| {
        let project = Project { name: project_name("x"), etag: etag.into(), ..named(display_name) };
        UpdateProjectRequest { project: Some(project), ..UpdateProjectRequest::default() }
    };
    office.projects().update_project(update("y", &created.etag)).await.unwrap();
    let status = office.projects().update_project(update("z", &created.etag)).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::Aborted, "ETAG_MISMATCH".into()));
    let request =
        StartProjectRequest { name: project_name("x"), etag: created.etag, ..StartProjectRequest::default() };
    let status = office.projects().start_project(request).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::Aborted, "ETAG_MISMATCH".into()));
    let status = office.projects().update_project(update("z", "latest")).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::InvalidArgument, "INVALID_FIELDS".into()));
}

#[tokio::test]
async fn the_same_request_again_answers_the_same_and_does_nothing_twice() {
    let office = Office::with_portfolio().await;
    let request = CreateProjectRequest { request_id: "r-1".into(), ..create_project("", named("x")) };
    let first = office.projects().create_project(request.clone()).await.unwrap().into_inner();
    let sequence = office.sequence();
    office.clock.advance(SignedDuration::from_hours(1));
    // What happened since does not change the answer.
    let name = first.project.as_ref().unwrap().name.clone();
    let start = StartProjectRequest { name, ..StartProjectRequest::default() };
    office.projects().start_project(start).await.unwrap();
    let again = office.projects().create_project(request.clone()).await.unwrap().into_inner();
    assert_eq!((again.project, office.sequence()), (first.project, sequence + 1));

    let other = CreateProjectRequest { project: Some(named("y")), ..request.clone() };
    let status = office.projects().create_project(other).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::InvalidArgument, "REQUEST_ID_REUSED".into()));
    // Another principal's ids are its own.
    let mut theirs = Request::new(CreateProjectRequest { project_id: "theirs".into(), ..request });
    theirs.metadata_mut().insert(PRINCIPAL, MetadataValue::from_static("another"));
    office.projects().create_project(theirs).await.unwrap();
}

#[tokio::test]
async fn validate_only_answers_what_would_be_and_changes_nothing() {
    let office = Office::with_portfolio().await;
    let sequence = office.sequence();
    let request = CreateProjectRequest { validate_only: true, ..create_project("x", named("x")) };
    let project =
        office.projects().create_project(request.clone()).await.unwrap().into_inner().project.unwrap();
    assert_eq!((project.name, project.etag), (project_name("x"), (sequence + 1).to_string()));
    assert_eq!(office.sequence(), sequence);
    let get = GetProjectRequest { name: project_name("x"), ..GetProjectRequest::default() };
    assert_eq!(office.projects().get_project(get).await.unwrap_err().code(), Code::NotFound);
    office.project("x", named("x")).await;
    let status = office.projects().create_project(request).await.unwrap_err();
    assert_eq!(status.code(), Code::AlreadyExists);
}

#[tokio::test]
async fn a_read_waits_for_the_revision_it_asks_for() {
    let office = Office::with_portfolio().await;
    let response =
        office.projects().create_project(create_project("x", named("x"))).await.unwrap().into_inner();
    let get = |min_revisions| GetProjectRequest { name: project_name("x"), min_revisions };
    let read =
        office.projects().get_project(get(vec![response.revision.clone()])).await.unwrap().into_inner();
    assert_eq!(read.revision, response.revision);
    let status = office.projects().get_project(get(vec!["nonsense".into()])).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::InvalidArgument, "REVISION_INVALID".into()));
    let status = office.projects().get_project(get(vec![response.revision; 4])).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::InvalidArgument, "INVALID_FIELDS".into()));
}

#[tokio::test]
async fn several_projects_are_created_together_or_not_at_all() {
    let office = Office::with_portfolio().await;
    let several = |requests| BatchCreateProjectsRequest {
        parent: "portfolios/wsc".into(),
        requests,
        ..BatchCreateProjectsRequest::default()
    };
    let part = Project { parent_project: project_name("whole"), ..named("part") };
    let requests = vec![
        create_project("part", part),
        create_project("", named("?")),
        create_project("whole", named("w")),
    ];
    let request = several(requests);
    let created =
        office.projects().batch_create_projects(request.clone()).await.unwrap().into_inner().projects;
    assert_eq!(
        (created.len(), created[0].name.clone(), created[2].name.clone()),
        (3, project_name("part"), project_name("whole"))
    );
    assert!(created.iter().all(|project| project.etag == created[0].etag), "one entry");

    let sequence = office.sequence();
    let status = office.projects().batch_create_projects(request).await.unwrap_err();
    assert_eq!(status.code(), Code::AlreadyExists);
    let requests = vec![
        CreateProjectRequest { request_id: "r".into(), ..create_project("a", named("a")) },
        CreateProjectRequest { parent: "portfolios/other".into(), ..create_project("b", named("")) },
        create_project("a", named("c")),
    ];
    let status = office.projects().batch_create_projects(several(requests)).await.unwrap_err();
    let faults = super::office::faults(&status);
    let faults: Vec<_> = faults.iter().map(|(field, reason)| (field.as_str(), reason.as_str())).collect();
    assert_eq!(
        faults,
        [
            ("requests[0].request_id", "NOT_ALLOWED"),
            ("requests[1].parent", "OTHER_PARENT"),
            ("requests[1].project.display_name", "REQUIRED"),
            ("requests[2].project_id", "DUPLICATE"),
        ]
    );
    let many = (0..1001).map(|i| create_project(&format!("p{i}"), named("p"))).collect();
    let status = office.projects().batch_create_projects(several(many)).await.unwrap_err();
    assert_eq!(super::office::faults(&status), [("requests".into(), "TOO_MANY".into())]);
    assert_eq!(office.sequence(), sequence);

    let get = |names: &[&str]| BatchGetProjectsRequest {
        parent: "portfolios/-".into(),
        names: names.iter().map(|id| project_name(id)).collect(),
        ..BatchGetProjectsRequest::default()
    };
    let found =
        office.projects().batch_get_projects(get(&["whole", "part"])).await.unwrap().into_inner().projects;
    assert_eq!(found, [created[2].clone(), created[0].clone()]);
    let status = office.projects().batch_get_projects(get(&["whole", "never"])).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
}

#[tokio::test]
async fn a_thousand_projects_are_created_together() {
    let office = Office::with_portfolio().await;
    let requests = (0..1000).map(|i| create_project(&format!("p{i}"), named("项目"))).collect();
    let request = BatchCreateProjectsRequest {
        parent: "portfolios/wsc".into(),
        requests,
        ..BatchCreateProjectsRequest::default()
    };
    let created = office.projects().batch_create_projects(request).await.unwrap().into_inner().projects;
    assert_eq!(created.len(), 1000);
    assert_eq!(office.sequence(), 2);
}
