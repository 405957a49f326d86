//! Where a restore ends: the entry of each ledger up to which it is restored.
//!
//! Invariant: what is chosen is a consistent cut: the last position that a follower has of its source is in
//! the restored source. A follower that would be ahead is restored to an earlier entry; one whose entry was
//! asked for is refused with the last that can be had. What was asked for is checked against what there is of
//! every ledger before anything is restored.

use std::collections::BTreeMap;

use jiff::Timestamp;
use milepost_ledger::journal::StoredEntry;
use milepost_ledger::{CommandId, Entry};
use milepost_types::{Hash, LedgerKind, LogId, Position};

use crate::chain::{Chain, LogBackup};
use crate::error::Error;
use crate::range;
use crate::target::BackupTarget;

/// Where a restore is to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// At the end of the backup.
    Latest,
    /// With the last entries that were committed until this time.
    At(Timestamp),
    /// With these entries; ledgers that are not named end as late as the others allow.
    Sequences(BTreeMap<LedgerKind, u64>),
}

/// What a backup has of a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// Which one.
    pub ledger: LedgerKind,
    /// Its log.
    pub log: LogId,
    /// The sequence of the last entry; 0 for none.
    pub last: u64,
    /// The commit time of the first entry, and the time of the last manifest; `None` without entries.
    pub times: Option<(Timestamp, Timestamp)>,
}

/// Where the restore of a ledger ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Which one.
    pub ledger: LedgerKind,
    /// The sequence of its last entry; 0 for none.
    pub sequence: u64,
    /// The hash of that entry; zero for none.
    pub hash: Hash,
    /// The commit time of that entry.
    pub time: Option<Timestamp>,
    /// Where it would have ended, had it not been ahead of a source then.
    pub wanted: u64,
}

impl Chain {
    /// What there is of each ledger, sources before their followers.
    pub fn bounds(&self) -> Vec<Bounds> {
        let bounds = |(ledger, own): (&LedgerKind, &LogBackup)| Bounds {
            ledger: *ledger,
            log: own.log,
            last: own.sequence,
            times: own.ranges.first().map(|first| first.first_time).zip(self.time),
        };
        self.ledgers.iter().map(bounds).collect()
    }

    /// Chooses where each ledger ends, sources before their followers.
    ///
    /// # Errors
    /// `Outside` if a ledger has nothing there, `Ahead` if a follower is asked for that would be ahead; else
    /// if a range cannot be read.
    pub async fn choose(&self, target: &BackupTarget, wanted: &Wanted) -> Result<Vec<Chosen>, Error> {
        let outside = |what: String| Error::Outside { what, available: available(&self.bounds()) };
        check(&self.bounds(), wanted).map_err(outside)?;
        let mut chosen: Vec<Chosen> = Vec::new();
        for (kind, own) in &self.ledgers {
            let mut entries = Entries { target, kind: *kind, own, part: None };
            let asked = match wanted {
                Wanted::Latest => own.sequence,
                Wanted::At(time) => entries.last_until(*time).await?,
                Wanted::Sequences(sequences) => sequences.get(kind).copied().unwrap_or(own.sequence),
            };
            let sources: Vec<_> = chosen
                .iter()
                .filter_map(|source| Some((source, self.ledgers.get(&source.ledger)?)))
                .collect();
            let (sequence, ahead_of) = entries.not_ahead(asked, &sources).await?;
            let explicit = matches!(wanted, Wanted::Sequences(sequences) if sequences.contains_key(kind));
            if let Some(source) = ahead_of.filter(|_| explicit) {
                return Err(Error::Ahead {
                    follower: *kind,
                    sequence: asked,
                    source_ledger: source.ledger,
                    source_sequence: source.sequence,
                    most: sequence,
                });
            }
            let (hash, time) = match sequence {
                0 => (Hash::ZERO, None),
                _ => {
                    let entry = entries.at(sequence).await?;
                    (entry.hash, Some(range::time(*kind, entry)?))
                }
            };
            chosen.push(Chosen { ledger: *kind, sequence, hash, time, wanted: asked });
        }
        Ok(chosen)
    }
}

