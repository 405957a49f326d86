//! `milepost access break-glass`: the role admin for who has lost all administrators, beside the stopped server.
//!
//! Invariant: it takes the data directory, which is the operator's; nothing that is reached over the network does it.

use std::time::Duration;

use milepost_ledger::journal::OpenMode;
use milepost_service::config::server::Server;
use milepost_service::host::ServiceContext;
use milepost_types::LedgerKind;
use serde_json::json;

use super::{Data, Outcome, open, position, say};
use crate::cli::read::duration;
use crate::error::{BoxError, Error};
use crate::output::Format;

#[derive(Debug, clap::Args)]
pub struct BreakGlass {
    #[command(flatten)]
    data: Data,
    /// Who gets the role admin everywhere: user:ISSUER/SUBJECT, group:ISSUER/NAME, serviceaccount:ID or cert:URI
    #[arg(long)]
    principal: String,
    /// For how long, at most 24h
    #[arg(long, value_name = "SPAN", value_parser = duration, default_value = "4h")]
    ttl: Duration,
    /// Why, for the record
    #[arg(long)]
    reason: String,
}

/// Makes the grant, and prints what it is.
///
/// # Errors
/// Why it was not made.
pub async fn run(args: BreakGlass, format: Format) -> Result<(), Error> {
    say(LedgerKind::Registry, Ok(grant(&args).await?), format)
}

async fn grant(args: &BreakGlass) -> Result<Outcome, BoxError> {
    // Else a registry would be begun where there is none.
    drop(open(&args.data.data_dir, LedgerKind::Registry, OpenMode::ReadOnly)?);
    let server = Server { data_dir: args.data.data_dir.clone(), ..Server::default() };
    let context = ServiceContext::new(&server);
    let BreakGlass { principal, ttl, reason, .. } = args;
    let broken = milepost_registry::break_glass(&context, &server, principal, *ttl, reason).await?;
    let (name, ends, entry) = (&broken.name, broken.expire_time, broken.position);
    let line = format!(
        "{principal} is an administrator until {ends} by {name}; entry {} says so. Start the server, let that \
         principal grant what is needed, and revoke {name}",
        entry.sequence
    );
    let facts = json!({ "grant": name, "expireTime": ends.to_string(), "entry": position(&entry) });
    Ok(Outcome { lines: vec![line], facts })
}
