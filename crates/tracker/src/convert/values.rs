//! Dates and instants that were stored.
//!
//! Invariant: a date of a message is a day that exists or a fault; it is never completed.

use jiff::Timestamp;
use jiff::civil::Date;
use milepost_proto::google::r#type::Date as DateMessage;
use milepost_service::value;

use super::Unreadable;

/// The date that was stored.
pub(crate) fn stored_date(message: Option<&DateMessage>) -> Result<Option<Date>, Unreadable> {
    message.copied().map(value::date).transpose().map_err(Unreadable::new)
}

/// The instant that was stored.
pub(crate) fn stored_time(message: Option<&prost_types::Timestamp>) -> Result<Option<Timestamp>, Unreadable> {
    message.map(|time| Timestamp::new(time.seconds, time.nanos)).transpose().map_err(Unreadable::new)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_date_that_is_none_is_a_fault() {
        let message = |year, month, day| DateMessage { year, month, day };
        assert_eq!(value::date(message(2021, 5, 27)), Ok(date(2021, 5, 27)));
        for wrong in [message(2021, 2, 30), message(2021, 0, 1), message(0, 0, 0), message(1, 1, -1)] {
            assert!(value::date(wrong).is_err(), "{wrong:?}");
            assert!(stored_date(Some(&wrong)).is_err(), "{wrong:?}");
        }
        assert_eq!(stored_date(None), Ok(None));
    }

    proptest! {
        #[test]
        fn an_instant_is_read_back(seconds in -62_135_596_800i64..253_402_207_200, nanos in 0i32..1_000_000_000) {
            let time = Timestamp::new(seconds, nanos).unwrap();
            let message = value::instant_message(time);
            prop_assert!(message.nanos >= 0);
            prop_assert_eq!((message.seconds, message.nanos), (seconds, nanos));
            prop_assert_eq!(stored_time(Some(&message)), Ok(Some(time)));
        }
    }
}
