//! Members of batches: they come and go once, keep their order, and are found why they cannot start.

use milepost_proto::google::r#type::Date;
use milepost_proto::registry::v1::*;
use tonic_types::StatusExt;

use super::office::{Office, batch_name, cny, conditions, costing, named, project_name};

fn names(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| project_name(id)).collect()
}

async fn add(office: &Office, ids: &[&str]) -> Result<Batch, tonic::Status> {
    let (name, members) = (batch_name("first"), names(ids));
    let request = AddBatchMembersRequest { name, members, ..AddBatchMembersRequest::default() };
    Ok(office.batches().add_batch_members(request).await?.into_inner().batch.unwrap())
}

async fn remove(office: &Office, ids: &[&str]) -> Result<Batch, tonic::Status> {
    let (name, members) = (batch_name("first"), names(ids));
    let request = RemoveBatchMembersRequest { name, members, ..RemoveBatchMembersRequest::default() };
    Ok(office.batches().remove_batch_members(request).await?.into_inner().batch.unwrap())
}

#[tokio::test]
async fn members_come_and_go_once_and_keep_their_order() {
    let office = Office::with_portfolio().await;
    for id in ["x", "y", "z"] {
        office.project(id, named(id)).await;
    }
    office.batch("first", &["x"]).await;
    let added = add(&office, &["z", "x", "y", "z"]).await.unwrap();
    assert_eq!((added.members.clone(), added.registered_count), (names(&["x", "z", "y"]), 3));
    let sequence = office.sequence();
    assert_eq!(add(&office, &["x", "z"]).await.unwrap(), added);
    assert_eq!(remove(&office, &["never"]).await.unwrap(), added);
    assert_eq!(office.sequence(), sequence, "nothing changed");
    let removed = remove(&office, &["never", "z", "z"]).await.unwrap();
    assert_eq!((removed.members, removed.registered_count), (names(&["x", "y"]), 2));
}

#[tokio::test]
async fn what_started_already_is_told_when_and_by_what() {
    let office = Office::with_portfolio().await;
    for id in ["today", "before", "elsewhere"] {
        office.project(id, named(id)).await;
    }
    let ended = Date { year: 2021, month: 5, day: 26 };
    let actual_period = Some(Period { end_date: Some(ended), ..Period::default() });
    office.project("ended", Project { actual_period, ..named("ended") }).await;
    office.batch("first", &[]).await;
    office.start_batch("first").await.unwrap();
    office.batch("other", &["elsewhere"]).await;
    office.start_batch("other").await.unwrap();
    office.start("today").await.unwrap();
    let (name, start_date) = (project_name("before"), Some(Date { year: 2021, month: 5, day: 1 }));
    let start = StartProjectRequest { name, start_date, ..StartProjectRequest::default() };
    office.projects().start_project(start).await.unwrap();
    let refused = add(&office, &["today", "before", "elsewhere", "ended"]).await.unwrap_err();
    let wrong = "MEMBER_IN_WRONG_STATE".to_owned();
    let expected = [
        (wrong.clone(), project_name("today")),
        (wrong.clone(), project_name("before")),
        (wrong, project_name("elsewhere")),
        ("MEMBER_ENDS_BEFORE_START".to_owned(), project_name("ended")),
    ];
    assert_eq!(conditions(&refused), expected);
    let found = refused.get_details_precondition_failure().unwrap().violations;
    for (condition, says) in found.iter().zip([
        "the project is CONSTRUCTION, started on 2021-05-27 by itself;",
        "started on 2021-05-01 by itself",
        "started on 2021-05-27 by portfolios/wsc/batches/other",
    ]) {
        assert!(condition.description.contains(says), "{}", condition.description);
    }
}

#[tokio::test]
async fn what_cannot_be_held_together_does_not_join() {
    let office = Office::with_portfolio().await;
    office.project("x", costing(1)).await;
    office.project("huge", costing(i64::MAX)).await;
    office.batch("first", &["x"]).await;
    let overflow = [("MONEY_OVERFLOW".to_owned(), batch_name("first"))];
    assert_eq!(conditions(&add(&office, &["huge"]).await.unwrap_err()), overflow, "while it is planned");
    office.start_batch("first").await.unwrap();
    assert_eq!(conditions(&add(&office, &["huge"]).await.unwrap_err()), overflow, "when it is started");
    let before = office.get_batch("first").await.unwrap();
    assert_eq!((before.members, before.registered_investments), (names(&["x"]), vec![cny(1)]));
    let huge = office.get_project("huge").await;
    assert_eq!(huge.status(), project::Status::Proposed);
}
