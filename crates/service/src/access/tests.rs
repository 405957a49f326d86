//! Who may do what, on rows in a map.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use milepost_ledger::{Actor, Authentication, Direction, KeyRange, Read, RowIter, Write};
use milepost_proto::access::v1::{ApiToken, Grant, Role, ServiceAccount};
use milepost_proto::journal::v1::FollowRequest;
use milepost_proto::registry::v1::{
    BatchCreateProjectsRequest, CreateProjectRequest, GetProjectRequest, ListProjectsRequest, Project,
    UpdateProjectRequest,
};
use milepost_proto::rule::{AccessRequest, RuleKind};
use milepost_types::{ManualClock, Permission};

use super::caller_grants::{CallerGrants, GrantCache};
use super::*;
use crate::config::server::Server;
use crate::host::ServiceContext;

/// Rows in a map.
#[derive(Default)]
pub(super) struct Rows(BTreeMap<Vec<u8>, Bytes>);

impl Read for Rows {
    fn get(&self, key: &[u8]) -> Option<Bytes> {
        self.0.get(key).cloned()
    }

    fn scan<'a>(&'a self, range: &KeyRange, _: Direction) -> RowIter<'a> {
        let range = range.clone();
        let rows = self.0.iter().filter(move |(key, _)| range.contains(key));
        Box::new(rows.map(|(key, value)| (Bytes::from(key.clone()), value.clone())))
    }
}

impl Write for Rows {
    fn put(&mut self, key: Vec<u8>, value: Bytes) {
        self.0.insert(key, value);
    }

    fn delete(&mut self, key: &[u8]) {
        self.0.remove(key);
    }
}

fn now() -> Timestamp {
    "2021-05-27T04:00:00Z".parse().unwrap()
}

fn at(second: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds: now().as_second() + second, nanos: 0 })
}

fn grant(rows: &mut Rows, name: &str, principal: &str, role: Role) -> Grant {
    let grant = Grant {
        name: name.into(),
        principal: principal.into(),
        role: role.into(),
        etag: "7".into(),
        ..Grant::default()
    };
    table::put_grant(rows, &grant);
    grant
}

pub(super) fn holder(principal: &str) -> Holder {
    Holder {
        actor: Actor {
            principal: principal.into(),
            authentication: Authentication::Claimed,
            ..Actor::default()
        },
        groups: Vec::new(),
        expire_time: None,
        is_bootstrap: false,
    }
}

pub(super) fn on_behalf(principal: &str, other: &str) -> Holder {
    let mut holder = holder(principal);
    holder.actor.on_behalf_of = other.into();
    holder
}

fn asks<Q: AccessRequest>(rows: &Rows, holder: &Holder, request: &Q) -> bool {
    let permit = |known| Permit::of(Arc::new(holder.clone()), request, known);
    let is_allowed = permit(CallerGrants::read(rows, holder)).check_known(now()).is_ok();
    // What was known before the last change counts for nothing.
    assert_eq!(permit(CallerGrants::read(&Rows::default(), holder)).check(rows, now()).is_ok(), is_allowed);
    is_allowed
}

fn get(name: &str) -> GetProjectRequest {
    GetProjectRequest { name: name.into(), ..Default::default() }
}

#[test]
fn a_role_holds_where_it_was_granted_and_nowhere_else() {
    let mut rows = Rows::default();
    grant(&mut rows, "portfolios/ws/grants/g", "user:a/ann", Role::Viewer);
    let ann = holder("user:a/ann");
    assert!(asks(&rows, &ann, &get("portfolios/ws/projects/x")));
    for elsewhere in ["portfolios/wsc/projects/x", "portfolios/w/projects/x", "", "portfolios/-/projects/x"] {
        assert!(!asks(&rows, &ann, &get(elsewhere)), "{elsewhere}");
    }
    assert!(!asks(&rows, &holder("user:a/an"), &get("portfolios/ws/projects/x")));
    assert!(!asks(&rows, &holder("user:a/ann2"), &get("portfolios/ws/projects/x")));
}

