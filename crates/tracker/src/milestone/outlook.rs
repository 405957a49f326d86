//! How a planned milestone stands to its dates on a given day, and on which days that changes.
//!
//! Where several of the outlooks hold, the gravest one is told; they are declared in that order. A
//! date has passed from the day after it on.
//! Invariant: an outlook depends on state, dates and the day alone, and from one day to the next it
//! can change only where [`touched`] says.

use jiff::ToSpan;
use jiff::civil::Date;

use super::{Milestone, State};

/// How many days before its due date a milestone is due soon.
pub(crate) const DUE_SOON_DAYS: i64 = 7;

/// How a planned milestone stands to its dates, from the best to the gravest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Outlook {
    /// Nothing is wrong.
    OnTrack,
    /// The due date is today or at most [`DUE_SOON_DAYS`] ahead.
    DueSoon,
    /// The forecast is after the baseline, which is still to come.
    AtRisk,
    /// The forecast is after the baseline, which has passed.
    Late,
    /// The due date has passed.
    Overdue,
}

impl Outlook {
    /// All of them.
    #[cfg(test)]
    pub(crate) const ALL: [Outlook; 5] =
        [Outlook::OnTrack, Outlook::DueSoon, Outlook::AtRisk, Outlook::Late, Outlook::Overdue];
}

/// How a milestone with this state and these dates stands on `day`; none if it is not PLANNED or has no
/// date.
pub(crate) fn outlook(
    state: State,
    baseline: Option<Date>,
    forecast: Option<Date>,
    day: Date,
) -> Option<Outlook> {
    let due = forecast.or(baseline)?;
    if state != State::Planned {
        return None;
    }
    let later_than = baseline.filter(|baseline| due > *baseline);
    Some(match later_than {
        _ if due < day => Outlook::Overdue,
        Some(baseline) if baseline < day => Outlook::Late,
        Some(_) => Outlook::AtRisk,
        None if due <= day.saturating_add(DUE_SOON_DAYS.days()) => Outlook::DueSoon,
        None => Outlook::OnTrack,
    })
}

/// Which milestones may stand otherwise on a day than on the day before: those due on one of two
/// days, and those whose baseline is one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Touched {
    /// Due on one of these days.
    pub(crate) due: [Option<Date>; 2],
    /// With this baseline.
    pub(crate) baseline: Option<Date>,
}

/// Which milestones the beginning of `day` touches. A date that does not exist touches none.
pub(crate) fn touched(day: Date) -> Touched {
    let yesterday = day.yesterday().ok();
    Touched { due: [day.checked_add(DUE_SOON_DAYS.days()).ok(), yesterday], baseline: yesterday }
}

/// What the beginning of `day` makes of a milestone's outlook: what it was on the day before and what it
/// is, if that differs. A deleted milestone keeps the outlook that it had.
pub(crate) fn passed(milestone: &Milestone, day: Date) -> Option<(Option<Outlook>, Outlook)> {
    let on = |day| outlook(milestone.state, milestone.baseline, milestone.forecast, day);
    let (before, after) = (day.yesterday().ok().and_then(on), on(day)?);
    (!milestone.is_deleted() && before != Some(after)).then_some((before, after))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    const BASELINE: Date = date(2021, 5, 27);
    const LATER: Date = date(2021, 6, 20);

    fn planned(baseline: Option<Date>, forecast: Option<Date>, day: Date) -> Option<Outlook> {
        outlook(State::Planned, baseline, forecast, day)
    }

    #[test]
    fn a_milestone_without_a_later_forecast_goes_from_on_track_over_due_soon_to_overdue() {
        for (forecast, shift) in [(None, 0), (Some(BASELINE), 0), (Some(date(2021, 5, 25)), -2)] {
            let on =
                |days: i64| planned(Some(BASELINE), forecast, BASELINE.saturating_add((days + shift).days()));
            assert_eq!(on(-8), Some(Outlook::OnTrack));
            assert_eq!(on(-7), Some(Outlook::DueSoon));
            assert_eq!(on(0), Some(Outlook::DueSoon));
            assert_eq!(on(1), Some(Outlook::Overdue));
        }
        assert_eq!(planned(None, Some(LATER), LATER), Some(Outlook::DueSoon));
    }

    #[test]
    fn a_forecast_after_the_baseline_is_a_risk_then_late_then_overdue() {
        let on = |day| planned(Some(BASELINE), Some(LATER), day);
        assert_eq!(on(date(2021, 1, 1)), Some(Outlook::AtRisk));
        assert_eq!(on(BASELINE), Some(Outlook::AtRisk));
        assert_eq!(on(BASELINE.tomorrow().unwrap()), Some(Outlook::Late));
        assert_eq!(on(LATER), Some(Outlook::Late));
        assert_eq!(on(LATER.tomorrow().unwrap()), Some(Outlook::Overdue));
        // A risk is graver than that the day is near.
        assert_eq!(planned(Some(BASELINE), BASELINE.tomorrow().ok(), BASELINE), Some(Outlook::AtRisk));
    }

    #[test]
    fn only_planned_milestones_with_a_date_have_an_outlook() {
        assert_eq!(planned(None, None, BASELINE), None);
        for state in State::ALL.into_iter().filter(|state| *state != State::Planned) {
            assert_eq!(outlook(state, Some(BASELINE), Some(LATER), BASELINE), None);
        }
    }

    #[test]
    fn the_ends_of_time_touch_nothing_that_does_not_exist() {
        assert_eq!(touched(Date::MAX).due[0], None);
        assert_eq!(planned(Some(Date::MAX), None, Date::MAX), Some(Outlook::DueSoon));
    }

    proptest! {
        /// The index that a sweep goes by is good enough: nothing changes that it does not touch.
        #[test]
        fn an_outlook_changes_only_on_the_days_that_touch_it(
            baseline in proptest::option::of(0i64..40),
            forecast in proptest::option::of(0i64..40),
            day in -10i64..60,
        ) {
            let at = |days: i64| BASELINE.saturating_add(days.days());
            let (baseline, forecast, day) = (baseline.map(at), forecast.map(at), at(day));
            let before = planned(baseline, forecast, day.yesterday().unwrap());
            let after = planned(baseline, forecast, day);
            let touched = touched(day);
            let due = forecast.or(baseline);
            let is_touched = due.is_some() && touched.due.contains(&due) || baseline.is_some() && touched.baseline == baseline;
            prop_assert!(before == after || is_touched);
            prop_assert!(before <= after, "an outlook only grows graver with time");
        }
    }
}
