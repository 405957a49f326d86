//! Members: the projects that are in a batch, in a collection or on an annual list.
//!
//! Invariant: none is a member twice; they stand in the order in which they were added, and are in the portfolio of
//! what they are members of. All that is wrong with those that are given is named at once.

use std::collections::HashSet;

use jiff::civil::Date;
use milepost_proto::registry::v1::{Portfolio, Project};
use milepost_resource::{Name, Presence, Unreadable, names};
use milepost_types::{MoneyError, Precondition, Rejection, Violations, limits};

use crate::reference::check_portfolio;
use crate::tables::Scope;

/// What projects are members of.
pub(crate) struct Group {
    /// How many members one has, and how that is said.
    limit: usize,
    limited: &'static str,
}

/// Projects that become members of something, or are no longer.
pub(crate) struct MemberChange {
    pub(crate) members: Vec<Name<Project>>,
    /// On which day; none: today.
    pub(crate) date: Option<Date>,
}

/// Batches.
pub(crate) const BATCH: Group = Group { limit: limits::BATCH_MEMBERS, limited: "members of one batch" };

/// Collections.
pub(crate) const COLLECTION: Group =
    Group { limit: limits::COLLECTION_MEMBERS, limited: "members of one collection" };

/// Annual lists, whose members are more than a name.
pub(crate) const ANNUAL_LIST: Group =
    Group { limit: limits::ANNUAL_LIST_MEMBERS, limited: "members of one annual list" };

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
        for (i, member) in &members {
            if let Some(portfolio) = portfolio {
                check_portfolio(|| format!("{field}[{i}]"), member, portfolio, violations);
            }
        }
        members
    }

    /// Finds what is wrong with the members of one that is to be created under this portfolio.
    pub(crate) fn check_given(
        &self,
        given: &[String],
        portfolio: Option<&Name<Portfolio>>,
        violations: &mut Violations,
    ) {
        let members = self.read("members", given, portfolio, violations);
        let mut seen = HashSet::new();
        for (i, twice) in members.iter().filter(|(_, member)| !seen.insert(member)) {
            violations.push(format!("members[{i}]"), "DUPLICATE", format!("{twice} is a member already"));
        }
    }

    /// The given projects that are not members yet, without duplicates.
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
        if !added.is_empty() {
            self.check_limit(known.len())?;
        }
        Ok(added)
    }

    /// Refuses more members than one may have.
    ///
    /// # Errors
    /// If there would be so many.
    pub(crate) fn check_limit(&self, members: usize) -> Result<(), Rejection> {
        if members > self.limit {
            return Err(Rejection::LimitExceeded { what: self.limited, limit: self.limit as u64 });
        }
        Ok(())
    }
}

/// The names of members as messages hold them.
pub(crate) fn names_of(members: &[Name<Project>]) -> Vec<String> {
    members.iter().map(ToString::to_string).collect()
}

/// Splits the members into those that stay and those that `members` removes.
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

/// Refuses members that are added if the investments of all of them cannot be held together.
///
/// # Errors
/// A precondition `MONEY_OVERFLOW`.
pub(crate) fn check_held(
    of: &impl ToString,
    grows: bool,
    overflow: Option<MoneyError>,
) -> Result<(), Rejection> {
    let Some(error) = overflow.filter(|_| grows) else { return Ok(()) };
    let description =
        format!("the investments of its members together: {error}; correct or remove the largest");
    Err(Rejection::precondition("MONEY_OVERFLOW", of.to_string(), description))
}
