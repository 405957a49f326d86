//! The rows on disk: one sled tree, the only place that names sled.
//!
//! Schema of the ledger's own rows (tag 0), persisted, never reused:
//! - `[0, 1]` the mark (see `mark`), the only row that the digest does not count.
//! - `[0, 2, chunk u64]` request ids (see `request_ids`).
//!
//! Invariant: a checkpoint is recorded beside sled before sled sees it row by row, the mark last; one that was
//! not finished is, on open. sled's own promises are not relied on: its recovery may lose a tail or rows
//! in silence, so on open the rows are counted against the digest, and a panic in it means: damaged.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use milepost_types::Position;
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

use super::cache::Cache;
use super::digest::Digest;
use super::layers::{Change, Table};
use super::mark::Mark;
use super::pending::{self, Pending};
use crate::domain::{Direction, KeyRange, Row};
use crate::journal::disk::{Disk, SystemDisk, make_private};

const MARK_KEY: &[u8] = &[0, 1];

/// sled releases its lock a moment after the process or handle that held it is gone.
pub(super) const LOCK_PATIENCE: Duration = Duration::from_secs(3);

/// What sled gets where nothing is read.
const CHECK_CACHE_BYTES: usize = 1 << 20;

/// Why a store cannot be used. Its journal can rebuild it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It is damaged, or was not completely written.
    #[error("the store in {} is damaged: {what}", dir.display())]
    Damaged {
        /// Its directory.
        dir: PathBuf,
        /// What was found.
        what: String,
        /// The last entry that it says it has seen, where that can still be read.
        reached: Option<Position>,
    },
    /// Another process has it open.
    #[error("the store in {} is open in another process", dir.display())]
    Locked {
        /// Its directory.
        dir: PathBuf,
    },
    /// The disk refused.
    #[error("cannot use the store in {}", dir.display())]
    Io {
        /// Its directory.
        dir: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl StoreError {
    /// The same, where damage is told with how far the store says it was.
    fn reached(self, reached: Option<Position>) -> Self {
        match self {
            Self::Damaged { dir, what, reached: known } => {
                Self::Damaged { dir, what, reached: known.or(reached) }
            }
            other => other,
        }
    }

    /// The same, told of the directory that was meant.
    pub(super) fn of(self, meant: &Path) -> Self {
        let meant = meant.to_owned();
        match self {
            Self::Damaged { what, reached, .. } => Self::Damaged { dir: meant, what, reached },
            Self::Locked { .. } => Self::Locked { dir: meant },
            // It is the copy's own disk that refuses.
            Self::Io { dir, source } => Self::Io { dir, source },
        }
    }

    /// The whole story in one line.
    pub(crate) fn with_source(&self) -> String {
        let source = std::error::Error::source(self).map(|source| format!(": {source}"));
        format!("{self}{}", source.unwrap_or_default())
    }
}

/// The rows on disk, and those of them that are kept in memory.
pub(crate) struct Base {
    dir: PathBuf,
    tree: sled::Db,
    cache: Cache,
    /// Why the ledger must stop, once it must: here because rows cannot be read.
    pub(crate) failure: watch::Sender<Option<String>>,
    /// Files of large values that are on the disk.
    synced_blobs: Mutex<BTreeSet<OsString>>,
    /// Held by views while they read; a checkpoint waits for it before it writes, so that views from before
    /// its table was frozen are gone: later ones have that table in front of all it writes.
    pub(crate) cut: RwLock<()>,
}

impl Base {
    /// Opens or creates the store in `dir` and tells its mark, if it has one.
    ///
    /// # Errors
    /// `Damaged` if its rows are not what its mark says, or sled cannot read it.
    pub(crate) fn open(dir: &Path, cache_bytes: usize) -> Result<(Self, Option<Mark>), StoreError> {
        SystemDisk.create_dir_all(dir).map_err(|source| StoreError::Io { dir: dir.to_owned(), source })?;
        // sled makes its files for everybody; within this directory nobody else comes at them.
        make_private(&SystemDisk, [dir.to_owned()]);
        remove_unfinished_snapshots(dir)?;
        let pending = pending::read(dir).map_err(|source| StoreError::Io { dir: dir.to_owned(), source })?;
        let reached = pending.as_ref().map(|pending| pending.mark.position());
        let tree = guard(dir, || open_sled(dir, cache_bytes))
            .and_then(|opened| opened)
            .map_err(|error| error.reached(reached))?;
        let base = Self {
            dir: dir.to_owned(),
            tree,
            cache: Cache::new(cache_bytes),
            failure: watch::Sender::new(None),
            synced_blobs: Mutex::default(),
            cut: RwLock::new(()),
        };

        let counted = base.finish(pending).and_then(|()| guard(dir, || base.count())?);
        let (mark, digest) = counted.map_err(|error| error.reached(reached))?;
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

    /// Whether nobody has the store in `dir` open, whatever state it is in.
    ///
    /// # Errors
    /// `Locked` if somebody has.
    pub(crate) fn check_free(dir: &Path) -> Result<(), StoreError> {
        match guard(dir, || open_sled(dir, CHECK_CACHE_BYTES)) {
            Ok(Err(error @ StoreError::Locked { .. })) => Err(error),
            // Damaged or not, it is nobody's.
            _ => Ok(()),
        }
    }

    /// Walks every row.
    fn count(&self) -> Result<(Option<Mark>, Digest), StoreError> {
        let mut mark = None;
        let mut digest = Digest::default();
        for row in self.tree.iter() {
            let (key, value) = row.map_err(|error| self.sled_error(error))?;
            if key.as_ref() == MARK_KEY {
                let decoded = Mark::decode(&value).ok_or_else(|| StoreError::Damaged {
                    dir: self.dir.clone(),
                    what: "its mark cannot be read, or is of another version".to_owned(),
                    reached: None,
                })?;
                mark = Some(decoded);
            } else {
                digest.add(&key, &value);
            }
        }
        Ok((mark, digest))
    }

    /// Ends the ledger, and tells why if it has not ended before.
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

    /// Rows are read where there is no way to answer that they cannot be. No fault of the program, so this
    /// panic prints nothing.
    fn give_up(&self, error: &StoreError) -> ! {
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
        let value = self.uncached(key).unwrap_or_else(|error| self.give_up(&error));
        self.cache.put(Bytes::copy_from_slice(key), value.clone());
        value
    }

    fn uncached(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        let value = guard(&self.dir, || self.tree.get(key))?.map_err(|error| self.sled_error(error))?;
        Ok(value.map(|value| Bytes::copy_from_slice(&value)))
    }

    /// The rows of a range.
    ///
    /// # Panics
    /// If sled fails, which ends the ledger.
    pub(crate) fn scan(&self, range: &KeyRange, direction: Direction) -> Box<dyn Iterator<Item = Row> + '_> {
        let mut rows = match &range.end {
            Some(end) if *end <= range.start => return Box::new(std::iter::empty()),
            Some(end) => self.tree.range(range.start.as_slice()..end.as_slice()),
            None => self.tree.range(range.start.as_slice()..),
        };
        let rows = std::iter::from_fn(move || {
            let row = guard(&self.dir, || match direction {
                Direction::Forward => rows.next(),
                Direction::Backward => rows.next_back(),
            });
            row.and_then(|row| row.transpose().map_err(|error| self.sled_error(error)))
                .unwrap_or_else(|error| self.give_up(&error))
        });
        Box::new(
            rows.filter(|(key, _)| key.as_ref() != MARK_KEY)
                .map(|(key, value)| (Bytes::copy_from_slice(&key), Bytes::copy_from_slice(&value))),
        )
    }

    /// What `table` changes of the rows that are there, and the digest after it. A row that came and went
    /// between two checkpoints is no change.
    pub(crate) fn difference(
        &self,
        digest: Digest,
        table: &Table,
    ) -> Result<(Vec<Change>, Digest), StoreError> {
        guard(&self.dir, || self.compare(digest, table))?
    }

    fn compare(&self, mut digest: Digest, table: &Table) -> Result<(Vec<Change>, Digest), StoreError> {
        let mut rows = Vec::new();
        for (key, value) in table {
            let old = match self.cache.get(key) {
                Some(known) => known,
                None => self.uncached(key)?,
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

    /// Records a checkpoint on the disk, from where `write` is finished after a crash.
    pub(crate) fn record(&self, rows: &[Change], mark: &Mark) -> Result<(), StoreError> {
        pending::record(&self.dir, rows, mark).map_err(|source| self.io_error(source))
    }

    /// Writes rows one by one, since a batch of sled's keeps every reader of the process waiting and costs half
    /// as much again, and then the mark.
    pub(crate) fn write(&self, rows: &[Change], mark: &Mark) -> Result<(), StoreError> {
        drop(self.cut.write());
        self.writing(|| {
            rows.iter().try_for_each(|row| self.put(row))?;
            self.tree.insert(MARK_KEY, mark.encode())
        })?;
        for (key, value) in rows {
            self.cache.replace(key, value);
        }
        Ok(())
    }

    fn put(&self, (key, value): &Change) -> sled::Result<()> {
        match value {
            Some(value) => self.tree.insert(key, value.as_ref())?,
            None => self.tree.remove(key)?,
        };
        Ok(())
    }

    /// Has sled write. Where it could not, it is never dropped: it would then wait for ever for what is not
    /// written, and the process could not end.
    fn writing<T>(&self, write: impl FnOnce() -> sled::Result<T>) -> Result<T, StoreError> {
        let written = guard(&self.dir, write).and_then(|done| done.map_err(|error| self.sled_error(error)));
        if written.is_err() {
            std::mem::forget(self.tree.clone());
        }
        written
    }

    /// Does what is left to do of the checkpoint that was recorded last, or all of it again. One that is
    /// older than the rows is of a program that knew of no such file.
    fn finish(&self, pending: Option<Pending>) -> Result<(), StoreError> {
        let Some(Pending { mark, rows }) = pending else { return Ok(()) };
        let known = guard(&self.dir, || self.tree.get(MARK_KEY))?.map_err(|error| self.sled_error(error))?;
        let known = known.and_then(|bytes| Mark::decode(&bytes));
        if known.is_some_and(|known| known.log == mark.log && known.sequence > mark.sequence) {
            return Ok(());
        }
        tracing::info!(dir = %self.dir.display(), rows = rows.len(), "finishing a checkpoint");
        self.write(&rows, &mark)?;
        self.sync()
    }

    /// Brings what was written to the disk, and forgets what was recorded of it. sled's flush is no fsync,
    /// so its file is synced after it.
    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        self.writing(|| self.tree.flush())?;
        let synced = std::fs::File::open(self.dir.join("db")).and_then(|file| file.sync_all());
        synced
            .and_then(|()| self.sync_blobs())
            .and_then(|()| pending::clear(&self.dir))
            .map_err(|source| self.io_error(source))
    }

    /// Brings the files to the disk that sled keeps large pages in, which it never syncs itself.
    fn sync_blobs(&self) -> std::io::Result<()> {
        let dir = self.dir.join("blobs");
        let mut there = BTreeSet::new();
        let mut synced = self.synced_blobs.lock();
        let files = match std::fs::read_dir(&dir) {
            Ok(files) => files,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        for file in files {
            let file = file?;
            if !synced.contains(&file.file_name()) {
                match std::fs::File::open(file.path()) {
                    Ok(file) => file.sync_all()?,
                    // sled removes those that it needs no more.
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                    Err(error) => return Err(error),
                }
            }
            there.insert(file.file_name());
        }
        if there != *synced {
            std::fs::File::open(&dir)?.sync_all()?;
            *synced = there;
        }
        Ok(())
    }

    fn io_error(&self, source: std::io::Error) -> StoreError {
        StoreError::Io { dir: self.dir.clone(), source }
    }

    fn sled_error(&self, error: sled::Error) -> StoreError {
        from_sled(&self.dir, error)
    }
}

fn open_sled(dir: &Path, cache_bytes: usize) -> Result<sled::Db, StoreError> {
    let config = sled::Config::new()
        .path(dir)
        .cache_capacity(cache_bytes as u64)
        .flush_every_ms(None)
        .mode(sled::Mode::HighThroughput);
    let started = Instant::now();
    loop {
        match config.open() {
            Ok(tree) => return Ok(tree),
            Err(error) if is_locked(&error) && started.elapsed() < LOCK_PATIENCE => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(error) if is_locked(&error) => return Err(StoreError::Locked { dir: dir.to_owned() }),
            Err(error) => return Err(from_sled(dir, error)),
        }
    }
}

fn is_locked(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(error) if error.to_string().contains("could not acquire lock"))
}

fn from_sled(dir: &Path, error: sled::Error) -> StoreError {
    match error {
        sled::Error::Io(source) if !is_loss(&source) => StoreError::Io { dir: dir.to_owned(), source },
        error => StoreError::Damaged { dir: dir.to_owned(), what: error.to_string(), reached: None },
    }
}

/// Whether a file is gone or cut that sled wrote: damage, which a rebuild mends.
fn is_loss(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::UnexpectedEof)
}

/// A torn snapshot that sled was still writing keeps it from opening; its log does without.
fn remove_unfinished_snapshots(dir: &Path) -> Result<(), StoreError> {
    let io = |source| StoreError::Io { dir: dir.to_owned(), source };
    for file in std::fs::read_dir(dir).map_err(io)? {
        let path = file.map_err(io)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            std::fs::remove_file(&path).map_err(io)?;
        }
    }
    Ok(())
}

/// Runs what goes into sled; a panic there means that the store is damaged.
fn guard<T>(dir: &Path, run: impl FnOnce() -> T) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| StoreError::Damaged {
        dir: dir.to_owned(),
        what: crate::panic::message(panic.as_ref()),
        reached: None,
    })
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
    fn a_checkpoint_that_stopped_between_two_rows_is_finished_on_open() {
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
            rows[..done].iter().for_each(|row| base.put(row).unwrap());
            drop(base);
            let (base, found) = Base::open(dir.path(), 1 << 20).unwrap();
            assert_eq!(found, Some(after), "after {done} rows");
            assert_eq!(base.get(&row(0, 0).0), None);
            assert_eq!(base.get(&row(count, 0).0), row(0, 2).1);
        }
    }

    #[test]
    fn readers_see_every_row_that_a_checkpoint_leaves_alone_while_it_splits_and_merges_what_is_around() {
        const ROWS: u16 = 4000;
        const CHECKPOINTS: u16 = 30;
        let key = |row: u16| Bytes::copy_from_slice(&row.to_be_bytes());
        let stays = |row: &u16| row.is_multiple_of(4);
        let dir = tempfile::tempdir().unwrap();
        // No cache to speak of: reads go to sled.
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
                // All that is around comes, and two thirds of it go, again and again.
                let row = |row: u16| {
                    let there = checkpoint % 2 == 0 || row % 3 == checkpoint % 3;
                    (key(row), there.then(|| value.clone()))
                };
                let rows: Vec<Change> = (0..ROWS).filter(|row| !stays(row)).map(row).collect();
                base.write(&rows, &mark(Digest::default())).unwrap();
            }
            written.store(true, Ordering::Relaxed);
            readers.into_iter().for_each(|reader| reader.join().unwrap());
        });
    }

    #[test]
    fn what_did_not_change_is_not_written_again() {
        let dir = tempfile::tempdir().unwrap();
        let (base, _) = Base::open(dir.path(), 1 << 20).unwrap();
        let row = |key: &'static [u8], value: Option<&'static [u8]>| {
            (Bytes::from_static(key), value.map(Bytes::from_static))
        };
        let first = Table::from_iter([row(b"a", Some(b"1")), row(b"b", Some(b"2")), row(b"gone", None)]);
        let (rows, before) = base.difference(Digest::default(), &first).unwrap();
        assert_eq!(rows, [row(b"a", Some(b"1")), row(b"b", Some(b"2"))]);
        base.write(&rows, &mark(before)).unwrap();
        assert_eq!(base.get(b"b").as_deref(), Some(&b"2"[..]), "from here on it is in memory");
        let second = Table::from_iter([row(b"a", Some(b"1")), row(b"b", None), row(b"c", Some(b"3"))]);
        let (rows, after) = base.difference(before, &second).unwrap();
        assert_eq!(rows, [row(b"b", None), row(b"c", Some(b"3"))]);
        base.write(&rows, &mark(after)).unwrap();
        assert_eq!(base.get(b"b"), None);
        assert_eq!(base.count().unwrap(), (Some(mark(after)), after));
    }

    /// sled takes each of these for a whole store.
    #[test]
    fn rows_that_are_not_those_of_the_mark_are_damage() {
        type Spoil = fn(&sled::Db);
        let ways: [(&str, Spoil); 5] = [
            ("nothing", |_| {}),
            ("a row is lost", |tree| drop(tree.remove(b"b").unwrap())),
            ("a row is changed", |tree| drop(tree.insert(b"b", b"3").unwrap())),
            ("a row is there that was removed", |tree| drop(tree.insert(b"d", b"4").unwrap())),
            ("the mark is lost", |tree| drop(tree.remove(MARK_KEY).unwrap())),
        ];
        for (way, spoil) in ways {
            let dir = tempfile::tempdir().unwrap();
            let (base, none) = Base::open(dir.path(), CHECK_CACHE_BYTES).unwrap();
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
            spoil(&base.tree);
            base.sync().unwrap();
            drop(base);
            match Base::open(dir.path(), CHECK_CACHE_BYTES) {
                Ok((_, found)) => assert_eq!((way, found), ("nothing", Some(mark(digest)))),
                Err(StoreError::Damaged { what, reached, .. }) => {
                    assert_ne!(way, "nothing", "{what}");
                    let told = (way != "the mark is lost").then(|| mark(digest).position());
                    assert_eq!(reached, told, "{way}");
                }
                Err(error) => panic!("{way}: {error}"),
            }
        }
    }
}
