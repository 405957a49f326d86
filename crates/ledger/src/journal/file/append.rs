//! Appending: fence, floor, one `pwrite`, one `fdatasync`, and only then everybody may see it.
//!
//! Invariants: a refusal (`Conflict`, `DiskLow`, `TooLarge`, `Malformed`) has changed nothing that
//! matters; any other failure poisons the journal for ever, and what was being written is neither
//! shown to readers nor counted on. Room beyond the frame is filled with zeros a step at a time, in
//! the same sync, because a sync that must first allocate costs twice as much.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use milepost_types::{Hash, Position};
use tokio::sync::watch;

use super::super::disk::{Access, Disk, DiskLock, is_full, with_suffix};
use super::super::frame::{self, MAX_BODY_BYTES, OVERHEAD_BYTES, Place};
use super::super::segment::{self, HEAD_BYTES, Head, UNFINISHED};
use super::super::witness::Witness;
use super::super::{AppendError, Block, DiskRoom};
use super::length::{least, lengths};
use super::read::Indexed;
use super::{FileJournal, FileOptions, Identity, Segment};

/// Zeros are written so many bytes ahead of the frames: measured, larger steps gain nothing and
/// stall one append for longer.
const ZERO_AHEAD_BYTES: u64 = 1 << 20;
/// The disk's free room is looked up after so many bytes …
const FLOOR_BYTES: u64 = 1 << 20;
/// … or so many appends.
const FLOOR_APPENDS: u32 = 64;
/// A buffer that a large block has blown up is given back.
const BUFFER_BYTES: usize = 4 << 20;

static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// The one that appends.
pub(super) struct Writer {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    options: FileOptions,
    identity: Identity,
    segment: Arc<Segment>,
    /// Where the next frame goes.
    at: u64,
    /// To here the file is known to be filled with zeros or frames.
    zeroed: u64,
    tail: Position,
    hash: Hash,
    witness: Witness,
    /// Appends and bytes that the witness does not know of.
    unwitnessed: (u32, u64),
    /// Appends and bytes until free room is looked up again.
    floor_in: (u32, u64),
    buffer: Vec<u8>,
    sender: watch::Sender<Position>,
    _lock: Box<dyn DiskLock>,
}

/// Why a step of an append did not succeed.
enum Stop {
    /// Nothing was written; the journal goes on.
    Refused(AppendError),
    /// The journal is poisoned.
    Failed { action: &'static str, path: PathBuf, source: io::Error },
}

impl From<AppendError> for Stop {
    fn from(refused: AppendError) -> Self {
        Self::Refused(refused)
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Stop {
    move |source| Stop::Failed { action, path: path.to_owned(), source }
}

impl FileJournal {
    pub(super) fn append_block(&self, after: &Position, block: &Block) -> Result<Position, AppendError> {
        let mut slot = self.writer.lock();
        let Some(writer) = slot.as_mut() else {
            let reason = self.poisoned.lock().clone();
            let reason = reason.unwrap_or_else(|| "it was opened for reading only".to_owned());
            return Err(AppendError::Poisoned { reason });
        };
        writer.check(after, block)?;
        let appended = writer.write(block, |segment| {
            self.durable.write().segments.push(Indexed::new(segment));
        });
        let offset = match appended {
            Ok(offset) => offset,
            Err(Stop::Refused(refused)) => return Err(refused),
            Err(Stop::Failed { action, path, source }) => {
                let reason = self.poison(action, &path, &source);
                // Drops the sender and the lock too: whoever waits for the tail learns that it moves no more.
                *slot = None;
                return Err(AppendError::Poisoned { reason });
            }
        };

        let tail = writer.advance(block);
        let mut durable = self.durable.write();
        if let Some(indexed) = durable.segments.last_mut() {
            indexed.note_frame(block.entries[0].sequence, offset, frame::frame_bytes(block));
        }
        durable.keep(block.previous, &block.entries);
        durable.tail = tail;
        drop(durable);
        writer.sender.send_replace(tail);

        // The block is durable, whatever becomes of the witness.
        if let Err(Stop::Failed { action, path, source }) = writer.witness_when_due() {
            self.poison(action, &path, &source);
            *slot = None;
        }
        Ok(tail)
    }

    pub(super) fn close_writer(&self) -> io::Result<()> {
        let mut slot = self.writer.lock();
        let Some(writer) = slot.as_mut() else {
            let reason = self.poisoned.lock().clone();
            return match reason {
                Some(reason) if reason != CLOSED => Err(io::Error::other(reason)),
                _ => Ok(()),
            };
        };
        let done = writer.witness_now();
        *slot = None;
        match done {
            Err(Stop::Failed { action, path, source }) => {
                self.poison(action, &path, &source);
                Err(source)
            }
            _ => {
                *self.poisoned.lock() = Some(CLOSED.to_owned());
                Ok(())
            }
        }
    }

    /// Remembers the first failure, and says it.
    fn poison(&self, action: &str, path: &Path, source: &io::Error) -> String {
        let reason = format!("cannot {action} {}: {source}", path.display());
        tracing::error!(dir = %self.dir.display(), reason, "the journal takes no more appends");
        *self.poisoned.lock() = Some(reason.clone());
        reason
    }
}

/// What a journal says that was closed.
const CLOSED: &str = "it was closed";

/// Where a writer starts.
pub(super) struct Start {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) dir: PathBuf,
    pub(super) options: FileOptions,
    pub(super) identity: Identity,
    pub(super) segment: Arc<Segment>,
    pub(super) at: u64,
    pub(super) tail: Position,
    pub(super) hash: Hash,
    pub(super) witness: Witness,
    pub(super) lock: Box<dyn DiskLock>,
}

impl Writer {
    /// A writer at the end of a log all of which is durable and known to the witness, and the tail
    /// as others see it.
    pub(super) fn new(start: Start) -> (Self, watch::Receiver<Position>) {
        let Start { disk, dir, options, identity, segment, at, tail, hash, witness, lock } = start;
        let (sender, receiver) = watch::channel(tail);
        let (unwitnessed, floor_in) = ((0, 0), (0, 0));
        let buffer = Vec::new();
        let writer = Self {
            disk,
            dir,
            options,
            identity,
            segment,
            at,
            zeroed: at,
            tail,
            hash,
            witness,
            unwitnessed,
            floor_in,
            buffer,
            sender,
            _lock: lock,
        };
        (writer, receiver)
    }

