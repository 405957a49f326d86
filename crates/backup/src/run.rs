//! Making backups: what a target lacks of each log, range by range, and then the manifest.
//!
//! Invariants: positions are taken of followers before their sources, so that in no manifest a follower is
//! ahead. A target is continued only by the log that it holds, or by one that was restored from it, and never
//! from behind. After a failure the next run looks at the target again: what it finds there of the failed one
//! it takes over.

use std::sync::Arc;

use milepost_ledger::Source;
use milepost_ledger::journal::ReadLimit;
use milepost_types::{Clock, Hash, LedgerKind, Position};

use crate::chain;
use crate::digest::Digest;
use crate::error::Error;
use crate::manifest::{FORMAT, LedgerRecord, Manifest, Range};
use crate::range::Collected;
use crate::target::{BackupTarget, Created};

/// How much is read from a journal at a time.
const READ: ReadLimit = ReadLimit { entries: 8192, bytes: 1 << 20 };

/// A ledger to back up.
#[derive(Clone)]
pub struct LedgerSource {
    /// Which one.
    pub kind: LedgerKind,
    /// Its journal.
    pub source: Source,
}

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The number of the target's last manifest; 0 if it has none.
    pub manifest: u64,
    /// Whether this run made it. It makes none where nothing is new.
    pub is_new: bool,
    /// The entries that were written.
    pub entries: u64,
    /// Their bytes in the target.
    pub bytes: u64,
    /// Where each ledger stands in the backup, followers first.
    pub positions: Vec<(LedgerKind, Position)>,
}

/// The backups of the ledgers of one process to one target.
pub struct Backup {
    target: BackupTarget,
    ledgers: Vec<LedgerSource>,
    clock: Arc<dyn Clock>,
    software: String,
    /// What the target ends with; the outer `None` before it was looked at.
    last: Option<Option<(Manifest, Digest)>>,
}

impl Backup {
    /// Backups of these ledgers; `software` is the version that manifests name.
    pub fn new(
        target: BackupTarget,
        mut ledgers: Vec<LedgerSource>,
        clock: Arc<dyn Clock>,
        software: &str,
    ) -> Self {
        // A ledger follows only those of smaller kinds.
        ledgers.sort_by_key(|ledger| std::cmp::Reverse(ledger.kind));
        Self { target, ledgers, clock, software: software.to_owned(), last: None }
    }

    /// Backs up what is new. May be dropped at any time: then, as after an error, the target has what it had
    /// before, and perhaps ranges that the next run takes over.
    ///
    /// # Errors
    /// If the target cannot be written, holds other logs or a longer one, or a journal cannot be read.
    pub async fn run(&mut self) -> Result<Outcome, Error> {
        let last = match self.last.take() {
            Some(last) => last,
            None => self.resume().await?,
        };
        let time = self.clock.now();
        let positions: Vec<_> =
            self.ledgers.iter().map(|ledger| (ledger.kind, ledger.source.tail())).collect();
        let before = |kind| last.as_ref().and_then(|(manifest, _)| manifest.ledger(kind));
        let number = last.as_ref().map_or(0, |(manifest, _)| manifest.number);
        if last.is_some()
            && positions.iter().all(|(kind, at)| before(*kind).is_some_and(|known| known.position() == *at))
        {
            self.last = Some(last);
            return Ok(Outcome { manifest: number, is_new: false, entries: 0, bytes: 0, positions });
        }
        let mut records = Vec::new();
        for (ledger, (_, to)) in self.ledgers.iter().zip(&positions) {
            records.push(self.record(ledger, before(ledger.kind), *to).await?);
        }
        let sum = |of: fn(&Range) -> u64| records.iter().flat_map(|record| &record.ranges).map(of).sum();
        let (entries, bytes) = (sum(|range| range.last - range.first + 1), sum(|range| range.bytes));
        let manifest = Manifest {
            format: FORMAT,
            min_reader: FORMAT,
            number: number + 1,
            previous: last.map(|(_, digest)| digest),
            time,
            software: self.software.clone(),
            ledgers: records,
        };
        let digest = self.create(&manifest).await?;
        let outcome = Outcome { manifest: manifest.number, is_new: true, entries, bytes, positions };
        self.last = Some(Some((manifest, digest)));
        Ok(outcome)
    }