#[test]
fn every_resource_that_a_request_names_is_checked() {
    let mut rows = Rows::default();
    grant(&mut rows, "portfolios/a/grants/g", "user:a/ann", Role::Manager);
    let ann = holder("user:a/ann");
    let project = |parent: &str| CreateProjectRequest { parent: parent.into(), ..Default::default() };
    let batch = |parents: &[&str]| BatchCreateProjectsRequest {
        parent: "portfolios/a".into(),
        requests: parents.iter().map(|parent| project(parent)).collect(),
        ..Default::default()
    };
    assert!(asks(&rows, &ann, &batch(&["", "portfolios/a"])));
    assert!(!asks(&rows, &ann, &batch(&["", "portfolios/b"])), "one foreign parent inside a batch");
    let update = |name: Option<&str>| UpdateProjectRequest {
        project: name.map(|name| Project { name: name.into(), ..Default::default() }),
        ..Default::default()
    };
    assert!(asks(&rows, &ann, &update(Some("portfolios/a/projects/x"))));
    assert!(!asks(&rows, &ann, &update(Some("portfolios/b/projects/x"))));
    assert!(!asks(&rows, &ann, &update(None)), "what names nothing is everything");
}

#[test]
fn a_list_is_allowed_where_a_part_of_it_may_be_seen() {
    let mut rows = Rows::default();
    grant(&mut rows, "portfolios/a/projects/x/grants/g", "user:a/ann", Role::Viewer);
    let ann = holder("user:a/ann");
    let list = |parent: &str| ListProjectsRequest { parent: parent.into(), ..Default::default() };
    assert!(asks(&rows, &ann, &list("portfolios/a")));
    assert!(asks(&rows, &ann, &list("portfolios/-")));
    assert!(!asks(&rows, &ann, &list("portfolios/b")));
    assert!(!asks(&rows, &holder("user:a/bob"), &list("portfolios/-")), "who may see nothing hears that");
}

#[test]
fn a_grant_ends_at_its_time_and_when_it_is_revoked() {
    let mut rows = Rows::default();
    let name = "portfolios/a/grants/g";
    let mut given = grant(&mut rows, name, "user:a/ann", Role::Viewer);
    let ann = holder("user:a/ann");
    let project = get("portfolios/a/projects/x");
    for (expire_time, allowed) in [(at(1), true), (at(0), false), (at(-1), false), (None, true)] {
        given.expire_time = expire_time;
        table::put_grant(&mut rows, &given);
        assert_eq!(asks(&rows, &ann, &project), allowed, "{expire_time:?}");
        assert_eq!(
            ann.next_end(&CallerGrants::read(&rows, &ann), now()).is_some(),
            expire_time.is_some() && allowed
        );
    }
    (given.delete_time, given.etag) = (at(0), "9".into());
    table::put_grant(&mut rows, &given);
    assert!(!asks(&rows, &ann, &project));
    assert_eq!(table::changed(&rows).sequence, 9);
}

#[test]
fn groups_have_roles_too() {
    let mut rows = Rows::default();
    grant(&mut rows, "grants/g", "group:a/planners", Role::Viewer);
    let ann = Holder { groups: vec!["group:a/planners".into()], ..holder("user:a/ann") };
    assert!(asks(&rows, &ann, &get("portfolios/a/projects/x")));
    assert!(ann.scopes(&CallerGrants::read(&rows, &ann), now(), &[Permission::ContentRead]).is_everywhere());
}

#[test]
fn on_behalf_of_another_it_takes_the_role_of_a_delegate_and_what_both_may_do() {
    let mut rows = Rows::default();
    let project = get("portfolios/a/projects/x");
    let portal = on_behalf("serviceaccount:portal", "user:a/ann");
    grant(&mut rows, "grants/one", "serviceaccount:portal", Role::Viewer);
    grant(&mut rows, "portfolios/a/grants/two", "user:a/ann", Role::Viewer);
    assert!(!asks(&rows, &portal, &project), "it is no delegate");
    grant(&mut rows, "portfolios/a/projects/x/grants/three", "serviceaccount:portal", Role::Delegate);
    assert!(asks(&rows, &portal, &project));
    assert!(!asks(&rows, &portal, &get("portfolios/a/projects/y")), "a delegate elsewhere");
    let seen =
        portal.scopes(&CallerGrants::read(&rows, &portal), now(), &[Permission::ContentRead]).to_string();
    assert_eq!(seen, "portfolios/a/projects/x");
    assert!(!asks(&rows, &on_behalf("serviceaccount:portal", "user:a/bob"), &project));
    grant(&mut rows, "grants/four", "serviceaccount:portal", Role::Admin);
    grant(&mut rows, "grants/five", "user:a/ann", Role::Admin);
    grant(&mut rows, "grants/six", "serviceaccount:portal", Role::Delegate);
    let place = milepost_types::Place::of("portfolios/a");
    assert!(
        !portal.may(&CallerGrants::read(&rows, &portal), now(), &[Permission::AccessManage], place),
        "never to change access"
    );
}

