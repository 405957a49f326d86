//! Which fields an update names: `update_mask` after AIP-134 and AIP-161.
//!
//! Absent or empty, it names the fields that are set; `*` names all; else it names fields, maps and
//! lists as a whole.
//! Invariant: a mask that exists names only fields that an update may change.

use std::collections::BTreeSet;

use milepost_types::{Violations, quoted};
use prost_types::FieldMask;

/// The fields of a milestone that an update may change.
pub(crate) const FIELDS: [&str; 10] = [
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
];

/// The fields that only the methods named after the change, or the server, change.
pub(crate) const OTHERS: [(&str, &str); 14] = [
    ("actual_date", "it is set by AchieveMilestone and PartiallyAchieveMilestone"),
    ("baseline_date", "use RebaselineMilestone"),
    ("create_time", "the server sets it"),
    ("delete_time", "use DeleteMilestone and UndeleteMilestone"),
    ("etag", "the server sets it"),
    ("evidence", "use AddMilestoneEvidence"),
    ("forecast_date", "use ReforecastMilestone"),
    ("forecast_sequence", "the server sets it"),
    ("name", "a name is for ever"),
    ("outlook", "the server finds it"),
    ("state", "use the methods that are named after the change"),
    ("state_reason", "use the methods that are named after the change"),
    ("update_time", "the server sets it"),
    ("variance_working_days", "the server finds it"),
];

/// Which fields are read of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mask {
    /// All of them.
    All,
    /// Those that are set.
    Set,
    /// These.
    Named(BTreeSet<String>),
}

impl Mask {
    /// The mask of a request's `update_mask`.
    pub(crate) fn read(mask: Option<FieldMask>, violations: &mut Violations) -> Option<Self> {
        let paths = mask.unwrap_or_default().paths;
        if paths.is_empty() {
            return Some(Mask::Set);
        }
        if paths == ["*"] {
            return Some(Mask::All);
        }
        let before = violations.count();
        for (index, path) in paths.iter().enumerate().filter(|(_, path)| !FIELDS.contains(&path.as_str())) {
            refuse(index, path, violations);
        }
        (violations.count() == before).then(|| Mask::Named(paths.into_iter().collect()))
    }

    /// Whether a field is read; `present` tells whether it is set.
    pub(crate) fn takes(&self, field: &str, present: bool) -> bool {
        match self {
            Mask::All => true,
            Mask::Set => present,
            Mask::Named(fields) => fields.contains(field),
        }
    }

    /// Whether dates that may not change are compared with those that are there.
    pub(crate) fn compares(&self) -> bool {
        !matches!(self, Mask::Named(_))
    }
}

fn refuse(index: usize, path: &str, violations: &mut Violations) {
    let field = format!("update_mask.paths[{index}]");
    if path == "*" {
        violations.push(field, "INVALID_MASK", "\"*\" names all fields; give it alone");
    } else if let Some((_, instead)) = OTHERS.iter().find(|(other, _)| *other == path) {
        let description = format!("{path} is not changed by an update: {instead}");
        violations.push(field, "OUTPUT_ONLY", description);
    } else {
        let known = FIELDS.join(", ");
        let description = format!("there is no field {} to change; there are {known}", quoted(path));
        violations.push(field, "UNKNOWN_FIELD", description);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(paths: &[&str]) -> Result<Mask, Vec<(String, &'static str)>> {
        let mut violations = Violations::new();
        let paths = paths.iter().map(ToString::to_string).collect();
        let mask = Mask::read(Some(FieldMask { paths }), &mut violations);
        mask.ok_or_else(|| violations.iter().map(|found| (found.field.clone(), found.reason)).collect())
    }

    #[test]
    fn a_mask_names_what_is_set_all_or_what_it_says() {
        assert_eq!(Mask::read(None, &mut Violations::new()), Some(Mask::Set));
        assert_eq!(read(&[]), Ok(Mask::Set));
        assert!(Mask::Set.takes("code", true) && !Mask::Set.takes("code", false));
        assert!(read(&["*"]).unwrap().takes("code", false));
        let named = read(&["code", "labels"]).unwrap();
        assert!(named.takes("labels", false) && !named.takes("weight", true) && !named.compares());
    }

    #[test]
    fn every_path_that_names_nothing_to_change_is_refused() {
        let refused = read(&["state", "code", "cod", "*", "labels.x", "forecast_date"]).unwrap_err();
        let refused: Vec<_> = refused.iter().map(|(field, reason)| (field.as_str(), *reason)).collect();
        assert_eq!(
            refused,
            [
                ("update_mask.paths[0]", "OUTPUT_ONLY"),
                ("update_mask.paths[2]", "UNKNOWN_FIELD"),
                ("update_mask.paths[3]", "INVALID_MASK"),
                ("update_mask.paths[4]", "UNKNOWN_FIELD"),
                ("update_mask.paths[5]", "OUTPUT_ONLY"),
            ]
        );
    }

    #[test]
    fn every_field_of_the_schema_is_one_or_the_other() {
        use prost::Message;
        let set = prost_types::FileDescriptorSet::decode(milepost_proto::FILE_DESCRIPTOR_SET).unwrap();
        let file = set.file.iter().find(|file| file.package() == "milepost.tracker.v1").unwrap();
        let milestone = file.message_type.iter().find(|message| message.name() == "Milestone").unwrap();
        for field in &milestone.field {
            let changes = FIELDS.contains(&field.name());
            let other = OTHERS.iter().any(|(other, _)| *other == field.name());
            assert!(changes != other, "{}", field.name());
        }
        assert_eq!(milestone.field.len(), FIELDS.len() + OTHERS.len());
    }
}
