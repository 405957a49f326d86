//! Limits, and which filters are equal.

use std::collections::HashSet;

use super::*;

#[test]
fn a_filter_has_limits() {
    let comparisons = |n: usize| vec!["weight = 1"; n].join(" AND ");
    assert_eq!(parse(&comparisons(64)).conjuncts().len(), 1);
    let error = Filter::parse(&comparisons(65), &SCHEMA).unwrap_err();
    assert_eq!(error.column, 64 * 15 + 1);
    let name = |n: usize| format!("display_name = {}", "科".repeat(n - 15));
    assert!(Filter::parse(&name(8192), &SCHEMA).is_ok());
    assert_eq!(Filter::parse(&name(8193), &SCHEMA).unwrap_err().column, 8193);
    let values = |n: usize| format!("weight = ({})", vec!["1"; n].join(" OR "));
    assert!(Filter::parse(&values(64), &SCHEMA).is_ok());
    assert_eq!(Filter::parse(&values(65), &SCHEMA).unwrap_err().column, 11 + 64 * 5);
    let huge = Filter::parse(&"(".repeat(10_000_000), &SCHEMA).unwrap_err();
    assert!(huge.message.len() < 200);
}

#[test]
fn nesting_has_a_limit_and_no_depth_overflows_the_stack() {
    let nested = |n: usize| format!("{}key = true{}", "(".repeat(n), ")".repeat(n));
    assert_eq!(parse(&nested(32)), parse("key = true"));
    assert_eq!(Filter::parse(&nested(33), &SCHEMA).unwrap_err().column, 33);
    assert_eq!(parse(&"(key = true) ".repeat(40)), parse("key = true"), "side by side is not nested");
    let negated = |n: usize| format!("{}key = true{}", "NOT (".repeat(n), ")".repeat(n));
    assert_eq!(parse(&negated(32)), parse("key = true"));
    assert_eq!(parse(&negated(31)), parse("key != true"));
    assert_eq!(Filter::parse(&negated(33), &SCHEMA).unwrap_err().column, 32 * 5 + 5);
    let values = |n: usize| format!("weight = {}1{}", "(".repeat(n), ")".repeat(n));
    assert_eq!(parse(&values(32)), parse("weight = 1"));
    assert!(Filter::parse(&values(33), &SCHEMA).unwrap_err().message.contains("nested more than 32 deep"));
    // Each pair of parentheses goes two deeper here: OR within AND needs none of its own.
    let alternating = |n: u64| {
        (0..n).fold("weight = 0".to_owned(), |inner, i| {
            format!("weight = {} OR (weight = {} AND {inner})", 2 * i + 1, 2 * i + 2)
        })
    };
    let deepest = parse(&alternating(16));
    assert_eq!(Filter::parse(&deepest.to_string(), &SCHEMA), Ok(deepest));
    let error = Filter::parse(&alternating(17), &SCHEMA).unwrap_err();
    assert!(error.message.contains("stand in each other more than 32 deep"), "{error}");
    for text in ["(".repeat(8000), "NOT (".repeat(1600), "-(".repeat(4000), "a=(".repeat(2600)] {
        assert!(Filter::parse(&text, &SCHEMA).is_err());
    }
}

#[test]
fn filters_that_say_the_same_are_equal() {
    for (one, other) in [
        ("state = PLANNED AND key = true", " key:\"true\"   state:PLANNED "),
        ("weight = 1", "weight = 1 AND weight = 01"),
        ("commit_time = 2021-05-27T00:00:00Z", "commit_time = '2021-05-27T08:00:00.000+08:00'"),
        ("display_name:a", "display_name = *a*"),
        ("display_name:*", "display_name = \"*\""),
        ("display_name:\"\"", "display_name:*"),
        ("labels:sector", "labels.sector:*"),
        ("labels.sector:a", "labels.\"sector\" = 'a'"),
    ] {
        assert_eq!(parse(one), parse(other));
        assert_eq!(parse(one).to_string(), parse(other).to_string());
        assert_eq!(HashSet::from([parse(one), parse(other)]).len(), 1);
    }
    assert_ne!(parse("display_name = a"), parse("display_name = A"));
    assert_ne!(parse("labels.a = x"), parse("labels.b = x"));
    assert_eq!(
        parse("labels:sector subject:portfolios/p state:PLANNED commit_time>2021-05-27T08:00:00+08:00 site.district!=*")
            .to_string(),
        "commit_time > 2021-05-27T00:00:00Z AND labels.sector:* AND site.district != \"*\" AND state = PLANNED \
         AND subject:\"portfolios/p\""
    );
}

