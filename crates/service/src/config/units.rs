//! Sizes and durations as people write them: `64MiB`, `300us`, `10s`, `1h30m`.
//!
//! Invariant: what is printed parses back to the same value. Fractions are not accepted: `1536KiB`
//! says what `1.5MiB` means without rounding.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(pub u64);

const SIZES: [(&str, u64); 10] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("KB", 1_000),
    ("B", 1),
];

const DURATIONS: [(&str, u128); 9] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("min", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("µs", 1_000),
    ("ns", 1),
];

impl ByteSize {
    /// This many binary kilobytes.
    pub const fn kib(count: u64) -> Self {
        Self(count << 10)
    }

    /// This many binary megabytes.
    pub const fn mib(count: u64) -> Self {
        Self(count << 20)
    }

    /// The number of bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }

    /// The number of bytes as a length in memory; the largest one if it does not fit.
    pub fn length(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, factor) = SIZES[..4]
            .iter()
            .find(|(_, factor)| self.0 > 0 && self.0.is_multiple_of(*factor))
            .unwrap_or(&("B", 1));
        write!(f, "{}{unit}", self.0 / factor)
    }
}

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("{text:?} is not a size such as \"64MiB\", \"4KiB\" or \"512B\"");
        let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (digits, unit) = (&text[..split], text[split..].trim_start());
        let count: u64 = digits.parse().map_err(|_| expected())?;
        let factor = match unit {
            "" => 1,
            unit => SIZES.iter().find(|(name, _)| *name == unit).ok_or_else(expected)?.1,
        };
        let bytes = count
            .checked_mul(factor)
            .ok_or_else(|| format!("{text} is more bytes than 64 bits can count"))?;
        Ok(Self(bytes))
    }
}

/// A duration as it is written: the largest unit that divides it, so `90s` and `2h`.
pub(super) fn show_duration(duration: Duration) -> String {
    let nanoseconds = duration.as_nanos();
    let (unit, factor) = DURATIONS
        .iter()
        .filter(|(unit, _)| !matches!(*unit, "min" | "µs"))
        .find(|(_, factor)| nanoseconds > 0 && nanoseconds.is_multiple_of(*factor))
        .unwrap_or(&("s", 1_000_000_000));
    format!("{}{unit}", nanoseconds / factor)
}

/// A duration from text such as `10s`, `300us`, `1h30m`.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    let expected = || format!("{text:?} is not a duration such as \"10s\", \"300us\", \"24h\" or \"1h30m\"");
    let mut rest = text;
    let mut total: u128 = 0;
    if rest.is_empty() {
        return Err(expected());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(expected)?;
        let count: u128 = rest[..digits].parse().map_err(|_| expected())?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let factor = DURATIONS.iter().find(|(unit, _)| *unit == &rest[..letters]).ok_or_else(expected)?.1;
        total = count.checked_mul(factor).and_then(|part| total.checked_add(part)).ok_or_else(expected)?;
        rest = &rest[letters..];
    }
    u64::try_from(total).map(Duration::from_nanos).map_err(|_| format!("{text} is longer than 584 years"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_parse_and_print_back() {
        for (text, bytes, printed) in [
            ("64MiB", 64 << 20, "64MiB"),
            ("1024KiB", 1 << 20, "1MiB"),
            ("1MB", 1_000_000, "1000000B"),
            ("512", 512, "512B"),
            ("16 KiB", 16 << 10, "16KiB"),
            ("0", 0, "0B"),
        ] {
            let size: ByteSize = text.parse().unwrap();
            assert_eq!(size, ByteSize(bytes), "{text}");
            assert_eq!(size.to_string(), printed, "{text}");
            assert_eq!(printed.parse(), Ok(size), "{text}");
        }
    }

    #[test]
    fn sizes_refuse_what_is_not_one() {
        for text in ["", "MiB", "1.5MiB", "-1B", "64mib", "64 MiB!", "99999999999TiB"] {
            assert!(text.parse::<ByteSize>().is_err(), "{text}");
        }
    }

    #[test]
    fn durations_parse_and_print_back() {
        for (text, nanoseconds, printed) in [
            ("300us", 300_000, "300us"),
            ("300µs", 300_000, "300us"),
            ("10s", 10_000_000_000, "10s"),
            ("90s", 90_000_000_000, "90s"),
            ("1h30m", 5_400_000_000_000, "90m"),
            ("24h", 86_400_000_000_000, "1d"),
            ("0s", 0, "0s"),
            ("1500ms", 1_500_000_000, "1500ms"),
        ] {
            let duration = parse_duration(text).unwrap();
            assert_eq!(duration, Duration::from_nanos(nanoseconds), "{text}");
            assert_eq!(show_duration(duration), printed, "{text}");
            assert_eq!(parse_duration(printed), Ok(duration), "{text}");
        }
    }

    #[test]
    fn durations_refuse_what_is_not_one() {
        for text in ["", "10", "s", "1.5s", "-1s", "10 s", "10sec", "99999999999999999999d", "999999d"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
