//! The chain of manifests of a target, read from the first to the last, and what it comes to: every ledger's
//! log with its ranges.
//!
//! Invariant: manifests are without gaps, each names the hash of the one before, and the ranges of a log
//! follow one another from the entry 1 to its position. A chain that is not so is refused with the manifest
//! at fault. Ranges are not read here.

use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use milepost_types::{Hash, LedgerKind, Lineage, LogId, Position};

use crate::digest::Digest;
use crate::error::Error;
use crate::manifest::{LedgerRecord, Manifest, Range};
use crate::target::BackupTarget;

/// So many manifests are asked for at a time.
const CONCURRENT_READS: usize = 16;

/// A log as the manifests up to one have it.
#[derive(Debug, Clone)]
pub struct LogBackup {
    /// The log.
    pub log: LogId,
    /// What it was restored from.
    pub lineage: Lineage,
    /// The sequence of its last entry in the backup; 0 for none.
    pub sequence: u64,
    /// The hash of that entry; zero for none.
    pub hash: Hash,
    /// Its ranges, from the entry 1 on.
    pub ranges: Vec<Range>,
}

impl LogBackup {
    /// A log of which nothing is known yet.
    fn empty(log: LogId) -> Self {
        Self { log, lineage: Lineage::default(), sequence: 0, hash: Hash::ZERO, ranges: Vec::new() }
    }

    /// The last position.
    pub fn position(&self) -> Position {
        Position::after(self.log, self.sequence, &self.hash)
    }
}

/// What the manifests up to one come to.
#[derive(Debug, Clone, Default)]
pub struct Chain {
    /// The number of the last manifest; 0 for none.
    pub number: u64,
    /// When that was made.
    pub time: Option<Timestamp>,
    /// The log of each ledger.
    pub ledgers: BTreeMap<LedgerKind, LogBackup>,
    /// The logs that were given up when their ledger was restored, in the order in which they were.
    pub given_up: Vec<(LedgerKind, LogBackup)>,
    digest: Option<Digest>,
}

impl Chain {
    /// Adds the next manifest, whose bytes have this digest.
    ///
    /// # Errors
    /// If it does not continue the chain.
    pub(crate) fn add(&mut self, manifest: &Manifest, digest: Digest) -> Result<(), Error> {
        let damaged = |what: String| Error::Damaged { object: Manifest::object(manifest.number), what };
        if manifest.previous != self.digest {
            return Err(damaged(
                "it does not continue the manifest before: its hash of that is another".to_owned(),
            ));
        }
        if let Some(gone) = self.ledgers.keys().find(|kind| manifest.ledger(**kind).is_none()) {
            return Err(damaged(format!("it has no {gone}, unlike the manifest before")));
        }
        for record in &manifest.ledgers {
            let own = match self.ledgers.remove(&record.ledger) {
                Some(before) if before.log == record.log => before,
                other => {
                    self.given_up.extend(other.map(|before| (record.ledger, before)));
                    LogBackup::empty(record.log)
                }
            };
            let own =
                continued(own, record).map_err(|what| damaged(format!("the {}: {what}", record.ledger)))?;
            self.ledgers.insert(record.ledger, own);
        }
        (self.number, self.time, self.digest) = (manifest.number, Some(manifest.time), Some(digest));
        Ok(())
    }

    /// All logs of a ledger: those that were given up, and the one that it has.
    pub fn logs(&self, ledger: LedgerKind) -> impl Iterator<Item = &LogBackup> {
        let given_up = self.given_up.iter().filter(move |(kind, _)| *kind == ledger).map(|(_, log)| log);
        given_up.chain(self.ledgers.get(&ledger))
    }

    /// Forgets the ranges, and remembers where they end: for who reads them manifest by manifest.
    pub(crate) fn forget_ranges(&mut self) {
        self.ledgers.values_mut().for_each(|log| log.ranges.clear());
        self.given_up.clear();
    }
}

/// A log with what a manifest adds to it.
fn continued(mut own: LogBackup, record: &LedgerRecord) -> Result<LogBackup, String> {
    for range in &record.ranges {
        if range.first != own.sequence + 1 || range.last < range.first {
            return Err(format!(
                "entries {} to {} do not follow entry {}",
                range.first, range.last, own.sequence
            ));
        }
        (own.sequence, own.hash) = (range.last, range.hash.hash());
        own.ranges.push(*range);
    }
    if (record.sequence, record.hash) != (own.sequence, own.hash.into()) {
        return Err(format!(
            "its ranges end at entry {}, its position is {}",
            own.sequence,
            record.position()
        ));
    }
    own.lineage = Lineage::new(record.lineage.iter().copied());
    Ok(own)
}

/// The numbers of the manifests in a target, in order.
pub(crate) async fn numbers(target: &BackupTarget) -> Result<Vec<u64>, Error> {
    let names = target.names().await?;
    let mut numbers: Vec<_> = names.iter().filter_map(|name| Manifest::number_of(name)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// The last manifest of a target, with the digest of its bytes; `None` in an empty one.
pub(crate) async fn last(target: &BackupTarget) -> Result<Option<(Manifest, Digest)>, Error> {
    let Some(number) = numbers(target).await?.pop() else { return Ok(None) };
    read_manifest(target, number).await.map(Some)
}

/// The manifest with this number, and the digest of its bytes.
pub(crate) async fn read_manifest(target: &BackupTarget, number: u64) -> Result<(Manifest, Digest), Error> {
    let bytes = target.get(&Manifest::object(number)).await?;
    Ok((Manifest::decode(number, &bytes)?, Digest::of(&bytes)))
}

/// Reads the manifests up to the one with this number, or all; `visit` is called with each and with how many
/// there are, after it was found to continue the chain.
///
/// # Errors
/// If there is none, or the chain is broken; what `visit` returns.
pub async fn read_chain(
    target: &BackupTarget,
    up_to: Option<u64>,
    mut visit: impl FnMut(&Manifest, u64) -> Result<(), Error>,
) -> Result<Chain, Error> {
    let last = numbers(target).await?.pop();
    let last = last.ok_or_else(|| Error::Empty { target: target.name().to_owned() })?;
    let count = up_to.unwrap_or(last);
    if count == 0 || count > last {
        return Err(Error::NoManifest { number: count, last, target: target.name().to_owned() });
    }
    let mut manifests =
        stream::iter(1..=count).map(|number| read_manifest(target, number)).buffered(CONCURRENT_READS);
    let mut chain = Chain::default();
    while let Some((manifest, digest)) = manifests.try_next().await? {
        chain.add(&manifest, digest)?;
        visit(&manifest, count)?;
    }
    Ok(chain)
}
