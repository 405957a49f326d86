//! Maintenance of a store whose ledger is not running: rebuild it, or check it.
//!
//! Invariant: the journal is only read. A rebuild removes the old store first, so that it also works where the old
//! one cannot be opened.

use std::path::Path;

use milepost_types::Position;

use crate::domain::Domain;
use crate::error::Error;
use crate::journal::Journal;
use crate::options::Options;
use crate::state;
use crate::store::{self, Digest};

/// Removes the store under `dir` and rebuilds it from the journal, offline.
///
/// # Errors
/// If the journal cannot be read, or the store cannot be written or is in use.
pub fn rebuild<D: Domain>(
    dir: &Path,
    journal: &dyn Journal,
    domain: &D,
    options: &Options,
) -> Result<(Position, Digest), Error> {
    store::discard(dir)?;
    let mut state = state::open(dir, journal, domain, options)?;
    state.checkpoint::<D>()?;
    Ok((state.layers.tip.position, state.digest))
}

/// Checks the store under `dir`, offline: its position and the digest of its rows; `None` if it is empty.
/// Nothing is written but a copy of the store in `scratch`, an empty directory, which needs as much space.
///
/// # Errors
/// If the store is damaged or in use, or cannot be copied.
pub fn check_store(
    dir: &Path,
    scratch: &Path,
    options: &Options,
) -> Result<Option<(Position, Digest)>, Error> {
    let mark = store::read_mark(dir, scratch, options.cache_bytes)?;
    Ok(mark.map(|mark| (mark.position(), mark.digest)))
}
