//! What a power cut leaves: the recorded changes replayed up to a moment, and from there any
//! disk that could be found afterwards.
//!
//! Invariant: what was synced is there. Of each sector of 512 bytes that was written since, any of
//! the contents it had since then may be there, whatever became of its neighbours; a file has any
//! length it had since; each change of names since its directory's sync is applied or not. Damage is not simulated
//! here.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::{Change, Names, Node, SimDisk, set_names};

const SECTOR: usize = 512;

/// Random numbers from a seed (SplitMix64): the same seed, the same disks.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// From this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to `bound` - 1.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.bits() % bound as u64) as usize
    }
}

#[derive(Debug, Default, Clone)]
struct File {
    cached: Vec<u8>,
    durable: Vec<u8>,
    /// The lengths since the sync.
    lengths: Vec<usize>,
    /// By sector, the contents since the sync.
    sectors: BTreeMap<usize, Vec<Vec<u8>>>,
}

impl File {
    fn touched(&mut self, from: usize, to: usize) {
        for sector in from / SECTOR..to.div_ceil(SECTOR) {
            let end = self.cached.len().min((sector + 1) * SECTOR);
            let mut content = self.cached[(sector * SECTOR).min(end)..end].to_vec();
            content.resize(SECTOR, 0);
            self.sectors.entry(sector).or_default().push(content);
        }
    }

    fn resize(&mut self, length: usize) {
        let before = self.cached.len();
        if length != before {
            self.cached.resize(length, 0);
            self.lengths.push(length);
        }
        if length < before {
            self.touched(length, before);
        }
    }

    fn write(&mut self, offset: usize, bytes: &[u8]) {
        let end = offset + bytes.len();
        if end > self.cached.len() {
            self.resize(end);
        }
        self.cached[offset..end].copy_from_slice(bytes);
        self.touched(offset, end);
    }

    fn synced(&mut self) {
        self.durable.clone_from(&self.cached);
        self.forgotten();
    }

    fn forgotten(&mut self) {
        self.lengths.clear();
        self.sectors.clear();
    }

    fn after_a_cut(&self, rng: &mut Rng) -> Vec<u8> {
        let mut found = self.durable.clone();
        let length = match rng.below(self.lengths.len() + 1) {
            0 => found.len(),
            nth => self.lengths[nth - 1],
        };
        // Some cuts lose everything, some nothing, most of them a part.
        let keep = rng.below(5);
        for (sector, contents) in &self.sectors {
            let nth = match keep {
                0 => 0,
                1 => contents.len(),
                _ => rng.below(contents.len() + 1),
            };
            if nth > 0 {
                let (from, to) = (sector * SECTOR, (sector + 1) * SECTOR);
                found.resize(found.len().max(to), 0);
                found[from..to].copy_from_slice(&contents[nth - 1]);
            }
        }
        found.resize(length, 0);
        found
    }
}

#[derive(Debug, Default, Clone)]
struct Dir {
    durable: Names,
    pending: Vec<Vec<(OsString, Option<Node>)>>,
}

/// The recorded changes of a disk, being replayed.
#[derive(Debug)]
pub struct Replay {
    changes: Vec<Change>,
    next: usize,
    files: Vec<File>,
    dirs: Vec<Dir>,
    marked: u64,
}

impl Replay {
    /// From the first change of a disk that began empty.
    pub fn of(disk: &SimDisk) -> Self {
        let changes = disk.0.lock().changes.clone();
        Self { changes, next: 0, files: Vec::new(), dirs: vec![Dir::default()], marked: 0 }
    }

    /// From the first change of a disk that began as a copy of `before`.
    pub fn since(before: &SimDisk, disk: &SimDisk) -> Self {
        let start = before.0.lock();
        let file =
            |bytes: &Vec<u8>| File { cached: bytes.clone(), durable: bytes.clone(), ..File::default() };
        let dir = |names: &Names| Dir { durable: names.clone(), pending: Vec::new() };
        Self {
            files: start.files.iter().map(file).collect(),
            dirs: start.dirs.iter().map(dir).collect(),
            ..Self::of(disk)
        }
    }

    /// Replays one change; false if there is none left.
    pub fn step(&mut self) -> bool {
        let Some(change) = self.changes.get(self.next) else { return false };
        self.next += 1;
        match change {
            Change::NewFile => self.files.push(File::default()),
            Change::NewDir => self.dirs.push(Dir::default()),
            Change::Write { file, offset, bytes } => self.files[*file].write(*offset as usize, bytes),
            Change::SetLen { file, len } => self.files[*file].resize(*len as usize),
            Change::Synced { file } => self.files[*file].synced(),
            Change::SyncFailed { file } => self.files[*file].forgotten(),
            Change::Names { dir, set } => self.dirs[*dir].pending.push(set.clone()),
            Change::DirSynced { dir } => {
                let dir = &mut self.dirs[*dir];
                dir.pending.drain(..).for_each(|set| set_names(&mut dir.durable, &set));
            }
            Change::Mark(number) => self.marked = *number,
        }
        true
    }

    /// The last number that was marked; 0 before the first.
    pub fn marked(&self) -> u64 {
        self.marked
    }

    /// A disk that a power cut at this moment could have left.
    pub fn image(&self, rng: &mut Rng) -> SimDisk {
        let files = self.files.iter().map(|file| file.after_a_cut(rng)).collect();
        let names = |dir: &Dir, rng: &mut Rng| {
            let mut names = dir.durable.clone();
            let applied = dir.pending.iter().filter(|_| rng.below(2) == 0);
            applied.for_each(|set| set_names(&mut names, set));
            names
        };
        let dirs = self.dirs.iter().map(|dir| names(dir, rng)).collect();
        SimDisk::with(files, dirs)
    }
}
