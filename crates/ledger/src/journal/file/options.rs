//! How a file journal is configured.
//!
//! Invariant: every value has a safe default, and none changes what is already stored.

/// How a file journal is kept; every value has a sound default.
#[derive(Debug, Clone)]
pub struct FileOptions {
    /// The length of a segment file in bytes, reserved when it is created (default 64 MiB; at least
    /// 8 KiB). A larger block gets a segment of its own size; if the disk has too little
    /// space above the floor, a segment is shorter.
    pub segment_bytes: u64,
    /// This many bytes stay free on the file system (default 256 MiB): with less free space, or too little above
    /// this for the shortest segment that holds a block, appends are refused.
    pub min_free_bytes: u64,
    /// The newest entries kept in memory for followers, in bytes (default 8 MiB).
    pub cache_bytes: usize,
    /// The witness is written after at most this many appends (default 128) …
    pub witness_appends: u32,
    /// … or this many bytes (default 4 MiB), and on a clean stop.
    pub witness_bytes: u64,
}

impl Default for FileOptions {
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            min_free_bytes: 256 << 20,
            cache_bytes: 8 << 20,
            witness_appends: 128,
            witness_bytes: 4 << 20,
        }
    }
}
