//! Campaigns through the wire: inspections, findings, orders, milestones and reports are made by the methods that an
//! office makes them by, and standings are read by GetCampaignStandings. No row is written by hand.

mod day_50;
mod ranks;
mod scores;
mod sign_offs;
mod versions;

use jiff::civil::date;
use milepost_proto::event::v1::event::Resource;
use milepost_proto::figure::v1::Knowledge;
use milepost_proto::google::r#type::Money;
use milepost_proto::registry::v1 as registry;
use milepost_proto::tracker::v1::campaign_criterion::Kind;
use milepost_proto::tracker::v1::campaign_service_client::CampaignServiceClient;
use milepost_proto::tracker::v1::finding::Severity;
use milepost_proto::tracker::v1::finding_service_client::FindingServiceClient;
use milepost_proto::tracker::v1::inspection_service_client::InspectionServiceClient;
use milepost_proto::tracker::v1::rectification_order_service_client::RectificationOrderServiceClient;
use milepost_types::Clock;
use tonic::{Request, Status};
use tonic_types::StatusExt;

use super::*;

/// The 100 days of office.md, section 5, and the 50th.
const START: Date = date(2021, 3, 1);
const END: Date = date(2021, 6, 8);
const DAY_50: Date = date(2021, 4, 19);
/// A Saturday on which inspections find what they find.
const FOUND: Date = date(2021, 3, 20);

const CAMPAIGN: &str = "portfolios/wsc/campaigns/spring";
const BOTH: [Aspect; 2] = [Aspect::Quality, Aspect::Safety];

fn project(id: &str) -> String {
    format!("portfolios/wsc/projects/{id}")
}

fn cny(fen: i64) -> Option<Money> {
    let nanos = i32::try_from(fen % 100 * 10_000_000).unwrap();
    Some(Money { currency_code: "CNY".into(), units: fen / 100, nanos })
}

fn criterion(kind: Kind, weight_bp: i32) -> CampaignCriterion {
    let id = kind.as_str_name().trim_start_matches("KIND_").to_lowercase();
    CampaignCriterion { id, kind: kind.into(), weight_bp, deductions: None }
}

/// Quality, safety and progress by these weights.
fn criteria([quality, safety, progress]: [i32; 3]) -> Vec<CampaignCriterion> {
    vec![
        criterion(Kind::Quality, quality),
        criterion(Kind::Safety, safety),
        criterion(Kind::Progress, progress),
    ]
}

/// A member with a target in whole yuan; 0: it has none.
fn member(id: &str, target: i64) -> CampaignMember {
    let investment_target = cny(target * 100).filter(|_| target > 0);
    CampaignMember { project: project(id), investment_target, ..CampaignMember::default() }
}

fn campaign(members: Vec<CampaignMember>, criteria: Vec<CampaignCriterion>) -> Campaign {
    Campaign {
        display_name: "三比一争".into(),
        start_date: day(START),
        end_date: day(END),
        members,
        criteria,
        ..Campaign::default()
    }
}

/// A request of somebody.
fn by<M>(principal: &str, message: M) -> Request<M> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("x-milepost-principal", principal.parse().unwrap());
    request
}

