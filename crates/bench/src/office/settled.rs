//! Waits until a server has done what follows from what it was sent: matches of policies, reactions, copies of events.

use std::time::{Duration, Instant};

use milepost_client::Client;
use milepost_proto::journal::v1::GetLedgerInfoRequest;
use milepost_types::LedgerKind;

use crate::system::Error;

/// A server that has written nothing for so long has nothing left to do.
const QUIET: Duration = Duration::from_secs(2);
/// How often it is asked.
const EACH: Duration = Duration::from_millis(200);
/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// Returns when no ledger has grown for a while.
pub async fn settled(client: &Client) -> Result<(), Error> {
    let (begin, mut last, mut since) = (Instant::now(), Vec::new(), Instant::now());
    while since.elapsed() < QUIET {
        if begin.elapsed() > PATIENCE {
            return Err(format!("the server still writes after {PATIENCE:?}").into());
        }
        tokio::time::sleep(EACH).await;
        let now = sequences(client).await?;
        if now != last {
            (last, since) = (now, Instant::now());
        }
    }
    Ok(())
}

/// How long the log of each ledger is.
async fn sequences(client: &Client) -> Result<Vec<u64>, Error> {
    let mut sequences = Vec::new();
    for ledger in [LedgerKind::Registry, LedgerKind::Tracker, LedgerKind::Notifier] {
        let request = GetLedgerInfoRequest { ledger: ledger.to_string() };
        let info = client.journal(ledger).get_ledger_info(request).await?.into_inner();
        sequences.push(info.tail.map_or(0, |tail| tail.sequence));
    }
    Ok(sequences)
}
