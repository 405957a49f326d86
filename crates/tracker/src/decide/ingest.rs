//! Taking over an entry of the registry: what it says, and what follows for milestones, service requests,
//! rectification orders and timelines.
//!
//! Invariants: `milepost.source.followed` comes first and moves the position; what follows from an event
//! names it as its cause; an event that should have an effect but has none is recorded as `source.skipped`. What does
//! not fit one entry is taken over in parts, each after what the part before ended with: the earlier ones begin
//! with `milepost.source.partly_followed`, and the position moves with the last. Nothing in an entry that is
//! next can refuse it. What cannot be decoded is left out of what follows, with what needs it, which `source.skipped` says:
//! the follower goes on for all others. A milestone that a start may achieve is named there, and found on a later day.

use std::rc::Rc;
use std::sync::Arc;

use jiff::civil::Date;
use milepost_ledger::Decision;
use milepost_proto::tracker::v1::{Milestone, RectificationOrder, ServiceRequest};
use milepost_resource::{Change, Checked, Name, Rules};
use milepost_types::{DamagedRow, FollowCheck, Rejection};

use super::starts::{self, Started};
use super::{Scope, Tracker};
use crate::convert::event::{Events, MirrorUpdate};
use crate::convert::mirror::{assignment_bytes, portfolio_bytes, project_bytes};
use crate::milestone::ChangeContext;
use crate::mirror::Portfolio;
use crate::names::{MilestoneName, PortfolioName, ProjectName};
use crate::service_request::{self, NEXT_RISE, officer};
use crate::source::{Reaction, Skipped, SourceEntry, Through};
use crate::supervision::{self, NEXT_CHANGE};
use crate::tables;
use crate::tables::partly::Partly;
use crate::template::{self, FILE_BY};
use crate::timeline::{Reactions, identity};

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
fn derive(
    scope: &Scope<'_>,
    source_entry: &SourceEntry,
    done: &Partly,
    events: &mut Events<'_>,
) -> Result<Option<Cut>, DamagedRow> {
    let empty = events.bytes() == 0;
    // What is alone in its entry is written whatever its size.
    let full = |events: &Events<'_>, mark| events.bytes() > scope.service.part_bytes && !(empty && mark == 1);
    let mut timeline = Reactions::of_source(scope, &source_entry.portfolios);
    for (reaction, number) in source_entry.reactions.iter().zip(0..) {
        if number < done.reactions {
            continue;
        }
        let after = match &done.through {
            Some(Through::Milestone(name)) if number == done.reactions => Some(name),
            _ => None,
        };
        let Brought { changes, passed_over } = brought(scope, source_entry, reaction);
        let (mut through, mut damage, mut none_achieved) = (after.cloned(), None, after.is_none());
        for change in changes {
            let (milestone, change) = match change {
                // An earlier part has it: who reopened it since is not overruled.
                Ok((Some(milestone), _)) if after.is_some_and(|after| milestone <= *after) => continue,
                Ok(change) => change,
                Err(row) => {
                    damage.get_or_insert(row);
                    continue;
                }
            };
            let mark = events.len();
            events.add(change.caused_by(reaction.event_id()));
            timeline.follow_up(mark, events)?;
            if full(events, mark) {
                events.truncate(mark);
                // It is short, and has room.
                if let Some(damage) = timeline.take_passed_over() {
                    events.skipped(source_entry, reaction.skipped(&damage.to_string()));
                }
                // What is done needs nothing more.
                return Ok(Some(Cut { reactions: number, through: through.map(Through::Milestone) }));
            }
            (through, none_achieved) = (milestone, false);
        }
        // Both are taken: what a timeline could not tell belongs to no later reaction.
        let untold = timeline.take_passed_over();
        let damage = damage.or(untold);
        let skipped = match (reaction, damage) {
            (Reaction::Skip(skipped), _) => Some(skipped.clone()),
            (_, Some(damage)) => Some(reaction.skipped(&damage.to_string())),
            (Reaction::Started { .. }, None) if none_achieved => Some(reaction.skipped(NO_MILESTONE)),
            _ => None,
        };
        if let Some(skipped) = skipped {
            let mark = events.len();
            events.start_passed_over(source_entry, skipped, passed_over);
            if full(events, mark) {
                events.truncate(mark);
                return Ok(Some(Cut { reactions: number, through: through.map(Through::Milestone) }));
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
        let cut = timeline.react(event, after, events, &full)?;
        if let Some((damage, (event_id, kind))) = timeline.take_passed_over().zip(identity(event)) {
            events.skipped(source_entry, Skipped { event_id, kind, reason: damage.to_string() });
        }
        if let Some(through) = cut {
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

/// A change, of a start with its milestone, or why there is none.
type Item = Result<(Option<MilestoneName>, Change), DamagedRow>;

/// What a reaction brings.
struct Brought<'a> {
    /// One change after another; or a row that cannot be decoded, with what needs it.
    changes: Box<dyn Iterator<Item = Item> + 'a>,
    /// The milestones that a start passes over, and its day.
    passed_over: Option<(Date, Vec<MilestoneName>)>,
}

fn brought<'a>(scope: &'a Scope<'a>, source_entry: &'a SourceEntry, reaction: &'a Reaction) -> Brought<'a> {
    let found: Result<FollowUps<'a>, _> = match reaction {
        Reaction::Started { project, date, .. } => {
            let context = context(scope, source_entry, &project.parent());
            let Started { achieved, passed_over, damage } =
                starts::of_project(scope, project, *date, context);
            let achieved = achieved.into_iter().map(|(name, change)| Ok((Some(name), change)));
            let passed_over = Some(passed_over)
                .filter(|passed_over| !passed_over.is_empty())
                .map(|passed_over| (*date, passed_over));
            return Brought { changes: Box::new(achieved.chain(damage.map(Err))), passed_over };
        }
        Reaction::StartCorrected { project, date, .. } => {
            let context = context(scope, source_entry, &project.parent());
            let Started { achieved, damage, .. } = starts::corrected(scope, project, *date, context);
            let achieved = achieved.into_iter().map(|(name, change)| Ok((Some(name), change)));
            return Brought { changes: Box::new(achieved.chain(damage.map(Err))), passed_over: None };
        }
        Reaction::Assigned { project, .. } => officers(scope, source_entry, project),
        Reaction::Recalendared { portfolio, .. } => recalendared(scope, source_entry, portfolio),
        Reaction::Skip(_) => Ok(Box::new(std::iter::empty())),
    };
    let changes = found.unwrap_or_else(|damage| Box::new(std::iter::once(Err(damage))));
    Brought {
        changes: Box::new(changes.map(|change| change.map(|change| (None, change)))),
        passed_over: None,
    }
}

/// What becomes of one resource after another, or the row that cannot be decoded: what needs it is left out.
type FollowUps<'a> = Box<dyn Iterator<Item = Result<Change, DamagedRow>> + 'a>;

/// What the assignments of a project, as the entry leaves them, make of its service requests.
fn officers<'a>(
    scope: &'a Scope<'a>,
    source_entry: &SourceEntry,
    project: &ProjectName,
) -> Result<FollowUps<'a>, DamagedRow> {
    let day = context(scope, source_entry, &project.parent())?.current_date;
    let lead = officer::lead_of(scope, project, &source_entry.assignments, day)?;
    Ok(each(scope, service_request::of_project(&scope.rows, project), move |request| {
        officer::change(scope, request, lead.as_ref(), day).map(|(change, _)| change)
    }))
}

/// What the calendar of a portfolio, as the entry leaves it, makes of its service requests that are to rise, of its
/// rectification orders whose light or level is to change, and of its milestones that an extension may be filed for.
fn recalendared<'a>(
    scope: &'a Scope<'a>,
    source_entry: &SourceEntry,
    name: &'a PortfolioName,
) -> Result<FollowUps<'a>, DamagedRow> {
    let context = Rc::new(context(scope, source_entry, name)?);
    let (of_orders, of_milestones) = (Rc::clone(&context), Rc::clone(&context));
    let requests =
        each(scope, scope.rows.names::<ServiceRequest>(NEXT_RISE, name.ids(), &[]), move |request| {
            service_request::recalendared(scope, request, &context)
        });
    let orders =
        each(scope, scope.rows.names::<RectificationOrder>(NEXT_CHANGE, name.ids(), &[]), move |order| {
            let calendar = &of_orders.portfolio.calendar;
            supervision::days::of_order(scope, order, calendar, of_orders.current_date)
        });
    let milestones = each(scope, scope.rows.names::<Milestone>(FILE_BY, name.ids(), &[]), move |milestone| {
        let calendar = &of_milestones.portfolio.calendar;
        template::days::of_milestone(scope, milestone, calendar, of_milestones.current_date)
    });
    Ok(Box::new(requests.chain(orders).chain(milestones)))
}

/// The changes of resources, or which of them cannot be decoded, each as it is asked for.
fn each<'a, R: Rules<Tracker>, C: IntoIterator<Item = Change>>(
    scope: &'a Scope<'a>,
    names: impl Iterator<Item = Name<R>> + 'a,
    change: impl Fn(&Checked<R>) -> C + 'a,
) -> FollowUps<'a> {
    Box::new(names.flat_map(move |name| match scope.rows.get(&name) {
        Ok(resource) => resource.as_ref().map(&change).into_iter().flatten().map(Ok).collect(),
        Err(row) => vec![Err(row)],
    }))
}

/// What changes depend on in a portfolio, as the entry leaves it.
fn context(
    scope: &Scope<'_>,
    source_entry: &SourceEntry,
    name: &PortfolioName,
) -> Result<ChangeContext, DamagedRow> {
    ChangeContext::within(scope, name, portfolio(scope, source_entry, name)?)
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
