//! The phases: key `portfolio 0 project 0 phase`, value the encoded `Phase`. Changed in place.

use bytes::Bytes;
use milepost_ledger::key::{Key, Parts};
use milepost_ledger::{KeyRange, Read, Write};
use milepost_proto::registry::v1 as proto;
use milepost_types::{PhaseName, PortfolioName, ProjectName, ResourceId};

use super::{Tag, decoded, phases_by_order, phases_by_order_across, put as put_row};
use crate::convert;
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
pub(crate) fn get(rows: &dyn Read, name: &PhaseName) -> Option<Phase> {
    rows.get(&key(name)).map(|row| convert::phase::stored(decoded(row, Tag::Phases)))
}

/// The phase of this name, as the API tells it.
pub(crate) fn message(rows: &dyn Read, name: &PhaseName) -> Option<proto::Phase> {
    rows.get(&key(name)).map(|row| decoded(row, Tag::Phases))
}

/// What an index asks of a phase.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Head {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(int32, tag = "4")]
    order: i32,
    #[prost(message, optional, tag = "22")]
    delete_time: Option<prost_types::Timestamp>,
}

impl Head {
    /// The head of a row.
    pub(crate) fn of(row: Bytes) -> Self {
        decoded(row, Tag::Phases)
    }

    /// The phase's place among the project's.
    pub(crate) fn order(&self) -> u32 {
        self.order.cast_unsigned()
    }

    /// Whether it is deleted.
    pub(crate) fn is_deleted(&self) -> bool {
        self.delete_time.is_some()
    }
}

/// Sets a phase's row, and its index rows.
pub(crate) fn put(rows: &mut dyn Write, row: Bytes) {
    let head = Head::of(row.clone());
    let name: PhaseName = head.name.parse().unwrap_or_else(|error| panic!("a row without a name: {error}"));
    let key = key(&name);
    let index = |head: Head| {
        let (order, deleted) = (head.order(), head.is_deleted());
        vec![phases_by_order::key(&name, order, deleted), phases_by_order_across::key(&name, order, deleted)]
    };
    let before = rows.get(&key).map(|row| index(Head::of(row))).unwrap_or_default();
    put_row(rows, key, row, before, index(head));
}
