//! Entries of the registry: what of them matters here.
//!
//! Invariants: every entry that chains can be taken over; an event that cannot be read, or that should
//! have an effect and has none, becomes a reaction to skip, with the reason. Only an entry of a newer format
//! is not taken: what it says would be lost.

use std::collections::BTreeMap;

use milepost_ledger::journal::StoredEntry;
use milepost_ledger::{Entry, EntryError};
use milepost_proto::event::v1 as proto;
use milepost_proto::event::v1::event::Resource;
use milepost_proto::google::r#type as gtype;
use milepost_proto::registry::v1::Project;
use milepost_service::value;
use milepost_types::{EventId, Position};
use prost::Message;

use super::mirror;
use crate::convert::mirror::AccessFacts;
use crate::mirror::{AssignmentFact, PortfolioFact, ProjectFact};
use crate::names::{AssignmentName, PortfolioName, ProjectName};
use crate::source::{PROJECT_CANCELLED, PROJECT_STARTED, Reaction, Skipped, SourceEntry};
use crate::timeline::may_matter;

/// What the entry after `previous` brings.
///
/// # Errors
/// If the entry has a format that this version does not know.
pub(crate) fn source_entry(previous: Position, stored: &StoredEntry) -> Result<SourceEntry, EntryError> {
    let position = Position::after(previous.log, stored.sequence, &stored.hash);
    let mut gathered = Gathered::new(position);
    let portfolio = match Entry::decode(stored) {
        Ok(entry) => {
            for (index, event) in entry.events.iter().enumerate() {
                gathered.event(index, event);
            }
            entry.portfolio
        }
        Err(error @ EntryError::Newer { .. }) => return Err(error),
        Err(error @ EntryError::Malformed { .. }) => {
            gathered.skip(gathered.id(0), "", error.to_string());
            String::new()
        }
    };
    Ok(SourceEntry {
        position,
        previous,
        portfolio,
        portfolios: gathered.portfolios.into_values().collect(),
        projects: gathered.projects.into_values().collect(),
        assignments: gathered.assignments.into_values().collect(),
        access: gathered.access,
        reactions: gathered.reactions,
        events: gathered.events,
    })
}

struct Gathered {
    position: Position,
    portfolios: BTreeMap<PortfolioName, PortfolioFact>,
    projects: BTreeMap<ProjectName, ProjectFact>,
    assignments: BTreeMap<AssignmentName, AssignmentFact>,
    access: AccessFacts,
    reactions: Vec<Reaction>,
    events: Vec<bytes::Bytes>,
}

impl Gathered {
    fn new(position: Position) -> Self {
        Self {
            position,
            portfolios: BTreeMap::new(),
            projects: BTreeMap::new(),
            assignments: BTreeMap::new(),
            access: AccessFacts::default(),
            reactions: Vec::new(),
            events: Vec::new(),
        }
    }

    fn id(&self, index: usize) -> String {
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        EventId { log: self.position.log, sequence: self.position.sequence, index }.to_string()
    }

    fn skip(&mut self, event_id: String, kind: &str, reason: impl Into<String>) {
        let skipped = Skipped { event_id, kind: kind.to_owned(), reason: reason.into() };
        self.reactions.push(Reaction::Skip(skipped));
    }

    fn event(&mut self, index: usize, bytes: &bytes::Bytes) {
        let event = match proto::Event::decode(bytes.clone()) {
            Ok(event) => event,
            Err(error) => return self.skip(self.id(index), "", format!("it cannot be read: {error}")),
        };
        // Its own: in a log that was restored it is the id that it had in the log before.
        let id = match event.event_id.parse::<EventId>() {
            Ok(_) => event.event_id.clone(),
            Err(_) => self.id(index),
        };
        let kind = event.r#type.as_str();
        if may_matter(kind) {
            self.events.push(bytes.clone());
        }
        let day = event.event_date.filter(|_| kind == PROJECT_CANCELLED);
        let cancelled = day.and_then(|day| value::date(day).ok());
        match event.resource {
            Some(Resource::PortfolioResource(portfolio)) => match mirror::of_portfolio(portfolio) {
                Ok(fact) => {
                    if !fact.zone_is_known() {
                        let reason = format!(
                            "the time zone {} is not known here; its days are taken for those of UTC",
                            milepost_types::quoted(&fact.time_zone)
                        );
                        self.skip(id.clone(), kind, reason);
                    }
                    if event.changed_fields.iter().any(|field| field == "working_calendar") {
                        let portfolio = fact.name.clone();
                        self.reactions.push(Reaction::Recalendared { event_id: id, portfolio });
                    }
                    self.portfolios.insert(fact.name.clone(), fact);
                }
                Err(error) => self.skip(id, kind, format!("its portfolio cannot be read: {error}")),
            },
            Some(Resource::ProjectResource(project)) => match mirror::of_project(&project, cancelled) {
                Ok(fact) => {
                    let name = fact.name.clone();
                    self.projects.insert(name.clone(), fact);
                    if kind == PROJECT_STARTED {
                        self.started(id, name, &project, event.event_date);
                    } else if event.changed_fields.iter().any(|field| field == "actual_period") {
                        self.start_corrected(id, kind, name, &project);
                    }
                }
                Err(error) => self.skip(id, kind, format!("its project cannot be read: {error}")),
            },
            Some(Resource::AssignmentResource(assignment)) => match mirror::of_assignment(assignment) {
                Ok(fact) => self.assigned(id, kind, fact),
                Err(error) => self.skip(id, kind, format!("its assignment cannot be read: {error}")),
            },
            Some(Resource::GrantResource(grant)) => self.access.grants.push(grant),
            Some(Resource::ServiceAccountResource(account)) => self.access.service_accounts.push(account),
            Some(Resource::ApiTokenResource(token)) => self.access.api_tokens.push(token),
            _ if kind == PROJECT_STARTED => self.skip(id, kind, "it carries no project"),
            _ => {}
        }
    }

