//! What an index may be asked for, and that alternatives and negations are no bounds.

use super::*;

#[test]
fn an_index_can_be_chosen() {
    let filter =
        parse("state = PLANNED AND subject:portfolios/p subject = \"portfolios/p/projects/*\" weight > 1");
    assert_eq!(filter.equality_on(F::State), Some(&Operand::Enum("PLANNED")));
    assert_eq!(filter.equality_on(F::Subject), None);
    assert_eq!(filter.equality_on(F::Weight), None);
    assert_eq!(filter.prefix_on(F::Subject), Some("portfolios/p/projects/"));
    assert_eq!(filter.prefix_on(F::State), None);
    let filter = parse("display_name = a AND labels.sector = a AND site.district = \"*a\"");
    assert_eq!(filter.equality_on(F::DisplayName), Some(&Operand::Text(Pattern::Whole("a".into()))));
    assert_eq!(filter.prefix_on(F::DisplayName), Some("a"));
    assert_eq!((filter.equality_on(F::Labels), filter.prefix_on(F::Labels)), (None, None));
    assert_eq!((filter.equality_on(F::District), filter.prefix_on(F::District)), (None, None));
    assert!(parse("").is_all() && Filter::<F>::all() == parse(" "));
}

#[test]
fn alternatives_and_negations_bound_nothing() {
    for text in [
        "state = PLANNED OR weight = 1",
        "state = (PLANNED OR ACHIEVED)",
        "NOT state = PLANNED",
        "(state = PLANNED AND subject:portfolios/p) OR key = true",
        "NOT (state != PLANNED AND subject:portfolios/p)",
        "key = true AND (state = PLANNED OR subject = \"portfolios/p\")",
        "NOT subject:portfolios/p",
        "NOT subject = \"portfolios/*\"",
    ] {
        let filter = parse(text);
        assert_eq!(filter.equality_on(F::State), None, "{text}");
        assert_eq!(filter.prefix_on(F::Subject), None, "{text}");
        let bounds = |field| filter.conjuncts().iter().any(|c| c.field() == field && !is_negative(c));
        assert!(!bounds(F::State) && !bounds(F::Subject), "{text}");
    }
    for text in [
        "state = PLANNED AND (weight = 1 OR weight = 2)",
        "weight = 1 OR weight = 2 state = PLANNED",
        "NOT (state != PLANNED OR weight = 1)",
        "state = (PLANNED OR PLANNED)",
    ] {
        assert_eq!(parse(text).equality_on(F::State), Some(&Operand::Enum("PLANNED")), "{text}");
    }
    // It differs from row to row what these are equal to.
    assert_eq!(parse("planned_period.start = today()").equality_on(F::Start), None);
    assert_eq!(parse("investment = 1").equality_on(F::Investment), None);
}

fn is_negative(comparison: &Comparison<F>) -> bool {
    matches!(comparison.test(), Test::Not(_) | Test::Absent | Test::Compare(Operator::NotEqual, _))
}

#[test]
fn every_comparison_can_be_evaluated() {
    let filter = parse("weight = 1 AND (key = true OR (state = PLANNED AND display_name = a))");
    for field in [F::Weight, F::Key, F::State, F::DisplayName] {
        assert!(filter.any_comparison(|comparison| comparison.field() == field), "{field:?}");
    }
    assert!(!filter.any_comparison(|comparison| comparison.field() == F::Subject));
}

#[test]
fn alternatives_of_one_field_are_told_all_together_or_not_at_all() {
    let one_of =
        |text: &str| parse(text).one_of(F::State).map(|operands| operands.into_iter().cloned().collect());
    let (planned, achieved) = (Operand::Enum("PLANNED"), Operand::Enum("ACHIEVED"));
    assert_eq!(one_of("state = PLANNED AND key = true"), Some(vec![planned.clone()]));
    let both = Some(vec![achieved, planned.clone()]);
    assert_eq!(one_of("state = (PLANNED OR ACHIEVED)"), both);
    assert_eq!(one_of("weight = 1 OR weight = 2 AND state = PLANNED OR state = ACHIEVED"), both);
    for text in [
        "",
        "state = PLANNED OR weight = 1",
        "state = PLANNED OR state != ACHIEVED",
        "NOT state = (PLANNED OR ACHIEVED)",
        "state = PLANNED OR (state = ACHIEVED AND weight = 1)",
        "(state = PLANNED AND key = true) OR (state = ACHIEVED AND weight = 1)",
    ] {
        assert_eq!(one_of(text), None::<Vec<_>>, "{text}");
    }
}
