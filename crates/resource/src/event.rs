//! Changes, written as the events that are stored and passed on for ever.
//!
//! Invariant: an event carries the resource as it is after the change, so that applying it is putting it. A
//! change has one encoding; its type, its resource and its payload say the same.

use bytes::Bytes;
use jiff::civil::Date;
use milepost_ledger::{CommandId, Context, actor_to_proto};
use milepost_proto::event::v1 as proto;
use milepost_proto::registry::v1::{Portfolio, Project};
use milepost_proto::resource::{EVENT_FIELDS, Resource, Type};
use milepost_proto::wire::{self, Value};
use milepost_types::{EventId, LedgerKind, Rejection, event_type};
use prost::{DecodeError, Message};
use proto::event::Payload;

use crate::row::field_numbers;
use crate::rules::{Rules, Scope};
use crate::value::{date_message, instant_message};
use crate::{Checked, Name};

/// What happened to a resource.
#[derive(Debug, Clone, PartialEq)]
pub enum EventKind {
    /// It was created.
    Created,
    /// Fields of it were changed.
    Updated,
    /// It was deleted softly.
    Deleted,
    /// Its deletion was taken back.
    Undeleted,
    /// What a method of its own did.
    Custom {
        /// The type of the event.
        event_type: &'static str,
        /// What the event says beside the resource.
        payload: Box<Payload>,
    },
}

impl EventKind {
    /// What a method of the resource's own did.
    pub fn custom(event_type: &'static str, payload: Payload) -> Self {
        Self::Custom { event_type, payload: Box::new(payload) }
    }
}

/// What happened to one resource, or besides, as an event says it.
pub struct Change {
    /// What its event says, but for what it shares with all events of its entry.
    event: proto::Event,
    /// The event of the same command that it follows from, by its index.
    cause: Option<u32>,
    /// What is announced right after it, because of it.
    announcements: Vec<Change>,
}

impl Change {
    /// The change from `before` to `after`, whose computed fields are brought up to date.
    pub fn new<D, R: Rules<D>>(
        scope: &Scope<'_, D>,
        kind: EventKind,
        before: Option<&Checked<R>>,
        mut after: Checked<R>,
    ) -> Result<Self, Rejection> {
        let (name, resource) = after.parts_mut();
        R::complete(scope, &kind, name, before, resource)?;
        let mut change = R::describe(scope, before, &after, Self::about(kind, before, &after))?;
        change.event.resource = Some(after.into_inner().into_event());
        Ok(change)
    }

    /// The change from `before` to `after`, in which nothing is left to be computed.
    pub fn of<R: Resource>(kind: EventKind, before: Option<&Checked<R>>, after: Checked<R>) -> Self {
        let mut change = Self::about(kind, before, &after);
        change.event.resource = Some(after.into_inner().into_event());
        change
    }

