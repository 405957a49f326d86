//! The rows, the request ids and the digest at one sequence, and how they are recovered from a store and a
//! journal.
//!
//! Invariant: what `open` returns is at the journal's tail, whatever was in the store. A store that is
//! damaged, of another log or of another version is rebuilt, with a log line. One that has applied
//! entries that the journal lacks is not touched, and neither is the journal: the store may be the only trace of them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use milepost_types::{Hash, Position};

use crate::domain::Domain;
use crate::entry::{Entry, EntryError};
use crate::error::Error;
use crate::journal::{Damage, Journal, ReadError, ReadLimit, StoredEntry, chain};
use crate::options::Options;
use crate::request_ids::RequestIds;
use crate::store::{self, Base, Changes, Digest, Draft, Layers, Mark, StoreError, Table, Tip};

/// The interval between the progress lines of a long replay.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);

/// The committed state that the writer extends.
pub(crate) struct State {
    pub(crate) layers: Layers,
    /// Bytes put into the memory table since it was last frozen.
    pub(crate) table_bytes: usize,
    pub(crate) ids: RequestIds,
    /// The digest of the rows in the base.
    pub(crate) digest: Digest,
}

/// Opens the store under `dir`, rebuilding it if needed, and brings it to the journal's tail.
pub(crate) fn open<D: Domain>(
    dir: &Path,
    journal: &dyn Journal,
    domain: &D,
    options: &Options,
) -> Result<State, Error> {
    match store::open_or_start(dir, options.cache_bytes) {
        Ok((base, None)) => replay(State::start(base, journal, options), journal, domain, options),
        Ok((base, Some(mark))) => match rebuild_reason::<D>(dir, &mark, journal)? {
            None => replay(State::at(base, mark, options), journal, domain, options),
            Some(why) => {
                drop(base);
                rebuild_beside(dir, journal, domain, options, &why)
            }
        },
        Err(StoreError::Damaged { what, reached, .. }) => {
            if let Some(reached) = reached {
                belongs(dir, reached, journal)?;
            }
            rebuild_beside(dir, journal, domain, options, &what)
        }
        Err(error) => Err(error.into()),
    }
}

/// Why a readable store must be rebuilt, if it must.
fn rebuild_reason<D: Domain>(
    dir: &Path,
    mark: &Mark,
    journal: &dyn Journal,
) -> Result<Option<String>, Error> {
    if !belongs(dir, mark.position(), journal)? {
        return Ok(Some(format!(
            "it belongs to log {}, but the journal is log {}",
            mark.log,
            journal.info().log
        )));
    }
    let (own, needed) = (mark.version, D::STORE_VERSION);
    Ok((own != needed).then(|| format!("it has version {own}, but this program needs {needed}")))
}

/// Whether a store at this position belongs to this journal; an error if it has applied entries that the journal lacks.
fn belongs(dir: &Path, store: Position, journal: &dyn Journal) -> Result<bool, Error> {
    let info = journal.info();
    let ahead = || Error::StoreAhead { dir: dir.to_owned(), store, journal: info.tail };
    if store.log != info.log {
        let nothing_yet = info.tail.sequence == 0 && info.lineage.parent().is_none();
        return if nothing_yet && store.sequence > 0 { Err(ahead()) } else { Ok(false) };
    }
    match journal.read(&store, ReadLimit { entries: 1, bytes: 1 }) {
        Ok(_) => Ok(true),
        Err(ReadError::Ahead { .. } | ReadError::Diverged { .. }) => Err(ahead()),
        Err(error) => Err(error.into()),
    }
}

fn rebuild_beside<D: Domain>(
    dir: &Path,
    journal: &dyn Journal,
    domain: &D,
    options: &Options,
    why: &str,
) -> Result<State, Error> {
    tracing::warn!(dir = %dir.display(), why, "the store cannot be used, rebuilding it from the journal");
    let (base, _) = Base::open(&store::rebuild_dir(dir)?, options.cache_bytes)?;
    let mut state = replay(State::start(base, journal, options), journal, domain, options)?;
    state.checkpoint::<D>()?;
    drop(state);
    store::swap_in(dir)?;
    tracing::info!(dir = %dir.display(), "the store is rebuilt");
    match store::open_or_start(dir, options.cache_bytes)? {
        // A shared journal may have grown meanwhile.
        (base, Some(mark)) => replay(State::at(base, mark, options), journal, domain, options),
        (base, None) => replay(State::start(base, journal, options), journal, domain, options),
    }
}

impl State {
    /// Before the first entry.
    fn start(base: Base, journal: &dyn Journal, options: &Options) -> Self {
        let layers = Layers {
            table: Table::new(),
            frozen: None,
            base: Arc::new(base),
            tip: Tip {
                position: Position::start(journal.info().log),
                hash: Hash::ZERO,
                commit_time: Timestamp::UNIX_EPOCH,
            },
        };
        let ids = RequestIds::new(options.max_request_ids, options.request_id_window);
        Self { layers, table_bytes: 0, ids, digest: Digest::default() }
    }

