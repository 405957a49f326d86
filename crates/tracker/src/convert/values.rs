//! Dates that were stored.
//!
//! Invariant: a date of a message is a day that exists or a fault; it is never completed.

use jiff::civil::Date;
use milepost_proto::google::r#type::Date as DateMessage;
use milepost_resource::Unreadable;
use milepost_service::value;

/// The date that was stored.
pub(crate) fn stored_date(message: Option<&DateMessage>) -> Result<Option<Date>, Unreadable> {
    message.copied().map(value::date).transpose().map_err(Unreadable::new)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

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
}
