//! Why a call is refused before anybody looks at what it asks for.
//!
//! Invariant: `Display` has the details, for the audit log; a caller learns only the [`Outcome`], so that an answer
//! does not help to guess. An expired credential is never answered like one that was not accepted: whoever holds it
//! can renew it. No text of a caller is repeated unquoted or at length, and no secret at all.

use std::time::Duration;

use jiff::Timestamp;
use milepost_types::{ApiTokenError, Principal, PrincipalError, quoted};

use super::outcome::Outcome;

/// Why a call is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A header that may be given once is given more often.
    #[error("{header} is given {count} times")]
    RepeatedHeader {
        /// Which.
        header: &'static str,
        /// How often.
        count: usize,
    },
    /// A principal is claimed, where it must be proved.
    #[error(
        "{} is given, which does not count where authentication is configured",
        milepost_proto::PRINCIPAL_METADATA
    )]
    Claimed,
    /// The principal to act for is malformed.
    #[error("{header}: {0}", header = super::ON_BEHALF_OF)]
    OnBehalfOf(PrincipalError),
    /// Two credentials name different principals.
    #[error("the credentials name two principals, {one} and {other}")]
    TwoPrincipals {
        /// That of the token.
        one: Principal,
        /// That of the certificate.
        other: Principal,
    },
    /// `authorization` is not `Bearer` and a token.
    #[error("authorization is not of the form Bearer TOKEN")]
    NotBearer,
    /// A token that is no JWT, or has a part of a wrong form.
    #[error("the token is malformed: {0}")]
    Malformed(String),
    /// A JWT of a type that proves nothing here.
    #[error("the token is of type {}, not JWT or at+jwt", quoted(.0))]
    Type(String),
    /// A JWT that is signed, or not signed, in a way that is not allowed.
    #[error("the token's algorithm {} is not allowed", quoted(.0))]
    Algorithm(String),
    /// No issuer of this name is configured.
    #[error("{} is no configured issuer", quoted(.0))]
    UnknownIssuer(String),
    /// None of the issuer's known keys has this id.
    #[error("issuer {alias} has no key {}; its keys are fetched again", .kid.as_deref().map_or("without an id".to_owned(), quoted))]
    UnknownKey {
        /// The issuer.
        alias: String,
        /// The key that the token names, if it names one.
        kid: Option<String>,
        /// When the keys may have been fetched.
        retry_after: Duration,
    },
    /// No keys of the issuer could be fetched yet.
    #[error("the keys of issuer {alias} could not be fetched yet")]
    NoKeys {
        /// The issuer.
        alias: String,
        /// When the keys may have been fetched.
        retry_after: Duration,
    },
    /// The signature does not verify.
    #[error("the signature of the token of issuer {alias} is wrong")]
    Signature {
        /// The issuer that the token names.
        alias: String,
    },
    /// The token is for another server.
    #[error("the token of issuer {alias} is not for the audience of this server")]
    Audience {
        /// The issuer.
        alias: String,
    },
    /// A required claim is missing.
    #[error("the token of issuer {alias} has no {claim}")]
    MissingClaim {
        /// The issuer.
        alias: String,
        /// The claim.
        claim: String,
    },
    /// The subject cannot be a principal.
    #[error("the credential names no principal: {0}")]
    NotPrincipal(PrincipalError),
    /// The credential has ended.
    #[error("the credential of {principal} expired at {at}")]
    Expired {
        /// Whose it was.
        principal: Principal,
        /// When.
        at: Timestamp,
    },
    /// The token was issued longer ago than tokens are accepted, though it has not expired.
    #[error("the token of {principal} was issued at {issued}, more than an hour ago")]
    TooOld {
        /// Whose it is.
        principal: Principal,
        /// When.
        issued: Timestamp,
    },
    /// The token is not valid yet.
    #[error("the token of {principal} is not valid before {from}; compare the clocks of issuer and server")]
    NotYetValid {
        /// Whose it is.
        principal: Principal,
        /// From when.
        from: Timestamp,
    },
    /// An API token that is damaged or incomplete.
    #[error("{0}")]
    TokenForm(ApiTokenError),
    /// No API token has this id, or it was revoked.
    #[error("there is no API token {id}, or it was revoked")]
    UnknownToken {
        /// The id.
        id: String,
    },
    /// The secret is not that of the API token with this id.
    #[error("the secret of API token {id} is wrong")]
    WrongSecret {
        /// The id.
        id: String,
    },
    /// The client certificate has no URI as alternative name, or several.
    #[error("the client certificate has {0} URIs as alternative names, not one")]
    CertificateUris(usize),
}

