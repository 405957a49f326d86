//! Service requests through the wire; and what a tracker with an older journal reads again for them.

use milepost_ledger::Entry;
use milepost_ledger::journal::memory::MemoryJournal;
use milepost_ledger::journal::{Journal, ReadLimit};
use milepost_proto::event::v1::Event;
use milepost_proto::event::v1::event::{Payload, Resource};
use milepost_proto::tracker::v1::service_request_service_client::ServiceRequestServiceClient;
use milepost_types::{Hash, Lineage, LogId};
use prost::Message;
use tonic::Code;
use tonic_types::StatusExt;

use super::following::{FOLLOW, STARTED, achieved, degraded};
use super::*;

/// A journal of the tracker's as a version wrote it that kept no assignments.
fn as_written_before(journal: &MemoryJournal) -> MemoryJournal {
    let limit = ReadLimit { entries: usize::MAX, bytes: usize::MAX };
    let (mut previous, mut entries) = (Hash::ZERO, Vec::new());
    for stored in journal.read_after(0, limit).unwrap() {
        let mut entry = Entry::decode(&stored).unwrap();
        for bytes in &mut entry.events {
            let mut event = Event::decode(bytes.clone()).unwrap();
            if let Some(Payload::SourceFollowed(followed)) = &mut event.payload {
                followed.assignments.clear();
                followed.portfolios.iter_mut().for_each(|of| of.required_languages.clear());
                followed.mirror_version = 0;
            }
            *bytes = event.encode_to_vec().into();
        }
        let stored = entry.encode(&previous);
        previous = stored.hash;
        entries.push(stored);
    }
    MemoryJournal::with_entries(LogId::from_bytes([9; 16]), Lineage::default(), entries)
}

/// office.md, section 0: a tracker with an older journal follows the registry again from the beginning.
#[tokio::test]
async fn a_tracker_with_an_older_journal_reads_again_what_was_not_kept_and_derives_nothing_twice() {
    let mut recorded = road_recorded();
    let a = crate::tests::registry::assignment("a", "user:corp/a", true, STARTED, None);
    recorded.assign("milepost.assignment.created", &[a]);
    let mut portfolio = crate::tests::registry::portfolio("wsc");
    if let Resource::PortfolioResource(portfolio) = &mut portfolio {
        portfolio.required_languages = vec!["zh-CN".into()];
    }
    recorded.append(vec![("milepost.portfolio.updated", Some(portfolio))]);
    let mut registry = RegistryServer::running(recorded);
    let mut tracker = Running::idle(&registry);
    tracker.follow();
    tracker.reach(registry.recorded.tail()).await;
    tracker.created(construction_start("road", "start")).await;
    let position = registry.say(|recorded| recorded.start(&["road"], STARTED));
    tracker.reach(position).await;
    let (name, reason) = (START.to_owned(), "日期待核实".to_owned());
    let reopen = ReopenMilestoneRequest { name, reason, ..ReopenMilestoneRequest::default() };
    tracker.client.reopen_milestone(reopen).await.unwrap();
    let old = as_written_before(&tracker.stop().await.journal);

    registry.stop();
    let mut tracker = Running::on(&registry, old);
    tracker.follow();
    tracker.readiness(FOLLOW, degraded).await;
    let kept = |tracker: &Running| crate::tables::mirror_version::get(&tracker.service.api.ledger.view());
    assert_eq!(kept(&tracker), 0, "it waits for the registry");
    registry.start();
    let position = registry.say(|recorded| recorded.project("bridge"));
    tracker.reach(position).await;
    assert_eq!(kept(&tracker), crate::tables::mirror_version::MIRROR_VERSION);
    let story = tracker.story();
    let again: Vec<_> = story.iter().filter(|line| line.contains("refollowed")).collect();
    let parts = ["source.refollowed"; 4];
    let what = "what was said of assignments, of projects, how portfolios were left, and that it is all";
    assert_eq!(again, parts, "{what}");
    let required = |tracker: &Running| {
        let (view, name) = (tracker.service.api.ledger.view(), "portfolios/wsc".parse().unwrap());
        crate::tables::portfolio::get(&view, &name).unwrap().unwrap().required_languages
    };
    assert_eq!(required(&tracker), ["zh-CN"]);
    assert_eq!((achieved(&tracker), story.last().unwrap().as_str()), (1, "source.followed"));
    assert_eq!(tracker.got(START).await.state(), milestone::State::Planned, "its start is not derived again");
    let request = CreateServiceRequestRequest {
        parent: PROJECT.into(),
        service_request: Some(ServiceRequest {
            title: "临时用电".into(),
            requester: "unit-7".into(),
            ..ServiceRequest::default()
        }),
        ..CreateServiceRequestRequest::default()
    };
    let mut requests = ServiceRequestServiceClient::new(tracker.channel.clone());
    let created = requests.create_service_request(request).await.unwrap().into_inner();
    assert_eq!(created.service_request.unwrap().officer, "user:corp/a");
    let story = tracker.story();
    let tracker = tracker.reopened(&registry).await;
    let position = registry.say(|recorded| recorded.project("tunnel"));
    tracker.reach(position).await;
    assert_eq!(tracker.story(), [story, vec!["source.followed".to_owned()]].concat(), "once");
    tracker.stop().await;
}

