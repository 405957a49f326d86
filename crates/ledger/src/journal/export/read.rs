//! Reading an export, checked as it is read.
//!
//! Invariant: an entry is returned only if its hash continues the chain; `end` succeeds only if every byte of the
//! stream was read and is covered by its checksum. Nothing is restored here.

use std::io::{BufReader, Read};

use bytes::Bytes;
use milepost_types::Hash;
use sha2::{Digest, Sha256};

use super::super::StoredEntry;
use super::super::frame::{MAX_BODY_BYTES, hash_at, u16_at, u32_at, u64_at};
use super::error::Error;
use super::header::{END, ENTRY, ExportHeader, FORMAT, HEADER_BYTES, MAGIC, OLD_HEADER_BYTES};
use super::restore::LogReader;
use crate::journal::chain;

/// An export that is being read.
pub(super) struct ExportReader<R> {
    inner: BufReader<R>,
    sha: Sha256,
    bytes: u64,
    /// The last entry that was read.
    sequence: u64,
}

impl<R: Read> ExportReader<R> {
    pub(super) fn new(from: R) -> Self {
        Self { inner: BufReader::with_capacity(1 << 18, from), sha: Sha256::new(), bytes: 0, sequence: 0 }
    }

    /// Exactly `length` bytes. A length from a damaged stream must not decide how much memory is reserved.
    fn take(&mut self, length: usize) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::with_capacity(length.min(1 << 20));
        let read = Read::take(&mut self.inner, length as u64).read_to_end(&mut bytes);
        read.map_err(|source| Error::Stream { action: "read", source })?;
        self.bytes += bytes.len() as u64;
        if bytes.len() < length {
            return Err(Error::Truncated { offset: self.bytes, sequence: self.sequence + 1 });
        }
        self.sha.update(&bytes);
        Ok(bytes)
    }

    fn damaged(&self, what: &'static str) -> Error {
        Error::Damaged { offset: self.bytes, sequence: self.sequence + 1, what }
    }
}

impl<R: Read> LogReader for ExportReader<R> {
    fn header(&mut self) -> Result<ExportHeader, Error> {
        if self.take(8)? != MAGIC {
            return Err(Error::NotAnExport);
        }
        let mut header = MAGIC.to_vec();
        header.extend(self.take(OLD_HEADER_BYTES - 8)?);
        let (format, min_reader) = (u16_at(&header, 8), u16_at(&header, 10));
        if min_reader > FORMAT {
            return Err(Error::Newer { format, min_reader });
        }
        if format != 1 {
            header.extend(self.take(HEADER_BYTES - OLD_HEADER_BYTES)?);
        }
        ExportHeader::decode(&header).ok_or_else(|| self.damaged("its header is invalid"))
    }

    fn entry(&mut self, previous: &Hash) -> Result<Option<StoredEntry>, Error> {
        match self.take(1)?[0] {
            END => return Ok(None),
            ENTRY => {}
            _ => return Err(self.damaged("neither an entry nor the end mark")),
        }
        let header = self.take(4 + 32)?;
        let (length, hash) = (u32_at(&header, 0), hash_at(&header, 4));
        if u64::from(length) > MAX_BODY_BYTES {
            return Err(self.damaged("an entry that is too long"));
        }
        let bytes = self.take(length as usize)?;
        if chain(previous, &bytes) != hash {
            return Err(self.damaged("the entry's hash is not that of its bytes"));
        }
        self.sequence += 1;
        Ok(Some(StoredEntry { sequence: self.sequence, hash, bytes: Bytes::from(bytes) }))
    }

    /// Checks the count and the checksum after the end mark, and that nothing follows.
    fn end(&mut self, complete: bool) -> Result<(), Error> {
        if !complete {
            return Err(self.damaged("it does not end with the entry that its header names"));
        }
        if u64_at(&self.take(8)?, 0) != self.sequence {
            return Err(self.damaged("the count of entries is wrong"));
        }
        let digest: [u8; 32] = self.sha.clone().finalize().into();
        if self.take(32)? != digest {
            return Err(self.damaged("its checksum is wrong"));
        }
        match self.take(1) {
            Err(Error::Truncated { .. }) => Ok(()),
            Ok(_) => Err(self.damaged("data follows its end")),
            Err(error) => Err(error),
        }
    }
}
