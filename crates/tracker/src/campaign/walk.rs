//! The rows of one project after another: a walk along a table of what is under projects.
//!
//! Invariant: it finds for each project what a scan of that project alone finds, in whatever order projects are asked for. A
//! project whose rows come soon is walked to, any other is looked up: so a project costs the same however many rows stand
//! between it and the one before, and far less if they are neighbours.

use std::iter::Peekable;
use std::marker::PhantomData;

use milepost_ledger::key::Key;
use milepost_ledger::{Direction, KeyRange, Read, Row, RowIter};
use milepost_resource::{Rows, Rules, Unreadable};
use milepost_types::DamagedRow;

use crate::decide::Tracker;
use crate::names::ProjectName;

/// So many rows are passed over on the way to a project: about what looking it up costs.
const STEPS: usize = 8;

/// Reads a row of this id.
type ReadRow<T> = Box<dyn Fn(&str, &[u8]) -> Result<T, Unreadable>>;

/// A walk along the table of resources `R`, of whose rows a `T` is read.
pub(super) struct Walk<'a, R, T> {
    read: &'a dyn Read,
    read_row: ReadRow<T>,
    /// What the keys of the project begin with that was asked for last.
    prefix: Vec<u8>,
    rows: Peekable<RowIter<'a>>,
    resource: PhantomData<fn() -> R>,
}

impl<'a, R: Rules<Tracker>, T> Walk<'a, R, T> {
    /// That reads this of each row, by its id.
    pub(super) fn new(
        rows: &Rows<'a, Tracker>,
        read_row: impl Fn(&str, &[u8]) -> Result<T, Unreadable> + 'static,
    ) -> Self {
        let none: RowIter<'a> = Box::new(std::iter::empty());
        Self {
            read: rows.read,
            read_row: Box::new(read_row),
            prefix: Vec::new(),
            rows: none.peekable(),
            resource: PhantomData,
        }
    }

    /// What is read of the rows under a project, in the order of their ids.
    pub(super) fn under(
        &mut self,
        project: &ProjectName,
    ) -> impl Iterator<Item = Result<T, DamagedRow>> + use<'_, 'a, R, T> {
        self.go_to(project);
        std::iter::from_fn(move || {
            let (key, row) = self.rows.next_if(|(key, _)| key.starts_with(&self.prefix))?;
            let id = std::str::from_utf8(&key[self.prefix.len()..]).map_err(Unreadable::new);
            let read = id.and_then(|id| (self.read_row)(id, &row));
            Some(read.map_err(|error| DamagedRow::new(R::TABLE_NAME, &key, error)))
        })
    }

    fn go_to(&mut self, project: &ProjectName) {
        let prefix = project.ids().iter().fold(Key::of(R::TABLE), Key::under).done();
        let is_ahead = !self.prefix.is_empty() && self.prefix < prefix;
        let is_before = |(key, _): &Row| **key < *prefix;
        let passed = (0..STEPS).take_while(|_| is_ahead && self.rows.next_if(is_before).is_some());
        if !is_ahead || passed.count() == STEPS {
            let KeyRange { end, .. } = KeyRange::prefix(&Key::of(R::TABLE).done());
            self.rows =
                self.read.scan(&KeyRange { start: prefix.clone(), end }, Direction::Forward).peekable();
        }
        self.prefix = prefix;
    }
}

#[cfg(test)]
mod tests {
    use milepost_proto::tracker::v1::Finding;
    use milepost_resource::Table;
    use milepost_types::ResourceName as _;
    use proptest::prelude::*;
    use prost::Message;

    use super::*;
    use crate::tests::world::Rows as Stored;

    /// With their titles.
    fn findings<'a>(rows: &Rows<'a, Tracker>) -> Walk<'a, Finding, (String, String)> {
        Walk::new(rows, |id, row| Ok((id.to_owned(), Finding::decode(row)?.title)))
    }

    fn name(project: usize) -> ProjectName {
        format!("portfolios/wsc/projects/p{project}").parse().unwrap()
    }

    proptest! {
        /// Whatever the order, and however many rows stand between them.
        #[test]
        fn a_walk_finds_of_each_project_what_a_scan_of_it_finds(
            counts in proptest::collection::vec(0..14_usize, 1..9),
            asked in proptest::collection::vec(0..10_usize, 1..20),
        ) {
            let mut stored = Stored::default();
            for (project, count) in counts.iter().enumerate() {
                for i in 0..*count {
                    let name = format!("{}/findings/f{i}", name(project));
                    let finding = Finding { name, title: format!("{project} {i}"), ..Finding::default() };
                    Table::of::<Tracker, Finding>().put(&mut stored, finding.encode_to_vec().into()).unwrap();
                }
            }
            let rows = Rows::<Tracker>::new(&stored);
            let mut walk = findings(&rows);
            for project in asked {
                let found: Vec<_> = walk.under(&name(project)).map(Result::unwrap).collect();
                let scanned: Vec<_> = rows.under::<Finding>(name(project).ids(), None).map(Result::unwrap).collect();
                let scanned: Vec<_> = scanned
                    .into_iter()
                    .map(|(name, row)| (name.id().to_string(), Finding::decode(row).unwrap().title))
                    .collect();
                prop_assert_eq!(found, scanned);
            }
        }
    }

    #[test]
    fn a_row_that_cannot_be_read_is_named() {
        let mut stored = Stored::default();
        milepost_ledger::Write::put(&mut stored, b"\x2bwsc\0p1\0f".into(), b"\xff".as_slice().into());
        let rows = Rows::<Tracker>::new(&stored);
        let found = findings(&rows).under(&name(1)).next().unwrap();
        assert!(found.unwrap_err().to_string().contains("tracker.finding"));
    }
}
