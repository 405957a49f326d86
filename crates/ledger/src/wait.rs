//! Waiting until a ledger's view includes an entry.
//!
//! Invariant: success means that the entry with exactly this hash, or its counterpart in the log that this one was
//! restored from, is in the view. The sequence alone is never trusted.

use std::sync::Arc;
use std::time::Instant;

use milepost_types::Position;

use crate::error::WaitError;
use crate::feed::Source;
use crate::journal::{Journal, ReadError, ReadLimit};
use crate::shared::Shared;

/// Waits until the view includes the entry at `asked`.
///
/// # Errors
/// `Diverged` if this ledger's log is another or has another entry there, `TimedOut` at the deadline.
pub(crate) async fn wait_for(
    shared: &Shared,
    journal: &Arc<dyn Journal>,
    asked: Position,
    deadline: Instant,
) -> Result<(), WaitError> {
    let started = Instant::now();
    let mut positions = shared.positions();
    let have = *positions.borrow();
    let source = || Source::new(Arc::clone(journal));
    // A position of an ancestor log is waited for as the equivalent position in this log.
    let resolved = if have.log == asked.log { Some(asked) } else { source().resolve(asked) };
    let Some(position) = resolved else { return Err(WaitError::Diverged { asked, have }) };
    let reached = positions.wait_for(|have| have.sequence >= position.sequence);
    match tokio::time::timeout_at(deadline.into(), reached).await {
        Ok(Ok(_)) => {}
        Ok(Err(_)) => return Err(WaitError::Closing),
        Err(_) => {
            let have = shared.position();
            return Err(WaitError::TimedOut { asked, have, waited: started.elapsed() });
        }
    }
    let have = shared.position();
    if have.sequence == position.sequence {
        let same = have == position;
        return if same { Ok(()) } else { Err(WaitError::Diverged { asked, have }) };
    }
    // The view is past it: the journal knows whether the entry there has this hash.
    let source = source();
    let entry = source.read(position, ReadLimit { entries: 1, bytes: 1 });
    match tokio::time::timeout_at(deadline.into(), entry).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(ReadError::Diverged { .. })) => Err(WaitError::Diverged { asked, have }),
        Ok(Err(error)) => Err(WaitError::Journal { reason: error.to_string() }),
        Err(_) => Err(WaitError::TimedOut { asked, have, waited: started.elapsed() }),
    }
}
