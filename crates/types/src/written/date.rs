//! Dates and ranges of dates as people write them.
//!
//! Invariant: the digits of an accepted date are year, month and day in this order, and the year has four of
//! them. Forms that put the day or the month first are refused: whether 05/06 is in May or in June depends on
//! who wrote it. Times of day, weekdays and Chinese numerals are not read.

use jiff::ToSpan;
use jiff::civil::Date;

use super::characters::{after_blanks, half_width, is_chinese_numeral, leading_digits};
use super::error::WrittenError;
use crate::date::date_from_parts;
use crate::limits::WRITTEN_RANGE_DAYS;
use crate::quote::shortened;

const EMPTY: &str = "it is empty";
const NUMERALS: &str = "Chinese numerals are not read, only digits";
const YEAR: &str = "the year stands first and has four digits";
const COMPACT: &str = "without separators it has exactly eight digits";
const SEPARATORS: &str = "its parts are not separated by - or / or . both times, nor by 年, 月 and 日";
const MIXED: &str = "its two separators differ";
const NO_MONTH: &str = "it has no month and no day";
const NO_DAY: &str = "it has no day";
const LENGTH: &str = "month and day have one or two digits each";
const FOLLOWS: &str = "something follows the date";
const NO_SUCH_DAY: &str = "there is no such day";
const REVERSED: &str = "its first day is after its last";
const TOO_LONG: &str = "it has more days";

/// The date that `text` says: `2026-09-30`, `2026/9/30`, `2026.9.30`, `20260930`, `2026年9月30日` or
/// `2026年9月30号`, in the years 1 to 9999. Anything else is [`WrittenError::Date`].
pub fn date(text: &str) -> Result<Date, WrittenError> {
    read(&half_width(text)).map_err(|fault| WrittenError::Date { text: shortened(text), fault })
}

/// The days that `text` says, ascending: one date as [`date`] reads it, or the range `2026-10-01..2026-10-07`
/// with both ends, of at most [`WRITTEN_RANGE_DAYS`] days. An end that is no date is [`WrittenError::Date`],
/// anything else that is refused [`WrittenError::Dates`].
pub fn dates(text: &str) -> Result<Vec<Date>, WrittenError> {
    let refused = |fault| WrittenError::Dates { text: shortened(text), fault };
    let plain = half_width(text);
    let Some((first, last)) = plain.split_once("..") else {
        return read(&plain).map(|date| vec![date]).map_err(refused);
    };
    let (first, last) = (date(first)?, date(last)?);
    if last < first {
        return Err(refused(REVERSED));
    }
    let days = first.series(1.day()).take_while(|day| *day <= last);
    // One more than is allowed shows that there are too many.
    let days: Vec<_> = days.take(WRITTEN_RANGE_DAYS + 1).collect();
    if days.len() > WRITTEN_RANGE_DAYS { Err(refused(TOO_LONG)) } else { Ok(days) }
}

fn read(text: &str) -> Result<Date, &'static str> {
    if text.is_empty() {
        return Err(EMPTY);
    }
    if text.contains(is_chinese_numeral) {
        return Err(NUMERALS);
    }
    let (digits, rest) = leading_digits(text);
    let (year, month, day) = match digits.len() {
        8 if rest.is_empty() => (&digits[..4], &digits[4..6], &digits[6..]),
        8 => return Err(FOLLOWS),
        4 => {
            let (month, day) = month_and_day(rest)?;
            (digits, month, day)
        }
        0 => return Err(YEAR),
        _ if rest.is_empty() => return Err(COMPACT),
        _ => return Err(YEAR),
    };
    if ![month, day].iter().all(|part| (1..=2).contains(&part.len())) {
        return Err(LENGTH);
    }
    date_from_parts(number(year), number(month), number(day)).map_err(|_| NO_SUCH_DAY)
}

/// The digits of month and day, from what follows the year.
fn month_and_day(text: &str) -> Result<(&str, &str), &'static str> {
    if let Some(rest) = after_blanks(text).strip_prefix('年') {
        return chinese(rest);
    }
    let mut rest = text.chars();
    let separator = match rest.next() {
        Some(separator) if is_separator(separator) => separator,
        Some(_) => return Err(SEPARATORS),
        None => return Err(NO_MONTH),
    };
    let (month, rest) = leading_digits(rest.as_str());
    let mut rest = rest.chars();
    match rest.next() {
        Some(second) if second == separator => {}
        Some(second) if is_separator(second) => return Err(MIXED),
        Some(_) => return Err(SEPARATORS),
        None if month.is_empty() => return Err(NO_MONTH),
        None => return Err(NO_DAY),
    }
    let (day, rest) = leading_digits(rest.as_str());
    match (day.is_empty(), rest.is_empty()) {
        (true, _) => Err(NO_DAY),
        (false, false) => Err(FOLLOWS),
        (false, true) => Ok((month, day)),
    }
}

/// As [`month_and_day`], from what follows 年.
fn chinese(text: &str) -> Result<(&str, &str), &'static str> {
    let (month, rest) = leading_digits(after_blanks(text));
    let rest = after_blanks(rest);
    if month.is_empty() && rest.is_empty() {
        return Err(NO_MONTH);
    }
    let rest = rest.strip_prefix('月').ok_or(SEPARATORS)?;
    let (day, rest) = leading_digits(after_blanks(rest));
    if day.is_empty() {
        return Err(NO_DAY);
    }
    let rest = after_blanks(rest).strip_prefix(['日', '号']).ok_or(SEPARATORS)?;
    if rest.is_empty() { Ok((month, day)) } else { Err(FOLLOWS) }
}

fn is_separator(c: char) -> bool {
    matches!(c, '-' | '/' | '.')
}

