//! Questions of those who serve: officers, alliances, service requests, policies.

use jiff::ToSpan;
use milepost_proto::figure::v1::Knowledge;
use milepost_proto::registry::v1::policy_match::Outcome;
use milepost_proto::registry::v1::{BatchMatchPoliciesRequest, ListOfficersRequest, MatchPoliciesRequest};
use milepost_proto::tracker::v1::warning_policy::Period;
use milepost_proto::tracker::v1::warning_test::{Comparison, Metric};
use milepost_proto::tracker::v1::{
    GetCampaignStandingsRequest, GetServiceRequestStatisticsRequest, ReplayWarningPolicyRequest, WarningBand,
    WarningLight, WarningPolicy, WarningTest,
};

use super::{LARGE, List, Query, SMALL, registry, tracker};
use crate::generate::{World, campaign_name, date, days, measures, some_officer};

/// Milliseconds that it may take to match forty policies with all organizations.
const MATCH_MS: f64 = 1000.0;

const ASSIGNMENTS: List = registry("assignments", "/milepost.registry.v1.AssignmentService/ListAssignments");
const OFFICERS: List = registry("officers", "/milepost.registry.v1.AssignmentService/ListOfficers");
const ALLIANCES: List = registry("alliances", "/milepost.registry.v1.AllianceService/ListAlliances");
const ACTIVITIES: List = registry("activities", "/milepost.registry.v1.ActivityService/ListActivities");
const PROGRAMMES: List =
    registry("policy programmes", "/milepost.registry.v1.PolicyProgrammeService/ListPolicyProgrammes");
const POLICIES: List = registry("policies", "/milepost.registry.v1.PolicyService/ListPolicies");
const MATCH: List = registry("policies", "/milepost.registry.v1.PolicyService/MatchPolicies");
const BATCH_MATCH: List = registry("policies", "/milepost.registry.v1.PolicyService/BatchMatchPolicies");
const REQUESTS: List =
    tracker("service requests", "/milepost.tracker.v1.ServiceRequestService/ListServiceRequests");
const SATISFACTION: List =
    tracker("service requests", "/milepost.tracker.v1.ServiceRequestService/GetServiceRequestStatistics");

const INSPECTIONS: List = tracker("inspections", "/milepost.tracker.v1.InspectionService/ListInspections");
const FINDINGS: List = tracker("findings", "/milepost.tracker.v1.FindingService/ListFindings");
const ORDERS: List =
    tracker("rectification orders", "/milepost.tracker.v1.RectificationOrderService/ListRectificationOrders");

const CAMPAIGNS: List = tracker("campaigns", "/milepost.tracker.v1.CampaignService/ListCampaigns");
const STANDINGS: List = tracker("campaigns", "/milepost.tracker.v1.CampaignService/GetCampaignStandings");
const REPLAY: List =
    tracker("warning policies", "/milepost.tracker.v1.WarningPolicyService/ReplayWarningPolicy");

/// Milliseconds that the standings of a campaign of 1,000 members may take.
const STANDINGS_MS: f64 = 20.0;
/// Milliseconds that all projects may take for one month, and for sixty.
const MONTH_MS: f64 = 1_000.0;
const MONTHS_MS: f64 = 30_000.0;

/// All of them, in the order of the table.
pub fn all(world: &World) -> Vec<Query> {
    [
        liaison(world),
        service_requests(world),
        supervision(world),
        campaigns(world),
        warnings(world),
        policies(world),
    ]
    .concat()
}

fn liaison(world: &World) -> Vec<Query> {
    let (portfolio, projects) = (world.portfolio(), format!("{}/projects/-", world.portfolio()));
    let officers =
        |page_size| ListOfficersRequest { portfolio: portfolio.clone(), page_size, ..Default::default() };
    let activities = format!("{portfolio}/alliances/-");
    vec![
        Query::answer(OFFICERS, "officers by workload, page of 50", &officers(SMALL as i32)),
        Query::answer(OFFICERS, "officers by workload, page of 1000", &officers(LARGE as i32)),
        ASSIGNMENTS.page(&projects, "", "", SMALL),
        ASSIGNMENTS.page(&projects, "", "person", LARGE),
        ASSIGNMENTS.page(&projects, "lead = true AND NOT end_date:*", "", SMALL),
        ASSIGNMENTS.page(&projects, &format!("person = {}", some_officer(world)), "", SMALL),
        ALLIANCES.page(&portfolio, "", "display_name", SMALL),
        ALLIANCES.page(&portfolio, &format!("projects:\"{}\"", world.project_name(0)), "", SMALL),
        ACTIVITIES.page(&activities, "state = HELD", "date desc", LARGE),
    ]
}

