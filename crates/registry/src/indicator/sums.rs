//! What an indicator adds up to: over its parts, and over time.
//!
//! Invariants: a rate is never summed, a stock never over time, and a flow over time only where the periods follow each
//! other without a gap and without an overlap. A part without a value is missing, and never taken for zero.

use jiff::civil::Date;
use milepost_proto::figure::v1::{Figure, MissingFigure};
use milepost_proto::registry::v1::indicator::Kind;
use milepost_proto::registry::v1::indicator_value::Absence;
use milepost_proto::registry::v1::observation::Qualifier;
use milepost_proto::registry::v1::{Indicator, IndicatorValue};
use milepost_resource::{Checked, Name};
use milepost_types::{Decimal, Rejection, limits};

use super::facts::{Reader, Resolved, Span};
use super::value::QualifiedValue;
use super::{has_sum, parts};

/// Why a part has no value of which nothing was observed.
const NO_OBSERVATION: &str = "NO_OBSERVATION";

/// What the parts of an indicator add up to.
#[derive(Default)]
pub(super) struct Sum {
    /// Of those that are known; none: of none, or it cannot be held.
    pub(super) value: Option<QualifiedValue>,
    pub(super) counted: usize,
    /// Whose value is not known, and why.
    missing: Vec<MissingFigure>,
    /// Whether a value that is known is less than zero: then one that is not may be, too.
    has_negative: bool,
    overflows: bool,
}

impl Sum {
    /// Of one value.
    fn of(value: QualifiedValue) -> Self {
        Self { value: Some(value), has_negative: value.number.is_negative(), ..Self::default() }
    }

    /// Of a part whose value is not known.
    fn without(part: &Name<Indicator>, why: &str) -> Self {
        let mut sum = Self::default();
        sum.miss(part.to_string(), why);
        sum
    }

    /// Of a part whose value is one of several that contradict each other.
    fn contradicted(part: &Name<Indicator>, resolved: &Resolved) -> Self {
        Self { has_negative: resolved.has_negative(), ..Self::without(part, "CONTRADICTED") }
    }

    /// What is certain of the sum of all parts: the sum, at least so much if what is missing could only make it greater, or
    /// nothing.
    pub(super) fn certain(&self) -> Option<QualifiedValue> {
        let qualifier =
            |value: QualifiedValue| if self.is_least() { Qualifier::AtLeast } else { value.qualifier };
        let value = self.value.filter(|_| self.missing.is_empty() || self.is_least());
        value.map(|value| QualifiedValue { qualifier: qualifier(value), ..value })
    }

    /// Whether what is missing could only make it greater.
    fn is_least(&self) -> bool {
        let qualifier = self.value.map(|value| value.qualifier);
        let is_known_from_below = matches!(qualifier, Some(Qualifier::Exact | Qualifier::AtLeast));
        is_known_from_below && !self.missing.is_empty() && !self.has_negative
    }

    /// Whether it says more of what it is of than that nothing was observed.
    fn says_something(&self) -> bool {
        self.value.is_some() || self.missing.iter().any(|missing| missing.why != NO_OBSERVATION)
    }

    /// Adds what is known of a part to the sum of `whole`.
    fn add(&mut self, whole: &Name<Indicator>, part: Self) {
        self.has_negative |= part.has_negative;
        self.missing.extend(part.missing);
        let Some(value) = part.value else { return };
        self.counted += 1;
        if self.overflows {
            return;
        }
        self.value = self.value.map_or(Some(value), |held| held.plus(value));
        if self.value.is_none() {
            self.overflows = true;
            self.miss(whole.to_string(), "SUM_OVERFLOW");
        }
    }

    fn miss(&mut self, subject: String, why: &str) {
        self.missing.push(MissingFigure { subject, why: why.to_owned() });
    }

    pub(super) fn figure(self) -> Figure {
        let count = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
        let number = self.value.map(|value| value.number.to_string());
        Figure {
            numerator: number.clone().unwrap_or_default(),
            denominator: if number.is_some() { "1".to_owned() } else { String::new() },
            lower_bound: self.is_least(),
            value: number,
            counted: count(self.counted),
            missing_count: count(self.missing.len()),
            missing: self.missing.into_iter().take(limits::MISSING_NAMED).collect(),
        }
    }
}

/// What the parts of an indicator add up to; of a flow for the period of its own last value, or else for the last one
/// that a part has.
pub(super) fn of_parts(
    reader: &Reader<'_, '_>,
    indicator: &Checked<Indicator>,
    series: &str,
) -> Result<Sum, Rejection> {
    let span = match indicator.kind() {
        Kind::Flow => last_span(reader, indicator.name(), series, 0)?,
        _ => None,
    };
    Adding { reader, series, span }.parts_of(indicator.name(), 1)
}

