//! What a list of resources can be filtered by: fields, fields inside of messages, and what a resource is
//! under.
//!
//! Invariant: its name is first. A field's path is its name, and inside a message `message.field`; of an
//! amount, its currency and its whole units as well.

use prost_reflect::MessageDescriptor;

use crate::fields::{Rules, enumeration, kind, part};
use crate::schema::{Resource, Schema};

/// One thing to filter by. `kind` and `leaf` are written as variants of `filter::FieldType` and `Leaf`.
pub(crate) struct Filter {
    pub(crate) path: String,
    pub(crate) kind: String,
    /// The indices of the fields on the way, from the outside.
    pub(crate) steps: Vec<usize>,
    /// What of the last one is compared.
    pub(crate) leaf: String,
}

/// What a list of these resources can be filtered by, in the order of the fields.
pub(crate) fn filters(schema: &Schema, resource: &Resource) -> Vec<Filter> {
    let mut found = Vec::new();
    collect(schema, &resource.message, "", &[], false, &mut found);
    let mut above = schema.parent(resource);
    while let Some(ancestor) = above {
        if !found.iter().any(|filter| filter.path == ancestor.singular) {
            let filter = Filter {
                path: ancestor.singular.clone(),
                kind: "Name".to_owned(),
                steps: found[0].steps.clone(),
                leaf: format!("Ancestor({})", ancestor.pattern.split('/').count() / 2),
            };
            found.insert(1, filter);
        }
        above = schema.parent(ancestor);
    }
    found
}

/// Adds what a message can be filtered by. It is at the end of `steps`, its fields' paths begin with `prefix`,
/// and `listed` says whether a list is on the way.
fn collect(
    schema: &Schema,
    message: &MessageDescriptor,
    prefix: &str,
    steps: &[usize],
    listed: bool,
    found: &mut Vec<Filter>,
) {
    for (i, field) in message.fields().enumerate() {
        let rules = Rules::of(schema, &field);
        if rules.as_of_read {
            continue;
        }
        let path = format!("{prefix}{}", field.name());
        let steps = [steps, &[i]].concat();
        let listed = listed || field.is_list();
        let mut add = |path: &str, kind: &str, leaf: &str| {
            let kind = match kind {
                "Text" | "Name" if listed => "List".to_owned(),
                kind if listed => format!("Repeated(&filter::FieldType::{kind})"),
                kind => kind.to_owned(),
            };
            found.push(Filter { path: path.to_owned(), kind, steps: steps.clone(), leaf: leaf.to_owned() });
        };
        match kind(&field) {
            "Message" => {
                add(&path, "Message", "Whole");
                if let Some(part) = part(&field) {
                    collect(schema, &part, &format!("{path}."), &steps, listed, found);
                }
            }
            "Money" => {
                add(&path, "Money", "Whole");
                add(&format!("{path}.currency_code"), "Text", "Currency");
                add(&format!("{path}.units"), "Int", "Units");
            }
            "Text" if field.name() == "name" || rules.reference != "None" => add(&path, "Name", "Whole"),
            "Enum" => add(&path, &format!("Enum(&{:?})", enumeration(&field).0), "Whole"),
            "Instant" => add(&path, "Timestamp", "Whole"),
            // What is inside of messages has no keys to ask for.
            "Bytes" => {}
            "Map" if steps.len() > 1 => {}
            kind => add(&path, kind, "Whole"),
        }
    }
}
