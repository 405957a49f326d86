//! Taking over an entry of the registry: what it says, and what follows for milestones, service requests,
//! rectification orders and timelines.
//!
//! Invariants: `milepost.source.followed` comes first and moves the position; what follows from an event
//! names it as its cause; an event that should have an effect but has none is recorded as `source.skipped`. What does
//! not fit one entry is taken over in parts, each after what the part before ended with: the earlier ones begin
//! with `milepost.source.partly_followed`, and the position moves with the last. Nothing in an entry that is
//! next can refuse it. A service request, an order or an approval that cannot be decoded is left out of what follows, which
//! `source.skipped` says for it: the follower goes on for all others. A milestone that a start may achieve is not left out.

use std::sync::Arc;

use milepost_ledger::Decision;
use milepost_proto::tracker::v1::{Milestone, RectificationOrder, ServiceRequest};
use milepost_resource::{Change, Checked, Name, Rules};
use milepost_types::{DamagedRow, FollowCheck, Rejection};

use super::{Scope, Tracker};
use crate::convert::event::{Events, MirrorUpdate};
use crate::convert::milestone::awaits_start;
use crate::convert::mirror::{assignment_bytes, portfolio_bytes, project_bytes};
use crate::milestone::{ChangeContext, achieve_started};
use crate::mirror::Portfolio;
use crate::names::{MilestoneName, PortfolioName, ProjectName};
use crate::service_request::{self, NEXT_RISE, officer};
use crate::source::{Reaction, Skipped, SourceEntry, Through};
use crate::supervision::{self, NEXT_CHANGE};
use crate::tables;
use crate::tables::partly::Partly;
use crate::template::{self, FILE_BY, Together};
use crate::timeline::Reactions;

/// Why nothing came of a start.
const NO_MILESTONE: &str = "the project has no planned milestone of type constructionStart";

/// What taking over `source_entry` does; with a reason to `skip`, nothing is derived from it.
pub(crate) fn decide(
    scope: &Scope<'_>,
    source_entry: &SourceEntry,
    skip: Option<&str>,
) -> Result<Decision, Rejection> {
    let (rows, part_bytes) = (scope.rows.read, scope.service.part_bytes);
    let applied = tables::source::get(rows);
    if FollowCheck::of(applied, source_entry.position, source_entry.previous)? == FollowCheck::Applied {
        return Ok(Decision::default());
    }
    let done = tables::partly::get(rows, source_entry.position)?;
    let mut events = Events::new(scope.context, "");
    let (update, bytes) = facts(source_entry, done.facts, part_bytes);
    let reserved = events.reserve(bytes);
    let fact_count = done.facts + update.len() as u64;
    let all_facts = fact_count == source_entry.fact_count();
    let cut = match skip {
        _ if !all_facts => Some(Cut { reactions: done.reactions, through: None }),
        Some(reason) => {
            skip_all(scope, source_entry, done.reactions, reason, &mut events);
            None
        }
        None => derive(scope, source_entry, &done, &mut events)?,
    };
    match cut {
        None => events.followed(reserved, source_entry, update),
        Some(Cut { reactions, through }) => {
            events.partly_followed(reserved, source_entry, update, (fact_count, reactions), through.as_ref());
        }
    }
    Ok(Decision {
        portfolio: source_entry.portfolio.clone(),
        decided_on: vec![source_entry.position],
        events: events.finish(),
    })
}

/// Where an entry of ours that is full ends in the one that is taken over.
struct Cut {
    /// So many reactions are done, and then events that timelines may tell of.
    reactions: u64,
    /// The last milestone, or rule, that the one after them had an effect by.
    through: Option<Through>,
}

/// The facts that an entry of ours takes over, without those that were taken over before, and their bytes: as many as fit,
/// and at least one.
fn facts(source_entry: &SourceEntry, done: u64, part_bytes: usize) -> (MirrorUpdate<'_>, usize) {
    let mut done = usize::try_from(done).unwrap_or(usize::MAX);
    let portfolios = left(&source_entry.portfolios, &mut done);
    let projects = left(&source_entry.projects, &mut done);
    let assignments = left(&source_entry.assignments, &mut done);
    let sizes = portfolios.iter().map(portfolio_bytes).chain(projects.iter().map(project_bytes));
    let sizes = sizes.chain(assignments.iter().map(assignment_bytes));
    let (mut count, mut bytes) = (0, 0);
    for size in sizes {
        if count > 0 && bytes + size > part_bytes {
            break;
        }
        (count, bytes) = (count + 1, bytes + size);
    }
    let portfolios = first(portfolios, &mut count);
    let projects = first(projects, &mut count);
    let assignments = first(assignments, &mut count);
    (MirrorUpdate { portfolios, projects, assignments }, bytes)
}

