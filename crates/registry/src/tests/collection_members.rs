//! Members of collections: they come and go once, whoever writes, and are found by their projects.

use milepost_proto::event::v1::event::Payload;
use milepost_proto::registry::v1::*;
use tonic::{Code, Status};

use super::collections::{built, created, name, of, rollup};
use super::events::events_after;
use super::office::{Office, conditions, create_project, faults, named, project_name, refusal};

fn members(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| project_name(id)).collect()
}

async fn add(office: &Office, id: &str, members: Vec<String>) -> Result<Collection, Status> {
    let request = AddCollectionMembersRequest { name: name(id), members, ..Default::default() };
    Ok(office.collections().add_collection_members(request).await?.into_inner().collection.unwrap())
}

async fn remove(office: &Office, id: &str, members: Vec<String>) -> Result<Collection, Status> {
    let request = RemoveCollectionMembersRequest { name: name(id), members, ..Default::default() };
    Ok(office.collections().remove_collection_members(request).await?.into_inner().collection.unwrap())
}

/// office.md, section 2: members, `milepost.collection.members_changed`, and the collections of a project.
#[tokio::test]
async fn members_come_and_go_once_and_are_found_by_their_project() {
    let office = Office::with_portfolio().await;
    office.portfolio("other").await;
    for id in ["x", "y", "z"] {
        office.project(id, named(id)).await;
    }
    for id in ["first", "second", "third"] {
        created(&office, id, Collection { members: members(&["x"]), ..of(&[]) }).await.unwrap();
    }
    let sequence = office.sequence();
    let added = add(&office, "first", members(&["z", "x", "y", "z"])).await.unwrap();
    assert_eq!(added.members, members(&["x", "z", "y"]));
    let events = events_after(&office, sequence).await;
    let Some(Payload::CollectionMembersChanged(changed)) = &events[0].payload else { panic!("{events:?}") };
    assert_eq!(events[0].r#type, "milepost.collection.members_changed");
    assert_eq!((&changed.added, changed.removed.len()), (&members(&["z", "y"]), 0));
    let sequence = office.sequence();
    assert_eq!(add(&office, "first", members(&["x"])).await.unwrap(), added);
    assert_eq!(remove(&office, "first", members(&["never"])).await.unwrap(), added);
    assert_eq!(office.sequence(), sequence, "nothing changed");
    let removed = remove(&office, "first", members(&["never", "z", "z"])).await.unwrap();
    assert_eq!(removed.members, members(&["x", "y"]));

    let status = add(&office, "first", members(&["never", "x", "lost"])).await.unwrap_err();
    let not_found = |id: &str| ("MEMBER_NOT_FOUND".to_owned(), project_name(id));
    assert_eq!(conditions(&status), [not_found("never"), not_found("lost")]);
    let elsewhere = vec!["portfolios/other/projects/x".to_owned(), "x".to_owned()];
    let mut found = faults(&add(&office, "first", elsewhere).await.unwrap_err());
    found.sort();
    let fault = |field: &str, reason: &str| (field.to_owned(), reason.to_owned());
    assert_eq!(found, [fault("members[0]", "OTHER_PORTFOLIO"), fault("members[1]", "INVALID_NAME")]);
    let twice = Collection { members: members(&["x", "x"]), ..of(&[]) };
    let status = created(&office, "c", twice).await.unwrap_err();
    assert_eq!(faults(&status), [fault("collection.members[1]", "DUPLICATE")]);
    let change = Collection { members: members(&["x"]), ..Collection::default() };
    let mask = prost_types::FieldMask { paths: vec!["members".to_owned()] };
    let collection = Some(Collection { name: name("first"), ..change });
    let request = UpdateCollectionRequest { collection, update_mask: Some(mask), ..Default::default() };
    let status = office.collections().update_collection(request).await.unwrap_err();
    assert_eq!(faults(&status), [fault("update_mask.paths[0]", "CHANGED_BY_METHOD")]);

    // The collections of a project.
    let delete = DeleteCollectionRequest { name: name("third"), ..Default::default() };
    office.collections().delete_collection(delete).await.unwrap();
    let found = async |filter: &str, show_deleted| {
        let (parent, filter) = ("portfolios/wsc".to_owned(), filter.to_owned());
        let request = ListCollectionsRequest { parent, filter, show_deleted, ..Default::default() };
        let page = office.collections().list_collections(request).await.unwrap().into_inner();
        page.collections.into_iter().map(|collection| collection.name).collect::<Vec<_>>()
    };
    let of = |id: &str| format!("members:\"{}\"", project_name(id));
    assert_eq!(found(&of("x"), false).await, [name("first"), name("second")]);
    assert_eq!(found(&of("x"), true).await, [name("first"), name("second"), name("third")]);
    assert_eq!(found(&of("y"), false).await, [name("first")]);
    assert_eq!(found(&of("z"), false).await, [""; 0]);
    assert_eq!(found(&format!("{} AND {}", of("x"), of("y")), false).await, [name("first")]);
    assert_eq!(found(&format!("{} OR {}", of("x"), of("y")), false).await.len(), 2);
    assert_eq!(found("members:\"portfolios/other/projects/x\"", false).await, [""; 0]);
}

#[tokio::test]
async fn members_are_counted_by_their_status() {
    let office = Office::with_portfolio().await;
    built(&office, "built", 20).await;
    for id in ["new", "gone"] {
        office.project(id, named(id)).await;
    }
    created(&office, "c", Collection { members: members(&["new", "built", "gone"]), ..of(&[]) })
        .await
        .unwrap();
    let delete = DeleteProjectRequest { name: project_name("gone"), ..Default::default() };
    office.projects().delete_project(delete).await.unwrap();
    let rollup = rollup(&office, "c", None).await.unwrap();
    let counts: Vec<_> = rollup.members_by_status.iter().map(|one| (one.status(), one.count)).collect();
    assert_eq!(counts, [(project::Status::Proposed, 1), (project::Status::Completed, 1)]);
    assert_eq!((rollup.member_count, rollup.deleted_member_count), (3, 1));
}

/// office.md, section 2: at most 10,000 members.
#[tokio::test]
async fn two_writers_change_ten_thousand_members_and_no_change_is_lost() {
    const COUNT: usize = 10_000;
    let office = Office::with_portfolio().await;
    for thousand in 0..=COUNT / 1000 {
        let requests = (0..1000).map(|i| create_project(&format!("p{}", thousand * 1000 + i), named("p")));
        let (parent, requests) = ("portfolios/wsc".to_owned(), requests.collect());
        let request = BatchCreateProjectsRequest { parent, requests, ..Default::default() };
        office.projects().batch_create_projects(request).await.unwrap();
    }
    created(&office, "all", of(&[])).await.unwrap();
    let ids = |from: usize, to: usize| (from..to).map(|i| project_name(&format!("p{i}"))).collect::<Vec<_>>();
    let writes = async |from: usize| {
        for first in (from..from + COUNT / 2).step_by(1000) {
            add(&office, "all", ids(first, first + 1000)).await.unwrap();
        }
    };
    tokio::join!(writes(0), writes(COUNT / 2));
    let get = GetCollectionRequest { name: name("all"), ..Default::default() };
    let all = office.collections().get_collection(get).await.unwrap().into_inner().collection.unwrap();
    let mut held = all.members.clone();
    held.sort();
    held.dedup();
    assert_eq!((held.len(), all.members.len()), (COUNT, COUNT));
    let status = add(&office, "all", ids(COUNT, COUNT + 1)).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::ResourceExhausted, "LIMIT_EXCEEDED".into()));
    let status = add(&office, "all", ids(0, COUNT + 1)).await.unwrap_err();
    assert_eq!(faults(&status), [("members".to_owned(), "TOO_MANY".to_owned())]);
    // One takes out while the other puts in: whichever comes first, both are done.
    let (removed, added) =
        tokio::join!(remove(&office, "all", ids(0, 9_000)), remove(&office, "all", ids(9_000, 9_500)));
    assert!(removed.is_ok() && added.is_ok());
    assert_eq!(rollup(&office, "all", None).await.unwrap().member_count, 500);
    // A writer that knows only an older state is told so.
    let stale = AddCollectionMembersRequest {
        name: name("all"),
        members: ids(0, 1),
        etag: all.etag,
        ..AddCollectionMembersRequest::default()
    };
    let status = office.collections().add_collection_members(stale).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::Aborted, "ETAG_MISMATCH".into()));
}
