//! API tokens: the check of a secret against what is stored of it.
//!
//! Invariant: secrets are compared in constant time, and an unknown id takes the same work as a wrong secret, so that
//! neither a secret nor an id can be found by timing. The end of a token is looked at only once the secret is
//! right. Does not store tokens.

use jiff::Timestamp;
use milepost_types::{ApiToken, Principal, ResourceId};
use subtle::ConstantTimeEq;

use super::credential::{CredentialId, CredentialKind, Verified};
use super::refused::Refused;

/// The API tokens that were issued.
pub trait Tokens: Send + Sync + 'static {
    /// What is stored of the token with this id; nothing of one that was revoked.
    fn find(&self, id: &str) -> Option<TokenRecord>;
}

/// What is stored of an API token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRecord {
    /// The SHA-256 of its text ([`ApiToken::hash`]).
    pub hash: [u8; 32],
    /// The id of the service account that it proves.
    pub service_account: ResourceId,
    /// From when it is no longer accepted.
    pub expire_time: Timestamp,
}

/// Verifies an API token.
///
/// # Errors
/// If its form is wrong, no such token was issued, or it was revoked or has expired.
pub(super) fn verify(tokens: &dyn Tokens, text: &str, now: Timestamp) -> Result<Verified, Refused> {
    let token: ApiToken = text.parse().map_err(Refused::TokenForm)?;
    let record = tokens.find(token.id().as_str());
    let stored = record.as_ref().map_or([0; 32], |record| record.hash);
    let is_right = bool::from(token.hash().ct_eq(&stored));
    let id = token.id().to_string();
    let Some(record) = record else { return Err(Refused::UnknownToken { id }) };
    if !is_right {
        return Err(Refused::WrongSecret { id });
    }
    let principal = Principal::service_account(&record.service_account);
    if now >= record.expire_time {
        return Err(Refused::Expired { principal, at: record.expire_time });
    }
    let credential = CredentialId { kind: CredentialKind::ApiToken, id };
    Ok(Verified { principal, groups: [].into(), credential, expires: record.expire_time })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    struct Issued(BTreeMap<String, TokenRecord>);

    impl Tokens for Issued {
        fn find(&self, id: &str) -> Option<TokenRecord> {
            self.0.get(id).cloned()
        }
    }

    #[test]
    fn a_token_proves_its_service_account_until_it_ends() {
        let token = |id: &str, secret: u8| ApiToken::generate(id.parse().unwrap(), [secret; 32]);
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let later = Timestamp::from_second(1_800_000_060).unwrap();
        let record = |token: &ApiToken, expire_time| {
            let service_account = "sync".parse().unwrap();
            let record = TokenRecord { hash: token.hash(), service_account, expire_time };
            (token.id().to_string(), record)
        };
        let [good, old] = [token("good", 1), token("old", 2)];
        let issued = Issued([record(&good, later), record(&old, now)].into());

        let verified = verify(&issued, good.expose(), now).unwrap();
        assert_eq!(verified.principal.as_str(), "serviceaccount:sync");
        assert_eq!(verified.credential.to_string(), "token:good");
        assert_eq!(verified.expires, later);

        let refused = |text: &str| verify(&issued, text, now).unwrap_err();
        assert!(matches!(refused(old.expose()), Refused::Expired { .. }));
        assert_eq!(refused(token("none", 1).expose()), Refused::UnknownToken { id: "none".into() });
        // With any other secret; whether it has expired is then not said.
        for id in ["good", "old"] {
            assert_eq!(refused(token(id, 9).expose()), Refused::WrongSecret { id: id.into() });
        }
        assert!(matches!(refused(&good.expose()[..59]), Refused::TokenForm(_)));
        assert!(matches!(verify(&issued, good.expose(), later), Err(Refused::Expired { .. })));
    }
}
