//! A revision: which ledger a write went to, and where, for a later read to wait for.
//!
//! Invariant: the text is opaque to callers and its bytes never change meaning. A revision says
//! "at least this"; it is no snapshot to read at.

use std::fmt;
use std::str::FromStr;

use crate::position::Position;
use crate::quote::{quoted, shortened};
use crate::token::{self, POSITION_BYTES, TokenError, TokenKind};
use crate::violation::Fault;

/// Which service's ledger. The byte is in revisions and never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum LedgerKind {
    /// Who and what.
    Registry = 1,
    /// When, and how well.
    Tracker = 2,
    /// Who hears of it.
    Notifier = 3,
}

impl LedgerKind {
    /// All of them.
    pub const ALL: [LedgerKind; 3] = [LedgerKind::Registry, LedgerKind::Tracker, LedgerKind::Notifier];

    /// The name in configuration, folders and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            LedgerKind::Registry => "registry",
            LedgerKind::Tracker => "tracker",
            LedgerKind::Notifier => "notifier",
        }
    }

    fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|&kind| kind as u8 == byte)
    }
}

impl fmt::Display for LedgerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that names no ledger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text} is no ledger; use registry, tracker or notifier", text = quoted(.0))]
pub struct LedgerKindError(String);

impl Fault for LedgerKindError {
    fn reason(&self) -> &'static str {
        "INVALID_LEDGER"
    }
}

impl FromStr for LedgerKind {
    type Err = LedgerKindError;

    fn from_str(text: &str) -> Result<Self, LedgerKindError> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| LedgerKindError(shortened(text)))
    }
}

/// A place in one service's ledger that a read may ask to be included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Revision {
    /// The ledger.
    pub ledger: LedgerKind,
    /// The place in its log.
    pub position: Position,
}

const VERSION: u8 = 1;

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut payload = Vec::with_capacity(1 + POSITION_BYTES);
        payload.push(self.ledger as u8);
        payload.extend_from_slice(&self.position.to_bytes());
        f.write_str(&token::seal(TokenKind::Revision, VERSION, &payload))
    }
}

impl FromStr for Revision {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let payload = token::open(TokenKind::Revision, VERSION, text)?;
        let read = || {
            let (&ledger, rest) = payload.split_first()?;
            let (position, rest) = token::take_position(rest)?;
            let ledger = LedgerKind::from_byte(ledger)?;
            rest.is_empty().then_some(Self { ledger, position })
        };
        read().ok_or(TokenError::Malformed { expected: TokenKind::Revision })
    }
}
