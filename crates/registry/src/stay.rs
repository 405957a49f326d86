//! Stays: who is somewhere in which period, and who leads there. Assignments are stays at a project, members of an
//! alliance have stays in it.
//!
//! Invariant: a rule about days holds on every day of a period, not on today alone. What holds changes only on days on
//! which a stay begins or the day after one ends, so only these are looked at.

use std::collections::BTreeSet;

use jiff::civil::Date;
use milepost_types::Period;

/// A period in which somebody is an officer of a project, or a member of an alliance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stay<'a> {
    pub(crate) who: &'a str,
    pub(crate) lead: bool,
    pub(crate) period: Period,
}

/// The days on which something may change, in order.
fn turns(stays: &[Stay<'_>]) -> BTreeSet<Date> {
    let starts = stays.iter().filter_map(|stay| stay.period.start());
    let ends = stays.iter().filter_map(|stay| stay.period.end()?.tomorrow().ok());
    starts.chain(ends).collect()
}

/// The first day on which at least so many are there and not exactly one of them leads, with how many lead.
pub(crate) fn first_without_one_lead(stays: &[Stay<'_>], least: usize) -> Option<(Date, usize)> {
    turns(stays).into_iter().find_map(|day| {
        let there = stays.iter().filter(|stay| stay.period.contains(day));
        let (count, leads) =
            there.fold((0, 0), |(count, leads), stay| (count + 1, leads + usize::from(stay.lead)));
        (count >= least && leads != 1).then_some((day, leads))
    })
}

/// What is wrong on a day on which so many lead, for people.
pub(crate) fn lead_fault(day: Date, leads: usize) -> String {
    match leads {
        0 => format!("on {day} nobody would lead; have exactly one lead on every day"),
        _ => format!("on {day} {leads} would lead; have exactly one lead on every day"),
    }
}

/// The first two stays of one person or organization that share a day, by index, by their indices: the first such pair.
pub(crate) fn first_overlap(stays: &[Stay<'_>]) -> Option<(usize, usize)> {
    let mut order: Vec<usize> = (0..stays.len()).collect();
    order.sort_by_key(|i| (stays[*i].who, stays[*i].period.start(), *i));
    order.windows(2).find_map(|pair| {
        let (one, next) = (&stays[pair[0]], &stays[pair[1]]);
        (one.who == next.who && one.period.overlaps(&next.period)).then_some((pair[0], pair[1]))
    })
}

/// The first day of a period, and not of another one, on which so many of these or more are there.
pub(crate) fn first_with_as_many(
    stays: &[Stay<'_>],
    most: usize,
    within: Period,
    not_in: Option<Period>,
) -> Option<Date> {
    let mut days = turns(stays);
    days.extend(within.start());
    days.extend(not_in.and_then(|other| other.end()?.tomorrow().ok()));
    let is_asked = |day: Date| within.contains(day) && not_in.is_none_or(|other| !other.contains(day));
    days.into_iter()
        .find(|day| is_asked(*day) && stays.iter().filter(|stay| stay.period.contains(*day)).count() >= most)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn day(day: i8) -> Date {
        date(2021, 5, day)
    }

    fn stay(who: &str, lead: bool, from: i8, to: Option<i8>) -> Stay<'_> {
        Stay { who, lead, period: Period::stored(Some(day(from)), to.map(day)) }
    }

    /// office.md, section 2: LEAD, of officers and of alliances.
    #[test]
    fn exactly_one_leads_on_every_day_with_as_many() {
        let one = [stay("a", false, 1, None)];
        assert_eq!(first_without_one_lead(&one, 2), None, "one alone need not lead");
        assert_eq!(first_without_one_lead(&one, 1), Some((day(1), 0)), "in an alliance it must");
        // The lead ends before the others: on the day after nobody leads.
        let ends = [stay("a", true, 1, Some(10)), stay("b", false, 1, None), stay("c", false, 5, None)];
        assert_eq!(first_without_one_lead(&ends, 2), Some((day(11), 0)));
        let next = [ends.to_vec(), vec![stay("d", true, 11, None)]].concat();
        assert_eq!(first_without_one_lead(&next, 2), None);
        let twice = [ends.to_vec(), vec![stay("d", true, 10, None)]].concat();
        assert_eq!(first_without_one_lead(&twice, 2), Some((day(10), 2)), "both lead for a day");
        // A gap in which one is alone is no fault.
        let gap = [stay("a", true, 1, Some(3)), stay("b", false, 2, None), stay("c", true, 8, None)];
        assert_eq!(first_without_one_lead(&gap, 2), None);
        assert_eq!(first_without_one_lead(&[], 1), None);
    }

    /// office.md, section 2: OVERLAP.
    #[test]
    fn stays_of_one_overlap_if_they_share_a_day() {
        let apart = [stay("a", true, 5, Some(9)), stay("b", true, 1, None), stay("a", true, 1, Some(4))];
        assert_eq!(first_overlap(&apart), None);
        let shared = [apart.to_vec(), vec![stay("a", true, 9, None)]].concat();
        assert_eq!(first_overlap(&shared), Some((0, 3)));
        assert_eq!(first_overlap(&[stay("a", true, 1, None), stay("a", true, 30, None)]), Some((0, 1)));
    }

    /// office.md, section 2: WORKLOAD.
    #[test]
    fn how_many_there_are_is_asked_of_every_day_that_is_added() {
        let others = [stay("x", true, 1, Some(10)), stay("y", true, 5, Some(20)), stay("z", true, 8, None)];
        let within = |from, to: Option<i8>| Period::stored(Some(day(from)), to.map(day));
        assert_eq!(first_with_as_many(&others, 3, within(1, None), None), Some(day(8)));
        assert_eq!(first_with_as_many(&others, 3, within(9, None), None), Some(day(9)));
        assert_eq!(first_with_as_many(&others, 3, within(11, None), None), None);
        assert_eq!(first_with_as_many(&others, 3, within(1, Some(7)), None), None);
        // What was there before is not held against it.
        assert_eq!(first_with_as_many(&others, 3, within(1, None), Some(within(1, Some(31)))), None);
        assert_eq!(first_with_as_many(&others, 2, within(1, None), Some(within(1, Some(11)))), Some(day(12)));
        assert_eq!(first_with_as_many(&others, 2, within(1, Some(11)), Some(within(1, Some(30)))), None);
    }
}
