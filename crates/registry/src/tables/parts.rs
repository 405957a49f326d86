//! The parts of projects, not deleted, by parent: key `portfolio 0 parent 0 project`, no value. Follows
//! the projects. Parent and part are in one portfolio.

use milepost_ledger::key::{Key, Parts};
use milepost_ledger::{Direction, KeyRange, Read};
use milepost_types::{ProjectName, ResourceId};

use super::Tag;

/// The index row of a part.
pub(crate) fn key(portfolio: &ResourceId, parent: &ResourceId, id: &ResourceId) -> Vec<u8> {
    Key::of(Tag::Parts).under(portfolio).under(parent).id(id)
}

/// The first parts of a project, at most so many.
pub(crate) fn first(rows: &dyn Read, parent: &ProjectName, count: usize) -> Vec<ProjectName> {
    let portfolio = parent.portfolio();
    let key = Key::of(Tag::Parts).under(portfolio.id()).under(parent.id()).done();
    let rows = rows.scan(&KeyRange::prefix(&key), Direction::Forward).take(count);
    rows.filter_map(|(key, _)| Some(ProjectName::new(portfolio.clone(), id(&key)?))).collect()
}

/// The part's id in a key.
pub(crate) fn id(key: &[u8]) -> Option<ResourceId> {
    let mut key = Parts::of(key, Tag::Parts)?;
    key.text()?;
    key.text()?;
    key.id()
}
