//! Table 35: which version of the mirror of each other ledger is complete, as `event.v1.SourceFollowed.mirror_version`
//! has it.
//!
//! Key: the byte of the ledger's kind. Value: a number, u32 big-endian: the least of all entries that were taken over
//! since the ledger was first followed; none for 0. Put by `milepost.source.followed` and
//! `milepost.source.refollowed`; dropped when the ledger is followed anew, until all of it was.

use milepost_ledger::{Read, Write};
use milepost_types::LedgerKind;

use super::Table;

/// What this version copies: portfolios, projects, access, since 1 assignments, since 2 what timelines ask of a portfolio,
/// and since 3 what projects are, and the currency of a portfolio.
pub(crate) const MIRROR_VERSION: u32 = 3;

const KEY: [u8; 2] = [Table::MirrorVersion as u8, LedgerKind::Registry as u8];

/// Which version is complete for all that was followed.
pub(crate) fn get(rows: &dyn Read) -> u32 {
    let value = rows.get(&KEY).and_then(|value| value.as_ref().try_into().ok());
    value.map_or(0, u32::from_be_bytes)
}

/// Whether all is known that this version copies of what the registry had when it was last followed from its beginning.
pub(crate) fn is_complete(rows: &dyn Read) -> bool {
    get(rows) >= MIRROR_VERSION
}

/// Sets which version is complete.
pub(crate) fn put(rows: &mut dyn Write, mirror_version: u32) {
    if mirror_version > 0 {
        rows.put(KEY.to_vec(), mirror_version.to_be_bytes().to_vec().into());
    } else if rows.get(&KEY).is_some() {
        rows.delete(&KEY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::world::Rows;

    /// Persisted: stores hold these bytes.
    #[test]
    fn the_bytes_of_a_row_never_change_and_are_read_back() {
        let mut rows = Rows::default();
        assert_eq!(get(&rows), 0);
        put(&mut rows, 258);
        let (key, value) = rows.0.iter().next().unwrap();
        assert_eq!((&key[..], &value[..]), (&[35, 1][..], &[0, 0, 1, 2][..]));
        assert_eq!(get(&rows), 258);
        put(&mut rows, 0);
        assert_eq!(rows, Rows::default());
    }
}
