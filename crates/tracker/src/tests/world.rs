//! The rules on rows in memory: commands are decided and applied one by one, without a ledger.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use milepost_ledger::journal::memory::MemoryJournal;
use milepost_ledger::{Actor, CommandId, Context, Direction, Domain, Entry, KeyRange, Read, RowIter, Write};
use milepost_proto::event::v1::Event;
use milepost_proto::tracker::v1::*;
use milepost_resource::{Act, Custom, Name, Rules, Run, Standard, Target, read_list};
use milepost_service::access::{Permit, Scopes};
use milepost_service::value::date_message;
use milepost_types::{Etag, Hash, Lineage, LogId, Rejection, Violations};
use prost::Message;

use super::Registry;
use crate::command::{AdvanceDate, Command};
use crate::decide::{Today, Tracker};
use crate::methods::create_several;
use crate::milestone::{
    Reforecast, StateChange, StateReport, add_evidence, change_state, rebaseline, reforecast,
};
use crate::names::{MilestoneName, ProjectName};
use crate::source::SourceEntry;
use crate::tables;

/// A change of state that is reported as it is committed.
fn report(change: StateChange, reason: String) -> StateReport {
    StateReport { change, reason, reported: None }
}

/// Rows in a map.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Rows(pub(crate) BTreeMap<Bytes, Bytes>);

impl Read for Rows {
    fn get(&self, key: &[u8]) -> Option<Bytes> {
        self.0.get(key).cloned()
    }

    fn scan<'a>(&'a self, range: &KeyRange, direction: Direction) -> RowIter<'a> {
        let end = range.end.clone();
        let rows = self
            .0
            .range(Bytes::from(range.start.clone())..)
            .take_while(move |(key, _)| end.as_ref().is_none_or(|end| ***key < **end))
            .map(|(key, value)| (key.clone(), value.clone()));
        match direction {
            Direction::Forward => Box::new(rows),
            Direction::Backward => Box::new(rows.collect::<Vec<_>>().into_iter().rev()),
        }
    }
}

impl Write for Rows {
    fn put(&mut self, key: Vec<u8>, value: Bytes) {
        self.0.insert(key.into(), value);
    }

    fn delete(&mut self, key: &[u8]) {
        self.0.remove(key);
    }
}

/// Rows whose reads are counted: each look-up, each scan, and each row of a scan.
pub(crate) struct Counted<'a> {
    rows: &'a Rows,
    reads: AtomicUsize,
}

impl<'a> Counted<'a> {
    pub(crate) fn new(rows: &'a Rows) -> Self {
        Self { rows, reads: AtomicUsize::default() }
    }

    pub(crate) fn reads(&self) -> usize {
        self.reads.load(Ordering::Relaxed)
    }

    fn count(&self) {
        self.reads.fetch_add(1, Ordering::Relaxed);
    }
}

impl Read for Counted<'_> {
    fn get(&self, key: &[u8]) -> Option<Bytes> {
        self.count();
        self.rows.get(key)
    }

    fn scan<'a>(&'a self, range: &KeyRange, direction: Direction) -> RowIter<'a> {
        self.count();
        Box::new(self.rows.scan(range, direction).inspect(|_| self.count()))
    }
}

/// A tracker, with the entries that made its rows.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) domain: Tracker,
    pub(crate) rows: Rows,
    pub(crate) entries: Vec<Entry>,
    pub(crate) now: Timestamp,
    /// Who submits commands.
    pub(crate) actor: Actor,
}

impl World {
    /// Follows a registry with the portfolio `wsc` and these projects; it is noon of 13 May 2021 there.
    pub(crate) fn with_projects(ids: &[&str]) -> (Self, Registry) {
        let mut registry = Registry::new(3);
        let mut world = Self { now: "2021-05-13T04:00:00Z".parse().unwrap(), ..Self::default() };
        world.ingest(registry.portfolio("wsc")).unwrap();
        for id in ids {
            world.ingest(registry.project(id)).unwrap();
        }
        (world, registry)
    }

