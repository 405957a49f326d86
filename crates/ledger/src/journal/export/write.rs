//! Writing a log as one stream.
//!
//! Invariant: every hash is recomputed while it is written, so a damaged log is not exported. Entries that are
//! appended meanwhile are not part of the export.

use std::io::{BufWriter, Write};

use milepost_types::{Hash, Position};
use sha2::{Digest, Sha256};

use super::super::{Entries, Journal};
use super::error::Error;
use super::header::{END, ExportHeader};
use super::part::entry_head;
use crate::journal::chain;

/// What was exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The last position; its sequence is the number of entries.
    pub tail: Position,
    /// The length of the export in bytes.
    pub bytes: u64,
}

/// Writes the log up to its current tail to `out`; `progress` is called with each sequence.
///
/// # Errors
/// If the log is damaged or `out` fails; what was written until then is not an export.
pub fn export(
    journal: &dyn Journal,
    out: &mut dyn Write,
    progress: &mut dyn FnMut(u64),
) -> Result<Exported, Error> {
    let info = journal.info();
    let last = match info.tail.sequence.checked_sub(1) {
        Some(before) => {
            Entries::after(journal, before).next().transpose()?.map_or(Hash::ZERO, |entry| entry.hash)
        }
        None => Hash::ZERO,
    };
    let mut out =
        HashingWriter { inner: BufWriter::with_capacity(1 << 18, out), sha: Sha256::new(), bytes: 0 };
    let header = ExportHeader {
        log: info.log,
        sequence: info.tail.sequence,
        last,
        name: info.name,
        lineage: info.lineage,
    };
    out.put(&header.encode())?;
    let mut hash = Hash::ZERO;
    for entry in Entries::after(journal, 0).take(info.tail.sequence as usize) {
        let entry = entry?;
        hash = chain(&hash, &entry.bytes);
        if hash != entry.hash {
            return Err(Error::Chain { sequence: entry.sequence });
        }
        out.put(&entry_head(&entry))?;
        out.put(&entry.bytes)?;
        progress(entry.sequence);
    }
    out.put(&[END])?;
    out.put(&info.tail.sequence.to_le_bytes())?;
    let digest: [u8; 32] = out.sha.clone().finalize().into();
    out.put(&digest)?;
    out.inner.flush().map_err(|source| Error::Stream { action: "written", source })?;
    Ok(Exported { tail: info.tail, bytes: out.bytes })
}

/// A writer that hashes and counts what goes through it.
struct HashingWriter<W: Write> {
    inner: BufWriter<W>,
    sha: Sha256,
    bytes: u64,
}

impl<W: Write> HashingWriter<W> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.sha.update(bytes);
        self.bytes += bytes.len() as u64;
        self.inner.write_all(bytes).map_err(|source| Error::Stream { action: "written", source })
    }
}
