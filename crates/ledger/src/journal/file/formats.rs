//! The format of a stored journal, without reading its entries: whether this version may open it.
//!
//! Invariant: writes nothing, takes no lock. A newer format is an answer here, not an error; what is damaged is an error.
//! Whether the entries are whole is not looked at: `verify` does that.

use std::io;
use std::path::Path;

use super::super::Damage;
use super::super::disk::{Access, Disk};
use super::super::frame::u16_at;
use super::super::segment::{self, Fault, HEADER_BYTES, SegmentHeader};
use super::super::witness;
use super::directory::list;
use super::error::{OpenError, io_error};

/// The formats that the files of a journal are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Formats {
    /// The newest format among its segments.
    pub format: u16,
    /// The oldest reader that may open all of its files.
    pub min_reader: u16,
    /// The number of its segment files.
    pub segments: usize,
}

impl Formats {
    /// The newest format that this version reads and writes.
    pub const OWN: u16 = segment::FORMAT;

    /// Whether this version may open the journal.
    pub fn is_readable(&self) -> bool {
        self.min_reader <= Self::OWN
    }
}

/// Reads the formats of the journal in `dir` from the headers of its files.
///
/// # Errors
/// If it is missing, a header is damaged, a file is not a journal's, or the disk fails.
pub fn formats(dir: &Path, disk: &dyn Disk) -> Result<Formats, OpenError> {
    let names = list(dir, disk)?;
    if names.segments.is_empty() {
        return Err(OpenError::Missing { dir: dir.to_owned() });
    }
    let mut found = Formats { format: 0, min_reader: 0, segments: names.segments.len() };
    for ordinal in names.segments {
        let path = segment::path(dir, ordinal);
        let file = disk.open(&path, Access::Read).map_err(io_error("open", &path))?;
        let damaged =
            |fault: Fault| Damage { segment: path.clone(), offset: 0, sequence: 0, what: fault.to_string() };
        let bytes = match file.read_exact_at(HEADER_BYTES, 0) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(damaged(Fault::Short).into());
            }
            Err(error) => return Err(io_error("read", &path)(error)),
        };
        let (format, min_reader) = match SegmentHeader::decode(&bytes) {
            Ok(_) => (u16_at(&bytes, 8), u16_at(&bytes, 10)),
            Err(Fault::Newer { format, min_reader }) => (format, min_reader),
            Err(fault) => return Err(damaged(fault).into()),
        };
        (found.format, found.min_reader) = (found.format.max(format), found.min_reader.max(min_reader));
    }
    let path = dir.join(segment::WITNESS);
    if let witness::Found::Newer { min_reader, .. } =
        witness::read(disk, &path).map_err(io_error("read", &path))?
    {
        // Its formats are counted by themselves, and its newer readers come with a newer version too.
        found.min_reader = found.min_reader.max(Formats::OWN + 1).max(min_reader);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use milepost_types::{LedgerKind, LogId};

    use super::*;
    use crate::journal::disk::SystemDisk;
    use crate::journal::file::{FileJournal, FileOptions};
    use crate::journal::{Expected, Journal};

    /// Writes other versions into a segment's header, with a checksum that matches.
    fn set_versions(dir: &Path, format: u16, min_reader: u16) {
        let path = segment::path(dir, 1);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[8..10].copy_from_slice(&format.to_le_bytes());
        bytes[10..12].copy_from_slice(&min_reader.to_le_bytes());
        let checksum = crc32c::crc32c(&bytes[..HEADER_BYTES - 4]);
        bytes[HEADER_BYTES - 4..HEADER_BYTES].copy_from_slice(&checksum.to_le_bytes());
        std::fs::write(path, bytes).unwrap();
    }

    #[test]
    fn a_journal_says_its_formats_and_a_raised_min_reader_keeps_this_version_out() {
        let above = tempfile::tempdir().unwrap();
        let dir = above.path().join("journal");
        assert!(matches!(formats(above.path(), &SystemDisk), Err(OpenError::Missing { .. })));
        let (name, disk) = (LedgerKind::Registry.into(), Arc::new(SystemDisk));
        let options = FileOptions { segment_bytes: 8192, ..FileOptions::default() };
        let open = || FileJournal::open(&dir, Expected::named(name), options.clone(), disk.clone());
        let made = FileJournal::create(&dir, name, LogId::generate(), None, options.clone(), disk.clone());
        made.unwrap().close().unwrap();
        let own = Formats { format: Formats::OWN, min_reader: Formats::OWN, segments: 1 };
        assert_eq!(formats(&dir, &SystemDisk).unwrap(), own);
        assert!(own.is_readable());

        // Newer, and readable: fields were added only.
        set_versions(&dir, 9, Formats::OWN);
        let found = formats(&dir, &SystemDisk).unwrap();
        assert_eq!((found.format, found.is_readable()), (9, true));
        open().unwrap().close().unwrap();

        set_versions(&dir, 9, 7);
        let found = formats(&dir, &SystemDisk).unwrap();
        assert_eq!((found.format, found.min_reader, found.is_readable()), (9, 7, false));
        assert!(matches!(open(), Err(OpenError::Newer { format: 9, min_reader: 7, .. })));

        let path = segment::path(&dir, 1);
        std::fs::write(&path, b"short").unwrap();
        assert!(matches!(formats(&dir, &SystemDisk), Err(OpenError::Damaged(_))));
    }
}
