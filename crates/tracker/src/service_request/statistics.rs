//! How service requests were answered in a period, and how satisfied the requesters were.
//!
//! Invariant: the share is an exact fraction, rounded once. Deleted requests do not count.

use jiff::civil::Date;
use milepost_proto::figure::v1::Figure;
use milepost_proto::tracker::v1::service_request::State;
use milepost_proto::tracker::v1::{GetServiceRequestStatisticsResponse, ServiceRequest};
use milepost_resource::{ParentIds, Query, Rows, date, field_numbers, read_fields};
use milepost_types::{Fraction, Period, Rejection};

use crate::decide::Tracker;

/// Who rates as high as this is satisfied.
const SATISFIED: i32 = 4;

/// What is asked.
pub(crate) struct StatisticsRequest {
    pub(crate) parent: ParentIds,
    /// Both ends are there.
    pub(crate) period: Period,
}

/// The fields that are counted.
const COUNTED: &[&str] =
    &["state", "level", "request_date", "answers", "rating", "rating_date", "delete_time"];

/// The answer to it.
///
/// # Errors
/// If what is asked for is not there, or a row cannot be decoded.
pub(crate) fn of(
    query: Query<'_, Tracker, StatisticsRequest>,
) -> Result<GetServiceRequestStatisticsResponse, Rejection> {
    Ok(GetServiceRequestStatisticsResponse {
        revision: query.revision(),
        ..count(&query.rows, query.request)?
    })
}

/// The answer but for its revision.
pub(super) fn count(
    rows: &Rows<'_, Tracker>,
    StatisticsRequest { parent, period }: &StatisticsRequest,
) -> Result<GetServiceRequestStatisticsResponse, Rejection> {
    parent.check_there::<_, ServiceRequest>(rows)?;
    let mut answer = GetServiceRequestStatisticsResponse::default();
    let (mut satisfied, counted) = (0, field_numbers::<ServiceRequest>(COUNTED));
    for found in rows.under::<ServiceRequest>(&parent.0, None) {
        let (name, row) = found?;
        let request: ServiceRequest = read_fields(&row, &counted).map_err(|error| name.damaged(error))?;
        if request.delete_time.is_none() {
            satisfied += i32::from(add(&mut answer, &request, period));
        }
    }
    answer.satisfied = Some(share(satisfied, answer.rated_count));
    Ok(answer)
}

/// Adds a request; whether it was rated in the period by somebody who was satisfied.
fn add(answer: &mut GetServiceRequestStatisticsResponse, request: &ServiceRequest, period: &Period) -> bool {
    let within = |day: Option<Date>| day.is_some_and(|day| period.contains(day));
    answer.requested_count += i32::from(within(date(request.request_date.as_ref())));
    for given in request.answers.iter().filter(|given| within(date(given.answer_date.as_ref()))) {
        answer.answer_count += 1;
        answer.returned_count += i32::from(given.return_date.is_some());
    }
    let is_waiting = matches!(request.state(), State::Open | State::Accepted);
    answer.overdue_count += i32::from(is_waiting && request.level > 0);
    answer.unrated_count += i32::from(request.state() == State::Answered);
    let is_rated = within(date(request.rating_date.as_ref()));
    answer.rated_count += i32::from(is_rated);
    is_rated && request.rating.is_some_and(|rating| rating >= SATISFIED)
}

/// The share of those who were satisfied of those who rated, in percent.
fn share(satisfied: i32, rated: i32) -> Figure {
    let fraction = Fraction::new(satisfied.into(), rated.into());
    Figure {
        value: fraction.map(|fraction| fraction.rounded(100, 1)),
        numerator: satisfied.to_string(),
        denominator: rated.to_string(),
        counted: rated,
        ..Figure::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// office.md, section 2: satisfied is 4 and 5 of those who rated.
    #[test]
    fn a_share_is_rounded_once_and_none_without_ratings() {
        let value = |satisfied, rated| share(satisfied, rated).value;
        assert_eq!(value(2, 3).as_deref(), Some("66.7"));
        assert_eq!(value(3, 3).as_deref(), Some("100.0"));
        assert_eq!(value(0, 7).as_deref(), Some("0.0"));
        assert_eq!(value(0, 0), None);
    }
}
