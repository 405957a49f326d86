//! What can be done with a resource: a method of its service, by the shape of its request.
//!
//! Invariant: two methods of one service have different verbs.

use prost_reflect::{FieldDescriptor, Kind, MethodDescriptor};

use super::{Resource, field};

/// What a request looks like: `BatchCreate` has requests from a file, `BatchGet` several names under a
/// parent, and `Act` is about one thing, named first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerbKind {
    Create,
    Update,
    List,
    BatchCreate,
    BatchGet,
    Act,
}

/// Something that can be done with a resource.
#[derive(Debug, Clone)]
pub struct Verb {
    pub resource: &'static Resource,
    /// `start`, `add-members`
    pub name: String,
    pub method: MethodDescriptor,
    pub kind: VerbKind,
}

/// Fields of requests that have the same meaning everywhere and flags of their own.
const COMMON: &str = "name parent etag request_id validate_only min_revisions update_mask page_size page_token \
    filter order_by show_deleted requests";

impl Verb {
    pub(super) fn read(resource: &'static Resource, method: MethodDescriptor) -> Self {
        let input = method.input();
        let id = format!("{}_id", resource.field);
        let kinds = [
            (&*id, VerbKind::Create),
            ("update_mask", VerbKind::Update),
            ("page_token", VerbKind::List),
            ("requests", VerbKind::BatchCreate),
            ("names", VerbKind::BatchGet),
        ];
        let kind = kinds.into_iter().find(|(field, _)| input.get_field_by_name(field).is_some());
        let kind = kind.map_or(VerbKind::Act, |(_, kind)| kind);
        Self { resource, name: name(resource, method.name()), method, kind }
    }

    /// Whether it creates what the server makes no id for.
    pub fn needs_id(&self) -> bool {
        let id = self.method.input().get_field_by_name(&format!("{}_id", self.resource.field));
        id.is_some_and(|id| field::is_required(&id))
    }

    /// Whether its request has a field of this name.
    pub fn takes(&self, field: &str) -> bool {
        self.method.input().get_field_by_name(field).is_some()
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
        // A resource to be is no name of one.
        let mut names = input.fields().filter(|field| field.kind() == Kind::String);
        names.find_map(|field| {
            let named = super::resources().iter().find(|resource| resource.field == field.name())?;
            Some((field, named))
        })
    }

    /// The field of the request that holds a resource to be, or to change.
    pub fn resource_field(&self) -> Option<FieldDescriptor> {
        let holds_one = matches!(self.kind, VerbKind::Create | VerbKind::Update);
        self.method.input().get_field_by_name(&self.resource.field).filter(|_| holds_one)
    }

    /// The other fields of its request: what it alone says.
    pub fn own_fields(&self) -> Vec<FieldDescriptor> {
        let target = self.target().map(|(field, _)| field);
        let resource = self.resource_field();
        let id = format!("{}_id", self.resource.field);
        let is_own = |field: &FieldDescriptor| {
            let is_other = target.as_ref() == Some(field) || resource.as_ref() == Some(field);
            !is_other && field.name() != id && COMMON.split_whitespace().all(|name| name != field.name())
        };
        self.method.input().fields().filter(is_own).collect()
    }

    /// The field of its response that lists, if it lists.
    pub fn listed(&self) -> Option<FieldDescriptor> {
        let is_listed = |field: &FieldDescriptor| field.is_list() && matches!(field.kind(), Kind::Message(_));
        self.method.output().fields().find(is_listed)
    }
}

/// The words of a method without the resource, joined: `add-members` for `AddBatchMembers`.
fn name(resource: &Resource, method: &str) -> String {
    let words = kebab(method);
    let without = |noun: &str| {
        let (before, after) = words.rsplit_once(noun)?;
        Some(format!("{}{after}", before.trim_end_matches('-')).trim_matches('-').to_owned())
    };
    let rest = without(&kebab(&resource.plural)).or_else(|| without(&resource.noun));
    let rest = rest.unwrap_or_else(|| words.clone());
    // What is read of a resource is a noun: `forecasts`, `current-date`.
    let noun = rest.strip_prefix("list-").or_else(|| rest.strip_prefix("get-"));
    noun.unwrap_or(&rest).to_owned()
}

/// `add-members` for `AddMembers`.
pub fn kebab(camel: &str) -> String {
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
        assert_eq!(own("batch", "add-members"), ["members", "date"]);
        assert_eq!(own("project", "create"), [""; 0]);
        assert_eq!(own("project", "batch-get"), ["names"]);
        let advance = resource("milestone").unwrap().verb("advance-date").unwrap();
        assert_eq!(advance.target().unwrap().1.noun, "portfolio");
    }
}
