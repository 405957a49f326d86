//! What callers say of a resource, and how a part of it is changed.
//!
//! A noun declares its fields once, with [`details!`]: that makes the struct, the patch that an update
//! carries, and the comparison that `changed_fields` comes of. Field names are those of the message.
//! Invariant: a patch holds only what an update names; what it does not name stays as it is.

use std::collections::BTreeMap;

use jiff::civil::Date;
use milepost_types::{CurrencyCode, Period, TimeZoneId, Violations};

/// A value that an update can change, as a whole or in parts.
pub(crate) trait Field: Sized {
    /// What an update says of it.
    type Patch;

    /// The value that a creation says.
    fn create(patch: Self::Patch) -> Result<Self, Violations>;

    /// Changes what the patch names. Paths of violations are relative to the field.
    fn apply(&mut self, patch: &Self::Patch) -> Result<(), Violations>;
}

/// Values that are only ever changed as a whole.
macro_rules! whole {
    ($([$($bounds:tt)*] $type:ty),* $(,)?) => {$(
        impl<$($bounds)*> Field for $type {
            type Patch = Self;

            fn create(patch: Self) -> Result<Self, Violations> {
                Ok(patch)
            }

            fn apply(&mut self, patch: &Self) -> Result<(), Violations> {
                self.clone_from(patch);
                Ok(())
            }
        }
    )*};
}

whole!(
    [] String, [] u32, [] Date, [] TimeZoneId, [] CurrencyCode,
    [T: Clone] Option<T>, [T: Clone] Vec<T>, [K: Clone + Ord, V: Clone] BTreeMap<K, V>,
);

/// Which ends of a period an update names, and to what it sets them; `Some(None)` opens an end.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct PeriodPatch {
    pub(crate) start: Option<Option<Date>>,
    pub(crate) end: Option<Option<Date>>,
}

impl Field for Period {
    type Patch = PeriodPatch;

    fn create(patch: PeriodPatch) -> Result<Self, Violations> {
        let mut period = Self::default();
        period.apply(&patch).map(|()| period)
    }

    fn apply(&mut self, patch: &PeriodPatch) -> Result<(), Violations> {
        let mut violations = Violations::new();
        let ends = (patch.start.unwrap_or(self.start()), patch.end.unwrap_or(self.end()));
        let period = violations.check("", Period::new(ends.0, ends.1));
        violations.finish(period).map(|period| *self = period)
    }
}

/// What a noun's details can do; [`details!`] implements it.
pub(crate) trait Details: Rules + Clone + PartialEq + Sized {
    /// What an update says of them.
    type Patch;

    /// The fields, by their names in the message. For the tests, which compare them with the schema.
    #[cfg_attr(not(test), allow(dead_code))]
    const FIELDS: &'static [&'static str];

    /// The details that a creation says; `None` if it leaves some out.
    fn create(patch: Self::Patch) -> Result<Option<Self>, Violations>;

    /// Changes what the patch names, and checks the rules of the whole.
    fn apply(&mut self, patch: &Self::Patch) -> Result<(), Violations>;

    /// The names of the fields that differ, sorted.
    fn differing(&self, other: &Self) -> Vec<&'static str>;
}

/// Rules that hold between the fields of a noun.
pub(crate) trait Rules {
    /// The field of requests that holds the resource: `project`. Paths of violations begin with it.
    const NOUN: &'static str;

    /// Finds what breaks a rule; paths are relative to the resource.
    fn rules(&self, violations: &mut Violations) {
        let _ = violations;
    }
}

/// Declares a noun's `Details` and its `Patch`. See the module.
macro_rules! details {
    ($( $(#[$doc:meta])* $field:ident : $type:ty, )*) => {
        /// What callers say of it.
        #[derive(Debug, Clone, PartialEq)]
        pub(crate) struct Details { $( $(#[$doc])* pub(crate) $field: $type, )* }

        /// What an update or a creation says of it; `None` is not named.
        #[derive(Debug, Clone, PartialEq, Default)]
        pub(crate) struct Patch { $( pub(crate) $field: Option<<$type as $crate::details::Field>::Patch>, )* }

        impl $crate::details::Details for Details {
            type Patch = Patch;

            const FIELDS: &'static [&'static str] = &[$(stringify!($field)),*];

            fn create(patch: Patch) -> Result<Option<Self>, milepost_types::Violations> {
                let mut violations = milepost_types::Violations::new();
                $( let $field = patch.$field.and_then(|patch| {
                    violations.check(stringify!($field), <$type as $crate::details::Field>::create(patch))
                }); )*
                let details = (|| Some(Self { $( $field: $field?, )* }))();
                if let Some(details) = &details {
                    $crate::details::Rules::rules(details, &mut violations);
                }
                violations.into_result(details)
            }

            fn apply(&mut self, patch: &Patch) -> Result<(), milepost_types::Violations> {
                let mut violations = milepost_types::Violations::new();
                $( if let Some(patch) = &patch.$field {
                    let applied = $crate::details::Field::apply(&mut self.$field, patch);
                    violations.check(stringify!($field), applied);
                } )*
                $crate::details::Rules::rules(self, &mut violations);
                violations.into_result(())
            }

            fn differing(&self, other: &Self) -> Vec<&'static str> {
                let mut fields = Vec::new();
                $( if self.$field != other.$field { fields.push(stringify!($field)); } )*
                fields.sort_unstable();
                fields
            }
        }
    };
}
pub(crate) use details;

#[cfg(test)]
mod tests {
    use super::*;

    details! {
        title: String,
        period: Period,
        note: Option<String>,
    }

    impl Rules for Details {
        const NOUN: &'static str = "thing";

        fn rules(&self, violations: &mut Violations) {
            if self.note.as_ref() == Some(&self.title) {
                violations.push("note", "REPEATS", "the note says what the title says");
            }
        }
    }

    fn day(day: i8) -> Option<Option<Date>> {
        Some(Some(jiff::civil::date(2021, 5, day)))
    }

    fn created() -> Details {
        let period = Some(PeriodPatch { start: day(1), end: Some(None) });
        let patch = Patch { title: Some("t".into()), period, note: Some(None) };
        <Details as super::Details>::create(patch).unwrap().unwrap()
    }

    #[test]
    fn a_creation_must_name_every_field() {
        let patch = Patch { title: Some("t".into()), ..Patch::default() };
        assert_eq!(<Details as super::Details>::create(patch), Ok(None));
        assert_eq!(created().period.start(), day(1).flatten());
    }

    #[test]
    fn an_update_changes_what_it_names_and_no_more() {
        let mut details = created();
        let period = PeriodPatch { end: day(9), ..PeriodPatch::default() };
        super::Details::apply(&mut details, &Patch { period: Some(period), ..Patch::default() }).unwrap();
        assert_eq!((details.period.start(), details.period.end()), (day(1).flatten(), day(9).flatten()));
        assert_eq!(super::Details::differing(&details, &created()), ["period"]);
    }

    #[test]
    fn faults_of_parts_and_of_the_whole_are_found_at_once() {
        let period = Some(PeriodPatch { start: day(9), end: day(1) });
        let patch = Patch { note: Some(Some("t".into())), period, ..Patch::default() };
        let violations = super::Details::apply(&mut created(), &patch).unwrap_err();
        let found: Vec<_> = violations.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(found, ["period", "note"]);
    }
}
