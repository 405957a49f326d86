//! How many projects an officer may serve, where one of them is undeleted.

use milepost_proto::registry::v1::*;

use super::office::{Office, conditions, named, project_name};
use super::reporting::date;

fn serving(person: &str) -> Assignment {
    let start_date = Some(date("2021-05-01"));
    Assignment { person: person.into(), start_date, ..Assignment::default() }
}

async fn assign(office: &Office, project: &str, id: &str, of: Assignment) -> Result<(), tonic::Status> {
    let request = CreateAssignmentRequest {
        parent: project_name(project),
        assignment_id: id.into(),
        assignment: Some(of),
        ..CreateAssignmentRequest::default()
    };
    office.assignments().create_assignment(request).await.map(|_| ())
}

#[tokio::test]
async fn a_project_does_not_come_back_to_an_officer_who_serves_as_many_as_may_be() {
    let office = Office::with_portfolio().await;
    let most = Portfolio {
        name: "portfolios/wsc".into(),
        max_projects_per_officer: Some(1),
        ..Portfolio::default()
    };
    let request = UpdatePortfolioRequest { portfolio: Some(most), ..Default::default() };
    office.portfolios().update_portfolio(request).await.unwrap();
    for id in ["a", "b"] {
        office.project(id, named(id)).await;
    }
    assign(&office, "a", "u", serving("user:corp/u")).await.unwrap();
    let delete = DeleteProjectRequest { name: project_name("a"), ..Default::default() };
    office.projects().delete_project(delete).await.unwrap();
    assign(&office, "b", "u", serving("user:corp/u")).await.unwrap();
    let undelete = || UndeleteProjectRequest { name: project_name("a"), ..Default::default() };
    let refused = office.projects().undelete_project(undelete()).await.unwrap_err();
    assert_eq!(conditions(&refused), [("WORKLOAD".to_owned(), "user:corp/u".to_owned())]);
    let name = format!("{}/assignments/u", project_name("b"));
    let delete = DeleteAssignmentRequest { name, ..Default::default() };
    office.assignments().delete_assignment(delete).await.unwrap();
    office.projects().undelete_project(undelete()).await.unwrap();
}
