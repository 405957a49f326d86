//! The clock of a rectification order: its light, how far it has escalated, and when that changes next.
//!
//! It runs while the order waits for an answer. BLUE begins on the third working day before the due date; a returned
//! order is YELLOW; RED begins the day after the due date, by days, and levels on the first, sixth and eleventh working
//! day after it (the light after Suqian, the ladder after Sanming). Working days on which the order waited for a review
//! never count. Invariant: light and level depend on the order, the calendar and the day alone.

use jiff::civil::Date;
use milepost_proto::tracker::v1::RectificationOrder;
use milepost_proto::tracker::v1::rectification_order::{Light, State};
use milepost_resource::date;
use milepost_schedule::Calendar;

/// Working days before the due date from which on an order is BLUE.
const BLUE: i32 = 3;
/// The working day after the due date on which each level begins, from level 1 on.
const LEVELS: [i32; 3] = [1, 6, 11];

/// Whether nothing changes an order any more.
pub(crate) fn is_final(order: &RectificationOrder) -> bool {
    matches!(order.state(), State::Closed | State::Withdrawn)
}

/// Whether it waits for an answer.
pub(super) fn awaits_answer(order: &RectificationOrder) -> bool {
    matches!(order.state(), State::Issued | State::Returned)
}

/// The light of an order on a day.
pub(crate) fn light_on(order: &RectificationOrder, calendar: &Calendar, day: Date) -> Light {
    let Some(due) = date(order.due_date.as_ref()).filter(|_| awaits_answer(order)) else {
        return Light::None;
    };
    match order.state() {
        _ if day > due => Light::Red,
        State::Returned => Light::Yellow,
        _ if blue_from(due, calendar) <= day => Light::Blue,
        _ => Light::None,
    }
}

/// The first day on which an order that is due on a day is BLUE.
fn blue_from(due: Date, calendar: &Calendar) -> Date {
    calendar.add_working_days(due, -BLUE).unwrap_or(Date::MIN)
}

/// On how many working days an order waited for an answer after its due date, up to a day.
pub(crate) fn overdue_working_days(order: &RectificationOrder, calendar: &Calendar, day: Date) -> i32 {
    let Some(due) = date(order.due_date.as_ref()) else { return 0 };
    // What is over stopped to wait when it was answered last, or withdrawn; an answer that nobody reviewed stays one.
    let answered = order.answers.last().and_then(|answer| answer.answer_date.as_ref());
    let is_reviewed = order.answers.last().is_none_or(|answer| answer.review_date.is_some());
    let stopped = match order.state() {
        State::Answered | State::Closed => answered,
        State::Withdrawn if !is_reviewed => answered,
        State::Withdrawn => order.act_date.as_ref(),
        _ => None,
    };
    let until = date(stopped).map_or(day, |stopped| stopped.min(day));
    let reviewed = order.answers.iter().filter_map(|answer| {
        let (from, to) = (date(answer.answer_date.as_ref())?, date(answer.review_date.as_ref())?);
        let (from, to) = (from.max(due), to.min(until));
        (from < to).then(|| calendar.working_days_between(from, to))
    });
    (calendar.working_days_between(due, until) - reviewed.sum::<i32>()).max(0)
}

/// The level of an order on a day.
pub(crate) fn level_on(order: &RectificationOrder, calendar: &Calendar, day: Date) -> i32 {
    let overdue = overdue_working_days(order, calendar, day);
    let begun = LEVELS.iter().zip(1..).filter(|(begins, _)| **begins <= overdue);
    begun.map(|(_, level)| level).max().unwrap_or(0)
}

