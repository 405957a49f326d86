//! What holds for every filter: it means what a naive reading of it means, and its canonical text says the
//! same.

use proptest::prelude::*;

use super::random::{Expr, Style, expressions, rows};
use super::*;
use crate::filter::syntax::{Limits, steps};

fn quoted_text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "[a-c科学 ]{0,3}",
        Just("\\*".to_owned()),
        Just("\\\"".to_owned()),
        Just("\\\\".to_owned()),
        Just("'".to_owned()),
        Just("\n".to_owned()),
        Just("AND".to_owned()),
    ];
    let inner = prop::collection::vec(part, 0..4).prop_map(|parts| parts.concat());
    (prop::sample::select(&["", "*"][..]), inner, prop::sample::select(&["", "*"][..]))
        .prop_map(|(before, inner, after)| format!("\"{before}{inner}{after}\""))
}

/// Whether what a filter promises to whoever looks into an index holds for a row that matches.
fn keeps_its_bounds(filter: &Filter<F>, row: &Row) -> bool {
    filter.conjuncts().iter().all(|comparison| comparison.matches(row))
        && filter.prefix_on(F::Subject).is_none_or(|prefix| row.subject.starts_with(prefix))
        && filter.prefix_on(F::DisplayName).is_none_or(|prefix| row.display_name.starts_with(prefix))
        && filter.one_of(F::State).is_none_or(|states| {
            states.iter().any(|state| matches!(state, Operand::Enum(name) if row.state == Some(*name)))
        })
        && match filter.equality_on(F::State) {
            None => true,
            Some(Operand::Enum(name)) => row.state == Some(*name),
            Some(_) => false,
        }
        && match filter.equality_on(F::Weight) {
            None => true,
            Some(Operand::Int(number)) => row.weight == Some(*number),
            Some(_) => false,
        }
}

proptest! {
    #[test]
    fn a_filter_means_what_its_expression_means(
        expr in expressions(),
        mut styles in (Style::any(), Style::any()),
        sample in prop::collection::vec(rows(), 12),
    ) {
        let text = expr.text(&mut styles.0);
        let filter = parse(&text);
        for row in &sample {
            prop_assert_eq!(filter.matches(row), expr.holds(row), "{} on {:?}", text, row);
            prop_assert!(!filter.matches(row) || keeps_its_bounds(&filter, row), "{} on {:?}", text, row);
        }
        let canonical = filter.to_string();
        let again = Filter::parse(&canonical, &SCHEMA);
        prop_assert_eq!(again.as_ref(), Ok(&filter), "{} is {}", text, canonical);
        prop_assert_eq!(again.unwrap().to_string(), canonical);
        // Another order and other spellings are the same filter.
        prop_assert_eq!(&parse(&expr.reversed().text(&mut styles.1)), &filter, "{}", text);
        let twice = Expr::All(vec![expr.clone(), expr]);
        prop_assert_eq!(&parse(&twice.text(&mut styles.1)), &filter, "{}", text);
    }

    #[test]
    fn not_is_the_opposite(expr in expressions(), mut style in Style::any(), row in rows()) {
        let text = expr.text(&mut style);
        let (filter, not) = (parse(&text), parse(&format!("NOT ({text})")));
        prop_assert_ne!(filter.matches(&row), not.matches(&row), "{} is {}", text, not);
        prop_assert_eq!(parse(&format!("-({not})")), filter);
    }

    #[test]
    fn not_equal_is_the_opposite_of_equal(text in quoted_text(), row in rows()) {
        for field in ["display_name", "site.district", "labels.sector"] {
            if let Ok(equal) = Filter::parse(&format!("{field} = {text}"), &SCHEMA) {
                let unequal = parse(&format!("{field} != {text}"));
                prop_assert_ne!(equal.matches(&row), unequal.matches(&row), "{} {}", field, text);
                prop_assert_eq!(parse(&equal.to_string()), equal);
                prop_assert_eq!(parse(&format!("NOT {unequal}")), parse(&format!("{field} = {text}")));
            }
        }
    }

    #[test]
    fn numbers_are_written_as_they_are_read(
        number: f64,
        nanos in -999_999_999..=999_999_999_i32,
        seconds in 0..1_i64 << 30,
    ) {
        prop_assume!(number.is_finite());
        let double = parse(&format!("site.latitude = {number:?}"));
        prop_assert_eq!(&parse(&double.to_string()), &double);
        let row = Row { latitude: Some(number), ..Row::default() };
        prop_assert!(double.matches(&row), "{}", double);
        let sign = if nanos < 0 { "-" } else { "" };
        let decimal = format!("{sign}{seconds}.{:09}", nanos.abs());
        let amounts = format!("investment = {decimal} AND investment = \"EUR {decimal}\"");
        let filter = parse(&format!("lead_time = {decimal}s AND {amounts}"));
        prop_assert_eq!(&parse(&filter.to_string()), &filter);
        let signed = if nanos < 0 { -seconds } else { seconds };
        let row = Row {
            lead: Some(SignedDuration::new(signed, nanos)),
            investment: Some(Money::new("EUR".parse().unwrap(), signed, nanos).unwrap()),
            ..Row::default()
        };
        prop_assert!(filter.matches(&row), "{} on {:?}", filter, row);
    }

    #[test]
    fn no_character_is_read_again_and_again(
        piece in "(state|labels|weight|AND|OR|NOT|[-=<>!:.()*,\"'\\\\ ]|PLANNED|2021-05-27|days\\(1\\)|a = 1|科| ){1,6}",
        times in 1..400_usize,
    ) {
        let text = piece.repeat(times);
        let wide = Limits { chars: usize::MAX, comparisons: usize::MAX, depth: 32 };
        prop_assert!(steps(&text, wide) <= 24 * text.len() + 40, "{} for {}", steps(&text, wide), text.len());
    }
}
