//! What fields may hold: every kind of content, its faults, and the form that it is brought into.

use std::collections::BTreeMap;

use milepost_proto::google::r#type::{Date, Money};
use milepost_proto::registry::v1::*;
use milepost_proto::resource::Node;
use milepost_types::Violations;

use crate::content::check_message;

/// What is wrong with a message: path, reason, text.
fn found(message: &mut dyn Node) -> Vec<(String, &'static str, String)> {
    let mut found = Violations::new();
    check_message(message, &mut found);
    found.iter().map(|one| (one.field.clone(), one.reason, one.description.clone())).collect()
}

/// That a message has these faults and no other.
fn faulty(mut message: impl Node, expected: &[(&str, &str, &str)]) {
    let found = found(&mut message);
    let found: Vec<_> =
        found.iter().map(|(path, reason, text)| (path.as_str(), *reason, text.as_str())).collect();
    assert_eq!(found, expected);
}

const REQUIRED: &str = "the field is required; give a value";
const EMPTY: &str = "the text is empty; give at least one character";

fn date(year: i32, month: i32, day: i32) -> Date {
    Date { year, month, day }
}

fn money(code: &str, units: i64, nanos: i32) -> Option<Money> {
    Some(Money { currency_code: code.to_owned(), units, nanos })
}

fn named() -> Project {
    Project { display_name: "p".to_owned(), ..Project::default() }
}

/// office.md, section 0: titles of at most 200 characters.
#[test]
fn texts_lines_and_names() {
    faulty(named(), &[]);
    faulty(Project::default(), &[("display_name", "REQUIRED", EMPTY)]);
    let project = Project {
        display_name: "x".repeat(201),
        sector: "x".repeat(129),
        purpose: "a\u{b}".to_owned(),
        scale: " a".to_owned(),
        site: Some(Site { address: "a\nb".to_owned(), ..Site::default() }),
        ..Project::default()
    };
    faulty(
        project,
        &[
            ("display_name", "TOO_LONG", "the text has more than 200 characters; shorten it"),
            ("sector", "TOO_LONG", "the text has more than 128 characters; shorten it"),
            (
                "site.address",
                "INVALID_CHARACTER",
                "the text has the character U+000A at place 2, which is not allowed; remove it",
            ),
            (
                "purpose",
                "INVALID_CHARACTER",
                "the text has the character U+000B at place 2, which is not allowed; remove it",
            ),
            ("scale", "SURROUNDING_BLANK", "the text begins or ends with a blank; remove it"),
        ],
    );
    let long = Site { address: "名".repeat(1_000), ..Site::default() };
    faulty(Project { site: Some(long), purpose: "a\nb".to_owned(), ..named() }, &[]);
}

