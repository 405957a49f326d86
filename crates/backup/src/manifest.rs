//! The manifests of a target: what each backup added, and where every ledger stood.
//!
//! `{number}.manifest` is canonical JSON (one line, fields in the order below, no blanks): format,
//! min_reader, number from 1 without gaps, the SHA-256 of the manifest before, the time before the positions
//! were taken, the software's version, and for each ledger its log, its lineage, its position and the ranges
//! that were added since the manifest before. A log that the manifest before does not have begins with the
//! entry 1.
//!
//! Invariants: format 1 always stays readable. The names of `format` and `min_reader` are the same in every
//! later format, so that a newer manifest is distinguished from a damaged one. A manifest of this format that
//! does not encode to the same bytes again is refused, so that its hash says everything.

use bytes::Bytes;
use jiff::Timestamp;
use milepost_types::{LedgerKind, LogId, Position};
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::error::Error;

/// The format this code writes, and the newest whose `min_reader` it meets.
pub const FORMAT: u16 = 1;

/// What follows the number in the name of a manifest.
const SUFFIX: &str = ".manifest";

/// One backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The format that it is written in.
    pub format: u16,
    /// The oldest reader that may read it.
    pub min_reader: u16,
    /// From 1, without gaps.
    pub number: u64,
    /// The SHA-256 of the manifest before; `None` in the first.
    #[serde(with = "optional_text")]
    pub previous: Option<Digest>,
    /// When it was made: every entry that was acknowledged until then is in it, or in one before.
    #[serde(with = "text")]
    pub time: Timestamp,
    /// The version of the software that made it.
    pub software: String,
    /// The ledgers, in the order in which their positions were taken: followers before their sources.
    pub ledgers: Vec<LedgerRecord>,
}

/// A ledger in a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerRecord {
    /// Which one.
    #[serde(with = "text")]
    pub ledger: LedgerKind,
    /// The id of its log.
    #[serde(with = "text")]
    pub log: LogId,
    /// The format of its journal.
    pub journal_format: u16,
    /// What the log was restored from: parent and fork first, then its parent's.
    #[serde(with = "texts")]
    pub lineage: Vec<Position>,
    /// The sequence of the last entry in the backup; 0 for none.
    pub sequence: u64,
    /// The hash of that entry; zero for none.
    #[serde(with = "text")]
    pub hash: Digest,
    /// The ranges that this manifest adds, in order.
    pub ranges: Vec<Range>,
}

/// Consecutive entries in one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// The sequence of the first entry.
    pub first: u64,
    /// The sequence of the last entry.
    pub last: u64,
    /// The commit time of the first entry.
    #[serde(with = "text")]
    pub first_time: Timestamp,
    /// The commit time of the last entry.
    #[serde(with = "text")]
    pub last_time: Timestamp,
    /// The hash of the last entry.
    #[serde(with = "text")]
    pub hash: Digest,
    /// The length of the object.
    pub bytes: u64,
    /// The length of the object's content without compression.
    pub content_bytes: u64,
    /// The SHA-256 of the object.
    #[serde(with = "text")]
    pub sha256: Digest,
}

impl LedgerRecord {
    /// The last position of the log in the backup.
    pub fn position(&self) -> Position {
        Position::after(self.log, self.sequence, &self.hash.hash())
    }
}

impl Manifest {
    /// The name of the object of the manifest with this number.
    pub fn object(number: u64) -> String {
        format!("{number:08}{SUFFIX}")
    }

    /// The number in the name of a manifest's object; `None` if it is another object.
    pub(crate) fn number_of(object: &str) -> Option<u64> {
        let number = object.strip_suffix(SUFFIX)?.parse().ok()?;
        (number > 0 && Self::object(number) == object).then_some(number)
    }

    /// The ledger of this kind.
    pub fn ledger(&self, kind: LedgerKind) -> Option<&LedgerRecord> {
        self.ledgers.iter().find(|record| record.ledger == kind)
    }

    /// The bytes of its object.
    pub(crate) fn encode(&self) -> Bytes {
        let mut bytes = serde_json::to_vec(self).expect("it has only texts, numbers and lists");
        bytes.push(b'\n');
        bytes.into()
    }

    /// Reads the manifest with this number.
    ///
    /// # Errors
    /// If a newer version wrote it, or it is not what was written.
    pub(crate) fn decode(number: u64, bytes: &[u8]) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Versions {
            format: u16,
            min_reader: u16,
        }
        let object = Self::object(number);
        let damaged = |what: String| Error::Damaged { object: object.clone(), what };
        let malformed = |error: serde_json::Error| damaged(format!("it is no manifest: {error}"));
        let Versions { format, min_reader } = serde_json::from_slice(bytes).map_err(malformed)?;
        if min_reader > FORMAT {
            return Err(Error::Newer { object: object.clone(), format, min_reader });
        }
        let manifest: Self = serde_json::from_slice(bytes).map_err(malformed)?;
        if manifest.number != number {
            return Err(damaged(format!("it says that it is manifest {}", manifest.number)));
        }
        if format == FORMAT && manifest.encode() != bytes {
            return Err(damaged("it is not written as manifests are".to_owned()));
        }
        Ok(manifest)
    }
}

/// A value as its text.
mod text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<T: Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub(super) fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

