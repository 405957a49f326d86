//! A digest of a set of rows that can be updated row by row.
//!
//! Invariant: it is a sum, so neither the order of rows nor their history matters: two stores with equal
//! digests hold equal rows. It detects damage and bugs, not an attacker: the journal's hash chain does that.

use sha2::Digest as _;
use sha2::Sha256;

/// The number of rows, and the sum of the first 128 bits of each row's SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Digest {
    /// How many rows.
    pub rows: u64,
    /// Their sum, modulo 2^128.
    pub sum: u128,
}

impl Digest {
    /// Adds a row.
    pub fn add(&mut self, key: &[u8], value: &[u8]) {
        self.rows = self.rows.wrapping_add(1);
        self.sum = self.sum.wrapping_add(row(key, value));
    }

    /// Removes a row that was added.
    pub fn remove(&mut self, key: &[u8], value: &[u8]) {
        self.rows = self.rows.wrapping_sub(1);
        self.sum = self.sum.wrapping_sub(row(key, value));
    }
}

/// `{rows} rows, {sum in hexadecimal}`.
impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} rows, {:032x}", self.rows, self.sum)
    }
}

fn row(key: &[u8], value: &[u8]) -> u128 {
    let mut hash = Sha256::new();
    hash.update((key.len() as u64).to_be_bytes());
    hash.update(key);
    hash.update(value);
    let hash: [u8; 32] = hash.finalize().into();
    hash[..16].iter().fold(0, |sum, byte| sum << 8 | u128::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_does_not_matter_and_a_removed_row_leaves_no_trace() {
        let mut one = Digest::default();
        one.add(b"a", b"1");
        one.add(b"b", b"2");
        let mut other = Digest::default();
        other.add(b"b", b"2");
        other.add(b"c", b"3");
        other.add(b"a", b"1");
        assert_ne!(one, other);
        other.remove(b"c", b"3");
        assert_eq!(one, other);
    }

    #[test]
    fn a_byte_that_moves_from_key_to_value_changes_the_digest() {
        let mut one = Digest::default();
        one.add(b"ab", b"c");
        let mut other = Digest::default();
        other.add(b"a", b"bc");
        assert_ne!(one, other);
    }
}
