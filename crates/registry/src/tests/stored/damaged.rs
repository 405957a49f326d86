//! One row that cannot be decoded: what does not need it goes on without it, what needs it is refused and names it, and
//! what removes something is possible.

use milepost_ledger::journal::ReadLimit;
use milepost_proto::event::v1::Event;
use milepost_proto::event::v1::event::Payload;
use milepost_proto::resource::Resource;

use super::super::indicators::{self, found, indicator, part_of, summing, try_observe, try_series};
use super::super::office::cny;
use super::super::policies::{policy, policy_name};
use super::super::reporting::{list_name, member};
use super::*;
use crate::policy::settle::Settle;
use crate::service::settling::settle;
use crate::tables::matches;

/// An office on a journal to which events may be added that no rule was asked about.
struct World {
    office: Office,
    journal: Arc<MemoryJournal>,
}

impl World {
    async fn open() -> Self {
        let journal = Arc::new(MemoryJournal::new(LogId::from_bytes([7; 16])));
        let office = Office::on(journal.clone()).await;
        office.portfolio("wsc").await;
        Self { office, journal }
    }

    /// The same after a resource was put, byte for byte.
    async fn with<R: Resource>(self, resource: Option<Bytes>) -> Self {
        self.office.stopped();
        let dir = tempfile::tempdir().unwrap();
        let (clock, options) = (Arc::new(SystemClock), Options::default());
        let scribe =
            Ledger::open("registry", dir.path(), self.journal.clone(), Arc::new(Scribe), clock, options)
                .unwrap();
        let resource = resource.unwrap();
        let mut event = Carrier { source: "registry".to_owned(), ..Carrier::default() }.encode_to_vec();
        prost::encoding::encode_key(R::EVENT_FIELD, prost::encoding::WireType::LengthDelimited, &mut event);
        prost::encoding::encode_varint(resource.len() as u64, &mut event);
        event.extend_from_slice(&resource);
        scribe.submit(Submission::system("test", vec![event.into()])).await.unwrap();
        scribe.close();
        Self { office: Office::on(self.journal.clone()).await, journal: self.journal }
    }

    async fn settle(&self) -> Result<(), String> {
        settle(&self.office.service.api.ledger, Settle::default()).await
    }

    /// Whom policies came to fit after a sequence, each with its policy.
    async fn matched(&self, after: u64) -> Vec<(String, String)> {
        let source = self.office.service.api.ledger.source();
        let entries = source.read_after(after, ReadLimit::default()).await.unwrap();
        let events = entries.iter().flat_map(|stored| Entry::decode(stored).unwrap().events);
        // Those that carry what cannot be decoded are no matches.
        let matched =
            events.filter_map(|event| Event::decode(event).ok()).filter_map(|event| match event.payload {
                Some(Payload::PolicyMatchChanged(of)) if event.r#type == "milepost.policy.matched" => {
                    let id = |name: &str| name.rsplit('/').next().unwrap().to_owned();
                    Some((id(&event.subject), id(&of.organization)))
                }
                _ => None,
            });
        matched.collect()
    }

    fn waits(&self) -> Vec<String> {
        let view = self.office.service.api.ledger.view();
        matches::changes(&view).map(|change| change.unwrap().name).collect()
    }
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(policy, firm)| (policy.to_string(), firm.to_string())).collect()
}

fn enough() -> Policy {
    policy(&[("staff", "num(org.attributes.employees) >= num('100')")])
}

#[tokio::test]
async fn an_organization_that_cannot_be_read_is_left_out_of_matching_until_it_can() {
    let world = World::open().await;
    let office = &world.office;
    office.programme().await;
    for id in ["a", "bad", "z"] {
        office.firm(id, &[("employees", "100")]).await;
    }
    office.try_policy("y", enough()).await.unwrap();
    let get = GetOrganizationRequest { name: "organizations/bad".into(), ..Default::default() };
    let bad = office.organizations().get_organization(get).await.unwrap().into_inner().organization.unwrap();
    let world = world.with::<Organization>(damaged(&bad, 3)).await;
    let published = world.office.publish("y").await.unwrap();
    assert_eq!(published.unknown_attributes, [""; 0], "others have it");
    let refused = world.settle().await.unwrap_err();
    assert!(refused.contains("registry.organizations with the key bad"), "{refused}");
    assert_eq!(world.matched(0).await, pairs(&[("y", "a"), ("y", "z")]));
    assert_eq!(world.waits(), ["organizations/bad"]);
    let after = world.office.sequence();
    world.office.firm("new", &[("employees", "100")]).await;
    assert!(world.settle().await.is_err());
    assert_eq!(world.matched(after).await, pairs(&[("y", "new")]), "matching goes on for others");
    let sequence = world.office.sequence();
    assert!(world.settle().await.is_err());
    assert_eq!(world.office.sequence(), sequence, "nothing is said where nothing is found");
    // Once it can be read, it is looked at.
    let world = world.with::<Organization>(bytes(&bad)).await;
    assert_eq!(world.settle().await, Ok(()));
    assert_eq!(world.matched(sequence).await, pairs(&[("y", "bad")]));
    assert_eq!(world.waits(), [""; 0]);
}