#[test]
fn the_first_administrator_is_one_until_another_was_granted_and_never_again() {
    let mut rows = Rows::default();
    let first = Holder { is_bootstrap: true, ..holder("cert:spiffe://office/first") };
    let everything = milepost_types::Place::of("");
    let manages = |rows: &Rows| {
        first.may(&CallerGrants::read(rows, &first), now(), &[Permission::AccessManage], everything)
    };
    assert!(manages(&rows));
    assert!(
        !first.may(&CallerGrants::read(&rows, &first), now(), &[Permission::ContentRead], everything),
        "and may do nothing else"
    );
    let mut other = grant(&mut rows, "grants/admin", "user:a/ann", Role::Admin);
    assert!(!manages(&rows));
    other.delete_time = at(0);
    table::put_grant(&mut rows, &other);
    assert!(!manages(&rows), "also when that one is revoked");
}

#[test]
fn a_token_is_known_until_it_or_its_service_account_ends() {
    let mut rows = Rows::default();
    let account = ServiceAccount { name: "serviceAccounts/portal".into(), ..Default::default() };
    let token = ApiToken {
        name: "apiTokens/t1".into(),
        service_account: account.name.clone(),
        expire_time: at(60),
        secret_sha256: vec![7; 32],
        ..Default::default()
    };
    table::put_token(&mut rows, &token);
    assert!(table::token(&rows, "t1").is_none(), "of no service account");
    table::put_service_account(&mut rows, &account);
    let found = table::token(&rows, "t1").unwrap();
    assert_eq!((found.hash, found.service_account.as_str()), ([7; 32], "portal"));
    assert!(table::token(&rows, "t").is_none());
    let gone = ServiceAccount { delete_time: at(0), ..account.clone() };
    table::put_service_account(&mut rows, &gone);
    assert!(table::token(&rows, "t1").is_none());
    table::put_service_account(&mut rows, &account);
    table::put_token(&mut rows, &ApiToken { delete_time: at(0), ..token });
    assert!(table::token(&rows, "t1").is_none());
}

/// The token `t1` of a service account, both put.
fn put_portal(rows: &mut Rows) -> (Holder, ApiToken, ServiceAccount) {
    let name = "serviceAccounts/portal".to_owned();
    let account = ServiceAccount { name: name.clone(), etag: "10".into(), ..Default::default() };
    let token = ApiToken {
        name: "apiTokens/t1".into(),
        service_account: name,
        expire_time: at(60),
        secret_sha256: vec![7; 32],
        etag: "10".into(),
        ..Default::default()
    };
    table::put_service_account(rows, &account);
    table::put_token(rows, &token);
    let mut portal = holder("serviceaccount:portal");
    portal.actor.authentication = Authentication::ApiToken;
    portal.actor.credential = "token:t1".into();
    (portal, token, account)
}

#[test]
fn a_service_account_that_was_there_before_a_restore_is_there_after_it_whatever_changed_since() {
    let mut rows = Rows::default();
    let (_, _, account) = put_portal(&mut rows);
    let at_sequence =
        |etag: &str, delete_time| ServiceAccount { etag: etag.into(), delete_time, ..account.clone() };
    table::put_service_account(&mut rows, &at_sequence("60", None));
    table::forget_after(&mut rows, 50);
    assert!(table::token(&rows, "t1").is_some(), "it was renamed");
    for (etag, delete_time) in [("60", at(0)), ("70", None)] {
        table::put_service_account(&mut rows, &at_sequence(etag, delete_time));
    }
    table::forget_after(&mut rows, 50);
    assert!(table::token(&rows, "t1").is_some(), "it was deleted and is back");
    table::put_service_account(&mut rows, &at_sequence("60", at(0)));
    table::forget_after(&mut rows, 50);
    assert!(table::token(&rows, "t1").is_none(), "what was revoked stays revoked");
    table::forget_after(&mut rows, 9);
    table::put_service_account(&mut rows, &account);
    assert!(table::token(&rows, "t1").is_none(), "the token is not there any more");
}

