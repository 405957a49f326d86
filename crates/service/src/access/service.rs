//! `milepost.access.v1.AccessService`: what grants come to, as this process knows them.
//!
//! Invariant: answers by the same rows, and by the same rules, as calls are decided on. Does not change anything.

use std::sync::Arc;

use http::Request;
use jiff::Timestamp;
use milepost_ledger::{self as ledger, Read};
use milepost_proto::access::v1::{
    ExplainAccessRequest, ExplainAccessResponse, HeldGrant, WhoAmIRequest, WhoAmIResponse,
};
use milepost_proto::rule::{RULES, Rule, RuleKind};
use milepost_types::suggest::nearest;
use milepost_types::{Clock, Permission, Place, Principal, Rejection, Role, Violations, limits, quoted};
use tonic::Status;
use tonic::body::Body;

use super::caller_grants::CallerGrants;
use super::guard::Permitted;
use super::held::{Holder, own_scopes};
use super::permit;
use super::scopes::Scopes;
use super::table::{self, GrantRow};
use crate::config::access;
use crate::host::ServiceContext;
use crate::host::raw::{Calls, RawMethods, RawService, ResponseFuture, unary};
use crate::refusal;
use crate::request::Caller;

/// Groups that one explanation is of, at most.
const GROUPS: usize = 200;

/// The service over the rows of this process, for a server's routes.
#[derive(Clone)]
pub struct AccessRoutes {
    explainer: Arc<Explainer>,
    calls: Calls,
}

impl AccessRoutes {
    /// The gRPC service.
    pub fn service(context: &ServiceContext, config: &access::Access) -> RawService<Self> {
        let (bootstrap, clock) = (config.bootstrap_administrators.clone(), Arc::clone(&context.clock));
        let explainer = Arc::new(Explainer { bootstrap, clock });
        RawService(Self { explainer, calls: Calls::of_process(context) })
    }
}

impl RawMethods for AccessRoutes {
    const NAME: &'static str = "milepost.access.v1.AccessService";

    fn answer(&self, method: &str, request: Request<Body>) -> Option<ResponseFuture> {
        let (explainer, calls) = (&self.explainer, &self.calls);
        Some(match method {
            "WhoAmI" => unary(explainer, calls, request, |explainer, asked| async move {
                explainer.who_am_i(&asked).map(tonic::Response::new)
            }),
            "ExplainAccess" => unary(explainer, calls, request, |explainer, asked| async move {
                explainer.explain(&asked).map(tonic::Response::new)
            }),
            _ => return None,
        })
    }
}

struct Explainer {
    /// Administrators, as long as no other was ever granted.
    bootstrap: Vec<String>,
    clock: Arc<dyn Clock>,
}

impl Explainer {
    fn who_am_i(&self, asked: &Permitted<WhoAmIRequest>) -> Result<WhoAmIResponse, Status> {
        let Some(holder) = asked.permit().holder() else {
            let caller = Caller::of_permitted(asked).map_err(|rejection| refusal::status(&rejection))?;
            return Ok(WhoAmIResponse { principal: caller.actor.principal, ..WhoAmIResponse::default() });
        };
        let now = self.clock.now();
        let ledger::Actor { principal, on_behalf_of, credential, .. } = holder.actor.clone();
        let mut response = WhoAmIResponse {
            principal,
            on_behalf_of,
            credential,
            groups: holder.groups.clone(),
            credential_expire_time: holder.expire_time.map(crate::value::instant_message),
            ..WhoAmIResponse::default()
        };
        asked.read_rows(&mut |rows| {
            let known = CallerGrants::read(rows, holder);
            let own = holder.principals().zip(&known.own);
            let everywhere = Scopes::everywhere();
            response.grants =
                own.flat_map(|(principal, held)| in_force(held, principal, &everywhere, now)).collect();
            // Of whom it may not act for, it learns nothing: also not whether there is something.
            let as_delegate = own_scopes(&known, now, &[Permission::ActOnBehalf]);
            let other = holder.other().into_iter().zip(&known.other);
            response.grants_of_other =
                other.flat_map(|(principal, held)| in_force(held, principal, &as_delegate, now)).collect();
            response.first_administrator =
                holder.is_bootstrap && holder.other().is_none() && !known.had_administrator;
        });
        Ok(response)
    }

    fn explain(&self, asked: &Permitted<ExplainAccessRequest>) -> Result<ExplainAccessResponse, Status> {
        let request = asked.get_ref();
        let rule = read(request).map_err(|rejection| refusal::status(&rejection))?;
        let now = self.clock.now();
        let mut response = ExplainAccessResponse::default();
        asked.read_rows(&mut |rows| {
            let seen = asked.permit().scopes(rows, now);
            response = self.explained(rows, request, &rule, &seen, now);
        });
        Ok(response)
    }

