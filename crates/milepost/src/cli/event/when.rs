//! Since when: an instant, how long ago, or a date.
//!
//! Invariant: what is read is exact: a date stands for the first instant of that day in the time zone of the portfolio
//! that is asked about, or in the system's if none is; a zone that cannot be learnt is an error and not guessed.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use milepost_proto::registry::v1::GetPortfolioRequest;

use milepost_types::written;

use crate::cli::session::Session;
use crate::cli::value;
use crate::error::Error;
use crate::output::zone::portfolio_of;

/// When something began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// At this instant.
    Instant(Timestamp),
    /// With this day.
    Day(Date),
}

/// `2021-05-27T08:00:00+08:00`, `2h` for two hours ago, or `2021-05-27`.
///
/// # Errors
/// What can be given, if it is none of them.
pub fn when(text: &str) -> Result<When, String> {
    if let Ok(date) = written::date(text) {
        return Ok(When::Day(date));
    }
    value::instant(text).map(When::Instant).map_err(|_| {
        "write a time with its offset, as in 2021-05-27T08:00:00+08:00, how long ago, as in 2h, or a date, as in \
         2021-05-27"
            .to_owned()
    })
}

impl When {
    /// The instant, for events of a resource; empty: of all.
    ///
    /// # Errors
    /// If the time zone of the resource's portfolio cannot be read.
    pub async fn instant(self, session: &Session, resource: &str) -> Result<Timestamp, Error> {
        let day = match self {
            When::Instant(instant) => return Ok(instant),
            When::Day(day) => day,
        };
        let zone = match portfolio_of(resource) {
            Some(portfolio) => zone(session, portfolio).await?,
            None => TimeZone::system(),
        };
        beginning(day, zone)
    }
}

async fn zone(session: &Session, portfolio: &str) -> Result<TimeZone, Error> {
    let request = GetPortfolioRequest { name: portfolio.to_owned(), ..Default::default() };
    let answer = session
        .read(request, |client, request| async move { client.portfolios().get_portfolio(request).await })
        .await?;
    let zone = answer
        .portfolio
        .ok_or_else(|| Error::Other("the server's answer lacks its portfolio".into()))?
        .time_zone;
    TimeZone::get(&zone).map_err(|_| {
        Error::Usage(format!(
            "this program does not know the time zone {zone} of {portfolio}; give an instant"
        ))
    })
}

/// The first instant of a day, which need not be midnight.
fn beginning(day: Date, zone: TimeZone) -> Result<Timestamp, Error> {
    let first = day.to_zoned(zone).map_err(|_| Error::Usage(format!("{day} is out of range")))?;
    Ok(first.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_a_span_and_a_date_are_understood_and_nothing_else() {
        let instant = "2021-05-27T00:00:00Z".parse().unwrap();
        assert_eq!(when("2021-05-27T08:00:00+08:00"), Ok(When::Instant(instant)));
        assert!(matches!(when("2h"), Ok(When::Instant(_))));
        assert_eq!(when("2021-05-27"), Ok(When::Day(jiff::civil::date(2021, 5, 27))));
        for text in ["2021-02-30", "2021-05-27T08:00:00", "yesterday", "27.05.2021", "昨天", ""] {
            let refused = when(text).unwrap_err();
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
