//! The conformance suite, run on every engine.

use std::sync::Arc;

use milepost_ledger::journal::Journal;
use milepost_ledger::journal::conformance::{self, Fixture};
use milepost_ledger::journal::disk::{Disk, SystemDisk};
use milepost_ledger::journal::file::{FileJournal, FileOptions};
use milepost_ledger::journal::memory::MemoryJournal;
use milepost_ledger::journal::sim::SimDisk;
use milepost_types::LogId;

use crate::support::{self, expected};

struct Memory(MemoryJournal);

impl Fixture for Memory {
    fn journal(&self) -> &dyn Journal {
        &self.0
    }

    fn reopen(&mut self) -> bool {
        self.0 = self.0.reopened();
        true
    }
}

struct File {
    journal: Option<FileJournal>,
    disk: Arc<dyn Disk>,
    options: FileOptions,
    _dir: Option<tempfile::TempDir>,
}

impl File {
    fn new(options: FileOptions, disk: Arc<dyn Disk>, dir: Option<tempfile::TempDir>) -> Self {
        let path = dir.as_ref().map_or(support::dir().to_owned(), |dir| dir.path().join("deep/journal"));
        let journal =
            FileJournal::open(&path, expected(), options.clone(), disk.clone()).expect("a new journal");
        Self { journal: Some(journal), disk, options, _dir: dir }
    }
}

impl Fixture for File {
    fn journal(&self) -> &dyn Journal {
        self.journal.as_ref().expect("it is open")
    }

    fn reopen(&mut self) -> bool {
        let dir = self.journal.take().expect("it is open").dir().to_owned();
        let journal = FileJournal::open(&dir, expected(), self.options.clone(), self.disk.clone());
        self.journal = Some(journal.expect("it opens again"));
        true
    }
}

#[test]
fn the_memory_engine_conforms() {
    conformance::run(|| Memory(MemoryJournal::new(LogId::generate())));
}

#[test]
fn the_file_engine_conforms_on_a_real_disk() {
    conformance::run(|| {
        let dir = tempfile::tempdir().expect("a directory");
        let options = FileOptions { segment_bytes: 1 << 20, min_free_bytes: 0, ..FileOptions::default() };
        File::new(options, Arc::new(SystemDisk), Some(dir))
    });
}

#[test]
fn the_file_engine_conforms_with_small_segments_and_little_memory() {
    conformance::run(|| File::new(support::small(), Arc::new(SimDisk::default()), None));
}

#[test]
fn the_file_engine_conforms_with_almost_no_memory() {
    // Every read but those at the tail comes from the disk.
    let options = FileOptions { segment_bytes: 64 << 10, cache_bytes: 600, ..support::small() };
    conformance::run(|| File::new(options.clone(), Arc::new(SimDisk::default()), None));
}
