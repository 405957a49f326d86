//! A cursor: the position of a reader in a log, and its offset within an entry.
//!
//! Invariant: the text is opaque to callers, and its bytes never change meaning: clients keep
//! cursors for years. Whether the position is in a log is checked elsewhere.

use std::fmt;
use std::str::FromStr;

use crate::position::Position;
use crate::token::{self, POSITION_BYTES, TokenError, TokenKind};

/// How many events of the entry at the cursor's position were delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryOffset {
    /// Its events up to and including the one with this index, from 0; more may follow.
    Event(u32),
    /// The whole entry.
    Entry,
}

/// A place in a log to resume reading after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// The entry that was reached; sequence 0 is the start of the log.
    pub position: Position,
    /// How much of that entry was delivered.
    pub offset: EntryOffset,
}

const VERSION: u8 = 1;
/// Persisted by clients; never used again for something else.
const OFFSET_ENTRY: u8 = 0;
const OFFSET_EVENT: u8 = 1;

impl Cursor {
    /// After the whole entry at this position.
    pub const fn after(position: Position) -> Self {
        Self { position, offset: EntryOffset::Entry }
    }

    /// After the event with this index, from 0, of the entry at this position.
    pub const fn inside(position: Position, index: u32) -> Self {
        Self { position, offset: EntryOffset::Event(index) }
    }

    /// The sequence and the index of the first event that was not delivered.
    ///
    /// The index may be that of no event, if the entry has no more of them.
    pub const fn next(&self) -> (u64, u32) {
        match self.offset {
            EntryOffset::Event(index) if index < u32::MAX => (self.position.sequence, index + 1),
            _ => (self.position.sequence.saturating_add(1), 0),
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut payload = Vec::with_capacity(POSITION_BYTES + 5);
        payload.extend_from_slice(&self.position.to_bytes());
        match self.offset {
            EntryOffset::Entry => payload.push(OFFSET_ENTRY),
            EntryOffset::Event(index) => {
                payload.push(OFFSET_EVENT);
                payload.extend_from_slice(&index.to_be_bytes());
            }
        }
        f.write_str(&token::seal(TokenKind::Cursor, VERSION, &payload))
    }
}

impl FromStr for Cursor {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let payload = token::open(TokenKind::Cursor, VERSION, text)?;
        let malformed = TokenError::Malformed { expected: TokenKind::Cursor };
        let (position, rest) = token::take_position(&payload).ok_or(malformed)?;
        let offset = match rest {
            [OFFSET_ENTRY] => EntryOffset::Entry,
            &[OFFSET_EVENT, a, b, c, d] if position.sequence > 0 => {
                EntryOffset::Event(u32::from_be_bytes([a, b, c, d]))
            }
            _ => return Err(malformed),
        };
        Ok(Self { position, offset })
    }
}
