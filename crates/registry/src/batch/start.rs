//! The start of a batch, and of what joins it later: all members, or none.
//!
//! Invariant: either every member starts on the batch's day, or nothing changes and every member that
//! refuses is told with its reason. What was registered at a start stays when others join.

use jiff::civil::Date;
use milepost_types::{BatchName, Precondition, ProjectName, Rejection};

use super::figures::Figures;
use super::{Batch, Regrouped, State, check_state};
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
    let members = start_all(batch, &batch.standing.members, member, refusals, moment)?;
    let investments = members.iter().map(|moved| moved.project.details.investment);
    let registered = Figures::of(&batch.name, investments)?;
    let mut changed = registered.differing(&batch.standing.registered);
    changed.push("state");
    let mut batch = batch.touched(moment);
    batch.standing.state = State::Started;
    batch.standing.registered = registered;
    Ok(Started { batch, members, changed })
}

/// Starts projects that join a batch which is started, on its day.
pub(super) fn join(
    batch: &Batch,
    added: Vec<ProjectName>,
    member: impl Fn(&ProjectName) -> Result<Option<Project>, Rejection>,
    moment: &Moment,
) -> Result<Regrouped, Rejection> {
    let started = start_all(batch, &added, member, Vec::new(), moment)?;
    let investments = started.iter().map(|moved| moved.project.details.investment);
    let registered = batch.standing.registered.with(&batch.name, investments)?;
    let mut changed = registered.differing(&batch.standing.registered);
    changed.insert(0, "members");
    let mut batch = batch.touched(moment);
    batch.standing.members.extend_from_slice(&added);
    batch.standing.registered = registered;
    Ok(Regrouped { batch, added, removed: Vec::new(), started, changed })
}

/// Starts these projects on the batch's day, unless one refuses or there are `refusals` already.
fn start_all(
    batch: &Batch,
    names: &[ProjectName],
    member: impl Fn(&ProjectName) -> Result<Option<Project>, Rejection>,
    mut refusals: Vec<Precondition>,
    moment: &Moment,
) -> Result<Vec<Moved>, Rejection> {
    let mut members = Vec::with_capacity(names.len());
    for name in names {
        let project = member(name)?.ok_or_else(|| absent(name));
        let start =
            |project: Project| start_in_batch(&project, &batch.name, batch.details.start_date, moment);
        match project.and_then(start) {
            Ok(moved) => members.push(moved),
            Err(refusal) => refusals.push(refusal),
        }
    }
    if refusals.is_empty() { Ok(members) } else { Err(Rejection::Preconditions(refusals)) }
}

fn absent(name: &ProjectName) -> Precondition {
    Precondition {
        kind: "MEMBER_NOT_FOUND",
        subject: name.to_string(),
        description: "there is no such project; leave it out of the batch".to_owned(),
    }
}
