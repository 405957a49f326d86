//! Which request ids were used, for which bodies, by which entries.
//!
//! Rows: key `[0, 2, chunk u64]`, chunk = sequence / 256; value: the second of the chunk's last id
//! i64, then per id: sequence u64, key 16, body 16; integers big end first. Persisted, never reused.
//! Invariant: what is remembered depends only on the entries up to a sequence, never on when a
//! checkpoint was made: ids are dropped in whole chunks, when the chunk is older than the
//! window or enough later ids are known. Time is the entries' commit time: a clock that jumps ahead by the
//! window expires everything before it. Rejected commands are not remembered.

use std::collections::{BTreeSet, HashMap, VecDeque};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::domain::{Direction, KeyRange, LEDGER_TAG, Read};
use crate::entry::{Actor, CommandId, Entry};

const TABLE: [u8; 2] = [LEDGER_TAG, 2];
const CHUNK: u64 = 256;
const ITEM_BYTES: usize = 8 + 16 + 16;

type Key = [u8; 16];

/// The ids that were used, and by which entries.
pub(crate) type Uses = HashMap<Key, Use>;

/// The entry that used an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Use {
    sequence: u64,
    body: [u8; 16],
}

/// Whether an id was used before.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It was not used, or is no longer remembered.
    Never,
    /// It was used by this entry for the same body.
    Same(u64),
    /// It was used for another body.
    Reused,
}

struct Chunk {
    number: u64,
    last_second: i64,
    items: Vec<(u64, Key, [u8; 16])>,
}

/// The window of request ids.
pub(crate) struct RequestIds {
    uses: Uses,
    chunks: VecDeque<Chunk>,
    count: usize,
    changed: BTreeSet<u64>,
    max: usize,
    window_seconds: i64,
}

impl RequestIds {
    /// An empty window.
    pub(crate) fn new(max: usize, window: std::time::Duration) -> Self {
        Self {
            uses: Uses::new(),
            chunks: VecDeque::new(),
            count: 0,
            changed: BTreeSet::new(),
            max,
            window_seconds: i64::try_from(window.as_secs()).unwrap_or(i64::MAX),
        }
    }

    /// Loads the window from the rows of a checkpoint.
    pub(crate) fn load(&mut self, rows: &dyn Read) {
        for (key, value) in rows.scan(&KeyRange::prefix(&TABLE), Direction::Forward) {
            let Some(chunk) = decode(&key, &value) else { continue };
            self.count += chunk.items.len();
            for (sequence, key, body) in &chunk.items {
                self.uses.insert(*key, Use { sequence: *sequence, body: *body });
            }
            self.chunks.push_back(chunk);
        }
    }

    /// Whether a command's id was used before, in the window or in `since`, the uses that are not durable yet.
    pub(crate) fn seen(&self, actor: &Actor, id: &CommandId, since: &Uses) -> Seen {
        let Some((key, body)) = key_of(actor, id) else { return Seen::Never };
        match since.get(&key).or_else(|| self.uses.get(&key)) {
            None => Seen::Never,
            Some(used) if used.body == body => Seen::Same(used.sequence),
            Some(_) => Seen::Reused,
        }
    }

    /// Adds the id of a durable entry, and drops the chunks that it makes too old.
    pub(crate) fn remember(&mut self, entry: &Entry) {
        let second = entry.commit_time.as_second();
        if let Some((key, body)) = key_of(&entry.actor, &entry.command_id) {
            let number = entry.sequence / CHUNK;
            if self.chunks.back().is_none_or(|chunk| chunk.number != number) {
                self.chunks.push_back(Chunk { number, last_second: second, items: Vec::new() });
            }
            if let Some(chunk) = self.chunks.back_mut() {
                chunk.last_second = second;
                chunk.items.push((entry.sequence, key, body));
            }
            self.uses.insert(key, Use { sequence: entry.sequence, body });
            self.count += 1;
            self.changed.insert(number);
        }
        self.forget(second);
    }

    fn forget(&mut self, second: i64) {
        while let Some(chunk) = self.chunks.front() {
            let enough = self.count - chunk.items.len() >= self.max;
            let old = chunk.last_second.saturating_add(self.window_seconds) < second;
            if !enough && !old {
                break;
            }
            let Some(chunk) = self.chunks.pop_front() else { break };
            self.count -= chunk.items.len();
            self.changed.insert(chunk.number);
            for (sequence, key, _) in chunk.items {
                if self.uses.get(&key).is_some_and(|used| used.sequence == sequence) {
                    self.uses.remove(&key);
                }
            }
        }
    }

    /// The rows that changed since the last call; `None` for a removed row.
    pub(crate) fn changed_rows(&mut self) -> Vec<(Bytes, Option<Bytes>)> {
        let changed = std::mem::take(&mut self.changed);
        changed
            .into_iter()
            .map(|number| {
                let at = self.chunks.binary_search_by_key(&number, |chunk| chunk.number);
                (row_key(number), at.ok().map(|at| encode(&self.chunks[at])))
            })
            .collect()
    }
}

/// Adds the id of an entry that is not durable yet.
pub(crate) fn add_use(uses: &mut Uses, entry: &Entry) {
    if let Some((key, body)) = key_of(&entry.actor, &entry.command_id) {
        uses.insert(key, Use { sequence: entry.sequence, body });
    }
}

