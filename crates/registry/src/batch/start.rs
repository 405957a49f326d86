//! The start of a batch: all its members, or none.
//!
//! Invariant: either every member starts on the batch's day, or nothing changes and every member that
//! refuses is told with its reason.

use jiff::civil::Date;
use milepost_types::{BatchName, Precondition, ProjectName, Rejection};

use super::figures::Figures;
use super::{Batch, State, check_state};
use crate::project::Project;
use crate::project::status::{Moved, start_in_batch};
use crate::record::{Moment, Target};

/// A batch that started, and its members, in their order.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) batch: Batch,
    pub(crate) members: Vec<Moved>,
    /// The fields of the batch that changed, sorted.
    pub(crate) changed: Vec<&'static str>,
}

/// Starts a batch, where `member` looks a project up and today is a day in the portfolio's time zone.
pub(crate) fn start(
    batch: &Batch,
    target: &Target<BatchName>,
    today: Date,
    member: impl Fn(&ProjectName) -> Result<Option<Project>, Rejection>,
    moment: &Moment,
) -> Result<Started, Rejection> {
    batch.check_changeable(target.etag)?;
    check_state(batch, "start", &[State::Planned])?;
    let date = batch.details.start_date;
    let mut refusals = Vec::new();
    if date > today {
        refusals.push(Precondition {
            kind: "START_DATE_IN_FUTURE",
            subject: batch.name.to_string(),
            description: format!(
                "the batch starts on {date}, which is after today, {today} in the portfolio's time zone; start it then, or correct its start_date"
            ),
        });
    }
    let mut members = Vec::with_capacity(batch.standing.members.len());
    for name in &batch.standing.members {
        let started = member(name)?.ok_or_else(|| absent(name));
        match started.and_then(|project| start_in_batch(&project, &batch.name, date, moment)) {
            Ok(moved) => members.push(moved),
            Err(refusal) => refusals.push(refusal),
        }
    }
    if !refusals.is_empty() {
        return Err(Rejection::Preconditions(refusals));
    }
    let investments = members.iter().map(|moved| moved.project.details.investment);
    let registered = Figures::of(&batch.name, investments)?;
    let mut changed = registered.differing(&batch.standing.registered);
    changed.push("state");
    let mut batch = batch.touched(moment);
    batch.standing.state = State::Started;
    batch.standing.registered = registered;
    Ok(Started { batch, members, changed })
}

fn absent(name: &ProjectName) -> Precondition {
    Precondition {
        kind: "MEMBER_NOT_FOUND",
        subject: name.to_string(),
        description: "there is no such project; remove it from the batch".to_owned(),
    }
}
