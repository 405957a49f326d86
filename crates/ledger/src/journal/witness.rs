//! The witness: a small file that records how far the log is known to be durable, so that a lost end
//! is detected. Format 1, all numbers little-endian.
//!
//! Two slots, at bytes 0 and 4096 of the file, each in one sector of 512 bytes:
//!
//! ```text
//!  0   8  magic     8F 4D 50 57 49 54 0D 0A
//!  8   2  format    1
//! 10   2  min reader 1
//! 12   4            0
//! 16  16  log id
//! 32   8  generation, from 1; the slot with the higher one counts
//! 40   8  sequence  the last durable entry; 0 for none
//! 48  32  its hash; zero for none
//! 80   4  checksum  CRC-32C of bytes 0 to 79
//! ```
//!
//! Invariants: the witness is never ahead of what was durable when it was written. The slots are
//! written in turn, so a write that fails leaves the one before. A slot is within one sector, so a
//! power cut leaves it old or new: a slot that is neither empty nor valid is damage and reported as such.
//!
//! Consequences of damage: a log that ends cleanly is opened with a warning that names its end
//! (with one slot left it is checked against that one, which may be the older; with none, or no file,
//! entries missing at its end are not detected). A log that does not end cleanly is refused:
//! a torn tail cannot be distinguished from entries that were acknowledged. What is repaired is decided in
//! `file::open`.

use std::path::Path;
use std::sync::Arc;
use std::{fmt, io};

use milepost_types::{Hash, LogId};

use super::disk::{Access, Disk, DiskFile};
use super::frame::{array_at, hash_at, u16_at, u32_at, u64_at};

/// The first bytes of a slot.
pub const MAGIC: [u8; 8] = [0x8F, b'M', b'P', b'W', b'I', b'T', b'\r', b'\n'];
/// The format this code writes, and the newest whose `min reader` it meets.
pub const FORMAT: u16 = 1;
/// Bytes of a slot that are used.
pub const SLOT_BYTES: usize = 84;
/// Bytes from one slot to the next.
pub const STRIDE: u64 = 4096;
/// The length of the file.
pub const FILE_BYTES: u64 = 2 * STRIDE;

const CHECKSUM_AT: usize = SLOT_BYTES - 4;

/// The content of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// The log it is of.
    pub log: LogId,
    /// How often the witness has been written.
    pub generation: u64,
    /// The last durable entry.
    pub sequence: u64,
    /// Its hash.
    pub hash: Hash,
}

