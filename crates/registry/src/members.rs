//! Members: the projects that are in a batch, in a collection or on an annual list.
//!
//! Invariant: none is a member twice; they stand in the order in which they were added, and are in the portfolio of
//! what they are members of. All that is wrong with those that are given is named at once.

use std::collections::HashSet;

use milepost_proto::registry::v1::{Portfolio, Project};
use milepost_resource::{Name, Presence, Unreadable, names};
use milepost_types::{Precondition, Rejection, Violations, limits};

use crate::tables::Scope;

/// What projects are members of.
pub(crate) struct Group {
    /// `batch`
    pub(crate) noun: &'static str,
    /// How many members one has, and how that is said.
    limit: usize,
    limited: &'static str,
}

/// Batches.
pub(crate) const BATCH: Group =
    Group { noun: "batch", limit: limits::BATCH_MEMBERS, limited: "members of one batch" };

/// Collections.
pub(crate) const COLLECTION: Group =
    Group { noun: "collection", limit: limits::COLLECTION_MEMBERS, limited: "members of one collection" };

/// Annual lists, whose members are more than a name.
pub(crate) const ANNUAL_LIST: Group =
    Group { noun: "list", limit: limits::ANNUAL_LIST_MEMBERS, limited: "members of one annual list" };

/// Members that were stored.
///
/// # Errors
/// If one is no name of a project.
pub(crate) fn stored(members: &[String]) -> Result<Vec<Name<Project>>, Unreadable> {
    let read = |member: &String| member.parse().map_err(|error| Unreadable::of("members", error));
    members.iter().map(read).collect()
}

impl Group {
    /// Reads the names of members at a field of a request, each with its index.
    pub(crate) fn read(
        &self,
        field: &str,
        given: &[String],
        portfolio: Option<&Name<Portfolio>>,
        violations: &mut Violations,
    ) -> Vec<(usize, Name<Project>)> {
        if !violations.check_count(field, given.len(), self.limit) {
            return Vec::new();
        }
        let members: Vec<(usize, Name<Project>)> = names(field, given, violations);
        let elsewhere =
            |member: &Name<Project>| portfolio.is_some_and(|portfolio| *portfolio != member.parent());
        for (i, member) in members.iter().filter(|(_, member)| elsewhere(member)) {
            let description = format!("{member} is in another portfolio than the {}", self.noun);
            violations.push(format!("{field}[{i}]"), "OTHER_PORTFOLIO", description);
        }
        members
    }

    /// Finds what is wrong with the members in a request to create one under this portfolio.
    pub(crate) fn check_given(
        &self,
        given: &[String],
        portfolio: Option<&Name<Portfolio>>,
        violations: &mut Violations,
    ) {
        let field = format!("{}.members", self.noun);
        let members = self.read(&field, given, portfolio, violations);
        let mut seen = HashSet::new();
        for (i, twice) in members.iter().filter(|(_, member)| !seen.insert(member)) {
            violations.push(format!("{field}[{i}]"), "DUPLICATE", format!("{twice} is a member already"));
        }
    }

    /// Those of these that are no members yet, each once.
    ///
    /// # Errors
    /// If there would be too many with them.
    pub(crate) fn added(
        &self,
        held: &[Name<Project>],
        members: &[Name<Project>],
    ) -> Result<Vec<Name<Project>>, Rejection> {
        let mut known: HashSet<&Name<Project>> = held.iter().collect();
        let added: Vec<_> = members.iter().filter(|member| known.insert(member)).cloned().collect();
        if !added.is_empty() && known.len() > self.limit {
            return Err(Rejection::LimitExceeded { what: self.limited, limit: self.limit as u64 });
        }
        Ok(added)
    }
}

/// The members without these, and those of these that are members.
pub(crate) fn without(
    held: Vec<Name<Project>>,
    members: &[Name<Project>],
) -> (Vec<Name<Project>>, Vec<Name<Project>>) {
    let leaving: HashSet<&Name<Project>> = members.iter().collect();
    held.into_iter().partition(|member| !leaving.contains(member))
}

/// Why some are not there, every one of them.
pub(crate) fn missing(scope: &Scope<'_>, members: &[Name<Project>]) -> Result<Vec<Precondition>, Rejection> {
    let mut conditions = Vec::new();
    for member in members {
        let (kind, description) = match scope.rows.presence(member)? {
            Presence::Present => continue,
            Presence::Missing => ("MEMBER_NOT_FOUND", "there is no such project; leave it out"),
            Presence::Deleted => ("MEMBER_DELETED", "the project is deleted; undelete it, or leave it out"),
        };
        let (subject, description) = (member.to_string(), description.to_owned());
        conditions.push(Precondition { kind, subject, description });
    }
    Ok(conditions)
}

/// Refuses if conditions do not hold.
pub(crate) fn check_none(conditions: Vec<Precondition>) -> Result<(), Rejection> {
    if conditions.is_empty() { Ok(()) } else { Err(Rejection::Preconditions(conditions)) }
}