/// A value as its text, or null.
mod optional_text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<T: Display, S: Serializer>(value: &Option<T>, to: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => to.collect_str(value),
            None => to.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, T, D>(from: D) -> Result<Option<T>, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        let text = Option::<String>::deserialize(from)?;
        text.map(|text| text.parse().map_err(D::Error::custom)).transpose()
    }
}

/// Values as their texts.
mod texts {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<T: Display, S: Serializer>(values: &[T], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(values.iter().map(ToString::to_string))
    }

    pub(super) fn deserialize<'de, T, D>(from: D) -> Result<Vec<T>, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        let texts = Vec::<String>::deserialize(from)?;
        texts.iter().map(|text| text.parse().map_err(D::Error::custom)).collect()
    }
}

#[cfg(test)]
mod tests {
    use milepost_types::{Hash, HashPrefix};

    use super::*;

    fn sample() -> Manifest {
        let log = LogId::from_bytes([7; 16]);
        let time = Timestamp::new(1_622_073_600, 5).unwrap();
        let range = Range {
            first: 3,
            last: 9,
            first_time: time,
            last_time: time,
            hash: Hash::from_bytes([1; 32]).into(),
            bytes: 40,
            content_bytes: 90,
            sha256: Hash::from_bytes([2; 32]).into(),
        };
        let fork = Position { log, sequence: 2, hash: HashPrefix::from_bytes([3; 8]) };
        let record = LedgerRecord {
            ledger: LedgerKind::Tracker,
            log: LogId::from_bytes([8; 16]),
            journal_format: 2,
            lineage: vec![fork],
            sequence: 9,
            hash: range.hash,
            ranges: vec![range],
        };
        let software = "0.1.0".to_owned();
        let (format, min_reader, previous) = (FORMAT, FORMAT, Some(Digest::of(b"before")));
        Manifest { format, min_reader, number: 2, previous, time, software, ledgers: vec![record] }
    }

    /// Persisted: if this fails, backups that exist can no longer be read.
    #[test]
    fn the_bytes_of_a_manifest_never_change() {
        let golden = concat!(
            r#"{"format":1,"min_reader":1,"number":2,"#,
            r#""previous":"e9ddd2e7a9de9bd0ddff2a2cd31ca5ee2cc7b8b1be32e3eb7a3e0d2f2f5cbe72","#,
            r#""time":"2021-05-27T00:00:00.000000005Z","software":"0.1.0","ledgers":[{"ledger":"tracker","#,
            r#""log":"08080808-0808-0808-0808-080808080808","journal_format":2,"#,
            r#""lineage":["07070707-0707-0707-0707-070707070707/2@0303030303030303"],"sequence":9,"#,
            r#""hash":"0101010101010101010101010101010101010101010101010101010101010101","#,
            r#""ranges":[{"first":3,"last":9,"first_time":"2021-05-27T00:00:00.000000005Z","#,
            r#""last_time":"2021-05-27T00:00:00.000000005Z","#,
            r#""hash":"0101010101010101010101010101010101010101010101010101010101010101","#,
            r#""bytes":40,"content_bytes":90,"#,
            r#""sha256":"0202020202020202020202020202020202020202020202020202020202020202"}]}]}"#,
            "\n"
        );
        let golden = golden.replace(
            "e9ddd2e7a9de9bd0ddff2a2cd31ca5ee2cc7b8b1be32e3eb7a3e0d2f2f5cbe72",
            &Digest::of(b"before").to_string(),
        );
        assert_eq!(String::from_utf8_lossy(&sample().encode()), golden);
        assert_eq!(Manifest::decode(2, golden.as_bytes()).unwrap(), sample());
        let first = Manifest { previous: None, number: 1, ..sample() };
        assert_eq!(Manifest::decode(1, &first.encode()).unwrap(), first);
    }

    #[test]
    fn a_manifest_that_is_not_as_it_was_written_is_refused_and_a_newer_one_says_so() {
        let text = String::from_utf8(sample().encode().to_vec()).unwrap();
        for changed in [
            text.replace("\"number\":2", "\"number\":3"),
            text.replace("\"sequence\":9", "\"sequence\":9,\"more\":1"),
            text.replace(",\"time\"", ", \"time\""),
            text.replace("tracker", "unknown"),
            text.trim_end().to_owned(),
            String::new(),
        ] {
            let refused = Manifest::decode(2, changed.as_bytes());
            assert!(matches!(refused, Err(Error::Damaged { .. })), "{changed}: {refused:?}");
        }
        let newer = text.replace("\"format\":1,\"min_reader\":1", "\"format\":3,\"min_reader\":2");
        let refused = Manifest::decode(2, newer.as_bytes());
        assert!(matches!(refused, Err(Error::Newer { format: 3, min_reader: 2, .. })), "{refused:?}");
        let readable = text.replace("\"format\":1", "\"format\":2").replace("\"log\"", "\"more\":1,\"log\"");
        assert!(Manifest::decode(2, readable.as_bytes()).is_ok(), "later formats may add fields");
    }

    #[test]
    fn the_number_of_a_manifest_is_in_its_name_and_other_objects_have_none() {
        for number in [1, 42, 123_456_789_012] {
            assert_eq!(Manifest::number_of(&Manifest::object(number)), Some(number));
        }
        for other in ["probe", "1.manifest", "00000000.manifest", "0000000x.manifest", "00000001.entries"] {
            assert_eq!(Manifest::number_of(other), None, "{other}");
        }
    }
}
