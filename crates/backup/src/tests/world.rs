//! An office in memory: three logs of which the later ones follow the earlier ones.
//!
//! Invariant: the commit time of an entry is a second after the one before it, over all logs, so that a time names a cut.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use milepost_ledger::journal::memory::MemoryJournal;
use milepost_ledger::journal::{Block, Journal, ReadLimit, StoredEntry};
use milepost_ledger::{Actor, CommandId, Entry, Source};
use milepost_types::{Clock, Hash, LedgerKind, Lineage, LogId, ManualClock, Position};
use object_store::memory::InMemory;

use crate::testing::{Faults, FaultyStore};
use crate::{Backup, BackupTarget, LedgerSource, Use};

pub(super) use LedgerKind::{Notifier, Registry, Tracker};

/// Where a scenario begins in time.
pub(super) const START: i64 = 1_700_000_000;

pub(super) struct World {
    journals: Vec<(LedgerKind, Arc<MemoryJournal>)>,
    pub(super) clock: Arc<ManualClock>,
}

impl World {
    pub(super) fn new() -> Self {
        let journal = |kind| (kind, Arc::new(MemoryJournal::new(LogId::generate())));
        let clock = Arc::new(ManualClock::new(Timestamp::from_second(START).unwrap()));
        Self { journals: LedgerKind::ALL.map(journal).to_vec(), clock }
    }

    pub(super) fn journal(&self, kind: LedgerKind) -> &Arc<MemoryJournal> {
        &self.journals.iter().find(|(own, _)| *own == kind).unwrap().1
    }

    pub(super) fn tail(&self, kind: LedgerKind) -> Position {
        self.journal(kind).info().tail
    }

    pub(super) fn entries(&self, kind: LedgerKind) -> Vec<StoredEntry> {
        let limit = ReadLimit { entries: usize::MAX, bytes: usize::MAX };
        self.journal(kind).read_after(0, limit).unwrap()
    }

    /// Puts another log in the place of a ledger's: its first entries under another id, as a restore does.
    pub(super) fn restore(&mut self, kind: LedgerKind, sequence: usize) {
        let mut entries = self.entries(kind);
        entries.truncate(sequence);
        let last = entries.last().map_or(Hash::ZERO, |last| last.hash);
        let old = self.journal(kind).info();
        let lineage = old.lineage.restored_at(Position::after(old.log, sequence as u64, &last));
        self.replace(kind, MemoryJournal::with_entries(LogId::generate(), lineage, entries));
    }

    pub(super) fn replace(&mut self, kind: LedgerKind, journal: MemoryJournal) {
        self.journals.iter_mut().find(|(own, _)| *own == kind).unwrap().1 = Arc::new(journal);
    }

    /// Puts the log of a ledger back to its first entries, under the same id, as a copy of its files would.
    pub(super) fn rewind(&mut self, kind: LedgerKind, sequence: usize) {
        let mut entries = self.entries(kind);
        entries.truncate(sequence);
        let log = self.journal(kind).info().log;
        self.replace(kind, MemoryJournal::with_entries(log, Lineage::default(), entries));
    }

    /// Appends an entry a second later.
    pub(super) fn append(
        &self,
        kind: LedgerKind,
        command_id: CommandId,
        decided_on: Vec<Position>,
        size: usize,
    ) {
        self.clock.advance(jiff::SignedDuration::from_secs(1));
        let (journal, tail) = (self.journal(kind), self.tail(kind));
        let previous = self.entries(kind).last().map_or(Hash::ZERO, |last| last.hash);
        let entry = Entry {
            sequence: tail.sequence + 1,
            commit_time: self.clock.now(),
            actor: Actor::default(),
            command_id,
            decided_on,
            portfolio: String::new(),
            // Not all the same, or a large one would be compressed to nothing.
            events: vec![Bytes::from((0..size).map(|at| (at * at / 7) as u8).collect::<Vec<_>>())],
        };
        let block = Block { previous, entries: vec![entry.encode(&previous)] };
        journal.append(&tail, &block).unwrap();
    }

    /// A write to the registry, which no ledger has followed yet.
    pub(super) fn write(&self, size: usize) {
        self.append(Registry, CommandId::Server("r".into()), vec![], size);
    }

    /// The tracker takes over the registry's last entry, and the notifier both.
    pub(super) fn follow(&self) {
        let registry = self.tail(Registry);
        self.append(Tracker, CommandId::Source(registry), vec![registry], 20);
        self.follow_by_notifier();
    }

    /// The notifier takes over the last entries of the others.
    pub(super) fn follow_by_notifier(&self) {
        let (registry, tracker) = (self.tail(Registry), self.tail(Tracker));
        self.append(Notifier, CommandId::Source(registry), vec![registry], 20);
        self.append(Notifier, CommandId::Source(tracker), vec![tracker, registry], 20);
    }

    /// A command of the tracker, decided on what it has of the registry.
    pub(super) fn reforecast(&self) {
        self.append(Tracker, CommandId::Server("t".into()), vec![self.tail(Registry)], 20);
    }

    /// So many writes that everybody has followed.
    pub(super) fn go_on(&self, writes: usize) {
        for _ in 0..writes {
            self.write(30);
            self.follow();
        }
    }

    pub(super) fn ledgers(&self) -> Vec<LedgerSource> {
        let source = |(kind, journal): &(LedgerKind, Arc<MemoryJournal>)| LedgerSource {
            kind: *kind,
            source: Source::new(journal.clone()),
        };
        self.journals.iter().map(source).collect()
    }

    /// A server's backups to a target, as it begins them when it starts.
    pub(super) fn backup(&self, target: &BackupTarget) -> Backup {
        Backup::new(target.clone(), self.ledgers(), self.clock.clone(), "0.0.0-test")
    }
}

/// An empty store that has no faults yet, and the target in it.
pub(super) fn memory() -> (FaultyStore, BackupTarget) {
    let store = FaultyStore::new(InMemory::new(), Faults::default());
    let target = BackupTarget::with_store("memory", Arc::new(store.clone()));
    (store, target)
}

/// A target in a directory of its owner alone.
pub(super) fn directory() -> (tempfile::TempDir, BackupTarget) {
    let mode = std::fs::Permissions::from_mode(0o700);
    let dir = tempfile::Builder::new().permissions(mode).tempdir().unwrap();
    let target = BackupTarget::open(&format!("file://{}", dir.path().display()), Use::Write).unwrap();
    (dir, target)
}

impl World {
    /// What a ledger's log was restored from.
    pub(super) fn journal_lineage(&self, kind: LedgerKind) -> Lineage {
        self.journal(kind).info().lineage
    }
}
