//! What is said of an indicator's value: whether it comes to its targets and thresholds, and what contradicts it.
//!
//! Invariant: nothing is said that the value leaves open. Without observations of its own, an indicator that sums its
//! parts is held against what is certain of their sum. What contradicts two indicators is found from either of them.

use std::collections::BTreeMap;

use jiff::civil::Date;
use milepost_proto::registry::v1::indicator::{Flag, Kind};
use milepost_proto::registry::v1::target_verdict::Verdict;
use milepost_proto::registry::v1::{
    Indicator, IndicatorContradiction, IndicatorTarget, IndicatorValue, TargetVerdict, ThresholdVerdict,
};
use milepost_resource::{Checked, Name, date, date_message};
use milepost_types::{Rejection, limits};

use super::facts::{Reader, Resolved, Span, contradicting};
use super::sums::{of_parts, of_parts_for, of_value, parts_so_far, so_far};
use super::value::QualifiedValue;
use super::{has_sum, parts, whole};

/// The value that an indicator is held to: of its last period, or what its parts add up to.
pub(super) fn held(
    reader: &Reader<'_, '_>,
    indicator: &Checked<Indicator>,
) -> Result<Option<(QualifiedValue, Option<Span>)>, Rejection> {
    if let Some((span, resolved)) = reader.last(indicator.name(), "")? {
        return Ok(resolved.value().map(|value| (value, Some(span))));
    }
    if !has_sum(indicator) {
        return Ok(None);
    }
    Ok(of_parts(reader, indicator, "")?.certain().map(|value| (value, None)))
}

/// Whether more is better, so that bounds are reached from below.
fn is_from_below(indicator: &Indicator) -> bool {
    indicator.higher_is_better != Some(false)
}

/// Whether a value has reached each threshold of an indicator.
pub(super) fn thresholds(indicator: &Indicator, value: Option<QualifiedValue>) -> Vec<ThresholdVerdict> {
    let verdict = |threshold: &milepost_proto::registry::v1::IndicatorThreshold| ThresholdVerdict {
        reached: value
            .zip(threshold.value.parse().ok())
            .and_then(|(value, bound)| value.reaches(bound, is_from_below(indicator))),
        threshold: Some(threshold.clone()),
    };
    indicator.thresholds.iter().map(verdict).collect()
}

/// The day on which a target is due: of a year, its last.
pub(super) fn due(target: &IndicatorTarget) -> Option<Date> {
    let year = || Date::new(i16::try_from(target.year).ok()?, 12, 31).ok();
    date(target.date.as_ref()).or_else(|| year().filter(|_| target.year != 0))
}

/// A value that an indicator is held to, with its period if it is of one.
type HeldValue = (QualifiedValue, Option<Span>);

/// What was found on a day.
type HeldOn = BTreeMap<Date, Option<HeldValue>>;

/// Whether an indicator comes to a target.
pub(super) struct Judged {
    pub(super) verdict: TargetVerdict,
    /// Whether what is known of the value up to the day has reached it; none: that is open.
    pub(super) reached: Option<bool>,
}

/// Whether an indicator comes to these of its targets, in their order.
pub(super) fn targets<'a>(
    reader: &Reader<'_, '_>,
    indicator: &Checked<Indicator>,
    targets: impl IntoIterator<Item = &'a IndicatorTarget>,
) -> Result<Vec<Judged>, Rejection> {
    // All that are still to come are held to the same value.
    let mut held_on = HeldOn::new();
    targets.into_iter().map(|target| of_target(reader, indicator, target, &mut held_on)).collect()
}

fn of_target(
    reader: &Reader<'_, '_>,
    indicator: &Checked<Indicator>,
    target: &IndicatorTarget,
    held_on: &mut HeldOn,
) -> Result<Judged, Rejection> {
    let mut verdict = TargetVerdict {
        due_date: due(target).map(date_message),
        year: target.year,
        value: target.value.clone(),
        verdict: Verdict::Unknown.into(),
        judged_value: None,
    };
    let (Some(due), Ok(bound)) = (due(target), target.value.parse()) else {
        return Ok(Judged { verdict, reached: None });
    };
    let passed = due < reader.until;
    let at = reader.until(due);
    let above = is_from_below(indicator);
    let year = target.year != 0 && indicator.kind() == Kind::Flow;
    // Whether more may still come to the value.
    let (value, grows) = if year {
        let first = Date::new(due.year(), 1, 1).unwrap_or(due);
        let (sum, end) = of_year(&at, indicator, Span { start: first, end: due })?;
        (sum, end.is_some_and(|end| end < due))
    } else {
        let held = match held_on.get(&at.until) {
            Some(held) => *held,
            None => *held_on.entry(at.until).or_insert(held(&at, indicator)?),
        };
        (held, false)
    };
    let reached = value.and_then(|(value, _)| value.reaches(bound, above));
    let so_far = reached.filter(|reached| !grows || !*reached || above);
    // Of a year that is not whole, only what is reached from below is certain.
    let reached = so_far.filter(|reached| !grows || *reached);
    verdict.judged_value = value.map(|(value, span)| match span {
        Some(span) => of_value(value, span),
        None => IndicatorValue { period: None, ..of_value(value, Span { start: due, end: due }) },
    });
    verdict.set_verdict(match (reached, passed) {
        (Some(true), _) => Verdict::Reached,
        (_, false) => Verdict::Open,
        (Some(false), true) => Verdict::Missed,
        (None, true) => Verdict::Unknown,
    });
    Ok(Judged { verdict, reached: so_far })
}