    /// The fence, and whether the block is one.
    fn check(&self, after: &Position, block: &Block) -> Result<(), AppendError> {
        if *after != self.tail {
            return Err(AppendError::Conflict { tail: self.tail });
        }
        block.check(&self.tail, &self.hash)?;
        let bytes = frame::frame_bytes(block) - OVERHEAD_BYTES;
        if bytes > MAX_BODY_BYTES {
            return Err(AppendError::TooLarge { bytes, limit: MAX_BODY_BYTES });
        }
        Ok(())
    }

    /// Makes the block durable; returns where it stands. `made` is told of a new segment.
    fn write(&mut self, block: &Block, made: impl FnOnce(Arc<Segment>)) -> Result<u64, Stop> {
        let bytes = frame::frame_bytes(block);
        self.check_floor(bytes)?;
        if self.at + bytes > self.segment.head.capacity {
            self.roll(bytes)?;
            made(self.segment.clone());
        }
        let (offset, end) = (self.at, self.at + bytes);
        let place = Place { log: self.tail.log, ordinal: self.segment.head.ordinal, offset };
        self.buffer.clear();
        frame::encode(&mut self.buffer, place, block);

        if let Err(error) = self.segment.file.write_all_at(&self.buffer, offset) {
            if error.wrote_nothing_for_want_of_room() {
                return Err(self.disk_low(bytes));
            }
            return Err(failed("write", &self.segment.path)(error.source));
        }
        if end > self.zeroed {
            self.zero_ahead(end)?;
        }
        self.segment.file.sync_data().map_err(failed("sync", &self.segment.path))?;
        if self.buffer.capacity() > BUFFER_BYTES {
            self.buffer = Vec::new();
        }
        Ok(offset)
    }

    /// Fills the room after `from` with zeros, up to the next step.
    fn zero_ahead(&mut self, from: u64) -> Result<(), Stop> {
        let to = (from + ZERO_AHEAD_BYTES).min(self.segment.head.capacity);
        let mut at = from;
        while at < to {
            let length = ZEROS.len().min((to - at) as usize);
            let written = self.segment.file.write_all_at(&ZEROS[..length], at);
            written.map_err(|error| failed("write", &self.segment.path)(error.source))?;
            at += length as u64;
        }
        self.zeroed = to;
        Ok(())
    }

    /// Moves on after an append.
    fn advance(&mut self, block: &Block) -> Position {
        let bytes = frame::frame_bytes(block);
        self.at += bytes;
        self.unwitnessed = (self.unwitnessed.0 + 1, self.unwitnessed.1 + bytes);
        if let Some(last) = block.entries.last() {
            self.hash = last.hash;
            self.tail = Position::after(self.tail.log, last.sequence, &last.hash);
        }
        self.tail
    }

    fn witness_when_due(&mut self) -> Result<(), Stop> {
        let (appends, bytes) = self.unwitnessed;
        if appends < self.options.witness_appends && bytes < self.options.witness_bytes {
            return Ok(());
        }
        self.witness_now()
    }

