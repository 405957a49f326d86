//! Which fields an update names.

use milepost_proto::registry::v1::{Batch, Project, Site};
use milepost_proto::resource::{Node as _, Resource};
use milepost_types::Violations;
use prost_types::FieldMask;

use crate::mask::{Mask, is_set};

/// The mask of these paths, or what is refused of them.
fn read<R: Resource>(paths: &[&str]) -> Result<Mask, Vec<(String, &'static str, String)>> {
    let mut found = Violations::new();
    let paths = paths.iter().map(ToString::to_string).collect();
    let mask = Mask::read(Some(FieldMask { paths }), R::FIELDS, &mut found);
    assert_eq!(mask.is_some(), found.is_empty());
    let found = found.iter().map(|one| (one.field.clone(), one.reason, one.description.clone()));
    mask.ok_or_else(|| found.collect())
}

#[test]
fn an_absent_or_empty_mask_names_what_is_set() {
    let mut found = Violations::new();
    assert_eq!(Mask::read(None, Project::FIELDS, &mut found), Some(Mask::Set));
    assert_eq!(read::<Project>(&[]), Ok(Mask::Set));
    assert!(Mask::Set.takes("site", true) && !Mask::Set.takes("site", false));
    assert!(Mask::Set.takes_part("site", "address", true) && !Mask::Set.takes_part("site", "address", false));
}

#[test]
fn a_star_names_all_also_what_is_not_set() {
    assert_eq!(read::<Project>(&["*"]), Ok(Mask::All));
    assert!(Mask::All.takes("site", false) && Mask::All.takes_part("site", "address", false));
}

#[test]
fn a_path_names_a_field_or_a_part_of_it() {
    let mask = read::<Project>(&["site.address", "key"]).unwrap();
    assert!(mask.takes_part("site", "address", false) && mask.takes("key", false));
    assert!(!mask.takes_part("site", "latitude", true) && !mask.takes("display_name", true));
    assert!(!mask.takes("site", true), "only a part of it is named");
    assert!(read::<Project>(&["site"]).unwrap().takes_part("site", "latitude", false));
    assert_eq!(read::<Project>(&["key", "key"]), read::<Project>(&["key"]));
}

#[test]
fn every_field_that_callers_set_is_named_by_itself_and_no_other() {
    let named = |field: &str| read::<Batch>(&[field]).is_ok();
    let named: Vec<_> = Batch::FIELDS.iter().map(|field| field.name).filter(|field| named(field)).collect();
    let expected = [
        "display_name",
        "translations",
        "start_date",
        "place",
        "declared_count",
        "declared_investment",
        "description",
        "labels",
    ];
    assert_eq!(named, expected);
}

#[test]
fn every_path_that_names_nothing_to_change_is_refused_with_what_to_do() {
    let paths =
        ["state", "members", "name", "etag", "delete_time", "*", "place", "nome", "start_date.year", ""];
    let refused = read::<Batch>(&paths).unwrap_err();
    let known = "there are display_name, translations, start_date, place, declared_count, \
                 declared_investment, description, labels";
    let unknown = |path: &str| format!("there is no field {path:?} to change; {known}");
    let expected = [
        (0, "OUTPUT_ONLY", "state is not changed by an update: use StartBatch and CancelBatch".to_owned()),
        (
            1,
            "CHANGED_BY_METHOD",
            "members is not changed by an update; use AddBatchMembers or RemoveBatchMembers".to_owned(),
        ),
        (2, "OUTPUT_ONLY", "name is not changed by an update: a name is for ever".to_owned()),
        (3, "OUTPUT_ONLY", "etag is not changed by an update: the server sets it".to_owned()),
        (
            4,
            "OUTPUT_ONLY",
            "delete_time is not changed by an update: use the methods that delete and undelete".to_owned(),
        ),
        (5, "INVALID_MASK", "\"*\" names all fields; give it alone".to_owned()),
        (7, "UNKNOWN_FIELD", unknown("nome")),
        (8, "UNKNOWN_FIELD", unknown("start_date.year")),
        (9, "UNKNOWN_FIELD", unknown("")),
    ];
    let expected = expected.map(|(i, reason, found)| (format!("update_mask.paths[{i}]"), reason, found));
    assert_eq!(refused, expected);
    // Lists and maps, and parts of parts, are named as a whole.
    for path in ["site.x", "site.address.x", "codes.scheme", "labels.a", "investment.units", "site."] {
        assert_eq!(read::<Project>(&[path]).unwrap_err()[0].1, "UNKNOWN_FIELD", "{path}");
    }
}

#[test]
fn what_is_zero_or_false_is_set_only_where_the_schema_tells_it_from_nothing() {
    let set = |project: Project, field: &str| {
        let at = Project::FIELDS.iter().position(|known| known.name == field).unwrap();
        is_set(project.value(at), &Project::FIELDS[at])
    };
    assert!(set(Project { key: Some(false), ..Project::default() }, "key"));
    assert!(set(Project { site: Some(Site::default()), ..Project::default() }, "site"));
    assert!(set(Project { codes: vec![Default::default()], ..Project::default() }, "codes"));
    for field in Project::FIELDS {
        assert!(!set(Project::default(), field.name), "{}", field.name);
    }
    let count = Batch::FIELDS.iter().position(|field| field.name == "declared_count").unwrap();
    let zero = Batch { declared_count: Some(0), ..Batch::default() };
    assert!(is_set(zero.value(count), &Batch::FIELDS[count]));
}
