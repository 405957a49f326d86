//! Failures of TLS in plain words that say what to change.
//!
//! Invariant: a failure that another attempt would repeat is of kind `InvalidData`, which nothing else here is:
//! HTTP/2 passes on the kind and the text of an error and drops the rest.

use std::io::{self, ErrorKind};

use rustls::{AlertDescription, CertificateError, Error};

/// A failure of TLS that lasts, in these words.
pub(super) fn fault(words: String) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, words)
}

/// Whether an error is a failure of TLS that lasts.
pub(crate) fn is_fault(error: &io::Error) -> bool {
    error.kind() == ErrorKind::InvalidData
}

/// An error of a stream, explained if it is one of TLS.
pub(super) fn explained(error: io::Error) -> io::Error {
    match error.get_ref().and_then(|error| error.downcast_ref()) {
        Some(of_tls) => fault(words(of_tls)),
        None => error,
    }
}

/// An error of a handshake, explained.
pub(super) fn handshake(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::UnexpectedEof => {
            let words =
                "the connection was closed before TLS began: the server may be stopping, or speak no TLS";
            io::Error::other(words)
        }
        _ => explained(error),
    }
}

fn words(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(error) => certificate(error),
        Error::AlertReceived(alert) => refusal(*alert),
        Error::InvalidMessage(_) => "the server speaks no TLS: write http:// in place of https://".to_owned(),
        Error::NoApplicationProtocol => NO_HTTP_2.to_owned(),
        Error::PeerIncompatible(error) => {
            format!("the server and this client have no version of TLS in common: {error:?}")
        }
        error => format!("the TLS connection failed: {error}"),
    }
}

const NO_HTTP_2: &str = "the server speaks TLS, but no gRPC: the URL may be that of something else";
const REFUSED: &str = "the server refuses the client certificate: give one by --cert and --cert-key that";

/// What is wrong with the certificate of the server.
fn certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::UnknownIssuer => "the server's certificate is not signed by a CA that is trusted \
            here: give its CA by --ca (a server: upstream.ca)"
            .to_owned(),
        CertificateError::NotValidForNameContext { expected, presented } => format!(
            "the server's certificate is not for {}, but for {}: use that name in the URL, or give the server \
             another certificate",
            expected.to_str(),
            presented.join(", ")
        ),
        CertificateError::NotValidForName => {
            "the server's certificate is for another host: use the name of that in the URL".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the server's certificate has expired: its operator must renew it; or the clock here is wrong"
                .to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the server's certificate is not valid yet: the clock here, or there, may be wrong".to_owned()
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "the server's certificate is not one for servers: its operator must replace it".to_owned()
        }
        error => format!("the server's certificate cannot be trusted: {error}"),
    }
}

/// Why the server refuses this client.
fn refusal(alert: AlertDescription) -> String {
    use AlertDescription as Alert;
    match alert {
        Alert::CertificateRequired => {
            "the server asks for a client certificate: give one by --cert and --cert-key (a server: upstream.certificate \
             and upstream.key)"
                .to_owned()
        }
        Alert::UnknownCA => {
            "the server does not trust the CA of the client certificate: give one that a CA of its clients signed, by \
             --cert and --cert-key"
                .to_owned()
        }
        Alert::CertificateExpired => format!("{REFUSED} has not expired"),
        Alert::UnsupportedCertificate => format!("{REFUSED} is for client authentication"),
        Alert::BadCertificate | Alert::CertificateRevoked | Alert::CertificateUnknown => {
            format!("{REFUSED} it accepts ({alert:?})")
        }
        Alert::NoApplicationProtocol => NO_HTTP_2.to_owned(),
        Alert::ProtocolVersion | Alert::HandshakeFailure | Alert::InsufficientSecurity => {
            "the server and this client have no version of TLS in common".to_owned()
        }
        Alert::UnrecognisedName => "the server has no certificate for this host: use its name in the URL".to_owned(),
        alert => format!("the server refused the TLS connection: {alert:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usual_failure_says_what_to_change() {
        let certificate = |error| Error::InvalidCertificate(error);
        let alert = Error::AlertReceived;
        for (error, words) in [
            (certificate(CertificateError::UnknownIssuer), "give its CA by --ca"),
            (certificate(CertificateError::Expired), "must renew it"),
            (certificate(CertificateError::NotValidYet), "not valid yet"),
            (certificate(CertificateError::NotValidForName), "for another host"),
            (certificate(CertificateError::InvalidPurpose), "not one for servers"),
            (alert(AlertDescription::CertificateRequired), "give one by --cert and --cert-key"),
            (alert(AlertDescription::UnknownCA), "does not trust the CA of the client certificate"),
            (alert(AlertDescription::CertificateExpired), "has not expired"),
            (alert(AlertDescription::UnsupportedCertificate), "for client authentication"),
            (Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType), "write http://"),
            (Error::NoApplicationProtocol, "no gRPC"),
        ] {
            let explained = explained(io::Error::new(ErrorKind::InvalidData, error));
            assert!(is_fault(&explained) && explained.to_string().contains(words), "{explained}");
        }
    }

    #[test]
    fn what_is_no_failure_of_tls_stays_as_it_is() {
        let reset = explained(ErrorKind::ConnectionReset.into());
        assert_eq!((reset.kind(), is_fault(&reset)), (ErrorKind::ConnectionReset, false));
        assert!(!is_fault(&handshake(ErrorKind::UnexpectedEof.into())), "the next attempt may succeed");
    }
}
