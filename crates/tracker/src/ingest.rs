//! Taking over an entry of the registry: what it told, and what follows for milestones.
//!
//! Invariants: `milepost.source.followed` comes first and moves the position; what follows from an event
//! names it as its cause; an event that nothing follows from, though it should, is told as skipped.
//! Nothing in an entry that is next can refuse it.

use std::sync::Arc;

use milepost_ledger::{Decision, Direction};
use milepost_types::{PortfolioName, ProjectName, ProjectPattern, Rejection};

use crate::convert::milestone::Glance;
use crate::decide::Scene;
use crate::facts::Portfolio;
use crate::milestone::{Change, started};
use crate::source::{Arrival, Lesson, Standing, standing};
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
    if standing(applied, arrival.position, arrival.previous)? == Standing::Applied {
        return Ok(Decision::default());
    }
    let mut events = scene.events();
    events.followed(arrival);
    for lesson in &arrival.lessons {
        match (lesson, skip) {
            (lesson, Some(reason)) => events.skipped(arrival, lesson.skipped(reason)),
            (Lesson::Skip(skipped), None) => events.skipped(arrival, skipped.clone()),
            (Lesson::Started { event_id, project, date }, None) => {
                let changes = starts(scene, arrival, project, *date, event_id);
                if changes.is_empty() {
                    events.skipped(arrival, lesson.skipped(NO_MILESTONE));
                }
                for change in changes {
                    events.milestone(change, event_id);
                }
            }
        }
    }
    Ok(Decision {
        portfolio: arrival.portfolio.clone(),
        decided_on: vec![arrival.position],
        events: events.finish(),
    })
}

/// What a project's start achieves.
fn starts(
    scene: &Scene<'_>,
    arrival: &Arrival,
    project: &ProjectName,
    date: jiff::civil::Date,
    event_id: &str,
) -> Vec<Change> {
    let portfolio = portfolio(scene, arrival, project.portfolio());
    let moment = scene.moment(project.portfolio(), &portfolio);
    let range = tables::milestone::range(&ProjectPattern::One(project.clone()));
    let reason = format!("the project started, as event {event_id} of the registry says");
    scene
        .rows
        .scan(&range, Direction::Forward)
        .filter(|(_, value)| Glance::at(value).awaits_start())
        .filter_map(|(_, value)| started(&tables::milestone::read(&value), date, &reason, &moment))
        .collect()
}

/// The portfolio as the entry leaves it.
fn portfolio(scene: &Scene<'_>, arrival: &Arrival, name: &PortfolioName) -> Arc<Portfolio> {
    match arrival.portfolios.iter().find(|fact| fact.name == *name) {
        Some(fact) => Arc::new(Portfolio::from(fact)),
        None => scene.portfolio(name).unwrap_or_else(|| Arc::new(Portfolio::unknown())),
    }
}

#[cfg(test)]
mod tests;
