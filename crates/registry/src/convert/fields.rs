//! Fields that several resources have, and codes.
//!
//! Invariant: a field that the mask does not name is not looked at, so it cannot be at fault.

use milepost_proto::google::r#type as gtype;
use milepost_proto::registry::v1 as proto;
use milepost_service::fields::Fields;
use milepost_types::{Money, limits, text};

use super::value;
use crate::details::PeriodPatch;

/// An amount that need not be known.
pub(crate) fn money(
    fields: &mut Fields<'_>,
    field: &str,
    given: Option<gtype::Money>,
) -> Option<Option<Money>> {
    fields
        .take_with(field, given.is_some(), |violations| violations.check_optional(field, given, value::money))
}

/// A period, whose ends may be named one by one.
pub(crate) fn period(
    fields: &mut Fields<'_>,
    field: &str,
    given: Option<proto::Period>,
) -> Option<PeriodPatch> {
    let proto::Period { start_date, end_date } = given.unwrap_or_default();
    let day = |date: Option<gtype::Date>| date.map(value::date).transpose();
    let start = fields.take_part(field, "start_date", start_date.is_some(), || day(start_date));
    let end = fields.take_part(field, "end_date", end_date.is_some(), || day(end_date));
    (start.is_some() || end.is_some()).then_some(PeriodPatch { start, end })
}

/// A line with a code or an identifier.
pub(crate) fn code(given: String) -> Result<String, text::TextError> {
    text::line(given, limits::CODE_CHARS)
}

/// A line with the name of a scheme or a role.
pub(crate) fn scheme(given: String) -> Result<String, text::TextError> {
    text::line(given, limits::SCHEME_CHARS)
}
