//! Calls and their answers.

use jiff::ToSpan;
use milepost_types::{LedgerKind, PageToken, RequestDigest};
use tonic::Code;

use super::*;
use crate::tests::running::{fact, reason};

#[tokio::test]
async fn a_milestone_lives_through_the_api() {
    let (_registry, mut tracker) = road().await;
    let created = tracker.client.create_milestone(create("start")).await.unwrap().into_inner();
    let milestone = created.milestone.unwrap();
    assert_eq!((milestone.name.as_str(), milestone.state()), (START, milestone::State::Planned));
    assert_eq!(milestone.outlook(), milestone::Outlook::OnTrack);
    let read = GetMilestoneRequest { name: START.into(), min_revisions: vec![created.revision] };
    assert_eq!(tracker.client.get_milestone(read).await.unwrap().into_inner().milestone.unwrap(), milestone);

    let moved = tracker.client.reforecast_milestone(reforecast(5, "rain")).await.unwrap().into_inner();
    let moved = moved.milestone.unwrap();
    assert_eq!((moved.variance_working_days, moved.outlook()), (Some(3), milestone::Outlook::AtRisk));
    let again = tracker.client.reforecast_milestone(reforecast(5, "still")).await.unwrap().into_inner();
    assert_eq!(again.milestone.unwrap(), moved, "nothing changed");

    let update = UpdateMilestoneRequest {
        milestone: Some(Milestone { remarks: "note".into(), etag: moved.etag.clone(), ..moved.clone() }),
        ..UpdateMilestoneRequest::default()
    };
    let updated =
        tracker.client.update_milestone(update.clone()).await.unwrap().into_inner().milestone.unwrap();
    assert_eq!(updated.remarks, "note");
    let stale = tracker.client.update_milestone(update).await.unwrap_err();
    assert_eq!((stale.code(), reason(&stale).as_str()), (Code::Aborted, "ETAG_MISMATCH"));
    assert_eq!((fact(&stale, "given"), fact(&stale, "current")), (moved.etag, updated.etag));

    let given = AddMilestoneEvidenceRequest {
        name: START.into(),
        evidence: Some(Evidence {
            title: "permit".into(),
            uri: "https://example.com/permit".into(),
            sha256: vec![7; 32],
            create_time: None,
        }),
        ..AddMilestoneEvidenceRequest::default()
    };
    let shown = tracker.client.add_milestone_evidence(given).await.unwrap().into_inner().milestone.unwrap();
    assert!(shown.evidence[0].create_time.is_some());
    let achieve = AchieveMilestoneRequest { name: START.into(), ..AchieveMilestoneRequest::default() };
    let achieved = tracker.client.achieve_milestone(achieve.clone()).await.unwrap().into_inner();
    let achieved = achieved.milestone.unwrap();
    assert_eq!(achieved.actual_date, day("2021-05-13".parse().unwrap()), "today in Shanghai");
    let twice = tracker.client.achieve_milestone(achieve).await.unwrap_err();
    assert_eq!((twice.code(), reason(&twice).as_str()), (Code::FailedPrecondition, "WRONG_STATE"));
    assert_eq!(fact(&twice, "allowed"), "STATE_PLANNED,STATE_PARTIALLY_ACHIEVED");

    let name = || START.to_owned();
    let why = || "because".to_owned();
    let reopen = ReopenMilestoneRequest { name: name(), reason: why(), ..Default::default() };
    tracker.client.reopen_milestone(reopen).await.unwrap();
    let part = PartiallyAchieveMilestoneRequest { name: name(), reason: why(), ..Default::default() };
    tracker.client.partially_achieve_milestone(part).await.unwrap();
    let miss = MissMilestoneRequest { name: name(), reason: why(), ..Default::default() };
    tracker.client.miss_milestone(miss).await.unwrap();
    let reopen = ReopenMilestoneRequest { name: name(), reason: why(), ..Default::default() };
    tracker.client.reopen_milestone(reopen).await.unwrap();
    let baseline_date = day(BASELINE.saturating_add(1.days()));
    let rebaseline =
        RebaselineMilestoneRequest { name: name(), reason: why(), baseline_date, ..Default::default() };
    tracker.client.rebaseline_milestone(rebaseline).await.unwrap();
    let cancel = CancelMilestoneRequest { name: name(), reason: why(), ..Default::default() };
    tracker.client.cancel_milestone(cancel).await.unwrap();
    let delete = DeleteMilestoneRequest { name: name(), ..Default::default() };
    tracker.client.delete_milestone(delete).await.unwrap();
    let gone = tracker.client.reforecast_milestone(reforecast(9, "")).await.unwrap_err();
    assert_eq!((gone.code(), reason(&gone).as_str()), (Code::FailedPrecondition, "RESOURCE_DELETED"));
    let undelete = UndeleteMilestoneRequest { name: name(), ..Default::default() };
    let back = tracker.client.undelete_milestone(undelete).await.unwrap().into_inner().milestone.unwrap();
    assert_eq!(back.state(), milestone::State::Cancelled);
    tracker.stop().await;
}

