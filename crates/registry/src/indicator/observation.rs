//! Observations: what was found of an indicator for a period. They never change, but are preferred or retracted.
//!
//! Invariants: an observation is not of the future, and is not reported before its period ended; of one period and series
//! one at most is preferred; what is retracted stays so. Decisions stay in the order of their days.

use std::collections::BTreeMap;

use jiff::civil::Date;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::event::v1::{ObservationDisplaced, ObservationPreferred, ObservationRetracted};
use milepost_proto::registry::v1::observation::{Qualifier, State};
use milepost_proto::registry::v1::{Indicator, Observation, ObservationDecision};
use milepost_resource::{
    Change, Checked, EventKind, Index, Name, Rules, Under, Unreadable, check_state, date, date_message,
    instant_message,
};
use milepost_types::{Rejection, Violations, limits};
use sha2::{Digest, Sha256};

use super::effects;
use super::facts::{BY_PERIOD, ObservedValue, Span, fact, facts_of};
use crate::portfolio::{act_date, check_not_after, today};
use crate::tables::{Registry, Scope};

impl Rules<Registry> for Observation {
    type Above = Under<Indicator>;

    const TABLE: u8 = 37;
    const TABLE_NAME: &'static str = "registry.observations";
    const ID_PREFIX: char = 'o';
    const INDEXES: &'static [Index] = &[BY_PERIOD];

    fn check_stored(&self) -> Result<(), Unreadable> {
        // Which observation it is does not matter here.
        let name = self.name.parse().map_err(|error| Unreadable::of("name", error))?;
        ObservedValue::read(name, self).map(|_| ())
    }

    fn begin(&mut self) {
        self.set_state(State::Active);
        self.series = series_of(&self.dimensions);
        if self.qualifier() == Qualifier::Unspecified {
            self.set_qualifier(Qualifier::Exact);
        }
    }

    fn admit(
        scope: &Scope<'_>,
        _: Option<&Checked<Self>>,
        observation: &Checked<Self>,
    ) -> Result<(), Rejection> {
        let indicator = observation.name().parent();
        let today = today(scope, &indicator.parent())?;
        let reported = date(observation.reported_date.as_ref());
        let period = Span::of(observation.period.as_ref());
        let mut violations = Violations::new();
        for (field, day) in [
            ("observation.period.start_date", period.map(|span| span.start)),
            ("observation.period.end_date", period.map(|span| span.end)),
            ("observation.reported_date", reported),
        ] {
            check_not_after(field, day, today, "say what was observed when it was", &mut violations);
        }
        if let Some((day, span)) = reported.zip(period).filter(|(day, span)| *day < span.end) {
            let description =
                format!("{day} is before the period's end on {}; correct one of the two", span.end);
            violations.push("observation.reported_date", "REPORTED_BEFORE_END", description);
        }
        violations.into_result(())?;
        let span = fact(observation)?.span;
        let others = facts_of(&scope.rows, &indicator, &observation.series, span)?;
        if others.len() >= limits::PERIOD_OBSERVATIONS {
            let what = "observations of one period with the same dimensions";
            return Err(Rejection::LimitExceeded { what, limit: limits::PERIOD_OBSERVATIONS as u64 });
        }
        Ok(())
    }

    fn complete(
        scope: &Scope<'_>,
        _: &EventKind,
        name: &Name<Self>,
        _: Option<&Checked<Self>>,
        observation: &mut Self,
    ) -> Result<(), Rejection> {
        if observation.reported_date.is_none() {
            observation.reported_date = Some(date_message(today(scope, &name.parent().parent())?));
        }
        Ok(())
    }

    fn describe(
        scope: &Scope<'_>,
        before: Option<&Checked<Self>>,
        after: &Checked<Self>,
        change: Change,
    ) -> Result<Change, Rejection> {
        let day = match before {
            None => Some(fact(after)?.span.end),
            Some(_) => after.decisions.last().and_then(|decision| date(decision.date.as_ref())),
        };
        Ok(change.on(day).announcing(effects::of(scope, after)?))
    }
}

/// The key of the series of observations with these dimensions: the first 16 bytes of a SHA-256, in hexadecimal; empty
/// without dimensions.
pub(super) fn series_of(dimensions: &BTreeMap<String, String>) -> String {
    if dimensions.is_empty() {
        return String::new();
    }
    let mut hasher = Sha256::new();
    for text in dimensions.iter().flat_map(|(key, value)| [key, value]) {
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text);
    }
    hasher.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// A decision on an observation, as a request says it.
