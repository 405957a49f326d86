//! Money: an exact amount in one currency, as `google.type.Money` holds it.
//!
//! Invariant: units and nanos never have opposite signs, nanos stay within ±999,999,999, and no
//! operation rounds: what does not fit is an error. Amounts of different currencies are never added;
//! a sum over many is kept per currency.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::currency::{CurrencyCode, CurrencyError};
use crate::quote::{quoted, shortened};
use crate::violation::Fault;

const NANOS: i128 = 1_000_000_000;

/// Why there is no such amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The currency is none that is current.
    #[error(transparent)]
    Currency(#[from] CurrencyError),
    /// `nanos` is not within ±999,999,999.
    #[error("nanos is {0}; it must be from -999999999 to 999999999")]
    Nanos(i32),
    /// One of units and nanos is positive and the other negative.
    #[error("units and nanos have opposite signs; give both the sign of the amount")]
    Signs,
    /// Not an exact decimal number with at most nine places.
    #[error("{text} is no amount; give a decimal number with at most nine places, such as 28360000000.00", text = quoted(.0))]
    Text(String),
    /// The amount or the sum does not fit.
    #[error("the amount is beyond what can be held, about ±9.2 × 10^18 units")]
    Overflow,
    /// Amounts of two currencies do not add up.
    #[error("{0} and {1} cannot be added; sums are per currency")]
    Mixed(CurrencyCode, CurrencyCode),
}

impl Fault for MoneyError {
    fn reason(&self) -> &'static str {
        match self {
            MoneyError::Currency(error) => error.reason(),
            MoneyError::Nanos(_) | MoneyError::Signs | MoneyError::Text(_) => "INVALID_MONEY",
            MoneyError::Overflow => "MONEY_OVERFLOW",
            MoneyError::Mixed(..) => "MIXED_CURRENCIES",
        }
    }
}

/// An exact amount in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    currency: CurrencyCode,
    units: i64,
    nanos: i32,
}

impl Money {
    /// `units` whole units and `nanos` billionths of one.
    pub fn new(currency: CurrencyCode, units: i64, nanos: i32) -> Result<Self, MoneyError> {
        if i128::from(nanos).abs() >= NANOS {
            return Err(MoneyError::Nanos(nanos));
        }
        if (units > 0 && nanos < 0) || (units < 0 && nanos > 0) {
            return Err(MoneyError::Signs);
        }
        Ok(Self { currency, units, nanos })
    }

    /// Nothing, in this currency.
    pub const fn zero(currency: CurrencyCode) -> Self {
        Self { currency, units: 0, nanos: 0 }
    }

    /// The amount that `text` says, as an exact decimal number: `28360000000.00`, `-0.5`.
    pub fn from_decimal(currency: CurrencyCode, text: &str) -> Result<Self, MoneyError> {
        let error = || MoneyError::Text(shortened(text));
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        let (whole, places) = match digits.split_once('.') {
            Some((whole, places)) => (whole, Some(places)),
            None => (digits, None),
        };
        let decimal = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !decimal(whole) || places.is_some_and(|places| !decimal(places) || places.len() > 9) {
            return Err(error());
        }
        let whole = whole.trim_start_matches('0');
        if whole.len() > 19 {
            return Err(MoneyError::Overflow);
        }
        let places = format!("{:0<9}", places.unwrap_or_default());
        let number = |part: &str| if part.is_empty() { Ok(0) } else { part.parse::<i128>() };
        let whole = number(whole).map_err(|_| error())?;
        let total = whole * NANOS + number(&places).map_err(|_| error())?;
        Self::from_nanos(currency, if negative { -total } else { total })
    }

    /// The currency.
    pub const fn currency(&self) -> CurrencyCode {
        self.currency
    }

    /// Whole units, with the amount's sign.
    pub const fn units(&self) -> i64 {
        self.units
    }

    /// Billionths of a unit, with the amount's sign.
    pub const fn nanos(&self) -> i32 {
        self.nanos
    }

    /// Whether the amount is exactly nothing.
    pub const fn is_zero(&self) -> bool {
        self.units == 0 && self.nanos == 0
    }

    /// Whether the amount is less than nothing.
    pub const fn is_negative(&self) -> bool {
        self.units < 0 || self.nanos < 0
    }

    /// The sum, of the same currency, if it can be held.
    pub fn checked_add(&self, other: &Money) -> Result<Money, MoneyError> {
        self.same_currency(other)?;
        Self::from_nanos(self.currency, self.total_nanos() + other.total_nanos())
    }

    /// The difference, of the same currency, if it can be held.
    pub fn checked_sub(&self, other: &Money) -> Result<Money, MoneyError> {
        self.same_currency(other)?;
        Self::from_nanos(self.currency, self.total_nanos() - other.total_nanos())
    }

    fn same_currency(&self, other: &Money) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::Mixed(self.currency, other.currency))
        }
    }

    fn total_nanos(&self) -> i128 {
        i128::from(self.units) * NANOS + i128::from(self.nanos)
    }

    fn from_nanos(currency: CurrencyCode, total: i128) -> Result<Self, MoneyError> {
        let units = i64::try_from(total / NANOS).map_err(|_| MoneyError::Overflow)?;
        let nanos = i32::try_from(total % NANOS).map_err(|_| MoneyError::Overflow)?;
        Ok(Self { currency, units, nanos })
    }
}

/// Amounts compare within a currency only.
impl PartialOrd for Money {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        (self.currency == other.currency).then(|| self.total_nanos().cmp(&other.total_nanos()))
    }
}

/// `CNY 28360000000.00`: at least two places, at most nine, nothing rounded.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.is_negative() { "-" } else { "" };
        let places = format!("{:09}", self.nanos.unsigned_abs());
        let kept = places.trim_end_matches('0').len().max(2);
        write!(f, "{} {sign}{}.{}", self.currency, self.units.unsigned_abs(), &places[..kept])
    }
}

/// Reads `CNY 28360000000.00`.
impl FromStr for Money {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let (code, amount) = text.split_once(' ').ok_or_else(|| MoneyError::Text(shortened(text)))?;
        Self::from_decimal(code.parse()?, amount)
    }
}

/// Sums of many amounts, one for each currency.
///
/// Held wider than an amount, so the order of adding and taking away never matters; a total that
/// no amount can hold is an error only when it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MoneySums(BTreeMap<CurrencyCode, i128>);

impl MoneySums {
    /// No amount yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an amount.
    pub fn add(&mut self, money: &Money) {
        // 2^127 nanos are more than 10^10 of the largest amounts: memory ends before this does.
        *self.0.entry(money.currency).or_default() += money.total_nanos();
    }

    /// Takes an amount away that was added before. The currency stays, with zero.
    pub fn subtract(&mut self, money: &Money) {
        *self.0.entry(money.currency).or_default() -= money.total_nanos();
    }

    /// The totals, by currency code; no currency that was never added.
    pub fn totals(&self) -> Result<Vec<Money>, MoneyError> {
        self.0.iter().map(|(&currency, &total)| Money::from_nanos(currency, total)).collect()
    }

    /// The totals that an amount can hold, by currency code.
    pub fn totals_held(&self) -> Vec<Money> {
        self.0.iter().filter_map(|(&currency, &total)| Money::from_nanos(currency, total).ok()).collect()
    }
}

#[cfg(test)]
mod tests;
