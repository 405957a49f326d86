//! Whether a client certificate counts: one that a CA of clients signed, and that is for the authentication of clients.
//!
//! Invariant: a certificate that does not say what it is for is refused, which the verifier of rustls would accept: a
//! CA that also signs for servers would make clients of them. A client may give none. Does not say who the client is.

use super::certificate::read;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme,
};
use std::sync::Arc;

/// Verifies client certificates by the CAs of clients.
#[derive(Debug)]
pub(super) struct ClientVerifier(Arc<dyn ClientCertVerifier>);

impl ClientVerifier {
    pub(super) fn new(
        authorities: RootCertStore,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, VerifierBuilderError> {
        let builder = WebPkiClientVerifier::builder_with_provider(authorities.into(), Arc::clone(provider));
        builder.allow_unauthenticated().build().map(Self)
    }
}

impl ClientCertVerifier for ClientVerifier {
    fn client_auth_mandatory(&self) -> bool {
        self.0.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.0.verify_client_cert(end_entity, intermediates, now)?;
        let read = read(end_entity).map_err(|_| CertificateError::BadEncoding)?;
        if read.is_for_clients { Ok(verified) } else { Err(CertificateError::InvalidPurpose.into()) }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Authority, DAY, Usage};
    use super::*;
    use jiff::Timestamp;
    use rustls::crypto::ring::default_provider;
    use std::time::Duration;

    #[test]
    fn only_a_certificate_of_a_known_ca_for_clients_counts_while_it_is_valid() {
        let (known, other) = (Authority::new("known"), Authority::new("other"));
        let mut authorities = RootCertStore::empty();
        authorities.add(known.certificate_der()).unwrap();
        let verifier = ClientVerifier::new(authorities, &Arc::new(default_provider())).unwrap();
        assert!(verifier.offer_client_auth() && !verifier.client_auth_mandatory());
        let now = Timestamp::from_second(1_780_000_000).unwrap();
        let verify = |authority: &Authority, usage, from, to| {
            let pair = authority.issue(usage, &["spiffe://office/a"], from, to);
            let time = UnixTime::since_unix_epoch(Duration::from_secs(now.as_second().unsigned_abs()));
            verifier.verify_client_cert(&pair.certificate_der(), &[], time).map(drop)
        };
        let day = |usage, authority: &Authority| verify(authority, usage, now - DAY, now + DAY);
        assert_eq!(day(Usage::Client, &known), Ok(()));
        assert_eq!(day(Usage::Client, &other), Err(CertificateError::UnknownIssuer.into()));
        assert_eq!(day(Usage::Any, &known), Err(CertificateError::InvalidPurpose.into()));
        let refused = |ended: Result<(), Error>| matches!(ended, Err(Error::InvalidCertificate(_)));
        assert!(refused(day(Usage::Server, &known)));
        assert!(refused(verify(&known, Usage::Client, now - 2 * DAY, now - DAY)), "it has expired");
        assert!(refused(verify(&known, Usage::Client, now + DAY, now + 2 * DAY)), "it is not valid yet");
    }
}
