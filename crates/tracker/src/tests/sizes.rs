//! No answer is larger than what clients take, which is 4 MiB unless they were configured otherwise; and
//! nothing is read under a parent that is not there.

use std::collections::BTreeSet;

use milepost_proto::FILE_DESCRIPTOR_SET;
use milepost_proto::access::v1::Person;
use milepost_proto::event::v1::event::Resource;
use milepost_proto::notifier::v1::GetEventResponse;
use milepost_proto::tracker::v1::milestone_service_client::MilestoneServiceClient;
use milepost_proto::wire::fields;
use milepost_types::{Rejection, Violations, limits};
use prost::Message;
use tonic::Code;

use super::*;
use crate::command::Command;
use crate::decide::Tracker;
use crate::methods::create_several;
use crate::tables;
use crate::tests::running::{fact, reason};
use crate::tests::world::{Action, command, draft, name};

/// A text of so many characters of four bytes, which ends with a number.
fn text(characters: usize, number: usize) -> String {
    let number = number.to_string();
    "𠮷".repeat(characters - number.len()) + &number
}

/// An id as long as one may be.
fn id(first: char, number: usize) -> String {
    format!("{first}{number:062}")
}

/// The command that creates these.
fn creating(request: BatchCreateMilestonesRequest) -> Command {
    let mut violations = Violations::new();
    let act = create_several(request, &mut violations);
    command(violations.finish(act).unwrap())
}

/// All that a caller may say of a milestone.
fn full() -> Milestone {
    let tag = |i| format!("x-aaaaaaaa-aaaaaaaa-aaaaaaaa-{i:06}");
    let title = |i| text(limits::DISPLAY_NAME_CHARS, i);
    Milestone {
        display_name: title(0),
        translations: (0..limits::TRANSLATIONS).map(|i| (tag(i), title(i))).collect(),
        r#type: text(limits::SCHEME_CHARS, 0),
        code: text(limits::SCHEME_CHARS, 0),
        weight: Some(1_000_000),
        owner: format!("organizations/{}", id('o', 0)),
        required_evidence: (0..limits::REQUIRED_EVIDENCE).map(title).collect(),
        remarks: text(limits::TEXT_CHARS, 0),
        baseline_date: day("2021-12-30".parse().unwrap()),
        forecast_date: day("9999-12-30".parse().unwrap()),
        duration_working_days: limits::DURATION_WORKING_DAYS,
        labels: (0..limits::LABELS).map(|i| (id('k', i), text(limits::LABEL_VALUE_CHARS, i))).collect(),
        ..Milestone::default()
    }
}

/// One of as many documents as a milestone may have, as large as all of them may be.
fn evidence(number: usize) -> Evidence {
    let title = text(limits::DISPLAY_NAME_CHARS, number);
    let bytes = limits::EVIDENCE_BYTES / limits::EVIDENCE - title.len() - 72;
    Evidence {
        uri: text(bytes / 4, number),
        title,
        sha256: vec![255; 32],
        create_time: Some(prost_types::Timestamp { seconds: 1_622_073_600, nanos: 999_999_999 }),
    }
}

/// One of as many persons as are remembered.
fn person(number: usize) -> Person {
    let id = format!("{number:0>width$}", width = limits::PRINCIPAL_CHARS);
    Person { principal: id.clone(), on_behalf_of: id }
}

/// The fields of the schema that an encoded milestone does not set.
fn unset(bytes: &bytes::Bytes) -> Vec<String> {
    let set = prost_types::FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap();
    let files = set.file.iter().filter(|file| file.package() == "milepost.tracker.v1");
    let mut messages = files.flat_map(|file| &file.message_type);
    let milestone = messages.find(|message| message.name() == "Milestone").unwrap();
    let there: BTreeSet<_> = fields(bytes).map(|field| field.unwrap().0).collect();
    let absent = milestone.field.iter().filter(|field| !there.contains(&field.number().cast_unsigned()));
    absent.map(|field| field.name().to_owned()).collect()
}

