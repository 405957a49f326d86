//! Followers: let one go on from a source that was restored.
//!
//! Invariant: a follower goes on after nothing that it has not seen, unless the operator says that this
//! is meant: an entry that is passed over is never told to anybody.

use std::process::ExitCode;

use clap::Subcommand;
use milepost_ledger::journal::{Journal, JournalInfo, ReadLimit};
use milepost_service::config::server::Server;
use milepost_service::host::Kit;
use milepost_service::ledger::journal_dir;
use milepost_types::{LedgerKind, Position};

use super::{Data, journal};
use crate::error::{BoxError, chain};
use crate::output::note;

/// What to do with a follower.
#[derive(Debug, Subcommand)]
pub enum FollowerCommand {
    /// Has a stopped follower go on after a position of a source that was restored
    ///
    /// A follower refuses a source whose log was restored (LOG_DIVERGED). This tells it that the restored
    /// log is meant: what it took over stays, and what follows the position is taken over anew.
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
    /// The data directory of the source, whose journal tells its log; the follower's own if not given
    #[arg(long, value_name = "DIR")]
    source_data_dir: Option<std::path::PathBuf>,
    /// The sequence of the source after which to go on; where it was restored if not given, or where the
    /// follower stands if it had not come so far
    #[arg(long)]
    sequence: Option<u64>,
    /// Go on after entries that the follower has not seen, and leave them out for ever
    #[arg(long)]
    leave_out: bool,
    /// Why, for the record
    #[arg(long)]
    reason: String,
}

/// Does it.
pub async fn run(command: FollowerCommand) -> ExitCode {
    let FollowerCommand::Reset(args) = command;
    match reset(&args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            note(&format!("error: {}", chain(error.as_ref())));
            ExitCode::FAILURE
        }
    }
}

async fn reset(args: &Reset) -> Result<(), BoxError> {
    let data = args.source_data_dir.as_ref().unwrap_or(&args.data.data_dir);
    let source = journal::open(&journal_dir(data, args.source))?;
    let server = Server { data_dir: args.data.data_dir.clone(), ..Server::default() };
    let kit = Kit::new(&server);
    let mut chosen = Position::start(source.info().log);
    let to = |own| {
        chosen = position(&source, choose(args, own, &source.info())?)?;
        Ok(chosen)
    };
    let receipt = match args.follower {
        LedgerKind::Tracker => {
            milepost_tracker::reset_follower(&kit, &server, args.source, to, &args.reason).await?
        }
        LedgerKind::Notifier => {
            milepost_notifier::reset_follower(&kit, &server, args.source, to, &args.reason).await?
        }
        LedgerKind::Registry => return Err("the registry follows nobody".into()),
    };
    match receipt {
        Some(receipt) => println!(
            "{}: follows {} after {chosen} from now on; entry {} says so",
            args.follower, args.source, receipt.position.sequence
        ),
        None => println!("{}: follows {} after {chosen} already", args.follower, args.source),
    }
    Ok(())
}

/// After which sequence of the source a follower that stands at `own` goes on.
fn choose(args: &Reset, own: Option<Position>, source: &JournalInfo) -> Result<u64, BoxError> {
    let seen = seen(own, source);
    let restored = source.parent.map(|parent| parent.sequence.min(seen));
    let sequence = args.sequence.or(restored).ok_or(
        "the source's journal was not restored by an import, so nothing tells where the logs part: say after which \
         of its entries to go on with --sequence",
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
    Ok(sequence)
}

/// Up to which sequence the source's entries are those that a follower at `own` has taken over, as far as
/// the two logs can tell.
fn seen(own: Option<Position>, source: &JournalInfo) -> u64 {
    match (own, source.parent) {
        (None, _) => 0,
        // What came after the fork is new, whatever the old log had at these sequences.
        (Some(own), Some(parent)) if own.log != source.log => own.sequence.min(parent.sequence),
        (Some(own), _) => own.sequence,
    }
}

/// The position of the source's entry with this sequence.
fn position(source: &impl Journal, sequence: u64) -> Result<Position, BoxError> {
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
            data: Data { data_dir: "data".into() },
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
        let parent = parent.map(|sequence| at(1, sequence));
        JournalInfo { log: LogId::from_bytes([2; 16]), tail: at(2, 90), format: 1, parent, disk_bytes: 0 }
    }

    #[test]
    fn a_follower_goes_on_where_the_logs_part_or_where_it_stands_if_that_is_before() {
        let goes_on = |own, parent| choose(&asked(None, false), own, &source(parent)).ok();
        assert_eq!(goes_on(Some(at(1, 70)), Some(50)), Some(50), "it had seen what was lost");
        assert_eq!(goes_on(Some(at(1, 30)), Some(50)), Some(30), "it had not come so far");
        assert_eq!(goes_on(None, Some(50)), Some(0));
        assert_eq!(goes_on(Some(at(1, 70)), None), None, "nothing tells where they part");
    }

    #[test]
    fn entries_that_a_follower_never_saw_are_not_left_out_by_accident() {
        let chosen = |sequence, leave_out, own, parent| {
            choose(&asked(Some(sequence), leave_out), own, &source(parent)).map_err(|error| error.to_string())
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
