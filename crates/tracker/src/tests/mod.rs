//! The service over an in-process channel, on a ledger in memory, following a registry in the process; and
//! what all tests share: the rules on rows in memory without a ledger (`world`), a registry to follow, and
//! a whole tracker.

mod calls;
mod campaigns;
mod civil_dates;
mod damaged;
mod following;
mod golden;
mod lists;
mod nonsense;
pub(crate) mod registry;
pub(crate) mod registry_server;
mod requests;
mod requests_followed;
mod reviews;
pub(crate) mod running;
pub(crate) mod samples;
mod sizes;
mod stored;
mod supervision;
mod templates;
#[path = "../../../../tests/transcript/mod.rs"]
mod transcript;
mod warnings;
pub(crate) mod world;

use jiff::civil::Date;
use milepost_proto::google::r#type::Date as DateMessage;
use milepost_proto::tracker::v1::*;
use milepost_types::Position;

pub(crate) use self::registry::Registry;
pub(crate) use self::registry_server::RegistryServer;
pub(crate) use self::running::Running;
pub(crate) use self::world::World;
use milepost_service::value::date_message;

const PROJECT: &str = "portfolios/wsc/projects/road";
const START: &str = "portfolios/wsc/projects/road/milestones/start";
const BASELINE: Date = crate::tests::samples::BASELINE;

/// A registry with the portfolio `wsc` and the project `road`, and a tracker that knows of them.
async fn road() -> (RegistryServer, Running) {
    let registry = RegistryServer::running(road_recorded());
    let mut tracker = Running::idle(&registry);
    tracker.follow();
    tracker.reach(registry.recorded.tail()).await;
    (registry, tracker)
}

fn road_recorded() -> Registry {
    let mut recorded = Registry::new(3);
    recorded.portfolio("wsc");
    recorded.project("road");
    recorded
}

fn day(date: Date) -> Option<DateMessage> {
    Some(date_message(date))
}

fn create(id: &str) -> CreateMilestoneRequest {
    CreateMilestoneRequest {
        parent: PROJECT.into(),
        milestone_id: id.into(),
        milestone: Some(Milestone {
            display_name: "开工".into(),
            baseline_date: day(BASELINE),
            ..Milestone::default()
        }),
        ..CreateMilestoneRequest::default()
    }
}

fn construction_start(project: &str, id: &str) -> CreateMilestoneRequest {
    let mut request = create(id);
    request.parent = format!("portfolios/wsc/projects/{project}");
    request.milestone.as_mut().unwrap().r#type = "constructionStart".into();
    request
}

fn reforecast(days: i64, reason: &str) -> ReforecastMilestoneRequest {
    ReforecastMilestoneRequest {
        name: START.into(),
        reason: reason.into(),
        forecast_date: day(BASELINE.saturating_add(jiff::Span::new().days(days))),
        ..ReforecastMilestoneRequest::default()
    }
}

impl Running {
    async fn created(&mut self, request: CreateMilestoneRequest) -> Milestone {
        self.client.create_milestone(request).await.unwrap().into_inner().milestone.unwrap()
    }

    async fn got(&mut self, name: &str) -> Milestone {
        let request = GetMilestoneRequest { name: name.into(), ..GetMilestoneRequest::default() };
        self.client.get_milestone(request).await.unwrap().into_inner().milestone.unwrap()
    }
}

fn revision(ledger: milepost_types::LedgerKind, position: Position) -> String {
    milepost_types::Revision { ledger, position }.to_string()
}
