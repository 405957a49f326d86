//! Power cuts: at every moment of a workload, the disks that could be found afterwards, each opened
//! again. Every acknowledged entry is there, no entry is there in part, and the log can be appended to; also when
//! the power fails again while the log is being opened.

use milepost_ledger::journal::conformance::{Chain, append, assert_holds};
use milepost_ledger::journal::file::{FileJournal, OpenError, verify};
use milepost_ledger::journal::sim::{Call, Fault, Replay, Rng, SimDisk};
use milepost_ledger::journal::{AppendError, Entries, Journal, StoredEntry};

use crate::support::{bodies, create, dir, expected, full_message, open, open_read_only, tear};

/// From a change on, what a disk must hold, and what it may hold besides.
#[derive(Clone)]
struct Epoch {
    from: usize,
    acknowledged: Vec<StoredEntry>,
    in_flight: Vec<StoredEntry>,
}

/// What happens in a workload besides appends, in percent.
struct Mix {
    clean_stops: usize,
    kills: usize,
    failing_syncs: usize,
}

struct Workload {
    disk: SimDisk,
    rng: Rng,
    chain: Chain,
    epochs: Vec<Epoch>,
}

impl Workload {
    fn epoch(&mut self, in_flight: Vec<StoredEntry>) {
        let from = self.disk.changes();
        self.epochs.push(Epoch { from, acknowledged: self.chain.entries().to_vec(), in_flight });
    }

    fn open(&mut self) -> FileJournal {
        // A sync may fail while it is being opened, too; then it is opened once more.
        let attempts = std::iter::repeat_with(|| open(&self.disk));
        let refused = |error: &OpenError| matches!(error, OpenError::Io { action: "sync" | "write", .. });
        let opened = attempts.take(5).find(|opened| !opened.as_ref().is_err_and(refused));
        let journal = opened.expect("its syncs succeed at last").expect("it opens again");
        // What is shown now must stay: an entry that was not acknowledged may be there, or not.
        self.chain = Chain::of(read(&journal));
        self.epoch(Vec::new());
        journal
    }

    fn run(seed: u64, appends: usize, mix: &Mix) -> Self {
        let mut work = Self {
            disk: SimDisk::default(),
            rng: Rng::new(seed),
            chain: Chain::default(),
            epochs: Vec::new(),
        };
        work.epoch(Vec::new());
        let mut journal = work.open();
        for _ in 0..appends {
            if work.rng.below(100) < mix.clean_stops {
                journal.close().expect("a clean stop");
                drop(journal);
                journal = work.open();
            } else if work.rng.below(100) < mix.kills {
                drop(journal);
                journal = work.open();
            }
            if work.rng.below(100) < mix.failing_syncs {
                let kind = std::io::ErrorKind::Other;
                work.disk.fail(Fault { after: work.rng.below(3), ..Fault::next(Call::SyncData, kind) });
            }
            let count = 1 + work.rng.below(6);
            let most = if work.rng.below(12) == 0 { 9_000 } else { 900 };
            let block = {
                let bodies = bodies(&mut work.rng, count, most);
                work.chain.clone().block(bodies)
            };
            work.epoch(block.entries.clone());
            match journal.append(&journal.info().tail, &block) {
                Ok(_) => {
                    work.chain = Chain::of([work.chain.entries(), &block.entries].concat());
                    work.epoch(Vec::new());
                }
                Err(AppendError::Poisoned { .. }) => {
                    drop(journal);
                    journal = work.open();
                }
                Err(error) => panic!("{error}"),
            }
        }
        work
    }

    /// What must and may be there after so many changes.
    fn at(&self, changes: usize) -> &Epoch {
        let after = self.epochs.partition_point(|epoch| epoch.from <= changes);
        &self.epochs[after - 1]
    }
}

fn read(journal: &dyn Journal) -> Vec<StoredEntry> {
    Entries::after(journal, 0).map(|entry| entry.expect("it can be read")).collect()
}

/// Opens what a power cut left, checks it, and goes on with it.
fn check(image: &SimDisk, epoch: &Epoch) -> Result<(), String> {
    let journal = open(image).map_err(|error| full_message(&error))?;
    let found = read(&journal);
    let whole = [&epoch.acknowledged[..], &epoch.in_flight].concat();
    if found != epoch.acknowledged && found != whole {
        let (must, may) = (epoch.acknowledged.len(), epoch.in_flight.len());
        return Err(format!("{} entries are there, of {must} and perhaps {may}", found.len()));
    }
    let mut chain = Chain::of(found);
    let block = chain.block([b"and on".to_vec()]);
    journal.append(&journal.info().tail, &block).map_err(|error| full_message(&error))?;
    drop(journal);
    let again = open(image).map_err(|error| format!("after another append: {}", full_message(&error)))?;
    if read(&again) == chain.entries() { Ok(()) } else { Err("after going on, other entries".to_owned()) }
}

