//! A measured figure; its unit determines whether more or less is better, and how it is printed.

use serde::Serialize;

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Acknowledged writes a second.
    WritesPerSecond,
    /// Events read a second.
    EventsPerSecond,
    /// Events delivered to all watchers together a second.
    DeliveriesPerSecond,
    /// Median, in milliseconds.
    P50Ms,
    /// Ninety-ninth percentile, in milliseconds.
    P99Ms,
    /// Deliveries that did not come.
    Missing,
    /// Memory of the server above what it used before, in MiB.
    AddedMebibytes,
    /// From the start of the server until it is ready, in seconds.
    ReopenSeconds,
    /// The same with its stores gone.
    RebuildSeconds,
    /// Memory of the server with all of it, in MiB.
    MemoryMebibytes,
    /// Bytes of one encoded event.
    EventBytes,
    /// Bytes of the tracker's journal for an entry.
    JournalBytes,
    /// The same without the event itself.
    OverheadBytes,
    /// Bytes of the notifier's journal for an entry: its durable copy.
    CopyBytes,
    /// Bytes of the tracker's store on disk for an entry.
    StoreBytes,
    /// Bytes of the notifier's store on disk for an entry.
    CopyStoreBytes,
}

/// One figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figure {
    pub unit: Unit,
    pub value: f64,
}

impl Figure {
    pub fn new(unit: Unit, value: f64) -> Self {
        Self { unit, value }
    }
}

impl Unit {
    /// Whether more is better.
    pub fn more_is_better(self) -> bool {
        matches!(self, Self::WritesPerSecond | Self::EventsPerSecond | Self::DeliveriesPerSecond)
    }

    /// As tables call it.
    pub fn title(self) -> &'static str {
        match self {
            Self::WritesPerSecond => "writes/s",
            Self::EventsPerSecond => "events/s",
            Self::DeliveriesPerSecond => "deliveries/s",
            Self::P50Ms => "p50 ms",
            Self::P99Ms => "p99 ms",
            Self::Missing => "missing",
            Self::AddedMebibytes => "added MiB",
            Self::ReopenSeconds => "reopen s",
            Self::RebuildSeconds => "rebuild s",
            Self::MemoryMebibytes => "memory MiB",
            Self::EventBytes => "event bytes",
            Self::JournalBytes => "tracker's journal, bytes/entry",
            Self::OverheadBytes => "of these not the event's",
            Self::CopyBytes => "notifier's journal, bytes/entry",
            Self::StoreBytes => "tracker's store, bytes/entry",
            Self::CopyStoreBytes => "notifier's store, bytes/entry",
        }
    }

    /// A value as people read it: three digits that mean something, thousands apart.
    pub fn format(self, value: f64) -> String {
        match value {
            value if value >= 1000.0 => thousands(value.round() as u64),
            value if value >= 100.0 || value == value.trunc() => format!("{value:.0}"),
            value if value >= 10.0 => format!("{value:.1}"),
            value => format!("{value:.2}"),
        }
    }
}

fn thousands(value: u64) -> String {
    let digits = value.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group).into_owned());
    groups.collect::<Vec<_>>().join(",")
}

/// The value in the middle, and the least and the greatest.
pub fn spread(values: &[f64]) -> Option<(f64, f64, f64)> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let (least, greatest) = (*sorted.first()?, *sorted.last()?);
    let middle = sorted.len() / 2;
    let median = match sorted.len() % 2 {
        0 => f64::midpoint(sorted[middle - 1], sorted[middle]),
        _ => sorted[middle],
    };
    Some((median, least, greatest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(spread(&[3.0, 1.0, 2.0]), Some((2.0, 1.0, 3.0)));
        assert_eq!(spread(&[4.0, 1.0]), Some((2.5, 1.0, 4.0)));
        assert_eq!(spread(&[]), None);
    }

    #[test]
    fn values_are_printed_for_people() {
        let print = |value| Unit::P50Ms.format(value);
        assert_eq!(
            [print(1_234_567.8), print(123.4), print(12.34), print(1.234), print(0.0)],
            ["1,234,568", "123", "12.3", "1.23", "0"]
        );
    }
}
