//! What is generated of resources, against the schemas that it is generated from: every resource, every field.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use prost::Message;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind as Wire, MapKey, MessageDescriptor, Value,
};

use crate::event::v1::Event;
use crate::milepost::access::v1::{ApiToken, CreateApiTokenResponse, Grant, ServiceAccount};
use crate::registry::v1::{
    Activity, Alliance, AnnualList, Assignment, Batch, Collection, Indicator, Organization, Phase, Policy,
    PolicyProgramme, Portfolio, Project,
};
use crate::resource::{
    Access, Creatable, CreateRequest, EVENT_FIELDS, FACTS, Field, Kind, Leaf, ListRequest, Resource,
    STANDARD_EVENT_TYPES, carried,
};
use crate::tracker::v1::{
    Campaign, Excuse, Finding, Inspection, Milestone, RectificationOrder, ServiceRequest, Template,
    TemplateVersion, TimelineEntry, TimelineRule, Warning, WarningPolicy,
};
use crate::wire;

/// Calls a function for every resource of the schemas.
macro_rules! every {
    ($check:ident) => {
        $check::<Portfolio>();
        $check::<Organization>();
        $check::<Project>();
        $check::<Phase>();
        $check::<Batch>();
        $check::<Milestone>();
        $check::<Grant>();
        $check::<ServiceAccount>();
        $check::<ApiToken>();
        $check::<TimelineEntry>();
        $check::<TimelineRule>();
        $check::<AnnualList>();
        $check::<Collection>();
        $check::<Indicator>();
        $check::<Assignment>();
        $check::<Alliance>();
        $check::<Activity>();
        $check::<PolicyProgramme>();
        $check::<Policy>();
        $check::<ServiceRequest>();
        $check::<Inspection>();
        $check::<Finding>();
        $check::<RectificationOrder>();
        $check::<Campaign>();
        $check::<WarningPolicy>();
        $check::<Excuse>();
        $check::<Template>();
        $check::<TemplateVersion>();
    };
}

fn pool() -> &'static DescriptorPool {
    static POOL: LazyLock<DescriptorPool> =
        LazyLock::new(|| DescriptorPool::decode(crate::FILE_DESCRIPTOR_SET).unwrap());
    &POOL
}

fn described<R: Resource>() -> MessageDescriptor {
    pool().get_message_by_name(R::SERVICE.strip_suffix("Service").unwrap()).unwrap()
}

/// A value that is not the default one; of a message, with all its fields.
fn some(field: &FieldDescriptor) -> Value {
    let one = if field.is_map() {
        return Value::Map([(MapKey::String("k".to_owned()), Value::String("v".to_owned()))].into());
    } else {
        match field.kind() {
            Wire::String => Value::String("x".to_owned()),
            Wire::Bytes => Value::Bytes(vec![1].into()),
            Wire::Bool => Value::Bool(true),
            Wire::Int32 => Value::I32(3),
            Wire::Int64 => Value::I64(3),
            Wire::Uint32 => Value::U32(3),
            Wire::Uint64 => Value::U64(3),
            Wire::Double => Value::F64(1.5),
            Wire::Enum(_) => Value::EnumNumber(2),
            Wire::Message(message) => {
                let mut value = DynamicMessage::new(message.clone());
                message.fields().for_each(|field| value.set_field(&field, some(&field)));
                Value::Message(value)
            }
            other => panic!("{}: no value of {other:?} here", field.full_name()),
        }
    };
    if field.is_list() { Value::List(vec![one]) } else { one }
}

/// The resource of which only this field is set.
fn with<R: Resource>(index: usize) -> R {
    let descriptor = described::<R>();
    let field = descriptor.get_field(R::FIELDS[index].number).unwrap();
    let mut message = DynamicMessage::new(descriptor);
    message.set_field(&field, some(&field));
    R::decode(message.encode_to_vec().as_slice()).unwrap()
}

fn is_copied<R: Resource>() {
    for (i, field) in R::FIELDS.iter().enumerate() {
        let given = with::<R>(i);
        for (j, other) in R::FIELDS.iter().enumerate() {
            assert_eq!(
                R::default().same(j, &given),
                i != j,
                "{} {} {}",
                R::TYPE.name,
                field.name,
                other.name
            );
            let mut copied = R::default();
            copied.copy(j, &given);
            let expected = if i == j { given.clone() } else { R::default() };
            assert_eq!(copied, expected, "{} {} {}", R::TYPE.name, field.name, other.name);
            let mut cleared = given.clone();
            cleared.copy(j, &R::default());
            assert_eq!(cleared == R::default(), i == j, "{} {} {}", R::TYPE.name, field.name, other.name);
        }
    }
}

#[test]
fn every_field_is_copied_and_compared_by_its_index_and_no_other_with_it() {
    every!(is_copied);
}

