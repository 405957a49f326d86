//! What is stored is trusted: rows that today's rules for requests would refuse are read, changed and answered
//! as they are. What cannot be decoded is damage: named, for whatever needs the row, and for nothing else.

mod damaged;

use std::sync::Arc;

use bytes::Bytes;
use milepost_ledger::journal::memory::MemoryJournal;
use milepost_ledger::{Context, Decision, Domain, Entry, Ledger, Options, Read, Submission, Unusable, Write};
use milepost_proto::google::r#type::{Date, Money};
use milepost_proto::registry::v1::*;
use milepost_types::{LogId, SystemClock};
use prost::Message;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::office::{
    Office, batch, batch_name, costing, create_batch, named, portfolio, project_name, refusal,
};

/// Writes the events that it is given, and applies none of them.
struct Scribe;

impl Domain for Scribe {
    type Command = Vec<Bytes>;
    type Rejection = ();

    const STORE_VERSION: u32 = 1;

    fn decide(&self, _: &dyn Read, events: &Vec<Bytes>, _: &Context) -> Result<Decision, ()> {
        Ok(Decision { events: events.clone(), ..Decision::default() })
    }

    fn apply(&self, _: &mut dyn Write, _: &Entry) -> Result<(), Unusable> {
        Ok(())
    }
}

/// An event as far as it carries a resource, byte for byte.
#[derive(Clone, PartialEq, Message)]
struct Carrier {
    #[prost(string, tag = "2")]
    source: String,
    #[prost(bytes = "bytes", optional, tag = "50")]
    portfolio: Option<Bytes>,
    #[prost(bytes = "bytes", optional, tag = "51")]
    organization: Option<Bytes>,
    #[prost(bytes = "bytes", optional, tag = "52")]
    project: Option<Bytes>,
    #[prost(bytes = "bytes", optional, tag = "53")]
    phase: Option<Bytes>,
    #[prost(bytes = "bytes", optional, tag = "54")]
    batch: Option<Bytes>,
    #[prost(bytes = "bytes", optional, tag = "60")]
    collection: Option<Bytes>,
    #[prost(bytes = "bytes", optional, tag = "61")]
    indicator: Option<Bytes>,
    #[prost(bytes = "bytes", optional, tag = "62")]
    observation: Option<Bytes>,
}

/// An office whose journal holds these resources, whatever the rules say of them.
async fn office(resources: Vec<Carrier>) -> Office {
    let journal = Arc::new(MemoryJournal::new(LogId::from_bytes([7; 16])));
    let dir = tempfile::tempdir().unwrap();
    let (clock, options) = (Arc::new(SystemClock), Options::default());
    let scribe =
        Ledger::open("registry", dir.path(), journal.clone(), Arc::new(Scribe), clock, options).unwrap();
    let source = || "registry".to_owned();
    let events = resources.into_iter().map(|carrier| Carrier { source: source(), ..carrier });
    let events = events.map(|carrier| carrier.encode_to_vec().into()).collect();
    scribe.submit(Submission::system("test", events)).await.unwrap();
    scribe.close();
    Office::on(journal).await
}

fn bytes(message: &impl Message) -> Option<Bytes> {
    Some(message.encode_to_vec().into())
}

/// The bytes of a message with a field after it that is no text.
fn damaged(message: &impl Message, field: u32) -> Option<Bytes> {
    #[derive(Clone, PartialEq, Message)]
    struct Text {
        #[prost(bytes = "vec", tag = "1")]
        field: Vec<u8>,
    }
    let mut bytes = message.encode_to_vec();
    let mut text = Text { field: vec![0xff] }.encode_to_vec();
    assert_eq!(text[0], 1 << 3 | 2);
    text.remove(0);
    prost::encoding::encode_key(field, prost::encoding::WireType::LengthDelimited, &mut bytes);
    Some([bytes, text].concat().into())
}

fn time(seconds: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds, nanos: 0 })
}

fn day(year: i32) -> Option<Date> {
    Some(Date { year, month: 5, day: 27 })
}

fn stored_portfolio() -> Portfolio {
    let (name, etag) = ("portfolios/wsc".to_owned(), "1".to_owned());
    Portfolio { name, etag, create_time: time(1), update_time: time(1), ..portfolio() }
}

