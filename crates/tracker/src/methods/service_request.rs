//! The methods of service requests besides the standard ones.
//!
//! Invariant: reading a request finds every fault of it at once. No rule of the domain is here.

use milepost_proto::tracker::v1::*;
use milepost_resource::{Method, act, optional_date, optional_text, query, required_text, write};
use milepost_service::value::date;
use milepost_types::{Period, Violations, limits, text};

use super::in_portfolio;
use crate::decide::Tracker;
use crate::service_request::statistics::{self, StatisticsRequest};
use crate::service_request::{Rating, accept, answer, pause, rate, resume, return_answer, withdraw};

/// The methods of service requests.
pub(crate) fn of_service_requests() -> Vec<(&'static str, Method<Tracker>)> {
    vec![
        query(
            "GetServiceRequestStatistics",
            read_statistics,
            |request| &request.min_revisions,
            statistics::of,
        ),
        write("AcceptServiceRequest", |request: AcceptServiceRequestRequest, violations| {
            act(&request, accept, violations, |violations| optional_date("date", request.date, violations))
        }),
        write("AnswerServiceRequest", |request: AnswerServiceRequestRequest, violations| {
            act(&request, answer, violations, |violations| {
                let text = required_text("text", &request.text, violations);
                let date = optional_date("date", request.date, violations);
                Some((text, date?))
            })
        }),
        write("ReturnServiceRequest", |request: ReturnServiceRequestRequest, violations| {
            act(&request, return_answer, violations, |violations| {
                let reason = required_text("reason", &request.reason, violations);
                let date = optional_date("date", request.date, violations);
                Some((reason, date?))
            })
        }),
        write("RateServiceRequest", |request: RateServiceRequestRequest, violations| {
            act(&request, rate, violations, |violations| rating(&request, violations))
        }),
        write("WithdrawServiceRequest", |request: WithdrawServiceRequestRequest, violations| {
            act(&request, withdraw, violations, |violations| {
                let reason = optional_text("reason", &request.reason, violations);
                let date = optional_date("date", request.date, violations);
                Some((reason, date?))
            })
        }),
        write("PauseServiceRequest", |request: PauseServiceRequestRequest, violations| {
            act(&request, pause, violations, |violations| {
                let reason = required_text("reason", &request.reason, violations);
                let code = violations.check("code", text::line(&request.code, limits::PAUSE_CODE_CHARS));
                let date = optional_date("date", request.date, violations);
                Some((reason, code?, date?))
            })
        }),
        write("ResumeServiceRequest", |request: ResumeServiceRequestRequest, violations| {
            act(&request, resume, violations, |violations| optional_date("date", request.date, violations))
        }),
    ]
}

fn rating(request: &RateServiceRequestRequest, violations: &mut Violations) -> Option<Rating> {
    match request.rating {
        0 => violations.push(
            "rating",
            "REQUIRED",
            "give a rating from 1 (not satisfied at all) to 5 (entirely)",
        ),
        1..=5 => {}
        rating => violations.push("rating", "OUT_OF_RANGE", format!("{rating} is not from 1 to 5")),
    }
    let comment = optional_text("comment", &request.comment, violations);
    let date = optional_date("date", request.date, violations);
    Some(Rating { rating: request.rating, comment, date: date? })
}

fn read_statistics(
    request: &GetServiceRequestStatisticsRequest,
    violations: &mut Violations,
) -> Option<StatisticsRequest> {
    let parent = in_portfolio::<ServiceRequest>("the figures are of", &request.parent, violations);
    let mut end = |field: &str, given| {
        let given = violations.require(field, given)?;
        violations.check(field, date(given))
    };
    let (from, to) = (end("from_date", request.from_date), end("to_date", request.to_date));
    let period =
        from.zip(to).and_then(|(from, to)| violations.check("to_date", Period::new(Some(from), Some(to))));
    Some(StatisticsRequest { parent: parent?, period: period? })
}