    /// All but the resource.
    fn about<R: Resource>(kind: EventKind, before: Option<&Checked<R>>, after: &Checked<R>) -> Self {
        let [created, updated, deleted, undeleted] = R::EVENT_TYPES;
        let (event_type, payload) = match kind {
            EventKind::Created => (created, Payload::Created(proto::Created {})),
            EventKind::Updated => (updated, Payload::Updated(proto::Updated {})),
            EventKind::Deleted => (deleted, Payload::Deleted(proto::Deleted {})),
            EventKind::Undeleted => (undeleted, Payload::Undeleted(proto::Undeleted {})),
            EventKind::Custom { event_type, payload } => (event_type, *payload),
        };
        let subject = after.name().to_string();
        let under = |of: &'static Type| {
            let last = 2 * of.collections.len() - 1;
            let end = subject.match_indices('/').nth(last).map_or(subject.len(), |(end, _)| end);
            if after.name().is_in(of) { subject[..end].to_owned() } else { String::new() }
        };
        let (portfolio, project) = (under(Portfolio::TYPE), under(Project::TYPE));
        let change = Self::without_resource(event_type, payload).concerning(subject, portfolio, project);
        change.naming(before.map(|before| after.differing(before)).unwrap_or_default())
    }

    /// What happened without a change of a resource.
    pub fn without_resource(event_type: &str, payload: Payload) -> Self {
        debug_assert!(event_type::is_known(event_type), "{event_type} is not in the list of types");
        let payload = Some(payload);
        let event = proto::Event { r#type: event_type.to_owned(), payload, ..proto::Event::default() };
        Self { event, cause: None, announcements: Vec::new() }
    }

    /// The same, concerning this subject, in this portfolio and this project; empty for none.
    #[must_use]
    pub fn concerning(self, subject: String, portfolio: String, project: String) -> Self {
        Self { event: proto::Event { subject, portfolio, project, ..self.event }, ..self }
    }

    /// The same, naming these fields as changed, which are sorted.
    #[must_use]
    pub fn naming(mut self, fields: Vec<&'static str>) -> Self {
        self.event.changed_fields = fields.into_iter().map(str::to_owned).collect();
        self
    }

    /// The same, speaking of a civil date.
    #[must_use]
    pub fn on(mut self, date: Option<Date>) -> Self {
        self.event.event_date = date.map(date_message);
        self
    }

    /// The same, because of the event of the same command with this index.
    #[must_use]
    pub fn because_of(mut self, cause: u32) -> Self {
        self.cause = Some(cause);
        self
    }

    /// The same, because of the event with this id; empty for none.
    #[must_use]
    pub fn caused_by(mut self, event_id: &str) -> Self {
        event_id.clone_into(&mut self.event.caused_by);
        self
    }

    /// The resources of its event, and of what it announces.
    pub fn resources(&self) -> Box<dyn Iterator<Item = &proto::event::Resource> + '_> {
        Box::new(self.event.resource.iter().chain(self.announcements.iter().flat_map(Self::resources)))
    }

    /// The id of the portfolio that it is in; empty for none.
    pub(crate) fn portfolio_id(&self) -> &str {
        self.event.portfolio.strip_prefix("portfolios/").unwrap_or_default()
    }

    /// The same, followed by announcements that it is the cause of.
    #[must_use]
    pub fn announcing(mut self, announcements: impl IntoIterator<Item = Self>) -> Self {
        self.announcements.extend(announcements);
        self
    }

    /// Adds its encoded event, and those of its announcements, to those of an entry.
    pub fn add_to(self, events: &mut Vec<Bytes>, source: LedgerKind, context: &Context, traceparent: &str) {
        let Self { event, cause, announcements } = self;
        // An entry has fewer events than that.
        let index = u32::try_from(events.len()).unwrap_or(u32::MAX);
        let own = Self { event, cause, announcements: Vec::new() };
        events.push(own.event(source, index, context, traceparent));
        for announcement in announcements {
            announcement.because_of(index).add_to(events, source, context, traceparent);
        }
    }

    /// The encoded event, which has this index in its entry. Its announcements are not in it.
    pub fn event(self, source: LedgerKind, index: u32, context: &Context, traceparent: &str) -> Bytes {
        let id = |index| EventId { log: context.log, sequence: context.sequence, index }.to_string();
        let event = proto::Event {
            event_id: id(index),
            source: source.as_str().to_owned(),
            sequence: context.sequence,
            commit_time: Some(instant_message(context.commit_time)),
            actor: Some(actor_to_proto(&context.actor)),
            request_id: match &context.command_id {
                CommandId::Request { id, .. } => id.clone(),
                CommandId::Server(_) | CommandId::Source(_) => String::new(),
            },
            caused_by: self.cause.map_or(self.event.caused_by, id),
            traceparent: traceparent.to_owned(),
            ..self.event
        };
        event.encode_to_vec().into()
    }
}

/// The number of the field of an event that says its source.
const SOURCE_FIELD: u32 = 2;

/// What an event says of its source, and the resource that it carries with the number of its field.
pub(crate) struct Carried<'a> {
    pub(crate) source: &'a [u8],
    pub(crate) resource: Option<(u32, &'a [u8])>,
}

