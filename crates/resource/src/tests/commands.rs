//! The standard methods, and the rules that are asked on the way.

use milepost_proto::event::v1::Event;
use milepost_proto::registry::v1::*;
use milepost_types::{Etag, Rejection, Violations};

use super::office::Office;
use super::world::{World, instant, now, portfolio, project, target};
use crate::command::Standard;
use crate::{Act, Custom, Name, Rows, create};

const X: &str = "portfolios/a/projects/x";

fn new(id: &str, label: &str) -> CreateProjectRequest {
    let labels = [(label.to_owned(), String::new())].into();
    CreateProjectRequest {
        parent: "portfolios/a".to_owned(),
        project_id: id.to_owned(),
        project: Some(Project { display_name: "p".to_owned(), labels, ..Project::default() }),
        ..CreateProjectRequest::default()
    }
}

fn update(name: &str, display_name: &str, etag: &str) -> UpdateProjectRequest {
    UpdateProjectRequest {
        project: Some(Project {
            name: name.to_owned(),
            display_name: display_name.to_owned(),
            etag: etag.to_owned(),
            ..Project::default()
        }),
        ..UpdateProjectRequest::default()
    }
}

fn refusal<T: std::fmt::Debug>(refused: Result<T, Rejection>) -> String {
    refused.unwrap_err().to_string()
}

fn only(events: Result<Vec<Event>, Rejection>) -> Event {
    let mut events = events.unwrap();
    assert_eq!(events.len(), 1);
    events.remove(0)
}

