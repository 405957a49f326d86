//! Texts of every kind: none panics, every fault is at a column that there is. `PROPTEST_CASES` says how
//! many.

use std::fmt::Write;
use std::hint::black_box;
use std::time::Instant;

use proptest::prelude::*;

use super::random::{Style, expressions, rows};
use super::*;

/// Parses, and holds what comes out to what must be so of every filter and of every error.
fn check(text: &str, row: &Row) -> Result<(), TestCaseError> {
    match Filter::parse(text, &SCHEMA) {
        Ok(filter) => {
            let canonical = filter.to_string();
            if canonical.chars().count() <= crate::limits::FILTER_CHARS {
                let again = Filter::parse(&canonical, &SCHEMA);
                prop_assert_eq!(again.as_ref(), Ok(&filter), "{:?} is {:?}", text, canonical);
            }
            black_box(filter.matches(row));
        }
        Err(error) => {
            let last = text.chars().count() + 1;
            for column in error.columns() {
                prop_assert!((1..=last).contains(&column), "{:?}: {:?}", text, error);
            }
            prop_assert!(error.columns().is_sorted() && error.message.len() < 1_500, "{:?}", error);
        }
    }
    Ok(())
}

/// What is done to a valid text.
#[derive(Debug, Clone)]
enum Mutation {
    Delete(usize, usize),
    Insert(usize, String),
    Repeat(usize, usize, usize),
    Swap(usize, usize),
}

impl Mutation {
    fn any() -> impl Strategy<Value = Mutation> {
        let word = "AND|OR|NOT|-|\\(|\\)|\"|'|\\\\|\\*|,|:|=|!|<|\\.| |科|\u{3000}|days\\(|today\\(\\)|.";
        prop_oneof![
            (any::<usize>(), 0..8_usize).prop_map(|(at, count)| Mutation::Delete(at, count)),
            (any::<usize>(), word).prop_map(|(at, word)| Mutation::Insert(at, word)),
            (any::<usize>(), 1..20_usize, 2..80_usize)
                .prop_map(|(at, count, times)| Mutation::Repeat(at, count, times)),
            (any::<usize>(), any::<usize>()).prop_map(|(one, two)| Mutation::Swap(one, two)),
        ]
    }

    fn apply(&self, text: &mut Vec<char>) {
        let length = text.len();
        match self {
            Mutation::Delete(at, count) => {
                let at = at % (length + 1);
                text.drain(at..(at + count).min(length));
            }
            Mutation::Insert(at, word) => {
                let at = at % (length + 1);
                text.splice(at..at, word.chars());
            }
            Mutation::Repeat(at, count, times) => {
                let at = at % (length + 1);
                let piece = text[at..(at + count).min(length)].repeat(*times);
                text.splice(at..at, piece);
            }
            Mutation::Swap(one, two) if length > 0 => text.swap(one % length, two % length),
            Mutation::Swap(..) => {}
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_text_is_read_or_refused(text in any::<String>(), row in rows()) {
        check(&text, &row)?;
    }

    #[test]
    fn words_of_the_language_in_any_order_are_read_or_refused(
        text in "(state|labels|weight|AND|OR|NOT|[-=<>!:.()*,\"'\\\\ ]| |PLANNED|2021-05-27|today\\(\\)|days\\(|科|.){0,40}",
        row in rows(),
    ) {
        check(&text, &row)?;
    }

    #[test]
    fn a_valid_text_with_faults_is_read_or_refused(
        expr in expressions(),
        mut style in Style::any(),
        mutations in prop::collection::vec(Mutation::any(), 1..6),
        row in rows(),
    ) {
        let mut text = expr.text(&mut style).chars().collect();
        mutations.iter().for_each(|mutation| mutation.apply(&mut text));
        check(&text.into_iter().collect::<String>(), &row)?;
    }
}

/// Prints how long a character takes in short and long texts of several kinds; there is nothing to fail.
#[test]
#[ignore = "a measurement: run it alone, in release, with --no-capture"]
fn time_per_character() {
    type Make = fn(usize) -> String;
    let kinds: [(&str, Make); 8] = [
        ("comparisons", |n| "weight = 1 AND key = true ".repeat(n / 26)),
        ("alternatives", |n| format!("state = PLANNED{}", " OR weight < 3".repeat(n / 14))),
        ("values", |n| format!("labels.key = (a{})", " OR \"b*\"".repeat(n / 8))),
        ("one value", |n| format!("display_name = \"{}\"", "科\\*".repeat(n / 3))),
        ("a key", |n| format!("labels.{} = (a OR b)", "k".repeat(n))),
        ("groups", |n| format!("key = true{}", " AND (weight = 1 OR -(weight > 2))".repeat(n / 34))),
        ("faults", |n| "nope = 1 ".repeat(n / 9)),
        ("unclosed", |n| "weight = 1 (".repeat(n / 12)),
    ];
    let row = avenue();
    for (kind, make) in kinds {
        let mut line = format!("{kind:>14}");
        for chars in [100, 1_000, 10_000] {
            let text = make(chars);
            let limits = Limits { chars: usize::MAX, comparisons: usize::MAX, depth: usize::MAX };
            let (begin, rounds) = (Instant::now(), 2_000_000 / chars);
            for _ in 0..rounds {
                let parsed = Filter::parse_within(black_box(&text), &SCHEMA, limits);
                black_box(
                    parsed
                        .map(|filter| filter.matches(&row))
                        .map_err(|faults| FilterError::of(&text, faults))
                        .ok(),
                );
            }
            let nanos = begin.elapsed().as_nanos() as f64 / (rounds * text.chars().count()) as f64;
            write!(line, "  {chars:>6}: {nanos:>6.1} ns").unwrap();
        }
        println!("{line}");
    }
}