#[tokio::test]
async fn an_id_that_is_deleted_can_be_undeleted_and_one_that_is_not_cannot() {
    let (_registry, mut tracker) = road().await;
    tracker.created(create("start")).await;
    let exists = |status: tonic::Status, says: &str| {
        assert_eq!(
            (status.code(), reason(&status).as_str()),
            (Code::AlreadyExists, "RESOURCE_ALREADY_EXISTS")
        );
        assert!(status.message().contains(says), "{status:?}");
        fact(&status, "deleted")
    };
    let name = || START.to_owned();
    for validate_only in [false, true] {
        let undelete = UndeleteMilestoneRequest { name: name(), validate_only, ..Default::default() };
        let refused = tracker.client.undelete_milestone(undelete).await.unwrap_err();
        assert_eq!(exists(refused, "is not deleted"), "false");
    }
    let delete = DeleteMilestoneRequest { name: name(), ..Default::default() };
    tracker.client.delete_milestone(delete).await.unwrap();
    for validate_only in [false, true] {
        let again = CreateMilestoneRequest { validate_only, ..create("start") };
        let refused = tracker.client.create_milestone(again).await.unwrap_err();
        assert_eq!(exists(refused, "is deleted; undelete it"), "true");
    }
    let request_id = "undelete".to_owned();
    let undelete = UndeleteMilestoneRequest { name: name(), request_id, ..Default::default() };
    let back = tracker.client.undelete_milestone(undelete.clone()).await.unwrap().into_inner();
    assert_eq!(tracker.client.undelete_milestone(undelete).await.unwrap().into_inner(), back);
    tracker.stop().await;
}

#[tokio::test]
async fn the_same_request_id_answers_the_same_and_another_body_under_it_is_refused() {
    let (_registry, mut tracker) = road().await;
    let request = CreateMilestoneRequest { request_id: "r-1".into(), ..create("start") };
    let first = tracker.client.create_milestone(request.clone()).await.unwrap().into_inner();
    tracker.client.reforecast_milestone(reforecast(5, "rain")).await.unwrap();
    let again = tracker.client.create_milestone(request.clone()).await.unwrap().into_inner();
    assert_eq!(again, first);
    let other = CreateMilestoneRequest { milestone_id: "other".into(), ..request };
    let refused = tracker.client.create_milestone(other).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::InvalidArgument, "REQUEST_ID_REUSED"));
    tracker.stop().await;
}

#[tokio::test]
async fn validate_only_answers_the_outcome_and_changes_nothing() {
    let (_registry, mut tracker) = road().await;
    let before = tracker.service.position();
    let request = CreateMilestoneRequest { validate_only: true, ..create("start") };
    assert_eq!(tracker.created(request.clone()).await.name, START);
    assert_eq!(tracker.service.position(), before);
    tracker.created(create("start")).await;
    let refused = tracker.client.create_milestone(request).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::AlreadyExists, "RESOURCE_ALREADY_EXISTS"));
    tracker.stop().await;
}