#[tokio::test]
async fn a_published_policy_that_cannot_be_read_holds_up_no_other_and_is_matched_once_it_can() {
    let world = World::open().await;
    let office = &world.office;
    office.programme().await;
    for id in ["bad", "y"] {
        office.published(id, enough()).await;
    }
    let get = GetPolicyRequest { name: policy_name("bad"), ..Default::default() };
    let bad = office.policies().get_policy(get).await.unwrap().into_inner().policy.unwrap();
    assert_eq!(world.settle().await, Ok(()));
    let world = world.with::<Policy>(damaged(&bad, 7)).await;
    world.office.firm("firm", &[("employees", "100")]).await;
    assert!(world.settle().await.unwrap_err().contains("registry.policies"));
    assert_eq!(world.matched(0).await, pairs(&[("y", "firm")]));
    let world = world.with::<Policy>(bytes(&bad)).await;
    assert_eq!(world.settle().await, Ok(()));
    assert_eq!(world.matched(0).await, pairs(&[("y", "firm"), ("bad", "firm")]));
}

#[tokio::test]
async fn a_policy_that_was_published_is_answered_whatever_can_be_said_of_organizations() {
    let world = World::open().await;
    let office = &world.office;
    office.programme().await;
    office.firm("bad", &[]).await;
    let get = GetOrganizationRequest { name: "organizations/bad".into(), ..Default::default() };
    let bad = office.organizations().get_organization(get).await.unwrap().into_inner().organization.unwrap();
    let world = world.with::<Organization>(damaged(&bad, 3)).await;
    world.office.try_policy("y", enough()).await.unwrap();
    let published = world.office.publish("y").await.unwrap();
    assert_eq!(published.unknown_attributes, ["employees"]);
}

#[tokio::test]
async fn an_observation_that_cannot_be_read_is_in_the_way_of_no_other() {
    let world = World::open().await;
    let office = &world.office;
    let threshold = IndicatorThreshold { value: "10".into(), ..Default::default() };
    let whole = Indicator { thresholds: vec![threshold], ..summing(indicator::Kind::Stock) };
    indicator(office, "all", whole).await;
    for id in ["a", "b"] {
        indicator(office, id, part_of("all", indicators::of(indicator::Kind::Stock))).await;
    }
    let on = |day: i32| Some(Date { year: 2021, month: 5, day });
    let first = try_observe(office, "a", "o", found("9", on(1), on(1))).await.unwrap();
    let same = try_observe(office, "a", "same", found("9", on(1), on(1))).await.unwrap();
    let world = world.with::<Observation>(bytes(&Observation { state: 42, ..first })).await;
    let office = &world.office;
    try_observe(office, "b", "o", found("9", on(2), on(2))).await.unwrap();
    try_observe(office, "a", "later", found("9", on(3), on(3))).await.unwrap();
    let contradicts = try_observe(office, "a", "x", found("8", on(1), on(1))).await.unwrap_err();
    lost(&contradicts, "observations", r"wsc\x00a\x00o");
    let retract = RetractObservationRequest { name: same.name, reason: "误".into(), ..Default::default() };
    office.observations().retract_observation(retract).await.unwrap();

    // What is shown of the indicator besides is; its series names the row.
    let world = world
        .with::<Observation>(bytes(&Observation { state: 42, ..found("9", on(4), on(4)).named("b") }))
        .await;
    let office = &world.office;
    let parent = "portfolios/wsc".to_owned();
    let list = ListIndicatorsRequest { parent, ..Default::default() };
    let listed = office.indicators().list_indicators(list).await.unwrap().into_inner().indicators;
    let current: Vec<_> = listed.iter().map(|found| found.current.is_some()).collect();
    assert_eq!((listed.len(), current), (3, vec![true, true, false]));
    let series = try_series(office, "b", GetIndicatorSeriesRequest::default()).await.unwrap_err();
    lost(&series, "observations", r"wsc\x00b\x00bad");
}

