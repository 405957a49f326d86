//! A whole tracker in the process: its ledger on a journal in memory, its service over a channel, its
//! tasks running; it can be opened again on what it left.

use std::sync::Arc;
use std::time::{Duration, Instant};

use milepost_client::Backoff;
use milepost_ledger::journal::Journal;
use milepost_ledger::journal::memory::MemoryJournal;
use milepost_ledger::{Direction, KeyRange, Options, Read, Row};
use milepost_proto::tracker::v1::inspection_service_client::InspectionServiceClient;
use milepost_proto::tracker::v1::milestone_service_client::MilestoneServiceClient;
use milepost_proto::tracker::v1::{
    Aspect, Campaign, CompleteInspectionRequest, CreateInspectionRequest, Excuse, Finding, Inspection,
    Milestone, RectificationOrder, ServiceRequest, Template, TemplateVersion, TimelineEntry, TimelineRule,
    Warning, WarningPolicy, inspection,
};
use milepost_service::config::server::Server;
use milepost_service::host::ServiceContext;
use milepost_service::readiness::State;
use milepost_types::{LogId, ManualClock, Position};
use tokio::task::JoinHandle;
use tonic::Status;
use tonic::transport::Channel;
use tonic_types::StatusExt;

use super::RegistryServer;
use super::registry_server::channel_to;
use crate::config::Config;
use crate::methods;
use crate::service::Service;

/// How long a test waits for what must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The tracker.
pub(crate) struct Running {
    pub(crate) service: Service,
    pub(crate) client: MilestoneServiceClient<Channel>,
    pub(crate) channel: Channel,
    pub(crate) context: ServiceContext,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) journal: Arc<MemoryJournal>,
    pub(crate) options: Options,
    dir: tempfile::TempDir,
    tasks: Vec<JoinHandle<()>>,
}

impl Running {
    /// Has a project inspected for safety today, and done with it; the name of the inspection.
    pub(crate) async fn inspect(&self, project: &str, id: &str) -> String {
        let mut inspections = InspectionServiceClient::new(self.channel.clone());
        let inspection = Inspection {
            title: "巡查".into(),
            kind: inspection::Kind::Daily.into(),
            aspects: vec![Aspect::Safety.into()],
            ..Inspection::default()
        };
        let request = CreateInspectionRequest {
            parent: project.into(),
            inspection_id: id.into(),
            inspection: Some(inspection),
            ..Default::default()
        };
        inspections.create_inspection(request).await.unwrap();
        let name = format!("{project}/inspections/{id}");
        let request = CompleteInspectionRequest { name: name.clone(), ..Default::default() };
        inspections.complete_inspection(request).await.unwrap();
        name
    }

    /// A new tracker that may follow `registry`, but nothing runs beside the calls yet; it is noon of
    /// 13 May 2021 in Shanghai.
    pub(crate) fn idle(registry: &RegistryServer) -> Self {
        Self::with_options(registry, Options::default())
    }

    /// As [`Running::idle`], with other options.
    pub(crate) fn with_options(registry: &RegistryServer, options: Options) -> Self {
        let clock = Arc::new(ManualClock::new("2021-05-13T04:00:00Z".parse().unwrap()));
        let journal = Arc::new(MemoryJournal::new(LogId::from_bytes([9; 16])));
        Self::open(registry, clock, journal, tempfile::tempdir().unwrap(), options)
    }

    /// A tracker on this journal, without a store; nothing runs beside the calls yet.
    pub(crate) fn on(registry: &RegistryServer, journal: MemoryJournal) -> Self {
        let clock = Arc::new(ManualClock::new("2021-05-13T04:00:00Z".parse().unwrap()));
        Self::open(registry, clock, Arc::new(journal), tempfile::tempdir().unwrap(), Options::default())
    }

    fn open(
        registry: &RegistryServer,
        clock: Arc<ManualClock>,
        journal: Arc<MemoryJournal>,
        dir: tempfile::TempDir,
        options: Options,
    ) -> Self {
        let context = ServiceContext::with_clock(&Server::default(), Arc::clone(&clock) as _);
        let config = Config { registry_timeout: Duration::from_millis(500), ..Config::default() };
        let shared = Arc::clone(&journal) as Arc<dyn Journal>;
        let pool = registry.pool.clone();
        let mut service =
            Service::on(&context, dir.path(), shared, options.clone(), &config, pool.into()).unwrap();
        service.backoff = Backoff { min: Duration::from_millis(1), max: Duration::from_millis(5) };
        let router = tonic::transport::Server::builder()
            .add_service(service.serve::<Milestone>(methods::of_milestones()))
            .add_service(service.serve::<ServiceRequest>(methods::of_service_requests()))
            .add_service(service.serve::<TimelineEntry>(methods::of_timeline_entries()))
            .add_service(service.serve::<TimelineRule>(Vec::new()))
            .add_service(service.serve::<Inspection>(methods::of_inspections()))
            .add_service(service.serve::<Finding>(methods::of_findings()))
            .add_service(service.serve::<RectificationOrder>(methods::of_rectification_orders()))
            .add_service(service.serve::<Template>(methods::of_templates()))
            .add_service(service.serve::<TemplateVersion>(methods::of_template_versions()))
            .add_service(service.serve::<Campaign>(methods::of_campaigns()))
            .add_service(service.serve::<WarningPolicy>(service.warning_policy_methods()))
            .add_service(service.serve_read_only::<Warning>())
            .add_service(service.serve::<Excuse>(methods::of_excuses()));
        let channel = channel_to(router, context.drain.clone());
        let client = MilestoneServiceClient::new(channel.clone());
        let client = client.max_decoding_message_size(64 << 20).max_encoding_message_size(64 << 20);
        Self { service, client, channel, context, clock, journal, options, dir, tasks: Vec::new() }
    }

