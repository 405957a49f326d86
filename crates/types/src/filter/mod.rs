//! Filters: one language for lists, streams and subscriptions, after AIP-160.
//!
//! Invariant: a `Filter` that exists fits the schema it was parsed with: every field is known, every
//! value has its field's type, and fields are resolved, so that matching compares no paths. Two filters
//! that say the same, in another order or spelling, are equal and have the same `Display`. Parsing takes time
//! and memory that grow with the text, matching with the number of comparisons.
//!
//! # The language
//! The grammar is that of AIP-160 (`ebnf-filtering.txt`), without values alone:
//!
//! ```text
//! filter      = [ expression ]
//! expression  = sequence { "AND" sequence }
//! sequence    = factor { factor }
//! factor      = term { "OR" term }
//! term        = [ "NOT" | "-" ] simple
//! simple      = restriction | "(" expression ")"
//! restriction = member operator arg
//! member      = name { "." name }
//! arg         = value | function | "(" expression over values ")"
//! function    = name "(" [ value { "," value } ] ")"
//! ```
//!
//! **Precedence**: `NOT` and `-` bind tightest, then `OR`, then comparisons side by side, then `AND`;
//! comparisons side by side must all hold, as with `AND`. So `OR` binds tighter than `AND`, other than in
//! most languages: `a = 1 AND b = 2 OR c = 3` is `a = 1 AND (b = 2 OR c = 3)`. Keywords are in capital
//! letters, between blanks. `-` stands directly before what it negates. In the parentheses of a value a `-`
//! before a digit is the sign of a number. Whoever reads it is helped by parentheses.
//!
//! **Comparisons** are `field operator value`. Case matters. Values stand in double or single quotes or,
//! without blanks and signs, bare; in quotes `\` stands before `\`, `"`, `'`, `*`, or is that of `\n`, `\r`,
//! `\t`.
//! - Text: `=` and `!=`, where a `*` at the beginning or the end stands for anything (`\*` is a star);
//!   `<`, `<=`, `>`, `>=` in the order of Unicode code points; `:` finds the text anywhere inside.
//! - Numbers, dates, timestamps, durations (`20s`, `1.2s`): `=`, `!=`, `<`, `<=`, `>`, `>=`. Booleans and
//!   enums: `=`, `!=`. `:` means `=` for all of these.
//! - Money: as numbers and exact. `investment >= 1000000000` is of whatever currency; with a currency, as in
//!   `investment >= "CNY 1000000000.00"`, an amount of another one is neither equal nor less nor more.
//! - Resource names: as text, but `:` finds the resource and everything under it.
//! - Repeated fields: `:` finds a member, `members:"portfolios/p/projects/x"`, and goes into repeated
//!   messages, `parties.organization:"organizations/cqu"`. A star at an end stands for anything.
//! - Maps: `labels.key = "value"` as text, where `:` means `=`; `labels:key` and `labels.key:*` ask for the
//!   key.
//! - `field:*` asks whether a field is set at all, a list or map whether it has a member; `field != "*"`
//!   whether a field with one value is not set.
//!
//! **Several values** in parentheses share field and operator: `state = (PLANNED OR ACHIEVED)`,
//! `changed_fields:(owner AND forecast_date)`, `name = (NOT "portfolios/p/*")`.
//!
//! **Dates from today on**: `today()` is the row's current date and `days(n)` the date n days after it,
//! before it if n is negative: `forecast_date < days(30)`, `update_time >= days(-7)`. A timestamp is compared
//! by its date. For resources of a portfolio it is the portfolio's current date, and timestamps have their
//! dates in its time zone; organizations have the date of the request in UTC; events that of their
//! `commit_time` in UTC, so that a replay finds the same.
//!
//! # What is not there
//! A value that is absent matches no comparison but `!=`: AIP-160 says that `a != 42` is true "unless `a`
//! equals 42", and an absent value equals nothing. Whoever wants only what is set and differs says so:
//! `a:* AND a != 42`. `NOT x` holds exactly where `x` does not: `NOT a < 42` finds absent values too.
//!
//! # Limits
//! 8192 characters, 64 comparisons (each value in parentheses is one), parentheses 32 deep
//! ([`crate::limits`]). `field != (a OR b)`, which holds for every value, is refused.
//!
//! Errors point at the column. A text that cannot be parsed has one fault; of one that can, every comparison
//! that does not fit the fields is named.

