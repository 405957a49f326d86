//! What was observed of an indicator, as known on a day: its periods, and what counts for each.
//!
//! Invariant: observations of one period and series that have different values contradict each other, and there is no
//! value, until one is preferred or the others are retracted. What is known depends on reports, commits and decisions
//! up to the day, and on nothing after it.

use jiff::Timestamp;
use jiff::civil::Date;
use milepost_ledger::key::ordered_date;
use milepost_proto::figure::v1::Knowledge;
use milepost_proto::registry::v1::indicator_value::Absence;
use milepost_proto::registry::v1::observation::State;
use milepost_proto::registry::v1::{
    ContradictingValue, Indicator, IndicatorValue, Observation, ObservationDecision, Period,
};
use milepost_resource::{By, Checked, Index, Name, Unreadable, date, date_message, instant, known_state};
use milepost_types::{Rejection, TimeZoneId, limits};

use super::value::QualifiedValue;
use crate::tables::Rows;

/// The observations of each indicator by their series and their periods, by the last day first.
pub(super) const BY_PERIOD: Index = Index {
    tag: 43,
    under: 2,
    by: &[By::Field("series"), By::Path(&["period", "end_date"]), By::Path(&["period", "start_date"])],
    live: false,
    when: &[],
    orders: false,
};

/// Days from a first to a last one, both included. They order by their ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    pub(crate) end: Date,
    pub(crate) start: Date,
}

impl Span {
    /// The days of a message that has both ends.
    pub(super) fn of(period: Option<&Period>) -> Option<Self> {
        let period = period?;
        Some(Self { start: date(period.start_date.as_ref())?, end: date(period.end_date.as_ref())? })
    }

    pub(super) fn message(self) -> Period {
        Period { start_date: Some(date_message(self.start)), end_date: Some(date_message(self.end)) }
    }
}

/// An observation, as what is computed of it needs it.
#[derive(Debug, Clone)]
pub(super) struct ObservedValue {
    pub(super) name: Name<Observation>,
    pub(super) span: Span,
    pub(super) value: QualifiedValue,
    reported: Option<Date>,
    committed: Option<Timestamp>,
    decisions: Vec<ObservationDecision>,
}

impl ObservedValue {
    /// The fact that an observation is.
    ///
    /// # Errors
    /// What this version cannot work with.
    pub(super) fn read(name: Name<Observation>, observation: &Observation) -> Result<Self, Unreadable> {
        let span = Span::of(observation.period.as_ref());
        let number = observation.value.parse().map_err(|error| Unreadable::of("value", error))?;
        known_state(observation)?;
        Ok(Self {
            name,
            span: span.ok_or_else(|| Unreadable::of("period", "has no two ends"))?,
            value: QualifiedValue { number, qualifier: observation.qualifier() },
            reported: date(observation.reported_date.as_ref()),
            committed: instant(observation.create_time.as_ref()),
            decisions: observation.decisions.clone(),
        })
    }

    /// It as one of several that contradict each other.
    pub(super) fn contradicting(&self) -> ContradictingValue {
        contradicting(self.name.to_string(), self.value)
    }
}

/// A value of what has this name, as one of several that cannot all be.
pub(super) fn contradicting(name: String, value: QualifiedValue) -> ContradictingValue {
    ContradictingValue { name, value: value.number.to_string(), qualifier: value.qualifier.into() }
}

/// What counts as known: all facts, or those known by a day in a time zone.
#[derive(Debug, Clone)]
pub(super) struct AsOf {
    /// By this day, unless all that is known counts.
    pub(super) date: Date,
    pub(super) knowledge: Knowledge,
    /// In this time zone.
    pub(super) zone: TimeZoneId,
}

impl AsOf {
    /// Whether what was said on a day and committed at an instant is known.
    fn knows(&self, said: Option<Date>, committed: Option<Timestamp>) -> bool {
        match self.knowledge {
            Knowledge::Unspecified | Knowledge::Latest => true,
            Knowledge::Then => said.is_some_and(|said| said <= self.date),
            Knowledge::ThenStrict => {
                committed.is_some_and(|committed| self.zone.date_at(committed) <= self.date)
            }
        }
    }

    /// The last decision of a kind on an observation that is known: its day and its sequence.
    fn decision(&self, fact: &ObservedValue, kind: State) -> Option<(Option<Date>, u64)> {
        let known = fact.decisions.iter().filter(|decision| decision.state() == kind);
        let known = known.map(|decision| (date(decision.date.as_ref()), decision));
        let known = known.filter(|(day, of)| self.knows(*day, instant(of.commit_time.as_ref())));
        known.map(|(day, of)| (day, of.sequence)).max()
    }

    /// What counts of the observations of one period; none if none of them is known and not retracted.
    fn resolve(&self, facts: Vec<ObservedValue>) -> Option<Resolved> {
        let counts = |fact: &ObservedValue| {
            self.knows(fact.reported, fact.committed) && self.decision(fact, State::Retracted).is_none()
        };
        // Whoever is preferred last ends the preference of the others, also if it is retracted later.
        let preferred = facts.iter().filter_map(|fact| Some((self.decision(fact, State::Preferred)?, fact)));
        if let Some((_, fact)) = preferred.max_by_key(|(decision, _)| *decision)
            && counts(fact)
        {
            return Some(Resolved::One(fact.clone()));
        }
        let counting: Vec<_> = facts.into_iter().filter(counts).collect();
        let first = counting.first()?;
        if counting.iter().any(|fact| fact.value.number != first.value.number) {
            return Some(Resolved::Contradicted(counting));
        }
        let last = counting.into_iter().max_by_key(|fact| (fact.reported, fact.committed))?;
        Some(Resolved::One(last))
    }
}

