//! What follows from a change of an observation: announcements about its indicator, and about those that sum it.
//!
//! Invariants: each compares what is known before the change with what is known after it, of today. They are in the entry
//! of the change, which is their cause. Where a value needs a row that cannot be decoded, nothing is said of it, and
//! nothing is refused; what contradicts the observation itself must be known, but for it to be retracted.

use milepost_proto::event::v1::event::Payload;
use milepost_proto::event::v1::{
    IndicatorContradicted, IndicatorReconciled, IndicatorTargetReached, IndicatorThresholdCrossed,
};
use milepost_proto::figure::v1::Knowledge;
use milepost_proto::registry::v1::observation::State;
use milepost_proto::registry::v1::target_verdict::Verdict;
use milepost_proto::registry::v1::{
    Indicator, IndicatorTarget, IndicatorThreshold, Observation, TargetVerdict, ThresholdVerdict,
};
use milepost_resource::{Change, Checked, EventKind, Preview};
use milepost_types::{DamagedRow, Rejection, limits};

use super::facts::{AsOf, Reader, Resolved, Span, fact};
use super::value::QualifiedValue;
use super::verdicts::{due, held, of_observations, targets, thresholds};
use super::{has_sum, whole};
use crate::portfolio::zone_and_today;
use crate::tables::{Rows, Scope};

/// What follows from an observation being as it is after a change.
pub(super) fn of(scope: &Scope<'_>, observation: &Checked<Observation>) -> Result<Vec<Change>, Rejection> {
    match announcements(scope, observation) {
        Err(Rejection::DamagedRow(damage)) if observation.state() == State::Retracted => {
            unsaid(observation.name(), &damage);
            Ok(Vec::new())
        }
        announcements => announcements,
    }
}

fn unsaid(name: &impl std::fmt::Display, damage: &DamagedRow) {
    tracing::error!(%name, %damage, "what follows from an observation is not announced");
}

fn announcements(scope: &Scope<'_>, observation: &Checked<Observation>) -> Result<Vec<Change>, Rejection> {
    let own = scope.rows.find(&observation.name().parent())?;
    let (zone, today) = zone_and_today(&scope.rows, &own.name().parent(), scope.context.now)?;
    let as_of = AsOf { date: today, knowledge: Knowledge::Latest, zone };
    let preview = Preview::of(&scope.rows, observation)?;
    let rows = Rows::new(&preview);
    let before = Reader { rows: &scope.rows, as_of: as_of.clone(), until: today };
    let after = Reader { rows: &rows, as_of, until: today };
    let mut changes = Vec::new();
    let own = contradictions(scope, &before, &after, &own, observation, &mut changes)?;
    if observation.dimensions.is_empty() {
        let span = fact(observation)?.span;
        match values(&before, &after, own, span, &mut changes) {
            Err(Rejection::DamagedRow(damage)) => unsaid(observation.name(), &damage),
            said => said?,
        }
    }
    Ok(changes)
}

/// Adds that a contradiction began or ended. The indicator after that.
fn contradictions(
    scope: &Scope<'_>,
    before: &Reader<'_, '_>,
    after: &Reader<'_, '_>,
    indicator: &Checked<Indicator>,
    observation: &Checked<Observation>,
    changes: &mut Vec<Change>,
) -> Result<Checked<Indicator>, Rejection> {
    let (name, span) = (indicator.name(), fact(observation)?.span);
    let was = before.period(name, &observation.series, span)?;
    let is = after.period(name, &observation.series, span)?;
    let contradicted =
        |resolved: &Option<Resolved>| resolved.as_ref().is_some_and(|of| !of.contradicting().is_empty());
    let (period, dimensions) = (Some(span.message()), observation.dimensions.clone());
    let (event, payload, count) = match (contradicted(&was), contradicted(&is)) {
        (false, true) => {
            let values = is.map(|resolved| of_observations(span, &resolved).values).unwrap_or_default();
            let payload = IndicatorContradicted { period, dimensions, values };
            ("milepost.indicator.contradicted", Payload::IndicatorContradicted(payload), 1)
        }
        (true, false) => {
            let observation = match is {
                Some(Resolved::One(fact)) => fact.name.to_string(),
                _ => String::new(),
            };
            let payload = IndicatorReconciled { period, dimensions, observation };
            ("milepost.indicator.reconciled", Payload::IndicatorReconciled(payload), -1)
        }
        _ => return Ok(indicator.clone()),
    };
    let changed = indicator.changed(scope, |indicator| {
        indicator.contradiction_count = indicator.contradiction_count.saturating_add(count).max(0);
    });
    changes.push(Change::of(EventKind::custom(event, payload), Some(indicator), changed.clone()));
    Ok(changed)
}

