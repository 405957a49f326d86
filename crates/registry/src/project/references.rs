//! What a project refers to: organizations, and the project that it is a part of.
//!
//! Invariants: what a project newly refers to exists and is not deleted when it is decided; what it
//! referred to before may stay, for references are soft. Parents are in the same portfolio, are not
//! deleted while a part that is not refers to them, and no project is a part of itself, at any remove.

use std::collections::{BTreeMap, BTreeSet};

use milepost_types::{
    OrganizationName, Precondition, ProjectName, Rejection, ResourceName, Violations, limits,
};

use super::{Details, Project};

/// Whether something that is referred to is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    Missing,
    Deleted,
    Present,
}

/// What a project can refer to. Asking fails if what is asked about cannot be read.
pub(crate) trait Directory {
    /// Whether an organization is there.
    fn organization(&self, name: &OrganizationName) -> Result<Presence, Rejection>;

    /// Whether a project is there.
    fn project(&self, name: &ProjectName) -> Result<Presence, Rejection>;

    /// The project that a project is a part of.
    fn parent(&self, name: &ProjectName) -> Result<Option<ProjectName>, Rejection>;
}

/// Checks what a project that exists refers to after a change; `before` is the project before it.
pub(crate) fn check_update(
    before: &Project,
    after: &Project,
    directory: &dyn Directory,
) -> Result<(), Rejection> {
    let mut violations = Violations::new();
    check_parent_name(&after.name, &after.details, "project", &mut violations);
    violations.into_result(())?;
    let mut missing = Missing::default();
    missing.look(Some(&before.details), &after.details, "project", directory)?;
    let parent = &after.details.parent_project;
    if *parent != before.details.parent_project {
        let step = |name: &ProjectName| directory.parent(name);
        missing.cycle(&after.name, parent.as_ref(), &mut BTreeSet::new(), &step)?;
    }
    missing.into_result()
}

/// Checks what new projects refer to, each other included; the text is each one's field of the request.
pub(crate) fn check_creation(
    projects: &[(String, Project)],
    directory: &dyn Directory,
) -> Result<(), Rejection> {
    let mut violations = Violations::new();
    for (field, project) in projects {
        check_parent_name(&project.name, &project.details, field, &mut violations);
    }
    violations.into_result(())?;
    let new: BTreeMap<&ProjectName, Option<&ProjectName>> = projects
        .iter()
        .map(|(_, project)| (&project.name, project.details.parent_project.as_ref()))
        .collect();
    let directory = Together { new: &new, directory };
    let mut missing = Missing::default();
    let mut sound = BTreeSet::new();
    for (field, project) in projects {
        missing.look(None, &project.details, field, &directory)?;
        // Nothing that exists is a part of what is new, so a cycle is among the new ones.
        let step = |name: &ProjectName| Ok(new.get(name).copied().flatten().cloned());
        missing.cycle(&project.name, project.details.parent_project.as_ref(), &mut sound, &step)?;
    }
    missing.into_result()
}

/// Refuses to bring back a project whose parent is gone.
pub(crate) fn check_undeletion(project: &Project, directory: &dyn Directory) -> Result<(), Rejection> {
    let mut missing = Missing::default();
    let parent = project.details.parent_project.as_ref();
    if let Some(parent) = parent {
        missing.found(parent, directory.project(parent)?, "project.parent_project");
    }
    missing.into_result()
}

/// What needs no directory to be refused.
fn check_parent_name(name: &ProjectName, details: &Details, field: &str, violations: &mut Violations) {
    let field = || format!("{field}.parent_project");
    match &details.parent_project {
        Some(parent) if parent == name => {
            violations.push(field(), "PARENT_CYCLE", "a project cannot be a part of itself; name another");
        }
        Some(parent) if parent.portfolio() != name.portfolio() => {
            violations.push(field(), "OTHER_PORTFOLIO", "name a project of the same portfolio");
        }
        _ => {}
    }
}

/// What is new and what there is, as one.
struct Together<'a> {
    new: &'a BTreeMap<&'a ProjectName, Option<&'a ProjectName>>,
    directory: &'a dyn Directory,
}

