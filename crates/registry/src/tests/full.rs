//! Resources at all their limits, in characters of four bytes, as callers may give them.

use jiff::ToSpan;
use jiff::civil::date;
use milepost_proto::google::r#type::{Date, Money};
use milepost_proto::registry::v1::*;
use milepost_service::value::date_message;
use milepost_types::limits;

use super::office::{organization_name, project_name};

/// A text of so many characters, which ends with a number.
pub(crate) fn text(characters: usize, number: usize) -> String {
    let number = number.to_string();
    "𠮷".repeat(characters - number.len()) + &number
}

/// An id as long as one may be.
pub(crate) fn id(first: char, number: usize) -> String {
    format!("{first}{number:062}")
}

fn translations() -> std::collections::BTreeMap<String, String> {
    let tag = |i| format!("x-aaaaaaaa-aaaaaaaa-aaaaaaaa-{i:06}");
    assert_eq!(tag(0).len(), limits::LANGUAGE_TAG_CHARS);
    (0..limits::TRANSLATIONS).map(|i| (tag(i), text(limits::DISPLAY_NAME_CHARS, i))).collect()
}

fn labels() -> std::collections::BTreeMap<String, String> {
    (0..limits::LABELS).map(|i| (id('k', i), text(limits::LABEL_VALUE_CHARS, i))).collect()
}

fn display_name() -> String {
    text(limits::DISPLAY_NAME_CHARS, 0)
}

/// The amount of which a thousand can still be added up.
fn amount() -> Option<Money> {
    Some(Money { currency_code: "CNY".into(), units: i64::MAX / 1_001, nanos: 999_999_999 })
}

fn days(from: i16, count: usize) -> Vec<Date> {
    let first = date(from, 10, 10);
    (0..count).map(|i| date_message(first.saturating_add(i64::try_from(i).unwrap().days()))).collect()
}

fn period() -> Option<Period> {
    let day = |year| Some(Date { year, month: 12, day: 31 });
    Some(Period { start_date: day(2018), end_date: day(2020) })
}

pub(crate) fn portfolio() -> Portfolio {
    Portfolio {
        display_name: display_name(),
        translations: translations(),
        time_zone: "America/Argentina/ComodRivadavia".into(),
        working_calendar: Some(WorkingCalendar {
            weekdays: (1..=7).collect(),
            holidays: days(2000, limits::CALENDAR_DAYS),
            make_up_days: days(9000, limits::CALENDAR_DAYS),
        }),
        reporting_currency_code: "CNY".into(),
        description: text(limits::TEXT_CHARS, 0),
        labels: labels(),
        language: "zh-Hans-CN".into(),
        required_languages: translations().into_keys().take(20).collect(),
        publish_needs_another_person: true,
        max_projects_per_officer: Some(1000),
        ..Portfolio::default()
    }
}

pub(crate) fn organization() -> Organization {
    let identifier =
        |i| Identifier { scheme: text(limits::SCHEME_CHARS, i), id: text(limits::CODE_CHARS, i) };
    Organization {
        display_name: display_name(),
        translations: translations(),
        kind: organization::Kind::FinancialInstitution.into(),
        identifiers: (0..limits::CODES).map(identifier).collect(),
        attributes: labels(),
        ..Organization::default()
    }
}

