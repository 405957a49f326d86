//! The forecasts of a milestone, the newest first, read back from the journal.
//!
//! They are not stored a second time: a milestone knows the sequence of its last forecast, and each event
//! that reports one knows the sequence of the one before. Invariant: the chain is whole, whatever came
//! between; where it is not, the journal is not the tracker's own, and that is an error.

use milepost_ledger::journal::{ReadError, ReadLimit};
use milepost_ledger::{Entry, EntryError, Source};
use milepost_proto::tracker::v1::Forecast;
use milepost_types::{MilestoneName, Room};
use prost::Message;

use crate::convert::Unreadable;
use crate::convert::read_event::forecast;

/// Why forecasts cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The journal cannot be read.
    #[error("the journal cannot be read")]
    Read(#[from] ReadError),
    /// An entry cannot be understood.
    #[error("an entry of the journal cannot be understood")]
    Entry(#[from] EntryError),
    /// An event cannot be understood.
    #[error("an event of entry {sequence} cannot be understood")]
    Event {
        /// The entry.
        sequence: u64,
        /// Why.
        source: Unreadable,
    },
    /// An entry does not report what a later one says that it does.
    #[error("entry {sequence} reports no forecast of {name}")]
    Missing {
        /// The entry.
        sequence: u64,
        /// The milestone.
        name: MilestoneName,
    },
}

/// A page of at most `size` forecasts of a milestone, from the one that entry `from` reports on back, and
/// the sequence to go on from; 0 if there are no more, or for `from` if there are none.
pub(crate) async fn history(
    source: &Source,
    name: &MilestoneName,
    from: u64,
    size: usize,
) -> Result<(Vec<Forecast>, u64), Error> {
    let (mut room, mut found, mut sequence) = (Room::page(size), Vec::new(), from);
    while sequence > 0 && !room.is_full() {
        let (forecast, previous) = reported(source, name, sequence).await?;
        if !room.admit(forecast.encoded_len()) {
            break;
        }
        found.push(forecast);
        // A chain that does not go back would never end.
        if previous >= sequence {
            return Err(Error::Missing { sequence: previous, name: name.clone() });
        }
        sequence = previous;
    }
    Ok((found, sequence))
}

/// The forecast that an entry reports of a milestone, and the sequence of the one before.
async fn reported(source: &Source, name: &MilestoneName, sequence: u64) -> Result<(Forecast, u64), Error> {
    let missing = || Error::Missing { sequence, name: name.clone() };
    let entries = source.read_after(sequence - 1, ReadLimit { entries: 1, bytes: 1 }).await?;
    let stored = entries.first().filter(|stored| stored.sequence == sequence).ok_or_else(missing)?;
    let subject = name.to_string();
    for event in &Entry::decode(stored)?.events {
        let found = forecast(event, &subject).map_err(|source| Error::Event { sequence, source })?;
        if let Some(found) = found {
            return Ok(found);
        }
    }
    Err(missing())
}
