//! Portfolios: what one office builds, with its time zone, working calendar and currency.
//!
//! Invariant: a portfolio with projects that are not deleted is not deleted. Its days begin and end in
//! its time zone and do not come back, and nowhere else is decided which day it is.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use milepost_types::{CurrencyCode, LanguageTag, PortfolioName, ProjectName, Rejection, TimeZoneId};

use crate::details::{Rules, details};
use crate::record::{Create, Moment, Record, Target, Update};

/// A portfolio, with the day that it was when it last changed: none if that was before days were kept.
pub(crate) type Portfolio = Record<PortfolioName, Details, Option<Date>>;

impl Portfolio {
    /// Which day it is in it.
    pub(crate) fn current_date(&self, now: Timestamp) -> Date {
        self.details.time_zone.current_date(now, self.standing)
    }

    /// The same portfolio, knowing which day it is: no later time zone makes it an earlier one.
    #[must_use]
    pub(crate) fn dated(mut self, now: Timestamp) -> Self {
        self.standing = Some(self.current_date(now));
        self
    }
}

details! {
    display_name: String,
    translations: BTreeMap<LanguageTag, String>,
    time_zone: TimeZoneId,
    /// `None`: Monday to Friday, without holidays.
    working_calendar: Option<WorkingCalendar>,
    reporting_currency_code: CurrencyCode,
    description: String,
    labels: BTreeMap<String, String>,
}

impl Rules for Details {
    const NOUN: &'static str = "portfolio";
}

/// Which days are worked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct WorkingCalendar {
    /// 1 (Monday) to 7 (Sunday); none: Monday to Friday.
    pub(crate) weekdays: BTreeSet<u8>,
    /// Not worked although the weekday is.
    pub(crate) holidays: BTreeSet<Date>,
    /// Worked although the weekday is not; none of them a holiday.
    pub(crate) make_up_days: BTreeSet<Date>,
}

/// What may be asked of portfolios.
#[derive(Debug)]
pub(crate) enum Command {
    /// Create one.
    Create(Create<(), Details>),
    /// Change fields of one.
    Update(Update<PortfolioName, Patch>),
    /// Delete one softly.
    Delete(Target<PortfolioName>),
    /// Take a deletion back.
    Undelete(Target<PortfolioName>),
}

/// The portfolio after its deletion, where `project` is one that it still has.
pub(crate) fn delete(
    portfolio: &Portfolio,
    target: &Target<PortfolioName>,
    project: Option<ProjectName>,
    moment: &Moment,
) -> Result<Option<Portfolio>, Rejection> {
    let deleted = portfolio.delete(target.etag, moment)?;
    match (deleted, project) {
        (Some(_), Some(project)) => Err(Rejection::precondition(
            "HAS_PROJECTS",
            project.to_string(),
            "the portfolio has projects that are not deleted, of which this is the first; delete them first",
        )),
        (deleted, _) => Ok(deleted),
    }
}
