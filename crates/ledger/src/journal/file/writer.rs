//! Writing frames at the end of a file journal: fence, floor, one `pwrite`, one `fdatasync`.
//!
//! Invariants: a refusal (`Conflict`, `DiskLow`, `TooLarge`, `Malformed`) has changed nothing that matters; after any
//! other failure the writer must not be used again. Space beyond the frame is filled with zeros a step at a time, in
//! the same sync, because a sync that must first allocate costs twice as much. It does not decide what readers see.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use milepost_types::{Hash, Position};
use tokio::sync::watch;

use super::super::disk::{Disk, DiskLock};
use super::super::frame::{self, FrameLocation, MAX_BODY_BYTES, OVERHEAD_BYTES};
use super::super::segment::{self, HEADER_BYTES as SEGMENT_HEADER_BYTES, SegmentHeader};
use super::super::witness::Witness;
use super::super::{AppendError, Block, DiskRoom};
use super::length::{least, lengths};
use super::options::FileOptions;
use super::segment_file::{CreateError, Identity, Segment, create_segment};

/// Zeros are written this far ahead of the frames. Measured: larger steps gain nothing and stall one append for
/// longer.
const ZERO_ASEGMENT_HEADER_BYTES: u64 = 1 << 20;
/// The free space of the disk is measured after this many bytes …
const FLOOR_BYTES: u64 = 1 << 20;
/// … or this many appends.
const FLOOR_APPENDS: u32 = 64;
/// A buffer that a large block made larger than this is freed.
const BUFFER_BYTES: usize = 4 << 20;

static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// The end of the log that frames are written to.
pub(super) struct Writer {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    options: FileOptions,
    identity: Identity,
    segment: Arc<Segment>,
    /// The offset of the next frame.
    at: u64,
    /// The file is known to hold zeros or frames up to here.
    zeroed: u64,
    tail: Position,
    hash: Hash,
    witness: Witness,
    /// Appends and bytes since the witness was written.
    unwitnessed: (u32, u64),
    /// Appends and bytes until the free space is measured again.
    measure_in: (u32, u64),
    buffer: Vec<u8>,
    sender: watch::Sender<Position>,
    _lock: Box<dyn DiskLock>,
}

/// Why a step of an append did not succeed.
pub(super) enum StepError {
    /// Nothing was written; the journal can be appended to again.
    Refused(AppendError),
    /// The journal is poisoned.
    Failed { action: &'static str, path: PathBuf, source: io::Error },
}

impl From<AppendError> for StepError {
    fn from(refused: AppendError) -> Self {
        Self::Refused(refused)
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StepError {
    move |source| StepError::Failed { action, path: path.to_owned(), source }
}

/// What a writer starts with.
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
        let (unwitnessed, measure_in) = ((0, 0), (0, 0));
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
            measure_in,
            buffer,
            sender,
            _lock: lock,
        };
        (writer, receiver)
    }