/// An id is of the actor, and of the one that it acts for. A length begins with a zero byte, and an id does not.
fn key_of(actor: &Actor, id: &CommandId) -> Option<(Key, [u8; 16])> {
    let CommandId::Request { id, body } = id else { return None };
    let mut hash = Sha256::new();
    let other = Some(&actor.on_behalf_of).filter(|other| !other.is_empty());
    for principal in [&actor.principal].into_iter().chain(other) {
        hash.update((principal.len() as u64).to_be_bytes());
        hash.update(principal);
    }
    hash.update(id);
    let hash: [u8; 32] = hash.finalize().into();
    Some((first_half(&hash), first_half(body.as_bytes())))
}

fn first_half(hash: &[u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&hash[..16]);
    half
}

fn row_key(number: u64) -> Bytes {
    let mut key = TABLE.to_vec();
    key.extend(number.to_be_bytes());
    Bytes::from(key)
}

fn encode(chunk: &Chunk) -> Bytes {
    let mut value = Vec::with_capacity(8 + chunk.items.len() * ITEM_BYTES);
    value.extend(chunk.last_second.to_be_bytes());
    for (sequence, key, body) in &chunk.items {
        value.extend(sequence.to_be_bytes());
        value.extend(key);
        value.extend(body);
    }
    Bytes::from(value)
}

fn decode(key: &[u8], value: &[u8]) -> Option<Chunk> {
    let number = u64::from_be_bytes(key.strip_prefix(&TABLE[..])?.try_into().ok()?);
    let (second, items) = value.split_first_chunk::<8>()?;
    let items = items
        .chunks_exact(ITEM_BYTES)
        .map(|item| {
            let (sequence, rest) = item.split_first_chunk::<8>()?;
            let (key, rest) = rest.split_first_chunk::<16>()?;
            Some((u64::from_be_bytes(*sequence), *key, rest.try_into().ok()?))
        })
        .collect::<Option<Vec<_>>>()?;
    Some(Chunk { number, last_second: i64::from_be_bytes(*second), items })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;
    use milepost_types::Hash;

    use super::*;

    fn actor(principal: &str, on_behalf_of: &str) -> Actor {
        Actor { principal: principal.into(), on_behalf_of: on_behalf_of.into(), ..Actor::default() }
    }

    fn id(name: &str, body: u8) -> CommandId {
        CommandId::Request { id: name.to_owned(), body: Hash::from_bytes([body; 32]) }
    }

    fn entry(sequence: u64, second: i64) -> Entry {
        Entry {
            sequence,
            commit_time: Timestamp::from_second(second).unwrap(),
            actor: actor("p", ""),
            command_id: id(&sequence.to_string(), 1),
            decided_on: vec![],
            portfolio: String::new(),
            events: vec![],
        }
    }

    #[test]
    fn an_id_is_scoped_to_who_acts_for_whom_and_compared_by_body() {
        let mut ids = RequestIds::new(10, Duration::from_secs(60));
        ids.remember(&entry(5, 0));
        assert_eq!(ids.seen(&actor("p", ""), &id("5", 1), &Uses::new()), Seen::Same(5));
        assert_eq!(ids.seen(&actor("p", ""), &id("5", 2), &Uses::new()), Seen::Reused);
        assert_eq!(ids.seen(&actor("q", ""), &id("5", 1), &Uses::new()), Seen::Never);
        assert_eq!(ids.seen(&actor("p", "q"), &id("5", 1), &Uses::new()), Seen::Never);
        assert_eq!(ids.seen(&actor("q", "p"), &id("5", 1), &Uses::new()), Seen::Never);
        assert_eq!(ids.seen(&actor("p", ""), &CommandId::Server("5".into()), &Uses::new()), Seen::Never);
    }

    #[test]
    fn whole_chunks_are_dropped_by_count_and_by_age() {
        let mut ids = RequestIds::new(300, Duration::from_secs(60));
        (1..=1000).for_each(|sequence| ids.remember(&entry(sequence, 0)));
        assert_eq!(ids.seen(&actor("p", ""), &id("511", 1), &Uses::new()), Seen::Never);
        assert_eq!(
            ids.seen(&actor("p", ""), &id("701", 1), &Uses::new()),
            Seen::Same(701),
            "at least 300 are kept"
        );
        ids.remember(&entry(1001, 61));
        assert_eq!(ids.seen(&actor("p", ""), &id("767", 1), &Uses::new()), Seen::Never, "too old");
        assert_eq!(ids.seen(&actor("p", ""), &id("1001", 1), &Uses::new()), Seen::Same(1001));
    }

    #[test]
    fn rows_restore_the_window_and_do_not_depend_on_when_they_were_taken() {
        let (mut often, mut once) =
            (RequestIds::new(300, Duration::from_secs(60)), RequestIds::new(300, Duration::from_secs(60)));
        let mut rows = std::collections::BTreeMap::new();
        for sequence in 1..=1000 {
            often.remember(&entry(sequence, 0));
            once.remember(&entry(sequence, 0));
            if sequence % 7 == 0 {
                rows.extend(often.changed_rows());
            }
        }
        rows.extend(often.changed_rows());
        rows.retain(|_, value| value.is_some());
        let mut at_once: std::collections::BTreeMap<_, _> = once.changed_rows().into_iter().collect();
        at_once.retain(|_, value| value.is_some());
        assert_eq!(rows, at_once);
        let chunk = decode(&row_key(3), rows[&row_key(3)].as_ref().unwrap()).unwrap();
        assert_eq!(chunk.items.len(), 233);
    }
}
