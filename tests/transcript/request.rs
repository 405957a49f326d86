//! Requests from JSON, by the schemas: what a test does not name has its default; and the fields that they have.

use std::sync::LazyLock;

use bytes::Bytes;
use prost::Message;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, MessageDescriptor, MethodDescriptor, ReflectMessage,
    Value as Reflected,
};
use serde_json::Value;

static POOL: LazyLock<DescriptorPool> =
    LazyLock::new(|| DescriptorPool::decode(milepost_proto::FILE_DESCRIPTOR_SET).unwrap());

/// `package.Service/Method`, if its service has it.
fn found(method: &str) -> Option<MethodDescriptor> {
    let (service, name) = method.split_once('/').unwrap();
    let service = POOL.get_service_by_name(service).unwrap_or_else(|| panic!("no service of {method}"));
    service.methods().find(|known| known.name() == name)
}

/// Whether there is a method.
pub(super) fn is_there(method: &str) -> bool {
    found(method).is_some()
}

/// What a method takes.
fn input(method: &str) -> MessageDescriptor {
    found(method).unwrap_or_else(|| panic!("no method {method}")).input()
}

/// Whether a method takes a request id.
pub(super) fn is_write(method: &str) -> bool {
    input(method).get_field_by_name("request_id").is_some()
}

/// The encoded request of a method. Its `update_mask` is a text of paths, which need not be any.
pub(super) fn encoded(method: &str, mut request: Value) -> Bytes {
    let json = request.to_string();
    let mask = request.as_object_mut().unwrap().remove("update_mask");
    let message = DynamicMessage::deserialize(input(method), request);
    let mut message = message.unwrap_or_else(|error| panic!("{method}: {error}: {json}"));
    if let Some(mask) = mask {
        let field = message.descriptor().get_field_by_name("update_mask").unwrap();
        let mut paths = DynamicMessage::new(field.kind().as_message().unwrap().clone());
        let each = mask.as_str().unwrap().split(',').map(|path| Reflected::String(path.to_owned()));
        paths.set_field_by_name("paths", Reflected::List(each.collect()));
        message.set_field(&field, Reflected::Message(paths));
    }
    message.encode_to_vec().into()
}

/// The message that a field of a method's request holds.
pub(super) fn field(method: &str, field: &str) -> MessageDescriptor {
    let field = input(method).get_field_by_name(field).unwrap();
    field.kind().as_message().unwrap().clone()
}

/// The paths of all fields of a message and of its parts, in the order of the schema.
pub(super) fn paths(message: &MessageDescriptor) -> Vec<String> {
    let mut fields: Vec<_> = message.fields().collect();
    fields.sort_by_key(FieldDescriptor::number);
    let mut found = Vec::new();
    for field in fields {
        found.push(field.name().to_owned());
        if let Some(part) = field.kind().as_message().filter(|_| !field.is_map()) {
            found.extend(paths(part).iter().map(|path| format!("{}.{path}", field.name())));
        }
    }
    found
}
