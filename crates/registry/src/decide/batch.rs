//! Decisions about batches.

use milepost_ledger::Read;
use milepost_proto::registry::v1 as proto;
use milepost_types::{BatchName, ProjectName, Rejection};

use super::{Decided, delete, found, free, id, project, undelete, update};
use crate::batch::figures::Figures;
use crate::batch::start::{Started, start};
use crate::batch::{self, Batch, Command, Regrouped, Standing, State, check_members};
use crate::change::{Change, Happening, Resource};
use crate::project::status::Moved;
use crate::record::Moment;
use crate::tables::{batches, portfolios, projects};

pub(super) fn decide(rows: &dyn Read, command: &Command, seed: u128, moment: &Moment) -> Decided {
    let load = |name: &BatchName| found(name, batches::get(rows, name)?);
    let (portfolio, mut changes) = match command {
        Command::Create(create, members) => {
            portfolios::open(rows, &create.parent)?;
            let name = BatchName::new(create.parent.clone(), id(create.id.as_ref(), 'b', seed));
            free::<proto::Batch, _>(rows, &name, &batches::key(&name))?;
            check_members(members, |member| Ok(projects::presence(rows, member)?))?;
            let standing =
                Standing { state: State::Planned, members: members.clone(), registered: Figures::default() };
            let batch = Batch::create(name, create.details.clone(), standing, moment);
            (&create.parent, vec![Change::created(batch)])
        }
        Command::Update(wish) => {
            let before = load(&wish.name)?;
            portfolios::open(rows, wish.name.portfolio())?;
            let check = |after: &Batch| batch::check_update(&before, after);
            (wish.name.portfolio(), update(&before, wish, moment, check)?)
        }
        Command::Delete(target) => {
            let before = load(&target.name)?;
            portfolios::open(rows, target.name.portfolio())?;
            (target.name.portfolio(), delete(batch::delete(&before, target, moment)?))
        }
        Command::Undelete(target) => {
            let before = load(&target.name)?;
            portfolios::open(rows, target.name.portfolio())?;
            (target.name.portfolio(), undelete(&before, target, moment, |_| Ok(()))?)
        }
        Command::Add(target, members) => {
            let before = load(&target.name)?;
            portfolios::open(rows, target.name.portfolio())?;
            let member = |name: &ProjectName| Ok(projects::get(rows, name)?);
            let regrouped = batch::add(&before, target, members, member, moment)?;
            // What was started was looked up for it.
            if let Some(regrouped) = regrouped.as_ref().filter(|regrouped| regrouped.started.is_empty()) {
                check_members(&regrouped.added, |member| Ok(projects::presence(rows, member)?))?;
            }
            (target.name.portfolio(), regroup(regrouped))
        }
        Command::Remove(target, members) => {
            let before = load(&target.name)?;
            portfolios::open(rows, target.name.portfolio())?;
            (target.name.portfolio(), regroup(batch::remove(&before, target, members, moment)?))
        }
        Command::Start(target) => {
            let before = load(&target.name)?;
            let portfolio = portfolios::open(rows, target.name.portfolio())?;
            let today = portfolio.current_date(moment.now);
            let member = |name: &ProjectName| Ok(projects::get(rows, name)?);
            let started = start(&before, target, today, member, moment)?;
            (target.name.portfolio(), started_changes(started))
        }
        Command::Cancel(target, reason) => {
            let before = load(&target.name)?;
            portfolios::open(rows, target.name.portfolio())?;
            let batch = batch::cancel(&before, target, moment)?;
            let happening = Happening::Cancelled { reason: reason.clone() };
            (target.name.portfolio(), vec![Change::new(batch, happening, vec!["state"])])
        }
    };
    for change in &mut changes {
        count(rows, change)?;
    }
    Ok((portfolio.id().to_string(), changes))
}

/// The change of the members, and then the start of each that joined a started batch because of it.
fn regroup(regrouped: Option<Regrouped>) -> Vec<Change> {
    let Some(Regrouped { batch, added, removed, started, changed }) = regrouped else { return Vec::new() };
    let first = Change::new(batch, Happening::Regrouped { added, removed }, changed);
    with_starts(first, started)
}

/// The start of the batch, and then of each member because of it.
fn started_changes(started: Started) -> Vec<Change> {
    let Started { batch, members, changed } = started;
    let date = Some(batch.details.start_date);
    let happening = Happening::Started { count: members.len() };
    with_starts(Change::new(batch, happening, changed).on(date), members)
}

/// A change of a batch, and then the starts of members because of it.
fn with_starts(first: Change, members: Vec<Moved>) -> Vec<Change> {
    let mut changes = Vec::with_capacity(1 + members.len());
    changes.push(first);
    for moved in members {
        let mut change = project::change(moved, true);
        change.cause = Some(0);
        changes.push(change);
    }
    changes
}

/// Registers what the members of a batch add up to now, as long as it is to come.
fn count(rows: &dyn Read, change: &mut Change) -> Result<(), Rejection> {
    let Resource::Batch(batch) = &mut change.resource else { return Ok(()) };
    let given_up = matches!(change.happening, Happening::Cancelled { .. });
    if batch.standing.state != State::Planned && !given_up {
        return Ok(());
    }
    let figures = batches::registered(rows, &batch.name, &batch.standing.members)?;
    if !matches!(change.happening, Happening::Created) {
        change.changed.extend(figures.differing(&batch.standing.registered));
        change.changed.sort_unstable();
    }
    batch.standing.registered = figures;
    Ok(())
}
