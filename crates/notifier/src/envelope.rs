//! The envelope of an event: what it can be selected by, borrowed from the event's bytes.
//!
//! Invariant: an envelope copies no text. Resource and payload are not read: an event of a type that
//! this version does not know has an envelope like any other.

use jiff::Timestamp;
use jiff::civil::Date;
use milepost_types::filter::{CurrentDate, EVENT_FIELDS, Fields, Schema, Value};

pub(crate) use milepost_types::filter::EventField;

/// The fields of an event that it can be selected by; not its resource and payload.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Envelope<'a> {
    /// `{source log}/{sequence}/{index}`.
    pub(crate) event_id: &'a str,
    /// The ledger that committed it.
    pub(crate) source: &'a str,
    /// The name of the resource that it is about; may be empty.
    pub(crate) subject: &'a str,
    /// The portfolio's name; may be empty.
    pub(crate) portfolio: &'a str,
    /// The project's name; may be empty.
    pub(crate) project: &'a str,
    /// Its type, as in `milepost.milestone.achieved`.
    pub(crate) kind: &'a str,
    /// When the source committed it.
    pub(crate) commit_time: Option<Timestamp>,
    /// The civil date on which it took place.
    pub(crate) event_date: Option<Date>,
    /// Who did it.
    pub(crate) actor: &'a str,
    /// The caller's request id; may be empty.
    pub(crate) request_id: &'a str,
    /// The id of the event that caused it; may be empty.
    pub(crate) caused_by: &'a str,
    /// Which fields of the resource changed.
    pub(crate) changed_fields: Vec<&'a str>,
}

/// What events can be filtered by; documented at `EventSelection.filter`.
pub(crate) static SCHEMA: Schema<EventField> = Schema::new(EVENT_FIELDS);

impl Fields<EventField> for Envelope<'_> {
    fn value(&self, field: EventField) -> Value<'_> {
        match field {
            EventField::Type => Value::text(self.kind),
            EventField::Source => Value::text(self.source),
            EventField::Subject => Value::text(self.subject),
            EventField::Portfolio => Value::text(self.portfolio),
            EventField::Project => Value::text(self.project),
            EventField::CommitTime => self.commit_time.into(),
            EventField::EventDate => self.event_date.into(),
            EventField::Actor => Value::text(self.actor),
            EventField::RequestId => Value::text(self.request_id),
            EventField::CausedBy => Value::text(self.caused_by),
            EventField::ChangedFields => Value::Absent,
        }
    }

    fn any(&self, field: EventField, test: &dyn Fn(&str) -> bool) -> bool {
        field == EventField::ChangedFields && self.changed_fields.iter().any(|changed| test(changed))
    }

    /// The date of the commit in UTC, so that reading the event again later has the same result. Not `event_date`,
    /// which is what `today()` is compared with.
    fn current_date(&self) -> Option<CurrentDate> {
        self.commit_time.map(CurrentDate::utc)
    }
}
