//! The files of the log: `audit-{number}.jsonl`, of which the highest number is the newest.
//!
//! Invariants: only whole lines are appended, and only to the newest file; a line that a crash cut is ended when the log
//! is next appended to, and skipped by readers. Files are readable by their owner alone. An old file that cannot be
//! removed keeps nothing from being written.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The files of a log, to append to.
#[derive(Debug)]
pub(super) struct Files {
    directory: PathBuf,
    max_file_bytes: u64,
    max_files: usize,
    number: u64,
    file: File,
    bytes: u64,
    /// Whether the last write stopped within a line.
    is_torn: bool,
    /// Whether a file was begun since old ones were removed.
    has_begun: bool,
}

impl Files {
    /// Opens a log, or begins it.
    pub(super) fn open(directory: &Path, max_file_bytes: u64, max_files: usize) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        let number = numbers(directory)?.last().copied().unwrap_or(1);
        let mut file = open(directory, number)?;
        let bytes = file.seek(SeekFrom::End(0))?;
        let mut files = Self {
            directory: directory.to_owned(),
            max_file_bytes,
            max_files,
            number,
            file,
            bytes,
            is_torn: false,
            has_begun: false,
        };
        files.is_torn = bytes > 0 && files.last_byte()? != b'\n';
        Ok(files)
    }

    /// Appends whole lines.
    pub(super) fn append(&mut self, lines: &str) -> io::Result<()> {
        if self.bytes > 0 && self.bytes + lines.len() as u64 > self.max_file_bytes {
            self.begin_next()?;
        }
        // Until it is whole.
        let begin = if std::mem::replace(&mut self.is_torn, true) { "\n" } else { "" };
        self.file.write_all(format!("{begin}{lines}").as_bytes())?;
        self.bytes += (begin.len() + lines.len()) as u64;
        self.is_torn = false;
        Ok(())
    }

    /// Makes what was appended survive a power cut.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn begin_next(&mut self) -> io::Result<()> {
        let number = self.number + 1;
        self.file = open(&self.directory, number)?;
        (self.number, self.bytes, self.is_torn, self.has_begun) = (number, 0, false, true);
        Ok(())
    }

    /// Removes the files that are too many, if one was begun since this was called; whether one was. All that can be
    /// removed are, before a failure is returned.
    pub(super) fn remove_old(&mut self) -> io::Result<bool> {
        if !std::mem::take(&mut self.has_begun) {
            return Ok(false);
        }
        let all = numbers(&self.directory)?;
        let old = &all[..all.len().saturating_sub(self.max_files)];
        let removed: Vec<_> = old.iter().map(|old| remove(&path(&self.directory, *old))).collect();
        removed.into_iter().collect::<io::Result<()>>().map(|()| true)
    }

    fn last_byte(&mut self) -> io::Result<u8> {
        let mut last = [0];
        self.file.seek(SeekFrom::End(-1))?;
        self.file.read_exact(&mut last)?;
        Ok(last[0])
    }
}

/// Removes a file, unless somebody else did.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(io::Error::new(error.kind(), format!("{}: {error}", path.display())))
        }
        _ => Ok(()),
    }
}

/// The numbers of the files of a log, the oldest first.
pub(super) fn numbers(directory: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix("audit-")?.strip_suffix(".jsonl"));
        numbers.extend(number.and_then(|number| number.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// What a file holds; nothing if it was removed meanwhile.
pub(super) fn contents(directory: &Path, number: u64) -> io::Result<Vec<u8>> {
    match fs::read(path(directory, number)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read,
    }
}

fn path(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("audit-{number:08}.jsonl"))
}

fn open(directory: &Path, number: u64) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true).mode(0o600).open(path(directory, number))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn files_are_begun_and_removed_so_that_the_log_is_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("audit");
        let mut files = Files::open(&log, 100, 3).unwrap();
        let line = format!("{}\n", "x".repeat(59));
        for _ in 0..10 {
            files.append(&line).unwrap();
            files.remove_old().unwrap();
        }
        assert_eq!(numbers(&log).unwrap(), [8, 9, 10]);
        let bytes: usize = [8, 9, 10].map(|number| contents(&log, number).unwrap().len()).iter().sum();
        assert_eq!(bytes, 180);
        let mode = fs::metadata(path(&log, 10)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_cannot_be_removed_keeps_neither_lines_nor_others_from_it_and_one_that_is_gone_is_no_failure()
     {
        let dir = tempfile::tempdir().unwrap();
        let mut files = Files::open(dir.path(), 10, 2).unwrap();
        let mut append = |number: u64| {
            files.append(&format!("line {number:>4}\n")).unwrap();
            assert_eq!(contents(dir.path(), number).unwrap(), format!("line {number:>4}\n").as_bytes());
            files.remove_old()
        };
        assert!(!append(1).unwrap(), "none was begun");
        // What is in the place of the oldest is not removed as a file is.
        fs::remove_file(path(dir.path(), 1)).unwrap();
        fs::create_dir(path(dir.path(), 1)).unwrap();
        assert!(append(2).unwrap());
        for number in 3..6 {
            let failed = append(number).unwrap_err().to_string();
            assert!(failed.contains("audit-00000001.jsonl"), "{failed}");
        }
        assert_eq!(numbers(dir.path()).unwrap(), [1, 4, 5]);
        // Somebody else removes it, while it is looked for.
        fs::remove_dir(path(dir.path(), 1)).unwrap();
        assert!(append(6).unwrap());
        assert_eq!(numbers(dir.path()).unwrap(), [5, 6]);
        remove(&path(dir.path(), 1)).unwrap();
    }

    #[test]
    fn a_line_that_was_cut_is_ended_by_the_next_one() {
        let dir = tempfile::tempdir().unwrap();
        Files::open(dir.path(), 1000, 3).unwrap().append("{\"whole\":1}\n{\"cu").unwrap();
        Files::open(dir.path(), 1000, 3).unwrap().append("{}\n").unwrap();
        assert_eq!(contents(dir.path(), 1).unwrap(), b"{\"whole\":1}\n{\"cu\n{}\n");
    }
}
