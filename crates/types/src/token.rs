//! The frame of every opaque token: what it is, its version, its payload, a checksum.
//!
//! Invariant: bytes are `kind, version, payload, crc32c (big end first)` in URL-safe base64 without
//! padding; a token that was cut, mistyped, or is of another kind is distinguished from a valid one.
//! The frame protects against accidents, not against forgery: nothing is granted by a token.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::limits::TOKEN_CHARS;
use crate::position::Position;
use crate::violation::Fault;

/// The kinds of tokens. The byte is on the wire and never changes or is used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum TokenKind {
    /// Where a reader of a log stands.
    Cursor = b'C',
    /// What a write answered with, for a read to wait for.
    Revision = b'R',
    /// Where a list goes on.
    Page = b'P',
}

impl TokenKind {
    fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            b'C' => Some(TokenKind::Cursor),
            b'R' => Some(TokenKind::Revision),
            b'P' => Some(TokenKind::Page),
            _ => None,
        }
    }

    /// The word for people: `page token`.
    pub const fn noun(self) -> &'static str {
        match self {
            TokenKind::Cursor => "cursor",
            TokenKind::Revision => "revision",
            TokenKind::Page => "page token",
        }
    }
}

impl std::fmt::Display for TokenKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.noun())
    }
}

/// Why a token cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not base64, or too short or too long for any token.
    #[error("this is no {expected}; give one exactly as it was answered")]
    Malformed {
        /// The kind that was asked for.
        expected: TokenKind,
    },
    /// The checksum does not fit: characters were lost or changed.
    #[error("the {expected} is damaged; give it exactly as it was answered")]
    Damaged {
        /// The kind that was asked for.
        expected: TokenKind,
    },
    /// A good token of another kind.
    #[error("this is a {found}, where a {expected} is asked for")]
    OtherKind {
        /// The kind that was asked for.
        expected: TokenKind,
        /// The kind that was given.
        found: TokenKind,
    },
    /// A good token in a form that this server does not know.
    #[error("the {expected} has form {version}, which this server does not know; it was made by a newer one")]
    OtherVersion {
        /// The kind that was asked for.
        expected: TokenKind,
        /// The form that was given.
        version: u8,
    },
    /// A good page token that belongs to a request with other parameters.
    #[error(
        "the page token belongs to another request; keep every parameter but page_size and page_token, or start again without a page token"
    )]
    OtherRequest,
}

impl Fault for TokenError {
    fn reason(&self) -> &'static str {
        match self {
            TokenError::OtherRequest => "PAGE_TOKEN_OTHER_REQUEST",
            TokenError::Malformed { expected }
            | TokenError::Damaged { expected }
            | TokenError::OtherKind { expected, .. }
            | TokenError::OtherVersion { expected, .. } => match expected {
                TokenKind::Cursor => "CURSOR_INVALID",
                TokenKind::Revision => "REVISION_INVALID",
                TokenKind::Page => "PAGE_TOKEN_INVALID",
            },
        }
    }
}

const CHECKSUM_BYTES: usize = 4;
const HEADER_BYTES: usize = 2;

/// The text of a token.
pub(crate) fn seal(kind: TokenKind, version: u8, payload: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(HEADER_BYTES + payload.len() + CHECKSUM_BYTES);
    bytes.push(kind as u8);
    bytes.push(version);
    bytes.extend_from_slice(payload);
    let checksum = crc32c::crc32c(&bytes);
    bytes.extend_from_slice(&checksum.to_be_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The payload of a token of this kind and version.
pub(crate) fn open(kind: TokenKind, version: u8, text: &str) -> Result<Vec<u8>, TokenError> {
    let malformed = TokenError::Malformed { expected: kind };
    if text.len() > TOKEN_CHARS {
        return Err(malformed);
    }
    let mut bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| malformed)?;
    if bytes.len() < HEADER_BYTES + CHECKSUM_BYTES {
        return Err(malformed);
    }
    let checksum = bytes.split_off(bytes.len() - CHECKSUM_BYTES);
    if crc32c::crc32c(&bytes).to_be_bytes() != checksum[..] {
        return Err(TokenError::Damaged { expected: kind });
    }
    match TokenKind::from_byte(bytes[0]) {
        Some(found) if found == kind => {}
        Some(found) => return Err(TokenError::OtherKind { expected: kind, found }),
        None => return Err(malformed),
    }
    if bytes[1] != version {
        return Err(TokenError::OtherVersion { expected: kind, version: bytes[1] });
    }
    bytes.drain(..HEADER_BYTES);
    Ok(bytes)
}

/// Bytes of a position inside a token.
pub(crate) const POSITION_BYTES: usize = 32;

/// The position at the beginning of `bytes`, and what follows it.
pub(crate) fn take_position(bytes: &[u8]) -> Option<(Position, &[u8])> {
    let (position, rest) = bytes.split_first_chunk()?;
    Some((Position::from_bytes(position), rest))
}

#[cfg(test)]
mod tests;