/// The number of at most four digits.
fn number(digits: &str) -> i32 {
    digits.bytes().fold(0, |number, digit| 10 * number + i32::from(digit - b'0'))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date as day;

    use super::*;

    fn fault(text: &str) -> &'static str {
        match date(text) {
            Err(WrittenError::Date { fault, .. }) => fault,
            other => panic!("{text:?} is {other:?}"),
        }
    }

    #[test]
    fn a_date_is_read_in_every_form() {
        for texts in [
            "2026-09-03|2026-9-3|2026-09-3|2026/09/03|2026/9/3|2026.09.03|2026.9.3|20260903",
            "2026年9月3日|2026年09月03日|2026年9月3号|2026 年 9 月 3 日",
            "2026\u{3000}年\u{3000}9\u{3000}月\u{3000}3\u{3000}号| 2026-09-03 |\u{3000}2026/9/3\u{3000}",
            "\t20260903\n|２０２６-０９-０３|２０２６－９－３|２０２６／０９／０３|２０２６．９．３",
            "２０２６０９０３|２０２６年９月３日|２０２６年０９月3号",
        ] {
            for text in texts.split('|') {
                assert_eq!(date(text), Ok(day(2026, 9, 3)), "{text:?}");
            }
        }
        assert_eq!(date("2024-02-29"), Ok(day(2024, 2, 29)));
        assert_eq!(date("00010101"), Ok(day(1, 1, 1)));
        assert_eq!(date("9999年12月31日"), Ok(day(9999, 12, 31)));
    }

    #[test]
    fn what_could_be_misread_is_refused_with_the_reason() {
        for (expected, texts) in [
            (EMPTY, "| \u{3000}"),
            (YEAR, "27.05.2021|05/27/2021|5/6/21|26-09-30|26年9月30日|12026-09-30|today"),
            (YEAR, "-2026-09-30|27 May 2021|公元2026年9月30日|09-30"),
            (SEPARATORS, "2021 05 27|2026_09_30|2026-9月30日|2026年9-30|2026年9月30"),
            (SEPARATORS, "2026 -09-30|2026- 09-30|2026年1 0月3日|2026年\n9月3日"),
            (SEPARATORS, "2026−09−30|2026-Sep-30"),
            (COMPACT, "2026093|260930|202609300"),
            (NO_MONTH, "2026|2026-|2026年"),
            (NO_DAY, "2026-09|2026/9|2026-09-|2026年9月|2026年9月日"),
            (MIXED, "2026-09/30|2026/09.30|2026.9-30"),
            (LENGTH, "2026-009-30|2026-09-030|2026--30|2026年009月30日|2026年月30日"),
            (FOLLOWS, "2026-09-30T00:00|2026-09-30 00:00:00|2026-09-30.|20260930 1|20260930-1"),
            (FOLLOWS, "2026年9月30日前|2026-09-30..2026-10-01|2026年9月30日日"),
            (NUMERALS, "二〇二一年五月二十七日|2021年五月27日"),
            (NO_SUCH_DAY, "2021-02-30|2021-02-29|2021年4月31日|20211301|2021-00-01|2021.1.0"),
            (NO_SUCH_DAY, "0000-01-01|27052021|05272021"),
        ] {
            for text in texts.split('|') {
                assert_eq!(fault(text), expected, "{text:?}");
            }
        }
    }

    #[test]
    fn a_range_has_both_ends() {
        assert_eq!(dates("2026-10-01"), Ok(vec![day(2026, 10, 1)]));
        let week: Vec<_> = (1..=7).map(|of_month| day(2026, 10, of_month)).collect();
        for text in [
            "2026-10-01..2026-10-07",
            " 2026.10.1 .. 2026.10.7 ",
            "20261001..2026年10月7日",
            "２０２６．１０．１．．２０２６．１０．７",
        ] {
            assert_eq!(dates(text).as_ref(), Ok(&week), "{text:?}");
        }
        assert_eq!(dates("2026-10-01..2026-10-01"), Ok(vec![day(2026, 10, 1)]));
        assert_eq!(dates("2026-12-31..2027-01-01"), Ok(vec![day(2026, 12, 31), day(2027, 1, 1)]));
        assert_eq!(dates("9999-12-30..9999-12-31"), Ok(vec![day(9999, 12, 30), day(9999, 12, 31)]));
    }

    #[test]
    fn a_range_has_at_most_400_days_and_does_not_run_back() {
        let days = dates("2026-01-01..2027-02-04").unwrap();
        assert_eq!(
            (days.len(), days.first(), days.last()),
            (400, Some(&day(2026, 1, 1)), Some(&day(2027, 2, 4)))
        );
        for (text, expected) in [
            ("2026-01-01..2027-02-05", TOO_LONG),
            ("0001-01-01..9999-12-31", TOO_LONG),
            ("2026-10-07..2026-10-01", REVERSED),
            ("2026-10-01至2026-10-07", FOLLOWS),
            ("", EMPTY),
            ("2026-10-01,2026-10-02", FOLLOWS),
            ("2026-10", NO_DAY),
        ] {
            assert_eq!(dates(text), Err(WrittenError::Dates { text: text.into(), fault: expected }));
        }
    }

    #[test]
    fn an_end_that_is_no_date_is_quoted_alone() {
        for (text, end, expected) in [
            ("2026-10-01..2026-02-30", "2026-02-30", NO_SUCH_DAY),
            ("10-01..2026-10-07", "10-01", YEAR),
            ("2026-10-01..", "", EMPTY),
            ("2026-10-01...2026-10-07", ".2026-10-07", YEAR),
            ("2026-10-01..2026-10-07..2026-10-09", "2026-10-07..2026-10-09", FOLLOWS),
        ] {
            assert_eq!(dates(text), Err(WrittenError::Date { text: end.into(), fault: expected }));
        }
    }
}
