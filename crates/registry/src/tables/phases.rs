//! The phases: key `portfolio 0 project 0 phase`, value the encoded `Phase`. Changed in place.

use bytes::Bytes;
use milepost_ledger::key::{Key, Parts};
use milepost_ledger::{KeyRange, Read, Write};
use milepost_proto::registry::v1 as proto;
use milepost_types::{DamagedRow, PhaseName, PortfolioName, ProjectName, Rejection, ResourceId};

use super::{Tag, decoded, head, phases_by_order, phases_by_order_across, put as put_row, read};
use crate::convert::{self, Unreadable};
use crate::phase::Phase;

/// The key of a phase.
pub(crate) fn key(name: &PhaseName) -> Vec<u8> {
    let project = name.project();
    let key = Key::of(Tag::Phases).under(project.portfolio().id());
    key.under(project.id()).id(name.id())
}

/// The name in a key.
pub(crate) fn name(key: &[u8]) -> Option<PhaseName> {
    let mut key = Parts::of(key, Tag::Phases)?;
    let portfolio = PortfolioName::new(key.parent()?);
    let project = ProjectName::new(portfolio, key.parent()?);
    Some(PhaseName::new(project, key.id()?))
}

/// The phases of a project.
pub(crate) fn of_project(project: &ProjectName) -> KeyRange {
    let key = Key::of(Tag::Phases).under(project.portfolio().id());
    KeyRange::prefix(&key.under(project.id()).done())
}

/// The phases of a portfolio's projects.
pub(crate) fn of_portfolio(portfolio: &ResourceId) -> KeyRange {
    KeyRange::prefix(&Key::of(Tag::Phases).under(portfolio).done())
}

/// All phases.
pub(crate) fn all() -> KeyRange {
    KeyRange::prefix(&Key::of(Tag::Phases).done())
}

/// The phase of this name.
///
/// # Errors
/// If its row cannot be decoded; so with everything here that reads rows.
pub(crate) fn get(rows: &dyn Read, name: &PhaseName) -> Result<Option<Phase>, DamagedRow> {
    read(rows, Tag::Phases, &key(name), convert::phase::stored)
}

/// The phase of this name, as the API tells it.
///
/// # Errors
/// If there is none, or if its row cannot be decoded.
pub(crate) fn message(rows: &dyn Read, name: &PhaseName) -> Result<proto::Phase, Rejection> {
    decoded(rows, Tag::Phases, &key(name))?.ok_or_else(|| Rejection::not_found(name))
}

/// What an index asks of a phase.
#[derive(Clone, PartialEq, prost::Message)]
struct Head {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(int32, tag = "4")]
    order: i32,
    #[prost(message, optional, tag = "22")]
    delete_time: Option<prost_types::Timestamp>,
}

impl Head {
    /// The index rows of the phase.
    fn index(&self, name: &PhaseName) -> Vec<Vec<u8>> {
        let (order, deleted) = (self.order.cast_unsigned(), self.delete_time.is_some());
        vec![phases_by_order::key(name, order, deleted), phases_by_order_across::key(name, order, deleted)]
    }
}

/// Sets a phase's row, and its index rows.
///
/// # Errors
/// If the row to be, or the one before, cannot be decoded.
pub(crate) fn put(rows: &mut dyn Write, row: Bytes) -> Result<(), Unreadable> {
    let (after, name): (Head, PhaseName) = head(&row, |head: &Head| &head.name)?;
    let key = key(&name);
    let before: Option<Head> = decoded(rows, Tag::Phases, &key)?;
    let before = before.map(|before| before.index(&name)).unwrap_or_default();
    put_row(rows, key, row, before, after.index(&name));
    Ok(())
}
