//! What is refused, and where.

use super::*;

#[test]
fn faults_are_pointed_at() {
    for (text, column, part) in [
        ("state", 1, "a value alone is not searched for"),
        ("科学大道", 1, "a value alone"),
        ("Victor Hugo", 1, "a value alone"),
        ("\"科学\"", 1, "begins with a field"),
        ("stat = PLANNED", 1, "there is no field \"stat\""),
        ("state.x = PLANNED", 1, "there is no field \"state.x\""),
        ("labels.a.b = c", 1, "there is no field"),
        ("科学大道 = 1", 1, "there is no field"),
        ("display_name = 科学大道 AND nope = 1", 25, "there is no field"),
        ("state =", 8, "a value must follow"),
        ("state = ", 9, "a value must follow"),
        ("state PLANNED", 1, "a value alone"),
        ("state = planned", 9, "one of PLANNED, ACHIEVED, NOT_MET"),
        ("state = PLAN*", 9, "one of PLANNED"),
        ("state < PLANNED", 7, "has no order"),
        ("key > true", 5, "has no order"),
        ("key = yes", 7, "true or false"),
        ("weight = 1.5", 10, "a whole number"),
        ("weight = +1", 10, "a whole number"),
        ("weight = 9223372036854775808", 10, "a whole number"),
        ("weight = \"\"", 10, "a whole number"),
        ("weight < *", 10, "a whole number"),
        ("planned_period.start = 2021-02-30", 24, "a date of the calendar"),
        ("planned_period.start = 2021-2-3", 24, "a date"),
        ("planned_period.start = 20210203", 24, "a date"),
        ("planned_period.start = 2021-05-27T00:00:00Z", 24, "a date"),
        ("planned_period = 2021", 1, "there is no field"),
        ("commit_time = 2021-05-27", 15, "a time with its offset"),
        ("commit_time = 2021-05-27T00:00:00", 15, "a time with its offset"),
        ("commit_time = 2021-05-27T00:00:00.Z", 15, "a time with its offset"),
        ("commit_time = 2021-13-27T00:00:00Z", 15, "a time with its offset"),
        ("commit_time = 0000-01-01T00:00:00+23:59", 15, "a time with its offset"),
        ("commit_time = \"2021-05-27T00:00:00Z[UTC]\"", 15, "a time with its offset"),
        ("commit_time = 科学科学科学科", 15, "a time with its offset"),
        ("display_name = a*b", 16, "only at the beginning or the end"),
        ("display_name = *a*b*", 16, "only at the beginning or the end"),
        ("display_name < a*", 16, "only with = and !="),
        ("display_name:a*", 14, "anywhere inside already"),
        ("subject:portfolios/", 9, "without a slash"),
        ("subject:/", 9, "without a slash"),
        ("subject:\"\"", 9, "without a slash"),
        ("subject:portfolios/*", 9, "without a *"),
        ("changed_fields = state", 16, "write changed_fields:value"),
        ("changed_fields != *", 16, "write changed_fields:value"),
        ("labels = x", 8, "write labels.key"),
        ("labels:k*", 8, "a key as a whole"),
        ("labels:\"\"", 8, "a key as a whole"),
        ("labels.\"a*\" = x", 8, "a key is named whole"),
        ("labels. = x", 8, "a name must follow"),
        ("labels.\"\" = x", 8, "a name must follow"),
        (". = x", 1, "a field must stand here"),
        ("= x", 1, "a field must stand here"),
        ("state == PLANNED", 7, "is no comparison"),
        ("weight <> 1", 8, "is no comparison"),
        ("weight =< 1", 8, "is no comparison"),
        ("display_name =~ x", 14, "is no comparison"),
        ("weight ! 1", 8, "write !="),
        ("state ＝ PLANNED", 7, "full-width"),
        ("display_name = “科学”", 16, "straight quotes"),
        ("display_name = \"科学", 16, "no closing \""),
        ("display_name = 'it\\'s", 16, "no closing '"),
        ("display_name = \"a\\", 18, "after \\"),
        ("display_name = \"a\\x\"", 18, "after \\"),
        ("display_name = a\\b", 17, "put the value in quotes"),
        ("display_name = a=b", 17, "put the value in quotes"),
        ("display_name = it's", 18, "put the value in quotes"),
        ("display_name = a(b)", 16, "no function \"a\""),
        ("display_name = a,b", 17, "a comma stands only"),
        ("display_name = a)", 17, "closes nothing"),
        ("display_name = \"a\"b", 19, "separate comparisons by AND"),
        ("display_name = \"a\"state = PLANNED", 19, "separate comparisons by AND"),
        ("state = PLANNED & key = true", 17, "a field must stand here"),
        ("state = PLANNED AND", 20, "after AND a comparison must follow"),
        ("state = PLANNED AND AND key = true", 21, "after AND a comparison must follow"),
        ("AND state = PLANNED", 1, "before AND a comparison must stand"),
        ("AND", 1, "before AND"),
        ("OR", 1, "before OR"),
        ("state = PLANNED and key = true", 17, "write AND in capital letters"),
        ("not state = PLANNED", 1, "write NOT in capital letters"),
        ("state = AND", 9, "is a keyword"),
        ("state = PLANNED OR", 19, "after OR a comparison must follow"),
        ("NOT", 4, "after NOT a comparison must follow"),
        ("state = PLANNED AND NOT", 24, "after NOT a comparison must follow"),
        ("- state = PLANNED", 2, "directly before what it negates"),
        ("key = true -", 13, "after - a comparison must follow"),
        ("(state = PLANNED", 1, "not closed"),
        ("key = true AND (state = PLANNED", 16, "not closed"),
        ("state = (PLANNED OR ACHIEVED", 9, "not closed"),
        ("overdue(state)", 1, "stand on the right"),
        ("math.mem(x) = 1", 1, "stand on the right"),
        ("display_name[0] = a", 13, "must not stand here"),
        ("OR state = PLANNED", 1, "before OR a comparison must stand"),
        ("key = true OR OR key = true", 15, "after OR a comparison must follow"),
        ("key = true OR AND key = true", 15, "after OR a comparison must follow"),
        ("(key = true OR) AND key = true", 15, "after OR a comparison must follow"),
        ("(AND key = true)", 2, "before AND a comparison must stand"),
        ("key = true or key = false", 12, "write OR in capital letters"),
        ("not (key = true)", 1, "write NOT in capital letters"),
        ("not(key = true)", 1, "write NOT in capital letters"),
        ("NOT(key = true)", 4, "write a blank after NOT"),
        ("key = true AND(key = true)", 15, "write a blank after AND"),
        ("(key = true)OR (key = true)", 13, "write a blank before OR"),
        ("(key = true)AND (key = true)", 13, "write a blank before AND"),
        ("(key = true)key = true", 13, "separate comparisons by AND or OR"),
        ("(key = true)(key = true)", 13, "separate comparisons by AND or OR"),
        ("NOT NOT key = true", 5, "only in parentheses"),
        ("NOT -key = true", 5, "only in parentheses"),
        ("--key = true", 2, "only in parentheses"),
        ("-NOT key = true", 2, "only in parentheses"),
        ("()", 2, "a comparison must stand between ( and )"),
        ("key = true AND ( )", 18, "a comparison must stand between ( and )"),
        ("(", 1, "not closed"),
        (")", 1, "a field must stand here"),
        ("key = true)", 11, "closes nothing"),
        ("(key = true))", 13, "closes nothing"),
        ("（key = true）", 1, "full-width"),
        ("state = ()", 10, "a value must stand between ( and )"),
        ("state = (", 9, "not closed"),
        ("state = (PLANNED, ACHIEVED)", 17, "a comma stands only"),
        ("state = (PLANNED OR)", 20, "after OR a value must follow"),
        ("state = (PLANNED OR state = ACHIEVED)", 27, "must not stand in a value without quotes"),
        ("state = (\"PLANNED\"\"ACHIEVED\")", 19, "separate values by AND or OR"),
        ("state = (PLANNED OR DONE)", 21, "one of PLANNED"),
        ("state != (PLANNED OR ACHIEVED)", 7, "write NOT state = (a OR b)"),
        ("state != (NOT (PLANNED AND ACHIEVED))", 7, "write NOT state = (a OR b)"),
        ("state = NOT PLANNED", 9, "is a keyword"),
        ("site = x", 6, "write site:*"),
        ("site:x", 5, "write site:*"),
        ("parties:x", 9, "ask for a field of theirs"),
        ("parties.organization = x", 22, "write parties.organization:value"),
        ("parties.organization:\"\"", 22, "without a slash"),
        ("levels:NEAR", 8, "one of NATIONAL, DISTRICT"),
        ("annual_plans.year > 2020", 19, "write annual_plans.year:value"),
        ("annual_plans.year:x", 19, "a whole number"),
        ("site.latitude = +1", 17, "a number"),
        ("site.latitude = 1e999", 17, "a number"),
        ("site.latitude = NaN", 17, "a number"),
        ("lead_time = 20", 13, "a number of seconds with an s"),
        ("lead_time = 1.0000000001s", 13, "a number of seconds with an s"),
        ("lead_time = 315576000001s", 13, "a number of seconds with an s"),
        ("investment > 1e9", 14, "an amount"),
        ("investment > \"1 CNY\"", 14, "an amount"),
        ("investment > \"cny 1\"", 14, "an amount"),
        ("investment > 1.0000000001", 14, "an amount"),
        ("planned_period.start < now()", 24, "no function \"now\""),
        ("planned_period.start < today(1)", 24, "takes nothing"),
        ("planned_period.start < days()", 24, "takes one whole number"),
        ("planned_period.start < days(1, 2)", 24, "takes one whole number"),
        ("planned_period.start < days(x)", 29, "a whole number of days"),
        ("planned_period.start < days(36601)", 29, "from -36600 to 36600"),
        ("planned_period.start < days(1 2)", 28, "commas between"),
        ("planned_period.start < days(1", 28, "not closed"),
        ("planned_period.start < days((1))", 29, "a value must follow"),
        ("planned_period.start < today", 24, "today() or days(30)"),
        ("planned_period.start < today() + days(30)", 32, "a field must stand here"),
        ("display_name = today()", 16, "holds no date"),
        ("weight = days(3)", 10, "holds no date"),
        ("labels:today()", 8, "holds no date"),
        ("changed_fields:today()", 16, "holds no date"),
        ("today() > planned_period.start", 1, "stand on the right"),
    ] {
        let error = Filter::parse(text, &SCHEMA).expect_err(text);
        assert!(error.column == column && error.message.contains(part), "{text}: {error}");
    }
}

