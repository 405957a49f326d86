//! What projects refer to: organizations, and the project that they are a part of.

use milepost_proto::registry::v1::*;
use tonic_types::StatusExt;

use super::office::{Office, conditions, create_project, faults, named, organization_name, project_name};

fn with_parties(organizations: &[&str]) -> Project {
    let party = |id: &&str| Party { organization: organization_name(id), roles: vec!["supplier".to_owned()] };
    Project { parties: organizations.iter().map(party).collect(), ..named("x") }
}

fn part_of(parent: &str) -> Project {
    Project { parent_project: project_name(parent), ..named("x") }
}

async fn delete(office: &Office, id: &str) {
    let request = DeleteProjectRequest { name: project_name(id), ..DeleteProjectRequest::default() };
    office.projects().delete_project(request).await.unwrap();
}

async fn update(office: &Office, id: &str, project: Project) -> Result<(), tonic::Status> {
    let project = Some(Project { name: project_name(id), ..project });
    let request = UpdateProjectRequest { project, ..UpdateProjectRequest::default() };
    office.projects().update_project(request).await.map(|_| ())
}

async fn create_all(office: &Office, projects: Vec<(String, Project)>) -> Result<(), tonic::Status> {
    let requests = projects.into_iter().map(|(id, project)| create_project(&id, project)).collect();
    let parent = "portfolios/wsc".to_owned();
    let request = BatchCreateProjectsRequest { parent, requests, ..BatchCreateProjectsRequest::default() };
    office.projects().batch_create_projects(request).await.map(|_| ())
}

/// An office with the organization `here`, and with `gone`, which is deleted.
async fn with_organizations() -> Office {
    let office = Office::with_portfolio().await;
    for id in ["here", "gone"] {
        office.organization(id).await;
    }
    let name = organization_name("gone");
    let request = DeleteOrganizationRequest { name, ..DeleteOrganizationRequest::default() };
    office.organizations().delete_organization(request).await.unwrap();
    office
}

#[tokio::test]
async fn every_organization_that_is_not_there_is_told_with_its_field() {
    let office = with_organizations().await;
    let funding = vec![FundingSource {
        source: "s".to_owned(),
        organization: organization_name("never"),
        ..FundingSource::default()
    }];
    let project = Project { funding, ..with_parties(&["here", "gone"]) };
    let all = vec![("a".to_owned(), named("a")), ("b".to_owned(), project)];
    let refused = create_all(&office, all).await.unwrap_err();
    let found = refused.get_details_precondition_failure().unwrap().violations;
    let found: Vec<_> = found
        .iter()
        .map(|one| (one.r#type.as_str(), one.subject.as_str(), one.description.split(": ").next().unwrap()))
        .collect();
    assert_eq!(
        found,
        [
            ("REFERENCE_DELETED", "organizations/gone", "requests[1].project.parties[1].organization"),
            ("REFERENCE_NOT_FOUND", "organizations/never", "requests[1].project.funding[0].organization"),
        ]
    );
}

#[tokio::test]
async fn what_was_referred_to_before_may_stay() {
    let office = Office::with_portfolio().await;
    for id in ["here", "gone"] {
        office.organization(id).await;
    }
    office.project("x", with_parties(&["gone"])).await;
    office.project("y", named("y")).await;
    let name = organization_name("gone");
    let request = DeleteOrganizationRequest { name, ..DeleteOrganizationRequest::default() };
    office.organizations().delete_organization(request).await.unwrap();
    update(&office, "x", with_parties(&["gone", "here"])).await.unwrap();
    let refused = update(&office, "y", with_parties(&["gone", "here"])).await.unwrap_err();
    assert_eq!(conditions(&refused), [("REFERENCE_DELETED".into(), organization_name("gone"))]);
    update(&office, "x", with_parties(&["here"])).await.unwrap();
    assert!(update(&office, "x", with_parties(&["gone"])).await.is_err(), "it was let go");
}

#[tokio::test]
async fn a_parent_is_another_project_of_the_same_portfolio_that_is_there() {
    let office = Office::with_portfolio().await;
    for id in ["whole", "gone", "other"] {
        office.project(id, named(id)).await;
    }
    office.project("part", part_of("whole")).await;
    delete(&office, "gone").await;
    for (parent, kind) in [("gone", "REFERENCE_DELETED"), ("never", "REFERENCE_NOT_FOUND")] {
        let refused = office.try_project("x", part_of(parent)).await.unwrap_err();
        assert_eq!(conditions(&refused), [(kind.into(), project_name(parent))]);
        let refused = update(&office, "part", part_of(parent)).await.unwrap_err();
        assert_eq!(conditions(&refused), [(kind.into(), project_name(parent))]);
    }
    let field = || "project.parent_project".to_owned();
    let refused = office.try_project("x", part_of("x")).await.unwrap_err();
    assert_eq!(faults(&refused), [(field(), "PARENT_CYCLE".into())]);
    let elsewhere = Project { parent_project: "portfolios/b/projects/whole".to_owned(), ..named("x") };
    let refused = office.try_project("x", elsewhere).await.unwrap_err();
    assert_eq!(faults(&refused), [(field(), "OTHER_PORTFOLIO".into())]);
}

#[tokio::test]
async fn a_part_comes_back_only_to_a_whole_that_is_there() {
    let office = Office::with_portfolio().await;
    office.project("whole", named("whole")).await;
    office.project("part", part_of("whole")).await;
    delete(&office, "part").await;
    delete(&office, "whole").await;
    let undelete = async |id: &str| {
        let request = UndeleteProjectRequest { name: project_name(id), ..UndeleteProjectRequest::default() };
        office.projects().undelete_project(request).await
    };
    let refused = undelete("part").await.unwrap_err();
    assert_eq!(conditions(&refused), [("REFERENCE_DELETED".into(), project_name("whole"))]);
    undelete("whole").await.unwrap();
    undelete("part").await.unwrap();
}

#[tokio::test]
async fn no_project_becomes_a_part_of_itself() {
    let office = Office::with_portfolio().await;
    office.project("top", named("top")).await;
    office.project("middle", part_of("top")).await;
    office.project("bottom", part_of("middle")).await;
    for parent in ["middle", "bottom"] {
        let refused = update(&office, "top", part_of(parent)).await.unwrap_err();
        assert_eq!(conditions(&refused), [("PARENT_CYCLE".into(), project_name("top"))]);
    }
    update(&office, "bottom", part_of("top")).await.unwrap();
    update(&office, "middle", part_of("bottom")).await.unwrap();
}

#[tokio::test]
async fn new_projects_may_refer_to_one_another_but_not_in_a_circle() {
    let office = Office::with_portfolio().await;
    office.project("old", named("old")).await;
    let all = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(id, parent)| ((*id).to_owned(), part_of(parent))).collect::<Vec<_>>()
    };
    create_all(&office, all(&[("leaf", "branch"), ("branch", "root"), ("root", "old")])).await.unwrap();
    assert_eq!(office.get_project("leaf").await.parent_project, project_name("branch"));
    let circle = all(&[("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")]);
    let refused = create_all(&office, circle).await.unwrap_err();
    assert_eq!(conditions(&refused), [("PARENT_CYCLE".into(), project_name("a"))], "it is found once");
    let chain = (1..=1000).map(|i| {
        let above = if i == 1 { "old".to_owned() } else { format!("p{}", i - 1) };
        (format!("p{i}"), part_of(&above))
    });
    create_all(&office, chain.collect()).await.unwrap();
}
