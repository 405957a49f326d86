//! Table 7: how far each other ledger was followed.
//!
//! Key: the byte of the ledger's kind. Value: log id 16, sequence u64 big-endian, hash prefix 8. Put
//! by `milepost.source.followed` and `milepost.source.reset`; none while nothing was followed.

use milepost_ledger::{Read, Write};
use milepost_types::{LedgerKind, Position};

use super::Table;

const KEY: [u8; 2] = [Table::Source as u8, LedgerKind::Registry as u8];

/// How far the registry was followed.
pub(crate) fn get(rows: &dyn Read) -> Option<Position> {
    rows.get(&KEY)?.as_ref().try_into().ok().map(Position::from_bytes)
}

/// Sets how far the registry was followed.
pub(crate) fn put(rows: &mut dyn Write, position: &Position) {
    rows.put(KEY.to_vec(), position.to_bytes().to_vec().into());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Persisted: stores hold these bytes.
    #[test]
    fn the_key_never_changes() {
        assert_eq!(KEY, [7, 1]);
    }
}
