//! A caller that was authenticated, and the roles that it holds.
//!
//! Invariant: on behalf of another, a caller may do only what both may, and nothing that changes access.

use jiff::Timestamp;
use milepost_ledger::{Actor, Read};
use milepost_types::{Permission, Place, Role, Scope};

use super::scopes::Scopes;
use super::table::{self, Held};

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

    /// The one that it acts on behalf of.
    pub(super) fn other(&self) -> Option<&str> {
        Some(self.actor.on_behalf_of.as_str()).filter(|other| !other.is_empty())
    }

    /// Whether it has one of the permissions at a place.
    pub fn may(&self, rows: &dyn Read, now: Timestamp, permissions: &[Permission], place: Place<'_>) -> bool {
        let own = |permissions: &[Permission]| {
            self.principals().any(|principal| has(rows, now, principal, permissions, place))
        };
        match self.other() {
            None => self.is_first_administrator(rows, permissions) || own(permissions),
            Some(_) if permissions.contains(&Permission::AccessManage) => false,
            Some(other) => {
                own(&[Permission::ActOnBehalf])
                    && own(permissions)
                    && has(rows, now, other, permissions, place)
            }
        }
    }

    /// Where it has one of the permissions.
    pub fn scopes(&self, rows: &dyn Read, now: Timestamp, permissions: &[Permission]) -> Scopes {
        let own = |permissions: &[Permission]| {
            let scopes = self.principals().flat_map(|principal| scopes(rows, now, principal, permissions));
            scopes.collect::<Scopes>()
        };
        match self.other() {
            None if self.is_first_administrator(rows, permissions) => Scopes::everywhere(),
            None => own(permissions),
            Some(_) if permissions.contains(&Permission::AccessManage) => Scopes::default(),
            Some(other) => {
                let others: Scopes = scopes(rows, now, other, permissions).collect();
                own(&[Permission::ActOnBehalf]).in_common(&own(permissions)).in_common(&others)
            }
        }
    }

    /// When the next of its grants ends by itself, or its credential.
    pub fn next_end(&self, rows: &dyn Read, now: Timestamp) -> Option<Timestamp> {
        let all = self.principals().chain(self.other());
        let grants = all.flat_map(|principal| table::grants(rows, principal));
        let ends = grants.filter(|held| held.holds_at(now)).filter_map(|held| held.expire_time());
        ends.chain(self.expire_time).min()
    }

    fn is_first_administrator(&self, rows: &dyn Read, permissions: &[Permission]) -> bool {
        let enough = || permissions.iter().any(|permission| Role::Admin.has(*permission));
        self.is_bootstrap && enough() && !table::had_administrator(rows)
    }
}

fn in_force<'a>(
    rows: &'a dyn Read,
    now: Timestamp,
    principal: &str,
    permissions: &'a [Permission],
) -> impl Iterator<Item = Held> + use<'a> {
    let gives = |held: &Held| permissions.iter().any(|permission| held.role.has(*permission));
    table::grants(rows, principal).filter(move |held| held.holds_at(now) && gives(held))
}

fn has(
    rows: &dyn Read,
    now: Timestamp,
    principal: &str,
    permissions: &[Permission],
    place: Place<'_>,
) -> bool {
    in_force(rows, now, principal, permissions).any(|held| held.place().covers(place))
}

fn scopes<'a>(
    rows: &'a dyn Read,
    now: Timestamp,
    principal: &str,
    permissions: &'a [Permission],
) -> impl Iterator<Item = Scope> + use<'a> {
    in_force(rows, now, principal, permissions).filter_map(|held| held.place().scope())
}
