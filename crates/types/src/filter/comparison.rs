//! A comparison with its types: how it is matched and how it is written.
//!
//! Invariant: the canonical text parses to an equal comparison. Matching resolves nothing and copies
//! nothing; absent values match no test but `!=`, `Absent` and the opposite of another.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use super::fields::{Fields, Value};
use super::operand::{Operand, Pattern, write_quoted};

/// A comparison sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operator {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `:`; a comparison with types never has it, but the test that it stands for.
    Has,
}

impl Operator {
    /// The sign.
    pub const fn sign(self) -> &'static str {
        match self {
            Operator::Equal => "=",
            Operator::NotEqual => "!=",
            Operator::Less => "<",
            Operator::LessOrEqual => "<=",
            Operator::Greater => ">",
            Operator::GreaterOrEqual => ">=",
            Operator::Has => ":",
        }
    }

    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Operator::Equal | Operator::Has => ordering.is_eq(),
            Operator::NotEqual => ordering.is_ne(),
            Operator::Less => ordering.is_lt(),
            Operator::LessOrEqual => ordering.is_le(),
            Operator::Greater => ordering.is_gt(),
            Operator::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

/// What must hold for a field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Test {
    /// It is set, or has a member: `field:*`.
    Present,
    /// It is not set: `field != "*"`.
    Absent,
    /// It compares so.
    Compare(Operator, Operand),
    /// It is the name of this resource or of one under it: `field:"portfolios/p"`.
    Under(Box<str>),
    /// The test holds for one of its members: `field:"member"`.
    Holds(Box<Test>),
    /// The test does not hold: `NOT field < 5`.
    Not(Box<Test>),
}

impl Test {
    /// The value to compare with, if it is a comparison.
    pub fn operand(&self) -> Option<&Operand> {
        match self {
            Test::Compare(_, operand) => Some(operand),
            _ => None,
        }
    }

    /// The one value that it asks for, if it does.
    pub(super) fn equality(&self) -> Option<&Operand> {
        match self {
            Test::Compare(Operator::Equal, Operand::Text(pattern))
                if !matches!(pattern, Pattern::Whole(_)) =>
            {
                None
            }
            // It differs from row to row which day it is, and an amount of whatever currency is several.
            Test::Compare(Operator::Equal, Operand::Day(_) | Operand::Money(_)) => None,
            Test::Compare(Operator::Equal, operand) => Some(operand),
            _ => None,
        }
    }
}

/// A field and what must hold for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Comparison<F> {
    field: F,
    path: &'static str,
    key: Option<Arc<str>>,
    shape: Shape,
    test: Test,
}

/// How a row is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Shape {
    Scalar,
    Many,
}

impl<F: Copy> Comparison<F> {
    pub(super) fn new(field: F, path: &'static str, key: Option<Arc<str>>, shape: Shape, test: Test) -> Self {
        Self { field, path, key, shape, test }
    }

    /// The comparison that holds where this one does not.
    pub(super) fn negated(mut self) -> Self {
        let one_value = self.shape == Shape::Scalar || self.key.is_some();
        self.test = match self.test {
            Test::Present if one_value => Test::Absent,
            Test::Absent => Test::Present,
            Test::Compare(Operator::Equal, operand) => Test::Compare(Operator::NotEqual, operand),
            Test::Compare(Operator::NotEqual, operand) => Test::Compare(Operator::Equal, operand),
            Test::Not(test) => *test,
            test => Test::Not(test.into()),
        };
        self
    }

    /// The field.
    pub fn field(&self) -> F {
        self.field
    }

    /// The key, where one entry of a map is asked about.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// What must hold.
    pub fn test(&self) -> &Test {
        &self.test
    }

    /// The one value that it asks for, if it does: what an index can be asked for.
    pub(super) fn equality(&self) -> Option<&Operand> {
        self.test.equality()
    }

    /// Whether it holds for the row.
    pub fn matches<R: Fields<F> + ?Sized>(&self, row: &R) -> bool {
        match &self.test {
            Test::Not(test) => !self.passes(test, row),
            test => self.passes(test, row),
        }
    }

