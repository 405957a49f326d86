//! What the schemas say of the messages that are resources: their types, what each is under, the messages that
//! they are made of, and the fields of an event that hold them.
//!
//! Invariant: a resource has one pattern, the fields that all resources have, and a parent that is a resource,
//! or it is at the top; or it floats: it has a pattern at the top, and one under each resource of a chain. A schema
//! with another ends the build. It does not read what a field's options say.

use std::collections::BTreeMap;

use prost_reflect::{DescriptorPool, DynamicMessage, ExtensionDescriptor, Kind, MessageDescriptor};

use crate::fields::{fail, part, text};
use crate::names::upper_camel;

/// What resources have in common.
pub(crate) const META: [&str; 5] = ["name", "create_time", "update_time", "delete_time", "etag"];

/// The schemas, and the resources in them.
pub(crate) struct Schema<'a> {
    pub(crate) pool: &'a DescriptorPool,
    pub(crate) resources: Vec<Resource>,
    /// The number and the name of the field of an event that holds a resource, by the resource's full name.
    pub(crate) events: BTreeMap<String, (u32, String)>,
}

/// A message that is a resource.
pub(crate) struct Resource {
    pub(crate) message: MessageDescriptor,
    /// `milepost.dev/Phase`
    pub(crate) type_name: String,
    /// `phase`
    pub(crate) singular: String,
    /// `Phases`
    pub(crate) plural: String,
    /// `portfolios/{portfolio}/projects/{project}/phases/{phase}`; of what floats, the longest.
    pub(crate) pattern: String,
    /// All of its patterns, the longest last.
    pub(crate) patterns: Vec<String>,
}

impl<'a> Schema<'a> {
    pub(crate) fn of(pool: &'a DescriptorPool) -> Self {
        let marker = extension(pool, "google.api.resource");
        let resources = pool
            .all_messages()
            .filter_map(|message| Some(Resource::of(option(&message.options(), &marker)?, message)));
        let event = pool.get_message_by_name("milepost.event.v1.Event").expect("milepost.event.v1.Event");
        let oneof = event.oneofs().find(|oneof| oneof.name() == "resource").expect("the event's resource");
        let events = oneof.fields().map(|field| match field.kind() {
            Kind::Message(message) => {
                (message.full_name().to_owned(), (field.number(), field.name().to_owned()))
            }
            _ => fail(&field, "is no resource"),
        });
        Self { pool, resources: resources.collect(), events: events.collect() }
    }

    /// Whether a message is a resource, and not only a part of one.
    pub(crate) fn is_resource(&self, message: &MessageDescriptor) -> bool {
        self.resources.iter().any(|resource| resource.message == *message)
    }

    /// The resource of this type.
    pub(crate) fn by_type(&self, name: &str) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.type_name == name)
    }

    /// What a resource is under; none if it is at the top.
    pub(crate) fn parent(&self, resource: &Resource) -> Option<&Resource> {
        let (rest, _) = resource.pattern.rsplit_once('/')?;
        let (parent, _) = rest.rsplit_once('/')?;
        let found = self.resources.iter().find(|resource| resource.pattern == parent);
        found.or_else(|| panic!("{} is under {parent}, which is no resource", resource.type_name))
    }

    /// The messages that resources are made of, themselves included.
    pub(crate) fn parts(&self) -> Vec<MessageDescriptor> {
        let mut parts: BTreeMap<String, MessageDescriptor> = BTreeMap::new();
        let mut open: Vec<_> = self.resources.iter().map(|resource| resource.message.clone()).collect();
        while let Some(message) = open.pop() {
            if parts.insert(message.full_name().to_owned(), message.clone()).is_none() {
                open.extend(message.fields().filter_map(|field| part(&field)));
            }
        }
        parts.into_values().collect()
    }
}

impl Resource {
    fn of(options: DynamicMessage, message: MessageDescriptor) -> Self {
        let full_name = message.full_name();
        let patterns = options.get_field_by_name("pattern").expect("a resource has patterns");
        let patterns = patterns.as_list().unwrap_or_default().iter();
        let patterns: Vec<_> = patterns.filter_map(|pattern| pattern.as_str().map(str::to_owned)).collect();
        let pattern = patterns.last().unwrap_or_else(|| panic!("{full_name} needs a pattern")).clone();
        assert!(
            patterns.len() == 1 || is_chain(&patterns),
            "{full_name}: its patterns must be at the top, then each under one more resource than the one before"
        );
        for field in META {
            assert!(message.get_field_by_name(field).is_some(), "{full_name}: no {field}");
        }
        Self {
            type_name: text(&options, "type"),
            singular: text(&options, "singular"),
            plural: upper_camel(&text(&options, "plural")),
            pattern,
            patterns,
            message,
        }
    }

    /// Whether it can be at the top and under each resource of a chain.
    pub(crate) fn floats(&self) -> bool {
        self.patterns.len() > 1
    }
}

/// Whether the patterns of a resource are at the top, then each under one more resource than the one before.
fn is_chain(patterns: &[String]) -> bool {
    let own = &patterns[0];
    let above = patterns.iter().map(|pattern| pattern.strip_suffix(own.as_str()));
    let Some(above) = above.collect::<Option<Vec<_>>>() else { return false };
    let longer = |pair: &[&str]| pair[1].strip_prefix(pair[0]).map(|rest| rest.matches('/').count());
    own.matches('/').count() == 1 && above.windows(2).all(|pair| longer(pair) == Some(2))
}

/// An option of the schemas.
///
/// # Panics
/// If there is none of this name.
pub(crate) fn extension(pool: &DescriptorPool, name: &str) -> ExtensionDescriptor {
    pool.get_extension_by_name(name).unwrap_or_else(|| panic!("there is no option {name}"))
}

/// What an option that is a message says; none if it is not set.
pub(crate) fn option(options: &DynamicMessage, extension: &ExtensionDescriptor) -> Option<DynamicMessage> {
    options.has_extension(extension).then(|| options.get_extension(extension).as_message().cloned()).flatten()
}