/// A part of `project_name(id('w', 0))`, with `organizations/{id('o', 0)}` in all places.
pub(crate) fn project() -> Project {
    let organization = organization_name(&id('o', 0));
    let code = |i| ProjectCode { scheme: text(limits::SCHEME_CHARS, i), code: text(limits::CODE_CHARS, i) };
    let item = |i| InvestmentItem { category: text(limits::CODE_CHARS, i), amount: amount() };
    let source = |i| FundingSource {
        source: text(limits::CODE_CHARS, i),
        organization: organization.clone(),
        amount: amount(),
    };
    let plan = |i| AnnualPlan {
        year: 2_000 + i32::try_from(i).unwrap(),
        investment: amount(),
        content: text(limits::TEXT_CHARS, i),
        schedule: (0..limits::PLAN_STEPS).map(|step| plan_step(2_000 + i, step)).collect(),
        funds: amount(),
        reported_date: period().and_then(|period| period.end_date),
    };
    let role = |i| text(limits::SCHEME_CHARS, i);
    let party =
        |_| Party { organization: organization.clone(), roles: (0..limits::PARTY_ROLES).map(role).collect() };
    Project {
        display_name: display_name(),
        translations: translations(),
        codes: (0..limits::CODES).map(code).collect(),
        sector: text(limits::CODE_CHARS, 0),
        level: project::Level::District.into(),
        key: Some(true),
        listing: project::Listing::Continued.into(),
        site: Some(Site {
            address: text(limits::LINE_CHARS, 0),
            division_code: "500107".into(),
            latitude: Some(29.5),
            longitude: Some(106.3),
        }),
        purpose: text(limits::TEXT_CHARS, 0),
        scale: text(limits::TEXT_CHARS, 0),
        investment: amount(),
        breakdown: (0..limits::BREAKDOWN_ITEMS).map(item).collect(),
        funding: (0..limits::FUNDING_SOURCES).map(source).collect(),
        annual_plans: (0..limits::ANNUAL_PLANS).map(plan).collect(),
        completed_investments: days(2016, limits::COMPLETED_INVESTMENTS).into_iter().map(completed).collect(),
        parties: (0..limits::PARTIES).map(party).collect(),
        planned_period: period(),
        actual_period: period(),
        parent_project: project_name(&id('w', 0)),
        labels: labels(),
        received_funds: days(2016, limits::RECEIVED_FUNDS).into_iter().map(received).collect(),
        enrolment_date: period().and_then(|period| period.end_date),
        ..Project::default()
    }
}

fn plan_step(year: usize, step: usize) -> PlanStep {
    let (year, step) = (i32::try_from(year).unwrap(), i32::try_from(step).unwrap());
    let date = Some(Date { year, month: 1 + step / 2, day: 27 + step % 2 });
    PlanStep { date, cumulative: amount() }
}

fn completed(day: Date) -> CompletedInvestment {
    let period = Some(Period { start_date: Some(day), end_date: Some(day) });
    CompletedInvestment { period, amount: amount(), reported_date: Some(day) }
}

fn received(day: Date) -> ReceivedFunds {
    let period = Some(Period { start_date: Some(day), end_date: Some(day) });
    ReceivedFunds { period, amount: amount(), reported_date: Some(day) }
}

pub(crate) fn phase() -> Phase {
    Phase {
        display_name: display_name(),
        translations: translations(),
        order: i32::MAX,
        planned_period: period(),
        actual_period: period(),
        investment: amount(),
        scale: text(limits::TEXT_CHARS, 0),
        ..Phase::default()
    }
}

/// All but its projects and members.
pub(crate) fn alliance() -> Alliance {
    Alliance {
        display_name: display_name(),
        translations: translations(),
        description: text(limits::TEXT_CHARS, 0),
        labels: labels(),
        shared_resources: (0..100).map(|i| text(200, i)).collect(),
        ..Alliance::default()
    }
}

/// All but its members.
pub(crate) fn batch() -> Batch {
    Batch {
        display_name: display_name(),
        translations: translations(),
        start_date: Some(Date { year: 2021, month: 12, day: 31 }),
        place: text(limits::LINE_CHARS, 0),
        declared_count: Some(i32::MAX),
        declared_investment: amount(),
        description: text(limits::TEXT_CHARS, 0),
        labels: labels(),
        ..Batch::default()
    }
}

/// All but its members: as many elements as there may be, whose texts are about as long as they may be together.
pub(crate) fn collection() -> Collection {
    let element = |i| CollectionElement {
        id: id('e', i),
        group: text(limits::SCHEME_CHARS, i),
        display_name: text(70, i),
        planned_measure: "0.000001".into(),
        contributions: Vec::new(),
    };
    let declared =
        |i| CollectionDeclaredCount { group: text(limits::SCHEME_CHARS, i), count: Some(i32::MAX) };
    Collection {
        display_name: display_name(),
        translations: translations(),
        description: text(limits::TEXT_CHARS, 0),
        labels: labels(),
        kind: text(limits::SCHEME_CHARS, 0),
        unit: text(limits::SCHEME_CHARS, 0),
        declared: (0..1_000).map(declared).collect(),
        elements: (0..1_000).map(element).collect(),
        ..Collection::default()
    }
}

/// The currency with this number.
pub(crate) fn currency(number: usize) -> String {
    let letter = |place: usize| char::from(b'A' + u8::try_from(number / place % 26).unwrap());
    [letter(676), letter(26), letter(1)].iter().collect()
}