/// Runs a workload and cuts the power after each of its changes; returns how many images were opened.
fn cut_everywhere(seed: u64, appends: usize, mix: &Mix) -> usize {
    let work = Workload::run(seed, appends, mix);
    let mut rng = Rng::new(seed);
    let mut replay = Replay::of(&work.disk);
    let (mut images, mut changes) = (0, 0);
    loop {
        let epoch = work.at(changes);
        for _ in 0..2 {
            let image = replay.image(&mut rng);
            let before = image.copy();
            if let Err(what) = check(&image, epoch) {
                panic!("seed {seed}, cut after change {changes}: {what}");
            }
            images += 1;
            // The power fails again while the log is being opened, or just after.
            if rng.below(4) == 0 {
                let again = before.copy();
                drop(open(&again).expect("it opened a moment ago"));
                let mut second = Replay::since(&before, &again);
                (0..rng.below(again.changes() + 1)).for_each(|_| assert!(second.step()));
                if let Err(what) = check(&second.image(&mut rng), epoch) {
                    panic!("seed {seed}, cut after change {changes} and again while opening: {what}");
                }
                images += 1;
            }
        }
        if !replay.step() {
            return images;
        }
        changes += 1;
    }
}

#[test]
fn every_acknowledged_entry_survives_a_power_cut_at_any_moment() {
    let mix = Mix { clean_stops: 8, kills: 8, failing_syncs: 0 };
    for seed in 1..=3 {
        let images = cut_everywhere(seed, 50, &mix);
        assert!(images >= 200, "only {images} images");
    }
}

#[test]
fn what_is_read_after_a_failed_sync_survives_a_power_cut_too() {
    let mix = Mix { clean_stops: 4, kills: 4, failing_syncs: 15 };
    for seed in 11..=13 {
        let images = cut_everywhere(seed, 40, &mix);
        assert!(images >= 200, "only {images} images");
    }
}

#[test]
fn a_torn_tail_is_cut_off_once_and_leaves_nothing_behind() {
    let mut rng = Rng::new(5);
    let work = Workload::run(21, 25, &Mix { clean_stops: 0, kills: 0, failing_syncs: 0 });
    let mut replay = Replay::of(&work.disk);
    let mut torn = 0;
    for changes in 0.. {
        for _ in 0..4 {
            let image = replay.image(&mut rng);
            let before = image.copy();
            let Ok(reader) = open_read_only(&before) else { continue };
            let seen = read(&reader);
            assert_eq!(before.changes(), 0, "who only reads writes nothing");
            torn += usize::from(
                verify(dir(), expected(), &before, &mut |_| {}).expect("it verifies").torn.is_some(),
            );

            drop(open(&image).expect("it opens"));
            let again = image.copy();
            let journal = open(&again).expect("it opens a second time");
            assert_eq!(read(&journal), seen, "who only reads sees what who writes finds");
            assert_eq!(again.changes(), 0, "a second opening has nothing to put right");
            let verified = verify(dir(), expected(), &again, &mut |_| {}).expect("it verifies");
            assert_eq!((verified.tail, verified.torn), (journal.info().tail, None), "change {changes}");
        }
        if !replay.step() {
            break;
        }
    }
    assert!(torn >= 20, "only {torn} images had a torn tail");
}

#[test]
fn a_cut_off_tail_stays_removed_after_a_later_segment_is_created() {
    let disk = SimDisk::default();
    let journal = create(&disk);
    let (mut rng, mut chain) = (Rng::new(3), Chain::default());
    append(&journal, &mut chain, bodies(&mut rng, 3, 900));
    journal.close().expect("a clean stop");
    drop(journal);
    // The witness knows all but the one append that the power cut tears.
    append(&open(&disk).expect("it opens"), &mut chain.clone(), bodies(&mut rng, 3, 900));
    tear(&disk);

    let before = disk.copy();
    let after = before.copy();
    append(&open(&after).expect("a torn tail"), &mut chain, [vec![7; 15_000]]);
    let mut replay = Replay::since(&before, &after);
    while replay.step() {}
    for _ in 0..50 {
        let image = replay.image(&mut rng);
        let journal = open(&image).unwrap_or_else(|error| panic!("{}", full_message(&error)));
        assert_holds(&journal, &chain);
    }
}
