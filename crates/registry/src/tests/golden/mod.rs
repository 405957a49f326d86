//! What the registry stores and sends, byte for byte, for each resource: rows, events, entries, request ids,
//! page tokens and refusals, beside a golden text for each.
//!
//! The calls are made through the public API with requests from JSON, so nothing here depends on how the
//! service is built inside. A golden text changes only if what is stored or sent is meant to change:
//! `GOLDEN=renew cargo nextest run -p milepost-registry golden` writes them anew, and fails all the same.

mod alliance;
mod annual_list;
mod api_token;
mod assignment;
mod batch;
mod batch_refusals;
mod collection;
mod grant;
mod indicator;
mod matching;
mod organization;
mod phase;
mod policy;
mod policy_programme;
mod portfolio;
mod project;
mod project_faults;
mod project_refusals;
mod service_account;

use std::path::Path;
use std::sync::Arc;

use milepost_ledger::Row;
use milepost_ledger::journal::memory::MemoryJournal;
use milepost_ledger::journal::{Journal, ReadLimit, StoredEntry};
use milepost_types::{LogId, ManualClock};
use serde_json::json;
use tonic::transport::Channel;

use super::office::Office;
use super::transcript::{Subject, Transcript, noun};

/// An office with its journal, of which the services of one package are called: those of access, or the others.
struct Registry<const ACCESS: bool = false> {
    office: Office,
    journal: Arc<MemoryJournal>,
}

impl<const ACCESS: bool> Subject for Registry<ACCESS> {
    const PACKAGE: &'static str = if ACCESS { "milepost.access.v1" } else { "milepost.registry.v1" };
    const REVISION_OF_ANOTHER_LOG: &'static str = "UgEBAZXzoHweS26dVS8fCo08EQAAAAAAABJnASNFZ4mrze8xPn-1";

    fn channel(&self) -> &Channel {
        &self.office.channel
    }

    fn clock(&self) -> &ManualClock {
        &self.office.clock
    }

    fn rows(&self) -> Vec<Row> {
        self.office.rows()
    }

    fn entries_after(&self, sequence: u64) -> Vec<StoredEntry> {
        self.journal.read_after(sequence, ReadLimit { entries: usize::MAX, bytes: usize::MAX }).unwrap()
    }

    async fn close(&mut self) {
        self.office.service.close();
    }
}

type Golden = Transcript<Registry>;

impl<const ACCESS: bool> Registry<ACCESS> {
    /// An empty registry, at noon of 2021-05-27 in Chongqing.
    async fn open() -> Self {
        let journal = Arc::new(MemoryJournal::new(LogId::from_bytes([7; 16])));
        Self { office: Office::on(Arc::clone(&journal)).await, journal }
    }
}

impl<const ACCESS: bool> Transcript<Registry<ACCESS>> {
    async fn open() -> Self {
        Self::of(Registry::open().await)
    }

    async fn given_portfolio(&mut self, id: &str) {
        let portfolio = json!({
            "display_name": "西部(重庆)科学城",
            "time_zone": "Asia/Shanghai",
            "reporting_currency_code": "CNY",
        });
        let request = json!({ "portfolio_id": id, "portfolio": portfolio });
        self.given("milepost.registry.v1.PortfolioService/CreatePortfolio", request).await;
    }

    async fn given_organization(&mut self, id: &str) {
        let request = json!({ "organization_id": id, "organization": { "display_name": "重庆大学" } });
        self.given("milepost.registry.v1.OrganizationService/CreateOrganization", request).await;
    }

    /// A project in a portfolio, with what else it says.
    async fn given_project(&mut self, portfolio: &str, id: &str, mut project: serde_json::Value) {
        project["display_name"] = json!("科学大道");
        let parent = format!("portfolios/{portfolio}");
        let request = json!({ "parent": parent, "project_id": id, "project": project });
        self.given("milepost.registry.v1.ProjectService/CreateProject", request).await;
    }

    /// Compares it with the golden text of a resource.
    fn compare(&self, resource: &str) {
        let texts = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/golden");
        self.check(env!("CARGO_PKG_NAME"), &texts.join(format!("{resource}.txt")));
    }
}

/// An amount in the currency of China.
fn cny(units: i64, nanos: i32) -> serde_json::Value {
    json!({ "currency_code": "CNY", "units": units.to_string(), "nanos": nanos })
}

fn date(year: i32, month: i32, day: i32) -> serde_json::Value {
    json!({ "year": year, "month": month, "day": day })
}
