//! Walking over the fields of an encoded message: a fraction of what decoding it costs, for those who want two or
//! three of its fields as they are.
//!
//! Invariant: finds the fields that the full decoder finds, in their order, those of newer versions included; what
//! they mean is the reader's business, and so is which of two wins.

use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use prost::{DecodeError, Message as _};
use prost_types::Timestamp;

use crate::google::r#type::{Date, Money};
use crate::resource::{Field, Kind};

/// The numbers that fields may have.
const NUMBERS: std::ops::Range<u32> = 1..1 << 29;

/// What stands behind a field's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// A number of variable length.
    Number(u64),
    /// A run of bytes behind its length: a text, bytes, a message.
    Run(&'a [u8]),
    /// Of another wire type, passed over.
    Other(WireType),
}

/// The fields of a message, by their numbers.
#[derive(Debug, Clone)]
pub struct Fields<'a>(&'a [u8]);

/// Walks over the fields of an encoded message, up to the first fault.
pub fn fields(message: &[u8]) -> Fields<'_> {
    Fields(message)
}

impl<'a> Fields<'a> {
    /// What is still to be walked over: the difference of two of these is the field between them, as it is encoded.
    pub fn rest(&self) -> &'a [u8] {
        self.0
    }

    #[inline(always)]
    fn read(&mut self) -> Result<(u32, Value<'a>), DecodeError> {
        let mut rest = self.0;
        let key = varint(&mut rest)?;
        let number = u32::try_from(key >> 3).unwrap_or_default();
        // Nearly all fields are numbers and runs. All else, with what is wrong, is the full decoder's business.
        let value = match key & 7 {
            _ if !NUMBERS.contains(&number) => return self.read_other(),
            0 => Value::Number(varint(&mut rest)?),
            2 => {
                let length = usize::try_from(varint(&mut rest)?).unwrap_or(usize::MAX);
                let Some((run, after)) = rest.split_at_checked(length) else { return self.read_other() };
                rest = after;
                Value::Run(run)
            }
            _ => return self.read_other(),
        };
        self.0 = rest;
        Ok((number, value))
    }

    /// Passes over a field, or says what is wrong with it.
    #[cold]
    fn read_other(&mut self) -> Result<(u32, Value<'a>), DecodeError> {
        let rest = &mut self.0;
        let (number, wire) = decode_key(rest)?;
        skip_field(wire, number, rest, DecodeContext::default())?;
        Ok((number, Value::Other(wire)))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, Value<'a>), DecodeError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let read = self.read();
        if read.is_err() {
            self.0 = &[];
        }
        Some(read)
    }
}

/// Most are of one byte or two. Reports spend most of their time here: a call for each costs a quarter more.
#[inline(always)]
fn varint(rest: &mut &[u8]) -> Result<u64, DecodeError> {
    match **rest {
        [number, ref after @ ..] if number < 0x80 => {
            *rest = after;
            Ok(u64::from(number))
        }
        [low, high, ref after @ ..] if high < 0x80 => {
            *rest = after;
            Ok(u64::from(low & 0x7f) | u64::from(high) << 7)
        }
        _ => decode_varint(rest),
    }
}

/// Checks that a message with these fields can be decoded, without decoding it: that takes several times as long.
///
/// # Errors
/// If the full decoder finds a fault.
pub fn check(message: &[u8], known: &[Field]) -> Result<(), Error> {
    // Values of a repeated field follow each other: the next field is often the one before.
    let mut at = 0;
    for field in fields(message) {
        let (number, value) = field?;
        if known.get(at).is_none_or(|field| field.number != number) {
            let Some(found) = known.iter().position(|field| field.number == number) else { continue };
            at = found;
        }
        check_value(value, &known[at])?;
    }
    Ok(())
}

