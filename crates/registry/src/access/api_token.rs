//! API tokens: by which a program says that it is a service account.
//!
//! Invariants: only the SHA-256 of a token is kept, in its event and in its row while it is not revoked; no read shows
//! it. A token ends by itself, and one that was revoked does not come back. The token itself is in no resource, and
//! nothing here prints one.

use std::fmt::Write;

use jiff::{SignedDuration, Timestamp};
use milepost_proto::milepost::access::v1::ApiToken;
use milepost_proto::resource::TopLevel;
use milepost_resource::{Checked, EventKind, Name, Rules, instant};
use milepost_types::{Rejection, ResourceId};
use sha2::{Digest, Sha256};

use super::{check_expire_time, check_service_account};
use crate::tables::{Registry, Rows, Scope};

/// How far ahead a token may end.
const LONGEST_DAYS: i64 = 400;

impl Rules<Registry> for ApiToken {
    type Above = TopLevel;

    const TABLE: u8 = 8;
    const TABLE_NAME: &'static str = "registry.api_tokens";
    const ID_PREFIX: char = 't';

    fn admit(scope: &Scope<'_>, _: Option<&Checked<Self>>, token: &Checked<Self>) -> Result<(), Rejection> {
        let expire_time = instant(token.expire_time.as_ref());
        check_expire_time(scope, "api_token.expire_time", expire_time)?;
        let latest = scope.context.now.saturating_add(SignedDuration::from_hours(24 * LONGEST_DAYS));
        let latest = latest.unwrap_or(Timestamp::MAX);
        if let Some(time) = expire_time.filter(|time| *time > latest) {
            let description =
                format!("{time} is more than {LONGEST_DAYS} days ahead; give {latest} at the latest");
            return Err(Rejection::invalid("api_token.expire_time", "OUT_OF_RANGE", description));
        }
        match token.service_account.parse() {
            Ok(name) => check_service_account(scope, "api_token.service_account", &name),
            Err(error) => Err(Rejection::fault("api_token.service_account", error)),
        }
    }

    /// Of one that is revoked, nothing is compared any more.
    fn complete(
        _: &Scope<'_>,
        kind: &EventKind,
        _: &Name<Self>,
        _: Option<&Checked<Self>>,
        token: &mut Self,
    ) -> Result<(), Rejection> {
        if *kind == EventKind::Deleted {
            token.secret_sha256.clear();
        }
        Ok(())
    }

    fn show(_: &Rows<'_>, _: Timestamp, _: &Name<Self>, token: &mut Self) -> Result<bool, Rejection> {
        let is_kept = !token.secret_sha256.is_empty();
        token.secret_sha256.clear();
        Ok(is_kept)
    }
}

/// A token as its program has it, `mp_{id}_{secret}_{checksum}`. It is not printed.
pub(crate) struct Token(String);

impl Token {
    /// The token of this id with this secret. The checksum is that of all before it, so that a text that is no whole
    /// token is found without its hash.
    pub(crate) fn new(id: &ResourceId, secret: [u8; 32]) -> Self {
        let mut token = format!("mp_{id}_");
        for byte in secret {
            // Writing to a text does not fail.
            let _ = write!(token, "{byte:02x}");
        }
        let checksum = crc32c::crc32c(token.as_bytes());
        Self(format!("{token}_{checksum:08x}"))
    }

    /// The hash that is kept.
    pub(crate) fn sha256(&self) -> Vec<u8> {
        Sha256::digest(&self.0).to_vec()
    }

    /// The token, for the one answer that shows it.
    pub(crate) fn into_shown(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(id: &str, secret: [u8; 32]) -> Token {
        Token::new(&id.parse().unwrap(), secret)
    }

    #[test]
    fn a_token_says_its_id_its_secret_and_a_checksum_of_both() {
        let shown = token("planner-1", [0xab; 32]).into_shown();
        let parts: Vec<_> = shown.split('_').collect();
        let [prefix, id, secret, checksum] = parts[..] else { panic!("{shown}") };
        assert_eq!((prefix, id, secret), ("mp", "planner-1", "ab".repeat(32).as_str()));
        let whole = format!("mp_planner-1_{secret}");
        assert_eq!(checksum, format!("{:08x}", crc32c::crc32c(whole.as_bytes())));
    }

    #[test]
    fn the_hash_is_of_the_whole_token() {
        let hash = token("a", [1; 32]).sha256();
        assert_eq!(hash, Sha256::digest(token("a", [1; 32]).into_shown()).to_vec());
        assert_ne!(hash, token("b", [1; 32]).sha256());
        assert_ne!(hash, token("a", [2; 32]).sha256());
    }
}