#[test]
fn maps_are_of_labels_or_of_translations_in_canonical_tags() {
    let map = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    let mut good = Project { translations: map(&[("EN-us", "e")]), labels: map(&[("a", "")]), ..named() };
    assert_eq!(found(&mut good), []);
    assert_eq!((good.translations, good.labels), (map(&[("en-US", "e")]), map(&[("a", "")])));
    let bad = Project {
        translations: map(&[("en", "a"), ("EN", "b"), ("?", "c"), ("fr", "")]),
        labels: map(&[("A", "x"), ("b", " ")]),
        ..named()
    };
    let found = found(&mut { bad });
    let found: Vec<_> = found.iter().map(|(path, reason, _)| (path.as_str(), *reason)).collect();
    let expected = [
        ("translations[\"?\"]", "INVALID_LANGUAGE_TAG"),
        ("translations[\"en\"]", "DUPLICATE"),
        ("translations[\"fr\"]", "REQUIRED"),
        ("labels[\"A\"]", "INVALID_ID"),
        ("labels[\"b\"]", "SURROUNDING_BLANK"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn time_zones_and_currencies_are_known_ones() {
    let portfolio = |zone: &str, currency: &str| Portfolio {
        display_name: "p".to_owned(),
        time_zone: zone.to_owned(),
        reporting_currency_code: currency.to_owned(),
        ..Portfolio::default()
    };
    faulty(portfolio("Asia/Shanghai", "CNY"), &[]);
    let missing = [("time_zone", "REQUIRED", REQUIRED), ("reporting_currency_code", "REQUIRED", REQUIRED)];
    faulty(portfolio("", ""), &missing);
    let found = found(&mut portfolio("Asia/Shangha", "RMB"));
    assert_eq!((found[0].0.as_str(), found[0].1), ("time_zone", "INVALID_TIME_ZONE"));
    assert!(found[0].2.starts_with("\"Asia/Shangha\" is no time zone"), "{}", found[0].2);
    assert_eq!((found[1].0.as_str(), found[1].1), ("reporting_currency_code", "INVALID_CURRENCY"));
    assert!(found[1].2.starts_with("\"RMB\" is no current currency code of ISO 4217"), "{}", found[1].2);
}

#[test]
fn numbers_are_places_counts_and_years() {
    let phase = |order| Phase { display_name: "p".to_owned(), order, ..Phase::default() };
    faulty(phase(1), &[]);
    faulty(phase(0), &[("order", "REQUIRED", REQUIRED)]);
    faulty(phase(-1), &[("order", "OUT_OF_RANGE", "-1 is no place in an order; they count from 1")]);
    let batch = |declared_count| Batch {
        display_name: "b".to_owned(),
        start_date: Some(date(2021, 5, 27)),
        declared_count,
        ..Batch::default()
    };
    [None, Some(0), Some(7)].into_iter().for_each(|count| faulty(batch(count), &[]));
    let negative = "the count is less than zero; give zero or more, or leave it out";
    faulty(batch(Some(-1)), &[("declared_count", "OUT_OF_RANGE", negative)]);
    let plans = |years: &[i32]| Project {
        annual_plans: years.iter().map(|year| AnnualPlan { year: *year, ..AnnualPlan::default() }).collect(),
        ..named()
    };
    faulty(plans(&[1900, 2200]), &[]);
    faulty(
        plans(&[1899, 0, 2201]),
        &[
            ("annual_plans[0].year", "OUT_OF_RANGE", "1899 is not from 1900 to 2200"),
            ("annual_plans[1].year", "REQUIRED", REQUIRED),
            ("annual_plans[2].year", "OUT_OF_RANGE", "2201 is not from 1900 to 2200"),
        ],
    );
}

#[test]
fn enums_have_a_value_of_the_schema() {
    faulty(Project { level: 4, listing: 1, ..named() }, &[]);
    let unknown = |number: i32| format!("there is no value {number}; give one of the schema");
    faulty(
        Project { level: 5, listing: -1, ..named() },
        &[("level", "UNKNOWN_ENUM_VALUE", &unknown(5)), ("listing", "UNKNOWN_ENUM_VALUE", &unknown(-1))],
    );
}

#[test]
fn coordinates_are_on_earth_and_there_is_one_zero() {
    let site = |latitude, longitude, code: &str| Project {
        site: Some(Site { latitude, longitude, division_code: code.to_owned(), ..Site::default() }),
        ..named()
    };
    let mut zero = site(Some(-0.0), Some(-180.0), "500107");
    assert_eq!(found(&mut zero), []);
    assert_eq!(zero.site.unwrap().latitude.unwrap().to_bits(), 0);
    let found =
        |given: &str, bound| format!("{given} is no such coordinate; give degrees from -{bound} to {bound}");
    let code = "a division code of GB/T 2260 has 6 digits, such as 500107";
    faulty(
        site(Some(90.1), Some(f64::NAN), "50010"),
        &[
            ("site.division_code", "INVALID_DIVISION_CODE", code),
            ("site.latitude", "OUT_OF_RANGE", &found("90.1", 90)),
            ("site.longitude", "OUT_OF_RANGE", &found("NaN", 180)),
        ],
    );
    faulty(
        site(None, Some(f64::NEG_INFINITY), "５００１０７"),
        &[
            ("site.division_code", "INVALID_DIVISION_CODE", code),
            ("site.longitude", "OUT_OF_RANGE", &found("-inf", 180)),
        ],
    );
}

#[test]
fn dates_and_amounts_are_whole_and_not_negative() {
    let batch = |start_date, declared_investment| Batch {
        display_name: "b".to_owned(),
        start_date,
        declared_investment,
        ..Batch::default()
    };
    faulty(batch(None, money("CNY", 5, 0)), &[("start_date", "REQUIRED", REQUIRED)]);
    let partial = "the date 2021-05-00 is partial; give year, month and day, or no date at all";
    let negative = "the amount is less than zero; give zero or more";
    faulty(
        batch(Some(date(2021, 5, 0)), money("CNY", -1, 0)),
        &[("start_date", "PARTIAL_DATE", partial), ("declared_investment", "NEGATIVE", negative)],
    );
    let none = "there is no date 2021-02-29; give a day of the calendar in the years 1 to 9999";
    let signs = "units and nanos have opposite signs; give both the sign of the amount";
    faulty(
        batch(Some(date(2021, 2, 29)), money("CNY", 1, -1)),
        &[("start_date", "INVALID_DATE", none), ("declared_investment", "INVALID_MONEY", signs)],
    );
    let found = found(&mut batch(Some(date(2021, 5, 27)), money("cny", 1, 0)));
    assert_eq!(found[0].0, "declared_investment.currency_code");
}

#[test]
fn languages_are_tags_in_their_conventional_case() {
    let mut portfolio = Portfolio {
        display_name: "p".to_owned(),
        time_zone: "UTC".to_owned(),
        reporting_currency_code: "CNY".to_owned(),
        language: "zh-hans-cn".to_owned(),
        required_languages: vec!["ZH-cn".to_owned(), "en".to_owned()],
        ..Portfolio::default()
    };
    assert_eq!(found(&mut portfolio), []);
    assert_eq!(portfolio.language, "zh-Hans-CN");
    assert_eq!(portfolio.required_languages, ["zh-CN", "en"]);
    let tags = ["zh_CN", "en", "en"].map(str::to_owned);
    let wrong = Portfolio { language: "中文".to_owned(), required_languages: tags.into(), ..portfolio };
    let none = |tag: &str| format!("\"{tag}\" is no language tag; give a BCP 47 tag such as zh-CN or en");
    faulty(
        wrong,
        &[
            ("language", "INVALID_LANGUAGE_TAG", &none("中文")),
            ("required_languages[0]", "INVALID_LANGUAGE_TAG", &none("zh_CN")),
            ("required_languages[2]", "DUPLICATE", "the language is given twice"),
        ],
    );
}

#[test]
fn texts_in_other_languages_may_have_lines() {
    use milepost_proto::tracker::v1::{TimelineEntry, timeline_entry::Kind};
    let mut entry = TimelineEntry {
        date: Some(date(2021, 5, 27)),
        kind: Kind::Editorial.into(),
        headline: "h".to_owned(),
        text_translations: [("EN".to_owned(), "one\ntwo".to_owned())].into(),
        ..TimelineEntry::default()
    };
    assert_eq!(found(&mut entry), []);
    assert_eq!(entry.text_translations.keys().collect::<Vec<_>>(), ["en"]);
    entry.text_translations = [("e".to_owned(), " x".to_owned())].into();
    let reasons: Vec<_> = found(&mut entry).into_iter().map(|(path, reason, _)| (path, reason)).collect();
    let path = || "text_translations[\"e\"]".to_owned();
    assert_eq!(reasons, [(path(), "SURROUNDING_BLANK"), (path(), "INVALID_LANGUAGE_TAG")]);
}
