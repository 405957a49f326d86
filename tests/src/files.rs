//! A data directory as a vandal sees it, and as one who checks that nobody wrote to it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Every file under a directory with its content, locks left out.
///
/// # Panics
/// If something cannot be read; so for all that follows.
pub fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display())) {
            let path = entry.expect("a directory entry").path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.file_name().is_some_and(|name| name != "lock") {
                let bytes =
                    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                found.insert(path, bytes);
            }
        }
    }
    found
}

/// Puts a directory back to what `contents` found.
pub fn restore(dir: &Path, contents: &BTreeMap<PathBuf, Vec<u8>>) {
    for path in self::contents(dir).keys().filter(|path| !contents.contains_key(*path)) {
        std::fs::remove_file(path).expect("a file is removed");
    }
    for (path, bytes) in contents {
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        if std::fs::read(path).ok().as_ref() != Some(bytes) {
            std::fs::write(path, bytes).expect("a file is written");
        }
    }
}

/// Copies a directory.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a directory");
    for entry in std::fs::read_dir(from).expect("a directory") {
        let from = entry.expect("a directory entry").path();
        let to = to.join(from.file_name().expect("a name"));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            std::fs::copy(&from, &to).expect("a file is copied");
        }
    }
}

/// That two snapshots are the same, by name of what differs.
///
/// # Panics
/// If they differ.
pub fn assert_same(before: &BTreeMap<PathBuf, Vec<u8>>, after: &BTreeMap<PathBuf, Vec<u8>>) {
    let names = |files: &BTreeMap<PathBuf, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(before), names(after), "files came or went");
    for (path, bytes) in before {
        assert!(after[path] == *bytes, "{} was written to", path.display());
    }
}

/// The segments of a ledger's journal, in order.
pub fn segments(data: &Path, ledger: &str) -> Vec<PathBuf> {
    let dir = data.join(ledger).join("journal");
    let mut found: Vec<_> = std::fs::read_dir(&dir)
        .unwrap_or_else(|error| panic!("{}: {error}", dir.display()))
        .map(|entry| entry.expect("a directory entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "segment"))
        .collect();
    found.sort();
    found
}

/// The same, of a journal that may not be there.
pub fn segments_if_any(data: &Path, ledger: &str) -> Vec<PathBuf> {
    if data.join(ledger).join("journal").is_dir() { segments(data, ledger) } else { Vec::new() }
}

/// A frame of a segment, found by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Where it begins in the file.
    pub offset: usize,
    /// Its bytes.
    pub length: usize,
    /// The sequence of its first entry.
    pub sequence: u64,
    /// That of its last one.
    pub last: u64,
}

/// The frames of a segment. Layout: `ledger::journal::frame`.
pub fn frames(segment: &[u8]) -> Vec<Frame> {
    const HEAD: usize = 4096;
    let mut frames = Vec::new();
    let mut at = HEAD;
    while segment.get(at..at + 4) == Some(&[0xFE, b'M', b'P', b'F']) {
        let number = |from: usize, to: usize| {
            let bytes = segment[at + from..at + to].iter().rev();
            bytes.fold(0_u64, |number, byte| number << 8 | u64::from(*byte))
        };
        let length = 64 + number(8, 12) as usize + 4;
        let sequence = number(16, 24);
        let last = sequence + number(24, 28).saturating_sub(1);
        frames.push(Frame { offset: at, length, sequence, last });
        at += length;
    }
    frames
}
