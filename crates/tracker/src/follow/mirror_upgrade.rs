//! Completes the mirror after an upgrade: reads the registry's entries again from the first, for what an earlier version
//! did not copy. After a reset to the beginning they are followed again anyway.
//!
//! Invariants: it is complete once everything was followed that the registry had meanwhile, and not before. What was not
//! copied is read before following goes on, so that what is said later is taken over later. If it is interrupted
//! it begins again, which changes nothing of what was kept; of a portfolio nothing is kept but how the last entry left it,
//! so that it never is as it was once; of a project what was reported is
//! kept in the order of the entries, and whether it is deleted stays. Where the registry's log was restored to before what was followed, it ends with
//! that log.

use std::collections::BTreeMap;
use std::sync::Arc;

use milepost_client::{FollowOptions, Follower};
use milepost_types::{LedgerKind, Position};

use super::{Follow, Stop, read};
use crate::command::Command;
use crate::convert::mirror::{assignment_bytes, portfolio_bytes, project_bytes};
use crate::decide::PART_BYTES;
use crate::mirror::{AssignmentFact, PortfolioFact, ProjectFact};
use crate::tables;

impl Follow {
    /// Reads them, if there are any.
    pub(super) async fn upgrade_mirror(&self) -> Result<(), Stop> {
        let Some(until) = self.outdated() else { return Ok(()) };
        tracing::info!(
            entries = until.sequence,
            "reading the registry's entries again to complete the mirror"
        );
        let options = FollowOptions { backoff: self.backoff, ..FollowOptions::default() };
        let mut follower = Follower::new(self.transport.clone(), LedgerKind::Registry, None, options);
        let mut states = follower.state();
        let (mut after, mut portfolios) = (None, BTreeMap::new());
        loop {
            let batch = self.next(&mut follower, &mut states).await?;
            let start = after.unwrap_or(Position::start(batch.tail.log));
            let tail = batch.tail.sequence;
            let end = until.sequence.min(tail);
            let entries = read(start, batch).await?;
            let position = entries.last().map_or(start, |last| last.position);
            let (mut assignments, mut projects) = (Vec::new(), Vec::new());
            for entry in entries.into_iter().filter(|entry| entry.position.sequence <= end) {
                assignments.extend(entry.assignments);
                projects.extend(entry.projects);
                portfolios.extend(entry.portfolios.into_iter().map(|fact| (fact.name.clone(), fact)));
            }
            let keep = |assignments| Update { assignments, ..Update::default() }.command(position);
            self.submit_all(parts(assignments, assignment_bytes).map(keep).collect()).await?;
            let keep = |projects| Update { projects, ..Update::default() }.command(position);
            self.submit_all(parts(projects, project_bytes).map(keep).collect()).await?;
            if position.sequence >= end {
                let keep = |portfolios| Update { portfolios, ..Update::default() }.command(position);
                let portfolios = parts(portfolios.into_values(), portfolio_bytes);
                self.submit_all(portfolios.map(keep).collect()).await?;
                return if position.sequence >= tail { self.complete_mirror(position).await } else { Ok(()) };
            }
            after = Some(position);
        }
    }

    /// How far the registry was followed, if an earlier version of the mirror is there of that.
    fn outdated(&self) -> Option<Position> {
        let view = self.ledger.view();
        let is_complete = tables::mirror_version::is_complete(&view);
        tables::source::get(&view).filter(|source| !is_complete && source.sequence > 0)
    }

    /// Says that the mirror is complete, if it was not: everything was followed that the registry has.
    pub(super) async fn complete_mirror(&self, position: Position) -> Result<(), Stop> {
        while self.outdated().is_some() {
            self.submit_all(vec![Update { is_last: true, ..Update::default() }.command(position)]).await?;
        }
        Ok(())
    }
}

/// Facts in as many lists as it takes for each to fit an entry.
fn parts<T>(facts: impl IntoIterator<Item = T>, bytes_of: fn(&T) -> usize) -> impl Iterator<Item = Vec<T>> {
    let (mut parts, mut bytes) = (Vec::<Vec<T>>::new(), 0);
    for fact in facts {
        let own = bytes_of(&fact);
        bytes += own;
        match parts.last_mut() {
            Some(part) if bytes <= PART_BYTES => part.push(fact),
            _ => {
                parts.push(vec![fact]);
                bytes = own;
            }
        }
    }
    parts.into_iter()
}

/// What one command adds to the mirror.
#[derive(Default)]
struct Update {
    portfolios: Vec<PortfolioFact>,
    projects: Vec<ProjectFact>,
    assignments: Vec<AssignmentFact>,
    is_last: bool,
}

impl Update {
    fn command(self, position: Position) -> Command {
        Command::UpgradeMirror {
            position,
            portfolios: Arc::new(self.portfolios),
            projects: Arc::new(self.projects),
            assignments: Arc::new(self.assignments),
            is_last: self.is_last,
        }
    }
}
