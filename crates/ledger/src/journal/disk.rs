//! The disk interface of the journal: a few calls of the operating system behind two traits, so that
//! a test can record, refuse and tear every one of them.
//!
//! Invariant: the journal engines use the file system only through this file. The traits
//! guarantee no more than POSIX does: a write is durable after `sync_data` of its file, a name after
//! `sync_dir` of its directory, and neither before. No retries here: a failed sync stays failed.

use std::ffi::OsString;
use std::fmt;
use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::buffer::spare_capacity;
use rustix::fs::FallocateFlags;

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// For reading; it must exist.
    Read,
    /// For reading and writing; it must exist.
    Write,
    /// For reading and writing, created if it is missing (for its owner alone) and truncated if it is not.
    Create,
}

/// One name in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The last part of the path.
    pub name: OsString,
    /// Whether it is a directory.
    pub directory: bool,
}

/// Why a lock was not taken.
#[derive(Debug)]
pub enum LockError {
    /// Another process (or another journal in this one) holds it.
    Held {
        /// The process that wrote its id into the lock file, if it can be read.
        pid: Option<u32>,
    },
    /// The lock file could not be opened.
    Io(io::Error),
}

/// A lock that is held until it is dropped.
pub trait DiskLock: fmt::Debug + Send + Sync {}

/// A file system.
pub trait Disk: fmt::Debug + Send + Sync + 'static {
    /// Creates the directory and its parents, durably and for their owner alone; no error if it exists.
    ///
    /// # Errors
    /// The error of the operating system, as for every method of this trait.
    fn create_dir_all(&self, dir: &Path) -> io::Result<()>;

    /// Removes all permissions of others than the owner from a file or a directory, if they have any.
    fn make_private(&self, path: &Path) -> io::Result<()>;

    /// The names in a directory, sorted.
    fn list(&self, dir: &Path) -> io::Result<Vec<Listed>>;

    /// Opens a file.
    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn DiskFile>>;

    /// Renames a file or a directory within its directory, atomically; replaces a file.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Removes an empty directory.
    fn remove_dir(&self, dir: &Path) -> io::Result<()>;

    /// Makes the names in a directory durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Bytes free for this process on the file system of `dir`.
    fn free_bytes(&self, dir: &Path) -> io::Result<u64>;

    /// Takes the lock file at `path` for this process alone, without waiting.
    ///
    /// # Errors
    /// `Held` if another has it.
    fn lock(&self, path: &Path) -> Result<Box<dyn DiskLock>, LockError>;
}

/// An open file.
pub trait DiskFile: fmt::Debug + Send + Sync {
    /// Its length in bytes.
    ///
    /// # Errors
    /// The error of the operating system, as for every method of this trait.
    fn size(&self) -> io::Result<u64>;

    /// Appends the bytes at `offset` to `bytes`, at most as many as fit its spare capacity; returns how many:
    /// 0 at the end of the file.
    fn read_at(&self, bytes: &mut Vec<u8>, offset: u64) -> io::Result<usize>;

    /// Writes at most `buf.len()` bytes at `offset`; returns how many.
    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<usize>;

    /// Makes the file `len` bytes long and reserves the space; new bytes read as zero.
    fn allocate(&self, len: u64) -> io::Result<()>;

    /// Makes what was written durable, with the metadata that reading it back needs.
    fn sync_data(&self) -> io::Result<()>;

