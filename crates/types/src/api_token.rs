//! An API token: the secret of a service account, in a form that secret scanners recognise.
//!
//! Invariant: the text is `mp_{id}_{secret}_{checksum}`: the id of the token's resource (which has no `_`),
//! 256 random bits as 43 characters of URL-safe base64, and the CRC-32C of all before it as 8 hexadecimal
//! digits, so that a typing error is found without a look-up. Neither `Debug` nor an error shows the
//! secret. Does not draw random bits, and does not know which tokens exist.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::id::ResourceId;
use crate::violation::Fault;

const PREFIX: &str = "mp_";
const SECRET_BYTES: usize = 32;
const SECRET_CHARS: usize = 43;
const CHECKSUM_CHARS: usize = 8;

/// An API token whose form and checksum are right.
#[derive(Clone)]
pub struct ApiToken {
    text: Box<str>,
    id: ResourceId,
}

impl ApiToken {
    /// Bytes of the random part of a token.
    pub const RANDOM_BYTES: usize = SECRET_BYTES;

    /// The token of this resource id with this secret, whose bits the caller draws from a secure source.
    pub fn generate(id: ResourceId, random: [u8; Self::RANDOM_BYTES]) -> Self {
        let text = format!("{PREFIX}{id}_{}", URL_SAFE_NO_PAD.encode(random));
        let text = format!("{text}_{}", checksum(&text)).into();
        Self { text, id }
    }

    /// Whether a credential is meant to be an API token: whether it begins as one.
    pub fn is_meant_by(text: &str) -> bool {
        text.starts_with(PREFIX)
    }

    /// The id of the token's resource.
    pub fn id(&self) -> &ResourceId {
        &self.id
    }

    /// The SHA-256 of the whole text, which is all that is ever stored of it.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.text.as_bytes()).into()
    }

    /// The whole text with the secret, to be shown to its owner once.
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for ApiToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiToken({PREFIX}{}_…)", self.id)
    }
}

/// Why a text is no API token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ApiTokenError {
    /// It does not begin as one.
    #[error("an API token begins with {PREFIX}")]
    Prefix,
    /// A part is missing, or has a wrong length or character.
    #[error("an API token has the form mp_ID_SECRET_CHECKSUM; give it exactly as it was shown")]
    Form,
    /// The checksum does not fit: characters were lost or changed.
    #[error("the API token is damaged: its checksum does not fit; give it exactly as it was shown")]
    Checksum,
}

impl Fault for ApiTokenError {
    fn reason(&self) -> &'static str {
        "INVALID_API_TOKEN"
    }
}

impl FromStr for ApiToken {
    type Err = ApiTokenError;

    fn from_str(text: &str) -> Result<Self, ApiTokenError> {
        let rest = text.strip_prefix(PREFIX).ok_or(ApiTokenError::Prefix)?;
        let (id, rest) = rest.split_once('_').ok_or(ApiTokenError::Form)?;
        let id: ResourceId = id.parse().map_err(|_| ApiTokenError::Form)?;
        // The secret may hold `_` itself, so it is found by its length.
        let (secret, rest) = rest.split_at_checked(SECRET_CHARS).ok_or(ApiTokenError::Form)?;
        let given = rest.strip_prefix('_').ok_or(ApiTokenError::Form)?;
        let bytes = URL_SAFE_NO_PAD.decode(secret).map_err(|_| ApiTokenError::Form)?;
        if bytes.len() != SECRET_BYTES || given.len() != CHECKSUM_CHARS {
            return Err(ApiTokenError::Form);
        }
        if given != checksum(&text[..text.len() - CHECKSUM_CHARS - 1]) {
            return Err(ApiTokenError::Checksum);
        }
        Ok(Self { text: text.into(), id })
    }
}

fn checksum(text: &str) -> String {
    format!("{:08x}", crc32c::crc32c(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn token(random: [u8; 32]) -> ApiToken {
        ApiToken::generate("ci-7".parse().unwrap(), random)
    }

    #[test]
    fn the_form_and_the_hash_never_change() {
        let token = token([0xfb; 32]);
        assert_eq!(token.expose(), "mp_ci-7_-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s_be9755e9");
        let hash: String = token.hash().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hash, "e1be5fd8a76ed99f870b5cd7998ba2d0068e13ec12b787fd1479cff40e68f42c");
    }

    #[test]
    fn every_typing_error_is_found_and_says_what_to_do() {
        let token = token(*b"0123456789abcdef0123456789ABCDEF");
        let text = token.expose();
        for at in 0..text.len() {
            let other = if &text[at..=at] == "a" { "b" } else { "a" };
            let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
            assert!(changed.parse::<ApiToken>().is_err(), "{changed}");
            let cut = format!("{}{}", &text[..at], &text[at + 1..]);
            assert!(cut.parse::<ApiToken>().is_err(), "{cut}");
        }
        for (given, error) in [
            ("", ApiTokenError::Prefix),
            ("Bearer x", ApiTokenError::Prefix),
            ("mp_", ApiTokenError::Form),
            ("mp_ci-7", ApiTokenError::Form),
            ("mp_CI_x_y", ApiTokenError::Form),
            (&text.replace("_MDEy", "_甲DEy"), ApiTokenError::Form),
            (&text.replace("_MDEy", "_MDEz"), ApiTokenError::Checksum),
            (&text.to_uppercase(), ApiTokenError::Prefix),
            (&format!("{text} "), ApiTokenError::Form),
        ] {
            assert_eq!(given.parse::<ApiToken>().unwrap_err(), error, "{given}");
        }
    }

    #[test]
    fn what_is_logged_of_a_token_does_not_hold_its_secret() {
        let token = token([7; 32]);
        let secret = &token.expose()[8..51];
        assert_eq!(format!("{token:?}"), "ApiToken(mp_ci-7_…)");
        let damaged = token.expose().replace("_B", "_C").parse::<ApiToken>().unwrap_err();
        assert!(!format!("{damaged} {damaged:?}").contains(&secret[4..]));
    }

    proptest! {
        #[test]
        fn a_token_is_read_back(random: [u8; 32]) {
            let token = token(random);
            let read: ApiToken = token.expose().parse().unwrap();
            prop_assert_eq!(read.id().as_str(), "ci-7");
            prop_assert_eq!(read.hash(), token.hash());
        }
    }
}
