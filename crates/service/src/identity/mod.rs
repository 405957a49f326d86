//! Who a call is of: tokens of issuers (JWT), API tokens and client certificates become one principal.
//!
//! [`Authenticator`] reads the metadata of a call and the client certificate of its connection, and answers an
//! [`Identity`], nothing, or why the call is [`Refused`]. Everything that could be looked up is kept in memory:
//! the keys of issuers are fetched in the background, API tokens come from the caller as [`Tokens`].
//!
//! Invariant: a principal is proved by exactly one credential, and everything fails closed. What a principal may
//! do is not decided here, and neither is what a call without an identity may do.

mod authenticator;
mod cache;
mod claims;
mod credential;
mod crypto;
mod fetch;
mod issuer;
mod jwks;
mod jwt;
mod metadata;
mod metrics;
mod outcome;
mod refused;
mod source;
mod tokens;
pub mod url;

pub use authenticator::Authenticator;
pub use credential::{CredentialId, CredentialKind, Identity, PeerCertificate};
pub(crate) use metadata::single;
pub use metadata::{ON_BEHALF_OF, on_behalf_of};
pub use metrics::{JWKS_FETCH_FAILURES_TOTAL, JWKS_FETCH_TIME_SECONDS};
pub use outcome::Outcome;
pub use refused::Refused;
pub use tokens::{TokenRecord, Tokens};

#[cfg(test)]
mod testing;
