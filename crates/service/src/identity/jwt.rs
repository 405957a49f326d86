//! A JWT (RFC 7519) as a credential: its form, its signature, its claims.
//!
//! Invariants: what is read before the signature is verified only chooses issuer and key. The algorithm is one of
//! the allowed ones before a key is looked for, and the key must be for it. Issuer, audience, subject,
//! `iat` and `exp` are required. Times come from the caller.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jsonwebtoken::dangerous::insecure_decode_claims;
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, AlgorithmFamily, Validation};
use milepost_types::Principal;
use serde::Deserialize;
use serde_json::Value;

use super::claims::Claims;
use super::credential::{CredentialId, CredentialKind, Verified};
use super::issuer::Issuer;
use super::jwks::{KeySet, Match};
use super::refused::Refused;
use crate::config::access;

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
            [_, _, _, _, _] => return Err(Refused::malformed("it is encrypted")),
            _ => return Err(Refused::malformed("it is no JWT, and no API token")),
        };
        let header = URL_SAFE_NO_PAD.decode(header).ok();
        let header = header.and_then(|json| serde_json::from_slice::<Header>(&json).ok());
        let header = header.ok_or_else(|| Refused::malformed("its header cannot be read"))?;
        // Neither `none`, which is no algorithm, nor HMAC, whose secret a public key could be taken for.
        let public_key = |algorithm: &Algorithm| algorithm.family() != AlgorithmFamily::Hmac;
        let algorithm = header.alg.parse::<Algorithm>().ok().filter(public_key);
        let Some(algorithm) = algorithm else { return Err(Refused::Algorithm(header.alg)) };
        if header.crit.is_some() {
            return Err(Refused::malformed("its header has critical extensions, and none is known here"));
        }
        check_type(header.typ)?;
        // Only to choose the issuer, whose key must verify all of it.
        let claims = insecure_decode_claims::<Claims>(text);
        let claims = claims.map_err(|_| Refused::malformed("its claims cannot be read"))?;
        let issuer = claims.iss.ok_or_else(|| Refused::malformed("it names no issuer"))?;
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
            Match::Ambiguous => return Err(Refused::malformed("it does not say which key signed it")),
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
        let decoded = jsonwebtoken::decode(self.text, key, &validation);
        let claims = Claims::of(alias, decoded.map_err(|error| refused(alias, error))?.claims);

        let principal = Principal::user(alias, claims.subject()?).map_err(Refused::NotPrincipal)?;
        let expires = claims.check_times(&principal, now)?;
        let groups = claims.groups(issuer.config.groups_claim.as_deref())?;
        let credential = CredentialId { kind: CredentialKind::Jwt, id: claims.credential_id(self.text) };
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
            Refused::malformed("its algorithm does not fit its key")
        }
        _ => Refused::malformed("its claims cannot be read"),
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