/// office.md, section 2: OPEN, ACCEPTED, ANSWERED; rated from 1 to 5, which closes it; satisfied are 4 and 5 of those
/// rated.
#[tokio::test]
async fn a_request_is_answered_through_the_wire_and_counted() {
    let (registry, tracker) = road().await;
    let mut requests = ServiceRequestServiceClient::new(tracker.channel.clone());
    let draft = ServiceRequest {
        title: "临时用电".into(),
        requester_organization: "organizations/builder".into(),
        due_date: day(BASELINE),
        ..ServiceRequest::default()
    };
    let create = CreateServiceRequestRequest {
        parent: PROJECT.into(),
        service_request_id: "power".into(),
        service_request: Some(draft),
        ..CreateServiceRequestRequest::default()
    };
    requests.create_service_request(create.clone()).await.unwrap();
    let name = format!("{PROJECT}/serviceRequests/power");
    let accept = AcceptServiceRequestRequest { name: name.clone(), ..Default::default() };
    requests.accept_service_request(accept).await.unwrap();
    let answer =
        AnswerServiceRequestRequest { name: name.clone(), text: "已报装".into(), ..Default::default() };
    requests.answer_service_request(answer).await.unwrap();
    for (rating, faulty) in [(0, "REQUIRED"), (6, "OUT_OF_RANGE")] {
        let rate = RateServiceRequestRequest { name: name.clone(), rating, ..Default::default() };
        let status = requests.rate_service_request(rate).await.unwrap_err();
        let faults = status.get_error_details().bad_request().unwrap().field_violations.clone();
        let faults: Vec<_> =
            faults.iter().map(|fault| (fault.field.as_str(), fault.reason.as_str())).collect();
        assert_eq!(faults, [("rating", faulty)]);
    }
    for rating in 1..=5 {
        let validate_only = true;
        let rate =
            RateServiceRequestRequest { name: name.clone(), rating, validate_only, ..Default::default() };
        let rated = requests.rate_service_request(rate).await.unwrap().into_inner();
        assert_eq!(rated.service_request.unwrap().rating, Some(rating));
    }
    let rate = RateServiceRequestRequest { name: name.clone(), rating: 4, ..Default::default() };
    let rated = requests.rate_service_request(rate).await.unwrap().into_inner();
    let list = ListServiceRequestsRequest {
        parent: "portfolios/wsc/projects/-".into(),
        filter: "rating >= 4 AND answers.text:\"已报装\"".into(),
        order_by: "due_date".into(),
        ..ListServiceRequestsRequest::default()
    };
    let listed = requests.list_service_requests(list).await.unwrap().into_inner();
    assert_eq!(listed.service_requests, [rated.service_request.unwrap()]);
    let statistics = |from_date, to_date| GetServiceRequestStatisticsRequest {
        parent: "portfolios/wsc/projects/-".into(),
        from_date,
        to_date,
        min_revisions: vec![rated.revision.clone()],
    };
    let today = day(crate::tests::samples::TODAY);
    let asked = statistics(today, today);
    let answer = requests.get_service_request_statistics(asked).await.unwrap().into_inner();
    assert_eq!((answer.rated_count, answer.satisfied.unwrap().value.as_deref()), (1, Some("100.0")));
    let backwards = statistics(today, day(STARTED));
    let status = requests.get_service_request_statistics(backwards).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    let unknown = CreateServiceRequestRequest { parent: "portfolios/wsc/projects/never".into(), ..create };
    let status = requests.create_service_request(unknown).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound, "{status:?}");
    drop(registry);
    tracker.stop().await;
}
