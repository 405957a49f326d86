//! Hints for services that did not start: the error has the cause, the hint has the remedy.
//!
//! Invariant: a hint is derived from the type of the error; for other errors there is none.

use std::io;

use milepost_ledger::StoreError;
use milepost_ledger::journal::file::OpenError;
use milepost_service::host;

use crate::error::{Cause, causes};

/// Which command was to run the services; its flags differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// `milepost demo`
    Demo,
    /// `milepost serve`
    Serve,
}

/// What to do about an error, if its type tells.
pub fn advice(error: &Cause, by: By) -> Option<&'static str> {
    let [demo, serve] = causes(error).find_map(cause)?;
    Some(if by == By::Demo { demo } else { serve })
}

/// What to do about one cause, for the demo and for servers.
fn cause(error: &Cause) -> Option<[&'static str; 2]> {
    if let Some(host::Error::Bind { .. }) = error.downcast_ref() {
        return Some([
            "choose other ports with --port and --admin-port; 0 takes a free one",
            "choose other addresses with --listen and --admin-listen; port 0 takes a free one",
        ]);
    }
    let in_use = [
        "stop the process that uses the directory, or give another one with --data",
        "stop the process that uses the directory, or give another one with --data-dir",
    ];
    match error.downcast_ref() {
        Some(OpenError::Locked { .. }) => return Some(in_use),
        Some(OpenError::Damaged(_)) => {
            let verify = "nothing was changed; `milepost journal verify` says which ledgers are whole, and a copy or \
                          an export of the damaged one can take its place";
            return Some([verify; 2]);
        }
        Some(OpenError::Newer { .. }) => return Some(["run the version that wrote it, or a later one"; 2]),
        _ => {}
    }
    if let Some(StoreError::Locked { .. }) = error.downcast_ref() {
        return Some(in_use);
    }
    match error.downcast_ref::<io::Error>()?.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some([
            "make room on the disk, or give a directory on another one with --data",
            "make room on the disk, or give a directory on another one with --data-dir",
        ]),
        io::ErrorKind::PermissionDenied
        | io::ErrorKind::ReadOnlyFilesystem
        | io::ErrorKind::NotFound
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::AlreadyExists => Some([
            "give a directory that this user may make and write, with --data",
            "give a directory that this user may make and write, with --data-dir",
        ]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::BoxError;

    /// As the host wraps it.
    fn advised(cause: impl Into<BoxError>, by: By) -> Option<&'static str> {
        advice(&host::Error::Open(cause.into()), by)
    }

    #[test]
    fn the_way_out_follows_from_the_cause_and_names_the_flags_of_the_command() {
        let io = |kind: io::ErrorKind| OpenError::Io {
            action: "make directory",
            path: "/proc/x".into(),
            source: kind.into(),
        };
        let missing = io::ErrorKind::NotFound;
        assert!(advised(io(missing), By::Demo).unwrap().ends_with("may make and write, with --data"));
        assert!(advised(io(missing), By::Serve).unwrap().ends_with("may make and write, with --data-dir"));
        assert!(advised(io(io::ErrorKind::StorageFull), By::Demo).unwrap().starts_with("make room"));
        let locked = || OpenError::Locked { dir: "/data".into(), pid: Some(7) };
        assert!(advised(locked(), By::Demo).unwrap().starts_with("stop the process"));
        let bound = host::Error::Bind {
            address: ([127, 0, 0, 1], 7400).into(),
            source: io::ErrorKind::AddrInUse.into(),
        };
        assert!(advice(&bound, By::Serve).unwrap().contains("--listen"));
        assert_eq!(advised("a fault of the program", By::Serve), None);
    }
}
