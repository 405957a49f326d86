//! Decimal numbers as people write measured values: exact, of at most 15 digits and 6 places.
//!
//! Invariant: a value is a whole number of millionths, and no operation rounds. Two texts of one value, `1.0` and
//! `1.00`, are one decimal.

use std::fmt;
use std::str::FromStr;

use crate::quote::{quoted, shortened};
use crate::violation::Fault;

/// Digits before the point.
const DIGITS: usize = 15;
/// Digits after the point.
const PLACES: usize = 6;
/// Millionths of one.
const MICROS: i128 = 1_000_000;
/// The first number of millionths that is beyond what can be held.
const BOUND: i128 = 1_000_000_000_000_000 * MICROS;

/// Why there is no such decimal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// Not a decimal number of this form.
    #[error(
        "{text} is no decimal number; give at most 15 digits and at most 6 places, such as 1775 or -0.25",
        text = quoted(.0)
    )]
    Text(String),
    /// A sum does not fit.
    #[error("the sum is beyond what can be held, ±10^15")]
    Overflow,
}

impl Fault for DecimalError {
    fn reason(&self) -> &'static str {
        match self {
            DecimalError::Text(_) => "INVALID_DECIMAL",
            DecimalError::Overflow => "DECIMAL_OVERFLOW",
        }
    }
}

/// An exact decimal number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Decimal(i128);

impl Decimal {
    /// Nothing.
    pub const ZERO: Decimal = Decimal(0);

    /// So many millionths.
    ///
    /// # Errors
    /// If that is beyond ±10^15; so with every sum.
    pub fn from_micros(micros: i128) -> Result<Self, DecimalError> {
        if -BOUND < micros && micros < BOUND { Ok(Self(micros)) } else { Err(DecimalError::Overflow) }
    }

    /// Its millionths.
    pub const fn micros(self) -> i128 {
        self.0
    }

    /// Whether it is less than nothing.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// The sum, if it can be held.
    ///
    /// # Errors
    /// If it cannot.
    pub fn checked_add(self, other: Self) -> Result<Self, DecimalError> {
        Self::from_micros(self.0 + other.0)
    }
}

impl FromStr for Decimal {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Self, DecimalError> {
        let error = || DecimalError::Text(shortened(text));
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        let (whole, places) = match digits.split_once('.') {
            Some((whole, places)) => (whole, Some(places)),
            None => (digits, None),
        };
        let is_decimal = |part: &str, most: usize| {
            (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !is_decimal(whole, DIGITS) || places.is_some_and(|places| !is_decimal(places, PLACES)) {
            return Err(error());
        }
        let places = format!("{:0<PLACES$}", places.unwrap_or_default());
        let number = |part: &str| part.parse::<i128>().map_err(|_| error());
        let micros = number(whole)? * MICROS + number(&places)?;
        Ok(Self(if negative { -micros } else { micros }))
    }
}

impl fmt::Display for Decimal {
    /// The shortest text of the value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, micros) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        let (whole, places) = (micros / MICROS.unsigned_abs(), micros % MICROS.unsigned_abs());
        if places == 0 {
            return write!(f, "{sign}{whole}");
        }
        let places = format!("{places:0>PLACES$}");
        write!(f, "{sign}{whole}.{}", places.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    /// office.md, section 0: up to 15 digits before the point and 6 behind it.
    #[test]
    fn one_value_has_many_texts_and_is_written_as_the_shortest() {
        for (text, written) in [
            ("1775", "1775"),
            ("1.00", "1"),
            ("-0.250", "-0.25"),
            ("-0", "0"),
            ("007", "7"),
            ("999999999999999.999999", "999999999999999.999999"),
            ("0.000001", "0.000001"),
        ] {
            assert_eq!(decimal(text).to_string(), written);
        }
        assert_eq!(decimal("1.0"), decimal("1.00"));
        assert!(decimal("-2") < decimal("-1.5") && decimal("9") < decimal("10"));
    }

    /// office.md, section 0: neither 16 digits nor 7 places.
    #[test]
    fn what_is_no_decimal_number_is_refused() {
        let far = "1".repeat(16);
        for text in ["", "-", ".5", "1.", "+1", "1e3", "1,000", " 1", "１", "1.0000001", "--1", "1.2.3", &far]
        {
            let error = text.parse::<Decimal>().unwrap_err();
            assert_eq!(error.reason(), "INVALID_DECIMAL", "{text}");
        }
    }

    #[test]
    fn a_sum_that_cannot_be_held_is_refused() {
        let most = decimal("999999999999999.999999");
        assert_eq!(most.checked_add(decimal("0.000001")), Err(DecimalError::Overflow));
        assert_eq!(most.checked_add(decimal("-0.000001")).unwrap(), decimal("999999999999999.999998"));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_as_the_same(micros in -BOUND + 1..BOUND) {
            let value = Decimal::from_micros(micros).unwrap();
            prop_assert_eq!(value.to_string().parse::<Decimal>().unwrap(), value);
        }
    }
}
