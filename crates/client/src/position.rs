//! Positions as the API tells them: in messages, and in the metadata of errors.

use bytes::Bytes;
use milepost_proto::journal::v1 as proto;
use milepost_types::{HashPrefix, Position};

pub(crate) fn to_proto(position: &Position) -> proto::Position {
    proto::Position {
        log_id: position.log.to_string(),
        sequence: position.sequence,
        hash_prefix: Bytes::copy_from_slice(position.hash.as_bytes()),
    }
}

pub(crate) fn from_proto(message: &proto::Position) -> Option<Position> {
    let log = message.log_id.parse().ok()?;
    if message.sequence == 0 {
        return Some(Position::start(log));
    }
    let prefix: [u8; 8] = message.hash_prefix.as_ref().try_into().ok()?;
    Some(Position { log, sequence: message.sequence, hash: HashPrefix::from_bytes(prefix) })
}

/// Reads `{log}/{sequence}@{hash prefix}`, as a position is displayed.
pub(crate) fn from_text(text: &str) -> Option<Position> {
    let (log, rest) = text.split_once('/')?;
    let (sequence, hash) = rest.split_once('@')?;
    if hash.len() != 16 || !hash.is_ascii() {
        return None;
    }
    let prefix = u64::from_str_radix(hash, 16).ok()?.to_be_bytes();
    let (log, sequence) = (log.parse().ok()?, sequence.parse().ok()?);
    Some(Position { log, sequence, hash: HashPrefix::from_bytes(prefix) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use milepost_types::LogId;

    #[test]
    fn positions_survive_messages_and_texts() {
        let hash = HashPrefix::from_bytes([0xf0, 1, 2, 3, 4, 5, 6, 255]);
        let position = Position { log: LogId::from_bytes([7; 16]), sequence: 12, hash };
        assert_eq!(from_proto(&to_proto(&position)), Some(position));
        assert_eq!(from_text(&position.to_string()), Some(position));
        let start = Position::start(position.log);
        assert_eq!(from_proto(&to_proto(&start)), Some(start));
        assert_eq!(from_text(&start.to_string()), Some(start));
        for text in ["", "x/1@00", "12", &position.to_string()[1..]] {
            assert_eq!(from_text(text), None, "{text}");
        }
    }
}
