//! Numbers, amounts and dates as a language writes them, for people.
//!
//! Invariant: what is written is exact: a scale (`亿`, `billion`) is used only where the number in it is whole or has few
//! places, never by rounding. Languages other than Chinese and English get dates after ISO 8601 and amounts in full.

use jiff::civil::Date;

use crate::currency::CurrencyCode;
use crate::money::Money;

/// How a language writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    Simplified,
    Traditional,
    English,
    Plain,
}

impl Manner {
    /// Of a language, by its BCP 47 tag.
    fn of(language: &str) -> Self {
        let mut subtags = language.split('-').map(str::to_ascii_lowercase);
        match subtags.next().as_deref() {
            Some("zh") => {
                let rest: Vec<_> = subtags.collect();
                let has = |subtag: &str| rest.iter().any(|own| own == subtag);
                let is_traditional = has("hant") || !has("hans") && ["tw", "hk", "mo"].into_iter().any(has);
                if is_traditional { Manner::Traditional } else { Manner::Simplified }
            }
            Some("en") => Manner::English,
            _ => Manner::Plain,
        }
    }
}

/// Places behind the point that a number in a scale may have.
const PLACES: usize = 2;

/// What a power of ten is called, the largest first.
const ENGLISH: [(usize, &str); 3] = [(12, "trillion"), (9, "billion"), (6, "million")];
const SIMPLIFIED: [(usize, &str); 2] = [(8, "亿"), (4, "万")];
const TRADITIONAL: [(usize, &str); 2] = [(8, "億"), (4, "萬")];

/// A whole number with separators of thousands: `1,234`.
pub fn count(number: i64) -> String {
    decimal(&number.to_string())
}

/// A decimal number with separators of thousands in its whole part: `-1,234.50`. Any other text is returned unchanged.
pub fn decimal(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let (whole, places) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    if whole.is_empty() || !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.to_owned();
    }
    format!("{sign}{}{places}", grouped(whole))
}

/// A date: `2020年9月11日`, `11 September 2020`, `2020-09-11`.
pub fn date(date: Date, language: &str) -> String {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let (year, month, day) = (date.year(), date.month(), date.day());
    match Manner::of(language) {
        Manner::Simplified | Manner::Traditional => format!("{year}年{month}月{day}日"),
        Manner::English => {
            let name = usize::try_from(month - 1).ok().and_then(|index| MONTHS.get(index)).unwrap_or(&"");
            format!("{day} {name} {year}")
        }
        Manner::Plain => date.to_string(),
    }
}

/// An amount: `1,300 亿元`, `CNY 130 billion`, `CNY 130,000,000,000`.
pub fn amount(money: &Money, language: &str) -> String {
    let sign = if money.is_negative() { "-" } else { "" };
    let units = money.units().unsigned_abs().to_string();
    let places = format!("{:09}", money.nanos().unsigned_abs());
    written_amount(&money.currency(), sign, &units, places.trim_end_matches('0'), language)
}

/// A figure: a decimal number, and its unit: a currency, a word, or nothing.
pub fn figure(value: &str, unit: &str, language: &str) -> String {
    let (sign, digits) = value.strip_prefix('-').map_or(("", value), |digits| ("-", digits));
    let (units, places) = digits.split_once('.').unwrap_or((digits, ""));
    match unit.parse::<CurrencyCode>() {
        Ok(currency) => {
            let units = units.trim_start_matches('0');
            let units = if units.is_empty() { "0" } else { units };
            written_amount(&currency, sign, units, places.trim_end_matches('0'), language)
        }
        Err(_) if unit.is_empty() => decimal(value),
        Err(_) if unit == "%" || unit == "‰" => format!("{}{unit}", decimal(value)),
        Err(_) => format!("{} {unit}", decimal(value)),
    }
}

fn written_amount(currency: &CurrencyCode, sign: &str, units: &str, places: &str, language: &str) -> String {
    let manner = Manner::of(language);
    let (scales, between): (&[(usize, &str)], _) = match manner {
        Manner::Simplified => (&SIMPLIFIED, ""),
        Manner::Traditional => (&TRADITIONAL, ""),
        Manner::English => (&ENGLISH, " "),
        Manner::Plain => (&[], ""),
    };
    let (number, scale) = scaled(units, places, scales);
    match manner {
        Manner::Simplified | Manner::Traditional => {
            let blank = if scale.is_empty() { "" } else { " " };
            let name = currency.to_string();
            let unit = if name == "CNY" { "元".to_owned() } else { format!(" {name}") };
            let blank = if scale.is_empty() && unit == "元" { " " } else { blank };
            format!("{sign}{number}{blank}{scale}{unit}")
        }
        Manner::English | Manner::Plain => {
            let scale = if scale.is_empty() { String::new() } else { format!("{between}{scale}") };
            format!("{currency} {sign}{number}{scale}")
        }
    }
}

