//! Who hears of what: the events that a caller may see.
//!
//! Invariants: two audiences that hear the same are equal, so that a selection is evaluated once for both. Readers of a
//! portfolio see all events of it; readers of a project only those of that project. Events about access, and the
//! bookkeeping between servers, which repeats them, are for those who may read who did what. What is in no portfolio,
//! as organizations are, is for everyone who may read anything.

use milepost_service::access::table::is_event_of_access;
use milepost_service::access::{Scopes, StreamAccess};
use milepost_types::{Permission, Place};

use crate::envelope::Envelope;
use crate::selection::BOOKKEEPING;

/// What an audience depends on, in the order of its parts.
pub(crate) const PERMISSIONS: &[Permission] = &[Permission::ContentRead, Permission::AuditRead];

/// Some callers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Audience {
    /// Where they may read content.
    content: Scopes,
    /// Where they may read who did what.
    audit: Scopes,
}

impl Audience {
    /// Those who may see everything.
    pub(crate) fn all() -> Self {
        Self { content: Scopes::everywhere(), audit: Scopes::everywhere() }
    }

    /// The caller with this access, which is of [`PERMISSIONS`].
    pub(crate) fn of(access: &StreamAccess) -> Self {
        let [content, audit] = access.scopes() else { return Self::none() };
        Self { content: content.clone(), audit: audit.clone() }
    }

    fn none() -> Self {
        Self { content: Scopes::default(), audit: Scopes::default() }
    }

    /// Whether they may see everything.
    pub(crate) fn is_all(&self) -> bool {
        self.content.is_everywhere() && self.audit.is_everywhere()
    }

    /// Whether they may see an event.
    pub(crate) fn hears(&self, event: &Envelope<'_>) -> bool {
        let of_access = is_event_of_access(event.kind) || event.kind.starts_with(BOOKKEEPING);
        let scopes = if of_access { &self.audit } else { &self.content };
        if event.portfolio.is_empty() {
            return if of_access { scopes.is_everywhere() } else { !scopes.is_empty() };
        }
        let place = if event.project.is_empty() { event.portfolio } else { event.project };
        scopes.cover(Place::of(place))
    }

    /// Its parts in canonical form, for a digest of a request; none if they may see everything.
    pub(crate) fn parts(&self) -> Vec<String> {
        if self.is_all() { Vec::new() } else { vec![self.content.to_string(), self.audit.to_string()] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn audience(content: &[&str], audit: &[&str]) -> Audience {
        let scopes = |names: &[&str]| names.iter().filter_map(|name| Place::of(name).scope()).collect();
        Audience { content: scopes(content), audit: scopes(audit) }
    }

    fn event<'a>(kind: &'a str, portfolio: &'a str, project: &'a str) -> Envelope<'a> {
        Envelope { kind, portfolio, project, ..Envelope::default() }
    }

    #[test]
    fn readers_of_a_portfolio_see_all_of_it_and_readers_of_a_project_only_that() {
        let of_portfolio = audience(&["portfolios/a"], &[]);
        let of_project = audience(&["portfolios/a/projects/x"], &[]);
        for (portfolio, project, whole, part) in [
            ("portfolios/a", "portfolios/a/projects/x", true, true),
            ("portfolios/a", "portfolios/a/projects/xy", true, false),
            ("portfolios/a", "", true, false),
            ("portfolios/ab", "portfolios/ab/projects/x", false, false),
        ] {
            let event = event("milepost.milestone.achieved", portfolio, project);
            assert_eq!((of_portfolio.hears(&event), of_project.hears(&event)), (whole, part), "{project}");
        }
    }

    #[test]
    fn events_of_access_are_for_auditors_of_where_it_holds() {
        let reader = audience(&[""], &[]);
        let auditor = audience(&[], &["portfolios/a"]);
        let everywhere = audience(&[], &[""]);
        for (kind, portfolio, heard) in [
            ("milepost.grant.created", "portfolios/a", [false, true, true]),
            ("milepost.grant.created", "", [false, false, true]),
            ("milepost.api_token.created", "", [false, false, true]),
            ("milepost.service_account.created", "", [false, false, true]),
            ("milepost.source.followed", "", [false, false, true]),
            ("milepost.organization.created", "", [true, false, false]),
            ("milepost.project.created", "portfolios/a", [true, false, false]),
        ] {
            let event = event(kind, portfolio, "");
            assert_eq!(
                [&reader, &auditor, &everywhere].map(|of| of.hears(&event)),
                heard,
                "{kind} {portfolio}"
            );
        }
    }

    #[test]
    fn who_may_read_nothing_hears_of_no_organization_either() {
        let event = event("milepost.organization.created", "", "");
        assert!(!audience(&[], &[]).hears(&event));
        assert!(audience(&["portfolios/a/projects/x"], &[]).hears(&event));
    }
}