/// Whether every ledger has what is asked for; what is wrong if one does not.
fn check(bounds: &[Bounds], wanted: &Wanted) -> Result<(), String> {
    match wanted {
        Wanted::Latest => Ok(()),
        Wanted::At(time) => {
            let has = |own: &&Bounds| !own.times.is_some_and(|(from, to)| (from..=to).contains(time));
            let lacking = bounds.iter().find(has);
            lacking
                .map_or(Ok(()), |own| Err(format!("the backup has nothing of the {} at {time}", own.ledger)))
        }
        Wanted::Sequences(sequences) => {
            for (kind, sequence) in sequences {
                let Some(own) = bounds.iter().find(|own| own.ledger == *kind) else {
                    return Err(format!("the backup has no {kind}"));
                };
                if *sequence > own.last {
                    return Err(format!("the backup has no entry {sequence} of the {kind}"));
                }
            }
            Ok(())
        }
    }
}

/// What there is, for people.
fn available(bounds: &[Bounds]) -> String {
    let ledger = |own: &Bounds| match own.times {
        Some((from, to)) => format!("{} has entries 1 to {} and times {from} to {to}", own.ledger, own.last),
        None => format!("{} has no entries", own.ledger),
    };
    bounds.iter().map(ledger).collect::<Vec<_>>().join(", ")
}

/// The entries of a log in a backup, of which one range is kept.
struct Entries<'a> {
    target: &'a BackupTarget,
    kind: LedgerKind,
    own: &'a LogBackup,
    part: Option<(usize, Vec<StoredEntry>)>,
}

impl Entries<'_> {
    /// The entries of a range.
    async fn part(&mut self, index: usize) -> Result<&[StoredEntry], Error> {
        let (ranges, kept) = (&self.own.ranges, self.part.take().filter(|(kept, _)| *kept == index));
        let entries = match kept {
            Some((_, entries)) => entries,
            None => {
                let previous = index.checked_sub(1).map_or(Hash::ZERO, |before| ranges[before].hash.hash());
                range::read(self.target, self.kind, self.own.log, &ranges[index], &previous).await?
            }
        };
        Ok(&self.part.insert((index, entries)).1)
    }

    /// The entry with this sequence, which the backup has.
    async fn at(&mut self, sequence: u64) -> Result<&StoredEntry, Error> {
        let index = self.own.ranges.partition_point(|range| range.last < sequence);
        let first = self.own.ranges[index].first;
        Ok(&self.part(index).await?[(sequence - first) as usize])
    }

    /// The sequence of the last entry that was committed until this time; 0 for none.
    async fn last_until(&mut self, time: Timestamp) -> Result<u64, Error> {
        let kind = self.kind;
        let begun = self.own.ranges.partition_point(|range| range.first_time <= time);
        let Some(index) = begun.checked_sub(1) else { return Ok(0) };
        let mut last = 0;
        for entry in self.part(index).await? {
            if range::time(kind, entry)? > time {
                break;
            }
            last = entry.sequence;
        }
        Ok(last)
    }

    /// The last entry up to this one with which the log is ahead of none of its sources, and the source that
    /// decided it, if it is an earlier one. Reads back to the last entry that was taken over of each source.
    async fn not_ahead<'c>(
        &mut self,
        asked: u64,
        sources: &[(&'c Chosen, &LogBackup)],
    ) -> Result<(u64, Option<&'c Chosen>), Error> {
        let (mut most, mut ahead_of, mut at) = (asked, None, asked);
        let mut open: Vec<_> = sources.to_vec();
        while at > 0 && !open.is_empty() {
            let positions = followed(self.kind, self.at(at).await?)?;
            for position in positions {
                let known = |(_, source): &(&Chosen, &LogBackup)| {
                    source.log == position.log || source.lineage.fork_of(position.log).is_some()
                };
                let Some(index) = open.iter().position(known) else { continue };
                let (chosen, source) = open[index];
                let own = source.lineage.resolve(source.log, position);
                if own.is_some_and(|own| own.sequence <= chosen.sequence) {
                    // It followed no more before that.
                    open.swap_remove(index);
                } else {
                    (most, ahead_of) = (at - 1, Some(chosen));
                }
            }
            at -= 1;
        }
        Ok((most, ahead_of))
    }
}

/// Up to where an entry's ledger had followed others: the entry that it takes over or, in another command's,
/// what the command was decided on. That of an entry that is taken over says nothing new.
fn followed(ledger: LedgerKind, stored: &StoredEntry) -> Result<Vec<Position>, Error> {
    let sequence = stored.sequence;
    let entry =
        Entry::decode(stored).map_err(|error| Error::Entry { ledger, sequence, what: error.to_string() })?;
    Ok(match entry.command_id {
        CommandId::Source(position) => vec![position],
        CommandId::Request { .. } | CommandId::Server(_) => entry.decided_on,
    })
}
