//! A stored row that cannot be decoded.
//!
//! Stored rows were checked when they were accepted; reading them applies no rules of input. A row that still
//! cannot be decoded is damage. The error names its table and key, so that an operator finds it, and only calls
//! that need the row fail.

use std::fmt;

/// A row that cannot be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place} cannot be decoded: {what}", place = self.place())]
pub struct DamagedRow {
    /// The table, after the ledger that it belongs to: `registry.projects`.
    pub table: &'static str,
    /// The key without the table's tag; bytes that are not printable are escaped: `wsc\x00x`.
    pub key: String,
    /// What is wrong with it.
    pub what: String,
}

impl DamagedRow {
    /// The row of `table` with this `key`, the table's tag included.
    pub fn new(table: &'static str, key: &[u8], what: impl fmt::Display) -> Self {
        let key = key.get(1..).unwrap_or_default().escape_ascii().to_string();
        Self { table, key, what: what.to_string() }
    }

    /// Where it is: its table and its key.
    pub fn place(&self) -> String {
        format!("the row of table {} with the key {}", self.table, self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_row_is_named_by_its_table_and_its_key() {
        let row = DamagedRow::new("registry.projects", b"\x03wsc\0x", "it has no etag");
        assert_eq!(row.place(), r"the row of table registry.projects with the key wsc\x00x");
        assert_eq!(row.to_string(), format!("{} cannot be decoded: it has no etag", row.place()));
    }
}