fn check_value(value: Value<'_>, field: &Field) -> Result<(), Error> {
    match (field.kind, value) {
        (Kind::Bool | Kind::Int | Kind::Enum, Value::Number(_)) | (Kind::Bytes, Value::Run(_)) => Ok(()),
        (Kind::Double, Value::Other(WireType::SixtyFourBit)) => Ok(()),
        (Kind::Text, Value::Run(run)) if std::str::from_utf8(run).is_ok() => Ok(()),
        (Kind::Message, Value::Run(run)) => check(run, field.fields),
        (Kind::Date, Value::Run(run)) => Ok(Date::decode(run).map(drop)?),
        (Kind::Instant, Value::Run(run)) => Ok(Timestamp::decode(run).map(drop)?),
        (Kind::Money, Value::Run(run)) => Ok(Money::decode(run).map(drop)?),
        (Kind::Map, Value::Run(entry)) => check_entry(entry, field),
        // A list of numbers is packed.
        (Kind::Bool | Kind::Int | Kind::Enum, Value::Run(mut packed)) if field.repeated => {
            while !packed.is_empty() {
                varint(&mut packed)?;
            }
            Ok(())
        }
        _ => Err(Error::Type(field.name)),
    }
}

/// An entry of a map is a message with a key and a value.
fn check_entry(entry: &[u8], map: &Field) -> Result<(), Error> {
    for field in fields(entry) {
        match field? {
            (1 | 2, Value::Run(run)) if std::str::from_utf8(run).is_ok() => {}
            (1 | 2, _) => return Err(Error::Type(map.name)),
            _ => {}
        }
    }
    Ok(())
}

/// What is wrong with an encoded message.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is none.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
    /// A field of this name has a value of another type.
    #[error("{0}: is of another type than the schema says")]
    Type(&'static str),
}

#[cfg(test)]
mod tests {
    use prost::encoding::encode_varint;

    use super::*;

    fn encoded(fields: &[(u32, u32, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (tag, wire, value) in fields {
            encode_varint(u64::from(tag << 3 | wire), &mut bytes);
            bytes.extend_from_slice(value);
        }
        bytes
    }

    #[test]
    fn every_field_is_found_with_its_value_and_other_wire_types_are_passed_over() {
        let bytes = encoded(&[
            (1, 0, &[5]),
            (16, 0, &[0xac, 2]),
            (4000, 2, b"\x03abc"),
            (2, 1, &[0; 8]),
            (3, 5, &[0; 4]),
            (4, 2, b"\0"),
        ]);
        let found: Vec<_> = fields(&bytes).map(Result::unwrap).collect();
        let run = |bytes: &'static [u8]| Value::Run(bytes);
        assert_eq!(
            found,
            [
                (1, Value::Number(5)),
                (16, Value::Number(300)),
                (4000, run(b"abc")),
                (2, Value::Other(WireType::SixtyFourBit)),
                (3, Value::Other(WireType::ThirtyTwoBit)),
                (4, run(b"")),
            ]
        );
        assert_eq!(fields(b"").count(), 0);
    }

    #[test]
    fn what_is_left_before_and_after_a_field_is_the_field_as_it_is_encoded() {
        let bytes = encoded(&[(1, 0, &[5]), (4000, 2, b"\x03abc"), (2, 1, &[0; 8])]);
        let (mut walk, mut pieces) = (fields(&bytes), Vec::new());
        while !walk.rest().is_empty() {
            let before = walk.rest();
            walk.next().unwrap().unwrap();
            pieces.push(before.len() - walk.rest().len());
        }
        assert_eq!(pieces, [2, 6 + 1, 9]);
    }

    #[test]
    fn a_fault_is_told_once_and_ends_the_walk() {
        for bytes in [&b"\x0a\x05abc"[..], b"\x0a", b"\x08", b"\x08\xff", b"\x00\x01", b"\x0f\x01", b"\x80"] {
            let found: Vec<_> = fields(bytes).collect();
            assert!(matches!(found.as_slice(), [Err(_)]), "{bytes:?}: {found:?}");
        }
    }
}