#[test]
fn every_comparison_that_does_not_fit_is_named() {
    let text = "科 = 1 OR state = (DONE OR PLANNED OR LATE) AND NOT weight = x";
    let error = Filter::parse(text, &SCHEMA).unwrap_err();
    let columns: Vec<_> = error.columns().collect();
    assert_eq!(columns, [1, 19, 38, 61]);
    assert!(error.message.contains("no field") && error.others[2].message.contains("a whole number"));
    let mut violations = crate::violation::Violations::new();
    assert_eq!(violations.check::<(), _>("filter", Err(error)), None);
    let said: Vec<_> = violations.iter().map(|violation| violation.description.as_str()).collect();
    assert_eq!(said.len(), 4);
    assert!(said[1].starts_with("column 19: \"DONE\" is not what state holds"), "{said:?}");
    assert!(
        violations
            .iter()
            .all(|violation| violation.field == "filter" && violation.reason == "INVALID_FILTER")
    );
    // In the order of the columns, also those of one comparison.
    let error = Filter::parse("nope != (a OR b)", &SCHEMA).unwrap_err();
    assert_eq!(error.columns().collect::<Vec<_>>(), [1, 6]);
    // As many as an answer has room for.
    let error = Filter::parse(&"nope = 1 ".repeat(64), &SCHEMA).unwrap_err();
    assert_eq!(error.columns().collect::<Vec<_>>(), (0..16).map(|i| 9 * i + 1).collect::<Vec<_>>());
    let error = Filter::parse(&format!("state = (PLANNED{})", " OR x".repeat(63)), &SCHEMA).unwrap_err();
    assert_eq!(error.columns().count(), 16);
    // The grammar is looked at first: where a text ends too early, nobody knows what it would have said.
    let error = Filter::parse("nope = 1 AND", &SCHEMA).unwrap_err();
    assert_eq!((error.column, error.others.len()), (13, 0));
}