impl Refused {
    pub(super) fn malformed(what: impl Into<String>) -> Self {
        Self::Malformed(what.into())
    }

    /// What a caller learns.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Expired { .. } | Self::TooOld { .. } => Outcome::Expired,
            Self::UnknownKey { .. } | Self::NoKeys { .. } => Outcome::NotVerifiable,
            Self::NotBearer | Self::Malformed(_) | Self::TokenForm(_) => Outcome::Malformed,
            Self::RepeatedHeader { .. } | Self::TwoPrincipals { .. } => Outcome::Ambiguous,
            Self::Claimed | Self::OnBehalfOf(_) => Outcome::MetadataNotAllowed,
            Self::Type(_)
            | Self::Algorithm(_)
            | Self::UnknownIssuer(_)
            | Self::Signature { .. }
            | Self::Audience { .. }
            | Self::MissingClaim { .. }
            | Self::NotPrincipal(_)
            | Self::NotYetValid { .. }
            | Self::UnknownToken { .. }
            | Self::WrongSecret { .. }
            | Self::CertificateUris(_) => Outcome::NotAccepted,
        }
    }

    /// How soon the same call may succeed, if it may.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::UnknownKey { retry_after, .. } | Self::NoKeys { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }

    /// The issuer whose keys are missing.
    pub(super) fn alias_without_key(&self) -> Option<&str> {
        match self {
            Self::UnknownKey { alias, .. } | Self::NoKeys { alias, .. } => Some(alias),
            _ => None,
        }
    }

    /// What the answer says, with what to do.
    pub fn message(&self) -> String {
        match self {
            Self::Claimed | Self::OnBehalfOf(_) | Self::RepeatedHeader { .. } => {
                format!("{self}; {}", self.outcome().advice())
            }
            _ => self.outcome().advice().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;

    #[test]
    fn a_caller_does_not_learn_why_a_credential_was_not_accepted() {
        let id = || "ci".to_owned();
        let guessing = [
            Refused::UnknownToken { id: id() },
            Refused::WrongSecret { id: id() },
            Refused::UnknownIssuer(id()),
            Refused::Signature { alias: id() },
        ];
        for refused in &guessing {
            assert_eq!(refused.message(), guessing[0].message(), "{refused}");
            assert_eq!(refused.outcome().code(), Code::Unauthenticated);
        }
    }

    #[test]
    fn long_and_strange_texts_of_callers_are_quoted_and_cut() {
        let text = format!("x\n{}", "y".repeat(100_000));
        let kid = Some(text.clone());
        let alias = "corp".to_owned();
        for refused in [
            Refused::UnknownIssuer(text.clone()),
            Refused::Algorithm(text.clone()),
            Refused::Type(text.clone()),
            Refused::UnknownKey { alias, kid, retry_after: Duration::ZERO },
        ] {
            let shown = refused.to_string();
            assert!(shown.len() < 300 && !shown.contains('\n'), "{shown}");
        }
    }

    #[test]
    fn what_is_wrong_with_other_metadata_is_said() {
        let refused = Refused::Claimed;
        assert_eq!(refused.outcome().code(), Code::InvalidArgument);
        assert!(refused.message().contains("x-milepost-principal"), "{}", refused.message());
        let refused = Refused::OnBehalfOf(PrincipalError::Text);
        assert!(refused.message().contains("visible ASCII"), "{}", refused.message());
    }
}
