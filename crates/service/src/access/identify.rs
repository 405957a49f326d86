//! From the credential of a call to the holder of grants.
//!
//! Invariant: what is not proved is refused before anything is read of the request; only health may be asked by
//! everybody.

use std::sync::Arc;

use http::HeaderMap;
use milepost_ledger::{Actor, Authentication};
use milepost_proto::error::v1::Reason;
use milepost_types::Clock;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::guard::{AccessRows, unknown_caller};
use super::held::Holder;
use super::{Authority, table};
use crate::audit::{self, Audit, Kind, Record};
use crate::config::access;
use crate::host::{Peer, ServiceContext, code_name};
use crate::identity::{
    Authenticator, CredentialKind, Identity, Outcome, PeerCertificate, Refused, TokenRecord, Tokens,
};
use crate::limits::{Callers, PrincipalStream};
use crate::status::Answer;

/// Finds out who sends calls.
pub(crate) struct Identify {
    authenticator: Authenticator,
    /// Administrators, as long as no other was ever granted.
    bootstrap: Vec<String>,
    audit: Audit,
    clock: Arc<dyn Clock>,
    callers: Callers,
    refusals_per_connection: u32,
}

impl Identify {
    /// As the configuration says; none if nothing tells who calls.
    pub(crate) fn new(config: &access::Access, context: &ServiceContext) -> Option<Arc<Self>> {
        let ServiceContext { access, audit, clock, metrics, .. } = context;
        access.is_enforced().then(|| {
            let tokens = Arc::new(TokenTable(access.rows().cloned()));
            let authenticator = Authenticator::new(config, tokens, Arc::clone(clock), metrics);
            let bootstrap = config.bootstrap_administrators.clone();
            Arc::new(Self {
                authenticator,
                bootstrap,
                audit: audit.clone(),
                clock: Arc::clone(clock),
                callers: Callers::new(&context.limits, metrics),
                refusals_per_connection: context.limits.refusals_per_connection,
            })
        })
    }

    /// Keeps what credentials are verified with, until it is to stop.
    pub(crate) async fn keep(&self, stop: CancellationToken) {
        self.authenticator.keep_keys(stop).await;
    }

    /// Who sends a call of this method with these headers over this connection.
    ///
    /// # Errors
    /// If that is not proved.
    pub(crate) async fn authority(
        &self,
        method: &str,
        headers: &HeaderMap,
        peer: Option<&Peer>,
    ) -> Result<Authority, Status> {
        let certificate: Option<&PeerCertificate> = peer.and_then(|peer| peer.certificate.as_deref());
        match self.authenticator.authenticate_or_wait(headers, certificate).await {
            Ok(Some(identity)) => Ok(Authority::of(self.holder(identity))),
            Ok(None) => {
                let status = unknown_caller();
                self.record(method, peer, &status, "no credential was given");
                Err(status)
            }
            Err(refused) => {
                let status = status(&refused);
                self.record(method, peer, &status, &refused.to_string());
                Err(self.limited(peer, refused.outcome(), status))
            }
        }
    }

    /// Counts a call for its principal, and a stream until what is returned is dropped.
    ///
    /// # Errors
    /// If there are too many.
    pub(crate) fn count(
        &self,
        authority: &Authority,
        is_stream: bool,
    ) -> Result<Option<PrincipalStream>, Status> {
        let Some(holder) = authority.holder() else { return Ok(None) };
        let principal = &holder.actor.principal;
        self.callers.call(principal)?;
        if is_stream { self.callers.stream(principal).map(Some) } else { Ok(None) }
    }

    /// Counts bytes of messages for the principal that sends them.
    ///
    /// # Errors
    /// If they are too many.
    pub(crate) fn count_bytes(&self, authority: &Authority, bytes: usize) -> Result<(), Status> {
        authority.holder().map_or(Ok(()), |holder| self.callers.bytes(&holder.actor.principal, bytes))
    }

    /// Records what was wrong with the credential of a call.
    fn record(&self, method: &str, peer: Option<&Peer>, status: &Status, detail: &str) {
        self.audit.record(|| Record {
            method: method.to_owned(),
            peer: audit::peer(peer.map(|peer| peer.address)),
            code: code_name(status.code()).to_owned(),
            detail: detail.to_owned(),
            ..Record::new(self.clock.now(), Kind::CredentialRefused)
        });
    }

