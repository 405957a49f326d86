//! The configuration of the audit log: where it is, and how much of it is kept.
//!
//! Invariant: without a directory there is none. It is bounded: what refused calls write never fills a disk.

use super::section::{Found, Rules};
use super::units::ByteSize;
use crate::section;
use std::path::PathBuf;

section! {
    /// The audit log: refused credentials, denied calls and changes of access, as lines of JSON in files of its own.
    /// Read by `audit`.
    pub struct Audit {
        /// The directory of its files, which is made if it is missing; or "none".
        pub directory: Option<PathBuf> = None,
        /// How large a file may become before the next one is begun.
        pub max_file_bytes: ByteSize = ByteSize::mib(16),
        /// How many files are kept.
        pub max_files: usize = 64,
        /// Whether calls that read are recorded too.
        pub reads: bool = false,
    }
}

impl Rules for Audit {
    fn rules(&self, found: &mut Found<'_>) {
        found.between("max_file_bytes", self.max_file_bytes, ByteSize::kib(64), ByteSize::mib(256));
        found.between("max_files", self.max_files, 2, 10_000);
    }
}