#[tokio::test]
async fn a_batch_is_answered_in_the_order_of_its_requests() {
    let (_registry, mut tracker) = road().await;
    let batch = BatchCreateMilestonesRequest {
        parent: PROJECT.into(),
        requests: ["z", "a", ""].map(create).into(),
        ..Default::default()
    };
    let milestones = tracker.client.batch_create_milestones(batch).await.unwrap().into_inner().milestones;
    let ids: Vec<_> = milestones.iter().map(|milestone| milestone.name.rsplit('/').next().unwrap()).collect();
    assert_eq!(ids[..2], ["z", "a"]);
    assert!(ids[2].starts_with("m-"), "{ids:?}");
    assert_eq!(milestones[0].etag, milestones[2].etag, "one entry");
    tracker.stop().await;
}

#[tokio::test]
async fn forecasts_are_listed_back_to_the_first_page_by_page() {
    let (_registry, mut tracker) = road().await;
    let mut first = create("start");
    first.milestone.as_mut().unwrap().forecast_date = day(BASELINE);
    tracker.created(first).await;
    tracker.created(create("other")).await;
    for days in [1, 4, 2] {
        tracker.client.reforecast_milestone(reforecast(days, &format!("{days} days"))).await.unwrap();
        tracker.created(create(&format!("between-{days}"))).await;
    }
    let withdrawn = ReforecastMilestoneRequest { forecast_date: None, ..reforecast(0, "withdrawn") };
    tracker.client.reforecast_milestone(withdrawn).await.unwrap();

    let mut recorded = Vec::new();
    let mut request =
        ListMilestoneForecastsRequest { name: START.into(), page_size: 2, ..Default::default() };
    loop {
        let page = tracker.client.list_milestone_forecasts(request.clone()).await.unwrap().into_inner();
        assert!(page.forecasts.len() <= 2);
        recorded.extend(page.forecasts);
        // A forecast that comes while reading does not shift the pages.
        let late = ReforecastMilestoneRequest {
            name: format!("{PROJECT}/milestones/other"),
            ..reforecast(9, "late")
        };
        tracker.client.reforecast_milestone(late).await.unwrap();
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    let after = |days: i64| day(BASELINE.saturating_add(days.days()));
    let shown: Vec<_> = recorded
        .iter()
        .map(|recorded| {
            (
                recorded.forecast_date,
                recorded.previous_date,
                recorded.slip_working_days,
                recorded.reason.as_str(),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            (None, after(2), Some(-1), "withdrawn"),
            (after(2), after(4), Some(-1), "2 days"),
            (after(4), after(1), Some(1), "4 days"),
            (after(1), after(0), Some(1), "1 days"),
            (after(0), None, Some(0), ""),
        ]
    );
    assert!(
        recorded
            .iter()
            .all(|recorded| recorded.report_time.is_some() && recorded.event_id.split('/').count() == 3)
    );
    let bare = ListMilestoneForecastsRequest {
        name: format!("{PROJECT}/milestones/between-1"),
        ..Default::default()
    };
    assert!(tracker.client.list_milestone_forecasts(bare).await.unwrap().into_inner().forecasts.is_empty());
    tracker.stop().await;
}

#[tokio::test]
async fn a_page_token_of_forecasts_that_somebody_wrote_is_refused_as_one() {
    let (_registry, mut tracker) = road().await;
    let mut first = create("start");
    first.milestone.as_mut().unwrap().forecast_date = day(BASELINE);
    tracker.created(first).await;
    for days in [1, 4] {
        tracker.created(create(&format!("between-{days}"))).await;
        tracker.client.reforecast_milestone(reforecast(days, "rain")).await.unwrap();
    }
    let digest =
        RequestDigest::of("milepost.tracker.v1.MilestoneService/ListMilestoneForecasts", [START.to_owned()]);
    let ask = |after: u64| ListMilestoneForecastsRequest {
        name: START.into(),
        page_token: PageToken { request: digest, sequence: 1, after: after.to_be_bytes().to_vec() }.encode(),
        ..Default::default()
    };
    let mut good = 0;
    for after in (0..30).chain([u64::MAX - 1, u64::MAX]) {
        match tracker.client.list_milestone_forecasts(ask(after)).await {
            Ok(page) => good += page.into_inner().forecasts.len(),
            Err(status) => {
                let answer = (status.code(), reason(&status));
                assert_eq!(answer, (Code::InvalidArgument, "PAGE_TOKEN_INVALID".to_owned()), "{after}");
            }
        }
    }
    // From each of the three on which there is one: itself, and those before it.
    assert_eq!(good, 3 + 2 + 1);
    tracker.stop().await;
}

#[tokio::test]
async fn a_read_waits_for_the_revisions_of_both_ledgers() {
    let (mut registry, mut tracker) = road().await;
    tracker.created(create("start")).await;
    let position = registry.say(|recorded| recorded.project("bridge"));
    let list = ListMilestonesRequest {
        parent: "portfolios/-/projects/-".into(),
        min_revisions: vec![
            revision(LedgerKind::Registry, position),
            revision(LedgerKind::Tracker, tracker.service.position()),
        ],
        ..Default::default()
    };
    assert_eq!(tracker.client.list_milestones(list.clone()).await.unwrap().into_inner().milestones.len(), 1);
    assert_eq!(tracker.service.followed_to(), Some(position));
    let elsewhere = revision(LedgerKind::Notifier, position);
    let refused = ListMilestonesRequest { min_revisions: vec![elsewhere], ..list };
    let refused = tracker.client.list_milestones(refused).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::InvalidArgument, "REVISION_INVALID"));
    tracker.stop().await;
}

