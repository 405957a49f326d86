//! Applying an entry: each event's resource, as it is after the change, becomes its row.
//!
//! Invariant: what is stored is the event's own bytes, so a row and the event that put it never differ.
//! The type of an event does not matter here: a change of any kind is told whole by its resource. An event
//! of another ledger is damage: it is not passed over.

use bytes::Bytes;
use milepost_ledger::{Entry, Unusable, Write};
use milepost_types::{LedgerKind, quoted};
use prost::Message;

use crate::convert::Unreadable;
use crate::tables;

/// The resource of an event, as its bytes. On the wire a message is bytes with a length.
#[derive(Clone, PartialEq, Message)]
struct Envelope {
    #[prost(bytes = "bytes", tag = "2")]
    source: Bytes,
    #[prost(bytes = "bytes", tag = "50")]
    portfolio: Bytes,
    #[prost(bytes = "bytes", tag = "51")]
    organization: Bytes,
    #[prost(bytes = "bytes", tag = "52")]
    project: Bytes,
    #[prost(bytes = "bytes", tag = "53")]
    phase: Bytes,
    #[prost(bytes = "bytes", tag = "54")]
    batch: Bytes,
}

/// Sets a resource's row and its index rows.
type Put = fn(&mut dyn Write, Bytes) -> Result<(), Unreadable>;

/// The encoded resource of an event of this ledger; empty if there is none.
pub(crate) fn resource(event: &Bytes) -> Bytes {
    let envelope = Envelope::decode(event.clone()).unwrap_or_default();
    let Envelope { portfolio, organization, project, phase, batch, .. } = envelope;
    let resources = [portfolio, organization, project, phase, batch];
    resources.into_iter().find(|resource| !resource.is_empty()).unwrap_or_default()
}

/// Brings the rows from before an entry to after it.
///
/// # Errors
/// If an event cannot be read, or is not the registry's.
pub(crate) fn apply(rows: &mut dyn Write, entry: &Entry) -> Result<(), Unusable> {
    for (index, event) in entry.events.iter().enumerate() {
        let envelope =
            Envelope::decode(event.clone()).map_err(|error| Unusable::new(error).in_event(index))?;
        if envelope.source != LedgerKind::Registry.as_str() {
            let source = quoted(&String::from_utf8_lossy(&envelope.source));
            let what = format_args!("an event of {source}, not of the registry");
            return Err(Unusable::new(what).in_event(index));
        }
        let puts: [(Bytes, Put); 5] = [
            (envelope.portfolio, tables::portfolios::put),
            (envelope.organization, tables::organizations::put),
            (envelope.project, tables::projects::put),
            (envelope.phase, tables::phases::put),
            (envelope.batch, tables::batches::put),
        ];
        for (resource, put) in puts {
            if !resource.is_empty() {
                // A copy: a slice would keep the whole entry in memory for as long as the row.
                put(rows, Bytes::copy_from_slice(&resource))
                    .map_err(|error| Unusable::new(error).in_event(index))?;
            }
        }
    }
    Ok(())
}
