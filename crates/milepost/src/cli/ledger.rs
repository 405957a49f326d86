//! `milepost ledger`: what the ledgers of a server are and how far they have come.
//!
//! Does not compare them: how far one follows another is part of its own answer.

use clap::{Subcommand, ValueEnum};
use milepost_proto::journal::v1::{GetLedgerInfoRequest, GetLedgerInfoResponse};
use milepost_types::LedgerKind;
use tonic::Code;

use super::flags::Columns;
use super::session::Session;
use crate::error::Error;
use crate::output::json;

/// What a table of ledgers shows.
const COLUMNS: [&str; 6] =
    ["ledger", "tail.sequence", "last_commit_time", "disk_bytes", "server_version", "tail.log_id"];

/// What to do with ledgers.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Shows what a ledger is and how far it has come
    Info {
        /// Which one [default: all that the server has]
        ledger: Option<Which>,
    },
}

/// A ledger.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Which {
    /// Portfolios, organizations, projects, phases, batches
    Registry,
    /// Milestones
    Tracker,
    /// The event log
    Notifier,
}

/// Does it.
///
/// # Errors
/// What the server refused, or why it could not be asked.
pub async fn run(verb: Verb, session: &Session) -> Result<(), Error> {
    let Verb::Info { ledger } = verb;
    if let Some(which) = ledger {
        return session.one(&json::dynamic(&info(session, which).await?)).await;
    }
    let mut found = Vec::new();
    for which in [Which::Registry, Which::Tracker, Which::Notifier] {
        match info(session, which).await {
            Ok(info) => found.push(json::dynamic(&info)),
            // A server need not have all of them.
            Err(Error::Client(error))
                if error.failure().is_some_and(|failure| failure.code == Code::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    let columns = COLUMNS.map(str::to_owned).to_vec();
    session.many(&found, "", &Columns { columns, ..Columns::default() }).await
}

async fn info(session: &Session, which: Which) -> Result<GetLedgerInfoResponse, Error> {
    let (ledger, kind) = match which {
        Which::Registry => ("registry", LedgerKind::Registry),
        Which::Tracker => ("tracker", LedgerKind::Tracker),
        Which::Notifier => ("notifier", LedgerKind::Notifier),
    };
    let request = GetLedgerInfoRequest { ledger: ledger.to_owned() };
    session
        .read(request, |client, request| async move { client.journal(kind).get_ledger_info(request).await })
        .await
}
