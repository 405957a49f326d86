//! What list requests ask for, and the tokens between their pages.
//!
//! Invariant: a page token is good for the request that it was made for and no other: its digest covers
//! parent, filter, order and whether deleted ones are shown, in canonical spelling.

use std::fmt::Display;
use std::hash::Hash;

use milepost_ledger::Direction;
use milepost_proto::registry::v1 as proto;
use milepost_types::filter::Schema;
use milepost_types::{
    Filter, OrderBy, PageToken, Rejection, RequestDigest, TokenError, TokenKind, Violations, page_size,
};

use crate::list::{Place, Query};

/// The fields that every list request has.
pub(crate) struct Asked<'a> {
    /// The method's full name.
    pub(crate) method: &'static str,
    pub(crate) page_size: i32,
    pub(crate) page_token: &'a str,
    pub(crate) filter: &'a str,
    pub(crate) order_by: &'a str,
    pub(crate) show_deleted: bool,
}

macro_rules! list_requests {
    ($($request:ident = $method:literal),* $(,)?) => {$(
        impl<'a> From<&'a proto::$request> for Asked<'a> {
            fn from(request: &'a proto::$request) -> Self {
                Self {
                    method: $method,
                    page_size: request.page_size,
                    page_token: &request.page_token,
                    filter: &request.filter,
                    order_by: &request.order_by,
                    show_deleted: request.show_deleted,
                }
            }
        }
    )*};
}

list_requests!(
    ListPortfoliosRequest = "milepost.registry.v1.PortfolioService/ListPortfolios",
    ListOrganizationsRequest = "milepost.registry.v1.OrganizationService/ListOrganizations",
    ListProjectsRequest = "milepost.registry.v1.ProjectService/ListProjects",
    ListPhasesRequest = "milepost.registry.v1.PhaseService/ListPhases",
    ListBatchesRequest = "milepost.registry.v1.BatchService/ListBatches",
);

/// A list request, read.
pub(crate) struct Listing<P, F, O> {
    pub(crate) parent: P,
    pub(crate) query: Query<F, O>,
    digest: RequestDigest,
    /// The sequence at which the first page was read, if this is not the first.
    sequence: Option<u64>,
}

impl<P, F, O> Listing<P, F, O> {
    /// The token of the page after one that was read at `sequence`; empty if there is none.
    pub(crate) fn next_page_token(&self, next: Option<Place>, sequence: u64) -> String {
        let token = |place: Place| PageToken {
            request: self.digest,
            sequence: self.sequence.unwrap_or(sequence),
            after: place.encode(),
        };
        next.map(|place| token(place).encode()).unwrap_or_default()
    }
}

/// Reads a list request. The first of `orders` is that of an empty `order_by`.
pub(crate) fn listing<P, F, O>(
    asked: Asked<'_>,
    parent: impl FnOnce(&mut Violations) -> Option<P>,
    schema: &Schema<F>,
    orders: &[(&'static str, O)],
) -> Result<Listing<P, F, O>, Rejection>
where
    P: Display,
    F: Copy + Eq + Hash,
    O: Copy + PartialEq,
{
    let mut violations = Violations::new();
    let parent = parent(&mut violations);
    let size = violations.check("page_size", page_size(asked.page_size));
    let order = violations.check("order_by", OrderBy::parse(asked.order_by, orders));
    if order.as_ref().is_some_and(|order| order.terms().len() > 1) {
        violations.push(
            "order_by",
            "INVALID_ORDER_BY",
            "order by one field; the name decides what it leaves open",
        );
    }
    let (parent, size, order) = violations.finish((|| Some((parent?, size?, order?)))())?;
    let filter =
        Filter::parse(asked.filter, schema).map_err(|error| Rejection::Filter { field: "filter", error })?;
    let (order, direction) = match order.terms().first() {
        Some(term) if term.descending => (term.field, Direction::Backward),
        Some(term) => (term.field, Direction::Forward),
        None => (orders[0].1, Direction::Forward),
    };
    let path = orders.iter().find(|(_, known)| *known == order).map_or("", |(path, _)| path);
    let parts = [
        parent.to_string(),
        filter.to_string(),
        format!("{path} {direction:?}"),
        asked.show_deleted.to_string(),
    ];
    let digest = RequestDigest::of(asked.method, parts);
    let token = Some(asked.page_token).filter(|token| !token.is_empty());
    let token =
        token.map(|token| PageToken::decode(token, &digest)).transpose().map_err(Rejection::PageToken)?;
    let sequence = token.as_ref().map(|token| token.sequence);
    let after = token.map(|token| Place::decode(&token.after).ok_or(MALFORMED)).transpose();
    let after = after.map_err(Rejection::PageToken)?;
    let query = Query { filter, order, direction, show_deleted: asked.show_deleted, size, after };
    Ok(Listing { parent, query, digest, sequence })
}

const MALFORMED: TokenError = TokenError::Malformed { expected: TokenKind::Page };

/// What a list has as its parent if it has none.
pub(crate) struct Everything;

impl Display for Everything {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}
