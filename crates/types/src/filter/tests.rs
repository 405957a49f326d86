//! Filters: what they match, what they refuse and where, and that their text is canonical.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use jiff::civil::{Date, date};
use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum F {
    DisplayName,
    State,
    Weight,
    Key,
    Start,
    Commit,
    Subject,
    Changed,
    Labels,
    District,
}

static SCHEMA: Schema<F> = Schema::new(&[
    Field::new("display_name", FieldType::Text, F::DisplayName),
    Field::new("state", FieldType::Enum(&["PLANNED", "ACHIEVED", "NOT_MET"]), F::State),
    Field::new("weight", FieldType::Int, F::Weight),
    Field::new("key", FieldType::Bool, F::Key),
    Field::new("planned_period.start", FieldType::Date, F::Start),
    Field::new("commit_time", FieldType::Timestamp, F::Commit),
    Field::new("subject", FieldType::Name, F::Subject),
    Field::new("changed_fields", FieldType::List, F::Changed),
    Field::new("labels", FieldType::Map, F::Labels),
    Field::new("site.district", FieldType::Text, F::District),
]);

#[derive(Debug, Clone, Default)]
struct Row {
    display_name: String,
    state: Option<&'static str>,
    weight: Option<i64>,
    key: bool,
    start: Option<Date>,
    commit: Option<Timestamp>,
    subject: String,
    changed: Vec<String>,
    labels: BTreeMap<String, String>,
    district: Option<String>,
}

impl Fields<F> for Row {
    fn value(&self, field: F) -> Value<'_> {
        match field {
            F::DisplayName => Value::text(&self.display_name),
            F::State => self.state.into(),
            F::Weight => self.weight.into(),
            F::Key => self.key.into(),
            F::Start => self.start.into(),
            F::Commit => self.commit.into(),
            F::Subject => Value::text(&self.subject),
            F::District => self.district.as_deref().into(),
            F::Changed | F::Labels => unreachable!("asked by any and entry"),
        }
    }

    fn any(&self, field: F, test: &dyn Fn(&str) -> bool) -> bool {
        match field {
            F::Changed => self.changed.iter().any(|member| test(member)),
            F::Labels => self.labels.keys().any(|key| test(key)),
            _ => unreachable!("no list and no map"),
        }
    }

    fn entry(&self, field: F, key: &str) -> Option<&str> {
        assert_eq!(field, F::Labels);
        self.labels.get(key).map(String::as_str)
    }
}