/// Reads an event without decoding what it carries.
pub(crate) fn carried(event: &[u8]) -> Result<Carried<'_>, DecodeError> {
    let mut carried = Carried { source: &[], resource: None };
    for field in wire::fields(event) {
        match field? {
            (SOURCE_FIELD, Value::Run(source)) => carried.source = source,
            (number, Value::Run(resource)) if EVENT_FIELDS.contains(&number) => {
                carried.resource = Some((number, resource));
            }
            _ => {}
        }
    }
    Ok(carried)
}

/// The encoded resource of an event; empty if it carries none.
pub(crate) fn resource_of(event: &Bytes) -> Bytes {
    let resource = carried(event).ok().and_then(|carried| carried.resource);
    resource.map(|(_, resource)| event.slice_ref(resource)).unwrap_or_default()
}

/// The encoded resource of this name as the last event that carries it has it; none if no event does.
pub(crate) fn resource_named<R: Resource>(events: &[Bytes], name: &Name<R>) -> Option<Bytes> {
    let name = name.to_string();
    events.iter().rev().find_map(|event| {
        let (_, resource) = carried(event).ok()?.resource?;
        (name_of::<R>(resource) == Some(name.as_bytes())).then(|| event.slice_ref(resource))
    })
}

/// The name of an encoded resource; none if it has none.
fn name_of<R: Resource>(resource: &[u8]) -> Option<&[u8]> {
    let numbers = field_numbers::<R>(&["name"]);
    wire::fields(resource).map_while(Result::ok).find_map(|(number, value)| match value {
        Value::Run(name) if numbers.contains(&number) => Some(name),
        _ => None,
    })
}

/// The encoded resources of events that are of the same kind as the first, each once, as the last of the events of it that
/// follow each other has it.
pub(crate) fn resources_as_left<R: Resource>(events: &[Bytes]) -> Vec<Bytes> {
    let mut resources = resources_of(events);
    resources.dedup_by(|next, last| {
        let is_same = name_of::<R>(next) == name_of::<R>(last);
        if is_same {
            std::mem::swap(next, last);
        }
        is_same
    });
    resources
}

/// The encoded resources of events that are of the same kind as the first, each once: an announcement carries that of
/// the event before it, and what else follows may be of another kind.
pub(crate) fn resources_of(events: &[Bytes]) -> Vec<Bytes> {
    let mut kind = None;
    let mut resources: Vec<_> = Vec::with_capacity(events.len());
    for event in events {
        let Some((field, resource)) = carried(event).ok().and_then(|carried| carried.resource) else {
            continue;
        };
        if *kind.get_or_insert(field) == field {
            resources.push(event.slice_ref(resource));
        }
    }
    resources.dedup();
    resources
}

#[cfg(test)]
mod tests {
    use milepost_proto::event::v1::event::Resource as Carries;
    use milepost_proto::tracker::v1::Milestone;

    use super::*;

    fn event(id: &str, text: &str) -> Bytes {
        let name = format!("portfolios/p/projects/x/milestones/{id}");
        let milestone = Milestone { name, display_name: text.into(), ..Milestone::default() };
        let resource = (!id.is_empty()).then_some(Carries::MilestoneResource(milestone));
        proto::Event { resource, ..proto::Event::default() }.encode_to_vec().into()
    }

    /// Else a method would answer with what was half done, or with another resource.
    #[test]
    fn of_several_events_of_a_resource_the_last_has_it_as_it_is() {
        let name: Name<Milestone> = "portfolios/p/projects/x/milestones/a".parse().unwrap();
        let found = |events: &[Bytes]| {
            let resource = resource_named(events, &name)?;
            Some(Milestone::decode(resource).unwrap().display_name)
        };
        let (first, last, other, none) = (event("a", "1"), event("a", "2"), event("ab", "3"), event("", ""));
        let events = [other.clone(), first, none.clone(), last, other.clone()];
        assert_eq!(found(&events).as_deref(), Some("2"));
        assert_eq!(found(&[other, none]), None);
    }
}
