//! Positions to and from messages.

use bytes::Bytes;
use milepost_proto::journal::v1 as proto;
use milepost_types::Position;

pub(crate) fn to_proto(position: &Position) -> proto::Position {
    proto::Position {
        log_id: position.log.to_string(),
        sequence: position.sequence,
        hash_prefix: Bytes::copy_from_slice(position.hash.as_bytes()),
    }
}

pub(crate) fn from_proto(message: &proto::Position) -> Option<Position> {
    Position::from_fields(&message.log_id, message.sequence, &message.hash_prefix)
}
