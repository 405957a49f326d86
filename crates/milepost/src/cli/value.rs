//! Values as they are typed: money, dates, spans of time, pairs.
//!
//! Invariant: a value that is not exact is refused with an example of one that is; nothing is completed or rounded. Rules
//! of the domain, such as which id a label may have, stay with the server.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use milepost_proto::google::r#type as google;
use milepost_proto::registry::v1::{Identifier, Party, Period, ProjectCode, Site};
use milepost_types::{Clock, Money, SystemClock};

/// `CNY 28360000000` or `CNY 28360000000.50`.
pub fn money(text: &str) -> Result<google::Money, String> {
    if !text.contains(' ') {
        return Err("give currency and amount, as in \"CNY 28360000000\"".to_owned());
    }
    let money: Money = text.parse().map_err(|error: milepost_types::MoneyError| error.to_string())?;
    Ok(google::Money {
        currency_code: money.currency().as_str().to_owned(),
        units: money.units(),
        nanos: money.nanos(),
    })
}

/// `2021-05-27`.
pub fn date(text: &str) -> Result<google::Date, String> {
    let hint = || format!("{text:?} is no date; write it as in 2021-05-27");
    let mut parts = text.split('-');
    let mut part = |digits: usize| -> Option<i32> {
        let part = parts.next()?;
        (part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit())).then(|| part.parse().ok())?
    };
    let (Some(year), Some(month), Some(day)) = (part(4), part(2), part(2)) else { return Err(hint()) };
    if parts.next().is_some() {
        return Err(hint());
    }
    milepost_types::date_from_parts(year, month, day).map_err(|error| error.to_string())?;
    Ok(google::Date { year, month, day })
}

/// `2021-05-27..2023-12-31`; either end may be left out.
pub fn period(text: &str) -> Result<Period, String> {
    let (start, end) = text
        .split_once("..")
        .ok_or("write a period as in 2021-05-27..2023-12-31; either end may be left out")?;
    let end_date = |text: &str| if text.is_empty() { Ok(None) } else { date(text).map(Some) };
    Ok(Period { start_date: end_date(start)?, end_date: end_date(end)? })
}

/// `key=value`.
pub fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write it as KEY=VALUE")?;
    if key.is_empty() {
        return Err("the key before the = is missing".to_owned());
    }
    Ok((key.to_owned(), value.to_owned()))
}

/// `SCHEME=CODE`, as in `GB/T 40058=2021-500107-54-01-123456X`.
pub fn project_code(text: &str) -> Result<ProjectCode, String> {
    pair(text).map(|(scheme, code)| ProjectCode { scheme, code })
}

/// `SCHEME=ID`, as in `CN-USCC=12500000450000000X`.
pub fn identifier(text: &str) -> Result<Identifier, String> {
    pair(text).map(|(scheme, id)| Identifier { scheme, id })
}

/// `ORGANIZATION=ROLE` or `ORGANIZATION=ROLE,ROLE`.
pub fn party(text: &str) -> Result<Party, String> {
    let (organization, roles) =
        text.split_once('=').ok_or("write a party as ORGANIZATION=ROLE, several roles joined by commas")?;
    let organization = super::name::ORGANIZATION.name(&[organization]).map_err(|error| error.to_string())?;
    Ok(Party { organization, roles: roles.split(',').map(ToOwned::to_owned).collect() })
}

/// `29.5,106.3`: degrees north, degrees east.
pub fn coordinates(text: &str) -> Result<Site, String> {
    let hint = || "write coordinates as LATITUDE,LONGITUDE in degrees, as in 29.6,106.3".to_owned();
    let (latitude, longitude) = text.split_once(',').ok_or_else(hint)?;
    let degrees =
        |text: &str| text.trim().parse::<f64>().ok().filter(|degrees| degrees.is_finite()).ok_or_else(hint);
    Ok(Site {
        latitude: Some(degrees(latitude)?),
        longitude: Some(degrees(longitude)?),
        ..Default::default()
    })
}

/// A span of time such as `10s`, `1m30s`, `500ms`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let hint = || format!("{text:?} is no span of time; write it as in 10s, 1m30s or 500ms");
    let span: SignedDuration = text.parse().map_err(|_| hint())?;
    let span = Duration::try_from(span).map_err(|_| hint())?;
    if span.is_zero() { Err("the span of time is zero".to_owned()) } else { Ok(span) }
}

/// An instant such as `2021-05-27T08:00:00+08:00`, or a span of time such as `2h` for that long ago.
pub fn instant(text: &str) -> Result<Timestamp, String> {
    instant_before(text, &SystemClock)
}

