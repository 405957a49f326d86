//! What a soft deletion leaves: an id that is taken and can be undeleted, once.

use milepost_proto::registry::v1::*;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::office::{
    Office, batch, batch_name, create_batch, create_project, named, portfolio, project_name, refusal,
};

/// Whether the resource is deleted that a status says exists already.
fn exists(status: &Status, name: &str) -> bool {
    assert_eq!(refusal(status), (Code::AlreadyExists, "RESOURCE_ALREADY_EXISTS".to_owned()), "{status:?}");
    assert_eq!(status.get_details_resource_info().unwrap().resource_name, name);
    let deleted = &status.get_details_error_info().unwrap().metadata["deleted"];
    assert_eq!(deleted == "true", status.message().contains("is deleted; undelete it"), "{status:?}");
    deleted.parse().unwrap()
}

/// Deletes, and says what then is refused: to create over what is deleted, also only to try, and to undelete
/// what is not deleted, also only to try. Undeleting under one request id answers the same again.
macro_rules! soft_deletion {
    ($name:expr, $client:expr, $create:ident $request:expr, $delete:ident $DeleteRequest:ident,
     $undelete:ident $UndeleteRequest:ident) => {{
        let (name, mut client) = ($name, $client);
        let create = $request;
        let undelete = $UndeleteRequest { name: name.clone(), ..Default::default() };
        assert!(!exists(&client.$create(create.clone()).await.unwrap_err(), &name));
        let only_try = $UndeleteRequest { validate_only: true, ..undelete.clone() };
        for request in [undelete.clone(), only_try] {
            let status = client.$undelete(request).await.unwrap_err();
            assert!(!exists(&status, &name));
            assert!(status.message().contains("is not deleted"), "{status:?}");
        }
        client.$delete($DeleteRequest { name: name.clone(), ..Default::default() }).await.unwrap();
        let mut only_try = create.clone();
        only_try.validate_only = true;
        for request in [create, only_try] {
            assert!(exists(&client.$create(request).await.unwrap_err(), &name));
        }
        let undelete =
            $UndeleteRequest { request_id: format!("undelete {name}").replace([' ', '/'], "-"), ..undelete };
        let back = client.$undelete(undelete.clone()).await.unwrap().into_inner();
        assert_eq!(client.$undelete(undelete).await.unwrap().into_inner(), back, "a retry");
    }};
}

#[tokio::test]
async fn an_id_that_is_deleted_can_be_undeleted_and_one_that_is_not_cannot() {
    let office = Office::with_portfolio().await;
    office.organization("cqu").await;
    soft_deletion!(
        "organizations/cqu".to_owned(), office.organizations(),
        create_organization CreateOrganizationRequest {
            organization_id: "cqu".to_owned(),
            organization: Some(Organization { display_name: "cqu".to_owned(), ..Organization::default() }),
            ..CreateOrganizationRequest::default()
        },
        delete_organization DeleteOrganizationRequest, undelete_organization UndeleteOrganizationRequest
    );
    soft_deletion!(
        "portfolios/wsc".to_owned(), office.portfolios(),
        create_portfolio CreatePortfolioRequest {
            portfolio_id: "wsc".to_owned(),
            portfolio: Some(portfolio()),
            ..CreatePortfolioRequest::default()
        },
        delete_portfolio DeletePortfolioRequest, undelete_portfolio UndeletePortfolioRequest
    );
    office.project("x", named("x")).await;
    soft_deletion!(
        project_name("x"), office.projects(),
        create_project create_project("x", named("x")),
        delete_project DeleteProjectRequest, undelete_project UndeleteProjectRequest
    );
    let phase = CreatePhaseRequest {
        parent: project_name("x"),
        phase_id: "one".to_owned(),
        phase: Some(Phase { display_name: "一期".to_owned(), order: 1, ..Phase::default() }),
        ..CreatePhaseRequest::default()
    };
    office.phases().create_phase(phase.clone()).await.unwrap();
    soft_deletion!(
        format!("{}/phases/one", project_name("x")), office.phases(),
        create_phase phase,
        delete_phase DeletePhaseRequest, undelete_phase UndeletePhaseRequest
    );
    office.batch("first", &[]).await;
    soft_deletion!(
        batch_name("first"), office.batches(),
        create_batch create_batch("first", batch(2021, 5, 27)),
        delete_batch DeleteBatchRequest, undelete_batch UndeleteBatchRequest
    );
}
