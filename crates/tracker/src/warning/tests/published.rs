//! The published rules of office.md, section 4, as they ship in `crates/milepost/data/warning-policies`: each is read as
//! a request is, and has the lights of the table.

use std::path::Path;
use std::sync::LazyLock;

use jiff::civil::date;
use milepost_proto::tracker::v1::{CreateWarningPolicyRequest, WarningPolicy};
use milepost_resource::read_create;
use milepost_types::{Fraction, Violations};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage};

use crate::decide::Tracker;
use crate::warning::band::{Value, light_of};
use crate::warning::light::Light::{self, Green, Red, Yellow};
use crate::warning::light::{Carried, Step};
use crate::warning::rule::{self, Rule};

static POOL: LazyLock<DescriptorPool> =
    LazyLock::new(|| DescriptorPool::decode(milepost_proto::FILE_DESCRIPTOR_SET).unwrap());

/// A rule of the data, as it is in its file.
pub(crate) fn published(id: &str) -> WarningPolicy {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../milepost/data/warning-policies");
    let text = std::fs::read_to_string(data.join(format!("{id}.json"))).unwrap();
    let of = POOL.get_message_by_name("milepost.tracker.v1.WarningPolicy").unwrap();
    let message = DynamicMessage::deserialize(of, &mut serde_json::Deserializer::from_str(&text)).unwrap();
    WarningPolicy::decode(&message.encode_to_vec()[..]).unwrap()
}

/// The same, read as a request to create it is.
fn read(id: &str) -> Rule {
    let policy = published(id);
    let request = CreateWarningPolicyRequest {
        parent: "portfolios/wsc".into(),
        warning_policy: Some(policy.clone()),
        ..CreateWarningPolicyRequest::default()
    };
    let mut violations = Violations::new();
    assert!(read_create::<Tracker, WarningPolicy>(request, &mut violations, Violations::new()).is_some());
    assert_eq!(violations, Violations::new(), "{id}");
    rule::read(&policy, &mut Violations::new()).unwrap()
}

fn percent(text: &str) -> Value {
    let micros = text.parse::<milepost_types::Decimal>().unwrap().micros();
    Value::Share(Fraction::new(micros, 100_000_000).unwrap())
}

fn lights(rule: &Rule, test: usize, values: &[(&str, Option<Light>)]) {
    for (value, expected) in values {
        assert_eq!(light_of(&rule.tests[test].bands, percent(value)), *expected, "{value}");
    }
}

#[test]
fn office_4_yc_progress_is_by_points_and_states_nothing_from_0_to_10() {
    lights(
        &read("yc-progress"),
        0,
        &[
            ("-5", Some(Green)),
            ("0", Some(Green)),
            ("0.000001", None),
            ("9.999999", None),
            ("10", Some(Yellow)),
            ("30", Some(Yellow)),
            ("30.000001", Some(Red)),
            ("41.7", Some(Red)),
        ],
    );
}

#[test]
fn office_4_yc_start_is_yellow_and_red_the_third_time() {
    let rule = read("yc-start");
    assert_eq!(rule.progression.steps, [Step { at_light: Yellow, consecutive: 3, raise_to: Some(Red) }]);
    let since = date(2021, 3, 31);
    let mut carried = Carried::default();
    let shown = [since, date(2021, 4, 30), date(2021, 5, 31)].map(|until| {
        let light = light_of(&rule.tests[0].bands, Value::Age { since, until });
        carried = rule.progression.follow(&carried, light).0;
        carried.shown
    });
    assert_eq!(shown, [Some(Yellow), Some(Yellow), Some(Red)]);
}

#[test]
fn office_4_yc_enrolment_is_yellow_after_a_month_and_red_after_more_than_two() {
    let rule = read("yc-enrolment");
    for (until, expected) in [
        (date(2021, 4, 14), None),
        (date(2021, 4, 15), Some(Yellow)),
        (date(2021, 5, 15), Some(Yellow)),
        (date(2021, 5, 16), Some(Red)),
    ] {
        let age = Value::Age { since: date(2021, 3, 15), until };
        assert_eq!(light_of(&rule.tests[0].bands, age), expected, "{until}");
    }
}

#[test]
fn office_4_wh_is_by_ratio_and_its_rest_is_green() {
    lights(
        &read("wh-ratio"),
        0,
        &[
            ("100", Some(Green)),
            ("80", Some(Green)),
            ("79.999999", Some(Yellow)),
            ("60", Some(Yellow)),
            ("59.999999", Some(Red)),
            ("0", Some(Red)),
        ],
    );
}

#[test]
fn office_4_sy_is_by_shortfall_and_tells_who_is_to_hear_of_it() {
    let rule = read("sy-shortfall");
    lights(
        &rule,
        0,
        &[
            ("-1", Some(Green)),
            ("0", Some(Green)),
            ("0.000001", Some(Yellow)),
            ("50", Some(Yellow)),
            ("50.000001", Some(Red)),
        ],
    );
    let roles: Vec<_> = published("sy-shortfall").steps.into_iter().map(|step| step.role).collect();
    assert_eq!(roles, ["deputy mayor", "city leader"]);
    let first = rule.progression.follow(&Carried::default(), Some(Yellow));
    assert_eq!(first.1, [0; 0]);
    assert_eq!(rule.progression.follow(&first.0, Some(Yellow)).1, [0]);
    assert_eq!(rule.progression.follow(&Carried::default(), Some(Red)).1, [1]);
}

#[test]
fn office_4_tj_is_the_worst_of_three() {
    let rule = read("tj-worst");
    assert_eq!(rule.tests.len(), 3);
    lights(&rule, 0, &[("-0.000001", Some(Red)), ("0", None), ("5", None)]);
    for test in [1, 2] {
        lights(&rule, test, &[("0.000001", Some(Yellow)), ("0", None), ("-5", None)]);
    }
}

#[test]
fn every_rule_of_the_data_is_one_of_these() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../milepost/data/warning-policies");
    let mut files: Vec<_> = std::fs::read_dir(data)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let expected = ["sy-shortfall", "tj-worst", "wh-ratio", "yc-enrolment", "yc-progress", "yc-start"];
    assert_eq!(files, expected.map(|id| format!("{id}.json")));
}
