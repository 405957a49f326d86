//! What a call was allowed to do, to be checked again where it is decided.
//!
//! Invariant: a permit names the resources of its request, and is good for nothing else. Where nothing is configured
//! that tells who calls, it allows everything.

use std::sync::Arc;

use jiff::Timestamp;
use milepost_ledger::Read;
use milepost_proto::rule::{AccessRequest, Rule, RuleKind};
use milepost_types::{Permission, Place, Rejection};

use super::caller_grants::CallerGrants;
use super::held::Holder;
use super::scopes::Scopes;
use super::table::Changed;

/// What a call was allowed to do.
#[derive(Debug, Clone)]
pub struct Permit(Option<Arc<CheckedCall>>);

#[derive(Debug)]
struct CheckedCall {
    holder: Arc<Holder>,
    rule: &'static Rule,
    /// The resources that the request names.
    names: Vec<String>,
    /// The grants of the caller when it asked.
    known: CallerGrants,
}

impl Permit {
    /// Allows everything: the server itself acts, or nothing tells who calls.
    pub fn of_system() -> Self {
        Self(None)
    }

    /// What a caller asks for, whose grants are these.
    pub(crate) fn of<Q: AccessRequest>(holder: Arc<Holder>, request: &Q, known: CallerGrants) -> Self {
        let mut names = Vec::new();
        request.visit_resources(&mut |name| names.push(name.to_owned()));
        Self(Some(Arc::new(CheckedCall { holder, rule: Q::RULE, names, known })))
    }

    /// Refuses what the caller may not do, as these rows have it.
    ///
    /// # Errors
    /// The first permission that is missing.
    pub fn check(&self, rows: &dyn Read, now: Timestamp) -> Result<(), Rejection> {
        let Some(asked) = &self.0 else { return Ok(()) };
        asked.with_known(rows, |known| asked.check(known, now))
    }

    /// The same, with the grants that the caller had when it asked.
    pub(super) fn check_known(&self, now: Timestamp) -> Result<(), Rejection> {
        self.0.as_ref().map_or(Ok(()), |asked| asked.check(&asked.known, now))
    }

    /// Where the caller has what the method needs.
    pub fn scopes(&self, rows: &dyn Read, now: Timestamp) -> Scopes {
        let Some(asked) = &self.0 else { return Scopes::everywhere() };
        asked.with_known(rows, |known| asked.holder.scopes(known, now, asked.rule.permissions))
    }

    /// Where the caller has a permission.
    pub fn scopes_of(&self, rows: &dyn Read, now: Timestamp, permission: Permission) -> Scopes {
        let Some(asked) = &self.0 else { return Scopes::everywhere() };
        asked.with_known(rows, |known| asked.holder.scopes(known, now, &[permission]))
    }

    /// When the next of the caller's grants ends by itself, or its credential.
    pub(super) fn next_end(&self, rows: &dyn Read, now: Timestamp) -> Option<Timestamp> {
        let asked = self.0.as_ref()?;
        asked.with_known(rows, |known| asked.holder.next_end(known, now))
    }

    /// The last change of access that the call was allowed after.
    pub(super) fn changed(&self) -> Changed {
        self.0.as_ref().map_or_else(Changed::default, |asked| asked.known.changed())
    }

    /// Who calls; none where that is not known, and everything is allowed.
    pub fn holder(&self) -> Option<&Arc<Holder>> {
        self.0.as_ref().map(|asked| &asked.holder)
    }
}

impl CheckedCall {
    /// Does something with the grants of the caller as these rows have them.
    fn with_known<T>(&self, rows: &dyn Read, act: impl FnOnce(&CallerGrants) -> T) -> T {
        if self.known.is_of(rows) { act(&self.known) } else { act(&CallerGrants::read(rows, &self.holder)) }
    }

    fn check(&self, known: &CallerGrants, now: Timestamp) -> Result<(), Rejection> {
        check(&self.holder, known, now, self.rule, &self.names)
    }
}

/// The decision: refuses a holder of these grants what a rule is about, if it may not do that to what is named.
///
/// # Errors
/// The first permission that is missing.
pub(super) fn check(
    holder: &Holder,
    known: &CallerGrants,
    now: Timestamp,
    rule: &Rule,
    names: &[String],
) -> Result<(), Rejection> {
    let denied = |name: &str| Err(Rejection::denied(rule.permissions, name));
    match rule.kind {
        RuleKind::Public | RuleKind::Authenticated => Ok(()),
        RuleKind::Checked => {
            let everything = [String::new()];
            let names: &[String] = if rule.paths.is_empty() { &everything } else { names };
            let mut missing =
                names.iter().filter(|name| !holder.may(known, now, rule.permissions, Place::of(name)));
            missing.next().map_or(Ok(()), |name| denied(name))
        }
        RuleKind::Filtered => {
            let scopes = holder.scopes(known, now, rule.permissions);
            let anywhere = [String::new()];
            let names: &[String] = if names.is_empty() { &anywhere } else { names };
            let mut unseen = names.iter().filter(|name| scopes.within(Place::of(name)).is_empty());
            unseen.next().map_or(Ok(()), |name| denied(name))
        }
    }
}
