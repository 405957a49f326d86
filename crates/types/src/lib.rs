//! Names, ids, positions, tokens, money, dates, filters: values without I/O.
//!
//! Invariant: every type here can only hold a value that its rules allow. No tokio, tonic, prost
//! or sled: the domain is built from these and stays testable without any of them.

mod position;

pub use position::{Hash, HashPrefix, LogId, LogIdError, Position};
