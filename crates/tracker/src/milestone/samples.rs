//! A milestone and moments for tests.

use jiff::civil::{Date, date};
use milepost_proto::tracker::v1::Evidence;

pub(crate) const NAME: &str = "portfolios/wsc/projects/science-avenue/milestones/start";
pub(crate) const BASELINE: Date = date(2021, 5, 27);
/// A Thursday, a fortnight before the baseline.
pub(crate) const TODAY: Date = date(2021, 5, 13);

/// A document of this title.
pub(crate) fn evidence(title: &str) -> Evidence {
    Evidence {
        title: title.into(),
        uri: format!("https://example.com/{title}.pdf"),
        sha256: vec![7; 32],
        create_time: None,
    }
}
