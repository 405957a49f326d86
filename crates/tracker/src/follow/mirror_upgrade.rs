//! Completes the mirror after an upgrade: reads the registry's entries again from the first, for what an earlier version
//! did not copy.
//!
//! Invariant: it is done before following goes on, so that what is said later is taken over later. If it is interrupted
//! it begins again, which changes nothing of what was kept; of a portfolio nothing is kept but how the last entry left it,
//! so that it never is as it was once. Where the registry's log was restored to before what was followed, it ends with
//! that log.

use std::collections::BTreeMap;
use std::sync::Arc;

use milepost_client::{FollowOptions, Follower};
use milepost_types::{LedgerKind, Position};

use super::{Follow, Stop, read};
use crate::command::Command;
use crate::convert::mirror::{assignment_bytes, portfolio_bytes};
use crate::decide::PART_BYTES;
use crate::mirror::{AssignmentFact, PortfolioFact};
use crate::tables;
use crate::tables::mirror_version::MIRROR_VERSION;

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
            let end = until.sequence.min(batch.tail.sequence);
            let entries = read(start, batch).await?;
            let position = entries.last().map_or(start, |last| last.position);
            let mut assignments = Vec::new();
            for entry in entries.into_iter().filter(|entry| entry.position.sequence <= end) {
                assignments.extend(entry.assignments);
                portfolios.extend(entry.portfolios.into_iter().map(|fact| (fact.name.clone(), fact)));
            }
            let keep = |facts| command(position, Vec::new(), facts, false);
            self.submit_all(parts(assignments, assignment_bytes).map(keep).collect()).await?;
            if position.sequence >= end {
                return self.finish(position, portfolios.into_values()).await;
            }
            after = Some(position);
        }
    }

    /// How far the registry was followed, if an earlier version of the mirror is there of that.
    fn outdated(&self) -> Option<Position> {
        let view = self.ledger.view();
        let is_outdated = tables::mirror_version::get(&view) < MIRROR_VERSION;
        tables::source::get(&view).filter(|source| is_outdated && source.sequence > 0)
    }

    /// All were read, and left the portfolios so.
    async fn finish(
        &self,
        position: Position,
        portfolios: impl Iterator<Item = PortfolioFact>,
    ) -> Result<(), Stop> {
        let keep = |facts| command(position, facts, Vec::new(), false);
        self.submit_all(parts(portfolios, portfolio_bytes).map(keep).collect()).await?;
        while self.outdated().is_some() {
            self.submit_all(vec![command(position, Vec::new(), Vec::new(), true)]).await?;
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

fn command(
    position: Position,
    portfolios: Vec<PortfolioFact>,
    assignments: Vec<AssignmentFact>,
    is_last: bool,
) -> Command {
    let (portfolios, assignments) = (Arc::new(portfolios), Arc::new(assignments));
    Command::UpgradeMirror { position, portfolios, assignments, is_last }
}
