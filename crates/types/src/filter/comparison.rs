//! A comparison with its types: how it is matched and how it is written.
//!
//! Invariant: the canonical text parses to an equal comparison. Matching resolves nothing and copies
//! nothing; absent values match no test but `!=` and `Absent`.

use std::cmp::Ordering;
use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;

use super::fields::{Fields, Value};

/// A comparison sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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

/// A text, or part of one where the rest may be anything.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// The text itself.
    Whole(Box<str>),
    /// `"text*"`
    Prefix(Box<str>),
    /// `"*text"`
    Suffix(Box<str>),
    /// `"*text*"`
    Inside(Box<str>),
}

impl Pattern {
    /// Whether the text fits.
    pub fn fits(&self, text: &str) -> bool {
        match self {
            Pattern::Whole(whole) => text == &**whole,
            Pattern::Prefix(prefix) => text.starts_with(&**prefix),
            Pattern::Suffix(suffix) => text.ends_with(&**suffix),
            Pattern::Inside(part) => text.contains(&**part),
        }
    }
}

/// A value to compare with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Operand {
    /// A text; anything but `Pattern::Whole` stands only with `=` and `!=`.
    Text(Pattern),
    /// An enum's name.
    Enum(&'static str),
    /// A whole number.
    Int(i64),
    /// True or false.
    Bool(bool),
    /// A civil date.
    Date(Date),
    /// An instant.
    Timestamp(Timestamp),
}

/// What must hold for a field.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Test {
    /// It is set, or has a member: `field:*`.
    Present,
    /// It is not set: `field != "*"`.
    Absent,
    /// It compares so.
    Compare(Operator, Operand),
    /// It is the name of this resource or of one under it: `field:"portfolios/p"`.
    Under(Box<str>),
    /// One of its members fits: `field:"member"`.
    Holds(Pattern),
}

impl Test {
    /// The value to compare with, if it is a comparison.
    pub fn operand(&self) -> Option<&Operand> {
        match self {
            Test::Compare(_, operand) => Some(operand),
            _ => None,
        }
    }
}

/// A field and what must hold for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Comparison<F> {
    field: F,
    path: &'static str,
    key: Option<Box<str>>,
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
    pub(super) fn new(field: F, path: &'static str, key: Option<String>, shape: Shape, test: Test) -> Self {
        Self { field, path, key: key.map(Into::into), shape, test }
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

    /// Whether it holds for the row.
    pub fn matches<R: Fields<F> + ?Sized>(&self, row: &R) -> bool {
        if let Some(key) = &self.key {
            return holds(&self.test, &row.entry(self.field, key).into());
        }
        match (&self.test, self.shape) {
            (Test::Holds(pattern), _) => row.any(self.field, &|member| pattern.fits(member)),
            (Test::Present, Shape::Many) => row.any(self.field, &|_| true),
            (test, _) => holds(test, &row.value(self.field)),
        }
    }
}

fn holds(test: &Test, value: &Value<'_>) -> bool {
    let present = *value != Value::Absent;
    match (test, value) {
        (Test::Present, _) => present,
        (Test::Absent, _) => !present,
        (Test::Compare(operator, _), Value::Absent) => *operator == Operator::NotEqual,
        (Test::Compare(operator, operand), value) => compare(*operator, operand, value),
        (Test::Under(ancestor), Value::Text(name)) => {
            name.strip_prefix(&**ancestor).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }
        (Test::Under(_) | Test::Holds(_), _) => false,
    }
}

fn compare(operator: Operator, operand: &Operand, value: &Value<'_>) -> bool {
    let ordering = match (value, operand) {
        (Value::Text(text), Operand::Text(Pattern::Whole(whole))) => (**text).cmp(&**whole),
        (Value::Text(text), Operand::Text(pattern)) => {
            return pattern.fits(text) == (operator == Operator::Equal);
        }
        (Value::Text(text), Operand::Enum(name)) => (**text).cmp(*name),
        (Value::Int(number), Operand::Int(other)) => number.cmp(other),
        (Value::Bool(truth), Operand::Bool(other)) => truth.cmp(other),
        (Value::Date(date), Operand::Date(other)) => date.cmp(other),
        (Value::Timestamp(instant), Operand::Timestamp(other)) => instant.cmp(other),
        (value, operand) => {
            debug_assert!(false, "a row answered {value:?} where the schema says {operand:?}");
            return false;
        }
    };
    operator.holds(ordering)
}

impl<F> fmt::Display for Comparison<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path)?;
        if let Some(key) = &self.key {
            f.write_str(".")?;
            if key.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-') {
                f.write_str(key)?;
            } else {
                write_quoted(f, "", key, "")?;
            }
        }
        match &self.test {
            Test::Present => f.write_str(":*"),
            Test::Absent => f.write_str(" != \"*\""),
            Test::Compare(operator, operand) => write!(f, " {} {operand}", operator.sign()),
            Test::Under(name) => {
                f.write_str(":")?;
                write_quoted(f, "", name, "")
            }
            Test::Holds(pattern) => write!(f, ":{pattern}"),
        }
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operand::Text(pattern) => pattern.fmt(f),
            Operand::Enum(name) => f.write_str(name),
            Operand::Int(number) => number.fmt(f),
            Operand::Bool(truth) => truth.fmt(f),
            Operand::Date(date) => date.fmt(f),
            Operand::Timestamp(instant) => instant.fmt(f),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pattern::Whole(text) => write_quoted(f, "", text, ""),
            Pattern::Prefix(text) => write_quoted(f, "", text, "*"),
            Pattern::Suffix(text) => write_quoted(f, "*", text, ""),
            Pattern::Inside(text) => write_quoted(f, "*", text, "*"),
        }
    }
}

fn write_quoted(f: &mut fmt::Formatter<'_>, before: &str, text: &str, after: &str) -> fmt::Result {
    use fmt::Write;
    write!(f, "\"{before}")?;
    for c in text.chars() {
        match c {
            '"' | '\\' | '*' => write!(f, "\\{c}")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            _ => f.write_char(c)?,
        }
    }
    write!(f, "{after}\"")
}
