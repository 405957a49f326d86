//! No answer is larger than what clients take: the clients of these tests take 4 MiB, as any that was not
//! configured otherwise.

use std::collections::BTreeSet;

use milepost_ledger::Entry;
use milepost_ledger::journal::ReadLimit;
use milepost_proto::FILE_DESCRIPTOR_SET;
use milepost_proto::google::r#type::{Date, Money};
use milepost_proto::notifier::v1::GetEventResponse;
use milepost_proto::registry::v1::batch_service_client::BatchServiceClient;
use milepost_proto::registry::v1::collection_service_client::CollectionServiceClient;
use milepost_proto::registry::v1::project_service_client::ProjectServiceClient;
use milepost_proto::registry::v1::*;
use milepost_types::limits;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage};
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::full::{self, currency, id, text};
use super::office::{
    Office, batch_name, create_batch, create_project, named, organization_name, project_name,
};

/// Clients with the limit that they have by default.
impl Office {
    fn default_projects(&self) -> ProjectServiceClient<Channel> {
        ProjectServiceClient::new(self.channel.clone())
    }

    fn default_collections(&self) -> CollectionServiceClient<Channel> {
        CollectionServiceClient::new(self.channel.clone())
    }

    fn default_batches(&self) -> BatchServiceClient<Channel> {
        BatchServiceClient::new(self.channel.clone())
    }
}

/// Checks that all fields are set but those that need not be, and that an answer holds the resource, alone
/// and in the event that carries it.
async fn check(office: &Office, kind: &str, resource: &impl Message, unset: &[&str]) {
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap();
    let kind = pool.get_message_by_name(&format!("milepost.registry.v1.{kind}")).unwrap();
    let message = DynamicMessage::decode(kind.clone(), resource.encode_to_vec().as_slice()).unwrap();
    let bare: Vec<_> = kind
        .fields()
        .filter(|field| !message.has_field(field))
        .map(|field| field.name().to_owned())
        .collect();
    assert_eq!(bare, unset, "a full {} sets every field", kind.name());
    let bytes = resource.encoded_len();
    assert!(bytes <= limits::ANSWER_ITEM_BYTES, "{} {bytes}", kind.name());

    let source = office.service.api.ledger.source();
    let entries = source.read_after(office.sequence() - 1, ReadLimit::default()).await.unwrap();
    for event in Entry::decode(&entries[0]).unwrap().events {
        let event = milepost_proto::event::v1::Event::decode(event).unwrap();
        let answer = GetEventResponse { event: Some(event), cursor: text(100, 0) };
        assert!(
            answer.encoded_len() <= limits::ANSWER_ITEM_BYTES,
            "{} {}",
            kind.name(),
            answer.encoded_len()
        );
    }
}

#[tokio::test]
async fn a_portfolio_and_an_organization_at_all_their_limits_fit_one_answer() {
    let office = Office::open().await;
    let request = CreatePortfolioRequest {
        portfolio_id: id('p', 0),
        portfolio: Some(full::portfolio()),
        ..CreatePortfolioRequest::default()
    };
    let created = office.portfolios().create_portfolio(request).await.unwrap().into_inner();
    check(&office, "Portfolio", &created.portfolio.unwrap(), &["delete_time"]).await;
    let request = CreateOrganizationRequest {
        organization_id: id('o', 0),
        organization: Some(full::organization()),
        ..CreateOrganizationRequest::default()
    };
    let created = office.organizations().create_organization(request).await.unwrap().into_inner();
    check(&office, "Organization", &created.organization.unwrap(), &["delete_time"]).await;
}

/// An office where a full project can be created.
async fn office_for_full_projects() -> Office {
    let office = Office::with_portfolio().await;
    office.organization(&id('o', 0)).await;
    office.project(&id('w', 0), named("whole")).await;
    office
}