    /// Follows the registry from now on.
    pub(crate) fn follow(&mut self) {
        let follow = self.service.follower(&self.context);
        self.tasks.push(tokio::spawn(async move { follow.run().await.unwrap() }));
    }

    /// Lets days begin from now on.
    pub(crate) fn watch_days(&mut self) {
        let midnight = self.service.sweep(&self.context);
        self.tasks.push(tokio::spawn(async move { midnight.run().await.unwrap() }));
    }

    /// Ends it, as a process does that is recorded to.
    pub(crate) async fn stop(mut self) -> Self {
        self.end().await;
        self
    }

    /// As [`Running::stop`]; what it stored can still be looked at.
    pub(crate) async fn end(&mut self) {
        self.context.drain.cancel();
        for task in self.tasks.drain(..) {
            tokio::time::timeout(PATIENCE, task).await.expect("a task ends").unwrap();
        }
        self.service.close();
    }

    /// Every row of the ledger.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let everything = KeyRange { start: Vec::new(), end: None };
        self.service.api.ledger.view().scan(&everything, Direction::Forward).collect()
    }

    /// Opens it again on what it left: journal, store and clock.
    pub(crate) async fn reopened(self, registry: &RegistryServer) -> Self {
        let Self { clock, journal, dir, options, .. } = self.stop().await;
        let mut tracker = Self::open(registry, clock, Arc::new(journal.reopened()), dir, options);
        tracker.follow();
        tracker
    }

    /// Waits until the registry was followed to here.
    pub(crate) async fn reach(&self, position: Position) {
        let deadline = Instant::now() + PATIENCE;
        self.service.upstream.follow_to(position, deadline).await.expect("the registry is followed");
    }

    /// Waits until a check of the tracker's says this, and says its reason.
    pub(crate) async fn readiness(&self, check: &str, wanted: impl Fn(&State) -> bool) -> String {
        let mut reports = self.context.readiness.watch();
        let report = reports.wait_for(|report| report.checks.get(check).is_some_and(&wanted));
        let report = tokio::time::timeout(PATIENCE, report).await.expect("the check changes").unwrap();
        report.checks[check].reason().to_owned()
    }

    /// The last event of the last entry.
    pub(crate) fn last_event(&self) -> milepost_proto::event::v1::Event {
        use prost::Message;
        let after = self.service.position().sequence - 1;
        let limit = milepost_ledger::journal::ReadLimit { entries: 1, bytes: 1 };
        let entries = self.journal.read_after(after, limit).unwrap();
        let entry = milepost_ledger::Entry::decode(&entries[0]).unwrap();
        milepost_proto::event::v1::Event::decode(entry.events.last().unwrap().clone()).unwrap()
    }

    /// The types of the events of all entries, one line an entry.
    pub(crate) fn story(&self) -> Vec<String> {
        self.entries().into_iter().map(|(_, kinds)| kinds).collect()
    }

    /// The same, each with the portfolio of the entry.
    pub(crate) fn entries(&self) -> Vec<(String, String)> {
        use milepost_ledger::journal::ReadLimit;
        use prost::Message;
        let limit = ReadLimit { entries: usize::MAX, bytes: usize::MAX };
        let entries = self.journal.read_after(0, limit).unwrap();
        let line = |stored| {
            let entry = milepost_ledger::Entry::decode(stored).unwrap();
            let kinds = entry.events.iter().map(|event| {
                let kind = milepost_proto::event::v1::Event::decode(event.clone()).unwrap().r#type;
                kind.trim_start_matches("milepost.").to_owned()
            });
            let kinds = kinds.collect::<Vec<_>>().join(" ");
            (entry.portfolio, kinds)
        };
        entries.iter().map(line).collect()
    }
}

/// The reason of a status, as ErrorInfo says it.
pub(crate) fn reason(status: &Status) -> String {
    status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default()
}

/// What the status says under a key.
pub(crate) fn fact(status: &Status, key: &str) -> String {
    let details = status.get_error_details();
    details.error_info().and_then(|info| info.metadata.get(key).cloned()).unwrap_or_default()
}
