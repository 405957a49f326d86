//! Table 9: how much of the next entry of each other ledger was taken over, while it takes several entries.
//!
//! Key: the byte of the ledger's kind. Value: the entry's position as in table 7; how many of its facts, u64,
//! and of its reactions, u64, big-endian, were taken over; then the key of the last milestone that the next
//! reaction changed, or of the last rule of a timeline that it had an effect by, without its tag, or nothing. Put by `milepost.source.partly_followed`, removed by
//! `milepost.source.followed` and `milepost.source.reset`.

use bytes::Bytes;
use milepost_ledger::{Read, Write};
use milepost_types::{DamagedRow, LedgerKind, Position};

use super::Table;
use super::key;
use crate::source::Through;

const KEY: [u8; 2] = [Table::Partly as u8, LedgerKind::Registry as u8];

/// Bytes of a position.
const POSITION_BYTES: usize = 32;

/// How much of an entry was taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Partly {
    /// The entry.
    pub(crate) position: Position,
    /// How many of its portfolios and projects, in this order.
    pub(crate) facts: u64,
    /// How many of its reactions, as a whole.
    pub(crate) reactions: u64,
    /// The last milestone, or rule, that the reaction after those had an effect by.
    pub(crate) through: Option<Through>,
}

impl Partly {
    /// Nothing yet.
    pub(crate) fn nothing(position: Position) -> Self {
        Self { position, facts: 0, reactions: 0, through: None }
    }
}

/// How much was taken over of the registry's entry at a position. The log's id may be another since then: the
/// hash says that it is the same entry.
///
/// # Errors
/// If the row cannot be decoded.
pub(crate) fn get(rows: &dyn Read, position: Position) -> Result<Partly, DamagedRow> {
    let Some(value) = rows.get(&KEY) else { return Ok(Partly::nothing(position)) };
    let partly =
        from_bytes(&value).ok_or_else(|| Table::Partly.damaged(&KEY, "it is no part of an entry"))?;
    let same = (partly.position.sequence, partly.position.hash) == (position.sequence, position.hash);
    Ok(if same { partly } else { Partly::nothing(position) })
}

/// The entry of which a part was taken over, if there is one.
///
/// # Errors
/// If the row cannot be decoded.
pub(crate) fn begun(rows: &dyn Read) -> Result<Option<Position>, DamagedRow> {
    let Some(value) = rows.get(&KEY) else { return Ok(None) };
    let partly =
        from_bytes(&value).ok_or_else(|| Table::Partly.damaged(&KEY, "it is no part of an entry"))?;
    Ok(Some(partly.position))
}

/// Sets how much was taken over.
pub(crate) fn put(rows: &mut dyn Write, partly: &Partly) {
    rows.put(KEY.to_vec(), to_bytes(partly));
}

/// The entry was taken over, or another one comes next.
pub(crate) fn remove(rows: &mut dyn Write) {
    if rows.get(&KEY).is_some() {
        rows.delete(&KEY);
    }
}

fn to_bytes(partly: &Partly) -> Bytes {
    let mut value = partly.position.to_bytes().to_vec();
    value.extend(partly.facts.to_be_bytes());
    value.extend(partly.reactions.to_be_bytes());
    match &partly.through {
        Some(Through::Milestone(name)) => value.extend(key::ids_of(name)),
        Some(Through::Rule(name)) => value.extend(key::ids_of(name)),
        None => {}
    }
    value.into()
}

fn from_bytes(value: &[u8]) -> Option<Partly> {
    let (position, rest) = value.split_first_chunk::<POSITION_BYTES>()?;
    let (facts, rest) = rest.split_first_chunk::<8>()?;
    let (reactions, through) = rest.split_first_chunk::<8>()?;
    // The two have names of different lengths.
    let rule = || key::name_of(through).map(Through::Rule);
    let through = match through {
        [] => None,
        _ => Some(key::name_of(through).map(Through::Milestone).or_else(rule)?),
    };
    Some(Partly {
        position: Position::from_bytes(position),
        facts: u64::from_be_bytes(*facts),
        reactions: u64::from_be_bytes(*reactions),
        through,
    })
}

#[cfg(test)]
mod tests {
    use milepost_types::{HashPrefix, LogId};

    use super::*;
    use crate::tests::samples::NAME;

    /// Persisted: stores hold these bytes.
    #[test]
    fn the_bytes_of_a_row_never_change_and_are_read_back() {
        let position =
            Position { log: LogId::from_bytes([3; 16]), sequence: 7, hash: HashPrefix::from_bytes([5; 8]) };
        let through = |through: &str| Some(through.parse().unwrap());
        let rule = "portfolios/wsc/timelineRules/batches";
        for partly in [
            Partly { facts: 1, reactions: 2, through: through(NAME), position },
            Partly { facts: 1, reactions: 3, through: through(rule), position },
            Partly::nothing(position),
        ] {
            let bytes = to_bytes(&partly);
            assert_eq!(bytes[..32], position.to_bytes());
            assert_eq!(
                bytes[32..48],
                [[0; 7].as_slice(), &[partly.facts as u8], &[0; 7], &[partly.reactions as u8]].concat()
            );
            assert_eq!(from_bytes(&bytes), Some(partly));
        }
        assert_eq!(KEY, [9, 1]);
    }
}
