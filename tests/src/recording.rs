//! What a traced server did to its disk, played into the ledger's simulated disk, which makes the images
//! that a power cut could have left.
//!
//! Invariants: a write counts from when it returned, a sync makes durable what had returned when it began,
//! and `sync_file_range` makes nothing durable. The times of acknowledgements are marked in between. Two
//! simplifications, neither of which hides a loss: a new directory is durable at once, and a sync that
//! another thread's write overlaps counts from its beginning.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use milepost_ledger::journal::disk::{Access, Disk, DiskFile};
use milepost_ledger::journal::sim::SimDisk;

use crate::strace::Call;

/// The system calls that change files, names or directories, or make them durable.
pub const TRACED: &[&str] = &[
    "openat",
    "creat",
    "open",
    "write",
    "writev",
    "pwrite64",
    "pwritev",
    "lseek",
    "read",
    "ftruncate",
    "truncate",
    "fallocate",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "link",
    "linkat",
    "symlink",
    "symlinkat",
    "mkdir",
    "mkdirat",
    "rmdir",
    "fsync",
    "fdatasync",
    "copy_file_range",
    "sendfile",
];

/// Plays the calls that concern files under `root`, in order; `acknowledged` holds, sorted, when writes were acknowledged
/// something, and the nth of them marks n + 1.
///
/// # Panics
/// If the server did something that cannot be played.
pub fn play(calls: &[Call], root: &Path, acknowledged: &[i64]) -> SimDisk {
    let mut order: Vec<(i64, usize)> = Vec::new();
    for (index, call) in calls.iter().enumerate() {
        let overlapped = is_sync(call) && overlapping(calls, call);
        order.push((if overlapped { call.start } else { call.end }, index));
    }
    order.sort();
    let mut player = Player { disk: SimDisk::default(), root: root.to_owned(), offsets: HashMap::new() };
    player.disk.create_dir_all(root).expect("the root");
    let mut marks = acknowledged.iter().enumerate().peekable();
    for (time, index) in order {
        while let Some((number, _)) = marks.next_if(|(_, acknowledged)| **acknowledged <= time) {
            player.disk.mark(number as u64 + 1);
        }
        player.play(&calls[index]);
    }
    marks.for_each(|(number, _)| player.disk.mark(number as u64 + 1));
    player.disk
}

fn is_sync(call: &Call) -> bool {
    matches!(call.name.as_str(), "fsync" | "fdatasync")
}

/// Whether a write to the same file was under way while it was synced.
fn overlapping(calls: &[Call], sync: &Call) -> bool {
    let from = calls.partition_point(|call| call.end <= sync.start);
    // In the order of their ends; none takes a second.
    calls[from..].iter().take_while(|call| call.end < sync.end + 1_000_000).any(|call| {
        !is_sync(call)
            && call.target == sync.target
            && call.start < sync.end
            && !matches!(call.name.as_str(), "read" | "lseek" | "openat")
    })
}

struct Player {
    disk: SimDisk,
    root: PathBuf,
    /// By file descriptor, where the next `write` goes.
    offsets: HashMap<i64, u64>,
}

impl Player {
    fn play(&mut self, call: &Call) {
        if call.result < 0 {
            return;
        }
        let numbers = call.numbers();
        match call.name.as_str() {
            "open" | "openat" | "creat" => self.open(call),
            "mkdir" => self.make_dir(&call.path(0)),
            "mkdirat" => self.make_dir(&call.path(0)),
            "rename" | "renameat" | "renameat2" => {
                if self.holds(&call.path(0)) {
                    self.disk.rename(&call.path(0), &call.path(1)).expect("a rename that happened");
                }
            }
            "unlink" | "unlinkat" if call.arguments.contains("AT_REMOVEDIR") => {
                self.remove_dir(&call.path(0))
            }
            "unlink" | "unlinkat" => {
                if self.holds(&call.path(0)) {
                    self.disk.remove_file(&call.path(0)).expect("a removal that happened");
                }
            }
            "rmdir" => self.remove_dir(&call.path(0)),
            _ if !self.holds(call.file()) || call.target.contains("(deleted)") => {}
            "pwrite64" => self.write(call, numbers[numbers.len() - 1] as u64),
            "write" | "writev" => {
                let offset = *self.offsets.get(&numbers[0]).expect("an open file");
                self.write(call, offset);
                self.offsets.insert(numbers[0], offset + call.result as u64);
            }
            "read" => *self.offsets.entry(numbers[0]).or_default() += call.result as u64,
            "lseek" => drop(self.offsets.insert(numbers[0], call.result as u64)),
            "fallocate" => {
                assert_eq!(numbers[1], 0, "room is reserved, and nothing else: {call:?}");
                let file = self.file(call.file());
                file.allocate((numbers[2] + numbers[3]) as u64).expect("it was reserved");
            }
            "ftruncate" => self.set_len(call.file(), numbers[1] as u64),
            "fsync" | "fdatasync" if self.is_dir(call.file()) => {
                self.disk.sync_dir(call.file()).expect("it was synced");
            }
            "fsync" | "fdatasync" => self.file(call.file()).sync_data().expect("it was synced"),
            other => panic!("{other} cannot be played: {call:?}"),
        }
    }

    fn holds(&self, path: &Path) -> bool {
        path.starts_with(&self.root)
    }

    fn is_dir(&self, path: &Path) -> bool {
        self.disk.list(path).is_ok()
    }

    fn file(&self, path: &Path) -> std::sync::Arc<dyn DiskFile> {
        self.disk.open(path, Access::Write).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    fn open(&mut self, call: &Call) {
        let path = call.path(0);
        if !self.holds(&path) {
            return;
        }
        self.offsets.insert(call.result, 0);
        let exists = self.disk.open(&path, Access::Read).is_ok();
        let empties = call.arguments.contains("O_TRUNC") && exists;
        let makes = call.arguments.contains("O_CREAT") && !exists;
        if empties || makes || call.name == "creat" {
            self.disk.open(&path, Access::Create).expect("it was opened");
        }
    }

    fn make_dir(&self, path: &Path) {
        if self.holds(path) {
            self.disk.create_dir_all(path).expect("it was made");
        }
    }

    fn remove_dir(&self, path: &Path) {
        if self.holds(path) {
            self.disk.remove_dir(path).expect("it was removed");
        }
    }

    fn write(&self, call: &Call, offset: u64) {
        let written = self.file(call.file()).write_at(&call.data(), offset).expect("it was written");
        assert_eq!(written as i64, call.result);
    }

    fn set_len(&self, path: &Path, length: u64) {
        let file = self.file(path);
        let now = self.disk.bytes(path).len() as u64;
        match length {
            0 => drop(self.disk.open(path, Access::Create).expect("it was emptied")),
            _ if length >= now => file.allocate(length).expect("it was made longer"),
            _ => panic!("{} was cut from {now} to {length} bytes, which cannot be played", path.display()),
        }
    }
}

/// Writes all of a simulated disk under `from` to a real directory.
///
/// # Panics
/// If it cannot be written.
pub fn copy_out(disk: &SimDisk, from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a directory");
    for listed in disk.list(from).unwrap_or_default() {
        let (from, to) = (from.join(&listed.name), to.join(&listed.name));
        if listed.directory {
            copy_out(disk, &from, &to);
        } else {
            std::fs::write(to, disk.bytes(&from)).expect("a file");
        }
    }
}
