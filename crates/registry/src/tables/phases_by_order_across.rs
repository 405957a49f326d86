//! The phases of all projects of a portfolio by their order: key `portfolio 0 order (u32) deleted (u8)
//! project 0 phase`, no value. Follows the phases. Of one order, those that are deleted stand after those
//! that are not.

use milepost_ledger::KeyRange;
use milepost_ledger::key::{Key, Parts};
use milepost_types::{PhaseName, PortfolioName, ProjectName, ResourceId};

use super::{Tag, phases_by_order};

/// The index row of a phase.
pub(crate) fn key(name: &PhaseName, order: u32, deleted: bool) -> Vec<u8> {
    key_at(name, &phases_by_order::ordered(order, deleted))
}

/// The index row of a phase, by the bytes of its order.
pub(crate) fn key_at(name: &PhaseName, ordered: &[u8]) -> Vec<u8> {
    let project = name.project();
    start(project.portfolio().id()).bytes(ordered).under(project.id()).id(name.id())
}

/// The index rows of a portfolio.
pub(crate) fn of_portfolio(portfolio: &ResourceId) -> KeyRange {
    KeyRange::prefix(&start(portfolio).done())
}

/// The beginning of the keys of a portfolio's phases of this order, by its bytes.
pub(crate) fn beginning(portfolio: &ResourceId, ordered: &[u8]) -> Vec<u8> {
    start(portfolio).bytes(ordered).done()
}

/// Order and whether deleted, as they order, and the phase, in a key.
pub(crate) fn parts(key: &[u8]) -> Option<(&[u8], PhaseName)> {
    let mut key = Parts::of(key, Tag::PhasesByOrderAcross)?;
    let portfolio = PortfolioName::new(key.parent()?);
    let ordered = key.bytes(phases_by_order::ORDERED_BYTES)?;
    let project = ProjectName::new(portfolio, key.parent()?);
    Some((ordered, PhaseName::new(project, key.id()?)))
}

fn start(portfolio: &ResourceId) -> Key {
    Key::of(Tag::PhasesByOrderAcross).under(portfolio)
}