/// The next day after `day` on which the light, or the level that it has, changes if nothing happens; none: no day does
/// that.
pub(crate) fn next_change(order: &RectificationOrder, calendar: &Calendar, day: Date) -> Option<Date> {
    let due = date(order.due_date.as_ref()).filter(|_| awaits_answer(order))?;
    let blue = Some(blue_from(due, calendar)).filter(|_| order.state() == State::Issued);
    let level = usize::try_from(order.level).ok().and_then(|level| LEVELS.get(level));
    let rises = level.and_then(|begins| {
        let from = day.max(due);
        calendar.add_working_days(from, (begins - overdue_working_days(order, calendar, from)).max(1))
    });
    [blue, due.tomorrow().ok(), rises].into_iter().flatten().filter(|next| *next > day).min()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use milepost_proto::tracker::v1::RectificationAnswer;
    use milepost_resource::date_message;
    use milepost_schedule::Weekdays;
    use proptest::prelude::*;

    use super::*;

    /// Due on Monday, 10 May 2021.
    const DUE: Date = date(2021, 5, 10);

    fn order() -> RectificationOrder {
        let due_date = Some(date_message(DUE));
        RectificationOrder { due_date, state: State::Issued.into(), ..RectificationOrder::default() }
    }

    fn answer(from: Date, to: Option<Date>) -> RectificationAnswer {
        RectificationAnswer {
            answer_date: Some(date_message(from)),
            review_date: to.map(date_message),
            ..RectificationAnswer::default()
        }
    }

    fn returned(from: Date, to: Date) -> RectificationOrder {
        RectificationOrder { answers: vec![answer(from, Some(to))], state: State::Returned.into(), ..order() }
    }

    fn light(order: &RectificationOrder, day: Date) -> Light {
        light_on(order, &Calendar::default(), day)
    }

    fn level(order: &RectificationOrder, day: Date) -> i32 {
        level_on(order, &Calendar::default(), day)
    }

    /// office.md, section 6: BLUE ≤ 3 working days before due, RED from the day after due.
    #[test]
    fn blue_begins_three_working_days_before_the_due_date_and_red_the_day_after_it() {
        let order = order();
        for (day, expected) in [
            (date(2021, 5, 4), Light::None),
            (date(2021, 5, 5), Light::Blue),
            (date(2021, 5, 9), Light::Blue),
            (DUE, Light::Blue),
            (date(2021, 5, 11), Light::Red),
            (date(2021, 12, 31), Light::Red),
        ] {
            assert_eq!(light(&order, day), expected, "{day}");
        }
        // Due on a Sunday: Wednesday is the third working day before it, and Monday the first after it.
        let sunday = RectificationOrder { due_date: Some(date_message(date(2021, 5, 9))), ..order };
        assert_eq!(
            [4, 5, 9].map(|day| light(&sunday, date(2021, 5, day))),
            [Light::None, Light::Blue, Light::Blue]
        );
        assert_eq!([10, 11].map(|day| light(&sunday, date(2021, 5, day))), [Light::Red, Light::Red]);
        assert_eq!([9, 10].map(|day| level(&sunday, date(2021, 5, day))), [0, 1]);
    }

    /// office.md, section 6: levels at +1, +6, +11 working days.
    #[test]
    fn levels_begin_on_the_first_sixth_and_eleventh_working_day_after_the_due_date() {
        let order = order();
        for (day, expected) in [
            (DUE, 0),
            (date(2021, 5, 11), 1),
            (date(2021, 5, 17), 1),
            (date(2021, 5, 18), 2),
            (date(2021, 5, 24), 2),
            (date(2021, 5, 25), 3),
            (date(2021, 12, 31), 3),
        ] {
            assert_eq!(level(&order, day), expected, "{day}");
        }
        // Due on a Friday it is RED on Saturday, and on the ladder on Monday.
        let friday = RectificationOrder { due_date: Some(date_message(date(2021, 5, 7))), ..order };
        assert_eq!([8, 9, 10].map(|day| light(&friday, date(2021, 5, day))), [Light::Red; 3]);
        assert_eq!([8, 9, 10].map(|day| level(&friday, date(2021, 5, day))), [0, 0, 1]);
    }

    /// office.md, section 6: YELLOW returned; returned after due: RED at once; waiting for review never counts.
    #[test]
    fn a_returned_order_is_yellow_until_it_is_due_and_what_it_waited_for_a_review_does_not_count() {
        let early = returned(date(2021, 5, 3), date(2021, 5, 4));
        assert_eq!(
            [4, 7, 10, 11].map(|day| light(&early, date(2021, 5, day))),
            [Light::Yellow, Light::Yellow, Light::Yellow, Light::Red]
        );
        let waiting =
            RectificationOrder { answers: vec![answer(DUE, None)], state: State::Answered.into(), ..order() };
        for day in [DUE, date(2021, 5, 20), date(2021, 12, 31)] {
            assert_eq!((light(&waiting, day), level(&waiting, day)), (Light::None, 0), "{day}");
        }
        assert_eq!(next_change(&waiting, &Calendar::default(), DUE), None);
        let withdrawn = RectificationOrder {
            state: State::Withdrawn.into(),
            act_date: Some(date_message(date(2021, 6, 10))),
            ..waiting
        };
        let overdue = |order: &RectificationOrder| {
            overdue_working_days(order, &Calendar::default(), date(2021, 12, 31))
        };
        assert_eq!(overdue(&withdrawn), 0, "answered in time, and withdrawn while it waited for a review");
        let unanswered = RectificationOrder { answers: Vec::new(), ..withdrawn };
        assert_eq!(overdue(&unanswered), 23);
        // Answered on the due date, returned ten days later: RED at once, on the ladder from the next working day on.
        let late = returned(DUE, date(2021, 5, 20));
        assert_eq!((light(&late, date(2021, 5, 20)), level(&late, date(2021, 5, 20))), (Light::Red, 0));
        assert_eq!([21, 27, 28].map(|day| level(&late, date(2021, 5, day))), [1, 1, 2]);
        // Three working days overdue before the answer, and three after the return: the sixth brings level 2.
        let later = returned(date(2021, 5, 13), date(2021, 6, 14));
        assert_eq!([16, 17].map(|day| level(&later, date(2021, 6, day))), [1, 2]);
        assert_eq!(overdue_working_days(&later, &Calendar::default(), date(2021, 6, 14)), 3);
    }

    /// The May holidays of 2021: off from 1 to 5 May, worked on Saturday 8 May.
    #[test]
    fn holidays_and_make_up_days_count_as_they_are_worked() {
        let calendar =
            Calendar::new(Weekdays::default(), (1..=5).map(|day| date(2021, 5, day)), [date(2021, 5, 8)]);
        let order = order();
        // 7 and 8 May are worked, and 6 May is the third working day before the 10th.
        assert_eq!(light_on(&order, &calendar, date(2021, 5, 5)), Light::None);
        assert_eq!(light_on(&order, &calendar, date(2021, 5, 6)), Light::Blue);
        let due_date = Some(date_message(date(2021, 4, 30)));
        let holidays = RectificationOrder { due_date, ..order };
        assert_eq!(light_on(&holidays, &calendar, date(2021, 5, 1)), Light::Red);
        assert_eq!([5, 6].map(|day| level_on(&holidays, &calendar, date(2021, 5, day))), [0, 1]);
        assert_eq!(next_change(&holidays, &calendar, date(2021, 5, 1)), Some(date(2021, 5, 6)));
    }

    proptest! {
        /// What is said of the next change is so: nothing changes until then, and something does on the day.
        #[test]
        fn the_next_change_is_the_first_day_on_which_light_or_level_differ(
            now in 0i64..60, answered in 0i64..30, reviewed in 0i64..30, has_answer: bool, mask in 1u8..128,
        ) {
            let weekdays = Weekdays::from_numbers((1..=7).filter(|day| mask >> (day - 1) & 1 == 1)).unwrap();
            let calendar = Calendar::new(weekdays, [date(2021, 5, 19)], [date(2021, 5, 22)]);
            let day = |days: i64| DUE.saturating_add(jiff::Span::new().days(days - 20));
            let mut order = if has_answer { returned(day(answered), day(answered + reviewed)) } else { order() };
            // Once it is returned, it waits.
            let now = if has_answer { day(answered + reviewed + now) } else { day(now) };
            let on = |order: &RectificationOrder, day| (light_on(order, &calendar, day), level_on(order, &calendar, day));
            order.level = on(&order, now).1;
            let found = on(&order, now);
            let next = next_change(&order, &calendar, now);
            let last = next.unwrap_or_else(|| now.saturating_add(jiff::Span::new().days(90)));
            let mut later = now.tomorrow().unwrap();
            while later < last {
                prop_assert_eq!(on(&order, later), found, "{}", later);
                later = later.tomorrow().unwrap();
            }
            match next {
                Some(next) => prop_assert_ne!(on(&order, next), found),
                None => prop_assert_eq!(found, (Light::Red, 3)),
            }
        }
    }
}