    fn passes<R: Fields<F> + ?Sized>(&self, test: &Test, row: &R) -> bool {
        if let Some(key) = &self.key {
            return holds(test, &row.entry(self.field, key).into(), row);
        }
        match (test, self.shape) {
            (Test::Holds(test), _) => row.any_value(self.field, &|member| holds(test, member, row)),
            (Test::Present, Shape::Many) => row.any_value(self.field, &|_| true),
            (test, _) => holds(test, &row.value(self.field), row),
        }
    }

    /// What comparisons are sorted by: all of it that is written.
    pub(super) fn canonical_order(&self, other: &Self) -> Ordering {
        (self.path, &self.key, &self.test).cmp(&(other.path, &other.key, &other.test))
    }
}

fn holds<F, R: Fields<F> + ?Sized>(test: &Test, value: &Value<'_>, row: &R) -> bool {
    let present = *value != Value::Absent;
    match (test, value) {
        (Test::Present, _) => present,
        (Test::Absent, _) => !present,
        (Test::Compare(operator, _), Value::Absent) => *operator == Operator::NotEqual,
        (Test::Compare(operator, Operand::Text(pattern)), Value::Text(text)) => match pattern {
            Pattern::Whole(whole) => operator.holds((**text).cmp(&**whole)),
            pattern => pattern.fits(text) == (*operator == Operator::Equal),
        },
        (Test::Compare(operator, operand), value) => match ordering(value, operand, row) {
            Some(ordering) => operator.holds(ordering),
            // Neither equal nor before nor after it.
            None => *operator == Operator::NotEqual,
        },
        (Test::Under(ancestor), Value::Text(name)) => {
            name.strip_prefix(&**ancestor).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }
        (Test::Under(_) | Test::Holds(_) | Test::Not(_), _) => false,
    }
}

/// How a value compares with an operand; `None` if they have no order: amounts of two currencies, what is no
/// number, or a day where it is not known which day it is.
fn ordering<F, R: Fields<F> + ?Sized>(value: &Value<'_>, operand: &Operand, row: &R) -> Option<Ordering> {
    match (value, operand) {
        (Value::Text(text), Operand::Enum(name)) => Some((**text).cmp(*name)),
        (Value::Int(number), Operand::Int(other)) => Some(number.cmp(other)),
        (Value::Double(number), Operand::Double(other)) => number.partial_cmp(&other.get()),
        (Value::Bool(truth), Operand::Bool(other)) => Some(truth.cmp(other)),
        (Value::Date(date), Operand::Date(other)) => Some(date.cmp(other)),
        (Value::Date(date), Operand::Day(days)) => {
            let today = row.current_date()?;
            Some(date.cmp(&today.plus(*days)))
        }
        (Value::Timestamp(instant), Operand::Timestamp(other)) => Some(instant.cmp(other)),
        (Value::Timestamp(instant), Operand::Day(days)) => {
            let today = row.current_date()?;
            Some(today.date_at(*instant).cmp(&today.plus(*days)))
        }
        (Value::Duration(duration), Operand::Duration(other)) => Some(duration.cmp(other)),
        (Value::Money(money), Operand::Money(amount)) => amount.compared(money),
        (value, operand) => {
            debug_assert!(false, "a row answered {value:?} where the schema says {operand:?}");
            None
        }
    }
}

impl<F> fmt::Display for Comparison<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let test = match &self.test {
            Test::Not(test) => {
                f.write_str("NOT ")?;
                test
            }
            test => test,
        };
        f.write_str(self.path)?;
        if let Some(key) = &self.key {
            f.write_str(".")?;
            if key.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-') {
                f.write_str(key)?;
            } else {
                write_quoted(f, "", key, "")?;
            }
        }
        match test {
            Test::Holds(member) => write_test(f, ":", member),
            test => write_test(f, " = ", test),
        }
    }
}

/// Writes what follows the path; equality with the sign that it has there.
fn write_test(f: &mut fmt::Formatter<'_>, equal: &str, test: &Test) -> fmt::Result {
    match test {
        Test::Present => f.write_str(":*"),
        Test::Absent => f.write_str(" != \"*\""),
        Test::Compare(Operator::Equal, operand) => write!(f, "{equal}{operand}"),
        Test::Compare(operator, operand) => write!(f, " {} {operand}", operator.sign()),
        Test::Under(name) => {
            f.write_str(":")?;
            write_quoted(f, "", name, "")
        }
        Test::Holds(test) | Test::Not(test) => write_test(f, equal, test),
    }
}