/// What is left of facts of which, and of those after them, so many are done.
fn left<'a, T>(facts: &'a [T], done: &mut usize) -> &'a [T] {
    let own = facts.len().min(*done);
    *done -= own;
    &facts[own..]
}

/// The first of facts, if so many of them and of those after them fit.
fn first<'a, T>(facts: &'a [T], count: &mut usize) -> &'a [T] {
    let own = facts.len().min(*count);
    *count -= own;
    &facts[..own]
}

/// Records what follows from each event that is not done, or why nothing does; where it ends if the entry is full
/// before.
///
/// # Errors
/// If a row that is needed cannot be decoded. What follows is not left out then: the store can be rebuilt.
fn derive(
    scope: &Scope<'_>,
    source_entry: &SourceEntry,
    done: &Partly,
    events: &mut Events<'_>,
) -> Result<Option<Cut>, DamagedRow> {
    let empty = events.bytes() == 0;
    // What is alone in its entry is written whatever its size.
    let full = |events: &Events<'_>, mark| events.bytes() > scope.service.part_bytes && !(empty && mark == 1);
    let mut timeline = Reactions::new(scope, &source_entry.portfolios);
    for (reaction, number) in source_entry.reactions.iter().zip(0..) {
        if number < done.reactions {
            continue;
        }
        let after = match &done.through {
            Some(Through::Milestone(name)) if number == done.reactions => Some(name),
            _ => None,
        };
        let mut through = None;
        if let Reaction::Started { event_id, project, date } = reaction {
            for (milestone, change) in starts(scope, source_entry, project, *date, after)? {
                let mark = events.len();
                events.add(change.caused_by(event_id));
                timeline.follow_up(mark, events)?;
                if full(events, mark) {
                    events.truncate(mark);
                    return Ok(Some(Cut { reactions: number, through: through.map(Through::Milestone) }));
                }
                through = Some(milestone.name().clone());
            }
        }
        let (changes, damage) = of_dated(scope, source_entry, reaction);
        if let Reaction::Assigned { event_id, .. } | Reaction::Recalendared { event_id, .. } = reaction {
            for change in changes {
                let mark = events.len();
                events.add(change.caused_by(event_id));
                timeline.follow_up(mark, events)?;
                if full(events, mark) {
                    events.truncate(mark);
                    // What is done needs nothing more.
                    return Ok(Some(Cut { reactions: number, through: None }));
                }
            }
        }
        let skipped = match reaction {
            Reaction::Skip(skipped) => Some(skipped.clone()),
            Reaction::Started { .. } if through.is_none() && after.is_none() => {
                Some(reaction.skipped(NO_MILESTONE))
            }
            Reaction::Started { .. } => None,
            Reaction::Assigned { .. } | Reaction::Recalendared { .. } => {
                damage.map(|damage| reaction.skipped(&damage.to_string()))
            }
        };
        if let Some(skipped) = skipped {
            let mark = events.len();
            events.skipped(source_entry, skipped);
            if full(events, mark) {
                events.truncate(mark);
                return Ok(Some(Cut { reactions: number, through: None }));
            }
        }
    }
    for (event, number) in source_entry.events.iter().zip(source_entry.reactions.len() as u64..) {
        if number < done.reactions {
            continue;
        }
        let after = match &done.through {
            Some(Through::Rule(name)) if number == done.reactions => Some(name),
            _ => None,
        };
        if let Some(through) = timeline.react(event, after, events, &full)? {
            return Ok(Some(Cut { reactions: number, through: through.map(Through::Rule) }));
        }
    }
    Ok(None)
}

/// Records once for all events that are not done that nothing was derived.
fn skip_all(scope: &Scope<'_>, source_entry: &SourceEntry, done: u64, reason: &str, events: &mut Events<'_>) {
    let mut done = usize::try_from(done).unwrap_or(usize::MAX);
    let reactions = left(&source_entry.reactions, &mut done);
    // Some of the events may have been skipped with the reactions.
    let mut timeline = Reactions::new(scope, &source_entry.portfolios);
    let told = left(&source_entry.events, &mut done).iter().filter_map(|event| timeline.awaited(event));
    let told: Vec<_> = if reactions.is_empty() { told.collect() } else { Vec::new() };
    let count = reactions.len() + told.len();
    let reason = format!("{reason}; the same for {} later events of its entry", count.saturating_sub(1));
    let first = reactions.first().map(|first| first.skipped(&reason));
    let told = told.into_iter().next().map(|(event_id, kind)| Skipped { event_id, kind, reason });
    if let Some(skipped) = first.or(told) {
        events.skipped(source_entry, skipped);
    }
}