#[tokio::test]
async fn a_date_is_advanced_by_hand_up_to_today() {
    let (_registry, mut tracker) = road().await;
    tracker.watch_days();
    tracker.readiness("tracker.dates", |state| *state == milepost_service::readiness::State::Ready).await;
    tracker.created(create("start")).await;
    let advance = |date: &str| AdvanceDateRequest {
        portfolio: "portfolios/wsc".into(),
        date: day(date.parse().unwrap()),
        ..Default::default()
    };
    let refused = tracker.client.advance_date(advance("2021-05-14")).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::InvalidArgument, "INVALID_FIELDS"));
    tracker.clock.set("2021-05-31T20:00:00Z".parse().unwrap());
    let answer = tracker.client.advance_date(advance("2021-05-20")).await.unwrap().into_inner();
    assert_eq!((answer.due_soon_count, answer.overdue_count), (1, 0));
    assert_eq!(answer.current_date, day("2021-05-20".parse().unwrap()));
    // It is 1 June in Shanghai already.
    let answer = tracker.client.advance_date(advance("2021-06-01")).await.unwrap().into_inner();
    assert_eq!((answer.due_soon_count, answer.overdue_count), (0, 1));
    let again = tracker.client.advance_date(advance("2021-05-20")).await.unwrap().into_inner();
    assert_eq!((again.current_date, again.overdue_count), (day("2021-06-01".parse().unwrap()), 0));
    assert_eq!(tracker.got(START).await.outlook(), milestone::Outlook::Overdue);
    tracker.stop().await;
}

#[tokio::test]
async fn the_first_forecast_slips_against_the_baseline_in_its_event_and_in_the_history() {
    use milepost_proto::event::v1::event::Payload;
    let (_registry, mut tracker) = road().await;
    tracker.created(create("start")).await;
    let milestone = tracker.client.reforecast_milestone(reforecast(7, "rain")).await.unwrap().into_inner();
    let event = tracker.last_event();
    let Some(Payload::MilestoneReforecast(recorded)) = event.payload else { panic!("{event:?}") };
    assert_eq!((recorded.previous_date, recorded.slip_working_days), (None, Some(5)));
    let request = ListMilestoneForecastsRequest { name: START.into(), ..Default::default() };
    let listed = tracker.client.list_milestone_forecasts(request).await.unwrap().into_inner().forecasts;
    assert_eq!((listed[0].previous_date, listed[0].slip_working_days), (None, Some(5)));
    assert_eq!(milestone.milestone.unwrap().variance_working_days, Some(5));
    tracker.stop().await;
}

