//! Which events a rule is about: a filter over the event and, after `resource.`, over its resource.
//!
//! Invariant: the language is that of streams and lists; what can be filtered by is what the schemas say.

use std::collections::HashMap;
use std::sync::LazyLock;

use milepost_proto::event::v1::Event;
use milepost_proto::resource::{FACTS, Facts, carried};
use milepost_resource::{FilterRow, date, instant};
use milepost_types::filter::{self, CurrentDate, EVENT_FIELDS, EventField, Field, Fields, Schema, Value};
use milepost_types::{Filter, FilterError};

/// A field to filter by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum RuleField {
    Event(EventField),
    /// Of the resource, by its index.
    Resource(usize),
}

/// What comes before a field of the resource.
const RESOURCE: &str = "resource.";

/// The fields of events that carry no resource, and of those that carry one, by what that is called.
type Schemas = (Schema<RuleField>, HashMap<&'static str, Schema<RuleField>>);

/// What filters are read by.
static SCHEMAS: LazyLock<Schemas> = LazyLock::new(|| {
    let of_event =
        |field: &Field<EventField>| Field::new(field.path(), field.kind(), RuleField::Event(field.id()));
    let of_resource = |field: &Field<usize>| {
        // As long as the process: there are as many as the schemas have.
        let path: &'static str = format!("{RESOURCE}{}", field.path()).leak();
        Field::new(path, field.kind(), RuleField::Resource(field.id()))
    };
    let schema = |resource: &[Field<usize>]| {
        let fields = EVENT_FIELDS.iter().map(of_event).chain(resource.iter().map(of_resource));
        Schema::new(fields.collect::<Vec<_>>().leak())
    };
    let of = |facts: &Facts| (facts.of.singular, schema(facts.filter));
    (schema(&[]), FACTS.iter().map(of).collect())
});

/// Reads a filter over events that carry a resource with these facts.
///
/// # Errors
/// With what is wrong with it, and where.
pub(super) fn parse(text: &str, facts: Option<Facts>) -> Result<Filter<RuleField>, FilterError> {
    let (bare, of_resources) = &*SCHEMAS;
    let schema = facts.and_then(|facts| of_resources.get(facts.of.singular)).unwrap_or(bare);
    Filter::parse(text, schema)
}

/// Whether a filter finds an event.
pub(super) fn matches(filter: &Filter<RuleField>, event: &Event) -> bool {
    let current_date = || instant(event.commit_time.as_ref()).map(CurrentDate::utc);
    let resource = event.resource.as_ref().map(|resource| {
        let (facts, node) = carried(resource);
        FilterRow::carried(facts, node, &current_date)
    });
    filter.matches(&Candidate { event, resource, current_date: &current_date })
}

/// An event, as filters see it.
struct Candidate<'a> {
    event: &'a Event,
    resource: Option<FilterRow<'a>>,
    current_date: &'a dyn Fn() -> Option<CurrentDate>,
}

impl Fields<RuleField> for Candidate<'_> {
    fn value(&self, field: RuleField) -> Value<'_> {
        let event = self.event;
        let field = match field {
            RuleField::Event(field) => field,
            RuleField::Resource(field) => {
                return self.resource.as_ref().map_or(Value::Absent, |resource| resource.value(field));
            }
        };
        match field {
            EventField::Type => Value::text(&event.r#type),
            EventField::Source => Value::text(&event.source),
            EventField::Subject => Value::text(&event.subject),
            EventField::Portfolio => Value::text(&event.portfolio),
            EventField::Project => Value::text(&event.project),
            EventField::CommitTime => instant(event.commit_time.as_ref()).into(),
            EventField::EventDate => date(event.event_date.as_ref()).into(),
            EventField::Actor => {
                Value::text(event.actor.as_ref().map(|actor| actor.principal.as_str()).unwrap_or_default())
            }
            EventField::RequestId => Value::text(&event.request_id),
            EventField::CausedBy => Value::text(&event.caused_by),
            EventField::ChangedFields => Value::Absent,
        }
    }

    fn any_value(&self, field: RuleField, test: &dyn Fn(&Value<'_>) -> bool) -> bool {
        match field {
            RuleField::Event(EventField::ChangedFields) => {
                self.event.changed_fields.iter().any(|changed| test(&filter::Value::from(changed.as_str())))
            }
            RuleField::Event(_) => false,
            RuleField::Resource(field) => {
                self.resource.as_ref().is_some_and(|resource| resource.any_value(field, test))
            }
        }
    }

    fn entry(&self, field: RuleField, key: &str) -> Option<&str> {
        match field {
            RuleField::Resource(field) => self.resource.as_ref()?.entry(field, key),
            RuleField::Event(_) => None,
        }
    }

    fn current_date(&self) -> Option<CurrentDate> {
        (self.current_date)()
    }
}
