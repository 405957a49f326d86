//! What holds of every written value: amounts are read back from every form, a date has one reading, no text
//! panics.

use jiff::civil::{Date, date as day};
use proptest::prelude::*;

use super::characters::half_width;
use super::*;
use crate::limits::QUOTED_CHARS;

const NANOS: i128 = 1_000_000_000;

/// Multipliers and their powers of ten, in both scripts.
const MULTIPLIERS: [(&str, usize); 20] = [
    ("", 0),
    ("百", 2),
    ("千", 3),
    ("万", 4),
    ("萬", 4),
    ("十万", 5),
    ("百萬", 6),
    ("百万", 6),
    ("千萬", 7),
    ("千万", 7),
    ("亿", 8),
    ("億", 8),
    ("十亿", 9),
    ("十億", 9),
    ("百亿", 10),
    ("百億", 10),
    ("千亿", 11),
    ("千億", 11),
    ("万亿", 12),
    ("萬億", 12),
];

/// The exact decimal number: nanos over ten to `power + 9`, without a point if it has no fraction.
fn decimal(nanos: i128, power: usize) -> String {
    let places = power + 9;
    let digits = format!("{:0>width$}", nanos.unsigned_abs(), width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{}{whole}{point}{fraction}", if nanos < 0 { "-" } else { "" })
}

/// The same number with its whole digits in groups of three.
fn grouped(number: &str) -> String {
    let end = number.find('.').unwrap_or(number.len());
    let start = usize::from(number.starts_with('-'));
    let mut out = number[..start].to_owned();
    for (i, digit) in number[start..end].chars().enumerate() {
        if i > 0 && (end - start - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out + &number[end..]
}

fn full_width(text: &str) -> String {
    let wide = |c: char| char::from_u32(u32::from(c) + 0xfee0).unwrap();
    let wider = |c| if matches!(c, '0'..='9' | '.' | ',' | '-' | '/') { wide(c) } else { c };
    text.chars().map(wider).collect()
}

/// The nanos of an amount that is accepted.
fn nanos(text: &str) -> i128 {
    let amount = amount(text).unwrap_or_else(|error| panic!("{error}"));
    i128::from(amount.units()) * NANOS + i128::from(amount.nanos())
}

/// What the digits of an accepted date say if they are year, month, day in this order.
fn in_order(text: &str) -> Date {
    let plain = half_width(text);
    let mut parts: Vec<_> =
        plain.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty()).collect();
    if let [digits] = parts[..] {
        parts = vec![&digits[..4], &digits[4..6], &digits[6..]];
    }
    let [year, month, of_month] = parts[..] else { panic!("{text:?} has {} parts", parts.len()) };
    assert_eq!(year.len(), 4);
    day(year.parse().unwrap(), month.parse().unwrap(), of_month.parse().unwrap())
}

/// Every form of a date.
fn forms(date: Date) -> impl Iterator<Item = String> {
    let (year, month, of_month) = (date.year(), date.month(), date.day());
    let separated = ["-", "/", "."].into_iter().flat_map(move |separator| {
        let padded = format!("{year:04}{separator}{month:02}{separator}{of_month:02}");
        [padded, format!("{year:04}{separator}{month}{separator}{of_month}")]
    });
    let chinese = ["日", "号"].into_iter().flat_map(move |last| {
        let padded = format!("{year:04}年{month:02}月{of_month:02}{last}");
        [padded, format!("{year:04} 年 {month} 月 {of_month} {last}")]
    });
    let half: Vec<_> =
        separated.chain(chinese).chain([format!("{year:04}{month:02}{of_month:02}")]).collect();
    half.into_iter().flat_map(|text| [full_width(&text), text])
}

#[test]
fn a_date_has_one_reading_in_every_form() {
    for first in [day(1, 1, 1), day(1999, 1, 1), day(2011, 1, 1), day(2024, 1, 1), day(9999, 1, 1)] {
        for date in first.series(jiff::ToSpan::day(1)).take_while(|date| date.year() == first.year()) {
            for text in forms(date) {
                assert_eq!(super::date(&text), Ok(date), "{text}");
                assert_eq!(in_order(&text), date, "{text}");
            }
        }
    }
}

#[test]
fn a_date_with_the_year_last_is_refused() {
    let first = day(1900, 1, 1);
    for date in first.series(jiff::ToSpan::day(1)).take_while(|date| date.year() < 2100) {
        let (year, month, of_month) = (date.year(), date.month(), date.day());
        for separator in ["", "-", "/", "."] {
            for (one, two) in [(month, of_month), (of_month, month)] {
                let text = format!("{one:02}{separator}{two:02}{separator}{year}");
                assert!(super::date(&text).is_err(), "{text}");
            }
        }
    }
}

#[test]
fn an_error_quotes_the_text_shortened_and_gives_an_example() {
    let long = "科".repeat(100_000);
    let quote = format!("\"{}…\"", "科".repeat(QUOTED_CHARS));
    for (said, example) in [
        (date(&long).unwrap_err().to_string(), "write 2026-09-30, 2026/9/30,"),
        (dates(&long).unwrap_err().to_string(), "write 2026-10-01 or 2026-10-01..2026-10-07"),
        (amount(&long).unwrap_err().to_string(), "write CNY 28360000000.50, CNY 250亿 or 1,300 万元"),
        (whole(&long).unwrap_err().to_string(), "write 13000, 13,000 or 1.3万"),
    ] {
        assert!(said.starts_with(&quote) && said.contains(example), "{said}");
    }
    assert_eq!(
        date("2021-02-30").unwrap_err().to_string(),
        "\"2021-02-30\" is no date: there is no such day; \
         write 2026-09-30, 2026/9/30, 2026.9.30, 20260930 or 2026年9月30日"
    );
}

#[test]
fn a_long_number_is_refused_and_leading_zeros_are_not() {
    let nines = "9".repeat(1_000_000);
    assert!(amount(&nines).is_err() && whole(&nines).is_err());
    assert!(amount(&format!("0.{nines}")).is_err());
    let zeros = "0".repeat(1_000_000);
    assert_eq!(whole(&format!("{zeros}7.{zeros}")), Ok(7));
}

fn amounts() -> impl Strategy<Value = i128> {
    let near_zero = -1_000_000_000_000_000_000_i128..1_000_000_000_000_000_000;
    let all = (any::<i64>(), 0..NANOS).prop_map(|(units, nanos)| {
        let units = i128::from(units);
        units * NANOS + if units < 0 { -nanos } else { nanos }
    });
    prop_oneof![all, near_zero, any::<i64>().prop_map(|units| i128::from(units) * NANOS)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_amount_is_read_back_from_every_form(expected in amounts()) {
        for (multiplier, power) in MULTIPLIERS {
            let plain = decimal(expected, power);
            for number in [grouped(&plain), plain] {
                let text = format!("{number}{multiplier}");
                prop_assert_eq!(nanos(&text), expected, "{}", &text);
                prop_assert_eq!(nanos(&full_width(&text)), expected, "{}", &text);
                prop_assert_eq!(nanos(&format!("CNY\u{3000}{number} {multiplier} 元")), expected);
            }
        }
        prop_assert_eq!(nanos(&amount(&decimal(expected, 0)).unwrap().to_string()), expected);
    }

    #[test]
    fn every_whole_number_is_read_back_from_every_form(expected: i64) {
        for (multiplier, power) in MULTIPLIERS {
            let plain = decimal(i128::from(expected) * NANOS, power);
            for number in [grouped(&plain), plain] {
                let text = format!("{number}{multiplier}");
                prop_assert_eq!(whole(&text), Ok(expected));
                prop_assert_eq!(whole(&full_width(&text)), Ok(expected));
            }
        }
    }

    #[test]
    fn parts_add_up(large in 0..90_000_i64, middle in 0..10_000_i64, small in 0..10_000_i64) {
        let text = format!("{large}万亿{middle}亿{small}万");
        let expected = large * 1_000_000_000_000 + middle * 100_000_000 + small * 10_000;
        prop_assert_eq!(whole(&text), Ok(expected));
        prop_assert_eq!(whole(&format!("{small}万{middle}亿")).ok(), None);
    }

    #[test]
    fn nonsense_never_panics(
        text: String,
        words in "([0-9]{0,4}|[-,.，．/ \u{3000}]|[年月日号]|[百千万亿十元兆]|CNY|.){0,9}"
    ) {
        for text in [text, words] {
            if let Ok(date) = date(&text) {
                prop_assert_eq!(in_order(&text), date);
            }
            if let Ok(days) = dates(&text) {
                prop_assert!(!days.is_empty() && days.is_sorted());
            }
            if let Ok(amount) = amount(&text) {
                prop_assert_eq!(super::amount(&amount.to_string()), Ok(amount));
            }
            if let Ok(number) = whole(&text) {
                prop_assert_eq!(nanos(&text), i128::from(number) * NANOS);
            }
        }
    }

    #[test]
    fn whatever_date_is_accepted_has_one_reading(
        text in "[12０][09０][0-2２][0-9][-/.年]?[0１]?[1-9][-/.月]?[0-3]?[0-9][日号]?"
    ) {
        if let Ok(date) = date(&text) {
            prop_assert_eq!(in_order(&text), date);
        }
    }
}
