//! A disk in memory, for tests: it records every change and sync, refuses what it is told to, and
//! from any moment makes the disks that a power cut could have left (`image`).
//!
//! Invariants: what is read back is what was written, as through a page cache; durable is only what
//! was synced. A failed sync makes nothing durable and, as on Linux, forgets that it was to be: a
//! later sync succeeds without it. It is meant to be pessimistic; it is no file system.

mod image;

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsString;
use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

pub use self::image::{Replay, Rng};
use super::disk::{Access, Disk, DiskFile, DiskLock, Listed, LockError};

/// A call that can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// Making a file, or opening one for writing.
    OpenToWrite,
    /// Reading.
    Read,
    /// Writing.
    Write,
    /// Reserving room.
    Allocate,
    /// Syncing a file.
    SyncData,
    /// Syncing a directory.
    SyncDir,
    /// Renaming.
    Rename,
    /// Making a directory.
    MakeDir,
    /// Looking up free room.
    FreeBytes,
}

/// A failure to come.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// Which call.
    pub call: Call,
    /// So many of them succeed before.
    pub after: usize,
    /// With which error.
    pub kind: ErrorKind,
    /// A write takes so many bytes, and only the rest of it fails.
    pub short: usize,
}

impl Fault {
    /// The next such call fails, with nothing done.
    pub fn next(call: Call, kind: ErrorKind) -> Self {
        Self { call, after: 0, kind, short: 0 }
    }
}

/// What a name stands for.
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
    /// What the test wanted to remember.
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

    /// A failure to come; several of one call happen in the order of `after`, each once.
    pub fn fail(&self, fault: Fault) {
        self.0.lock().faults.push(fault);
    }

    /// `hook` is called before each read from now on: it may change the disk.
    pub fn before_read(&self, hook: impl Fn() + Send + Sync + 'static) {
        *self.1.lock() = Some(Arc::new(hook));
    }

    /// What free room is told from now on, in bytes.
    pub fn set_free_bytes(&self, free_bytes: u64) {
        self.0.lock().free_bytes = free_bytes;
    }

    /// Whether everything that would change the disk is refused.
    pub fn set_read_only(&self, read_only: bool) {
        self.0.lock().read_only = read_only;
    }

    /// Remembers a number at this moment, for `Replay::marked`.
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
    /// If there is none; so for the methods that follow.
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
    /// The next fault of this call, if its time has come.
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