/// Adds which thresholds were crossed and which targets were reached by a change of what was observed of a span: by an
/// indicator, and by those above it whose value is the sum of their parts.
fn values(
    before: &Reader<'_, '_>,
    after: &Reader<'_, '_>,
    own: Checked<Indicator>,
    span: Span,
    changes: &mut Vec<Change>,
) -> Result<(), Rejection> {
    let mut indicator = own;
    for _ in 0..limits::INDICATOR_LEVELS {
        let moved: Vec<_> = indicator.targets.iter().filter(|target| is_moved(target, span)).collect();
        let (was, is) = (Held::of(before, &indicator, &moved)?, Held::of(after, &indicator, &moved)?);
        changes.extend(crossed(&indicator, &was, &is));
        changes.extend(reached(&indicator, &moved, &was, &is));
        let Some(name) = whole(after.rows, &indicator)? else { break };
        indicator = after.rows.find(&name)?;
        if !has_sum(&indicator) {
            break;
        }
    }
    Ok(())
}

/// Whether what is observed of a span may decide whether an indicator comes to a target.
fn is_moved(target: &IndicatorTarget, span: Span) -> bool {
    due(target).is_some_and(|due| span.end <= due)
}

/// What is said of an indicator, of its targets those that were asked for.
struct Held {
    value: Option<QualifiedValue>,
    thresholds: Vec<ThresholdVerdict>,
    targets: Vec<TargetVerdict>,
}

impl Held {
    fn of(
        reader: &Reader<'_, '_>,
        indicator: &Checked<Indicator>,
        of: &[&IndicatorTarget],
    ) -> Result<Self, Rejection> {
        let asked = !indicator.thresholds.is_empty();
        let value = if asked { held(reader, indicator)?.map(|(value, _)| value) } else { None };
        let thresholds = thresholds(indicator, value);
        Ok(Self { value, thresholds, targets: targets(reader, indicator, of.iter().copied())? })
    }
}

fn crossed(indicator: &Checked<Indicator>, was: &Held, is: &Held) -> Option<Change> {
    let value = is.value?;
    let pairs = || was.thresholds.iter().zip(&is.thresholds);
    let those = |from: fn(Option<bool>) -> bool, to: bool| -> Vec<IndicatorThreshold> {
        let crossed = pairs().filter(|(was, is)| from(was.reached) && is.reached == Some(to));
        crossed.filter_map(|(_, is)| is.threshold.clone()).collect()
    };
    let reached = those(|was| was != Some(true), true);
    let left = those(|was| was == Some(true), false);
    if reached.is_empty() && left.is_empty() {
        return None;
    }
    let payload = Payload::IndicatorThresholdCrossed(IndicatorThresholdCrossed {
        previous_value: was.value.map(|value| value.number.to_string()).unwrap_or_default(),
        value: value.number.to_string(),
        qualifier: value.qualifier.into(),
        reached,
        left,
    });
    Some(announced(indicator, "milepost.indicator.threshold_crossed", payload))
}

fn reached(
    indicator: &Checked<Indicator>,
    moved: &[&IndicatorTarget],
    was: &Held,
    is: &Held,
) -> Option<Change> {
    let is_reached = |verdict: &TargetVerdict| verdict.verdict() == Verdict::Reached;
    let verdicts = was.targets.iter().zip(&is.targets).zip(moved);
    let newly = verdicts.filter(|((was, is), _)| !is_reached(was) && is_reached(is));
    let targets: Vec<_> = newly.map(|(_, target)| (*target).clone()).collect();
    if targets.is_empty() {
        return None;
    }
    let payload = Payload::IndicatorTargetReached(IndicatorTargetReached { targets });
    Some(announced(indicator, "milepost.indicator.target_reached", payload))
}

/// An announcement about an indicator that does not change.
fn announced(indicator: &Checked<Indicator>, event: &'static str, payload: Payload) -> Change {
    Change::of(EventKind::custom(event, payload), Some(indicator), indicator.clone())
}
