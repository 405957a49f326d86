//! Comparisons with `today()` and `days(n)`.

use std::cell::Cell;

use super::*;
use crate::zone::TimeZoneId;

fn shanghai() -> TimeZoneId {
    "Asia/Shanghai".parse().unwrap()
}

#[test]
fn today_is_the_current_date_of_the_row() {
    let today = CurrentDate::new(date(2020, 9, 10), &shanghai());
    let row = Row { today: Some(today), ..avenue() };
    for (text, matches) in [
        ("planned_period.start > today()", true),
        ("planned_period.start = days(1)", true),
        ("planned_period.start < days(1)", false),
        ("planned_period.start <= days(\"1\")", true),
        ("planned_period.start:days( 1 )", true),
        ("planned_period.start = (today() OR days(1))", true),
        ("planned_period.start >= days(-36600) AND planned_period.start <= days(36600)", true),
        ("NOT planned_period.start > today()", false),
        ("planned_period.start != today()", true),
    ] {
        assert_eq!(parse(text).matches(&row), matches, "{text}");
    }
}

#[test]
fn a_timestamp_is_compared_by_its_date_in_the_zone_of_the_row() {
    // Half past midnight in Shanghai, the day before in UTC.
    let commit = "2021-05-26T16:30:00Z".parse().unwrap();
    let (today, yesterday) = (parse("commit_time = today()"), parse("commit_time = days(-1)"));
    let row = |current: CurrentDate| Row { commit: Some(commit), today: Some(current), ..Row::default() };
    let there = row(CurrentDate::new(date(2021, 5, 27), &shanghai()));
    assert!(today.matches(&there) && !yesterday.matches(&there));
    let utc = row(CurrentDate::utc("2021-05-27T10:00:00Z".parse().unwrap()));
    assert!(!today.matches(&utc) && yesterday.matches(&utc));
}

#[test]
fn where_it_is_not_known_which_day_it_is_nothing_compares_with_it() {
    let row = Row { today: None, ..avenue() };
    for text in ["planned_period.start < days(3)", "planned_period.start >= days(3)", "commit_time = today()"]
    {
        assert!(!parse(text).matches(&row), "{text}");
        assert!(parse(&format!("NOT {text}")).matches(&row), "{text}");
    }
    assert!(parse("planned_period.start != today()").matches(&row));
}

#[test]
fn the_ends_of_time_are_no_fault() {
    let last = Row {
        start: Some(Date::MAX),
        today: Some(CurrentDate::new(Date::MAX, &TimeZoneId::UTC)),
        ..Row::default()
    };
    assert!(parse("planned_period.start = days(36600) AND planned_period.start > days(-1)").matches(&last));
    let first = Row {
        start: Some(Date::MIN),
        today: Some(CurrentDate::new(Date::MIN, &TimeZoneId::UTC)),
        ..Row::default()
    };
    assert!(parse("planned_period.start = days(-36600) AND planned_period.start < days(1)").matches(&first));
    let instant = Row {
        commit: Some(Timestamp::MAX),
        today: Some(CurrentDate::new(Date::MAX, &shanghai())),
        ..Row::default()
    };
    assert!(parse("commit_time <= today()").matches(&instant));
}

#[test]
fn only_filters_with_today_ask_for_it_and_only_for_rows_that_have_the_field() {
    let asked = Cell::new(0);
    let row = avenue();
    let dated = Dated::new(&row, || {
        asked.set(asked.get() + 1);
        Some(CurrentDate::new(date(2020, 9, 10), &shanghai()))
    });
    assert!(
        parse("planned_period.start >= 2020-09-11 AND labels:sector changed_fields:state").matches(&dated)
    );
    assert!(parse("annual_plans.year:2021 AND state = PLANNED").matches(&dated));
    assert_eq!(asked.get(), 0);
    assert!(parse("planned_period.start = days(1)").matches(&dated));
    assert_eq!(asked.get(), 1);
    let nothing = Row::default();
    let dated = Dated::new(&nothing, || panic!("there is no date to compare"));
    assert!(!parse("planned_period.start = days(1)").matches(&dated));
}
