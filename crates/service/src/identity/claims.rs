//! The claims of a JWT that was verified: its times, its groups, its id.
//!
//! Invariant: a token counts for at most [`AGE`] from when it was issued, whatever its end says, and a claim of a
//! wrong type is never taken for one that is missing. E-mail addresses are never read.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use milepost_types::Principal;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::credential::hex;
use super::refused::Refused;

/// How far the clocks of issuer and server may differ.
const LEEWAY: SignedDuration = SignedDuration::from_secs(30);
/// How long after it was issued a token is accepted.
const AGE: SignedDuration = SignedDuration::from_hours(1);
/// Groups of a token, at most.
const GROUPS: usize = 1_000;
/// Characters of a `jti` that identifies a credential.
const JTI_CHARS: usize = 128;

/// The claims of a token whose signature, issuer and audience are right.
pub(super) struct Claims<'a> {
    alias: &'a str,
    claims: Map<String, Value>,
}

impl<'a> Claims<'a> {
    /// The claims of a token of the issuer with this alias.
    pub(super) fn of(alias: &'a str, claims: Map<String, Value>) -> Self {
        Self { alias, claims }
    }

    /// The subject, from which the principal is made.
    pub(super) fn subject(&self) -> Result<&str, Refused> {
        match self.claims.get("sub") {
            None | Some(Value::Null) => Err(self.missing("sub")),
            Some(sub) => sub.as_str().ok_or_else(|| Refused::malformed("its sub is no text")),
        }
    }

    fn missing(&self, claim: &str) -> Refused {
        Refused::MissingClaim { alias: self.alias.to_owned(), claim: claim.to_owned() }
    }

    fn time(&self, claim: &str) -> Result<Option<Timestamp>, Refused> {
        let malformed = || Refused::malformed(format!("its {claim} is no time"));
        match self.claims.get(claim) {
            None | Some(Value::Null) => Ok(None),
            // Numbers may have a fraction (RFC 7519, 2); the whole second before it is the stricter reading.
            Some(Value::Number(number)) => {
                let second = number.as_i64().or_else(|| number.as_f64().map(|number| number.floor() as i64));
                let time = second.and_then(|second| Timestamp::from_second(second).ok());
                time.map(Some).ok_or_else(malformed)
            }
            Some(_) => Err(malformed()),
        }
    }

    /// From when the token is no longer accepted, if it is now.
    pub(super) fn check_times(&self, principal: &Principal, now: Timestamp) -> Result<Timestamp, Refused> {
        let after = |time: Timestamp, span| time.checked_add(span).unwrap_or(Timestamp::MAX);
        let expires = self.time("exp")?.ok_or_else(|| self.missing("exp"))?;
        let issued = self.time("iat")?.ok_or_else(|| self.missing("iat"))?;
        let from = self.time("nbf")?.map_or(issued, |from| from.max(issued));
        let principal = principal.clone();
        if from > after(now, LEEWAY) {
            return Err(Refused::NotYetValid { principal, from });
        }
        if now >= after(expires, LEEWAY) {
            return Err(Refused::Expired { principal, at: expires });
        }
        let too_old = after(after(issued, AGE), LEEWAY);
        if now >= too_old {
            return Err(Refused::TooOld { principal, issued });
        }
        Ok(after(expires, LEEWAY).min(too_old))
    }

    /// The groups; one whose name is too long for a principal is left out, for no grant could name it.
    pub(super) fn groups(&self, claim: Option<&str>) -> Result<Arc<[Principal]>, Refused> {
        let names = match claim.and_then(|claim| self.claims.get(claim)) {
            None | Some(Value::Null) => return Ok([].into()),
            Some(Value::Array(names)) if names.len() > GROUPS => {
                return Err(Refused::malformed(format!("it has more than {GROUPS} groups")));
            }
            Some(Value::Array(names)) => names.as_slice(),
            Some(one) => std::slice::from_ref(one),
        };
        let mut groups = Vec::with_capacity(names.len());
        for name in names {
            let name = name.as_str().ok_or_else(|| Refused::malformed("a group of it is no text"))?;
            groups.extend(Principal::group(self.alias, name).ok());
        }
        Ok(groups.into())
    }

    /// What identifies the token for audit: its `jti`, or the beginning of its hash.
    pub(super) fn credential_id(&self, text: &str) -> String {
        let usable = |jti: &&str| {
            !jti.is_empty() && jti.len() <= JTI_CHARS && jti.bytes().all(|byte| byte.is_ascii_graphic())
        };
        let jti = self.claims.get("jti").and_then(Value::as_str).filter(usable);
        jti.map_or_else(|| hex(&Sha256::digest(text.as_bytes())[..16]), str::to_owned)
    }
}
