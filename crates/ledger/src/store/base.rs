//! The rows on disk, with a cache of those that were read lately.
//!
//! Schema of the ledger's own rows (tag 0), persisted, never reused:
//! - `[0, 1]` the mark (see `mark`), the only row that the digest does not count.
//! - `[0, 2, chunk u64]` request ids (see `request_ids`).
//!
//! Invariant: a checkpoint is recorded beside sled before sled gets its rows one by one, the mark last; one that
//! was interrupted is finished on open. sled's own guarantees are not relied on: its recovery may lose a tail or rows
//! without an error, so on open the rows are counted against the digest.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use parking_lot::RwLock;
use tokio::sync::watch;

use super::cache::Cache;
use super::change::{Change, Table};
use super::digest::Digest;
use super::error::StoreError;
use super::mark::Mark;
use super::pending::{self, Pending};
use super::tree::{Tree, shared};
use crate::domain::{Direction, KeyRange, RowIter};

const MARK_KEY: &[u8] = &[0, 1];

/// The rows on disk, and the cache in front of them.
pub(crate) struct Base {
    dir: PathBuf,
    tree: Tree,
    cache: Cache,
    /// Why the ledger has failed, once it has: kept here because a read of the rows can fail too.
    pub(crate) failure: watch::Sender<Option<String>>,
    /// Held by views while they read. A checkpoint takes it once before it writes, and so waits for the views from
    /// before its table was frozen; later views have that table in front of everything it writes.
    pub(crate) cut: RwLock<()>,
}

impl Base {
    /// Opens or creates the store in `dir`; returns its mark too, if it has one.
    ///
    /// # Errors
    /// `Damaged` if its rows do not match its mark, or sled cannot read it.
    pub(crate) fn open(dir: &Path, cache_bytes: usize) -> Result<(Self, Option<Mark>), StoreError> {
        Tree::prepare(dir)?;
        let pending = pending::read(dir).map_err(|source| StoreError::Io { dir: dir.to_owned(), source })?;
        let reached = pending.as_ref().map(|pending| pending.mark.position());
        let tree = Tree::open(dir, cache_bytes).map_err(|error| error.with_reached(reached))?;
        let base = Self {
            dir: dir.to_owned(),
            tree,
            cache: Cache::new(cache_bytes),
            failure: watch::Sender::new(None),
            cut: RwLock::new(()),
        };

        let counted = base.finish(pending).and_then(|()| base.tree.guard(|| base.count())?);
        let (mark, digest) = counted.map_err(|error| error.with_reached(reached))?;
        let damaged = |what| StoreError::Damaged {
            dir: dir.to_owned(),
            what,
            reached: mark.map(|mark| mark.position()).or(reached),
        };
        match mark {
            Some(mark) if mark.digest != digest => {
                Err(damaged(format!("it holds {digest}, but was written with {}", mark.digest)))
            }
            None if digest.rows > 0 => Err(damaged("it has rows but no mark".to_owned())),
            mark => Ok((base, mark)),
        }
    }

    /// Checks that the store in `dir` is not open anywhere, even if it is damaged.
    ///
    /// # Errors
    /// `Locked` if it is open.
    pub(crate) fn check_free(dir: &Path) -> Result<(), StoreError> {
        Tree::check_free(dir)
    }

    /// Reads every row: the mark, and the digest of the others.
    fn count(&self) -> Result<(Option<Mark>, Digest), StoreError> {
        let mut mark = None;
        let mut digest = Digest::default();
        for row in self.tree.all() {
            let (key, value) = row?;
            let (key, value) = (key.as_ref(), value.as_ref());
            if key == MARK_KEY {
                let decoded = Mark::decode(value).ok_or_else(|| StoreError::Damaged {
                    dir: self.dir.clone(),
                    what: "its mark cannot be read, or is of another version".to_owned(),
                    reached: None,
                })?;
                mark = Some(decoded);
            } else {
                digest.add(key, value);
            }
        }
        Ok((mark, digest))
    }

