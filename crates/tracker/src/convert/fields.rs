//! The fields of a milestone that callers set, read under a mask.
//!
//! Invariant: a field that the mask does not name is not read, so it cannot be at fault. Paths of
//! violations are relative to the milestone.

use std::collections::BTreeSet;

use jiff::Timestamp;
use milepost_proto::tracker::v1 as proto;
use milepost_service::fields::Fields;
use milepost_service::mask::{Known, Mask};
use milepost_types::{Fault, Violations, limits, text};

use super::request::optional_date;
use crate::milestone::{DURATION_MAX, Details, Evidence, Patch, WEIGHT_MAX};

/// The fields of a milestone.
pub(crate) const KNOWN: Known = Known {
    fields: &[
        "code",
        "display_name",
        "duration_working_days",
        "labels",
        "owner",
        "remarks",
        "required_evidence",
        "translations",
        "type",
        "weight",
    ],
    parts: &[],
    methods: &[("baseline_date", "RebaselineMilestone"), ("forecast_date", "ReforecastMilestone")],
    output: &[
        ("actual_date", "it is set by AchieveMilestone and PartiallyAchieveMilestone"),
        ("evidence", "use AddMilestoneEvidence"),
        ("forecast_sequence", "the server sets it"),
        ("nearness", "the server finds it"),
        ("outlook", "the server finds it"),
        ("slippage", "the server finds it"),
        ("state", "use the methods that are named after the change"),
        ("state_reason", "use the methods that are named after the change"),
        ("variance_working_days", "the server finds it"),
    ],
};

/// What a message says of the fields that the mask names.
pub(crate) fn patch(message: proto::Milestone, mask: &Mask, violations: &mut Violations) -> Patch {
    let mut fields = Fields { mask, violations };
    // Dates that an update may not change are compared with those that are there, unless it leaves them out.
    let dates = !matches!(mask, Mask::Paths(_));
    Patch {
        display_name: fields.display_name(message.display_name),
        translations: fields.translations(message.translations),
        kind: fields.line("type", message.r#type, limits::SCHEME_CHARS),
        code: fields.line("code", message.code, limits::SCHEME_CHARS),
        weight: fields.take("weight", message.weight.is_some(), || {
            message.weight.map(|weight| within(weight, WEIGHT_MAX)).transpose()
        }),
        owner: fields.take("owner", !message.owner.is_empty(), || {
            let given = Some(message.owner).filter(|owner| !owner.is_empty());
            given.map(|owner| owner.parse()).transpose()
        }),
        required_evidence: fields.take_with(
            "required_evidence",
            !message.required_evidence.is_empty(),
            |violations| titles("required_evidence", message.required_evidence, violations),
        ),
        remarks: fields.text("remarks", message.remarks),
        duration_working_days: fields.take(
            "duration_working_days",
            message.duration_working_days != 0,
            || within(message.duration_working_days, DURATION_MAX),
        ),
        labels: fields.labels("labels", message.labels),
        baseline: dates
            .then(|| optional_date("baseline_date", message.baseline_date, violations))
            .flatten()
            .flatten(),
        forecast: dates
            .then(|| optional_date("forecast_date", message.forecast_date, violations))
            .flatten()
            .flatten(),
    }
}

/// The details that a creation says; `None` if any of them is at fault.
pub(crate) fn details(patch: Patch) -> Option<Details> {
    Some(Details {
        display_name: patch.display_name?,
        translations: patch.translations?,
        kind: patch.kind?,
        code: patch.code?,
        weight: patch.weight?,
        owner: patch.owner?,
        required_evidence: patch.required_evidence?,
        remarks: patch.remarks?,
        duration_working_days: patch.duration_working_days?,
        labels: patch.labels?,
    })
}

/// A number out of its bounds.
#[derive(Debug, thiserror::Error)]
#[error("{given} is not from 0 to {most}")]
struct OutOfRange {
    given: i32,
    most: i32,
}

impl Fault for OutOfRange {
    fn reason(&self) -> &'static str {
        "OUT_OF_RANGE"
    }
}

fn within(given: i32, most: i32) -> Result<i32, OutOfRange> {
    if (0..=most).contains(&given) { Ok(given) } else { Err(OutOfRange { given, most }) }
}

fn titles(field: &str, given: Vec<String>, violations: &mut Violations) -> Option<Vec<String>> {
    if !violations.check_count(field, given.len(), limits::REQUIRED_EVIDENCE) {
        return None;
    }
    let before = violations.count();
    let mut seen = BTreeSet::new();
    for (index, title) in given.iter().enumerate() {
        let field = format!("{field}[{index}]");
        if !seen.insert(title) {
            violations.push(field, "DUPLICATE", "the title is given twice");
        } else {
            violations.check(field, text::line(title.as_str(), limits::DISPLAY_NAME_CHARS));
        }
    }
    (violations.count() == before).then_some(given)
}

/// A document that was given; its time is set when it is added.
pub(crate) fn evidence(
    field: &str,
    message: proto::Evidence,
    violations: &mut Violations,
) -> Option<Evidence> {
    let title =
        violations.check(format!("{field}.title"), text::line(message.title, limits::DISPLAY_NAME_CHARS));
    let uri = violations.check(format!("{field}.uri"), text::line(message.uri, limits::URI_CHARS));
    let sha256 = match <[u8; 32]>::try_from(message.sha256) {
        Ok(digest) => Some(digest),
        Err(given) if given.is_empty() => violations.require(format!("{field}.sha256"), None),
        Err(given) => {
            let description = format!("a SHA-256 has 32 bytes, not {}", given.len());
            violations.push(format!("{field}.sha256"), "INVALID_LENGTH", description);
            None
        }
    };
    Some(Evidence { title: title?, uri: uri?, sha256: sha256?, create_time: Timestamp::UNIX_EPOCH })
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;

    #[test]
    fn every_field_of_the_schema_is_changed_by_an_update_or_otherwise() {
        let set = prost_types::FileDescriptorSet::decode(milepost_proto::FILE_DESCRIPTOR_SET).unwrap();
        let file = set.file.iter().find(|file| file.package() == "milepost.tracker.v1").unwrap();
        let milestone = file.message_type.iter().find(|message| message.name() == "Milestone").unwrap();
        let schema: BTreeSet<_> = milestone.field.iter().map(|field| field.name()).collect();
        let methods = KNOWN.methods.iter().map(|(field, _)| *field);
        let output = KNOWN.output().map(|(field, _)| field);
        let known: Vec<_> = KNOWN.fields.iter().copied().chain(methods).chain(output).collect();
        assert_eq!(known.len(), schema.len());
        assert_eq!(known.into_iter().collect::<BTreeSet<_>>(), schema);
    }
}
