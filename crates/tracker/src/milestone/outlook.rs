//! How a planned milestone stands to its dates on a given day, and on which days that changes.
//!
//! Two facts are kept apart: how near the due date is, and how the forecast stands to the baseline. The
//! outlook is the one word that both come to: the gravest that holds. All of them are declared from the best
//! to the gravest. A date has passed from the day after it on.
//! Invariant: both facts depend on state, dates and the day alone, with time they only grow graver, and
//! from one day to the next they can change only where [`touched`] says.

use jiff::ToSpan;
use jiff::civil::Date;

use super::{Milestone, State};

/// How many days before its due date a milestone is due soon.
pub(crate) const DUE_SOON_DAYS: i64 = 7;

/// How near the due date of a planned milestone is, whatever it slipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Nearness {
    /// The due date is further ahead than [`DUE_SOON_DAYS`].
    Ahead,
    /// The due date is today or at most [`DUE_SOON_DAYS`] ahead.
    DueSoon,
    /// The due date has passed.
    Overdue,
}

/// How the forecast of a planned milestone stands to its baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Slippage {
    /// There is no forecast after the baseline.
    None,
    /// The forecast is after the baseline, which is still to come.
    AtRisk,
    /// The forecast is after the baseline, which has passed.
    Late,
}

/// How a planned milestone stands to its dates, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Outlook {
    /// Nothing is wrong.
    OnTrack,
    /// As [`Nearness::DueSoon`], and it did not slip.
    DueSoon,
    /// As [`Slippage::AtRisk`], and it is not overdue.
    AtRisk,
    /// As [`Slippage::Late`], and it is not overdue.
    Late,
    /// As [`Nearness::Overdue`].
    Overdue,
}

/// Both facts of a milestone on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Timeliness {
    /// None if the milestone is not PLANNED or has no date, or if an earlier version kept only the outlook.
    pub(crate) nearness: Option<Nearness>,
    /// None if it is not PLANNED or has no baseline.
    pub(crate) slippage: Option<Slippage>,
}

impl Timeliness {
    /// Of a milestone with this state and these dates on `day`.
    pub(crate) fn of(state: State, baseline: Option<Date>, forecast: Option<Date>, day: Date) -> Self {
        if state != State::Planned {
            return Self::default();
        }
        Self {
            nearness: forecast.or(baseline).map(|due| nearness(due, day)),
            slippage: baseline.map(|baseline| slippage(baseline, forecast, day)),
        }
    }

    /// The one word for both.
    pub(crate) fn outlook(self) -> Option<Outlook> {
        match (self.nearness, self.slippage) {
            (Some(Nearness::Overdue), _) => Some(Outlook::Overdue),
            (_, Some(Slippage::Late)) => Some(Outlook::Late),
            (_, Some(Slippage::AtRisk)) => Some(Outlook::AtRisk),
            (Some(Nearness::DueSoon), _) => Some(Outlook::DueSoon),
            (Some(Nearness::Ahead), _) => Some(Outlook::OnTrack),
            (None, Some(Slippage::None) | None) => None,
        }
    }

    /// What an outlook says of both, for a milestone that has only that: an earlier version did not keep the
    /// facts apart. How near one is that slipped it does not say.
    pub(crate) fn implied(outlook: Option<Outlook>, baseline: Option<Date>, forecast: Option<Date>) -> Self {
        let slipped = forecast.zip(baseline).is_some_and(|(forecast, baseline)| forecast > baseline);
        let slippage = |slippage| baseline.map(|_| slippage);
        match outlook {
            None => Self::default(),
            Some(Outlook::OnTrack) => {
                Self { nearness: Some(Nearness::Ahead), slippage: slippage(Slippage::None) }
            }
            Some(Outlook::DueSoon) => {
                Self { nearness: Some(Nearness::DueSoon), slippage: slippage(Slippage::None) }
            }
            Some(Outlook::AtRisk) => Self { nearness: None, slippage: slippage(Slippage::AtRisk) },
            Some(Outlook::Late) => Self { nearness: None, slippage: slippage(Slippage::Late) },
            Some(Outlook::Overdue) => Self {
                nearness: Some(Nearness::Overdue),
                // A forecast that has passed is after a baseline that passed before it.
                slippage: slippage(if slipped { Slippage::Late } else { Slippage::None }),
            },
        }
    }

    /// The graver of each fact.
    fn or_graver(self, other: Self) -> Self {
        Self { nearness: self.nearness.max(other.nearness), slippage: self.slippage.max(other.slippage) }
    }
}

fn nearness(due: Date, day: Date) -> Nearness {
    if due < day {
        Nearness::Overdue
    } else if due <= day.saturating_add(DUE_SOON_DAYS.days()) {
        Nearness::DueSoon
    } else {
        Nearness::Ahead
    }
}

