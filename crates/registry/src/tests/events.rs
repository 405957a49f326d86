//! What the journal keeps: each method's event, whole, and in bytes that stay.

use milepost_ledger::Entry;
use milepost_ledger::journal::ReadLimit;
use milepost_proto::FILE_DESCRIPTOR_SET;
use milepost_proto::event::v1::Event;
use milepost_proto::event::v1::event::{Payload, Resource};
use milepost_proto::google::r#type::Date;
use milepost_proto::registry::v1::*;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage};
use tonic::Request;

use super::office::{Office, batch_name, costing, named, project_name};

/// The events of every entry after this sequence.
pub(super) async fn events_after(office: &Office, sequence: u64) -> Vec<Event> {
    let entries =
        office.service.api.ledger.source().read_after(sequence, ReadLimit::default()).await.unwrap();
    let entries = entries.iter().map(|stored| Entry::decode(stored).unwrap());
    entries.flat_map(|entry| entry.events).map(|event| Event::decode(event).unwrap()).collect()
}

pub(super) async fn last_event(office: &Office) -> Event {
    let mut events = events_after(office, office.sequence() - 1).await;
    assert_eq!(events.len(), 1);
    events.remove(0)
}

#[tokio::test]
async fn every_method_has_its_event() {
    let office = Office::with_portfolio().await;
    let recorded = async |kind: &str, changed: &[&str]| {
        let event = last_event(&office).await;
        assert_eq!(event.r#type, format!("milepost.{kind}"));
        assert_eq!(event.changed_fields, changed, "{kind}");
        assert!(event.changed_fields.is_sorted());
        event
    };
    let event = recorded("portfolio.created", &[]).await;
    assert_eq!((event.subject.as_str(), event.portfolio.as_str()), ("portfolios/wsc", "portfolios/wsc"));
    assert_eq!((event.project.as_str(), event.source.as_str(), event.sequence), ("", "registry", 1));
    office.organization("cqu").await;
    let event = recorded("organization.created", &[]).await;
    assert_eq!((event.subject.as_str(), event.portfolio.as_str()), ("organizations/cqu", ""));

    office.project("x", named("x")).await;
    let event = recorded("project.created", &[]).await;
    assert_eq!((event.project, event.portfolio), (project_name("x"), "portfolios/wsc".into()));
    let change =
        Project { name: project_name("x"), sector: "s".into(), key: Some(false), ..Project::default() };
    let request = UpdateProjectRequest { project: Some(change), ..UpdateProjectRequest::default() };
    office.projects().update_project(request).await.unwrap();
    recorded("project.updated", &["key", "sector"]).await;

    let (name, reason) = (project_name("x"), "因为".to_owned());
    let mut projects = office.projects();
    let request = SuspendProjectRequest { name: name.clone(), reason: reason.clone(), ..Default::default() };
    projects.suspend_project(request).await.unwrap();
    let event = recorded("project.suspended", &["status", "status_reason", "suspended_status"]).await;
    let Some(Payload::ProjectStatusChanged(moved)) = event.payload else { panic!("{event:?}") };
    assert_eq!(
        (moved.previous_status(), moved.status()),
        (project::Status::Proposed, project::Status::Suspended)
    );
    let today = Some(Date { year: 2021, month: 5, day: 27 });
    assert_eq!((moved.reason, event.event_date), (reason.clone(), today));
    let request = ResumeProjectRequest { name: name.clone(), reason, ..Default::default() };
    projects.resume_project(request).await.unwrap();
    recorded("project.resumed", &["status", "suspended_status"]).await;
    projects
        .prepare_project(PrepareProjectRequest { name: name.clone(), ..Default::default() })
        .await
        .unwrap();
    recorded("project.prepared", &["status", "status_reason"]).await;
    let day = Date { year: 2021, month: 5, day: 20 };
    let request = StartProjectRequest { name: name.clone(), start_date: Some(day), ..Default::default() };
    projects.start_project(request).await.unwrap();
    let event = recorded("project.started", &["actual_period", "status"]).await;
    assert_eq!((event.event_date, event.caused_by.as_str()), (Some(day), ""));
    projects
        .complete_project(CompleteProjectRequest { name: name.clone(), ..Default::default() })
        .await
        .unwrap();
    let event = recorded("project.completed", &["actual_period", "status"]).await;
    assert_eq!(event.event_date, Some(Date { year: 2021, month: 5, day: 27 }));
    projects
        .commission_project(CommissionProjectRequest { name: name.clone(), ..Default::default() })
        .await
        .unwrap();
    recorded("project.commissioned", &["status"]).await;
    projects.delete_project(DeleteProjectRequest { name: name.clone(), ..Default::default() }).await.unwrap();
    recorded("project.deleted", &["delete_time"]).await;
    projects.undelete_project(UndeleteProjectRequest { name, ..Default::default() }).await.unwrap();
    recorded("project.undeleted", &["delete_time"]).await;
    office.project("y", costing(5)).await;
    let request = CancelProjectRequest { name: project_name("y"), reason: "r".into(), ..Default::default() };
    projects.cancel_project(request).await.unwrap();
    recorded("project.cancelled", &["status", "status_reason"]).await;

    office.batch("b", &["x"]).await;
    recorded("batch.created", &[]).await;
    let members = vec![project_name("y")];
    let request = AddBatchMembersRequest { name: batch_name("b"), members, ..Default::default() };
    office.batches().add_batch_members(request).await.unwrap();
    let event =
        recorded("batch.members_changed", &["members", "registered_count", "registered_investments"]).await;
    let Some(Payload::BatchMembersChanged(changed)) = event.payload else { panic!("{event:?}") };
    assert_eq!((changed.added, changed.removed), (vec![project_name("y")], Vec::new()));
    let request = CancelBatchRequest { name: batch_name("b"), reason: "r".into(), ..Default::default() };
    office.batches().cancel_batch(request).await.unwrap();
    recorded("batch.cancelled", &["state"]).await;
}

#[tokio::test]
async fn the_members_of_a_batch_start_because_of_it() {
    let office = Office::with_portfolio().await;
    for id in ["x", "y"] {
        office.project(id, costing(5)).await;
    }
    office.batch("b", &["y", "x"]).await;
    let before = office.sequence();
    office.start_batch("b").await.unwrap();
    let events = events_after(&office, before).await;
    let types: Vec<_> = events.iter().map(|event| event.r#type.as_str()).collect();
    assert_eq!(types, ["milepost.batch.started", "milepost.project.started", "milepost.project.started"]);
    let day = Some(Date { year: 2021, month: 5, day: 27 });
    let log = office.service.api.ledger.source().info().log;
    for (index, event) in events.iter().enumerate() {
        assert_eq!(event.event_id, format!("{log}/{}/{index}", before + 1));
        assert_eq!((event.event_date, event.sequence), (day, before + 1));
        assert_eq!(event.commit_time, events[0].commit_time);
    }
    assert_eq!(events[0].caused_by, "");
    assert_eq!(events[0].changed_fields, ["state"]);
    assert!(matches!(&events[0].payload, Some(Payload::BatchStarted(started)) if started.count == 2));
    for (event, id) in events[1..].iter().zip(["y", "x"]) {
        assert_eq!((event.subject.clone(), &event.caused_by), (project_name(id), &events[0].event_id));
        assert_eq!(event.changed_fields, ["actual_period", "batch", "status"]);
        let Some(Payload::ProjectStatusChanged(moved)) = &event.payload else { panic!("{event:?}") };
        assert_eq!((moved.status(), moved.batch.clone()), (project::Status::Construction, batch_name("b")));
        let Some(Resource::ProjectResource(project)) = &event.resource else { panic!("{event:?}") };
        assert_eq!(*project, office.get_project(id).await);
    }
}

#[tokio::test]
async fn what_joins_a_started_batch_starts_because_of_it() {
    let office = Office::with_portfolio().await;
    office.project("x", costing(5)).await;
    let start_date = Some(Date { year: 2020, month: 9, day: 11 });
    let batch = Batch { start_date, ..super::office::batch(2020, 9, 11) };
    office.batches().create_batch(super::office::create_batch("b", batch)).await.unwrap();
    office.start_batch("b").await.unwrap();
    let before = office.sequence();
    let members = vec![project_name("x")];
    let request = AddBatchMembersRequest { name: batch_name("b"), members, ..Default::default() };
    office.batches().add_batch_members(request).await.unwrap();
    let events = events_after(&office, before).await;
    let types: Vec<_> = events.iter().map(|event| event.r#type.as_str()).collect();
    assert_eq!(types, ["milepost.batch.members_changed", "milepost.project.started"]);
    assert_eq!(events[0].changed_fields, ["members", "registered_count", "registered_investments"]);
    let Some(Payload::BatchMembersChanged(changed)) = &events[0].payload else { panic!("{:?}", events[0]) };
    let today = Some(Date { year: 2021, month: 5, day: 27 });
    assert_eq!((&changed.added[..], events[0].event_date), (&[project_name("x")][..], today));
    assert_eq!((&events[1].caused_by, events[1].event_date), (&events[0].event_id, start_date));
    assert_eq!(events[1].changed_fields, ["actual_period", "batch", "status"]);
    let Some(Payload::ProjectStatusChanged(moved)) = &events[1].payload else { panic!("{:?}", events[1]) };
    assert_eq!((moved.status(), moved.batch.clone()), (project::Status::Construction, batch_name("b")));
}

#[tokio::test]
async fn an_event_tells_who_asked_under_which_id_and_in_which_trace() {
    let office = Office::with_portfolio().await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let create =
        CreateProjectRequest { request_id: "r-1".into(), ..super::office::create_project("x", named("x")) };
    let mut request = Request::new(create);
    request.metadata_mut().insert("x-milepost-principal", "office-1".parse().unwrap());
    request.metadata_mut().insert("traceparent", trace.parse().unwrap());
    office.projects().create_project(request).await.unwrap();
    let event = last_event(&office).await;
    let actor = event.actor.unwrap();
    assert_eq!(
        (actor.principal.as_str(), actor.authentication().as_str_name()),
        ("office-1", "AUTHENTICATION_CLAIMED")
    );
    assert_eq!((event.request_id.as_str(), event.traceparent.as_str()), ("r-1", trace));
}

#[tokio::test]
async fn an_event_reads_so_for_ever() {
    let office = Office::with_portfolio().await;
    office.project("x", costing(5)).await;
    office.start("x").await.unwrap();
    let event = last_event(&office).await;
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap();
    let described = pool.get_message_by_name("milepost.event.v1.Event").unwrap();
    let message = DynamicMessage::decode(described, event.encode_to_vec().as_slice()).unwrap();
    let recorded: serde_json::Value = serde_json::to_value(&message).unwrap();
    let golden: serde_json::Value = serde_json::from_str(include_str!("event.json")).unwrap();
    assert_eq!(recorded, golden, "{}", serde_json::to_string_pretty(&recorded).unwrap());
}
