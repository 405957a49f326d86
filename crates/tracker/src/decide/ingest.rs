//! Taking over an entry of the registry: what it told, and what follows for milestones.
//!
//! Invariants: `milepost.source.followed` comes first and moves the position; what follows from an event
//! names it as its cause; an event that nothing follows from, though it should, is told as skipped. What does
//! not fit one entry is taken over in parts, each after what the part before ended with: the earlier ones begin
//! with `milepost.source.partly_followed`, and the position moves with the last. Nothing in an entry that is
//! next can refuse it.

use std::sync::Arc;

use milepost_ledger::{Decision, Direction};
use milepost_types::{
    DamagedRow, FollowCheck, MilestoneName, PortfolioName, ProjectName, ProjectPattern, Rejection,
};

use super::Scene;
use crate::convert::event::{Events, FactsTold};
use crate::convert::facts::{portfolio_bytes, project_bytes};
use crate::facts::Portfolio;
use crate::milestone::{Change, started};
use crate::source::{Arrival, Lesson};
use crate::tables;
use crate::tables::partly::Partly;

/// Why nothing came of a start.
const NO_MILESTONE: &str = "the project has no planned milestone of type constructionStart";

/// What taking over `arrival` does; with a reason to `skip`, nothing is derived from it.
pub(crate) fn decide(
    scene: &Scene<'_>,
    arrival: &Arrival,
    skip: Option<&str>,
) -> Result<Decision, Rejection> {
    let applied = tables::source::get(scene.rows);
    if FollowCheck::of(applied, arrival.position, arrival.previous)? == FollowCheck::Applied {
        return Ok(Decision::default());
    }
    let done = tables::partly::get(scene.rows, arrival.position)?;
    let mut events = scene.events();
    let (told, bytes) = facts(arrival, done.facts, scene.part_bytes);
    let place = events.keep_place(bytes);
    let fact_count = done.facts + (told.portfolios.len() + told.projects.len()) as u64;
    let all_facts = fact_count == (arrival.portfolios.len() + arrival.projects.len()) as u64;
    let cut = match skip {
        _ if !all_facts => Some(Cut { lessons: done.lessons, through: None }),
        Some(reason) => {
            skip_all(arrival, done.lessons, reason, &mut events);
            None
        }
        None => derive(scene, arrival, &done, &mut events)?,
    };
    match cut {
        None => events.followed(place, arrival, told),
        Some(Cut { lessons, through }) => {
            events.partly_followed(place, arrival, told, (fact_count, lessons), through.as_ref());
        }
    }
    Ok(Decision {
        portfolio: arrival.portfolio.clone(),
        decided_on: vec![arrival.position],
        events: events.finish(),
    })
}

/// Where an entry of ours that is full ends in the one that is taken over.
struct Cut {
    /// So many lessons are done.
    lessons: u64,
    /// The last milestone that the one after them changed.
    through: Option<MilestoneName>,
}

/// The facts that an entry of ours tells, without those that were told before, and their bytes: as many as fit,
/// and at least one.
fn facts(arrival: &Arrival, done: u64, part_bytes: usize) -> (FactsTold<'_>, usize) {
    let done = usize::try_from(done).unwrap_or(usize::MAX);
    let portfolios = arrival.portfolios.get(done..).unwrap_or_default();
    let projects = arrival.projects.get(done.saturating_sub(arrival.portfolios.len())..).unwrap_or_default();
    let sizes = portfolios.iter().map(portfolio_bytes).chain(projects.iter().map(project_bytes));
    let (mut count, mut bytes) = (0, 0);
    for size in sizes {
        if count > 0 && bytes + size > part_bytes {
            break;
        }
        (count, bytes) = (count + 1, bytes + size);
    }
    let portfolios = portfolios.get(..count).unwrap_or(portfolios);
    let projects = projects.get(..count - portfolios.len()).unwrap_or(projects);
    (FactsTold { portfolios, projects }, bytes)
}