#[test]
fn a_milestone_at_all_its_limits_fits_one_answer() {
    let (project, milestone_id) = (id('p', 0), id('m', 0));
    let (mut world, _) = World::with_projects(&[&project]);
    let mut request = draft(&project, Some(&milestone_id), None);
    request.milestone = Some(full());
    world.submit(crate::tests::world::create(vec![request])).unwrap();
    let name = name(&project, &milestone_id);
    // All documents but one, without the two hundred entries that would bring them.
    let mut row = world.milestone(&name);
    row.evidence = (1..limits::EVIDENCE).map(evidence).collect();
    row.date_authors = (0..limits::PERSONS).map(person).collect();
    let table = milepost_resource::Table::of::<Tracker, Milestone>();
    table.put(&mut world.rows, row.encode_to_vec().into()).unwrap();
    let reason = text(limits::TEXT_CHARS, 0);
    world.act(&name, Action::Miss { reason: reason.clone() }).unwrap();
    world.act(&name, Action::Reopen { reason }).unwrap();
    let event = world.act(&name, Action::AddEvidence(evidence(0))).unwrap().remove(0);

    let Some(Resource::MilestoneResource(milestone)) = event.resource.clone() else { panic!("{event:?}") };
    assert_eq!(milestone.evidence.len(), limits::EVIDENCE);
    let expected =
        [&["actual_date"][..], &samples::OF_TEMPLATES, &["outcome_reported_date", "delete_time"]].concat();
    assert_eq!(unset(&milestone.encode_to_vec().into()), expected);
    // Room for a longer portfolio id, for two more fields, and for a caller with a name and an id.
    let spare = 2_000;
    assert!(milestone.encoded_len() + spare <= limits::ANSWER_ITEM_BYTES, "{}", milestone.encoded_len());
    let answer = GetEventResponse { event: Some(event), cursor: text(100, 0) };
    assert!(answer.encoded_len() + spare <= limits::ANSWER_ITEM_BYTES, "{}", answer.encoded_len());
}

/// The creation of milestones of about 16 kB each.
fn creation(ids: std::ops::Range<usize>) -> BatchCreateMilestonesRequest {
    let request = |i| {
        let mut request = super::create(&format!("m{i:03}"));
        request.milestone.as_mut().unwrap().remarks = text(limits::TEXT_CHARS, i);
        request
    };
    BatchCreateMilestonesRequest {
        parent: PROJECT.into(),
        requests: ids.map(request).collect(),
        ..Default::default()
    }
}

#[test]
fn every_page_fits_one_answer_and_all_together_are_the_list() {
    let (mut world, _) = World::with_projects(&["road"]);
    for ids in [0..200, 200..400] {
        world.submit(creating(creation(ids))).unwrap();
    }
    for (order, parent) in [
        ("name", PROJECT),
        ("forecast_date", PROJECT),
        ("forecast_date", "portfolios/wsc/projects/-"),
        ("forecast_date", "portfolios/-/projects/-"),
    ] {
        let (parent_name, order_by) = (parent.to_owned(), order.to_owned());
        let mut request =
            ListMilestonesRequest { parent: parent_name, order_by, page_size: 1000, ..Default::default() };
        let mut names = Vec::new();
        loop {
            let (milestones, next, _) = world.page(&request).unwrap();
            let answer = ListMilestonesResponse { milestones, ..Default::default() };
            let bytes = answer.encoded_len();
            assert!(bytes <= limits::ANSWER_ITEM_BYTES && !answer.milestones.is_empty(), "{order} {bytes}");
            names.extend(answer.milestones.into_iter().map(|milestone| milestone.name));
            request.page_token = next;
            if request.page_token.is_empty() {
                break;
            }
        }
        assert_eq!(names.len(), 400, "{order} {parent}");
        assert!(names.is_sorted(), "{order} {parent}");
    }
}

