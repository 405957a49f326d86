//! The phases of a project by their order: key `portfolio 0 project 0 order (u32) deleted (u8) phase`, no
//! value. Follows the phases. Those that are deleted stand after the one that is not.

use milepost_ledger::key::{Key, Parts};
use milepost_ledger::{Direction, KeyRange, Read};
use milepost_types::{PhaseName, ProjectName, ResourceId};

use super::Tag;

/// Bytes of an order in a key.
pub(super) const ORDERED_BYTES: usize = 5;

/// The index row of a phase.
pub(crate) fn key(name: &PhaseName, order: u32, deleted: bool) -> Vec<u8> {
    key_at(name, &ordered(order, deleted))
}

/// The index row of a phase, by the bytes of its order.
pub(crate) fn key_at(name: &PhaseName, ordered: &[u8]) -> Vec<u8> {
    start(name.project()).bytes(ordered).id(name.id())
}

/// An order, and whether deleted, as bytes that order so.
pub(crate) fn ordered(order: u32, deleted: bool) -> [u8; ORDERED_BYTES] {
    let [a, b, c, d] = order.to_be_bytes();
    [a, b, c, d, u8::from(deleted)]
}

/// The index rows of a project.
pub(crate) fn of_project(project: &ProjectName) -> KeyRange {
    KeyRange::prefix(&start(project).done())
}

/// The phase of a project that has this place and is not deleted.
pub(crate) fn holder(rows: &dyn Read, project: &ProjectName, order: u32) -> Option<PhaseName> {
    let range = KeyRange::prefix(&start(project).bytes(&ordered(order, false)).done());
    let (key, _) = rows.scan(&range, Direction::Forward).next()?;
    Some(PhaseName::new(project.clone(), parts(&key)?.1))
}

/// Order and whether deleted, as they order, and the phase's id, in a key.
pub(crate) fn parts(key: &[u8]) -> Option<(&[u8], ResourceId)> {
    let mut key = Parts::of(key, Tag::PhasesByOrder)?;
    key.text()?;
    key.text()?;
    Some((key.bytes(ORDERED_BYTES)?, key.id()?))
}

fn start(project: &ProjectName) -> Key {
    Key::of(Tag::PhasesByOrder).under(project.portfolio().id()).under(project.id())
}
