//! What the tracker keeps of the registry's portfolios, projects and assignments.
//!
//! Invariant: a fact is what the registry said last, as far as it was followed. A time zone that this
//! version does not know counts as UTC, so that no fact is refused.

use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use milepost_schedule::{Calendar, Weekdays};
use milepost_types::TimeZoneId;

use crate::names::{AssignmentName, PortfolioName, ProjectName};

/// What is kept of a portfolio, as the registry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PortfolioFact {
    pub(crate) name: PortfolioName,
    /// An IANA id.
    pub(crate) time_zone: String,
    /// None: Monday to Friday.
    pub(crate) working_days: Option<WorkingDays>,
    pub(crate) deleted: bool,
    /// A BCP 47 tag; empty: not said.
    pub(crate) language: String,
    /// The languages that an entry of its timeline must have to be published.
    pub(crate) required_languages: Vec<String>,
    pub(crate) publish_needs_another_person: bool,
    /// A code of ISO 4217; empty: not kept by the version that took it over.
    pub(crate) reporting_currency: String,
}

/// A working calendar, as the registry says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct WorkingDays {
    /// 1 (Monday) to 7 (Sunday); none: Monday to Friday.
    pub(crate) weekdays: Vec<i32>,
    pub(crate) holidays: Vec<Date>,
    pub(crate) make_up_days: Vec<Date>,
}

/// What is kept of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProjectFact {
    pub(crate) name: ProjectName,
    /// Where it stands, as the registry numbers it. Kept and passed on.
    pub(crate) status: i32,
    pub(crate) deleted: bool,
    /// The project without its long texts, encoded; none: not kept by the version that took it over.
    pub(crate) project: Option<Bytes>,
    /// The day on which the entry cancelled it; none: it did not, or it is not known on which day.
    pub(crate) cancelled: Option<Date>,
}

/// What is kept of an assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AssignmentFact {
    pub(crate) name: AssignmentName,
    /// The officer.
    pub(crate) person: String,
    pub(crate) lead: bool,
    /// The first day.
    pub(crate) start: Date,
    /// The last day; none: it is open.
    pub(crate) end: Option<Date>,
    pub(crate) deleted: bool,
}

impl AssignmentFact {
    /// Whether it is active on a day.
    pub(crate) fn is_active(&self, day: Date) -> bool {
        !self.deleted && self.start <= day && self.end.is_none_or(|end| day <= end)
    }
}

/// A portfolio as the rules use it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Portfolio {
    pub(crate) zone: TimeZoneId,
    pub(crate) calendar: Calendar,
    pub(crate) deleted: bool,
    /// See [`PortfolioFact`]; so with the others.
    pub(crate) language: String,
    pub(crate) required_languages: Vec<String>,
    pub(crate) publish_needs_another_person: bool,
    pub(crate) reporting_currency: String,
}

impl Portfolio {
    /// The date that the clock says, in its time zone: the day that may begin, not the one that it is.
    pub(crate) fn clock_date(&self, now: Timestamp) -> Date {
        self.zone.date_at(now)
    }

    /// What is taken for a portfolio that nothing is known of.
    pub(crate) fn unknown() -> Self {
        Self {
            zone: TimeZoneId::UTC,
            calendar: Calendar::default(),
            deleted: false,
            language: String::new(),
            required_languages: Vec::new(),
            publish_needs_another_person: false,
            reporting_currency: String::new(),
        }
    }
}

impl PortfolioFact {
    /// Whether this version knows the time zone.
    pub(crate) fn zone_is_known(&self) -> bool {
        self.time_zone.parse::<TimeZoneId>().is_ok()
    }
}

impl From<&PortfolioFact> for Portfolio {
    fn from(fact: &PortfolioFact) -> Self {
        Self {
            zone: fact.time_zone.parse().unwrap_or(TimeZoneId::UTC),
            calendar: fact.working_days.as_ref().map(calendar).unwrap_or_default(),
            deleted: fact.deleted,
            language: fact.language.clone(),
            required_languages: fact.required_languages.clone(),
            publish_needs_another_person: fact.publish_needs_another_person,
            reporting_currency: fact.reporting_currency.clone(),
        }
    }
}

/// The registry refuses weekdays that are none or stand twice, so what is left here is Monday to Friday
/// where it cannot be read.
fn calendar(days: &WorkingDays) -> Calendar {
    let weekdays = match days.weekdays.as_slice() {
        [] => Weekdays::MONDAY_TO_FRIDAY,
        numbers => Weekdays::from_numbers(numbers.iter().copied()).unwrap_or_default(),
    };
    Calendar::new(weekdays, days.holidays.iter().copied(), days.make_up_days.iter().copied())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn fact(time_zone: &str, working_days: Option<WorkingDays>) -> PortfolioFact {
        PortfolioFact {
            name: "portfolios/wsc".parse().unwrap(),
            time_zone: time_zone.into(),
            working_days,
            deleted: false,
            language: "zh-CN".into(),
            required_languages: vec!["en".into()],
            publish_needs_another_person: true,
            reporting_currency: "CNY".into(),
        }
    }

    #[test]
    fn a_day_is_the_zones_and_utc_where_the_zone_is_unknown() {
        let now = "2021-05-26T16:30:00Z".parse().unwrap();
        assert_eq!(Portfolio::from(&fact("Asia/Shanghai", None)).clock_date(now), date(2021, 5, 27));
        let unknown = fact("Asia/Chengdu", None);
        assert!(!unknown.zone_is_known());
        assert_eq!(Portfolio::from(&unknown).clock_date(now), date(2021, 5, 26));
    }

    #[test]
    fn a_calendar_without_weekdays_is_monday_to_friday_with_its_exceptions() {
        let days = WorkingDays { make_up_days: vec![date(2021, 5, 8)], ..WorkingDays::default() };
        let calendar = Portfolio::from(&fact("UTC", Some(days))).calendar;
        assert!(calendar.is_working_day(date(2021, 5, 8)) && !calendar.is_working_day(date(2021, 5, 9)));
        assert_eq!(Portfolio::from(&fact("UTC", None)).calendar, Calendar::default());
        let six = WorkingDays { weekdays: vec![1, 2, 3, 4, 5, 6], ..WorkingDays::default() };
        assert!(Portfolio::from(&fact("UTC", Some(six))).calendar.is_working_day(date(2021, 5, 22)));
        let wrong = WorkingDays { weekdays: vec![8], ..WorkingDays::default() };
        assert_eq!(Portfolio::from(&fact("UTC", Some(wrong))).calendar, Calendar::default());
    }
}
