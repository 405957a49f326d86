//! The fields of a milestone that callers set, read under a mask.
//!
//! Invariant: a field that the mask does not name is not looked at, so it cannot be at fault. Paths of
//! violations are relative to the milestone.

use std::collections::BTreeSet;

use jiff::Timestamp;
use milepost_proto::tracker::v1 as proto;
use milepost_types::{Fault, Violations, limits, text};

use super::mask::Mask;
use super::request::optional_date;
use crate::milestone::{DURATION_MAX, Details, Evidence, Patch, WEIGHT_MAX};

/// What a message says of the fields that the mask names.
pub(crate) fn patch(message: proto::Milestone, mask: &Mask, violations: &mut Violations) -> Patch {
    let mut reader = Reader { mask, violations };
    let dates = mask.compares();
    Patch {
        display_name: reader.read("display_name", !message.display_name.is_empty(), |field, violations| {
            violations.check(field, text::display_name(message.display_name))
        }),
        translations: reader.read("translations", !message.translations.is_empty(), |field, violations| {
            violations.check(field, text::translations(message.translations))
        }),
        kind: reader.line("type", message.r#type, limits::SCHEME_CHARS),
        code: reader.line("code", message.code, limits::SCHEME_CHARS),
        weight: reader.read("weight", message.weight.is_some(), |field, violations| {
            violations.check_optional(field, message.weight, |weight| within(weight, WEIGHT_MAX))
        }),
        owner: reader.read("owner", !message.owner.is_empty(), |field, violations| {
            let given = (!message.owner.is_empty()).then_some(message.owner);
            violations.check_optional(field, given, |owner| owner.parse())
        }),
        required_evidence: reader.read(
            "required_evidence",
            !message.required_evidence.is_empty(),
            |field, violations| titles(field, message.required_evidence, violations),
        ),
        remarks: reader.read("remarks", !message.remarks.is_empty(), |field, violations| {
            violations.check(field, optional(message.remarks, text::text))
        }),
        duration_working_days: reader.read(
            "duration_working_days",
            message.duration_working_days != 0,
            |field, violations| violations.check(field, within(message.duration_working_days, DURATION_MAX)),
        ),
        labels: reader.read("labels", !message.labels.is_empty(), |field, violations| {
            violations.check(field, text::labels(message.labels))
        }),
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

struct Reader<'a> {
    mask: &'a Mask,
    violations: &'a mut Violations,
}

impl Reader<'_> {
    fn read<T>(
        &mut self,
        field: &str,
        present: bool,
        read: impl FnOnce(&str, &mut Violations) -> Option<T>,
    ) -> Option<T> {
        if self.mask.takes(field, present) { read(field, self.violations) } else { None }
    }

    fn line(&mut self, field: &str, given: String, limit: usize) -> Option<String> {
        self.read(field, !given.is_empty(), |field, violations| {
            violations.check(field, optional(given, |given| text::line(given, limit)))
        })
    }
}

/// A text that may be empty, for nothing said; else it is checked.
pub(super) fn optional<E>(
    given: String,
    check: impl FnOnce(String) -> Result<String, E>,
) -> Result<String, E> {
    if given.is_empty() { Ok(given) } else { check(given) }
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