#[test]
fn who_holds_a_token_that_was_revoked_may_do_nothing() {
    let mut rows = Rows::default();
    let (mut portal, token, account) = put_portal(&mut rows);
    grant(&mut rows, "portfolios/a/grants/g", "serviceaccount:portal", Role::Viewer);
    let request = get("portfolios/a/projects/x");
    assert!(asks(&rows, &portal, &request));
    table::put_service_account(&mut rows, &ServiceAccount { delete_time: at(0), ..account.clone() });
    assert!(!asks(&rows, &portal, &request));
    table::put_service_account(&mut rows, &account);
    assert!(asks(&rows, &portal, &request));
    table::put_token(&mut rows, &ApiToken { delete_time: at(0), ..token });
    assert!(!asks(&rows, &portal, &request));
    portal.is_bootstrap = true;
    assert!(!asks(&rows, &portal, &request), "also as the first administrator");
    portal.actor.credential = "token:t2".into();
    assert!(!asks(&rows, &portal, &request), "of a token that there never was");
}

/// Rows that change while they are read by a guard.
#[derive(Default)]
struct SharedRows(parking_lot::Mutex<Rows>);

impl AccessRows for SharedRows {
    fn read(&self, read: &mut dyn FnMut(&dyn Read)) {
        read(&*self.0.lock());
    }

    fn age(&self) -> Option<std::time::Duration> {
        Some(std::time::Duration::ZERO)
    }
}

#[test]
fn a_stream_ends_when_its_grant_or_its_token_is_revoked_also_before_it_first_looked() {
    let config = Server {
        access: crate::config::access::Access { certificates: true, ..Default::default() },
        ..Server::default()
    };
    let context = ServiceContext::with_clock(&config, Arc::new(ManualClock::new(now())));
    let rows = Arc::new(SharedRows::default());
    let guard = Guard::new(&context, Arc::clone(&rows) as _);
    let (portal, token, account) = put_portal(&mut rows.0.lock());
    let given = grant(&mut rows.0.lock(), "grants/g", "serviceaccount:portal", Role::Follower);
    let permitted = || {
        let mut request = tonic::Request::new(FollowRequest::default());
        request.extensions_mut().insert(Authority::of(portal.clone()));
        guard.permit(request).map_err(|status| status.code())
    };
    let goes_on = |access: &mut StreamAccess| access.check(String::new).map_err(|status| status.code());
    let denied = Err(tonic::Code::PermissionDenied);

    let (mut open, late) = (permitted().unwrap().stream_access(&[]), permitted().unwrap());
    assert_eq!(goes_on(&mut open), Ok(()));
    table::put_token(
        &mut *rows.0.lock(),
        &ApiToken { delete_time: at(0), etag: "11".into(), ..token.clone() },
    );
    assert_eq!(goes_on(&mut open), denied, "its token was revoked");
    let mut late = late.stream_access(&[]);
    assert_eq!(goes_on(&mut late), denied, "between the permit and the first look");
    assert_eq!(permitted().err(), Some(tonic::Code::PermissionDenied));

    table::put_token(&mut *rows.0.lock(), &ApiToken { etag: "12".into(), ..token });
    let mut open = permitted().unwrap().stream_access(&[]);
    let gone = ServiceAccount { delete_time: at(0), etag: "13".into(), ..account.clone() };
    table::put_service_account(&mut *rows.0.lock(), &gone);
    assert_eq!(goes_on(&mut open), denied, "its service account was deleted");

    table::put_service_account(&mut *rows.0.lock(), &ServiceAccount { etag: "14".into(), ..account });
    let (mut open, late) = (permitted().unwrap().stream_access(&[]), permitted().unwrap());
    let revoked = Grant { delete_time: at(0), etag: "15".into(), ..given };
    table::put_grant(&mut *rows.0.lock(), &revoked);
    assert_eq!(goes_on(&mut open), denied);
    assert_eq!(goes_on(&mut late.stream_access(&[])), denied);
}

