//! Who may call what, on a real server: every method of every service, for every role: held everywhere, in the part that is
//! asked about, in another, and by nobody.
//!
//! What is expected is written down here by hand, as it was decided: not what the schemas say. Invariant: a method that
//! is not in the table below fails the test.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use http::uri::PathAndQuery;
use milepost_client::Client;
use milepost_proto::rule::RULES;
use milepost_tests::protected::Protected;
use milepost_types::LedgerKind;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, ReflectMessage, Value};
use tonic::{Code, Request};

/// Each permission, the roles that have it, and the methods that it allows.
const TABLE: &[(&[&str], &str)] = &[
    (
        &["viewer", "reporter", "planner", "inspector", "approver", "manager", "publisher", "auditor"],
        "GetPortfolio ListPortfolios GetOrganization ListOrganizations GetProject ListProjects BatchGetProjects GetPhase \
         ListPhases GetBatch ListBatches GetMilestone ListMilestones ListMilestoneForecasts GetCurrentDate ListEvents \
         GetEvent GetLogInfo WatchEvents",
    ),
    (
        &["reporter", "planner", "manager"],
        "ReforecastMilestone AchieveMilestone PartiallyAchieveMilestone MissMilestone AddMilestoneEvidence",
    ),
    (
        &["planner", "manager"],
        "CreateMilestone UpdateMilestone DeleteMilestone UndeleteMilestone BatchCreateMilestones CancelMilestone \
         ReopenMilestone CreatePhase UpdatePhase DeletePhase UndeletePhase UpdateProject",
    ),
    (&["approver"], "RebaselineMilestone"),
    (
        &["manager"],
        "CreateProject DeleteProject UndeleteProject BatchCreateProjects PrepareProject StartProject CompleteProject \
         CommissionProject SuspendProject ResumeProject CancelProject CreateBatch UpdateBatch DeleteBatch UndeleteBatch \
         AddBatchMembers RemoveBatchMembers StartBatch CancelBatch AdvanceDate CreateOrganization UpdateOrganization \
         DeleteOrganization UndeleteOrganization",
    ),
    (
        &["admin"],
        "CreatePortfolio UpdatePortfolio DeletePortfolio UndeletePortfolio CreateGrant DeleteGrant \
         CreateServiceAccount GetServiceAccount ListServiceAccounts UpdateServiceAccount DeleteServiceAccount \
         UndeleteServiceAccount CreateApiToken GetApiToken ListApiTokens DeleteApiToken",
    ),
    (&["admin", "auditor"], "ExplainAccess GetGrant ListGrants"),
    (&["auditor"], "ListAuditRecords"),
    (&["auditor", "operator", "follower"], "GetLedgerInfo"),
    (&["follower"], "Follow"),
];

const ROLES: [&str; 12] = [
    "viewer",
    "reporter",
    "planner",
    "inspector",
    "approver",
    "manager",
    "publisher",
    "admin",
    "auditor",
    "operator",
    "follower",
    "delegate",
];

/// Methods of what is in no portfolio: a role must hold everywhere.
const OF_EVERYTHING: &str = "CreatePortfolio CreateOrganization UpdateOrganization DeleteOrganization UndeleteOrganization \
     CreateServiceAccount GetServiceAccount ListServiceAccounts UpdateServiceAccount DeleteServiceAccount \
     UndeleteServiceAccount CreateApiToken GetApiToken ListApiTokens DeleteApiToken GetLedgerInfo Follow \
     ListAuditRecords";

/// Methods whose answer holds what may be seen, wherever that is: a role that holds anywhere is enough.
const OF_ANYTHING: &str = "ListPortfolios GetOrganization ListOrganizations GetEvent GetLogInfo";

fn words(text: &str) -> BTreeSet<&str> {
    text.split_whitespace().collect()
}

/// A server with two certificates for each role: one that holds it in portfolio `a` alone, and one that holds it
/// everywhere.
struct Office {
    protected: Protected,
    pool: DescriptorPool,
}

impl Office {
    async fn start() -> Self {
        let everywhere = ROLES.map(|role| format!("{role}-everywhere"));
        let names = ROLES.into_iter().chain(everywhere.iter().map(String::as_str));
        let names: Vec<&str> = names.chain(["nobody", "stranger"]).collect();
        let protected = Protected::start(&names, &[]).await;
        let pool = DescriptorPool::decode(milepost_proto::FILE_DESCRIPTOR_SET).expect("our own schemas");
        let office = Self { protected, pool };
        for id in ["a", "b"] {
            office.protected.portfolio(id).await;
        }
        // The first administrator is one until another is granted.
        for role in ROLES.iter().filter(|role| **role != "admin") {
            office.grant("first", role).await;
        }
        office.does("first", "access grant cert:urn:office:admin-everywhere admin --reason 试").await;
        office.grant("admin-everywhere", "admin").await;
        office
    }

