//! Numbers as people write them: digits in groups, full-width, with Chinese multipliers.
//!
//! Invariant: a number is read in whole billionths (nanos) or refused; nothing is rounded. A comma is only
//! read where it groups digits by three, a point only as the decimal point. Exponents, signs other than `-`,
//! percentages and Chinese numerals are not read.

use super::characters::{after_blanks, half_width, is_chinese_numeral};
use super::error::WrittenError;
use crate::quote::shortened;

pub(super) const EMPTY: &str = "it is empty";
pub(super) const NO_NUMBER: &str = "there is no number where one is expected";
pub(super) const NUMERALS: &str = "Chinese numerals are not read, only digits before a multiplier";
pub(super) const MULTIPLIER_ALONE: &str = "no number stands before the multiplier";
pub(super) const POINT_FIRST: &str = "no digit stands before the point: write 0.5, not .5";
pub(super) const POINT_LAST: &str = "no digit stands after the point";
pub(super) const POINTS: &str = "it has more than one point";
pub(super) const GROUPS: &str = "commas only separate groups of three digits, as in 1,300";
pub(super) const DECIMAL_COMMA: &str = "a comma after a zero may stand for a decimal point";
pub(super) const BLANK: &str = "digits are not grouped by blanks";
pub(super) const PLACES: &str = "it has more than nine decimal places";
pub(super) const OVERFLOW: &str = "it is beyond what can be held, about ±9.2 × 10^18";
pub(super) const LAST_MULTIPLIER: &str = "of several parts each has a multiplier, as in 2亿3000万";
pub(super) const DESCENDING: &str =
    "of several parts each is smaller than the multiplier before it, as in 2亿3000万";
pub(super) const GAP: &str = "a part may be cut short: 2亿3千 may stand for 2亿3000万; write it whole";
pub(super) const FRACTION_FIRST: &str = "of several parts only the last has decimal places";
pub(super) const MULTIPLIERS: &str = "its multipliers are not read together; 万亿 is the largest";
pub(super) const MEGA: &str = "兆 stands for 10^6 and for 10^12";
pub(super) const FOLLOWS: &str = "what follows the number cannot be read";
const NOT_WHOLE: &str = "it has a fraction";

const NANOS: i128 = 1_000_000_000;

/// A multiplier in simplified and traditional characters, and the power of ten that it is. One that begins
/// with another stands before it.
const POWERS: [(&str, &str, u32); 11] = [
    ("万亿", "萬億", 12),
    ("千亿", "千億", 11),
    ("百亿", "百億", 10),
    ("十亿", "十億", 9),
    ("千万", "千萬", 7),
    ("百万", "百萬", 6),
    ("十万", "十萬", 5),
    ("亿", "億", 8),
    ("万", "萬", 4),
    ("千", "千", 3),
    ("百", "百", 2),
];

/// The whole number that `text` says, such as `13,000` or `1.3万`. One with a fraction, beyond 64 bits, or
/// with anything beside it is [`WrittenError::Whole`].
pub fn whole(text: &str) -> Result<i64, WrittenError> {
    let refused = |fault| WrittenError::Whole { text: shortened(text), fault };
    let plain = half_width(text);
    if plain.is_empty() {
        return Err(refused(EMPTY));
    }
    let (nanos, rest) =
        number(&plain).map_err(|fault| if fault == PLACES { NOT_WHOLE } else { fault }).map_err(refused)?;
    if !rest.is_empty() {
        return Err(refused(unread(rest)));
    }
    match units_and_nanos(nanos).map_err(refused)? {
        (units, 0) => Ok(units),
        _ => Err(refused(NOT_WHOLE)),
    }
}

/// The number that `text` begins with, in nanos, and what follows it and its blanks. For texts from
/// [`half_width`].
pub(super) fn number(text: &str) -> Result<(i128, &str), &'static str> {
    let (sign, mut rest) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let mut total: i128 = 0;
    let mut before = None;
    loop {
        let (whole, fraction, after) = digits(rest)?;
        let (power, after) = multiplier(after_blanks(after));
        let part = nanos(&whole, fraction, power.unwrap_or(0))?;
        if let Some(before) = before {
            let power = power.ok_or(LAST_MULTIPLIER)?;
            if power >= before || part >= NANOS * 10_i128.pow(before) {
                return Err(DESCENDING);
            }
            // Of 2亿3千 people leave out the 万.
            if power < 4 && power + 4 < before {
                return Err(GAP);
            }
        }
        total = total.checked_add(part).ok_or(OVERFLOW)?;
        rest = after_blanks(after);
        if !rest.starts_with(|c: char| c.is_ascii_digit()) {
            return Ok((sign * total, rest));
        }
        before = Some(power.ok_or(BLANK)?);
        if !fraction.is_empty() {
            return Err(FRACTION_FIRST);
        }
    }
}

/// Whole units and billionths of one, both with the sign of the number.
pub(super) fn units_and_nanos(nanos: i128) -> Result<(i64, i32), &'static str> {
    let units = i64::try_from(nanos / NANOS).map_err(|_| OVERFLOW)?;
    let nanos = i32::try_from(nanos % NANOS).map_err(|_| OVERFLOW)?;
    Ok((units, nanos))
}

/// Why this cannot follow a number.
pub(super) fn unread(text: &str) -> &'static str {
    match text.chars().next() {
        Some('兆') => MEGA,
        Some(c) if is_chinese_numeral(c) => NUMERALS,
        _ if multiplier(text).0.is_some() => MULTIPLIERS,
        _ => FOLLOWS,
    }
}

