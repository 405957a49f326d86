//! Reading requests: every fault at once, in the order of the schema, under the field that has it.

use std::collections::BTreeMap;

use milepost_proto::google::r#type::Date;
use milepost_proto::registry::v1::*;
use milepost_types::Rejection;
use prost_types::FieldMask;

use super::world::{World, faults};

fn expected(faults: &[(&str, &'static str)]) -> Vec<(String, &'static str)> {
    faults.iter().map(|(path, reason)| ((*path).to_owned(), *reason)).collect()
}

fn create(project: Project) -> CreateProjectRequest {
    CreateProjectRequest {
        parent: "portfolios/a".to_owned(),
        project: Some(project),
        ..CreateProjectRequest::default()
    }
}

/// A project with a fault of each kind: of a field, between parts, between fields.
fn wrong() -> Project {
    let date = |day| Some(Date { year: 2021, month: 5, day });
    Project {
        display_name: "p".to_owned(),
        purpose: "same".to_owned(),
        scale: "same".to_owned(),
        site: Some(Site { latitude: Some(1.0), ..Site::default() }),
        planned_period: Some(Period { start_date: date(2), end_date: date(1) }),
        ..Project::default()
    }
}

#[test]
fn faults_between_parts_come_after_those_of_fields_and_those_between_fields_last() {
    let mut world = World::with_project();
    let both = [("project.site.longitude", "REQUIRED"), ("project.planned_period", "INVALID_PERIOD")];
    let between = ("project.scale", "REPEATS");
    let refused = world.create::<Project>(create(wrong()));
    assert_eq!(faults(refused), expected(&[both[0], both[1], between]));
    let refused = world.create::<Project>(create(Project { sector: "none".to_owned(), ..wrong() }));
    assert_eq!(faults(refused), expected(&[("project.sector", "NO_SECTOR"), both[0], both[1], between]));
    let sound = Project { site: None, planned_period: None, ..wrong() };
    let refused = world.create::<Project>(create(sound.clone()));
    assert_eq!(faults(refused), expected(&[between]));
    let refused = world.create::<Project>(create(Project { sector: "none".to_owned(), ..sound.clone() }));
    assert_eq!(faults(refused), expected(&[("project.sector", "NO_SECTOR"), between]));
    // What is at fault by itself is not named again for what it does not go with.
    let refused = world.create::<Project>(create(Project { scale: " ".to_owned(), ..sound }));
    assert_eq!(faults(refused), expected(&[("project.scale", "SURROUNDING_BLANK")]));
    let Rejection::Invalid(found) = world.create::<Project>(create(wrong())).unwrap_err() else {
        panic!("it is not valid")
    };
    let found: Vec<_> = found.iter().map(|found| found.description.as_str()).collect();
    let reversed =
        "the period ends on 2021-05-01, before it starts on 2021-05-02; exchange them or correct one";
    assert_eq!(found[..2], ["give both coordinates or neither", reversed]);
}

#[test]
fn every_fault_of_a_request_is_told_at_once() {
    let mut world = World::with_project();
    let request = CreateProjectRequest {
        parent: "portfolios/A".to_owned(),
        project_id: "A".to_owned(),
        ..create(Project { purpose: " ".to_owned(), ..Project::default() })
    };
    let wrong = [
        ("parent", "INVALID_NAME"),
        ("project_id", "INVALID_ID"),
        ("project.display_name", "REQUIRED"),
        ("project.purpose", "SURROUNDING_BLANK"),
    ];
    assert_eq!(faults(world.create::<Project>(request)), expected(&wrong));
    let nothing = faults(world.create::<Project>(CreateProjectRequest::default()));
    assert_eq!(nothing, expected(&[("parent", "REQUIRED"), ("project", "REQUIRED")]));
    let paths = vec!["nome".to_owned(), "status".to_owned()];
    let project = Project { name: "x".to_owned(), etag: "x".to_owned(), ..Project::default() };
    let update = UpdateProjectRequest {
        project: Some(project),
        update_mask: Some(FieldMask { paths }),
        ..UpdateProjectRequest::default()
    };
    let wrong = [
        ("update_mask.paths[0]", "UNKNOWN_FIELD"),
        ("update_mask.paths[1]", "OUTPUT_ONLY"),
        ("project.name", "INVALID_NAME"),
        ("project.etag", "INVALID_ETAG"),
    ];
    assert_eq!(faults(world.update::<Project>(update)), expected(&wrong));
    let nothing = faults(world.update::<Project>(UpdateProjectRequest::default()));
    assert_eq!(nothing, expected(&[("project", "REQUIRED")]));
}

#[test]
fn what_the_mask_does_not_name_is_not_looked_at() {
    let mut world = World::with_project();
    let update = |paths: &[&str]| UpdateProjectRequest {
        project: Some(Project {
            name: "portfolios/a/projects/x".to_owned(),
            display_name: " ".to_owned(),
            purpose: "q".to_owned(),
            site: Some(Site { latitude: Some(100.0), address: "s".to_owned(), ..Site::default() }),
            ..Project::default()
        }),
        update_mask: Some(FieldMask { paths: paths.iter().map(ToString::to_string).collect() }),
        ..UpdateProjectRequest::default()
    };
    world.update::<Project>(update(&["purpose", "site.address"])).unwrap();
    let after: Project = world.get("portfolios/a/projects/x").unwrap();
    assert_eq!((after.purpose.as_str(), after.display_name.as_str()), ("q", "n"));
    assert_eq!(after.site, Some(Site { address: "s".to_owned(), ..Site::default() }));
    let wrong = [("project.display_name", "SURROUNDING_BLANK"), ("project.site.latitude", "OUT_OF_RANGE")];
    assert_eq!(faults(world.update::<Project>(update(&["display_name", "site"]))), expected(&wrong));
    assert_eq!(faults(world.update::<Project>(update(&["*"]))), expected(&wrong));
    assert_eq!(faults(world.update::<Project>(update(&[]))), expected(&wrong), "all that is set");
}

#[test]
fn what_only_the_server_sets_is_not_read() {
    let mut world = World::with_project();
    let request = CreateProjectRequest {
        project_id: "new".to_owned(),
        ..create(Project {
            name: "nonsense".to_owned(),
            etag: "nonsense".to_owned(),
            status: 99,
            batch: "nonsense".to_owned(),
            delete_time: super::world::instant(1),
            display_name: "p".to_owned(),
            labels: BTreeMap::new(),
            ..Project::default()
        })
    };
    world.create::<Project>(request).unwrap();
    let new: Project = world.get("portfolios/a/projects/new").unwrap();
    assert_eq!((new.status, new.batch.as_str(), new.delete_time), (1, "", None));
    assert_eq!((new.name.as_str(), new.etag.as_str()), ("portfolios/a/projects/new", "2"));
}

#[test]
fn what_a_method_changes_later_is_given_when_it_is_created() {
    let mut world = World::with_project();
    let request = CreateBatchRequest {
        parent: "portfolios/a".to_owned(),
        batch_id: "b".to_owned(),
        batch: Some(Batch {
            display_name: "b".to_owned(),
            start_date: Some(Date { year: 2021, month: 5, day: 27 }),
            members: vec!["anything".to_owned()],
            ..Batch::default()
        }),
        ..CreateBatchRequest::default()
    };
    world.create::<Batch>(request).unwrap();
    assert_eq!(world.get::<Batch>("portfolios/a/batches/b").unwrap().members, ["anything"]);
}