    /// Grants a role in `a`, and to another principal everywhere, unless that has it.
    async fn grant(&self, by: &str, role: &str) {
        self.does(by, &format!("access grant cert:urn:office:{role} {role} a --reason 试")).await;
        if role != "admin" {
            self.does(by, &format!("access grant cert:urn:office:{role}-everywhere {role} --reason 试"))
                .await;
        }
    }

    async fn does(&self, who: &str, words: &str) -> String {
        self.protected.does(who, words).await
    }

    fn client(&self, who: &str) -> Client {
        self.protected.client(Some(who))
    }

    /// A request that names what is in this portfolio, and says nothing else that could be done.
    fn request(&self, method: &str, portfolio: &str) -> Bytes {
        let (service, name) = method.split_once('/').expect("a method of a service");
        let service = self.pool.get_service_by_name(service).expect("a service of ours");
        let method = service.methods().find(|method| method.name() == name).expect("a method of it");
        let mut request = DynamicMessage::new(method.input());
        let rule = RULES.iter().find(|rule| rule.method.ends_with(&format!("/{name}"))).expect("its rule");
        for path in rule.paths {
            let steps: Vec<&str> = path.split('.').collect();
            set(&mut request, &steps, &resource(name, path, portfolio));
        }
        // Nothing has this etag, so nothing is changed by a call that is allowed.
        if request.descriptor().get_field_by_name("etag").is_some() {
            request.set_field_by_name("etag", Value::String("999999".into()));
        }
        request.encode_to_vec().into()
    }
}

/// The name that a request has at a path.
fn resource(method: &str, path: &str, portfolio: &str) -> String {
    let portfolio = format!("portfolios/{portfolio}");
    let project = format!("{portfolio}/projects/x");
    let has = |word: &str| method.contains(word);
    if path == "members" || path == "names" || method == "ExplainAccess" {
        return project;
    }
    let of_parent = path.ends_with("parent");
    if method.contains("ApiToken") {
        return "apiTokens/t".to_owned();
    }
    if method.contains("ServiceAccount") {
        return "serviceAccounts/s".to_owned();
    }
    match () {
        () if has("Milestone") && of_parent => project,
        () if has("Milestone") => format!("{project}/milestones/m"),
        () if has("Phase") && of_parent => project,
        () if has("Phase") => format!("{project}/phases/p"),
        () if has("Batch") && !has("Projects") && !of_parent => format!("{portfolio}/batches/b"),
        () if has("Grant") && !of_parent => format!("{portfolio}/grants/g"),
        () if has("Project") && !of_parent => project,
        () => portfolio,
    }
}

/// Sets the text at the end of these steps, in a message for each of them.
fn set(message: &mut DynamicMessage, steps: &[&str], text: &str) {
    let field = message.descriptor().get_field_by_name(steps[0]).expect("a path of the request");
    let inner = |descriptor: MessageDescriptor| {
        let mut inner = DynamicMessage::new(descriptor);
        set(&mut inner, &steps[1..], text);
        Value::Message(inner)
    };
    let value = match field.kind().as_message() {
        Some(descriptor) if field.is_list() => Value::List(vec![inner(descriptor.clone())]),
        Some(descriptor) => inner(descriptor.clone()),
        None if field.is_list() => Value::List(vec![Value::String(text.to_owned())]),
        None => Value::String(text.to_owned()),
    };
    message.set_field(&field, value);
}

