//! Appending to a file journal: check, write, sync, and only then publish.
//!
//! Invariants: a block is shown to readers only after its sync; any failure but a refusal poisons the journal for
//! ever, and what was being written is neither shown nor counted as durable.

use std::io;
use std::path::Path;

use milepost_types::Position;

use super::super::frame;
use super::super::{AppendError, Block};
use super::FileJournal;
use super::durable::Indexed;
use super::writer::StepError;

impl FileJournal {
    pub(super) fn append_block(&self, after: &Position, block: &Block) -> Result<Position, AppendError> {
        let mut slot = self.writer.lock();
        let Some(writer) = slot.as_mut() else {
            let reason = self.poisoned.lock().clone();
            let reason = reason.unwrap_or_else(|| "it was opened read-only".to_owned());
            return Err(AppendError::Poisoned { reason });
        };
        writer.check(after, block)?;
        let appended = writer.write(block, |segment| {
            self.durable.write().segments.push(Indexed::new(segment));
        });
        let offset = match appended {
            Ok(offset) => offset,
            Err(StepError::Refused(refused)) => return Err(refused),
            Err(StepError::Failed { action, path, source }) => {
                let reason = self.poison(action, &path, &source);
                // Drops the sender and the lock too, so that those who wait for the tail learn that it will not move.
                *slot = None;
                return Err(AppendError::Poisoned { reason });
            }
        };

        let tail = writer.advance(block);
        let mut durable = self.durable.write();
        if let Some(indexed) = durable.segments.last_mut() {
            indexed.note_frame(block.entries[0].sequence, offset, frame::frame_bytes(block));
        }
        durable.keep(block.previous, &block.entries);
        durable.tail = tail;
        drop(durable);
        writer.publish(tail);

        // The block is durable even if the witness cannot be written.
        if let Err(StepError::Failed { action, path, source }) = writer.witness_when_due() {
            self.poison(action, &path, &source);
            *slot = None;
        }
        Ok(tail)
    }

    pub(super) fn close_writer(&self) -> io::Result<()> {
        let mut slot = self.writer.lock();
        let Some(writer) = slot.as_mut() else {
            let reason = self.poisoned.lock().clone();
            return match reason {
                Some(reason) if reason != CLOSED => Err(io::Error::other(reason)),
                _ => Ok(()),
            };
        };
        let done = writer.witness_now();
        *slot = None;
        match done {
            Err(StepError::Failed { action, path, source }) => {
                self.poison(action, &path, &source);
                Err(source)
            }
            _ => {
                *self.poisoned.lock() = Some(CLOSED.to_owned());
                Ok(())
            }
        }
    }

    /// Records the first failure, and logs it.
    fn poison(&self, action: &str, path: &Path, source: &io::Error) -> String {
        let reason = format!("cannot {action} {}: {source}", path.display());
        tracing::error!(dir = %self.dir.display(), reason, "the journal takes no more appends");
        *self.poisoned.lock() = Some(reason.clone());
        reason
    }
}

/// The reason why a closed journal takes no more appends.
const CLOSED: &str = "it was closed";
