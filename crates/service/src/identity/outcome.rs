//! What a caller learns of a refusal: code, reason, and what to do.
//!
//! Invariant: an outcome tells apart what a caller can act on, and nothing that would help to guess credentials.

use tonic::Code;

/// What a caller learns of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The credential has expired: renew it.
    Expired,
    /// The credential is not accepted: another one is needed.
    NotAccepted,
    /// The credential is damaged or incomplete.
    Malformed,
    /// The credential cannot be verified now: try again. It counts for its address, but closes no connection.
    NotVerifiable,
    /// There is more than one credential.
    Ambiguous,
    /// Other metadata is not allowed.
    MetadataNotAllowed,
}

impl Outcome {
    /// The status code.
    pub fn code(self) -> Code {
        match self {
            Self::MetadataNotAllowed => Code::InvalidArgument,
            _ => Code::Unauthenticated,
        }
    }

    /// What is wrong, as the answer says it to programs: the metadata `problem` of its reason.
    pub fn problem(self) -> &'static str {
        match self {
            Self::Expired => "CREDENTIAL_EXPIRED",
            Self::NotAccepted => "CREDENTIAL_NOT_ACCEPTED",
            Self::Malformed => "CREDENTIAL_MALFORMED",
            Self::NotVerifiable => "CREDENTIAL_NOT_VERIFIABLE",
            Self::Ambiguous => "CREDENTIAL_AMBIGUOUS",
            Self::MetadataNotAllowed => "METADATA_NOT_ALLOWED",
        }
    }

    /// What is so, and what to do.
    pub(super) fn advice(self) -> &'static str {
        match self {
            Self::Expired => {
                "the credential has expired or is too old; get a new one and send the call again"
            }
            Self::NotAccepted => {
                "the credential is not accepted; use one that was issued for this server \
                 (the cause is in its audit log, where one is kept)"
            }
            Self::Malformed => {
                "the credential cannot be read; send it as `authorization: Bearer TOKEN`, with a JWT or an API \
                 token exactly as it was issued"
            }
            Self::NotVerifiable => {
                "the keys to verify the credential are being fetched; send the call again after the delay"
            }
            Self::Ambiguous => "send one credential: a token or a client certificate, and each header once",
            Self::MetadataNotAllowed => "leave it out or correct it; who calls is taken from the credential",
        }
    }
}
