//! What page tokens say: which list they belong to, and where its page ended.
//!
//! Callers hold tokens across upgrades, so a format stays as it is.

use milepost_ledger::Direction;
use milepost_types::{PageToken, Rejection, RequestDigest, TokenError, TokenKind};

/// The refusal of a page token that says nothing to go on after.
pub const MALFORMED: Rejection = Rejection::PageToken(TokenError::Malformed { expected: TokenKind::Page });

/// The pages of a request: where this one goes on, and what the token of the next belongs to.
pub struct Paging {
    request: RequestDigest,
    /// The sequence at which the first page was read, if this is not the first.
    sequence: Option<u64>,
    /// Where the page before ended, if this is not the first.
    pub after: Option<Vec<u8>>,
}

impl Paging {
    /// Reads the token of a request to a method, with which it is the same request if all these parts are.
    ///
    /// # Errors
    /// If the token is none, or of another request.
    pub fn read(
        method: &str,
        parts: impl IntoIterator<Item = String>,
        page_token: &str,
    ) -> Result<Self, Rejection> {
        let request = RequestDigest::of(method, parts);
        let token = Some(page_token).filter(|token| !token.is_empty());
        let token = token.map(|token| PageToken::decode(token, &request)).transpose();
        let token = token.map_err(Rejection::PageToken)?;
        let sequence = token.as_ref().map(|token| token.sequence);
        Ok(Self { request, sequence, after: token.map(|token| token.after) })
    }

    /// The token of the page after one that ended here and was read at `sequence`; empty if there is none.
    pub fn next(&self, after: Option<Vec<u8>>, sequence: u64) -> String {
        let (request, sequence) = (self.request, self.sequence.unwrap_or(sequence));
        after.map(|after| PageToken { request, sequence, after }.encode()).unwrap_or_default()
    }
}

/// Where a resource stands in a list: what it is ordered by, and its row's key. Sort keys compare as the list's
/// order does, from the least.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SortKey {
    /// Bytes that order as the fields do; none in the order of names.
    pub order: Vec<u8>,
    /// The key of the resource's row.
    pub key: Vec<u8>,
}

/// A list, in canonical spelling.
pub struct Listed<'a> {
    /// Under what.
    pub parent: String,
    /// Which.
    pub filter: String,
    /// By which field; none for the order of names.
    pub order: Option<&'a str>,
    /// From which end.
    pub direction: Direction,
    /// Whether deleted ones are listed too.
    pub show_deleted: bool,
}

/// How the page tokens of a list are written.
pub trait TokenFormat: Sync {
    /// What a token belongs to: it is good for the same list and no other.
    fn list(&self, list: &Listed<'_>) -> Vec<String>;

    /// The bytes of where a page ended.
    fn encode(&self, after: &SortKey) -> Vec<u8>;

    /// Where a page ended; `None` if the bytes say nothing such. Not `ordered`: the list is in the order of names.
    fn decode(&self, after: &[u8], ordered: bool) -> Option<SortKey>;
}

/// The format of lists that have none of their own.
pub(crate) static PLAIN: Plain = Plain;

/// See [`PLAIN`].
pub(crate) struct Plain;

impl TokenFormat for Plain {
    fn list(&self, Listed { parent, filter, order, direction, show_deleted }: &Listed<'_>) -> Vec<String> {
        let order = format!("{} {direction:?}", order.unwrap_or("name"));
        vec![parent.clone(), filter.clone(), order, show_deleted.to_string()]
    }

    fn encode(&self, SortKey { order, key }: &SortKey) -> Vec<u8> {
        // An order is at most a display name.
        let length = u16::try_from(order.len()).unwrap_or(u16::MAX);
        [&length.to_be_bytes()[..], order, key].concat()
    }

    fn decode(&self, after: &[u8], _: bool) -> Option<SortKey> {
        let (length, rest) = after.split_first_chunk::<2>()?;
        let (order, key) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        Some(SortKey { order: order.to_vec(), key: key.to_vec() })
    }
}
