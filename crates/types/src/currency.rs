//! Currency codes of ISO 4217.
//!
//! Invariant: only codes that are current in the standard are accepted. A stored code is kept as it is: it may have
//! been withdrawn since, or accepted by an earlier version with looser rules.

use std::fmt;
use std::str::FromStr;

use iso_currency::Currency;

use crate::quote::{quoted, shortened};
use crate::violation::Fault;

/// A currency code: three upper-case ASCII letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CurrencyCode([u8; 3]);

impl CurrencyCode {
    /// The Chinese yuan.
    pub const CNY: CurrencyCode = CurrencyCode(*b"CNY");

    /// The code that was stored; `None` if it has not the shape that every code has.
    pub fn stored(code: &str) -> Option<Self> {
        match code.as_bytes() {
            &[a, b, c] if [a, b, c].iter().all(u8::is_ascii_uppercase) => Some(Self([a, b, c])),
            _ => None,
        }
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for CurrencyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for CurrencyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is no current currency code, and the code that was probably meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given} is no current currency code of ISO 4217; give {}", instead(.meant), given = quoted(.given))]
pub struct CurrencyError {
    given: String,
    meant: Option<&'static str>,
}

fn instead(meant: &Option<&'static str>) -> &'static str {
    meant.unwrap_or("its three upper-case letters, such as CNY")
}

impl Fault for CurrencyError {
    fn reason(&self) -> &'static str {
        "INVALID_CURRENCY"
    }
}

impl FromStr for CurrencyCode {
    type Err = CurrencyError;

    fn from_str(text: &str) -> Result<Self, CurrencyError> {
        let current = Currency::from_code(text).filter(|currency| is_current(*currency));
        let code = current.and_then(|currency| Self::stored(currency.code()));
        code.ok_or_else(|| CurrencyError { given: shortened(text), meant: meant(text) })
    }
}

fn is_current(currency: Currency) -> bool {
    // The crate has VED in place of VES, but the standard has both as current.
    currency.is_superseded().is_none() || currency == Currency::VES
}

/// What is given in place of codes, in upper case, and the code that is meant by it.
const MISTAKES: [(&str, &str); 22] = [
    // RMB is the currency's name, CNH what banks call it outside of the mainland: the code is CNY.
    ("RMB", "CNY"),
    ("CNH", "CNY"),
    ("YUAN", "CNY"),
    ("元", "CNY"),
    ("人民币", "CNY"),
    ("人民币元", "CNY"),
    ("￥", "CNY"),
    ("¥", "CNY"),
    ("港元", "HKD"),
    ("港币", "HKD"),
    ("HK$", "HKD"),
    ("NTD", "TWD"),
    ("美元", "USD"),
    ("US$", "USD"),
    ("$", "USD"),
    ("欧元", "EUR"),
    ("€", "EUR"),
    ("英镑", "GBP"),
    ("£", "GBP"),
    ("日元", "JPY"),
    // Withdrawn, and not in the crate.
    ("ANG", "XCG"),
    ("RUR", "RUB"),
];

/// The code that was probably meant: in other words, in another case, or one that was withdrawn since.
fn meant(text: &str) -> Option<&'static str> {
    let text = text.trim();
    // Nothing that is longer is in the table, nor is it a code.
    if text.len() > 16 {
        return None;
    }
    let upper = text.to_uppercase();
    let mistake = MISTAKES.iter().find(|(given, _)| *given == upper).map(|(_, code)| *code);
    mistake.or_else(|| {
        let currency = Currency::from_code(&upper)?;
        Some(if is_current(currency) { currency.code() } else { currency.latest().code() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        text.parse::<CurrencyCode>().unwrap_err().to_string()
    }

    #[test]
    fn codes_of_the_standard_are_read_back() {
        for code in ["CNY", "USD", "EUR", "HKD", "JPY", "XDR", "XCG", "ZWG", "VES", "VED"] {
            assert_eq!(code.parse::<CurrencyCode>().unwrap().to_string(), code);
        }
        assert_eq!("CNY".parse(), Ok(CurrencyCode::CNY));
    }

    #[test]
    fn a_common_mistake_is_told_the_code_that_was_meant() {
        for (given, code) in [
            ("RMB", "CNY"),
            ("rmb", "CNY"),
            ("CNH", "CNY"),
            ("元", "CNY"),
            ("￥", "CNY"),
            ("cny", "CNY"),
            (" CNY ", "CNY"),
            ("Usd", "USD"),
            ("港币", "HKD"),
            ("HRK", "EUR"),
            ("ANG", "XCG"),
        ] {
            let said = refused(given);
            assert!(
                said.ends_with(&format!("is no current currency code of ISO 4217; give {code}")),
                "{said}"
            );
        }
    }

    #[test]
    fn every_mistake_is_one_and_what_is_meant_is_a_code() {
        for (given, code) in MISTAKES {
            assert!(given.parse::<CurrencyCode>().is_err(), "{given}");
            assert!(code.parse::<CurrencyCode>().is_ok(), "{code}");
            assert_eq!(meant(given), Some(code));
            assert_eq!(given, given.to_uppercase());
        }
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for text in ["", "C", "CN", "CNYY", "XXQ", "ABC", "DEM", "ＣＮＹ", "CN\u{0}", &"元".repeat(100)] {
            assert!(refused(text).ends_with("give its three upper-case letters, such as CNY"), "{text}");
        }
    }

    #[test]
    fn what_was_stored_stays_what_it_is() {
        for code in ["HRK", "RMB", "XXQ", "CNY"] {
            assert_eq!(CurrencyCode::stored(code).unwrap().as_str(), code);
        }
        for text in ["", "cny", "CNYY", "元"] {
            assert_eq!(CurrencyCode::stored(text), None, "{text}");
        }
    }
}
