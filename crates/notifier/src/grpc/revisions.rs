//! Waits until the log has the revisions of a read: its own, and those of the logs that it follows.

use std::time::Instant;

use milepost_service::request;
use milepost_types::{LedgerKind, Position, Rejection, Revision, same_places};

use super::Sources;
use crate::source::{Followed, Reached, reached};
use crate::tables::Rows;

impl Sources {
    /// Waits until the log has these revisions.
    ///
    /// # Errors
    /// If one is malformed, is of another history, or does not arrive in time.
    pub(super) async fn wait_for_revisions(
        &self,
        min_revisions: &[String],
        deadline: Instant,
    ) -> Result<(), Rejection> {
        for revision in request::revisions(min_revisions)? {
            if revision.ledger == LedgerKind::Notifier {
                request::wait_for_revision(&self.ledger, LedgerKind::Notifier, revision, deadline).await?;
            } else {
                self.follow_up_to(revision, deadline).await?;
            }
        }
        Ok(())
    }

    async fn follow_up_to(&self, revision: Revision, deadline: Instant) -> Result<(), Rejection> {
        let mut positions = self.ledger.positions();
        let reached = async {
            loop {
                positions.borrow_and_update();
                if self.has(&revision)? {
                    return Ok(());
                }
                if positions.changed().await.is_err() {
                    return Err(self.not_reached(&revision));
                }
            }
        };
        match tokio::time::timeout_at(deadline.into(), reached).await {
            Ok(reached) => reached,
            Err(_) => Err(self.not_reached(&revision)),
        }
    }

    /// Whether the log has it; refused if it never will.
    fn has(&self, revision: &Revision) -> Result<bool, Rejection> {
        let view = self.ledger.view();
        let rows = Rows(&view);
        let given = revision.position;
        let own = rows.applied(revision.ledger);
        match (reached(&rows, &given), own) {
            (Reached::Yes, _) => Ok(true),
            (Reached::Never, Some(own)) => Err(Rejection::LogDiverged { given, own }),
            (_, Some(own)) if own.log != given.log && self.is_settled(revision.ledger, &own) => {
                let places = same_places(given, &|log| rows.later(log));
                let coming = places.iter().any(|place| place.log == own.log);
                if coming { Ok(false) } else { Err(Rejection::LogDiverged { given, own }) }
            }
            _ => Ok(false),
        }
    }

    /// Whether a source was reached since the start, and its log is the one that is followed: one that was not
    /// reached yet may have been restored, and be followed on in a moment.
    fn is_settled(&self, source: LedgerKind, own: &Position) -> bool {
        let mut progress = self.progress.iter().filter(|(kind, _)| *kind == source);
        progress.any(|(_, progress)| progress.tail().is_some_and(|tail| tail.log == own.log))
    }

    fn not_reached(&self, revision: &Revision) -> Rejection {
        let have = Rows(&self.ledger.view()).applied(revision.ledger);
        Rejection::RevisionNotReached {
            ledger: revision.ledger,
            asked: revision.position.sequence,
            have: have.map_or(0, |position: Position| position.sequence),
        }
    }
}