    /// What the next command is decided in.
    pub(crate) fn context(&self) -> Context {
        let sequence = self.entries.len() as u64 + 1;
        Context {
            log: LogId::from_bytes([9; 16]),
            sequence,
            commit_time: self.now,
            now: self.now,
            actor: self.actor.clone(),
            command_id: CommandId::Server(format!("t-{sequence}")),
            seed: u128::from(sequence) << 64,
        }
    }

    /// Decides a command and applies what it does; says its events.
    pub(crate) fn submit(&mut self, command: Command) -> Result<Vec<Event>, Rejection> {
        let context = self.context();
        let decision = self.domain.decide(&self.rows, &command, &context)?;
        if decision.events.is_empty() {
            return Ok(Vec::new());
        }
        let entry = Entry {
            sequence: context.sequence,
            commit_time: context.commit_time,
            actor: context.actor,
            command_id: context.command_id,
            decided_on: decision.decided_on,
            portfolio: decision.portfolio,
            events: decision.events,
        };
        self.domain.apply(&mut self.rows, &entry).unwrap();
        let events = entry.events.iter().map(|event| Event::decode(event.clone()).unwrap()).collect();
        self.entries.push(entry);
        Ok(events)
    }

    /// Takes an entry of the registry over, in as many entries as it takes; says all their events.
    pub(crate) fn ingest(&mut self, source_entry: SourceEntry) -> Result<Vec<Event>, Rejection> {
        let source_entry = Arc::new(source_entry);
        self.submit_to_the_end(|| Command::Ingest { source_entry: Arc::clone(&source_entry), skip: None })
    }

    /// Submits a command until it does nothing any more.
    fn submit_to_the_end(&mut self, command: impl Fn() -> Command) -> Result<Vec<Event>, Rejection> {
        let mut all = Vec::new();
        loop {
            let recorded = self.submit(command())?;
            if recorded.is_empty() {
                return Ok(all);
            }
            all.extend(recorded);
        }
    }

    /// Creates a milestone in the project `road` of the portfolio `wsc`.
    pub(crate) fn create(&mut self, id: &str, baseline: Option<Date>) -> Milestone {
        self.submit(create(vec![draft("road", Some(id), baseline)])).unwrap();
        self.milestone(&name("road", id))
    }

    pub(crate) fn act(&mut self, name: impl ToString, action: Action) -> Result<Vec<Event>, Rejection> {
        self.submit(action.on(&name.to_string(), None))
    }

    /// Achieves a milestone on a day, as it was reported on another.
    pub(crate) fn achieve_reported(&mut self, name: &str, actual: Date, reported: Option<Date>) {
        let change = StateChange::Achieve(Some(actual));
        self.report(name, StateReport { change, reason: String::new(), reported }).unwrap();
    }

    /// Changes the state of a milestone.
    pub(crate) fn report(&mut self, name: &str, report: StateReport) -> Result<Vec<Event>, Rejection> {
        let target = Target { name: name.parse().unwrap(), etag: None };
        self.submit(command(Custom::act(target, report, change_state as Run<_, _, _>)))
    }

    pub(crate) fn advance(&mut self, date: Date) -> Result<Vec<Event>, Rejection> {
        self.submit_to_the_end(|| advance(date))
    }

    /// Lets days begin up to this one, at its noon.
    pub(crate) fn until(&mut self, day: Date) -> Vec<Event> {
        self.now = format!("{day}T04:00:00Z").parse().unwrap();
        self.advance(day).unwrap()
    }

    /// Which day it is in the portfolio `wsc`.
    pub(crate) fn today(&self) -> Today {
        let name = "portfolios/wsc".parse().unwrap();
        let portfolio = tables::portfolio::get(&self.rows, &name).unwrap().unwrap();
        Today::of(&self.rows, &name, &portfolio, self.now).unwrap()
    }

