//! Milestones and moments for tests.

use std::sync::LazyLock;

use jiff::civil::date;

use super::*;

pub(crate) const NAME: &str = "portfolios/wsc/projects/science-avenue/milestones/start";
pub(crate) const BASELINE: Date = date(2021, 5, 27);
/// A Thursday, a fortnight before the baseline.
pub(crate) const TODAY: Date = date(2021, 5, 13);

static CALENDAR: LazyLock<Calendar> = LazyLock::new(Calendar::default);

/// Planned, with a baseline and no forecast; created by entry 3.
pub(crate) fn milestone() -> Milestone {
    let time = "2021-01-04T01:00:00Z".parse().unwrap();
    Milestone {
        name: NAME.parse().unwrap(),
        details: Details { display_name: "开工".into(), ..Details::default() },
        evidence: Vec::new(),
        baseline: Some(BASELINE),
        forecast: None,
        actual: None,
        state: State::Planned,
        state_reason: String::new(),
        timeliness: Timeliness { nearness: Some(Nearness::Ahead), slippage: Some(Slippage::None) },
        variance_working_days: None,
        forecast_sequence: 0,
        create_time: time,
        update_time: time,
        delete_time: None,
        etag: Etag(3),
    }
}

/// Entry 9, today.
pub(crate) fn change_context() -> ChangeContext<'static> {
    ChangeContext {
        sequence: 9,
        commit_time: "2021-05-13T02:00:00Z".parse().unwrap(),
        current_date: TODAY,
        calendar: &CALENDAR,
    }
}

/// A document of this title.
pub(crate) fn evidence(title: &str) -> Evidence {
    Evidence {
        title: title.into(),
        uri: format!("https://example.com/{title}.pdf"),
        sha256: [7; 32],
        create_time: Timestamp::UNIX_EPOCH,
    }
}
