//! The methods of assignments besides the standard ones.

use milepost_proto::registry::v1::*;
use milepost_resource::{Custom, Run, call, target, write};
use milepost_types::{Violations, text};

use super::officers;
use super::{Named, day, may, reference};
use crate::liaison::{End, HandOver, check_officer, end, hand_over};

/// The methods of assignments.
pub(crate) fn of_assignments() -> Vec<Named> {
    vec![
        call("ListOfficers", officers::list),
        write("HandOverAssignment", |request: HandOverAssignmentRequest, violations| {
            let target = target::<Assignment>(&request, violations);
            let arguments = read_hand_over(request, violations);
            Some(Custom::act(target?, arguments?, hand_over as Run<_, _, _>))
        }),
        write("EndAssignment", |request: EndAssignmentRequest, violations| {
            let target = target::<Assignment>(&request, violations);
            let date = day("date", request.date, violations);
            let reason = violations.check("reason", may(&request.reason));
            Some(Custom::act(target?, End { date: date?, reason: reason? }, end as Run<_, _, _>))
        }),
    ]
}

fn read_hand_over(request: HandOverAssignmentRequest, violations: &mut Violations) -> Option<HandOver> {
    let person = violations.check("person", text::line(request.person, 200));
    if let Some(person) = &person {
        check_officer("person", person, violations);
    }
    let organization = reference::<Organization>("organization", request.organization, violations);
    let date = day("date", request.date, violations);
    let reason = violations.check("reason", text::text(request.reason));
    let successor = Some(request.successor_id.as_str()).filter(|id| !id.is_empty());
    let successor = violations.check_optional("successor_id", successor, str::parse);
    Some(HandOver {
        person: person?,
        organization: organization?,
        date: date?,
        reason: reason?,
        successor: successor?,
    })
}