impl Disk for SimDisk {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.0.lock();
        let mut at = 0;
        for part in dir.components() {
            let Component::Normal(name) = part else { continue };
            at = match state.dirs[at].get(name) {
                Some(Node::Dir(dir)) => *dir,
                Some(Node::File(_)) => return Err(ErrorKind::NotADirectory.into()),
                None => {
                    state.check(Call::MakeDir)?;
                    let made = state.dirs.len();
                    state.dirs.push(Names::new());
                    state.changes.push(Change::NewDir);
                    state.names(at, vec![(name.to_owned(), Some(Node::Dir(made)))]);
                    state.changes.push(Change::DirSynced { dir: at });
                    made
                }
            };
        }
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<Listed>> {
        let state = self.0.lock();
        let names = &state.dirs[state.dir(dir)?];
        let listed = |(name, node): (&OsString, &Node)| Listed {
            name: name.clone(),
            directory: matches!(node, Node::Dir(_)),
        };
        Ok(names.iter().map(listed).collect())
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.0.lock();
        if access != Access::Read {
            state.check(Call::OpenToWrite)?;
        }
        let file = match (state.file(path), access) {
            (Ok(file), Access::Create) => {
                state.set_len(file, 0);
                file
            }
            (Err(error), Access::Create) if error.kind() == ErrorKind::NotFound => state.create(path)?,
            (found, _) => found?,
        };
        Ok(Arc::new(SimFile { disk: self.clone(), file, writable: access != Access::Read }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.0.lock();
        state.check(Call::Rename)?;
        let node = state.node(from)?;
        let ((dir, old), (other, new)) = (state.place(from)?, state.place(to)?);
        assert_eq!(dir, other, "the journal renames within one directory only");
        if let Ok(Node::Dir(replaced)) = state.node(to)
            && !state.dirs[replaced].is_empty()
        {
            return Err(ErrorKind::DirectoryNotEmpty.into());
        }
        state.names(dir, vec![(old, None), (new, Some(node))]);
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        let mut state = self.0.lock();
        state.file(path)?;
        let (dir, name) = state.place(path)?;
        state.names(dir, vec![(name, None)]);
        Ok(())
    }

    fn remove_dir(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.0.lock();
        let (above, name) = state.place(dir)?;
        if !state.dirs[state.dir(dir)?].is_empty() {
            return Err(ErrorKind::DirectoryNotEmpty.into());
        }
        state.names(above, vec![(name, None)]);
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.0.lock();
        state.check(Call::SyncDir)?;
        let dir = state.dir(dir)?;
        state.changes.push(Change::DirSynced { dir });
        Ok(())
    }

    fn free_bytes(&self, _dir: &Path) -> io::Result<u64> {
        let mut state = self.0.lock();
        state.check(Call::FreeBytes)?;
        Ok(state.free_bytes)
    }

    fn lock(&self, path: &Path) -> Result<Box<dyn DiskLock>, LockError> {
        let mut state = self.0.lock();
        if state.file(path).is_err() {
            state.check(Call::OpenToWrite).and_then(|()| state.create(path)).map_err(LockError::Io)?;
        } else if state.read_only {
            return Err(LockError::Io(ErrorKind::ReadOnlyFilesystem.into()));
        }
        if !state.locks.insert(path.to_owned()) {
            return Err(LockError::Held { pid: Some(std::process::id()) });
        }
        Ok(Box::new(SimLock { disk: self.clone(), path: path.to_owned() }))
    }
}

#[derive(Debug)]
struct SimLock {
    disk: SimDisk,
    path: PathBuf,
}

impl DiskLock for SimLock {}

impl Drop for SimLock {
    fn drop(&mut self) {
        self.disk.0.lock().locks.remove(&self.path);
    }
}

#[derive(Debug)]
struct SimFile {
    disk: SimDisk,
    file: usize,
    writable: bool,
}

impl DiskFile for SimFile {
    fn size(&self) -> io::Result<u64> {
        Ok(self.disk.0.lock().files[self.file].len() as u64)
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let hook = self.disk.1.lock().clone();
        if let Some(hook) = hook {
            hook();
        }
        let mut state = self.disk.0.lock();
        state.check(Call::Read)?;
        let bytes = state.files[self.file].get(offset as usize..).unwrap_or_default();
        let length = bytes.len().min(buf.len());
        buf[..length].copy_from_slice(&bytes[..length]);
        Ok(length)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<usize> {
        assert!(self.writable, "a write to a file that was opened for reading");
        let mut state = self.disk.0.lock();
        if let Some(kind) = state.short.take() {
            return Err(kind.into());
        }
        let length = match state.check(Call::Write) {
            Ok(()) => buf.len(),
            Err(error) => match error.get_ref().and_then(|inner| inner.downcast_ref()) {
                Some(Short(length)) => (*length).min(buf.len()),
                None => return Err(error),
            },
        };
        let end = offset as usize + length;
        let file = &mut state.files[self.file];
        if file.len() < end {
            file.resize(end, 0);
        }
        file[offset as usize..end].copy_from_slice(&buf[..length]);
        let bytes = buf[..length].to_vec();
        state.changes.push(Change::Write { file: self.file, offset, bytes });
        Ok(length)
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        let mut state = self.disk.0.lock();
        state.check(Call::Allocate)?;
        if (state.files[self.file].len() as u64) < len {
            state.set_len(self.file, len);
        }
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.disk.0.lock();
        let checked = state.check(Call::SyncData);
        let file = self.file;
        state.changes.push(if checked.is_ok() {
            Change::Synced { file }
        } else {
            Change::SyncFailed { file }
        });
        checked
    }
}
