//! From the credential of a call to the holder of grants.
//!
//! Invariant: what is not proved is refused before anything is read of the request; only health may be asked by
//! everybody.

use std::sync::Arc;

use http::HeaderMap;
use milepost_ledger::{Actor, Authentication};
use milepost_proto::error::v1::Reason;
use milepost_types::{Clock, ResourceId};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::guard::{AccessRows, unknown_caller};
use super::held::Holder;
use super::{Access, Authority, table};
use crate::config::access;
use crate::host::Peer;
use crate::identity::{
    Authenticator, CredentialKind, Identity, Outcome, PeerCertificate, Refused, TokenRecord, Tokens,
};
use crate::status::Answer;
use crate::telemetry::Metrics;

/// Finds out who sends calls.
pub(crate) struct Identify {
    authenticator: Authenticator,
    /// Administrators, as long as no other was ever granted.
    bootstrap: Vec<String>,
}

impl Identify {
    /// As the configuration says; none if nothing tells who calls.
    pub(crate) fn new(
        config: &access::Access,
        access: &Access,
        clock: Arc<dyn Clock>,
        metrics: &Metrics,
    ) -> Option<Arc<Self>> {
        access.is_enforced().then(|| {
            let tokens = Arc::new(Granted(access.rows().cloned()));
            let authenticator = Authenticator::new(config, tokens, clock, metrics);
            Arc::new(Self { authenticator, bootstrap: config.bootstrap_administrators.clone() })
        })
    }

    /// Keeps what credentials are verified with, until it is to stop.
    pub(crate) async fn keep(&self, stop: CancellationToken) {
        self.authenticator.keep_keys(stop).await;
    }

    /// Who sends a call with these headers over this connection.
    ///
    /// # Errors
    /// If that is not proved.
    pub(crate) async fn authority(
        &self,
        headers: &HeaderMap,
        peer: Option<&Peer>,
    ) -> Result<Authority, Status> {
        let certificate: Option<&PeerCertificate> = peer.and_then(|peer| peer.certificate.as_deref());
        match self.authenticator.authenticate_or_wait(headers, certificate).await {
            Ok(Some(identity)) => Ok(Authority::of(self.holder(identity))),
            Ok(None) => Err(unknown_caller()),
            Err(refused) => Err(status(&refused)),
        }
    }

    fn holder(&self, identity: Identity) -> Holder {
        let Identity { principal, groups, credential, expires, on_behalf_of } = identity;
        let principal = principal.to_string();
        let groups: Vec<_> = groups.iter().map(ToString::to_string).collect();
        let is_bootstrap = self.bootstrap.iter().any(|first| *first == principal || groups.contains(first));
        let authentication = match credential.kind {
            CredentialKind::Jwt => Authentication::Jwt,
            CredentialKind::ApiToken => Authentication::ApiToken,
            CredentialKind::Certificate => Authentication::Certificate,
        };
        let on_behalf_of = on_behalf_of.map(|other| other.to_string()).unwrap_or_default();
        Holder {
            actor: Actor { principal, authentication, on_behalf_of, credential: credential.to_string() },
            groups,
            expire_time: Some(expires),
            is_bootstrap,
        }
    }
}

/// The API tokens that were granted, as far as this process knows.
struct Granted(Option<Arc<dyn AccessRows>>);

impl Tokens for Granted {
    fn find(&self, id: &str) -> Option<TokenRecord> {
        let mut found = None;
        self.0.as_ref()?.read(&mut |rows| found = table::token(rows, id));
        let token = found?;
        let service_account: ResourceId = token.service_account.parse().ok()?;
        let table::Token { hash, expire_time, .. } = token;
        Some(TokenRecord { hash, service_account, expire_time, revoked: false })
    }
}

fn status(refused: &Refused) -> Status {
    let outcome = refused.outcome();
    tracing::info!(refused = %refused, "a credential was refused");
    let reason =
        if outcome == Outcome::Expired { Reason::CredentialExpired } else { Reason::CredentialInvalid };
    let answer = Answer::new(outcome.code(), reason, refused.message()).with("problem", outcome.reason());
    match refused.retry_after() {
        Some(delay) => answer.retry_after(delay).status(),
        None => answer.status(),
    }
}
