//! The targets: how the figures of Milepost must compare with those of the others, or with a bound.

use crate::figure::Unit;
use crate::system::Kind;
use crate::work::Work;

/// What Milepost's median is held against.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// So many times another system's; at least if more is better, at most otherwise.
    Of(f64, Kind),
    /// This value.
    Value(f64),
}

/// The bounds of one figure of a work.
pub fn bounds(work: Work, unit: Unit) -> &'static [Bound] {
    use Bound::{Of, Value};
    use Kind::{Echo, Etcd, Jetstream, Postgres};
    match (work, unit) {
        (Work::Writes(64 | 256), Unit::WritesPerSecond) => {
            &[Of(1.5, Etcd), Of(4.0, Jetstream), Of(8.0, Postgres), Of(0.7, Echo)]
        }
        (Work::Writes(64 | 256), Unit::P99Ms) | (Work::Writes(1), Unit::P50Ms) => &[Of(1.0, Etcd)],
        (Work::Live { watchers: 1, .. }, Unit::P50Ms | Unit::P99Ms) => &[Of(1.0, Etcd)],
        (Work::Live { watchers: 1000, .. }, Unit::P99Ms) => &[Of(1.0, Etcd)],
        (Work::Live { .. } | Work::FullSpeed { .. }, Unit::Missing) => &[Value(0.0)],
        (Work::FullSpeed { .. }, Unit::DeliveriesPerSecond) => &[Of(2.0, Etcd)],
        (Work::Replay, Unit::EventsPerSecond) => &[Of(1.2, Postgres), Of(1.5, Jetstream), Of(0.4, Echo)],
        (Work::Idle { .. }, Unit::AddedMebibytes) => &[Value(300.0)],
        (Work::Million { .. }, Unit::ReopenSeconds) => &[Value(3.0)],
        (Work::Million { .. }, Unit::RebuildSeconds) => &[Value(20.0)],
        // 450 bytes for an event of 300; a reforecast's event, which carries the milestone, is larger.
        (Work::Million { .. }, Unit::OverheadBytes) => &[Value(150.0)],
        _ => &[],
    }
}

/// A bound for people, and whether a median keeps it, if what it is held against was measured.
pub fn judge(
    bound: Bound,
    unit: Unit,
    ours: f64,
    theirs: impl Fn(Kind) -> Option<f64>,
) -> Option<(String, bool)> {
    let sign = if unit.more_is_better() { "≥" } else { "≤" };
    let (limit, text) = match bound {
        Bound::Of(factor, kind) => {
            let theirs = theirs(kind)?;
            let ratio = if theirs > 0.0 { ours / theirs } else { f64::INFINITY };
            (factor * theirs, format!("{sign} {factor}× {kind}: {ratio:.2}×"))
        }
        Bound::Value(value) => (value, format!("{sign} {}", unit.format(value))),
    };
    let kept = if unit.more_is_better() { ours >= limit } else { ours <= limit };
    Some((text, kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_kept_on_its_own_side() {
        let theirs = |kind| (kind == Kind::Etcd).then_some(10.0);
        let judged = |bound, unit, ours| judge(bound, unit, ours, theirs).map(|(_, kept)| kept);
        let etcd = Bound::Of(1.5, Kind::Etcd);
        assert_eq!(judged(etcd, Unit::WritesPerSecond, 15.0), Some(true));
        assert_eq!(judged(etcd, Unit::WritesPerSecond, 14.9), Some(false));
        assert_eq!(judged(etcd, Unit::P99Ms, 15.1), Some(false));
        assert_eq!(judged(Bound::Value(3.0), Unit::ReopenSeconds, 3.0), Some(true));
        assert_eq!(judged(Bound::Of(1.0, Kind::Postgres), Unit::P99Ms, 1.0), None, "it was not measured");
        let (text, _) = judge(etcd, Unit::WritesPerSecond, 16.0, theirs).unwrap();
        assert_eq!(text, "≥ 1.5× etcd: 1.60×");
    }
}
