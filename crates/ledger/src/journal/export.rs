//! One stream that holds a whole log, and the log that is restored from one. Format 2, all numbers
//! little-endian.
//!
//! ```text
//!    0   8  magic      8F 4D 50 45 58 50 0D 0A
//!    8   2  format     2
//!   10   2  min reader 2
//!   12   4             0
//!   16  16  log id
//!   32   8  the last entry's sequence
//!   40  32  its hash
//!   72   4  ancestors  how many logs this one was restored from: 0 to 64
//!   76   4             0
//!   80   …  lineage    as in a segment's head
//! 2128  16  name       of the ledger, as in a segment's head; zeros if it was not known
//! 2144   …  per entry: 1 (one byte), length u32, hash (32), bytes; the first is sequence 1
//!    …   9  end: 0 (one byte), count of entries u64
//!    …  32  SHA-256 of everything before
//! ```
//!
//! In format 1 the head ends at byte 112: one ancestor at most, and no name. It is read for ever.
//!
//! Invariants: an export is read back to its last byte, every hash recomputed, before the restored
//! log bears its name; a damaged or truncated one, or one of another ledger, leaves nothing behind. The
//! restored log has the same entries under a new log id, and its lineage begins with the last exported
//! position: up to there, positions of the old log are its own, and whoever came further in the old log
//! notices.

use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use milepost_types::{Hash, LedgerName, Lineage, LogId, Position};
use sha2::{Digest, Sha256};

use super::disk::{Disk, LockError, parent, with_suffix};
use super::file::{FileJournal, FileOptions, OpenError};
use super::frame::{MAX_BODY_BYTES, array_at, hash_at, u16_at, u32_at, u64_at};
use super::segment::{LOCK, Named, lineage_at, name_at, named, put_lineage, put_name};
use super::{AppendError, Block, Entries, Expected, Journal, ReadError, StoredEntry};
use crate::entry::chain;

/// The first bytes of every export.
pub const MAGIC: [u8; 8] = [0x8F, b'M', b'P', b'E', b'X', b'P', b'\r', b'\n'];
/// The format this code writes, and the newest whose `min reader` it meets.
pub const FORMAT: u16 = 2;

/// The head of format 1.
const OLD_HEAD_BYTES: usize = 112;
const ANCESTORS_AT: usize = 72;
const LINEAGE_AT: usize = 80;
const NAME_AT: usize = LINEAGE_AT + Lineage::LIMIT * 32;
const HEAD_BYTES: usize = NAME_AT + LedgerName::BYTES;
const ENTRY: u8 = 1;
const END: u8 = 0;
/// What the name of a log ends in while it is being restored.
const IMPORTING: &str = ".importing";
/// A block of a restored log holds about so many bytes, or so many entries.
const BLOCK_BYTES: usize = 1 << 20;
const BLOCK_ENTRIES: usize = 1024;