#[tokio::test]
async fn a_project_and_a_phase_at_all_their_limits_fit_one_answer() {
    let office = office_for_full_projects().await;
    let request = create_project(&id('x', 0), full::project());
    office.default_projects().create_project(request).await.unwrap();
    let request = SuspendProjectRequest {
        name: project_name(&id('x', 0)),
        reason: text(limits::TEXT_CHARS, 0),
        ..SuspendProjectRequest::default()
    };
    let suspended = office.default_projects().suspend_project(request).await.unwrap().into_inner();
    check(&office, "Project", &suspended.project.unwrap(), &["batch", "delete_time"]).await;
    let request = CreatePhaseRequest {
        parent: project_name(&id('x', 0)),
        phase_id: id('h', 0),
        phase: Some(full::phase()),
        ..CreatePhaseRequest::default()
    };
    let created = office.phases().create_phase(request).await.unwrap().into_inner();
    check(&office, "Phase", &created.phase.unwrap(), &["delete_time"]).await;
}

#[tokio::test]
async fn an_alliance_at_all_its_limits_fits_one_answer() {
    let office = office_for_full_projects().await;
    let requests = (0..1000).map(|i| create_project(&id('p', i), named("n"))).collect();
    let parent = "portfolios/wsc".to_owned();
    let batch = BatchCreateProjectsRequest { parent: parent.clone(), requests, ..Default::default() };
    office.default_projects().batch_create_projects(batch).await.unwrap();
    // As many stays as there may be, one after another.
    let day = |i: usize| Some(Date { year: 2000 + i as i32, month: 12, day: 31 });
    let member = |i: usize| AllianceMember {
        organization: organization_name(&id('o', 0)),
        lead: true,
        joined: day(i),
        left: day(i),
    };
    let alliance = Alliance {
        projects: (0..1000).map(|i| project_name(&id('p', i))).collect(),
        members: (0..limits::ALLIANCE_MEMBERS).map(member).collect(),
        ..full::alliance()
    };
    let request = CreateAllianceRequest {
        parent,
        alliance_id: id('l', 0),
        alliance: Some(alliance),
        ..CreateAllianceRequest::default()
    };
    let created = office.alliances().create_alliance(request).await.unwrap().into_inner();
    check(&office, "Alliance", &created.alliance.unwrap(), &["delete_time"]).await;
    let request = ChangeAllianceMembersRequest {
        name: format!("portfolios/wsc/alliances/{}", id('l', 0)),
        joining: vec![organization_name(&id('o', 0))],
        ..ChangeAllianceMembersRequest::default()
    };
    let status = office.alliances().change_alliance_members(request).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
}

fn is_current(code: &str) -> bool {
    code.parse::<milepost_types::CurrencyCode>().is_ok()
}

#[tokio::test]
async fn a_batch_at_all_its_limits_fits_one_answer() {
    let office = Office::with_portfolio().await;
    let members: Vec<_> = (0..limits::BATCH_MEMBERS).map(|i| project_name(&id('p', i))).collect();
    // Every currency that there is, each as often as the others, and sums as great as can be.
    let currencies: Vec<_> = (0..26 * 26 * 26).map(currency).filter(|code| is_current(code)).collect();
    assert!(currencies.len() > 150);
    let units = i64::MAX / limits::BATCH_MEMBERS.div_ceil(currencies.len()) as i64 - 1;
    let project = |i: usize| {
        let currency_code = currencies[i % currencies.len()].clone();
        let investment = Money { currency_code, units, nanos: 999_999_999 };
        create_project(&id('p', i), Project { investment: Some(investment), ..named("n") })
    };
    let numbers: Vec<_> = (0..limits::BATCH_MEMBERS).collect();
    for some in numbers.chunks(limits::BATCH_REQUESTS) {
        let requests = some.iter().map(|i| project(*i)).collect();
        let request = BatchCreateProjectsRequest {
            parent: "portfolios/wsc".into(),
            requests,
            ..BatchCreateProjectsRequest::default()
        };
        office.default_projects().batch_create_projects(request).await.unwrap();
    }
    let mut batches = office.default_batches();
    batches.create_batch(create_batch(&id('b', 0), full::batch())).await.unwrap();
    let name = batch_name(&id('b', 0));
    // Whose event names all of them twice.
    let request = AddBatchMembersRequest { name: name.clone(), members, ..AddBatchMembersRequest::default() };
    let added = batches.add_batch_members(request).await.unwrap().into_inner().batch.unwrap();
    assert_eq!(added.members.len(), limits::BATCH_MEMBERS);
    let unset = ["registered_without_investment_count", "delete_time"];
    check(&office, "Batch", &added, &unset).await;
    let request = GetBatchRequest { name, ..GetBatchRequest::default() };
    assert_eq!(batches.get_batch(request).await.unwrap().into_inner().batch.unwrap(), added);
}

