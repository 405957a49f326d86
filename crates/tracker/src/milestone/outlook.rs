//! How a planned milestone stands to its dates on a given day, and on which days that changes.
//!
//! Two facts are kept apart: how near the due date is, and how the forecast stands to the baseline. The
//! outlook is the one word that both come to: the gravest that holds. All of them are numbered from the best
//! to the gravest. A date has passed from the day after it on.
//! Invariant: both facts depend on state, dates and the day alone, with time they only grow graver, and
//! from one day to the next they can change only where [`touched`] says.

use jiff::ToSpan;
use jiff::civil::Date;
use milepost_proto::event::v1::MilestoneOutlookChanged;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::tracker::v1::Milestone;
use milepost_proto::tracker::v1::milestone::{Nearness, Outlook, Slippage, State};
use milepost_resource::{Change, Checked, EventKind, Unreadable, date, date_message};

use super::ChangeContext;
use crate::decide::Scope;

/// How many days before its due date a milestone is due soon.
pub(crate) const DUE_SOON_DAYS: i64 = 7;

/// Both facts of a milestone on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Timeliness {
    /// Unspecified if the milestone is not PLANNED or has no date, or if an earlier version kept only the outlook.
    pub(crate) nearness: Nearness,
    /// Unspecified if it is not PLANNED or has no baseline.
    pub(crate) slippage: Slippage,
}

impl Timeliness {
    /// Of a milestone with this state and these dates on `day`.
    pub(crate) fn of(state: State, baseline: Option<Date>, forecast: Option<Date>, day: Date) -> Self {
        if state != State::Planned {
            return Self::default();
        }
        Self {
            nearness: forecast.or(baseline).map(|due| nearness(due, day)).unwrap_or_default(),
            slippage: baseline.map(|baseline| slippage(baseline, forecast, day)).unwrap_or_default(),
        }
    }

    /// As a milestone has it.
    pub(crate) fn kept(milestone: &Milestone) -> Self {
        Self { nearness: milestone.nearness(), slippage: milestone.slippage() }
    }

    /// Gives it to a milestone.
    pub(crate) fn set(self, milestone: &mut Milestone) {
        milestone.set_nearness(self.nearness);
        milestone.set_slippage(self.slippage);
        milestone.set_outlook(self.outlook());
    }

    /// The one word for both.
    pub(crate) fn outlook(self) -> Outlook {
        match (self.nearness, self.slippage) {
            (Nearness::Overdue, _) => Outlook::Overdue,
            (_, Slippage::Late) => Outlook::Late,
            (_, Slippage::AtRisk) => Outlook::AtRisk,
            (Nearness::DueSoon, _) => Outlook::DueSoon,
            (Nearness::Ahead, _) => Outlook::OnTrack,
            (Nearness::Unspecified, _) => Outlook::Unspecified,
        }
    }