#[test]
fn scopes_keep_what_is_widest_and_are_equal_if_they_allow_the_same() {
    let scopes = |names: &[&str]| -> Scopes {
        names.iter().filter_map(|name| milepost_types::Place::of(name).scope()).collect()
    };
    let all = scopes(&["portfolios/a/projects/x", "portfolios/b", "portfolios/a", "portfolios/a"]);
    assert_eq!(all, scopes(&["portfolios/b", "portfolios/a"]));
    assert_eq!(all.to_string(), "portfolios/a, portfolios/b");
    assert_eq!(scopes(&["portfolios/a", ""]), Scopes::everywhere());
    let both = all.in_common(&scopes(&["portfolios/a/projects/x", "portfolios/c"]));
    assert_eq!(both, scopes(&["portfolios/a/projects/x"]));
    assert_eq!(all.within(milepost_types::Place::of("portfolios/a/projects/-")), scopes(&["portfolios/a"]));
}

#[test]
fn the_documented_table_of_roles_and_permissions_is_what_holds() {
    let documented = include_str!("../../../../proto/README.md");
    let cells = |line: &'static str| -> Vec<&'static str> {
        line.trim_matches('|').split('|').map(str::trim).collect()
    };
    let mut lines = documented.lines().skip_while(|line| !line.starts_with("| permission |"));
    let roles = cells(lines.next().expect("the table's head"));
    let rows = lines.skip(1).take_while(|line| line.starts_with('|')).map(cells);
    let mut seen = Vec::new();
    for row in rows {
        let permission = Permission::ALL.into_iter().find(|permission| permission.as_str() == row[0]);
        let permission = permission.unwrap_or_else(|| panic!("{} is no permission", row[0]));
        for (role, mark) in roles.iter().zip(&row).skip(2) {
            let role: milepost_types::Role = role.parse().unwrap();
            assert_eq!(*mark == "✓", role.has(permission), "{permission} {role}");
        }
        seen.push(permission);
    }
    assert_eq!((seen, roles.len() - 2), (Permission::ALL.to_vec(), milepost_types::Role::ALL.len()));
}

#[test]
fn every_method_is_allowed_to_the_roles_with_its_permission_in_their_scope_and_to_nobody_else() {
    let place = milepost_types::Place::of;
    let (own, other) = ("portfolios/a/projects/x", "portfolios/b/projects/x");
    for rule in milepost_proto::rule::RULES {
        let kind_needs_one = matches!(rule.kind, RuleKind::Checked | RuleKind::Filtered);
        assert_eq!(kind_needs_one, !rule.permissions.is_empty(), "{}", rule.method);
        for role in milepost_types::Role::ALL.into_iter().filter(|_| kind_needs_one) {
            let mut rows = Rows::default();
            let wire = Role::try_from(role as i32).unwrap();
            grant(&mut rows, "portfolios/a/grants/g", "user:a/ann", wire);
            let (ann, bob) = (holder("user:a/ann"), holder("user:a/bob"));
            let has = rule.permissions.iter().any(|permission| role.has(*permission));
            let may = |who: &Holder, name| {
                who.may(&CallerGrants::read(&rows, who), now(), rule.permissions, place(name))
            };
            assert_eq!(may(&ann, own), has, "{} {role}", rule.method);
            assert!(!may(&ann, other) && !may(&ann, "") && !may(&bob, own), "{} {role}", rule.method);
        }
    }
}

#[test]
fn grants_that_were_read_before_are_read_again_after_any_change_also_one_of_the_same_sequence() {
    let (mut rows, grants) = (Rows::default(), GrantCache::default());
    let ann = holder("user:a/ann");
    let place = milepost_types::Place::of("portfolios/a");
    let reads = |rows: &Rows| {
        let known = grants.known(rows, &ann);
        let is_allowed = ann.may(&known, now(), &[Permission::ContentRead], place);
        assert_eq!(
            is_allowed,
            ann.may(&CallerGrants::read(rows, &ann), now(), &[Permission::ContentRead], place)
        );
        is_allowed
    };
    assert!(!reads(&rows));
    let mut given = grant(&mut rows, "portfolios/a/grants/g", "user:a/ann", Role::Viewer);
    assert!(reads(&rows) && reads(&rows));
    (given.delete_time, given.etag) = (at(0), "9".into());
    table::put_grant(&mut rows, &given);
    assert!(!reads(&rows));
    (given.delete_time, given.etag) = (None, "10".into());
    table::put_grant(&mut rows, &given);
    assert!(reads(&rows));
    // The registry was restored to before that, and entry 10 says something else now.
    table::forget_after(&mut rows, 9);
    let mut other = given.clone();
    other.principal = "user:a/bob".into();
    table::put_grant(&mut rows, &other);
    assert_eq!(table::changed(&rows).sequence, 10);
    assert!(!reads(&rows));
}