    fn assigned(&mut self, event_id: String, kind: &str, fact: AssignmentFact) {
        let project = fact.name.parent();
        self.assignments.insert(fact.name.clone(), fact);
        let is_said = |reaction: &Reaction| matches!(reaction, Reaction::Assigned { project: said, .. } if *said == project);
        if !self.reactions.iter().any(is_said) {
            self.reactions.push(Reaction::Assigned { event_id, kind: kind.to_owned(), project });
        }
    }

    fn started(
        &mut self,
        event_id: String,
        name: ProjectName,
        project: &Project,
        event_date: Option<gtype::Date>,
    ) {
        match start_of(project).or(event_date.as_ref()).copied().map(value::date) {
            Some(Ok(date)) => self.reactions.push(Reaction::Started { event_id, project: name, date }),
            Some(Err(error)) => self.skip(event_id, PROJECT_STARTED, error.to_string()),
            None => self.skip(event_id, PROJECT_STARTED, "it does not say on which day"),
        }
    }

    fn start_corrected(&mut self, event_id: String, kind: &str, name: ProjectName, project: &Project) {
        match start_of(project).copied().map(value::date) {
            Some(Ok(date)) => {
                let kind = kind.to_owned();
                self.reactions.push(Reaction::StartCorrected { event_id, kind, project: name, date });
            }
            Some(Err(error)) => self.skip(event_id, kind, error.to_string()),
            None => {}
        }
    }
}

