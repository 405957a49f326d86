//! Which date each item of a version has in a project.
//!
//! Invariant: a date depends on the items, the days of the project, the dates of milestones that are there, and the
//! working calendar alone. A day of the project that is not known makes the date of an item unknown, and all that is
//! counted from it.

use std::collections::HashMap;

use jiff::ToSpan;
use jiff::civil::Date;
use milepost_proto::tracker::v1::template_item::Anchor;
use milepost_proto::tracker::v1::template_offset::Unit;
use milepost_proto::tracker::v1::{TemplateItem, TemplateOffset};
use milepost_schedule::Calendar;

/// The days of a project that dates are counted from, as far as they are known.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ProjectDays {
    pub(crate) start: Option<Date>,
    pub(crate) planned_start: Option<Date>,
    pub(crate) planned_end: Option<Date>,
}

impl ProjectDays {
    /// These days, and for those that are not known the others.
    pub(super) fn or(&self, others: &Self) -> Self {
        Self {
            start: self.start.or(others.start),
            planned_start: self.planned_start.or(others.planned_start),
            planned_end: self.planned_end.or(others.planned_end),
        }
    }
}

/// What is found of an item's date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// It is this day; none: the items give it none.
    Day(Option<Date>),
    /// It is counted from this day of the project, which is not known.
    Unknown(Anchor),
    /// It is beyond the years 1 to 9999.
    Beyond,
}

/// The date of each item. `known` says that of items whose milestones are there already.
pub(super) fn dates(
    items: &[TemplateItem],
    days: &ProjectDays,
    known: &HashMap<&str, Option<Date>>,
    calendar: &Calendar,
) -> Vec<Found> {
    let by_id: HashMap<&str, usize> =
        items.iter().enumerate().map(|(i, item)| (item.id.as_str(), i)).collect();
    let known = |item: &TemplateItem| known.get(item.id.as_str()).map(|day| Found::Day(*day));
    let mut found: Vec<Option<Found>> = items.iter().map(known).collect();
    for start in 0..items.len() {
        let (mut way, mut at) = (Vec::new(), Some(start));
        // Published items have no circles; of others the walk is as long as there are items.
        while let Some(i) = at.filter(|i| found[*i].is_none() && way.len() < items.len()) {
            way.push(i);
            let is_item = items[i].anchor() == Anchor::Item;
            at = by_id.get(items[i].anchor_item.as_str()).copied().filter(|_| is_item);
        }
        for i in way.into_iter().rev() {
            let item = &items[i];
            let of_project = |day: Option<Date>| match day {
                Some(day) => Found::Day(Some(day)),
                None => Found::Unknown(item.anchor()),
            };
            let anchor = match item.anchor() {
                Anchor::Unspecified => Found::Day(None),
                Anchor::ProjectStart => of_project(days.start),
                Anchor::PlannedStart => of_project(days.planned_start),
                Anchor::PlannedEnd => of_project(days.planned_end),
                Anchor::Item => {
                    let other = by_id.get(item.anchor_item.as_str()).and_then(|other| found[*other]);
                    other.unwrap_or(Found::Day(None))
                }
            };
            found[i] = Some(match anchor {
                Found::Day(Some(day)) => {
                    shifted(day, item.offset, calendar).map_or(Found::Beyond, |day| Found::Day(Some(day)))
                }
                // Whoever gives the day must know all that need it.
                Found::Unknown(anchor) => Found::Unknown(anchor),
                // It is beyond where that is; one fault is enough.
                Found::Day(None) | Found::Beyond => Found::Day(None),
            });
        }
    }
    found.into_iter().map(|found| found.unwrap_or(Found::Day(None))).collect()
}

