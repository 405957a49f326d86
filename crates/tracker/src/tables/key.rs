//! The keys of what is kept of portfolios and projects, and how resources are named in values.
//!
//! Invariant: the keys under a parent are those with its prefix.

use milepost_ledger::key::Key;
use milepost_proto::resource::Resource;
use milepost_resource::Name;
use milepost_types::ResourceId;

use super::Table;
use crate::names::{PortfolioName, ProjectName};

/// The key of the row of the portfolio or project with these ids.
pub(crate) fn of(table: Table, ids: &[ResourceId]) -> Vec<u8> {
    match ids {
        [above @ .., id] => above.iter().fold(Key::of(table), Key::under).id(id),
        [] => Key::of(table).done(),
    }
}

/// The key of a portfolio's row.
pub(crate) fn of_portfolio(table: Table, name: &PortfolioName) -> Vec<u8> {
    of(table, name.ids())
}

/// The key of a project's row.
pub(crate) fn of_project(table: Table, name: &ProjectName) -> Vec<u8> {
    of(table, name.ids())
}

/// A name as bytes: its ids, with a zero between them.
pub(super) fn ids_of<R: Resource>(name: &Name<R>) -> Vec<u8> {
    name.ids().iter().map(|id| id.as_str().as_bytes()).collect::<Vec<_>>().join(&0)
}

/// The name that these bytes are.
pub(super) fn name_of<R: Resource>(ids: &[u8]) -> Option<Name<R>> {
    let ids = ids.split(|byte| *byte == 0).map(|id| std::str::from_utf8(id).ok()?.parse().ok());
    Name::of(ids.collect::<Option<_>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::MilestoneName;
    use milepost_proto::tracker::v1::Milestone;

    /// Persisted: stores hold these bytes.
    #[test]
    fn the_bytes_of_keys_never_change() {
        let name: MilestoneName = "portfolios/wsc/projects/road/milestones/start".parse().unwrap();
        assert_eq!(of_portfolio(Table::Portfolio, &name.parent().parent()), b"\x04wsc");
        assert_eq!(of_project(Table::Project, &name.parent()), b"\x05wsc\0road");
        assert_eq!(ids_of(&name), b"wsc\0road\0start");
        assert_eq!(name_of(b"wsc\0road\0start"), Some(name));
        for nonsense in [&b""[..], b"wsc\0road", b"wsc\0road\0start\0", b"wsc\0\0start", b"\xff\0a\0b"] {
            assert_eq!(name_of::<Milestone>(nonsense), None);
        }
    }
}