    /// Ends the ledger for this reason, and logs it, unless it has failed before.
    pub(crate) fn fail(&self, reason: &str) {
        self.failure.send_if_modified(|failure| {
            let first = failure.is_none();
            if first {
                tracing::error!(reason, "the ledger has failed and takes no more commands");
                *failure = Some(reason.to_owned());
            }
            first
        });
    }

    /// Ends the ledger because a row cannot be read. The callers of `get` and `scan` have no way to handle that, so
    /// this unwinds; it is no fault of the program, so no panic message is printed.
    fn fail_read(&self, error: &StoreError) -> ! {
        let reason = error.with_source();
        self.fail(&reason);
        std::panic::resume_unwind(Box::new(reason))
    }

    /// The value of a key.
    ///
    /// # Panics
    /// If sled fails, which ends the ledger.
    pub(crate) fn get(&self, key: &[u8]) -> Option<Bytes> {
        if let Some(known) = self.cache.get(key) {
            return known;
        }
        let value = self.tree.get(key).unwrap_or_else(|error| self.fail_read(&error));
        self.cache.put(Bytes::copy_from_slice(key), value.clone());
        value
    }

    /// The rows of a range.
    ///
    /// # Panics
    /// If sled fails, which ends the ledger.
    pub(crate) fn scan(&self, range: &KeyRange, direction: Direction) -> RowIter<'_> {
        if range.end.as_ref().is_some_and(|end| *end <= range.start) {
            return Box::new(std::iter::empty());
        }
        Box::new(
            self.tree
                .range(range, direction)
                .map(|row| row.unwrap_or_else(|error| self.fail_read(&error)))
                .filter(|(key, _)| key.as_ref() != MARK_KEY)
                .map(|(key, value)| (Bytes::copy_from_slice(key.as_ref()), shared(value))),
        )
    }

    /// The rows of `table` that differ from the stored ones, and the digest after they are written. A row that was
    /// set and removed between two checkpoints does not differ.
    pub(crate) fn difference(
        &self,
        digest: Digest,
        table: &Table,
    ) -> Result<(Vec<Change>, Digest), StoreError> {
        self.tree.guard(|| self.compare(digest, table))?
    }

    fn compare(&self, mut digest: Digest, table: &Table) -> Result<(Vec<Change>, Digest), StoreError> {
        let mut rows = Vec::new();
        for (key, value) in table {
            let old = match self.cache.get(key) {
                Some(known) => known,
                None => self.tree.get(key)?,
            };
            if old == *value {
                continue;
            }
            if let Some(old) = old {
                digest.remove(key, &old);
            }
            if let Some(value) = value {
                digest.add(key, value);
            }
            rows.push((key.clone(), value.clone()));
        }
        Ok((rows, digest))
    }

    /// Records a checkpoint on the disk, so that `open` can finish it after a crash.
    pub(crate) fn record(&self, rows: &[Change], mark: &Mark) -> Result<(), StoreError> {
        pending::record(&self.dir, rows, mark).map_err(|source| self.io_error(source))
    }

    /// Writes the rows of a checkpoint one by one, and then the mark.
    pub(crate) fn write(&self, rows: &[Change], mark: &Mark) -> Result<(), StoreError> {
        drop(self.cut.write());
        let mark = mark.encode();
        self.tree.write(borrowed(rows).chain([(MARK_KEY, Some(mark.as_slice()))]))?;
        for (key, value) in rows {
            self.cache.replace(key, value);
        }
        Ok(())
    }

    /// Finishes the checkpoint that was recorded last; repeating one that was finished is harmless. One that is older
    /// than the rows is ignored: a version without checkpoint records wrote the rows after it.
    fn finish(&self, pending: Option<Pending>) -> Result<(), StoreError> {
        let Some(Pending { mark, rows }) = pending else { return Ok(()) };
        let known = self.tree.get(MARK_KEY)?.and_then(|bytes| Mark::decode(&bytes));
        if known.is_some_and(|known| known.log == mark.log && known.sequence > mark.sequence) {
            return Ok(());
        }
        tracing::info!(dir = %self.dir.display(), rows = rows.len(), "finishing a checkpoint");
        self.write(&rows, &mark)?;
        self.sync()
    }

    /// Brings what was written to the disk, and then clears the record of it.
    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        self.tree.sync()?;
        pending::clear(&self.dir).map_err(|source| self.io_error(source))
    }

    fn io_error(&self, source: std::io::Error) -> StoreError {
        StoreError::Io { dir: self.dir.clone(), source }
    }
}

