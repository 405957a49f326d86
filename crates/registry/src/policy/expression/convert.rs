//! The functions of expressions that read texts: exact numbers and days.
//!
//! Invariant: nothing is rounded or guessed: a text that is no number, or no day, is a fault that says so.

use jiff::civil::Date;
use milepost_types::quoted;

/// What a number of `num`, and an investment, is multiplied by to be whole.
const SCALE: i64 = 10_000;
/// Its decimals.
const DECIMALS: usize = 4;

/// The ten thousandths of the number that a text is.
///
/// # Errors
/// Why it is none.
pub(crate) fn number(text: &str) -> Result<i64, String> {
    let is_digits = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let (is_negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let (whole, decimals) = match digits.split_once('.') {
        Some((whole, decimals)) if is_digits(decimals) => (whole, decimals),
        Some(_) => ("", ""),
        None => (digits, ""),
    };
    if !is_digits(whole) {
        return Err(format!("{} is not a number; write it as in 99 or -1.25", quoted(text)));
    }
    if decimals.len() > DECIMALS {
        return Err(format!("{} has more than {DECIMALS} decimals", quoted(text)));
    }
    let decimals = format!("{decimals:0<DECIMALS$}").parse::<i64>().unwrap_or_default();
    let scaled = whole.parse::<i64>().ok().and_then(|whole| scaled(whole, decimals));
    let scaled = scaled.ok_or_else(|| format!("{} is too large to be compared", quoted(text)))?;
    Ok(if is_negative { -scaled } else { scaled })
}

/// A whole number with these ten thousandths; none if it is too large.
pub(crate) fn scaled(whole: i64, decimals: i64) -> Option<i64> {
    whole.checked_mul(SCALE)?.checked_add(decimals)
}

/// A number of ten thousandths as people write it: `1.25`.
pub(crate) fn written(number: i64) -> String {
    let (sign, size) = (if number < 0 { "-" } else { "" }, number.unsigned_abs());
    let (whole, decimals) = (size / SCALE.unsigned_abs(), size % SCALE.unsigned_abs());
    let text = format!("{sign}{whole}.{decimals:0>DECIMALS$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The day that a text is.
///
/// # Errors
/// Why it is none.
pub(crate) fn day(text: &str) -> Result<Date, String> {
    let is_plain = text.len() == 10 && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit());
    let day = if is_plain { text.parse::<Date>().ok() } else { None };
    day.ok_or_else(|| format!("{} is not a day; write it as in 2021-03-05", quoted(text)))
}

/// The whole years from a day until another; before it, less than zero. Who was born on the 29th of February is a
/// year older on the 1st of March of other years.
pub(crate) fn years(from: Date, until: Date) -> i64 {
    let is_before = (until.month(), until.day()) < (from.month(), from.day());
    i64::from(until.year()) - i64::from(from.year()) - i64::from(is_before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn office_3_num_is_exact_to_four_decimals_and_scaled_by_ten_thousand() {
        for (text, number_is) in [
            ("99", Some(990_000)),
            ("100", Some(1_000_000)),
            ("0", Some(0)),
            ("-1.25", Some(-12_500)),
            ("0.0001", Some(1)),
            ("1.5000", Some(15_000)),
            ("007", Some(70_000)),
            ("922337203685477", Some(9_223_372_036_854_770_000)),
            ("922337203685477.5807", Some(i64::MAX)),
            ("922337203685477.5808", None),
            ("99999999999999999999", None),
            ("1.00001", None),
            ("99 people", None),
            ("", None),
            ("-", None),
            ("1.", None),
            (".5", None),
            ("+1", None),
            ("1e3", None),
            ("1,000", None),
            ("１００", None),
            (" 1", None),
            ("--1", None),
            ("1.-5", None),
        ] {
            assert_eq!(number(text).ok(), number_is, "{text:?}");
        }
        assert!(number("99 people").unwrap_err().contains("\"99 people\" is not a number"));
    }

    #[test]
    fn a_number_is_written_as_it_was_read() {
        for text in ["99", "0", "-1.25", "0.0001", "-0.5", "922337203685477.5807", "100"] {
            assert_eq!(written(number(text).unwrap()), text);
        }
    }

    #[test]
    fn office_3_years_are_whole_until_the_day() {
        let on = |text: &str| day(text).unwrap();
        for (from, until, years_are) in [
            ("2018-03-05", "2021-03-05", 3),
            ("2018-03-06", "2021-03-05", 2),
            ("2018-03-05", "2021-03-04", 2),
            ("2020-02-29", "2021-02-28", 0),
            ("2020-02-29", "2021-03-01", 1),
            ("2021-03-05", "2021-03-05", 0),
            ("2021-03-06", "2021-03-05", -1),
        ] {
            assert_eq!(years(on(from), on(until)), years_are, "{from} to {until}");
        }
        for text in ["2021-02-30", "2021-3-5", "20210305", "2021-03-05T00:00:00", "five", "", "二〇二一年"]
        {
            assert!(day(text).is_err(), "{text}");
        }
    }
}
