//! What a project needs, and what satisfies it on a day.
//!
//! Invariant: the answer is of the milestones as they are known now, and of the day that is asked about: what was satisfied
//! then and has ended since is satisfied. A page reads no more than the milestones of its requirements.

use jiff::Timestamp;
use jiff::civil::Date;
use milepost_proto::tracker::v1::milestone_requirement::State;
use milepost_proto::tracker::v1::{Milestone, RequirementStatus};
use milepost_resource::{Checked, Parent, date, date_message, encoded_len};
use milepost_types::{DamagedRow, Rejection, ResourceId, Room};

use super::made::{BY_REQUIREMENT, is_open};
use super::validity::is_kept;
use crate::decide::{Today, Tracker};
use crate::mirror::Portfolio;
use crate::names::ProjectName;
use crate::parent::Followed;
use crate::tables;

type Rows<'a> = milepost_resource::Rows<'a, Tracker>;

/// What is asked for.
#[derive(Debug, Clone)]
pub(crate) struct RequirementQuery {
    pub(crate) project: ProjectName,
    /// None: today.
    pub(crate) date: Option<Date>,
    pub(crate) size: usize,
    /// The last requirement of the page before.
    pub(crate) after: Option<Vec<u8>>,
}

impl RequirementQuery {
    /// Whether the page before ended with what may be a requirement.
    pub(crate) fn has_sound_token(&self) -> bool {
        self.after.as_ref().is_none_or(|after| {
            std::str::from_utf8(after).is_ok_and(|code| code.parse::<ResourceId>().is_ok())
        })
    }
}

/// A page of requirements, by code, and the last of them if there may be more.
///
/// # Errors
/// If the project is not there, or a row that is needed cannot be decoded.
pub(crate) fn page(
    rows: &Rows<'_>,
    now: Timestamp,
    query: &RequirementQuery,
) -> Result<(Vec<RequirementStatus>, Option<Vec<u8>>), Rejection> {
    let ids = query.project.ids();
    Followed::<Milestone>::check_there(rows, ids)?;
    let name = query.project.parent();
    let portfolio = tables::portfolio::get(rows.read, &name)?.unwrap_or_else(Portfolio::unknown);
    let today = Today::of(rows.read, &name, &portfolio, now)?.current;
    let day = query.date.unwrap_or(today);
    // Behind all milestones of the last one: ids have no such byte.
    let from = query.after.as_ref().map(|after| [&after[..], &[0, 0xff]].concat()).unwrap_or_default();
    let (mut room, mut found) = (Room::page(query.size), Vec::<RequirementStatus>::new());
    let mut names = rows.names_from::<Milestone>(BY_REQUIREMENT, ids, &from, false).peekable();
    while let Some((place, _)) = names.peek() {
        let code = place.split(|byte| *byte == 0).next().unwrap_or_default().to_vec();
        let last = found.last().map(|last| last.code.clone().into_bytes());
        if room.is_full() {
            return Ok((found, last));
        }
        let mut milestones = Vec::new();
        let is_same =
            |place: &[u8]| place.get(..code.len()) == Some(&code[..]) && place.get(code.len()) == Some(&0);
        while let Some((_, name)) = names.next_if(|(place, _)| is_same(place)) {
            milestones.extend(rows.get(&name)?);
        }
        let status = status(&String::from_utf8_lossy(&code), &milestones, day);
        if !room.admit(encoded_len(&status)) {
            return Ok((found, last));
        }
        found.push(status);
    }
    Ok((found, None))
}

/// Whether a project has a requirement satisfied on a day.
///
/// # Errors
/// If a row that is needed cannot be decoded.
pub(super) fn is_satisfied(
    rows: &Rows<'_>,
    project: &ProjectName,
    code: &str,
    day: Date,
) -> Result<bool, DamagedRow> {
    let mut milestones = Vec::new();
    for name in rows.names::<Milestone>(BY_REQUIREMENT, project.ids(), &[code.as_bytes(), &[0]].concat()) {
        milestones.extend(rows.get(&name)?);
    }
    Ok(status(code, &milestones, day).satisfied)
}

/// How a requirement stands on a day, by the milestones that are to satisfy it.
fn status(code: &str, milestones: &[Checked<Milestone>], day: Date) -> RequirementStatus {
    let mut best: Option<(Option<Date>, Date, String)> = None;
    for milestone in milestones {
        let own = milestone.requirements.iter().find(|own| own.code == code);
        let own = own.filter(|own| matches!(own.state(), State::Satisfied | State::Expired));
        let Some((own, from)) = own.zip(date(milestone.actual_date.as_ref())) else { continue };
        let used = date(milestone.used_date.as_ref());
        let until = date(own.valid_until.as_ref()).filter(|until| !is_kept(used, *until));
        let holds = from <= day && until.is_none_or(|until| day <= until);
        // What does not end is later than what does.
        let is_longer = best
            .as_ref()
            .is_none_or(|(other, ..)| other.is_some_and(|other| until.is_none_or(|until| until > other)));
        if holds && is_longer {
            best = Some((until, from, milestone.name().to_string()));
        }
    }
    let open = milestones.iter().filter(|milestone| is_open(milestone));
    let open_milestones = open.map(|milestone| milestone.name().to_string()).collect();
    let code = code.to_owned();
    match best {
        None => RequirementStatus { code, open_milestones, ..RequirementStatus::default() },
        Some((until, from, milestone)) => RequirementStatus {
            code,
            satisfied: true,
            milestone,
            satisfied_date: Some(date_message(from)),
            valid_until: until.map(date_message),
            open_milestones,
        },
    }
}