/// The digits before the point without commas, those after it, and the rest of the text.
fn digits(text: &str) -> Result<(String, &str, &str), &'static str> {
    let end = text.find(|c: char| !matches!(c, '0'..='9' | ',' | '.')).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    if digits.is_empty() {
        return Err(match rest.chars().next() {
            Some(c) if is_chinese_numeral(c) => NUMERALS,
            _ if multiplier(rest).0.is_some() => MULTIPLIER_ALONE,
            _ => NO_NUMBER,
        });
    }
    let (whole, fraction) = match digits.split_once('.') {
        Some(("", _)) => return Err(POINT_FIRST),
        Some((_, "")) => return Err(POINT_LAST),
        Some((_, fraction)) if fraction.contains('.') => return Err(POINTS),
        Some((_, fraction)) if fraction.contains(',') => return Err(GROUPS),
        Some(parts) => parts,
        None => (digits, ""),
    };
    Ok((ungrouped(whole)?, fraction, rest))
}

/// The digits without the commas that group them.
fn ungrouped(digits: &str) -> Result<String, &'static str> {
    if let Some((first, others)) = digits.split_once(',') {
        if !(1..=3).contains(&first.len()) || others.split(',').any(|group| group.len() != 3) {
            return Err(GROUPS);
        }
        if first.starts_with('0') {
            return Err(DECIMAL_COMMA);
        }
    }
    Ok(digits.replace(',', ""))
}

/// The multiplier that the text begins with, as a power of ten, and the rest.
fn multiplier(text: &str) -> (Option<u32>, &str) {
    for (simplified, traditional, power) in POWERS {
        if let Some(rest) = text.strip_prefix(simplified).or_else(|| text.strip_prefix(traditional)) {
            return (Some(power), rest);
        }
    }
    (None, text)
}

/// The decimal number times ten to `power`, in nanos.
fn nanos(whole: &str, fraction: &str, power: u32) -> Result<i128, &'static str> {
    let fraction = fraction.trim_end_matches('0');
    let places = u32::try_from(fraction.len()).map_err(|_| PLACES)?;
    let shift = (power + 9).checked_sub(places).ok_or(PLACES)?;
    // 128 bits hold 38 digits. At most 21 are after the point here: a number that is longer is too large.
    let number: i128 = [whole, fraction].concat().parse().map_err(|_| OVERFLOW)?;
    number.checked_mul(10_i128.pow(shift)).ok_or(OVERFLOW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_read_exactly() {
        for (text, expected) in [
            ("0", 0),
            ("-0", 0),
            ("007", 7),
            ("13000", 13_000),
            ("13,000", 13_000),
            ("1.3万", 13_000),
            ("1.3 万", 13_000),
            ("1.3萬", 13_000),
            ("１．３\u{3000}万", 13_000),
            ("４５，０００", 45_000),
            ("-1,234,567", -1_234_567),
            ("－１", -1),
            ("5.0", 5),
            ("0.00000001亿", 1),
            (" 12 ", 12),
            ("2亿3000万", 230_000_000),
            ("2 亿 3,000 万", 230_000_000),
            ("-2亿3000万", -230_000_000),
            ("1万亿2000亿3000万4百", 1_200_030_000_400),
            ("2亿9999.9999万", 299_999_999),
            ("2千5百", 2_500),
            ("1万亿3000万", 1_000_030_000_000),
            ("3000万5百", 30_000_500),
            ("9223372036854775807", i64::MAX),
            ("-9,223,372,036,854,775,808", i64::MIN),
            ("922337203.6854775807百亿", 9_223_372_036_854_775_807),
            ("0万亿", 0),
        ] {
            assert_eq!(whole(text), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn every_multiplier_is_read_in_both_scripts() {
        for (simplified, traditional, power) in POWERS {
            assert_eq!(whole(&format!("3{simplified}")), Ok(3 * 10_i64.pow(power)));
            assert_eq!(whole(&format!("3{traditional}")), Ok(3 * 10_i64.pow(power)));
        }
    }

    #[test]
    fn what_could_be_misread_is_refused_with_the_reason() {
        for (expected, texts) in [
            (EMPTY, "|\u{3000}"),
            (NO_NUMBER, "-|+5|--5|- 5|(5)|CNY 5|约5"),
            (NUMERALS, "三亿|2亿三千万"),
            (MULTIPLIER_ALONE, "亿|万5"),
            (POINT_FIRST, ".5|-.5|."),
            (POINT_LAST, "5.|5.万"),
            (POINTS, "1.2.3|1..3|1.234.567"),
            (GROUPS, "1,00|4,5000|,5|5,|1234,567|1,234567|1,,234|1.234,567|,|1,23.5"),
            (DECIMAL_COMMA, "0,300|00,300"),
            (BLANK, "1 000|1 000万|12 34亿"),
            (LAST_MULTIPLIER, "3万5|3万5000|2亿3000万5"),
            (DESCENDING, "2亿0.3亿|2亿0万亿|2万3亿|2亿3亿|2千5百万|2亿30000万|2亿10000万|3百5百"),
            (GAP, "2亿3千|2亿5百|1万亿3千|2千万5百"),
            (FRACTION_FIRST, "2.5亿3000万|1.0万亿2亿"),
            (MULTIPLIERS, "12亿亿|1万万|1百万亿|1亿万"),
            (MEGA, "3兆"),
            (NOT_WHOLE, "1.00005万|0.5|0.1234567891|0.0000000000001亿"),
            (FOLLOWS, "1e9|1E9|5元|5%|5-6|5亿-6亿|3十|5多万|1'000|1_000|2亿,3000万|1\n2"),
            (FOLLOWS, "2亿-3000万|5。5"),
            (OVERFLOW, "9223372036854775808|-9223372036854775809|9300000万亿"),
        ] {
            for text in texts.split('|') {
                let error = WrittenError::Whole { text: text.into(), fault: expected };
                assert_eq!(whole(text), Err(error), "{text}");
            }
        }
    }
}
