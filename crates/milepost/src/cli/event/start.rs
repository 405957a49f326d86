//! Where a watch starts.
//!
//! Invariant: between what was looked up for a start and the first event of the watch nothing is left out and nothing
//! comes twice: the start is the cursor before the first event that is to come, and the watch sends everything after it.

use clap::Args;
use milepost_client::{Selection, Start};

use super::place;
use super::when::{self, When};
use crate::cli::session::Session;
use crate::error::Error;

/// Where to start, unless the cursor file says it. Default: the earliest event that is kept.
#[derive(Debug, Default, Args)]
#[group(multiple = false)]
pub struct From {
    /// After this cursor
    #[arg(long, value_name = "CURSOR", help_heading = "Start")]
    after: Option<String>,
    /// With what was committed then or later: at a time, as in 2021-05-27T08:00:00+08:00; so long ago, as in 2h; or from the beginning of a date, as in 2021-05-27, in the time zone of the portfolio that --resource names, else in the system's
    #[arg(long, value_name = "WHEN", value_parser = when::when, help_heading = "Start")]
    since: Option<When>,
    /// With the last N events that there are, fewer if there are not so many, and then what happens from now on; 0: only that [default: --earliest]
    #[arg(long, value_name = "N", help_heading = "Start")]
    tail: Option<u64>,
    /// With the earliest event that is kept (the default)
    #[arg(long, help_heading = "Start")]
    earliest: bool,
    /// With what happens from now on
    #[arg(long, help_heading = "Start")]
    latest: bool,
}

impl From {
    /// Whether a start was said.
    pub fn is_given(&self) -> bool {
        self.after.is_some() || self.since.is_some() || self.tail.is_some() || self.earliest || self.latest
    }

    /// The cursor, if one was given.
    pub fn cursor(&self) -> Option<&str> {
        self.after.as_deref()
    }

    /// The start. If it must be `known`, it is one that a later run can begin at again, whatever happens until then.
    ///
    /// # Errors
    /// If the server was asked for it and did not answer it.
    pub async fn start(self, session: &Session, selection: &Selection, known: bool) -> Result<Start, Error> {
        if let Some(cursor) = self.after {
            return Ok(Start::After(cursor));
        }
        if let Some(when) = self.since {
            let time = when.instant(session, &selection.resource).await?;
            if !known {
                return Ok(Start::At(time));
            }
            let first = place::cursor_before_last(session, selection, u64::MAX, Some(time)).await?;
            return Ok(Start::After(first));
        }
        match self.tail {
            Some(count) if count > 0 => {
                place::cursor_before_last(session, selection, count, None).await.map(Start::After)
            }
            None if !self.latest => Ok(Start::Earliest),
            _ if known => place::latest_cursor(session).await.map(Start::After),
            _ => Ok(Start::Latest),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::*;

    impl From {
        pub fn after(cursor: &str) -> Self {
            Self { after: Some(cursor.to_owned()), ..Self::default() }
        }

        pub fn tail(count: u64) -> Self {
            Self { tail: Some(count), ..Self::default() }
        }
    }

    #[tokio::test]
    async fn a_start_that_need_not_be_known_is_looked_up_only_for_the_last_events() {
        // Nothing listens there.
        let session = Session::unreachable(Duration::from_millis(50));
        let start = async |from: From, known| from.start(&session, &Selection::default(), known).await.ok();
        let since = || From { since: Some(When::Instant(Timestamp::UNIX_EPOCH)), ..From::default() };
        let latest = || From { latest: true, ..From::default() };
        for (from, expected) in [
            (From::after("a"), Some(Start::After("a".into()))),
            (From::default(), Some(Start::Earliest)),
            (latest(), Some(Start::Latest)),
            (From::tail(0), Some(Start::Latest)),
            (since(), Some(Start::At(Timestamp::UNIX_EPOCH))),
            (From::tail(1), None),
        ] {
            assert_eq!(start(from, false).await, expected);
        }
        for from in [latest(), From::tail(0), since()] {
            assert_eq!(start(from, true).await, None);
        }
        assert_eq!(start(From::default(), true).await, Some(Start::Earliest));
    }
}
