//! Followers: let one go on from a source that was restored.

use std::process::ExitCode;

use clap::Subcommand;
use milepost_ledger::journal::{Journal, ReadLimit};
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
    /// The sequence of the source after which to go on; where it was restored if not given
    #[arg(long)]
    sequence: Option<u64>,
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
    let to = position(args)?;
    let server = Server { data_dir: args.data.data_dir.clone(), ..Server::default() };
    let kit = Kit::new(&server);
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
            "{}: follows {} after {to} from now on; entry {} says so",
            args.follower, args.source, receipt.position.sequence
        ),
        None => println!("{}: follows {} after {to} already", args.follower, args.source),
    }
    Ok(())
}

/// The position in the source's journal that is asked for: where it was restored, if nothing else is said.
fn position(args: &Reset) -> Result<Position, BoxError> {
    let data = args.source_data_dir.as_ref().unwrap_or(&args.data.data_dir);
    let journal = journal::open(&journal_dir(data, args.source))?;
    let info = journal.info();
    let restored = info.parent.map(|parent| parent.sequence);
    let sequence = args.sequence.or(restored).ok_or(
        "the source's journal was not restored by an import, so nothing tells where the logs part: say after which \
         of its entries to go on with --sequence",
    )?;
    let Some(before) = sequence.checked_sub(1) else { return Ok(Position::start(info.log)) };
    let entries = journal.read_from(before, ReadLimit { entries: 1, bytes: 1 });
    let entry = entries.ok().and_then(|entries| entries.into_iter().next());
    let entry = entry.ok_or_else(|| format!("the source ends at sequence {}", info.tail.sequence))?;
    Ok(Position::after(info.log, sequence, &entry.hash))
}
