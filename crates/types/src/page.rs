//! Paging: how many resources a page has, and where the next one begins.
//!
//! Invariant: a page token is good only for the request it was made for: the digest covers every
//! parameter but `page_size` and `page_token`. It carries the key to resume after, not an offset,
//! so resources that come and go between pages neither repeat nor hide others.

use sha2::{Digest, Sha256};

use crate::limits::{PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX};
use crate::token::{self, TokenError, TokenKind};
use crate::violation::Fault;

/// A negative page size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("page_size is {0}; give 0 for the default of 50, or 1 to 1000")]
pub struct PageSizeError(i32);

impl Fault for PageSizeError {
    fn reason(&self) -> &'static str {
        "INVALID_PAGE_SIZE"
    }
}

/// How many resources to answer with: 0 asks for the default, more than the maximum gets the
/// maximum (AIP-158).
pub fn page_size(asked: i32) -> Result<usize, PageSizeError> {
    match usize::try_from(asked) {
        Ok(0) => Ok(PAGE_SIZE_DEFAULT),
        Ok(size) => Ok(size.min(PAGE_SIZE_MAX)),
        Err(_) => Err(PageSizeError(asked)),
    }
}

/// The first 16 bytes of a SHA-256 over what a list asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestDigest([u8; 16]);

impl RequestDigest {
    /// The digest of a method's full name and its parameters, in an order the method keeps.
    ///
    /// Each part is hashed with its length, so that parts cannot run into one another. Give
    /// canonical parts (a filter's `Display`) where another spelling asks for the same.
    pub fn of<P: AsRef<[u8]>>(method: &str, parameters: impl IntoIterator<Item = P>) -> Self {
        let mut hasher = Sha256::new();
        let mut add = |part: &[u8]| {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        };
        add(method.as_bytes());
        for parameter in parameters {
            add(parameter.as_ref());
        }
        let mut digest = [0; 16];
        digest.copy_from_slice(&hasher.finalize()[..16]);
        Self(digest)
    }

    /// A digest from its bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// Where a list goes on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PageToken {
    /// The request that the list belongs to.
    pub request: RequestDigest,
    /// The sequence of the state that the first page was read at.
    pub sequence: u64,
    /// The key of the last resource on the page before; the next page begins after it. At most
    /// 12,000 bytes fit.
    pub after: Vec<u8>,
}

const VERSION: u8 = 1;

impl PageToken {
    /// The text for `next_page_token`.
    pub fn encode(&self) -> String {
        let mut payload = Vec::with_capacity(24 + self.after.len());
        payload.extend_from_slice(self.request.as_bytes());
        payload.extend_from_slice(&self.sequence.to_be_bytes());
        payload.extend_from_slice(&self.after);
        token::seal(TokenKind::Page, VERSION, &payload)
    }

    /// Reads a token that came with a request of this digest.
    pub fn decode(text: &str, request: &RequestDigest) -> Result<Self, TokenError> {
        let payload = token::open(TokenKind::Page, VERSION, text)?;
        let malformed = TokenError::Malformed { expected: TokenKind::Page };
        let (digest, rest) = payload.split_first_chunk::<16>().ok_or(malformed)?;
        let (sequence, after) = rest.split_first_chunk::<8>().ok_or(malformed)?;
        if digest != request.as_bytes() {
            return Err(TokenError::OtherRequest);
        }
        Ok(Self { request: *request, sequence: u64::from_be_bytes(*sequence), after: after.to_vec() })
    }
}
