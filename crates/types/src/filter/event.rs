//! What events can be filtered by, wherever they are: in streams and in lists, and by rules over them.
//!
//! Invariant: one language; the fields are documented at `milepost.notifier.v1.EventSelection.filter`.

use super::schema::{Field, FieldType};

/// A field to filter events by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventField {
    /// What happened.
    Type,
    /// The ledger that it happened in.
    Source,
    /// The name of the resource that it happened to.
    Subject,
    /// The portfolio's name.
    Portfolio,
    /// The project's name.
    Project,
    /// When the source committed it.
    CommitTime,
    /// The civil date that it speaks of.
    EventDate,
    /// Who did it.
    Actor,
    /// The caller's request id.
    RequestId,
    /// The id of the event that it follows from.
    CausedBy,
    /// Which fields of the resource changed.
    ChangedFields,
}

/// These fields.
pub const EVENT_FIELDS: &[Field<EventField>] = &[
    Field::new("type", FieldType::EventType, EventField::Type),
    Field::new("source", FieldType::Text, EventField::Source),
    Field::new("subject", FieldType::Name, EventField::Subject),
    Field::new("portfolio", FieldType::Name, EventField::Portfolio),
    Field::new("project", FieldType::Name, EventField::Project),
    Field::new("commit_time", FieldType::Timestamp, EventField::CommitTime),
    Field::new("event_date", FieldType::Date, EventField::EventDate),
    Field::new("actor", FieldType::Text, EventField::Actor),
    Field::new("request_id", FieldType::Text, EventField::RequestId),
    Field::new("caused_by", FieldType::Text, EventField::CausedBy),
    Field::new("changed_fields", FieldType::List, EventField::ChangedFields),
];