    /// Looks at what the target ends with, and that these ledgers continue it.
    async fn resume(&self) -> Result<Option<(Manifest, Digest)>, Error> {
        self.target.probe().await?;
        let Some((manifest, digest)) = chain::last(&self.target).await? else { return Ok(None) };
        for record in &manifest.ledgers {
            let ledger = self.ledgers.iter().find(|ledger| ledger.kind == record.ledger);
            let target = || self.target.name().to_owned();
            let elsewhere = || Error::LedgerElsewhere { ledger: record.ledger, target: target() };
            let LedgerSource { kind, source } = ledger.ok_or_else(elsewhere)?;
            let (info, tail, backed_up) = (source.info(), source.tail(), record.position());
            if info.log != record.log {
                if info.lineage.fork_of(record.log).is_none() {
                    let (ledger, theirs, own) = (*kind, record.log, info.log);
                    return Err(Error::OtherLog { ledger, theirs, own, target: target() });
                }
                continue;
            }
            let have = match backed_up.sequence.checked_sub(1) {
                None => Position::start(info.log),
                Some(_) if tail.sequence < backed_up.sequence => tail,
                Some(before) => {
                    let read = source.read_after(before, ReadLimit { entries: 1, bytes: 1 }).await;
                    let read = read.map_err(|source| Error::Journal { ledger: *kind, source })?;
                    read.first().map_or(tail, |entry| Position::after(info.log, entry.sequence, &entry.hash))
                }
            };
            if have != backed_up {
                return Err(Error::Diverged { ledger: *kind, backed_up, have, target: target() });
            }
        }
        Ok(Some((manifest, digest)))
    }

    /// Writes the ranges of a ledger from where the target ends to a position.
    async fn record(
        &self,
        ledger: &LedgerSource,
        before: Option<&LedgerRecord>,
        to: Position,
    ) -> Result<LedgerRecord, Error> {
        let (kind, info) = (ledger.kind, ledger.source.info());
        let before = before.filter(|before| before.log == to.log);
        let mut sequence = before.map_or(0, |before| before.sequence);
        let mut collected = Collected::after(kind, before.map_or(Hash::ZERO, |before| before.hash.hash()));
        let mut ranges = Vec::new();
        let lost = |sequence: u64| {
            let what = "it cannot be read, though it was acknowledged".to_owned();
            Error::Entry { ledger: kind, sequence, what }
        };
        while sequence < to.sequence {
            let read = ledger.source.read_after(sequence, READ).await;
            let read = read.map_err(|source| Error::Journal { ledger: kind, source })?;
            if read.is_empty() {
                return Err(lost(sequence + 1));
            }
            for entry in read.into_iter().take_while(|entry| entry.sequence <= to.sequence) {
                sequence = entry.sequence;
                if collected.add(entry)? {
                    ranges.extend(collected.write(&self.target, to.log).await?);
                }
            }
        }
        ranges.extend(collected.write(&self.target, to.log).await?);
        if Position::after(to.log, sequence, &collected.hash()) != to && sequence > 0 {
            return Err(lost(to.sequence));
        }
        Ok(LedgerRecord {
            ledger: kind,
            log: to.log,
            journal_format: info.format,
            lineage: info.lineage.forks().to_vec(),
            sequence,
            hash: collected.hash().into(),
            ranges,
        })
    }

    /// Creates a manifest, if there is none of its number.
    async fn create(&self, manifest: &Manifest) -> Result<Digest, Error> {
        let (object, bytes) = (Manifest::object(manifest.number), manifest.encode());
        if self.target.create(&object, bytes.clone()).await? == Created::Exists {
            // A request that is repeated because its answer was lost finds its own.
            let found = self.target.get(&object).await?;
            if found != bytes {
                let target = self.target.name().to_owned();
                return Err(Error::Raced { number: manifest.number, target });
            }
        }
        Ok(Digest::of(&bytes))
    }
}