#[test]
fn what_is_created_has_the_given_id_or_one_of_the_seed() {
    let mut world = World::with_project();
    let event = only(world.create::<Project>(new("new", "l")));
    assert_eq!(
        (event.r#type.as_str(), event.portfolio.as_str()),
        ("milepost.project.created", "portfolios/a")
    );
    assert_eq!(
        (event.subject.as_str(), event.sequence, &event.changed_fields[..]),
        ("portfolios/a/projects/new", 2, &[][..])
    );
    let created: Project = world.get("portfolios/a/projects/new").unwrap();
    assert_eq!((created.etag.as_str(), created.status()), ("2", project::Status::Proposed));
    assert_eq!((created.create_time, created.update_time), (instant(now().as_second()), created.create_time));
    assert_eq!(created.status_reason, "Created ");
    let (mut one, mut two) = (World::with_project(), World::with_project());
    let made = only(one.create::<Project>(new("", "l"))).subject;
    assert!(made.starts_with("portfolios/a/projects/p-"), "{made}");
    assert_eq!(only(two.create::<Project>(new("", "l"))).subject, made, "the same when it is decided again");
}

#[test]
fn a_name_is_taken_once() {
    let mut world = World::with_project();
    let exists = format!("the project {X:?} exists already");
    let taken = refusal(world.create::<Project>(new("x", "l")));
    assert_eq!(taken, format!("{exists}; choose another id, or update it"));
    world.delete::<Project>(target(X, None)).unwrap();
    let taken = refusal(world.create::<Project>(new("x", "l")));
    assert_eq!(taken, format!("{exists} and is deleted; undelete it, or choose another id"));
}

#[test]
fn several_are_created_together_each_with_an_id_of_its_own_or_none() {
    let mut world = World::with_project();
    let several = |ids: &[(&str, &str)]| -> Option<Box<dyn Act<Office>>> {
        let mut violations = Violations::new();
        let new = ids.iter().enumerate().map(|(i, (id, label))| {
            let (field, parent) = (format!("requests[{i}].project"), vec!["a".parse().unwrap()]);
            create::<Office, Project>(&mut new(id, label), field, Some(parent), &mut violations)
        });
        let new = new.collect::<Option<Vec<_>>>()?;
        Some(Box::new(Standard::Create { new, answer: Some("projects") }))
    };
    let events = world.ask(|_| several(&[("", "l"), ("b", "l"), ("", "l")])).unwrap();
    let names: std::collections::BTreeSet<_> = events.iter().map(|event| event.subject.clone()).collect();
    assert_eq!((names.len(), world.sequence), (3, 2), "one entry");
    let before = world.rows.rows.clone();
    assert!(refusal(world.ask(|_| several(&[("c", "l"), ("x", "l")]))).contains("exists already"));
    assert!(refusal(world.ask(|_| several(&[("c", "l"), ("d", "no-new")]))).contains("no-new"));
    assert_eq!(world.rows.rows, before);
    assert_eq!(several(&[]).unwrap().answers_with_all(), Some("projects"));
}

#[test]
fn nothing_is_changed_under_what_is_missing_or_deleted() {
    let mut world = World::with_project();
    let elsewhere = CreateProjectRequest { parent: "portfolios/b".to_owned(), ..new("y", "l") };
    assert_eq!(
        refusal(world.create::<Project>(elsewhere)),
        "there is no portfolio \"portfolios/b\"; check the name"
    );
    world.put(&Portfolio { delete_time: instant(1), ..portfolio("a") });
    let deleted = "the portfolio \"portfolios/a\" is deleted; undelete it first";
    assert_eq!(refusal(world.create::<Project>(new("y", "l"))), deleted);
    assert_eq!(refusal(world.update::<Project>(update(X, "m", ""))), deleted);
    assert_eq!(refusal(world.delete::<Project>(target(X, None))), deleted);
    assert_eq!(refusal(world.undelete::<Project>(target(X, None))), deleted);
    let phase = CreatePhaseRequest {
        parent: X.to_owned(),
        phase: Some(Phase { display_name: "p".to_owned(), order: 1, ..Phase::default() }),
        ..CreatePhaseRequest::default()
    };
    assert_eq!(refusal(world.create::<Phase>(phase)), deleted, "at any remove");
    let none = refusal(world.update::<Project>(update("portfolios/a/projects/none", "m", "")));
    assert_eq!(none, "there is no project \"portfolios/a/projects/none\"; check the name");
}

#[test]
fn a_stale_etag_is_refused_and_no_change_leaves_no_trace() {
    let mut world = World::with_project();
    let stale =
        |given| format!("{X:?} was changed since: its etag is 1, not {given}; read it again and decide anew");
    assert_eq!(refusal(world.update::<Project>(update(X, "m", "7"))), stale(7));
    assert_eq!(refusal(world.delete::<Project>(target(X, Some(7)))), stale(7));
    assert_eq!(refusal(world.undelete::<Project>(target(X, Some(7)))), stale(7));
    let before = world.rows.rows.clone();
    assert!(world.update::<Project>(update(X, "n", "1")).unwrap().is_empty());
    assert_eq!((&world.rows.rows, world.sequence), (&before, 1));
    let event = only(world.update::<Project>(update(X, "m", "1")));
    assert_eq!(event.r#type, "milepost.project.updated");
    assert_eq!(event.changed_fields, ["display_name", "status_reason"]);
    assert_eq!(world.get::<Project>(X).unwrap().etag, "2");
}

#[test]
fn a_deleted_resource_can_only_be_undeleted() {
    let mut world = World::with_project();
    assert_eq!(
        refusal(world.undelete::<Project>(target(X, None))),
        format!("the project {X:?} is not deleted, so there is nothing to undelete")
    );
    let event = only(world.delete::<Project>(target(X, Some(1))));
    assert_eq!(
        (event.r#type.as_str(), &event.changed_fields[..1]),
        ("milepost.project.deleted", &["delete_time".to_owned()][..])
    );
    assert!(world.get::<Project>(X).unwrap().delete_time.is_some());
    assert!(world.delete::<Project>(target(X, None)).unwrap().is_empty(), "it is deleted already");
    let deleted = format!("the project {X:?} is deleted; undelete it first");
    assert_eq!(refusal(world.update::<Project>(update(X, "m", ""))), deleted);
    let event = only(world.undelete::<Project>(target(X, Some(2))));
    assert_eq!(event.r#type, "milepost.project.undeleted");
    let back = world.get::<Project>(X).unwrap();
    assert_eq!(
        (back.delete_time, back.etag.as_str(), back.status_reason.as_str()),
        (None, "3", "Undeleted 2")
    );
}

#[test]
fn rules_refuse_a_creation_a_change_a_deletion_and_its_taking_back() {
    let mut world = World::with_project();
    assert_eq!(
        refusal(world.create::<Project>(new("y", "no-new"))),
        "the request cannot be done now: portfolios/a/projects/y: no-new"
    );
    for label in ["no-more", "no-less"] {
        world.create::<Project>(new(label, label)).unwrap();
    }
    let (no_more, no_less) = ("portfolios/a/projects/no-more", "portfolios/a/projects/no-less");
    assert!(refusal(world.update::<Project>(update(no_more, "m", ""))).contains("no-more"));
    world.delete::<Project>(target(no_more, None)).unwrap();
    assert!(refusal(world.undelete::<Project>(target(no_more, None))).contains("no-more"));
    assert!(refusal(world.delete::<Project>(target(no_less, None))).contains("no-less"));
    assert!(world.update::<Project>(update(no_more, "p", "")).is_err(), "it is deleted");
    assert!(world.update::<Project>(update(no_less, "p", "")).unwrap().is_empty(), "nothing to refuse");
}

#[test]
fn a_method_of_its_own_is_refused_by_a_stale_etag_and_for_what_is_deleted() {
    let mut world = World::with_project();
    let act = |etag| Some(Custom::act(target::<Project>(X, etag), (), |_, _, (): &()| Ok(Vec::new())));
    assert!(world.ask(|_| act(Some(1))).unwrap().is_empty());
    assert!(refusal(world.ask(|_| act(Some(2)))).contains("its etag is 1, not 2"));
    world.delete::<Project>(target(X, None)).unwrap();
    assert!(refusal(world.ask(|_| act(None))).contains("is deleted"));
    assert_eq!(target::<Project>(X, Some(2)).etag, Some(Etag(2)));
}

#[test]
fn what_changed_nothing_is_answered_as_a_read_shows_it() {
    let world = World::with_project();
    let rows = Rows::<Office>::new(&world.rows);
    let subject = Standard::Delete(target::<Portfolio>("portfolios/a", None)).subject(&rows, now()).unwrap();
    let shown: Portfolio = prost::Message::decode(subject.unwrap()).unwrap();
    assert_eq!(shown.current_date.map(|date| date.day), Some(27), "with what is as of the read");
    let row = rows.row::<Project>(&X.parse::<Name<_>>().unwrap());
    let subject = Standard::Undelete(target::<Project>(X, None)).subject(&rows, now()).unwrap();
    assert_eq!(subject, row, "the stored bytes");
    let none = Standard::Undelete(target::<Project>("portfolios/a/projects/none", None));
    assert_eq!(none.subject(&rows, now()), Ok(None));
}

#[test]
fn an_update_reads_the_resource_and_what_it_is_under_and_no_more() {
    let mut world = World::with_project();
    (0..2000).for_each(|i| world.put(&project("a", &format!("p{i}"))));
    world.rows.take_count();
    world.update::<Project>(update(X, "m", "")).unwrap();
    // The resource when it is decided and when it is applied, and its portfolio.
    assert_eq!(world.rows.take_count(), 3);
}
