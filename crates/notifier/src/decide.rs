//! Decides commands: the rules of `source` on the rows as they are.
//!
//! Invariants: an entry's events are those of the source's entry, byte for byte; it is decided on the
//! source's position and on everything that the source's entry was decided on.

use milepost_ledger::{Context, Decision, Domain, Entry, Read, Unusable, Write};
use milepost_service::source_reset::RESTORED;
use milepost_types::{FollowCheck, GoOn, LedgerKind, Position};

use crate::convert::envelope::envelope;
use crate::convert::reset::{self, ResetEvent};
use crate::source::{Command, Followed, Refusal, SourceEntry};
use crate::tables::{Rows, STORE_VERSION};

/// The notifier's rules.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules;

impl Domain for Rules {
    type Command = Command;
    type Rejection = Refusal;

    const STORE_VERSION: u32 = STORE_VERSION;

    fn decide(&self, rows: &dyn Read, command: &Command, context: &Context) -> Result<Decision, Refusal> {
        match command {
            Command::Ingest(entry) => ingest(&Rows(rows), entry),
            Command::Reset { source, to, reason } => Ok(reset(&Rows(rows), *source, to, reason, context)),
            Command::FollowRestored { source, from, to } => {
                follow_restored(&Rows(rows), *source, *from, to, context)
            }
        }
    }

    fn apply(&self, rows: &mut dyn Write, entry: &Entry) -> Result<(), Unusable> {
        crate::apply::apply(rows, entry)
    }
}

fn ingest(rows: &Rows<'_>, entry: &SourceEntry) -> Result<Decision, Refusal> {
    if entry.follow_check(rows)? == FollowCheck::Applied {
        return Ok(Decision::default());
    }
    let (source_kind, position) = (entry.source, entry.position);
    if let Some(needs) = entry.needs(rows) {
        return Err(Refusal::NotYet { source_kind, position, needs });
    }
    let malformed = |what: String| Refusal::Malformed { source_kind, position, what };
    if entry.events.is_empty() {
        return Err(malformed("it has no events".to_owned()));
    }
    for event in &entry.events {
        let envelope = envelope(event).map_err(|error| malformed(error.to_string()))?;
        if envelope.source != source_kind.as_str() {
            return Err(malformed(format!("it has an event of {:?}", envelope.source)));
        }
    }
    let mut decided_on = vec![entry.position];
    decided_on.extend(&entry.decided_on);
    Ok(Decision { portfolio: entry.portfolio.clone(), decided_on, events: entry.events.clone() })
}

fn reset(rows: &Rows<'_>, source: LedgerKind, to: &GoOn, reason: &str, context: &Context) -> Decision {
    let previous = rows.applied(source);
    if previous == Some(to.after) {
        return Decision::default();
    }
    let event = reset::encode(&ResetEvent { source, previous, to: to.clone() }, reason, context);
    Decision { portfolio: String::new(), decided_on: vec![to.after], events: vec![event] }
}

/// Only from the position at which the follower found the restored log: if something was taken over since, the
/// command has no effect.
fn follow_restored(
    rows: &Rows<'_>,
    source_kind: LedgerKind,
    from: Option<Position>,
    to: &GoOn,
    context: &Context,
) -> Result<Decision, Refusal> {
    match rows.applied(source_kind) {
        own if own == from => Ok(reset(rows, source_kind, to, RESTORED, context)),
        Some(own) if own.log != to.after.log => Err(Refusal::Diverged { source_kind, given: to.after, own }),
        _ => Ok(Decision::default()),
    }
}
