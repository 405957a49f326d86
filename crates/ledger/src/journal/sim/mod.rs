//! A simulated disk for tests: it records every change and sync, injects failures, and builds the disks that a
//! power cut at any moment could have left (`image`).
//!
//! Invariants: what is read back is what was written, as through a page cache; durable is only what
//! was synced. A failed sync makes nothing durable and, as on Linux, discards the pending state: a
//! later sync succeeds without it. It is pessimistic on purpose, and not a complete file system.

mod calls;
mod image;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ffi::OsString;
use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

pub use self::image::{Replay, Rng};

/// A call that can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// Creating a file, or opening one for writing.
    OpenToWrite,
    /// Reading.
    Read,
    /// Writing.
    Write,
    /// Reserving space.
    Allocate,
    /// Syncing a file.
    SyncData,
    /// Syncing a directory.
    SyncDir,
    /// Renaming.
    Rename,
    /// Creating a directory.
    MakeDir,
    /// Measuring free space.
    FreeBytes,
    /// Changing a mode.
    MakePrivate,
}

/// A failure to inject.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// Which call.
    pub call: Call,
    /// This many calls succeed before.
    pub after: usize,
    /// The kind of the error.
    pub kind: ErrorKind,
    /// This many bytes are written, and only the rest fails.
    pub short: usize,
}

impl Fault {
    /// The next such call fails, with nothing done.
    pub fn next(call: Call, kind: ErrorKind) -> Self {
        Self { call, after: 0, kind, short: 0 }
    }
}

/// What a name refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    File(usize),
    Dir(usize),
}

type Names = BTreeMap<OsString, Node>;

/// One recorded change.
#[derive(Debug, Clone)]
enum Change {
    NewFile,
    NewDir,
    Write {
        file: usize,
        offset: u64,
        bytes: Vec<u8>,
    },
    SetLen {
        file: usize,
        len: u64,
    },
    Synced {
        file: usize,
    },
    SyncFailed {
        file: usize,
    },
    /// Names in one directory, changed together or not at all.
    Names {
        dir: usize,
        set: Vec<(OsString, Option<Node>)>,
    },
    DirSynced {
        dir: usize,
    },
    /// A number set by the test.
    Mark(u64),
}

#[derive(Debug, Default, Clone)]
struct State {
    files: Vec<Vec<u8>>,
    dirs: Vec<Names>,
    changes: Vec<Change>,
    faults: Vec<Fault>,
    short: Option<ErrorKind>,
    locks: HashSet<PathBuf>,
    private: BTreeSet<PathBuf>,
    free_bytes: u64,
    read_only: bool,
}

/// Called before each read, without a lock held.
type Hook = dyn Fn() + Send + Sync;

/// The disk; clones are the same disk.
#[derive(Clone)]
pub struct SimDisk(Arc<Mutex<State>>, Arc<Mutex<Option<Arc<Hook>>>>);

impl fmt::Debug for SimDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimDisk").field("changes", &self.changes()).finish_non_exhaustive()
    }
}

impl Default for SimDisk {
    fn default() -> Self {
        Self::with(Vec::new(), vec![Names::new()])
    }
}

impl SimDisk {
    fn with(files: Vec<Vec<u8>>, dirs: Vec<Names>) -> Self {
        let state = State { files, dirs, free_bytes: 1 << 40, ..State::default() };
        Self(Arc::new(Mutex::new(state)), Arc::default())
    }

    /// A disk of its own with the same content, all of it durable, without locks and faults.
    #[must_use]
    pub fn copy(&self) -> Self {
        let state = self.0.lock();
        Self::with(state.files.clone(), state.dirs.clone())
    }

    /// Injects a failure; several for one call occur in the order of `after`, each once.
    pub fn fail(&self, fault: Fault) {
        self.0.lock().faults.push(fault);
    }

    /// `hook` is called before each read from now on: it may change the disk.
    pub fn before_read(&self, hook: impl Fn() + Send + Sync + 'static) {
        *self.1.lock() = Some(Arc::new(hook));
    }

    /// Sets the free space in bytes: files that grow use it, and the disk is full when it is used up; files that
    /// are removed free it again.
    pub fn set_free_bytes(&self, free_bytes: u64) {
        self.0.lock().free_bytes = free_bytes;
    }

    /// Refuses every call that would change the disk, or allows them again.
    pub fn set_read_only(&self, read_only: bool) {
        self.0.lock().read_only = read_only;
    }

    /// The paths that were made private on this disk.
    pub fn made_private(&self) -> Vec<PathBuf> {
        self.0.lock().private.iter().cloned().collect()
    }

    /// Records a number at this moment, for `Replay::marked`.
    pub fn mark(&self, number: u64) {
        self.0.lock().changes.push(Change::Mark(number));
    }

    /// How many changes, syncs and marks there have been.
    pub fn changes(&self) -> usize {
        self.0.lock().changes.len()
    }

