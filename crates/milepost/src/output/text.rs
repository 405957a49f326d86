//! Values as text: dates, money, names, states. Times are in `zone`.
//!
//! Invariant: what is absent is `-`, what is zero is `0`; no amount is rounded. Names are shortened to
//! their ids, which the command line takes back.

use anstyle::{AnsiColor, Style};
use milepost_proto::google::r#type::{Date, Money};

/// What stands for an absent value in a table.
pub const ABSENT: &str = "-";

/// The days of the week from the first one, as in ISO 8601.
pub const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// `2021-05-27`, or `-`.
pub fn date(date: Option<&Date>) -> String {
    let text = |Date { year, month, day }: &Date| format!("{year:04}-{month:02}-{day:02}");
    date.map_or_else(|| ABSENT.to_owned(), text)
}

/// `CNY 28,360,000,000`, with as many decimal places as it has; or `-`.
pub fn money(money: Option<&Money>) -> String {
    let Some(money) = money else { return ABSENT.to_owned() };
    let plain = plain_amount(money);
    let (whole, places) = plain.split_at(plain.find('.').unwrap_or(plain.len()));
    format!("{} {}{places}", money.currency_code, grouped(whole))
}

/// `28360000000.5`, with as many decimal places as it has.
pub fn plain_amount(money: &Money) -> String {
    let sign = if money.units < 0 || money.nanos < 0 { "-" } else { "" };
    let places = format!(".{:09}", money.nanos.unsigned_abs());
    let places = places.trim_end_matches('0').trim_end_matches('.');
    format!("{sign}{}{places}", money.units.unsigned_abs())
}

/// `28,360,000,000`.
pub fn grouped(number: &str) -> String {
    let (mut text, first) = (number.to_owned(), usize::from(number.starts_with('-')) + 1);
    for at in (first..number.len()).rev().filter(|at| (number.len() - at).is_multiple_of(3)) {
        text.insert(at, ',');
    }
    text
}

/// The ids of a resource name, joined: `p/x` for `portfolios/p/projects/x`.
pub fn ids(name: &str) -> String {
    let segments: Vec<&str> = name.split('/').collect();
    if !segments.len().is_multiple_of(2) {
        return name.to_owned();
    }
    segments.into_iter().skip(1).step_by(2).collect::<Vec<_>>().join("/")
}

/// The ids of a resource name without those of the parent that it is listed under, as far as that one has
/// no `-`: `x/m` under `portfolios/p/projects/-`.
pub fn ids_under(name: &str, parent: &str) -> String {
    let (own, parent): (Vec<&str>, Vec<&str>) = (name.split('/').collect(), parent.split('/').collect());
    let known = parent.chunks(2).take_while(|pair| pair[1..] != ["-"]).flatten().copied();
    match own.strip_prefix(&known.collect::<Vec<_>>()[..]) {
        Some(rest) if !rest.is_empty() => ids(&rest.join("/")),
        _ => ids(name),
    }
}

/// How a state looks: green where it is good news, yellow and red where it is not.
pub fn style_of_state(code: &str) -> Style {
    let colour = match code {
        "ACHIEVED" | "COMPLETED" | "IN_SERVICE" | "STARTED" | "ON_TRACK" | "GREEN" => AnsiColor::Green,
        "CONSTRUCTION" => AnsiColor::Cyan,
        "DUE_SOON" | "AT_RISK" | "PARTIALLY_ACHIEVED" | "SUSPENDED" | "YELLOW" => AnsiColor::Yellow,
        "LATE" | "OVERDUE" | "NOT_MET" | "RED" => AnsiColor::Red,
        "BLUE" => AnsiColor::Blue,
        "CANCELLED" => AnsiColor::BrightBlack,
        _ => return Style::new(),
    };
    Style::new().fg_color(Some(colour.into()))
}

/// A text that may be absent, or `-`.
pub fn or_absent(text: &str) -> String {
    if text.is_empty() { ABSENT.to_owned() } else { text.to_owned() }
}

/// Whether a character is seen in nothing but the order of the characters beside it.
pub fn reorders(character: char) -> bool {
    matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

/// `1 event`, `2 events`.
pub fn count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(&number.to_string()), if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_exact_and_grouped_and_absent_is_not_zero() {
        let money_of = |units, nanos| Money { currency_code: "CNY".into(), units, nanos };
        assert_eq!(money(None), "-");
        assert_eq!(money(Some(&money_of(0, 0))), "CNY 0");
        assert_eq!(money(Some(&money_of(28_360_000_000, 0))), "CNY 28,360,000,000");
        assert_eq!(money(Some(&money_of(-1234, -500_000_000))), "CNY -1,234.5");
        assert_eq!(money(Some(&money_of(0, 1))), "CNY 0.000000001");
        assert_eq!(money(Some(&money_of(i64::MIN, 0))), "CNY -9,223,372,036,854,775,808");
    }

    #[test]
    fn dates_are_as_in_iso_8601() {
        assert_eq!(date(Some(&Date { year: 2021, month: 5, day: 27 })), "2021-05-27");
        assert_eq!(date(None), "-");
    }

    #[test]
    fn names_become_ids_and_anything_else_stays() {
        assert_eq!(ids("portfolios/p/projects/x/milestones/m"), "p/x/m");
        assert_eq!(ids("organizations/o"), "o");
        assert_eq!(ids("odd/one/out"), "odd/one/out");
        assert_eq!(ids(""), "");
    }

    #[test]
    fn what_every_line_of_a_list_would_repeat_is_left_out() {
        let name = "portfolios/p/projects/x/milestones/m";
        for (parent, shown) in [
            ("portfolios/p/projects/x", "m"),
            ("portfolios/p/projects/-", "x/m"),
            ("portfolios/-/projects/-", "p/x/m"),
            ("portfolios/other", "p/x/m"),
            ("", "p/x/m"),
        ] {
            assert_eq!(ids_under(name, parent), shown, "{parent}");
        }
        assert_eq!(ids_under("organizations/o", ""), "o");
    }

    #[test]
    fn one_is_not_many() {
        assert_eq!(count(1, "event", "events"), "1 event");
        assert_eq!(count(1200, "event", "events"), "1,200 events");
    }
}