#[tokio::test]
async fn a_write_that_makes_a_milestone_overdue_answers_with_it_once() {
    let (_registry, mut tracker) = road().await;
    let past = day(jiff::civil::date(2021, 5, 1));
    let mut requests: Vec<_> = ["a", "b"].map(create).into();
    requests.iter_mut().for_each(|request| request.milestone.as_mut().unwrap().baseline_date = past);
    let batch = BatchCreateMilestonesRequest { parent: PROJECT.into(), requests, ..Default::default() };
    let milestones = tracker.client.batch_create_milestones(batch).await.unwrap().into_inner().milestones;
    let recorded: Vec<_> = milestones
        .iter()
        .map(|recorded| (recorded.name.rsplit('/').next().unwrap(), recorded.nearness()))
        .collect();
    assert_eq!(recorded, [("a", milestone::Nearness::Overdue), ("b", milestone::Nearness::Overdue)]);
    let story = tracker.story();
    assert_eq!(story.last().unwrap(), &["milestone.created milestone.overdue"; 2].join(" "));
    let get = tracker.got(&milestones[1].name).await;
    assert_eq!(get, milestones[1]);
    tracker.stop().await;
}

/// A tracker whose entries are as small as can be configured, and a day to come that takes many: 6,000 milestones
/// with long remarks would be the same, and slower.
async fn crowded() -> (RegistryServer, Running) {
    use milepost_ledger::Options;
    let registry = RegistryServer::running(road_recorded());
    let options = Options { max_entry_bytes: 1 << 20, ..Options::default() };
    let mut tracker = Running::with_options(&registry, options);
    tracker.follow();
    tracker.reach(registry.recorded.tail()).await;
    for from in [0, 60, 120, 180] {
        let requests = (from..from + 60).map(|index| {
            let mut request = create(&format!("m{index:03}"));
            request.milestone.as_mut().unwrap().remarks = "注".repeat(4096);
            request
        });
        let requests = requests.collect();
        let batch = BatchCreateMilestonesRequest { parent: PROJECT.into(), requests, ..Default::default() };
        tracker.client.batch_create_milestones(batch).await.unwrap();
    }
    let first = AdvanceDateRequest { date: day(jiff::civil::date(2021, 5, 13)), ..advance() };
    tracker.client.advance_date(first).await.unwrap();
    tracker.clock.set("2021-05-21T04:00:00Z".parse().unwrap());
    (registry, tracker)
}

fn advance() -> AdvanceDateRequest {
    AdvanceDateRequest { portfolio: "portfolios/wsc".into(), ..Default::default() }
}

fn count(tracker: &Running, kind: &str) -> usize {
    tracker.story().iter().map(|line| line.split(' ').filter(|recorded| *recorded == kind).count()).sum()
}

#[tokio::test]
async fn a_day_larger_than_any_entry_may_be_is_advanced_to_and_its_request_id_answers_the_whole_again() {
    let (_registry, mut tracker) = crowded().await;
    let to = day(jiff::civil::date(2021, 5, 21));
    let request = AdvanceDateRequest { date: to, request_id: "r-1".into(), ..advance() };
    let preview = AdvanceDateRequest { validate_only: true, request_id: String::new(), ..request.clone() };
    let preview = tracker.client.advance_date(preview).await.unwrap().into_inner();
    assert_eq!((preview.current_date, preview.due_soon_count, preview.overdue_count), (to, 240, 0));
    let answer = tracker.client.advance_date(request.clone()).await.unwrap().into_inner();
    assert_eq!((answer.current_date, answer.due_soon_count, answer.overdue_count), (to, 240, 0));
    assert_eq!(count(&tracker, "milestone.due_soon"), 240);
    assert!(count(&tracker, "portfolio.date_advancing") >= 3);
    let recorded = tracker.client.get_current_date(current()).await.unwrap().into_inner();
    assert_eq!((recorded.current_date, recorded.advancing_date), (to, None));

    // When more days have begun, the same request answers the same.
    tracker.clock.set("2021-05-22T03:00:00Z".parse().unwrap());
    let later = AdvanceDateRequest { date: day(jiff::civil::date(2021, 5, 22)), ..advance() };
    let later = tracker.client.advance_date(later).await.unwrap().into_inner();
    assert_eq!((later.due_soon_count, later.overdue_count), (0, 0));
    let again = tracker.client.advance_date(request).await.unwrap().into_inner();
    assert_eq!(again, answer);
    tracker.stop().await;
}

