//! Why a backup was not made, not read or not restored.
//!
//! Invariant: an error names the object, the ledger and the sequences concerned, and says what to do.
//! Whatever it is, no object was overwritten and no journal was changed.

use std::io;
use std::path::PathBuf;

use milepost_ledger::journal::ReadError;
use milepost_ledger::journal::export;
use milepost_types::{LedgerKind, LogId, Position};

/// Why a backup was not made, not read or not restored.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What is done with a restored directory before it appears has failed.
    #[error("the restored directory cannot be completed")]
    Finish(#[source] crate::restore::FinishError),
    /// The text is no target.
    #[error("{url:?} is no target of backups: {what}; give file:///a/directory or s3://bucket/prefix")]
    Url {
        /// The text.
        url: String,
        /// What is wrong with it.
        what: String,
    },
    /// The directory of a target cannot be used.
    #[error("the directory {} of the target cannot be used", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others than its owner may read or write the directory of a target.
    #[error(
        "{} has mode {mode:04o}: others may read or write the backups in it; `chmod 0700` it, or name a \
         directory in it, which is made so", path.display()
    )]
    Exposed {
        /// The directory.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The store cannot be set up or does not do what it is asked to.
    #[error("{object} cannot be {action} in {target}")]
    Store {
        /// `written`, `read` or `listed`.
        action: &'static str,
        /// The object.
        object: String,
        /// The target.
        target: String,
        /// Why.
        source: Box<object_store::Error>,
    },
    /// The store overwrites an object that it was asked only to create.
    #[error(
        "{target} overwrites objects although it is asked to create them only if they are absent, so a \
         backup there could be destroyed; use a store that honours `If-None-Match: *`, or a directory"
    )]
    Unconditional {
        /// The target.
        target: String,
    },
    /// There is an object of that name with other content.
    #[error(
        "{target} holds {object} already, with other entries: it is not a backup of this log; give a target \
         that is empty"
    )]
    OtherObject {
        /// The object.
        object: String,
        /// The target.
        target: String,
    },
    /// Another process wrote the next manifest first.
    #[error(
        "another process wrote manifest {number} to {target} first; a target takes the backups of one \
         server: stop the other one, or give this one a target of its own"
    )]
    Raced {
        /// The number of the manifest.
        number: u64,
        /// The target.
        target: String,
    },
    /// The target holds backups of another log.
    #[error(
        "{target} holds backups of the {ledger}'s log {theirs}, from which this one ({own}) was not \
         restored; give a target that is empty"
    )]
    OtherLog {
        /// The ledger.
        ledger: LedgerKind,
        /// The log in the target.
        theirs: LogId,
        /// The log of this server.
        own: LogId,
        /// The target.
        target: String,
    },
    /// The target holds a ledger that this process does not have.
    #[error(
        "{target} holds backups of the {ledger} too, which is not here; processes that run apart need a \
         target each"
    )]
    LedgerElsewhere {
        /// The ledger.
        ledger: LedgerKind,
        /// The target.
        target: String,
    },
    /// The target has entries that the journal has lost, or other ones.
    #[error(
        "the backup in {target} stands at {backed_up}, where the {ledger}'s journal has {have}: the journal \
         lost entries or is another history; `milepost backup restore` makes a data directory from the \
         backup, and this journal can be backed up to a target that is empty"
    )]
    Diverged {
        /// The ledger.
        ledger: LedgerKind,
        /// Where the backup ends.
        backed_up: Position,
        /// What the journal has there: its tail, if it ends before.
        have: Position,
        /// The target.
        target: String,
    },
    /// The journal cannot be read.
    #[error("the {ledger}'s journal cannot be backed up")]
    Journal {
        /// The ledger.
        ledger: LedgerKind,
        /// Why.
        source: ReadError,
    },
    /// An entry of the journal does not have the hash that it shows.
    #[error(
        "entry {sequence} of the {ledger} cannot be backed up: {what}; `milepost journal verify` says more"
    )]
    Entry {
        /// The ledger.
        ledger: LedgerKind,
        /// Its sequence.
        sequence: u64,
        /// What is wrong.
        what: String,
    },
    /// There is no backup in the target.
    #[error("{target} holds no backup; check the target, or make one with `milepost backup run`")]
    Empty {
        /// The target.
        target: String,
    },
    /// There is no such manifest.
    #[error(
        "there is no manifest {number} in {target}, whose last is {last}; `milepost backup list` shows them"
    )]
    NoManifest {
        /// The number.
        number: u64,
        /// The last one.
        last: u64,
        /// The target.
        target: String,
    },
    /// A newer version wrote it.
    #[error(
        "{object} has format {format}, for readers of {min_reader} or later; this version reads {own}: use \
         the version that wrote it, or a later one", own = crate::manifest::FORMAT
    )]
    Newer {
        /// The manifest.
        object: String,
        /// Its format.
        format: u16,
        /// The oldest reader.
        min_reader: u16,
    },
    /// What is stored is not what was written.
    #[error("the backup is damaged: {object}: {what}")]
    Damaged {
        /// The object.
        object: String,
        /// What is wrong.
        what: String,
    },
    /// A restore was asked to end where a ledger has nothing.
    #[error("{what}; {available}")]
    Outside {
        /// What was asked for.
        what: String,
        /// What there is, of every ledger.
        available: String,
    },
    /// A follower would be ahead of its source.
    #[error(
        "the {follower} at {sequence} would be ahead of the {source_ledger} at {source_sequence}; give at \
         most {most} for the {follower}, or more for the {source_ledger}"
    )]
    Ahead {
        /// The follower.
        follower: LedgerKind,
        /// Where it was to end.
        sequence: u64,
        /// What it follows.
        source_ledger: LedgerKind,
        /// Where that ends.
        source_sequence: u64,
        /// The last sequence of the follower that is not ahead.
        most: u64,
    },
    /// The directory to restore into exists.
    #[error(
        "{} exists; a restore makes a new directory: give another name with --data-dir, or move it away",
        dir.display()
    )]
    Exists {
        /// The directory.
        dir: PathBuf,
    },
    /// The restored directory cannot be made.
    #[error("{} cannot be made", path.display())]
    Make {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A journal cannot be restored.
    #[error("the {ledger} cannot be restored; nothing was left behind")]
    Restore {
        /// The ledger.
        ledger: LedgerKind,
        /// Why.
        source: Box<export::Error>,
    },
}

