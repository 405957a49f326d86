//! Updates: fields and parts that a mask names, canonical forms, and what was stored by looser rules.

use milepost_proto::event::v1::Event;
use milepost_proto::google::r#type::Date;
use milepost_proto::registry::v1::*;
use milepost_types::Rejection;
use prost_types::FieldMask;

use super::world::{World, faults, project};

const X: &str = "portfolios/a/projects/x";

/// Updates `x` to be this in the fields of these paths; all that is set if there are none.
fn update(world: &mut World, project: Project, paths: &[&str]) -> Result<Vec<Event>, Rejection> {
    let paths = paths.iter().map(ToString::to_string).collect();
    world.update::<Project>(UpdateProjectRequest {
        project: Some(Project { name: X.to_owned(), ..project }),
        update_mask: Some(FieldMask { paths }),
        ..UpdateProjectRequest::default()
    })
}

fn site(latitude: Option<f64>, longitude: Option<f64>, address: &str) -> Project {
    let site = Site { latitude, longitude, address: address.to_owned(), ..Site::default() };
    Project { site: Some(site), ..Project::default() }
}

fn x(world: &World) -> Project {
    world.get(X).unwrap()
}

#[test]
fn parts_are_changed_one_by_one() {
    let mut world = World::with_project();
    assert_eq!(
        faults(update(&mut world, site(Some(1.0), None, ""), &[])),
        [("project.site.longitude".to_owned(), "REQUIRED")]
    );
    update(&mut world, site(Some(1.0), Some(2.0), "here"), &[]).unwrap();
    update(&mut world, site(Some(3.0), None, ""), &["site.latitude"]).unwrap();
    assert_eq!(x(&world).site, site(Some(3.0), Some(2.0), "here").site);
    update(&mut world, site(Some(4.0), None, ""), &[]).unwrap();
    assert_eq!(x(&world).site, site(Some(4.0), Some(2.0), "here").site, "what is not set is not named");
    let refused = update(&mut world, site(None, None, ""), &["site.longitude"]);
    assert_eq!(faults(refused), [("project.site.longitude".to_owned(), "REQUIRED")]);
    update(&mut world, site(Some(5.0), Some(6.0), ""), &["site"]).unwrap();
    assert_eq!(x(&world).site, site(Some(5.0), Some(6.0), "").site, "the field names all its parts");
    update(&mut world, Project::default(), &["site"]).unwrap();
    assert_eq!(x(&world).site, None);
}

#[test]
fn a_message_without_any_part_is_absent_and_no_change() {
    let mut world = World::with_project();
    for paths in [&["site"][..], &["site.address"], &[]] {
        assert!(update(&mut world, site(None, None, ""), paths).unwrap().is_empty(), "{paths:?}");
    }
    update(&mut world, site(None, None, "here"), &["site.address"]).unwrap();
    update(&mut world, Project::default(), &["site.address"]).unwrap();
    assert_eq!(x(&world).site, None);
}

#[test]
fn the_ends_of_a_period_are_held_against_each_other() {
    let mut world = World::with_project();
    let day = |day| Some(Date { year: 2021, month: 5, day });
    let period = |start_date, end_date| Project {
        planned_period: Some(Period { start_date, end_date }),
        ..Project::default()
    };
    update(&mut world, period(day(3), None), &["planned_period.start_date"]).unwrap();
    let refused = update(&mut world, period(None, day(2)), &["planned_period.end_date"]);
    assert_eq!(faults(refused), [("project.planned_period".to_owned(), "INVALID_PERIOD")]);
    update(&mut world, period(day(1), day(2)), &[]).unwrap();
    assert_eq!(x(&world).planned_period, period(day(1), day(2)).planned_period);
    update(&mut world, period(None, None), &["planned_period.start_date"]).unwrap();
    assert_eq!(x(&world).planned_period, period(None, day(2)).planned_period);
}

#[test]
fn all_fields_are_replaced_if_all_are_named_but_for_what_the_server_sets() {
    let mut world = World::with_project();
    let full = Project {
        purpose: "p".to_owned(),
        key: Some(false),
        labels: [("a".to_owned(), "b".to_owned())].into(),
        ..site(None, None, "here")
    };
    update(&mut world, full, &[]).unwrap();
    let before = x(&world);
    assert_eq!((before.key, before.labels.len()), (Some(false), 1));
    let events = update(&mut world, Project { display_name: "m".to_owned(), ..Project::default() }, &["*"]);
    let expected = Project {
        display_name: "m".to_owned(),
        update_time: before.update_time,
        etag: "3".to_owned(),
        status_reason: "Updated 2".to_owned(),
        ..project("a", "x")
    };
    assert_eq!(x(&world), expected);
    let changed = &events.unwrap()[0].changed_fields;
    assert_eq!(*changed, ["display_name", "key", "labels", "purpose", "site", "status_reason"]);
}

#[test]
fn values_come_in_their_canonical_form_so_another_spelling_is_no_change() {
    let mut world = World::with_project();
    let translated = |tag: &str| Project {
        translations: [(tag.to_owned(), "e".to_owned())].into(),
        ..site(Some(-0.0), Some(1.0), "")
    };
    update(&mut world, translated("en-us"), &[]).unwrap();
    assert_eq!(x(&world).translations, translated("en-US").translations);
    assert_eq!(x(&world).site.unwrap().latitude.unwrap().to_bits(), 0);
    assert!(update(&mut world, translated("EN-US"), &[]).unwrap().is_empty());
}

#[test]
fn what_looser_rules_let_in_stays_until_it_is_changed() {
    let same = || Project { purpose: "same".to_owned(), scale: "same".to_owned(), ..project("a", "x") };
    let mut world = World::with_project();
    world.put(&Project { sector: "none".to_owned(), ..same() });
    update(&mut world, Project { display_name: "m".to_owned(), ..Project::default() }, &[]).unwrap();
    let wrong = Project { sector: "none".to_owned(), ..Project::default() };
    assert_eq!(faults(update(&mut world, wrong, &[])), [("project.sector".to_owned(), "NO_SECTOR")]);
    update(&mut world, Project { scale: "other".to_owned(), ..Project::default() }, &[]).unwrap();
    let back = Project { scale: "same".to_owned(), ..Project::default() };
    assert_eq!(faults(update(&mut world, back, &[])), [("project.scale".to_owned(), "REPEATS")]);
    assert_eq!(x(&world).sector, "none");
}

#[test]
fn what_looser_rules_let_in_between_parts_stays_until_it_is_changed() {
    let day = |day| Some(Date { year: 2021, month: 5, day });
    let mut world = World::with_project();
    let held = Project {
        planned_period: Some(Period { start_date: day(9), end_date: day(1) }),
        site: site(Some(1.0), None, "here").site,
        ..project("a", "x")
    };
    world.put(&held);
    update(&mut world, site(None, None, "there"), &["site.address"]).unwrap();
    assert_eq!(x(&world).site, site(Some(1.0), None, "there").site);
    let later = Period { start_date: day(10), end_date: None };
    let later = Project { planned_period: Some(later), ..Project::default() };
    assert_eq!(
        faults(update(&mut world, later, &["planned_period.start_date"])),
        [("project.planned_period".to_owned(), "INVALID_PERIOD")],
        "that is another fault"
    );
}
