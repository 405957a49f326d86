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
