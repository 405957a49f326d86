//! Changes, written as the events that are stored and passed on for ever.
//!
//! Invariant: an event carries the resource as it is after the change, so that applying it is putting it. A
//! change has one encoding; its type, its resource and its payload say the same.

use bytes::Bytes;
use jiff::civil::Date;
use milepost_ledger::{CommandId, Context, actor_to_proto};
use milepost_proto::event::v1 as proto;
use milepost_proto::registry::v1::{Portfolio, Project};
use milepost_proto::resource::EVENT_FIELDS;
use milepost_proto::wire::{self, Value};
use milepost_types::{EventId, LedgerKind, Rejection, event_type};
use prost::{DecodeError, Message};
use proto::event::{Payload, Resource as Wire};

use crate::Checked;
use crate::rules::{Rules, Scope};
use crate::value::{date_message, instant_message};

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

/// What happened to one resource, as an event says it.
#[derive(Debug)]
pub struct Change {
    resource: Wire,
    subject: String,
    portfolio: String,
    project: String,
    event_type: &'static str,
    payload: Payload,
    /// The fields that changed, sorted; none for a creation.
    changed: Vec<&'static str>,
    /// The civil date that it speaks of.
    date: Option<Date>,
    /// The change of the same command that it follows from, by its index.
    cause: Option<u32>,
}

impl Change {
    /// The change from `before` to `after`, whose computed fields are brought up to date.
    ///
    /// # Errors
    /// If they cannot be computed.
    pub fn new<D, R: Rules<D>>(
        scope: &Scope<'_, D>,
        kind: EventKind,
        before: Option<&Checked<R>>,
        mut after: Checked<R>,
    ) -> Result<Self, Rejection> {
        after.complete(|name, resource| R::complete(scope, &kind, name, before, resource))?;
        let [created, updated, deleted, undeleted] = R::EVENT_TYPES;
        let (event_type, payload) = match kind {
            EventKind::Created => (created, Payload::Created(proto::Created {})),
            EventKind::Updated => (updated, Payload::Updated(proto::Updated {})),
            EventKind::Deleted => (deleted, Payload::Deleted(proto::Deleted {})),
            EventKind::Undeleted => (undeleted, Payload::Undeleted(proto::Undeleted {})),
            EventKind::Custom { event_type, payload } => (event_type, *payload),
        };
        debug_assert!(event_type::is_known(event_type), "{event_type} is not in the list of types");
        let name = |name: Option<String>| name.unwrap_or_default();
        Ok(Self {
            subject: after.name().to_string(),
            portfolio: name(after.name().ancestor::<Portfolio>().map(|name| name.to_string())),
            project: name(after.name().ancestor::<Project>().map(|name| name.to_string())),
            event_type,
            payload,
            changed: before.map(|before| after.differing(before)).unwrap_or_default(),
            date: None,
            cause: None,
            resource: after.into_inner().into_event(),
        })
    }

    /// The same, speaking of a civil date.
    #[must_use]
    pub fn on(mut self, date: Option<Date>) -> Self {
        self.date = date;
        self
    }

    /// The same, because of the change of the same command with this index.
    #[must_use]
    pub fn because_of(mut self, cause: u32) -> Self {
        self.cause = Some(cause);
        self
    }

    /// The encoded event; `index` is that of the change in its command.
    pub(crate) fn event(self, source: LedgerKind, index: u32, context: &Context, traceparent: &str) -> Bytes {
        let id = |index| EventId { log: context.log, sequence: context.sequence, index }.to_string();
        let event = proto::Event {
            event_id: id(index),
            source: source.as_str().to_owned(),
            sequence: context.sequence,
            subject: self.subject,
            portfolio: self.portfolio,
            project: self.project,
            r#type: self.event_type.to_owned(),
            commit_time: Some(instant_message(context.commit_time)),
            event_date: self.date.map(date_message),
            actor: Some(actor_to_proto(&context.actor)),
            request_id: match &context.command_id {
                CommandId::Request { id, .. } => id.clone(),
                CommandId::Server(_) | CommandId::Source(_) => String::new(),
            },
            caused_by: self.cause.map(id).unwrap_or_default(),
            changed_fields: self.changed.iter().map(ToString::to_string).collect(),
            traceparent: traceparent.to_owned(),
            resource: Some(self.resource),
            payload: Some(self.payload),
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
pub fn resource_of(event: &Bytes) -> Bytes {
    let resource = carried(event).ok().and_then(|carried| carried.resource);
    resource.map(|(_, resource)| event.slice_ref(resource)).unwrap_or_default()
}
