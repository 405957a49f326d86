//! How a milestone begins.
//!
//! Invariant: it begins PLANNED. A forecast that it begins with is its first, and the history of its
//! forecasts begins there.

use jiff::civil::Date;
use milepost_types::{Etag, MilestoneName, ProjectName, ResourceId};

use super::change::{Change, EventKind, announcement, settle};
use super::{ChangeContext, Details, Milestone, State, Timeliness};

/// A milestone to be. Without an id the server makes one.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) project: ProjectName,
    pub(crate) id: Option<ResourceId>,
    pub(crate) details: Details,
    pub(crate) baseline: Option<Date>,
    pub(crate) forecast: Option<Date>,
}

/// The creation of a milestone with this id.
pub(crate) fn create(draft: &Draft, id: ResourceId, at: &ChangeContext<'_>) -> Change {
    let mut milestone = Milestone {
        name: MilestoneName::new(draft.project.clone(), id),
        details: draft.details.clone(),
        evidence: Vec::new(),
        baseline: draft.baseline,
        forecast: draft.forecast,
        actual: None,
        state: State::Planned,
        state_reason: String::new(),
        timeliness: Timeliness::default(),
        variance_working_days: None,
        forecast_sequence: draft.forecast.map_or(0, |_| at.sequence),
        create_time: at.commit_time,
        update_time: at.commit_time,
        delete_time: None,
        etag: Etag(at.sequence),
    };
    settle(&mut milestone, at);
    let date = milestone.due();
    let announcement = announcement(Timeliness::default(), &milestone, at);
    Change { milestone, fields: Vec::new(), event_kind: EventKind::Created, date, announcement }
}
