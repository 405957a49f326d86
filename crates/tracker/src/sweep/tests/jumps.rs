//! Clocks that jump by a week, ahead and back, while an order, a warning policy and a campaign wait for their days: all of it
//! is what comes of a clock that goes on as clocks do.

use milepost_ledger::Entry;
use milepost_ledger::journal::{Journal, ReadLimit};
use milepost_proto::event::v1::Event;
use milepost_proto::event::v1::event::Resource;
use milepost_proto::figure::v1::Knowledge;
use milepost_proto::google::r#type::Money;
use milepost_proto::registry::v1 as registry;
use milepost_proto::tracker::v1::campaign_service_client::CampaignServiceClient;
use milepost_proto::tracker::v1::finding_service_client::FindingServiceClient;
use milepost_proto::tracker::v1::rectification_order_service_client::RectificationOrderServiceClient;
use milepost_proto::tracker::v1::warning_policy_service_client::WarningPolicyServiceClient;
use milepost_proto::tracker::v1::*;
use milepost_resource::{date_message, instant_message};
use milepost_types::Clock;
use prost::Message;

use super::*;

const ROAD: &str = "portfolios/wsc/projects/road";
const CAMPAIGN: &str = "portfolios/wsc/campaigns/spring";
const FIRST: Date = date(2021, 5, 13);
const LAST: Date = date(2021, 7, 2);
const CAMPAIGN_END: Date = date(2021, 5, 30);

fn cny(units: i64) -> Option<Money> {
    Some(Money { currency_code: "CNY".into(), units, nanos: 0 })
}

/// A project that is 40 points behind its plan in May, and completed something on the first day of the campaign.
fn road() -> Resource {
    let first = Some(date_message(FIRST));
    Resource::ProjectResource(registry::Project {
        name: ROAD.into(),
        annual_plans: vec![registry::AnnualPlan {
            year: 2021,
            investment: cny(1_200),
            reported_date: first,
            ..registry::AnnualPlan::default()
        }],
        completed_investments: vec![registry::CompletedInvestment {
            period: Some(registry::Period { start_date: first, end_date: first }),
            amount: cny(10),
            reported_date: first,
        }],
        update_time: Some(instant_message("2021-05-13T04:00:00Z".parse().unwrap())),
        etag: "2".into(),
        ..registry::Project::default()
    })
}

/// A tracker of an office that waits, on 13 May 2021: an order is due on the 19th, a policy opens orders at the end of each
/// month, and a campaign goes on until the 30th.
async fn office() -> (RegistryServer, Running, Sweep) {
    let mut recorded = Registry::new(3);
    let mut portfolio = crate::tests::registry::portfolio("wsc");
    if let Resource::PortfolioResource(portfolio) = &mut portfolio {
        portfolio.reporting_currency_code = "CNY".into();
    }
    recorded.append(vec![("milepost.portfolio.created", Some(portfolio))]);
    recorded.append(vec![("milepost.project.created", Some(road()))]);
    let registry = RegistryServer::running(recorded);
    let mut tracker = Running::idle(&registry);
    tracker.follow();
    tracker.reach(registry.recorded.tail()).await;
    let midnight = tracker.service.sweep(&tracker.context);
    midnight.check_clock(&mut Unconfirmed::new()).await;
    order(&tracker).await;
    policy(&tracker).await;
    campaign(&tracker).await;
    (registry, tracker, midnight)
}

async fn order(tracker: &Running) {
    let inspection = tracker.inspect(ROAD, "i").await;
    let finding = Finding {
        inspection,
        title: "临边防护缺失".into(),
        aspect: Aspect::Safety.into(),
        severity: finding::Severity::Minor.into(),
        ..Finding::default()
    };
    let request = CreateFindingRequest {
        parent: ROAD.into(),
        finding_id: "f".into(),
        finding: Some(finding),
        ..Default::default()
    };
    FindingServiceClient::new(tracker.channel.clone()).create_finding(request).await.unwrap();
    let order = RectificationOrder {
        title: "限期整改".into(),
        findings: vec![format!("{ROAD}/findings/f")],
        responsible: "organizations/builder".into(),
        due_date: Some(date_message(date(2021, 5, 19))),
        ..RectificationOrder::default()
    };
    let request = CreateRectificationOrderRequest {
        parent: ROAD.into(),
        rectification_order_id: "o".into(),
        rectification_order: Some(order),
        ..Default::default()
    };
    let mut orders = RectificationOrderServiceClient::new(tracker.channel.clone());
    orders.create_rectification_order(request).await.unwrap();
}

async fn policy(tracker: &Running) {
    let step = WarningStep {
        at_light: WarningLight::Red.into(),
        consecutive: 1,
        action: warning_step::Action::OpenOrder.into(),
        due_working_days: 5,
        responsible: "organizations/builder".into(),
        ..WarningStep::default()
    };
    let policy = WarningPolicy { steps: vec![step], ..crate::warning::published("yc-progress") };
    let request = CreateWarningPolicyRequest {
        parent: "portfolios/wsc".into(),
        warning_policy_id: "progress".into(),
        warning_policy: Some(policy),
        ..Default::default()
    };
    let mut policies = WarningPolicyServiceClient::new(tracker.channel.clone());
    policies.create_warning_policy(request).await.unwrap();
    let name = "portfolios/wsc/warningPolicies/progress".to_owned();
    let request = AdoptWarningPolicyRequest { name, ..Default::default() };
    policies.adopt_warning_policy(request).await.unwrap();
}

