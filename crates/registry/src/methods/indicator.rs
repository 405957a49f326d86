//! The methods of indicators and observations besides the standard ones.
//!
//! Invariant: reading a request finds every fault of it at once. No rule of the domain is here.

use jiff::civil::Date;
use milepost_proto::google::r#type as gtype;
use milepost_proto::registry::v1::*;
use milepost_proto::resource::TargetRequest;
use milepost_resource::{
    Act, Name, Query, Run, act, enum_value, optional_date, query, reason_and_day, write,
};
use milepost_types::{Period as Days, Rejection, Violations, text};

use super::Named;
use crate::indicator::observation::{Decision, prefer, retract};
use crate::indicator::{SeriesRequest, Span, answer};
use crate::portfolio::asked_date;
use crate::tables::Registry;

/// The methods of indicators.
pub(crate) fn of_indicators() -> Vec<Named> {
    vec![query("GetIndicatorSeries", read_series, |request| &request.min_revisions, answer_series)]
}

/// The methods of observations.
pub(crate) fn of_observations() -> Vec<Named> {
    vec![
        write("PreferObservation", |request: PreferObservationRequest, violations| {
            decided(&request, &request.reason, request.date, prefer, violations)
        }),
        write("RetractObservation", |request: RetractObservationRequest, violations| {
            decided(&request, &request.reason, request.date, retract, violations)
        }),
    ]
}

/// A decision on an observation.
fn decided(
    request: &impl TargetRequest,
    reason: &str,
    date: Option<gtype::Date>,
    decide: Run<Registry, Observation, Decision>,
    violations: &mut Violations,
) -> Option<Box<dyn Act<Registry>>> {
    act(request, decide, violations, |violations| {
        let (reason, date) = reason_and_day(reason, date, violations)?;
        Some(Decision { reason, date })
    })
}

/// The indicator whose series is asked for, up to which day, and what of it.
type Series = (Name<Indicator>, Option<Date>, SeriesRequest);

fn read_series(request: &GetIndicatorSeriesRequest, violations: &mut Violations) -> Option<Series> {
    let name = violations.check("name", request.name.parse());
    let date = optional_date("date", request.date, violations);
    let knowledge = enum_value("knowledge", request.knowledge, violations);
    let dimensions = violations.check("dimensions", text::labels(request.dimensions.clone()));
    let span = match request.span {
        None => Some(None),
        Some(span) => read_span(span, violations).map(Some),
    };
    let request = SeriesRequest { knowledge: knowledge?, dimensions: dimensions?, span: span? };
    Some((name?, date?, request))
}

/// A span whose ends are both given.
fn read_span(Period { start_date, end_date }: Period, violations: &mut Violations) -> Option<Span> {
    let mut end = |field: &str, given: Option<gtype::Date>| {
        let given = violations.require(field, given)?;
        optional_date(field, Some(given), violations).flatten()
    };
    let (start, end) = (end("span.start_date", start_date), end("span.end_date", end_date));
    let (start, end) = (start?, end?);
    violations.check("span", Days::new(Some(start), Some(end)))?;
    Some(Span { end, start })
}

fn answer_series(query: Query<'_, Registry, Series>) -> Result<GetIndicatorSeriesResponse, Rejection> {
    let (name, date, request) = query.request;
    let indicator = query.rows.find(name)?;
    let date = asked_date(&query.rows, &name.parent(), query.now, *date)?;
    let series = Some(answer(&query.rows, &indicator, date, request)?);
    Ok(GetIndicatorSeriesResponse { series, revision: query.revision() })
}
