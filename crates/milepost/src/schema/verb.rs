//! What can be done with a resource: a method of its service, by the shape of its request.
//!
//! Invariant: two methods of one service have different verbs.

use prost_reflect::{FieldDescriptor, Kind, MethodDescriptor};

use super::Resource;

/// What a request looks like, as far as the command line must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerbKind {
    /// A resource to be, under a parent.
    Create,
    /// A resource with the fields to change.
    Update,
    /// What is listed page by page.
    List,
    /// Requests from a file.
    BatchCreate,
    /// Several names under a parent.
    BatchGet,
    /// One thing, named first.
    Act,
}

/// Something that can be done with a resource.
#[derive(Debug, Clone)]
pub struct Verb {
    /// The resource.
    pub resource: &'static Resource,
    /// `start`, `add-members`
    pub name: String,
    /// The method.
    pub method: MethodDescriptor,
    /// What its request looks like.
    pub kind: VerbKind,
}

/// Fields of requests that have the same meaning everywhere and flags of their own.
const COMMON: [&str; 13] = [
    "name",
    "parent",
    "etag",
    "request_id",
    "validate_only",
    "min_revisions",
    "update_mask",
    "page_size",
    "page_token",
    "filter",
    "order_by",
    "show_deleted",
    "requests",
];

impl Verb {
    pub(super) fn read(resource: &'static Resource, method: MethodDescriptor) -> Self {
        let input = method.input();
        let has = |field: &str| input.get_field_by_name(field).is_some();
        let kind = if has(&format!("{}_id", resource.field)) {
            VerbKind::Create
        } else if has("update_mask") {
            VerbKind::Update
        } else if has("page_token") {
            VerbKind::List
        } else if has("requests") {
            VerbKind::BatchCreate
        } else if has("names") {
            VerbKind::BatchGet
        } else {
            VerbKind::Act
        };
        Self { resource, name: name(resource, method.name()), method, kind }
    }

    /// Whether its request has a field of this name.
    pub fn takes(&self, field: &str) -> bool {
        self.method.input().get_field_by_name(field).is_some()
    }

    /// Whether it changes something.
    pub fn is_write(&self) -> bool {
        self.takes("request_id")
    }

    /// The resource that its command names: what it is done with or in.
    pub fn named(&self) -> Option<&'static Resource> {
        match self.kind {
            VerbKind::Update => Some(self.resource),
            _ => self.target().map(|(_, resource)| resource),
        }
    }

    /// The field that names what it is done with or in, and the resource that it names.
    pub fn target(&self) -> Option<(FieldDescriptor, &'static Resource)> {
        let input = self.method.input();
        if let Some(name) = input.get_field_by_name("name") {
            return Some((name, self.resource));
        }
        if let Some(parent) = input.get_field_by_name("parent") {
            return Some((parent, self.resource.parent()?));
        }
        input
            .fields()
            .find_map(|field| {
                Some((
                    field.clone(),
                    super::resources().iter().find(|resource| resource.field == field.name())?,
                ))
            })
            .filter(
                // A resource to be is no name of one.
                |(field, _)| field.kind() == Kind::String,
            )
    }

    /// The field of the request that holds a resource to be, or to change.
    pub fn resource_field(&self) -> Option<FieldDescriptor> {
        matches!(self.kind, VerbKind::Create | VerbKind::Update)
            .then(|| self.method.input().get_field_by_name(&self.resource.field))?
    }

    /// The other fields of its request: what it alone says.
    pub fn own_fields(&self) -> Vec<FieldDescriptor> {
        let target = self.target().map(|(field, _)| field);
        let id = format!("{}_id", self.resource.field);
        let input = self.method.input();
        let others = input.fields().filter(move |field| {
            !COMMON.contains(&field.name())
                && Some(field) != target.as_ref()
                && Some(field) != self.resource_field().as_ref()
                && field.name() != id
        });
        others.collect()
    }

    /// The field of its response that lists, if it lists.
    pub fn listed(&self) -> Option<FieldDescriptor> {
        let output = self.method.output();
        let mut fields = output.fields();
        fields.find(|field| field.is_list() && matches!(field.kind(), Kind::Message(_)))
    }
}

/// The words of a method without the resource, joined: `add-members` for `AddBatchMembers`.
fn name(resource: &Resource, method: &str) -> String {
    let one = resource.message.name();
    let mut plural = resource.plural.clone();
    if let Some(first) = plural.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let without =
        |noun: &str| method.rfind(noun).map(|at| method[..at].to_owned() + &method[at + noun.len()..]);
    let rest = without(&plural).or_else(|| without(one)).unwrap_or_else(|| method.to_owned());
    let words = kebab(&rest);
    // What is read of a resource is a noun: `forecasts`, `current-date`.
    let noun = words.strip_prefix("list-").or_else(|| words.strip_prefix("get-"));
    noun.unwrap_or(&words).to_owned()
}

/// `annual-list` for `AnnualList`.
pub(super) fn kebab(camel: &str) -> String {
    let mut words = String::new();
    for character in camel.chars() {
        if character.is_ascii_uppercase() && !words.is_empty() {
            words.push('-');
        }
        words.push(character.to_ascii_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use crate::schema::resource;

    #[test]
    fn verbs_are_methods_without_their_resource() {
        let names = |noun: &str| -> Vec<String> {
            resource(noun).unwrap().verbs().into_iter().map(|verb| verb.name).collect()
        };
        let batch = names("batch");
        assert_eq!(batch[..3], ["create", "get", "list"]);
        for verb in ["add-members", "remove-members", "start", "cancel"] {
            assert!(batch.iter().any(|name| name == verb), "{batch:?}");
        }
        let milestone = names("milestone");
        for verb in ["partially-achieve", "add-evidence", "forecasts", "advance-date", "current-date"] {
            assert!(milestone.iter().any(|name| name == verb), "{milestone:?}");
        }
        assert!(names("project").iter().any(|name| name == "batch-create"));
    }

    #[test]
    fn a_request_says_what_it_is_done_with_and_what_it_alone_says() {
        let own = |noun: &str, verb: &str| -> Vec<String> {
            let verb = resource(noun).unwrap().verb(verb).unwrap();
            verb.own_fields().iter().map(|field| field.name().to_owned()).collect()
        };
        assert_eq!(own("project", "start"), ["reason", "start_date"]);
        assert_eq!(own("milestone", "advance-date"), ["date"]);
        assert_eq!(own("batch", "add-members"), ["members"]);
        assert_eq!(own("project", "create"), [""; 0]);
        assert_eq!(own("project", "batch-get"), ["names"]);
        let advance = resource("milestone").unwrap().verb("advance-date").unwrap();
        assert_eq!(advance.target().unwrap().1.noun, "portfolio");
    }
}