async fn campaign(tracker: &Running) {
    let member =
        CampaignMember { project: ROAD.into(), investment_target: cny(100), ..CampaignMember::default() };
    let criterion = CampaignCriterion {
        id: "progress".into(),
        kind: campaign_criterion::Kind::Progress.into(),
        weight_bp: 10_000,
        deductions: None,
    };
    let campaign = Campaign {
        display_name: "三比一争".into(),
        start_date: Some(date_message(FIRST)),
        end_date: Some(date_message(CAMPAIGN_END)),
        members: vec![member],
        criteria: vec![criterion],
        ..Campaign::default()
    };
    let request = CreateCampaignRequest {
        parent: "portfolios/wsc".into(),
        campaign_id: "spring".into(),
        campaign: Some(campaign),
        ..Default::default()
    };
    let mut campaigns = CampaignServiceClient::new(tracker.channel.clone());
    campaigns.create_campaign(request).await.unwrap();
    let open = OpenCampaignRequest { name: CAMPAIGN.into(), ..Default::default() };
    let mut request = tonic::Request::new(open);
    request.metadata_mut().insert("x-milepost-principal", "user:corp/opener".parse().unwrap());
    campaigns.open_campaign(request).await.unwrap();
}

/// The type, the subject and the day of each event that there is.
fn events(tracker: &Running) -> Vec<(String, String, Option<Date>)> {
    let limit = ReadLimit { entries: usize::MAX, bytes: usize::MAX };
    let entries = tracker.journal.read_after(0, limit).unwrap();
    let events = entries.iter().flat_map(|stored| Entry::decode(stored).unwrap().events);
    let event = |bytes| {
        let event = Event::decode(bytes).unwrap();
        let day = milepost_resource::date(event.event_date.as_ref());
        (event.r#type.trim_start_matches("milepost.").to_owned(), event.subject, day)
    };
    events.map(event).collect()
}

/// The standings as they were found on each day of the campaign.
async fn standings(tracker: &Running) -> Vec<CampaignStandings> {
    let mut campaigns = CampaignServiceClient::new(tracker.channel.clone());
    let (mut all, mut day) = (Vec::new(), FIRST);
    while day <= CAMPAIGN_END {
        let (date, knowledge) = (Some(date_message(day)), Knowledge::Then.into());
        let request =
            GetCampaignStandingsRequest { name: CAMPAIGN.into(), date, knowledge, ..Default::default() };
        all.extend(campaigns.get_campaign_standings(request).await.unwrap().into_inner().standings);
        day = day.tomorrow().unwrap();
    }
    all
}

/// office.md, sections 4 to 6: each light of an order, each warning and the standings of each day once, on their days,
/// whatever the clock does in between.
#[tokio::test]
async fn a_clock_that_jumps_by_weeks_brings_what_one_brings_that_goes_on() {
    let (registry, steady, midnight) = office().await;
    let mut unconfirmed = Unconfirmed::new();
    while current(&steady) < Some(LAST) {
        steady.clock.advance(SignedDuration::from_hours(24));
        midnight.check_clock(&mut unconfirmed).await;
    }
    let (expected, expected_standings) = (events(&steady), standings(&steady).await);
    drop((registry, midnight));
    steady.stop().await;

    let (registry, jumping, midnight) = office().await;
    let mut furthest = FIRST;
    // Over the end of the order, of the campaign and of two months, back again, and over them once more.
    for days in [7, -7, 7, -2, 5, 7, -7, 8, -8, 14, 25, -7, 8] {
        jumping.clock.advance(SignedDuration::from_hours(24 * days));
        midnight.check_clock(&mut unconfirmed).await;
        let today = jumping.clock.now().to_zoned(jiff::tz::TimeZone::UTC).date();
        furthest = furthest.max(today);
        assert_eq!(current(&jumping), Some(furthest), "a day that began has begun");
        assert_eq!(state(&jumping), State::Ready);
    }
    assert_eq!(furthest, LAST);
    let found = events(&jumping);
    assert_eq!(found, expected);
    let found_standings = standings(&jumping).await;
    assert!(
        found_standings.iter().all(|standings| standings.stored && standings.standings[0].rank == Some(1))
    );
    assert_eq!(found_standings, expected_standings);

    // That both bring the same would not be enough.
    let days = |kind: &str, subject: &str| -> Vec<Date> {
        let wanted = found.iter().filter(|(of, name, _)| of == kind && name.ends_with(subject));
        wanted.filter_map(|(_, _, day)| *day).collect()
    };
    let (may, june) = (|day| date(2021, 5, day), |day| date(2021, 6, day));
    assert_eq!(days("rectification_order.light_changed", "/o"), [may(14), may(20)], "BLUE and RED");
    assert_eq!(days("rectification_order.escalated", "/o"), [may(20), may(27), june(3)]);
    let all: Vec<_> = (13..=30).map(may).collect();
    assert_eq!(days("campaign.standings_computed", ""), all);
    assert_eq!(days("campaign.closed", ""), [may(31)]);
    let mut warnings: Vec<_> = found.iter().filter(|(kind, ..)| kind.starts_with("warning.")).collect();
    assert_eq!(warnings.iter().map(|(.., day)| *day).collect::<Vec<_>>(), [Some(may(31)), Some(june(30))]);
    warnings.dedup_by_key(|(_, subject, _)| subject);
    assert_eq!(warnings.len(), 2, "of May and of June");
    let opened = found.iter().filter(|(kind, ..)| kind == "rectification_order.created");
    assert_eq!(opened.count(), 2, "the one by hand, and the one that the policy opened, which is open still");
    drop(registry);
    jumping.stop().await;
}
