//! Says who a call is of, from its metadata and the client certificate of its connection.
//!
//! Invariants: a call has at most one principal, and it is proved; what cannot be verified is refused, never taken
//! as no credential. Verifying takes no I/O: keys come from a background future, [`Authenticator::keep_keys`].
//! There is one only where authentication is configured.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join_all;
use http::HeaderMap;
use jiff::Timestamp;
use milepost_types::{Clock, Principal};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::cache::{Cache, Entry, TokenHash};
use super::credential::{CredentialId, CredentialKind, Identity, PeerCertificate, Verified, hex};
use super::fetch::Client;
use super::issuer::Issuer;
use super::jwt::Unverified;
use super::metadata;
use super::metrics::IdentityMetrics;
use super::refused::Refused;
use super::tokens::{self, Tokens};
use crate::config::access::Access;
use crate::telemetry::Metrics;

/// Says who calls are of.
pub struct Authenticator {
    /// Whether client certificates prove who calls; else they only protect connections.
    certificates: bool,
    issuers: BTreeMap<String, Issuer>,
    tokens: Arc<dyn Tokens>,
    cache: Cache,
    client: Client,
    metrics: IdentityMetrics,
    clock: Arc<dyn Clock>,
}

impl Authenticator {
    /// An authenticator for this configuration. JWTs are refused until [`keep_keys`](Self::keep_keys) has run.
    pub fn new(access: &Access, tokens: Arc<dyn Tokens>, clock: Arc<dyn Clock>, metrics: &Metrics) -> Self {
        super::crypto::install();
        let issuers =
            access.issuers.iter().map(|(alias, config)| (alias.clone(), Issuer::new(alias, config)));
        Self {
            certificates: access.certificates,
            issuers: issuers.collect(),
            tokens,
            cache: Cache::default(),
            client: Client::default(),
            metrics: IdentityMetrics::register(metrics),
            clock,
        }
    }

    /// Who the call with this metadata is of; `None` if it has no credential.
    /// `certificate` is the client certificate of its connection, which was verified.
    ///
    /// # Errors
    /// If a credential is not accepted, there are several, or metadata says who calls without proof.
    pub fn authenticate(
        &self,
        metadata: &HeaderMap,
        certificate: Option<&PeerCertificate>,
        now: Timestamp,
    ) -> Result<Option<Identity>, Refused> {
        if metadata.contains_key(milepost_proto::PRINCIPAL_METADATA) {
            return Err(Refused::Claimed);
        }
        let by_token = match metadata::bearer(metadata)? {
            Some(text) if milepost_types::ApiToken::is_meant_by(text) => {
                Some(tokens::verify(self.tokens.as_ref(), text, now)?)
            }
            Some(text) => Some(self.verify_jwt(text, now)?),
            None => None,
        };
        let certificate = certificate.filter(|_| self.certificates);
        let by_certificate =
            certificate.map(|certificate| verify_certificate(certificate, now)).transpose()?;
        let verified = match (by_token, by_certificate) {
            (Some(one), Some(other)) if one.principal != other.principal => {
                return Err(Refused::TwoPrincipals { one: one.principal, other: other.principal });
            }
            (verified, other) => verified.or(other),
        };
        let on_behalf_of = metadata::on_behalf_of(metadata)?;
        Ok(verified.map(|verified| Identity {
            principal: verified.principal,
            groups: verified.groups,
            credential: verified.credential,
            expires: verified.expires,
            on_behalf_of,
        }))
    }

    /// As [`authenticate`](Self::authenticate) by the clock, but for a token with a key that is being fetched it
    /// waits until the fetch ends, at most 10 s: a new key of an issuer is then not noticed by callers.
    ///
    /// # Errors
    /// Those of [`authenticate`](Self::authenticate).
    pub async fn authenticate_or_wait(
        &self,
        metadata: &HeaderMap,
        certificate: Option<&PeerCertificate>,
    ) -> Result<Option<Identity>, Refused> {
        let refused = match self.authenticate(metadata, certificate, self.clock.now()) {
            Err(refused) if refused.alias_without_key().is_some() => refused,
            result => return result,
        };
        if let Some(issuer) = refused.alias_without_key().and_then(|alias| self.issuers.get(alias)) {
            issuer.wait_for_keys().await;
        }
        self.authenticate(metadata, certificate, self.clock.now())
    }

    /// Fetches the keys of all issuers, at once and then whenever that is due, until `stop`.
    pub async fn keep_keys(&self, stop: CancellationToken) {
        let keep = self.issuers.iter().map(|(alias, issuer)| async {
            issuer.keep_keys(&self.client, &self.metrics.of(alias), self.clock.as_ref()).await;
        });
        stop.run_until_cancelled(join_all(keep)).await;
    }

    fn verify_jwt(&self, text: &str, now: Timestamp) -> Result<Verified, Refused> {
        let hash: TokenHash = Sha256::digest(text.as_bytes()).into();
        if let Some(entry) = self.cache.get(&hash, now) {
            let keys = self.issuers.get(&*entry.alias).and_then(Issuer::keys);
            if keys.is_some_and(|keys| Arc::ptr_eq(&keys, &entry.keys)) {
                return Ok(entry.verified);
            }
        }
        let token = Unverified::read(text)?;
        let issuer = self.issuers.values().find(|issuer| issuer.config.issuer == token.issuer);
        let Some(issuer) = issuer else { return Err(Refused::UnknownIssuer(token.issuer)) };
        let Some(keys) = issuer.keys() else {
            let retry_after = issuer.keys_due();
            return Err(Refused::NoKeys { alias: issuer.alias.to_string(), retry_after });
        };
        let verified = token.verify(issuer, &keys, now)?;
        self.cache.put(hash, Entry::new(verified.clone(), Arc::clone(&issuer.alias), keys, now));
        Ok(verified)
    }
}

impl std::fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authenticator").field("issuers", &self.issuers.keys()).finish_non_exhaustive()
    }
}

fn verify_certificate(certificate: &PeerCertificate, now: Timestamp) -> Result<Verified, Refused> {
    let [uri] = certificate.uris.as_slice() else {
        return Err(Refused::CertificateUris(certificate.uris.len()));
    };
    let principal = Principal::certificate(uri).map_err(Refused::NotPrincipal)?;
    if now >= certificate.not_after {
        return Err(Refused::Expired { principal, at: certificate.not_after });
    }
    let credential = CredentialId { kind: CredentialKind::Certificate, id: hex(&certificate.fingerprint) };
    Ok(Verified { principal, groups: [].into(), credential, expires: certificate.not_after })
}

#[cfg(test)]
mod tests;