impl Directory for Together<'_> {
    fn organization(&self, name: &OrganizationName) -> Result<Presence, Rejection> {
        self.directory.organization(name)
    }

    fn project(&self, name: &ProjectName) -> Result<Presence, Rejection> {
        if self.new.contains_key(name) { Ok(Presence::Present) } else { self.directory.project(name) }
    }

    fn parent(&self, name: &ProjectName) -> Result<Option<ProjectName>, Rejection> {
        self.directory.parent(name)
    }
}

/// The references that do not hold.
#[derive(Default)]
struct Missing {
    conditions: Vec<Precondition>,
    /// Organizations that are known to be there: many projects name the same ones.
    present: BTreeSet<OrganizationName>,
}

impl Missing {
    /// Looks up what `after` refers to and `before` did not.
    fn look(
        &mut self,
        before: Option<&Details>,
        after: &Details,
        field: &str,
        directory: &dyn Directory,
    ) -> Result<(), Rejection> {
        let held: BTreeSet<_> = before.into_iter().flat_map(organizations).map(|(_, name)| name).collect();
        for (path, name) in organizations(after) {
            if held.contains(name) || self.present.contains(name) {
                continue;
            }
            match directory.organization(name)? {
                Presence::Present => {
                    self.present.insert(name.clone());
                }
                presence => self.found(name, presence, &format!("{field}.{path}")),
            }
        }
        let parent = after.parent_project.as_ref();
        if let Some(parent) =
            parent.filter(|_| parent != before.and_then(|before| before.parent_project.as_ref()))
        {
            self.found(parent, directory.project(parent)?, &format!("{field}.parent_project"));
        }
        Ok(())
    }

    /// Walks up from a parent; what is found sound is not walked again.
    fn cycle(
        &mut self,
        name: &ProjectName,
        parent: Option<&ProjectName>,
        sound: &mut BTreeSet<ProjectName>,
        parent_of: &dyn Fn(&ProjectName) -> Result<Option<ProjectName>, Rejection>,
    ) -> Result<(), Rejection> {
        let mut seen = BTreeSet::from([name.clone()]);
        let mut at = parent.cloned();
        while let Some(next) = at {
            if sound.contains(&next) {
                break;
            }
            if !seen.insert(next.clone()) {
                self.push(Precondition {
                    kind: "PARENT_CYCLE",
                    subject: next.to_string(),
                    description: format!(
                        "{name} would be a part of itself through it; give another parent_project"
                    ),
                });
                break;
            }
            at = parent_of(&next)?;
        }
        sound.append(&mut seen);
        Ok(())
    }

    fn found<N: ResourceName>(&mut self, name: &N, presence: Presence, field: &str) {
        let (kind, what) = match presence {
            Presence::Present => return,
            Presence::Missing => {
                ("REFERENCE_NOT_FOUND", format!("there is no such {}; name another", N::KIND))
            }
            Presence::Deleted => ("REFERENCE_DELETED", format!("the {} is deleted; undelete it", N::KIND)),
        };
        let description = format!("{field}: {what}, or leave it out");
        self.push(Precondition { kind, subject: name.to_string(), description });
    }

    fn push(&mut self, condition: Precondition) {
        if self.conditions.len() < limits::VIOLATIONS {
            self.conditions.push(condition);
        }
    }

    fn into_result(self) -> Result<(), Rejection> {
        if self.conditions.is_empty() { Ok(()) } else { Err(Rejection::Preconditions(self.conditions)) }
    }
}

/// Every organization that a project names, and where.
fn organizations(details: &Details) -> impl Iterator<Item = (String, &OrganizationName)> {
    let parties = details.parties.iter().enumerate();
    let funding = details.funding.iter().enumerate();
    parties.map(|(i, party)| (format!("parties[{i}].organization"), &party.organization)).chain(
        funding.filter_map(|(i, source)| {
            Some((format!("funding[{i}].organization"), source.organization.as_ref()?))
        }),
    )
}