/// What the parts of an indicator add up to for a period of its own: of a flow for the same period, of a stock by its end.
pub(super) fn of_parts_for(
    reader: &Reader<'_, '_>,
    indicator: &Checked<Indicator>,
    span: Span,
) -> Result<Sum, Rejection> {
    let reader = &reader.until(span.end);
    let span = Some(span).filter(|_| indicator.kind() == Kind::Flow);
    Adding { reader, series: "", span }.parts_of(indicator.name(), 1)
}

/// The last period that an indicator has, or else one of its parts.
fn last_span(
    reader: &Reader<'_, '_>,
    indicator: &Name<Indicator>,
    series: &str,
    level: usize,
) -> Result<Option<Span>, Rejection> {
    if let Some((span, _)) = reader.last(indicator, series)? {
        return Ok(Some(span));
    }
    let mut last = None;
    if level < limits::INDICATOR_LEVELS {
        for part in parts(reader.rows, indicator) {
            last = last.max(last_span(reader, &part, series, level + 1)?);
        }
    }
    Ok(last)
}

/// A sum that is being made.
struct Adding<'a, 'b, 'c> {
    reader: &'a Reader<'b, 'c>,
    series: &'a str,
    /// The only period that counts, of a flow.
    span: Option<Span>,
}

impl Adding<'_, '_, '_> {
    fn parts_of(&self, indicator: &Name<Indicator>, level: usize) -> Result<Sum, Rejection> {
        let mut sum = Sum::default();
        for part in parts(self.reader.rows, indicator) {
            sum.add(indicator, self.of_part(&part, level)?);
        }
        Ok(sum)
    }

    /// What is known of a part: its own value, or else what its parts add up to.
    fn of_part(&self, part: &Name<Indicator>, level: usize) -> Result<Sum, Rejection> {
        let own = match self.span {
            Some(span) => self.reader.period(part, self.series, span)?,
            None => self.reader.last(part, self.series)?.map(|(_, resolved)| resolved),
        };
        match own {
            Some(Resolved::One(fact)) => return Ok(Sum::of(fact.value)),
            Some(contradicted) => return Ok(Sum::contradicted(part, &contradicted)),
            None => {}
        }
        if has_sum(&*self.reader.rows.find(part)?) {
            if level >= limits::INDICATOR_LEVELS {
                return Ok(Sum::without(part, "TOO_DEEP"));
            }
            let sum = self.parts_of(part, level + 1)?;
            if sum.says_something() {
                return Ok(sum);
            }
        }
        let observed = self.span.is_some() && self.reader.last(part, self.series)?.is_some();
        Ok(Sum::without(part, if observed { "OTHER_PERIOD" } else { NO_OBSERVATION }))
    }
}

/// What the values of a series add up to over a span.
///
/// # Errors
/// If a row that it needs cannot be decoded.
pub(super) fn over_time(
    reader: &Reader<'_, '_>,
    indicator: &Checked<Indicator>,
    series: &str,
    span: Span,
) -> Result<IndicatorValue, Rejection> {
    let absent = |absence: Absence, counted| IndicatorValue {
        period: Some(span.message()),
        absence: absence.into(),
        counted,
        ..IndicatorValue::default()
    };
    if indicator.kind() != Kind::Flow {
        return Ok(absent(Absence::NeverOverTime, 0));
    }
    let (tiles, exact) = within(reader, indicator.name(), series, span)?;
    if let Some(exact) = exact {
        return Ok(exact.message(span));
    }
    let covered = Tiling::of(&tiles, span);
    let counted = i32::try_from(tiles.len()).unwrap_or(i32::MAX);
    if tiles.is_empty() {
        return Ok(absent(Absence::NoObservation, 0));
    }
    if covered.overlaps || covered.end != Some(span.end) {
        return Ok(absent(Absence::NotTiled, counted));
    }
    match covered.sum {
        Ok(value) => Ok(IndicatorValue { counted, ..of_value(value, span) }),
        Err(absence) => Ok(absent(absence, counted)),
    }
}

/// What the values of a flow add up to from the first day of a span on, as far as they follow each other.
pub(super) fn so_far(
    reader: &Reader<'_, '_>,
    indicator: &Name<Indicator>,
    series: &str,
    span: Span,
) -> Result<Option<(QualifiedValue, Span)>, Rejection> {
    let (tiles, exact) = within(reader, indicator, series, span)?;
    if let Some(resolved) = exact {
        return Ok(resolved.value().map(|value| (value, span)));
    }
    let covered = Tiling::of(&tiles, span);
    let sum = covered.sum.ok().filter(|_| !covered.overlaps);
    Ok(sum.zip(covered.end).map(|(value, end)| (value, Span { end, ..span })))
}

