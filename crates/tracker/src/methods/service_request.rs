//! The methods of service requests besides the standard ones.

use milepost_proto::resource::TargetRequest;
use milepost_proto::tracker::v1::*;
use milepost_resource::{Act, Custom, Method, ParentIds, Run, query, target, write};
use milepost_service::value::{date, said};
use milepost_types::{Period, Violations, text};

use super::day;
use crate::decide::Tracker;
use crate::service_request::statistics::{self, StatisticsRequest};
use crate::service_request::{Rating, accept, answer, pause, rate, resume, return_answer, withdraw};

/// The most characters of the code of a pause, as the schema says it.
const CODE_CHARS: usize = 64;

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
            act(&request, accept, violations, |violations| day("date", request.date, violations))
        }),
        write("AnswerServiceRequest", |request: AnswerServiceRequestRequest, violations| {
            act(&request, answer, violations, |violations| {
                let text = violations.check("text", text::text(&request.text));
                let date = day("date", request.date, violations);
                Some((text?, date?))
            })
        }),
        write("ReturnServiceRequest", |request: ReturnServiceRequestRequest, violations| {
            act(&request, return_answer, violations, |violations| {
                let reason = violations.check("reason", text::text(&request.reason));
                let date = day("date", request.date, violations);
                Some((reason?, date?))
            })
        }),
        write("RateServiceRequest", |request: RateServiceRequestRequest, violations| {
            act(&request, rate, violations, |violations| rating(&request, violations))
        }),
        write("WithdrawServiceRequest", |request: WithdrawServiceRequestRequest, violations| {
            act(&request, withdraw, violations, |violations| {
                let reason = violations.check("reason", said(request.reason.clone(), text::text));
                let date = day("date", request.date, violations);
                Some((reason?, date?))
            })
        }),
        write("PauseServiceRequest", |request: PauseServiceRequestRequest, violations| {
            act(&request, pause, violations, |violations| {
                let reason = violations.check("reason", text::text(&request.reason));
                let code = violations.check("code", text::line(&request.code, CODE_CHARS));
                let date = day("date", request.date, violations);
                Some((reason?, code?, date?))
            })
        }),
        write("ResumeServiceRequest", |request: ResumeServiceRequestRequest, violations| {
            act(&request, resume, violations, |violations| day("date", request.date, violations))
        }),
    ]
}

/// What is to be done to the request that a call names, with what else it says.
fn act<A: Send + Sync + 'static>(
    request: &impl TargetRequest,
    run: Run<Tracker, ServiceRequest, A>,
    violations: &mut Violations,
    read: impl FnOnce(&mut Violations) -> Option<A>,
) -> Option<Box<dyn Act<Tracker>>> {
    let target = target::<ServiceRequest>(request, violations);
    let arguments = read(violations);
    Some(Custom::act(target?, arguments?, run))
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
    let comment = violations.check("comment", said(request.comment.clone(), text::text));
    let date = day("date", request.date, violations);
    Some(Rating { rating: request.rating, comment: comment?, date: date? })
}

fn read_statistics(
    request: &GetServiceRequestStatisticsRequest,
    violations: &mut Violations,
) -> Option<StatisticsRequest> {
    let parent = violations.check("parent", ParentIds::read::<ServiceRequest>(&request.parent));
    let parent = parent.filter(|parent| {
        if parent.0.is_empty() {
            let description = "the figures are of one portfolio; give portfolios/{portfolio}/projects/-";
            violations.push("parent", "INVALID_NAME", description);
        }
        !parent.0.is_empty()
    });
    let mut end = |field: &str, given| {
        let given = violations.require(field, given)?;
        violations.check(field, date(given))
    };
    let (from, to) = (end("from_date", request.from_date), end("to_date", request.to_date));
    let period =
        from.zip(to).and_then(|(from, to)| violations.check("to_date", Period::new(Some(from), Some(to))));
    Some(StatisticsRequest { parent: parent?, period: period? })
}
