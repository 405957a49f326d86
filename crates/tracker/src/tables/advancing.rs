//! Table 8: the day that is being swept in each portfolio, while it takes several entries.
//!
//! Key: see [`super`]. Value: the day in four bytes, as in keys; the sequence of the last entry of it, u64;
//! how many became due soon, u32, and overdue, u32, all big-endian; a byte that is 1 if a milestone was passed over, else
//! 0; then the key of the last milestone that was swept, without its tag, or nothing. Put by `milepost.portfolio.date_advancing`, removed by
//! `milepost.portfolio.date_advanced`.

use bytes::Bytes;
use jiff::civil::Date;
use milepost_ledger::key::{date_of, ordered_date};
use milepost_ledger::{Read, Write};
use milepost_types::DamagedRow;

use super::Table;
use super::key;
use crate::names::{MilestoneName, PortfolioName};

/// How far the sweep of a day has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Advancing {
    /// The day.
    pub(crate) day: Date,
    /// The entry with the last part of it.
    pub(crate) sequence: u64,
    /// How many milestones became due soon so far.
    pub(crate) due_soon: u32,
    /// How many became overdue so far.
    pub(crate) overdue: u32,
    /// Whether a milestone that could not be read was passed over so far.
    pub(crate) passed_over: bool,
    /// The last milestone that was swept; none: no milestone yet.
    pub(crate) through: Option<MilestoneName>,
}

/// The day that is being swept in a portfolio.
///
/// # Errors
/// If the row cannot be decoded.
pub(crate) fn get(rows: &dyn Read, portfolio: &PortfolioName) -> Result<Option<Advancing>, DamagedRow> {
    let key = key::of_portfolio(Table::Advancing, portfolio);
    let Some(value) = rows.get(&key) else { return Ok(None) };
    from_bytes(&value).map(Some).ok_or_else(|| Table::Advancing.damaged(&key, "it is no part of a day"))
}

/// Sets how far the sweep of a day has come.
pub(crate) fn put(rows: &mut dyn Write, portfolio: &PortfolioName, advancing: &Advancing) {
    rows.put(key::of_portfolio(Table::Advancing, portfolio), to_bytes(advancing));
}

/// The day was swept.
pub(crate) fn remove(rows: &mut dyn Write, portfolio: &PortfolioName) {
    let key = key::of_portfolio(Table::Advancing, portfolio);
    if rows.get(&key).is_some() {
        rows.delete(&key);
    }
}

fn to_bytes(advancing: &Advancing) -> Bytes {
    let Advancing { day, sequence, due_soon, overdue, passed_over, through } = advancing;
    let mut value = ordered_date(*day).to_vec();
    value.extend(sequence.to_be_bytes());
    value.extend(due_soon.to_be_bytes());
    value.extend(overdue.to_be_bytes());
    value.push(u8::from(*passed_over));
    value.extend(through.as_ref().map(key::ids_of).unwrap_or_default());
    value.into()
}

fn from_bytes(value: &[u8]) -> Option<Advancing> {
    let (day, rest) = value.split_first_chunk::<4>()?;
    let (sequence, rest) = rest.split_first_chunk::<8>()?;
    let (due_soon, rest) = rest.split_first_chunk::<4>()?;
    let (overdue, rest) = rest.split_first_chunk::<4>()?;
    let (passed_over, through) = match rest.split_first()? {
        (0, through) => (false, through),
        (1, through) => (true, through),
        _ => return None,
    };
    let through = if through.is_empty() { None } else { Some(key::name_of(through)?) };
    Some(Advancing {
        day: date_of(day)?,
        sequence: u64::from_be_bytes(*sequence),
        due_soon: u32::from_be_bytes(*due_soon),
        overdue: u32::from_be_bytes(*overdue),
        passed_over,
        through,
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::tests::samples::NAME;

    /// Persisted: stores hold these bytes.
    #[test]
    fn the_bytes_of_a_row_never_change_and_are_read_back() {
        let (day, through) = (date(2021, 5, 27), Some(NAME.parse().unwrap()));
        let advancing = Advancing { day, sequence: 9, due_soon: 2, overdue: 3, passed_over: false, through };
        let bytes = to_bytes(&advancing);
        let head = [0x07, 0xe5, 5, 27, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 2, 0, 0, 0, 3, 0];
        assert_eq!(bytes[..21], head);
        assert_eq!(&bytes[21..], b"wsc\0science-avenue\0start");
        assert_eq!(from_bytes(&bytes), Some(advancing.clone()));
        let begun = Advancing { through: None, ..advancing };
        assert_eq!(to_bytes(&begun)[..], head);
        assert_eq!(from_bytes(&head), Some(begun.clone()));
        let passed_over = Advancing { passed_over: true, ..begun };
        assert_eq!(to_bytes(&passed_over)[20..], [1]);
        assert_eq!(from_bytes(&to_bytes(&passed_over)), Some(passed_over));
    }
}
