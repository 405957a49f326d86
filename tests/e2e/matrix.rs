//! Who may call what, on a real server: every method of every service, for every role: held everywhere, in the part that is
//! asked about, in another, and by nobody.
//!
//! What is expected is written down here by hand, as it was decided: not what the schemas say. Invariant: a method that
//! is not in the table below fails the test.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use milepost_proto::access::v1::{ExplainAccessRequest, ExplainAccessResponse};
use milepost_proto::rule::{RULES, Rule};
use milepost_tests::methods::{self, Method};
use milepost_tests::protected::Protected;
use milepost_tests::{wire, within};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, ReflectMessage, Value};
use tonic::Code;
use tonic::transport::Channel;
use tonic_types::pb;

/// How long an answer may take: far longer than one does.
const PATIENCE: Duration = Duration::from_secs(60);

/// Each permission, the roles that have it, and the methods that it allows.
const TABLE: &[(&[&str], &str)] = &[
    (
        &["viewer", "reporter", "planner", "inspector", "approver", "manager", "publisher", "auditor"],
        "GetPortfolio ListPortfolios GetOrganization ListOrganizations GetProject ListProjects BatchGetProjects GetPhase \
         ListPhases GetBatch ListBatches GetMilestone ListMilestones ListMilestoneForecasts GetCurrentDate ListEvents \
         GetEvent GetLogInfo WatchEvents GetAssignment ListAssignments ListOfficers GetAlliance ListAlliances \
         GetActivity ListActivities GetServiceRequest ListServiceRequests GetServiceRequestStatistics \
         GetPolicyProgramme ListPolicyProgrammes GetPolicy ListPolicies MatchPolicies BatchMatchPolicies \
         GetCollection ListCollections GetCollectionRollup GetIndicator ListIndicators \
         GetIndicatorSeries GetObservation ListObservations GetAnnualList ListAnnualLists QueryStatistics \
         GetTimelineEntry ListTimelineEntries ListTimeline GetTimelineRule ListTimelineRules \
         GetInspection ListInspections GetFinding ListFindings GetRectificationOrder ListRectificationOrders \
         GetTemplate ListTemplates GetTemplateVersion ListTemplateVersions ListRequirements \
         GetWarningPolicy ListWarningPolicies ReplayWarningPolicy GetWarning ListWarnings GetExcuse ListExcuses \
         GetCampaign ListCampaigns GetCampaignStandings",
    ),
    (
        &["reporter", "planner", "manager"],
        "ReforecastMilestone AchieveMilestone AchieveCoupledMilestones PartiallyAchieveMilestone MissMilestone AddMilestoneEvidence \
         CreateServiceRequest UpdateServiceRequest DeleteServiceRequest UndeleteServiceRequest AcceptServiceRequest \
         AnswerServiceRequest ReturnServiceRequest RateServiceRequest WithdrawServiceRequest PauseServiceRequest \
         ResumeServiceRequest AnswerRectificationOrder RequestRectificationOrderExtension \
         CreateObservation PreferObservation RetractObservation \
         CreateExcuse UpdateExcuse DeleteExcuse UndeleteExcuse",
    ),
    (
        &["planner", "manager"],
        "CreateMilestone UpdateMilestone DeleteMilestone UndeleteMilestone BatchCreateMilestones CancelMilestone \
         ReopenMilestone ExtendApproval ApplyTemplate UpgradeTemplate CreatePhase UpdatePhase DeletePhase UndeletePhase UpdateProject \
         AdjustAnnualPlan CreateTimelineEntry UpdateTimelineEntry DeleteTimelineEntry UndeleteTimelineEntry \
         ReviseTimelineEntry \
         CreateWarningPolicy UpdateWarningPolicy DeleteWarningPolicy UndeleteWarningPolicy",
    ),
    (&["publisher"], "PublishTimelineEntry WithdrawTimelineEntry"),
    (
        &["approver"],
        "RebaselineMilestone ReviewRectificationOrder ExtendRectificationOrder AdoptWarningPolicy \
         RetireWarningPolicy GrantExcuse RefuseExcuse SignOffCampaign ReviseCampaign",
    ),
    (
        &["inspector"],
        "CreateInspection UpdateInspection DeleteInspection UndeleteInspection CompleteInspection CancelInspection \
         CreateFinding UpdateFinding DeleteFinding UndeleteFinding AddFindingEvidence WithdrawFinding \
         CreateRectificationOrder UpdateRectificationOrder DeleteRectificationOrder UndeleteRectificationOrder \
         WithdrawRectificationOrder",
    ),
    (&["publisher"], "PublishPolicyProgramme PublishPolicy WithdrawPolicy"),
    (
        &["manager"],
        "CreateCampaign UpdateCampaign DeleteCampaign UndeleteCampaign OpenCampaign AmendCampaign CloseCampaign \
         CancelCampaign \
         CreateProject DeleteProject UndeleteProject BatchCreateProjects PrepareProject StartProject CompleteProject \
         CommissionProject SuspendProject ResumeProject CancelProject CreateBatch UpdateBatch DeleteBatch UndeleteBatch \
         AddBatchMembers RemoveBatchMembers StartBatch CancelBatch CreateAnnualList UpdateAnnualList DeleteAnnualList \
         UndeleteAnnualList AddAnnualListMembers RemoveAnnualListMembers AdvanceDate CreateOrganization UpdateOrganization \
         DeleteOrganization UndeleteOrganization CreateAssignment UpdateAssignment DeleteAssignment \
         UndeleteAssignment HandOverAssignment EndAssignment CreateAlliance UpdateAlliance DeleteAlliance \
         UndeleteAlliance ChangeAllianceMembers CreateActivity UpdateActivity DeleteActivity UndeleteActivity \
         HoldActivity CancelActivity AddActivityEvidence \
         CreatePolicyProgramme UpdatePolicyProgramme DeletePolicyProgramme UndeletePolicyProgramme \
         CreatePolicy UpdatePolicy DeletePolicy UndeletePolicy \
         CreateCollection UpdateCollection DeleteCollection UndeleteCollection \
         AddCollectionMembers RemoveCollectionMembers CreateIndicator UpdateIndicator DeleteIndicator UndeleteIndicator \
         CreateTimelineRule UpdateTimelineRule DeleteTimelineRule UndeleteTimelineRule \
         CreateTemplate UpdateTemplate DeleteTemplate UndeleteTemplate CreateTemplateVersion UpdateTemplateVersion \
         DeleteTemplateVersion UndeleteTemplateVersion PublishTemplateVersion \
         RecomputeWarnings",
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
     ListAuditRecords CreatePolicyProgramme UpdatePolicyProgramme DeletePolicyProgramme UndeletePolicyProgramme \
     PublishPolicyProgramme CreatePolicy UpdatePolicy DeletePolicy UndeletePolicy PublishPolicy WithdrawPolicy";

/// Methods whose answer holds what may be seen, wherever that is: a role that holds anywhere is enough.
const OF_ANYTHING: &str = "ListPortfolios GetOrganization ListOrganizations GetEvent GetLogInfo GetPolicyProgramme \
     ListPolicyProgrammes GetPolicy ListPolicies MatchPolicies BatchMatchPolicies";

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

    fn channel(&self, who: &str) -> Channel {
        self.protected.channel(who)
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
    if path == "members" || path == "names" || path == "project" || method == "ExplainAccess" {
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
        () if has("Requirements") => project,
        () if has("Approval") => format!("{project}/milestones/m"),
        () if has("Milestone") && of_parent => project,
        () if has("Milestone") => format!("{project}/milestones/m"),
        () if has("Phase") && of_parent => project,
        () if has("Phase") => format!("{project}/phases/p"),
        () if has("Assignment") && of_parent => project,
        () if has("Assignment") => format!("{project}/assignments/a"),
        () if has("ServiceRequest") && of_parent => project,
        () if has("ServiceRequest") => format!("{project}/serviceRequests/r"),
        () if (has("Inspection") || has("Finding") || has("RectificationOrder")) && of_parent => project,
        () if has("Inspection") => format!("{project}/inspections/i"),
        () if has("Finding") => format!("{project}/findings/f"),
        () if has("RectificationOrder") => format!("{project}/rectificationOrders/o"),
        () if has("Activit") && of_parent => format!("{portfolio}/alliances/l"),
        () if has("Activit") => format!("{portfolio}/alliances/l/activities/y"),
        () if has("Alliance") && !of_parent => format!("{portfolio}/alliances/l"),
        () if has("Batch") && !has("Projects") && !of_parent => format!("{portfolio}/batches/b"),
        () if has("Collection") && !of_parent => format!("{portfolio}/collections/c"),
        () if has("Indicator") && !of_parent => format!("{portfolio}/indicators/i"),
        () if has("Observation") && of_parent => format!("{portfolio}/indicators/i"),
        () if has("Observation") => format!("{portfolio}/indicators/i/observations/o"),
        () if has("AnnualList") && !of_parent => format!("{portfolio}/annualLists/2021"),
        () if has("Grant") && !of_parent => format!("{portfolio}/grants/g"),
        () if has("TimelineEntry") && !of_parent => format!("{portfolio}/timelineEntries/e"),
        () if has("TemplateVersion") && of_parent => format!("{portfolio}/templates/t"),
        () if has("TemplateVersion") => format!("{portfolio}/templates/t/versions/v"),
        () if has("Template") && !of_parent => format!("{portfolio}/templates/t"),
        () if has("Excuse") && of_parent => project,
        () if has("Excuse") => format!("{project}/excuses/e"),
        () if method == "ListWarnings" => project,
        () if method == "GetWarning" => format!("{project}/warnings/m"),
        () if method == "RecomputeWarnings" => format!("{portfolio}/warningPolicies/w"),
        () if has("WarningPolic") && !of_parent => format!("{portfolio}/warningPolicies/w"),
        () if has("Campaign") && !of_parent => format!("{portfolio}/campaigns/c"),
        () if has("TimelineRule") && !of_parent => format!("{portfolio}/timelineRules/r"),
        () if (has("Project") || has("AnnualPlan")) && !of_parent => project,
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

/// Whether a call is allowed: what became of it besides is that of a call that names nothing, or nothing that can be done.
///
/// # Panics
/// If the answer does not tell.
async fn is_allowed(channel: &Channel, method: &Method, request: Bytes) -> bool {
    let (channel, path) = (channel.clone(), &method.path);
    // A stream that is allowed has no end: it has begun when there are headers.
    let answer = async {
        match method.streams {
            true => wire::open(channel, path, request).await,
            false => wire::unary(channel, path, request).await.map(drop),
        }
    };
    let Err(status) = within(PATIENCE, format!("answer of {path}"), answer).await else { return true };
    match status.code() {
        Code::PermissionDenied => false,
        Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::FailedPrecondition
        | Code::Aborted => true,
        _ => panic!("{path}: this does not tell whether it is allowed: {status}"),
    }
}

/// Whether somebody may call a method, as the server explains it.
async fn explained(channel: &Channel, who: &str, rule: &Rule, portfolio: &str) -> bool {
    let name = rule.method.rsplit('/').next().expect("a name");
    let request = ExplainAccessRequest {
        principal: format!("cert:urn:office:{who}"),
        action: rule.method.to_owned(),
        resource: resource(name, rule.paths.first().unwrap_or(&""), portfolio),
        ..ExplainAccessRequest::default()
    };
    let path = "/milepost.access.v1.AccessService/ExplainAccess";
    let answer = wire::unary(channel.clone(), path, request.encode_to_vec().into()).await;
    ExplainAccessResponse::decode(answer.expect("an explanation")).expect("an explanation").allowed
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
    let methods = methods::all();
    let (admin, mut wrong, mut count) = (office.channel("admin-everywhere"), Vec::new(), 0);
    for (who, role) in holders.chain([("nobody".to_owned(), "none")]) {
        let (channel, is_everywhere) = (office.channel(&who), who.ends_with("-everywhere"));
        for rule in RULES {
            let name = rule.method.rsplit('/').next().expect("a name");
            let method = methods.iter().find(|method| method.path[1..] == *rule.method).expect("its schema");
            let roles = expected.get(name).unwrap_or_else(|| panic!("{name} is not in the table"));
            for (portfolio, own) in [("a", true), ("b", false)] {
                let has = roles.contains(&role);
                let may = match name {
                    "WhoAmI" => true,
                    _ if is_everywhere || anything.contains(name) => has,
                    _ if everything.contains(name) => false,
                    _ => has && own,
                };
                if explained(&admin, &who, rule, portfolio).await != may {
                    wrong.push(format!("{who} {name} {portfolio} is explained wrongly"));
                }
                let request = office.request(rule.method, portfolio);
                if is_allowed(&channel, method, request).await != may {
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

/// What a call is refused with: the code, the message and the details, with the one portfolio in place of the other. The
/// details are in no order, and neither are the metadata in one.
async fn refusal(
    channel: &Channel,
    schemas: &DescriptorPool,
    method: &str,
    request: Bytes,
    (from, to): (&str, &str),
) -> (Code, String, Vec<DynamicMessage>) {
    let answer = wire::unary(channel.clone(), &format!("/{method}"), request).await;
    let status = answer.expect_err("it is not allowed");
    assert_eq!(from.len(), to.len(), "what is encoded keeps its lengths");
    let mut encoded = status.details().to_vec();
    while let Some(at) = encoded.windows(from.len()).position(|window| window == from.as_bytes()) {
        encoded[at..at + from.len()].copy_from_slice(to.as_bytes());
    }
    let decode = |detail: prost_types::Any| {
        let name = detail.type_url.rsplit('/').next().unwrap_or_default();
        let message =
            schemas.get_message_by_name(name).unwrap_or_else(|| panic!("{method}: a detail {name}"));
        DynamicMessage::decode(message, &detail.value[..]).expect("a detail")
    };
    let details = pb::Status::decode(&encoded[..]).expect("details").details;
    let mut details: Vec<_> = details.into_iter().map(decode).collect();
    details.sort_by(|one, other| one.descriptor().full_name().cmp(other.descriptor().full_name()));
    assert!(!details.is_empty(), "{method}: a refusal without a reason");
    (status.code(), status.message().replace(from, to), details)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_forbidden_is_answered_in_every_detail_like_what_is_not_there() {
    let office = Office::start().await;
    for words in [
        "project create a/x --display-name x",
        "milestone create a x m --display-name m",
        "phase create a x p --display-name p --order 1",
        "batch create a b --display-name b --start-date 2027-03-15",
        "timeline-entry create a e --date 2027-03-15 --kind editorial --headline e",
        "timeline-rule create a r --display-name r --event-type milepost.batch.started --kind batch --headline r",
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
    let stranger = office.channel("stranger");
    let schemas = DescriptorPool::decode(pb::FILE_DESCRIPTOR_SET).expect("the schemas of errors");
    let mut compared = 0;
    for rule in RULES.iter().filter(|rule| !rule.paths.is_empty() && !rule.method.contains("notifier")) {
        // Portfolio `a` is there with all of it, and `c` is not.
        let [forbidden, absent] = ["a", "c"].map(|portfolio| office.request(rule.method, portfolio));
        let names = ("portfolios/c", "portfolios/a");
        let forbidden = refusal(&stranger, &schemas, rule.method, forbidden, names).await;
        assert_eq!(forbidden.0, Code::PermissionDenied, "{}", rule.method);
        let absent = refusal(&stranger, &schemas, rule.method, absent, names).await;
        assert_eq!(forbidden, absent, "{}", rule.method);
        compared += 1;
    }
    assert!(compared > 50, "{compared}");
    let project = office.protected.json("manager-everywhere", "project list -").await;
    assert_eq!(project["name"], "portfolios/a/projects/x", "it is still there: {project}");
}