fn is_copied_in_parts<R: Resource>() {
    for (i, field) in R::FIELDS.iter().enumerate().filter(|(_, field)| field.parts) {
        let given = with::<R>(i);
        let mut whole = R::default();
        for (j, part) in field.fields.iter().enumerate() {
            let mut only = R::default();
            only.copy_part(i, j, &given);
            assert_ne!(only, R::default(), "{} {}.{}", R::TYPE.name, field.name, part.name);
            assert_ne!(only, given, "{} {}.{}", R::TYPE.name, field.name, part.name);
            only.copy_part(i, j, &R::default());
            assert_eq!(only, R::default(), "a message without any part is absent");
            whole.copy_part(i, j, &given);
        }
        assert_eq!(whole, given, "{} {}", R::TYPE.name, field.name);
    }
}

#[test]
fn parts_of_a_field_are_copied_one_by_one() {
    every!(is_copied_in_parts);
}

fn is_described(fields: &[Field], descriptor: &MessageDescriptor) {
    let names = descriptor.fields().map(|field| (field.name().to_owned(), field.number()));
    let known = fields.iter().map(|field| (field.name.to_owned(), field.number));
    assert!(known.eq(names), "{}", descriptor.full_name());
    for (known, field) in fields.iter().zip(descriptor.fields()) {
        assert_eq!(known.repeated, field.is_list(), "{}", field.full_name());
        assert_eq!(known.kind == Kind::Map, field.is_map(), "{}", field.full_name());
        match field.kind() {
            Wire::Message(part) if known.kind == Kind::Message => is_described(known.fields, &part),
            Wire::Enum(values) => {
                let values = values.values().skip(1).map(|value| (value.name().to_owned(), value.number()));
                let known = known.names.iter().map(ToString::to_string).zip(known.numbers.iter().copied());
                assert!(known.eq(values), "{}", field.full_name());
            }
            _ => assert!(known.fields.is_empty() && known.names.is_empty(), "{}", field.full_name()),
        }
    }
}

fn has_its_fields<R: Resource>() {
    is_described(R::FIELDS, &described::<R>());
    for name in ["name", "create_time", "update_time", "delete_time", "etag"] {
        let field = R::FIELDS.iter().find(|field| field.name == name).unwrap();
        assert_eq!(field.access, Access::Meta, "{}", R::TYPE.name);
    }
}

#[test]
fn the_table_of_fields_is_that_of_the_schema() {
    every!(has_its_fields);
}

/// The path that steps lead along.
fn path(mut fields: &'static [Field], steps: &[usize]) -> String {
    let names = steps.iter().map(|step| {
        let field = &fields[*step];
        fields = field.fields;
        field.name
    });
    names.collect::<Vec<_>>().join(".")
}

fn is_filtered<R: Resource>() {
    assert_eq!(R::FILTER.len(), R::FILTER_PATHS.len(), "{}", R::TYPE.name);
    for (field, way) in R::FILTER.iter().zip(R::FILTER_PATHS) {
        let whole = path(R::FIELDS, way.steps);
        let expected = match way.leaf {
            Leaf::Whole => whole,
            Leaf::Currency => format!("{whole}.currency_code"),
            Leaf::Units => format!("{whole}.units"),
            Leaf::Ancestor(collections) => {
                assert_eq!(whole, "name", "{}", R::TYPE.name);
                let types = std::iter::successors(Some(R::TYPE), |found| found.parent);
                let ancestor = types.filter(|found| found.collections.len() == collections).last();
                ancestor.unwrap().singular.to_owned()
            }
        };
        assert_eq!(field.path(), expected, "{}", R::TYPE.name);
    }
    let mut paths: Vec<_> = R::FILTER.iter().map(|field| field.path()).collect();
    paths.sort_unstable();
    paths.dedup();
    assert_eq!(paths.len(), R::FILTER.len(), "{}: a path is there twice", R::TYPE.name);
}

#[test]
fn every_path_of_a_filter_leads_to_its_field() {
    every!(is_filtered);
}

fn is_carried<R: Resource>() {
    let name = R::FIELDS.iter().position(|field| field.name == "name").unwrap();
    let event = Event { resource: Some(with::<R>(name).into_event()), ..Event::default() };
    let (facts, node) = carried(event.resource.as_ref().unwrap());
    assert_eq!((facts.of.name, facts.fields.len()), (R::TYPE.name, node.fields().len()));
    assert!(matches!(node.value(name), crate::resource::Value::Text("x")), "{}", R::TYPE.name);
    assert!(FACTS.iter().any(|facts| facts.of.singular == R::TYPE.singular), "{}", R::TYPE.name);
    let found: Vec<_> = crate::wire::fields(&event.encode_to_vec()).map(|field| field.unwrap().0).collect();
    assert_eq!(found, [R::EVENT_FIELD], "{}", R::TYPE.name);
    assert!(EVENT_FIELDS.contains(&R::EVENT_FIELD), "{}", R::TYPE.name);
    for event_type in R::EVENT_TYPES {
        assert!(event_type.starts_with(&format!("milepost.{}.", R::TYPE.singular)), "{event_type}");
    }
}

