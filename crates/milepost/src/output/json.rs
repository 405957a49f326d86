//! Messages as canonical proto3 JSON, by the schemas that the binary carries.
//!
//! Invariants: what is printed can be read back to an equal message; fields stand in the order of the
//! schema and the keys of maps are sorted, so that one message has one text. Reading refuses fields that
//! the schema does not have.

use std::sync::LazyLock;

use milepost_proto::resource::{Access, Resource};
use milepost_proto::{FILE_DESCRIPTOR_SET, event::v1 as event, journal::v1 as journal};
use milepost_proto::{notifier::v1 as notifier, registry::v1 as registry, tracker::v1 as tracker};
use prost_reflect::{
    DescriptorPool, DeserializeOptions, DynamicMessage, Kind, MessageDescriptor, Value as Field,
};
use serde_json::{Map, Value};

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("the schemas were compiled with this binary")
});

/// A message whose schema is known by name.
pub trait Described: prost::Message + Default + Clone {
    /// The full name, as in `milepost.registry.v1.Project`.
    const MESSAGE: &'static str;
}

macro_rules! described {
    ($($package:ident: $($message:ident),+;)+) => {
        $($(impl Described for $package::$message {
            const MESSAGE: &'static str =
                concat!("milepost.", stringify!($package), ".v1.", stringify!($message));
        })+)+

        #[cfg(test)]
        const DESCRIBED: &[&str] = &[$($(<$package::$message as Described>::MESSAGE),+),+];
    };
}

described! {
    registry: Portfolio, Organization, Project, Phase, Batch, BatchCreateProjectsRequest;
    tracker: Milestone, Forecast, BatchCreateMilestonesRequest, AdvanceDateResponse, GetCurrentDateResponse;
    notifier: GetLogInfoResponse, SourceResetNotice;
    event: Event;
    journal: GetLedgerInfoResponse;
}

/// The descriptor of a message.
pub fn descriptor<M: Described>() -> MessageDescriptor {
    POOL.get_message_by_name(M::MESSAGE).expect("every described message is in the schemas")
}

/// The message with its fields at hand.
pub fn dynamic<M: Described>(message: &M) -> DynamicMessage {
    DynamicMessage::decode(descriptor::<M>(), message.encode_to_vec().as_slice())
        .expect("a message decodes by its own schema")
}

/// The message as JSON.
pub fn to_value<M: Described>(message: &M) -> Value {
    let dynamic = dynamic(message);
    let mut value = serde_json::to_value(&dynamic).expect("a message has a JSON form");
    sort_maps(&mut value, &dynamic);
    value
}

/// A response that carries one resource and one text beside it, as the API answers it.
pub fn response(field: &str, resource: Value, (key, text): (&str, &str)) -> Value {
    let mut object = Map::new();
    object.insert(field.to_owned(), resource);
    if !text.is_empty() {
        object.insert(key.to_owned(), Value::from(text));
    }
    Value::Object(object)
}

/// The message that a JSON text describes.
///
/// # Errors
/// If it is no JSON, or not of this message; the error tells line and column.
pub fn from_text<M: Described>(text: &str) -> Result<M, serde_json::Error> {
    read(&mut serde_json::Deserializer::from_str(text), descriptor::<M>())
}

/// As [`from_text`], also if the resource is wrapped in the response that carries it:
/// `{"project": {…}, "revision": "…"}`.
///
/// # Errors
/// As [`from_text`].
pub fn resource_from_text<M: Described>(field: &str, text: &str) -> Result<M, serde_json::Error> {
    if let Ok(Value::Object(mut object)) = serde_json::from_str::<Value>(text)
        && object.keys().all(|key| key == field || key == "revision")
        && let Some(inner @ Value::Object(_)) = object.remove(field)
    {
        return read(inner, descriptor::<M>());
    }
    from_text(text)
}

fn read<'de, M, D>(source: D, descriptor: MessageDescriptor) -> Result<M, serde_json::Error>
where
    M: Described,
    D: serde::Deserializer<'de, Error = serde_json::Error>,
{
    let options = DeserializeOptions::new().deny_unknown_fields(true);
    let dynamic = DynamicMessage::deserialize_with_options(descriptor, source, &options)?;
    dynamic.transcode_to().map_err(serde::de::Error::custom)
}

/// JSON on several lines, with a line break at the end.
pub fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