/// The conditions that a call did not meet: the kind of each, the last part of its subject, and what is said of it.
fn unmet(status: &Status) -> Vec<(String, String, String)> {
    let details = status.get_error_details();
    let found = details.precondition_failure().unwrap_or_else(|| panic!("{status:?}")).violations.clone();
    let last = |subject: &str| subject.rsplit('/').next().unwrap_or_default().to_owned();
    found.into_iter().map(|found| (found.r#type, last(&found.subject), found.description)).collect()
}

/// The ids of projects with their ranks, their totals, and what decides before the next one; 0 and nothing are said of those
/// without a rank and a total.
fn table(standings: &CampaignStandings) -> Vec<(&str, i32, &str, &str)> {
    fn line(standing: &CampaignStanding) -> (&str, i32, &str, &str) {
        let id = standing.project.rsplit('/').next().unwrap_or_default();
        let total = standing.total.as_deref().unwrap_or_default();
        (id, standing.rank.unwrap_or(0), total, &standing.decided_by)
    }
    standings.standings.iter().map(line).collect()
}

/// What a member has by each criterion: its score, or why there is none.
fn scores(standings: &CampaignStandings, id: &str) -> Vec<String> {
    let found = standings.standings.iter().find(|standing| standing.project == project(id)).unwrap();
    let scores = found.scores.iter().map(|score| score.score.clone().unwrap());
    scores.map(|score| score.value.unwrap_or_else(|| score.missing[0].why.clone())).collect()
}

/// An office with a campaign to come.
struct Office {
    registry: RegistryServer,
    tracker: Running,
    today: Date,
}

impl Office {
    /// An office with these projects, on the first day of the campaign.
    async fn with(ids: &[&str]) -> Self {
        let mut recorded = Registry::new(3);
        recorded.portfolio("wsc");
        for id in ids {
            recorded.project(id);
        }
        let registry = RegistryServer::running(recorded);
        let mut tracker = Running::idle(&registry);
        tracker.clock.set(format!("{START}T04:00:00Z").parse().unwrap());
        tracker.follow();
        tracker.reach(registry.recorded.tail()).await;
        let mut office = Self { registry, tracker, today: START.yesterday().unwrap() };
        office.begin(START).await;
        office
    }

    /// Lets the days up to this one begin, each at its noon.
    async fn begin(&mut self, last: Date) {
        while self.today < last {
            self.today = self.today.tomorrow().unwrap();
            self.tracker.clock.set(format!("{}T04:00:00Z", self.today).parse().unwrap());
            let (portfolio, date) = ("portfolios/wsc".to_owned(), day(self.today));
            let request = AdvanceDateRequest { portfolio, date, ..Default::default() };
            self.tracker.client.advance_date(request).await.unwrap();
        }
    }

    /// Has the registry say that a project completed so many fen from the first day of the campaign to another one, as was
    /// reported on that.
    async fn completes(&mut self, id: &str, last: Date, fen: i64) {
        self.reports(id, (START, last), fen).await;
    }

    async fn reports(&mut self, id: &str, (first, last): (Date, Date), fen: i64) {
        let name = project(id);
        let update_time = Some(milepost_resource::instant_message(self.tracker.clock.now()));
        let position = self.registry.say(|recorded| {
            let period = registry::Period { start_date: day(first), end_date: day(last) };
            let report = registry::CompletedInvestment {
                period: Some(period),
                amount: cny(fen),
                reported_date: day(last),
            };
            let project = registry::Project {
                name,
                completed_investments: vec![report],
                etag: (recorded.entries.len() + 1).to_string(),
                update_time,
                ..registry::Project::default()
            };
            let resource = Some(Resource::ProjectResource(project));
            recorded.append(vec![("milepost.project.updated", resource)])
        });
        self.tracker.reach(position).await;
    }

    /// A milestone that is due on a day; a weight of 0 is none.
    async fn milestone(&mut self, of: &str, id: &str, weight: i32, due: Date) {
        let mut request = create(id);
        request.parent = project(of);
        let milestone = request.milestone.as_mut().unwrap();
        milestone.baseline_date = day(due);
        milestone.weight = (weight > 0).then_some(weight);
        self.tracker.created(request).await;
    }

    async fn achieve(&mut self, of: &str, id: &str) {
        let name = format!("{}/milestones/{id}", project(of));
        let request = AchieveMilestoneRequest { name, ..Default::default() };
        self.tracker.client.achieve_milestone(request).await.unwrap();
    }

    /// An inspection that took place on a day, and is known of since today.
    async fn inspect(&mut self, of: &str, id: &str, aspects: &[Aspect], on: Date) {
        let mut inspections = InspectionServiceClient::new(self.tracker.channel.clone());
        let inspection = Inspection {
            title: "巡查".into(),
            kind: inspection::Kind::Daily.into(),
            aspects: aspects.iter().map(|aspect| (*aspect).into()).collect(),
            ..Inspection::default()
        };
        let request = CreateInspectionRequest {
            parent: project(of),
            inspection_id: id.into(),
            inspection: Some(inspection),
            ..Default::default()
        };
        inspections.create_inspection(request).await.unwrap();
        let name = format!("{}/inspections/{id}", project(of));
        let request = CompleteInspectionRequest { name, date: day(on), ..Default::default() };
        inspections.complete_inspection(request).await.unwrap();
    }

    /// A finding of the inspection `i`.
    async fn find(&mut self, of: &str, id: &str, aspect: Aspect, severity: Severity) {
        let mut findings = FindingServiceClient::new(self.tracker.channel.clone());
        let finding = Finding {
            inspection: format!("{}/inspections/i", project(of)),
            title: "问题".into(),
            aspect: aspect.into(),
            severity: severity.into(),
            ..Finding::default()
        };
        let request = CreateFindingRequest {
            parent: project(of),
            finding_id: id.into(),
            finding: Some(finding),
            ..Default::default()
        };
        findings.create_finding(request).await.unwrap();
    }

    async fn withdraw_finding(&mut self, of: &str, id: &str) {
        let name = format!("{}/findings/{id}", project(of));
        let request = WithdrawFindingRequest { name, reason: "误记".into(), ..Default::default() };
        FindingServiceClient::new(self.tracker.channel.clone()).withdraw_finding(request).await.unwrap();
    }

    /// An order of today to put a finding right by a day.
    async fn order(&mut self, of: &str, finding: &str, due: Date) {
        let order = RectificationOrder {
            title: "限期整改".into(),
            findings: vec![format!("{}/findings/{finding}", project(of))],
            responsible: "organizations/builder".into(),
            due_date: day(due),
            ..RectificationOrder::default()
        };
        let request = CreateRectificationOrderRequest {
            parent: project(of),
            rectification_order: Some(order),
            ..Default::default()
        };
        let mut orders = RectificationOrderServiceClient::new(self.tracker.channel.clone());
        orders.create_rectification_order(request).await.unwrap();
    }

    fn campaigns(&self) -> CampaignServiceClient<tonic::transport::Channel> {
        CampaignServiceClient::new(self.tracker.channel.clone())
    }

    /// Plans the campaign and opens it, as of its first day.
    async fn open(&mut self, campaign: Campaign) {
        let request = CreateCampaignRequest {
            parent: "portfolios/wsc".into(),
            campaign_id: "spring".into(),
            campaign: Some(campaign),
            ..Default::default()
        };
        let mut campaigns = self.campaigns();
        campaigns.create_campaign(request).await.unwrap();
        let request = OpenCampaignRequest { name: CAMPAIGN.into(), date: day(START), ..Default::default() };
        campaigns.open_campaign(by("user:corp/opener", request)).await.unwrap();
    }

    async fn standings(&self, on: Date, knowledge: Knowledge) -> CampaignStandings {
        let (name, date) = (CAMPAIGN.to_owned(), day(on));
        let request =
            GetCampaignStandingsRequest { name, date, knowledge: knowledge.into(), ..Default::default() };
        self.campaigns().get_campaign_standings(request).await.unwrap().into_inner().standings.unwrap()
    }

    async fn latest(&self, on: Date) -> CampaignStandings {
        self.standings(on, Knowledge::Latest).await
    }

    async fn stop(self) {
        let Self { registry, tracker, .. } = self;
        drop(registry);
        tracker.stop().await;
    }
}