fn stored_project(id: &str) -> Project {
    Project {
        name: project_name(id),
        etag: "1".to_owned(),
        status: project::Status::Preparation.into(),
        create_time: time(1),
        update_time: time(1),
        ..named(id)
    }
}

fn stored_phase() -> Phase {
    Phase {
        name: format!("{}/phases/one", project_name("x")),
        display_name: "一期".to_owned(),
        order: 1,
        etag: "1".to_owned(),
        create_time: time(1),
        update_time: time(1),
        ..Phase::default()
    }
}

fn stored_organization() -> Organization {
    Organization {
        name: "organizations/cqu".to_owned(),
        display_name: "重庆大学".to_owned(),
        etag: "1".to_owned(),
        create_time: time(1),
        update_time: time(1),
        ..Organization::default()
    }
}

fn stored_batch() -> Batch {
    Batch {
        name: batch_name("first"),
        state: batch::State::Planned.into(),
        members: vec![project_name("x")],
        registered_count: 1,
        registered_without_investment_count: 1,
        etag: "1".to_owned(),
        create_time: time(1),
        update_time: time(1),
        ..batch(2021, 5, 27)
    }
}

/// A text that is longer than any rule allows.
fn long() -> String {
    "长".repeat(5000)
}

fn translations() -> std::collections::HashMap<String, String> {
    [("no tag".to_owned(), long())].into()
}

#[tokio::test]
async fn what_was_stored_under_looser_rules_is_read_and_changed_and_keeps_what_is_not_named() {
    let old = |units| Some(Money { currency_code: "XXQ".to_owned(), units, nanos: 0 });
    let reversed = Some(Period { start_date: day(2023), end_date: day(2021) });
    let code = |code: &str| ProjectCode { scheme: "GB/T 40058".to_owned(), code: code.to_owned() };
    let project = Project {
        display_name: long(),
        translations: translations().into_iter().collect(),
        codes: vec![code("none"), code("another")],
        level: 99,
        listing: 98,
        site: Some(Site { latitude: Some(91.0), ..Site::default() }),
        investment: old(-1),
        breakdown: vec![InvestmentItem { category: long(), amount: Some(super::office::cny(1)) }],
        annual_plans: vec![AnnualPlan { year: 1066, ..AnnualPlan::default() }; 2],
        parties: vec![Party { organization: "organizations/never".to_owned(), roles: vec![] }],
        planned_period: reversed,
        labels: [("NOT AN ID".to_owned(), "x\ny".to_owned())].into(),
        ..stored_project("x")
    };
    let portfolio = Portfolio {
        display_name: long(),
        time_zone: "Asia/Chengdu".to_owned(),
        reporting_currency_code: "XXQ".to_owned(),
        working_calendar: Some(WorkingCalendar {
            weekdays: vec![9],
            holidays: vec![day(2021).unwrap()],
            make_up_days: vec![day(2021).unwrap()],
        }),
        ..stored_portfolio()
    };
    let organization = Organization { kind: 97, display_name: String::new(), ..stored_organization() };
    let phase = Phase { order: 0, planned_period: reversed, investment: old(2), ..stored_phase() };
    let batch =
        Batch { declared_count: Some(-1), declared_investment: old(-5), place: long(), ..stored_batch() };
    let office = office(vec![
        Carrier { portfolio: bytes(&portfolio), ..Carrier::default() },
        Carrier { organization: bytes(&organization), ..Carrier::default() },
        Carrier { project: bytes(&project), ..Carrier::default() },
        Carrier { phase: bytes(&phase), ..Carrier::default() },
        Carrier { batch: bytes(&batch), ..Carrier::default() },
    ])
    .await;
    assert_eq!(office.get_project("x").await, project);

    let change = Project { name: project_name("x"), sector: "road".to_owned(), ..Project::default() };
    let request = UpdateProjectRequest { project: Some(change), ..UpdateProjectRequest::default() };
    let changed = office.projects().update_project(request).await.unwrap().into_inner().project.unwrap();
    let as_it_was =
        Project { sector: String::new(), etag: project.etag.clone(), update_time: time(1), ..changed };
    assert_eq!(as_it_was, project);
    // What an update names is held against today's rules all the same.
    let change =
        Project { name: project_name("x"), level: 99, codes: vec![code("no")], ..Project::default() };
    let request = UpdateProjectRequest { project: Some(change), ..UpdateProjectRequest::default() };
    let status = office.projects().update_project(request).await.unwrap_err();
    assert_eq!(super::office::faults(&status)[0].0, "project.level");

    let change =
        Portfolio { name: portfolio.name.clone(), description: "x".to_owned(), ..Portfolio::default() };
    let request = UpdatePortfolioRequest { portfolio: Some(change), ..UpdatePortfolioRequest::default() };
    let changed =
        office.portfolios().update_portfolio(request).await.unwrap().into_inner().portfolio.unwrap();
    assert_eq!(
        Portfolio {
            description: String::new(),
            etag: "1".to_owned(),
            update_time: time(1),
            current_date: None,
            ..changed
        },
        portfolio
    );
    let change = Organization {
        name: organization.name.clone(),
        attributes: [("city".to_owned(), "x".to_owned())].into(),
        ..Organization::default()
    };
    let request =
        UpdateOrganizationRequest { organization: Some(change), ..UpdateOrganizationRequest::default() };
    let changed = office.organizations().update_organization(request).await.unwrap();
    let changed = changed.into_inner().organization.unwrap();
    assert_eq!((changed.kind, changed.display_name), (97, String::new()));
    let change = Phase { name: phase.name.clone(), scale: "x".to_owned(), ..Phase::default() };
    let request = UpdatePhaseRequest { phase: Some(change), ..UpdatePhaseRequest::default() };
    let changed = office.phases().update_phase(request).await.unwrap().into_inner().phase.unwrap();
    assert_eq!((changed.planned_period, changed.investment), (phase.planned_period, phase.investment));
    let change = Batch { name: batch.name.clone(), description: "x".to_owned(), ..Batch::default() };
    let request = UpdateBatchRequest { batch: Some(change), ..UpdateBatchRequest::default() };
    let changed = office.batches().update_batch(request).await.unwrap().into_inner().batch.unwrap();
    assert_eq!((changed.declared_count, changed.declared_investment), (Some(-1), old(-5)));
    assert_eq!(changed.registered_investments, [old(-1).unwrap()]);
    let started = office.start_batch("first").await.unwrap();
    assert_eq!((started.registered_count, started.place), (1, long()));
    assert_eq!(office.get_project("x").await.level, 99);
}

