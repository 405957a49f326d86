//! A JWT (RFC 7519) as a credential: its form, its signature, its claims.
//!
//! Invariants: what is read before the signature is verified only chooses issuer and key. The algorithm is one of
//! the allowed ones before a key is looked for, and the key must be for it. Issuer, audience, subject,
//! `iat` and `exp` are required; a token counts for at most [`AGE`] from `iat`, whatever its `exp` says. E-mail
//! addresses are never read. Times come from the caller.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::dangerous::insecure_decode_claims;
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, AlgorithmFamily, Validation};
use milepost_types::Principal;
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::credential::{CredentialId, CredentialKind, hex};
use super::issuer::Issuer;
use super::jwks::{KeySet, Match};
use super::refused::Refused;
use crate::config::access;

/// How far the clocks of issuer and server may differ.
pub(super) const LEEWAY: SignedDuration = SignedDuration::from_secs(30);
/// How long after it was issued a token is accepted.
pub(super) const AGE: SignedDuration = SignedDuration::from_hours(1);
/// Groups of a token, at most.
const GROUPS: usize = 1_000;
/// Characters of a `jti` that identifies a credential.
const JTI_CHARS: usize = 128;

/// What a verified credential proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verified {
    pub(super) principal: Principal,
    pub(super) groups: Arc<[Principal]>,
    pub(super) credential: CredentialId,
    /// From when the credential is no longer accepted.
    pub(super) expires: Timestamp,
}

/// A token of which nothing is verified yet.
#[derive(Debug)]
pub(super) struct Unverified<'a> {
    text: &'a str,
    /// The issuer that it names.
    pub(super) issuer: String,
    algorithm: Algorithm,
    kid: Option<String>,
}

impl<'a> Unverified<'a> {
    /// Reads what says how to verify a token.
    ///
    /// # Errors
    /// If it is no JWT, of another type, or of an algorithm that is not allowed.
    pub(super) fn read(text: &'a str) -> Result<Self, Refused> {
        #[derive(Deserialize)]
        struct Header {
            alg: String,
            typ: Option<String>,
            kid: Option<String>,
            crit: Option<Value>,
        }
        #[derive(Deserialize)]
        struct Claims {
            iss: Option<String>,
        }
        let header = match text.split('.').collect::<Vec<_>>()[..] {
            [header, _, _] => header,
            [_, _, _, _, _] => return Err(Refused::Malformed("it is encrypted")),
            _ => return Err(Refused::Malformed("it is no JWT, and no API token")),
        };
        let header = URL_SAFE_NO_PAD.decode(header).ok();
        let header = header.and_then(|json| serde_json::from_slice::<Header>(&json).ok());
        let header = header.ok_or(Refused::Malformed("its header cannot be read"))?;
        // Neither `none`, which is no algorithm, nor HMAC, whose secret a public key could be taken for.
        let public_key = |algorithm: &Algorithm| algorithm.family() != AlgorithmFamily::Hmac;
        let algorithm = header.alg.parse::<Algorithm>().ok().filter(public_key);
        let Some(algorithm) = algorithm else { return Err(Refused::Algorithm(header.alg)) };
        if header.crit.is_some() {
            return Err(Refused::Malformed("its header has critical extensions, and none is known here"));
        }
        check_type(header.typ)?;
        // Only to choose the issuer, whose key must verify all of it.
        let claims = insecure_decode_claims::<Claims>(text);
        let claims = claims.map_err(|_| Refused::Malformed("its claims cannot be read"))?;
        let issuer = claims.iss.ok_or(Refused::Malformed("it names no issuer"))?;
        Ok(Self { text, issuer, algorithm, kid: header.kid })
    }

    /// Verifies the token with the keys of the issuer that it names.
    ///
    /// # Errors
    /// If anything about it is not as it must be.
    pub(super) fn verify(self, issuer: &Issuer, keys: &KeySet, now: Timestamp) -> Result<Verified, Refused> {
        let alias = &*issuer.alias;
        let allowed = issuer.config.algorithms.iter();
        if !allowed.copied().any(|allowed| Algorithm::from(allowed) == self.algorithm) {
            return Err(Refused::Algorithm(format!("{:?}", self.algorithm)));
        }
        let key = match keys.find(self.kid.as_deref(), self.algorithm) {
            Match::Key(key) => key,
            Match::OtherAlgorithm => return Err(Refused::Algorithm(format!("{:?}", self.algorithm))),
            Match::Ambiguous => return Err(Refused::Malformed("it does not say which key signed it")),
            Match::Unknown => {
                let retry_after = issuer.request_keys();
                return Err(Refused::UnknownKey { alias: alias.to_owned(), kid: self.kid, retry_after });
            }
        };
        let mut validation = Validation::new(self.algorithm);
        // Times are checked below, by the clock of the caller.
        validation.validate_exp = false;
        validation.set_required_spec_claims(&["iss", "aud", "exp", "sub"]);
        validation.set_issuer(&[&issuer.config.issuer]);
        validation.set_audience(&[&issuer.config.audience]);
        let decoded = jsonwebtoken::decode::<Map<String, Value>>(self.text, key, &validation);
        let claims = Claims { alias, claims: decoded.map_err(|error| refused(alias, error))?.claims };

        let sub = claims.text("sub")?.ok_or_else(|| claims.missing("sub"))?;
        let principal = Principal::user(alias, sub).map_err(Refused::NotPrincipal)?;
        let expires = claims.check_times(&principal, now)?;
        let groups = claims.groups(issuer.config.groups_claim.as_deref())?;
        let credential = CredentialId { kind: CredentialKind::Jwt, id: claims.credential(self.text) };
        Ok(Verified { principal, groups, credential, expires })
    }
}

