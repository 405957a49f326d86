//! A SHA-256 in a manifest: of an object's bytes, of a manifest, or of an entry in its chain.
//!
//! Invariant: written as 64 hexadecimal digits in lower case, and read back only from that. What was hashed
//! is said where it stands.

use std::fmt;
use std::str::FromStr;

use milepost_types::Hash;
use sha2::Digest as _;

/// A SHA-256.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha2::Sha256::digest(bytes).into())
    }

    /// As the hash of an entry.
    pub const fn hash(self) -> Hash {
        Hash::from_bytes(self.0)
    }
}

impl From<Hash> for Digest {
    fn from(hash: Hash) -> Self {
        Self(*hash.as_bytes())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a SHA-256 is 64 hexadecimal digits in lower case")]
pub struct DigestError;

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let mut bytes = [0; 32];
        let pairs = text.as_bytes().chunks_exact(2);
        if text.len() != 64 {
            return Err(DigestError);
        }
        for (byte, pair) in bytes.iter_mut().zip(pairs) {
            let (high, low) = (digit(pair[0]).ok_or(DigestError)?, digit(pair[1]).ok_or(DigestError)?);
            *byte = high << 4 | low;
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_back_and_what_is_none_is_refused() {
        let digest = Digest::of(b"abc");
        let text = digest.to_string();
        assert_eq!(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(text.parse(), Ok(digest));
        assert_eq!(Digest::from(digest.hash()), digest);
        for none in ["", &text[1..], &text.to_uppercase(), &format!("{text}00"), &text.replace('b', "g")] {
            assert_eq!(none.parse::<Digest>(), Err(DigestError), "{none}");
        }
    }
}