#[test]
fn alternatives_and_negations_have_one_form() {
    for (one, canonical) in [
        ("weight = 2 OR weight = 1 OR weight = 2", "weight = 1 OR weight = 2"),
        ("weight = (2 OR 1 OR 01)", "weight = 1 OR weight = 2"),
        ("key = true AND weight = 1 OR weight = 2", "key = true AND (weight = 1 OR weight = 2)"),
        ("(weight = 1 AND key = true) OR state = PLANNED", "state = PLANNED OR (key = true AND weight = 1)"),
        ("((weight = 1) AND (key = true AND (weight = 1)))", "key = true AND weight = 1"),
        ("key = true AND (weight = 1 OR weight = 1)", "key = true AND weight = 1"),
        (
            "(key = true AND key = true) OR (weight = 1 AND (weight = 1 OR weight = 1))",
            "key = true OR weight = 1",
        ),
        ("weight = 1 OR (key = true OR key = true AND key = true)", "key = true OR weight = 1"),
        ("NOT (key = true OR weight < 1)", "key != true AND NOT weight < 1"),
        ("-(key != true AND weight:*)", "key = true OR weight != \"*\""),
        ("NOT (labels:a OR changed_fields:*)", "NOT changed_fields:* AND labels.a != \"*\""),
        ("NOT changed_fields:x", "NOT changed_fields:\"x\""),
        ("NOT subject:portfolios/p", "NOT subject:\"portfolios/p\""),
        ("state = (NOT PLANNED)", "state != PLANNED"),
        ("planned_period.start < days(0)", "planned_period.start < today()"),
        ("planned_period.start < days(-7)", "planned_period.start < days(-7)"),
        ("site.latitude = -0.0", "site.latitude = 0.0"),
        ("site.latitude = 1e300", "site.latitude = 1e300"),
        ("lead_time = -0.50s", "lead_time = -0.5s"),
        ("investment = -0.50", "investment = -0.5"),
        ("investment = \"CNY 1.00\"", "investment = \"CNY 1\""),
        ("levels:NATIONAL", "levels:LEVEL_NATIONAL"),
    ] {
        let filter = parse(one);
        assert_eq!(filter.to_string(), canonical, "{one}");
        assert_eq!(parse(canonical), filter, "{one}");
    }
    // What is absent is in both of the first and in none of the second.
    assert_ne!(parse("NOT weight < 1"), parse("weight >= 1"));
}

#[test]
fn an_enum_value_may_be_named_without_the_prefix_that_all_share() {
    static SCHEMA: Schema<F> = Schema::new(&[
        Field::new("status", FieldType::Enum(&["STATUS_PROPOSED", "STATUS_IN_SERVICE"]), F::State),
        Field::new("state", FieldType::Enum(&["NOT_MET", "ACHIEVED"]), F::State),
    ]);
    let parse = |text: &str| Filter::<F>::parse(text, &SCHEMA);
    assert_eq!(parse("status = IN_SERVICE").unwrap(), parse("status = STATUS_IN_SERVICE").unwrap());
    for nonsense in ["status = SERVICE", "status = _PROPOSED", "status = \"\"", "state = MET"] {
        assert!(parse(nonsense).is_err(), "{nonsense}");
    }
}

#[test]
fn the_values_of_an_enum_are_listed_without_the_prefix_that_all_share() {
    static SCHEMA: Schema<F> = Schema::new(&[
        Field::new("status", FieldType::Enum(&["STATUS_IN_SERVICE", "STATUS_IN_USE"]), F::State),
        Field::new("state", FieldType::Enum(&["NOT_MET", "ACHIEVED"]), F::State),
    ]);
    let refused = |text: &str| Filter::<F>::parse(text, &SCHEMA).unwrap_err().message;
    assert!(refused("status = X").ends_with("give one of SERVICE, USE"), "{}", refused("status = X"));
    assert!(refused("state = X").ends_with("give one of NOT_MET, ACHIEVED"), "{}", refused("state = X"));
}