/// Tells what follows from each event that is not done, or why nothing does; where it ends if the entry is full
/// before.
///
/// # Errors
/// If a row that is needed cannot be decoded. What follows is not left out then: the store can be rebuilt.
fn derive(
    scene: &Scene<'_>,
    arrival: &Arrival,
    done: &Partly,
    events: &mut Events<'_>,
) -> Result<Option<Cut>, DamagedRow> {
    let empty = events.bytes() == 0;
    // What is alone in its entry is told whatever its size.
    let full = |events: &Events<'_>, mark| events.bytes() > scene.part_bytes && !(empty && mark == 1);
    for (lesson, number) in arrival.lessons.iter().zip(0..) {
        if number < done.lessons {
            continue;
        }
        let after = done.through.as_deref().filter(|_| number == done.lessons);
        let mut through = None;
        if let Lesson::Started { event_id, project, date } = lesson {
            for change in starts(scene, arrival, project, *date, after)? {
                let (mark, name) = (events.len(), change.milestone.name.clone());
                events.milestone(change, event_id);
                if full(events, mark) {
                    events.truncate(mark);
                    return Ok(Some(Cut { lessons: number, through }));
                }
                through = Some(name);
            }
        }
        let skipped = match lesson {
            Lesson::Skip(skipped) => Some(skipped.clone()),
            Lesson::Started { .. } if through.is_none() && after.is_none() => {
                Some(lesson.skipped(NO_MILESTONE))
            }
            Lesson::Started { .. } => None,
        };
        if let Some(skipped) = skipped {
            let mark = events.len();
            events.skipped(arrival, skipped);
            if full(events, mark) {
                events.truncate(mark);
                return Ok(Some(Cut { lessons: number, through: None }));
            }
        }
    }
    Ok(None)
}

/// Tells once for all events that are not done that nothing was derived.
fn skip_all(arrival: &Arrival, done: u64, reason: &str, events: &mut Events<'_>) {
    let lessons = arrival.lessons.get(usize::try_from(done).unwrap_or(usize::MAX)..).unwrap_or_default();
    if let Some(first) = lessons.first() {
        let others = lessons.len() - 1;
        let reason = format!("{reason}; the same for {others} later events of its entry");
        events.skipped(arrival, first.skipped(&reason));
    }
}

/// What a project's start achieves, after the milestone with this key. The reason says what happened, for
/// people: which event says so stands in `caused_by`.
fn starts(
    scene: &Scene<'_>,
    arrival: &Arrival,
    project: &ProjectName,
    date: jiff::civil::Date,
    after: Option<&[u8]>,
) -> Result<Vec<Change>, DamagedRow> {
    let portfolio = portfolio(scene, arrival, project.portfolio())?;
    let moment = scene.moment(project.portfolio(), &portfolio)?;
    let range = tables::milestone::range(&ProjectPattern::One(project.clone()));
    let range = range.beyond(after, Direction::Forward);
    let reason = format!("the registry started the project on {date}");
    let mut changes = Vec::new();
    for (key, value) in scene.rows.scan(&range, Direction::Forward) {
        if tables::milestone::glance(&key, &value)?.awaits_start() {
            changes.extend(started(&tables::milestone::read(&key, &value)?, date, &reason, &moment));
        }
    }
    Ok(changes)
}

/// The portfolio as the entry leaves it.
fn portfolio(
    scene: &Scene<'_>,
    arrival: &Arrival,
    name: &PortfolioName,
) -> Result<Arc<Portfolio>, DamagedRow> {
    Ok(match arrival.portfolios.iter().find(|fact| fact.name == *name) {
        Some(fact) => Arc::new(Portfolio::from(fact)),
        None => scene.portfolio(name)?.unwrap_or_else(|| Arc::new(Portfolio::unknown())),
    })
}

#[cfg(test)]
mod tests;
