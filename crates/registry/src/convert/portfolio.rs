//! Portfolios, between messages and the domain.

use std::collections::BTreeSet;

use jiff::civil::Date;
use milepost_proto::google::r#type as gtype;
use milepost_proto::registry::v1 as proto;
use milepost_service::fields::Fields;
use milepost_service::mask::{Known, Mask};
use milepost_types::{TimeZoneId, Violations, limits};

use super::{Unreadable, request, value};
use crate::details::Details as _;
use crate::portfolio::{Command, Details, Patch, Portfolio, WorkingCalendar};
use crate::record::{Life, Record};

/// The fields of a portfolio.
pub(crate) const KNOWN: Known = Known {
    fields: Details::FIELDS,
    parts: &[],
    methods: &[],
    output: &[("current_date", "the server's clock says it")],
};

/// Reads what callers say of a portfolio.
fn patch(message: proto::Portfolio, mask: &Mask, violations: &mut Violations) -> Patch {
    let mut fields = Fields { mask, violations };
    Patch {
        display_name: fields.display_name(message.display_name),
        translations: fields.translations(message.translations),
        time_zone: fields.parse("time_zone", &message.time_zone),
        working_calendar: fields.take_with(
            "working_calendar",
            message.working_calendar.is_some(),
            |violations| violations.check_optional("working_calendar", message.working_calendar, calendar),
        ),
        reporting_currency_code: fields.parse("reporting_currency_code", &message.reporting_currency_code),
        description: fields.text("description", message.description),
        labels: fields.labels("labels", message.labels),
    }
}

fn calendar(message: proto::WorkingCalendar) -> Result<WorkingCalendar, Violations> {
    let mut violations = Violations::new();
    let weekdays = weekdays(&message.weekdays, &mut violations);
    let holidays = days("holidays", message.holidays, &mut violations);
    let make_up_days = days("make_up_days", message.make_up_days, &mut violations);
    for both in holidays.intersection(&make_up_days) {
        violations.push(
            "make_up_days",
            "CONTRADICTION",
            format!("{both} is also a holiday; it is one or the other"),
        );
    }
    violations.into_result(WorkingCalendar { weekdays, holidays, make_up_days })
}

fn weekdays(given: &[i32], violations: &mut Violations) -> BTreeSet<u8> {
    let mut weekdays = BTreeSet::new();
    // More than seven cannot be right, and each would be a violation of its own.
    for (i, number) in given.iter().enumerate().take(8) {
        let field = format!("weekdays[{i}]");
        match u8::try_from(*number).ok().filter(|number| (1..=7).contains(number)) {
            None => violations.push(
                field,
                "OUT_OF_RANGE",
                format!("{number} is no weekday; give 1 (Monday) to 7 (Sunday)"),
            ),
            Some(weekday) if !weekdays.insert(weekday) => {
                violations.push(field, "DUPLICATE", "the weekday is given twice");
            }
            Some(_) => {}
        }
    }
    weekdays
}

fn days(field: &str, given: Vec<gtype::Date>, violations: &mut Violations) -> BTreeSet<Date> {
    let mut days = BTreeSet::new();
    if !violations.check_count(field, given.len(), limits::CALENDAR_DAYS) {
        return days;
    }
    for (i, date) in given.into_iter().enumerate() {
        let field = format!("{field}[{i}]");
        if let Some(date) = violations.check(field.clone(), value::date(date))
            && !days.insert(date)
        {
            violations.push(field, "DUPLICATE", format!("{date} is given twice"));
        }
    }
    days
}

/// A wish to create a portfolio.
pub(crate) fn create(request: proto::CreatePortfolioRequest, violations: &mut Violations) -> Option<Command> {
    let id = request::id("portfolio_id", &request.portfolio_id, violations);
    let details = request::details(request.portfolio, patch, violations);
    request::create(Some(()), id, details).map(Command::Create)
}

/// A wish to change fields of a portfolio.
pub(crate) fn update(request: proto::UpdatePortfolioRequest, violations: &mut Violations) -> Option<Command> {
    let update =
        request::update::<Details, _, _>(request.update_mask, &KNOWN, request.portfolio, patch, violations);
    update.map(Command::Update)
}

/// A wish to delete a portfolio.
pub(crate) fn delete(
    request: &proto::DeletePortfolioRequest,
    violations: &mut Violations,
) -> Option<Command> {
    request::target(&request.name, &request.etag, violations).map(Command::Delete)
}

/// A wish to undelete a portfolio.
pub(crate) fn undelete(
    request: &proto::UndeletePortfolioRequest,
    violations: &mut Violations,
) -> Option<Command> {
    request::target(&request.name, &request.etag, violations).map(Command::Undelete)
}

/// The portfolio that was stored.
pub(crate) fn stored(message: proto::Portfolio) -> Result<Portfolio, Unreadable> {
    request::stored(message, |message| {
        let field = "reporting_currency_code";
        let details = Details {
            display_name: message.display_name,
            translations: value::stored_translations(message.translations),
            time_zone: TimeZoneId::stored(message.time_zone),
            working_calendar: message.working_calendar.map(stored_calendar).transpose()?,
            reporting_currency_code: value::stored_currency(field, &message.reporting_currency_code)?,
            description: message.description,
            labels: message.labels,
        };
        Ok((details, value::stored_date("current_date", message.current_date)?))
    })
}

fn stored_calendar(message: proto::WorkingCalendar) -> Result<WorkingCalendar, Unreadable> {
    let weekday =
        |number: i32| u8::try_from(number).map_err(|_| Unreadable::of("working_calendar.weekdays", number));
    let day =
        |date: gtype::Date| value::date(date).map_err(|error| Unreadable::of("working_calendar", error));
    Ok(WorkingCalendar {
        weekdays: message.weekdays.into_iter().map(weekday).collect::<Result<_, _>>()?,
        holidays: message.holidays.into_iter().map(day).collect::<Result<_, _>>()?,
        make_up_days: message.make_up_days.into_iter().map(day).collect::<Result<_, _>>()?,
    })
}

/// A portfolio as a message.
pub(crate) fn message(portfolio: &Portfolio) -> proto::Portfolio {
    let Record { name, details, standing, life } = portfolio;
    let Life { create_time, update_time, delete_time, etag } = life;
    proto::Portfolio {
        name: name.to_string(),
        display_name: details.display_name.clone(),
        translations: value::translations(&details.translations),
        time_zone: details.time_zone.to_string(),
        working_calendar: details.working_calendar.as_ref().map(calendar_message),
        reporting_currency_code: details.reporting_currency_code.to_string(),
        description: details.description.clone(),
        labels: details.labels.clone(),
        current_date: standing.map(value::date_message),
        create_time: Some(value::instant_message(*create_time)),
        update_time: Some(value::instant_message(*update_time)),
        delete_time: delete_time.map(value::instant_message),
        etag: etag.to_string(),
    }
}

fn calendar_message(calendar: &WorkingCalendar) -> proto::WorkingCalendar {
    proto::WorkingCalendar {
        weekdays: calendar.weekdays.iter().copied().map(i32::from).collect(),
        holidays: calendar.holidays.iter().copied().map(value::date_message).collect(),
        make_up_days: calendar.make_up_days.iter().copied().map(value::date_message).collect(),
    }
}
