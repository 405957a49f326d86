//! Completes the mirror after an upgrade: reads the registry's entries again from the first, for what an earlier version
//! did not copy.
//!
//! Invariant: it is done before following goes on, so that what is said later is taken over later. If it is interrupted
//! it begins again, which changes nothing of what was kept. Where the registry's log was restored to before what was
//! followed, it ends with that log.

use std::sync::Arc;

use milepost_client::{FollowOptions, Follower};
use milepost_types::{LedgerKind, Position};

use super::{Follow, Stop, read};
use crate::command::Command;
use crate::convert::mirror::assignment_bytes;
use crate::decide::PART_BYTES;
use crate::mirror::AssignmentFact;
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
        let mut after = None;
        loop {
            let batch = self.next(&mut follower, &mut states).await?;
            let start = after.unwrap_or(Position::start(batch.tail.log));
            let end = until.sequence.min(batch.tail.sequence);
            let entries = read(start, batch).await?;
            let position = entries.last().map_or(start, |last| last.position);
            let known = entries.into_iter().filter(|entry| entry.position.sequence <= end);
            self.keep(position, known.flat_map(|entry| entry.assignments)).await?;
            if position.sequence >= end {
                return self.finish(position).await;
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

    /// MirrorVersion assignments, in as many entries as it takes.
    async fn keep(
        &self,
        position: Position,
        assignments: impl Iterator<Item = AssignmentFact>,
    ) -> Result<(), Stop> {
        let (mut commands, mut facts, mut bytes) = (Vec::new(), Vec::new(), 0);
        for fact in assignments {
            bytes += assignment_bytes(&fact);
            if bytes > PART_BYTES && !facts.is_empty() {
                commands.push(command(position, std::mem::take(&mut facts), false));
                bytes = assignment_bytes(&fact);
            }
            facts.push(fact);
        }
        commands.extend((!facts.is_empty()).then(|| command(position, facts, false)));
        self.submit_all(commands).await
    }

    /// All were read.
    async fn finish(&self, position: Position) -> Result<(), Stop> {
        while self.outdated().is_some() {
            self.submit_all(vec![command(position, Vec::new(), true)]).await?;
        }
        Ok(())
    }
}

fn command(position: Position, assignments: Vec<AssignmentFact>, is_last: bool) -> Command {
    Command::UpgradeMirror { position, assignments: Arc::new(assignments), is_last }
}
