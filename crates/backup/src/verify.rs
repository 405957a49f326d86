//! Verifying a target: every manifest, every range, every hash.
//!
//! Invariant: what passes can be restored: the chain of manifests is whole, every object has the SHA-256 that
//! its manifest says, and every log's hash chain is unbroken from its first entry, logs that were given up
//! among them. Writes nothing.

use std::collections::BTreeMap;

use jiff::Timestamp;
use milepost_types::{Hash, LedgerKind, LogId, Position};

use crate::chain::{Chain, numbers, read_manifest};
use crate::error::Error;
use crate::range;
use crate::target::BackupTarget;

/// What was verified, up to the first fault.
#[derive(Debug, Default)]
pub struct Verified {
    /// Manifests that are whole.
    pub manifests: u64,
    /// Ranges that are whole.
    pub ranges: u64,
    /// The entries in them.
    pub entries: u64,
    /// The bytes of their objects.
    pub bytes: u64,
    /// When the last whole manifest was made.
    pub time: Option<Timestamp>,
    /// Where each ledger stands in it.
    pub positions: BTreeMap<LedgerKind, Position>,
    /// The first fault, if there is one.
    pub fault: Option<Error>,
}

/// Reads everything that the manifests of a target name; `progress` is called with the manifests that were
/// verified, and how many there are.
pub async fn verify(target: &BackupTarget, progress: &mut (dyn FnMut(u64, u64) + Send)) -> Verified {
    let mut verified = Verified::default();
    let fault = walk(target, &mut verified, progress).await.err();
    Verified { fault, ..verified }
}

async fn walk(
    target: &BackupTarget,
    verified: &mut Verified,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<(), Error> {
    let count = numbers(target).await?.pop();
    let count = count.ok_or_else(|| Error::Empty { target: target.name().to_owned() })?;
    let mut chain = Chain::default();
    // The hash of the last entry of each log.
    let mut hashes: BTreeMap<(LedgerKind, LogId), Hash> = BTreeMap::new();
    for number in 1..=count {
        let (manifest, digest) = read_manifest(target, number).await?;
        chain.add(&manifest, digest)?;
        // Where a log went before is what `add` checked; its ranges need not be kept.
        chain.forget_ranges();
        for record in &manifest.ledgers {
            let hash = hashes.entry((record.ledger, record.log)).or_insert(Hash::ZERO);
            for own in &record.ranges {
                let previous = if own.first == 1 { Hash::ZERO } else { *hash };
                range::read(target, record.ledger, record.log, own, &previous).await?;
                *hash = own.hash.hash();
                verified.ranges += 1;
                verified.entries += own.last - own.first + 1;
                verified.bytes += own.bytes;
            }
        }
        verified.manifests = number;
        verified.time = Some(manifest.time);
        verified.positions =
            manifest.ledgers.iter().map(|record| (record.ledger, record.position())).collect();
        progress(number, count);
    }
    Ok(())
}
