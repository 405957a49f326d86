//! How long what an achieved milestone brings holds, by its own validity and by those of the requirements that it
//! satisfies.
//!
//! A term begins on the day of the achievement and ends with the same day some months later, or the last of that month. It
//! does not end if what it waits for happened by its last day. Invariants: what is found depends on the milestone, the
//! calendar and the day alone, and finding it again changes nothing; a requirement without a validity of its own holds as
//! long as the milestone does, extensions included.

use jiff::ToSpan;
use jiff::civil::Date;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::event::v1::{MilestoneExpiryChanged, RequirementChanged};
use milepost_proto::google::r#type as gtype;
use milepost_proto::tracker::v1::milestone::Expiry;
use milepost_proto::tracker::v1::milestone_requirement::State as Requirement;
use milepost_proto::tracker::v1::{Milestone, MilestoneRequirement};
use milepost_resource::{Change, Checked, EventKind, date, date_message};
use milepost_schedule::Calendar;

use super::made::achieved_on;

/// How many days before an extension can no longer be filed, or it ends, a milestone is expiring.
const EXPIRING_DAYS: i64 = 30;

/// The last day of a term of so many months.
pub(super) fn last_day(from: Date, months: i32) -> Date {
    from.saturating_add(months.months())
}

/// The last day on which an extension of what ends on a day may be filed.
fn last_filing(until: Date, working_days: i32, calendar: &Calendar) -> Date {
    calendar.add_working_days(until, -working_days).unwrap_or(Date::MIN)
}

/// Whether a term that ends on a day is kept by what happened.
pub(super) fn is_kept(used: Option<Date>, until: Date) -> bool {
    used.is_some_and(|used| used <= until)
}

/// Brings up to date what follows from the day of the achievement and from what it waits for, which happened on `used`.
/// What is not achieved brings nothing.
pub(super) fn settle(milestone: &mut Milestone, used: Option<Date>, calendar: &Calendar, today: Date) {
    let Some(from) = achieved_on(milestone) else {
        clear(milestone);
        return;
    };
    let validity = milestone.validity.clone().unwrap_or_default();
    let extended = date(milestone.valid_until.as_ref()).filter(|_| !milestone.extensions.is_empty());
    let own = extended.or_else(|| (validity.months > 0).then(|| last_day(from, validity.months)));
    let may_extend = milestone.extensions.len() < usize::try_from(validity.extensions).unwrap_or_default();
    let file_by = own
        .filter(|until| may_extend && !is_kept(used, *until))
        .map(|until| last_filing(until, validity.file_before_working_days, calendar));
    let mut next = Vec::new();
    milestone.set_expiry(own.map_or(Expiry::Unspecified, |until| {
        let warning = warning(file_by, until);
        let expiry = expiry(until, warning, used, today);
        match expiry {
            Expiry::Valid => next.push(Some(warning)),
            Expiry::Expiring => next.push(until.tomorrow().ok()),
            Expiry::Unspecified | Expiry::Expired | Expiry::Used => {}
        }
        expiry
    }));
    milestone.valid_until = own.map(date_message);
    milestone.file_by = file_by.map(date_message);
    milestone.used_date = used.map(date_message);
    for requirement in &mut milestone.requirements {
        if !matches!(requirement.state(), Requirement::Satisfied | Requirement::Expired) {
            continue;
        }
        let until = until(requirement, from, own);
        let ends = until.filter(|until| !is_kept(used, *until));
        let expired = ends.is_some_and(|until| today > until);
        requirement.set_state(if expired { Requirement::Expired } else { Requirement::Satisfied });
        requirement.valid_until = until.map(date_message);
        next.extend(ends.filter(|_| !expired).map(|until| until.tomorrow().ok()));
    }
    milestone.next_expiry_date = next.into_iter().flatten().min().map(date_message);
}

/// The last day of a requirement that is satisfied from a day on by what holds so long.
fn until(requirement: &MilestoneRequirement, from: Date, own: Option<Date>) -> Option<Date> {
    let months = requirement.validity_months;
    if months > 0 { Some(last_day(from, months)) } else { own }
}

/// The first and the last day on which a milestone, which is settled, would satisfy one of its requirements; none if it is
/// not achieved, and no last one if that does not end.
pub(super) fn term(
    milestone: &Milestone,
    requirement: &MilestoneRequirement,
) -> Option<(Date, Option<Date>)> {
    let from = achieved_on(milestone)?;
    let used = date(milestone.used_date.as_ref());
    let until = until(requirement, from, date(milestone.valid_until.as_ref()));
    Some((from, until.filter(|until| !is_kept(used, *until))))
}

