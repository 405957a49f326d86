//! A caller that was authenticated, and the roles that it holds.
//!
//! Invariant: on behalf of another, a caller may do only what both may, and nothing that changes access.

use jiff::Timestamp;
use milepost_ledger::{Actor, Authentication};
use milepost_types::{Permission, Place, Role, Scope};

use super::caller_grants::CallerGrants;
use super::scopes::Scopes;
use super::table::GrantRow;
use crate::identity::CredentialKind;

/// A caller that was authenticated.
#[derive(Debug, Clone)]
pub struct Holder {
    /// Who acts, as entries record it.
    pub actor: Actor,
    /// The principal's groups.
    pub groups: Vec<String>,
    /// When the credential ends.
    pub expire_time: Option<Timestamp>,
    /// Whether it is an administrator for as long as no other was ever granted.
    pub is_bootstrap: bool,
}

impl Holder {
    /// The principal, and its groups.
    pub(super) fn principals(&self) -> impl Iterator<Item = &str> {
        [self.actor.principal.as_str()].into_iter().chain(self.groups.iter().map(String::as_str))
    }

    /// The id of the API token that it proved itself with, if it did with one.
    pub(super) fn token(&self) -> Option<&str> {
        let of_tokens = self.actor.authentication == Authentication::ApiToken;
        of_tokens.then(|| CredentialKind::ApiToken.id_in(&self.actor.credential)).flatten()
    }

    /// The one that it acts on behalf of.
    pub(super) fn other(&self) -> Option<&str> {
        Some(self.actor.on_behalf_of.as_str()).filter(|other| !other.is_empty())
    }

    /// Whether it has one of the permissions at a place.
    pub fn may(
        &self,
        known: &CallerGrants,
        now: Timestamp,
        permissions: &[Permission],
        place: Place<'_>,
    ) -> bool {
        let has = |grants: &[GrantRow], permissions: &[Permission]| {
            in_force(grants, now, permissions).any(|held| held.place().covers(place))
        };
        let own = |permissions: &[Permission]| known.own.iter().any(|grants| has(grants, permissions));
        match &known.other {
            None => self.is_first_administrator(known, permissions) || own(permissions),
            Some(_) if permissions.contains(&Permission::AccessManage) => false,
            Some(other) => own(&[Permission::ActOnBehalf]) && own(permissions) && has(other, permissions),
        }
    }

    /// Where it has one of the permissions.
    pub fn scopes(&self, known: &CallerGrants, now: Timestamp, permissions: &[Permission]) -> Scopes {
        let own = |permissions: &[Permission]| own_scopes(known, now, permissions);
        match &known.other {
            None if self.is_first_administrator(known, permissions) => Scopes::everywhere(),
            None => own(permissions),
            Some(_) if permissions.contains(&Permission::AccessManage) => Scopes::default(),
            Some(other) => {
                let others: Scopes = scopes(other, now, permissions).collect();
                own(&[Permission::ActOnBehalf]).in_common(&own(permissions)).in_common(&others)
            }
        }
    }

    /// When the next of its grants ends by itself, or its credential.
    pub fn next_end(&self, known: &CallerGrants, now: Timestamp) -> Option<Timestamp> {
        let grants = known.own.iter().chain(&known.other).flat_map(|grants| grants.iter());
        let ends = grants.filter(|held| held.holds_at(now)).filter_map(GrantRow::expire_time);
        ends.chain(self.expire_time).min()
    }

    fn is_first_administrator(&self, known: &CallerGrants, permissions: &[Permission]) -> bool {
        let enough = || permissions.iter().any(|permission| Role::Admin.has(*permission));
        self.is_bootstrap && enough() && !known.had_administrator
    }
}

/// Where a holder of these grants has one of the permissions itself, for whomever it acts.
pub(super) fn own_scopes(known: &CallerGrants, now: Timestamp, permissions: &[Permission]) -> Scopes {
    known.own.iter().flat_map(|grants| scopes(grants, now, permissions)).collect()
}

fn in_force<'a>(
    grants: &'a [GrantRow],
    now: Timestamp,
    permissions: &'a [Permission],
) -> impl Iterator<Item = &'a GrantRow> {
    let gives = |held: &GrantRow| permissions.iter().any(|permission| held.role.has(*permission));
    grants.iter().filter(move |held| held.holds_at(now) && gives(held))
}

fn scopes<'a>(
    grants: &'a [GrantRow],
    now: Timestamp,
    permissions: &'a [Permission],
) -> impl Iterator<Item = Scope> + use<'a> {
    in_force(grants, now, permissions).filter_map(|held| held.place().scope())
}