#[tokio::test]
async fn a_batch_whose_answer_would_be_too_large_creates_nothing_and_says_how_many_fit() {
    let (_registry, tracker) = road().await;
    // As any client that was not configured otherwise.
    let mut client = MilestoneServiceClient::new(tracker.channel.clone());
    let before = tracker.service.position();
    for validate_only in [false, true] {
        let request = BatchCreateMilestonesRequest { validate_only, ..creation(0..300) };
        let refused = client.batch_create_milestones(request).await.unwrap_err();
        assert_eq!(
            (refused.code(), reason(&refused).as_str()),
            (Code::ResourceExhausted, "ANSWER_TOO_LARGE")
        );
        assert_eq!(fact(&refused, "limit"), limits::ANSWER_ITEM_BYTES.to_string());
        assert_eq!(tracker.service.position(), before, "nothing happened");
    }
    let (mut world, _) = World::with_projects(&["road"]);
    let Rejection::AnswerTooLarge { what: "milestones", asked: 300, fit } =
        world.submit(creating(creation(0..300))).unwrap_err()
    else {
        panic!("it is another refusal")
    };
    assert!(client.batch_create_milestones(creation(0..fit + 1)).await.is_err());
    let request = BatchCreateMilestonesRequest { request_id: "r-1".into(), ..creation(0..fit) };
    let created = client.batch_create_milestones(request.clone()).await.unwrap().into_inner();
    let again = client.batch_create_milestones(request).await.unwrap().into_inner();
    assert_eq!((created.milestones.len(), &again), (fit, &created), "the same id answers the same");
    tracker.stop().await;
}

#[tokio::test]
async fn a_long_history_of_forecasts_is_read_to_its_beginning_by_any_client() {
    let (_registry, mut tracker) = road().await;
    tracker.created(create("start")).await;
    for days in 1..=300 {
        let why = text(limits::TEXT_CHARS, 0);
        tracker.client.reforecast_milestone(reforecast(days, &why)).await.unwrap();
    }
    let mut client = MilestoneServiceClient::new(tracker.channel.clone());
    let mut request =
        ListMilestoneForecastsRequest { name: START.into(), page_size: 1000, ..Default::default() };
    let mut dates = Vec::new();
    loop {
        let page = client.list_milestone_forecasts(request.clone()).await.unwrap().into_inner();
        dates.extend(page.forecasts.into_iter().map(|forecast| forecast.forecast_date));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    let expected = (1..=300).rev().map(|days| reforecast(days, "").forecast_date);
    assert!(dates.into_iter().eq(expected));
    tracker.stop().await;
}

#[tokio::test]
async fn nothing_is_listed_under_a_parent_that_is_not_there() {
    let (mut registry, mut tracker) = road().await;
    tracker.created(create("start")).await;
    let list = |parent: &str| ListMilestonesRequest { parent: parent.into(), ..Default::default() };
    for (parent, missing) in [
        ("portfolios/none/projects/-", "portfolios/none"),
        ("portfolios/none/projects/road", "portfolios/none"),
        ("portfolios/wsc/projects/none", "portfolios/wsc/projects/none"),
    ] {
        let refused = tracker.client.list_milestones(list(parent)).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "RESOURCE_NOT_FOUND"));
        assert_eq!(fact(&refused, "name"), missing);
    }
    let count = async |tracker: &mut Running, parent: &str| {
        tracker.client.list_milestones(list(parent)).await.unwrap().into_inner().milestones.len()
    };
    for (parent, milestones) in
        [("portfolios/-/projects/-", 1), ("portfolios/wsc/projects/-", 1), (PROJECT, 1)]
    {
        assert_eq!(count(&mut tracker, parent).await, milestones, "{parent}");
    }
    // Registered a moment ago and deleted right away: it is there.
    registry.say(|recorded| {
        let bridge = crate::tests::registry::deleted(crate::tests::registry::project("bridge"));
        recorded.append(vec![("milepost.project.deleted", Some(bridge))])
    });
    assert_eq!(count(&mut tracker, "portfolios/wsc/projects/bridge").await, 0);
    tracker.stop().await;
}

/// After the registry is followed anew, until it has recorded of the project again.
#[test]
fn what_has_milestones_is_there_though_the_registry_did_not_tell_of_it() {
    let (mut world, _) = World::with_projects(&["road", "bare"]);
    world.submit(crate::tests::world::create(vec![draft("road", Some("m"), None)])).unwrap();
    tables::portfolio::clear(&mut world.rows);
    tables::project::clear(&mut world.rows);
    let check = |parent: &str| {
        let request = ListMilestonesRequest { parent: parent.to_owned(), ..Default::default() };
        world.page(&request).map(|_| ())
    };
    assert_eq!(check("portfolios/wsc/projects/road"), Ok(()));
    assert_eq!(check("portfolios/wsc/projects/-"), Ok(()));
    assert!(check("portfolios/wsc/projects/bare").is_err());
}
