//! The schemas, for the command line: which resources there are, what can be done with them, and what their
//! fields are.
//!
//! Invariant: everything here is read from the descriptors that the binary carries. A new resource, method or
//! field needs nothing here.

pub mod comment;
pub mod field;
mod verb;

use std::sync::LazyLock;

use milepost_proto::FILE_DESCRIPTOR_SET;
use milepost_types::LedgerKind;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, ServiceDescriptor, Value};

pub use verb::{Verb, VerbKind};

/// Every schema with its comments.
pub static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("the schemas were compiled with this binary")
});

/// Every resource, parents before what is under them.
static RESOURCES: LazyLock<Vec<Resource>> = LazyLock::new(|| {
    let mut resources: Vec<Resource> = POOL.all_messages().filter_map(Resource::read).collect();
    // What is at the top and has most below it comes first: the portfolio.
    let under = |first: &str| {
        POOL.all_messages().filter_map(Resource::read).filter(|r| r.collections[0] == first).count()
    };
    resources.sort_by_key(|resource| {
        (resource.collections.len(), std::cmp::Reverse(under(&resource.collections[0])))
    });
    resources
});

/// A resource: what its schema says of it as a whole.
#[derive(Debug)]
pub struct Resource {
    /// Its message.
    pub message: MessageDescriptor,
    /// `milepost.dev/Project`
    pub type_name: String,
    /// `annual-list`, as it is typed.
    pub noun: String,
    /// `annual_list`, as fields are named after it.
    pub field: String,
    /// `annualLists`
    pub plural: String,
    /// The collections of its names, from the left: `portfolios`, `projects`.
    pub collections: Vec<String>,
    /// What the ids of its names are called, from the left: `portfolio`, `project`.
    pub ids: Vec<String>,
    /// The service that serves it.
    pub service: Option<ServiceDescriptor>,
}

impl Resource {
    fn read(message: MessageDescriptor) -> Option<Self> {
        let stated = option(&message.options(), "google.api.resource")?;
        let stated = stated.as_message()?;
        let text = |field: &str| {
            let text = stated.get_field_by_name(field);
            text.and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default()
        };
        let patterns = stated.get_field_by_name("pattern")?;
        let pattern = patterns.as_list()?.first()?.as_str()?;
        let segments: Vec<&str> = pattern.split('/').collect();
        let collections = segments.iter().step_by(2).map(|segment| (*segment).to_owned()).collect();
        let id = |segment: &&str| segment.trim_matches(['{', '}']).to_owned();
        let ids = segments.iter().skip(1).step_by(2).map(id).collect();
        let get = format!("Get{}", message.name());
        let mut services = POOL.services();
        let service = services.find(|service| service.methods().any(|method| method.name() == get));
        let noun = verb::kebab(message.name());
        let (type_name, field, plural) = (text("type"), noun.replace('-', "_"), text("plural"));
        Some(Self { message, type_name, noun, field, plural, collections, ids, service })
    }

    /// What can be done with it, in the order of its service.
    pub fn verbs(&'static self) -> Vec<Verb> {
        let methods = self.service.iter().flat_map(|service| service.methods().collect::<Vec<_>>());
        methods.map(|method| Verb::read(self, method)).collect()
    }

    /// What it can be done with by this name.
    pub fn verb(&'static self, name: &str) -> Option<Verb> {
        self.verbs().into_iter().find(|verb| verb.name == name)
    }

    /// What its field in responses is called in JSON: `annualList`.
    pub fn json_field(&self) -> String {
        let name = self.message.name();
        name[..1].to_lowercase() + &name[1..]
    }

    /// What it is under; nothing for what is at the top.
    pub fn parent(&self) -> Option<&'static Resource> {
        let above = &self.collections[..self.collections.len() - 1];
        resources().iter().find(|resource| resource.collections == above)
    }
}

/// Every resource that a service serves, parents before what is under them.
pub fn resources() -> &'static [Resource] {
    &RESOURCES
}

/// The resource of this noun.
pub fn resource(noun: &str) -> Option<&'static Resource> {
    resources().iter().find(|resource| resource.noun == noun)
}

/// The resource that a message is.
pub fn resource_of(message: &MessageDescriptor) -> Option<&'static Resource> {
    resources().iter().find(|resource| resource.message == *message)
}

/// The resource of a type, as in `milepost.dev/Project`.
pub fn resource_of_type(name: &str) -> Option<&'static Resource> {
    resources().iter().find(|resource| resource.type_name == name)
}

/// The ledger that serves a service, by its package.
pub fn ledger(service: &ServiceDescriptor) -> LedgerKind {
    match service.package_name() {
        "milepost.tracker.v1" => LedgerKind::Tracker,
        "milepost.notifier.v1" => LedgerKind::Notifier,
        _ => LedgerKind::Registry,
    }
}

/// A value that the options of a descriptor state under the name of an extension.
fn option(options: &DynamicMessage, extension: &str) -> Option<Value> {
    let extension = POOL.get_extension_by_name(extension)?;
    options.has_extension(&extension).then(|| options.get_extension(&extension).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_resource_has_a_service_and_parents_come_first() {
        let nouns: Vec<&str> = resources().iter().map(|resource| resource.noun.as_str()).collect();
        for noun in ["portfolio", "organization", "project", "phase", "batch", "milestone"] {
            assert!(nouns.contains(&noun), "{noun}: {nouns:?}");
        }
        for (index, resource) in resources().iter().enumerate() {
            assert!(resource.service.is_some(), "{}", resource.noun);
            if let Some(parent) = resource.parent() {
                assert!(nouns[..index].contains(&parent.noun.as_str()), "{}", resource.noun);
            }
        }
    }
}
