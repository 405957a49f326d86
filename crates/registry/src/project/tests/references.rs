//! What projects refer to, held against a directory.

use std::cell::Cell;

use milepost_types::Precondition;

use super::super::references::{Directory, Presence, check_creation, check_undeletion, check_update};
use super::*;

/// Organizations and projects by id, and the parents of projects.
#[derive(Default)]
struct Fake {
    organizations: BTreeMap<&'static str, Presence>,
    projects: BTreeMap<String, (Presence, Option<String>)>,
    looked_up: Cell<usize>,
}

impl Fake {
    fn with_project(mut self, id: &str, presence: Presence, parent: Option<&str>) -> Self {
        self.projects.insert(id.to_owned(), (presence, parent.map(str::to_owned)));
        self
    }
}

impl Directory for Fake {
    fn organization(&self, name: &OrganizationName) -> Result<Presence, Rejection> {
        self.looked_up.set(self.looked_up.get() + 1);
        Ok(self.organizations.get(name.id().as_str()).copied().unwrap_or(Presence::Missing))
    }

    fn project(&self, name: &ProjectName) -> Result<Presence, Rejection> {
        self.looked_up.set(self.looked_up.get() + 1);
        Ok(self.projects.get(name.id().as_str()).map_or(Presence::Missing, |(presence, _)| *presence))
    }

    fn parent(&self, name: &ProjectName) -> Result<Option<ProjectName>, Rejection> {
        self.looked_up.set(self.looked_up.get() + 1);
        let parent = self.projects.get(name.id().as_str()).and_then(|(_, parent)| parent.as_ref());
        Ok(parent.map(|id| ProjectName::new(name.portfolio().clone(), id.parse().unwrap())))
    }
}

fn with_parties(organizations: &[&str]) -> Project {
    let mut project = project("x");
    let party = |id: &&str| Party {
        organization: format!("organizations/{id}").parse().unwrap(),
        roles: vec!["supplier".to_owned()],
    };
    project.details.parties = organizations.iter().map(party).collect();
    project
}

fn part_of(id: &str, parent: &str) -> Project {
    let mut project = project(id);
    project.details.parent_project = Some(format!("portfolios/p/projects/{parent}").parse().unwrap());
    project
}

fn kinds(refused: Result<(), Rejection>) -> Vec<&'static str> {
    match refused {
        Ok(()) => Vec::new(),
        Err(Rejection::Preconditions(conditions)) => {
            conditions.iter().map(|condition| condition.kind).collect()
        }
        Err(Rejection::Invalid(violations)) => violations.iter().map(|found| found.reason).collect(),
        Err(other) => panic!("{other}"),
    }
}

fn together(projects: Vec<Project>) -> Vec<(String, Project)> {
    let numbered = projects.into_iter().enumerate();
    numbered.map(|(i, project)| (format!("requests[{i}].project"), project)).collect()
}

#[test]
fn every_organization_that_is_not_there_is_told_with_its_field() {
    let organizations = BTreeMap::from([("here", Presence::Present), ("gone", Presence::Deleted)]);
    let directory = Fake { organizations, ..Fake::default() };
    let mut project = with_parties(&["here", "gone"]);
    project.details.funding = vec![FundingSource {
        source: "s".to_owned(),
        organization: Some("organizations/never".parse().unwrap()),
        amount: None,
    }];
    let refused = check_creation(&together(vec![project]), &directory).unwrap_err();
    let Rejection::Preconditions(conditions) = refused else { panic!("{refused}") };
    let told = |Precondition { kind, subject, description }: &Precondition| {
        (*kind, subject.clone(), description.split(": ").next().unwrap().to_owned())
    };
    assert_eq!(
        conditions.iter().map(told).collect::<Vec<_>>(),
        [
            (
                "REFERENCE_DELETED",
                "organizations/gone".to_owned(),
                "requests[0].project.parties[1].organization".to_owned()
            ),
            (
                "REFERENCE_NOT_FOUND",
                "organizations/never".to_owned(),
                "requests[0].project.funding[0].organization".to_owned()
            ),
        ]
    );
}

#[test]
fn what_was_referred_to_before_may_stay() {
    let organizations = BTreeMap::from([("here", Presence::Present), ("gone", Presence::Deleted)]);
    let directory = Fake { organizations, ..Fake::default() };
    let (before, after) = (with_parties(&["gone"]), with_parties(&["gone", "here"]));
    assert_eq!(check_update(&before, &after, &directory), Ok(()));
    assert_eq!(kinds(check_update(&with_parties(&[]), &after, &directory)), ["REFERENCE_DELETED"]);
}

#[test]
fn a_parent_is_another_project_of_the_same_portfolio_that_is_there() {
    let directory = Fake::default().with_project("whole", Presence::Present, None).with_project(
        "gone",
        Presence::Deleted,
        None,
    );
    let create = |project: Project| kinds(check_creation(&together(vec![project]), &directory));
    assert!(create(part_of("x", "whole")).is_empty());
    assert_eq!(create(part_of("x", "gone")), ["REFERENCE_DELETED"]);
    assert_eq!(create(part_of("x", "never")), ["REFERENCE_NOT_FOUND"]);
    assert_eq!(create(part_of("x", "x")), ["PARENT_CYCLE"]);
    let mut elsewhere = project("x");
    elsewhere.details.parent_project = Some("portfolios/q/projects/whole".parse().unwrap());
    assert_eq!(create(elsewhere), ["OTHER_PORTFOLIO"]);
    assert_eq!(kinds(check_undeletion(&part_of("x", "gone"), &directory)), ["REFERENCE_DELETED"]);
    assert!(kinds(check_undeletion(&part_of("x", "whole"), &directory)).is_empty());
}

#[test]
fn no_project_becomes_a_part_of_itself() {
    let directory = Fake::default()
        .with_project("top", Presence::Present, None)
        .with_project("middle", Presence::Present, Some("top"))
        .with_project("bottom", Presence::Present, Some("middle"));
    let refused = check_update(&project("top"), &part_of("top", "bottom"), &directory);
    assert_eq!(kinds(refused), ["PARENT_CYCLE"]);
    assert!(
        kinds(check_update(&part_of("bottom", "middle"), &part_of("bottom", "top"), &directory)).is_empty()
    );
}

#[test]
fn new_projects_may_refer_to_one_another_but_not_in_a_circle() {
    let directory = Fake::default().with_project("old", Presence::Present, None);
    let tree = vec![part_of("leaf", "branch"), part_of("branch", "root"), part_of("root", "old")];
    assert!(kinds(check_creation(&together(tree), &directory)).is_empty());
    let circle = vec![part_of("a", "b"), part_of("b", "c"), part_of("c", "a"), part_of("d", "a")];
    assert_eq!(kinds(check_creation(&together(circle), &directory)), ["PARENT_CYCLE"]);
}

#[test]
fn a_thousand_new_projects_in_a_chain_are_walked_once() {
    let organizations = BTreeMap::from([("here", Presence::Present)]);
    let directory = Fake { organizations, ..Fake::default() }.with_project("p0", Presence::Present, None);
    let chain = (1..=1000).map(|i| {
        let mut part = part_of(&format!("p{i}"), &format!("p{}", i - 1));
        part.details.parties = with_parties(&["here"]).details.parties;
        part
    });
    assert_eq!(check_creation(&together(chain.collect()), &directory), Ok(()));
    assert!(directory.looked_up.get() <= 10, "{}", directory.looked_up.get());
}