/// The day from which somebody is warned of an end.
fn warning(file_by: Option<Date>, until: Date) -> Date {
    file_by.unwrap_or(until).saturating_sub(EXPIRING_DAYS.days())
}

/// Whether a term that ends on a day holds on another, where somebody is to be warned from a third on.
fn expiry(until: Date, warning: Date, used: Option<Date>, today: Date) -> Expiry {
    if is_kept(used, until) {
        Expiry::Used
    } else if today > until {
        Expiry::Expired
    } else if today >= warning {
        Expiry::Expiring
    } else {
        Expiry::Valid
    }
}

/// Takes back what a milestone brought.
pub(super) fn clear(milestone: &mut Milestone) {
    milestone.set_expiry(Expiry::Unspecified);
    milestone.valid_until = None;
    milestone.file_by = None;
    milestone.used_date = None;
    milestone.next_expiry_date = None;
    milestone.extensions.clear();
    for requirement in &mut milestone.requirements {
        requirement.set_state(Requirement::Open);
        requirement.valid_until = None;
    }
}

/// What is said of a change from one to the other besides the change: what is satisfied, or is no longer, and what is about
/// to end or has ended. Each is of the day of what brings the change, or of a later one on which it came to that: the day
/// after the last one, for what ended. What was satisfied and has ended since is said to be both.
pub(crate) fn announcements(
    before: &Checked<Milestone>,
    after: &Checked<Milestone>,
    (day, today): (Date, Date),
) -> Vec<Change> {
    let mut announced = Vec::new();
    let mut announce = |field, kind, day| {
        announced.push(Change::of(kind, Some(before), after.clone()).naming(vec![field]).on(Some(day)));
    };
    let day = day.max(achieved_on(after).unwrap_or(day));
    let after_last = |until: Option<&gtype::Date>| date(until).and_then(|until| until.tomorrow().ok());
    let (previous_expiry, expiry) = (before.expiry(), after.expiry());
    let came = match (expiry, date(after.valid_until.as_ref())) {
        (Expiry::Expiring, Some(until)) => {
            Some(("milepost.milestone.expiring", Some(warning(date(after.file_by.as_ref()), until))))
        }
        (Expiry::Expired, _) => Some(("milepost.milestone.expired", after_last(after.valid_until.as_ref()))),
        _ => None,
    };
    if let Some((event_type, came)) = came.filter(|_| previous_expiry != expiry) {
        let payload = Payload::MilestoneExpiryChanged(MilestoneExpiryChanged {
            previous_expiry: previous_expiry.into(),
            expiry: expiry.into(),
            current_date: Some(date_message(today)),
            valid_until: after.valid_until,
            file_by: after.file_by,
        });
        announce("expiry", EventKind::custom(event_type, payload), day.max(came.unwrap_or(day)));
    }
    for requirement in &after.requirements {
        let was = before.requirements.iter().find(|before| before.code == requirement.code);
        let was = was.map(|before| before.state()).unwrap_or_default();
        let expired = requirement.state() == Requirement::Expired;
        let is = requirement.state() == Requirement::Satisfied;
        let payload = |expired| {
            let (code, valid_until) = (requirement.code.clone(), requirement.valid_until);
            Payload::RequirementChanged(RequirementChanged { code, valid_until, expired })
        };
        let was_satisfied = was == Requirement::Satisfied;
        let satisfied = !was_satisfied && (is || expired && was != Requirement::Expired);
        if satisfied {
            let kind = EventKind::custom("milepost.requirement.satisfied", payload(false));
            announce("requirements", kind, day);
        }
        if (was_satisfied || satisfied) && !is {
            let kind = EventKind::custom("milepost.requirement.unsatisfied", payload(expired));
            let ended = after_last(requirement.valid_until.as_ref()).filter(|_| expired);
            announce("requirements", kind, day.max(ended.unwrap_or(day)));
        }
    }
    announced
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use milepost_proto::tracker::v1::milestone::State;
    use milepost_proto::tracker::v1::{MilestoneExtension, MilestoneRequirement, MilestoneValidity};

    use super::*;

    /// Approved on 20 July 2020 for two years without a start, to be extended once; it satisfies one requirement as long
    /// as it holds, and one for five years.
    fn approved() -> Milestone {
        let requirement = |code: &str, validity_months| MilestoneRequirement {
            code: code.into(),
            validity_months,
            state: Requirement::Satisfied.into(),
            valid_until: None,
        };
        Milestone {
            state: State::Achieved.into(),
            actual_date: Some(date_message(date(2020, 7, 20))),
            validity: Some(MilestoneValidity {
                months: 24,
                until_type: "constructionStart".into(),
                extensions: 1,
                extension_months: 12,
                file_before_working_days: 30,
            }),
            requirements: vec![requirement("approval", 0), requirement("eia", 60)],
            ..Milestone::default()
        }
    }

    fn on(today: Date, used: Option<Date>) -> Milestone {
        let mut milestone = approved();
        settle(&mut milestone, used, &Calendar::default(), today);
        milestone
    }

    fn states(milestone: &Milestone) -> Vec<Requirement> {
        milestone.requirements.iter().map(|requirement| requirement.state()).collect()
    }

    /// office.md, section 7: approved 2020-07-20, expired on 2022-07-21, to be filed by 2022-06-08 (Monday to Friday).
    #[test]
    fn an_approval_holds_two_years_and_an_extension_is_filed_30_working_days_before() {
        let both = [Requirement::Satisfied, Requirement::Satisfied];
        for (day, expected, next, requirements) in [
            (date(2020, 7, 20), Expiry::Valid, Some(date(2022, 5, 9)), both),
            (date(2022, 5, 8), Expiry::Valid, Some(date(2022, 5, 9)), both),
            (date(2022, 5, 9), Expiry::Expiring, Some(date(2022, 7, 21)), both),
            (date(2022, 7, 20), Expiry::Expiring, Some(date(2022, 7, 21)), both),
            (
                date(2022, 7, 21),
                Expiry::Expired,
                Some(date(2025, 7, 21)),
                [Requirement::Expired, Requirement::Satisfied],
            ),
            (date(2025, 7, 21), Expiry::Expired, None, [Requirement::Expired; 2]),
        ] {
            let milestone = on(day, None);
            assert_eq!(milestone.valid_until, Some(date_message(date(2022, 7, 20))), "{day}");
            assert_eq!(milestone.file_by, Some(date_message(date(2022, 6, 8))), "{day}");
            assert_eq!((milestone.expiry(), states(&milestone)), (expected, requirements.to_vec()), "{day}");
            assert_eq!(milestone.next_expiry_date, next.map(date_message), "{day}");
        }
    }

    /// office.md, section 7: a start on 2022-07-20 is in time.
    #[test]
    fn a_start_on_the_last_day_keeps_an_approval_and_one_on_the_day_after_does_not() {
        let later = date(2030, 1, 1);
        let in_time = on(later, Some(date(2022, 7, 20)));
        assert_eq!((in_time.expiry(), in_time.next_expiry_date), (Expiry::Used, None));
        assert_eq!(states(&in_time), [Requirement::Satisfied; 2]);
        let late = on(later, Some(date(2022, 7, 21)));
        assert_eq!(late.expiry(), Expiry::Expired);
        assert_eq!(
            states(&late),
            [Requirement::Expired, Requirement::Satisfied],
            "the other holds five years"
        );
    }

    #[test]
    fn an_extension_moves_the_end_and_what_holds_as_long_and_nothing_is_filed_after_the_last() {
        let mut milestone = on(date(2022, 7, 21), None);
        milestone.valid_until = Some(date_message(date(2023, 7, 20)));
        milestone.extensions.push(MilestoneExtension::default());
        settle(&mut milestone, None, &Calendar::default(), date(2022, 7, 21));
        assert_eq!((milestone.expiry(), milestone.file_by), (Expiry::Valid, None));
        assert_eq!(milestone.requirements[0].valid_until, Some(date_message(date(2023, 7, 20))));
        assert_eq!(states(&milestone), [Requirement::Satisfied; 2]);
        assert_eq!(
            milestone.next_expiry_date,
            Some(date_message(date(2023, 6, 20))),
            "30 days before the end"
        );
        let again = milestone.clone();
        settle(&mut milestone, None, &Calendar::default(), date(2022, 7, 21));
        assert_eq!(milestone, again, "finding it again changes nothing");
    }

    #[test]
    fn what_is_reopened_brings_nothing() {
        let mut milestone = on(date(2022, 7, 21), None);
        milestone.set_state(State::Planned);
        milestone.actual_date = None;
        settle(&mut milestone, None, &Calendar::default(), date(2022, 7, 21));
        assert_eq!(
            (milestone.expiry(), milestone.valid_until, milestone.next_expiry_date),
            Default::default()
        );
        assert_eq!(states(&milestone), [Requirement::Open; 2]);
    }

    #[test]
    fn a_term_from_the_last_of_a_month_ends_with_a_shorter_one() {
        assert_eq!(last_day(date(2020, 2, 29), 24), date(2022, 2, 28));
        assert_eq!(last_day(date(9999, 12, 1), 1_200), Date::MAX);
    }
}