/// The day on which a project says that it started.
fn start_of(project: &Project) -> Option<&gtype::Date> {
    project.actual_period.as_ref()?.start_date.as_ref()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use jiff::Timestamp;
    use jiff::civil::date;
    use milepost_ledger::{Actor, CommandId};
    use milepost_proto::access::v1::{ApiToken, Grant};
    use milepost_proto::google::r#type::Date as DateMessage;
    use milepost_proto::registry::v1::{Organization, Period, Portfolio};
    use milepost_types::{Hash, LogId};

    use super::*;

    fn start() -> Position {
        Position::start(LogId::from_bytes([3; 16]))
    }

    fn stored(events: Vec<Bytes>) -> StoredEntry {
        let entry = Entry {
            sequence: 1,
            commit_time: Timestamp::UNIX_EPOCH,
            actor: Actor::default(),
            command_id: CommandId::Server("s".into()),
            decided_on: Vec::new(),
            portfolio: "wsc".into(),
            events,
        };
        entry.encode(&Hash::ZERO)
    }

    fn event(kind: &str, resource: Resource) -> Bytes {
        let event = proto::Event { r#type: kind.into(), resource: Some(resource), ..proto::Event::default() };
        event.encode_to_vec().into()
    }

    fn portfolio(time_zone: &str) -> Resource {
        let name = "portfolios/wsc".into();
        Resource::PortfolioResource(Portfolio { name, time_zone: time_zone.into(), ..Portfolio::default() })
    }

    fn project(id: &str, start: Option<DateMessage>) -> Resource {
        Resource::ProjectResource(Project {
            name: format!("portfolios/wsc/projects/{id}"),
            status: 3,
            actual_period: Some(Period { start_date: start, end_date: None }),
            ..Project::default()
        })
    }

    const DAY: DateMessage = DateMessage { year: 2021, month: 5, day: 27 };

    fn reasons(source_entry: &SourceEntry) -> Vec<String> {
        let skipped = |reaction: &Reaction| match reaction {
            Reaction::Skip(skipped) => Some(format!("{} {}", skipped.kind, skipped.reason)),
            _ => None,
        };
        source_entry.reactions.iter().filter_map(skipped).collect()
    }

    #[test]
    fn facts_are_kept_as_the_entry_leaves_them_and_starts_are_read_in_order() {
        let source_entry = source_entry(
            start(),
            &stored(vec![
                event("milepost.portfolio.created", portfolio("UTC")),
                event("milepost.portfolio.updated", portfolio("Asia/Shanghai")),
                event(PROJECT_STARTED, project("b", Some(DAY))),
                event(PROJECT_STARTED, project("a", Some(DAY))),
                event("milepost.project.something_new", project("a", None)),
                event(
                    "milepost.organization.created",
                    Resource::OrganizationResource(Organization::default()),
                ),
            ]),
        )
        .unwrap();
        assert_eq!(
            (source_entry.position.sequence, source_entry.previous, source_entry.portfolio.as_str()),
            (1, start(), "wsc")
        );
        assert_eq!(source_entry.portfolios.len(), 1);
        assert_eq!(source_entry.portfolios[0].time_zone, "Asia/Shanghai");
        assert_eq!(source_entry.projects.len(), 2);
        let reaction = |index: u32, id: &str| Reaction::Started {
            event_id: format!("{}/1/{index}", start().log),
            project: format!("portfolios/wsc/projects/{id}").parse().unwrap(),
            date: date(2021, 5, 27),
        };
        assert_eq!(source_entry.reactions, [reaction(2, "b"), reaction(3, "a")]);
    }

    #[test]
    fn what_should_have_an_effect_and_has_none_is_skipped_with_its_reason() {
        let bare = proto::Event { r#type: PROJECT_STARTED.into(), ..proto::Event::default() };
        let source_entry = source_entry(
            start(),
            &stored(vec![
                Bytes::from_static(b"\xff\xff"),
                bare.encode_to_vec().into(),
                event(PROJECT_STARTED, project("a", None)),
                event(PROJECT_STARTED, project("a", Some(DateMessage { day: 0, ..DAY }))),
                event("milepost.project.created", project("NO NAME", None)),
                event("milepost.portfolio.created", portfolio("Asia/Chengdu")),
            ]),
        )
        .unwrap();
        let reasons = reasons(&source_entry);
        for (reason, part) in reasons.iter().zip([
            "cannot be read",
            "carries no project",
            "does not say on which day",
            "partial",
            "project cannot be read",
            "Asia/Chengdu",
        ]) {
            assert!(reason.contains(part), "{reason} / {part}");
        }
        assert_eq!(reasons.len(), 6);
        // The facts are kept all the same.
        assert_eq!((source_entry.portfolios.len(), source_entry.projects.len()), (1, 1));
    }

    #[test]
    fn what_it_says_of_access_is_kept_whole_and_in_order() {
        let grant = |delete_time| Grant {
            name: "portfolios/wsc/grants/g".into(),
            principal: "user:corp/ann".into(),
            role: 1,
            delete_time,
            ..Grant::default()
        };
        let revoked = grant(Some(prost_types::Timestamp::default()));
        let token =
            ApiToken { name: "apiTokens/t".into(), secret_sha256: vec![7; 32], ..ApiToken::default() };
        let events = vec![
            event("milepost.grant.created", Resource::GrantResource(grant(None))),
            event("milepost.api_token.created", Resource::ApiTokenResource(token.clone())),
            event("milepost.grant.deleted", Resource::GrantResource(revoked.clone())),
        ];
        let access = source_entry(start(), &stored(events)).unwrap().access;
        assert_eq!((access.grants, access.api_tokens), (vec![grant(None), revoked], vec![token]));
    }

    #[test]
    fn the_day_of_the_event_stands_in_where_the_project_has_none() {
        let event = proto::Event {
            r#type: PROJECT_STARTED.into(),
            event_date: Some(DAY),
            resource: Some(project("a", None)),
            ..proto::Event::default()
        };
        let source_entry = source_entry(start(), &stored(vec![event.encode_to_vec().into()])).unwrap();
        assert!(
            matches!(&source_entry.reactions[..], [Reaction::Started { date, .. }] if *date == jiff::civil::date(2021, 5, 27))
        );
    }

    #[test]
    fn a_start_is_corrected_by_what_changes_its_period_and_by_nothing_else() {
        let event = |field: &str| proto::Event {
            r#type: "milepost.project.updated".into(),
            changed_fields: vec![field.into()],
            resource: Some(project("a", Some(DAY))),
            ..proto::Event::default()
        };
        let events = ["remarks", "actual_period"].map(|field| event(field).encode_to_vec().into());
        let source_entry = source_entry(start(), &stored(events.to_vec())).unwrap();
        let corrected = Reaction::StartCorrected {
            event_id: format!("{}/1/1", start().log),
            kind: "milepost.project.updated".into(),
            project: "portfolios/wsc/projects/a".parse().unwrap(),
            date: date(2021, 5, 27),
        };
        assert_eq!(source_entry.reactions, [corrected]);
    }

    #[test]
    fn an_entry_that_is_none_is_skipped_and_one_of_a_newer_format_is_not() {
        let bytes = Bytes::from_static(b"\xff\xff");
        let broken = StoredEntry { sequence: 1, hash: Hash::from_bytes([1; 32]), bytes };
        let source_entry = source_entry(start(), &broken).unwrap();
        assert!(reasons(&source_entry)[0].contains("cannot be decoded"));
        let newer = milepost_proto::journal::v1::Entry { sequence: 1, format: 99, ..Default::default() };
        let newer = StoredEntry { bytes: newer.encode_to_vec().into(), ..broken };
        assert!(matches!(super::source_entry(start(), &newer), Err(EntryError::Newer { format: 99, .. })));
    }
}