/// Checks that a call is refused for this row.
fn lost(status: &Status, table: &str, key: &str) {
    assert_eq!(refusal(status), (Code::DataLoss, "DATA_LOSS".to_owned()), "{status:?}");
    let place = format!("the row of table registry.{table} with the key {key}");
    assert_eq!(status.get_details_error_info().unwrap().metadata["where"], place);
    assert!(status.message().starts_with(&format!("{place} cannot be decoded: ")), "{status:?}");
}

#[tokio::test]
async fn a_damaged_row_is_named_to_get_and_list_and_writes_and_others_are_served() {
    let office = office(vec![
        Carrier { portfolio: bytes(&stored_portfolio()), ..Carrier::default() },
        Carrier { project: bytes(&stored_project("good")), ..Carrier::default() },
        Carrier { project: damaged(&stored_project("x"), 5), ..Carrier::default() },
        Carrier { phase: damaged(&stored_phase(), 8), ..Carrier::default() },
        Carrier { organization: damaged(&stored_organization(), 3), ..Carrier::default() },
        Carrier { batch: damaged(&stored_batch(), 9), ..Carrier::default() },
    ])
    .await;
    let key = r"wsc\x00x";
    let get = GetProjectRequest { name: project_name("x"), ..GetProjectRequest::default() };
    lost(&office.projects().get_project(get).await.unwrap_err(), "projects", key);
    for order_by in ["name", "display_name", "update_time", "update_time desc"] {
        let (parent, order_by) = ("portfolios/wsc".to_owned(), order_by.to_owned());
        let list = ListProjectsRequest { parent, order_by, ..ListProjectsRequest::default() };
        lost(&office.projects().list_projects(list).await.unwrap_err(), "projects", key);
    }
    let names = vec![project_name("good"), project_name("x")];
    let several = BatchGetProjectsRequest { parent: "portfolios/-".to_owned(), names, ..Default::default() };
    lost(&office.projects().batch_get_projects(several).await.unwrap_err(), "projects", key);
    lost(&office.start("x").await.unwrap_err(), "projects", key);
    let change = Project { name: project_name("x"), sector: "s".to_owned(), ..Project::default() };
    let request = UpdateProjectRequest { project: Some(change), ..UpdateProjectRequest::default() };
    lost(&office.projects().update_project(request).await.unwrap_err(), "projects", key);

    let (phase, key) = (stored_phase().name, r"wsc\x00x\x00one");
    let get = GetPhaseRequest { name: phase.clone(), ..GetPhaseRequest::default() };
    lost(&office.phases().get_phase(get).await.unwrap_err(), "phases", key);
    for parent in [project_name("x"), "portfolios/-/projects/-".to_owned()] {
        for order_by in ["name", "order"] {
            let (parent, order_by) = (parent.clone(), order_by.to_owned());
            let list = ListPhasesRequest { parent, order_by, ..ListPhasesRequest::default() };
            lost(&office.phases().list_phases(list).await.unwrap_err(), "phases", key);
        }
    }
    let delete = DeletePhaseRequest { name: phase, ..DeletePhaseRequest::default() };
    lost(&office.phases().delete_phase(delete).await.unwrap_err(), "phases", key);

    let name = stored_organization().name;
    let get = GetOrganizationRequest { name: name.clone(), ..GetOrganizationRequest::default() };
    lost(&office.organizations().get_organization(get).await.unwrap_err(), "organizations", "cqu");
    let list = ListOrganizationsRequest::default();
    lost(&office.organizations().list_organizations(list).await.unwrap_err(), "organizations", "cqu");
    let delete = DeleteOrganizationRequest { name, ..DeleteOrganizationRequest::default() };
    lost(&office.organizations().delete_organization(delete).await.unwrap_err(), "organizations", "cqu");

    let key = r"wsc\x00first";
    lost(&office.get_batch("first").await.unwrap_err(), "batches", key);
    let list = ListBatchesRequest { parent: "portfolios/wsc".to_owned(), ..ListBatchesRequest::default() };
    lost(&office.batches().list_batches(list).await.unwrap_err(), "batches", key);
    lost(&office.start_batch("first").await.unwrap_err(), "batches", key);

    // A batch that needs a damaged row says which.
    let members = vec![project_name("good"), project_name("x")];
    let request = create_batch("second", Batch { members, ..batch(2021, 5, 27) });
    let created = office.batches().create_batch(request).await.unwrap();
    assert_eq!(created.into_inner().batch.unwrap().registered_count, 2);
    lost(&office.start_batch("second").await.unwrap_err(), "projects", r"wsc\x00x");

    assert_eq!(office.get_project("good").await, stored_project("good"));
    office.start("good").await.unwrap();
    office.project("new", costing(1)).await;
    let filter = "status = STATUS_CONSTRUCTION".to_owned();
    let parent = "portfolios/wsc".to_owned();
    let list = ListProjectsRequest { parent, filter, ..ListProjectsRequest::default() };
    let listed = office.projects().list_projects(list).await.unwrap().into_inner().projects;
    assert_eq!(listed.len(), 1);
}

