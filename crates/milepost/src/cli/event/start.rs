//! Where a watch starts, and since when a list reaches.
//!
//! Invariants: between what was looked up for a start and the first event of the watch nothing is left out and nothing
//! comes twice: the start is the cursor before the first event that is to come. A date stands for the first instant of
//! that day in the time zone of the portfolio that is asked about, or in the system's if none is; a zone that cannot be
//! learnt is an error and not guessed.

use std::str::FromStr;

use clap::Args;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use milepost_client::{Selection, Start};
use milepost_proto::notifier::v1::ListEventsRequest;
use milepost_proto::registry::v1::GetPortfolioRequest;
use milepost_service::value::instant_message;
use milepost_types::written;

use super::cursor_file::CursorFile;
use super::{NEWEST_FIRST, follow, log_info};
use crate::cli::read;
use crate::cli::session::Session;
use crate::error::Error;
use crate::output::zone::portfolio_of;

/// Where to start, unless the cursor file says it. Default: the earliest event that is kept.
#[derive(Debug, Default, Args)]
#[group(multiple = false)]
pub struct From {
    /// After this cursor
    #[arg(long, value_name = "CURSOR", help_heading = "Start")]
    after: Option<String>,
    /// With what was committed then or later: at a time, as in 2021-05-27T08:00:00+08:00; so long ago, as in 2h; or from the beginning of a date, as in 2021-05-27, in the time zone of the portfolio that --resource names, else in the system's
    #[arg(long, value_name = "WHEN", help_heading = "Start")]
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

    /// The start: after the cursor that a file has, else where the flags say. What was looked up for a file is kept in
    /// it at once: another run would not find it again.
    pub(super) async fn start(
        self,
        session: &Session,
        selection: &Selection,
        file: Option<&mut CursorFile>,
    ) -> Result<Start, Error> {
        let kept = file.as_ref().and_then(|file| file.cursor());
        if let Some(cursor) = kept.map(str::to_owned).or(self.after) {
            return Ok(Start::After(cursor));
        }
        // How many events come first, of those that entered the log since then.
        let (count, since) = match (self.since, self.tail) {
            (Some(when), _) => (u64::MAX, Some(when.instant(session, &selection.resource).await?)),
            (None, Some(count)) => (count, None),
            (None, None) if self.latest => (0, None),
            (None, None) => return Ok(Start::Earliest),
        };
        let found = match (count, since) {
            (_, Some(time)) if file.is_none() => return Ok(Start::At(time)),
            (0, None) if file.is_none() => return Ok(Start::Latest),
            (0, None) => log_info(session).await?.latest_cursor,
            _ => {
                let request = ListEventsRequest {
                    selection: Some(selection.clone()),
                    order_by: NEWEST_FIRST.to_owned(),
                    from_time: since.map(instant_message),
                    ..ListEventsRequest::default()
                };
                follow(session, request, count).await?.0
            }
        };
        file.map_or(Ok(()), |file| file.keep(&found))?;
        Ok(Start::After(found))
    }
}

/// When something began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// At this instant.
    Instant(Timestamp),
    /// With this day.
    Day(Date),
}

impl FromStr for When {
    type Err = &'static str;

    /// Reads `2021-05-27T08:00:00+08:00`, `2h` for two hours ago, or `2021-05-27`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = written::date(text).map(When::Day).or_else(|_| read::instant(text).map(When::Instant));
        read.map_err(|_| {
            "write a time with its offset, as in 2021-05-27T08:00:00+08:00, how long ago, as in 2h, or a date, as in \
             2021-05-27"
        })
    }
}

impl When {
    /// The instant, for events of a resource; empty: of all.
    pub(super) async fn instant(self, session: &Session, resource: &str) -> Result<Timestamp, Error> {
        match self {
            When::Instant(instant) => Ok(instant),
            When::Day(day) => beginning(day, zone(session, resource).await?),
        }
    }
}

async fn zone(session: &Session, resource: &str) -> Result<TimeZone, Error> {
    let Some(name) = portfolio_of(resource) else { return Ok(TimeZone::system()) };
    let request = GetPortfolioRequest { name: name.to_owned(), ..Default::default() };
    let answer = session
        .read(request, |client, request| async move { client.portfolios().get_portfolio(request).await })
        .await?;
    let zone = answer.portfolio.unwrap_or_default().time_zone;
    let unknown = format!("this program does not know the time zone {zone:?} of {name}; give an instant");
    TimeZone::get(&zone).map_err(|_| Error::Usage(unknown))
}

