//! The payload of the event by which a follower records that it continues in another log.
//!
//! Invariant: reading reverses writing; events of versions without lineages have none.

use milepost_ledger::{position_from_proto, position_to_proto};
use milepost_proto::event::v1::SourceReset;
use milepost_proto::journal::v1 as journal;
use milepost_types::{GoOn, Lineage, Position};

/// Its type.
pub const SOURCE_RESET: &str = "milepost.source.reset";

/// The reason in the event of a follower that continues by itself.
pub const RESTORED: &str = "the log was restored, and up to here it is the one that was followed";

/// The payload of a follower that was at `previous` and continues.
pub fn to_proto(previous: Option<Position>, on: &GoOn, reason: &str) -> SourceReset {
    SourceReset {
        previous_position: previous.as_ref().map(position_to_proto),
        position: Some(position_to_proto(&on.after)),
        reason: reason.to_owned(),
        fork: on.fork.as_ref().map(position_to_proto),
        lineage: on.lineage.forks().iter().map(position_to_proto).collect(),
    }
}

/// Where a follower was, and where it continues; `None` if a position is malformed.
pub fn from_proto(message: &SourceReset) -> Option<(Option<Position>, GoOn)> {
    // A position may be absent; one that is present must be well formed.
    let optional = |message: Option<&journal::Position>| match message {
        None => Some(None),
        Some(position) => position_from_proto(position).map(Some),
    };
    let lineage: Option<Vec<_>> = message.lineage.iter().map(position_from_proto).collect();
    let on = GoOn {
        after: message.position.as_ref().and_then(position_from_proto)?,
        fork: optional(message.fork.as_ref())?,
        lineage: Lineage::new(lineage?),
    };
    Some((optional(message.previous_position.as_ref())?, on))
}

#[cfg(test)]
mod tests {
    use milepost_types::{HashPrefix, LogId};

    use super::*;

    fn at(log: u8, sequence: u64) -> Position {
        let (log, hash) = (LogId::from_bytes([log; 16]), HashPrefix::from_bytes([3; 8]));
        Position { log, sequence, hash }
    }

    #[test]
    fn a_reset_is_read_back_and_a_position_that_is_none_is_not_passed_over() {
        let lineage = Lineage::new([at(1, 7), at(2, 5)]);
        for (previous, on) in [
            (None, GoOn::after(at(9, 4))),
            (Some(at(1, 4)), GoOn { after: at(9, 4), fork: Some(at(9, 7)), lineage }),
        ] {
            let message = to_proto(previous, &on, "why");
            assert_eq!(from_proto(&message), Some((previous, on)));
            let none = journal::Position { log_id: "x".into(), ..Default::default() };
            for broken in [
                SourceReset { position: None, ..message.clone() },
                SourceReset { position: Some(none.clone()), ..message.clone() },
                SourceReset { previous_position: Some(none.clone()), ..message.clone() },
                SourceReset { fork: Some(none.clone()), ..message.clone() },
                SourceReset { lineage: vec![none.clone()], ..message.clone() },
            ] {
                assert_eq!(from_proto(&broken), None);
            }
        }
    }
}
