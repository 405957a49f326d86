//! The methods of alliances and their activities besides the standard ones.

use std::collections::BTreeSet;

use milepost_proto::registry::v1::*;
use milepost_resource::{Custom, Name, Run, check_message, names, target, write};
use milepost_types::{Violations, limits, text};

use super::{Named, day, may, reference};
use crate::alliance::activity::{add_evidence, cancel, hold};
use crate::alliance::members::{Changes, change};

/// Bytes of a SHA-256.
const SHA256_BYTES: usize = 32;

/// The methods of alliances.
pub(crate) fn of_alliances() -> Vec<Named> {
    vec![write("ChangeAllianceMembers", |request: ChangeAllianceMembersRequest, violations| {
        let target = target::<Alliance>(&request, violations);
        let arguments = read_changes(request, violations);
        Some(Custom::act(target?, arguments?, change as Run<_, _, _>))
    })]
}

/// The methods of activities.
pub(crate) fn of_activities() -> Vec<Named> {
    vec![
        write("HoldActivity", |request: HoldActivityRequest, violations| {
            let target = target::<Activity>(&request, violations);
            let date = day("date", request.date, violations);
            Some(Custom::act(target?, date?, hold as Run<_, _, _>))
        }),
        write("CancelActivity", |request: CancelActivityRequest, violations| {
            let target = target::<Activity>(&request, violations);
            let reason = violations.check("reason", text::text(request.reason));
            Some(Custom::act(target?, reason?, cancel as Run<_, _, _>))
        }),
        write("AddActivityEvidence", |request: AddActivityEvidenceRequest, violations| {
            let target = target::<Activity>(&request, violations);
            let evidence = evidence(request.evidence, violations);
            Some(Custom::act(target?, evidence?, add_evidence as Run<_, _, _>))
        }),
    ]
}

fn read_changes(request: ChangeAllianceMembersRequest, violations: &mut Violations) -> Option<Changes> {
    let joining = organizations("joining", &request.joining, &BTreeSet::new(), violations);
    let leaving = organizations("leaving", &request.leaving, &joining.iter().cloned().collect(), violations);
    let lead = reference::<Organization>("lead", request.lead, violations);
    let date = day("date", request.date, violations);
    let reason = violations.check("reason", may(&request.reason));
    let lead = lead?;
    if request.joining.is_empty() && request.leaving.is_empty() && lead.is_empty() {
        violations.push("joining", "NOTHING_CHANGES", "say who joins, who leaves, or who leads");
    }
    if !lead.is_empty() && leaving.contains(&lead) {
        violations.push("lead", "CONTRADICTION", "it leaves; name one that stays or joins");
    }
    Some(Changes { joining, leaving, lead, date: date?, reason: reason? })
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

/// A document; its time is set when it is added.
fn evidence(given: Option<ActivityEvidence>, violations: &mut Violations) -> Option<ActivityEvidence> {
    let mut evidence = violations.require("evidence", given)?;
    let mut found = Violations::new();
    check_message(&mut evidence, &mut found);
    let bytes = evidence.sha256.len();
    if bytes > 0 && bytes != SHA256_BYTES {
        found.push("sha256", "INVALID_LENGTH", format!("a SHA-256 has {SHA256_BYTES} bytes, not {bytes}"));
    }
    violations.nest("evidence", found);
    Some(evidence)
}
