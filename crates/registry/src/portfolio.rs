//! Portfolios: what one office builds, with its time zone, working calendar and currency.
//!
//! Invariant: a portfolio with projects that are not deleted is not deleted. Its days begin and end in
//! its time zone and do not come back, and nowhere else is decided which day it is.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use milepost_proto::registry::v1::{Portfolio, Project};
use milepost_proto::resource::TopLevel;
use milepost_resource::{By, Checked, EventKind, Index, Name, Rules, Show, date, date_message};
use milepost_types::{Rejection, TimeZoneId, Violations};

use crate::project::BY_STATUS;
use crate::tables::{Registry, Rows, Scope};

impl Rules<Registry> for Portfolio {
    type Above = TopLevel;

    const TABLE: u8 = 1;
    const TABLE_NAME: &'static str = "registry.portfolios";
    const ID_PREFIX: char = 'p';
    const INDEXES: &'static [Index] = &[Index {
        tag: 16,
        under: 0,
        by: &[By::Field("display_name")],
        live: false,
        when: &[],
        orders: true,
    }];

    const SHOW: Option<Show<Registry, Self>> = Some(show);

    fn check_field(&self, field: &str, violations: &mut Violations) {
        if field == "max_projects_per_officer" && self.max_projects_per_officer == Some(0) {
            let description =
                "with 0 nobody could be assigned; give at least 1, or leave it out for no limit";
            violations.push(field, "OUT_OF_RANGE", description);
        }
        let Some(calendar) = self.working_calendar.as_ref().filter(|_| field == "working_calendar") else {
            return;
        };
        let make_up_days: BTreeSet<_> =
            calendar.make_up_days.iter().filter_map(|day| date(Some(day))).collect();
        let holidays = calendar.holidays.iter().filter_map(|day| date(Some(day)));
        for both in holidays.filter(|holiday| make_up_days.contains(holiday)) {
            violations.push(
                "working_calendar.make_up_days",
                "CONTRADICTION",
                format!("{both} is also a holiday; it is one or the other"),
            );
        }
    }

    fn release(scope: &Scope<'_>, portfolio: &Checked<Self>) -> Result<(), Rejection> {
        match scope.rows.names::<Project>(BY_STATUS, portfolio.name().ids(), &[]).next() {
            None => Ok(()),
            Some(project) => Err(Rejection::precondition(
                "HAS_PROJECTS",
                project.to_string(),
                "the portfolio has projects that are not deleted, of which this is the first; delete them first",
            )),
        }
    }

    /// It knows which day it is: no later time zone makes it an earlier one.
    fn complete(
        scope: &Scope<'_>,
        _: &EventKind,
        _: &Name<Self>,
        before: Option<&Checked<Self>>,
        portfolio: &mut Self,
    ) -> Result<(), Rejection> {
        let now = scope.context.now;
        // In the time zone that it had, and then in the one that it has now.
        let latest = before.map(|before| current_date(before, now));
        portfolio.current_date = latest.map(date_message);
        portfolio.current_date = Some(date_message(current_date(portfolio, now)));
        Ok(())
    }
}

/// Sets the current date.
fn show(
    _: &Rows<'_>,
    now: Timestamp,
    _: &Name<Portfolio>,
    portfolio: &mut Portfolio,
) -> Result<bool, Rejection> {
    portfolio.current_date = Some(date_message(current_date(portfolio, now)));
    Ok(true)
}

/// Which day it is in a portfolio.
pub(crate) fn current_date(portfolio: &Portfolio, now: Timestamp) -> Date {
    let latest = date(portfolio.current_date.as_ref());
    TimeZoneId::stored(portfolio.time_zone.clone()).current_date(now, latest)
}

/// Which day it is in the portfolio of this name.
///
/// # Errors
/// If there is no such portfolio, or if its row cannot be decoded.
pub(crate) fn today(scope: &Scope<'_>, portfolio: &Name<Portfolio>) -> Result<Date, Rejection> {
    Ok(current_date(&*scope.rows.find(portfolio)?, scope.context.now))
}

/// The day of an act in the portfolio of this name: today if none is given in this field of the request.
///
/// # Errors
/// If the day is after today, and as [`today`].
pub(crate) fn act_date(
    scope: &Scope<'_>,
    portfolio: &Name<Portfolio>,
    field: &str,
    given: Option<Date>,
) -> Result<Date, Rejection> {
    let today = today(scope, portfolio)?;
    let mut violations = Violations::new();
    check_not_after(field, given, today, "give the day on which it happened", &mut violations);
    Ok(violations.into_result(given.unwrap_or(today))?)
}

/// Finds a date of what has happened that is after today, with what to do instead.
pub(crate) fn check_not_after(
    field: &str,
    given: Option<Date>,
    today: Date,
    instead: &str,
    violations: &mut Violations,
) {
    if let Some(date) = given.filter(|date| *date > today) {
        let description = format!("{date} is after today, {today} in the portfolio's time zone; {instead}");
        violations.push(field, "DATE_IN_FUTURE", description);
    }
}

/// The time zone of the portfolio of this name, and which day it is in it.
///
/// # Errors
/// As of [`today`].
pub(crate) fn zone_and_today(
    rows: &Rows<'_>,
    portfolio: &Name<Portfolio>,
    now: Timestamp,
) -> Result<(TimeZoneId, Date), Rejection> {
    let portfolio = rows.find(portfolio)?;
    Ok((TimeZoneId::stored(portfolio.time_zone.clone()), current_date(&portfolio, now)))
}

/// The day that a question is about, in the portfolio of this name: today if the field `date` gives none.
///
/// # Errors
/// If the day is after today, and as [`today`].
pub(crate) fn asked_date(
    rows: &Rows<'_>,
    portfolio: &Name<Portfolio>,
    now: Timestamp,
    given: Option<Date>,
) -> Result<Date, Rejection> {
    let (_, today) = zone_and_today(rows, portfolio, now)?;
    let mut violations = Violations::new();
    check_not_after("date", given, today, "ask for that day or an earlier one", &mut violations);
    Ok(violations.into_result(given.unwrap_or(today))?)
}
