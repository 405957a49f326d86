//! Names of the schemas as Rust writes them.
//!
//! Invariant: paths and names of fields are those that prost gives the messages it generates.

use prost_reflect::MessageDescriptor;

/// The path of a message's type.
pub(crate) fn path(message: &MessageDescriptor) -> String {
    format!("{}::{}", module(message.package_name()), message.name())
}

/// The module of a package.
pub(crate) fn module(package: &str) -> String {
    format!("crate::{}", package.replace('.', "::"))
}

/// A field's name; `type`, the one keyword among them, as `r#type`.
pub(crate) fn ident(name: &str) -> String {
    if name == "type" { "r#type".to_owned() } else { name.to_owned() }
}

/// The constant for a resource's type: `WorkingCalendar` as `WORKING_CALENDAR`.
pub(crate) fn constant(message: &MessageDescriptor) -> String {
    let mut constant = String::new();
    for c in message.name().chars() {
        if c.is_uppercase() && !constant.is_empty() {
            constant.push('_');
        }
        constant.extend(c.to_uppercase());
    }
    constant
}

/// `working_calendar` as `WorkingCalendar`.
pub(crate) fn upper_camel(name: &str) -> String {
    let words = name.split('_');
    let word = |word: &str| {
        let mut chars = word.chars();
        chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect::<String>()
    };
    words.map(word).collect()
}
