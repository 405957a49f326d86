//! Pages over the API, while what they are of changes.

use std::collections::BTreeMap;

use milepost_proto::registry::v1::*;

use super::office::{Office, create_project, named, project_name};

const ORDERS: [&str; 6] =
    ["name", "name desc", "display_name", "display_name desc", "update_time", "update_time desc"];

/// An office with twelve projects in one portfolio, whose display names order the other way round, and one
/// in another.
async fn office() -> Office {
    let office = Office::with_portfolio().await;
    for i in 0..12 {
        office.project(&format!("p{i:02}"), named(&format!("项目 {:02}", 50 - i))).await;
    }
    office.portfolio("alpha").await;
    let elsewhere = CreateProjectRequest {
        parent: "portfolios/alpha".into(),
        ..create_project("p00", named("项目 45"))
    };
    office.projects().create_project(elsewhere).await.unwrap();
    office
}

/// Two go, four come, and two change so that they move: in every order some before and some after any place.
async fn change(office: &Office) {
    for id in ["p01", "p10"] {
        let request = DeleteProjectRequest { name: project_name(id), ..DeleteProjectRequest::default() };
        office.projects().delete_project(request).await.unwrap();
    }
    for (id, display_name) in [("a", "项目 99"), ("p04a", "项目 00"), ("p07a", "项目 46"), ("z", "项目 41")]
    {
        office.project(id, named(display_name)).await;
    }
    for (id, display_name) in [("p02", "项目 01"), ("p09", "项目 98")] {
        let project = Project { name: project_name(id), ..named(display_name) };
        let request = UpdateProjectRequest { project: Some(project), ..UpdateProjectRequest::default() };
        office.projects().update_project(request).await.unwrap();
    }
}

/// How often each name is on all pages of a list, of which everything changes after the first `before` pages.
async fn found(office: &Office, first: ListProjectsRequest, before: usize) -> BTreeMap<String, usize> {
    let (mut found, mut request) = (BTreeMap::new(), first);
    for page in 0..20 {
        if page == before {
            change(office).await;
        }
        let answer = office.projects().list_projects(request.clone()).await.unwrap().into_inner();
        for project in answer.projects {
            *found.entry(project.name).or_default() += 1;
        }
        if answer.next_page_token.is_empty() {
            assert!(page >= before, "it changed between two pages");
            return found;
        }
        request.page_token = answer.next_page_token;
    }
    panic!("there is no last page");
}

#[tokio::test]
async fn what_stays_is_told_once_whatever_comes_and_goes_between_pages() {
    let mut stays: Vec<_> = ["p00", "p03", "p04", "p05", "p06", "p07", "p08", "p11"].map(project_name).into();
    for parent in ["portfolios/wsc", "portfolios/-"] {
        for order_by in ORDERS {
            for before in 1..4 {
                let office = office().await;
                let first = ListProjectsRequest {
                    parent: parent.into(),
                    order_by: order_by.into(),
                    page_size: 3,
                    ..ListProjectsRequest::default()
                };
                let found = found(&office, first, before).await;
                let case = format!("{parent} by {order_by}, changed after {before} pages: {found:?}");
                assert!(stays.iter().all(|name| found.get(name) == Some(&1)), "{case}");
                // Only what moves in the order asked for may be met again.
                let moves = !order_by.starts_with("name");
                assert!(moves || found.values().all(|times| *times == 1), "{case}");
            }
        }
        stays.push("portfolios/alpha/projects/p00".into());
    }
}
