//! A person as ledgers keep one: by an id.
//!
//! Invariant: what this lets through is a principal of a person, or an id of an office's own, and does not look like an
//! address. Names, numbers and addresses of people never enter a journal, which keeps everything for ever.

use crate::principal::{Principal, PrincipalError, PrincipalKind};
use crate::quote::{quoted, shortened};
use crate::violation::Fault;

/// Why a text is no id of a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PersonError {
    /// No principal at all.
    #[error("{0}")]
    Principal(#[from] PrincipalError),
    /// A group, a program or a certificate.
    #[error("{} is no person; give user:ISSUER/SUBJECT, or an id of the office's own", quoted(.0))]
    Kind(String),
    /// What looks like an e-mail address.
    #[error(
        "{} looks like an address, and what is registered is kept for ever; give user:ISSUER/SUBJECT, or an id of \
         the office's own",
        quoted(.0)
    )]
    Address(String),
}

impl Fault for PersonError {
    fn reason(&self) -> &'static str {
        "INVALID_PERSON"
    }
}

/// Checks the id of a person.
///
/// # Errors
/// If it is none.
pub fn check_person(text: &str) -> Result<(), PersonError> {
    let principal: Principal = text.parse()?;
    match principal.kind() {
        _ if text.contains('@') => Err(PersonError::Address(shortened(text))),
        PrincipalKind::User | PrincipalKind::Plain => Ok(()),
        PrincipalKind::Group | PrincipalKind::ServiceAccount | PrincipalKind::Certificate => {
            Err(PersonError::Kind(shortened(text)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_a_principal_of_a_person_or_an_id_of_the_office() {
        for id in ["user:corp/u-17", "officer-17", "Z0017"] {
            assert_eq!(check_person(id), Ok(()), "{id}");
        }
    }

    #[test]
    fn what_is_no_person_or_looks_like_an_address_is_refused() {
        for (text, says) in [
            ("", "1 to 200 visible ASCII characters"),
            ("王芳", "1 to 200 visible ASCII characters"),
            ("wang fang", "1 to 200 visible ASCII characters"),
            ("user:corp/", "lacks a part"),
            ("group:corp/officers", "is no person"),
            ("serviceaccount:importer", "is no person"),
            ("cert:spiffe://office/sync", "is no person"),
            ("wang@example.com", "looks like an address"),
            ("user:corp/wang@example.com", "looks like an address"),
        ] {
            let error = check_person(text).unwrap_err();
            assert!(error.to_string().contains(says), "{text}: {error}");
            assert_eq!(error.reason(), "INVALID_PERSON");
        }
    }
}
