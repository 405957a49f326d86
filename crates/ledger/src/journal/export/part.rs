//! A range of entries as an export has them, alone: without a header before and an end after them.
//!
//! Invariant: the bytes of consecutive parts, one after the other, are the bytes of an export between its header and its
//! end mark. A part is read whole or refused. Where it begins is known to the caller: a part does not say it.

use bytes::Bytes;
use milepost_types::Hash;

use super::super::StoredEntry;
use super::super::frame::{hash_at, u32_at};
use super::error::Error;
use super::header::ENTRY;
use crate::journal::chain;

/// The mark, the length and the hash before an entry's bytes.
const HEAD_BYTES: usize = 1 + 4 + 32;

pub(super) fn entry_head(entry: &StoredEntry) -> [u8; HEAD_BYTES] {
    let mut head = [0; HEAD_BYTES];
    head[0] = ENTRY;
    head[1..5].copy_from_slice(&(entry.bytes.len() as u32).to_le_bytes());
    head[5..].copy_from_slice(entry.hash.as_bytes());
    head
}

/// Adds an entry to a part.
pub fn put_entry(part: &mut Vec<u8>, entry: &StoredEntry) {
    part.extend_from_slice(&entry_head(entry));
    part.extend_from_slice(&entry.bytes);
}

/// The entries of a part whose first has the sequence `first` and follows the entry with the hash `previous`. They share
/// the bytes of the part.
///
/// # Errors
/// `Damaged` or `Truncated`, with the byte of the part, if a hash does not continue the chain or the part is malformed.
pub fn read_part(part: &Bytes, first: u64, previous: &Hash) -> Result<Vec<StoredEntry>, Error> {
    let (mut entries, mut at, mut hash) = (Vec::new(), 0, *previous);
    while at < part.len() {
        let sequence = first + entries.len() as u64;
        let damaged = |what| Error::Damaged { offset: at as u64, sequence, what };
        let truncated = || Error::Truncated { offset: part.len() as u64, sequence };
        let head = part.get(at..at + HEAD_BYTES).ok_or_else(truncated)?;
        if head[0] != ENTRY {
            return Err(damaged("it is no entry"));
        }
        let (begin, length) = (at + HEAD_BYTES, u32_at(head, 1) as usize);
        if part.len() - begin < length {
            return Err(truncated());
        }
        let bytes = part.slice(begin..begin + length);
        hash = chain(&hash, &bytes);
        if hash != hash_at(head, 5) {
            return Err(damaged("the entry's hash is not that of its bytes"));
        }
        entries.push(StoredEntry { sequence, hash, bytes });
        at = begin + length;
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(first: u64, previous: &Hash, contents: &[&'static [u8]]) -> Vec<StoredEntry> {
        let mut hash = *previous;
        let entry = |(sequence, content): (u64, &&'static [u8])| {
            hash = chain(&hash, content);
            StoredEntry { sequence, hash, bytes: Bytes::from_static(content) }
        };
        (first..).zip(contents).map(entry).collect()
    }

    fn part(entries: &[StoredEntry]) -> Vec<u8> {
        let mut part = Vec::new();
        entries.iter().for_each(|entry| put_entry(&mut part, entry));
        part
    }

    #[test]
    fn a_part_is_read_back_from_where_it_begins() {
        let previous = Hash::from_bytes([7; 32]);
        let written = entries(41, &previous, &[b"one", b"", b"three"]);
        assert_eq!(read_part(&part(&written).into(), 41, &previous).unwrap(), written);
        assert_eq!(read_part(&Bytes::new(), 41, &previous).unwrap(), []);
        assert!(read_part(&part(&written).into(), 41, &Hash::ZERO).is_err(), "it follows another entry");
    }

    #[test]
    fn every_changed_byte_and_every_cut_within_an_entry_is_refused() {
        let written = entries(1, &Hash::ZERO, &[b"one", b"two"]);
        let whole = part(&written);
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            assert!(read_part(&changed.into(), 1, &Hash::ZERO).is_err(), "byte {at}");
            let cut = Bytes::copy_from_slice(&whole[..at]);
            let between = at == 0 || at == whole.len() / 2;
            assert_eq!(read_part(&cut, 1, &Hash::ZERO).is_ok(), between, "cut at {at}");
        }
    }
}
