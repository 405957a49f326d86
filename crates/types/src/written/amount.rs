//! Amounts of money as people write them, with or without a currency.
//!
//! Invariant: the number is exact to the billionth, and a currency is only taken from its code or from a
//! name that belongs to no other. Signs such as `¥` and `$` are refused: each stands for several currencies.
//! Whether an amount may be negative is not decided here.

use std::fmt;

use super::characters::half_width;
use super::error::WrittenError;
use super::names::{code, name_after, name_before};
use super::number::{EMPTY, number, units_and_nanos};
use crate::currency::CurrencyCode;
use crate::money::Money;
use crate::quote::shortened;

const YUAN_OR_YEN: &str = "the sign ¥ stands for the yuan and for the yen";
const DOLLARS: &str = "the sign $ stands for the dollars of many countries";
const TWO_CURRENCIES: &str = "it names two currencies (元 alone is CNY)";

/// An exact amount, and its currency if one was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Amount {
    currency: Option<CurrencyCode>,
    units: i64,
    nanos: i32,
}

impl Amount {
    /// The currency that was written.
    pub const fn currency(&self) -> Option<CurrencyCode> {
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

    /// The amount in the currency that was written, else in `default`. If there is neither, it is
    /// [`WrittenError::NoCurrency`].
    pub fn in_currency(self, default: Option<&CurrencyCode>) -> Result<Money, WrittenError> {
        let currency = self.currency.or(default.copied()).ok_or(WrittenError::NoCurrency(self))?;
        let money = Money::new(currency, self.units, self.nanos);
        Ok(money.expect("units and nanos are quotient and remainder of one number"))
    }
}

/// `CNY 28360000000.5`, or without the code: no more places than there are, no commas, no multiplier.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(currency) = self.currency {
            write!(f, "{currency} ")?;
        }
        let sign = if self.units < 0 || self.nanos < 0 { "-" } else { "" };
        write!(f, "{sign}{}", self.units.unsigned_abs())?;
        match self.nanos.unsigned_abs() {
            0 => Ok(()),
            nanos => write!(f, ".{}", format!("{nanos:09}").trim_end_matches('0')),
        }
    }
}

/// The amount that `text` says, such as `CNY 283.6亿`, `1,300 万元` or `250亿`.
///
/// The code of a currency that is none is [`WrittenError::Currency`]. Anything else that is no amount is
/// [`WrittenError::Amount`]: more than nine decimal places, units beyond 64 bits, two currencies, a sign
/// such as `¥` or `$`.
pub fn amount(text: &str) -> Result<Amount, WrittenError> {
    let refused = |fault| WrittenError::Amount { text: shortened(text), fault };
    if let Some(fault) = ambiguous_sign(text) {
        return Err(refused(fault));
    }
    let plain = half_width(text);
    if plain.is_empty() {
        return Err(refused(EMPTY));
    }
    let code = |name| code(name).map_err(|error| WrittenError::Currency { text: shortened(text), error });
    let (before, rest) = name_before(&plain).map_err(refused)?;
    let before = before.map(code).transpose()?;
    let (nanos, rest) = number(rest).map_err(refused)?;
    let after = name_after(rest).map_err(refused)?.map(code).transpose()?;
    if before.zip(after).is_some_and(|(before, after)| before != after) {
        return Err(refused(TWO_CURRENCIES));
    }
    let (units, nanos) = units_and_nanos(nanos).map_err(refused)?;
    Ok(Amount { currency: before.or(after), units, nanos })
}

