//! What several changes that are worked off together say of one pair, and pages of an organization with many projects.

use super::*;

fn of_projects(expression: &str) -> Policy {
    Policy { subject: Subject::Project.into(), ..policy(&[("a", expression)]) }
}

#[tokio::test]
async fn what_two_changes_make_fit_is_announced_once_if_one_command_works_them_off() {
    let world = World::open().await;
    let office = &world.office;
    office.published("y", enough()).await;
    office.published("of-projects", of_projects("org.attributes.rating == 'A'")).await;
    office.firm("new", &[("employees", "100"), ("rating", "A")]).await;
    office.project("road", supplied_by(&["new"])).await;
    world.settle().await;
    let expected = [
        said("matched", "y", "organizations/new", "organization.created"),
        said(
            "matched",
            "of-projects",
            "organizations/new portfolios/wsc/projects/road",
            "organization.created",
        ),
    ];
    assert_eq!(world.announced(0), expected);
    assert_eq!(world.fits().len(), 2);
    // The same where it no longer fits, and where it does again within one command.
    office.firm("new", &[]).await;
    let update = UpdateProjectRequest {
        project: Some(Project {
            name: "portfolios/wsc/projects/road".into(),
            labels: [("k".to_owned(), "v".to_owned())].into(),
            ..Project::default()
        }),
        ..Default::default()
    };
    office.projects().update_project(update).await.unwrap();
    world.settle().await;
    assert!(world.fits().is_empty());
}

#[tokio::test]
async fn a_batch_goes_through_an_organization_with_many_projects_page_by_page() {
    let office = Office::with_portfolio().await;
    office.programme().await;
    for id in ["a", "big", "c"] {
        office.firm(id, &[]).await;
    }
    let ids: Vec<_> = (0..1_000).map(|i| format!("p{i:03}")).collect();
    for some in ids.chunks(250) {
        let requests = some.iter().map(|id| {
            let key = id.ends_with('7');
            super::super::office::create_project(id, Project { key: Some(key), ..supplied_by(&["big"]) })
        });
        let (parent, requests) = ("portfolios/wsc".to_owned(), requests.collect());
        let request = BatchCreateProjectsRequest { parent, requests, ..Default::default() };
        office.projects().batch_create_projects(request).await.unwrap();
    }
    // With these, one organization has more pairs than one question may look at.
    for i in 0..100 {
        office.published(&format!("y{i:03}"), of_projects("project.sector == 'rail'")).await;
    }
    office.published("key", of_projects("project.key")).await;
    office.published("own", policy(&[("a", "true")])).await;
    let mut request = BatchMatchPoliciesRequest {
        policy_programme: "policyProgrammes/golden-phoenix".into(),
        outcomes: vec![Outcome::Fits.into()],
        ..Default::default()
    };
    let (mut found, mut pages) = (Vec::new(), 0);
    loop {
        let answer = office.policies().batch_match_policies(request.clone()).await.unwrap().into_inner();
        found.extend(answer.matches.into_iter().map(|of| (of.organization, of.project)));
        pages += 1;
        request.page_token = answer.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    assert!(pages > 1, "no page costs that much");
    let itself = |id: &str| (format!("organizations/{id}"), String::new());
    let of_big = ids.iter().filter(|id| id.ends_with('7'));
    let of_big = of_big.map(|id| ("organizations/big".to_owned(), format!("portfolios/wsc/projects/{id}")));
    let expected: Vec<_> =
        [itself("a"), itself("big")].into_iter().chain(of_big).chain([itself("c")]).collect();
    assert_eq!(found, expected);
}
