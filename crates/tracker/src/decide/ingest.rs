//! Taking over an entry of the registry: what it told, and what follows for milestones.
//!
//! Invariants: `milepost.source.followed` comes first and moves the position; what follows from an event
//! names it as its cause; an event that nothing follows from, though it should, is told as skipped.
//! Nothing in an entry that is next can refuse it.

use std::sync::Arc;

use milepost_ledger::{Decision, Direction};
use milepost_types::{DamagedRow, PortfolioName, ProjectName, ProjectPattern, Rejection, Standing};

use super::Scene;
use crate::convert::event::Events;
use crate::facts::Portfolio;
use crate::milestone::{Change, started};
use crate::source::{Arrival, Lesson};
use crate::tables;

/// Why nothing came of a start.
const NO_MILESTONE: &str = "the project has no planned milestone of type constructionStart";

/// What taking over `arrival` does; with a reason to `skip`, nothing is derived from it.
pub(crate) fn decide(
    scene: &Scene<'_>,
    arrival: &Arrival,
    skip: Option<&str>,
) -> Result<Decision, Rejection> {
    let applied = tables::source::get(scene.rows);
    if Standing::of(applied, arrival.position, arrival.previous)? == Standing::Applied {
        return Ok(Decision::default());
    }
    let mut events = scene.events();
    events.followed(arrival);
    match skip {
        Some(reason) => skip_all(arrival, reason, &mut events),
        None => derive(scene, arrival, &mut events),
    }
    Ok(Decision {
        portfolio: arrival.portfolio.clone(),
        decided_on: vec![arrival.position],
        events: events.finish(),
    })
}

/// Tells what follows from each event, or why nothing does.
fn derive(scene: &Scene<'_>, arrival: &Arrival, events: &mut Events<'_>) {
    for lesson in &arrival.lessons {
        match lesson {
            Lesson::Skip(skipped) => events.skipped(arrival, skipped.clone()),
            Lesson::Started { event_id, project, date } => {
                match starts(scene, arrival, project, *date) {
                    Ok(changes) if changes.is_empty() => {
                        events.skipped(arrival, lesson.skipped(NO_MILESTONE));
                    }
                    Ok(changes) => changes.into_iter().for_each(|change| events.milestone(change, event_id)),
                    // A damaged row holds up neither the other projects nor the entries to come.
                    Err(row) => events.skipped(arrival, lesson.skipped(&row.to_string())),
                }
            }
        }
    }
}

/// Tells once for all events that nothing was derived: it must fit where what was derived did not.
fn skip_all(arrival: &Arrival, reason: &str, events: &mut Events<'_>) {
    if let Some(first) = arrival.lessons.first() {
        let others = arrival.lessons.len() - 1;
        let reason = format!("{reason}; the same for {others} later events of its entry");
        events.skipped(arrival, first.skipped(&reason));
    }
}

/// What a project's start achieves. The reason says what happened, for people: which event says so stands in
/// `caused_by`.
fn starts(
    scene: &Scene<'_>,
    arrival: &Arrival,
    project: &ProjectName,
    date: jiff::civil::Date,
) -> Result<Vec<Change>, DamagedRow> {
    let portfolio = portfolio(scene, arrival, project.portfolio())?;
    let moment = scene.moment(project.portfolio(), &portfolio)?;
    let range = tables::milestone::range(&ProjectPattern::One(project.clone()));
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
