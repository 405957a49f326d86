//! Lists in fields: of texts, days, weekdays and messages, each member at its place.

use milepost_proto::google::r#type::{Date, Money};
use milepost_proto::registry::v1::*;
use milepost_proto::resource::Node;
use milepost_types::Violations;

use crate::content::check_message;

fn found(message: &mut dyn Node) -> Vec<(String, &'static str, String)> {
    let mut found = Violations::new();
    check_message(message, &mut found);
    found.iter().map(|one| (one.field.clone(), one.reason, one.description.clone())).collect()
}

/// The paths and the reasons of what is wrong.
fn faults(message: &mut dyn Node) -> Vec<(String, &'static str)> {
    found(message).into_iter().map(|(path, reason, _)| (path, reason)).collect()
}

fn expected(faults: &[(&str, &'static str)]) -> Vec<(String, &'static str)> {
    faults.iter().map(|(path, reason)| ((*path).to_owned(), *reason)).collect()
}

fn day(day: i32) -> Date {
    Date { year: 2021, month: 5, day }
}

#[test]
fn days_and_weekdays_are_sorted_and_each_is_given_once() {
    let mut calendar = WorkingCalendar {
        weekdays: vec![5, 1, 3],
        holidays: vec![day(3), day(1), day(2)],
        make_up_days: vec![],
    };
    assert_eq!(faults(&mut calendar), []);
    assert_eq!((calendar.weekdays, calendar.holidays), (vec![1, 3, 5], vec![day(1), day(2), day(3)]));
    let mut calendar = WorkingCalendar {
        weekdays: vec![1, 8, 1, 0],
        holidays: vec![day(3), day(32), day(3)],
        make_up_days: vec![day(1); 2_001],
    };
    let texts: Vec<_> = found(&mut calendar).into_iter().map(|(_, _, text)| text).collect();
    assert_eq!(texts[0], "8 is no weekday; give 1 (Monday) to 7 (Sunday)");
    assert_eq!(texts[1], "the weekday is given twice");
    assert_eq!(texts[4], "2021-05-03 is given twice");
    assert_eq!(texts[5], "2001 members are too many; give at most 2000");
    let mut calendar = WorkingCalendar {
        weekdays: vec![1, 8, 1, 0],
        holidays: vec![day(3), day(32), day(3)],
        make_up_days: vec![day(1); 2_001],
    };
    let wrong = [
        ("weekdays[1]", "OUT_OF_RANGE"),
        ("weekdays[2]", "DUPLICATE"),
        ("weekdays[3]", "OUT_OF_RANGE"),
        ("holidays[1]", "INVALID_DATE"),
        ("holidays[2]", "DUPLICATE"),
        ("make_up_days", "TOO_MANY"),
    ];
    assert_eq!(faults(&mut calendar), expected(&wrong));
}

#[test]
fn a_flood_of_weekdays_is_not_told_one_by_one() {
    let mut calendar = WorkingCalendar { weekdays: vec![9; 1_000_000], ..WorkingCalendar::default() };
    assert_eq!(faults(&mut calendar).len(), 8);
    let mut calendar = WorkingCalendar { weekdays: (1..=8).collect(), ..WorkingCalendar::default() };
    assert_eq!(faults(&mut calendar), expected(&[("weekdays[7]", "OUT_OF_RANGE")]));
}

#[test]
fn messages_in_lists_are_checked_each_at_its_place() {
    let mut project = Project {
        display_name: "p".to_owned(),
        codes: vec![
            ProjectCode { scheme: "s".to_owned(), code: "c".to_owned() },
            ProjectCode { scheme: String::new(), code: "c\n".to_owned() },
        ],
        breakdown: vec![InvestmentItem { category: "c".to_owned(), amount: None }],
        funding: vec![FundingSource {
            source: "s".to_owned(),
            organization: "organizations/".to_owned(),
            amount: Some(Money { currency_code: "RMB".to_owned(), units: 1, nanos: 0 }),
        }],
        ..Project::default()
    };
    let wrong = [
        ("codes[1].scheme", "REQUIRED"),
        ("codes[1].code", "INVALID_CHARACTER"),
        ("breakdown[0].amount", "REQUIRED"),
        ("funding[0].organization", "INVALID_NAME"),
        ("funding[0].amount.currency_code", "INVALID_CURRENCY"),
    ];
    assert_eq!(faults(&mut project), expected(&wrong));
    let code = ProjectCode { scheme: "s".to_owned(), code: String::new() };
    let mut project = Project { display_name: "p".to_owned(), codes: vec![code; 21], ..Project::default() };
    assert_eq!(faults(&mut project), expected(&[("codes", "TOO_MANY")]), "members are not looked at then");
}

#[test]
fn references_name_resources_and_need_not_be_given() {
    let parties = |organization: &str, roles: &[&str]| Project {
        display_name: "p".to_owned(),
        parties: vec![Party {
            organization: organization.to_owned(),
            roles: roles.iter().map(ToString::to_string).collect(),
        }],
        ..Project::default()
    };
    assert_eq!(faults(&mut parties("organizations/o", &["owner"])), []);
    let missing = [("parties[0].organization", "REQUIRED"), ("parties[0].roles", "REQUIRED")];
    assert_eq!(faults(&mut parties("", &[])), expected(&missing));
    let text = "a party takes part as something; give at least one role";
    assert_eq!(found(&mut parties("organizations/o", &[]))[0].2, text);
    let wrong = [("parties[0].organization", "INVALID_NAME"), ("parties[0].roles[1]", "REQUIRED")];
    assert_eq!(faults(&mut parties("portfolios/a", &["owner", ""])), expected(&wrong));
    let part = |parent: &str| Project {
        display_name: "p".to_owned(),
        parent_project: parent.to_owned(),
        ..Project::default()
    };
    assert_eq!(faults(&mut part("")), []);
    assert_eq!(faults(&mut part("x")), expected(&[("parent_project", "INVALID_NAME")]));
}

#[test]
fn a_closed_period_has_both_ends_in_order() {
    let with = |period: Option<Period>| Project {
        display_name: "p".to_owned(),
        completed_investments: vec![CompletedInvestment {
            period,
            amount: Some(Money { currency_code: "CNY".to_owned(), units: 1, nanos: 0 }),
            reported_date: None,
        }],
        ..Project::default()
    };
    let period = |start, end| Some(Period { start_date: start, end_date: end });
    assert_eq!(faults(&mut with(period(Some(day(1)), Some(day(1))))), []);
    let at = |part: &str| format!("completed_investments[0].period{part}");
    let all = [(at(""), "REQUIRED"), (at(".start_date"), "REQUIRED"), (at(".end_date"), "REQUIRED")];
    assert_eq!(faults(&mut with(None)), all);
    assert_eq!(faults(&mut with(period(Some(day(1)), None))), [(at(".end_date"), "REQUIRED")]);
    assert_eq!(faults(&mut with(period(Some(day(2)), Some(day(1))))), [(at(""), "INVALID_PERIOD")]);
    let wrong = [(at(".start_date"), "INVALID_DATE")];
    assert_eq!(faults(&mut with(period(Some(day(32)), Some(day(1))))), wrong);
}
