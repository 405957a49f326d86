//! The calls of the simulated disk: each checks for a fault, changes the content and records the change.
//!
//! Invariant: every change of the content is recorded, except the damage that a test does. What survives a power cut
//! is computed in `image`.

use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::super::disk::{Access, Disk, DiskFile, DiskLock, Listed, LockError};
use super::{Call, Change, Names, Node, Short, SimDisk};

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

    fn make_private(&self, path: &Path) -> io::Result<()> {
        let mut state = self.0.lock();
        state.check(Call::MakePrivate)?;
        state.node(path)?;
        state.private.insert(path.to_owned());
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
        let file = state.file(path)?;
        let (dir, name) = state.place(path)?;
        state.names(dir, vec![(name, None)]);
        state.free_bytes += state.files[file].len() as u64;
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

    fn read_at(&self, read: &mut Vec<u8>, offset: u64) -> io::Result<usize> {
        let hook = self.disk.1.lock().clone();
        if let Some(hook) = hook {
            hook();
        }
        let mut state = self.disk.0.lock();
        state.check(Call::Read)?;
        let bytes = state.files[self.file].get(offset as usize..).unwrap_or_default();
        let length = bytes.len().min(read.capacity() - read.len());
        read.extend_from_slice(&bytes[..length]);
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
        state.use_space(self.file, end as u64)?;
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
        state.use_space(self.file, len)?;
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
