//! The rules on rows in memory: commands are decided and applied one by one, without a ledger.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use milepost_ledger::{Actor, CommandId, Context, Direction, Domain, Entry, KeyRange, Read, Row, Write};
use milepost_proto::event::v1::Event;
use milepost_types::{LogId, MilestoneName, ProjectName};
use prost::Message;

use super::Registry;
use crate::command::{Command, Refusal, TracedCommand};
use crate::decide::{Today, Tracker};
use crate::milestone::{Action, Details, Draft, Milestone};
use crate::mirror::Portfolio;
use crate::source::SourceEntry;
use crate::tables;

/// Rows in a map.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Rows(pub(crate) BTreeMap<Bytes, Bytes>);

impl Read for Rows {
    fn get(&self, key: &[u8]) -> Option<Bytes> {
        self.0.get(key).cloned()
    }

    fn scan<'a>(&'a self, range: &KeyRange, direction: Direction) -> Box<dyn Iterator<Item = Row> + 'a> {
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

/// A tracker, with the entries that made its rows.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) domain: Tracker,
    pub(crate) rows: Rows,
    pub(crate) entries: Vec<Entry>,
    pub(crate) now: Timestamp,
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

    /// Decides a command and applies what it does; says its events.
    pub(crate) fn submit(&mut self, command: Command) -> Result<Vec<Event>, Refusal> {
        let sequence = self.entries.len() as u64 + 1;
        let context = Context {
            log: LogId::from_bytes([9; 16]),
            sequence,
            commit_time: self.now,
            now: self.now,
            actor: Actor::default(),
            command_id: CommandId::Server(format!("t-{sequence}")),
            seed: u128::from(sequence) << 64,
        };
        let decision = self.domain.decide(&self.rows, &Arc::new(TracedCommand::from(command)), &context)?;
        if decision.events.is_empty() {
            return Ok(Vec::new());
        }
        let entry = Entry {
            sequence,
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
    pub(crate) fn ingest(&mut self, source_entry: SourceEntry) -> Result<Vec<Event>, Refusal> {
        let source_entry = Arc::new(source_entry);
        self.submit_to_the_end(|| Command::Ingest { source_entry: Arc::clone(&source_entry), skip: None })
    }

    /// Submits a command until it does nothing any more.
    fn submit_to_the_end(&mut self, command: impl Fn() -> Command) -> Result<Vec<Event>, Refusal> {
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

    pub(crate) fn act(&mut self, name: &MilestoneName, action: Action) -> Result<Vec<Event>, Refusal> {
        self.submit(Command::Act { name: name.clone(), etag: None, action })
    }

    pub(crate) fn advance(&mut self, date: Date) -> Result<Vec<Event>, Refusal> {
        self.submit_to_the_end(|| advance(date))
    }

    /// Which day it is in the portfolio `wsc`.
    pub(crate) fn today(&self) -> Today {
        let name = "portfolios/wsc".parse().unwrap();
        let stored = tables::portfolio::get_stored(&self.rows, &name).unwrap();
        let portfolio = Portfolio::from(&tables::portfolio::read(&name, &stored).unwrap());
        Today::of(&self.rows, &name, &portfolio, self.now).unwrap()
    }

    pub(crate) fn milestone(&self, name: &MilestoneName) -> Milestone {
        tables::milestone::get(&self.rows, name).unwrap().unwrap()
    }

    /// Rows made anew of the entries.
    pub(crate) fn rebuilt(&self) -> Rows {
        let (domain, mut rows) = (Tracker::default(), Rows::default());
        self.entries.iter().for_each(|entry| domain.apply(&mut rows, entry).unwrap());
        rows
    }
}

/// The beginning of days in the portfolio `wsc`.
pub(crate) fn advance(date: Date) -> Command {
    Command::AdvanceDate { portfolio: "portfolios/wsc".parse().unwrap(), date, preview: false }
}

/// The creation of milestones in the portfolio `wsc`.
pub(crate) fn create(drafts: Vec<Draft>) -> Command {
    Command::Create { portfolio: "portfolios/wsc".parse().unwrap(), drafts }
}

/// A milestone to be in a project of the portfolio `wsc`.
pub(crate) fn draft(project: &str, id: Option<&str>, baseline: Option<Date>) -> Draft {
    Draft {
        project: project_name(project),
        id: id.map(|id| id.parse().unwrap()),
        details: Details { display_name: "开工".into(), ..Details::default() },
        baseline,
        forecast: None,
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
