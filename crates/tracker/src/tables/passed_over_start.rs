//! Table 39: milestones that could not be read when their project started; each may await that start.
//!
//! Key: see [`super`]. Value: the day of the start in four bytes, as in keys. Put by `milepost.source.skipped`, once more
//! where a later start passes the milestone over, too; removed when the milestone comes to another state. One that awaits no
//! start keeps its row: whoever reads it finds that nothing is to be done.

use jiff::civil::Date;
use milepost_ledger::key::{Key, Parts, date_of, ordered_date};
use milepost_ledger::{Direction, KeyRange, Read, Write};
use milepost_types::DamagedRow;

use super::{Table, key};
use crate::names::{MilestoneName, PortfolioName};

/// The milestones of a portfolio, each with the day of the start, in the order of names.
pub(crate) fn under(
    rows: &dyn Read,
    portfolio: &PortfolioName,
) -> impl Iterator<Item = Result<(MilestoneName, Date), DamagedRow>> {
    let under = portfolio.ids().iter().fold(Key::of(Table::PassedOverStart), Key::under).done();
    let found = rows.scan(&KeyRange::prefix(&under), Direction::Forward);
    found.map(|(key, value)| {
        let read = name_of(&key).zip(date_of(&value));
        read.ok_or_else(|| Table::PassedOverStart.damaged(&key, "it is no milestone with a date"))
    })
}

/// Says that a start on a day passed a milestone over.
pub(crate) fn put(rows: &mut dyn Write, name: &MilestoneName, day: Date) {
    rows.put(key::of(Table::PassedOverStart, name.ids()), ordered_date(day).to_vec().into());
}

/// A milestone came to another state.
pub(super) fn remove(rows: &mut dyn Write, name: &MilestoneName) {
    let key = key::of(Table::PassedOverStart, name.ids());
    if rows.get(&key).is_some() {
        rows.delete(&key);
    }
}

fn name_of(key: &[u8]) -> Option<MilestoneName> {
    let mut parts = Parts::of(key, Table::PassedOverStart)?;
    MilestoneName::of(vec![parts.parent()?, parts.parent()?, parts.id()?])
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::tests::world::{Rows, name};

    /// Persisted: stores hold these bytes.
    #[test]
    fn the_bytes_of_a_row_never_change() {
        let (mut rows, start) = (Rows::default(), name("road", "start"));
        put(&mut rows, &start, date(2021, 5, 27));
        let stored: Vec<_> = rows.0.iter().map(|(key, value)| (&key[..], &value[..])).collect();
        assert_eq!(stored, [(&b"\x27wsc\0road\0start"[..], &b"\x07\xe5\x05\x1b"[..])]);
        let portfolio = start.parent().parent();
        assert_eq!(under(&rows, &portfolio).collect::<Vec<_>>(), [Ok((start.clone(), date(2021, 5, 27)))]);
        remove(&mut rows, &start);
        assert_eq!(rows, Rows::default());
        rows.0.insert(b"\x27wsc\0road".to_vec().into(), b"\x07\xe5\x05\x1b".to_vec().into());
        assert!(under(&rows, &portfolio).all(|found| found.is_err()));
    }
}
