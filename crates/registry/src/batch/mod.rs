//! Batches: one act that starts many projects on a day.
//!
//! Invariants: what was declared of a batch and what its members add up to are never mixed; a batch changes
//! its day and loses members only while it is planned; it starts whole or not at all, and what joins it
//! later starts on its day, whole or not at all.

pub(crate) mod figures;
pub(crate) mod start;

use std::collections::{BTreeMap, HashSet};

use jiff::civil::Date;
use milepost_types::{
    BatchName, LanguageTag, Money, PortfolioName, Precondition, ProjectName, Rejection, limits,
};

use crate::details::{Rules, details};
use crate::project::Project;
use crate::project::references::Presence;
use crate::project::status::Moved;
use crate::record::{Create, Moment, Record, Target, Update};
use figures::Figures;

/// A batch.
pub(crate) type Batch = Record<BatchName, Details, Standing>;

details! {
    display_name: String,
    translations: BTreeMap<LanguageTag, String>,
    /// The day of the act.
    start_date: Date,
    place: String,
    /// `None`: not said, which is not zero.
    declared_count: Option<u32>,
    /// `None`: not said, which is not zero.
    declared_investment: Option<Money>,
    description: String,
    labels: BTreeMap<String, String>,
}

impl Rules for Details {
    const NOUN: &'static str = "batch";
}

/// Where a batch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Planned,
    Started,
    Cancelled,
}

impl State {
    /// The name that the API has for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            State::Planned => "STATE_PLANNED",
            State::Started => "STATE_STARTED",
            State::Cancelled => "STATE_CANCELLED",
        }
    }
}

/// What only the methods of a batch change.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Standing {
    pub(crate) state: State,
    /// None twice; in the order they were added.
    pub(crate) members: Vec<ProjectName>,
    /// While planned: as of the last change.
    pub(crate) registered: Figures,
}

/// What may be asked of batches.
#[derive(Debug)]
pub(crate) enum Command {
    /// Create one, with these members.
    Create(Create<PortfolioName, Details>, Vec<ProjectName>),
    /// Change fields of one.
    Update(Update<BatchName, Patch>),
    /// Delete one softly.
    Delete(Target<BatchName>),
    /// Take a deletion back.
    Undelete(Target<BatchName>),
    /// Add members.
    Add(Target<BatchName>, Vec<ProjectName>),
    /// Take members out.
    Remove(Target<BatchName>, Vec<ProjectName>),
    /// Start all members.
    Start(Target<BatchName>),
    /// Give it up, for this reason.
    Cancel(Target<BatchName>, String),
}

/// A batch whose members changed.
#[derive(Debug)]
pub(crate) struct Regrouped {
    pub(crate) batch: Batch,
    pub(crate) added: Vec<ProjectName>,
    pub(crate) removed: Vec<ProjectName>,
    /// What joined a started batch, started, in the order of `added`.
    pub(crate) started: Vec<Moved>,
    /// The fields of the batch that changed, sorted.
    pub(crate) changed: Vec<&'static str>,
}

/// Refuses an action that the state does not allow.
pub(crate) fn check_state(batch: &Batch, action: &'static str, allowed: &[State]) -> Result<(), Rejection> {
    if allowed.contains(&batch.standing.state) {
        return Ok(());
    }
    Err(Rejection::WrongState {
        name: batch.name.to_string(),
        action,
        state: batch.standing.state.as_str().to_owned(),
        allowed: allowed.iter().map(|state| state.as_str().to_owned()).collect(),
    })
}

/// Refuses an update that changes the day of a batch that is not planned any more.
pub(crate) fn check_update(before: &Batch, after: &Batch) -> Result<(), Rejection> {
    if before.details.start_date == after.details.start_date {
        return Ok(());
    }
    check_state(before, "change its start_date", &[State::Planned])
}

/// The batch after its deletion.
pub(crate) fn delete(
    batch: &Batch,
    target: &Target<BatchName>,
    moment: &Moment,
) -> Result<Option<Batch>, Rejection> {
    let deleted = batch.delete(target.etag, moment)?;
    if deleted.is_some() {
        check_state(batch, "delete", &[State::Planned, State::Cancelled])?;
    }
    Ok(deleted)
}

/// The batch with more members; `None` if all are members already. What joins a batch that is started is
/// started on its day, where `member` looks a project up.
pub(crate) fn add(
    batch: &Batch,
    target: &Target<BatchName>,
    members: &[ProjectName],
    member: impl Fn(&ProjectName) -> Result<Option<Project>, Rejection>,
    moment: &Moment,
) -> Result<Option<Regrouped>, Rejection> {
    batch.check_changeable(target.etag)?;
    check_state(batch, "add members", &[State::Planned, State::Started])?;
    let mut known: HashSet<&ProjectName> = batch.standing.members.iter().collect();
    let added: Vec<_> = members.iter().filter(|member| known.insert(member)).cloned().collect();
    if added.is_empty() {
        return Ok(None);
    }
    if known.len() > limits::BATCH_MEMBERS {
        let limit = limits::BATCH_MEMBERS as u64;
        return Err(Rejection::LimitExceeded { what: "members of one batch", limit });
    }
    if batch.standing.state == State::Started {
        return start::join(batch, added, member, moment).map(Some);
    }
    let mut batch = batch.touched(moment);
    batch.standing.members.extend_from_slice(&added);
    let (removed, started, changed) = (Vec::new(), Vec::new(), vec!["members"]);
    Ok(Some(Regrouped { batch, added, removed, started, changed }))
}

/// The batch with fewer members; `None` if none is a member.
pub(crate) fn remove(
    batch: &Batch,
    target: &Target<BatchName>,
    members: &[ProjectName],
    moment: &Moment,
) -> Result<Option<Regrouped>, Rejection> {
    batch.check_changeable(target.etag)?;
    check_state(batch, "remove members", &[State::Planned])?;
    let leaving: HashSet<&ProjectName> = members.iter().collect();
    let (removed, kept): (Vec<_>, Vec<_>) =
        batch.standing.members.iter().cloned().partition(|member| leaving.contains(member));
    if removed.is_empty() {
        return Ok(None);
    }
    let mut batch = batch.touched(moment);
    batch.standing.members = kept;
    let (added, started, changed) = (Vec::new(), Vec::new(), vec!["members"]);
    Ok(Some(Regrouped { batch, added, removed, started, changed }))
}

/// The batch given up; its members are not touched.
pub(crate) fn cancel(batch: &Batch, target: &Target<BatchName>, moment: &Moment) -> Result<Batch, Rejection> {
    batch.check_changeable(target.etag)?;
    check_state(batch, "cancel", &[State::Planned])?;
    let mut batch = batch.touched(moment);
    batch.standing.state = State::Cancelled;
    Ok(batch)
}

/// Refuses members that are not there, every one of them; `presence` looks a project up.
pub(crate) fn check_members(
    members: &[ProjectName],
    presence: impl Fn(&ProjectName) -> Result<Presence, Rejection>,
) -> Result<(), Rejection> {
    let mut conditions = Vec::new();
    for member in members {
        let (kind, description) = match presence(member)? {
            Presence::Present => continue,
            Presence::Missing => ("MEMBER_NOT_FOUND", "there is no such project; leave it out"),
            Presence::Deleted => ("MEMBER_DELETED", "the project is deleted; undelete it, or leave it out"),
        };
        let (subject, description) = (member.to_string(), description.to_owned());
        conditions.push(Precondition { kind, subject, description });
    }
    if conditions.is_empty() { Ok(()) } else { Err(Rejection::Preconditions(conditions)) }
}

#[cfg(test)]
mod tests;