fn borrowed(rows: &[Change]) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
    rows.iter().map(|(key, value)| (key.as_ref(), value.as_deref()))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use jiff::Timestamp;
    use milepost_types::{Hash, LogId};

    use super::*;

    fn mark(digest: Digest) -> Mark {
        Mark {
            version: 2,
            log: LogId::from_bytes([3; 16]),
            sequence: 4,
            hash: Hash::from_bytes([5; 32]),
            commit_time: Timestamp::new(6, 7).unwrap(),
            digest,
        }
    }

    #[test]
    fn a_checkpoint_interrupted_between_two_rows_is_finished_on_open() {
        let row = |number: u32, value: u32| {
            (
                Bytes::from([&[1], &number.to_be_bytes()[..]].concat()),
                Some(Bytes::from(value.to_be_bytes().to_vec())),
            )
        };
        let mark = |sequence, digest| Mark {
            version: 1,
            log: LogId::from_bytes([3; 16]),
            sequence,
            hash: Hash::from_bytes([sequence as u8; 32]),
            commit_time: Timestamp::UNIX_EPOCH,
            digest,
        };
        let count = 600;
        let first: Table = (0..count).map(|number| row(number, 1)).collect();
        let mut second: Table = (count / 2..count * 2).map(|number| row(number, 2)).collect();
        second.insert(row(0, 0).0, None);
        for done in [0, 1, 300, second.len()] {
            let dir = tempfile::tempdir().unwrap();
            let (base, none) = Base::open(dir.path(), 1 << 20).unwrap();
            assert_eq!(none, None);
            let (rows, digest) = base.difference(Digest::default(), &first).unwrap();
            let before = mark(1, digest);
            base.record(&rows, &before).unwrap();
            base.write(&rows, &before).unwrap();
            base.sync().unwrap();
            let (rows, digest) = base.difference(before.digest, &second).unwrap();
            let after = mark(2, digest);
            base.record(&rows, &after).unwrap();
            base.tree.write(borrowed(&rows[..done])).unwrap();
            drop(base);
            let (base, found) = Base::open(dir.path(), 1 << 20).unwrap();
            assert_eq!(found, Some(after), "after {done} rows");
            assert_eq!(base.get(&row(0, 0).0), None);
            assert_eq!(base.get(&row(count, 0).0), row(0, 2).1);
        }
    }

    #[test]
    fn readers_see_every_unchanged_row_while_a_checkpoint_splits_and_merges_its_neighbours() {
        const ROWS: u16 = 4000;
        const CHECKPOINTS: u16 = 30;
        let key = |row: u16| Bytes::copy_from_slice(&row.to_be_bytes());
        let stays = |row: &u16| row.is_multiple_of(4);
        let dir = tempfile::tempdir().unwrap();
        // With almost no cache, reads go to sled.
        let (base, _) = Base::open(dir.path(), 1024).unwrap();
        let value = Bytes::from_static(&[7; 100]);
        let first: Vec<Change> = (0..ROWS).filter(stays).map(|row| (key(row), Some(value.clone()))).collect();
        base.write(&first, &mark(Digest::default())).unwrap();
        let written = AtomicBool::new(false);
        let see = |direction| {
            let mut scans = 0u32;
            while scans == 0 || !written.load(Ordering::Relaxed) {
                let from = (scans % 13) as u16 * 300;
                let range = KeyRange::prefix(&[]).after(&key(from)).before(&key(from + 400));
                let mut seen: Vec<u16> = base
                    .scan(&range, direction)
                    .map(|(key, _)| u16::from_be_bytes(key.as_ref().try_into().unwrap()))
                    .filter(stays)
                    .collect();
                if direction == Direction::Backward {
                    seen.reverse();
                }
                assert_eq!(seen, (from + 1..from + 400).filter(stays).collect::<Vec<_>>());
                assert!(seen.iter().all(|row| base.get(&key(*row)).as_ref() == Some(&value)));
                scans += 1;
            }
        };
        std::thread::scope(|scope| {
            let readers = [Direction::Forward, Direction::Backward];
            let readers = readers.map(|direction| scope.spawn(move || see(direction)));
            for checkpoint in 0..CHECKPOINTS {
                // In turns, all neighbours are set, and two thirds of them are removed.
                let row = |row: u16| {
                    let present = checkpoint % 2 == 0 || row % 3 == checkpoint % 3;
                    (key(row), present.then(|| value.clone()))
                };
                let rows: Vec<Change> = (0..ROWS).filter(|row| !stays(row)).map(row).collect();
                base.write(&rows, &mark(Digest::default())).unwrap();
            }
            written.store(true, Ordering::Relaxed);
            readers.into_iter().for_each(|reader| reader.join().unwrap());
        });
    }

    #[test]
    fn an_unchanged_row_is_not_written_again() {
        let dir = tempfile::tempdir().unwrap();
        let (base, _) = Base::open(dir.path(), 1 << 20).unwrap();
        let row = |key: &'static [u8], value: Option<&'static [u8]>| {
            (Bytes::from_static(key), value.map(Bytes::from_static))
        };
        let first = Table::from_iter([row(b"a", Some(b"1")), row(b"b", Some(b"2")), row(b"gone", None)]);
        let (rows, before) = base.difference(Digest::default(), &first).unwrap();
        assert_eq!(rows, [row(b"a", Some(b"1")), row(b"b", Some(b"2"))]);
        base.write(&rows, &mark(before)).unwrap();
        assert_eq!(base.get(b"b").as_deref(), Some(&b"2"[..]), "now it is cached");
        let second = Table::from_iter([row(b"a", Some(b"1")), row(b"b", None), row(b"c", Some(b"3"))]);
        let (rows, after) = base.difference(before, &second).unwrap();
        assert_eq!(rows, [row(b"b", None), row(b"c", Some(b"3"))]);
        base.write(&rows, &mark(after)).unwrap();
        assert_eq!(base.get(b"b"), None);
        assert_eq!(base.count().unwrap(), (Some(mark(after)), after));
    }

    /// sled opens each of these without an error.
    #[test]
    fn rows_that_do_not_match_the_mark_are_damage() {
        type RawRow = (&'static [u8], Option<&'static [u8]>);
        let ways: [(&str, Option<RawRow>); 5] = [
            ("nothing", None),
            ("a row is lost", Some((b"b", None))),
            ("a row is changed", Some((b"b", Some(b"3")))),
            ("a removed row is back", Some((b"d", Some(b"4")))),
            ("the mark is lost", Some((MARK_KEY, None))),
        ];
        for (way, damage) in ways {
            let dir = tempfile::tempdir().unwrap();
            let (base, none) = Base::open(dir.path(), 1 << 20).unwrap();
            assert_eq!(none, None);
            let row = |key: &'static [u8], value: Option<&'static [u8]>| {
                (Bytes::from_static(key), value.map(Bytes::from_static))
            };
            let first = Table::from_iter([row(b"a", Some(b"1")), row(b"d", Some(b"4"))]);
            let second = Table::from_iter([row(b"b", Some(b"2")), row(b"d", None)]);
            let mut digest = Digest::default();
            for table in [first, second] {
                let rows;
                (rows, digest) = base.difference(digest, &table).unwrap();
                base.record(&rows, &mark(digest)).unwrap();
                base.write(&rows, &mark(digest)).unwrap();
            }
            base.tree.write(damage).unwrap();
            base.sync().unwrap();
            drop(base);
            match Base::open(dir.path(), 1 << 20) {
                Ok((_, found)) => assert_eq!((way, found), ("nothing", Some(mark(digest)))),
                Err(StoreError::Damaged { what, reached, .. }) => {
                    assert_ne!(way, "nothing", "{what}");
                    let expected = (way != "the mark is lost").then(|| mark(digest).position());
                    assert_eq!(reached, expected, "{way}");
                }
                Err(error) => panic!("{way}: {error}"),
            }
        }
    }
}