/// The first instant of a day, which need not be midnight.
fn beginning(day: Date, zone: TimeZone) -> Result<Timestamp, Error> {
    let first = day.to_zoned(zone).map_err(|_| Error::Usage(format!("{day} is out of range")))?;
    Ok(first.timestamp())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn after(cursor: &str) -> From {
        From { after: Some(cursor.to_owned()), ..From::default() }
    }

    fn tail(count: u64) -> From {
        From { tail: Some(count), ..From::default() }
    }

    #[tokio::test]
    async fn a_start_whose_cursor_is_not_kept_is_looked_up_only_for_the_last_events() {
        // Nothing listens there.
        let session = Session::unreachable(Duration::from_millis(50));
        let dir = tempfile::tempdir().unwrap();
        let mut file = CursorFile::open(&dir.path().join("c"), &Selection::default(), false).unwrap().0;
        let start = async |from: From, file| from.start(&session, &Selection::default(), file).await.ok();
        let since = || From { since: Some(When::Instant(Timestamp::UNIX_EPOCH)), ..From::default() };
        let latest = || From { latest: true, ..From::default() };
        for (from, expected) in [
            (after("a"), Some(Start::After("a".into()))),
            (From::default(), Some(Start::Earliest)),
            (latest(), Some(Start::Latest)),
            (tail(0), Some(Start::Latest)),
            (since(), Some(Start::At(Timestamp::UNIX_EPOCH))),
            (tail(1), None),
        ] {
            assert_eq!(start(from, None).await, expected);
        }
        for from in [latest(), tail(0), since()] {
            assert_eq!(from.start(&session, &Selection::default(), Some(&mut file)).await.ok(), None);
        }
    }

    #[tokio::test]
    async fn the_kept_cursor_comes_before_every_other_start_and_a_given_one_is_not_kept_unproved() {
        // Nothing listens there: none of these asks.
        let session = Session::unreachable(Duration::from_secs(1));
        let dir = tempfile::tempdir().unwrap();
        let selection = Selection::default();
        let mut file = CursorFile::open(&dir.path().join("c"), &selection, false).unwrap().0;
        let start = async |from: From, file: &mut CursorFile| {
            from.start(&session, &selection, Some(file)).await.unwrap()
        };
        assert_eq!(start(after("a"), &mut file).await, Start::After("a".into()));
        assert_eq!(start(From::default(), &mut file).await, Start::Earliest);
        assert_eq!(file.cursor(), None);
        file.keep("kept").unwrap();
        for from in [after("a"), From::default(), tail(3)] {
            assert_eq!(start(from, &mut file).await, Start::After("kept".into()));
        }
    }

    #[test]
    fn an_instant_a_span_and_a_date_are_understood_and_nothing_else() {
        let instant = "2021-05-27T00:00:00Z".parse().unwrap();
        assert_eq!(When::from_str("2021-05-27T08:00:00+08:00"), Ok(When::Instant(instant)));
        assert!(matches!(When::from_str("2h"), Ok(When::Instant(_))));
        assert_eq!(When::from_str("2021-05-27"), Ok(When::Day(jiff::civil::date(2021, 5, 27))));
        for text in ["2021-02-30", "2021-05-27T08:00:00", "yesterday", "27.05.2021", "昨天", ""] {
            let refused = When::from_str(text).unwrap_err();
            assert!(refused.contains("2h") && refused.contains("a date"), "{text}: {refused}");
        }
    }

    #[test]
    fn a_day_begins_with_its_first_instant_in_its_zone() {
        let first = |day: &str, zone: &str| {
            let zone = TimeZone::get(zone).unwrap();
            beginning(day.parse().unwrap(), zone).unwrap().to_string()
        };
        assert_eq!(first("2026-11-01", "Asia/Shanghai"), "2026-10-31T16:00:00Z");
        assert_eq!(first("2026-11-01", "UTC"), "2026-11-01T00:00:00Z");
        // Clocks went forward at midnight: the day had no 00:30.
        assert_eq!(first("2018-11-04", "America/Sao_Paulo"), "2018-11-04T03:00:00Z");
    }
}