/// What the values of the parts of a flow add up to from the first day of a span on, as far as those of each follow each
/// other, and the first day on which one ends; none if nothing is certain. A part without observations has what its own
/// parts add up to.
pub(super) fn parts_so_far(
    reader: &Reader<'_, '_>,
    indicator: &Name<Indicator>,
    span: Span,
) -> Result<Option<(QualifiedValue, Date)>, Rejection> {
    let (sum, end) = summed_so_far(reader, indicator, span, 1)?;
    Ok(sum.certain().zip(end))
}

fn summed_so_far(
    reader: &Reader<'_, '_>,
    indicator: &Name<Indicator>,
    span: Span,
    level: usize,
) -> Result<(Sum, Option<Date>), Rejection> {
    let (mut sum, mut earliest) = (Sum::default(), None::<Date>);
    for part in parts(reader.rows, indicator) {
        let is_sum = level < limits::INDICATOR_LEVELS
            && has_sum(&*reader.rows.find(&part)?)
            && reader.last(&part, "")?.is_none();
        let (own, end) = if is_sum {
            summed_so_far(reader, &part, span, level + 1)?
        } else {
            match so_far(reader, &part, "", span)? {
                Some((value, own)) => (Sum::of(value), Some(own.end)),
                None => (unknown(reader, &part, span)?, None),
            }
        };
        // Of a part that sums none there is nothing.
        let own = match own.says_something() {
            true => own,
            false => Sum { has_negative: own.has_negative, ..Sum::without(&part, NO_OBSERVATION) },
        };
        sum.add(indicator, own);
        earliest = earliest.into_iter().chain(end).min();
    }
    Ok((sum, earliest))
}

/// Of a part of a flow that has no value for a span, though it may have observations of days in it.
fn unknown(reader: &Reader<'_, '_>, part: &Name<Indicator>, span: Span) -> Result<Sum, Rejection> {
    let (tiles, exact) = within(reader, part, "", span)?;
    let periods = || tiles.iter().map(|(_, resolved)| resolved).chain(&exact);
    let why =
        if periods().any(|resolved| resolved.value().is_none()) { "CONTRADICTED" } else { NO_OBSERVATION };
    Ok(Sum { has_negative: periods().any(Resolved::has_negative), ..Sum::without(part, why) })
}

/// A value for a period, from several observations.
pub(super) fn of_value(value: QualifiedValue, span: Span) -> IndicatorValue {
    IndicatorValue {
        value: value.number.to_string(),
        qualifier: value.qualifier.into(),
        period: Some(span.message()),
        ..IndicatorValue::default()
    }
}

/// Periods, and what counts for each.
type Periods = Vec<(Span, Resolved)>;

/// The periods within a span, by their first days, and what counts for exactly the span.
fn within(
    reader: &Reader<'_, '_>,
    indicator: &Name<Indicator>,
    series: &str,
    span: Span,
) -> Result<(Periods, Option<Resolved>), Rejection> {
    let reader = reader.until(span.end);
    let mut tiles = Vec::new();
    for period in reader.periods(indicator, series) {
        let (own, resolved) = period?;
        if own.end < span.start {
            break;
        }
        if own == span {
            return Ok((Vec::new(), Some(resolved)));
        }
        if own.start >= span.start {
            tiles.push((own, resolved));
        }
    }
    tiles.sort_by_key(|(own, _)| (own.start, own.end));
    Ok((tiles, None))
}

/// How periods cover a span from its first day on.
struct Tiling {
    /// The last day up to which there is no gap; none: the first day is not covered.
    end: Option<Date>,
    overlaps: bool,
    /// What the values up to there add up to.
    sum: Result<QualifiedValue, Absence>,
}

impl Tiling {
    /// Of periods within the span, by their first days.
    fn of(tiles: &[(Span, Resolved)], span: Span) -> Self {
        let nothing = QualifiedValue { number: Decimal::ZERO, qualifier: Qualifier::Exact };
        let mut tiling = Self { end: None, overlaps: false, sum: Ok(nothing) };
        let mut next = Some(span.start);
        for (own, resolved) in tiles {
            tiling.overlaps |= next.is_some_and(|next| own.start < next);
            if next != Some(own.start) {
                continue;
            }
            let first = tiling.end.is_none();
            tiling.sum = match (tiling.sum, resolved.value()) {
                (Err(absence), _) => Err(absence),
                (Ok(_), None) => Err(Absence::Contradicted),
                (Ok(_), Some(value)) if first => Ok(value),
                (Ok(sum), Some(value)) => sum.plus(value).ok_or(Absence::SumOverflow),
            };
            tiling.end = Some(own.end);
            next = own.end.tomorrow().ok();
        }
        tiling
    }
}