#[test]
fn an_event_carries_each_resource_in_a_field_of_its_own() {
    every!(is_carried);
    let resources = pool().get_message_by_name("milepost.event.v1.Event").unwrap();
    let oneof = resources.oneofs().find(|oneof| oneof.name() == "resource").unwrap();
    let numbers: BTreeSet<_> = oneof.fields().map(|field| field.number()).collect();
    assert_eq!(numbers, EVENT_FIELDS.iter().copied().collect());
    assert_eq!(numbers.len(), EVENT_FIELDS.len());
}

fn is_asked_for<R: Creatable>() {
    let (service, message) = (pool().get_service_by_name(R::SERVICE).unwrap(), described::<R>());
    let list = R::List::METHOD.strip_prefix(R::SERVICE).and_then(|name| name.strip_prefix('/')).unwrap();
    let methods = ["Create", "Get"].map(|verb| format!("{verb}{}", message.name()));
    for name in methods.iter().map(String::as_str).chain([list]) {
        let method = service.methods().find(|method| method.name() == name).unwrap();
        assert_eq!(method.input().name(), format!("{name}Request"));
    }
    let create = pool().get_message_by_name(&format!("{}.{}Request", message.package_name(), methods[0]));
    assert!(create.unwrap().get_field_by_name(R::Create::ID).is_some());
    assert_eq!(R::List::default().parent().is_some(), R::TYPE.parent.is_some(), "{}", R::TYPE.name);
    assert_eq!(R::TYPE.collections.len(), 1 + R::TYPE.parent.map_or(0, |above| above.collections.len()));
}

#[test]
fn every_resource_has_its_standard_requests() {
    every!(is_asked_for);
}

#[test]
fn what_never_changes_is_neither_updated_nor_undeleted() {
    let of =
        |noun: &str| STANDARD_EVENT_TYPES.iter().filter(|kind| kind.split('.').nth(1) == Some(noun)).count();
    assert_eq!([of("grant"), of("api_token"), of("service_account"), of("phase")], [2, 2, 4, 4]);
    assert_eq!(of("observation"), 1, "it is not deleted either");
}

#[test]
fn what_floats_has_a_name_at_the_top_and_under_each_of_a_chain() {
    let ids = |text: &str| Grant::TYPE.shape().ids(text).map(|ids| ids.len()).ok();
    let parents = |text: &str| Grant::TYPE.parent_ids(text).map(|ids| ids.len()).ok();
    for (parent, count) in [("", 0), ("portfolios/a", 1), ("portfolios/a/projects/b", 2)] {
        assert_eq!(parents(parent), Some(count), "{parent}");
        let name = if parent.is_empty() { "grants/g".to_owned() } else { format!("{parent}/grants/g") };
        assert_eq!(ids(&name), Some(count + 1), "{name}");
        assert!(Grant::TYPE.collections_of(count + 1).eq(name.split('/').step_by(2)), "{name}");
    }
    for none in ["grants", "grants/", "portfolios/a", "projects/b/grants/g", "portfolios/a/phases/b/grants/g"]
    {
        assert_eq!(ids(none), None, "{none}");
    }
    for none in [
        "grants/g",
        "portfolios/-",
        "portfolios",
        "portfolios/a/projects",
        "portfolios/a/projects/b/phases/c",
    ] {
        assert_eq!(parents(none), None, "{none}");
    }
    assert!([1, 2, 3].iter().all(|ids| Grant::TYPE.allows(*ids)));
    assert!(![0, 4].iter().any(|ids| Grant::TYPE.allows(*ids)) && !Milestone::TYPE.allows(1));
}

#[test]
fn a_token_is_not_printed() {
    let answer = CreateApiTokenResponse { token: "mp_a_secret".to_owned(), ..Default::default() };
    assert!(!format!("{answer:?}").contains("secret"), "{answer:?}");
}

/// An encoded resource with all its fields, each of which is damaged in every bit, and is cut off anywhere.
fn is_checked<R: Resource>() {
    let descriptor = described::<R>();
    let mut message = DynamicMessage::new(descriptor.clone());
    descriptor.fields().for_each(|field| message.set_field(&field, some(&field)));
    let whole = message.encode_to_vec();
    let check = |bytes: &[u8], what: &dyn Fn() -> String| {
        let (checked, decoded) = (wire::check(bytes, R::FIELDS), R::decode(bytes));
        assert_eq!(checked.is_ok(), decoded.is_ok(), "{} {}: {checked:?} {decoded:?}", R::TYPE.name, what());
    };
    check(&whole, &|| "whole".to_owned());
    for end in 0..whole.len() {
        check(&whole[..end], &|| format!("up to {end}"));
        for bit in 0..8 {
            let mut damaged = whole.clone();
            damaged[end] ^= 1 << bit;
            check(&damaged, &|| format!("byte {end}, bit {bit}"));
        }
    }
}

#[test]
fn what_is_checked_without_being_decoded_is_what_can_be_decoded() {
    every!(is_checked);
    is_checked::<Warning>();
}
