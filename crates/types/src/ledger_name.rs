//! The name of a ledger, as its journal and its exports bear it.
//!
//! Invariant: 1 to 16 characters `a` to `z`, `0` to `9` and `-`, a letter first; which names there are is
//! not known here.

use std::fmt;
use std::str::FromStr;

use crate::quote::{quoted, shortened};
use crate::revision::LedgerKind;

/// The name of a ledger.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LedgerName([u8; LedgerName::BYTES]);

impl LedgerName {
    /// The longest name, in bytes.
    pub const BYTES: usize = 16;

    /// The name, filled up with zeros, as it is stored in files.
    pub const fn to_bytes(self) -> [u8; Self::BYTES] {
        self.0
    }

    /// The name of [`to_bytes`](Self::to_bytes); `None` if the bytes are malformed.
    pub fn from_bytes(bytes: [u8; Self::BYTES]) -> Option<Self> {
        let length = bytes.iter().position(|byte| *byte == 0).unwrap_or(Self::BYTES);
        let (name, rest) = bytes.split_at(length);
        let allowed = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        let plain = name.first().is_some_and(u8::is_ascii_lowercase) && name.iter().all(allowed);
        (plain && rest.iter().all(|byte| *byte == 0)).then_some(Self(bytes))
    }

    fn as_str(&self) -> &str {
        let length = self.0.iter().position(|byte| *byte == 0).unwrap_or(Self::BYTES);
        // Only ASCII is ever let in.
        std::str::from_utf8(&self.0[..length]).unwrap_or_default()
    }
}

impl fmt::Display for LedgerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for LedgerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// A text that cannot be the name of a ledger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} is no name of a ledger: that is 1 to 16 of a to z, 0 to 9 and -, a letter first", quoted(.0))]
pub struct LedgerNameError(String);

impl FromStr for LedgerName {
    type Err = LedgerNameError;

    fn from_str(text: &str) -> Result<Self, LedgerNameError> {
        let refused = || LedgerNameError(shortened(text));
        let mut bytes = [0; Self::BYTES];
        bytes.get_mut(..text.len()).ok_or_else(refused)?.copy_from_slice(text.as_bytes());
        Self::from_bytes(bytes).filter(|name| name.as_str() == text).ok_or_else(refused)
    }
}

impl From<LedgerKind> for LedgerName {
    fn from(kind: LedgerKind) -> Self {
        let mut bytes = [0; Self::BYTES];
        for (byte, letter) in bytes.iter_mut().zip(kind.as_str().bytes()) {
            *byte = letter;
        }
        Self(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_back_and_what_is_none_is_refused() {
        for name in ["registry", "a", "a-1", "abcdefghijklmnop"] {
            let parsed: LedgerName = name.parse().unwrap();
            assert_eq!(
                (parsed.to_string().as_str(), LedgerName::from_bytes(parsed.to_bytes())),
                (name, Some(parsed))
            );
        }
        for none in ["", "-a", "1a", "A", "a b", "a\0", "a\0b", "ä", "abcdefghijklmnopq"] {
            assert!(none.parse::<LedgerName>().is_err(), "{none:?}");
        }
        assert_eq!(LedgerName::from_bytes([0; 16]), None);
    }

    #[test]
    fn every_kind_of_ledger_has_its_name() {
        for kind in LedgerKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(LedgerName::from(kind)));
        }
    }
}