fn service_requests(world: &World) -> Vec<Query> {
    let projects = format!("{}/projects/-", world.portfolio());
    let page = |filter: &str, order: &str, size| REQUESTS.page(&projects, filter, order, size);
    let statistics = GetServiceRequestStatisticsRequest {
        parent: projects.clone(),
        from_date: Some(date(world.first_day())),
        to_date: Some(date(world.plan.until)),
        ..Default::default()
    };
    vec![
        page("", "", SMALL),
        page("", "due_date", LARGE),
        page("level > 0", "", SMALL),
        page("level > 1", "due_date", SMALL),
        page("state = STATE_ANSWERED", "", SMALL),
        page(&format!("officer = {}", some_officer(world)), "", SMALL),
        Query::answer(SATISFACTION, "satisfaction over all years", &statistics),
    ]
}

fn supervision(world: &World) -> Vec<Query> {
    let projects = format!("{}/projects/-", world.portfolio());
    vec![
        INSPECTIONS.page(&projects, "", "", SMALL),
        FINDINGS.page(&projects, "severity = MAJOR AND state = OPEN", "", SMALL),
        ORDERS.page(&projects, "light = LIGHT_RED", "responsible", LARGE),
        ORDERS.page(&projects, "state = STATE_ANSWERED", "", SMALL),
    ]
}

fn campaigns(world: &World) -> Vec<Query> {
    let request = |knowledge: Knowledge, back: i64| GetCampaignStandingsRequest {
        name: campaign_name(world),
        date: Some(date(days(world.plan.until, -back))),
        knowledge: knowledge.into(),
        ..Default::default()
    };
    let standings = |title, knowledge, back| {
        Query::answer(STANDINGS, title, &request(knowledge, back)).within(STANDINGS_MS)
    };
    vec![
        CAMPAIGNS.page(&world.portfolio(), "", "", SMALL),
        standings("standings of the last day, LATEST", Knowledge::Latest, 0),
        standings("standings of the fiftieth day, LATEST", Knowledge::Latest, 50),
        standings("standings of the fiftieth day, THEN", Knowledge::Then, 50),
    ]
}

/// How far projects are behind time, in three bands.
fn warnings(world: &World) -> Vec<Query> {
    let band = |light: WarningLight, low: &str, high: &str| WarningBand {
        light: light.into(),
        low: low.into(),
        low_inclusive: false,
        high: high.into(),
        high_inclusive: !high.is_empty(),
    };
    let test = WarningTest {
        metric: Metric::Investment.into(),
        comparison: Comparison::PointGap.into(),
        bands: vec![
            band(WarningLight::Green, "", "10"),
            band(WarningLight::Yellow, "10", "30"),
            band(WarningLight::Red, "30", ""),
        ],
    };
    let policy = WarningPolicy {
        display_name: "进度".into(),
        period: Period::Month.into(),
        tests: vec![test],
        ..Default::default()
    };
    // The last month that ended in the history.
    let last = days(world.plan.until.first_of_month(), -1);
    let months = |count: i64| ReplayWarningPolicyRequest {
        parent: world.portfolio(),
        warning_policy: Some(policy.clone()),
        from_date: Some(date(last.first_of_month().saturating_sub((count - 1).months()))),
        to_date: Some(date(last)),
        page_size: LARGE as i32,
        ..Default::default()
    };
    let replay = |title, count, target| Query::all_pages(REPLAY, title, &months(count), 9, target);
    vec![
        replay("one month, all projects", 1, MONTH_MS),
        replay("replay of sixty months, all projects", 60, MONTHS_MS),
    ]
}

fn policies(world: &World) -> Vec<Query> {
    let programme = measures(world);
    let organization = world.organization_name(world.organizations / 2);
    let one =
        |explain| MatchPoliciesRequest { organization: organization.clone(), explain, ..Default::default() };
    let batch = |outcomes: &[Outcome]| BatchMatchPoliciesRequest {
        policy_programme: programme.clone(),
        outcomes: outcomes.iter().map(|outcome| *outcome as i32).collect(),
        page_size: LARGE as i32,
        ..Default::default()
    };
    // The field of the page token of BatchMatchPoliciesRequest.
    let all = |title: &str, request| Query::all_pages(BATCH_MATCH, title, &request, 7, MATCH_MS);
    vec![
        POLICIES.page(&programme, "", "", SMALL),
        POLICIES.page("policyProgrammes/-", "state = PUBLISHED AND group = talent", "", SMALL),
        Query::answer(MATCH, "all with one organization", &one(false)),
        Query::answer(MATCH, "all with one organization, and why not", &one(true)),
        all("forty with all organizations, those that fit", batch(&[Outcome::Fits])),
        all("forty with all organizations, all outcomes", batch(&[])),
        PROGRAMMES.page("", "state = PUBLISHED", "", SMALL),
    ]
}
