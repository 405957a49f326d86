//! Batches start whole or not at all, ten thousand members too.

use milepost_proto::registry::v1::*;
use tonic::Code;

use super::office::{
    Office, batch, batch_name, conditions, costing, create_batch, create_project, faults, named,
    project_name, refusal,
};

#[tokio::test]
async fn a_batch_starts_all_its_members() {
    let office = Office::with_portfolio().await;
    office.project("x", costing(5)).await;
    office.project("y", named("y")).await;
    office.batch("first", &["y", "x"]).await;
    let started = office.start_batch("first").await.unwrap();
    assert_eq!(started.state(), self::batch::State::Started);
    assert_eq!((started.registered_count, started.registered_without_investment_count), (2, 1));
    for id in ["x", "y"] {
        let project = office.get_project(id).await;
        assert_eq!(project.status(), project::Status::Construction);
        assert_eq!(
            (project.batch, project.actual_period.unwrap().start_date),
            (batch_name("first"), started.start_date)
        );
        assert_eq!(project.etag, started.etag, "one entry");
    }
    let status = office.start_batch("first").await.unwrap_err();
    assert_eq!(refusal(&status), (Code::FailedPrecondition, "WRONG_STATE".into()));
    // What was registered at the start stays.
    let change =
        Project { name: project_name("x"), investment: Some(super::office::cny(6)), ..Project::default() };
    let request = UpdateProjectRequest { project: Some(change), ..UpdateProjectRequest::default() };
    office.projects().update_project(request).await.unwrap();
    assert_eq!(office.get_batch("first").await.unwrap(), started);
}

#[tokio::test]
async fn if_one_member_refuses_none_starts_and_all_that_refuse_are_told() {
    let office = Office::with_portfolio().await;
    for id in ["good", "running", "deleted"] {
        office.project(id, named(id)).await;
    }
    office.batch("first", &["good", "running", "deleted"]).await;
    office.start("running").await.unwrap();
    let request = DeleteProjectRequest { name: project_name("deleted"), ..DeleteProjectRequest::default() };
    office.projects().delete_project(request).await.unwrap();
    assert_eq!(
        office.get_batch("first").await.unwrap().registered_count,
        2,
        "a deleted one is not registered"
    );
    let sequence = office.sequence();
    let status = office.start_batch("first").await.unwrap_err();
    assert_eq!(refusal(&status), (Code::FailedPrecondition, "PRECONDITION_FAILED".into()));
    assert_eq!(
        conditions(&status),
        [
            ("MEMBER_IN_WRONG_STATE".into(), project_name("running")),
            ("MEMBER_DELETED".into(), project_name("deleted"))
        ]
    );
    assert_eq!(office.sequence(), sequence);
    assert_eq!(office.get_project("good").await.status(), project::Status::Proposed);
    assert_eq!(office.get_batch("first").await.unwrap().state(), self::batch::State::Planned);
}

fn add(ids: &[&str]) -> AddBatchMembersRequest {
    let members = ids.iter().map(|id| project_name(id)).collect();
    AddBatchMembersRequest { name: batch_name("first"), members, ..AddBatchMembersRequest::default() }
}

#[tokio::test]
async fn what_is_registered_later_joins_a_started_batch_and_starts_on_its_day() {
    let office = Office::with_portfolio().await;
    office.project("x", costing(5)).await;
    let declared = Batch {
        declared_count: Some(79),
        declared_investment: Some(super::office::cny(130_000_000_000)),
        members: vec![project_name("x")],
        ..batch(2020, 9, 11)
    };
    office.batches().create_batch(create_batch("first", declared)).await.unwrap();
    let started = office.start_batch("first").await.unwrap();
    // The project's investment is known better by now; what was registered at the start stays.
    let change =
        Project { name: project_name("x"), investment: Some(super::office::cny(6)), ..Project::default() };
    let request = UpdateProjectRequest { project: Some(change), ..UpdateProjectRequest::default() };
    office.projects().update_project(request).await.unwrap();

    office.project("y", costing(7)).await;
    office.project("z", named("z")).await;
    let sequence = office.sequence();
    let only_try = AddBatchMembersRequest { validate_only: true, ..add(&["y", "x", "z"]) };
    let tried = office.batches().add_batch_members(only_try).await.unwrap().into_inner().batch.unwrap();
    assert_eq!((tried.registered_count, office.sequence()), (3, sequence));
    let joined = office.batches().add_batch_members(add(&["y", "x", "z"])).await.unwrap();
    let joined = joined.into_inner().batch.unwrap();
    assert_eq!(joined.members, [project_name("x"), project_name("y"), project_name("z")]);
    assert_eq!(joined.registered_investments, [super::office::cny(12)]);
    assert_eq!((joined.registered_count, joined.registered_without_investment_count), (3, 1));
    assert_eq!(
        (joined.declared_count, joined.declared_investment.clone(), joined.state()),
        (started.declared_count, started.declared_investment, self::batch::State::Started)
    );
    assert_eq!(office.sequence(), sequence + 1, "one entry");
    assert_eq!(office.get_batch("first").await.unwrap(), joined);
    for id in ["y", "z"] {
        let project = office.get_project(id).await;
        assert_eq!(project.status(), project::Status::Construction);
        assert_eq!((&project.batch, &project.etag), (&joined.name, &joined.etag));
        assert_eq!(project.actual_period.unwrap().start_date, started.start_date);
    }
    let again = office.batches().add_batch_members(add(&["y"])).await.unwrap().into_inner().batch.unwrap();
    assert_eq!((again, office.sequence()), (joined, sequence + 1));
    let request = RemoveBatchMembersRequest {
        name: batch_name("first"),
        members: vec![project_name("y")],
        ..RemoveBatchMembersRequest::default()
    };
    let status = office.batches().remove_batch_members(request).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::FailedPrecondition, "WRONG_STATE".into()));
}

