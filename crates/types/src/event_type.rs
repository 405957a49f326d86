//! The types that events have: the one list of them.
//!
//! Invariant: holds every type that a service of this version makes, and no other; a test reads the services'
//! sources. Types are permanent: their meaning is documented at `milepost.event.v1.Event.payload`. Events
//! of newer services may have others: they are passed on, and selected by what their types begin with.

use std::sync::LazyLock;

use crate::quote::quoted;
use crate::suggest::nearest;

macro_rules! event_types {
    (resources: [$($noun:literal),* $(,)?], others: [$($other:literal),* $(,)?] $(,)?) => {
        &[
            $(
                concat!("milepost.", $noun, ".created"),
                concat!("milepost.", $noun, ".updated"),
                concat!("milepost.", $noun, ".deleted"),
                concat!("milepost.", $noun, ".undeleted"),
            )*
            $($other),*
        ]
    };
}

/// Every type: the four of each resource, and those of methods, days and sources.
const UNSORTED: &[&str] = event_types!(
    resources: [
        "activity",
        "alliance",
        "assignment",
        "annual_list",
        "batch",
        "campaign",
        "excuse",
        "collection",
        "finding",
        "indicator",
        "inspection",
        "milestone",
        "organization",
        "phase",
        "policy",
        "policy_programme",
        "portfolio",
        "project",
        "rectification_order",
        "service_account",
        "service_request",
        "template",
        "template_version",
        "timeline_entry",
        "timeline_rule",
        "warning_policy",
    ],
    others: [
        "milepost.activity.cancelled",
        "milepost.activity.held",
        "milepost.alliance.members_changed",
        "milepost.annual_list.members_changed",
        "milepost.api_token.created",
        "milepost.api_token.deleted",
        "milepost.assignment.ended",
        "milepost.assignment.handed_over",
        "milepost.batch.cancelled",
        "milepost.batch.members_changed",
        "milepost.batch.started",
        "milepost.campaign.amended",
        "milepost.campaign.cancelled",
        "milepost.campaign.closed",
        "milepost.campaign.lead_changed",
        "milepost.campaign.members_changed",
        "milepost.campaign.opened",
        "milepost.campaign.revised",
        "milepost.campaign.signed_off",
        "milepost.campaign.standings_computed",
        "milepost.collection.element_completed",
        "milepost.collection.members_changed",
        "milepost.finding.closed",
        "milepost.finding.ordered",
        "milepost.finding.reopened",
        "milepost.finding.withdrawn",
        "milepost.coupling.achieved",
        "milepost.coupling.broken",
        "milepost.grant.break_glass",
        "milepost.grant.created",
        "milepost.grant.deleted",
        "milepost.indicator.contradicted",
        "milepost.indicator.reconciled",
        "milepost.indicator.target_reached",
        "milepost.indicator.threshold_crossed",
        "milepost.inspection.cancelled",
        "milepost.inspection.done",
        "milepost.milestone.achieved",
        "milepost.milestone.cancelled",
        "milepost.milestone.due_soon",
        "milepost.milestone.evidence_added",
        "milepost.milestone.expired",
        "milepost.milestone.expiring",
        "milepost.milestone.extended",
        "milepost.milestone.not_met",
        "milepost.milestone.outlook_changed",
        "milepost.milestone.overdue",
        "milepost.milestone.partially_achieved",
        "milepost.milestone.rebaselined",
        "milepost.milestone.reforecast",
        "milepost.milestone.reopened",
        "milepost.observation.created",
        "milepost.observation.displaced",
        "milepost.observation.preferred",
        "milepost.observation.retracted",
        "milepost.policy.matched",
        "milepost.policy.published",
        "milepost.policy.superseded",
        "milepost.policy.unmatched",
        "milepost.policy.withdrawn",
        "milepost.policy_programme.published",
        "milepost.portfolio.date_advanced",
        "milepost.portfolio.date_advancing",
        "milepost.project.cancelled",
        "milepost.project.commissioned",
        "milepost.project.completed",
        "milepost.project.plan_adjusted",
        "milepost.project.prepared",
        "milepost.project.resumed",
        "milepost.project.started",
        "milepost.project.suspended",
        "milepost.rectification_order.answered",
        "milepost.rectification_order.closed",
        "milepost.rectification_order.escalated",
        "milepost.rectification_order.extended",
        "milepost.rectification_order.extension_requested",
        "milepost.rectification_order.light_changed",
        "milepost.rectification_order.returned",
        "milepost.rectification_order.withdrawn",
        "milepost.requirement.satisfied",
        "milepost.requirement.unsatisfied",
        "milepost.service_request.accepted",
        "milepost.service_request.answered",
        "milepost.service_request.escalated",
        "milepost.service_request.officer_changed",
        "milepost.service_request.overdue",
        "milepost.service_request.paused",
        "milepost.service_request.rated",
        "milepost.service_request.resumed",
        "milepost.service_request.returned",
        "milepost.service_request.withdrawn",
        "milepost.source.followed",
        "milepost.source.matched",
        "milepost.source.partly_followed",
        "milepost.source.refollowed",
        "milepost.source.reset",
        "milepost.source.skipped",
        "milepost.template.applied",
        "milepost.template.upgraded",
        "milepost.template.version_published",
        "milepost.timeline_entry.published",
        "milepost.timeline_entry.revised",
        "milepost.timeline_entry.withdrawn",
        "milepost.excuse.granted",
        "milepost.excuse.refused",
        "milepost.warning.cleared",
        "milepost.warning.corrected",
        "milepost.warning.created",
        "milepost.warning.escalated",
        "milepost.warning.excused",
        "milepost.warning.raised",
        "milepost.warning.superseded",
        "milepost.warning_policy.adopted",
        "milepost.warning_policy.retired",
    ],
);

