//! The standard methods of every noun: create, get, list, update, delete, undelete.

use milepost_proto::google::r#type::Date;
use milepost_proto::registry::v1::*;
use prost_types::FieldMask;
use tonic::Code;

use super::office::{
    Office, batch, batch_name, cny, conditions, faults, named, portfolio, project_name, refusal,
};

fn mask(paths: &[&str]) -> Option<FieldMask> {
    Some(FieldMask { paths: paths.iter().map(ToString::to_string).collect() })
}

#[tokio::test]
async fn a_portfolio_lives() {
    let office = Office::with_portfolio().await;
    let mut client = office.portfolios();
    let calendar = WorkingCalendar {
        weekdays: vec![6, 1, 2],
        holidays: vec![Date { year: 2021, month: 10, day: 1 }],
        make_up_days: vec![Date { year: 2021, month: 10, day: 9 }],
    };
    let change = Portfolio {
        name: "portfolios/wsc".into(),
        working_calendar: Some(calendar),
        description: "五百平方公里".into(),
        ..Portfolio::default()
    };
    let request = UpdatePortfolioRequest { portfolio: Some(change), ..UpdatePortfolioRequest::default() };
    let updated = client.update_portfolio(request).await.unwrap().into_inner().portfolio.unwrap();
    assert_eq!(updated.working_calendar.as_ref().unwrap().weekdays, [1, 2, 6]);
    assert_eq!((updated.display_name, updated.etag.as_str()), (portfolio().display_name, "2"));

    office.project("x", named("x")).await;
    let delete =
        DeletePortfolioRequest { name: "portfolios/wsc".into(), ..DeletePortfolioRequest::default() };
    let status = client.delete_portfolio(delete.clone()).await.unwrap_err();
    assert_eq!(conditions(&status), [("HAS_PROJECTS".into(), project_name("x"))]);
    let request = DeleteProjectRequest { name: project_name("x"), ..DeleteProjectRequest::default() };
    office.projects().delete_project(request).await.unwrap();
    let deleted = client.delete_portfolio(delete.clone()).await.unwrap().into_inner().portfolio.unwrap();
    assert!(deleted.delete_time.is_some());
    let again = client.delete_portfolio(delete).await.unwrap().into_inner().portfolio.unwrap();
    assert_eq!(again, deleted, "deleting what is deleted changes nothing");

    let status = office.try_project("y", named("y")).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::FailedPrecondition, "RESOURCE_DELETED".into()));
    let list = |show_deleted| ListPortfoliosRequest { show_deleted, ..ListPortfoliosRequest::default() };
    assert!(client.list_portfolios(list(false)).await.unwrap().into_inner().portfolios.is_empty());
    assert_eq!(client.list_portfolios(list(true)).await.unwrap().into_inner().portfolios, [deleted]);
    let request =
        UndeletePortfolioRequest { name: "portfolios/wsc".into(), ..UndeletePortfolioRequest::default() };
    let back = client.undelete_portfolio(request).await.unwrap().into_inner().portfolio.unwrap();
    assert_eq!(back.delete_time, None);
    office.project("y", named("y")).await;
}

#[tokio::test]
async fn an_organization_lives() {
    let office = Office::open().await;
    let mut client = office.organizations();
    let created = office.organization("cqu").await;
    let change = Organization {
        name: created.name.clone(),
        kind: organization::Kind::University.into(),
        identifiers: vec![Identifier { scheme: "CN-USCC".into(), id: "12100000400002697F".into() }],
        attributes: [("city".to_owned(), "重庆".to_owned())].into(),
        etag: created.etag,
        ..Organization::default()
    };
    let request = UpdateOrganizationRequest {
        organization: Some(change),
        update_mask: mask(&["kind", "identifiers", "attributes"]),
        ..UpdateOrganizationRequest::default()
    };
    let updated = client.update_organization(request).await.unwrap().into_inner().organization.unwrap();
    assert_eq!(updated.display_name, "机构 cqu");
    let request = ListOrganizationsRequest {
        filter: "kind = KIND_UNIVERSITY AND identifiers.id:\"12100000*\" AND attributes.city = 重庆".into(),
        ..ListOrganizationsRequest::default()
    };
    let listed = client.list_organizations(request).await.unwrap().into_inner().organizations;
    assert_eq!(listed, std::slice::from_ref(&updated));
    let request =
        DeleteOrganizationRequest { name: updated.name.clone(), ..DeleteOrganizationRequest::default() };
    let deleted = client.delete_organization(request).await.unwrap().into_inner().organization.unwrap();
    let get = GetOrganizationRequest { name: updated.name.clone(), ..GetOrganizationRequest::default() };
    assert_eq!(client.get_organization(get).await.unwrap().into_inner().organization, Some(deleted));
    let request =
        UndeleteOrganizationRequest { name: updated.name, ..UndeleteOrganizationRequest::default() };
    let back = client.undelete_organization(request).await.unwrap().into_inner().organization.unwrap();
    assert_eq!(back.kind(), organization::Kind::University);
}

