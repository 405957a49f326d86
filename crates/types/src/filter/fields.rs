//! The fields of a row, as a filter reads them.
//!
//! Invariant: a row answers with values of the types that the schema says, borrowed where it can;
//! matching copies nothing.

use std::borrow::Cow;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::current_date::CurrentDate;
use crate::money::Money;

/// The value of one field of one row.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// Not set. A text that is not optional and empty is not set either.
    Absent,
    /// A text, an enum's name, a resource name.
    Text(Cow<'a, str>),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Double(f64),
    /// True or false.
    Bool(bool),
    /// A civil date.
    Date(Date),
    /// An instant.
    Timestamp(Timestamp),
    /// A span of time.
    Duration(SignedDuration),
    /// An amount in its currency.
    Money(Money),
    /// A message that is set, of which only that is asked.
    Message,
}

impl<'a> Value<'a> {
    /// A text, where the empty one means that none was set.
    pub fn text(text: &'a str) -> Self {
        if text.is_empty() { Value::Absent } else { Value::Text(Cow::Borrowed(text)) }
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Value::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Value::Text(Cow::Owned(text))
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Value::Int(number)
    }
}

impl From<f64> for Value<'_> {
    fn from(number: f64) -> Self {
        Value::Double(number)
    }
}

impl From<bool> for Value<'_> {
    fn from(truth: bool) -> Self {
        Value::Bool(truth)
    }
}

impl From<Date> for Value<'_> {
    fn from(date: Date) -> Self {
        Value::Date(date)
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(instant: Timestamp) -> Self {
        Value::Timestamp(instant)
    }
}

impl From<SignedDuration> for Value<'_> {
    fn from(duration: SignedDuration) -> Self {
        Value::Duration(duration)
    }
}

impl From<Money> for Value<'_> {
    fn from(money: Money) -> Self {
        Value::Money(money)
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Absent, Into::into)
    }
}

/// A row that filters over the fields `F` can be matched with.
pub trait Fields<F> {
    /// The value of a field that is neither a list nor a map.
    fn value(&self, field: F) -> Value<'_>;

    /// Whether the test holds for one of a list's texts, or of a map's keys.
    fn any(&self, field: F, test: &dyn Fn(&str) -> bool) -> bool {
        let _ = (field, test);
        false
    }

    /// Whether the test holds for one of a list's values, or of a map's keys: what filters ask. Rows whose
    /// lists hold nothing but texts answer by [`Fields::any`].
    fn any_value(&self, field: F, test: &dyn Fn(&Value<'_>) -> bool) -> bool {
        self.any(field, &|text| test(&Value::from(text)))
    }

    /// The text under a key of a map.
    fn entry(&self, field: F, key: &str) -> Option<&str> {
        let _ = (field, key);
        None
    }

    /// What `today()` means for the row. `None`: it is not known, and comparisons with it find nothing but
    /// what `!=` asks for.
    fn current_date(&self) -> Option<CurrentDate> {
        None
    }
}