/// What a call came to, as far as access is concerned.
async fn is_allowed(client: &Client, method: &str, request: Bytes) -> bool {
    let ledger = match method {
        _ if method.starts_with("milepost.tracker.") => LedgerKind::Tracker,
        _ if method.starts_with("milepost.notifier.") => LedgerKind::Notifier,
        _ => LedgerKind::Registry,
    };
    let path = PathAndQuery::try_from(format!("/{method}")).expect("a path");
    let mut request = Request::new(request);
    // A stream that is allowed has no end.
    let is_stream = ["WatchEvents", "Follow"].iter().any(|stream| method.ends_with(stream));
    request.set_timeout(Duration::from_millis(if is_stream { 300 } else { 30_000 }));
    match client.unary(ledger, path, request).await {
        Err(status) if status.code() == Code::PermissionDenied => false,
        Err(status) => {
            assert_ne!(status.code(), Code::Unauthenticated, "{method}: {status}");
            assert_ne!(status.code(), Code::Unimplemented, "{method}: {status}");
            true
        }
        Ok(_) => true,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_method_is_allowed_to_the_roles_of_the_table_in_their_part_and_to_nobody_else() {
    let office = Office::start().await;
    let mut expected: BTreeMap<&str, &[&str]> = BTreeMap::from([("WhoAmI", &ROLES[..])]);
    for (roles, methods) in TABLE {
        expected.extend(words(methods).into_iter().map(|method| (method, *roles)));
    }
    let (everything, anything) = (words(OF_EVERYTHING), words(OF_ANYTHING));
    let holders =
        ROLES.iter().flat_map(|role| [(role.to_string(), *role), (format!("{role}-everywhere"), *role)]);
    let (mut wrong, mut count) = (Vec::new(), 0);
    for (who, role) in holders.chain([("nobody".to_owned(), "none")]) {
        let (client, is_everywhere) = (office.client(&who), who.ends_with("-everywhere"));
        for rule in RULES {
            let name = rule.method.rsplit('/').next().expect("a name");
            let roles = expected.get(name).unwrap_or_else(|| panic!("{name} is not in the table"));
            for (portfolio, own) in [("a", true), ("b", false)] {
                let has = roles.contains(&role);
                let may = match name {
                    "WhoAmI" => true,
                    _ if is_everywhere || anything.contains(name) => has,
                    _ if everything.contains(name) => false,
                    _ => has && own,
                };
                let request = office.request(rule.method, portfolio);
                if is_allowed(&client, rule.method, request).await != may {
                    wrong.push(format!(
                        "{who} {name} {portfolio}: {}",
                        if may { "denied" } else { "allowed" }
                    ));
                }
                count += 1;
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
    assert_eq!(count, 2 * 25 * RULES.len());
    assert_eq!(expected.len(), RULES.len(), "the table has no method that is none");
}

/// An answer as it is sent, with the one portfolio in place of the other.
async fn answer(
    client: &Client,
    method: &str,
    request: Bytes,
    (from, to): (&str, &str),
) -> (Code, String, Vec<u8>) {
    let path = PathAndQuery::try_from(format!("/{method}")).expect("a path");
    let ledger = if method.contains("tracker") { LedgerKind::Tracker } else { LedgerKind::Registry };
    let status = client.unary(ledger, path, Request::new(request)).await.expect_err("it is not allowed");
    let mut details = status.details().to_vec();
    while let Some(at) = details.windows(from.len()).position(|window| window == from.as_bytes()) {
        details[at..at + from.len()].copy_from_slice(to.as_bytes());
    }
    // The metadata of every error are in an order of their own each time.
    details.sort_unstable();
    (status.code(), status.message().replace(from, to), details)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_forbidden_is_answered_byte_for_byte_like_what_is_not_there() {
    let office = Office::start().await;
    for words in [
        "project create a/x --display-name x",
        "milestone create a x m --display-name m",
        "phase create a x p --display-name p --order 1",
        "batch create a b --display-name b --start-date 2027-03-15",
    ] {
        office.does("manager-everywhere", words).await;
    }
    let grant = "grant create portfolios/a/grants/g --grant-principal cert:urn:office:nobody --role viewer --reason x";
    office.does("admin-everywhere", grant).await;
    for role in ROLES.iter().filter(|role| **role != "delegate") {
        office
            .does("admin-everywhere", &format!("access grant cert:urn:office:stranger {role} b --reason x"))
            .await;
    }
    let stranger = office.client("stranger");
    let mut compared = 0;
    for rule in RULES.iter().filter(|rule| !rule.paths.is_empty() && !rule.method.contains("notifier")) {
        // Portfolio `a` is there with all of it, and `c` is not.
        let [forbidden, absent] = ["a", "c"].map(|portfolio| office.request(rule.method, portfolio));
        let names = ("portfolios/c", "portfolios/a");
        let forbidden = answer(&stranger, rule.method, forbidden, names).await;
        assert_eq!(forbidden.0, Code::PermissionDenied, "{}", rule.method);
        assert_eq!(forbidden, answer(&stranger, rule.method, absent, names).await, "{}", rule.method);
        compared += 1;
    }
    assert!(compared > 50, "{compared}");
    let listed = office.does("manager-everywhere", "project list - --format json").await;
    assert!(listed.contains("portfolios/a/projects/x") && listed.contains("\"etag\""), "{listed}");
}
