//! Who calls and why somebody may do something, as those learn it who ask.

use milepost_proto::access::v1::Grant;
use milepost_proto::rule::AccessRequest;
use milepost_types::ManualClock;

use super::super::guard::{AccessRows, Guard};
use super::super::tests::{Rows, holder, on_behalf};
use super::super::{Access, Authority};
use super::*;
use crate::config::server::Server;

const ANN: &str = "user:corp/ann";

/// A grant: its name, the principal, the role, and the second in which it ends.
type Given = (&'static str, &'static str, Role, Option<i64>);

fn granted(grants: &[Given]) -> Rows {
    let mut rows = Rows::default();
    for (name, principal, role, ends) in grants {
        table::put_grant(
            &mut rows,
            &Grant {
                name: (*name).into(),
                principal: (*principal).into(),
                role: *role as i32,
                expire_time: ends.map(|seconds| prost_types::Timestamp { seconds, nanos: 0 }),
                etag: "7".into(),
                ..Grant::default()
            },
        );
    }
    rows
}

fn rows() -> Rows {
    granted(&[
        ("portfolios/a/grants/1", ANN, Role::Planner, None),
        ("portfolios/b/projects/x/grants/2", "group:corp/site", Role::Viewer, None),
        ("grants/3", ANN, Role::Manager, Some(1)),
    ])
}

fn now() -> Timestamp {
    "2021-05-13T02:00:00Z".parse().unwrap()
}

fn explainer() -> Explainer {
    Explainer { bootstrap: vec![ANN.into()], clock: Arc::new(ManualClock::new(now())) }
}

fn explained(rows: &Rows, action_text: &str, resource: &str, groups: &[&str]) -> ExplainAccessResponse {
    let request = ExplainAccessRequest {
        principal: ANN.into(),
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        action: action_text.into(),
        resource: resource.into(),
    };
    explainer().explained(rows, &request, &action(action_text).unwrap(), &Scopes::everywhere(), now())
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
    assert!(first.allowed && first.first_administrator && first.grants.is_empty());
}

