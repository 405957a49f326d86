//! What a template says of its milestones is not changed by hand.

use milepost_proto::tracker::v1::{CreateMilestoneRequest, UpdateMilestoneRequest};

use super::*;
use crate::tests::world::{create, draft};

fn update(world: &mut World, id: &str, change: Milestone, paths: &[&str]) -> Result<Vec<Event>, Rejection> {
    let mask = prost_types::FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() };
    let request = UpdateMilestoneRequest {
        milestone: Some(Milestone { name: made(id).to_string(), ..change }),
        update_mask: Some(mask),
        ..UpdateMilestoneRequest::default()
    };
    world.read_and_submit(|violations| read_update::<Tracker, Milestone>(request, violations))
}

fn applied() -> World {
    let mut world = World::with_template();
    let start = TemplateItem {
        r#type: "constructionStart".into(),
        required_evidence: vec!["开工令".into()],
        weight: Some(3),
        ..item("start")
    };
    world.version_in_force("v1", OLD, vec![start, item("other")]);
    world.apply(None).unwrap();
    world
}

/// Others find it by its type, and evidence is not left out.
#[test]
fn type_and_required_evidence_are_the_templates() {
    let mut world = applied();
    let rows = world.rows.clone();
    let mut fixed = |id: &str, change: Milestone, paths: &[&str]| {
        let refused = update(&mut world, id, change, paths).unwrap_err();
        let found = faults(refused);
        assert!(found.iter().all(|(_, reason)| *reason == "FIXED"), "{found:?}");
        found.into_iter().map(|(field, _)| field).collect::<Vec<_>>()
    };
    let all = Milestone { display_name: "x".into(), r#type: "x".into(), ..Milestone::default() };
    assert_eq!(fixed("start", all, &["*"]), ["milestone.type", "milestone.required_evidence"]);
    assert_eq!(fixed("start", Milestone::default(), &["type"]), ["milestone.type"]);
    let start = Milestone { r#type: "constructionStart".into(), ..Milestone::default() };
    assert_eq!(fixed("other", start, &["type"]), ["milestone.type"]);
    let evidence = Milestone { required_evidence: vec!["另".into()], ..Milestone::default() };
    for id in ["start", "other"] {
        assert_eq!(fixed(id, evidence.clone(), &["required_evidence"]), ["milestone.required_evidence"]);
    }
    assert_eq!(world.rows, rows);
    // The same again is no change, and all else is the office's.
    let same = Milestone {
        display_name: "开工".into(),
        r#type: "constructionStart".into(),
        required_evidence: vec!["开工令".into()],
        weight: Some(5),
        code: "K-1".into(),
        remarks: "按期".into(),
        duration_working_days: 2,
        ..Milestone::default()
    };
    update(&mut world, "start", same, &["*"]).unwrap();
    let start = world.made("start");
    assert_eq!((start.weight, start.display_name.as_str(), start.code.as_str()), (Some(5), "开工", "K-1"));
    // Nor is it when it is achieved, or made by nobody.
    world.achieve("other", date(2021, 5, 1)).unwrap();
    let typed = Milestone { r#type: "x".into(), ..Milestone::default() };
    let found = faults(update(&mut world, "other", typed.clone(), &["type"]).unwrap_err());
    assert_eq!(found, [("milestone.type".to_owned(), "FIXED")]);
    world.create("plain", None);
    update(&mut world, "plain", typed, &["type"]).unwrap();
    assert_eq!(world.made("plain").r#type, "x");
}

/// An upgrade brings them, as it brings what only a template can say.
#[test]
fn an_upgrade_brings_the_type_of_its_version() {
    let mut world = applied();
    let typed = |id: &str| TemplateItem { r#type: "permit".into(), ..item(id) };
    world.version_in_force("v2", REFORM, vec![typed("start"), typed("other")]);
    world.achieve("other", date(2021, 5, 1)).unwrap();
    world.upgrade("v2").unwrap();
    let start = world.made("start");
    assert_eq!((start.r#type.as_str(), start.required_evidence.len()), ("permit", 0));
    assert_eq!(start.weight, Some(3), "the office may have changed that");
    assert_eq!(world.made("other").r#type, "", "what is achieved is not changed");
}

/// A caller makes no milestone of a template.
#[test]
fn what_a_template_sets_is_not_read_of_a_creation() {
    let mut world = applied();
    let whole = world.made("start");
    let CreateMilestoneRequest { milestone, .. } = draft("road", None, None);
    let said = Milestone {
        template_version: whole.template_version,
        template_item: "start".into(),
        requirements: vec![Default::default()],
        gate: Gate::Bundled.into(),
        gate_members: vec!["other".into()],
        coupling: "land".into(),
        coupling_state: 1,
        validity: Some(MilestoneValidity { months: 24, ..MilestoneValidity::default() }),
        valid_until: Some(date_message(OLD)),
        file_by: Some(date_message(OLD)),
        expiry: 1,
        used_date: Some(date_message(OLD)),
        extensions: vec![Default::default()],
        next_expiry_date: Some(date_message(OLD)),
        ..milestone.unwrap()
    };
    let asked = CreateMilestoneRequest { milestone: Some(said), ..draft("road", Some("own"), None) };
    world.submit(create(vec![asked])).unwrap();
    world.create("plain", None);
    let without = |id: &str| Milestone {
        name: String::new(),
        etag: String::new(),
        create_time: None,
        update_time: None,
        ..world.made(id)
    };
    assert_eq!(without("own"), without("plain"));
}
