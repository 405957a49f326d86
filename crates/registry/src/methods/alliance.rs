//! The methods of alliances and their activities besides the standard ones.
//!
//! Invariant: reading a request finds every fault of it at once. No rule of the domain is here.

use std::collections::BTreeSet;

use milepost_proto::registry::v1::*;
use milepost_resource::{Name, act, evidence, names, optional_date, optional_text, reason_and_day, write};
use milepost_types::{Violations, limits};

use super::{Named, reference};
use crate::alliance::activity::{add_evidence, cancel, hold};
use crate::alliance::members::{Changes, change};

/// The methods of alliances.
pub(crate) fn of_alliances() -> Vec<Named> {
    vec![write("ChangeAllianceMembers", |request: ChangeAllianceMembersRequest, violations| {
        act(&request, change, violations, |violations| read_changes(&request, violations))
    })]
}

/// The methods of activities.
pub(crate) fn of_activities() -> Vec<Named> {
    vec![
        write("HoldActivity", |request: HoldActivityRequest, violations| {
            act(&request, hold, violations, |violations| optional_date("date", request.date, violations))
        }),
        write("CancelActivity", |request: CancelActivityRequest, violations| {
            act(&request, cancel, violations, |violations| {
                reason_and_day(&request.reason, request.date, violations)
            })
        }),
        write("AddActivityEvidence", |request: AddActivityEvidenceRequest, violations| {
            act(&request, add_evidence, violations, |violations| {
                evidence(request.evidence.clone(), violations)
            })
        }),
    ]
}

fn read_changes(request: &ChangeAllianceMembersRequest, violations: &mut Violations) -> Option<Changes> {
    let joining = organizations("joining", &request.joining, &BTreeSet::new(), violations);
    let leaving = organizations("leaving", &request.leaving, &joining.iter().cloned().collect(), violations);
    let lead = reference::<Organization>("lead", request.lead.clone(), violations);
    let date = optional_date("date", request.date, violations);
    let reason = optional_text("reason", &request.reason, violations);
    let lead = lead?;
    if request.joining.is_empty() && request.leaving.is_empty() && lead.is_empty() {
        violations.push("joining", "NOTHING_CHANGES", "say who joins, who leaves, or who leads");
    }
    if !lead.is_empty() && leaving.contains(&lead) {
        violations.push("lead", "CONTRADICTION", "it leaves; name one that stays or joins");
    }
    Some(Changes { joining, leaving, lead, date: date?, reason })
}

/// The names of organizations at a field, none twice and none of these.
fn organizations(
    field: &str,
    given: &[String],
    others: &BTreeSet<String>,
    violations: &mut Violations,
) -> Vec<String> {
    if !violations.check_count(field, given.len(), limits::ALLIANCE_MEMBERS) {
        return Vec::new();
    }
    let mut seen = BTreeSet::new();
    let read: Vec<(usize, Name<Organization>)> = names(field, given, violations);
    let mut found = Vec::with_capacity(read.len());
    for (i, name) in read {
        let name = name.to_string();
        if !seen.insert(name.clone()) {
            violations.push(format!("{field}[{i}]"), "DUPLICATE", "the organization is given twice");
        } else if others.contains(&name) {
            violations.push(
                format!("{field}[{i}]"),
                "CONTRADICTION",
                "it joins as well; it is one or the other",
            );
        } else {
            found.push(name);
        }
    }
    found
}
