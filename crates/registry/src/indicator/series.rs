//! The series of an indicator on a day: its values as known then or now, and what is said of them.
//!
//! Invariant: at most `SERIES_POINTS` periods and `SERIES_CONTRADICTIONS` contradictions; sums and verdicts are of all
//! periods up to the day. Which observations count is decided by `facts`.

use std::collections::BTreeMap;

use milepost_proto::figure::v1::Knowledge;
use milepost_proto::registry::v1::indicator_value::Absence;
use milepost_proto::registry::v1::{Indicator, IndicatorSeries, IndicatorValue};
use milepost_resource::{Checked, date_message};
use milepost_types::{Rejection, limits};

use super::facts::{Reader, Resolved, Span};
use super::has_sum;
use super::observation::series_of;
use super::sums::{of_parts, over_time};
use super::verdicts::{contradictions, due, held, of_observations, targets, thresholds};

/// A request for a series, without its date.
#[derive(Debug, Clone)]
pub(crate) struct SeriesRequest {
    /// As known when.
    pub(crate) knowledge: Knowledge,
    pub(crate) dimensions: BTreeMap<String, String>,
    /// What to sum values over.
    pub(crate) span: Option<Span>,
}

/// The series of an indicator.
pub(super) fn series(
    reader: &Reader<'_, '_>,
    indicator: &Checked<Indicator>,
    request: &SeriesRequest,
) -> Result<IndicatorSeries, Rejection> {
    let key = series_of(&request.dimensions);
    let (mut periods, has_earlier) = periods(reader, indicator, &key)?;
    let current = periods.first().map_or_else(no_value, |(span, resolved)| resolved.message(*span));
    let mut series = IndicatorSeries {
        indicator: indicator.name().to_string(),
        date: Some(date_message(reader.as_of.date)),
        knowledge: reader.as_of.knowledge.into(),
        dimensions: request.dimensions.clone(),
        current: Some(current),
        has_earlier,
        ..IndicatorSeries::default()
    };
    periods.reverse();
    series.points = periods.iter().map(|(span, resolved)| resolved.message(*span)).collect();
    if has_sum(indicator) {
        let sum = of_parts(reader, indicator, &key)?;
        series.sum_qualifier = sum.value.map(|value| value.qualifier.into()).unwrap_or_default();
        series.sum_of_parts = Some(sum.figure());
    }
    if let Some(span) = request.span {
        series.sum_over_time = Some(over_time(reader, indicator, &key, span)?);
    }
    let contradicted = periods.iter().filter(|(_, resolved)| !resolved.contradicting().is_empty());
    let mut found: Vec<_> = contradicted.map(|(span, resolved)| of_observations(*span, resolved)).collect();
    if request.dimensions.is_empty() {
        let others = contradictions(reader, indicator)?.into_iter();
        // Those of its own last period are in it already.
        found.extend(others.filter(|other| found.iter().all(|known| known != other)).collect::<Vec<_>>());
        found.sort_by_key(|contradiction| Span::of(contradiction.period.as_ref()));
        let judged = targets(reader, indicator, &indicator.targets)?;
        series.targets = judged.into_iter().map(|judged| judged.verdict).collect();
        let order: Vec<_> = indicator.targets.iter().map(due).collect();
        let mut sorted: Vec<_> = order.into_iter().zip(std::mem::take(&mut series.targets)).collect();
        sorted.sort_by_key(|(due, _)| *due);
        series.targets = sorted.into_iter().map(|(_, verdict)| verdict).collect();
        series.thresholds = thresholds(indicator, held(reader, indicator)?.map(|(value, _)| value));
    }
    series.contradiction_count = i32::try_from(found.len()).unwrap_or(i32::MAX);
    // The last periods say most.
    let excess = found.len().saturating_sub(limits::SERIES_CONTRADICTIONS);
    series.contradictions = found.split_off(excess);
    Ok(series)
}

/// That nothing was observed.
pub(super) fn no_value() -> IndicatorValue {
    IndicatorValue { absence: Absence::NoObservation.into(), ..IndicatorValue::default() }
}

/// The last periods of a series, the last first, and whether there are more.
fn periods(
    reader: &Reader<'_, '_>,
    indicator: &Checked<Indicator>,
    key: &str,
) -> Result<(Vec<(Span, Resolved)>, bool), Rejection> {
    let mut found = Vec::new();
    for period in reader.periods(indicator.name(), key) {
        if found.len() == limits::SERIES_POINTS {
            return Ok((found, true));
        }
        found.push(period?);
    }
    Ok((found, false))
}