/// Checks `typ`: tokens of other types, such as logout tokens, prove nothing (RFC 8725, 3.11).
fn check_type(given: Option<String>) -> Result<(), Refused> {
    let Some(given) = given else { return Ok(()) };
    let lower = given.to_ascii_lowercase();
    match lower.strip_prefix("application/").unwrap_or(&lower) {
        "jwt" | "at+jwt" => Ok(()),
        _ => Err(Refused::Type(given)),
    }
}

fn refused(alias: &str, error: Error) -> Refused {
    let alias = alias.to_owned();
    match error.into_kind() {
        ErrorKind::InvalidSignature => Refused::Signature { alias },
        ErrorKind::InvalidAudience => Refused::Audience { alias },
        ErrorKind::MissingRequiredClaim(claim) => Refused::MissingClaim { alias, claim },
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidKeyFormat => {
            Refused::Malformed("its algorithm does not fit its key")
        }
        _ => Refused::Malformed("its claims cannot be read"),
    }
}

/// The claims of a token whose signature, issuer and audience are right.
struct Claims<'a> {
    alias: &'a str,
    claims: Map<String, Value>,
}

impl Claims<'_> {
    fn missing(&self, claim: &str) -> Refused {
        Refused::MissingClaim { alias: self.alias.to_owned(), claim: claim.to_owned() }
    }

    fn text(&self, claim: &str) -> Result<Option<&str>, Refused> {
        match self.claims.get(claim) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Refused::Malformed("a claim that is a text is none")),
        }
    }

    fn time(&self, claim: &str) -> Result<Option<Timestamp>, Refused> {
        let malformed = Refused::Malformed("a claim that is a time is none");
        match self.claims.get(claim) {
            None | Some(Value::Null) => Ok(None),
            // Numbers may have a fraction (RFC 7519, 2); the whole second before it is the stricter reading.
            Some(Value::Number(number)) => {
                let second = number.as_i64().or_else(|| number.as_f64().map(|number| number.floor() as i64));
                let time = second.and_then(|second| Timestamp::from_second(second).ok());
                time.map(Some).ok_or(malformed)
            }
            Some(_) => Err(malformed),
        }
    }

    /// From when the token is no longer accepted.
    fn check_times(&self, principal: &Principal, now: Timestamp) -> Result<Timestamp, Refused> {
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
    fn groups(&self, claim: Option<&str>) -> Result<Arc<[Principal]>, Refused> {
        let names = match claim.and_then(|claim| self.claims.get(claim)) {
            None | Some(Value::Null) => return Ok([].into()),
            Some(Value::Array(names)) if names.len() > GROUPS => {
                return Err(Refused::Malformed("it has more than 1000 groups"));
            }
            Some(Value::Array(names)) => names.as_slice(),
            Some(one) => std::slice::from_ref(one),
        };
        let mut groups = Vec::with_capacity(names.len());
        for name in names {
            let name = name.as_str().ok_or(Refused::Malformed("its groups are no texts"))?;
            groups.extend(Principal::group(self.alias, name).ok());
        }
        Ok(groups.into())
    }

    fn credential(&self, text: &str) -> String {
        let usable = |jti: &&str| {
            !jti.is_empty() && jti.len() <= JTI_CHARS && jti.bytes().all(|byte| byte.is_ascii_graphic())
        };
        let jti = self.claims.get("jti").and_then(Value::as_str).filter(usable);
        jti.map_or_else(|| hex(&Sha256::digest(text.as_bytes())[..16]), str::to_owned)
    }
}

impl From<access::Algorithm> for Algorithm {
    fn from(algorithm: access::Algorithm) -> Self {
        match algorithm {
            access::Algorithm::Rs256 => Self::RS256,
            access::Algorithm::Rs384 => Self::RS384,
            access::Algorithm::Rs512 => Self::RS512,
            access::Algorithm::Ps256 => Self::PS256,
            access::Algorithm::Ps384 => Self::PS384,
            access::Algorithm::Ps512 => Self::PS512,
            access::Algorithm::Es256 => Self::ES256,
            access::Algorithm::Es384 => Self::ES384,
            access::Algorithm::EdDsa => Self::EdDSA,
        }
    }
}
