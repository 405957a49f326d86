//! A file that keeps the cursor of a watch, so that the next run goes on where this one ended.
//!
//! Invariant: the file holds a whole cursor at any time, whatever happens to the process or the machine: it
//! is written beside, synced, and renamed into place. A cursor is kept only after the events before it were
//! printed: after a crash some may be printed again, none is left out.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::error::Error;

/// Where a cursor is kept.
#[derive(Debug)]
pub struct CursorFile {
    path: PathBuf,
    kept: Option<String>,
}

impl CursorFile {
    /// The file, and the cursor in it if there is one.
    ///
    /// # Errors
    /// If it exists but cannot be read.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let kept = match std::fs::read_to_string(path) {
            Ok(text) => Some(text.trim().to_owned()).filter(|cursor| !cursor.is_empty()),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(Error::read(path)(error)),
        };
        Ok(Self { path: path.to_owned(), kept })
    }

    /// The cursor that was kept.
    pub fn cursor(&self) -> Option<&str> {
        self.kept.as_deref()
    }

    /// Keeps a cursor in place of the one before.
    ///
    /// # Errors
    /// If it cannot be written; then the one before is still there.
    pub fn keep(&mut self, cursor: &str) -> Result<(), Error> {
        if self.kept.as_deref() == Some(cursor) {
            return Ok(());
        }
        self.replace(cursor).map_err(Error::write(&self.path))?;
        self.kept = Some(cursor.to_owned());
        Ok(())
    }

    fn replace(&self, cursor: &str) -> std::io::Result<()> {
        let dir = match self.path.parent() {
            Some(dir) if dir != Path::new("") => dir,
            _ => Path::new("."),
        };
        let mut beside = tempfile::Builder::new().prefix(".cursor-").tempfile_in(dir)?;
        writeln!(beside, "{cursor}")?;
        beside.as_file().sync_all()?;
        beside.persist(&self.path).map_err(|error| error.error)?;
        // The rename itself is durable once its directory is.
        File::open(dir)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_the_process_and_replaces_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("wsc.cursor");
        let mut file = CursorFile::open(&path).unwrap();
        assert_eq!(file.cursor(), None);
        file.keep("one").unwrap();
        file.keep("two").unwrap();
        assert_eq!(CursorFile::open(&path).unwrap().cursor(), Some("two"));
        let left: Vec<_> =
            std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["wsc.cursor"], "nothing is left beside it");
    }

    #[test]
    fn a_file_that_cannot_be_written_keeps_what_it_had() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = CursorFile::open(&dir.path().join("missing/wsc.cursor")).unwrap();
        assert!(matches!(file.keep("one"), Err(Error::Write { .. })));
        assert_eq!(file.cursor(), None);
        assert!(matches!(CursorFile::open(dir.path()), Err(Error::Read { .. })));
    }

    #[test]
    fn an_empty_file_holds_no_cursor() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(CursorFile::open(file.path()).unwrap().cursor(), None);
    }
}
