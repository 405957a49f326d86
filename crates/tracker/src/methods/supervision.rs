//! The methods of inspections, findings and rectification orders besides the standard ones.
//!
//! Invariant: reading a request finds every fault of it at once. No rule of the domain is here.

use milepost_proto::tracker::v1::review_rectification_order_request::Verdict;
use milepost_proto::tracker::v1::*;
use milepost_resource::{
    Method, act, documents, enum_value, evidence, optional_date, optional_text, reason_and_day,
    required_text, write,
};
use milepost_service::value::date;
use milepost_types::{Violations, limits};

use crate::decide::Tracker;
use crate::supervision::{
    Answer, ExtensionRequest, Review, add_evidence, answer, cancel, complete, extend, request_extension,
    review, withdraw_finding, withdraw_order,
};

/// The methods of inspections.
pub(crate) fn of_inspections() -> Vec<(&'static str, Method<Tracker>)> {
    vec![
        write("CompleteInspection", |request: CompleteInspectionRequest, violations| {
            act(&request, complete, violations, |violations| {
                let date = optional_date("date", request.date, violations);
                let reported = optional_date("reported_date", request.reported_date, violations);
                Some((date?, reported?))
            })
        }),
        write("CancelInspection", |request: CancelInspectionRequest, violations| {
            act(&request, cancel, violations, |violations| {
                reason_and_day(&request.reason, request.date, violations)
            })
        }),
    ]
}

/// The methods of findings.
pub(crate) fn of_findings() -> Vec<(&'static str, Method<Tracker>)> {
    vec![
        write("AddFindingEvidence", |request: AddFindingEvidenceRequest, violations| {
            act(&request, add_evidence, violations, |violations| {
                evidence(request.evidence.clone(), violations)
            })
        }),
        write("WithdrawFinding", |request: WithdrawFindingRequest, violations| {
            act(&request, withdraw_finding, violations, |violations| {
                reason_and_day(&request.reason, request.date, violations)
            })
        }),
    ]
}

/// The methods of rectification orders.
pub(crate) fn of_rectification_orders() -> Vec<(&'static str, Method<Tracker>)> {
    vec![
        write("AnswerRectificationOrder", |request: AnswerRectificationOrderRequest, violations| {
            act(&request, answer, violations, |violations| {
                let text = required_text("text", &request.text, violations);
                let evidence = documents(request.evidence.clone(), limits::ANSWER_EVIDENCE, violations);
                let date = optional_date("date", request.date, violations);
                Some(Answer { text, evidence: evidence?, date: date? })
            })
        }),
        write("ReviewRectificationOrder", |request: ReviewRectificationOrderRequest, violations| {
            act(&request, review, violations, |violations| reviewed(&request, violations))
        }),
        write(
            "RequestRectificationOrderExtension",
            |request: RequestRectificationOrderExtensionRequest, violations| {
                act(&request, request_extension, violations, |violations| {
                    let due = violations.require("due_date", request.due_date);
                    let due = due.and_then(|due| violations.check("due_date", date(due)));
                    let said = reason_and_day(&request.reason, request.date, violations);
                    let (reason, date) = said?;
                    Some(ExtensionRequest { due: due?, reason, date })
                })
            },
        ),
        write("ExtendRectificationOrder", |request: ExtendRectificationOrderRequest, violations| {
            act(&request, extend, violations, |violations| {
                reason_and_day(&request.reason, request.date, violations)
            })
        }),
        write("WithdrawRectificationOrder", |request: WithdrawRectificationOrderRequest, violations| {
            act(&request, withdraw_order, violations, |violations| {
                reason_and_day(&request.reason, request.date, violations)
            })
        }),
    ]
}

fn reviewed(request: &ReviewRectificationOrderRequest, violations: &mut Violations) -> Option<Review> {
    let verdict = enum_value("verdict", request.verdict, violations);
    if verdict == Some(Verdict::Unspecified) {
        violations.push("verdict", "REQUIRED", "say whether the answer is accepted or returned");
    }
    let reason = match verdict {
        Some(Verdict::Return) => required_text("reason", &request.reason, violations),
        _ => optional_text("reason", &request.reason, violations),
    };
    let date = optional_date("date", request.date, violations);
    Some(Review { verdict: verdict?, reason, date: date? })
}