impl Error {
    /// A word for what kind of failure it is, that never changes.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Url { .. } => "TARGET_INVALID",
            Self::Directory { .. } | Self::Store { .. } => "TARGET_UNAVAILABLE",
            Self::Exposed { .. } => "TARGET_EXPOSED",
            Self::Unconditional { .. } => "TARGET_OVERWRITES",
            Self::OtherObject { .. } | Self::OtherLog { .. } | Self::LedgerElsewhere { .. } => {
                "TARGET_OF_OTHER_LEDGERS"
            }
            Self::Raced { .. } => "TARGET_IN_USE",
            Self::Diverged { .. } => "LOG_DIVERGED",
            Self::Journal { .. } | Self::Entry { .. } => "JOURNAL_UNREADABLE",
            Self::Empty { .. } => "NO_BACKUP",
            Self::NoManifest { .. } | Self::Outside { .. } => "NOT_IN_BACKUP",
            Self::Newer { .. } => "NEWER_FORMAT",
            Self::Damaged { .. } => "BACKUP_DAMAGED",
            Self::Ahead { .. } => "FOLLOWER_AHEAD",
            Self::Exists { .. } => "EXISTS",
            Self::Make { .. } | Self::Restore { .. } | Self::Finish(_) => "NOT_RESTORED",
        }
    }
}
