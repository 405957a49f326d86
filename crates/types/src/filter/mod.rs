//! Filters: one language for lists, streams and subscriptions, after AIP-160.
//!
//! Invariant: a `Filter` that exists fits the schema it was parsed with: every field is known, every
//! value has its field's type, and fields are resolved, so that matching compares no paths. Two filters
//! that say the same, in another order or spelling, are equal and have the same `Display`.
//!
//! # The language
//! Comparisons `field operator value`, joined by `AND` or by blanks, which mean the same.
//! - Text: `=` and `!=`, where a `*` at the beginning or the end stands for anything (`\*` is a star);
//!   `<`, `<=`, `>`, `>=` in the order of Unicode code points; `:` finds the text anywhere inside.
//! - Numbers, dates, timestamps: `=`, `!=`, `<`, `<=`, `>`, `>=`. Booleans and enums: `=`, `!=`.
//!   `:` means `=` for all of these.
//! - Resource names: as text, but `:` finds the resource and everything under it.
//! - Lists: `:` finds a member. Maps: `labels.key = "value"`; `labels:key` asks for the key.
//! - `field:*` asks whether the field is set at all, and `field != "*"` whether a text is not.
//!
//! Values stand in double or single quotes or, without blanks and signs, bare. Case matters.
//!
//! A value that is absent matches no comparison but `!=`: AIP-160 says that `a != 42` is true "unless
//! `a` equals 42", and an absent value equals nothing. Whoever wants only what is set and differs
//! says so: `a:* AND a != 42`.
//!
//! `OR`, `NOT`, `-`, parentheses, functions and values alone are recognised, and refused as not
//! supported yet.

mod comparison;
mod error;
mod fields;
mod scan;
mod schema;
mod syntax;
#[cfg(test)]
mod tests;
mod typing;

use std::fmt;
use std::hash::Hash;

pub use comparison::{Comparison, Operand, Operator, Pattern, Test};
pub use error::FilterError;
pub use fields::{Fields, Value};
pub use schema::{Field, FieldType, Schema};

/// Comparisons that must all hold. `F` is the schema's own enumeration of its fields.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Filter<F> {
    comparisons: Box<[Comparison<F>]>,
}

impl<F: Copy + Eq> Filter<F> {
    /// The filter that everything matches.
    pub fn all() -> Self {
        Self { comparisons: Box::default() }
    }

    /// Reads a filter over the fields of `schema`. The empty text is the filter that everything matches.
    pub fn parse(text: &str, schema: &Schema<F>) -> Result<Self, FilterError> {
        let restrictions = syntax::parse(text)?;
        let mut comparisons = restrictions
            .into_iter()
            .map(|restriction| typing::comparison(restriction, schema))
            .collect::<Result<Vec<_>, _>>()?;
        comparisons.sort_by_cached_key(|comparison| comparison.to_string());
        comparisons.dedup();
        Ok(Self { comparisons: comparisons.into() })
    }

    /// Whether the row matches every comparison.
    pub fn matches<R: Fields<F> + ?Sized>(&self, row: &R) -> bool {
        self.comparisons.iter().all(|comparison| comparison.matches(row))
    }

    /// Whether everything matches.
    pub fn is_all(&self) -> bool {
        self.comparisons.is_empty()
    }

    /// The comparisons, each of which must hold; in canonical order, none twice.
    pub fn conjuncts(&self) -> &[Comparison<F>] {
        &self.comparisons
    }

    /// The value that the field must be equal to, if there is one: for a look-up in an index, which the
    /// filter still has to be matched after.
    pub fn equality_on(&self, field: F) -> Option<&Operand> {
        self.tests_on(field).find_map(|test| match test {
            Test::Compare(Operator::Equal, Operand::Text(Pattern::Whole(_))) => test.operand(),
            Test::Compare(Operator::Equal, Operand::Text(_)) => None,
            Test::Compare(Operator::Equal, operand) => Some(operand),
            _ => None,
        })
    }

    /// The longest text that the field's value must begin with, if there is one: for a scan of an
    /// ordered index, which the filter still has to be matched after.
    pub fn prefix_on(&self, field: F) -> Option<&str> {
        self.tests_on(field)
            .filter_map(|test| match test {
                Test::Compare(
                    Operator::Equal,
                    Operand::Text(Pattern::Whole(text) | Pattern::Prefix(text)),
                )
                | Test::Under(text) => Some(&**text),
                _ => None,
            })
            .max_by_key(|text| text.len())
    }

    fn tests_on(&self, field: F) -> impl Iterator<Item = &Test> {
        self.comparisons.iter().filter(move |c| c.field() == field && c.key().is_none()).map(Comparison::test)
    }
}

/// The canonical text; it parses to an equal filter.
impl<F> fmt::Display for Filter<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, comparison) in self.comparisons.iter().enumerate() {
            if i > 0 {
                f.write_str(" AND ")?;
            }
            comparison.fmt(f)?;
        }
        Ok(())
    }
}