    /// The answer to who may see the grants in these scopes.
    fn explained(
        &self,
        rows: &dyn Read,
        request: &ExplainAccessRequest,
        rule: &Rule,
        seen: &Scopes,
        now: Timestamp,
    ) -> ExplainAccessResponse {
        let holder = self.holder(request);
        let place = Place::of(&request.resource);
        // What holds on the resource is the affair of whoever asks about it, wherever it was granted.
        let is_seen = |held: &GrantRow| seen.cover(held.place()) || held.place().covers(place);
        let of = |principal| table::grants(rows, principal).map(move |held| (held, principal));
        let held: Vec<_> = holder.principals().flat_map(of).filter(|(held, _)| is_seen(held)).collect();
        // A request of what has no paths names nothing.
        let names = if rule.paths.is_empty() { Vec::new() } else { vec![request.resource.clone()] };
        let may = |grants: Arc<[GrantRow]>, had_administrator| {
            permit::check(&holder, &CallerGrants::of_grants(grants, had_administrator), now, rule, &names)
                .is_ok()
        };
        let had_administrator = table::had_administrator(rows);
        let is_free = may(Arc::default(), true);
        let allowed = may(held.iter().map(|(held, _)| held.clone()).collect(), had_administrator);
        let (grants, other_grants): (Vec<_>, Vec<_>) =
            held.into_iter().partition(|(held, _)| !is_free && may(Arc::from([held.clone()]), true));
        let messages = |held: Vec<(GrantRow, &str)>| {
            held.into_iter().map(|(held, principal)| message(&held, principal)).collect::<Vec<_>>()
        };
        let has = |role: &Role| rule.permissions.iter().any(|permission| role.has(*permission));
        ExplainAccessResponse {
            allowed,
            permissions: rule.permissions.iter().map(ToString::to_string).collect(),
            grants: messages(grants),
            other_grants: messages(other_grants),
            roles: Role::ALL.into_iter().filter(has).map(|role| role as i32).collect(),
            first_administrator: !is_free && may(Arc::default(), had_administrator),
        }
    }

    /// The principal that is asked about, as if it called.
    fn holder(&self, request: &ExplainAccessRequest) -> Holder {
        let mut principals = [&request.principal].into_iter().chain(&request.groups);
        Holder {
            is_bootstrap: principals.any(|principal| self.bootstrap.contains(principal)),
            actor: ledger::Actor { principal: request.principal.clone(), ..ledger::Actor::default() },
            groups: request.groups.clone(),
            expire_time: None,
        }
    }
}

/// Those of a principal's grants that are in force, and within these scopes.
fn in_force(held: &[GrantRow], principal: &str, seen: &Scopes, now: Timestamp) -> Vec<HeldGrant> {
    let held = held.iter().filter(|held| held.holds_at(now) && seen.cover(held.place()));
    held.map(|held| message(held, principal)).collect()
}

/// Reads what is to be explained.
///
/// # Errors
/// Everything that is wrong with the request.
fn read(request: &ExplainAccessRequest) -> Result<Rule, Rejection> {
    let mut violations = Violations::new();
    let filled = |text: &str| Some(()).filter(|()| !text.is_empty());
    if violations.require("principal", filled(&request.principal)).is_some() {
        violations.check("principal", request.principal.parse::<Principal>());
    }
    for (i, group) in request.groups.iter().take(GROUPS).enumerate() {
        violations.check(format!("groups[{i}]"), group.parse::<Principal>());
    }
    if request.groups.len() > GROUPS {
        violations.push("groups", "TOO_MANY", format!("give at most {GROUPS}"));
    }
    if request.resource.chars().count() > limits::NAME_CHARS {
        violations.push(
            "resource",
            "TOO_LONG",
            format!("a name has at most {} characters", limits::NAME_CHARS),
        );
    }
    let action = action(&request.action);
    if violations.require("action", filled(&request.action)).is_some() && action.is_none() {
        let known = Permission::ALL.iter().map(|known| known.as_str());
        let all = known.chain(RULES.iter().map(|rule| name(rule)));
        let meant = nearest(&request.action, all).map(|meant| format!("; did you mean {meant}?"));
        let description = format!(
            "{} is no permission and no method{}",
            quoted(&request.action),
            meant.as_deref().unwrap_or("; give one as in plan.edit or UpdateMilestone")
        );
        violations.push("action", "UNKNOWN_ACTION", description);
    }
    Ok(violations.finish(action)?)
}

/// Who may do what a text names: a permission, as if one method had it, or a method.
fn action(text: &str) -> Option<Rule> {
    let permission = Permission::ALL.iter().position(|permission| permission.as_str() == text);
    if let Some(at) = permission {
        let permissions = &Permission::ALL[at..=at];
        return Some(Rule { method: "", kind: RuleKind::Checked, permissions, paths: &["resource"] });
    }
    let rule = RULES.iter().find(|rule| rule.method == text || name(rule) == text)?;
    Some(Rule { ..**rule })
}

/// The name of a method without its service.
fn name(rule: &Rule) -> &'static str {
    rule.method.rsplit('/').next().unwrap_or_default()
}

fn message(held: &GrantRow, principal: &str) -> HeldGrant {
    HeldGrant {
        expire_time: held.expire_time().map(crate::value::instant_message),
        principal: principal.to_owned(),
        role: held.role as i32,
        name: held.name.clone(),
    }
}

#[cfg(test)]
mod tests;