fn ambiguous_sign(text: &str) -> Option<&'static str> {
    text.chars().find_map(|c| match c {
        '¥' | '￥' => Some(YUAN_OR_YEN),
        '$' | '＄' => Some(DOLLARS),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::names::*;
    use super::super::number::*;
    use super::*;

    fn read(text: &str) -> (Option<&'static str>, i64, i32) {
        let amount = amount(text).unwrap_or_else(|error| panic!("{error}"));
        let code = |currency| names().map(|(_, code)| *code).find(|code| code.parse() == Ok(currency));
        (amount.currency().and_then(code), amount.units(), amount.nanos())
    }

    #[test]
    fn an_amount_is_read_exactly() {
        for (text, units, nanos) in [
            ("250亿", 25_000_000_000, 0),
            ("0.29亿", 29_000_000, 0),
            ("1,300 万", 13_000_000, 0),
            ("４５，０００", 45_000, 0),
            ("2亿3000万", 230_000_000, 0),
            ("0.123456789", 0, 123_456_789),
            ("-0.123456789", 0, -123_456_789),
            ("0.1234567890", 0, 123_456_789),
            ("0.0000000000001万", 0, 1),
            ("-1.5", -1, -500_000_000),
            ("9223372036854775807.999999999", i64::MAX, 999_999_999),
            ("-9223372036854775808.999999999", i64::MIN, -999_999_999),
        ] {
            assert_eq!(read(text), (None, units, nanos), "{text}");
        }
    }

    #[test]
    fn a_currency_stands_before_or_after_the_number() {
        for (code, texts) in [
            ("CNY", "CNY 5亿|5亿 CNY|CNY5亿|5亿CNY|人民币5亿|人民币 5 亿|RMB 5亿|5亿元|5 亿 元|5亿元人民币"),
            ("CNY", "人民币5亿元|CNY 5亿元|RMB 5亿 CNY|5亿人民币|5亿RMB|人民幣５億元|\u{3000}5億元人民幣 "),
            ("USD", "USD 500,000,000|5亿美元|USD 5亿美元"),
            ("TWD", "新台币5亿|5亿新台币|台币5亿|5亿台币|新臺幣5億|5億臺幣|新台幣5億|TWD 5亿"),
            ("EUR", "5亿欧元|5億歐元"),
            ("JPY", "5亿日元"),
            ("HKD", "5亿港元"),
            ("GBP", "5亿英镑|5億英鎊"),
            ("MOP", "5亿澳门元|5億澳門元|MOP\u{a0}500000000"),
        ] {
            for text in texts.split('|') {
                assert_eq!(read(text), (Some(code), 500_000_000, 0), "{text}");
            }
        }
        assert_eq!(read("CNY 28360000000"), read("28360000000 CNY"));
        assert_eq!(read("CNY 283.6亿"), (Some("CNY"), 28_360_000_000, 0));
        assert_eq!(read("CNY -0.5"), (Some("CNY"), 0, -500_000_000));
    }

    #[test]
    fn what_could_be_misread_is_refused_with_the_reason() {
        for (fault, texts) in [
            (EMPTY, "| |\u{3000}"),
            (YUAN_OR_YEN, "¥5|￥5|5¥|¥|CNY ¥5"),
            (DOLLARS, "$5|US$5|HK$ 5|5$|＄5"),
            (LETTERS, "about 5|Rs 5|5M|5 million|5bn|Yuan 5|1e|e"),
            (TWO_CURRENCIES, "USD 5元|USD 5亿 元|CNY 5 USD|人民币5美元|新台币5元|CNY 5新台币|HKD 5元人民币"),
            (NO_NUMBER, "CNY|人民币|元|元5|美元5|-CNY 5|CNY- 5|+5|CNY:5|人民币：5|€5|ＣＮＹ 5|约5亿"),
            (NUMERALS, "三亿元|人民币三亿|3亿五千万"),
            (MULTIPLIER_ALONE, "亿|CNY 亿|亿元"),
            (POINT_FIRST, ".5|CNY .5"),
            (POINT_LAST, "5.|5.亿"),
            (POINTS, "1.2.3"),
            (GROUPS, "1,00|4,5000|,5|CNY 1,00|1，00"),
            (DECIMAL_COMMA, "0,300亿"),
            (BLANK, "1 000|CNY 1 000"),
            (PLACES, "0.1234567891|0.00000000000001万"),
            (DESCENDING, "3万2亿|2亿10000万"),
            (LAST_MULTIPLIER, "3万5|3万5000元"),
            (MULTIPLIERS, "12亿亿|1万万元"),
            (MEGA, "3兆|3兆元"),
            (FOLLOWS, "1e9|CNY 1e9|5元整|5元 CNY|5 CNY CNY|5元5角|5块|5亿多元|5~6亿|5亿/年|5％|5€|5 ＣＮＹ"),
            (OVERFLOW, "9223372036854775808|-9223372036854775809|99999999万亿"),
        ] {
            for text in texts.split('|') {
                let error = WrittenError::Amount { text: text.into(), fault };
                assert_eq!(amount(text), Err(error), "{text}");
            }
        }
    }

    #[test]
    fn a_code_that_is_none_is_refused_with_the_one_that_was_meant() {
        for (text, code) in [("cny 5", "CNY"), ("5亿 rmb", "CNY"), ("HRK 5", "EUR"), ("NTD 5", "TWD")] {
            let said = amount(text).unwrap_err().to_string();
            assert!(said.ends_with(&format!("; give {code}, and the amount as in CNY 250亿")), "{said}");
        }
        assert!(matches!(amount("5 XXQ"), Err(WrittenError::Currency { .. })));
    }

    #[test]
    fn the_currency_that_was_written_goes_before_the_default() {
        let (cny, usd) = (CurrencyCode::CNY, "USD".parse().unwrap());
        let money = |text: &str, default| amount(text).unwrap().in_currency(default);
        assert_eq!(money("0.29亿", Some(&cny)), Ok(Money::new(cny, 29_000_000, 0).unwrap()));
        assert_eq!(money("0.29亿美元", Some(&cny)), Ok(Money::new(usd, 29_000_000, 0).unwrap()));
        assert_eq!(money("-1.5元", None), Ok(Money::new(cny, -1, -500_000_000).unwrap()));
        assert_eq!(
            money("0.29亿", None).unwrap_err().to_string(),
            "the amount \"29000000\" names no currency; write it, as in CNY 250亿"
        );
    }

    #[test]
    fn an_amount_is_shown_plainly() {
        for (text, shown) in [("CNY 283.6亿", "CNY 28360000000"), ("-0.50", "-0.5"), ("-0", "0")] {
            assert_eq!(amount(text).unwrap().to_string(), shown);
        }
    }
}