    /// Does what a request is read to.
    pub(crate) fn read_and_submit(
        &mut self,
        read: impl FnOnce(&mut Violations) -> Option<Box<dyn Act<Tracker>>>,
    ) -> Result<Vec<Event>, Rejection> {
        let mut violations = Violations::new();
        let act = read(&mut violations);
        self.submit(command(violations.finish(act)?))
    }

    pub(crate) fn milestone(&self, name: &MilestoneName) -> Milestone {
        milepost_resource::Rows::<Tracker>::new(&self.rows).get(name).unwrap().unwrap().into_inner()
    }

    /// A page of milestones, the token of the next, and how many rows were looked at.
    pub(crate) fn page(
        &self,
        request: &ListMilestonesRequest,
    ) -> Result<(Vec<Milestone>, String, usize), Rejection> {
        let list = read_list::<Tracker, Milestone>(request, &Scopes::everywhere())?;
        let page = list.page::<Tracker, Milestone>(&milepost_resource::Rows::new(&self.rows), self.now)?;
        let milestones = page.resources.into_iter().map(|row| Milestone::decode(row).unwrap()).collect();
        Ok((milestones, list.next_page_token(page.next, self.entries.len() as u64), page.scanned))
    }

    /// A journal of the entries.
    pub(crate) fn journal(&self) -> MemoryJournal {
        let (mut previous, mut entries) = (Hash::ZERO, Vec::new());
        for entry in &self.entries {
            let stored = entry.encode(&previous);
            previous = stored.hash;
            entries.push(stored);
        }
        MemoryJournal::with_entries(self.context().log, Lineage::default(), entries)
    }

    /// Rows made anew of the entries.
    pub(crate) fn rebuilt(&self) -> Rows {
        let (domain, mut rows) = (Tracker::default(), Rows::default());
        self.entries.iter().for_each(|entry| domain.apply(&mut rows, entry).unwrap());
        rows
    }
}

/// What may be done to a milestone.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    Delete,
    Undelete,
    Reforecast { forecast: Option<Date>, reason: String },
    Rebaseline { baseline: Date, reason: String },
    Achieve { actual: Option<Date>, reason: String },
    PartiallyAchieve { actual: Option<Date>, reason: String },
    Miss { reason: String },
    Cancel { reason: String },
    Reopen { reason: String },
    AddEvidence(Evidence),
}

impl Action {
    /// The command to do it to the milestone of this name, if it has this etag.
    pub(crate) fn on(self, name: &str, etag: Option<Etag>) -> Command {
        let target = || Target { name: name.parse().unwrap(), etag };
        command(match self {
            Action::Delete => Box::new(Standard::<Milestone>::Delete(target())),
            Action::Undelete => Box::new(Standard::<Milestone>::Undelete(target())),
            Action::Reforecast { forecast, reason } => Custom::act(
                target(),
                Reforecast { forecast, reason, reported: None },
                reforecast as Run<_, _, _>,
            ),
            Action::Rebaseline { baseline, reason } => {
                Custom::act(target(), (baseline, reason), rebaseline as Run<_, _, _>)
            }
            Action::Achieve { actual, reason } => Custom::act(
                target(),
                report(StateChange::Achieve(actual), reason),
                change_state as Run<_, _, _>,
            ),
            Action::PartiallyAchieve { actual, reason } => Custom::act(
                target(),
                report(StateChange::PartiallyAchieve(actual), reason),
                change_state as Run<_, _, _>,
            ),
            Action::Miss { reason } => {
                Custom::act(target(), report(StateChange::Miss(None), reason), change_state as Run<_, _, _>)
            }
            Action::Cancel { reason } => {
                Custom::act(target(), report(StateChange::Cancel(None), reason), change_state as Run<_, _, _>)
            }
            Action::Reopen { reason } => {
                Custom::act(target(), report(StateChange::Reopen(None), reason), change_state as Run<_, _, _>)
            }
            Action::AddEvidence(evidence) => Custom::act(target(), evidence, add_evidence as Run<_, _, _>),
        })
    }
}

