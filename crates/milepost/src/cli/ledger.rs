//! `milepost ledger`: what the ledgers of a server are and how far they have come.
//!
//! Does not compare them: how far one follows another is part of its own answer.

use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};
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
        /// Which one: registry for portfolios, organizations, projects, phases and batches; tracker for milestones; notifier for the event log [default: all that the server has]
        #[arg(value_parser = PossibleValuesParser::new(LedgerKind::ALL.map(LedgerKind::as_str))
            .try_map(|text| text.parse::<LedgerKind>()))]
        ledger: Option<LedgerKind>,
    },
}

/// Shows what a server says of one ledger, or of all that it has.
pub async fn run(verb: Verb, session: &Session) -> Result<(), Error> {
    let Verb::Info { ledger } = verb;
    if let Some(kind) = ledger {
        return session.one(&json::dynamic(&info(session, kind).await?)).await;
    }
    let mut found = Vec::new();
    for kind in LedgerKind::ALL {
        match info(session, kind).await {
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

async fn info(session: &Session, kind: LedgerKind) -> Result<GetLedgerInfoResponse, Error> {
    let request = GetLedgerInfoRequest { ledger: kind.to_string() };
    session
        .read(request, |client, request| async move { client.journal(kind).get_ledger_info(request).await })
        .await
}
