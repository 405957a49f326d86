//! How a struct becomes a configuration section, with one declaration and no derive macro.
//!
//! Invariant: everything the loader knows of a section (keys, docs, types, defaults, rules) comes
//! from the struct's own declaration in [`section!`](crate::section); there is no second list that
//! could disagree with it.

use super::fault::{Fault, Source};
use super::value::{Slot, Value};
use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};

/// A struct of named values and sections. Written with [`section!`](crate::section).
pub trait Section {
    /// Shows each field to the visitor, in declaration order.
    fn fields(&mut self, visitor: &mut dyn Visitor);

    /// Reports what [`Rules::rules`] finds.
    fn check(&self, found: &mut Found<'_>);
}

/// The rules of a section that types cannot carry: bounds, and what must hold between keys.
pub trait Rules {
    /// Reports every value that breaks a rule; finds nothing by default.
    fn rules(&self, found: &mut Found<'_>) {
        let _ = found;
    }
}

/// Sections of one type under names that the configuration chooses: a [`Named`](super::Named) field.
pub trait Entries: Section {
    /// Adds the entry of this name with its defaults, unless it is there.
    ///
    /// # Errors
    /// What is wrong with the name, as a sentence fragment for a person.
    fn declare(&mut self, name: &str) -> Result<(), String>;

    /// An entry to show how one is written, if there is none.
    fn example(&self) -> Option<Box<dyn Section>>;
}

/// What may stand in a section: a [`Value`], a [`Section`], a [`Flat`] one, or [`Named`](super::Named) ones.
pub trait Field {
    /// Calls the visitor's method for this kind of field.
    fn accept(&mut self, name: &'static str, doc: &'static [&'static str], visitor: &mut dyn Visitor);
}

/// A walk over the fields of a section.
pub trait Visitor {
    /// A key with a value.
    fn value(&mut self, name: &'static str, doc: &'static [&'static str], value: &mut dyn Slot);

    /// A table of keys below this one.
    fn section(&mut self, name: &str, doc: &'static [&'static str], section: &mut dyn Section);

    /// A table of sections below this one.
    fn named(&mut self, name: &'static str, doc: &'static [&'static str], entries: &mut dyn Entries) {
        self.section(name, doc, entries);
    }

    /// A section whose keys stand directly among this one's.
    fn flat(&mut self, section: &mut dyn Section) {
        section.fields(self.as_dyn());
    }

    /// This visitor as an object.
    fn as_dyn(&mut self) -> &mut dyn Visitor;
}

/// A section whose keys stand directly in the section it is a field of.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Flat<T>(pub T);

impl<T: Section> Field for Flat<T> {
    fn accept(&mut self, _: &'static str, _: &'static [&'static str], visitor: &mut dyn Visitor) {
        visitor.flat(&mut self.0);
    }
}

impl<T> Deref for Flat<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Flat<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

/// Where [`Rules::rules`] reports to.
pub struct Found<'a> {
    prefix: String,
    sources: &'a BTreeMap<String, Source>,
    faults: &'a mut Vec<Fault>,
}

impl<'a> Found<'a> {
    pub(super) fn new(sources: &'a BTreeMap<String, Source>, faults: &'a mut Vec<Fault>) -> Self {
        Self { prefix: String::new(), sources, faults }
    }

    pub(super) fn within(&mut self, name: &str) -> Found<'_> {
        Found { prefix: format!("{}{name}.", self.prefix), sources: self.sources, faults: self.faults }
    }

    /// Reports that the value of `key`, a field of this section, breaks a rule.
    pub fn fault(&mut self, key: &str, message: impl Into<String>) {
        let key = format!("{}{key}", self.prefix);
        // A value that could not be read was reported already; its default is not at fault.
        if self.faults.iter().any(|fault| fault.key.as_deref() == Some(&key)) {
            return;
        }
        // A key that was not set is missing where its section was named.
        let section = self.prefix.trim_end_matches('.');
        let source = self.sources.get(&key).or_else(|| self.sources.get(section));
        let source = source.cloned().unwrap_or(Source::Default);
        self.faults.push(Fault { source, key: Some(key), message: message.into() });
    }

    /// Reports `key` unless its value lies between `least` and `most`, both allowed.
    pub fn between<T>(&mut self, key: &str, value: T, least: T, most: T)
    where
        T: Value + PartialOrd,
    {
        if value < least || value > most {
            let [value, least, most] = [value, least, most].map(|bound| Value::show(&bound).replace('"', ""));
            self.fault(key, format!("{value} is not between {least} and {most}"));
        }
    }
}

/// Declares a configuration section: `field: Type = default`, each with its doc comment.
///
/// The struct gets `Default` with these defaults and implements [`Section`](crate::config::Section);
/// its [`Rules`](crate::config::Rules) must be implemented beside it, be it with an empty body.
///
/// ```
/// milepost_service::section! {
///     /// How the sweep runs.
///     pub struct Sweep {
///         /// How long between two looks at the clock.
///         pub interval: std::time::Duration = std::time::Duration::from_secs(60),
///     }
/// }
/// impl milepost_service::config::Rules for Sweep {}
/// ```
#[macro_export]
macro_rules! section {
    (
        $(#[doc = $doc:literal])*
        $visibility:vis struct $name:ident {
            $(
                $(#[doc = $field_doc:literal])*
                $field_visibility:vis $field:ident : $type:ty = $default:expr
            ),* $(,)?
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq)]
        $visibility struct $name {
            $(
                $(#[doc = $field_doc])*
                $field_visibility $field: $type,
            )*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl $crate::config::Section for $name {
            fn fields(&mut self, visitor: &mut dyn $crate::config::Visitor) {
                $(
                    $crate::config::Field::accept(
                        &mut self.$field,
                        stringify!($field),
                        &[$($field_doc),*],
                        visitor,
                    );
                )*
            }

            fn check(&self, found: &mut $crate::config::Found<'_>) {
                $crate::config::Rules::rules(self, found);
            }
        }

        impl $crate::config::Field for $name {
            fn accept(
                &mut self,
                name: &'static str,
                doc: &'static [&'static str],
                visitor: &mut dyn $crate::config::Visitor,
            ) {
                visitor.section(name, doc, self);
            }
        }
    };
}
