//! What a certificate says: when it is valid, whom it names, what it is for.
//!
//! Invariant: nothing here is trusted by being read; whether a certificate is signed by a CA that counts is for the
//! verifier. Subjects are not read at all: they are texts that any CA fills as it likes.

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::der::oid::db::rfc5280::ID_KP_CLIENT_AUTH;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{ExtendedKeyUsage, SubjectAltName};
use x509_cert::time::Time;

/// What is read of a certificate.
pub(super) struct Read {
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
    pub(super) uri_sans: Vec<String>,
    /// Whether it says that it is for the authentication of clients.
    pub(super) is_for_clients: bool,
}

/// Reads a certificate.
///
/// # Errors
/// Where it is malformed, for people.
pub(super) fn read(der: &CertificateDer<'_>) -> Result<Read, String> {
    let malformed = |error: x509_cert::der::Error| format!("the certificate is malformed: {error}");
    let certificate = Certificate::from_der(der).map_err(malformed)?;
    let certificate = certificate.tbs_certificate();
    let usages = certificate.get_extension::<ExtendedKeyUsage>().map_err(malformed)?;
    let names = certificate.get_extension::<SubjectAltName>().map_err(malformed)?;
    let uri_sans = names.into_iter().flat_map(|(_, names)| names.0).filter_map(|name| match name {
        GeneralName::UniformResourceIdentifier(uri) => Some(uri.as_str().to_owned()),
        _ => None,
    });
    Ok(Read {
        not_before: timestamp(&certificate.validity().not_before),
        not_after: timestamp(&certificate.validity().not_after),
        uri_sans: uri_sans.collect(),
        is_for_clients: usages.is_some_and(|(_, usages)| usages.0.contains(&ID_KP_CLIENT_AUTH)),
    })
}

fn timestamp(time: &Time) -> Timestamp {
    // Certificates without an end are of the year 9999, which is later than timestamps reach.
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).ok();
    seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Authority, DAY, Usage};
    use super::*;

    #[test]
    fn a_certificate_is_read_with_its_times_its_uris_and_its_use() {
        let authority = Authority::new("clients");
        let now = Timestamp::from_second(1_780_000_000).unwrap();
        let uris = ["spiffe://office/registry", "urn:uuid:7"];
        let pair = authority.issue(Usage::Client, &uris, now - DAY, now + DAY);
        let read = read(&pair.certificate_der()).unwrap();
        assert_eq!((read.not_before, read.not_after), (now - DAY, now + DAY));
        assert_eq!((read.uri_sans, read.is_for_clients), (uris.map(str::to_owned).to_vec(), true));
        for usage in [Usage::Server, Usage::Any] {
            let pair = authority.issue(usage, &[], now - DAY, now + DAY);
            assert!(!super::read(&pair.certificate_der()).unwrap().is_for_clients, "{usage:?}");
        }
    }

    #[test]
    fn what_is_no_certificate_is_an_error() {
        let error = read(&CertificateDer::from_slice(b"no")).err().unwrap();
        assert!(error.contains("malformed"), "{error}");
    }
}
