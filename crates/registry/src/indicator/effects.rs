//! What follows from a change of an observation: announcements about its indicator, and about those that sum it.
//!
//! Invariants: each compares what is known after the change, of today, with what was announced last, or else with what is
//! known before it. They are in the entry of the change, which is their cause. Where a value needs a row that cannot be
//! decoded, nothing is said of it, and nothing is refused; what contradicts the observation itself must be known, but for
//! it to be retracted.

use milepost_proto::event::v1::event::Payload;
use milepost_proto::event::v1::{
    IndicatorContradicted, IndicatorReconciled, IndicatorTargetReached, IndicatorThresholdCrossed,
};
use milepost_proto::figure::v1::Knowledge;
use milepost_proto::registry::v1::observation::State;
use milepost_proto::registry::v1::{Indicator, IndicatorTarget, Observation, ThresholdVerdict};
use milepost_resource::{Change, Checked, EventKind, Preview};
use milepost_types::{DamagedRow, Rejection, limits};

use super::facts::{AsOf, Reader, Resolved, Span, fact};
use super::value::QualifiedValue;
use super::verdicts::{Judged, due, held, of_observations, targets, thresholds};
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
        match values(scope, (&before, &after), own, span, &mut changes) {
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
    scope: &Scope<'_>,
    (before, after): (&Reader<'_, '_>, &Reader<'_, '_>),
    own: Checked<Indicator>,
    span: Span,
    changes: &mut Vec<Change>,
) -> Result<(), Rejection> {
    let mut indicator = own;
    for _ in 0..limits::INDICATOR_LEVELS {
        let moved: Vec<_> = indicator.targets.iter().filter(|target| is_moved(target, span)).collect();
        let (was, is) = (Held::of(before, &indicator, &moved)?, Held::of(after, &indicator, &moved)?);
        announce(scope, &indicator, span, (&was, &is), changes);
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
    targets: Vec<Judged>,
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

/// Adds what is announced of an indicator, which keeps it: the thresholds that it reached and those that it left, and the
/// targets that it reached. While its value does not decide one, what was announced last holds.
fn announce(
    scope: &Scope<'_>,
    indicator: &Checked<Indicator>,
    span: Span,
    (was, is): (&Held, &Held),
    changes: &mut Vec<Change>,
) {
    let (mut reached, mut left, mut reached_thresholds) = (Vec::new(), Vec::new(), Vec::new());
    for ((threshold, was), is) in indicator.thresholds.iter().zip(&was.thresholds).zip(&is.thresholds) {
        let had = indicator.reached_thresholds.contains(&threshold.value) || was.reached == Some(true);
        let has = is.reached.unwrap_or(had);
        match (had, has) {
            (false, true) => reached.push(threshold.clone()),
            (true, false) => left.push(threshold.clone()),
            _ => {}
        }
        reached_thresholds.extend(has.then(|| threshold.value.clone()));
    }
    let (mut targets, mut reached_targets) = (Vec::new(), Vec::new());
    let mut moved = was.targets.iter().zip(&is.targets);
    for target in &indicator.targets {
        let (was, is) = match is_moved(target, span).then(|| moved.next()).flatten() {
            Some((was, is)) => (was.reached, is.reached),
            None => (None, None),
        };
        let had = indicator.reached_targets.contains(target) || was == Some(true);
        let has = is.unwrap_or(had);
        targets.extend((has && !had).then(|| target.clone()));
        reached_targets.extend(has.then(|| target.clone()));
    }
    let mut at = indicator.clone();
    let mut push = |at: &mut Checked<Indicator>, kind: EventKind, keep: &dyn Fn(&mut Indicator)| {
        let after = at.changed(scope, keep);
        changes.push(Change::of(kind, Some(at), after.clone()));
        *at = after;
    };
    if let Some(value) = is.value.filter(|_| !reached.is_empty() || !left.is_empty()) {
        let payload = Payload::IndicatorThresholdCrossed(IndicatorThresholdCrossed {
            previous_value: was.value.map(|value| value.number.to_string()).unwrap_or_default(),
            value: value.number.to_string(),
            qualifier: value.qualifier.into(),
            reached,
            left,
        });
        let kind = EventKind::custom("milepost.indicator.threshold_crossed", payload);
        push(&mut at, kind, &|indicator| indicator.reached_thresholds.clone_from(&reached_thresholds));
    }
    if !targets.is_empty() {
        let payload = Payload::IndicatorTargetReached(IndicatorTargetReached { targets });
        let kind = EventKind::custom("milepost.indicator.target_reached", payload);
        push(&mut at, kind, &|indicator| indicator.reached_targets.clone_from(&reached_targets));
    }
    // What is announced by no event of its own is kept all the same.
    if (&at.reached_thresholds, &at.reached_targets) != (&reached_thresholds, &reached_targets) {
        let keep = |indicator: &mut Indicator| {
            indicator.reached_thresholds.clone_from(&reached_thresholds);
            indicator.reached_targets.clone_from(&reached_targets);
        };
        push(&mut at, EventKind::Updated, &keep);
    }
}
