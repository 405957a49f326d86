//! What is wrong with stored files, for programs: a reason that never changes its meaning, and facts.
//!
//! Invariant: the nearest cause that has facts gives them. Does not repeat what the message alone says, as of files
//! that cannot be read.

use milepost_ledger::StoreError;
use milepost_ledger::journal::file::OpenError;
use milepost_ledger::journal::{Damage, ReadError, export};
use serde_json::{Value, json};

use super::{Cause, causes};

/// A reason, and facts as texts.
type Facts = (&'static str, Value);

/// The reason and the facts of an error or its causes.
pub fn facts(error: &Cause) -> Option<Facts> {
    causes(error).find_map(|error| match (error.downcast_ref(), error.downcast_ref()) {
        (Some(error), _) => of_journal(error),
        (_, Some(ReadError::Damaged(damage))) => Some(of_damage(damage)),
        _ => error.downcast_ref().and_then(of_export).or_else(|| error.downcast_ref().and_then(of_store)),
    })
}

fn of_journal(error: &OpenError) -> Option<Facts> {
    Some(match error {
        OpenError::Damaged(damage) => of_damage(damage),
        OpenError::Locked { dir, pid } => {
            let process = pid.map_or_else(String::new, |pid| pid.to_string());
            ("IN_USE", json!({ "directory": dir.display().to_string(), "process": process }))
        }
        OpenError::OtherLedger { found, .. } => ("OTHER_LEDGER", json!({ "found": found.to_string() })),
        OpenError::Newer { format, .. } => ("NEWER_FORMAT", json!({ "format": format.to_string() })),
        _ => return None,
    })
}

fn of_damage(damage: &Damage) -> Facts {
    let facts = json!({
        "segment": damage.segment.display().to_string(),
        "offset": damage.offset.to_string(),
        "sequence": damage.sequence.to_string(),
        "damage": damage.what,
    });
    ("DAMAGED", facts)
}

fn of_export(error: &export::Error) -> Option<Facts> {
    use export::Error::{Chain, Damaged, Newer, OtherLedger, Truncated};
    Some(match error {
        Damaged { offset, sequence, .. } | Truncated { offset, sequence } => {
            ("DAMAGED", json!({ "offset": offset.to_string(), "sequence": sequence.to_string() }))
        }
        Chain { sequence } => ("DAMAGED", json!({ "sequence": sequence.to_string() })),
        OtherLedger { found, .. } => ("OTHER_LEDGER", json!({ "found": found.to_string() })),
        Newer { format, .. } => ("NEWER_FORMAT", json!({ "format": format.to_string() })),
        _ => return None,
    })
}

fn of_store(error: &StoreError) -> Option<Facts> {
    match error {
        StoreError::Damaged { dir, what, .. } => {
            Some(("DAMAGED", json!({ "directory": dir.display().to_string(), "damage": what })))
        }
        StoreError::Locked { dir } => Some(("IN_USE", json!({ "directory": dir.display().to_string() }))),
        StoreError::Io { .. } => None,
    }
}
