//! The methods of assignments besides the standard ones.
//!
//! Invariant: reading a request finds every fault of it at once. No rule of the domain is here.

use milepost_proto::registry::v1::*;
use milepost_resource::{act, optional_date, optional_text, person, required_text, write};
use milepost_types::Violations;

use super::officers;
use super::{Named, reference};
use crate::liaison::{End, HandOver, end, hand_over};

/// The methods of assignments.
pub(crate) fn of_assignments() -> Vec<Named> {
    vec![
        officers::list_officers(),
        write("HandOverAssignment", |request: HandOverAssignmentRequest, violations| {
            act(&request, hand_over, violations, |violations| read_hand_over(&request, violations))
        }),
        write("EndAssignment", |request: EndAssignmentRequest, violations| {
            act(&request, end, violations, |violations| {
                let date = optional_date("date", request.date, violations);
                let reason = optional_text("reason", &request.reason, violations);
                Some(End { date: date?, reason })
            })
        }),
    ]
}

fn read_hand_over(request: &HandOverAssignmentRequest, violations: &mut Violations) -> Option<HandOver> {
    let person = person("person", &request.person, violations);
    let organization = reference::<Organization>("organization", request.organization.clone(), violations);
    let date = optional_date("date", request.date, violations);
    let reason = required_text("reason", &request.reason, violations);
    let successor = Some(request.successor_id.as_str()).filter(|id| !id.is_empty());
    let successor = violations.check_optional("successor_id", successor, str::parse);
    Some(HandOver {
        person: person?,
        organization: organization?,
        date: date?,
        reason,
        successor: successor?,
    })
}
