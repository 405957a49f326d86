//! What a project refers to: organizations, and the project that it is a part of.
//!
//! Invariants: what a project newly refers to exists and is not deleted when it is decided; what it
//! referred to before may stay, for references are soft. Parents are in the same portfolio, are not
//! deleted while a part that is not refers to them, and no project is a part of itself, at any remove.
//! A project that the caller may not read is not there for it.

use std::collections::{BTreeMap, BTreeSet};

use crate::reference::{check_portfolio, condition};
use crate::tables::Scope;
use milepost_proto::registry::v1::{Organization, Project};
use milepost_resource::{Checked, Created, Name, Presence};
use milepost_types::{Permission, Place, Precondition, Rejection, ResourceName, Violations, limits};

/// Checks what a project that exists refers to after a change or an undeletion; `before` is the project
/// before it.
pub(super) fn check(
    scope: &Scope<'_>,
    before: Option<&Checked<Project>>,
    after: &Checked<Project>,
) -> Result<(), Rejection> {
    let mut references = References::new(scope, BTreeMap::new());
    let parent = parent(after);
    if before.is_some_and(|before| before.is_deleted() && !after.is_deleted()) {
        if let Some(parent) = &parent {
            references.require(parent, "project.parent_project")?;
        }
        return references.into_result();
    }
    let mut violations = Violations::new();
    check_parent_name(after, "project", &mut violations);
    violations.into_result(())?;
    references.check(before.map(|before| &**before), after, "project")?;
    if parent != before.and_then(|before| self::parent(before)) {
        references.check_cycle(after.name(), parent, &mut BTreeSet::new())?;
    }
    references.into_result()
}

/// Checks what new projects refer to, each other included.
pub(super) fn check_created(scope: &Scope<'_>, created: &[Created<Project>]) -> Result<(), Rejection> {
    let mut violations = Violations::new();
    for Created { field, resource } in created {
        check_parent_name(resource, field, &mut violations);
    }
    violations.into_result(())?;
    let new = created.iter().map(|created| (created.resource.name(), parent(&created.resource)));
    let mut references = References::new(scope, new.collect());
    let mut sound = BTreeSet::new();
    for Created { field, resource } in created {
        references.check(None, resource, field)?;
        references.check_cycle(resource.name(), parent(resource), &mut sound)?;
    }
    references.into_result()
}

/// The project that a project is a part of.
fn parent(project: &Project) -> Option<Name<Project>> {
    project.parent_project.parse().ok()
}

/// What needs no other rows to be refused.
fn check_parent_name(project: &Checked<Project>, field: &str, violations: &mut Violations) {
    let field = || format!("{field}.parent_project");
    match parent(project) {
        Some(parent) if parent == *project.name() => {
            violations.push(field(), "PARENT_CYCLE", "a project cannot be a part of itself; name another");
        }
        Some(parent) => check_portfolio(field, &parent, &project.name().parent(), violations),
        None => {}
    }
}

/// References being checked.
struct References<'a> {
    scope: &'a Scope<'a>,
    /// What the same request creates, each with its parent.
    new: BTreeMap<&'a Name<Project>, Option<Name<Project>>>,
    /// Those that do not hold.
    conditions: Vec<Precondition>,
    /// Organizations that are known to be there: many projects name the same ones.
    present: BTreeSet<Name<Organization>>,
}

impl<'a> References<'a> {
    fn new(scope: &'a Scope<'a>, new: BTreeMap<&'a Name<Project>, Option<Name<Project>>>) -> Self {
        Self { scope, new, conditions: Vec::new(), present: BTreeSet::new() }
    }

    /// Checks what `after` refers to and `before` did not.
    fn check(&mut self, before: Option<&Project>, after: &Project, field: &str) -> Result<(), Rejection> {
        let held: BTreeSet<_> = before.into_iter().flat_map(organizations).map(|(_, name)| name).collect();
        for (path, name) in organizations(after) {
            if held.contains(&name) || self.present.contains(&name) {
                continue;
            }
            let presence = self.scope.rows.presence(&name)?;
            self.found(&name, presence, &format!("{field}.{path}"));
            if presence == Presence::Present {
                self.present.insert(name);
            }
        }
        match parent(after) {
            Some(name) if before.and_then(parent).as_ref() != Some(&name) => {
                self.require_named(&name, &format!("{field}.parent_project"))
            }
            _ => Ok(()),
        }
    }

    /// Records that a project is not there.
    fn require(&mut self, name: &Name<Project>, field: &str) -> Result<(), Rejection> {
        let new = self.new.contains_key(name);
        let presence = if new { Presence::Present } else { self.scope.rows.presence(name)? };
        self.found(name, presence, field);
        Ok(())
    }

    /// The same for one that is named newly: what the caller may not read is not there.
    fn require_named(&mut self, name: &Name<Project>, field: &str) -> Result<(), Rejection> {
        if self.new.contains_key(name) || may_read(self.scope, name) {
            return self.require(name, field);
        }
        self.found(name, Presence::Missing, field);
        Ok(())
    }

    /// Walks up from a parent; what is found sound is not walked again.
    fn check_cycle(
        &mut self,
        name: &Name<Project>,
        parent: Option<Name<Project>>,
        sound: &mut BTreeSet<Name<Project>>,
    ) -> Result<(), Rejection> {
        let mut seen = BTreeSet::from([name.clone()]);
        let mut at = parent;
        while let Some(next) = at {
            if sound.contains(&next) {
                break;
            }
            if !seen.insert(next.clone()) {
                let description =
                    format!("{name} would be a part of itself through it; give another parent_project");
                self.push("PARENT_CYCLE", next.to_string(), description);
                break;
            }
            at = match self.new.get(&next) {
                Some(parent) => parent.clone(),
                // Nothing that exists is a part of what is new, so a cycle is among the new ones.
                None if !self.new.is_empty() => None,
                None => self.scope.rows.get(&next)?.and_then(|project| self::parent(&project)),
            };
        }
        sound.append(&mut seen);
        Ok(())
    }

    fn found<N: ResourceName>(&mut self, name: &N, presence: Presence, field: &str) {
        if let Some(Precondition { kind, subject, description }) = condition(name, presence, field) {
            self.push(kind, subject, description);
        }
    }

    fn push(&mut self, kind: &'static str, subject: String, description: String) {
        if self.conditions.len() < limits::VIOLATIONS {
            self.conditions.push(Precondition { kind, subject, description });
        }
    }

    fn into_result(self) -> Result<(), Rejection> {
        Rejection::unless_met(self.conditions)
    }
}

/// Whether the caller may read a project.
pub(super) fn may_read(scope: &Scope<'_>, name: &Name<Project>) -> bool {
    let readable = scope.permit.scopes_of(scope.rows.read, scope.context.now, Permission::ContentRead);
    readable.cover(Place::of(&name.to_string()))
}

/// Every organization that a project names, and where.
fn organizations(project: &Project) -> impl Iterator<Item = (String, Name<Organization>)> {
    let parties = project.parties.iter().enumerate();
    let parties = parties.map(|(i, party)| (format!("parties[{i}].organization"), &party.organization));
    let funding = project.funding.iter().enumerate();
    let funding = funding.map(|(i, source)| (format!("funding[{i}].organization"), &source.organization));
    parties.chain(funding).filter_map(|(path, name)| Some((path, name.parse().ok()?)))
}