fn avenue() -> Row {
    Row {
        display_name: "科学大道 (Science Avenue)".into(),
        state: Some("PLANNED"),
        weight: Some(42),
        key: true,
        start: Some(date(2020, 9, 11)),
        commit: Some("2021-05-27T00:00:00Z".parse().unwrap()),
        subject: "portfolios/wsc/projects/science-avenue".into(),
        changed: vec!["forecast_date".into(), "state".into()],
        labels: [("sector", "transport"), ("note", "")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        district: None,
    }
}

fn parse(text: &str) -> Filter<F> {
    Filter::parse(text, &SCHEMA).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn what_matches_the_avenue() {
    let row = avenue();
    for text in [
        "",
        "  \t\u{3000}",
        "state = PLANNED",
        "state=PLANNED",
        "state:PLANNED",
        "state = \"PLANNED\" AND key = true",
        "state != ACHIEVED weight >= 42",
        "weight = 42 AND weight < 43 weight<=42 weight>41 weight != -42",
        "key:true",
        "key != false",
        "display_name = \"科学*\"",
        "display_name = 科学*",
        "display_name = '*Avenue)'",
        "display_name = \"*大道*\"",
        "display_name:大道",
        "display_name:\"Science\"",
        "display_name != \"科学\"",
        "display_name != \"*隧道\"",
        "display_name > 科",
        "display_name = \"*\"",
        "planned_period.start = 2020-09-11",
        "planned_period.start >= \"2020-09-11\"",
        "planned_period.start < 2020-09-12",
        "commit_time = 2021-05-27T00:00:00Z",
        "commit_time = \"2021-05-27T08:00:00+08:00\"",
        "commit_time = 2021-05-27T08:00:00+08:00",
        "commit_time > 2021-05-26T23:59:59.999999999Z",
        "subject:\"portfolios/wsc\"",
        "subject:portfolios/wsc/projects/science-avenue",
        "subject = \"portfolios/wsc/*\"",
        "changed_fields:forecast_date",
        "changed_fields:\"forecast*\"",
        "changed_fields:*",
        "labels.sector = transport",
        "labels.sector:transport",
        "labels.\"sector\" = \"trans*\"",
        "labels:sector AND labels:'note'",
        "labels.note:*",
        "labels.note = ''",
        "labels.note != x",
        "labels:*",
        "state:* AND weight:*",
        // Absent equals nothing.
        "site.district != 高新区",
        "site.district != \"*区\"",
        "site.district != *",
        "labels.owner != me",
    ] {
        assert!(parse(text).matches(&row), "{text}");
    }
}

#[test]
fn what_does_not_match_the_avenue() {
    let row = avenue();
    for text in [
        "state = ACHIEVED",
        "state != PLANNED",
        "state = PLANNED AND key = false",
        "weight = 41",
        "weight > 42",
        "display_name = 科学大道",
        "display_name = \"*大道\"",
        "display_name = \"Science*\"",
        "display_name != \"科学*\"",
        "display_name:science",
        "planned_period.start < 2020-09-11",
        "commit_time != 2021-05-27T08:00:00+08:00",
        "subject:\"portfolios/ws\"",
        "subject:\"portfolios/wsc/projects/science\"",
        "subject = portfolios/wsc",
        "changed_fields:forecast",
        "changed_fields:\"*time\"",
        "labels.sector = trans",
        "labels:owner",
        "labels.owner:*",
        "labels.sector != transport",
        // Absent matches no order and no equality, not even of the empty text.
        "site.district = \"\"",
        "site.district = \"*\"",
        "site.district < z",
        "site.district >= \"\"",
        "site.district:\"\"",
        "labels.owner = \"\"",
        "labels.owner < z",
    ] {
        assert!(!parse(text).matches(&row), "{text}");
    }
    let nothing = Row::default();
    for text in
        ["weight < 0", "weight >= 0", "planned_period.start > 0001-01-01", "changed_fields:*", "labels:*"]
    {
        assert!(!parse(text).matches(&nothing), "{text}");
    }
    assert!(parse("weight != 0 AND commit_time != 2021-05-27T00:00:00Z state != PLANNED").matches(&nothing));
}

#[test]
fn escapes_are_read() {
    let named = |name: &str| Row { display_name: name.into(), ..Row::default() };
    for (text, name) in [
        (r#"display_name = "a\"b""#, "a\"b"),
        (r#"display_name = 'a"b'"#, "a\"b"),
        (r"display_name = 'a\'b'", "a'b"),
        (r#"display_name = "a\\b""#, r"a\b"),
        (r#"display_name = "\*""#, "*"),
        (r#"display_name = "\*\*""#, "**"),
        (r#"display_name = "a\*b""#, "a*b"),
        (r#"display_name = "a\n\r\tb""#, "a\n\r\tb"),
        ("display_name = \"a\nb\"", "a\nb"),
        (r#"display_name = "AND""#, "AND"),
        (r#"display_name = "a AND (b OR c)""#, "a AND (b OR c)"),
    ] {
        let filter = parse(text);
        assert!(filter.matches(&named(name)), "{text}");
        assert!(!filter.matches(&named("other")), "{text}");
        assert_eq!(parse(&filter.to_string()), filter);
    }
    assert!(parse(r#"display_name = "\**""#).matches(&named("*x")));
    assert!(!parse(r#"display_name = "\**""#).matches(&named("x")));
    assert!(parse("display_name = **").matches(&named("x")));
}

#[test]
fn faults_are_pointed_at() {
    for (text, column, part) in [
        ("state", 1, "a value alone is not supported yet"),
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
        ("display_name = a(b)", 16, "functions are not supported yet"),
        ("display_name = a,b", 17, "must not follow a value"),
        ("display_name = a)", 17, "must not follow a value"),
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
        ("state = PLANNED OR state = ACHIEVED", 17, "OR is not supported yet"),
        ("NOT state = PLANNED", 1, "NOT is not supported yet"),
        ("state = PLANNED AND NOT key = true", 21, "NOT is not supported yet"),
        ("-state = PLANNED", 1, "negation by - is not supported yet"),
        ("key = true -state = PLANNED", 12, "negation by -"),
        ("(state = PLANNED)", 1, "parentheses are not supported yet"),
        ("key = true AND (state = PLANNED)", 16, "parentheses are not supported yet"),
        ("state = (PLANNED OR ACHIEVED)", 9, "in parentheses are not supported yet"),
        ("overdue(state)", 1, "functions are not supported yet"),
        ("math.mem(x) = 1", 1, "functions are not supported yet"),
        ("display_name[0] = a", 13, "must not stand here"),
    ] {
        let error = Filter::parse(text, &SCHEMA).expect_err(text);
        assert!(error.column == column && error.message.contains(part), "{text}: {error}");
    }
}

#[test]
fn a_filter_has_limits() {
    let comparisons = |n: usize| vec!["weight = 1"; n].join(" AND ");
    assert_eq!(parse(&comparisons(64)).conjuncts().len(), 1);
    let error = Filter::parse(&comparisons(65), &SCHEMA).unwrap_err();
    assert_eq!(error.column, 64 * 15 + 1);
    let name = |n: usize| format!("display_name = {}", "科".repeat(n - 15));
    assert!(Filter::parse(&name(8192), &SCHEMA).is_ok());
    assert_eq!(Filter::parse(&name(8193), &SCHEMA).unwrap_err().column, 8193);
    let huge = Filter::parse(&"(".repeat(10_000_000), &SCHEMA).unwrap_err();
    assert!(huge.message.len() < 200);
}

#[test]
fn filters_that_say_the_same_are_equal() {
    for (one, other) in [
        ("state = PLANNED AND key = true", " key:\"true\"   state:PLANNED "),
        ("weight = 1", "weight = 1 AND weight = 01"),
        ("commit_time = 2021-05-27T00:00:00Z", "commit_time = '2021-05-27T08:00:00.000+08:00'"),
        ("display_name:a", "display_name = *a*"),
        ("display_name:*", "display_name = \"*\""),
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

fn comparisons() -> impl Strategy<Value = String> {
    let ordered = prop::sample::select(&["=", "!=", "<", "<=", ">", ">=", ":"][..]);
    let equal = prop::sample::select(&["=", "!="][..]);
    let field = prop::sample::select(
        &["display_name", "site.district", "subject", "labels.sector", "labels.'a b'"][..],
    );
    prop_oneof![
        (field, equal.clone(), quoted_text()).prop_map(|(field, sign, text)| format!("{field}{sign}{text}")),
        ("[a-c科*]{1,3}", ordered.clone()).prop_map(|(text, sign)| format!("display_name {sign} {text}")),
        (any::<i8>(), ordered.clone()).prop_map(|(number, sign)| format!("weight{sign}{number}")),
        (1..=28, ordered.clone())
            .prop_map(|(day, sign)| format!("planned_period.start {sign} 2021-02-{day:02}")),
        (0..24, 0..5, ordered).prop_map(|(hour, offset, sign)| format!(
            "commit_time{sign}2021-05-27T{hour:02}:00:00.5+0{offset}:00"
        )),
        (prop::sample::select(&["PLANNED", "ACHIEVED", "*"][..]), equal.clone())
            .prop_map(|(state, sign)| format!("state {sign} {state}")),
        (any::<bool>(), equal).prop_map(|(truth, sign)| format!("key {sign} {truth}")),
        "[a-c]{1,3}".prop_map(|text| format!("labels:{text}")),
        "[a-c*]{1,2}".prop_map(|text| format!("changed_fields:{text}")),
        "[a-c]{1,2}(/[a-c]{1,2}){0,2}".prop_map(|text| format!("subject:{text}")),
    ]
    .prop_filter("only what can be parsed", |text| Filter::parse(text, &SCHEMA).is_ok())
}

fn rows() -> impl Strategy<Value = Row> {
    let text = || "[a-c科学*\"\\\\ ]{0,4}";
    (
        (
            text(),
            prop::option::of(prop::sample::select(&["PLANNED", "ACHIEVED"][..])),
            any::<Option<i8>>(),
            any::<bool>(),
        ),
        (prop::option::of(1..=28_i8), prop::option::of(0..24_i64), "[a-c]{1,2}(/[a-c]{1,2}){0,2}"),
        prop::collection::vec("[a-c]{1,3}", 0..3),
        prop::collection::btree_map(prop_oneof!["sector", "a b", "[a-c]{1,2}"], text(), 0..3),
        prop::option::of(text()),
    )
        .prop_map(
            |((display_name, state, weight, key), (day, hour, subject), changed, labels, district)| Row {
                display_name,
                state,
                weight: weight.map(i64::from),
                key,
                start: day.map(|day| date(2021, 2, day)),
                commit: hour.map(|hour| Timestamp::new(1_622_073_600 + hour * 3600, 500_000_000).unwrap()),
                subject,
                changed,
                labels,
                district,
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_canonical_text_means_the_same(
        parts in prop::collection::vec(comparisons(), 0..6),
        sample in prop::collection::vec(rows(), 8),
    ) {
        let filter = parse(&parts.join(" AND "));
        let canonical = filter.to_string();
        let again = Filter::parse(&canonical, &SCHEMA);
        prop_assert_eq!(again.as_ref(), Ok(&filter), "{}", canonical);
        prop_assert_eq!(&again.unwrap().to_string(), &canonical);
        let reversed: Vec<_> = parts.iter().rev().cloned().collect();
        prop_assert_eq!(&parse(&reversed.join("  ")), &filter);
        for row in &sample {
            let each = parts.iter().all(|part| parse(part).matches(row));
            prop_assert_eq!(filter.matches(row), each, "{} on {:?}", canonical, row);
            if let Some(prefix) = filter.prefix_on(F::Subject).filter(|_| each) {
                prop_assert!(row.subject.starts_with(prefix));
            }
        }
    }

    #[test]
    fn not_equal_is_the_opposite_of_equal(text in quoted_text(), row in rows()) {
        for field in ["display_name", "site.district", "labels.sector"] {
            if let Ok(equal) = Filter::parse(&format!("{field} = {text}"), &SCHEMA) {
                let unequal = parse(&format!("{field} != {text}"));
                prop_assert_ne!(equal.matches(&row), unequal.matches(&row), "{} {}", field, text);
            }
        }
    }

    #[test]
    fn nonsense_is_refused_at_a_column_there_is(
        text in "(state|labels|weight|AND|OR|NOT|[-=<>!:.()*,\"'\\\\ ]|PLANNED|2021-05-27|科|.){0,12}",
    ) {
        match Filter::parse(&text, &SCHEMA) {
            Ok(filter) => prop_assert_eq!(parse(&filter.to_string()), filter),
            Err(error) => {
                prop_assert!((1..=text.chars().count() + 1).contains(&error.column), "{}: {}", text, error);
            }
        }
    }
}
