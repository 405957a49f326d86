//! What a caller proves its identity with, and the identity that follows.
//!
//! Invariant: an identity names the one principal of one credential, and identifies that credential for audit
//! without holding any part of it that could be used. Does not say what the principal may do.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use milepost_types::Principal;

/// Who a call is of, proved by a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The principal that the credential proves.
    pub principal: Principal,
    /// The groups that the principal is in, as its issuer says.
    pub groups: Arc<[Principal]>,
    /// The credential.
    pub credential: CredentialId,
    /// From when the credential is no longer accepted: streams end then.
    pub expires: Timestamp,
    /// The principal that the caller says to act for. It is not proved: whoever decides on access checks that the
    /// principal may act for it.
    pub on_behalf_of: Option<Principal>,
}

/// What a verified credential proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verified {
    pub(super) principal: Principal,
    pub(super) groups: Arc<[Principal]>,
    pub(super) credential: CredentialId,
    /// From when the credential is no longer accepted.
    pub(super) expires: Timestamp,
}

/// The kinds of credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CredentialKind {
    /// A JWT of an issuer.
    Jwt,
    /// An API token of ours.
    ApiToken,
    /// A client certificate.
    Certificate,
}

impl CredentialKind {
    /// The kind in audit logs: `jwt`, `token` or `cert`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jwt => "jwt",
            Self::ApiToken => "token",
            Self::Certificate => "cert",
        }
    }

    /// The id in the text of a credential of this kind.
    pub fn id_in(self, credential: &str) -> Option<&str> {
        credential.strip_prefix(self.as_str())?.strip_prefix(':')
    }
}

/// Identifies a credential in entries and audit logs; `Display` is `{kind}:{id}`, at most 134 ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CredentialId {
    /// Its kind.
    pub kind: CredentialKind,
    /// The `jti` of a JWT, or the first 16 bytes of its SHA-256 in hexadecimal digits; the id of an API token; the
    /// SHA-256 of a certificate in hexadecimal digits.
    pub id: String,
}

impl fmt::Display for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.as_str(), self.id)
    }
}

/// The verified client certificate of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerCertificate {
    /// The URIs among its subject alternative names, in its order.
    pub uris: Vec<String>,
    /// The SHA-256 of its DER.
    pub fingerprint: [u8; 32],
    /// Its end.
    pub not_after: Timestamp,
}

/// Bytes in hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
