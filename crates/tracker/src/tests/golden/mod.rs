//! What the tracker stores and sends, byte for byte: rows, events, entries, request ids, page tokens and
//! refusals, beside a golden text for each resource.
//!
//! The calls are made through the public API with requests from JSON, so nothing here depends on how the
//! service is built inside. A golden text changes only if what is stored or sent is meant to change:
//! `GOLDEN=renew cargo nextest run -p milepost-tracker golden` writes them anew, and fails all the same.

mod campaign;
mod faults;
mod refusals;
mod service_request;
mod supervision;
mod template;
mod timeline;
mod warning;
mod writes;

use std::path::Path;

use milepost_ledger::Row;
use milepost_ledger::journal::{Journal, ReadLimit, StoredEntry};
use milepost_proto::event::v1::event::Resource;
use milepost_proto::registry::v1 as registry;
use milepost_types::ManualClock;
use serde_json::{Value, json};
use tonic::transport::Channel;

use super::transcript::noun::Noun;
use super::transcript::{Subject, Transcript};
use super::{Registry, RegistryServer, Running};

const MILESTONE: Noun = Noun { singular: "Milestone", plural: "Milestones", field: "milestone" };
const ROAD: &str = "portfolios/wsc/projects/road";

/// A tracker that follows a registry.
struct Tracker {
    running: Running,
    registry: RegistryServer,
}

impl Subject for Tracker {
    const PACKAGE: &'static str = "milepost.tracker.v1";
    const REVISION_OF_ANOTHER_LOG: &'static str = "UgECAZXzoHweS26dVS8fCo08EQAAAAAAABJnASNFZ4mrze_fdQLE";
    const BY_ANOTHER_PERSON: &'static [&'static str] = &[
        "RebaselineMilestone",
        "ReviewRectificationOrder",
        "ExtendRectificationOrder",
        "GrantExcuse",
        "RefuseExcuse",
        "SignOffCampaign",
        "ReviseCampaign",
    ];

    fn channel(&self) -> &Channel {
        &self.running.channel
    }

    fn clock(&self) -> &ManualClock {
        &self.running.clock
    }

    fn rows(&self) -> Vec<Row> {
        self.running.rows()
    }

    fn entries_after(&self, sequence: u64) -> Vec<StoredEntry> {
        let limit = ReadLimit { entries: usize::MAX, bytes: usize::MAX };
        self.running.journal.read_after(sequence, limit).unwrap()
    }

    async fn close(&mut self) {
        self.running.end().await;
    }
}

type Golden = Transcript<Tracker>;

impl Tracker {
    /// One that has followed the portfolio `wsc`, which has a calendar, with the projects `road` and `tower`, and
    /// the portfolio `lj` with the project `road`: five entries. It is noon of 13 May 2021 there.
    async fn open() -> Self {
        let registry = RegistryServer::running(Registry::new(3));
        let mut tracker = Self { running: Running::idle(&registry), registry };
        tracker.running.follow();
        let day = |month, day| milepost_proto::google::r#type::Date { year: 2021, month, day };
        let calendar = registry::WorkingCalendar {
            weekdays: vec![1, 2, 3, 4, 5],
            holidays: vec![day(6, 14)],
            make_up_days: vec![day(6, 12)],
        };
        tracker.say("milepost.portfolio.created", portfolio("wsc", Some(calendar))).await;
        tracker.say("milepost.project.created", project("wsc", "road")).await;
        tracker.say("milepost.project.created", project("wsc", "tower")).await;
        tracker.say("milepost.portfolio.created", portfolio("lj", None)).await;
        tracker.say("milepost.project.created", project("lj", "road")).await;
        tracker
    }

    /// Has the registry say something, and waits until it was followed.
    async fn say(&mut self, kind: &str, resource: Resource) {
        let position = self.registry.say(|recorded| {
            recorded.append(vec![(kind, Some(resource))]);
        });
        self.running.reach(position).await;
    }
}

fn portfolio(id: &str, working_calendar: Option<registry::WorkingCalendar>) -> Resource {
    let (name, time_zone) = (format!("portfolios/{id}"), "Asia/Shanghai".to_owned());
    Resource::PortfolioResource(registry::Portfolio {
        name,
        time_zone,
        working_calendar,
        ..Default::default()
    })
}

fn project(portfolio: &str, id: &str) -> Resource {
    let name = format!("portfolios/{portfolio}/projects/{id}");
    let status = registry::project::Status::Preparation.into();
    Resource::ProjectResource(registry::Project { name, status, ..Default::default() })
}

fn name(id: &str) -> String {
    format!("{ROAD}/milestones/{id}")
}

fn create(id: &str, milestone: Value) -> Value {
    json!({ "parent": ROAD, "milestone_id": id, "milestone": milestone })
}

fn minimal() -> Value {
    json!({ "display_name": "开工" })
}

/// What a method is asked for a milestone, with what else it asks for.
fn of(id: &str, mut more: Value) -> Value {
    more["name"] = json!(name(id));
    more
}

fn date(year: i32, month: i32, day: i32) -> Value {
    json!({ "year": year, "month": month, "day": day })
}

/// Compares it with the golden text of a resource.
fn compare(golden: &Golden, resource: &str) {
    let texts = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/golden");
    golden.check(env!("CARGO_PKG_NAME"), &texts.join(format!("{resource}.txt")));
}

#[tokio::test]
async fn milestones_are_stored_and_sent_as_ever() {
    let mut golden = Golden::of(Tracker::open().await);
    writes::all(&mut golden).await;
    faults::all(&mut golden).await;
    refusals::all(&mut golden).await;
    golden.every_field(&MILESTONE, &json!({ "parent": ROAD }), &name("minimal")).await;
    golden.close().await;

    golden.turn_to(Tracker::open().await);
    golden.made(&MILESTONE.method("Create"), json!({ "parent": ROAD, "milestone": minimal() })).await;
    compare(&golden, "milestone");
}
