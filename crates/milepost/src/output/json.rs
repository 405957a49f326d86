//! Messages as canonical proto3 JSON, by the schemas that the binary carries.
//!
//! Invariants: what is printed can be read back to an equal message; fields stand in the order of the
//! schema and the keys of maps are sorted, so that one message has one text. Reading refuses fields that
//! the schema does not have; dates, periods and amounts may also be written as people write them.

use milepost_types::written;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage};
use serde_json::Value;

use crate::cli::read::{self, Scope};
use crate::error::BoxError;
use crate::schema::field::{self, Shape};
use crate::schema::{POOL, Resource};

/// The message with its fields at hand.
pub fn dynamic<M: prost::Name>(message: &M) -> DynamicMessage {
    let descriptor = POOL.get_message_by_name(&M::full_name()).expect("every message is in the schemas");
    DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice())
        .expect("a message decodes by its own schema")
}

/// The message as JSON.
pub fn to_value<M: prost::Name>(message: &M) -> Value {
    of(&dynamic(message))
}

/// The message as JSON.
pub fn of(message: &DynamicMessage) -> Value {
    let mut value = serde_json::to_value(message).expect("a message has a JSON form");
    // Maps of messages have no order of their own; sorted, one message has one text.
    visit(&mut value, &message.descriptor(), "", &mut |field, _, value| {
        if let Value::Object(map) = value
            && field.is_map()
        {
            map.sort_keys();
        }
    });
    value
}

/// The message that a JSON text describes.
///
/// # Errors
/// If it is no JSON, or not of this message; the error says at which line and column, or in which field.
pub fn read(descriptor: &MessageDescriptor, text: &str, scope: &Scope) -> Result<DynamicMessage, BoxError> {
    let mut value: Value = serde_json::from_str(text)?;
    let (mut rewritten, mut faults) = (false, Vec::new());
    visit(&mut value, descriptor, "", &mut |field, path, value| match canonical(field, value, scope) {
        Some(Ok(canonical)) => (*value, rewritten) = (canonical, true),
        Some(Err(fault)) => faults.push(format!("{path}: {fault}")),
        None => {}
    });
    if !faults.is_empty() {
        return Err(faults.join("\n  ").into());
    }
    // As it was written, an error has its place.
    let message = match rewritten {
        false => {
            DynamicMessage::deserialize(descriptor.clone(), &mut serde_json::Deserializer::from_str(text))
        }
        true => DynamicMessage::deserialize(descriptor.clone(), value),
    };
    message.map_err(|error| format!("this is not the JSON of a {}: {error}", descriptor.full_name()).into())
}

/// As [`read`], also if the resource is wrapped in the response that carries it:
/// `{"project": {…}, "revision": "…"}`; and the fields that the text names, also those that it empties.
///
/// # Errors
/// As [`read`].
pub fn resource(
    resource: &Resource,
    text: &str,
    scope: &Scope,
) -> Result<(DynamicMessage, Vec<FieldDescriptor>), BoxError> {
    let (field, message) = (resource.json_field(), &resource.message);
    let mut value: Value = serde_json::from_str(text)?;
    if let Some(object) = value.as_object_mut()
        && object.keys().all(|key| *key == field || key == "revision")
        && let Some(inner @ Value::Object(_)) = object.remove(&field)
    {
        return Ok((read(message, &inner.to_string(), scope)?, named(message, &inner)));
    }
    Ok((read(message, text, scope)?, named(message, &value)))
}

/// The field that a key of JSON names.
fn field_of(message: &MessageDescriptor, key: &str) -> Option<FieldDescriptor> {
    message.get_field_by_json_name(key).or_else(|| message.get_field_by_name(key))
}

fn named(message: &MessageDescriptor, value: &Value) -> Vec<FieldDescriptor> {
    let keys = value.as_object().into_iter().flat_map(|object| object.keys());
    keys.filter_map(|key| field_of(message, key)).collect()
}

/// Passes on the value of every field that an object has, of a list each member, with the path of the field;
/// messages after what is in them.
fn visit(
    value: &mut Value,
    message: &MessageDescriptor,
    path: &str,
    each: &mut dyn FnMut(&FieldDescriptor, &str, &mut Value),
) {
    for (key, value) in value.as_object_mut().into_iter().flatten() {
        let Some(field) = field_of(message, key) else { continue };
        let path = format!("{path}{key}");
        let members = match value {
            Value::Array(members) if field.is_list() => &mut members[..],
            one => std::slice::from_mut(one),
        };
        for member in members {
            if let (Kind::Message(inner), false) = (field.kind(), field.is_map()) {
                visit(member, &inner, &format!("{path}."), each);
            }
            each(&field, &path, member);
        }
    }
}

