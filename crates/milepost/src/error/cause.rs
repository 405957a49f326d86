//! What is known of the causes of an error by their types: a reason that never changes its meaning, facts as texts, and
//! what to do.
//!
//! Invariant: the nearest cause that has facts gives them. Does not repeat what the message alone says, as of files
//! that cannot be read.

use std::io;

use milepost_ledger::StoreError;
use milepost_ledger::journal::file::OpenError;
use milepost_ledger::journal::{ReadError, export};
use milepost_service::host;
use serde_json::{Value, json};

use super::{Cause, causes};

/// A reason, and facts as texts.
type Facts = (&'static str, Value);

/// The reason and the facts of an error or its causes.
pub fn facts(error: &Cause) -> Option<Facts> {
    causes(error).find_map(known)
}

/// What to do about servers that did not start, by the flags that name their directory and their ports.
pub fn advice(error: &Cause, data: &str, listen: &str) -> Option<String> {
    match facts(error) {
        Some(("IN_USE", _)) => {
            return Some(format!(
                "stop the process that uses the directory, or give another one with {data}"
            ));
        }
        Some(("DAMAGED", facts)) if facts["segment"].is_string() => {
            let verify = "nothing was changed; `milepost journal verify` says which ledgers are whole, and a copy or an \
                          export of the damaged one can take its place";
            return Some(verify.to_owned());
        }
        Some(("NEWER_FORMAT", _)) => return Some("run the version that wrote it, or a later one".to_owned()),
        _ => {}
    }
    causes(error).find_map(|error| {
        if let Some(host::Error::Bind { .. }) = error.downcast_ref() {
            return Some(format!("choose other ports with {listen}; 0 takes a free one"));
        }
        use io::ErrorKind::{AlreadyExists, NotADirectory, NotFound, PermissionDenied};
        use io::ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
        match error.downcast_ref::<io::Error>()?.kind() {
            StorageFull | QuotaExceeded => {
                Some(format!("make room on the disk, or give a directory on another one with {data}"))
            }
            PermissionDenied | ReadOnlyFilesystem | NotFound | NotADirectory | AlreadyExists => {
                Some(format!("give a directory that this user may make and write, with {data}"))
            }
            _ => None,
        }
    })
}

/// The reason and the facts of one cause, if it has any.
fn known(error: &Cause) -> Option<Facts> {
    use export::Error as Export;
    if let Some(error) = error.downcast_ref::<milepost_backup::Error>() {
        return Some((error.reason(), json!({})));
    }
    let errors = (error.downcast_ref(), error.downcast_ref(), error.downcast_ref(), error.downcast_ref());
    Some(match errors {
        (Some(OpenError::Damaged(damage)), ..) | (_, Some(ReadError::Damaged(damage)), ..) => {
            let facts = json!({
                "segment": damage.segment.display().to_string(),
                "offset": damage.offset.to_string(),
                "sequence": damage.sequence.to_string(),
                "damage": damage.what,
            });
            ("DAMAGED", facts)
        }
        (Some(OpenError::Locked { dir, pid }), ..) => {
            let process = pid.map_or_else(String::new, |pid| pid.to_string());
            ("IN_USE", json!({ "directory": dir.display().to_string(), "process": process }))
        }
        (Some(OpenError::OtherLedger { found, .. }), ..)
        | (_, _, Some(Export::OtherLedger { found, .. }), _) => {
            ("OTHER_LEDGER", json!({ "found": found.to_string() }))
        }
        (Some(OpenError::Newer { format, .. }), ..) | (_, _, Some(Export::Newer { format, .. }), _) => {
            ("NEWER_FORMAT", json!({ "format": format.to_string() }))
        }
        (
            _,
            _,
            Some(Export::Damaged { offset, sequence, .. } | Export::Truncated { offset, sequence }),
            _,
        ) => ("DAMAGED", json!({ "offset": offset.to_string(), "sequence": sequence.to_string() })),
        (_, _, Some(Export::Chain { sequence }), _) => {
            ("DAMAGED", json!({ "sequence": sequence.to_string() }))
        }
        (.., Some(StoreError::Damaged { dir, what, .. })) => {
            ("DAMAGED", json!({ "directory": dir.display().to_string(), "damage": what }))
        }
        (.., Some(StoreError::Locked { dir })) => {
            ("IN_USE", json!({ "directory": dir.display().to_string() }))
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::BoxError;
    use milepost_ledger::journal::Damage;

    /// As the host wraps it.
    fn advised(cause: impl Into<BoxError>) -> Option<String> {
        advice(&host::Error::Open(cause.into()), "--data", "--port")
    }

    #[test]
    fn the_way_out_follows_from_the_cause_and_names_the_flags_of_the_command() {
        let io = |kind: io::ErrorKind| OpenError::Io {
            action: "make directory",
            path: "/proc/x".into(),
            source: kind.into(),
        };
        assert!(advised(io(io::ErrorKind::NotFound)).unwrap().ends_with("may make and write, with --data"));
        assert!(advised(io(io::ErrorKind::StorageFull)).unwrap().starts_with("make room"));
        let locked = OpenError::Locked { dir: "/data".into(), pid: Some(7) };
        assert!(advised(locked).unwrap().starts_with("stop the process"));
        let what = "a wrong checksum".to_owned();
        let damage = Damage { segment: "1.segment".into(), offset: 7, sequence: 1, what };
        assert!(advised(OpenError::Damaged(damage)).unwrap().contains("`milepost journal verify`"));
        let bound = host::Error::Bind {
            address: ([127, 0, 0, 1], 7400).into(),
            source: io::ErrorKind::AddrInUse.into(),
        };
        assert!(advice(&bound, "--data", "--port").unwrap().contains("--port"));
        assert_eq!(advised("a fault of the program"), None);
    }
}