impl Slot {
    /// The slot as bytes.
    pub fn encode(&self) -> [u8; SLOT_BYTES] {
        let mut bytes = [0; SLOT_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..10].copy_from_slice(&FORMAT.to_le_bytes());
        bytes[10..12].copy_from_slice(&FORMAT.to_le_bytes());
        bytes[16..32].copy_from_slice(self.log.as_bytes());
        bytes[32..40].copy_from_slice(&self.generation.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[48..80].copy_from_slice(self.hash.as_bytes());
        let checksum = crc32c::crc32c(&bytes[..CHECKSUM_AT]);
        bytes[CHECKSUM_AT..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// Reads a slot.
    ///
    /// # Errors
    /// If it is empty, damaged or of a newer format.
    pub fn decode(bytes: &[u8; SLOT_BYTES]) -> Result<Self, Fault> {
        if bytes.iter().all(|byte| *byte == 0) {
            return Err(Fault::Blank);
        }
        if bytes[..8] != MAGIC || crc32c::crc32c(&bytes[..CHECKSUM_AT]) != u32_at(bytes, CHECKSUM_AT) {
            return Err(Fault::Damaged);
        }
        let (format, min_reader) = (u16_at(bytes, 8), u16_at(bytes, 10));
        if min_reader > FORMAT {
            return Err(Fault::Newer { format, min_reader });
        }
        Ok(Self {
            log: LogId::from_bytes(array_at(bytes, 16)),
            generation: u64_at(bytes, 32),
            sequence: u64_at(bytes, 40),
            hash: hash_at(bytes, 48),
        })
    }
}

/// Why a slot has no content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Never written.
    Blank,
    /// Not what was written.
    Damaged,
    /// Written by a newer version.
    Newer {
        /// The format.
        format: u16,
        /// The oldest reader.
        min_reader: u16,
    },
}

/// The witness of a journal's directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// No file.
    Missing,
    /// A file in which nothing was ever written: the journal was being created.
    Blank,
    /// The file is there and no slot can be trusted.
    Damaged,
    /// The file is of a newer version.
    Newer {
        /// The format.
        format: u16,
        /// The oldest reader.
        min_reader: u16,
    },
    /// Its newest valid slot; `damaged` if the other slot is.
    Known {
        /// The newest valid slot.
        slot: Slot,
        /// Whether the other slot is damaged.
        damaged: bool,
    },
}

/// Reads the witness without writing.
///
/// # Errors
/// If the file is there and cannot be read.
pub fn read(disk: &dyn Disk, path: &Path) -> io::Result<Found> {
    let file = match disk.open(path, Access::Read) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Missing),
        Err(error) => return Err(error),
    };
    let slots = [slot_at(&*file, 0)?, slot_at(&*file, STRIDE)?];
    if let Some(Err(Fault::Newer { format, min_reader })) =
        slots.iter().find(|slot| matches!(slot, Err(Fault::Newer { .. })))
    {
        return Ok(Found::Newer { format: *format, min_reader: *min_reader });
    }
    let damaged = slots.contains(&Err(Fault::Damaged));
    Ok(match slots.into_iter().flatten().max_by_key(|slot| slot.generation) {
        Some(slot) => Found::Known { slot, damaged },
        None if damaged => Found::Damaged,
        None => Found::Blank,
    })
}

fn slot_at(file: &dyn DiskFile, offset: u64) -> io::Result<Result<Slot, Fault>> {
    match file.read_exact_at(SLOT_BYTES, offset) {
        Ok(bytes) => Ok(bytes.first_chunk().ok_or(Fault::Damaged).and_then(Slot::decode)),
        // A file that ends early never had this slot (then it is empty), or lost it.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Ok(Err(if file.size()? == 0 { Fault::Blank } else { Fault::Damaged }))
        }
        Err(error) => Err(error),
    }
}

/// The witness of a journal that is open for writing.
pub struct Witness {
    file: Arc<dyn DiskFile>,
    log: LogId,
    generation: u64,
}

impl Witness {
    /// Creates a witness of `sequence` and `hash`, durable but for its name in the directory.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn create(disk: &dyn Disk, path: &Path, log: LogId, sequence: u64, hash: Hash) -> io::Result<Self> {
        let file = disk.open(path, Access::Create)?;
        file.allocate(FILE_BYTES)?;
        let mut witness = Self { file, log, generation: 0 };
        witness.write(sequence, hash)?;
        Ok(witness)
    }

    /// Continues the witness that was read as `last`.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn resume(disk: &dyn Disk, path: &Path, last: &Slot) -> io::Result<Self> {
        let file = disk.open(path, Access::Write)?;
        Ok(Self { file, log: last.log, generation: last.generation })
    }

    /// Records, durably, that the log is durable up to `sequence`, whose hash is `hash`.
    ///
    /// # Errors
    /// If the disk fails; the record before it is still there.
    pub fn write(&mut self, sequence: u64, hash: Hash) -> io::Result<()> {
        let generation = self.generation + 1;
        let slot = Slot { log: self.log, generation, sequence, hash };
        self.file.write_all_at(&slot.encode(), (generation % 2) * STRIDE)?;
        self.file.sync_data()?;
        self.generation = generation;
        Ok(())
    }
}

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Witness").field("generation", &self.generation).finish_non_exhaustive()
    }
}
