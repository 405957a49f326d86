//! Says who a call is of, from its metadata and the client certificate of its connection.
//!
//! Invariants: a call has at most one principal, and it is proved; what cannot be verified is refused, never taken
//! as no credential. Verifying takes no I/O: keys come from a background future, [`Authenticator::keep_keys`].
//! Without any authentication configured, nothing is looked at and no call has an identity.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join_all;
use http::HeaderMap;
use jiff::Timestamp;
use milepost_types::{Clock, Principal};
use parking_lot::RwLock;
use sha2::{Digest, Sha256};
use tokio::sync::Notify;
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
    trust: RwLock<Arc<Trust>>,
    reloaded: Notify,
    tokens: Arc<dyn Tokens>,
    cache: Cache,
    client: Client,
    metrics: IdentityMetrics,
    clock: Arc<dyn Clock>,
}

/// What is configured.
struct Trust {
    is_configured: bool,
    certificates: bool,
    issuers: BTreeMap<String, Arc<Issuer>>,
}

impl Authenticator {
    /// An authenticator for this configuration. JWTs are refused until [`keep_keys`](Self::keep_keys) has run.
    pub fn new(access: &Access, tokens: Arc<dyn Tokens>, clock: Arc<dyn Clock>, metrics: &Metrics) -> Self {
        super::crypto::install();
        Self {
            trust: RwLock::new(Arc::new(Trust::of(access, &BTreeMap::new()))),
            reloaded: Notify::new(),
            tokens,
            cache: Cache::default(),
            client: Client::default(),
            metrics: IdentityMetrics::register(metrics),
            clock,
        }
    }

    /// Whether callers must prove who they are.
    pub fn is_configured(&self) -> bool {
        self.trust().is_configured
    }

    /// Takes another configuration. Issuers that are the same keep their keys; tokens of those that are gone or
    /// changed are verified again.
    pub fn reload(&self, access: &Access) {
        let mut trust = self.trust.write();
        let before = Arc::clone(&trust);
        *trust = Arc::new(Trust::of(access, &before.issuers));
        for alias in before.issuers.keys().filter(|alias| !trust.issuers.contains_key(*alias)) {
            self.metrics.remove(alias);
        }
        self.reloaded.notify_one();
    }

    /// Who the call with this metadata is of; `None` if it has no credential, or nothing is configured.
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
        let trust = self.trust();
        if !trust.is_configured {
            return Ok(None);
        }
        if metadata.contains_key(milepost_proto::PRINCIPAL_METADATA) {
            return Err(Refused::Claimed);
        }
        let by_token = match metadata::bearer(metadata)? {
            Some(text) if milepost_types::ApiToken::is_meant_by(text) => {
                Some(tokens::verify(self.tokens.as_ref(), text, now)?)
            }
            Some(text) => Some(self.verify_jwt(&trust, text, now)?),
            None => None,
        };
        let certificate = certificate.filter(|_| trust.certificates);
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
        let trust = self.trust();
        if let Some(issuer) = refused.alias_without_key().and_then(|alias| trust.issuers.get(alias)) {
            issuer.wait_for_keys().await;
        }
        self.authenticate(metadata, certificate, self.clock.now())
    }

    /// Fetches the keys of all issuers, at once and then whenever that is due, until `stop`.
    pub async fn keep_keys(&self, stop: CancellationToken) {
        loop {
            let trust = self.trust();
            let keep_all = async {
                let keep = trust.issuers.iter().map(|(alias, issuer)| async {
                    issuer.keep_keys(&self.client, &self.metrics.of(alias), self.clock.as_ref()).await;
                });
                join_all(keep).await;
                // Without issuers there is nothing to do until there are some.
                std::future::pending::<()>().await;
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.reloaded.notified() => {}
                () = keep_all => {}
            }
        }
    }

    fn trust(&self) -> Arc<Trust> {
        Arc::clone(&self.trust.read())
    }

    fn verify_jwt(&self, trust: &Trust, text: &str, now: Timestamp) -> Result<Verified, Refused> {
        let hash: TokenHash = Sha256::digest(text.as_bytes()).into();
        if let Some(entry) = self.cache.get(&hash, now) {
            let keys = trust.issuers.get(&*entry.alias).and_then(|issuer| issuer.keys());
            if keys.is_some_and(|keys| Arc::ptr_eq(&keys, &entry.keys)) {
                return Ok(entry.verified);
            }
        }
        let token = Unverified::read(text)?;
        let issuer = trust.issuers.values().find(|issuer| issuer.config.issuer == token.issuer);
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
        let trust = self.trust();
        f.debug_struct("Authenticator").field("issuers", &trust.issuers.keys()).finish_non_exhaustive()
    }
}

impl Trust {
    fn of(access: &Access, before: &BTreeMap<String, Arc<Issuer>>) -> Self {
        let issuers = access.issuers.iter().map(|(alias, config)| {
            let same = before.get(alias).filter(|issuer| issuer.config == *config);
            (alias.clone(), same.map_or_else(|| Arc::new(Issuer::new(alias, config)), Arc::clone))
        });
        Self {
            is_configured: access.is_configured(),
            certificates: access.certificates,
            issuers: issuers.collect(),
        }
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
