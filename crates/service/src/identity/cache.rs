//! Tokens that were verified a moment ago, so that a caller's calls do not cost a signature check each.
//!
//! Invariant: only verified tokens are kept, each for at most [`LIFETIME`] and never beyond its end, at most
//! [`ENTRIES`] at once: bogus tokens take no memory. What is kept counts only with the key set that
//! verified it, which the caller compares. Decisions about access are not kept.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use super::credential::Verified;
use super::jwks::KeySet;
use crate::generations::Generations;

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
#[derive(Debug)]
pub(super) struct Cache(Mutex<Generations<TokenHash, Entry>>);

impl Default for Cache {
    fn default() -> Self {
        Self(Mutex::new(Generations::new(ENTRIES)))
    }
}

impl Cache {
    /// The entry of a token, if it still counts.
    pub(super) fn get(&self, hash: &TokenHash, now: Timestamp) -> Option<Entry> {
        let kept = self.0.lock();
        kept.get(hash).filter(|entry| entry.counts(now)).cloned()
    }

    /// Keeps a token that was verified.
    pub(super) fn put(&self, hash: TokenHash, entry: Entry) {
        self.0.lock().put(hash, entry);
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.0.lock().count()
    }
}

#[cfg(test)]
mod tests {
    use milepost_types::Principal;

    use super::super::credential::{CredentialId, CredentialKind};
    use super::super::testing::{SigningKey, key_set, now, seconds};
    use super::*;

    fn entry(expires: Timestamp) -> Entry {
        let keys = KeySet::read(key_set(&[SigningKey::ed25519().jwk("k")]).as_bytes()).unwrap();
        let verified = Verified {
            principal: Principal::user("corp", "00u1").unwrap(),
            groups: [].into(),
            credential: CredentialId { kind: CredentialKind::Jwt, id: "j".into() },
            expires,
        };
        Entry::new(verified, "corp".into(), Arc::new(keys), now())
    }

    #[test]
    fn a_token_counts_for_a_minute_at_most_and_never_beyond_its_end() {
        let cache = Cache::default();
        cache.put([1; 32], entry(now() + seconds(3600)));
        cache.put([2; 32], entry(now() + seconds(10)));
        let counts = |hash: u8, after: i64| cache.get(&[hash; 32], now() + seconds(after)).is_some();
        assert!(counts(1, 0) && counts(1, 59) && !counts(1, 60));
        assert!(counts(2, 9) && !counts(2, 10));
        assert!(!counts(1, -1), "the clock was set back");
        assert!(!counts(3, 0));
    }

    #[test]
    fn there_is_room_for_a_bounded_number_of_tokens_and_the_newest_stay() {
        let cache = Cache::default();
        let hash = |i: usize| {
            let mut hash = [0; 32];
            hash[..8].copy_from_slice(&i.to_be_bytes());
            hash
        };
        let entry = entry(now() + seconds(3600));
        for i in 0..3 * ENTRIES {
            cache.put(hash(i), entry.clone());
        }
        assert!(cache.count() <= ENTRIES, "{}", cache.count());
        let newest = 3 * ENTRIES - ENTRIES / 2..3 * ENTRIES;
        assert!(newest.into_iter().all(|i| cache.get(&hash(i), now()).is_some()));
        assert!(cache.get(&hash(0), now()).is_none());
    }
}
