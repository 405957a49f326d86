//! Building and parsing the keys of rows: a table's tag, then parts.
//!
//! Invariant: parsing a key gives the parts that it was built from, and keys order as their parts do, from
//! the left. Text contains no zero byte: ids are letters, digits and hyphens, and names have no control
//! characters. Which parts a table's keys have is decided by the service, not here.

use jiff::Timestamp;
use jiff::civil::Date;
use milepost_types::ResourceId;

/// A key that is being built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key(Vec<u8>);

impl Key {
    /// A key of the table with this tag.
    pub fn of(table: impl Into<u8>) -> Self {
        let mut bytes = Vec::with_capacity(96);
        bytes.push(table.into());
        Self(bytes)
    }

    /// Adds an id that another part follows.
    pub fn under(self, id: &ResourceId) -> Self {
        self.text(id.as_str())
    }

    /// Adds text that another part follows.
    pub fn text(mut self, text: &str) -> Self {
        self.0.extend_from_slice(text.as_bytes());
        self.0.push(0);
        self
    }

    /// Adds the beginning of a text, to find all keys that begin with it.
    pub fn beginning(mut self, text: &str) -> Self {
        self.0.extend_from_slice(text.as_bytes());
        self
    }

    /// Adds bytes that order as they are.
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// Ends the key with an id.
    pub fn id(self, id: &ResourceId) -> Vec<u8> {
        self.beginning(id.as_str()).0
    }

    /// The finished key, or key prefix.
    pub fn done(self) -> Vec<u8> {
        self.0
    }
}

/// A number whose bytes order as it does.
pub fn ordered_i64(number: i64) -> [u8; 8] {
    (number.cast_unsigned() ^ (1 << 63)).to_be_bytes()
}

/// The number of [`ordered_i64`].
pub fn number_i64(bytes: [u8; 8]) -> i64 {
    (u64::from_be_bytes(bytes) ^ (1 << 63)).cast_signed()
}

/// A date of the years 1 to 9999 whose bytes order as it does: year, month, day, big end first.
pub fn ordered_date(date: Date) -> [u8; 4] {
    let [high, low] = date.year().to_be_bytes();
    [high, low, date.month().unsigned_abs(), date.day().unsigned_abs()]
}

/// The date of [`ordered_date`]; `None` if the bytes are not a date.
pub fn date_of(bytes: &[u8]) -> Option<Date> {
    let [high, low, month, day]: [u8; 4] = bytes.try_into().ok()?;
    Date::new(i16::from_be_bytes([high, low]), i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// An instant whose bytes order as it does.
pub fn ordered_instant(instant: Timestamp) -> [u8; 12] {
    // Nanoseconds since the epoch, floored, so that the fraction is never negative.
    let nanos = instant.as_nanosecond();
    let (seconds, fraction) = (nanos.div_euclid(1_000_000_000), nanos.rem_euclid(1_000_000_000));
    let mut bytes = [0; 12];
    bytes[..8].copy_from_slice(&ordered_i64(i64::try_from(seconds).unwrap_or(i64::MAX)));
    bytes[8..].copy_from_slice(&u32::try_from(fraction).unwrap_or(u32::MAX).to_be_bytes());
    bytes
}

/// The instant of [`ordered_instant`]; `None` if the bytes are not an instant.
pub fn instant_of(bytes: &[u8]) -> Option<Timestamp> {
    let (seconds, fraction) = bytes.split_first_chunk::<8>()?;
    let fraction = i32::from_be_bytes(fraction.try_into().ok()?);
    Timestamp::new(number_i64(*seconds), fraction).ok()
}

/// The rest of a key that is being parsed.
#[derive(Debug)]
pub struct Parts<'a>(&'a [u8]);

impl<'a> Parts<'a> {
    /// Parses a key of the table with this tag; `None` if it belongs to another table.
    pub fn of(key: &'a [u8], table: impl Into<u8>) -> Option<Self> {
        key.strip_prefix(&[table.into()]).map(Self)
    }

    /// Takes text that another part follows.
    pub fn text(&mut self) -> Option<&'a str> {
        let end = self.0.iter().position(|byte| *byte == 0)?;
        let text = std::str::from_utf8(&self.0[..end]).ok()?;
        self.0 = &self.0[end + 1..];
        Some(text)
    }

    /// Takes an id that another part follows.
    pub fn parent(&mut self) -> Option<ResourceId> {
        self.text()?.parse().ok()
    }

    /// The rest of the key.
    pub fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// Takes this many bytes.
    pub fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }

    /// Takes the id that the key ends with.
    pub fn id(self) -> Option<ResourceId> {
        std::str::from_utf8(self.0).ok()?.parse().ok()
    }
}
