//! One stream that holds a whole log, and the log that is restored from one.
//!
//! Invariants: an export is read back to its last byte, every hash recomputed, before the restored log gets its
//! name; a damaged or truncated one, or one of another ledger, leaves nothing behind. The restored log has the same
//! entries under a new log id, and its lineage begins with the last exported position: up to there, positions of the
//! old log are valid in it, and a follower that went further in the old log is refused. The layout is in `header`;
//! `write` exports, `read` checks a stream, `restore` makes a log of it, `part` has a range of entries alone. Nothing here
//! interprets an entry.

mod error;
mod header;
mod part;
mod read;
mod restore;
mod write;

pub use self::error::Error;
pub use self::header::{ExportHeader, FORMAT, MAGIC};
pub use self::part::{put_entry, read_part};
pub use self::restore::{Imported, LogReader, import, import_log};
pub use self::write::{Exported, export};
