//! What logs of a source have in common, because one was restored from the other: a row for each log and each
//! later log, with the last entry that both have.

use milepost_ledger::{Direction, KeyRange, Read, Write};
use milepost_types::{HashPrefix, LogId, Position};

use super::{Tag, log_key};

/// Bytes of a key before the id of the later log.
const LATER_AT: usize = 17;

/// Where later logs part from a log, each position counted in the later one.
pub(crate) fn of(rows: &dyn Read, log: LogId) -> Vec<Position> {
    let range = KeyRange::prefix(&log_key(Tag::LaterLogs, log).done());
    rows.scan(&range, Direction::Forward).filter_map(|(key, row)| read(&key, &row)).collect()
}

fn read(key: &[u8], row: &[u8]) -> Option<Position> {
    let (sequence, hash) = row.split_at_checked(8)?;
    Some(Position {
        log: LogId::from_bytes(key.get(LATER_AT..)?.try_into().ok()?),
        sequence: u64::from_be_bytes(sequence.try_into().ok()?),
        hash: HashPrefix::from_bytes(hash.try_into().ok()?),
    })
}

/// Notes up to where a log and a later one, in which `fork` counts, are the same.
pub(crate) fn put(rows: &mut dyn Write, log: LogId, fork: &Position) {
    let key = log_key(Tag::LaterLogs, log).bytes(fork.log.as_bytes()).done();
    rows.put(key, [&fork.sequence.to_be_bytes()[..], fork.hash.as_bytes()].concat().into());
}
