//! Tokens that were verified a moment ago, so that a caller's calls do not cost a signature check each.
//!
//! Invariant: only verified tokens are kept, each for at most [`LIFETIME`] and never beyond its end, at most
//! [`ENTRIES`] at once: bogus tokens take no memory. What is kept counts only with the key set that
//! verified it, which the caller compares. Decisions about access are not kept.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use super::jwks::KeySet;
use super::jwt::Verified;

/// How long a token counts as verified.
pub(super) const LIFETIME: SignedDuration = SignedDuration::from_secs(60);
/// Tokens that are kept at most.
pub(super) const ENTRIES: usize = 10_000;

/// The SHA-256 of a token.
pub(super) type TokenHash = [u8; 32];

/// A verified token.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) verified: Verified,
    /// The alias of its issuer.
    pub(super) alias: Arc<str>,
    /// The keys that verified it.
    pub(super) keys: Arc<KeySet>,
    /// When it was verified.
    at: Timestamp,
}

impl Entry {
    /// A token that was verified now.
    pub(super) fn new(verified: Verified, alias: Arc<str>, keys: Arc<KeySet>, now: Timestamp) -> Self {
        Self { verified, alias, keys, at: now }
    }

    /// Whether it still counts; a clock that was set back ends it.
    fn counts(&self, now: Timestamp) -> bool {
        self.at <= now && now.duration_since(self.at) < LIFETIME && now < self.verified.expires
    }
}

/// The verified tokens.
#[derive(Debug, Default)]
pub(super) struct Cache(Mutex<Generations>);

/// Two generations: when the newer is full, it becomes the older, which is dropped as a whole. That bounds memory
/// without a search for what to drop.
#[derive(Debug, Default)]
struct Generations {
    newer: HashMap<TokenHash, Entry>,
    older: HashMap<TokenHash, Entry>,
}

impl Cache {
    /// The entry of a token, if it still counts.
    pub(super) fn get(&self, hash: &TokenHash, now: Timestamp) -> Option<Entry> {
        let generations = self.0.lock();
        let entry = generations.newer.get(hash).or_else(|| generations.older.get(hash))?;
        entry.counts(now).then(|| entry.clone())
    }

    /// Keeps a token that was verified.
    pub(super) fn put(&self, hash: TokenHash, entry: Entry) {
        let mut generations = self.0.lock();
        if generations.newer.len() >= ENTRIES / 2 {
            generations.older = std::mem::take(&mut generations.newer);
        }
        generations.newer.insert(hash, entry);
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        let generations = self.0.lock();
        generations.newer.len() + generations.older.len()
    }
}
