//! The schemas, for the command line: which resources there are, what can be done with them, and what their
//! fields are.
//!
//! Invariant: everything here is read from the descriptors that the binary carries. A new resource, method or
//! field needs nothing here.

pub mod field;
mod verb;

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::LazyLock;

use milepost_proto::FILE_DESCRIPTOR_SET;
use milepost_proto::google::api::ResourceDescriptor;
use milepost_types::LedgerKind;
use prost_reflect::{DescriptorPool, DynamicMessage, FileDescriptor, MessageDescriptor, ServiceDescriptor};

pub use verb::{Verb, VerbKind, kebab};

/// Every schema with its comments.
pub static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("the schemas were compiled with this binary")
});

/// A resource: what its schema says of it as a whole.
#[derive(Debug)]
pub struct Resource {
    pub message: MessageDescriptor,
    /// `milepost.dev/Project`
    pub type_name: String,
    /// `project`, as it is typed; several words are joined by hyphens.
    pub noun: String,
    /// The same with underscores, as fields are named after it.
    pub field: String,
    /// `projects`
    pub plural: String,
    /// The collections of its names, from the left: `portfolios`, `projects`; of what floats, of the longest.
    pub collections: Vec<String>,
    /// Whether its names may also lack some of the collections before the last.
    pub floats: bool,
    /// What the ids of its names are called, from the left: `portfolio`, `project`.
    pub ids: Vec<String>,
    pub service: ServiceDescriptor,
}

impl Resource {
    fn read(message: MessageDescriptor) -> Option<Self> {
        let stated: ResourceDescriptor = option(&message.options(), "google.api.resource")?;
        let segments = stated.pattern.last()?.split('/');
        let collections = segments.clone().step_by(2).map(str::to_owned).collect();
        let ids = segments.skip(1).step_by(2).map(|id| id.trim_matches(['{', '}']).to_owned()).collect();
        let get = format!("Get{}", message.name());
        let service = POOL.services().find(|service| service.methods().any(|method| method.name() == get))?;
        let noun = kebab(message.name());
        let floats = stated.pattern.len() > 1;
        let (type_name, field, plural) = (stated.r#type, noun.replace('-', "_"), stated.plural);
        Some(Self { message, type_name, noun, field, plural, collections, floats, ids, service })
    }

    /// What can be done with it, in the order of its service.
    pub fn verbs(&'static self) -> Vec<Verb> {
        self.service.methods().map(|method| Verb::read(self, method)).collect()
    }

    /// What it can be done with by this name.
    pub fn verb(&'static self, name: &str) -> Option<Verb> {
        self.verbs().into_iter().find(|verb| verb.name == name)
    }

    /// What its field in responses is called in JSON: `project`.
    pub fn json_field(&self) -> String {
        let name = self.message.name();
        name[..1].to_lowercase() + &name[1..]
    }

    /// Whether its names have these collections, from the left.
    pub fn is_named_in(&self, collections: &[String]) -> bool {
        self.collections == collections
            || self.floats && self.collections_of(collections.len()).eq(collections)
    }

    /// The collections of a name with so many ids.
    pub fn collections_of(&self, ids: usize) -> impl Iterator<Item = &String> {
        let (own, above) = self.collections.split_last().expect("a name has a collection");
        let above = if self.floats { &above[..ids.saturating_sub(1).min(above.len())] } else { above };
        above.iter().chain([own])
    }

    /// What it is under; nothing for what is at the top.
    pub fn parent(&self) -> Option<&'static Resource> {
        let above = &self.collections[..self.collections.len() - 1];
        resources().iter().find(|resource| resource.collections == above)
    }
}

/// Every resource that a service serves, parents before what is under them.
pub fn resources() -> &'static [Resource] {
    static RESOURCES: LazyLock<Vec<Resource>> = LazyLock::new(|| {
        let mut all: Vec<Resource> = POOL.all_messages().filter_map(Resource::read).collect();
        // What is at the top and has most below it comes first: the portfolio.
        let mut below = HashMap::<String, usize>::new();
        all.iter().for_each(|resource| *below.entry(resource.collections[0].clone()).or_default() += 1);
        all.sort_by_key(|resource| (resource.collections.len(), Reverse(below[&resource.collections[0]])));
        all
    });
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

/// The ledger that serves a service, by its package.
pub fn ledger(service: &ServiceDescriptor) -> LedgerKind {
    match service.package_name() {
        "milepost.tracker.v1" => LedgerKind::Tracker,
        "milepost.notifier.v1" => LedgerKind::Notifier,
        _ => LedgerKind::Registry,
    }
}

/// What the schema says at a path of a file, as text for help: the first paragraph of the comment, on one line, without
/// the full stop at its end.
pub fn comment(file: &FileDescriptor, path: &[i32]) -> String {
    let source = file.file_descriptor_proto().source_code_info.as_ref();
    let location = source.and_then(|source| source.location.iter().find(|location| location.path == path));
    let comment = location.map(|location| location.leading_comments()).unwrap_or_default();
    let paragraph: Vec<&str> = comment.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    let text = paragraph.join(" ");
    text.strip_suffix('.').unwrap_or(&text).to_owned()
}

/// The message that the options of a descriptor state under the name of an extension.
fn option<M: prost::Message + Default>(options: &DynamicMessage, extension: &str) -> Option<M> {
    let extension = POOL.get_extension_by_name(extension)?;
    options
        .has_extension(&extension)
        .then(|| options.get_extension(&extension).as_message()?.transcode_to().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_resource_is_known_and_parents_come_first() {
        let nouns: Vec<&str> = resources().iter().map(|resource| resource.noun.as_str()).collect();
        for noun in ["portfolio", "organization", "project", "phase", "batch", "milestone"] {
            assert!(nouns.contains(&noun), "{noun}: {nouns:?}");
        }
        for (index, resource) in resources().iter().enumerate() {
            if let Some(parent) = resource.parent() {
                assert!(nouns[..index].contains(&parent.noun.as_str()), "{}", resource.noun);
            }
        }
    }
}
