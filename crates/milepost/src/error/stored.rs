//! What is wrong with stored files, for programs: a reason that never changes its meaning, and facts.
//!
//! Invariant: the nearest cause that has facts gives them. Does not repeat what the message alone says, as of files
//! that cannot be read.

use milepost_ledger::StoreError;
use milepost_ledger::journal::file::OpenError;
use milepost_ledger::journal::{ReadError, export};
use serde_json::{Value, json};

/// The reason and the facts, as texts, of an error or its causes.
pub fn facts(error: &(dyn std::error::Error + 'static)) -> Option<(&'static str, Value)> {
    std::iter::successors(Some(error), |error| error.source()).find_map(|error| {
        let export = || of_export(error.downcast_ref()?);
        of_journal(error).or_else(export).or_else(|| of_store(error.downcast_ref()?))
    })
}

fn of_journal(error: &(dyn std::error::Error + 'static)) -> Option<(&'static str, Value)> {
    let damage = match (error.downcast_ref(), error.downcast_ref()) {
        (Some(OpenError::Damaged(damage)), _) | (_, Some(ReadError::Damaged(damage))) => damage,
        (Some(OpenError::Locked { dir, pid }), _) => {
            let process = pid.map_or_else(String::new, |pid| pid.to_string());
            return Some(("IN_USE", json!({ "directory": dir.display().to_string(), "process": process })));
        }
        (Some(OpenError::OtherLedger { found, .. }), _) => {
            return Some(("OTHER_LEDGER", json!({ "found": found.to_string() })));
        }
        (Some(OpenError::Newer { format, .. }), _) => {
            return Some(("NEWER_FORMAT", json!({ "format": format.to_string() })));
        }
        _ => return None,
    };
    let facts = json!({
        "segment": damage.segment.display().to_string(),
        "offset": damage.offset.to_string(),
        "sequence": damage.sequence.to_string(),
        "damage": damage.what,
    });
    Some(("DAMAGED", facts))
}

fn of_export(error: &export::Error) -> Option<(&'static str, Value)> {
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

fn of_store(error: &StoreError) -> Option<(&'static str, Value)> {
    match error {
        StoreError::Damaged { dir, what, .. } => {
            Some(("DAMAGED", json!({ "directory": dir.display().to_string(), "damage": what })))
        }
        StoreError::Locked { dir } => Some(("IN_USE", json!({ "directory": dir.display().to_string() }))),
        StoreError::Io { .. } => None,
    }
}
