//! Table 10: what logs of the registry have in common, because one was restored from the other.
//!
//! Key: the log id of the earlier, 16, and of the later, 16. Value: the last common entry, its sequence u64 big
//! end first and its hash prefix 8. Put by `milepost.source.reset`; never deleted.

use milepost_ledger::key::Key;
use milepost_ledger::{Direction, KeyRange, Read, Write};
use milepost_types::{HashPrefix, LogId, Position};

use super::Table;

/// Where later logs part from a log, each position counted in the later one.
pub(crate) fn of(rows: &dyn Read, log: LogId) -> Vec<Position> {
    let range = KeyRange::prefix(&Key::of(Table::LaterLogs).bytes(log.as_bytes()).done());
    rows.scan(&range, Direction::Forward).filter_map(|(key, value)| read(&key, &value)).collect()
}

fn read(key: &[u8], value: &[u8]) -> Option<Position> {
    let (sequence, hash) = value.split_at_checked(8)?;
    Some(Position {
        log: LogId::from_bytes(key.get(17..)?.try_into().ok()?),
        sequence: u64::from_be_bytes(sequence.try_into().ok()?),
        hash: HashPrefix::from_bytes(hash.try_into().ok()?),
    })
}

/// Sets up to where a log and a later one, in which `fork` counts, are the same.
pub(crate) fn put(rows: &mut dyn Write, log: LogId, fork: &Position) {
    let key = Key::of(Table::LaterLogs).bytes(log.as_bytes()).bytes(fork.log.as_bytes()).done();
    let value = [&fork.sequence.to_be_bytes()[..], fork.hash.as_bytes()].concat();
    rows.put(key, value.into());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::world::Rows;

    fn at(log: u8, sequence: u64) -> Position {
        Position { log: LogId::from_bytes([log; 16]), sequence, hash: HashPrefix::from_bytes([3; 8]) }
    }

    /// Persisted: stores hold these bytes.
    #[test]
    fn what_logs_have_in_common_is_read_back_and_its_bytes_never_change() {
        let mut rows = Rows::default();
        for (log, fork) in [(1, at(2, 258)), (1, at(3, 7)), (2, at(3, 7))] {
            put(&mut rows, LogId::from_bytes([log; 16]), &fork);
        }
        assert_eq!(of(&rows, at(1, 0).log), [at(2, 258), at(3, 7)]);
        assert_eq!(of(&rows, at(2, 0).log), [at(3, 7)]);
        assert_eq!(of(&rows, at(3, 0).log), []);
        let (key, value) = rows.0.iter().next().unwrap();
        assert_eq!(key[..], [&[10][..], &[1; 16], &[2; 16]].concat());
        assert_eq!(value[..], [&[0, 0, 0, 0, 0, 0, 1, 2][..], &[3; 8]].concat());
    }
}