#[tokio::test]
async fn a_project_holds_all_that_is_said_of_it() {
    let office = Office::with_portfolio().await;
    office.organization("cqu").await;
    let day = |year, month, day| Some(Date { year, month, day });
    let said = Project {
        translations: [("en".to_owned(), "Ultra-transient experimental facility".to_owned())].into(),
        codes: vec![ProjectCode { scheme: "GB/T 40058".into(), code: "2019-500107-73-03-066118".into() }],
        sector: "research".into(),
        level: project::Level::Municipal.into(),
        key: Some(true),
        listing: project::Listing::NewStart.into(),
        site: Some(Site {
            address: "重庆高新区".into(),
            division_code: "500107".into(),
            latitude: Some(29.6),
            longitude: Some(106.3),
        }),
        purpose: "大科学装置".into(),
        scale: "两期".into(),
        investment: Some(cny(500)),
        breakdown: vec![InvestmentItem { category: "equipment".into(), amount: Some(cny(300)) }],
        funding: vec![FundingSource {
            source: "central budget".into(),
            organization: "organizations/cqu".into(),
            amount: Some(cny(500)),
        }],
        annual_plans: vec![AnnualPlan {
            year: 2021,
            investment: Some(cny(100)),
            content: "开工".into(),
            ..AnnualPlan::default()
        }],
        completed_investments: vec![CompletedInvestment {
            period: Some(Period { start_date: day(2021, 5, 1), end_date: day(2021, 5, 27) }),
            amount: Some(cny(10)),
            reported_date: None,
        }],
        parties: vec![Party {
            organization: "organizations/cqu".into(),
            roles: vec!["publicAuthority".into()],
        }],
        planned_period: Some(Period { start_date: day(2021, 5, 27), end_date: day(2023, 12, 31) }),
        labels: [("track".to_owned(), "big-science".to_owned())].into(),
        ..named("超瞬态实验装置")
    };
    let created = office.project("utef", said.clone()).await;
    let bare = Project {
        name: String::new(),
        status: 0,
        create_time: None,
        update_time: None,
        etag: String::new(),
        ..created.clone()
    };
    assert_eq!(bare, said);
    assert_eq!(office.get_project("utef").await, created);
    let request = ListProjectsRequest {
        parent: "portfolios/wsc".into(),
        filter: "parties.organization:\"organizations/cqu\" AND key = true AND level = LEVEL_MUNICIPAL AND \
                 labels.track = \"big-science\" AND investment.currency_code = CNY AND investment.units >= 500 AND \
                 planned_period.end_date < \"2024-01-01\" AND codes.code:\"2019-500107*\" AND site.division_code = \"500107\""
            .into(),
        ..ListProjectsRequest::default()
    };
    assert_eq!(office.projects().list_projects(request).await.unwrap().into_inner().projects, [created]);
}

