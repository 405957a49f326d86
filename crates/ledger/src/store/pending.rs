//! The record of the running checkpoint, in a file beside sled's: sled gets the rows one by one, and after a crash
//! between two rows the rest is written from this record.
//!
//! Layout, integers big end first: magic 4, layout number u8 (1), mark as in its row, then per row: length
//! of the key u32, length of the value u32 (2^32 - 1: the row is removed), key, value; last the CRC-32C u32
//! of all before it. Replaced by the next checkpoint; the journal can always rebuild the rows.
//! Invariant: the whole file is on the disk before sled gets the first row, and it is replaced only when sled's files
//! are on the disk. A torn file was not finished, so sled got none of its rows; it is ignored.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use bytes::{Buf, Bytes};

use super::change::Change;
use super::mark::{MARK_BYTES, Mark};
use crate::journal::disk::PRIVATE_FILE;

const NAME: &str = "pending";
const MAGIC: &[u8; 4] = b"MPCK";
const LAYOUT: u8 = 1;
const REMOVED: u32 = u32::MAX;
const CHECKSUM_BYTES: usize = 4;

/// A checkpoint as it was recorded.
pub(crate) struct Pending {
    pub(crate) mark: Mark,
    pub(crate) rows: Vec<Change>,
}

/// Records a checkpoint, durably.
pub(crate) fn record(dir: &Path, rows: &[Change], mark: &Mark) -> io::Result<()> {
    let path = dir.join(NAME);
    let is_new = !path.exists();
    let file = File::options().write(true).create(true).truncate(true).mode(PRIVATE_FILE).open(path)?;
    let mut out = ChecksumWriter { out: BufWriter::with_capacity(1 << 20, file), sum: 0 };
    out.write(MAGIC)?;
    out.write(&[LAYOUT])?;
    out.write(&mark.encode())?;
    for (key, value) in rows {
        out.write(&length(key)?.to_be_bytes())?;
        out.write(&value.as_ref().map_or(Ok(REMOVED), length)?.to_be_bytes())?;
        out.write(key)?;
        out.write(value.as_deref().unwrap_or_default())?;
    }
    let sum = out.sum;
    out.write(&sum.to_be_bytes())?;
    out.out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_data()?;
    if is_new {
        File::open(dir)?.sync_all()?;
    }
    Ok(())
}

/// The checkpoint that was recorded last; `None` if there is none, or its file is incomplete.
pub(crate) fn read(dir: &Path) -> io::Result<Option<Pending>> {
    match std::fs::read(dir.join(NAME)) {
        Ok(bytes) => Ok(decode(bytes.into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Clears the record of a checkpoint that is on the disk in sled.
pub(crate) fn clear(dir: &Path) -> io::Result<()> {
    File::options().write(true).open(dir.join(NAME))?.set_len(0)
}

fn length(bytes: &Bytes) -> io::Result<u32> {
    let length = u32::try_from(bytes.len()).ok().filter(|length| *length != REMOVED);
    length.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a row of more than 4 GiB"))
}

fn decode(mut bytes: Bytes) -> Option<Pending> {
    let rows_end = bytes.len().checked_sub(CHECKSUM_BYTES)?;
    let sum = bytes.split_off(rows_end).get_u32();
    if crc32c::crc32c(&bytes) != sum || bytes.len() < MAGIC.len() + 1 + MARK_BYTES {
        return None;
    }
    if bytes.split_to(MAGIC.len()) != MAGIC.as_slice() || bytes.get_u8() != LAYOUT {
        return None;
    }
    let mark = Mark::decode(&bytes.split_to(MARK_BYTES))?;
    let mut rows = Vec::new();
    while bytes.has_remaining() {
        let (key, value) = (bytes.try_get_u32().ok()?, bytes.try_get_u32().ok()?);
        let mut take =
            |length: u32| (bytes.len() >= length as usize).then(|| bytes.split_to(length as usize));
        let key = take(key)?;
        rows.push((key, if value == REMOVED { None } else { Some(take(value)?) }));
    }
    Some(Pending { mark, rows })
}

struct ChecksumWriter {
    out: BufWriter<File>,
    sum: u32,
}

impl ChecksumWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sum = crc32c::crc32c_append(self.sum, bytes);
        self.out.write_all(bytes)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use milepost_types::{Hash, LogId};

    use super::*;
    use crate::store::Digest;

    fn mark() -> Mark {
        Mark {
            version: 3,
            log: LogId::from_bytes([1; 16]),
            sequence: 9,
            hash: Hash::from_bytes([2; 32]),
            commit_time: Timestamp::new(5, 6).unwrap(),
            digest: Digest { rows: 7, sum: 8 },
        }
    }

    fn rows() -> Vec<Change> {
        let row = |key: &'static str, value: Option<&'static str>| (Bytes::from(key), value.map(Bytes::from));
        vec![row("a", Some("1")), row("b", None), row("c", Some("")), row("里程碑", Some("路"))]
    }

    #[test]
    fn a_recorded_checkpoint_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        assert!(read(dir.path()).unwrap().is_none());
        record(dir.path(), &rows(), &mark()).unwrap();
        let pending = read(dir.path()).unwrap().unwrap();
        assert_eq!(pending.mark, mark());
        assert_eq!(pending.rows, rows());
        record(dir.path(), &[], &mark()).unwrap();
        assert!(read(dir.path()).unwrap().unwrap().rows.is_empty(), "the next one replaces it");
        clear(dir.path()).unwrap();
        assert!(read(dir.path()).unwrap().is_none());
    }

    #[test]
    fn a_record_that_is_truncated_or_changed_anywhere_is_ignored() {
        let dir = tempfile::tempdir().unwrap();
        record(dir.path(), &rows(), &mark()).unwrap();
        let path = dir.path().join(NAME);
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            std::fs::write(&path, &whole[..at]).unwrap();
            assert!(read(dir.path()).unwrap().is_none(), "cut at {at}");
            let mut changed = whole.clone();
            changed[at] ^= 0x10;
            std::fs::write(&path, changed).unwrap();
            assert!(read(dir.path()).unwrap().is_none(), "changed at {at}");
        }
    }
}