fn slippage(baseline: Date, forecast: Option<Date>, day: Date) -> Slippage {
    match forecast {
        Some(forecast) if forecast > baseline && baseline < day => Slippage::Late,
        Some(forecast) if forecast > baseline => Slippage::AtRisk,
        _ => Slippage::None,
    }
}

/// Which milestones may change outlook on a day: those due on one of two
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

/// How a milestone stands on `day`; none if it is deleted: then it keeps what it had.
pub(crate) fn on(milestone: &Milestone, day: Date) -> Option<Timeliness> {
    let Milestone { state, baseline, forecast, .. } = *milestone;
    (!milestone.is_deleted()).then(|| Timeliness::of(state, baseline, forecast, day))
}

/// What the beginning of `day` makes of a milestone: how it stood before and how it stands, if that
/// differs. One that was written while the day began already is as of it, and is not announced again.
pub(crate) fn passed(milestone: &Milestone, day: Date) -> Option<(Timeliness, Timeliness)> {
    let now = on(milestone, day)?;
    let yesterday = day.yesterday().ok().and_then(|day| on(milestone, day)).unwrap_or_default();
    let before = milestone.timeliness.or_graver(yesterday);
    let after = before.or_graver(now);
    (before != after).then_some((before, after))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    const BASELINE: Date = date(2021, 5, 27);
    const LATER: Date = date(2021, 6, 20);

    fn facts(baseline: Option<Date>, forecast: Option<Date>, day: Date) -> Timeliness {
        Timeliness::of(State::Planned, baseline, forecast, day)
    }

    fn planned(baseline: Option<Date>, forecast: Option<Date>, day: Date) -> Option<Outlook> {
        facts(baseline, forecast, day).outlook()
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
    fn a_milestone_that_slipped_comes_near_and_passes_as_any_other_does() {
        let on = |day| facts(Some(BASELINE), Some(LATER), day);
        let fact = |nearness, slippage| Timeliness { nearness: Some(nearness), slippage: Some(slippage) };
        assert_eq!(on(BASELINE), fact(Nearness::Ahead, Slippage::AtRisk));
        assert_eq!(on(date(2021, 6, 12)), fact(Nearness::Ahead, Slippage::Late));
        assert_eq!(on(date(2021, 6, 13)), fact(Nearness::DueSoon, Slippage::Late));
        assert_eq!(on(LATER), fact(Nearness::DueSoon, Slippage::Late));
        assert_eq!(on(LATER.tomorrow().unwrap()), fact(Nearness::Overdue, Slippage::Late));
        assert_eq!(facts(None, Some(LATER), LATER).slippage, None, "there is no baseline to slip from");
    }

    #[test]
    fn only_planned_milestones_with_a_date_have_an_outlook() {
        assert_eq!(facts(None, None, BASELINE), Timeliness::default());
        for state in State::ALL.into_iter().filter(|state| *state != State::Planned) {
            let facts = Timeliness::of(state, Some(BASELINE), Some(LATER), BASELINE);
            assert_eq!((facts, facts.outlook()), (Timeliness::default(), None));
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
        fn a_fact_changes_only_on_the_days_that_touch_it(
            baseline in proptest::option::of(0i64..40),
            forecast in proptest::option::of(0i64..40),
            day in -10i64..60,
        ) {
            let at = |days: i64| BASELINE.saturating_add(days.days());
            let (baseline, forecast, day) = (baseline.map(at), forecast.map(at), at(day));
            let before = facts(baseline, forecast, day.yesterday().unwrap());
            let after = facts(baseline, forecast, day);
            let touched = touched(day);
            let due = forecast.or(baseline);
            let is_touched = due.is_some() && touched.due.contains(&due) || baseline.is_some() && touched.baseline == baseline;
            prop_assert!(before == after || is_touched);
            prop_assert_eq!(before.or_graver(after), after, "a fact only grows graver with time");
            prop_assert!(before.outlook() <= after.outlook());
        }

        /// What an earlier version stored says the same as both facts do, but for how near one is that slipped.
        #[test]
        fn an_outlook_implies_both_facts_but_the_nearness_of_what_slipped(
            baseline in proptest::option::of(0i64..40),
            forecast in proptest::option::of(0i64..40),
            day in -10i64..60,
        ) {
            let at = |days: i64| BASELINE.saturating_add(days.days());
            let (baseline, forecast, day) = (baseline.map(at), forecast.map(at), at(day));
            let facts = facts(baseline, forecast, day);
            let implied = Timeliness::implied(facts.outlook(), baseline, forecast);
            let unknown = matches!(facts.outlook(), Some(Outlook::AtRisk | Outlook::Late));
            let known = if unknown { Timeliness { nearness: None, ..facts } } else { facts };
            prop_assert_eq!((implied, implied.outlook()), (known, facts.outlook()));
        }
    }
}