/// What a project's start achieves, after the milestone with this name.
fn starts(
    scope: &Scope<'_>,
    source_entry: &SourceEntry,
    project: &ProjectName,
    date: jiff::civil::Date,
    after: Option<&MilestoneName>,
) -> Result<Vec<(Checked<Milestone>, Change)>, DamagedRow> {
    let name = project.parent();
    let context = ChangeContext::within(scope, &name, portfolio(scope, source_entry, &name)?)?;
    let mut found = Vec::new();
    for milestone in scope.rows.under::<Milestone>(project.ids(), after) {
        let (name, row) = milestone?;
        if awaits_start(&row).map_err(|error| name.damaged(error))? {
            found.push(scope.rows.read(&name, row)?);
        }
    }
    let all: Vec<_> = found.iter().collect();
    let changes = Together::each(&all)
        .map(|together| achieve_started(scope, together, date, &context))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(found.into_iter().zip(changes).collect())
}

/// What a reaction makes of service requests, rectification orders and approvals, and the first row that cannot be decoded: what
/// needs it is left out.
fn of_dated(
    scope: &Scope<'_>,
    source_entry: &SourceEntry,
    reaction: &Reaction,
) -> (Vec<Change>, Option<DamagedRow>) {
    let found = match reaction {
        Reaction::Assigned { project, .. } => officers(scope, source_entry, project),
        Reaction::Recalendared { portfolio, .. } => recalendared(scope, source_entry, portfolio),
        Reaction::Started { .. } | Reaction::Skip(_) => Ok((Vec::new(), None)),
    };
    found.unwrap_or_else(|damage| (Vec::new(), Some(damage)))
}

/// What the assignments of a project, as the entry leaves them, make of its service requests.
fn officers(
    scope: &Scope<'_>,
    source_entry: &SourceEntry,
    project: &ProjectName,
) -> Result<(Vec<Change>, Option<DamagedRow>), DamagedRow> {
    let name = project.parent();
    let context = ChangeContext::within(scope, &name, portfolio(scope, source_entry, &name)?)?;
    let day = context.current_date;
    let lead = officer::lead_of(scope, project, &source_entry.assignments, day)?;
    Ok(each(scope, service_request::of_project(&scope.rows, project), |request| {
        officer::change(scope, request, lead.as_ref(), day).map(|(change, _)| change)
    }))
}

/// What the calendar of a portfolio, as the entry leaves it, makes of its service requests that are to rise, of its
/// rectification orders whose light or level is to change, and of its milestones that an extension may be filed for.
fn recalendared(
    scope: &Scope<'_>,
    source_entry: &SourceEntry,
    name: &PortfolioName,
) -> Result<(Vec<Change>, Option<DamagedRow>), DamagedRow> {
    let context = ChangeContext::within(scope, name, portfolio(scope, source_entry, name)?)?;
    let names = scope.rows.names::<ServiceRequest>(NEXT_RISE, name.ids(), &[]);
    let (mut changes, damage) =
        each(scope, names, |request| service_request::recalendared(scope, request, &context));
    let (calendar, day) = (&context.portfolio.calendar, context.current_date);
    let names = scope.rows.names::<RectificationOrder>(NEXT_CHANGE, name.ids(), &[]);
    let (of_orders, of_order) =
        each(scope, names, |order| supervision::days::of_order(scope, order, calendar, day));
    changes.extend(of_orders);
    let names = scope.rows.names::<Milestone>(FILE_BY, name.ids(), &[]);
    let (of_milestones, of_milestone) =
        each(scope, names, |milestone| template::days::of_milestone(scope, milestone, calendar, day));
    changes.extend(of_milestones);
    Ok((changes, damage.or(of_order).or(of_milestone)))
}

/// The changes of resources, and the first of them that cannot be decoded.
fn each<R: Rules<Tracker>, C: IntoIterator<Item = Change>>(
    scope: &Scope<'_>,
    names: impl Iterator<Item = Name<R>>,
    change: impl Fn(&Checked<R>) -> C,
) -> (Vec<Change>, Option<DamagedRow>) {
    let (mut changes, mut damage) = (Vec::new(), None);
    for name in names {
        match scope.rows.get(&name) {
            Ok(resource) => changes.extend(resource.as_ref().map(&change).into_iter().flatten()),
            Err(error) => _ = damage.get_or_insert(error),
        }
    }
    (changes, damage)
}

/// The portfolio as the entry leaves it.
fn portfolio(
    scope: &Scope<'_>,
    source_entry: &SourceEntry,
    name: &PortfolioName,
) -> Result<Arc<Portfolio>, DamagedRow> {
    Ok(match source_entry.portfolios.iter().find(|fact| fact.name == *name) {
        Some(fact) => Arc::new(Portfolio::from(fact)),
        None => scope.service.portfolio_or_unknown(scope.rows.read, name)?,
    })
}

#[cfg(test)]
mod tests;