/// The command to do this.
pub(crate) fn command(act: Box<dyn Act<Tracker>>) -> Command {
    Command::Resources(Arc::new(milepost_resource::Command {
        act,
        traceparent: String::new(),
        permit: Permit::of_system(),
    }))
}

/// The beginning of days in the portfolio `wsc`.
pub(crate) fn advance(date: Date) -> Command {
    let (portfolio, traceparent) = ("portfolios/wsc".parse().unwrap(), String::new());
    Command::AdvanceDate(Arc::new(AdvanceDate {
        portfolio,
        date,
        preview: false,
        traceparent,
        permit: Permit::of_system(),
    }))
}

/// The creation of milestones in the portfolio `wsc`.
pub(crate) fn create(requests: Vec<CreateMilestoneRequest>) -> Command {
    let parent = "portfolios/wsc/projects/-".to_owned();
    let request =
        BatchCreateMilestonesRequest { parent, requests, ..BatchCreateMilestonesRequest::default() };
    let mut violations = Violations::new();
    let act = create_several(request, &mut violations);
    command(violations.finish(act).unwrap())
}

/// A milestone to be in a project of the portfolio `wsc`.
pub(crate) fn draft(project: &str, id: Option<&str>, baseline: Option<Date>) -> CreateMilestoneRequest {
    CreateMilestoneRequest {
        parent: project_name(project).to_string(),
        milestone_id: id.unwrap_or_default().to_owned(),
        milestone: Some(Milestone {
            display_name: "开工".to_owned(),
            baseline_date: baseline.map(date_message),
            ..Milestone::default()
        }),
        ..CreateMilestoneRequest::default()
    }
}

pub(crate) fn project_name(id: &str) -> ProjectName {
    format!("portfolios/wsc/projects/{id}").parse().unwrap()
}

pub(crate) fn name(project: &str, id: &str) -> MilestoneName {
    format!("portfolios/wsc/projects/{project}/milestones/{id}").parse().unwrap()
}

pub(crate) fn kinds(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.r#type.trim_start_matches("milepost.")).collect()
}

impl World {
    /// Has the row of a resource be one that cannot be decoded; says what it was.
    pub(crate) fn damage<R: Rules<Tracker>>(&mut self, name: &Name<R>) -> Bytes {
        let row = self.rows.0.get(&key::<R>(name)[..]).unwrap().clone();
        // A name that is no text.
        self.put_row(name, Bytes::from([&row[..], b"\x0a\x01\xff"].concat()));
        row
    }

    /// Has the row of a resource be one of which no part can be read.
    pub(crate) fn damage_cut_off<R: Rules<Tracker>>(&mut self, name: &Name<R>) {
        let row = self.rows.0.get(&key::<R>(name)[..]).unwrap().clone();
        self.put_row(name, Bytes::from([&row[..], b"\x0a\x05x"].concat()));
    }

    /// Has the row of a resource be this one.
    pub(crate) fn put_row<R: Rules<Tracker>>(&mut self, name: &Name<R>, row: Bytes) {
        self.rows.0.insert(key::<R>(name).into(), row);
    }
}

/// The key of the row of a resource.
fn key<R: Rules<Tracker>>(name: &Name<R>) -> Vec<u8> {
    let ids: Vec<_> = name.ids().iter().map(|id| id.as_str()).collect();
    [&[R::TABLE], ids.join("\0").as_bytes()].concat()
}

impl World {
    /// Has the row of a milestone be this, whatever made it so.
    pub(crate) fn store(&mut self, milestone: &Milestone) {
        let table = milepost_resource::Table::of::<Tracker, Milestone>();
        table.put(&mut self.rows, milestone.encode_to_vec().into()).unwrap();
    }
}

/// A whole tracker that knows of the project `road`, and the registry that it follows.
pub(crate) async fn running() -> (super::RegistryServer, super::Running) {
    super::road().await
}