    /// Checks the fence and the block.
    pub(super) fn check(&self, after: &Position, block: &Block) -> Result<(), AppendError> {
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

    /// Makes the block durable; returns its offset. `created` is called with a new segment, if one is needed.
    pub(super) fn write(
        &mut self,
        block: &Block,
        created: impl FnOnce(Arc<Segment>),
    ) -> Result<u64, StepError> {
        let bytes = frame::frame_bytes(block);
        self.check_floor(bytes)?;
        if self.at + bytes > self.segment.header.capacity {
            self.roll(bytes)?;
            created(self.segment.clone());
        }
        let (offset, end) = (self.at, self.at + bytes);
        let location = FrameLocation { log: self.tail.log, ordinal: self.segment.header.ordinal, offset };
        self.buffer.clear();
        frame::encode(&mut self.buffer, location, block);

        if let Err(error) = self.segment.file.write_all_at(&self.buffer, offset) {
            if error.wrote_nothing_because_full() {
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

    /// Fills the space after `from` with zeros, up to the next step.
    fn zero_ahead(&mut self, from: u64) -> Result<(), StepError> {
        let to = (from + ZERO_ASEGMENT_HEADER_BYTES).min(self.segment.header.capacity);
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

    /// Shows the tail to those who wait for it.
    pub(super) fn publish(&self, tail: Position) {
        self.sender.send_replace(tail);
    }

    /// Moves past a block that is durable; returns the new tail.
    pub(super) fn advance(&mut self, block: &Block) -> Position {
        let bytes = frame::frame_bytes(block);
        self.at += bytes;
        self.unwitnessed = (self.unwitnessed.0 + 1, self.unwitnessed.1 + bytes);
        if let Some(last) = block.entries.last() {
            self.hash = last.hash;
            self.tail = Position::after(self.tail.log, last.sequence, &last.hash);
        }
        self.tail
    }

    pub(super) fn witness_when_due(&mut self) -> Result<(), StepError> {
        let (appends, bytes) = self.unwitnessed;
        if appends < self.options.witness_appends && bytes < self.options.witness_bytes {
            return Ok(());
        }
        self.witness_now()
    }

    pub(super) fn witness_now(&mut self) -> Result<(), StepError> {
        if self.unwitnessed.0 == 0 {
            return Ok(());
        }
        let path = self.dir.join(segment::WITNESS);
        self.witness.write(self.tail.sequence, self.hash).map_err(failed("write", &path))?;
        self.unwitnessed = (0, 0);
        Ok(())
    }

    /// Starts a new segment for a frame of `bytes`: the longest that fits above the floor.
    fn roll(&mut self, bytes: u64) -> Result<(), StepError> {
        let room = self.room(least(self.options.segment_bytes, bytes))?;
        for capacity in lengths(&self.options, bytes).filter(|length| *length <= room.above_floor()) {
            let header = SegmentHeader {
                name: Some(self.identity.name),
                log: self.tail.log,
                ordinal: self.segment.header.ordinal + 1,
                capacity,
                first: self.tail.sequence + 1,
                previous: self.hash,
                lineage: self.identity.lineage.clone(),
            };
            match create_segment(&*self.disk, &self.dir, header) {
                Ok(segment) => {
                    if capacity < self.options.segment_bytes {
                        tracing::warn!(
                            dir = %self.dir.display(), bytes = capacity, free_bytes = room.free_bytes,
                            "created a short segment: the disk has too little space above the floor for a full one"
                        );
                    }
                    self.segment = Arc::new(segment);
                    self.at = SEGMENT_HEADER_BYTES as u64;
                    self.zeroed = self.at;
                    return Ok(());
                }
                // Try the next shorter length.
                Err(error) if error.is_disk_full() => {}
                Err(CreateError { error, path, .. }) => return Err(failed("create segment", &path)(error)),
            }
        }
        Err(self.disk_low(least(self.options.segment_bytes, bytes)))
    }

    /// Refuses below the floor. Measures at intervals, and at every append while the space is low.
    fn check_floor(&mut self, bytes: u64) -> Result<(), StepError> {
        if let (Some(appends), Some(left)) =
            (self.measure_in.0.checked_sub(1), self.measure_in.1.checked_sub(bytes))
        {
            self.measure_in = (appends, left);
            return Ok(());
        }
        let room = self.room(if self.at + bytes > self.segment.header.capacity {
            least(self.options.segment_bytes, bytes)
        } else {
            0
        })?;
        if room.free_bytes < room.floor_bytes {
            self.measure_in = (0, 0);
            return Err(AppendError::DiskLow(room).into());
        }
        self.measure_in = (FLOOR_APPENDS, FLOOR_BYTES);
        Ok(())
    }

    fn room(&self, needed_bytes: u64) -> Result<DiskRoom, StepError> {
        let free = self.disk.free_bytes(&self.dir).map_err(failed("measure", &self.dir))?;
        Ok(DiskRoom { free_bytes: free, floor_bytes: self.options.min_free_bytes, needed_bytes })
    }

    fn disk_low(&mut self, needed_bytes: u64) -> StepError {
        self.measure_in = (0, 0);
        self.room(needed_bytes).map_or_else(|failed| failed, |room| AppendError::DiskLow(room).into())
    }
}