#[tokio::test]
async fn if_one_project_refuses_to_join_a_started_batch_none_joins() {
    let office = Office::with_portfolio().await;
    for id in ["good", "running", "taken"] {
        office.project(id, named(id)).await;
    }
    office.batch("first", &[]).await;
    office.start_batch("first").await.unwrap();
    office.batch("second", &["taken"]).await;
    office.start_batch("second").await.unwrap();
    office.start("running").await.unwrap();
    let sequence = office.sequence();
    let status =
        office.batches().add_batch_members(add(&["good", "running", "taken", "never"])).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::FailedPrecondition, "PRECONDITION_FAILED".into()));
    assert_eq!(
        conditions(&status),
        [
            ("MEMBER_IN_WRONG_STATE".into(), project_name("running")),
            ("MEMBER_IN_WRONG_STATE".into(), project_name("taken")),
            ("MEMBER_NOT_FOUND".into(), project_name("never")),
        ]
    );
    assert_eq!(office.sequence(), sequence);
    assert_eq!(office.get_project("good").await.status(), project::Status::Proposed);
    assert!(office.get_batch("first").await.unwrap().members.is_empty());
}

#[tokio::test]
async fn members_are_there_in_the_portfolio_and_given_once() {
    let office = Office::with_portfolio().await;
    office.portfolio("other").await;
    office.project("x", named("x")).await;
    let create = async |members: &[&str]| {
        let members = members.iter().map(ToString::to_string).collect();
        let request = create_batch("b", Batch { members, ..batch(2021, 5, 27) });
        office.batches().create_batch(request).await.unwrap_err()
    };
    let status = create(&["portfolios/wsc/projects/never", "portfolios/wsc/projects/x"]).await;
    assert_eq!(conditions(&status), [("MEMBER_NOT_FOUND".into(), project_name("never"))]);
    let (x, other) = ("portfolios/wsc/projects/x", "portfolios/other/projects/x");
    let status = create(&["x", x, other, x]).await;
    assert_eq!(
        faults(&status),
        [
            ("batch.members[0]".into(), "INVALID_NAME".into()),
            ("batch.members[2]".into(), "OTHER_PORTFOLIO".into()),
            ("batch.members[3]".into(), "DUPLICATE".into()),
        ]
    );
}

#[tokio::test]
async fn ten_thousand_members_start_together() {
    const COUNT: usize = 10_000;
    let office = Office::with_portfolio().await;
    for thousand in 0..COUNT / 1000 {
        let requests =
            (0..1000).map(|i| create_project(&format!("p{}", thousand * 1000 + i), costing(2))).collect();
        let request = BatchCreateProjectsRequest {
            parent: "portfolios/wsc".into(),
            requests,
            ..BatchCreateProjectsRequest::default()
        };
        office.projects().batch_create_projects(request).await.unwrap();
    }
    let members: Vec<_> = (0..COUNT).map(|i| project_name(&format!("p{i}"))).collect();
    let request = create_batch("all", Batch { members, ..batch(2021, 5, 27) });
    office.batches().create_batch(request).await.unwrap();

    // One that refuses keeps all the others back.
    office.start("p7").await.unwrap();
    let sequence = office.sequence();
    let status = office.start_batch("all").await.unwrap_err();
    assert_eq!(conditions(&status), [("MEMBER_IN_WRONG_STATE".into(), project_name("p7"))]);
    assert_eq!(office.sequence(), sequence);
    let request = RemoveBatchMembersRequest {
        name: batch_name("all"),
        members: vec![project_name("p7")],
        ..RemoveBatchMembersRequest::default()
    };
    office.batches().remove_batch_members(request).await.unwrap();

    let started = office.start_batch("all").await.unwrap();
    assert_eq!(started.registered_count, 9_999);
    assert_eq!(started.registered_investments, [super::office::cny(19_998)]);
    assert_eq!(office.sequence(), sequence + 2);
    let request = ListProjectsRequest {
        parent: "portfolios/wsc".into(),
        filter: format!("status = STATUS_CONSTRUCTION AND batch = \"{}\"", batch_name("all")),
        page_size: 1000,
        ..ListProjectsRequest::default()
    };
    let mut listed = 0;
    let mut page_token = String::new();
    loop {
        let request = ListProjectsRequest { page_token, ..request.clone() };
        let page = office.projects().list_projects(request).await.unwrap().into_inner();
        listed += page.projects.len();
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(listed, 9_999);
}

#[tokio::test]
async fn what_members_add_up_to_may_be_too_much_to_tell() {
    let office = Office::with_portfolio().await;
    office.project("x", costing(i64::MAX)).await;
    office.project("y", costing(0)).await;
    office.batch("b", &["x", "y"]).await;
    let change = |units| {
        let investment = Some(super::office::cny(units));
        let project = Project { name: project_name("y"), investment, ..Project::default() };
        UpdateProjectRequest { project: Some(project), ..UpdateProjectRequest::default() }
    };
    office.projects().update_project(change(1)).await.unwrap();
    let shown = office.get_batch("b").await.unwrap();
    assert_eq!((shown.registered_count, shown.registered_investments), (2, Vec::new()));
    let status = office.start_batch("b").await.unwrap_err();
    assert_eq!(conditions(&status), [("MONEY_OVERFLOW".into(), batch_name("b"))]);
    office.projects().update_project(change(0)).await.unwrap();
    office.start_batch("b").await.unwrap();
}