#[tokio::test]
async fn a_batch_with_a_member_that_is_no_name_is_named_by_its_key() {
    let members = vec!["nonsense".to_owned()];
    let planned = self::batch::State::Planned.into();
    let office = office(vec![
        Carrier { portfolio: bytes(&stored_portfolio()), ..Carrier::default() },
        Carrier { batch: bytes(&Batch { members, state: planned, ..stored_batch() }), ..Carrier::default() },
    ])
    .await;
    let key = r"wsc\x00first";
    lost(&office.get_batch("first").await.unwrap_err(), "batches", key);
    let list = ListBatchesRequest { parent: "portfolios/wsc".to_owned(), ..ListBatchesRequest::default() };
    lost(&office.batches().list_batches(list).await.unwrap_err(), "batches", key);
    lost(&office.start_batch("first").await.unwrap_err(), "batches", key);
}

#[tokio::test]
async fn a_portfolio_that_cannot_be_decoded_is_named_to_what_is_in_it() {
    let office = office(vec![
        Carrier { portfolio: damaged(&stored_portfolio(), 6), ..Carrier::default() },
        Carrier { project: bytes(&stored_project("x")), ..Carrier::default() },
    ])
    .await;
    let get = GetPortfolioRequest { name: "portfolios/wsc".to_owned(), ..GetPortfolioRequest::default() };
    lost(&office.portfolios().get_portfolio(get).await.unwrap_err(), "portfolios", "wsc");
    for order_by in ["name", "display_name"] {
        let list =
            ListPortfoliosRequest { order_by: order_by.to_owned(), ..ListPortfoliosRequest::default() };
        lost(&office.portfolios().list_portfolios(list).await.unwrap_err(), "portfolios", "wsc");
    }
    let delete = DeletePortfolioRequest { name: "portfolios/wsc".to_owned(), ..Default::default() };
    office
        .projects()
        .delete_project(DeleteProjectRequest { name: project_name("x"), ..Default::default() })
        .await
        .unwrap();
    lost(&office.portfolios().delete_portfolio(delete).await.unwrap_err(), "portfolios", "wsc");
    assert_eq!(office.get_project("x").await.display_name, "x");
}