trait Named {
    fn named(self, indicator: &str) -> Self;
}

impl Named for Observation {
    fn named(self, indicator: &str) -> Self {
        let name = format!("{}/observations/bad", indicators::name(indicator));
        Self { name, create_time: time(1), ..self }
    }
}

#[tokio::test]
async fn a_member_that_cannot_be_read_is_counted_nowhere_and_can_be_taken_out() {
    let world = World::open().await;
    let office = &world.office;
    for id in ["bad", "good"] {
        office.project(id, costing(1)).await;
    }
    let all = || ["bad", "good"].map(|id| member(id, project::Listing::Unspecified)).to_vec();
    for year in ["2020", "2021"] {
        office.annual_list(year, all()).await.unwrap();
    }
    office.batch("b", &["bad", "good"]).await;
    let bad = office.get_project("bad").await;
    let world = world.with::<Project>(damaged(&bad, 12)).await;
    let office = &world.office;
    let get = GetAnnualListRequest { name: list_name("2021"), ..Default::default() };
    let read = office.annual_lists().get_annual_list(get).await.unwrap().into_inner().annual_list.unwrap();
    assert_eq!((read.registered_count, &read.registered[0].investments), (1, &vec![cny(1)]));
    let declared = vec![DeclaredFigure { category: "all".into(), count: Some(2), investment: None }];
    let list = AnnualList { name: list_name("2021"), declared, ..AnnualList::default() };
    let request = UpdateAnnualListRequest { annual_list: Some(list), ..Default::default() };
    office.annual_lists().update_annual_list(request).await.unwrap();
    let (name, members) = (list_name("2021"), vec![project_name("bad")]);
    let remove = RemoveAnnualListMembersRequest { name, members: members.clone(), ..Default::default() };
    let after = office.annual_lists().remove_annual_list_members(remove).await.unwrap().into_inner();
    assert_eq!(after.annual_list.unwrap().members.len(), 1);
    let delete = DeleteAnnualListRequest { name: list_name("2020"), ..Default::default() };
    office.annual_lists().delete_annual_list(delete).await.unwrap();
    assert_eq!(office.get_batch("b").await.unwrap().registered_count, 1);
    let remove = RemoveBatchMembersRequest { name: batch_name("b"), members, ..Default::default() };
    office.batches().remove_batch_members(remove).await.unwrap();
    let delete = DeleteBatchRequest { name: batch_name("b"), ..Default::default() };
    office.batches().delete_batch(delete).await.unwrap();
}

#[tokio::test]
async fn an_assignment_that_cannot_be_read_refuses_another_one_and_no_end_of_others() {
    let world = World::open().await;
    let office = &world.office;
    let road = project_name("road");
    office.project("road", named("road")).await;
    let assignment = |person: &str, lead| Assignment {
        person: person.to_owned(),
        lead,
        start_date: Some(Date { year: 2021, month: 5, day: 1 }),
        ..Assignment::default()
    };
    let create = |id: &str, assignment| CreateAssignmentRequest {
        parent: road.clone(),
        assignment_id: id.to_owned(),
        assignment: Some(assignment),
        ..CreateAssignmentRequest::default()
    };
    for (id, lead) in [("a", true), ("bad", false), ("c", false)] {
        let request = create(id, assignment(&format!("user:corp/{id}"), lead));
        office.assignments().create_assignment(request).await.unwrap();
    }
    let name = |id: &str| format!("{road}/assignments/{id}");
    let get = GetAssignmentRequest { name: name("bad"), ..Default::default() };
    let bad = office.assignments().get_assignment(get).await.unwrap().into_inner().assignment.unwrap();
    let world = world.with::<Assignment>(damaged(&bad, 7)).await;
    let office = &world.office;
    let refused = office.assignments().create_assignment(create("d", assignment("user:corp/d", false))).await;
    lost(&refused.unwrap_err(), "assignments", r"wsc\x00road\x00bad");
    let get = GetAssignmentRequest { name: name("a"), ..Default::default() };
    let shown = office.assignments().get_assignment(get).await.unwrap().into_inner().assignment.unwrap();
    assert_eq!(shown.kind(), assignment::Kind::Unspecified, "how many there are is not known");
    let end = EndAssignmentRequest { name: name("c"), ..Default::default() };
    office.assignments().end_assignment(end).await.unwrap();
    let delete = DeleteAssignmentRequest { name: name("c"), ..Default::default() };
    office.assignments().delete_assignment(delete).await.unwrap();
}
