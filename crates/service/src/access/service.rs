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

use super::guard::Permitted;
use super::table::{self, Held};
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
        let in_force = |rows: &dyn Read, principal: &str| -> Vec<HeldGrant> {
            let held = table::grants(rows, principal).filter(|held| held.holds_at(now));
            held.map(|held| message(held, principal)).collect()
        };
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
            response.grants = holder.principals().flat_map(|principal| in_force(rows, principal)).collect();
            response.grants_of_other = holder.other().map(|other| in_force(rows, other)).unwrap_or_default();
            response.first_administrator = holder.is_bootstrap && !table::had_administrator(rows);
        });
        Ok(response)
    }

    fn explain(&self, asked: &Permitted<ExplainAccessRequest>) -> Result<ExplainAccessResponse, Status> {
        let request = asked.get_ref();
        let action = read(request).map_err(|rejection| refusal::status(&rejection))?;
        let mut response = ExplainAccessResponse::default();
        asked.read_rows(&mut |rows| response = self.explained(rows, request, &action, self.clock.now()));
        Ok(response)
    }

    fn explained(
        &self,
        rows: &dyn Read,
        request: &ExplainAccessRequest,
        action: &Action,
        now: Timestamp,
    ) -> ExplainAccessResponse {
        let has = |role: Role| action.permissions.iter().any(|permission| role.has(*permission));
        let place = Place::of(&request.resource);
        // Of a method that answers with what may be seen, a part is enough.
        let is_there = |held: &Held| {
            held.place().covers(place) || (action.kind == RuleKind::Filtered && place.covers(held.place()))
        };
        let principals = || [&request.principal].into_iter().chain(&request.groups);
        let all = principals()
            .flat_map(|principal| table::grants(rows, principal).map(move |held| (held, principal.as_str())));
        let (grants, other_grants): (Vec<_>, Vec<_>) =
            all.partition(|(held, _)| held.holds_at(now) && has(held.role) && is_there(held));
        let messages = |held: Vec<(Held, &str)>| {
            held.into_iter().map(|(held, principal)| message(held, principal)).collect::<Vec<_>>()
        };
        let is_first = principals().any(|principal| self.bootstrap.contains(principal))
            && has(Role::Admin)
            && !table::had_administrator(rows);
        let is_free = matches!(action.kind, RuleKind::Public | RuleKind::Authenticated);
        ExplainAccessResponse {
            allowed: is_free || is_first || !grants.is_empty(),
            permissions: action.permissions.iter().map(ToString::to_string).collect(),
            grants: messages(grants),
            other_grants: messages(other_grants),
            roles: Role::ALL.into_iter().filter(|role| has(*role)).map(|role| role as i32).collect(),
            first_administrator: is_first,
        }
    }
}

/// What is to be explained.
struct Action {
    kind: RuleKind,
    permissions: &'static [Permission],
}

/// Reads a request.
///
/// # Errors
/// Everything that is wrong with it.
fn read(request: &ExplainAccessRequest) -> Result<Action, Rejection> {
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

/// The permission, or the method, that a text names.
fn action(text: &str) -> Option<Action> {
    let permission = Permission::ALL.iter().position(|permission| permission.as_str() == text);
    if let Some(at) = permission {
        return Some(Action { kind: RuleKind::Checked, permissions: &Permission::ALL[at..=at] });
    }
    let rule = RULES.iter().find(|rule| rule.method == text || name(rule) == text)?;
    Some(Action { kind: rule.kind, permissions: rule.permissions })
}

/// The name of a method without its service.
fn name(rule: &Rule) -> &'static str {
    rule.method.rsplit('/').next().unwrap_or_default()
}

fn message(held: Held, principal: &str) -> HeldGrant {
    HeldGrant {
        expire_time: held.expire_time().map(crate::value::instant_message),
        principal: principal.to_owned(),
        role: held.role as i32,
        name: held.name,
    }
}

#[cfg(test)]
mod tests {
    use milepost_proto::access::v1::Grant;
    use milepost_types::ManualClock;

    use super::super::tests::Rows;
    use super::*;

    const ANN: &str = "user:corp/ann";

    fn rows() -> Rows {
        let mut rows = Rows::default();
        let grants = [
            ("portfolios/a/grants/1", ANN, Role::Planner, None),
            ("portfolios/b/projects/x/grants/2", "group:corp/site", Role::Viewer, None),
            ("grants/3", ANN, Role::Manager, Some(1)),
        ];
        for (name, principal, role, ends) in grants {
            table::put_grant(
                &mut rows,
                &Grant {
                    name: name.into(),
                    principal: principal.into(),
                    role: role as i32,
                    expire_time: ends.map(|seconds| prost_types::Timestamp { seconds, nanos: 0 }),
                    etag: "7".into(),
                    ..Grant::default()
                },
            );
        }
        rows
    }

    fn explained(rows: &Rows, action_text: &str, resource: &str, groups: &[&str]) -> ExplainAccessResponse {
        let request = ExplainAccessRequest {
            principal: ANN.into(),
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
            action: action_text.into(),
            resource: resource.into(),
        };
        let now = "2021-05-13T02:00:00Z".parse().unwrap();
        let explainer = Explainer { bootstrap: vec![ANN.into()], clock: Arc::new(ManualClock::new(now)) };
        explainer.explained(rows, &request, &action(action_text).unwrap(), now)
    }

    fn names(grants: &[HeldGrant]) -> Vec<&str> {
        grants.iter().map(|grant| grant.name.as_str()).collect()
    }

    #[test]
    fn what_allows_it_is_named_and_what_does_not_is_too() {
        let rows = rows();
        let edit = explained(&rows, "UpdateMilestone", "portfolios/a/projects/x/milestones/m", &[]);
        assert!(edit.allowed);
        assert_eq!(
            (names(&edit.grants), names(&edit.other_grants)),
            (vec!["portfolios/a/grants/1"], vec!["grants/3"])
        );
        assert_eq!(edit.permissions, ["plan.edit"]);
        let approve = explained(&rows, "plan.approve", "portfolios/a", &[]);
        assert!(!approve.allowed && approve.grants.is_empty());
        assert_eq!(approve.roles, [Role::Approver as i32]);
        let elsewhere = explained(&rows, "plan.edit", "portfolios/ab", &[]);
        assert!(!elsewhere.allowed);
        let first = explained(&rows, "access.manage", "", &[]);
        assert!(first.allowed && first.first_administrator);
    }

    #[test]
    fn of_a_list_a_part_is_enough_and_groups_count_if_they_are_said() {
        let rows = rows();
        assert!(!explained(&rows, "ListProjects", "portfolios/b", &[]).allowed);
        let site = &["group:corp/site"][..];
        let list = explained(&rows, "ListProjects", "portfolios/b", site);
        assert_eq!(names(&list.grants), ["portfolios/b/projects/x/grants/2"]);
        assert!(!explained(&rows, "GetPortfolio", "portfolios/b", site).allowed);
        assert!(explained(&rows, "WhoAmI", "", &[]).allowed);
    }

    #[test]
    fn every_fault_of_a_request_is_named() {
        let request = ExplainAccessRequest {
            principal: String::new(),
            groups: vec!["a b".into()],
            action: "UpdateMilestome".into(),
            resource: "x".repeat(100_000),
        };
        let Err(Rejection::Invalid(violations)) = read(&request) else { panic!("accepted") };
        let text = violations.to_string();
        for part in ["principal", "groups[0]", "resource", "did you mean UpdateMilestone?"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