    /// Counts a credential that was refused; the answer to it, unless there were too many: then that.
    fn limited(&self, peer: Option<&Peer>, outcome: Outcome, answer: Status) -> Status {
        let Some(peer) = peer else { return answer };
        match outcome {
            // The credential was good once, or is good.
            Outcome::Expired | Outcome::MetadataNotAllowed => return answer,
            // It may be good; whoever sends many of them may not keep others from having theirs verified.
            Outcome::NotVerifiable => {}
            Outcome::NotAccepted | Outcome::Malformed | Outcome::Ambiguous => {
                peer.refusals.add(self.refusals_per_connection);
            }
        }
        self.callers.refusal(peer.address.ip(), answer)
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
struct TokenTable(Option<Arc<dyn AccessRows>>);

impl Tokens for TokenTable {
    fn find(&self, id: &str) -> Option<TokenRecord> {
        let mut found = None;
        self.0.as_ref()?.read(&mut |rows| found = table::token(rows, id));
        found
    }
}

fn status(refused: &Refused) -> Status {
    let outcome = refused.outcome();
    // The audit log has it: whoever can reach the port could fill this one.
    tracing::debug!(refused = %refused, "a credential was refused");
    let reason =
        if outcome == Outcome::Expired { Reason::CredentialExpired } else { Reason::CredentialInvalid };
    let answer = Answer::new(outcome.code(), reason, refused.message()).with("problem", outcome.problem());
    match refused.retry_after() {
        Some(delay) => answer.retry_after(delay).status(),
        None => answer.status(),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use tonic::Code;
    use tonic_types::StatusExt;

    use super::*;
    use crate::config::server::Server;

    #[tokio::test]
    async fn a_caller_learns_the_problem_with_its_credential_and_the_audit_log_the_cause() {
        let mut config = Server::default();
        config.access.certificates = true;
        config.audit.directory = Some("unused".into());
        let context = ServiceContext::new(&config);
        let identify = Identify::new(&config.access, &context).unwrap();
        let unknown = milepost_types::ApiToken::generate("ci".parse().unwrap(), [7; 32]);
        for (credential, problem, cause) in [
            (format!("Bearer {}", unknown.expose()), "CREDENTIAL_NOT_ACCEPTED", "there is no API token ci"),
            ("Bearer nonsense".to_owned(), "CREDENTIAL_MALFORMED", "the token is malformed"),
            ("Basic bm9uc2Vuc2U=".to_owned(), "CREDENTIAL_MALFORMED", "Bearer TOKEN"),
        ] {
            let headers = HeaderMap::from_iter([(http::header::AUTHORIZATION, credential.parse().unwrap())]);
            let status = identify.authority("test.Echo/Say", &headers, None).await.unwrap_err();
            let info = status.get_details_error_info().unwrap();
            assert_eq!((status.code(), info.reason.as_str()), (Code::Unauthenticated, "CREDENTIAL_INVALID"));
            assert_eq!(info.metadata["problem"], problem);
            let recorded = context.audit.waiting().pop().unwrap();
            assert_eq!(recorded.kind, Kind::CredentialRefused);
            assert!(recorded.detail.contains(cause), "{}", recorded.detail);
            assert!(!status.message().contains(cause) || problem.ends_with("MALFORMED"));
        }
    }

    #[tokio::test]
    async fn refused_credentials_count_for_their_address_and_for_the_connection_unless_they_may_be_good() {
        let mut config = Server::default();
        config.access.certificates = true;
        (config.limits.refusals_per_second, config.limits.refusals_burst) = (1, 2);
        config.limits.refusals_per_connection = 1;
        let context = ServiceContext::new(&config);
        let identify = Identify::new(&config.access, &context).unwrap();
        let closes = |outcome, address: &str| {
            let peer =
                Peer { address: address.parse().unwrap(), certificate: None, refusals: Default::default() };
            let answers =
                (0..9).map(|_| identify.limited(Some(&peer), outcome, Status::unauthenticated("no")));
            let limited = answers.filter(|answer| answer.code() == Code::ResourceExhausted).count();
            (limited > 0, peer.refusals.full().now_or_never().is_some())
        };
        assert_eq!(closes(Outcome::NotAccepted, "192.0.2.1:1"), (true, true));
        assert_eq!(closes(Outcome::NotVerifiable, "192.0.2.2:1"), (true, false));
        assert_eq!(closes(Outcome::Expired, "192.0.2.3:1"), (false, false));
        assert_eq!(closes(Outcome::MetadataNotAllowed, "192.0.2.4:1"), (false, false));
    }
}
