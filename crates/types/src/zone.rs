//! Time zones of portfolios, by their IANA ids.
//!
//! Invariant: an id that is accepted is known to the database that is compiled in, in its own spelling.
//! The system's database is not asked: which day it is must be the same on every replica of one version.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::quote::{quoted, shortened};
use crate::violation::Fault;

static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A time zone, such as `Asia/Shanghai`.
#[derive(Clone, PartialEq, Eq)]
pub struct TimeZoneId {
    id: Cow<'static, str>,
    zone: TimeZone,
}

impl TimeZoneId {
    /// Coordinated universal time.
    pub const UTC: TimeZoneId = TimeZoneId { id: Cow::Borrowed("UTC"), zone: TimeZone::UTC };

    /// The time zone that was stored. One that this version's database does not have keeps its id, and its
    /// days are those of UTC.
    pub fn stored(id: String) -> Self {
        id.parse().unwrap_or(Self { id: Cow::Owned(id), zone: TimeZone::UTC })
    }

    /// The IANA id.
    pub fn as_str(&self) -> &str {
        &self.id
    }

    /// The civil date at an instant.
    pub fn date_at(&self, instant: Timestamp) -> Date {
        self.zone.to_datetime(instant).date()
    }

    /// Which day it is at an instant where it was `latest` before: days do not come back, whatever becomes of
    /// the zone or the clock.
    pub fn current_date(&self, instant: Timestamp, latest: Option<Date>) -> Date {
        let date = self.date_at(instant);
        latest.map_or(date, |latest| latest.max(date))
    }

    /// The first instant of a civil date; `None` at the ends of time.
    pub fn start_of(&self, date: Date) -> Option<Timestamp> {
        date.to_zoned(self.zone.clone()).ok().map(|zoned| zoned.timestamp())
    }

    /// The zone's rules.
    pub fn rules(&self) -> &TimeZone {
        &self.zone
    }
}

impl fmt::Display for TimeZoneId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for TimeZoneId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is not the id of a time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text} is no time zone; give an IANA id such as Asia/Shanghai", text = quoted(.0))]
pub struct TimeZoneIdError(String);

impl Fault for TimeZoneIdError {
    fn reason(&self) -> &'static str {
        "INVALID_TIME_ZONE"
    }
}

impl FromStr for TimeZoneId {
    type Err = TimeZoneIdError;

    fn from_str(text: &str) -> Result<Self, TimeZoneIdError> {
        match text {
            "UTC" => Ok(Self::UTC),
            _ => DATABASE
                .get(text)
                .ok()
                .filter(|zone| zone.iana_name() == Some(text))
                .map(|zone| Self { id: Cow::Owned(text.to_owned()), zone })
                .ok_or_else(|| TimeZoneIdError(shortened(text))),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn known_ids_are_read_back() {
        for id in ["Asia/Shanghai", "Asia/Chongqing", "America/New_York", "UTC", "Etc/UTC"] {
            assert_eq!(id.parse::<TimeZoneId>().unwrap().to_string(), id);
        }
    }

    #[test]
    fn other_spellings_and_offsets_are_refused() {
        for id in ["", "asia/shanghai", "+08:00", "CST-8", "Asia/Chengdu", "../etc/passwd", "中国"] {
            assert!(id.parse::<TimeZoneId>().is_err(), "{id}");
        }
    }

    #[test]
    fn a_stored_id_that_is_unknown_is_kept_and_has_the_days_of_utc() {
        let late: Timestamp = "2021-05-26T16:30:00Z".parse().unwrap();
        for (id, day) in [("Asia/Shanghai", date(2021, 5, 27)), ("Asia/Chengdu", date(2021, 5, 26))] {
            let zone = TimeZoneId::stored(id.to_owned());
            assert_eq!((zone.as_str(), zone.date_at(late)), (id, day));
        }
        assert_ne!(TimeZoneId::stored("Asia/Chengdu".to_owned()), TimeZoneId::UTC);
    }

    #[test]
    fn the_date_is_the_zones() {
        let zone: TimeZoneId = "Asia/Shanghai".parse().unwrap();
        let start = zone.start_of(date(2021, 5, 27)).unwrap();
        assert_eq!(start, "2021-05-26T16:00:00Z".parse().unwrap());
        assert_eq!(zone.date_at(start), date(2021, 5, 27));
        assert_eq!(TimeZoneId::UTC.date_at(start), date(2021, 5, 26));
    }
}