#[tokio::test]
async fn a_collection_at_all_its_limits_fits_one_answer() {
    let office = Office::with_portfolio().await;
    let ids: Vec<_> = (0..limits::COLLECTION_MEMBERS).map(|i| id('p', i)).collect();
    for some in ids.chunks(limits::BATCH_REQUESTS) {
        let requests = some.iter().map(|id| create_project(id, named("n"))).collect();
        let (parent, requests) = ("portfolios/wsc".to_owned(), requests);
        let request = BatchCreateProjectsRequest { parent, requests, ..Default::default() };
        office.default_projects().batch_create_projects(request).await.unwrap();
    }
    let mut collections = office.default_collections();
    collections.create_collection(super::collections::create(&id('c', 0), full::collection())).await.unwrap();
    let name = super::collections::name(&id('c', 0));
    let members = ids.iter().map(|id| project_name(id)).collect();
    // Whose event names all of them twice.
    let request = AddCollectionMembersRequest { name: name.clone(), members, ..Default::default() };
    let added = collections.add_collection_members(request).await.unwrap().into_inner().collection.unwrap();
    assert_eq!(added.members.len(), limits::COLLECTION_MEMBERS);
    check(&office, "Collection", &added, &["delete_time"]).await;
    let request = GetCollectionRequest { name: name.clone(), ..Default::default() };
    assert_eq!(collections.get_collection(request).await.unwrap().into_inner().collection.unwrap(), added);
    let request = GetCollectionRollupRequest { name, ..Default::default() };
    let rollup = collections.get_collection_rollup(request).await.unwrap().into_inner().rollup.unwrap();
    assert_eq!((rollup.groups.len(), rollup.elements.len()), (1_000, 1_000));
    // One more character for each element is too much.
    let mut larger = full::collection();
    larger.elements.iter_mut().for_each(|element| element.display_name.push_str("𠮷𠮷"));
    let request = super::collections::create("larger", larger);
    let status = collections.create_collection(request).await.unwrap_err();
    let fault = ("collection.elements".to_owned(), "TOO_LARGE".to_owned());
    assert_eq!(super::office::faults(&status), [fault]);
}