    /// What the outlook of a milestone says of both facts, where an earlier version kept only that. How near one
    /// is that slipped it does not say.
    ///
    /// # Errors
    /// If there is no such outlook.
    pub(crate) fn implied(milestone: &Milestone) -> Result<Self, Unreadable> {
        let unknown = |_| Unreadable::of("outlook", format_args!("{} is no outlook", milestone.outlook));
        let [baseline, forecast] =
            [&milestone.baseline_date, &milestone.forecast_date].map(|given| date(given.as_ref()));
        let slipped = forecast.zip(baseline).is_some_and(|(forecast, baseline)| forecast > baseline);
        let (nearness, slippage) = match Outlook::try_from(milestone.outlook).map_err(unknown)? {
            Outlook::Unspecified => return Ok(Self::default()),
            Outlook::OnTrack => (Nearness::Ahead, Slippage::None),
            Outlook::DueSoon => (Nearness::DueSoon, Slippage::None),
            Outlook::AtRisk => (Nearness::Unspecified, Slippage::AtRisk),
            Outlook::Late => (Nearness::Unspecified, Slippage::Late),
            // A forecast that has passed is after a baseline that passed before it.
            Outlook::Overdue => (Nearness::Overdue, if slipped { Slippage::Late } else { Slippage::None }),
        };
        Ok(Self { nearness, slippage: baseline.map(|_| slippage).unwrap_or_default() })
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
pub(crate) fn timeliness_on(milestone: &Milestone, day: Date) -> Option<Timeliness> {
    let [baseline, forecast] =
        [&milestone.baseline_date, &milestone.forecast_date].map(|given| date(given.as_ref()));
    milestone.delete_time.is_none().then(|| Timeliness::of(milestone.state(), baseline, forecast, day))
}

/// What the beginning of `day` makes of a milestone: how it stood before and how it stands, if that
/// differs. One that was written while the day began already is as of it, and is not announced again.
pub(crate) fn passed(milestone: &Milestone, day: Date) -> Option<(Timeliness, Timeliness)> {
    let now = timeliness_on(milestone, day)?;
    let yesterday = day.yesterday().ok().and_then(|day| timeliness_on(milestone, day)).unwrap_or_default();
    let before = Timeliness::kept(milestone).or_graver(yesterday);
    let after = before.or_graver(now);
    (before != after).then_some((before, after))
}

/// The change that the beginning of a day is to a milestone, which stood like the first and stands like the second.
pub(crate) fn day_change(
    scope: &Scope<'_>,
    before: &Checked<Milestone>,
    (previous, now): (Timeliness, Timeliness),
    day: Date,
) -> Change {
    let after = before.changed(scope, |milestone| now.set(milestone));
    // How it stood counts as of the day before, whatever is kept.
    let fields = [
        ("nearness", previous.nearness != now.nearness),
        ("outlook", previous.outlook() != now.outlook()),
        ("slippage", previous.slippage != now.slippage),
    ];
    let fields = fields.into_iter().filter_map(|(name, differs)| differs.then_some(name)).collect();
    Change::of(changed(previous, now, day), Some(before), after).naming(fields).on(Some(day))
}

/// What is announced of a milestone besides its change: that its due date came near or passed by it.
pub(super) fn announcement(
    before: Option<&Checked<Milestone>>,
    after: &Checked<Milestone>,
    context: &ChangeContext,
) -> Option<Change> {
    if !comes_near(before, after) {
        return None;
    }
    let previous = before.map(|before| Timeliness::kept(before)).unwrap_or_default();
    let day = context.current_date;
    let change = Change::of(changed(previous, Timeliness::kept(after), day), before, after.clone());
    Some(change.naming(vec!["nearness"]).on(Some(day)))
}

/// Whether the due date of a milestone came near or passed by a change.
pub(super) fn comes_near(before: Option<&Checked<Milestone>>, after: &Checked<Milestone>) -> bool {
    let previous = before.map(|before| Timeliness::kept(before)).unwrap_or_default();
    comes_to(previous, Timeliness::kept(after)) >= Nearness::DueSoon
}

/// How near the due date came; unspecified if that did not change.
pub(crate) fn comes_to(previous: Timeliness, now: Timeliness) -> Nearness {
    if previous.nearness == now.nearness { Nearness::Unspecified } else { now.nearness }
}

/// That a milestone stood like this, and now stands like that.
fn changed(previous: Timeliness, now: Timeliness, day: Date) -> EventKind {
    let event_type = match comes_to(previous, now) {
        Nearness::DueSoon => "milepost.milestone.due_soon",
        Nearness::Overdue => "milepost.milestone.overdue",
        Nearness::Ahead | Nearness::Unspecified => "milepost.milestone.outlook_changed",
    };
    let payload = MilestoneOutlookChanged {
        previous_outlook: previous.outlook().into(),
        outlook: now.outlook().into(),
        current_date: Some(date_message(day)),
        previous_nearness: previous.nearness.into(),
        nearness: now.nearness.into(),
        previous_slippage: previous.slippage.into(),
        slippage: now.slippage.into(),
    };
    EventKind::custom(event_type, Payload::MilestoneOutlookChanged(payload))
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

    fn planned(baseline: Option<Date>, forecast: Option<Date>, day: Date) -> Outlook {
        facts(baseline, forecast, day).outlook()
    }

    #[test]
    fn a_milestone_without_a_later_forecast_goes_from_on_track_over_due_soon_to_overdue() {
        for (forecast, shift) in [(None, 0), (Some(BASELINE), 0), (Some(date(2021, 5, 25)), -2)] {
            let on =
                |days: i64| planned(Some(BASELINE), forecast, BASELINE.saturating_add((days + shift).days()));
            assert_eq!(on(-8), Outlook::OnTrack);
            assert_eq!(on(-7), Outlook::DueSoon);
            assert_eq!(on(0), Outlook::DueSoon);
            assert_eq!(on(1), Outlook::Overdue);
        }
        assert_eq!(planned(None, Some(LATER), LATER), Outlook::DueSoon);
    }

    #[test]
    fn a_forecast_after_the_baseline_is_a_risk_then_late_then_overdue() {
        let on = |day| planned(Some(BASELINE), Some(LATER), day);
        assert_eq!(on(date(2021, 1, 1)), Outlook::AtRisk);
        assert_eq!(on(BASELINE), Outlook::AtRisk);
        assert_eq!(on(BASELINE.tomorrow().unwrap()), Outlook::Late);
        assert_eq!(on(LATER), Outlook::Late);
        assert_eq!(on(LATER.tomorrow().unwrap()), Outlook::Overdue);
        // A risk is graver than that the day is near.
        assert_eq!(planned(Some(BASELINE), BASELINE.tomorrow().ok(), BASELINE), Outlook::AtRisk);
    }

    #[test]
    fn a_milestone_that_slipped_comes_near_and_passes_as_any_other_does() {
        let on = |day| facts(Some(BASELINE), Some(LATER), day);
        let fact = |nearness, slippage| Timeliness { nearness, slippage };
        assert_eq!(on(BASELINE), fact(Nearness::Ahead, Slippage::AtRisk));
        assert_eq!(on(date(2021, 6, 12)), fact(Nearness::Ahead, Slippage::Late));
        assert_eq!(on(date(2021, 6, 13)), fact(Nearness::DueSoon, Slippage::Late));
        assert_eq!(on(LATER), fact(Nearness::DueSoon, Slippage::Late));
        assert_eq!(on(LATER.tomorrow().unwrap()), fact(Nearness::Overdue, Slippage::Late));
        assert_eq!(
            facts(None, Some(LATER), LATER).slippage,
            Slippage::Unspecified,
            "there is no baseline to slip from"
        );
    }

    #[test]
    fn only_planned_milestones_with_a_date_have_an_outlook() {
        assert_eq!(facts(None, None, BASELINE), Timeliness::default());
        for state in [State::Achieved, State::PartiallyAchieved, State::NotMet, State::Cancelled] {
            let facts = Timeliness::of(state, Some(BASELINE), Some(LATER), BASELINE);
            assert_eq!((facts, facts.outlook()), (Timeliness::default(), Outlook::Unspecified));
        }
    }

    #[test]
    fn the_ends_of_time_touch_nothing_that_does_not_exist() {
        assert_eq!(touched(Date::MAX).due[0], None);
        assert_eq!(planned(Some(Date::MAX), None, Date::MAX), Outlook::DueSoon);
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
            let stored = Milestone {
                baseline_date: baseline.map(date_message),
                forecast_date: forecast.map(date_message),
                outlook: facts.outlook().into(),
                ..Milestone::default()
            };
            let implied = Timeliness::implied(&stored).unwrap();
            let unknown = matches!(facts.outlook(), Outlook::AtRisk | Outlook::Late);
            let known = if unknown { Timeliness { nearness: Nearness::Unspecified, ..facts } } else { facts };
            prop_assert_eq!((implied, implied.outlook()), (known, facts.outlook()));
        }
    }
}