/// A number in the largest scale that it reaches and has few places in; else in full.
fn scaled<'a>(units: &str, places: &str, scales: &[(usize, &'a str)]) -> (String, &'a str) {
    for (power, name) in scales {
        let Some(split) = units.len().checked_sub(*power).filter(|split| *split > 0) else { continue };
        let (whole, rest) = units.split_at(split);
        let rest = format!("{rest}{places}");
        let rest = rest.trim_end_matches('0');
        if rest.len() <= PLACES {
            return (joined(whole, rest), name);
        }
    }
    (joined(units, places), "")
}

fn joined(whole: &str, places: &str) -> String {
    let point = if places.is_empty() { "" } else { "." };
    format!("{}{point}{places}", grouped(whole))
}

/// Digits with a comma before each three from the end.
fn grouped(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use jiff::civil;

    use super::*;

    fn cny(text: &str) -> Money {
        Money::from_decimal(CurrencyCode::CNY, text).unwrap()
    }

    /// office.md, section 8: 1,300 亿 is CNY 130 billion, 283.6 亿 is 28.36 billion.
    #[test]
    fn an_amount_is_in_the_largest_scale_that_it_is_exact_in() {
        for (amount, zh, en, plain) in [
            ("130000000000", "1,300 亿元", "CNY 130 billion", "CNY 130,000,000,000"),
            ("28360000000", "283.6 亿元", "CNY 28.36 billion", "CNY 28,360,000,000"),
            ("177500000000", "1,775 亿元", "CNY 177.5 billion", "CNY 177,500,000,000"),
            ("28360010000", "2,836,001 万元", "CNY 28,360.01 million", "CNY 28,360,010,000"),
            ("1000000000000", "10,000 亿元", "CNY 1 trillion", "CNY 1,000,000,000,000"),
            ("5000000", "500 万元", "CNY 5 million", "CNY 5,000,000"),
            ("999999", "999,999 元", "CNY 999,999", "CNY 999,999"),
            ("1234.5", "1,234.5 元", "CNY 1,234.5", "CNY 1,234.5"),
            ("100000001", "100,000,001 元", "CNY 100,000,001", "CNY 100,000,001"),
            ("0", "0 元", "CNY 0", "CNY 0"),
            ("-28360000000", "-283.6 亿元", "CNY -28.36 billion", "CNY -28,360,000,000"),
        ] {
            let written = ["zh-CN", "en", "fr"].map(|language| super::amount(&cny(amount), language));
            assert_eq!(written, [zh, en, plain], "{amount}");
            let same = ["zh", "en-GB", ""].map(|language| figure(amount, "CNY", language));
            assert_eq!(same, [zh, en, plain], "{amount}");
        }
        assert_eq!(super::amount(&cny("130000000000"), "zh-Hant"), "1,300 億元");
        assert_eq!(super::amount(&cny("50000"), "zh-TW"), "5 萬元");
        assert_eq!(super::amount(&cny("50000"), "zh-Hans-HK"), "5 万元");
        let usd = Money::from_decimal("USD".parse().unwrap(), "1300000000").unwrap();
        assert_eq!(super::amount(&usd, "zh"), "13 亿 USD");
        assert_eq!(super::amount(&usd, "en"), "USD 1.3 billion");
    }

    #[test]
    fn numbers_have_separators_of_thousands_and_figures_their_unit() {
        assert_eq!([0, 79, 1_234, -1_234_567].map(count), ["0", "79", "1,234", "-1,234,567"]);
        assert_eq!(decimal("-1234.50"), "-1,234.50");
        assert_eq!(decimal("many"), "many");
        assert_eq!(figure("1079", "", "zh"), "1,079");
        assert_eq!(figure("79", "个项目", "zh"), "79 个项目");
        assert_eq!(figure("97.2", "%", "en"), "97.2%");
        assert_eq!(figure("0.50", "CNY", "en"), "CNY 0.5");
    }

    #[test]
    fn dates_are_as_the_language_writes_them() {
        let day = civil::date(2020, 9, 11);
        assert_eq!(date(day, "zh-Hans-CN"), "2020年9月11日");
        assert_eq!(date(day, "en"), "11 September 2020");
        assert_eq!(date(day, "de"), "2020-09-11");
    }
}