#[tokio::test]
async fn lists_of_full_projects_are_read_to_their_end_by_any_client() {
    let office = office_for_full_projects().await;
    for i in 0..4 {
        // Half of them take a little less than half of an answer.
        let mut project = full::project();
        while i % 2 == 0 && project.encoded_len() > (2 << 20) - 5_000 {
            project.parties.pop();
        }
        office.project(&id('x', i), project).await;
    }
    for order_by in ["name", "update_time"] {
        let mut request = ListProjectsRequest {
            parent: "portfolios/wsc".into(),
            page_size: 1000,
            order_by: order_by.into(),
            ..ListProjectsRequest::default()
        };
        let mut names = BTreeSet::new();
        loop {
            let page = office.default_projects().list_projects(request.clone()).await.unwrap().into_inner();
            assert!(!page.projects.is_empty(), "a page holds one at least");
            names.extend(page.projects.into_iter().map(|project| project.name));
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
        assert_eq!(names.len(), 5, "{order_by}");
    }
}

/// Projects of about 33 kB each.
fn creation(ids: std::ops::Range<usize>) -> BatchCreateProjectsRequest {
    let purpose = || text(limits::TEXT_CHARS, 0);
    let project = || Project { purpose: purpose(), scale: purpose(), ..named("n") };
    BatchCreateProjectsRequest {
        parent: "portfolios/wsc".into(),
        requests: ids.map(|i| create_project(&format!("p{i:03}"), project())).collect(),
        ..BatchCreateProjectsRequest::default()
    }
}

/// How many fit, as a refusal says.
fn fit(status: &Status, asked: usize) -> usize {
    let info = status.get_details_error_info().unwrap();
    assert_eq!((status.code(), info.reason.as_str()), (Code::ResourceExhausted, "ANSWER_TOO_LARGE"));
    assert_eq!(info.metadata["limit"], limits::ANSWER_ITEM_BYTES.to_string());
    assert_eq!((&*info.metadata["what"], &*info.metadata["asked"]), ("projects", &*asked.to_string()));
    let (fit, rest) = status.message().split_once(&format!(" of the {asked} fit; ask for at most ")).unwrap();
    let fit = fit.rsplit(' ').next().unwrap();
    assert_eq!(info.metadata["fit"], fit);
    assert_eq!(rest, format!("{fit} at once"));
    fit.parse().unwrap()
}

#[tokio::test]
async fn a_batch_whose_answer_would_be_too_large_creates_nothing_and_says_how_many_fit() {
    let office = Office::with_portfolio().await;
    let mut projects = office.default_projects();
    let sequence = office.sequence();
    for validate_only in [false, true] {
        let request = BatchCreateProjectsRequest { validate_only, ..creation(0..150) };
        let refused = projects.batch_create_projects(request).await.unwrap_err();
        assert!((1..150).contains(&fit(&refused, 150)));
        assert_eq!(office.sequence(), sequence, "nothing happened");
    }
    let refused = projects.batch_create_projects(creation(0..150)).await.unwrap_err();
    let fit = fit(&refused, 150);
    assert!(projects.batch_create_projects(creation(0..fit + 1)).await.is_err());
    assert_eq!(office.sequence(), sequence, "nothing happened");
    let request = BatchCreateProjectsRequest { request_id: "r-1".into(), ..creation(0..fit) };
    let created = projects.batch_create_projects(request.clone()).await.unwrap().into_inner();
    assert_eq!((created.projects.len(), office.sequence()), (fit, sequence + 1));
    let again = projects.batch_create_projects(request).await.unwrap().into_inner();
    assert_eq!((again, office.sequence()), (created, sequence + 1), "the same id answers the same");
}

#[tokio::test]
async fn projects_that_do_not_fit_one_answer_are_not_read_together() {
    let office = Office::with_portfolio().await;
    let mut projects = office.default_projects();
    for ids in [0..100, 100..150] {
        projects.batch_create_projects(creation(ids)).await.unwrap();
    }
    let get = |count: usize| BatchGetProjectsRequest {
        parent: "portfolios/-".into(),
        names: (0..count).map(|i| project_name(&format!("p{i:03}"))).collect(),
        ..BatchGetProjectsRequest::default()
    };
    let fit = fit(&projects.batch_get_projects(get(150)).await.unwrap_err(), 150);
    let read = projects.batch_get_projects(get(fit)).await.unwrap().into_inner();
    assert_eq!(read.projects.len(), fit);
    assert!(projects.batch_get_projects(get(fit + 1)).await.is_err());
}

#[tokio::test]
async fn nothing_is_read_under_a_parent_that_is_not_there() {
    let office = Office::with_portfolio().await;
    let missing = || "portfolios/none".to_owned();
    let names = vec!["portfolios/none/projects/x".to_owned()];
    let get = BatchGetProjectsRequest { parent: missing(), names, ..BatchGetProjectsRequest::default() };
    let list = ListBatchesRequest { parent: missing(), ..ListBatchesRequest::default() };
    let phases = |parent: &str| ListPhasesRequest { parent: parent.into(), ..ListPhasesRequest::default() };
    for (status, name) in [
        (office.projects().batch_get_projects(get).await.unwrap_err(), "portfolios/none"),
        (office.batches().list_batches(list).await.unwrap_err(), "portfolios/none"),
        (
            office.phases().list_phases(phases("portfolios/none/projects/-")).await.unwrap_err(),
            "portfolios/none",
        ),
        (
            office.phases().list_phases(phases("portfolios/wsc/projects/none")).await.unwrap_err(),
            "portfolios/wsc/projects/none",
        ),
    ] {
        let info = status.get_details_error_info().unwrap();
        assert_eq!((status.code(), info.reason.as_str()), (Code::NotFound, "RESOURCE_NOT_FOUND"));
        assert_eq!(info.metadata["name"], name);
    }
    assert!(office.phases().list_phases(phases("portfolios/-/projects/-")).await.is_ok());
}
