//! Targets: what the progress of members is measured by, as it is when a campaign opens or they join.
//!
//! Invariant: a target has the milestones whose baselines are in the member's window at that moment, but none that is
//! deleted or cancelled; later baselines and cancellations change nothing, because what is frozen is a copy.

use jiff::civil::Date;
use milepost_proto::tracker::v1::milestone::State;
use milepost_proto::tracker::v1::{CampaignMilestone, CampaignTarget, Milestone};
use milepost_resource::{date, date_message, field_numbers, read_fields};
use milepost_types::{DamagedRow, Rejection, ResourceName as _, limits};

use crate::decide::Scope;
use crate::names::ProjectName;

/// The fields that a target is made of.
const FROZEN: &[&str] = &["weight", "baseline_date", "state", "delete_time"];

/// The target of a member from one day to another, as the rows have it now.
pub(super) fn freeze(
    scope: &Scope<'_>,
    project: &ProjectName,
    (join, end): (Date, Date),
) -> Result<CampaignTarget, DamagedRow> {
    let numbers = field_numbers::<Milestone>(FROZEN);
    let mut milestones = Vec::new();
    for found in scope.rows.under::<Milestone>(project.ids(), None) {
        let (name, row) = found?;
        let milestone: Milestone = read_fields(&row, &numbers).map_err(|error| name.damaged(error))?;
        let due = date(milestone.baseline_date.as_ref()).filter(|due| join <= *due && *due <= end);
        let counts = milestone.delete_time.is_none() && milestone.state() != State::Cancelled;
        if due.is_some() && counts {
            milestones.push(CampaignMilestone {
                id: name.id().to_string(),
                due_date: milestone.baseline_date,
                weight: milestone.weight,
            });
        }
    }
    Ok(CampaignTarget { project: project.to_string(), join_date: Some(date_message(join)), milestones })
}

/// Refuses more milestones than a campaign holds.
pub(super) fn check_room<'a>(targets: impl Iterator<Item = &'a CampaignTarget>) -> Result<(), Rejection> {
    let count: usize = targets.map(|target| target.milestones.len()).sum();
    if count <= limits::CAMPAIGN_MILESTONES {
        return Ok(());
    }
    let limit = limits::CAMPAIGN_MILESTONES as u64;
    Err(Rejection::LimitExceeded { what: "milestones that a campaign is measured by", limit })
}
