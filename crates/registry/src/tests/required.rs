//! Every field that the schema marks REQUIRED is checked, and named when it is missing.

use std::collections::BTreeSet;

use bytes::Bytes;
use milepost_proto::google::api::FieldBehavior;
use prost::Message;
use prost_reflect::{
    Cardinality, DescriptorPool, DynamicMessage, ExtensionDescriptor, FieldDescriptor, Kind,
    MessageDescriptor, ReflectMessage, ServiceDescriptor, Value,
};
use tonic::Code;

use super::office::{Office, faults};
use super::transcript::raw;

const PACKAGES: [&str; 2] = ["milepost.registry.v1", "milepost.access.v1"];

/// Marked in a message that is also a request of its own, where it is required; here it may be left out.
const NOT_HERE: [&str; 1] = ["requests[0].parent"];

struct Schema {
    pool: DescriptorPool,
    behavior: ExtensionDescriptor,
}

impl Schema {
    fn read() -> Self {
        let pool = DescriptorPool::decode(milepost_proto::FILE_DESCRIPTOR_SET).unwrap();
        let behavior = pool.get_extension_by_name("google.api.field_behavior").unwrap();
        Self { pool, behavior }
    }

    /// Those of the registry: AccessService is of the process.
    fn services(&self) -> impl Iterator<Item = ServiceDescriptor> {
        let services = self.pool.services().filter(|service| PACKAGES.contains(&service.package_name()));
        services.filter(|service| service.name() != "AccessService")
    }

    fn is(&self, field: &FieldDescriptor, behavior: FieldBehavior) -> bool {
        let options = field.options();
        let marks = options.get_extension(&self.behavior);
        marks.as_list().unwrap().iter().any(|mark| mark.as_enum_number() == Some(behavior as i32))
    }

    /// The message of this package that a field holds.
    fn part(&self, field: &FieldDescriptor) -> Option<MessageDescriptor> {
        match field.kind() {
            Kind::Message(part) if PACKAGES.contains(&part.package_name()) && !field.is_map() => Some(part),
            _ => None,
        }
    }

    /// A message whose parts are all there and empty, and the paths of what it then lacks.
    fn hollow(
        &self,
        message: &MessageDescriptor,
        path: &str,
        lacks: &mut BTreeSet<String>,
    ) -> DynamicMessage {
        let mut hollow = DynamicMessage::new(message.clone());
        for field in message.fields().filter(|field| !self.is(field, FieldBehavior::OutputOnly)) {
            let own =
                if path.is_empty() { field.name().to_owned() } else { format!("{path}.{}", field.name()) };
            let part = self.part(&field);
            match (part, field.cardinality() == Cardinality::Repeated) {
                (Some(part), true) => {
                    let member = self.hollow(&part, &format!("{own}[0]"), lacks);
                    hollow.set_field(&field, Value::List(vec![Value::Message(member)]));
                }
                // The resource of a request is there; what is required inside of one is not.
                (Some(part), false) if path.is_empty() || !self.is(&field, FieldBehavior::Required) => {
                    let inner = self.hollow(&part, &own, lacks);
                    hollow.set_field(&field, Value::Message(inner));
                }
                _ if self.is(&field, FieldBehavior::Required) => {
                    lacks.insert(own);
                }
                _ => {}
            }
        }
        hollow
    }
}

/// The request with all fields in its mask, if it has one.
fn with_all_in_mask(mut request: DynamicMessage) -> Bytes {
    if let Some(field) = request.descriptor().get_field_by_name("update_mask") {
        let mask = prost_types::FieldMask { paths: vec!["*".to_owned()] };
        let mut message = request.get_field(&field).as_message().unwrap().clone();
        message.transcode_from(&mask).unwrap();
        request.set_field(&field, Value::Message(message));
    }
    request.encode_to_vec().into()
}

async fn missing(office: &Office, method: &str, request: Bytes) -> BTreeSet<String> {
    let status = raw::call(&office.channel, method, request).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{method}: {status:?}");
    let required = faults(&status).into_iter().filter(|(_, reason)| reason == "REQUIRED");
    required.map(|(field, _)| field).collect()
}

#[tokio::test]
async fn what_is_required_is_named_when_it_is_missing() {
    let office = Office::open().await;
    let schema = Schema::read();
    let mut checked = 0;
    for service in schema.services() {
        for method in service.methods() {
            let path = format!("{}/{}", service.full_name(), method.name());
            let input = method.input();
            let top = input.fields().filter(|field| schema.is(field, FieldBehavior::Required));
            let top: BTreeSet<_> = top.map(|field| field.name().to_owned()).collect();
            if !top.is_empty() {
                assert_eq!(missing(&office, &path, Bytes::new()).await, top, "{path}, empty");
                checked += top.len();
            }
            let mut lacks = BTreeSet::new();
            let hollow = schema.hollow(&input, "", &mut lacks);
            lacks.retain(|path| !NOT_HERE.contains(&path.as_str()));
            if !lacks.is_empty() {
                let named = missing(&office, &path, with_all_in_mask(hollow)).await;
                let unnamed: Vec<_> = lacks.difference(&named).collect();
                assert!(unnamed.is_empty(), "{path} does not name {unnamed:?}, only {named:?}");
                checked += lacks.len();
            }
        }
    }
    assert!(checked > 100, "the schema marks what is required: {checked}");
    assert_eq!(office.sequence(), 0);
}

#[test]
fn every_request_that_changes_something_can_be_repeated_and_only_validated() {
    let schema = Schema::read();
    for method in schema.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
        let input = method.input();
        let has = |field| input.get_field_by_name(field).is_some();
        let reads = ["Get", "List", "BatchGet", "Query", "Match", "BatchMatch"]
            .iter()
            .any(|verb| method.name().starts_with(verb));
        assert_eq!(has("request_id") && has("validate_only"), !reads, "{}", method.full_name());
        assert_eq!(has("min_revisions"), reads, "{}", method.full_name());
    }
}
