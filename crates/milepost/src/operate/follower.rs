//! Followers: reset one to a source that was restored to an earlier state than it had taken over, or that is
//! another log. A follower that was not ahead of the restored source continues by itself.
//!
//! Invariant: a reset skips no entry that the follower has not seen, unless the operator confirms it: a skipped
//! entry never reaches a subscriber.

use clap::Subcommand;
use milepost_ledger::journal::{Journal, JournalInfo, OpenMode, ReadLimit};
use milepost_service::config::server::Server;
use milepost_service::host::ServiceContext;
use milepost_types::{GoOn, LedgerKind, Position};
use serde_json::json;

use super::{Data, Outcome, open, position, say};
use crate::error::{BoxError, Error};
use crate::output::Format;

/// What to do with a follower.
#[derive(Debug, Subcommand)]
pub enum FollowerCommand {
    /// Has a stopped follower go on after a position of a source that was restored
    ///
    /// A follower goes on by itself in a log that was restored, as far as it had not come further; else it
    /// refuses it (LOG_DIVERGED). This confirms that the restored log is meant: what the follower took
    /// over stays, and what follows the position is taken over again.
    Reset(Reset),
}

#[derive(Debug, clap::Args)]
pub struct Reset {
    #[command(flatten)]
    data: Data,
    /// Which follower: tracker or notifier
    #[arg(long)]
    follower: LedgerKind,
    /// Which source: registry or tracker
    #[arg(long)]
    source: LedgerKind,
    /// The data directory of the source, whose journal names its log; the follower's own if not given
    #[arg(long, value_name = "DIR")]
    source_data_dir: Option<std::path::PathBuf>,
    /// The sequence of the source after which to go on; where it was restored if not given, or where the
    /// follower stands if it had not come so far
    #[arg(long)]
    sequence: Option<u64>,
    /// Go on after entries that the follower has not seen, and leave them out permanently
    #[arg(long)]
    leave_out: bool,
    /// Why, for the record
    #[arg(long)]
    reason: String,
}

/// Resets a follower, and prints where it goes on.
///
/// # Errors
/// Why it was not done.
pub async fn run(FollowerCommand::Reset(args): FollowerCommand, format: Format) -> Result<(), Error> {
    say(args.follower, Ok(reset(&args).await?), format)
}

async fn reset(args: &Reset) -> Result<Outcome, BoxError> {
    let data = args.source_data_dir.as_ref().unwrap_or(&args.data.data_dir);
    let source = open(data, args.source, OpenMode::ReadOnly)?;
    let server = Server { data_dir: args.data.data_dir.clone(), ..Server::default() };
    let context = ServiceContext::new(&server);
    let mut chosen = GoOn::after(Position::start(source.info().log));
    let to = |own| {
        let info = source.info();
        let (sequence, fork) = choose(args, own, &info)?;
        chosen = GoOn { after: find(&*source, sequence)?, fork, lineage: info.lineage };
        Ok(chosen.clone())
    };
    let receipt = match args.follower {
        LedgerKind::Tracker => {
            milepost_tracker::reset_follower(&context, &server, args.source, to, &args.reason).await?
        }
        LedgerKind::Notifier => {
            milepost_notifier::reset_follower(&context, &server, args.source, to, &args.reason).await?
        }
        LedgerKind::Registry => return Err("the registry does not follow another ledger".into()),
    };
    let (source, after) = (args.source, chosen.after);
    let entry = receipt.map(|receipt| receipt.position);
    let since =
        entry.map_or("already".to_owned(), |entry| format!("from now on; entry {} says so", entry.sequence));
    let facts = json!({
        "source": source.as_str(),
        "after": position(&after),
        "fork": chosen.fork.as_ref().map(position),
        "changed": entry.is_some(),
        "entry": entry.as_ref().map(position),
    });
    Ok(Outcome { lines: vec![format!("follows {source} after {after} {since}")], facts })
}

