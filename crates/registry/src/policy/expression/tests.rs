//! What expressions are accepted, where the others are at fault, and what they come to.

use std::collections::BTreeMap;

use milepost_proto::google::r#type::Money;
use milepost_proto::registry::v1::{Identifier, Organization, Party, Project, organization, project};
use proptest::prelude::*;
use proptest::sample::select;

use super::parse::DEPTH;
use super::token::CHARS;
use super::*;

const DAY: &str = "2021-03-05";

fn attributes(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

fn organization(pairs: &[(&str, &str)]) -> Organization {
    Organization {
        name: "organizations/firm".into(),
        kind: organization::Kind::Enterprise.into(),
        identifiers: vec![Identifier { scheme: "CN-USCC".into(), id: "91500".into() }],
        attributes: attributes(pairs),
        ..Organization::default()
    }
}

fn road() -> Project {
    Project {
        name: "portfolios/wsc/projects/road".into(),
        status: project::Status::InService.into(),
        level: project::Level::Municipal.into(),
        listing: project::Listing::NewStart.into(),
        sector: "transport.road".into(),
        key: Some(true),
        investment: Some(Money { currency_code: "CNY".into(), units: 100_000_000, nanos: 0 }),
        parties: vec![
            Party {
                organization: "organizations/firm".into(),
                roles: vec!["supplier".into(), "designer".into()],
            },
            Party { organization: "organizations/other".into(), roles: vec!["funder".into()] },
        ],
        labels: attributes(&[("ring", "inner")]),
        ..Project::default()
    }
}

fn compiled(text: &str, of_projects: bool) -> Expression {
    match Expression::compile(text, of_projects) {
        Ok(expression) => expression,
        Err(faults) => panic!("{text}: {faults:?}"),
    }
}

/// What an expression comes to, what is absent, and what cannot be used.
fn outcome(
    text: &str,
    organization: &Organization,
    project: Option<&Project>,
) -> (Truth, Vec<String>, Vec<String>) {
    let facts = Facts { organization, project, date: DAY.parse().unwrap() };
    let language = Language::of(facts.date);
    let bindings = language.bind(&facts);
    let expression = compiled(text, project.is_some());
    let truth = expression.evaluate(&bindings);
    let missing = if truth == Truth::Unknown { expression.missing(&bindings) } else { Missing::default() };
    (truth, missing.absent.iter().map(ToString::to_string).collect(), missing.errors)
}

#[test]
fn office_3_every_operator_function_and_value_is_evaluated() {
    let firm = organization(&[
        ("employees", "99"),
        ("founded", "2018-03-05"),
        ("high-tech", "是"),
        ("rating", "A"),
        ("quote", "a\"b\\c"),
        ("empty", ""),
    ]);
    let road = road();
    for (text, holds) in [
        ("true", true),
        ("false", false),
        ("!false", true),
        ("org.kind == \"ENTERPRISE\"", true),
        ("org.kind == 'UNIVERSITY'", false),
        ("org.kind in [\"UNIVERSITY\", \"ENTERPRISE\"]", true),
        ("org.name == 'organizations/firm'", true),
        ("org.name.startsWith(\"organizations/f\")", true),
        ("org.attributes.rating != \"B\"", true),
        ("org.attributes[\"high-tech\"] == \"是\"", true),
        ("\"high-tech\" in org.attributes", true),
        ("\"low-tech\" in org.attributes", false),
        ("org.kind in org.attributes", false),
        ("org.identifiers[\"CN-USCC\"].startsWith(\"915\")", true),
        ("num(org.attributes.employees) < num(\"100\")", true),
        ("num(org.attributes.employees) >= num('99.0000')", true),
        ("num(org.attributes.employees) == num(\"98.9999\")", false),
        ("years(org.attributes.founded) >= 3", true),
        ("years(org.attributes.founded) > 3", false),
        ("years(org.attributes.founded) > -1", true),
        ("date == \"2021-03-05\"", true),
        ("date >= '2021-03-06'", false),
        ("size(org.attributes) == 6", true),
        ("size(org.attributes.rating) == 1", true),
        ("size(\"重庆\") == 2", true),
        ("size(['a', 'b', 'c']) <= 3", true),
        ("1 in [1, 2]", true),
        ("num('1.5') in [num('1'), num('1.50')]", true),
        ("true in [false]", false),
        ("has(org.kind) ? org.kind == 'ENTERPRISE' : false", true),
        ("has(org.attributes.employees) && !has(org.attributes.revenue)", true),
        ("org.attributes.quote == \"a\\\"b\\\\c\"", true),
        ("org.attributes.empty == ''", true),
        ("'乙' > '丙'", true),
        ("project.status == 'IN_SERVICE' && project.level == 'MUNICIPAL'", true),
        ("project.listing != 'NEW_START'", false),
        ("project.sector.startsWith('transport')", true),
        ("project.key", true),
        ("project.key == false", false),
        ("project.investment == num(\"100000000\")", true),
        ("project.investment > num('99999999.9999')", true),
        ("project.currency == 'CNY'", true),
        ("'designer' in project.roles && !('funder' in project.roles)", true),
        ("size(project.roles) == 2", true),
        ("project.labels.ring == 'inner'", true),
        ("(1 == 1) == (2 == 2)", true),
        ("false ? true : false ? false : true", true),
        (" true\n&&\ttrue\r\n", true),
    ] {
        let truth = if holds { Truth::True } else { Truth::False };
        assert_eq!(outcome(text, &firm, Some(&road)).0, truth, "{text}");
    }
}

#[test]
fn office_3_an_absent_key_is_unknown_unless_the_other_side_decides() {
    let firm = organization(&[("rating", "A"), ("people", "99 people"), ("day", "soon")]);
    let nothing: &[&str] = &[];
    for (text, truth, absent) in [
        ("num(org.attributes.employees) < num(\"100\")", Truth::Unknown, &["org.attributes.employees"][..]),
        ("org.attributes.employees == 'x' && org.attributes.rating == 'B'", Truth::False, nothing),
        ("org.attributes.rating == 'B' && org.attributes.employees == 'x'", Truth::False, nothing),
        ("org.attributes.employees == 'x' || org.attributes.rating == 'A'", Truth::True, nothing),
        ("org.attributes.rating == 'A' || org.attributes.employees == 'x'", Truth::True, nothing),
        (
            "org.attributes.rating == 'A' && org.attributes.employees == 'x'",
            Truth::Unknown,
            &["org.attributes.employees"],
        ),
        // What is decided by itself is not asked for.
        (
            "(org.attributes.rating == 'B' && org.attributes.a == 'x') || org.attributes.b == 'x'",
            Truth::Unknown,
            &["org.attributes.b"],
        ),
        (
            "org.attributes.b == 'x' && (org.attributes.a == 'x' || !(org.attributes[\"c-d\"] == 'x'))",
            Truth::Unknown,
            &["org.attributes.a", "org.attributes.b", "org.attributes[\"c-d\"]"],
        ),
        (
            "has(org.attributes.a) ? org.attributes.b == 'x' : org.attributes.c == 'x'",
            Truth::Unknown,
            &["org.attributes.c"],
        ),
        ("org.attributes.a == 'x' ? true : false", Truth::Unknown, &["org.attributes.a"]),
        ("num(org.attributes.people) > num('1') || true", Truth::True, nothing),
        ("num(org.attributes.people) > num('1') && false", Truth::False, nothing),
        ("size(org.attributes.a) > 1 || org.attributes.rating in ['A']", Truth::True, nothing),
    ] {
        let (found, keys, errors) = outcome(text, &firm, None);
        assert_eq!((found, errors.len()), (truth, 0), "{text}");
        assert_eq!(keys, absent, "{text}");
    }
    let (truth, absent, errors) = outcome("num(org.attributes.people) > num('1')", &firm, None);
    assert_eq!((truth, absent.len()), (Truth::Unknown, 0));
    assert_eq!(errors, ["\"99 people\" is not a number; write it as in 99 or -1.25"]);
    let both =
        "num(org.attributes.people) > num('1') && years(org.attributes.day) > 1 && org.attributes.a == 'x'";
    let (truth, absent, errors) = outcome(both, &firm, None);
    assert_eq!((truth, absent, errors.len()), (Truth::Unknown, vec!["org.attributes.a".to_owned()], 2));
}

#[test]
fn office_3_what_is_not_said_is_absent() {
    let nobody = Organization { name: "organizations/nobody".into(), ..Organization::default() };
    let bare = Project { name: "portfolios/wsc/projects/x".into(), ..Project::default() };
    for text in [
        "org.kind == 'ENTERPRISE'",
        "project.status == 'PROPOSED'",
        "project.level == 'NATIONAL'",
        "project.listing == 'RESERVE'",
        "project.sector == ''",
        "project.key",
        "project.investment == num('0')",
        "project.currency == ''",
        "size(project.roles) == 0",
        "org.attributes.a == ''",
        "org.identifiers.a == ''",
        "project.labels.a == ''",
    ] {
        let (truth, absent, _) = outcome(text, &nobody, Some(&bare));
        assert_eq!((truth, absent.len()), (Truth::Unknown, 1), "{text}");
        let name = &absent[0];
        assert_eq!(outcome(&format!("has({name})"), &nobody, Some(&bare)).0, Truth::False, "has({name})");
    }
    assert_eq!(
        outcome("size(org.attributes) == 0 && size(project.labels) == 0", &nobody, Some(&bare)).0,
        Truth::True
    );
}

#[test]
fn office_3_an_investment_that_does_not_fit_is_an_error_and_not_another_number() {
    let firm = organization(&[]);
    for (units, nanos) in [(i64::MAX, 0), (1, 1)] {
        let investment = Some(Money { currency_code: "CNY".into(), units, nanos });
        let project = Project { investment, ..road() };
        let (truth, absent, errors) = outcome("project.investment > num('1')", &firm, Some(&project));
        assert_eq!((truth, absent.len(), errors.len()), (Truth::Unknown, 0, 1), "{units} {nanos}");
        assert!(errors[0].contains("too large, or too exact"), "{errors:?}");
    }
}

/// The columns and the reasons of the faults of an expression about organizations.
fn faults(text: &str) -> Vec<(usize, String)> {
    use milepost_types::Fault;
    let found = Expression::compile(text, false).err().unwrap_or_default();
    found.iter().map(|fault| (fault.column, fault.reason().to_owned())).collect()
}

#[test]
fn office_3_everything_else_is_refused_with_its_column() {
    for (text, expected) in [
        ("", &[(1, "SYNTAX")][..]),
        ("   ", &[(4, "SYNTAX")]),
        ("1 + 1 == 2", &[(3, "NOT_SUPPORTED")]),
        ("org.attributes.high-tech == 'x'", &[(20, "NOT_SUPPORTED")]),
        ("1 - 1 == 0", &[(3, "NOT_SUPPORTED")]),
        ("1.5 > 1.0", &[(1, "NOT_SUPPORTED"), (7, "NOT_SUPPORTED")]),
        ("1u == 1u", &[(1, "NOT_SUPPORTED"), (7, "NOT_SUPPORTED")]),
        ("0x1f == 31", &[(1, "NOT_SUPPORTED")]),
        ("99999999999999999999 > 1", &[(1, "TOO_LARGE")]),
        ("org.name.matches('a')", &[(10, "NOT_SUPPORTED")]),
        ("org.name.contains('a')", &[(10, "NOT_SUPPORTED")]),
        ("['a'].all(x, x == 'a')", &[(11, "UNKNOWN_NAME"), (14, "UNKNOWN_NAME"), (7, "NOT_SUPPORTED")]),
        (
            "org.attributes.exists(k, k == 'a')",
            &[(23, "UNKNOWN_NAME"), (26, "UNKNOWN_NAME"), (16, "NOT_SUPPORTED")],
        ),
        ("{'a': 1}.a == 1", &[(1, "NOT_SUPPORTED"), (8, "NOT_SUPPORTED")]),
        ("org.size() == 1", &[(5, "NOT_SUPPORTED")]),
        ("int('1') == 1", &[(1, "NOT_SUPPORTED")]),
        ("timestamp('x') == date", &[(1, "NOT_SUPPORTED")]),
        ("organisation.kind == 'x'", &[(1, "UNKNOWN_NAME")]),
        ("org.typ == 'x' && org.attr.x == 'y'", &[(5, "UNKNOWN_NAME"), (23, "UNKNOWN_NAME")]),
        ("org.kind == 'ENTERPRIZE'", &[(13, "UNKNOWN_NAME")]),
        ("org.kind in ['KIND_ENTERPRISE']", &[(14, "UNKNOWN_NAME")]),
        ("project.key", &[(1, "UNKNOWN_NAME")]),
        ("null == null", &[(1, "NOT_SUPPORTED"), (9, "NOT_SUPPORTED")]),
        ("org.name", &[(1, "WRONG_TYPE")]),
        ("num('1')", &[(1, "WRONG_TYPE")]),
        ("org", &[(1, "WRONG_TYPE")]),
        ("org.attributes == org.attributes", &[(16, "WRONG_TYPE")]),
        ("org.name == 1", &[(10, "WRONG_TYPE")]),
        ("num(org.attributes.employees) > 100", &[(31, "WRONG_TYPE")]),
        ("num('99 people') > num('1')", &[(5, "WRONG_TYPE")]),
        ("years('2021-02-30') > 1", &[(7, "WRONG_TYPE")]),
        ("num(1) == num('1')", &[(5, "WRONG_TYPE")]),
        ("true && 1", &[(9, "WRONG_TYPE")]),
        ("!org.name", &[(2, "WRONG_TYPE")]),
        ("true ? 1 : 'a'", &[(12, "WRONG_TYPE"), (1, "WRONG_TYPE")]),
        ("1 ? true : false", &[(1, "WRONG_TYPE")]),
        ("true < false", &[(6, "WRONG_TYPE")]),
        ("1 in ['a']", &[(3, "WRONG_TYPE")]),
        ("'a' in 'abc'", &[(5, "WRONG_TYPE")]),
        ("['a', 1] == ['a']", &[(7, "WRONG_TYPE"), (10, "WRONG_TYPE")]),
        ("1 in []", &[(6, "NOT_SUPPORTED")]),
        ("1 < 2 < 3", &[(7, "NOT_SUPPORTED")]),
        ("has(org)", &[(1, "NOT_SUPPORTED")]),
        ("has(date)", &[(1, "NOT_SUPPORTED")]),
        ("has(org.attributes['a'])", &[(1, "NOT_SUPPORTED")]),
        ("has()", &[(1, "SYNTAX")]),
        ("num('1', '2') == num('1')", &[(1, "SYNTAX")]),
        ("org.attributes[org.kind] == 'x'", &[(15, "NOT_SUPPORTED")]),
        ("org.name['a'] == 'x'", &[(9, "NOT_SUPPORTED")]),
        ("org['kind'] == 'x'", &[(4, "NOT_SUPPORTED")]),
        ("org. == 'x'", &[(6, "SYNTAX")]),
        ("org.attributes.in == 'x'", &[(16, "SYNTAX")]),
        ("(true", &[(6, "SYNTAX")]),
        ("true)", &[(5, "SYNTAX")]),
        ("true true", &[(6, "SYNTAX")]),
        ("true && ", &[(9, "SYNTAX")]),
        ("? :", &[(1, "SYNTAX")]),
        ("true & true | true", &[(6, "SYNTAX"), (13, "SYNTAX")]),
        ("org.name = 'x'", &[(10, "SYNTAX")]),
        ("'no end", &[(1, "SYNTAX")]),
        ("\"no end\\\"", &[(1, "SYNTAX")]),
        ("'a\\n' == 'b'", &[(3, "NOT_SUPPORTED")]),
        ("'a\u{7}b' == 'c' && \u{0} true", &[(3, "SYNTAX"), (17, "SYNTAX")]),
        ("'a\u{202e}b' == 'c'", &[(3, "SYNTAX")]),
        ("企业.类型 == '国企'", &[(1, "SYNTAX"), (4, "SYNTAX")]),
        ("true // comment", &[(6, "NOT_SUPPORTED"), (7, "NOT_SUPPORTED")]),
        ("r'a' == 'a'", &[(2, "SYNTAX"), (1, "UNKNOWN_NAME")]),
        ("`a` == 'a'", &[(1, "SYNTAX"), (3, "SYNTAX")]),
    ] {
        let mut expected: Vec<_> =
            expected.iter().map(|(column, reason)| (*column, format!("EXPRESSION_{reason}"))).collect();
        let mut found = faults(text);
        expected.sort();
        found.sort();
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn a_fault_says_what_to_do() {
    let said = |text: &str, of_projects: bool| -> String {
        let found = Expression::compile(text, of_projects).err().unwrap_or_default();
        found.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    };
    for (text, part) in [
        ("org.attribute.a == 'x'", "column 5: org has no attribute; did you mean attributes?"),
        ("org.kind == 'ENTERPRIZE'", "org.kind is never \"ENTERPRIZE\"; did you mean ENTERPRISE?"),
        ("num(org.attributes.a) > 100", "write the other as in num(\"100\")"),
        ("org.attributes.a > 100", "make it a number by num(…)"),
        ("project.key", "the policy's subject is ORGANIZATION, so there is no project; make it PROJECT"),
        ("org.attributes.high-tech == 'x'", "org.attributes[\"high-tech\"]"),
        ("org.name", "a condition is true or false, and this is a text; compare it"),
    ] {
        let said = said(text, false);
        assert!(said.contains(part), "{text}: {said}");
    }
}

/// Inputs that are long, deep or broken in some way, which must be refused and nothing else.
fn hostile() -> Vec<String> {
    let many = |part: &str, count: usize| part.repeat(count);
    let mut inputs = vec![
        many("1+", 1_600) + "1",
        many("true&&", 1_600) + "true",
        many("(", 200) + "true" + &many(")", 200),
        many("(", 12) + "true" + &many(")", 12),
        many("[", 200) + &many("]", 200),
        many("!", 499) + "true",
        many("!", 1_000_000),
        many("!", DEPTH + 1) + "true",
        many("true?", 90) + "true" + &many(":true", 90),
        many("true?true:", 49) + "true",
        many("(true?", 40) + "1" + &many(":1)", 40),
        many("-", 400) + "1 == 1",
        many("has(", 100),
        many("org.", 120),
        many("org.attributes[", 30),
        many("\"", 499),
        many("\\", 499),
        many("9", 499),
        many("1.", 249),
        many("国", 499),
        many("\u{0}", 499),
        many("\u{10ffff}", 499),
        many("1 in [", 80),
        format!("'{}' == 'a'", many("字", 600)),
        format!("1 in [{}1]", many("1,", 150)),
        many("'a'.startsWith(", 33),
        many("true||(", 70),
        many("a.b(", 120),
    ];
    inputs.extend(["\u{feff}true", "true\u{0}", "\\u0074rue", "'''a'''", "b'a' == b'a'"].map(str::to_owned));
    inputs
}

#[test]
fn office_3_no_text_ends_the_process() {
    // With as much stack as the threads have that answer calls.
    let run = std::thread::Builder::new().stack_size(2 << 20).spawn(|| {
        for text in hostile() {
            let found = faults(&text);
            assert!(!found.is_empty(), "{:.60}", text);
            assert!(found.iter().all(|(column, _)| *column <= CHARS + 1), "{:.60}: {found:?}", text);
        }
    });
    run.unwrap().join().unwrap();
}

#[test]
fn office_3_what_is_as_large_as_can_be_is_evaluated() {
    let run = std::thread::Builder::new().stack_size(2 << 20).spawn(|| {
        let firm = organization(&[]);
        let deep = |open: &str, close: &str| open.repeat(DEPTH) + "true" + &close.repeat(DEPTH);
        let list: Vec<String> = (0..100).map(|i| i.to_string()).collect();
        for text in [
            deep("(", ")"),
            deep("!", ""),
            deep("(true&&", ")"),
            deep("true?true:", ""),
            "true&&".repeat(82) + "true",
            "true||".repeat(82) + "true",
            "true&&true||".repeat(41) + "true",
            "(true==true)==".to_owned() + "(true==true)",
            format!("99 in [{}]", list.join(",")),
            format!("size('{}') == 480", "字".repeat(480)),
        ] {
            assert!(text.chars().count() <= CHARS, "{text}");
            assert_eq!(outcome(&text, &firm, None).0, Truth::True, "{text}");
        }
        for text in [deep("(", ")").replacen('(', "((", 1), format!("99 in [{},100]", list.join(","))] {
            assert_eq!(faults(&text).len(), 1, "{text}");
        }
    });
    run.unwrap().join().unwrap();
}

/// office.md, section 3, in numbers: 500 characters, 8 levels, 100 members.
#[test]
fn office_3_an_expression_has_500_characters_8_levels_and_lists_of_100_at_most() {
    let firm = organization(&[]);
    let blanks = |count: usize| "true".to_owned() + &" ".repeat(count);
    let nested = |depth: usize| "(".repeat(depth) + "true" + &")".repeat(depth);
    let listed = |count: usize| format!("1 in [{}]", vec!["1"; count].join(","));
    for text in [blanks(496), nested(8), listed(100)] {
        assert_eq!(outcome(&text, &firm, None).0, Truth::True, "{text}");
    }
    // The last of 101 members begins behind the bracket and 100 members with their commas.
    for (text, column) in [(blanks(497), 501), (nested(9), 10), (listed(101), 207)] {
        assert_eq!(faults(&text), [(column, "EXPRESSION_TOO_LARGE".to_owned())], "{text}");
    }
}

/// Pieces that expressions are made of, in any order.
fn soup() -> impl Strategy<Value = String> {
    let pieces = select(vec![
        "org",
        "project",
        "date",
        ".",
        "kind",
        "attributes",
        "employees",
        "[",
        "]",
        "(",
        ")",
        "'",
        "\"",
        "'a'",
        "\"国\"",
        "num(",
        "years(",
        "has(",
        "size(",
        ".startsWith(",
        "==",
        "!=",
        "<",
        ">=",
        "&&",
        "||",
        "!",
        "?",
        ":",
        ",",
        "in",
        "1",
        "-1",
        "99",
        "true",
        "false",
        " ",
        "+",
        "\\",
        "all(",
        "x",
        "{",
        "\n",
        "0.5",
        "name",
        "labels",
    ]);
    proptest::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

/// Expressions that are typed, with values that may be absent.
fn sound() -> impl Strategy<Value = String> {
    let leaf = select(vec![
        "true",
        "false",
        "org.kind == 'ENTERPRISE'",
        "has(org.attributes.a)",
        "org.attributes.a == 'x'",
        "num(org.attributes.b) > num('5')",
        "years(org.attributes.c) >= 3",
        "'a' in org.attributes",
        "org.attributes.a.startsWith('x')",
        "size(org.attributes.b) < 3",
        "date > '2020-01-01'",
    ]);
    leaf.prop_map(str::to_owned).prop_recursive(4, 12, 3, |inner| {
        let pair = (inner.clone(), inner.clone());
        prop_oneof![
            pair.clone().prop_map(|(one, other)| format!("({one} && {other})")),
            pair.clone().prop_map(|(one, other)| format!("({one} || {other})")),
            inner.clone().prop_map(|one| format!("!({one})")),
            (inner, pair).prop_map(|(condition, (one, other))| format!("({condition} ? {one} : {other})")),
        ]
    })
}

/// How deep parentheses and brackets of a text are nested that are not in a literal.
fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest, mut quote, mut escaped) = (0_usize, 0, None, false);
    for c in text.chars() {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[') => depth += 1,
            (None, ')' | ']') => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// What reaches the library is bounded, and is accepted by it.
fn check_bounded(text: &str) {
    match Expression::compile(text, true) {
        Ok(_) => {
            assert!(text.chars().count() <= CHARS && nesting(text) <= DEPTH, "{text}");
        }
        Err(found) => {
            let unforeseen = found.iter().find(|fault| fault.to_string().contains("cannot be compiled"));
            assert_eq!(unforeseen, None, "{text}: what we let through, the library refuses");
            assert!(!found.is_empty());
        }
    }
}

proptest! {
    #[test]
    fn any_text_is_refused_or_bounded(text in any::<String>()) {
        check_bounded(&text);
    }

    #[test]
    fn any_pieces_are_refused_or_bounded(text in soup()) {
        check_bounded(&text);
    }

    #[test]
    fn what_is_typed_is_accepted_and_is_unknown_only_if_something_is_missing(
        text in sound(),
        a in proptest::option::of(select(vec!["x", "y", ""])),
        b in proptest::option::of(select(vec!["4", "6", "six"])),
        c in proptest::option::of(select(vec!["2010-01-01", "2020-01-01", "once"])),
    ) {
        prop_assume!(text.chars().count() <= CHARS && nesting(&text) <= DEPTH);
        let pairs = [("a", a), ("b", b), ("c", c)];
        let pairs: Vec<_> = pairs.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
        // What is nested without parentheses counts too.
        if let Ok(expression) = Expression::compile(&text, false) {
            let firm = organization(&pairs);
            let facts = Facts { organization: &firm, project: None, date: DAY.parse().unwrap() };
            let language = Language::of(facts.date);
            let bindings = language.bind(&facts);
            let missing = expression.missing(&bindings);
            let is_known = expression.evaluate(&bindings) != Truth::Unknown;
            if !is_known {
                prop_assert!(!missing.absent.is_empty() || !missing.errors.is_empty(), "{}", text);
            }
        } else {
            prop_assert!(text.contains('!') || text.contains('?'), "{}", text);
        }
    }
}
