//! Operands: the typed values that fields are compared with, and their text.
//!
//! Invariant: the canonical text of an operand is read back to an equal one by the same type. Operands have
//! an order for sorting, which says nothing about rows.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::currency::CurrencyCode;
use crate::money::Money;

/// A text, or part of one where the rest may be anything.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operand {
    /// A text; anything but `Pattern::Whole` stands only with `=` and `!=`.
    Text(Pattern),
    /// An enum's name.
    Enum(&'static str),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Double(Double),
    /// True or false.
    Bool(bool),
    /// A civil date.
    Date(Date),
    /// The date so many days after the row's current date: `today()`, `days(n)`.
    Day(i32),
    /// An instant.
    Timestamp(Timestamp),
    /// A span of time.
    Duration(SignedDuration),
    /// An amount.
    Money(Amount),
}

/// A number with a fraction that is finite; zero has no sign.
#[derive(Debug, Clone, Copy)]
pub struct Double(f64);

impl Double {
    /// The number, if it is one.
    pub(super) fn new(number: f64) -> Option<Self> {
        number.is_finite().then_some(Self(if number == 0.0 { 0.0 } else { number }))
    }

    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl PartialEq for Double {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Double {}

impl PartialOrd for Double {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Double {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Hash for Double {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

/// An amount of one currency, or of whatever currency the row has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount {
    currency: Option<CurrencyCode>,
    units: i64,
    nanos: i32,
}

impl Amount {
    /// Reads `28360000000.5`, or `CNY 28360000000.5`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (currency, number) = match text.split_once(' ') {
            Some((code, number)) => (Some(CurrencyCode::stored(code)?), number),
            None => (None, text),
        };
        let money = Money::from_decimal(currency.unwrap_or(CurrencyCode::CNY), number).ok()?;
        Some(Self { currency, units: money.units(), nanos: money.nanos() })
    }

    /// How an amount compares with this one; `None` for one of another currency.
    pub(super) fn compared(&self, money: &Money) -> Option<Ordering> {
        let comparable = self.currency.is_none_or(|currency| currency == money.currency());
        // Units and nanos have one sign.
        comparable.then(|| (money.units(), money.nanos()).cmp(&(self.units, self.nanos)))
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operand::Text(pattern) => pattern.fmt(f),
            Operand::Enum(name) => f.write_str(name),
            Operand::Int(number) => number.fmt(f),
            // The shortest text that reads back to it.
            Operand::Double(Double(number)) => fmt::Debug::fmt(number, f),
            Operand::Bool(truth) => truth.fmt(f),
            Operand::Date(date) => date.fmt(f),
            Operand::Day(0) => f.write_str("today()"),
            Operand::Day(days) => write!(f, "days({days})"),
            Operand::Timestamp(instant) => instant.fmt(f),
            Operand::Duration(duration) => {
                let sign = if duration.is_negative() { "-" } else { "" };
                let seconds = duration.as_secs().unsigned_abs();
                write_decimal(f, sign, seconds, duration.subsec_nanos().unsigned_abs())?;
                f.write_str("s")
            }
            Operand::Money(amount) => amount.fmt(f),
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { currency, units, nanos } = *self;
        let sign = if units < 0 || nanos < 0 { "-" } else { "" };
        match currency {
            None => write_decimal(f, sign, units.unsigned_abs(), nanos.unsigned_abs()),
            Some(currency) => {
                write!(f, "\"{currency} ")?;
                write_decimal(f, sign, units.unsigned_abs(), nanos.unsigned_abs())?;
                f.write_str("\"")
            }
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

fn write_decimal(f: &mut fmt::Formatter<'_>, sign: &str, whole: u64, nanos: u32) -> fmt::Result {
    write!(f, "{sign}{whole}")?;
    if nanos > 0 {
        write!(f, ".{}", format!("{nanos:09}").trim_end_matches('0'))?;
    }
    Ok(())
}

/// Writes a text in quotes, with what is before and after it inside of them.
pub(super) fn write_quoted(f: &mut fmt::Formatter<'_>, before: &str, text: &str, after: &str) -> fmt::Result {
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