fn instant_before(text: &str, clock: &dyn Clock) -> Result<Timestamp, String> {
    if let Ok(instant) = text.parse() {
        return Ok(instant);
    }
    let hint = "write a time with its offset, as in 2021-05-27T08:00:00+08:00, or how long ago, as in 2h";
    let ago = duration(text).map_err(|_| hint.to_owned())?;
    let ago = SignedDuration::try_from(ago).map_err(|_| hint.to_owned())?;
    clock.now().checked_sub(ago).map_err(|_| hint.to_owned())
}

/// A SHA-256 hash as 64 hexadecimal digits.
pub fn sha256(text: &str) -> Result<Hash, String> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let digits = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(byte).collect();
    bytes.filter(|_| digits).map(Hash).ok_or_else(|| "a SHA-256 hash has 64 hexadecimal digits".to_owned())
}

/// A hash, in one piece for the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hash(pub Vec<u8>);

#[cfg(test)]
mod tests {
    use super::*;
    use milepost_types::ManualClock;

    #[test]
    fn money_is_exact_and_names_its_currency() {
        let money_of = |units, nanos| google::Money { currency_code: "CNY".into(), units, nanos };
        assert_eq!(money("CNY 28360000000"), Ok(money_of(28_360_000_000, 0)));
        assert_eq!(money("CNY 0.50"), Ok(money_of(0, 500_000_000)));
        for text in [
            "28360000000",
            "CNY",
            "CNY 1e9",
            "CNY 1,000",
            "cny 1",
            "CNY 0.1234567891",
            "CNY 99999999999999999999",
        ] {
            assert!(money(text).is_err(), "{text}");
        }
    }

    #[test]
    fn dates_are_days_of_the_calendar() {
        assert_eq!(date("2021-05-27"), Ok(google::Date { year: 2021, month: 5, day: 27 }));
        for text in ["2021-02-30", "2021-5-27", "27.05.2021", "2021-05", "2021-05-27-1", "", "二〇二一"] {
            assert!(date(text).is_err(), "{text}");
        }
    }

    #[test]
    fn periods_may_be_open() {
        let day = Some(google::Date { year: 2021, month: 5, day: 27 });
        assert_eq!(period("2021-05-27.."), Ok(Period { start_date: day, end_date: None }));
        assert_eq!(period("..2021-05-27"), Ok(Period { start_date: None, end_date: day }));
        assert!(period("2021-05-27").is_err());
        assert!(period("2021-05..").is_err());
    }

    #[test]
    fn pairs_keep_everything_after_the_first_equals_sign() {
        assert_eq!(pair("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert_eq!(pair("a="), Ok(("a".into(), String::new())));
        assert!(pair("a").is_err());
        assert!(pair("=a").is_err());
        let party = party("cqu=lead,supplier").unwrap();
        assert_eq!(party.organization, "organizations/cqu");
        assert_eq!(party.roles, ["lead", "supplier"]);
    }

    #[test]
    fn times_have_an_offset_or_are_so_long_ago() {
        let clock = ManualClock::new("2021-05-27T08:00:00Z".parse().unwrap());
        let at = |text: &str| instant_before(text, &clock).map(|instant| instant.to_string());
        assert_eq!(at("2021-05-27T08:00:00+08:00"), Ok("2021-05-27T00:00:00Z".to_owned()));
        assert_eq!(at("2h"), Ok("2021-05-27T06:00:00Z".to_owned()));
        for text in ["2021-05-27", "2021-05-27T08:00:00", "yesterday", "-2h"] {
            assert!(at(text).is_err(), "{text}");
        }
        assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
        assert!(duration("0s").is_err());
        assert!(duration("10").is_err());
    }

    #[test]
    fn hashes_have_64_digits() {
        assert_eq!(sha256(&"0f".repeat(32)).unwrap().0, vec![15; 32]);
        for text in ["", "0f", &"0g".repeat(32), &"é".repeat(32), &format!("+{}", "0".repeat(63))] {
            assert!(sha256(text).is_err(), "{text}");
        }
    }

    #[test]
    fn coordinates_are_two_numbers() {
        let site = coordinates("29.6, 106.3").unwrap();
        assert_eq!((site.latitude, site.longitude), (Some(29.6), Some(106.3)));
        for text in ["29.6", "29.6;106.3", "NaN,1", "north,east"] {
            assert!(coordinates(text).is_err(), "{text}");
        }
    }
}