    fn witness_now(&mut self) -> Result<(), Stop> {
        if self.unwitnessed.0 == 0 {
            return Ok(());
        }
        let path = self.dir.join(segment::WITNESS);
        self.witness.write(self.tail.sequence, self.hash).map_err(failed("write", &path))?;
        self.unwitnessed = (0, 0);
        Ok(())
    }

    /// Starts a new segment for a frame of `bytes`: the longest that fits above the floor.
    fn roll(&mut self, bytes: u64) -> Result<(), Stop> {
        let room = self.room(least(self.options.segment_bytes, bytes))?;
        for capacity in lengths(&self.options, bytes).filter(|length| *length <= room.above_floor()) {
            let head = Head {
                name: Some(self.identity.name),
                log: self.tail.log,
                ordinal: self.segment.head.ordinal + 1,
                capacity,
                first: self.tail.sequence + 1,
                previous: self.hash,
                lineage: self.identity.lineage.clone(),
            };
            match make_segment(&*self.disk, &self.dir, head) {
                Ok(segment) => {
                    if capacity < self.options.segment_bytes {
                        tracing::warn!(
                            dir = %self.dir.display(), bytes = capacity, free_bytes = room.free_bytes,
                            "made a short segment: the disk has no room for a whole one above the floor"
                        );
                    }
                    self.segment = Arc::new(segment);
                    self.at = HEAD_BYTES as u64;
                    self.zeroed = self.at;
                    return Ok(());
                }
                // The next one is shorter.
                Err(unmade) if unmade.is_for_want_of_room() => {}
                Err(Unmade { error, path, .. }) => return Err(failed("make segment", &path)(error)),
            }
        }
        Err(self.disk_low(least(self.options.segment_bytes, bytes)))
    }

    /// Refuses below the floor; looks at intervals, and at every append while it is low.
    fn check_floor(&mut self, bytes: u64) -> Result<(), Stop> {
        if let (Some(appends), Some(left)) =
            (self.floor_in.0.checked_sub(1), self.floor_in.1.checked_sub(bytes))
        {
            self.floor_in = (appends, left);
            return Ok(());
        }
        let room = self.room(if self.at + bytes > self.segment.head.capacity {
            least(self.options.segment_bytes, bytes)
        } else {
            0
        })?;
        if room.free_bytes < room.floor_bytes {
            self.floor_in = (0, 0);
            return Err(AppendError::DiskLow(room).into());
        }
        self.floor_in = (FLOOR_APPENDS, FLOOR_BYTES);
        Ok(())
    }

    fn room(&self, needed_bytes: u64) -> Result<DiskRoom, Stop> {
        let free = self.disk.free_bytes(&self.dir).map_err(failed("measure", &self.dir))?;
        Ok(DiskRoom { free_bytes: free, floor_bytes: self.options.min_free_bytes, needed_bytes })
    }

    fn disk_low(&mut self, needed_bytes: u64) -> Stop {
        self.floor_in = (0, 0);
        self.room(needed_bytes).map_or_else(|failed| failed, |room| AppendError::DiskLow(room).into())
    }
}

/// A segment that could not be made.
pub(super) struct Unmade {
    pub(super) error: io::Error,
    pub(super) path: PathBuf,
    /// Whether it may already bear its name.
    named: bool,
}

impl Unmade {
    /// Whether the disk was full, and nothing is left of the attempt that matters.
    pub(super) fn is_for_want_of_room(&self) -> bool {
        !self.named && is_full(&self.error)
    }
}

/// Makes a segment: reserved, its head written and synced under another name, then named, durably.
pub(super) fn make_segment(disk: &dyn Disk, dir: &Path, head: Head) -> Result<Segment, Unmade> {
    let path = segment::path(dir, head.ordinal);
    let unfinished = with_suffix(&path, UNFINISHED);
    let unmade = |named| {
        let path = path.clone();
        move |error| Unmade { error, path, named }
    };
    let fill = || {
        let file = disk.open(&unfinished, Access::Create)?;
        file.allocate(head.capacity)?;
        file.write_all_at(&head.encode(), 0)?;
        file.sync_data()?;
        Ok(file)
    };
    let filled = fill().map_err(unmade(false)).inspect_err(|unmade| {
        if unmade.is_for_want_of_room() {
            // The room counts: what is left otherwise is removed on open.
            let _ = disk.remove_file(&unfinished);
        }
    });
    let file = filled?;
    disk.rename(&unfinished, &path).and_then(|()| disk.sync_dir(dir)).map_err(unmade(true))?;
    Ok(Segment { path, file, head })
}

/// The head of a log's first segment.
pub(super) fn first_head(identity: &Identity, capacity: u64) -> Head {
    Head {
        name: Some(identity.name),
        log: identity.log,
        ordinal: 1,
        capacity,
        first: 1,
        previous: Hash::ZERO,
        lineage: identity.lineage.clone(),
    }
}
