//! Why a written value is refused, and what is accepted in its place.
//!
//! Invariant: every message is one sentence that quotes the text, shortened, says what is wrong with it and
//! gives an example of what is accepted.

use super::amount::Amount;
use crate::currency::CurrencyError;
use crate::limits::WRITTEN_RANGE_DAYS;
use crate::quote::quoted;
use crate::violation::Fault;

/// Why a written value is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrittenError {
    /// No date, or one that could be misread.
    #[error(
        "{text} is no date: {fault}; write 2026-09-30, 2026/9/30, 2026.9.30, 20260930 or 2026年9月30日",
        text = quoted(.text)
    )]
    Date {
        /// The beginning of the text.
        text: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// Neither a date nor a range of dates.
    #[error(
        "{text} is neither a date nor a range of at most {WRITTEN_RANGE_DAYS} days: {fault}; \
         write 2026-10-01 or 2026-10-01..2026-10-07",
        text = quoted(.text)
    )]
    Dates {
        /// The beginning of the text.
        text: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// No amount, or one that could be misread.
    #[error(
        "{text} is no amount: {fault}; write CNY 28360000000.50, CNY 250亿 or 1,300 万元",
        text = quoted(.text)
    )]
    Amount {
        /// The beginning of the text.
        text: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// An amount with the code of a currency that is none.
    #[error("{text} is no amount: {error}, and the amount as in CNY 250亿", text = quoted(.text))]
    Currency {
        /// The beginning of the text.
        text: String,
        /// What is wrong with the code.
        error: CurrencyError,
    },
    /// An amount without a currency, where there is no default.
    #[error("the amount \"{0}\" names no currency; write it, as in CNY 250亿")]
    NoCurrency(Amount),
    /// No whole number, or one that could be misread.
    #[error("{text} is no whole number: {fault}; write 13000, 13,000 or 1.3万", text = quoted(.text))]
    Whole {
        /// The beginning of the text.
        text: String,
        /// What is wrong with it.
        fault: &'static str,
    },
}

impl Fault for WrittenError {
    fn reason(&self) -> &'static str {
        match self {
            WrittenError::Date { .. } | WrittenError::Dates { .. } => "INVALID_DATE",
            WrittenError::Amount { .. } => "INVALID_MONEY",
            WrittenError::Currency { .. } | WrittenError::NoCurrency(_) => "INVALID_CURRENCY",
            WrittenError::Whole { .. } => "INVALID_NUMBER",
        }
    }
}