    /// How many syncs of files and directories there have been.
    pub fn syncs(&self) -> usize {
        let synced = |change: &&Change| matches!(change, Change::Synced { .. } | Change::DirSynced { .. });
        self.0.lock().changes.iter().filter(synced).count()
    }

    /// The content of a file.
    ///
    /// # Panics
    /// If there is no such file; so for the methods that follow.
    pub fn bytes(&self, path: &Path) -> Vec<u8> {
        let state = self.0.lock();
        state.files[state.file(path).unwrap()].clone()
    }

    /// Replaces the content of a file, as damage does: unrecorded and durable.
    pub fn put(&self, path: &Path, bytes: Vec<u8>) {
        let mut state = self.0.lock();
        match state.file(path) {
            Ok(file) => state.files[file] = bytes,
            Err(_) => {
                let (dir, name) = state.place(path).unwrap();
                let file = state.files.len();
                state.files.push(bytes);
                state.dirs[dir].insert(name, Node::File(file));
            }
        }
    }

    /// Flips one bit of a file.
    pub fn flip(&self, path: &Path, byte: usize, bit: u32) {
        let mut state = self.0.lock();
        let file = state.file(path).unwrap();
        state.files[file][byte] ^= 1 << bit;
    }

    /// Removes a file, unrecorded.
    pub fn lose(&self, path: &Path) {
        let mut state = self.0.lock();
        let (dir, name) = state.place(path).unwrap();
        state.dirs[dir].remove(&name).unwrap();
    }
}

impl State {
    /// The next fault of this call, if it is due.
    fn check(&mut self, call: Call) -> io::Result<()> {
        let writes = !matches!(call, Call::Read | Call::FreeBytes);
        if self.read_only && writes {
            return Err(ErrorKind::ReadOnlyFilesystem.into());
        }
        let mut due = None;
        for (index, fault) in self.faults.iter_mut().enumerate().filter(|(_, fault)| fault.call == call) {
            match fault.after.checked_sub(1) {
                Some(after) => fault.after = after,
                None if due.is_none() => due = Some(index),
                None => {}
            }
        }
        match due.map(|index| self.faults.remove(index)) {
            Some(fault) if fault.short > 0 => {
                self.short = Some(fault.kind);
                Err(io::Error::other(Short(fault.short)))
            }
            Some(fault) => Err(fault.kind.into()),
            None => Ok(()),
        }
    }

    fn dir(&self, path: &Path) -> io::Result<usize> {
        let mut at = 0;
        for part in path.components() {
            let Component::Normal(name) = part else { continue };
            at = match self.dirs[at].get(name) {
                Some(Node::Dir(dir)) => *dir,
                Some(Node::File(_)) => return Err(ErrorKind::NotADirectory.into()),
                None => return Err(ErrorKind::NotFound.into()),
            };
        }
        Ok(at)
    }

    /// The directory and name of a path.
    fn place(&self, path: &Path) -> io::Result<(usize, OsString)> {
        let name = path.file_name().ok_or(ErrorKind::InvalidInput)?;
        Ok((self.dir(path.parent().unwrap_or(Path::new("/")))?, name.to_owned()))
    }

    fn node(&self, path: &Path) -> io::Result<Node> {
        let (dir, name) = self.place(path)?;
        self.dirs[dir].get(&name).copied().ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn file(&self, path: &Path) -> io::Result<usize> {
        match self.node(path)? {
            Node::File(file) => Ok(file),
            Node::Dir(_) => Err(ErrorKind::IsADirectory.into()),
        }
    }

    fn names(&mut self, dir: usize, set: Vec<(OsString, Option<Node>)>) {
        set_names(&mut self.dirs[dir], &set);
        self.changes.push(Change::Names { dir, set });
    }

    fn create(&mut self, path: &Path) -> io::Result<usize> {
        let (dir, name) = self.place(path)?;
        let file = self.files.len();
        self.files.push(Vec::new());
        self.changes.push(Change::NewFile);
        self.names(dir, vec![(name, Some(Node::File(file)))]);
        Ok(file)
    }

    /// Uses the space that a file needs to grow to `len` bytes.
    fn use_space(&mut self, file: usize, len: u64) -> io::Result<()> {
        let grows = len.saturating_sub(self.files[file].len() as u64);
        self.free_bytes = self.free_bytes.checked_sub(grows).ok_or(ErrorKind::StorageFull)?;
        Ok(())
    }

    fn set_len(&mut self, file: usize, len: u64) {
        self.files[file].resize(len as usize, 0);
        self.changes.push(Change::SetLen { file, len });
    }
}

fn set_names(names: &mut Names, set: &[(OsString, Option<Node>)]) {
    for (name, node) in set {
        match node {
            Some(node) => names.insert(name.clone(), *node),
            None => names.remove(name),
        };
    }
}

/// Carries the length of a short write out of `State::check`.
#[derive(Debug, thiserror::Error)]
#[error("a write of {0} bytes")]
struct Short(usize);