mod comparison;
mod current_date;
mod error;
mod event;
mod fields;
mod group;
mod operand;
mod read;
mod scan;
mod schema;
mod syntax;
#[cfg(test)]
mod tests;
mod tree;
mod typed;
mod typing;

use std::fmt;

pub use comparison::{Comparison, Operator, Test};
pub use current_date::{CurrentDate, Dated};
pub use error::{FilterError, FilterFault};
pub use event::{EVENT_FIELDS, EventField};
pub use fields::{Fields, Value};
pub use operand::{Amount, Double, Operand, Pattern};
pub use schema::{Field, FieldType, Schema};

use error::FaultAt;
use group::{Group, Join};
use syntax::Limits;

/// Which rows are asked for. `F` is the schema's own enumeration of its fields.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Filter<F> {
    /// What must all hold.
    all: Group<F>,
}

impl<F: Copy + Eq> Filter<F> {
    /// The filter that everything matches.
    pub fn all() -> Self {
        Self { all: Group::empty() }
    }

    /// Reads a filter over the fields of `schema`. The empty text is the filter that everything matches.
    ///
    /// # Errors
    /// With the first fault of the grammar, or with every comparison that does not fit the fields.
    pub fn parse(text: &str, schema: &Schema<F>) -> Result<Self, FilterError> {
        Self::parse_within(text, schema, Limits::API).map_err(|faults| FilterError::of(text, faults))
    }

    fn parse_within(text: &str, schema: &Schema<F>, limits: Limits) -> Result<Self, Vec<FaultAt>> {
        let nodes = match syntax::parse(text, limits).map_err(|fault| vec![fault])? {
            None => Vec::new(),
            Some(tree) => vec![typing::node(&tree, schema, limits.depth)?],
        };
        Ok(Self { all: Group::new(Join::All, nodes) })
    }

    /// Whether the row matches.
    pub fn matches<R: Fields<F> + ?Sized>(&self, row: &R) -> bool {
        self.all.all(row)
    }

    /// Whether everything matches.
    pub fn is_all(&self) -> bool {
        self.all.is_empty()
    }

    /// The comparisons that must each hold for any row that matches, in canonical order, none twice. Those
    /// within alternatives are not among them.
    pub fn conjuncts(&self) -> &[Comparison<F>] {
        &self.all.comparisons
    }

    /// Whether the test holds for one of the comparisons, those within alternatives included. That is no
    /// bound: a row may match without it.
    pub fn any_comparison(&self, mut test: impl FnMut(&Comparison<F>) -> bool) -> bool {
        self.all.any_comparison(&mut test)
    }

    /// The value that the field must be equal to, if there is one: for a look-up in an index, which the
    /// filter still has to be matched after.
    pub fn equality_on(&self, field: F) -> Option<&Operand> {
        let mut on = self.conjuncts().iter().filter(|one| one.field() == field && one.key().is_none());
        on.find_map(Comparison::equality)
    }

    /// The values of which the field must have one, if the filter says them all: an equality, or alternatives
    /// that are equalities of this field without exception. For an index, as [`Filter::equality_on`].
    pub fn one_of(&self, field: F) -> Option<Vec<&Operand>> {
        if let Some(operand) = self.equality_on(field) {
            return Some(vec![operand]);
        }
        self.all.groups.iter().filter(|group| group.groups.is_empty()).find_map(|group| {
            let each = group.comparisons.iter();
            each.map(|one| one.equality().filter(|_| one.field() == field && one.key().is_none())).collect()
        })
    }

    /// The value that one of the field's members must be equal to, if there is one: for an index, as
    /// [`Filter::equality_on`].
    pub fn member_on(&self, field: F) -> Option<&Operand> {
        self.tests_on(field).find_map(|test| match test {
            Test::Holds(member) => member.equality(),
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
        self.conjuncts().iter().filter(move |c| c.field() == field && c.key().is_none()).map(Comparison::test)
    }
}

/// The canonical text. It parses to an equal filter, unless it is longer than a filter may be: quotes and
/// full names may make it longer than the text that it was read from.
impl<F> fmt::Display for Filter<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.all.write(f, Join::All)
    }
}
