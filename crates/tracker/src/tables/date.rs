//! Table 6: the current date of each portfolio: the one that outlooks are as of.
//!
//! Key: see [`super`]. Value: the date in four bytes, as in keys. Put by
//! `milepost.portfolio.date_advanced`; a portfolio whose date was never advanced has none.

use bytes::Bytes;
use jiff::civil::Date;
use milepost_ledger::key::{date_of, ordered_date};
use milepost_ledger::{Read, Write};
use milepost_types::{DamagedRow, PortfolioName};

use super::Table;
use super::key;

/// The portfolio's current date; `None` if it was never advanced.
///
/// # Errors
/// If the row is no date.
pub(crate) fn get(rows: &dyn Read, portfolio: &PortfolioName) -> Result<Option<Date>, DamagedRow> {
    let key = key::of_portfolio(Table::Date, portfolio);
    let Some(value) = rows.get(&key) else { return Ok(None) };
    date_of(&value).map(Some).ok_or_else(|| Table::Date.damaged(&key, "it is no date"))
}

/// Sets the portfolio's current date.
pub(crate) fn put(rows: &mut dyn Write, portfolio: &PortfolioName, date: Date) {
    let value = Bytes::copy_from_slice(&ordered_date(date));
    rows.put(key::of_portfolio(Table::Date, portfolio), value);
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
        assert_eq!(ordered_date(date(2021, 5, 27)), [0x07, 0xe5, 5, 27]);
        assert_eq!(date_of(&[0x07, 0xe5, 5, 27]), Some(date(2021, 5, 27)));
        for wrong in [&[][..], &[7, 0xe5, 2, 30], &[7, 0xe5, 5], &[0xff; 4]] {
            assert_eq!(date_of(wrong), None);
        }
    }

    proptest! {
        #[test]
        fn a_date_is_read_back(days in 0i64..3_652_059) {
            let date = date(1, 1, 1).saturating_add(days.days());
            prop_assert_eq!(date_of(&ordered_date(date)), Some(date));
        }
    }
}
