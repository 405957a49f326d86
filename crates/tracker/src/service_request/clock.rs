//! The clock of a service request: from which day on it is overdue, and how far it has escalated on a day.
//!
//! Level 1 begins the day after the due date, and each further one when 5 more working days have passed, up to 3. The
//! clock stands still while a request is paused, ANSWERED, CLOSED or WITHDRAWN. Working days after the first day of a
//! pause, up to its last, do not count, nor do those after an answer, up to its return, whatever due date and calendar
//! came after them. A pause moves the due date by as many.
//! Invariant: the level that is found depends on the request, the calendar and the day alone; with time it only rises.

use jiff::civil::Date;
use milepost_proto::tracker::v1::service_request::State;
use milepost_proto::tracker::v1::{ServicePause, ServiceRequest};
use milepost_resource::date;
use milepost_schedule::Calendar;

/// The highest level.
pub(crate) const MAX_LEVEL: i32 = 3;
/// Working days between one level and the next.
const WORKING_DAYS: i32 = 5;

/// Whether nothing changes a request any more.
pub(crate) fn is_final(request: &ServiceRequest) -> bool {
    matches!(request.state(), State::Closed | State::Withdrawn)
}

/// The day since which the clock stands still; none if it runs.
fn still_since(request: &ServiceRequest) -> Option<Date> {
    let paused = request.pauses.last().filter(|pause| pause.end_date.is_none());
    let answered = request.answers.last().filter(|answer| answer.return_date.is_none());
    let withdrawn = request.act_date.as_ref().filter(|_| request.state() == State::Withdrawn);
    let since = paused.and_then(|pause| pause.start_date.as_ref());
    date(since.or(answered.and_then(|answer| answer.answer_date.as_ref())).or(withdrawn))
}

/// Whether the clock runs.
pub(crate) fn runs(request: &ServiceRequest) -> bool {
    still_since(request).is_none()
}

/// The day on which a request is overdue at first; none: never.
fn first_overdue(request: &ServiceRequest) -> Option<Date> {
    date(request.due_date.as_ref())?.tomorrow().ok()
}

/// The overdue day from which working days count. A pause that began when it was overdue moved the due date past days that
/// counted already: as long as the due date is the one that it led to, this goes back to the first of them.
fn counts_after(request: &ServiceRequest, calendar: &Calendar, first: Date) -> Date {
    let mut first = first;
    for pause in request.pauses.iter().rev().filter(|pause| pause.working_days > 0) {
        let earlier = due_before(pause, calendar, first).and_then(|due| due.tomorrow().ok());
        match earlier.filter(|earlier| date(pause.start_date.as_ref()) >= Some(*earlier)) {
            Some(earlier) => first = earlier,
            None => break,
        }
    }
    first
}

/// The due date before a pause moved it to the day before this overdue day; none if it moved it to another day.
fn due_before(pause: &ServicePause, calendar: &Calendar, first: Date) -> Option<Date> {
    let due = first.yesterday().ok()?;
    let Some(previous) = date(pause.previous_due_date.as_ref()) else {
        // Earlier versions kept no due date of a pause that moved one.
        return calendar.add_working_days(due, -pause.working_days);
    };
    let led_to = date(pause.due_date.as_ref());
    let led_to = led_to.or_else(|| calendar.add_working_days(previous, pause.working_days));
    (led_to == Some(due)).then_some(previous)
}

/// How many working days the clock ran after the first overdue day, up to `day`, which is not before that.
fn overdue_working_days(request: &ServiceRequest, calendar: &Calendar, first: Date, day: Date) -> i32 {
    let first = counts_after(request, calendar, first);
    let paused = request.pauses.iter().map(|pause| (&pause.start_date, &pause.end_date));
    let answered = request.answers.iter().map(|answer| (&answer.answer_date, &answer.return_date));
    let still = paused.chain(answered).filter_map(|(from, to)| {
        let (from, to) = (date(from.as_ref())?.max(first), date(to.as_ref())?.min(day));
        (from < to).then(|| calendar.working_days_between(from, to))
    });
    calendar.working_days_between(first, day) - still.sum::<i32>()
}

/// The level of a request on a day.
pub(crate) fn level_on(request: &ServiceRequest, calendar: &Calendar, day: Date) -> i32 {
    let day = still_since(request).map_or(day, |since| since.min(day));
    match first_overdue(request) {
        Some(first) if first <= day => {
            let passed = overdue_working_days(request, calendar, first, day);
            (1 + passed / WORKING_DAYS).clamp(1, MAX_LEVEL)
        }
        _ => 0,
    }
}