    /// At the last checkpoint.
    fn at(base: Base, mark: Mark, options: &Options) -> Self {
        let layers = Layers {
            table: Table::new(),
            frozen: None,
            base: Arc::new(base),
            tip: Tip { position: mark.position(), hash: mark.hash, commit_time: mark.commit_time },
        };
        let mut ids = RequestIds::new(options.max_request_ids, options.request_id_window);
        ids.load(&layers);
        Self { layers, table_bytes: 0, ids, digest: mark.digest }
    }

    /// Applies an entry that is durable in the journal.
    ///
    /// # Errors
    /// If the entry is damaged, or not one of this ledger; the rows are unchanged.
    pub(crate) fn apply<D: Domain>(
        &mut self,
        domain: &D,
        journal: &dyn Journal,
        stored: &StoredEntry,
    ) -> Result<(), Error> {
        if chain(&self.layers.tip.hash, &stored.bytes) != stored.hash {
            return Err(ReadError::Damaged(Damage {
                segment: Path::new("the journal").to_owned(),
                offset: 0,
                sequence: stored.sequence,
                what: "the entry does not match its hash".to_owned(),
            })
            .into());
        }
        let unusable =
            |what| Error::Unusable { ledger: journal.info().name, sequence: stored.sequence, what };
        let entry = Entry::decode(stored).map_err(|error| match error {
            EntryError::Malformed { what, .. } => unusable(what),
            newer @ EntryError::Newer { .. } => newer.into(),
        })?;
        let none = Changes::new();
        let mut draft = Draft::new(&self.layers, &none);
        match catch_unwind(AssertUnwindSafe(|| domain.apply(&mut draft, &entry))) {
            Ok(applied) => applied.map_err(|error| unusable(error.to_string()))?,
            Err(panic) => {
                let message = crate::panic::message(panic.as_ref());
                return Err(unusable(format!("applying it panicked, a bug in this version: {message}")));
            }
        }
        let changes = draft.into_changes();
        let tip = self.layers.tip.after(&entry, &stored.hash);
        self.advance(changes, tip, &[entry]);
        Ok(())
    }

    /// Adds the changes of entries that are durable in the journal.
    pub(crate) fn advance(&mut self, changes: Changes, tip: Tip, entries: &[Entry]) {
        self.table_bytes += self.layers.apply(changes);
        self.layers.tip = tip;
        entries.iter().for_each(|entry| self.ids.remember(entry));
    }

    /// The mark of the rows as they are, over the digest of the base.
    pub(crate) fn mark(&self, version: u32) -> Mark {
        let tip = self.layers.tip;
        Mark {
            version,
            log: tip.position.log,
            sequence: tip.position.sequence,
            hash: tip.hash,
            commit_time: tip.commit_time,
            digest: self.digest,
        }
    }

    /// Whether the memory table is large enough for a checkpoint.
    pub(crate) fn is_due(&self, options: &Options) -> bool {
        self.layers.table.len() >= options.checkpoint_rows || self.table_bytes >= options.table_bytes / 2
    }

    /// Takes the memory table, with the changed rows of the request ids, for a checkpoint.
    pub(crate) fn freeze(&mut self) -> Table {
        for (key, value) in self.ids.changed_rows() {
            self.layers.table.insert(key, value);
        }
        self.table_bytes = 0;
        std::mem::take(&mut self.layers.table)
    }

    /// Writes the memory table to the base and syncs it, on this thread.
    pub(crate) fn checkpoint<D: Domain>(&mut self) -> Result<(), Error> {
        let mark = self.mark(D::STORE_VERSION);
        let table = self.freeze();
        if !table.is_empty() {
            self.digest = store::write_checkpoint(&self.layers.base, &table, mark, |_| {})?;
        }
        Ok(())
    }
}

fn replay<D: Domain>(
    mut state: State,
    journal: &dyn Journal,
    domain: &D,
    options: &Options,
) -> Result<State, Error> {
    let (first, tail) = (state.layers.tip.position.sequence, journal.info().tail.sequence);
    let mut logged = Instant::now();
    loop {
        let entries = journal.read(&state.layers.tip.position, ReadLimit::default())?;
        let Some(last) = entries.last() else { break };
        let reached = last.sequence;
        for stored in &entries {
            state.apply(domain, journal, stored)?;
        }
        if state.is_due(options) {
            state.checkpoint::<D>()?;
        }
        if logged.elapsed() >= PROGRESS_INTERVAL {
            logged = Instant::now();
            let percent = (reached - first) * 100 / (tail - first).max(1);
            tracing::info!(sequence = reached, tail, percent, "replaying the journal into the store");
        }
    }
    Ok(state)
}
