//! Values that messages hold, as the domain has them.
//!
//! Invariant: what is read here was checked when it was accepted; what cannot be read counts as absent only
//! where the function says so.

use jiff::Timestamp;
use jiff::civil::Date;
use milepost_proto::google::r#type as gtype;
use milepost_proto::registry::v1 as registry;
pub use milepost_service::value::{date_message, instant_message};
use milepost_types::{CurrencyCode, Money, Period};
use prost::Message;

use crate::row::Unreadable;

/// The message that these bytes are.
///
/// # Errors
/// If they are none.
pub fn decode<M: Message + Default>(bytes: &[u8]) -> Result<M, Unreadable> {
    Ok(M::decode(bytes)?)
}

/// How many bytes a message has.
pub fn encoded_len<M: Message>(message: &M) -> usize {
    message.encoded_len()
}

/// The date of a message; none if it has none.
pub fn date(message: Option<&gtype::Date>) -> Option<Date> {
    message.and_then(|message| milepost_service::value::date(*message).ok())
}

/// The instant of a message; none if it has none.
pub fn instant(message: Option<&prost_types::Timestamp>) -> Option<Timestamp> {
    message.and_then(|message| Timestamp::new(message.seconds, message.nanos).ok())
}

/// The amount of a message; none if it has none. Its currency need not be one that is accepted today.
pub fn money(message: Option<&gtype::Money>) -> Option<Money> {
    let message = message?;
    Money::new(CurrencyCode::stored(&message.currency_code)?, message.units, message.nanos).ok()
}

/// An amount as a message.
pub fn money_message(money: &Money) -> gtype::Money {
    gtype::Money { currency_code: money.currency().to_string(), units: money.units(), nanos: money.nanos() }
}

/// The period of a message; an end that it does not have is open.
pub fn period(message: Option<&registry::Period>) -> Period {
    let end = |date: fn(&registry::Period) -> Option<&gtype::Date>| self::date(message.and_then(date));
    Period::stored(end(|period| period.start_date.as_ref()), end(|period| period.end_date.as_ref()))
}