fn current() -> GetCurrentDateRequest {
    GetCurrentDateRequest { portfolio: "portfolios/wsc".into(), ..Default::default() }
}

#[tokio::test]
async fn a_day_that_ended_in_the_middle_goes_on_where_it_was_and_answers_the_whole() {
    use milepost_ledger::journal::memory::Failure;
    let (registry, mut tracker) = crowded().await;
    let to = day(jiff::civil::date(2021, 5, 21));
    let request = AdvanceDateRequest { date: to, request_id: "r-1".into(), ..advance() };
    // The first entries are there, the answer is not.
    tracker.journal.fail_next(Failure::Stored);
    tracker.client.advance_date(request.clone()).await.unwrap_err();
    let mut tracker = tracker.reopened(&registry).await;
    let parts = count(&tracker, "portfolio.date_advancing");
    assert_eq!(parts, 1);
    let recorded = tracker.client.get_current_date(current()).await.unwrap().into_inner();
    assert_eq!(
        (recorded.current_date, recorded.advancing_date),
        (day(jiff::civil::date(2021, 5, 19)), day(jiff::civil::date(2021, 5, 20)))
    );
    // What is lost in the middle is recorded again.
    tracker.journal.fail_next(Failure::Lost);
    tracker.client.advance_date(request.clone()).await.unwrap_err();
    let mut tracker = tracker.reopened(&registry).await;
    assert_eq!(count(&tracker, "portfolio.date_advancing"), parts);

    let answer = tracker.client.advance_date(request.clone()).await.unwrap().into_inner();
    assert_eq!((answer.current_date, answer.due_soon_count), (to, 240));
    assert_eq!(count(&tracker, "milestone.due_soon"), 240, "each once");
    assert_eq!(tracker.client.advance_date(request).await.unwrap().into_inner(), answer);
    tracker.stop().await;
}

#[tokio::test]
async fn the_sweep_goes_through_a_day_that_takes_many_entries() {
    use milepost_service::readiness::State;
    let (_registry, mut tracker) = crowded().await;
    tracker.watch_days();
    tracker.readiness("tracker.dates", |state| *state == State::Ready).await;
    let recorded = tracker.client.get_current_date(current()).await.unwrap().into_inner();
    assert_eq!(recorded.current_date, day(jiff::civil::date(2021, 5, 21)));
    assert_eq!(count(&tracker, "milestone.due_soon"), 240);
    tracker.stop().await;
}

#[tokio::test]
async fn the_current_date_of_a_portfolio_registered_a_moment_ago_waits_for_it_and_an_unknown_one_has_none() {
    let registry = RegistryServer::running(road_recorded());
    let mut tracker = Running::idle(&registry);
    let mut client = tracker.client.clone();
    let asking = tokio::spawn(async move { client.get_current_date(current()).await });
    tracker.follow();
    let recorded = asking.await.unwrap().unwrap().into_inner();
    assert_eq!(recorded.current_date, day(jiff::civil::date(2021, 5, 13)), "the clock's, until a day began");
    let unknown = GetCurrentDateRequest { portfolio: "portfolios/other".into(), ..Default::default() };
    let refused = tracker.client.get_current_date(unknown).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "RESOURCE_NOT_FOUND"));
    tracker.stop().await;
}