/// Why a log was not exported or restored.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The log cannot be read.
    #[error("the journal cannot be read")]
    Journal(#[from] ReadError),
    /// The log to be exported does not hold together.
    #[error("the hash of entry {sequence} is not that of its bytes; the journal is damaged")]
    Chain {
        /// The first entry that is wrong.
        sequence: u64,
    },
    /// The export cannot be written or read.
    #[error("the export cannot be {action}")]
    Stream {
        /// `written` or `read`.
        action: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The stream is no export.
    #[error("this is not an export of a journal")]
    NotAnExport,
    /// A newer version made it.
    #[error(
        "the export is of format {format}, for readers of {min_reader} or later; this version reads {FORMAT}"
    )]
    Newer {
        /// Its format.
        format: u16,
        /// The oldest reader.
        min_reader: u16,
    },
    /// It is an export of another ledger; nothing was restored.
    #[error(
        "this is an export of the {found}, not of the {expected}; nothing was restored: give the {expected}'s \
         export, or restore this one as the {found}"
    )]
    OtherLedger {
        /// Whose export it is.
        found: LedgerName,
        /// Whose it was to be.
        expected: LedgerName,
    },
    /// The export is not what was written; nothing was restored.
    #[error("the export is damaged at byte {offset}, near sequence {sequence}: {what}")]
    Damaged {
        /// The byte of the stream.
        offset: u64,
        /// The entry that was being read.
        sequence: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// The export ends early; nothing was restored.
    #[error("the export is truncated: it ends at byte {offset}, near sequence {sequence}")]
    Truncated {
        /// Its length.
        offset: u64,
        /// The entry that was being read.
        sequence: u64,
    },
    /// There is something where the log was to be restored.
    #[error("{} exists and is not empty", dir.display())]
    Exists {
        /// The directory.
        dir: PathBuf,
    },
    /// The restored log cannot be made.
    #[error("the journal cannot be restored")]
    Open(#[from] OpenError),
    /// The restored log cannot be written.
    #[error("the journal cannot be restored")]
    Append(#[from] AppendError),
}

/// What was exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The last position; also says how many entries there are.
    pub tail: Position,
    /// The length of the export in bytes.
    pub bytes: u64,
}

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The restored log's last position, with its new log id.
    pub tail: Position,
    /// The ledger that the export names; `None` in one of format 1.
    pub name: Option<LedgerName>,
    /// The logs that it comes from; the nearest is the one that was exported, at its last position.
    pub lineage: Lineage,
}