/// What counts for a period.
#[derive(Debug, Clone)]
pub(super) enum Resolved {
    /// The observation.
    One(ObservedValue),
    /// None, for these contradict each other.
    Contradicted(Vec<ObservedValue>),
}

impl Resolved {
    pub(super) fn value(&self) -> Option<QualifiedValue> {
        match self {
            Resolved::One(fact) => Some(fact.value),
            Resolved::Contradicted(_) => None,
        }
    }

    /// Those that contradict each other; none if there is one that counts.
    pub(super) fn contradicting(&self) -> &[ObservedValue] {
        match self {
            Resolved::One(_) => &[],
            Resolved::Contradicted(facts) => facts,
        }
    }

    /// Whether the value is less than zero, or one of those that contradict each other is.
    pub(super) fn has_negative(&self) -> bool {
        let facts = match self {
            Resolved::One(fact) => std::slice::from_ref(fact),
            Resolved::Contradicted(facts) => facts,
        };
        facts.iter().any(|fact| fact.value.number.is_negative())
    }

    /// The value for a period.
    pub(super) fn message(&self, span: Span) -> IndicatorValue {
        match self {
            Resolved::One(fact) => IndicatorValue {
                value: fact.value.number.to_string(),
                qualifier: fact.value.qualifier.into(),
                period: Some(span.message()),
                observation: fact.name.to_string(),
                counted: 1,
                ..IndicatorValue::default()
            },
            Resolved::Contradicted(facts) => IndicatorValue {
                period: Some(span.message()),
                absence: Absence::Contradicted.into(),
                counted: i32::try_from(facts.len()).unwrap_or(i32::MAX),
                ..IndicatorValue::default()
            },
        }
    }
}

/// Reads what was observed, as known when.
#[derive(Clone)]
pub(super) struct Reader<'a, 'b> {
    pub(super) rows: &'a Rows<'b>,
    pub(super) as_of: AsOf,
    /// Nothing that is of later days is read.
    pub(super) until: Date,
}

impl Reader<'_, '_> {
    /// The same up to an earlier day, as known when it is known now.
    pub(super) fn until(&self, date: Date) -> Self {
        Self { until: self.until.min(date), ..self.clone() }
    }

    /// The periods of a series, the last to end first, with what counts for each.
    pub(super) fn periods(
        &self,
        indicator: &Name<Indicator>,
        series: &str,
    ) -> impl Iterator<Item = Result<(Span, Resolved), Rejection>> {
        let until = ordered_date(self.until);
        let mut names = self.rows.names_from_last(BY_PERIOD, indicator.ids(), &text(series), &until);
        let mut next = None;
        std::iter::from_fn(move || {
            loop {
                let first = match next.take() {
                    Some(first) => first,
                    None => self.fact(names.next()?),
                };
                let first: ObservedValue = match first {
                    Ok(first) => first,
                    Err(error) => return Some(Err(error)),
                };
                let (span, mut facts) = (first.span, vec![first]);
                for name in names.by_ref() {
                    match self.fact(name) {
                        Ok(fact) if fact.span == span => facts.push(fact),
                        other => {
                            next = Some(other);
                            break;
                        }
                    }
                }
                if let Some(resolved) = self.as_of.resolve(facts) {
                    return Some(Ok((span, resolved)));
                }
            }
        })
    }

    fn fact(&self, name: Name<Observation>) -> Result<ObservedValue, Rejection> {
        fact(&self.rows.find(&name)?)
    }

    /// The last period of a series, and what counts for it.
    pub(super) fn last(
        &self,
        indicator: &Name<Indicator>,
        series: &str,
    ) -> Result<Option<(Span, Resolved)>, Rejection> {
        self.periods(indicator, series).next().transpose()
    }

    /// What counts for exactly this period of a series.
    pub(super) fn period(
        &self,
        indicator: &Name<Indicator>,
        series: &str,
        span: Span,
    ) -> Result<Option<Resolved>, Rejection> {
        Ok(self.as_of.resolve(facts_of(self.rows, indicator, series, span)?))
    }
}

/// All observations of a period of a series, whatever counts.
pub(super) fn facts_of(
    rows: &Rows<'_>,
    indicator: &Name<Indicator>,
    series: &str,
    span: Span,
) -> Result<Vec<ObservedValue>, Rejection> {
    let fields = [&text(series)[..], &ordered_date(span.end), &ordered_date(span.start)].concat();
    let names = rows.names::<Observation>(BY_PERIOD, indicator.ids(), &fields);
    // Their number is limited.
    names.take(limits::PERIOD_OBSERVATIONS).map(|name| fact(&rows.find(&name)?)).collect()
}

/// The fact that an observation is.
pub(super) fn fact(observation: &Checked<Observation>) -> Result<ObservedValue, Rejection> {
    let fact = ObservedValue::read(observation.name().clone(), observation);
    Ok(fact.map_err(|error| observation.name().damaged(error))?)
}

fn text(series: &str) -> Vec<u8> {
    [series.as_bytes(), &[0]].concat()
}