/// The day so far from another; none beyond the years 1 to 9999.
fn shifted(day: Date, offset: Option<TemplateOffset>, calendar: &Calendar) -> Option<Date> {
    let Some(offset) = offset else { return Some(day) };
    let shifted = match offset.unit() {
        Unit::Unspecified => Some(day),
        Unit::WorkingDays => calendar.add_working_days(day, offset.n),
        Unit::CalendarDays => day.checked_add(i64::from(offset.n).days()).ok(),
        Unit::Months => day.checked_add(offset.n.months()).ok(),
    };
    shifted.filter(|day| day.year() >= 1)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use milepost_schedule::Weekdays;

    use super::super::tests::{after, dated, item};
    use super::*;

    fn planned(items: &[TemplateItem], start: Date, calendar: &Calendar) -> Vec<Found> {
        let days = ProjectDays { planned_start: Some(start), ..ProjectDays::default() };
        dates(items, &days, &HashMap::new(), calendar)
    }

    fn day(day: Date) -> Found {
        Found::Day(Some(day))
    }

    /// office.md, section 7: months clamp to the end of the month.
    #[test]
    fn months_end_where_the_month_does() {
        let months = |n| [dated(item("a"), Anchor::PlannedStart, n, Unit::Months)];
        for (start, n, expected) in [
            (date(2021, 1, 31), 1, date(2021, 2, 28)),
            (date(2020, 1, 31), 1, date(2020, 2, 29)),
            (date(2021, 3, 31), -1, date(2021, 2, 28)),
            (date(2020, 2, 29), 12, date(2021, 2, 28)),
            (date(2021, 5, 15), 24, date(2023, 5, 15)),
        ] {
            assert_eq!(planned(&months(n), start, &Calendar::default()), [day(expected)], "{start} {n}");
        }
        // Each step is clamped by itself.
        let chain =
            [dated(item("a"), Anchor::PlannedStart, 1, Unit::Months), after(item("b"), "a", 1, Unit::Months)];
        let expected = [day(date(2021, 2, 28)), day(date(2021, 3, 28))];
        assert_eq!(planned(&chain, date(2021, 1, 31), &Calendar::default()), expected);
    }

    #[test]
    fn working_days_are_those_of_the_calendar_and_calendar_days_are_all() {
        let holidays = (1..=5).map(|day| date(2021, 5, day));
        let china = Calendar::new(Weekdays::default(), holidays, [date(2021, 4, 25), date(2021, 5, 8)]);
        let items = [
            dated(item("a"), Anchor::PlannedStart, 3, Unit::WorkingDays),
            dated(item("b"), Anchor::PlannedStart, 3, Unit::CalendarDays),
            dated(item("c"), Anchor::PlannedStart, -1, Unit::WorkingDays),
            dated(item("d"), Anchor::PlannedStart, 0, Unit::WorkingDays),
        ];
        let start = date(2021, 4, 30);
        let expected = [day(date(2021, 5, 8)), day(date(2021, 5, 3)), day(date(2021, 4, 29)), day(start)];
        assert_eq!(planned(&items, start, &china), expected);
    }

    #[test]
    fn items_are_counted_in_any_order_from_what_is_known_and_what_is_not_known_says_so() {
        let days = Unit::CalendarDays;
        let items = [
            after(item("c"), "b", 1, days),
            after(item("b"), "a", 1, days),
            dated(item("a"), Anchor::PlannedStart, 1, days),
            dated(item("x"), Anchor::ProjectStart, 1, days),
            after(item("y"), "x", 1, days),
            item("z"),
            after(item("after-known"), "known", 2, days),
            item("known"),
        ];
        let known = HashMap::from([("known", Some(date(2020, 6, 10))), ("a", Some(date(2021, 6, 1)))]);
        let project = ProjectDays { planned_start: Some(date(2021, 1, 1)), ..ProjectDays::default() };
        let found = dates(&items, &project, &known, &Calendar::default());
        let (none, unknown) = (Found::Day(None), Found::Unknown(Anchor::ProjectStart));
        let june = |n| day(date(2021, 6, n));
        let known = [day(date(2020, 6, 12)), day(date(2020, 6, 10))];
        let expected = [june(3), june(2), june(1), unknown, unknown, none, known[0], known[1]];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_date_beyond_the_years_is_said_once() {
        let items = [
            dated(item("a"), Anchor::PlannedStart, 1, Unit::CalendarDays),
            after(item("b"), "a", 1, Unit::CalendarDays),
            dated(item("c"), Anchor::PlannedStart, 1, Unit::WorkingDays),
            dated(item("d"), Anchor::PlannedStart, 1, Unit::Months),
        ];
        let found = planned(&items, date(9999, 12, 31), &Calendar::default());
        assert_eq!(found, [Found::Beyond, Found::Day(None), Found::Beyond, Found::Beyond]);
        let never = Calendar::new(Weekdays::from_numbers([]).unwrap(), [], []);
        assert_eq!(planned(&items[2..3], date(2021, 1, 1), &never), [Found::Beyond]);
    }

    #[test]
    fn a_chain_of_500_is_counted() {
        let mut items = vec![dated(item("i499"), Anchor::PlannedStart, 0, Unit::CalendarDays)];
        items.extend(
            (0..499)
                .rev()
                .map(|i| after(item(&format!("i{i}")), &format!("i{}", i + 1), 1, Unit::CalendarDays)),
        );
        items.reverse();
        let found = planned(&items, date(2021, 1, 1), &Calendar::default());
        assert_eq!(found[0], day(date(2021, 1, 1).saturating_add(499.days())));
    }
}