/// Writes the log up to its present tail to `out`; `progress` is told the sequence now and then.
///
/// # Errors
/// If the log is damaged or `out` refuses; what was written then is no export.
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
    let mut out = Hashed { inner: BufWriter::with_capacity(1 << 18, out), sha: Sha256::new(), bytes: 0 };
    let head =
        Head { log: info.log, sequence: info.tail.sequence, last, name: info.name, lineage: info.lineage };
    out.put(&head.encode())?;
    let mut hash = Hash::ZERO;
    for entry in Entries::after(journal, 0).take(info.tail.sequence as usize) {
        let entry = entry?;
        hash = chain(&hash, &entry.bytes);
        if hash != entry.hash {
            return Err(Error::Chain { sequence: entry.sequence });
        }
        out.put(&[ENTRY])?;
        out.put(&(entry.bytes.len() as u32).to_le_bytes())?;
        out.put(hash.as_bytes())?;
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

/// Restores the export `from` as a new log in `dir`, which is missing or empty; it is made beside it,
/// as `{dir}.importing`, and named when it is whole. `progress` is told the sequence now and then.
///
/// # Errors
/// If the export is of another ledger than the expected, or not whole to its last byte, or the disk refuses;
/// then nothing was restored.
pub fn import(
    from: &mut dyn Read,
    dir: &Path,
    expected: Expected,
    options: FileOptions,
    disk: Arc<dyn Disk>,
    progress: &mut dyn FnMut(u64),
) -> Result<Imported, Error> {
    match disk.list(dir) {
        Ok(names) if names.is_empty() => {}
        Ok(_) => return Err(Error::Exists { dir: dir.to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(source) => return Err(OpenError::Io { action: "list", path: dir.to_owned(), source }.into()),
    }
    let making = with_suffix(dir, IMPORTING);
    discard(&*disk, &making)?;
    let restored = restore(from, &making, expected, options, disk.clone(), progress);
    if restored.is_err() {
        // The reason counts more than a leftover, which the next attempt removes.
        let _ = discard(&*disk, &making);
        return restored;
    }
    let above = parent(dir);
    let named = disk.rename(&making, dir).and_then(|()| disk.sync_dir(above));
    named.map_err(|source| OpenError::Io { action: "name", path: dir.to_owned(), source })?;
    restored
}

fn restore(
    from: &mut dyn Read,
    making: &Path,
    expected: Expected,
    options: FileOptions,
    disk: Arc<dyn Disk>,
    progress: &mut dyn FnMut(u64),
) -> Result<Imported, Error> {
    let mut source = Source {
        from: Hashed { inner: BufReader::with_capacity(1 << 18, from), sha: Sha256::new(), bytes: 0 },
        sequence: 0,
    };
    let Head { log: exported, sequence, last, name, lineage } = source.head()?;
    let check = |first: Option<&StoredEntry>| match expected.other(name, first) {
        Some(found) => Err(Error::OtherLedger { found, expected: expected.name }),
        None => Ok(()),
    };
    check(None)?;
    let lineage = lineage.restored_at(Position::after(exported, sequence, &last));
    let journal =
        FileJournal::create(making, expected.name, LogId::generate(), lineage.clone(), options, disk)?;
    let mut tail = journal.info().tail;
    let mut hash = Hash::ZERO;
    let mut more = true;
    while more {
        let mut block = Block { previous: hash, entries: Vec::new() };
        let mut bytes = 0;
        while more && bytes < BLOCK_BYTES && block.entries.len() < BLOCK_ENTRIES {
            match source.entry(&hash)? {
                Some(entry) => {
                    if entry.sequence == 1 {
                        check(Some(&entry))?;
                    }
                    hash = entry.hash;
                    bytes += entry.bytes.len();
                    block.entries.push(entry);
                }
                None => more = false,
            }
        }
        if !block.entries.is_empty() {
            tail = journal.append(&tail, &block)?;
            progress(tail.sequence);
        }
    }
    if (tail.sequence, hash) != (sequence, last) {
        return Err(source.damaged("it does not end where its head says"));
    }
    source.end()?;
    let closed = journal.close();
    closed.map_err(|source| OpenError::Io { action: "close", path: making.to_owned(), source })?;
    Ok(Imported { tail, name, lineage })
}

/// Removes what an attempt left behind; it never bore a journal's name.
fn discard(disk: &dyn Disk, making: &Path) -> Result<(), OpenError> {
    let refused = |action, path: PathBuf| move |source| OpenError::Io { action, path, source };
    let names = match disk.list(making) {
        Ok(names) => names,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(refused("list", making.to_owned())(source)),
    };
    if let Some(foreign) =
        names.iter().find(|listed| listed.directory || named(&listed.name) == Named::Unknown)
    {
        return Err(OpenError::UnknownFile { path: making.join(&foreign.name) });
    }
    let path = making.join(LOCK);
    let lock = disk.lock(&path).map_err(|error| match error {
        LockError::Held { pid } => OpenError::Locked { dir: making.to_owned(), pid },
        LockError::Io(source) => refused("lock", path)(source),
    })?;
    for listed in disk.list(making).map_err(refused("list", making.to_owned()))? {
        let path = making.join(listed.name);
        disk.remove_file(&path).map_err(refused("remove", path.clone()))?;
    }
    disk.remove_dir(making).map_err(refused("remove", making.to_owned()))?;
    drop(lock);
    Ok(())
}

/// What an export says of the log before its entries.
struct Head {
    log: LogId,
    sequence: u64,
    last: Hash,
    name: Option<LedgerName>,
    lineage: Lineage,
}

impl Head {
    fn encode(&self) -> [u8; HEAD_BYTES] {
        let mut head = [0; HEAD_BYTES];
        head[..8].copy_from_slice(&MAGIC);
        head[8..10].copy_from_slice(&FORMAT.to_le_bytes());
        head[10..12].copy_from_slice(&FORMAT.to_le_bytes());
        head[16..32].copy_from_slice(self.log.as_bytes());
        head[32..40].copy_from_slice(&self.sequence.to_le_bytes());
        head[40..72].copy_from_slice(self.last.as_bytes());
        put_lineage(&mut head, ANCESTORS_AT, LINEAGE_AT, &self.lineage);
        put_name(&mut head, NAME_AT, self.name);
        head
    }

    /// The head that these bytes are; `None` if there is something in them that its meaning does not give back.
    fn decode(bytes: &[u8]) -> Option<Self> {
        let old = u16_at(bytes, 8) == 1;
        let most = if old { 1 } else { Lineage::LIMIT };
        let head = Self {
            log: LogId::from_bytes(array_at(bytes, 16)),
            sequence: u64_at(bytes, 32),
            last: hash_at(bytes, 40),
            name: if old { None } else { name_at(bytes, NAME_AT)? },
            lineage: lineage_at(bytes, ANCESTORS_AT, LINEAGE_AT, most)?,
        };
        let mut again = head.encode();
        if old {
            again[8..12].copy_from_slice(&[1, 0, 1, 0]);
        }
        (again.get(..bytes.len()) == Some(bytes)).then_some(head)
    }
}

/// A stream, and the hash and count of what went through it.
struct Hashed<S> {
    inner: S,
    sha: Sha256,
    bytes: u64,
}

impl<S: Write> Hashed<S> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.sha.update(bytes);
        self.bytes += bytes.len() as u64;
        self.inner.write_all(bytes).map_err(|source| Error::Stream { action: "written", source })
    }
}

/// An export being read.
struct Source<S> {
    from: Hashed<S>,
    /// The last entry that was read.
    sequence: u64,
}

impl<S: Read> Source<S> {
    /// Exactly `length` bytes, without believing that they are there.
    fn take(&mut self, length: usize) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::with_capacity(length.min(1 << 20));
        let read = Read::take(&mut self.from.inner, length as u64).read_to_end(&mut bytes);
        read.map_err(|source| Error::Stream { action: "read", source })?;
        self.from.bytes += bytes.len() as u64;
        if bytes.len() < length {
            return Err(Error::Truncated { offset: self.from.bytes, sequence: self.sequence + 1 });
        }
        self.from.sha.update(&bytes);
        Ok(bytes)
    }

    fn damaged(&self, what: &'static str) -> Error {
        Error::Damaged { offset: self.from.bytes, sequence: self.sequence + 1, what }
    }

    /// What stands before the entries.
    fn head(&mut self) -> Result<Head, Error> {
        if self.take(8)? != MAGIC {
            return Err(Error::NotAnExport);
        }
        let mut head = MAGIC.to_vec();
        head.extend(self.take(OLD_HEAD_BYTES - 8)?);
        let (format, min_reader) = (u16_at(&head, 8), u16_at(&head, 10));
        if min_reader > FORMAT {
            return Err(Error::Newer { format, min_reader });
        }
        if format != 1 {
            head.extend(self.take(HEAD_BYTES - OLD_HEAD_BYTES)?);
        }
        Head::decode(&head).ok_or_else(|| self.damaged("its head makes no sense"))
    }

    /// The next entry, whose hash continues `previous`; none at the end mark.
    fn entry(&mut self, previous: &Hash) -> Result<Option<StoredEntry>, Error> {
        match self.take(1)?[0] {
            END => return Ok(None),
            ENTRY => {}
            _ => return Err(self.damaged("neither an entry nor the end")),
        }
        let head = self.take(4 + 32)?;
        let (length, hash) = (u32_at(&head, 0), hash_at(&head, 4));
        if u64::from(length) > MAX_BODY_BYTES {
            return Err(self.damaged("an entry of impossible length"));
        }
        let bytes = self.take(length as usize)?;
        if chain(previous, &bytes) != hash {
            return Err(self.damaged("the entry's hash is not that of its bytes"));
        }
        self.sequence += 1;
        Ok(Some(StoredEntry { sequence: self.sequence, hash, bytes: Bytes::from(bytes) }))
    }

    /// What follows the end mark, and nothing after it.
    fn end(&mut self) -> Result<(), Error> {
        if u64_at(&self.take(8)?, 0) != self.sequence {
            return Err(self.damaged("the count of entries is wrong"));
        }
        let digest: [u8; 32] = self.from.sha.clone().finalize().into();
        if self.take(32)? != digest {
            return Err(self.damaged("its checksum is wrong"));
        }
        match self.take(1) {
            Err(Error::Truncated { .. }) => Ok(()),
            Ok(_) => Err(self.damaged("something follows its end")),
            Err(error) => Err(error),
        }
    }
}
