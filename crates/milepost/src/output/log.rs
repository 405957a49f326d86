//! How the event log and the ledgers are shown.
//!
//! Does not interpret cursors: they are opaque and shown whole, to be copied.

use comfy_table::Cell;
use milepost_proto::journal::v1::{GetLedgerInfoResponse, Position};
use milepost_proto::notifier::v1::GetLogInfoResponse;

use super::card::Card;
use super::resource::Resource;
use super::zone::{Place, Zone};
use super::{table, text};

/// What the event log is.
pub fn log_info(info: &GetLogInfoResponse, mut card: Card) -> Card {
    let sources = info.sources.iter().map(|source| {
        let reached = source.position.as_ref().map_or(0, |position| position.sequence);
        let lag = source.lag_entries.map_or("not reached yet".to_owned(), |lag| {
            format!("{} behind", text::count(lag, "entry", "entries"))
        });
        format!("{} to sequence {reached}, {lag}", source.source)
    });
    card.text("Log", &info.log_id)
        .known("Durable sequence", Some(info.durable_sequence))
        .lines("Sources", sources)
        .text("Earliest cursor", &info.earliest_cursor)
        .text("Latest cursor", &info.latest_cursor);
    card
}

impl Resource for GetLedgerInfoResponse {
    const FIELD: &'static str = "ledger";
    const COLUMNS: &'static [&'static str] =
        &["LEDGER", "SEQUENCE", "LAST COMMIT", "FOLLOWED", "DISK BYTES", "VERSION", "LOG"];

    const TIMES_IN_ROWS: bool = true;

    fn place(&self) -> Place<'_> {
        Place::Nowhere
    }

    fn row(&self, _under: &str, zone: &Zone) -> Vec<Cell> {
        let tail = self.tail.clone().unwrap_or_default();
        let followed: Vec<String> =
            self.followed.iter().map(|position| position.sequence.to_string()).collect();
        vec![
            Cell::new(&self.ledger),
            table::number(tail.sequence),
            Cell::new(zone.time(self.last_commit_time.as_ref())),
            Cell::new(text::or_absent(&followed.join(", "))),
            table::number(text::grouped(&self.disk_bytes.to_string())),
            Cell::new(&self.server_version),
            Cell::new(tail.log_id),
        ]
    }

    fn card(&self, card: &mut Card) {
        card.text("Ledger", &self.ledger)
            .text("Server version", &self.server_version)
            .known("Tail", self.tail.as_ref().map(position))
            .lines("Restored from", restored_from(self))
            .time("Last commit", self.last_commit_time.as_ref())
            .lines("Followed", self.followed.iter().map(position))
            .known("Format", Some(self.format))
            .known("Request ids at most", Some(self.max_request_ids))
            .known("Request ids for seconds", Some(self.request_id_window_seconds))
            .text("Disk bytes", text::grouped(&self.disk_bytes.to_string()));
    }
}

/// What the log was restored from, the nearest first; a server that does not know more tells the nearest.
fn restored_from(info: &GetLedgerInfoResponse) -> Vec<String> {
    let forks = if info.lineage.is_empty() { info.parent.as_slice() } else { &info.lineage[..] };
    forks.iter().map(position).collect()
}

/// `{log}/{sequence}@{hash prefix}`, as errors write positions.
pub(super) fn position(position: &Position) -> String {
    let hash: String = position.hash_prefix.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}/{}@{hash}", position.log_id, position.sequence)
}
