//! Table 6: the current date of each portfolio: the one that outlooks are as of.
//!
//! Key: see [`super`]. Value: the date in four bytes, as in keys, then the sequence of the entry that announced it,
//! u64 big-endian; without the sequence if the entry is of a version that did not keep how near a
//! milestone's due date is; then a byte 1 if a milestone was passed over. Put by `milepost.portfolio.date_advanced`; a portfolio whose date was never
//! advanced has none.

use bytes::Bytes;
use jiff::civil::Date;
use milepost_ledger::key::{date_of, ordered_date};
use milepost_ledger::{Read, Write};
use milepost_types::DamagedRow;

use super::Table;
use super::key;
use crate::names::PortfolioName;

/// A portfolio's current date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Current {
    /// The date.
    pub(crate) date: Date,
    /// The entry that announced it; none if an earlier version did.
    pub(crate) sequence: Option<u64>,
    /// Whether a milestone that could not be read was passed over.
    pub(crate) passed_over: bool,
}

/// The portfolio's current date; `None` if it was never advanced.
///
/// # Errors
/// If the row is no date.
pub(crate) fn get(rows: &dyn Read, portfolio: &PortfolioName) -> Result<Option<Current>, DamagedRow> {
    let key = key::of_portfolio(Table::Date, portfolio);
    let Some(value) = rows.get(&key) else { return Ok(None) };
    from_bytes(&value).map(Some).ok_or_else(|| Table::Date.damaged(&key, "it is no date"))
}

/// Sets the portfolio's current date.
pub(crate) fn put(rows: &mut dyn Write, portfolio: &PortfolioName, current: Current) {
    rows.put(key::of_portfolio(Table::Date, portfolio), to_bytes(current));
}

fn to_bytes(Current { date, sequence, passed_over }: Current) -> Bytes {
    let mut value = ordered_date(date).to_vec();
    value.extend(sequence.iter().flat_map(|sequence| sequence.to_be_bytes()));
    value.extend(passed_over.then_some(1));
    value.into()
}

fn from_bytes(value: &[u8]) -> Option<Current> {
    let (date, sequence) = value.split_first_chunk::<4>()?;
    let (sequence, passed_over) = match sequence {
        [] => (None, false),
        [1] => (None, true),
        [sequence @ .., 1] if sequence.len() == 8 => (Some(sequence), true),
        sequence => (Some(sequence), false),
    };
    let sequence = sequence.map(|sequence| sequence.try_into().map(u64::from_be_bytes)).transpose().ok()?;
    Some(Current { date: date_of(date)?, sequence, passed_over })
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    /// Persisted: stores hold these bytes.
    #[test]
    fn the_bytes_of_a_date_never_change() {
        let day = date(2021, 5, 27);
        let old = Current { date: day, sequence: None, passed_over: false };
        assert_eq!(to_bytes(old), &[0x07, 0xe5, 5, 27][..]);
        let current = Current { date: day, sequence: Some(0x0102), passed_over: false };
        assert_eq!(to_bytes(current), &[0x07, 0xe5, 5, 27, 0, 0, 0, 0, 0, 0, 1, 2][..]);
        let passed_over = Current { passed_over: true, ..current };
        assert_eq!(to_bytes(passed_over), &[0x07, 0xe5, 5, 27, 0, 0, 0, 0, 0, 0, 1, 2, 1][..]);
        for wrong in [&[][..], &[7, 0xe5, 2, 30], &[7, 0xe5, 5], &[0xff; 4], &[7, 0xe5, 5, 27, 2]] {
            assert_eq!(from_bytes(wrong), None);
        }
    }

    proptest! {
        #[test]
        fn a_date_is_read_back(days in 0i64..3_652_059, sequence: Option<u64>, passed_over: bool) {
            let date = date(1, 1, 1).saturating_add(days.days());
            let current = Current { date, sequence, passed_over };
            prop_assert_eq!(from_bytes(&to_bytes(current)), Some(current));
        }
    }
}
