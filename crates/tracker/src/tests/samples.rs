//! A milestone, its dates and its documents for tests.

use jiff::civil::{Date, date};
use milepost_proto::tracker::v1::milestone::{Nearness, Outlook, Slippage, State};
use milepost_proto::tracker::v1::{Evidence, Milestone};
use milepost_resource::date_message;

pub(crate) const NAME: &str = "portfolios/wsc/projects/science-avenue/milestones/start";
pub(crate) const BASELINE: Date = date(2021, 5, 27);
/// A Thursday, a fortnight before the baseline.
pub(crate) const TODAY: Date = date(2021, 5, 13);

/// Planned, with a baseline and no forecast; created by entry 3.
pub(crate) fn milestone() -> Milestone {
    let time = Some(prost_types::Timestamp { seconds: 1_609_722_000, nanos: 0 });
    Milestone {
        name: NAME.into(),
        display_name: "开工".into(),
        baseline_date: Some(date_message(BASELINE)),
        state: State::Planned.into(),
        outlook: Outlook::OnTrack.into(),
        nearness: Nearness::Ahead.into(),
        slippage: Slippage::None.into(),
        create_time: time,
        update_time: time,
        etag: "3".into(),
        ..Milestone::default()
    }
}

/// A document of this title.
pub(crate) fn evidence(title: &str) -> Evidence {
    Evidence {
        title: title.into(),
        uri: format!("https://example.com/{title}.pdf"),
        sha256: vec![7; 32],
        create_time: None,
    }
}

/// The fields of a milestone that only those have that a template made.
pub(crate) const OF_TEMPLATES: [&str; 15] = [
    "template_version",
    "template_item",
    "requirements",
    "gate",
    "gate_members",
    "coupling",
    "coupling_state",
    "validity",
    "valid_until",
    "file_by",
    "expiry",
    "used_date",
    "extensions",
    "next_expiry_date",
    "dropped_by_upgrade",
];
