//! A registry's journal, entry by entry, as tests say it.

use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use milepost_ledger::journal::StoredEntry;
use milepost_ledger::{Actor, CommandId, Entry};
use milepost_proto::event::v1::Event;
use milepost_proto::event::v1::event::Resource;
use milepost_proto::registry::v1 as proto;
use milepost_types::{EventId, Hash, Lineage, LogId, Position};
use prost::Message;

use crate::convert::source::source_entry;
use crate::source::SourceEntry;
use milepost_service::value::date_message;

/// A journal of the registry's.
#[derive(Clone)]
pub(crate) struct Registry {
    pub(crate) log: LogId,
    pub(crate) entries: Vec<StoredEntry>,
    pub(crate) lineage: Lineage,
}

impl Registry {
    pub(crate) fn new(log: u8) -> Self {
        Self { log: LogId::from_bytes([log; 16]), entries: Vec::new(), lineage: Lineage::default() }
    }

    /// The journal as it is restored from an export of its first `count` entries, under another id.
    pub(crate) fn restored(&self, log: u8, count: usize) -> Self {
        Self {
            log: LogId::from_bytes([log; 16]),
            entries: self.entries[..count].to_vec(),
            lineage: self.lineage.restored_at(self.position(count)),
        }
    }

    /// Where the log stands after its first `count` entries.
    pub(crate) fn position(&self, count: usize) -> Position {
        match count.checked_sub(1) {
            None => Position::start(self.log),
            Some(last) => Position::after(self.log, count as u64, &self.entries[last].hash),
        }
    }

    pub(crate) fn tail(&self) -> Position {
        self.position(self.entries.len())
    }

    /// Adds an entry with these events; says what it brings to a follower.
    pub(crate) fn append(&mut self, events: Vec<(&str, Option<Resource>)>) -> SourceEntry {
        let event = |(kind, resource): (&str, Option<Resource>)| Event {
            r#type: kind.to_owned(),
            resource,
            ..Event::default()
        };
        self.append_events(events.into_iter().map(event).collect())
    }

    /// Adds an entry with these events, whose ids are set here; says what it brings to a follower.
    pub(crate) fn append_events(&mut self, events: Vec<Event>) -> SourceEntry {
        let sequence = self.entries.len() as u64 + 1;
        let encoded = |(index, event): (usize, Event)| {
            let index = index as u32;
            let event = Event {
                event_id: EventId { log: self.log, sequence, index }.to_string(),
                source: "registry".into(),
                sequence,
                ..event
            };
            Bytes::from(event.encode_to_vec())
        };
        let entry = Entry {
            sequence,
            commit_time: Timestamp::from_second(1_600_000_000 + sequence as i64).unwrap(),
            actor: Actor::default(),
            command_id: CommandId::Server(format!("c-{sequence}")),
            decided_on: Vec::new(),
            portfolio: "wsc".into(),
            events: events.into_iter().enumerate().map(encoded).collect(),
        };
        let previous = self.entries.last().map_or(Hash::ZERO, |last| last.hash);
        self.entries.push(entry.encode(&previous));
        self.source_entry(self.entries.len())
    }

    /// What the entry with this sequence brings.
    pub(crate) fn source_entry(&self, sequence: usize) -> SourceEntry {
        source_entry(self.position(sequence - 1), &self.entries[sequence - 1]).unwrap()
    }

    pub(crate) fn portfolio(&mut self, id: &str) -> SourceEntry {
        self.append(vec![("milepost.portfolio.created", Some(portfolio(id)))])
    }

    pub(crate) fn project(&mut self, id: &str) -> SourceEntry {
        self.append(vec![("milepost.project.created", Some(project(id)))])
    }

    pub(crate) fn start(&mut self, ids: &[&str], date: Date) -> SourceEntry {
        let started = ids.iter().map(|id| ("milepost.project.started", Some(started(id, date)))).collect();
        self.append(started)
    }
}

impl Registry {
    /// Adds an entry in which assignments of the project `road` are as this says.
    pub(crate) fn assign(&mut self, kind: &str, assignments: &[proto::Assignment]) -> SourceEntry {
        let event =
            |assignment: &proto::Assignment| (kind, Some(Resource::AssignmentResource(assignment.clone())));
        self.append(assignments.iter().map(event).collect())
    }
}

/// An assignment to the project `road` of the portfolio `wsc`.
pub(crate) fn assignment(
    id: &str,
    person: &str,
    lead: bool,
    from: Date,
    to: Option<Date>,
) -> proto::Assignment {
    proto::Assignment {
        name: format!("portfolios/wsc/projects/road/assignments/{id}"),
        person: person.into(),
        lead,
        start_date: Some(date_message(from)),
        end_date: to.map(date_message),
        ..proto::Assignment::default()
    }
}

/// A portfolio in Shanghai's time zone.
pub(crate) fn portfolio(id: &str) -> Resource {
    Resource::PortfolioResource(proto::Portfolio {
        name: format!("portfolios/{id}"),
        time_zone: "Asia/Shanghai".into(),
        ..proto::Portfolio::default()
    })
}

/// A project in the portfolio `wsc`.
pub(crate) fn project(id: &str) -> Resource {
    Resource::ProjectResource(proto::Project {
        name: format!("portfolios/wsc/projects/{id}"),
        status: proto::project::Status::Preparation.into(),
        ..proto::Project::default()
    })
}

/// A project of the portfolio `wsc` that started.
pub(crate) fn started(id: &str, date: Date) -> Resource {
    Resource::ProjectResource(proto::Project {
        name: format!("portfolios/wsc/projects/{id}"),
        status: proto::project::Status::Construction.into(),
        actual_period: Some(proto::Period { start_date: Some(date_message(date)), end_date: None }),
        ..proto::Project::default()
    })
}

/// The same resource, deleted.
pub(crate) fn deleted(resource: Resource) -> Resource {
    let time = Some(prost_types::Timestamp { seconds: 1_600_000_000, nanos: 0 });
    match resource {
        Resource::PortfolioResource(portfolio) => {
            Resource::PortfolioResource(proto::Portfolio { delete_time: time, ..portfolio })
        }
        Resource::ProjectResource(project) => {
            Resource::ProjectResource(proto::Project { delete_time: time, ..project })
        }
        Resource::AssignmentResource(assignment) => {
            Resource::AssignmentResource(proto::Assignment { delete_time: time, ..assignment })
        }
        other => other,
    }
}