#[tokio::test]
async fn an_update_takes_over_what_its_mask_names() {
    let office = Office::with_portfolio().await;
    let site = Some(Site { address: "a".into(), division_code: "500107".into(), ..Site::default() });
    office.project("x", Project { sector: "s".into(), key: Some(true), site, ..named("x") }).await;
    let update = async |project: Project, paths: &[&str]| {
        let project = Some(Project { name: project_name("x"), ..project });
        let request = UpdateProjectRequest {
            project,
            update_mask: (!paths.is_empty()).then(|| mask(paths).unwrap()),
            ..UpdateProjectRequest::default()
        };
        office.projects().update_project(request).await.map(|response| response.into_inner().project.unwrap())
    };

    let said = update(Project { scale: "12 km".into(), ..Project::default() }, &[]).await.unwrap();
    assert_eq!((said.scale.as_str(), said.sector.as_str(), said.key), ("12 km", "s", Some(true)));
    let site = Some(Site { address: "b".into(), ..Site::default() });
    let part = update(Project { site: site.clone(), ..Project::default() }, &["site.address"]).await.unwrap();
    assert_eq!(part.site.as_ref().unwrap().division_code, "500107");
    let unset = update(Project { site, ..Project::default() }, &["site", "key"]).await.unwrap();
    assert_eq!((unset.site.unwrap().division_code.as_str(), unset.key), ("", None));
    let all = update(named("y"), &["*"]).await.unwrap();
    assert_eq!((all.display_name.as_str(), all.sector.as_str(), all.scale.as_str()), ("y", "", ""));
    let sequence = office.sequence();
    let same = update(named("y"), &["display_name", "sector"]).await.unwrap();
    assert_eq!((same, office.sequence()), (all, sequence));

    let status = update(named(""), &["display_name"]).await.unwrap_err();
    assert_eq!(faults(&status), [("project.display_name".into(), "REQUIRED".into())]);
    let status = update(named("z"), &["status", "nome", "name", "etag", "labels.x"]).await.unwrap_err();
    let reasons: Vec<_> = faults(&status).into_iter().map(|(_, reason)| reason).collect();
    assert_eq!(reasons, ["OUTPUT_ONLY", "UNKNOWN_FIELD", "OUTPUT_ONLY", "OUTPUT_ONLY", "UNKNOWN_FIELD"]);
    let period = Some(Period { end_date: Some(Date { year: 2021, month: 6, day: 1 }), start_date: None });
    let actual = Project { actual_period: period, ..Project::default() };
    let status = update(actual, &["actual_period.end_date"]).await.unwrap_err();
    assert_eq!(faults(&status), [("project.actual_period.end_date".into(), "DATE_IN_FUTURE".into())]);
}

#[tokio::test]
async fn references_are_held_against_what_is_there() {
    let office = Office::with_portfolio().await;
    let party =
        |id: &str| Party { organization: format!("organizations/{id}"), roles: vec!["supplier".into()] };
    let part =
        Project { parties: vec![party("cqu")], parent_project: project_name("whole"), ..named("part") };
    let status = office.try_project("part", part.clone()).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::FailedPrecondition, "PRECONDITION_FAILED".into()));
    let missing = |subject: &str| ("REFERENCE_NOT_FOUND".to_owned(), subject.to_owned());
    assert_eq!(conditions(&status), [missing("organizations/cqu"), missing(&project_name("whole"))]);

    office.organization("cqu").await;
    office.project("whole", named("whole")).await;
    office.project("part", part).await;
    let delete =
        |id: &str| DeleteProjectRequest { name: project_name(id), ..DeleteProjectRequest::default() };
    let status = office.projects().delete_project(delete("whole")).await.unwrap_err();
    assert_eq!(conditions(&status), [("HAS_PARTS".into(), project_name("part"))]);
    let circle =
        Project { name: project_name("whole"), parent_project: project_name("part"), ..Project::default() };
    let request = UpdateProjectRequest { project: Some(circle), ..UpdateProjectRequest::default() };
    let status = office.projects().update_project(request).await.unwrap_err();
    assert_eq!(conditions(&status)[0].0, "PARENT_CYCLE");

    office.projects().delete_project(delete("part")).await.unwrap();
    office.projects().delete_project(delete("whole")).await.unwrap();
    let request = UndeleteProjectRequest { name: project_name("part"), ..UndeleteProjectRequest::default() };
    let status = office.projects().undelete_project(request).await.unwrap_err();
    assert_eq!(conditions(&status), [("REFERENCE_DELETED".into(), project_name("whole"))]);
}