#[test]
fn what_names_no_resource_takes_the_permission_everywhere_whatever_resource_is_asked_about() {
    let given = |name| (name, ANN, Role::Admin, None);
    for (rows, allowed) in
        [(granted(&[given("portfolios/a/grants/1")]), false), (granted(&[given("grants/2")]), true)]
    {
        for method in ["CreateApiToken", "CreateServiceAccount", "ListServiceAccounts"] {
            let answer = explained(&rows, method, "portfolios/a", &[]);
            assert_eq!(
                (answer.allowed, answer.grants.len(), answer.other_grants.len()),
                (allowed, usize::from(allowed), usize::from(!allowed)),
                "{method}"
            );
        }
        assert!(explained(&rows, "DeletePortfolio", "portfolios/a", &[]).allowed);
    }
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

#[test]
fn of_every_method_the_explanation_is_what_the_decision_is() {
    let names = ["", "portfolios/a", "portfolios/b/projects/x", "portfolios/b/projects/x/milestones/m"];
    let places = ["grants/g", "portfolios/a/grants/g", "portfolios/b/projects/x/grants/g"];
    let expired = ("portfolios/c/grants/h", ANN, Role::Follower, Some(1));
    let ann = Holder { is_bootstrap: true, ..holder(ANN) };
    let mut allowed = 0;
    for (role, place) in Role::ALL.into_iter().flat_map(|role| places.map(|place| (role, place))) {
        let rows = granted(&[(place, ANN, role, None), expired]);
        let known = CallerGrants::read(&rows, &ann);
        for (rule, name) in RULES.iter().flat_map(|rule| names.map(|name| (rule, name))) {
            let asked: Vec<_> = rule.paths.iter().map(|_| name.to_owned()).collect();
            let decided = permit::check(&ann, &known, now(), rule, &asked).is_ok();
            let answer = explained(&rows, rule.method, name, &[]);
            assert_eq!(answer.allowed, decided, "{} {name}: {role} by {place}", rule.method);
            allowed += usize::from(decided);
        }
    }
    assert!(allowed > 0);
}

/// A server of these grants, as calls come to it.
struct Office {
    guard: Guard,
    explainer: Explainer,
}

impl AccessRows for Rows {
    fn read(&self, read: &mut dyn FnMut(&dyn Read)) {
        read(self);
    }

    fn age(&self) -> Option<std::time::Duration> {
        Some(std::time::Duration::ZERO)
    }
}

impl Office {
    fn of(grants: &[Given]) -> Self {
        let mut context = ServiceContext::with_clock(&Server::default(), Arc::new(ManualClock::new(now())));
        context.access = Access::enforced(std::time::Duration::from_secs(1));
        Self { guard: Guard::new(&context, Arc::new(granted(grants))), explainer: explainer() }
    }

    fn permit<Q: AccessRequest>(&self, who: Holder, request: Q) -> Permitted<Q> {
        let mut request = tonic::Request::new(request);
        request.extensions_mut().insert(Authority::of(who));
        self.guard.permit(request).unwrap()
    }

    fn who_am_i(&self, who: Holder) -> WhoAmIResponse {
        self.explainer.who_am_i(&self.permit(who, WhoAmIRequest {})).unwrap()
    }

    /// What one learns who asks whether another may do something in portfolio `a`.
    fn explain(&self, who: &str, principal: &str, action: &str) -> ExplainAccessResponse {
        let request = ExplainAccessRequest {
            principal: principal.into(),
            action: action.into(),
            resource: "portfolios/a".into(),
            ..ExplainAccessRequest::default()
        };
        self.explainer.explain(&self.permit(holder(who), request)).unwrap()
    }
}

#[test]
fn of_another_only_those_grants_are_told_that_lie_where_the_caller_may_act_for_others() {
    let office = Office::of(&[
        ("portfolios/a/grants/1", "serviceaccount:portal", Role::Delegate, None),
        ("portfolios/b/grants/2", "serviceaccount:portal", Role::Viewer, None),
        ("portfolios/c/grants/3", "serviceaccount:portal", Role::Delegate, Some(1)),
        ("portfolios/a/projects/x/grants/4", "user:corp/boss", Role::Manager, None),
        ("portfolios/a/grants/5", "user:corp/boss", Role::Viewer, Some(1)),
        ("portfolios/b/grants/6", "user:corp/boss", Role::Manager, None),
        ("portfolios/c/grants/7", "user:corp/boss", Role::Manager, None),
        ("grants/8", "user:corp/boss", Role::Auditor, None),
        ("portfolios/b/grants/9", "user:corp/bob", Role::Manager, None),
    ]);
    let portal = |other: &str| on_behalf("serviceaccount:portal", other);
    let boss = office.who_am_i(portal("user:corp/boss"));
    assert_eq!(names(&boss.grants_of_other), ["portfolios/a/projects/x/grants/4"]);
    assert_eq!(names(&boss.grants), ["portfolios/a/grants/1", "portfolios/b/grants/2"]);
    assert_eq!(boss.on_behalf_of, "user:corp/boss");
    assert!(office.who_am_i(holder("user:corp/boss")).grants.len() > 3, "each learns all of its own");
    // Who has grants elsewhere gets the answer of who has none.
    let answer = |who: &str, other: &str| {
        let answer = office.who_am_i(on_behalf(who, other));
        WhoAmIResponse { on_behalf_of: String::new(), ..answer }
    };
    let none = answer("serviceaccount:portal", "user:corp/none");
    assert_eq!(answer("serviceaccount:portal", "user:corp/bob"), none);
    // And who may act for nobody learns of nobody.
    for other in ["user:corp/boss", "serviceaccount:portal"] {
        assert_eq!(answer("user:corp/zed", other), answer("user:corp/zed", "user:corp/none"), "{other}");
    }
}

#[test]
fn an_explanation_shows_only_what_holds_on_the_resource_or_lies_where_its_caller_may_see_grants() {
    let office = Office::of(&[
        ("portfolios/a/grants/1", "user:corp/admin", Role::Admin, None),
        ("portfolios/a/grants/2", "user:corp/auditor", Role::Auditor, None),
        ("grants/3", "user:corp/chief", Role::Admin, None),
        ("grants/4", "user:corp/bob", Role::Viewer, None),
        ("grants/5", "user:corp/bob", Role::Viewer, Some(1)),
        ("portfolios/a/projects/x/grants/6", "user:corp/bob", Role::Planner, None),
        ("portfolios/b/grants/7", "user:corp/bob", Role::Planner, None),
        ("portfolios/b/grants/8", "user:corp/bob", Role::Viewer, Some(1)),
        ("portfolios/b/grants/9", "user:corp/dan", Role::Viewer, None),
    ]);
    for who in ["user:corp/admin", "user:corp/auditor"] {
        let read = office.explain(who, "user:corp/bob", "content.read");
        assert_eq!(names(&read.grants), ["grants/4"], "{who}");
        assert_eq!(names(&read.other_grants), ["grants/5", "portfolios/a/projects/x/grants/6"], "{who}");
        // Who has grants elsewhere gets the answer of who has none: also of a method that takes one anywhere.
        for action in ["content.read", "ListPortfolios", "GetPortfolio"] {
            let answer = |principal| office.explain(who, principal, action);
            assert_eq!(answer("user:corp/dan"), answer("user:corp/none"), "{who} {action}");
        }
    }
    let read = office.explain("user:corp/chief", "user:corp/bob", "content.read");
    assert_eq!((read.grants.len(), read.other_grants.len()), (1, 4));
    assert!(office.explain("user:corp/chief", "user:corp/dan", "ListPortfolios").allowed);
}