/// The canonical form of a date, a period or an amount that is written as text; none of anything else.
fn canonical(field: &FieldDescriptor, value: &Value, scope: &Scope) -> Option<Result<Value, BoxError>> {
    let text = value.as_str()?;
    Some(match field::shape(field) {
        Shape::Money => read::money(text, scope).map(|money| to_value(&money)),
        Shape::Period => read::period(text).map(|period| to_value(&period)),
        Shape::Date => written::date(text).map(|date| to_value(&read::date(date))).map_err(BoxError::from),
        _ => return None,
    })
}

/// JSON on several lines, with a line break at the end.
pub fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

/// JSON on one line, with a line break at the end.
pub fn line(value: &Value) -> String {
    format!("{value}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema;
    use milepost_proto::google::r#type::{Date, Money};
    use milepost_proto::registry::v1::{Period, Project, project};
    use milepost_types::CurrencyCode;

    fn project(text: &str, currency: Option<&str>) -> Result<Project, String> {
        let currency = currency.and_then(CurrencyCode::stored);
        let scope = Scope { currency, ..Scope::default() };
        let read = resource(schema::resource("project").unwrap(), text, &scope);
        read.map(|(message, _)| message.transcode_to().unwrap()).map_err(|fault| fault.to_string())
    }

    #[test]
    fn a_message_is_read_back_equal_and_its_text_is_always_the_same() {
        let labels = (0..40).map(|n| (format!("k{n:02}"), n.to_string())).collect();
        let given = Project {
            name: "portfolios/p/projects/x".into(),
            display_name: "超瞬态实验装置".into(),
            key: Some(false),
            investment: Some(Money { currency_code: "CNY".into(), units: 28_360_000_000, nanos: 0 }),
            planned_period: Some(Period {
                start_date: Some(Date { year: 2021, month: 5, day: 27 }),
                end_date: None,
            }),
            labels,
            status: project::Status::Construction.into(),
            ..Default::default()
        };
        let text = line(&to_value(&given));
        assert_eq!(project(&text, None).unwrap(), given);
        for _ in 0..20 {
            assert_eq!(line(&to_value(&given)), text);
        }
        assert!(
            text.starts_with(
                r#"{"name":"portfolios/p/projects/x","displayName":"超瞬态实验装置","key":false,"#
            )
        );
        assert!(text.contains(r#""units":"28360000000""#), "{text}");
        assert!(text.contains(r#""labels":{"k00":"0","k01":"1","#), "{text}");
        assert!(text.contains(r#""status":"STATUS_CONSTRUCTION""#), "{text}");
    }

    #[test]
    fn a_resource_is_also_read_from_the_response_that_carries_it() {
        let wrapped =
            r#"{"project": {"display_name": "科学谷", "batch": "portfolios/p/batches/b"}, "revision": "r"}"#;
        assert_eq!(project(wrapped, None).unwrap().display_name, "科学谷");
        assert_eq!(project(r#"{"displayName": "科学谷"}"#, None).unwrap().display_name, "科学谷");
    }

    #[test]
    fn a_field_that_the_schema_does_not_have_is_refused_with_its_place() {
        let fault = project("{\n  \"displayname\": \"x\"\n}", None).unwrap_err();
        assert!(fault.contains("displayname") && fault.contains("line 2"), "{fault}");
        for text in ["[]", "", "{} {}"] {
            assert!(project(text, None).is_err(), "{text}");
        }
    }

    #[test]
    fn dates_periods_and_amounts_may_be_written_as_people_write_them() {
        let text = r#"{
            "investment": "250亿", "plannedPeriod": {"startDate": "2026年9月30日"},
            "actual_period": "2026-01-02..", "breakdown": [{"category": "equipment", "amount": "CNY 0.29亿"}]
        }"#;
        let read = project(text, Some("CNY")).unwrap();
        let yuan = |units| Some(Money { currency_code: "CNY".into(), units, nanos: 0 });
        assert_eq!(read.investment, yuan(25_000_000_000));
        assert_eq!(read.planned_period.unwrap().start_date, Some(Date { year: 2026, month: 9, day: 30 }));
        assert_eq!(read.actual_period.unwrap().end_date, None);
        assert_eq!(read.breakdown[0].amount, yuan(29_000_000));
        let beside = r#"{"plannedPeriod": {"startDate": {"year": 2026, "month": 9, "day": 30}}, "investment": {"currencyCode": "CNY", "units": "1"}}"#;
        assert_eq!(project(beside, None).unwrap().investment, yuan(1));
    }

    #[test]
    fn every_value_of_a_file_that_is_not_understood_is_named_with_its_field() {
        let text =
            r#"{"investment": "much", "plannedPeriod": {"startDate": "2026-02-30"}, "displayName": "x"}"#;
        let fault = project(text, Some("CNY")).unwrap_err();
        assert!(fault.contains("investment: ") && fault.contains("plannedPeriod.startDate: "), "{fault}");
        let fault = project(r#"{"investment": "250亿"}"#, None).unwrap_err();
        assert!(fault.starts_with("investment: ") && fault.contains("names no currency"), "{fault}");
    }
}