/// The next day after `day` on which the level of a request rises if nothing happens; none: no day does that.
pub(crate) fn next_rise(request: &ServiceRequest, calendar: &Calendar, day: Date) -> Option<Date> {
    if !runs(request) {
        return None;
    }
    let first = first_overdue(request)?;
    match level_on(request, calendar, day) {
        0 => Some(first),
        MAX_LEVEL.. => None,
        level => {
            let passed = overdue_working_days(request, calendar, first, day);
            calendar.add_working_days(day, WORKING_DAYS * level - passed)
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use milepost_proto::tracker::v1::ServiceAnswer;
    use milepost_resource::date_message;
    use milepost_schedule::Weekdays;
    use proptest::prelude::*;

    use super::*;

    /// Due on Monday, 10 May 2021.
    const DUE: Date = date(2021, 5, 10);

    fn request() -> ServiceRequest {
        let due_date = Some(date_message(DUE));
        ServiceRequest { due_date, state: State::Accepted.into(), ..ServiceRequest::default() }
    }

    fn level(request: &ServiceRequest, day: Date) -> i32 {
        level_on(request, &Calendar::default(), day)
    }

    /// office.md, section 2: level 1 the day after due, +1 each 5 working days, at most 3.
    #[test]
    fn levels_begin_the_day_after_and_after_5_and_10_working_days_and_end_there() {
        let request = request();
        for (day, expected) in [
            (DUE, 0),
            (date(2021, 5, 11), 1),
            (date(2021, 5, 17), 1),
            (date(2021, 5, 18), 2),
            (date(2021, 5, 24), 2),
            (date(2021, 5, 25), 3),
            (date(2021, 6, 1), 3),
            (date(2021, 12, 31), 3),
        ] {
            assert_eq!(level(&request, day), expected, "{day}");
        }
        let next = |day| next_rise(&request, &Calendar::default(), day);
        assert_eq!(next(date(2021, 5, 1)), Some(date(2021, 5, 11)));
        assert_eq!(next(DUE), Some(date(2021, 5, 11)));
        assert_eq!(next(date(2021, 5, 11)), Some(date(2021, 5, 18)));
        assert_eq!(next(date(2021, 5, 16)), Some(date(2021, 5, 18)), "a Sunday");
        assert_eq!(next(date(2021, 5, 18)), Some(date(2021, 5, 25)));
        assert_eq!(next(date(2021, 5, 25)), None);
    }

    /// office.md, section 2: without a due date it is never overdue.
    #[test]
    fn what_has_no_due_date_is_never_overdue() {
        let never = ServiceRequest { due_date: None, ..request() };
        assert_eq!((level(&never, Date::MAX), next_rise(&never, &Calendar::default(), DUE)), (0, None));
        let last = ServiceRequest { due_date: Some(date_message(Date::MAX)), ..request() };
        assert_eq!((level(&last, Date::MAX), next_rise(&last, &Calendar::default(), DUE)), (0, None));
    }

    #[test]
    fn a_paused_request_stands_where_it_stood() {
        let paused_on = |day| {
            let pause = ServicePause { start_date: Some(date_message(day)), ..ServicePause::default() };
            ServiceRequest { pauses: vec![pause], ..request() }
        };
        for (day, expected) in
            [(date(2021, 5, 6), 0), (DUE, 0), (date(2021, 5, 12), 1), (date(2021, 5, 18), 2)]
        {
            let paused = paused_on(day);
            assert_eq!(level(&paused, date(2021, 12, 31)), expected, "{day}");
            assert_eq!(next_rise(&paused, &Calendar::default(), date(2021, 12, 31)), None);
        }
    }

    #[test]
    fn what_waits_for_the_requester_does_not_count() {
        let answer = |from, to: Option<Date>| ServiceAnswer {
            answer_date: Some(date_message(from)),
            return_date: to.map(date_message),
            ..ServiceAnswer::default()
        };
        // Answered in time, it is not overdue however long the requester takes; returned late, it is at once.
        let in_time = answer(date(2021, 5, 7), None);
        let answered = ServiceRequest { answers: vec![in_time], state: State::Answered.into(), ..request() };
        assert_eq!(level(&answered, date(2021, 12, 31)), 0);
        let returned = answer(date(2021, 5, 7), Some(date(2021, 5, 20)));
        let returned = ServiceRequest { answers: vec![returned], ..request() };
        assert_eq!((level(&returned, date(2021, 5, 19)), level(&returned, date(2021, 5, 20))), (1, 1));
        assert_eq!(next_rise(&returned, &Calendar::default(), date(2021, 5, 20)), Some(date(2021, 5, 27)));
        // Three working days of level 1 passed before the answer, and two after the return: the fifth brings level 2.
        let late = answer(date(2021, 5, 14), Some(date(2021, 6, 14)));
        let late = ServiceRequest { answers: vec![late], ..request() };
        assert_eq!((level(&late, date(2021, 6, 15)), level(&late, date(2021, 6, 16))), (1, 2));
        assert_eq!(next_rise(&late, &Calendar::default(), date(2021, 6, 14)), Some(date(2021, 6, 16)));
    }

    /// A request that was paused from one day to another, by which its due date moved.
    fn resumed(request: ServiceRequest, calendar: &Calendar, start: Date, end: Date) -> ServiceRequest {
        let working_days = calendar.working_days_between(start, end);
        let due = super::date(request.due_date.as_ref()).unwrap();
        let (start_date, end_date) = (Some(date_message(start)), Some(date_message(end)));
        let previous_due_date = request.due_date;
        let due_date = calendar.add_working_days(due, working_days).map(date_message);
        let code = String::new();
        let pause = ServicePause { start_date, end_date, code, working_days, previous_due_date, due_date };
        let pauses = request.pauses.iter().cloned().chain([pause]).collect();
        ServiceRequest { due_date, pauses, ..request }
    }

    #[test]
    fn a_pause_after_an_answer_does_not_count_and_the_answer_counts_no_more_than_before() {
        let returned = ServiceAnswer {
            answer_date: Some(date_message(date(2021, 5, 14))),
            return_date: Some(date_message(date(2021, 6, 14))),
            ..ServiceAnswer::default()
        };
        let before = ServiceRequest { answers: vec![returned], ..request() };
        let (calendar, start, end) = (Calendar::default(), date(2021, 6, 15), date(2021, 6, 22));
        let after = resumed(before.clone(), &calendar, start, end);
        assert_eq!(after.due_date, Some(date_message(date(2021, 5, 17))));
        assert_eq!((level(&before, start), level(&after, end)), (1, 1), "four working days ran");
        assert_eq!(next_rise(&after, &calendar, end), Some(date(2021, 6, 23)));
    }

    #[test]
    fn a_pause_while_it_is_overdue_neither_raises_nor_lowers_the_level_by_the_weekday_of_the_due_date() {
        let due_on = |due: Date| ServiceRequest { due_date: Some(date_message(due)), ..request() };
        let calendar = Calendar::default();
        // Four working days after the first overdue day, a Friday, and then due on one.
        let thursday = due_on(date(2021, 5, 6));
        let after = resumed(thursday.clone(), &calendar, date(2021, 5, 13), date(2021, 5, 14));
        assert_eq!((level(&thursday, date(2021, 5, 13)), level(&after, date(2021, 5, 14))), (1, 1));
        assert_eq!(level(&after, date(2021, 5, 17)), 2, "the fifth");
        // Five working days after the first overdue day, a Saturday, and then due on a Monday.
        let friday = due_on(date(2021, 5, 7));
        let after = resumed(friday.clone(), &calendar, date(2021, 5, 14), date(2021, 5, 17));
        assert_eq!((level(&friday, date(2021, 5, 14)), level(&after, date(2021, 5, 17))), (2, 2));
        // Four working days after the first overdue day, a Monday, and then due on one.
        let sunday = due_on(date(2021, 5, 9));
        let after = resumed(sunday.clone(), &calendar, date(2021, 5, 14), date(2021, 5, 17));
        assert_eq!((level(&sunday, date(2021, 5, 14)), level(&after, date(2021, 5, 17))), (1, 1));
        // Due on another day since, and overdue on none.
        let later = ServiceRequest { due_date: Some(date_message(date(2021, 6, 30))), ..after };
        assert_eq!((level(&later, date(2021, 6, 30)), level(&later, date(2021, 7, 1))), (0, 1));
        // One that ended before it was overdue is in the due date, and nowhere else.
        let early = resumed(friday, &calendar, date(2021, 5, 3), date(2021, 5, 4));
        let monday = due_on(date(2021, 5, 10));
        assert_eq!(early.due_date, monday.due_date);
        for day in [date(2021, 5, 11), date(2021, 5, 17), date(2021, 5, 18), date(2021, 5, 25)] {
            assert_eq!(level(&early, day), level(&monday, day), "{day}");
        }
    }

    /// Due on Monday, 16 November 2026; paused on the 18th, one working day after it was overdue, until the 25th.
    fn paused_in_november() -> ServiceRequest {
        let due_date = Some(date_message(date(2026, 11, 16)));
        let (start, end) = (date(2026, 11, 18), date(2026, 11, 25));
        let after = resumed(ServiceRequest { due_date, ..request() }, &Calendar::default(), start, end);
        assert_eq!(after.due_date, Some(date_message(date(2026, 11, 23))));
        after
    }

    #[test]
    fn days_count_by_the_calendar_of_today_though_it_was_another_when_the_pause_ended() {
        let rises = |request: &ServiceRequest, holiday: Option<Date>| {
            let calendar = Calendar::new(Weekdays::default(), holiday, []);
            let second = next_rise(request, &calendar, date(2026, 11, 25)).unwrap();
            assert_eq!(level_on(request, &calendar, second), 2);
            (second, next_rise(request, &calendar, second).unwrap())
        };
        let paused = paused_in_november();
        let regular = (date(2026, 12, 1), date(2026, 12, 8));
        assert_eq!(rises(&paused, None), regular);
        assert_eq!(
            rises(&paused, Some(date(2026, 11, 18))),
            (date(2026, 12, 2), date(2026, 12, 9)),
            "a day that had counted"
        );
        assert_eq!(rises(&paused, Some(date(2026, 11, 20))), regular, "a day of the pause");
        // As earlier versions wrote it, without the due date that it led to, or without either.
        let mut earlier = paused;
        earlier.pauses[0].due_date = None;
        assert_eq!(rises(&earlier, None), regular);
        earlier.pauses[0].previous_due_date = None;
        assert_eq!(rises(&earlier, None), regular);
    }

    #[test]
    fn a_due_date_that_is_set_after_a_pause_is_counted_from_without_the_days_of_the_pause() {
        let (end, third) = (date(2026, 11, 25), date(2026, 12, 2));
        let mut without = ServiceRequest { due_date: None, ..paused_in_november() };
        // A pause of a request without a due date moved none.
        without.pauses[0] = ServicePause {
            working_days: 0,
            previous_due_date: None,
            due_date: None,
            ..without.pauses[0].clone()
        };
        for paused in [paused_in_november(), without] {
            for due in [date(2026, 11, 17), date(2026, 11, 18), date(2026, 11, 24)] {
                let due_date = Some(date_message(due));
                let set = ServiceRequest { due_date, ..paused.clone() };
                assert_eq!((level(&set, end), level(&set, third)), (1, 2), "{due}");
                assert_eq!(next_rise(&set, &Calendar::default(), end), Some(third), "{due}");
            }
        }
    }

    /// The May holidays of 2021: off from 1 to 5 May, worked on Saturday 8 May.
    #[test]
    fn holidays_and_make_up_days_count_as_they_are_worked() {
        let calendar =
            Calendar::new(Weekdays::default(), (1..=5).map(|day| date(2021, 5, day)), [date(2021, 5, 8)]);
        // Thursday 29 April to Monday 10 May: 30 April, 6, 7, 8 and 10 May.
        assert_eq!(calendar.working_days_between(date(2021, 4, 29), date(2021, 5, 10)), 5);
        let due_date = Some(date_message(date(2021, 4, 29)));
        let request = ServiceRequest { due_date, ..request() };
        assert_eq!(level_on(&request, &calendar, date(2021, 4, 30)), 1);
        assert_eq!(next_rise(&request, &calendar, date(2021, 4, 30)), Some(date(2021, 5, 11)));
    }

    proptest! {
        /// What is said of the next rise is so: the level is the same until then, and higher on the day.
        #[test]
        fn the_next_rise_is_the_first_day_with_a_higher_level(
            from in 0i64..60, answered in 0i64..40, returned in 0i64..40, has_answer: bool, mask in 1u8..128,
            paused in prop::option::of((0i64..20, 0i64..20)),
        ) {
            let weekdays = Weekdays::from_numbers((1..=7).filter(|day| mask >> (day - 1) & 1 == 1)).unwrap();
            let calendar = Calendar::new(weekdays, [date(2021, 5, 19)], [date(2021, 5, 22)]);
            let day = |days: i64| DUE.saturating_add(jiff::Span::new().days(days - 10));
            let answer = ServiceAnswer {
                answer_date: Some(date_message(day(answered))),
                return_date: Some(date_message(day(answered + returned))),
                ..ServiceAnswer::default()
            };
            let mut request = ServiceRequest { answers: has_answer.then_some(answer).into_iter().collect(), ..request() };
            // Once it runs, it runs.
            let mut passed = if has_answer { answered + returned } else { 0 };
            if let Some((after, days)) = paused {
                let (start, end) = (day(passed + after), day(passed + after + days));
                let before = request.clone();
                request = resumed(request, &calendar, start, end);
                let level_before = level_on(&before, &calendar, start);
                let is_overdue = level_before > 0 && first_overdue(&request).is_some_and(|first| first <= end);
                if is_overdue {
                    prop_assert_eq!(level_on(&request, &calendar, end), level_before);
                }
                passed += after + days;
            }
            let now = day(passed + from);
            let level = level_on(&request, &calendar, now);
            let mut later = now.tomorrow().unwrap();
            match next_rise(&request, &calendar, now) {
                None => prop_assert_eq!(level, MAX_LEVEL),
                Some(rise) => {
                    while later < rise {
                        prop_assert_eq!(level_on(&request, &calendar, later), level);
                        later = later.tomorrow().unwrap();
                    }
                    prop_assert_eq!(level_on(&request, &calendar, rise), level + 1);
                }
            }
        }
    }
}
