//! What is known of a member on a day, for what it is judged by: read by index, member by member.
//!
//! Invariant: nothing of a day outside of the member's window counts, nor what is not known by the knowledge that is asked
//! for.

use std::collections::BTreeMap;

use jiff::civil::Date;
use milepost_figures::{Ask, Day, Reported};
use milepost_proto::figure::v1::Knowledge;
use milepost_proto::tracker::v1::{CampaignMember, CampaignMilestone, CampaignTarget};
use milepost_resource::{Rows, money};
use milepost_types::DamagedRow;

use super::score::{InvestmentFacts, TargetMilestone};
use crate::decide::{Tracker, between};
use crate::names::ProjectName;
use crate::tables;

/// Outcomes of so many milestones of a target are looked up one by one; of more, all that the project has are read.
pub(super) const LOOKED_UP: usize = 16;

/// Whose facts, and of when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window<'a> {
    pub(super) project: &'a ProjectName,
    pub(super) member: &'a CampaignMember,
    /// None: it was not frozen, which an open campaign has for each.
    pub(super) target: Option<&'a CampaignTarget>,
    /// The first day of the member.
    pub(super) join: Date,
    /// The day.
    pub(super) day: Date,
    /// The last day of the campaign.
    pub(super) end: Date,
    pub(super) knowledge: Knowledge,
}

/// The milestones of a member's target, as of the day.
pub(super) fn milestones(
    rows: &Rows<'_, Tracker>,
    window: &Window<'_>,
) -> Result<Vec<TargetMilestone>, DamagedRow> {
    let Some(target) = window.target.filter(|target| !target.milestones.is_empty()) else {
        return Ok(Vec::new());
    };
    let day = Day::from(window.day);
    let is_small = target.milestones.len() <= LOOKED_UP;
    let mut all =
        if is_small { BTreeMap::new() } else { tables::outcome::of_project(rows.read, window.project)? };
    let milestone = |milestone: &CampaignMilestone| {
        let outcomes = match is_small {
            true => tables::outcome::of_milestone(rows.read, window.project, &milestone.id)?,
            false => all.remove(&milestone.id).unwrap_or_default(),
        };
        let achieved = tables::outcome::known(&outcomes, day, day, window.knowledge)
            .and_then(tables::outcome::Outcome::achieved);
        Ok(TargetMilestone {
            weight: milestone.weight,
            is_due: milestone.due_date.as_ref().is_some_and(|due| Day::from(due) <= day),
            is_achieved: achieved.is_some_and(|achieved| achieved <= day),
        })
    };
    target.milestones.iter().map(milestone).collect()
}

/// The investment of a member, as of the day; with what was left out of it.
pub(super) fn investment(
    rows: &Rows<'_, Tracker>,
    window: &Window<'_>,
) -> Result<(InvestmentFacts, Reported), DamagedRow> {
    let target = money(window.member.investment_target.as_ref());
    let mut reported = Reported::default();
    let days = (window.join, window.day);
    if let Some(target) = &target {
        let plan_year = window.day.year().into();
        let ask = Ask { day: window.day, knowledge: window.knowledge, plan_year, days };
        if let Some(known) = tables::project::known(rows.read, window.project, &ask)? {
            reported = known.completed(days, target.currency());
        }
    }
    let until = reported.until.date().unwrap_or(window.join);
    let facts = InvestmentFacts {
        target: target.as_ref().map(nanos),
        completed: reported.nanos,
        reports: reported.inside,
        elsewhere: reported.elsewhere,
        reported_days: between(window.join, until) + 1,
        all_days: between(window.join, window.end) + 1,
    };
    Ok((facts, reported))
}

fn nanos(money: &milepost_types::Money) -> i128 {
    const NANOS: i128 = 1_000_000_000;
    i128::from(money.units()) * NANOS + i128::from(money.nanos())
}
