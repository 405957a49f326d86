//! Table 7: how far each other ledger was followed.
//!
//! Key: the byte of the ledger's kind. Value: log id 16, sequence u64 big end first, hash prefix 8. Put
//! by `milepost.source.followed` and `milepost.source.reset`; none while nothing was followed.

use bytes::Bytes;
use milepost_ledger::{Read, Write};
use milepost_types::{HashPrefix, LedgerKind, LogId, Position};

use super::Table;

const KEY: [u8; 2] = [Table::Source as u8, LedgerKind::Registry as u8];

/// How far the registry was followed.
pub(crate) fn get(rows: &dyn Read) -> Option<Position> {
    decode(&rows.get(&KEY)?)
}

/// Sets how far the registry was followed.
pub(crate) fn put(rows: &mut dyn Write, position: &Position) {
    rows.put(KEY.to_vec(), encode(position));
}

fn encode(position: &Position) -> Bytes {
    let mut value = Vec::with_capacity(32);
    value.extend_from_slice(position.log.as_bytes());
    value.extend_from_slice(&position.sequence.to_be_bytes());
    value.extend_from_slice(position.hash.as_bytes());
    value.into()
}

fn decode(value: &[u8]) -> Option<Position> {
    let (log, rest) = value.split_first_chunk::<16>()?;
    let (sequence, rest) = rest.split_first_chunk::<8>()?;
    let hash: [u8; 8] = rest.try_into().ok()?;
    Some(Position {
        log: LogId::from_bytes(*log),
        sequence: u64::from_be_bytes(*sequence),
        hash: HashPrefix::from_bytes(hash),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn position(log: [u8; 16], sequence: u64, hash: [u8; 8]) -> Position {
        Position { log: LogId::from_bytes(log), sequence, hash: HashPrefix::from_bytes(hash) }
    }

    /// Persisted: stores hold these bytes.
    #[test]
    fn the_bytes_of_a_position_never_change() {
        let value = encode(&position([7; 16], 258, [9; 8]));
        let golden = [[7; 16].as_slice(), &[0, 0, 0, 0, 0, 0, 1, 2], &[9; 8]].concat();
        assert_eq!(value, golden);
        assert_eq!(KEY, [7, 1]);
        assert_eq!(decode(&value[1..]), None);
    }

    proptest! {
        #[test]
        fn a_position_is_read_back(log: [u8; 16], sequence: u64, hash: [u8; 8]) {
            let position = position(log, sequence, hash);
            prop_assert_eq!(decode(&encode(&position)), Some(position));
        }
    }
}