/// The value that a flow is held to for a year, as far as it is known, and the day up to which that is.
fn of_year(
    at: &Reader<'_, '_>,
    indicator: &Checked<Indicator>,
    year: Span,
) -> Result<(Option<HeldValue>, Option<Date>), Rejection> {
    if has_sum(indicator) && at.last(indicator.name(), "")?.is_none() {
        let sum = parts_so_far(at, indicator.name(), year)?;
        return Ok((sum.map(|(value, _)| (value, None)), sum.map(|(_, end)| end)));
    }
    let sum = so_far(at, indicator.name(), "", year)?;
    Ok((sum.map(|(value, span)| (value, Some(span))), sum.map(|(_, span)| span.end)))
}

/// What counts for the last periods of an indicator.
type LastPeriods = BTreeMap<Span, Option<QualifiedValue>>;

/// What contradicts an indicator on the day, the first period first: the observations of its last period; of its last
/// periods and the last ones of another its whole and its parts; and of its last periods the sum of its parts.
pub(super) fn contradictions(
    reader: &Reader<'_, '_>,
    indicator: &Checked<Indicator>,
) -> Result<Vec<IndicatorContradiction>, Rejection> {
    let mut found = Vec::new();
    if let Some((span, resolved)) = reader.last(indicator.name(), "")?
        && resolved.value().is_none()
    {
        found.push((span, of_observations(span, &resolved)));
    }
    // A rate of a part may be more than that of the whole.
    if indicator.kind() != Kind::Rate {
        let own = last_periods(reader, indicator.name())?;
        let mut flag = |flag: Flag, span: Span, name: &Name<Indicator>, (value, other)| {
            let own = contradicting(indicator.name().to_string(), value);
            let values = vec![own, contradicting(name.to_string(), other)];
            found.push((
                span,
                IndicatorContradiction { flag: flag.into(), period: Some(span.message()), values },
            ));
        };
        if let Some(whole) = whole(reader.rows, indicator)? {
            for (span, value, other) in common(reader, indicator, &own, &whole)? {
                if value.exceeds(other) {
                    flag(Flag::ExceedsWhole, span, &whole, (value, other));
                }
            }
        }
        for part in parts(reader.rows, indicator.name()) {
            for (span, value, other) in common(reader, indicator, &own, &part)? {
                if other.exceeds(value) {
                    flag(Flag::ExceededByPart, span, &part, (value, other));
                }
            }
        }
        if has_sum(indicator) {
            let last = own.keys().next_back();
            for (span, value) in own.iter().filter_map(|(span, value)| Some((span, (*value)?))) {
                let sum = match Some(span) == last {
                    true => of_parts(reader, indicator, "")?,
                    false => of_parts_for(reader, indicator, *span)?,
                };
                if let Some(sum) = sum.certain().filter(|sum| sum.exceeds(value)) {
                    flag(Flag::ExceededBySum, *span, indicator.name(), (value, sum));
                }
            }
        }
    }
    found.sort_by_key(|(span, _)| *span);
    Ok(found.into_iter().map(|(_, contradiction)| contradiction).collect())
}

fn last_periods(reader: &Reader<'_, '_>, indicator: &Name<Indicator>) -> Result<LastPeriods, Rejection> {
    let periods = reader.periods(indicator, "").take(limits::PERIODS_COMPARED);
    periods.map(|period| period.map(|(span, resolved)| (span, resolved.value()))).collect()
}

/// The values of an indicator and of another one for the same periods, of those that are among the last ones of either: so
/// both find the same. None if their values are not of one kind and unit.
fn common(
    reader: &Reader<'_, '_>,
    indicator: &Checked<Indicator>,
    own: &LastPeriods,
    name: &Name<Indicator>,
) -> Result<Vec<(Span, QualifiedValue, QualifiedValue)>, Rejection> {
    let other = reader.rows.find(name)?;
    if (other.kind, &other.unit) != (indicator.kind, &indicator.unit) {
        return Ok(Vec::new());
    }
    let others = last_periods(reader, name)?;
    let value = |of: &LastPeriods, name: &Name<Indicator>, span: Span| match of.get(&span) {
        Some(value) => Ok(*value),
        // There are no others.
        None if of.len() < limits::PERIODS_COMPARED => Ok(None),
        None => reader.period(name, "", span).map(|found| found.and_then(|resolved| resolved.value())),
    };
    let mut found = Vec::new();
    for span in own.keys().chain(others.keys().filter(|span| !own.contains_key(span))) {
        let both = value(own, indicator.name(), *span)?.zip(value(&others, name, *span)?);
        found.extend(both.map(|(value, other)| (*span, value, other)));
    }
    Ok(found)
}

/// That the observations of a period contradict each other.
pub(super) fn of_observations(span: Span, resolved: &Resolved) -> IndicatorContradiction {
    let facts = resolved.contradicting().iter().take(limits::CONTRADICTING_VALUES);
    IndicatorContradiction {
        flag: Flag::Contradicted.into(),
        period: Some(span.message()),
        values: facts.map(super::facts::ObservedValue::contradicting).collect(),
    }
}