/// Every type, sorted.
pub static EVENT_TYPES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let mut types = UNSORTED.to_vec();
    types.sort_unstable();
    types
});

/// Longer texts get no suggestion.
const SUGGESTED_BYTES: usize = 100;

/// Whether an event of this version may have the type.
pub fn is_known(kind: &str) -> bool {
    EVENT_TYPES.binary_search(&kind).is_ok()
}

/// What to say of a text, possibly with a star at its end, that fits no type.
pub fn unknown(text: &str) -> String {
    let given = quoted(text);
    let families = families();
    let meant = match text.strip_suffix(".*") {
        None if families.contains(&text) => Some(format!("{text}.*")),
        // A suggestion takes time that grows with the text; one so long was no slip of the keys.
        _ if text.len() > SUGGESTED_BYTES => None,
        Some(family) => nearest(family, families.iter().copied()).map(|family| format!("{family}.*")),
        None => nearest(text, EVENT_TYPES.iter().copied()).map(str::to_owned),
    };
    match meant.filter(|meant| meant != text) {
        Some(meant) => format!("no event has the type {given}; did you mean {meant}?"),
        None => format!("no event has the type {given}; types begin with {}", families.join(", ")),
    }
}

/// What types begin with, as in `milepost.milestone`.
fn families() -> Vec<&'static str> {
    let mut families: Vec<_> = EVENT_TYPES.iter().filter_map(|kind| Some(kind.rsplit_once('.')?.0)).collect();
    families.dedup();
    families
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_sorted_and_none_stands_twice() {
        assert!(EVENT_TYPES.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(is_known("milepost.batch.cancelled") && is_known("milepost.source.skipped"));
        assert!(!is_known("milepost.bogus") && !is_known("milepost.milestone"));
    }

    #[test]
    fn a_mistyped_type_is_met_with_the_one_that_was_meant() {
        for (text, meant) in [
            ("milepost.milestone.acheived", "did you mean milepost.milestone.achieved?"),
            ("milepost.milestones.reforecast", "did you mean milepost.milestone.reforecast?"),
            ("milepost.milestone", "did you mean milepost.milestone.*?"),
            ("milepost.milstone.*", "did you mean milepost.milestone.*?"),
            ("milepost.bogus", "types begin with milepost.a"),
        ] {
            let said = unknown(text);
            assert!(said.contains(meant) && said.contains(&format!("\"{text}\"")), "{said}");
        }
    }
}
