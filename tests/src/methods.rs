//! Every method of the public API, from the schemas themselves: a new one is tested without being named.

use prost_reflect::{DescriptorPool, DynamicMessage, Kind, MessageDescriptor, Value};

/// A method, and what its request is made of.
#[derive(Debug, Clone)]
pub struct Method {
    /// As in `/milepost.registry.v1.ProjectService/CreateProject`.
    pub path: String,
    /// What it is asked with.
    pub request: MessageDescriptor,
    /// Whether it answers with a stream.
    pub streams: bool,
}

impl Method {
    /// The fields of the request that the schema marks as required.
    pub fn required(&self) -> Vec<String> {
        required(&self.request)
    }

    /// The number of the first field of text.
    pub fn text_field(&self) -> Option<u32> {
        let text = |kind| matches!(kind, Kind::String);
        self.request.fields().find(|field| text(field.kind())).map(|field| field.number())
    }
}

/// The fields of a message that the schema marks as required.
///
/// # Panics
/// If the schemas do not hold `google.api.field_behavior`.
pub fn required(message: &MessageDescriptor) -> Vec<String> {
    let pool = message.parent_pool();
    let behavior = pool.get_extension_by_name("google.api.field_behavior").expect("field behaviors");
    let is_required = |options: DynamicMessage| match options.get_extension(&behavior).as_ref() {
        Value::List(behaviors) => behaviors.contains(&Value::EnumNumber(2)),
        _ => false,
    };
    let fields = message.fields().filter(|field| is_required(field.options()));
    fields.map(|field| field.name().to_owned()).collect()
}

/// Every method of every service of ours.
///
/// # Panics
/// If the schemas cannot be read.
pub fn all() -> Vec<Method> {
    let pool = DescriptorPool::decode(milepost_proto::FILE_DESCRIPTOR_SET).expect("the schemas");
    let methods = pool.services().flat_map(|service| {
        let name = service.full_name().to_owned();
        service
            .methods()
            .map(move |method| Method {
                path: format!("/{name}/{}", method.name()),
                request: method.input(),
                streams: method.is_server_streaming(),
            })
            .collect::<Vec<_>>()
    });
    methods.collect()
}