/// JSON on one line, with a line break at the end.
pub fn line(value: &Value) -> String {
    format!("{value}\n")
}

/// The fields that are set and that an update may change, by their names in the schema.
pub fn changeable<R: Resource + Described>(resource: &R) -> Vec<String> {
    let inputs = R::FIELDS.iter().filter(|field| field.access == Access::Input);
    let inputs: Vec<_> = inputs.map(|field| field.name).collect();
    let dynamic = dynamic(resource);
    let set = dynamic.fields().map(|(field, _)| field.name().to_owned());
    set.filter(|name| inputs.contains(&name.as_str())).collect()
}

/// Maps of messages have no order of their own; sorted, one message has one text.
fn sort_maps(value: &mut Value, message: &DynamicMessage) {
    let Value::Object(object) = value else { return };
    for (field, content) in message.fields() {
        let Some(json) = object.get_mut(field.json_name()) else { continue };
        match (content, json) {
            (Field::Message(inner), json) => sort_maps(json, inner),
            (Field::List(items), Value::Array(array)) if matches!(field.kind(), Kind::Message(_)) => {
                for (item, json) in items.iter().zip(array) {
                    if let Field::Message(inner) = item {
                        sort_maps(json, inner);
                    }
                }
            }
            (Field::Map(_), Value::Object(map)) => map.sort_keys(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use milepost_proto::google::r#type::{Date, Money};

    #[test]
    fn every_described_message_is_in_the_schemas() {
        for name in DESCRIBED {
            assert!(POOL.get_message_by_name(name).is_some(), "{name}");
        }
    }

    #[test]
    fn a_message_is_read_back_equal_and_its_text_is_always_the_same() {
        let labels = (0..40).map(|n| (format!("k{n:02}"), n.to_string())).collect();
        let project = registry::Project {
            name: "portfolios/p/projects/x".into(),
            display_name: "超瞬态实验装置".into(),
            key: Some(false),
            investment: Some(Money { currency_code: "CNY".into(), units: 28_360_000_000, nanos: 0 }),
            planned_period: Some(registry::Period {
                start_date: Some(Date { year: 2021, month: 5, day: 27 }),
                end_date: None,
            }),
            labels,
            status: registry::project::Status::Construction.into(),
            ..Default::default()
        };
        let text = line(&to_value(&project));
        assert_eq!(from_text::<registry::Project>(&text).unwrap(), project);
        for _ in 0..20 {
            assert_eq!(line(&to_value(&project)), text);
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
    fn a_resource_is_also_read_from_the_response_that_told_of_it() {
        let wrapped =
            r#"{"project": {"display_name": "科学谷", "batch": "portfolios/p/batches/b"}, "revision": "r"}"#;
        let project: registry::Project = resource_from_text("project", wrapped).unwrap();
        assert_eq!(project.display_name, "科学谷");
        let plain: registry::Project = resource_from_text("project", r#"{"displayName": "科学谷"}"#).unwrap();
        assert_eq!(plain.display_name, "科学谷");
    }

    #[test]
    fn a_field_that_the_schema_does_not_have_is_refused_with_its_place() {
        let error = from_text::<registry::Project>("{\n  \"displayname\": \"x\"\n}").unwrap_err();
        assert!(error.to_string().contains("displayname"), "{error}");
        assert_eq!(error.line(), 2, "{error}");
        assert!(from_text::<registry::Project>("[]").is_err());
        assert!(from_text::<registry::Project>("").is_err());
    }

    #[test]
    fn what_belongs_to_the_server_or_is_given_once_is_not_changed_by_an_update() {
        let milestone = tracker::Milestone {
            name: "portfolios/p/projects/x/milestones/m".into(),
            display_name: "建成投用".into(),
            remarks: "2023".into(),
            state: tracker::milestone::State::Planned.into(),
            etag: "4".into(),
            baseline_date: Some(Date { year: 2023, month: 6, day: 30 }),
            forecast_sequence: 3,
            create_time: Some(prost_types::Timestamp::default()),
            ..Default::default()
        };
        assert_eq!(changeable(&milestone), ["display_name", "remarks"]);
        let members = vec!["portfolios/p/projects/x".into()];
        let batch = registry::Batch { display_name: "一批".into(), members, ..Default::default() };
        assert_eq!(changeable(&batch), ["display_name"]);
    }
}
