//! The interface between a service and the ledger: pure rules over rows.
//!
//! Invariant: `decide` and `apply` depend on nothing but their arguments. Time, ids and seeds come in
//! with the context, so that deciding a command again, and applying an entry again, give the same result.
//! Nothing here stores rows.

use bytes::Bytes;
use jiff::Timestamp;
use milepost_types::{LogId, Position};

use crate::entry::{Actor, CommandId, Entry};

/// A row: key and value. The first byte of a key is its table's tag.
pub type Row = (Bytes, Bytes);

/// Rows, one after another.
pub type RowIter<'a> = Box<dyn Iterator<Item = Row> + Send + 'a>;

/// The tag of the ledger's own rows; services use 1 to 255.
pub const LEDGER_TAG: u8 = 0;

/// The keys from `start` up to, not including, `end`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRange {
    /// The first key.
    pub start: Vec<u8>,
    /// The first key after the range; `None`: no upper bound.
    pub end: Option<Vec<u8>>,
}

impl KeyRange {
    /// Every key that begins with `prefix`.
    pub fn prefix(prefix: &[u8]) -> Self {
        Self { start: prefix.to_vec(), end: successor(prefix) }
    }

    /// Whether a key is in it.
    pub fn contains(&self, key: &[u8]) -> bool {
        *self.start <= *key && self.end.as_ref().is_none_or(|end| key < end.as_slice())
    }

    /// The part of this range that is after `key`, which need not exist.
    pub fn after(mut self, key: &[u8]) -> Self {
        let mut start = key.to_vec();
        start.push(0);
        self.start = self.start.max(start);
        self
    }

    /// The part of this range that is before `key`, which need not exist.
    pub fn before(mut self, key: &[u8]) -> Self {
        self.end = Some(self.end.map_or_else(|| key.to_vec(), |end| end.min(key.to_vec())));
        self
    }

    /// The part of this range that a scan in a direction reaches after `key`; without a key, the whole range.
    pub fn beyond(self, key: Option<&[u8]>, direction: Direction) -> Self {
        match (key, direction) {
            (None, _) => self,
            (Some(key), Direction::Forward) => self.after(key),
            (Some(key), Direction::Backward) => self.before(key),
        }
    }
}

/// The smallest key that is greater than every key with this prefix; `None` if the prefix is all 0xff.
fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != 0xff)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

/// The order of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// Ascending keys.
    #[default]
    Forward,
    /// Descending keys.
    Backward,
}

/// Rows at one sequence.
pub trait Read: Sync {
    /// The value of a key.
    fn get(&self, key: &[u8]) -> Option<Bytes>;

    /// The rows of a range, in order.
    fn scan<'a>(&'a self, range: &KeyRange, direction: Direction) -> RowIter<'a>;
}

/// Rows that an entry is being applied to.
pub trait Write: Read {
    /// Sets a row.
    fn put(&mut self, key: Vec<u8>, value: Bytes);

    /// Removes a row, if it is there.
    fn delete(&mut self, key: &[u8]);
}

/// What a decision may depend on, besides rows and command.
#[derive(Debug, Clone)]
pub struct Context {
    /// The ledger's log.
    pub log: LogId,
    /// The sequence that the entry will have, if there is one.
    pub sequence: u64,
    /// The time that the entry will have; never earlier than the entry before.
    pub commit_time: Timestamp,
    /// The clock's time, which may be earlier than that of an earlier command.
    pub now: Timestamp,
    /// Who submits the command.
    pub actor: Actor,
    /// The command's id.
    pub command_id: CommandId,
    /// 128 random bits that stay the same when the command is decided again.
    pub seed: u128,
}

/// The effect of an accepted command.
#[derive(Debug, Clone, Default)]
pub struct Decision {
    /// The id of the portfolio concerned; empty for none.
    pub portfolio: String,
    /// The positions in other logs up to which the rows include their entries.
    pub decided_on: Vec<Position>,
    /// Encoded events. If empty, the command is accepted and changes nothing, and no entry is written.
    pub events: Vec<Bytes>,
}

/// An entry that the rules cannot apply: it is damaged, or was not made by them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Unusable {
    what: String,
}

impl Unusable {
    /// With this reason.
    pub fn new(what: impl std::fmt::Display) -> Self {
        Self { what: what.to_string() }
    }

    /// The same, for the event with this index.
    #[must_use]
    pub fn in_event(self, index: usize) -> Self {
        Self { what: format!("event {index}: {}", self.what) }
    }
}

/// The rules of one service.
pub trait Domain: Send + Sync + 'static {
    /// Its commands.
    type Command: Send + Sync + 'static;
    /// Why a command may be rejected.
    type Rejection: Clone + Send + Sync + std::fmt::Debug + 'static;

    /// Raised whenever `apply` or a table changes: stores of another version are rebuilt.
    const STORE_VERSION: u32;

    /// Decides a command on the current rows, without changing them.
    ///
    /// # Errors
    /// The command is rejected and has no effect.
    fn decide(
        &self,
        rows: &dyn Read,
        command: &Self::Command,
        context: &Context,
    ) -> Result<Decision, Self::Rejection>;

    /// Applies an entry to the rows before it. Never refuses what `decide` made, and accepts nothing that `decide`
    /// could not read from the rows later.
    ///
    /// # Errors
    /// The entry cannot be applied: the ledger does not open, or fails, with this reason. None of its changes stay.
    fn apply(&self, rows: &mut dyn Write, entry: &Entry) -> Result<(), Unusable>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_range_ends_before_the_next_prefix() {
        assert_eq!(KeyRange::prefix(&[1, 255]).end, Some(vec![2]));
        assert_eq!(KeyRange::prefix(&[255]).end, None);
        assert_eq!(KeyRange::prefix(b"ab").end, Some(b"ac".to_vec()));
    }

    #[test]
    fn a_range_is_cut_on_either_side() {
        let range = KeyRange::prefix(b"a").after(b"ab").before(b"ax");
        assert_eq!(range, KeyRange { start: b"ab\0".to_vec(), end: Some(b"ax".to_vec()) });
        assert_eq!(KeyRange::prefix(b"b").after(b"a"), KeyRange::prefix(b"b"));
    }
}