#[tokio::test]
async fn a_phase_has_a_place_of_its_own() {
    let office = Office::with_portfolio().await;
    office.project("x", named("x")).await;
    let create = async |id: &str, order| {
        let request = CreatePhaseRequest {
            parent: project_name("x"),
            phase_id: id.into(),
            phase: Some(Phase { display_name: "一期".into(), order, ..Phase::default() }),
            ..CreatePhaseRequest::default()
        };
        office.phases().create_phase(request).await.map(|response| response.into_inner().phase.unwrap())
    };
    let one = create("one", 1).await.unwrap();
    let taken =
        |status: &tonic::Status| assert_eq!(conditions(status), [("ORDER_TAKEN".into(), one.name.clone())]);
    taken(&create("two", 1).await.unwrap_err());
    let two = create("two", 2).await.unwrap();
    let change = Phase { name: two.name.clone(), order: 1, ..Phase::default() };
    let update = UpdatePhaseRequest { phase: Some(change), ..UpdatePhaseRequest::default() };
    taken(&office.phases().update_phase(update.clone()).await.unwrap_err());
    let delete = DeletePhaseRequest { name: one.name.clone(), ..DeletePhaseRequest::default() };
    office.phases().delete_phase(delete).await.unwrap();
    let moved = office.phases().update_phase(update).await.unwrap().into_inner().phase.unwrap();
    let undelete = UndeletePhaseRequest { name: one.name.clone(), ..UndeletePhaseRequest::default() };
    let status = office.phases().undelete_phase(undelete).await.unwrap_err();
    assert_eq!(conditions(&status), [("ORDER_TAKEN".into(), two.name)]);
    let list = ListPhasesRequest {
        parent: project_name("x"),
        order_by: "order".into(),
        ..ListPhasesRequest::default()
    };
    assert_eq!(office.phases().list_phases(list).await.unwrap().into_inner().phases, [moved]);
    assert_eq!(faults(&create("three", -1).await.unwrap_err())[0].1, "OUT_OF_RANGE");
}

#[tokio::test]
async fn a_batch_keeps_what_was_declared_apart_from_what_is_registered() {
    let office = Office::with_portfolio().await;
    office.project("x", super::office::costing(5)).await;
    office.project("y", named("y")).await;
    let declared = Batch {
        declared_count: Some(79),
        declared_investment: Some(cny(130_000_000_000)),
        place: "科学大道".into(),
        ..batch(2020, 9, 11)
    };
    let request = super::office::create_batch("first", declared);
    let created = office.batches().create_batch(request).await.unwrap().into_inner().batch.unwrap();
    assert_eq!((created.declared_count, created.registered_count), (Some(79), 0));
    let members = vec![project_name("x"), project_name("y")];
    let request =
        AddBatchMembersRequest { name: batch_name("first"), members, ..AddBatchMembersRequest::default() };
    let added =
        office.batches().add_batch_members(request.clone()).await.unwrap().into_inner().batch.unwrap();
    assert_eq!((added.registered_count, added.registered_without_investment_count), (2, 1));
    assert_eq!((added.registered_investments.clone(), added.declared_count), (vec![cny(5)], Some(79)));
    let again = office.batches().add_batch_members(request).await.unwrap().into_inner().batch.unwrap();
    assert_eq!(again, added, "adding a member twice changes nothing");

    let change = Project { name: project_name("y"), investment: Some(cny(7)), ..Project::default() };
    let request = UpdateProjectRequest { project: Some(change), ..UpdateProjectRequest::default() };
    office.projects().update_project(request).await.unwrap();
    let read = office.get_batch("first").await.unwrap();
    assert_eq!((read.registered_investments, read.etag), (vec![cny(12)], added.etag));
    let request = RemoveBatchMembersRequest {
        name: batch_name("first"),
        members: vec![project_name("x")],
        ..RemoveBatchMembersRequest::default()
    };
    let removed = office.batches().remove_batch_members(request).await.unwrap().into_inner().batch.unwrap();
    assert_eq!((removed.members, removed.registered_investments), (vec![project_name("y")], vec![cny(7)]));
    let request = CancelBatchRequest {
        name: batch_name("first"),
        reason: "改期".into(),
        ..CancelBatchRequest::default()
    };
    let cancelled = office.batches().cancel_batch(request).await.unwrap().into_inner().batch.unwrap();
    assert_eq!(cancelled.state(), self::batch::State::Cancelled);
    let delete = DeleteBatchRequest { name: batch_name("first"), ..DeleteBatchRequest::default() };
    assert!(
        office
            .batches()
            .delete_batch(delete)
            .await
            .unwrap()
            .into_inner()
            .batch
            .unwrap()
            .delete_time
            .is_some()
    );
    let undelete = UndeleteBatchRequest { name: batch_name("first"), ..UndeleteBatchRequest::default() };
    let back = office.batches().undelete_batch(undelete).await.unwrap().into_inner().batch.unwrap();
    assert_eq!((back.delete_time, back.state()), (None, self::batch::State::Cancelled));
    let change = Batch { name: batch_name("first"), declared_count: Some(80), ..Batch::default() };
    let request = UpdateBatchRequest { batch: Some(change), ..UpdateBatchRequest::default() };
    let updated = office.batches().update_batch(request).await.unwrap().into_inner().batch.unwrap();
    assert_eq!((updated.declared_count, updated.registered_count), (Some(80), 1));
}
