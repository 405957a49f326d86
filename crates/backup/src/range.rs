//! Ranges: consecutive entries of one log in one compressed object, `{ledger}/{log
//! id}/{first}-{last}.entries`.
//!
//! The content is a part of an export (`journal::export`), compressed with zstd. Invariants: every hash is
//! computed again before an entry is written and after it was read; where ranges end depends on the entries
//! alone, so that an interrupted backup is continued with the same objects. At most one range is in memory at
//! a time, about `CONTENT_BYTES` and one entry.

use bytes::Bytes;
use milepost_ledger::journal::StoredEntry;
use milepost_ledger::journal::export::{put_entry, read_part};
use milepost_ledger::{Entry, chain};
use milepost_types::{Hash, LedgerKind, LogId};

use crate::digest::Digest;
use crate::error::Error;
use crate::manifest::Range;
use crate::target::{BackupTarget, Created};

/// A range is closed once its content has so many bytes.
const CONTENT_BYTES: usize = 4 << 20;
/// A content longer than this is no range: the largest entry is 256 MiB.
const MAX_CONTENT_BYTES: u64 = 1 << 30;
/// Compression: level 3 is zstd's own default.
const LEVEL: i32 = 3;

/// The object of a range.
pub(crate) fn object(ledger: LedgerKind, log: LogId, first: u64, last: u64) -> String {
    format!("{ledger}/{log}/{first:012}-{last:012}.entries")
}

/// A range that is being collected.
pub(crate) struct Collected {
    ledger: LedgerKind,
    /// The hash of the last entry, of this range or of what came before.
    hash: Hash,
    content: Vec<u8>,
    first: Option<StoredEntry>,
    last: Option<StoredEntry>,
}

impl Collected {
    /// An empty range that follows the entry with this hash.
    pub(crate) fn after(ledger: LedgerKind, hash: Hash) -> Self {
        Self { ledger, hash, content: Vec::new(), first: None, last: None }
    }

    /// The hash of the last entry.
    pub(crate) fn hash(&self) -> Hash {
        self.hash
    }

    /// Adds the next entry; whether the range is full then.
    pub(crate) fn add(&mut self, entry: StoredEntry) -> Result<bool, Error> {
        self.hash = chain(&self.hash, &entry.bytes);
        if self.hash != entry.hash {
            let what = "its hash is not that of its bytes".to_owned();
            return Err(Error::Entry { ledger: self.ledger, sequence: entry.sequence, what });
        }
        put_entry(&mut self.content, &entry);
        self.first.get_or_insert_with(|| entry.clone());
        self.last = Some(entry);
        Ok(self.content.len() >= CONTENT_BYTES)
    }

    /// Writes what was collected as an object, and begins the next range; `None` if nothing was collected.
    pub(crate) async fn write(&mut self, target: &BackupTarget, log: LogId) -> Result<Option<Range>, Error> {
        let (Some(first), Some(last)) = (self.first.take(), self.last.take()) else { return Ok(None) };
        let (content, ledger) = (Bytes::from(std::mem::take(&mut self.content)), self.ledger);
        let object = object(ledger, log, first.sequence, last.sequence);
        let times = (time(ledger, &first)?, time(ledger, &last)?);
        let raw = content.clone();
        let compressed = tokio::task::spawn_blocking(move || zstd::bulk::compress(&raw, LEVEL)).await;
        let compressed = compressed.expect("compression does not panic and is not cancelled");
        let mut stored = Bytes::from(compressed.expect("a buffer in memory can be compressed"));
        if target.create(&object, stored.clone()).await? == Created::Exists {
            // Of an interrupted backup; another version of zstd may have made other bytes of the same
            // entries.
            let found = target.get(&object).await?;
            let same = decompress(&object, found.clone(), content.len() as u64).await;
            if same.ok().as_ref() != Some(&content) {
                return Err(Error::OtherObject { object, target: target.name().to_owned() });
            }
            stored = found;
        }
        Ok(Some(Range {
            first: first.sequence,
            last: last.sequence,
            first_time: times.0,
            last_time: times.1,
            hash: last.hash.into(),
            bytes: stored.len() as u64,
            content_bytes: content.len() as u64,
            sha256: Digest::of(&stored),
        }))
    }
}

/// Reads a range whose first entry follows the one with the hash `previous`.
///
/// # Errors
/// If its object is missing, or not what the manifest says.
pub(crate) async fn read(
    target: &BackupTarget,
    ledger: LedgerKind,
    log: LogId,
    range: &Range,
    previous: &Hash,
) -> Result<Vec<StoredEntry>, Error> {
    let object = object(ledger, log, range.first, range.last);
    let damaged = |what: String| Error::Damaged { object: object.clone(), what };
    let stored = target.get(&object).await?;
    let sha256 = Digest::of(&stored);
    if sha256 != range.sha256 {
        return Err(damaged(format!("its SHA-256 is {sha256}, not {} as its manifest says", range.sha256)));
    }
    let content = decompress(&object, stored, range.content_bytes).await?;
    let entries = read_part(&content, range.first, previous).map_err(|error| damaged(error.to_string()))?;
    match entries.last() {
        Some(last) if last.sequence == range.last && last.hash == range.hash.hash() => Ok(entries),
        _ => Err(damaged("it does not end with the entry that its manifest says".to_owned())),
    }
}

/// The commit time of an entry.
pub(crate) fn time(ledger: LedgerKind, entry: &StoredEntry) -> Result<jiff::Timestamp, Error> {
    let unreadable = |what: String| Error::Entry { ledger, sequence: entry.sequence, what };
    Entry::decode(entry).map(|entry| entry.commit_time).map_err(|error| unreadable(error.to_string()))
}

/// The content of an object, which has exactly this length.
async fn decompress(object: &str, stored: Bytes, length: u64) -> Result<Bytes, Error> {
    let damaged = |what: String| Error::Damaged { object: object.to_owned(), what };
    if length > MAX_CONTENT_BYTES {
        return Err(damaged(format!(
            "its manifest says that it has {length} bytes, more than a range can have"
        )));
    }
    let capacity = length as usize;
    let content = tokio::task::spawn_blocking(move || zstd::bulk::decompress(&stored, capacity)).await;
    let content = content.expect("decompression does not panic and is not cancelled");
    let content = content.map_err(|error| damaged(format!("it cannot be decompressed: {error}")))?;
    if content.len() as u64 != length {
        return Err(damaged(format!("it has {} bytes, not {length} as its manifest says", content.len())));
    }
    Ok(content.into())
}
