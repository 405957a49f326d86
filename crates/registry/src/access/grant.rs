//! Grants: that a principal has a role everywhere, in a portfolio, or in a project.
//!
//! Invariants: a grant never changes, and one that was revoked does not come back. Callers grant to others only, not
//! to themselves. A grant is made under what is there and not deleted, and can be revoked whatever becomes of that.

use jiff::Timestamp;
use milepost_proto::access::v1::{Grant, ServiceAccount};
use milepost_proto::event::v1::BreakGlass;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::registry::v1::{Portfolio, Project};
use milepost_proto::resource::TopLevel;
use milepost_resource::{
    By, Change, Checked, EventKind, Index, Name, Parent, PutBesides, Rules, Under, decode, instant,
};
use milepost_service::access::table;
use milepost_types::{Principal, PrincipalKind, Rejection, ResourceId, Violations, quoted, text};

use super::{check_expire_time, check_service_account};
use crate::tables::{Registry, Rows, Scope};

/// The most characters of a principal, as the schema says it.
const PRINCIPAL_CHARS: usize = 400;

/// The grants of each principal that are not revoked.
const BY_PRINCIPAL: Index =
    Index { tag: 26, under: 0, by: &[By::Field("principal")], live: true, when: &[], orders: false };

impl Rules<Registry> for Grant {
    type Above = Anywhere;

    const TABLE: u8 = 6;
    const TABLE_NAME: &'static str = "registry.grants";
    const ID_PREFIX: char = 'g';
    const PUT_BESIDES: Option<PutBesides> = Some(|rows, _, row| {
        table::put_grant(rows, &decode::<Self>(row)?);
        Ok(())
    });
    const INDEXES: &'static [Index] = &[BY_PRINCIPAL];

    fn check_field(&self, field: &str, violations: &mut Violations) {
        // The schema says that there must be one, on one line, and how long it may be.
        let is_whole = text::line(&*self.principal, PRINCIPAL_CHARS).is_ok();
        if field == "principal" && is_whole && !is_principal(&self.principal) {
            let description = format!(
                "{} is no principal; give user:ISSUER/SUBJECT, group:ISSUER/NAME, serviceaccount:ID or cert:URI",
                quoted(&self.principal)
            );
            violations.push("principal", "INVALID_PRINCIPAL", description);
        }
    }

    /// That an operator broke the glass is an event of its own.
    fn describe(
        _: &Scope<'_>,
        before: Option<&Checked<Self>>,
        after: &Checked<Self>,
        change: Change,
    ) -> Result<Change, Rejection> {
        let broken = before.is_none() && after.break_glass;
        let kind = || EventKind::custom("milepost.grant.break_glass", Payload::BreakGlass(BreakGlass {}));
        Ok(change.announcing(broken.then(|| Change::of(kind(), None, after.clone()))))
    }

    fn admit(scope: &Scope<'_>, _: Option<&Checked<Self>>, grant: &Checked<Self>) -> Result<(), Rejection> {
        check_open(&scope.rows, grant.name().parent_ids())?;
        let expire_time: Option<Timestamp> = instant(grant.expire_time.as_ref());
        check_expire_time(scope, "grant.expire_time", expire_time)?;
        let actor = &scope.context.actor;
        let own = [&actor.principal, &actor.on_behalf_of].contains(&&grant.principal);
        if own || scope.permit.holder().is_some_and(|holder| holder.groups.contains(&grant.principal)) {
            let description = "grant.principal: this is who asks, or a group of theirs; have another administrator grant it";
            return Err(Rejection::precondition("SELF_GRANT", grant.principal.clone(), description));
        }
        match service_account(&grant.principal) {
            Some(name) => check_service_account(scope, "grant.principal", &name),
            None => Ok(()),
        }
    }
}

/// What a grant is under: everything, a portfolio, or a project. That must be there, and may be deleted: a grant in it
/// can still be revoked.
pub(crate) struct Anywhere;

impl Parent<Registry> for Anywhere {
    fn check_open(rows: &Rows<'_>, ids: &[ResourceId]) -> Result<(), Rejection> {
        Self::check_there(rows, ids)
    }

    fn check_there(rows: &Rows<'_>, ids: &[ResourceId]) -> Result<(), Rejection> {
        Under::<Project>::check_there(rows, ids)
    }
}

/// Refuses what a grant cannot be made under.
fn check_open(rows: &Rows<'_>, ids: &[ResourceId]) -> Result<(), Rejection> {
    match ids.len() {
        0 => TopLevel::check_open(rows, ids),
        1 => Under::<Portfolio>::check_open(rows, ids),
        _ => Under::<Project>::check_open(rows, ids),
    }
}

/// Whether a text is a principal that can be proved.
fn is_principal(text: &str) -> bool {
    text.parse::<Principal>().is_ok_and(|principal| principal.kind() != PrincipalKind::Plain)
}

/// The service account that a principal is.
fn service_account(principal: &str) -> Option<Name<ServiceAccount>> {
    let id = principal.strip_prefix("serviceaccount:")?;
    Some(Name::under(&[], id.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use milepost_proto::access::v1 as schema;
    use milepost_types::Role;

    use super::*;

    #[test]
    fn only_a_service_account_is_looked_up() {
        let name = |text| service_account(text).map(|name| name.to_string());
        assert_eq!(name("serviceaccount:planner").as_deref(), Some("serviceAccounts/planner"));
        for text in ["serviceaccount:", "user:corp/planner", "planner"] {
            assert_eq!(name(text), None, "{text}");
        }
    }

    #[test]
    fn the_schema_has_the_roles_that_there_are() {
        let number = |role: Role| role as i32;
        for role in Role::ALL {
            let word = schema::Role::try_from(number(role)).unwrap().as_str_name();
            assert_eq!(word.strip_prefix("ROLE_").unwrap().to_lowercase(), role.as_str());
        }
        let others = (1..=64).filter(|number| schema::Role::try_from(*number).is_ok());
        assert!(others.eq(Role::ALL.map(number)));
    }
}