/// After which sequence of the source a follower that stands at `own` goes on; and the last position that its log and
/// the source's have in common, counted in the source's, if that is known.
fn choose(
    args: &Reset,
    own: Option<Position>,
    source: &JournalInfo,
) -> Result<(u64, Option<Position>), BoxError> {
    let (parent, fork) = (source.lineage.parent(), own.and_then(|own| source.lineage.fork_of(own.log)));
    // What came after the fork is new, whatever the old log had at these sequences.
    let seen = own.map_or(0, |own| {
        let parted = fork.or(parent.filter(|_| own.log != source.log));
        parted.map_or(own.sequence, |parted| own.sequence.min(parted.sequence))
    });
    let restored = if own.is_some() { fork } else { parent };
    let sequence = args.sequence.or(restored.map(|_| seen)).ok_or(
        "the source's journal was not restored from the log that was followed, so nothing tells where the two part: \
         say after which of its entries to go on with --sequence",
    )?;
    if sequence > seen && !args.leave_out {
        let (follower, kind, first) = (args.follower, args.source, seen + 1);
        let stands =
            own.map_or_else(|| "has followed nothing of it".to_owned(), |own| format!("stands at {own}"));
        return Err(format!(
            "the {follower} {stands}, so it has not seen entries {first} to {sequence} of the {kind}: give --sequence \
             {seen} or a smaller one, or --leave-out if they are never to be taken over"
        )
        .into());
    }
    Ok((sequence, fork.map(|fork| Position { log: source.log, ..fork })))
}

/// The position of the source's entry with this sequence.
fn find(source: &dyn Journal, sequence: u64) -> Result<Position, BoxError> {
    let info = source.info();
    let Some(before) = sequence.checked_sub(1) else { return Ok(Position::start(info.log)) };
    let entries = source.read_after(before, ReadLimit { entries: 1, bytes: 1 });
    let entry = entries.ok().and_then(|entries| entries.into_iter().next());
    let entry = entry.ok_or_else(|| format!("the source ends at sequence {}", info.tail.sequence))?;
    Ok(Position::after(info.log, sequence, &entry.hash))
}

#[cfg(test)]
mod tests {
    use milepost_types::{HashPrefix, LogId};

    use super::*;

    fn at(log: u8, sequence: u64) -> Position {
        Position { log: LogId::from_bytes([log; 16]), sequence, hash: HashPrefix::from_bytes([1; 8]) }
    }

    fn asked(sequence: Option<u64>, leave_out: bool) -> Reset {
        Reset {
            data: Data { data_dir: "data".into(), format: None },
            follower: LedgerKind::Tracker,
            source: LedgerKind::Registry,
            source_data_dir: None,
            sequence,
            leave_out,
            reason: "a test".to_owned(),
        }
    }

    /// A source that is log 2 now; log 1 was restored at `parent`.
    fn source(parent: Option<u64>) -> JournalInfo {
        let lineage = parent.map(|sequence| at(1, sequence)).into();
        let (log, tail) = (LogId::from_bytes([2; 16]), at(2, 90));
        JournalInfo { name: None, log, tail, format: 2, lineage, disk_bytes: 0 }
    }

    #[test]
    fn a_follower_goes_on_where_the_logs_part_or_where_it_stands_if_that_is_before() {
        let goes_on = |own, parent| choose(&asked(None, false), own, &source(parent)).ok();
        let parted = Some(at(2, 50));
        assert_eq!(goes_on(Some(at(1, 70)), Some(50)), Some((50, parted)), "it had seen what was lost");
        assert_eq!(goes_on(Some(at(1, 30)), Some(50)), Some((30, parted)), "it had not come so far");
        assert_eq!(goes_on(None, Some(50)), Some((0, None)));
        assert_eq!(goes_on(Some(at(1, 70)), None), None, "nothing says where they part");
        assert_eq!(goes_on(Some(at(3, 70)), Some(50)), None, "nor of a log that it was not restored from");
    }

    #[test]
    fn entries_that_a_follower_never_saw_are_not_left_out_by_accident() {
        let chosen = |sequence, leave_out, own, parent| {
            let chosen = choose(&asked(Some(sequence), leave_out), own, &source(parent));
            chosen.map(|(sequence, _)| sequence).map_err(|error| error.to_string())
        };
        assert_eq!(chosen(30, false, Some(at(1, 30)), Some(50)), Ok(30));
        let refused = chosen(31, false, Some(at(1, 30)), Some(50)).unwrap_err();
        assert!(refused.contains("31 to 31") && refused.contains(&at(1, 30).to_string()), "{refused}");
        // The restored log has other entries there than those that the follower saw.
        assert!(chosen(60, false, Some(at(1, 70)), Some(50)).is_err());
        assert_eq!(chosen(60, false, Some(at(2, 70)), Some(50)), Ok(60), "it has followed the restored log");
        assert_eq!(chosen(60, false, Some(at(2, 70)), None), Ok(60));
        assert!(chosen(1, false, None, None).is_err());
        assert_eq!(chosen(60, true, Some(at(1, 30)), Some(50)), Ok(60), "it was said twice");
    }
}