    /// The `length` bytes at `offset`.
    ///
    /// # Errors
    /// `UnexpectedEof` if the file ends before.
    fn read_exact_at(&self, length: usize, offset: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(length);
        while bytes.len() < length {
            let at = offset + bytes.len() as u64;
            match self.read_at(&mut bytes, at) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(length);
        Ok(bytes)
    }

    /// Writes all of `buf` at `offset`.
    ///
    /// # Errors
    /// With the number of bytes written before the failure.
    fn write_all_at(&self, buf: &[u8], offset: u64) -> Result<(), WriteError> {
        let mut written = 0;
        while written < buf.len() {
            match self.write_at(&buf[written..], offset + written as u64) {
                Ok(0) => {
                    let source = io::ErrorKind::WriteZero.into();
                    return Err(WriteError { written, source });
                }
                Ok(more) => written += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(WriteError { written, source }),
            }
        }
        Ok(())
    }
}

/// A write that did not finish.
#[derive(Debug, thiserror::Error)]
#[error("write failed after {written} bytes")]
pub struct WriteError {
    /// Bytes written before the failure.
    pub written: usize,
    /// The cause.
    pub source: io::Error,
}

impl WriteError {
    /// Whether the disk was full and not one byte had been written.
    pub fn wrote_nothing_because_full(&self) -> bool {
        self.written == 0 && is_full(&self.source)
    }
}

impl From<WriteError> for io::Error {
    fn from(error: WriteError) -> Self {
        error.source
    }
}

/// Whether an error means that the disk, or this user's share of it, is full.
pub fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// The mode of new files: the data is read through the API, not from the disk by other users.
pub const PRIVATE_FILE: u32 = 0o600;
/// The mode of new directories.
pub const PRIVATE_DIR: u32 = 0o700;
/// The permissions of others than the owner in a mode.
const OTHERS: u32 = 0o077;

/// Makes files private that earlier versions created for everybody. If that fails (another owner, a file
/// system without modes), it is logged once and the files are used all the same.
pub fn make_private(disk: &dyn Disk, paths: impl IntoIterator<Item = PathBuf>) {
    let refused = |path: PathBuf| match disk.make_private(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Some((path, error)),
        _ => None,
    };
    let mut refused = paths.into_iter().filter_map(refused);
    if let Some((path, error)) = refused.next() {
        let more = refused.count();
        tracing::warn!(
            path = %path.display(), %error, more,
            "others than the owner have access to this path, and its mode cannot be changed"
        );
    }
}

/// The real file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemDisk;

impl Disk for SystemDisk {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        let mut missing: Vec<&Path> = Vec::new();
        let mut at = Some(dir);
        while let Some(path) = at.filter(|path| !path.as_os_str().is_empty() && !path.exists()) {
            missing.push(path);
            at = path.parent();
        }
        DirBuilder::new().recursive(true).mode(PRIVATE_DIR).create(dir)?;
        missing.iter().try_for_each(|made| self.sync_dir(parent(made)))
    }

    fn make_private(&self, path: &Path) -> io::Result<()> {
        let mode = std::fs::metadata(path)?.permissions().mode();
        if mode & OTHERS == 0 {
            return Ok(());
        }
        std::fs::set_permissions(path, Permissions::from_mode(mode & !OTHERS))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<Listed>> {
        let mut names = std::fs::read_dir(dir)?
            .map(|entry| {
                let entry = entry?;
                Ok(Listed { name: entry.file_name(), directory: entry.file_type()?.is_dir() })
            })
            .collect::<io::Result<Vec<_>>>()?;
        names.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(names)
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        options.read(true).write(access != Access::Read);
        if access == Access::Create {
            options.create(true).truncate(true).mode(PRIVATE_FILE);
        }
        Ok(Arc::new(SystemFile(options.open(path)?)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn remove_dir(&self, dir: &Path) -> io::Result<()> {
        std::fs::remove_dir(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    fn free_bytes(&self, dir: &Path) -> io::Result<u64> {
        let stat = rustix::fs::statvfs(dir)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    fn lock(&self, path: &Path) -> Result<Box<dyn DiskLock>, LockError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(PRIVATE_FILE);
        let mut file = options.open(path).map_err(LockError::Io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let pid = file.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
                return Err(LockError::Held { pid });
            }
            Err(TryLockError::Error(error)) => return Err(LockError::Io(error)),
        }
        // For operators and for the error above; the lock itself does not depend on it.
        let written = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        written.map_err(LockError::Io)?;
        Ok(Box::new(SystemLock { _file: file }))
    }
}

/// The directory that holds `path`.
pub fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) => Path::new("."),
        None => Path::new("/"),
    }
}

/// `path` with `suffix` behind its last part.
pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[derive(Debug)]
struct SystemLock {
    _file: File,
}

impl DiskLock for SystemLock {}

#[derive(Debug)]
struct SystemFile(File);

impl DiskFile for SystemFile {
    fn size(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_at(&self, bytes: &mut Vec<u8>, offset: u64) -> io::Result<usize> {
        Ok(rustix::io::pread(&self.0, spare_capacity(bytes), offset)?)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<usize> {
        self.0.write_at(buf, offset)
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        match rustix::fs::fallocate(&self.0, FallocateFlags::empty(), 0, len) {
            Ok(()) => Ok(()),
            // Some file systems cannot reserve space; a sparse file of the right length reads the same.
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => self.0.set_len(len),
            Err(error) => Err(error.into()),
        }
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }
}