#[derive(Debug, Clone)]
pub(crate) struct Decision {
    pub(crate) reason: String,
    /// None: today.
    pub(crate) date: Option<Date>,
}

/// Prefers an observation to the others of its period and series.
///
/// # Errors
/// If it is retracted or preferred, or if the day is none for it.
pub(crate) fn prefer(
    scope: &Scope<'_>,
    observation: &Checked<Observation>,
    decision: &Decision,
) -> Result<Vec<Change>, Rejection> {
    check_state(observation, "prefer", &[State::Active])?;
    let span = fact(observation)?.span;
    let indicator = observation.name().parent();
    let mut others = Vec::new();
    for other in facts_of(&scope.rows, &indicator, &observation.series, span)? {
        others.push(scope.rows.find(&other.name)?);
    }
    let last = others.iter().flat_map(|other| &other.decisions);
    let last = last.filter(|decision| decision.state() == State::Preferred);
    let date = day(scope, observation, decision, last.filter_map(|last| date(last.date.as_ref())).max())?;
    let displaced = others.into_iter().find(|other| other.state() == State::Preferred);
    let payload = Payload::ObservationPreferred(ObservationPreferred {
        reason: decision.reason.clone(),
        displaced: displaced.as_ref().map(|other| other.name().to_string()).unwrap_or_default(),
    });
    let kind = EventKind::custom("milepost.observation.preferred", payload);
    let mut changes = vec![decided(scope, observation, State::Preferred, date, decision, kind)?];
    if let Some(other) = displaced {
        let by = observation.name().to_string();
        let payload = Payload::ObservationDisplaced(ObservationDisplaced { by });
        let kind = EventKind::custom("milepost.observation.displaced", payload);
        let after = other.changed(scope, |other| other.set_state(State::Active));
        changes.push(Change::of(kind, Some(&other), after).on(Some(date)).because_of(0));
    }
    Ok(changes)
}

/// Retracts an observation.
///
/// # Errors
/// If it is retracted, or if the day is none for it.
pub(crate) fn retract(
    scope: &Scope<'_>,
    observation: &Checked<Observation>,
    decision: &Decision,
) -> Result<Vec<Change>, Rejection> {
    check_state(observation, "retract", &[State::Active, State::Preferred])?;
    let last = observation.decisions.iter().filter_map(|last| date(last.date.as_ref())).max();
    let date = day(scope, observation, decision, last)?;
    let payload = Payload::ObservationRetracted(ObservationRetracted { reason: decision.reason.clone() });
    let kind = EventKind::custom("milepost.observation.retracted", payload);
    Ok(vec![decided(scope, observation, State::Retracted, date, decision, kind)?])
}

/// The day of a decision, which is not before the observation was reported and the `last` decision.
fn day(
    scope: &Scope<'_>,
    observation: &Checked<Observation>,
    decision: &Decision,
    last: Option<Date>,
) -> Result<Date, Rejection> {
    let portfolio = observation.name().parent().parent();
    let given = act_date(scope, &portfolio, "date", decision.date)?;
    let mut violations = Violations::new();
    if let Some(reported) = date(observation.reported_date.as_ref()).filter(|reported| given < *reported) {
        let description = format!("the observation was reported on {reported}; give that day or a later one");
        violations.push("date", "DATE_BEFORE_REPORT", description);
    }
    if let Some(last) = last.filter(|last| given < *last) {
        let description =
            format!("observations of this period were decided on until {last}; give that day or a later one");
        violations.push("date", "DATE_BEFORE_DECISION", description);
    }
    Ok(violations.into_result(given)?)
}

/// The change by a decision.
fn decided(
    scope: &Scope<'_>,
    observation: &Checked<Observation>,
    state: State,
    date: Date,
    decision: &Decision,
    kind: EventKind,
) -> Result<Change, Rejection> {
    // It can always be retracted.
    if state == State::Preferred && observation.decisions.len() + 1 >= limits::OBSERVATION_DECISIONS {
        let what = "decisions on one observation";
        return Err(Rejection::LimitExceeded { what, limit: limits::OBSERVATION_DECISIONS as u64 });
    }
    let after = observation.changed(scope, |observation| {
        observation.set_state(state);
        observation.decisions.push(ObservationDecision {
            state: state.into(),
            date: Some(date_message(date)),
            reason: decision.reason.clone(),
            commit_time: Some(instant_message(scope.context.commit_time)),
            sequence: scope.context.sequence,
        });
    });
    Change::new(scope, kind, Some(observation), after)
}
