//! Supervision: what inspections find, and whether those who are responsible put it right in time.
//!
//! `inspection`, `finding` and `order` are the rules of the three resources, `actions` what may be done to an order,
//! `clock` how near it is to being overdue and how far it has escalated, `days` what a day, or another calendar, makes of
//! that. An order that a step of a warning policy opens is of a warning instead of findings. Invariants: a finding is
//! ORDERED exactly while one order that is not over names it; who answers an order never accepts or returns an answer to
//! it; acts are dated, none after the portfolio's current date.

mod actions;
pub(crate) mod clock;
pub(crate) mod days;
mod finding;
mod inspection;
mod order;

#[cfg(test)]
mod tests;

pub(crate) use actions::{
    Answer, ExtensionRequest, Review, answer, extend, request_extension, review, withdraw as withdraw_order,
};
pub(crate) use clock::is_final;
pub(crate) use finding::{add_evidence, withdraw as withdraw_finding};
pub(crate) use inspection::{cancel, complete};
pub(crate) use order::{NEXT_CHANGE, opened};

use milepost_proto::resource::Resource;
use milepost_proto::tracker::v1::{Evidence, Finding, Inspection, RectificationOrder};
use milepost_resource::Name;
use milepost_types::Rejection;

use crate::names::ProjectName;

/// `portfolios/{portfolio}/projects/{project}/inspections/{inspection}`
pub(crate) type InspectionName = Name<Inspection>;
/// `portfolios/{portfolio}/projects/{project}/findings/{finding}`
pub(crate) type FindingName = Name<Finding>;
/// `portfolios/{portfolio}/projects/{project}/rectificationOrders/{rectification_order}`
pub(crate) type OrderName = Name<RectificationOrder>;

/// The resource that a field names, which must be in this project.
fn in_project<R: Resource>(field: &str, given: &str, project: &ProjectName) -> Result<Name<R>, Rejection> {
    let name: Name<R> = given.parse().map_err(|error| Rejection::fault(field, error))?;
    if name.parent_ids() == project.ids() {
        return Ok(name);
    }
    Err(Rejection::invalid(field, "OTHER_PARENT", format!("{name} is not in {project}")))
}

/// The bytes that documents take in a resource, with what surrounds them there.
fn bytes<'a>(documents: impl IntoIterator<Item = &'a Evidence>) -> usize {
    /// The hash, the time, and what precedes each field.
    const SURROUNDINGS: usize = 72;
    documents.into_iter().map(|document| document.title.len() + document.uri.len() + SURROUNDINGS).sum()
}

/// Refuses more bytes of documents than there may be.
fn check_bytes(what: &'static str, bytes: usize, most: usize) -> Result<(), Rejection> {
    if bytes <= most { Ok(()) } else { Err(Rejection::LimitExceeded { what, limit: most as u64 }) }
}