#[tokio::test]
async fn a_state_that_this_version_does_not_know_is_read_and_not_acted_on() {
    let project = Project { status: 42, ..stored_project("x") };
    let office = office(vec![
        Carrier { portfolio: bytes(&stored_portfolio()), ..Carrier::default() },
        Carrier { project: bytes(&project), ..Carrier::default() },
    ])
    .await;
    assert_eq!(office.get_project("x").await, project);
    let status = office.start("x").await.unwrap_err();
    lost(&status, "projects", r"wsc\x00x");
    assert!(status.message().contains("status: 42 is no status that this version knows"), "{status:?}");
}

#[tokio::test]
async fn what_cannot_be_worked_with_of_collections_and_observations_is_named() {
    let element = CollectionElement {
        id: "e".to_owned(),
        planned_measure: "forty".to_owned(),
        contributions: vec![CollectionContribution {
            project: project_name("x"),
            measure: "1".to_owned(),
            ..CollectionContribution::default()
        }],
        ..CollectionElement::default()
    };
    let name = "portfolios/wsc/collections/c".to_owned();
    let collection = Collection { name: name.clone(), elements: vec![element], ..Collection::default() };
    let indicator = Indicator {
        name: "portfolios/wsc/indicators/i".to_owned(),
        kind: indicator::Kind::Stock.into(),
        ..Indicator::default()
    };
    let observation = Observation {
        name: format!("{}/observations/o", indicator.name),
        period: Some(Period { start_date: day(2021), end_date: day(2021) }),
        value: "1".to_owned(),
        state: 42,
        ..Observation::default()
    };
    let project = Project { status: project::Status::Construction.into(), ..stored_project("x") };
    let office = office(vec![
        Carrier { portfolio: bytes(&stored_portfolio()), ..Carrier::default() },
        Carrier { project: bytes(&project), ..Carrier::default() },
        Carrier { project: bytes(&stored_project("y")), ..Carrier::default() },
        Carrier { collection: bytes(&collection), ..Carrier::default() },
        Carrier { indicator: bytes(&indicator), ..Carrier::default() },
        Carrier { observation: bytes(&observation), ..Carrier::default() },
    ])
    .await;
    // What is stored is read as it is; what needs to be computed of it says which row it is.
    let get = GetCollectionRequest { name: name.clone(), ..Default::default() };
    let read = office.collections().get_collection(get).await.unwrap().into_inner().collection.unwrap();
    assert_eq!(read, collection);
    let rollup = GetCollectionRollupRequest { name, ..Default::default() };
    let key = r"wsc\x00c";
    lost(&office.collections().get_collection_rollup(rollup).await.unwrap_err(), "collections", key);
    let complete = CompleteProjectRequest { name: project_name("x"), ..Default::default() };
    office.projects().complete_project(complete).await.unwrap();
    let key = r"wsc\x00i\x00o";
    let get = GetIndicatorRequest { name: indicator.name.clone(), ..Default::default() };
    let shown = office.indicators().get_indicator(get).await.unwrap().into_inner().indicator.unwrap();
    assert_eq!((shown.name, shown.current), (indicator.name.clone(), None));
    let series = GetIndicatorSeriesRequest { name: indicator.name, ..Default::default() };
    lost(&office.indicators().get_indicator_series(series).await.unwrap_err(), "observations", key);
    office.start("y").await.unwrap();
}
