//! Following the registry: exactly once, through restarts of either, and what ends it.

use milepost_ledger::Options;
use milepost_ledger::journal::StoredEntry;
use milepost_service::readiness::State;
use milepost_types::{GoOn, Hash, LedgerKind, LogId, Position};
use prost::Message;
use tonic::Code;

use super::*;
use crate::tests::running::{fact, reason};

pub(super) const FOLLOW: &str = "tracker.follow(registry)";
pub(super) const STARTED: Date = jiff::civil::date(2021, 5, 12);

pub(super) fn degraded(state: &State) -> bool {
    matches!(state, State::Degraded(_))
}

/// How often a start was derived.
pub(super) fn achieved(tracker: &Running) -> usize {
    tracker.story().iter().filter(|line| line.contains("milestone.achieved")).count()
}

#[tokio::test]
async fn a_start_is_derived_once_through_restarts_of_both() {
    let (mut registry, mut tracker) = road().await;
    tracker.created(construction_start("road", "start")).await;
    let position = registry.say(|recorded| recorded.start(&["road"], STARTED));
    tracker.reach(position).await;
    let milestone = tracker.got(START).await;
    assert_eq!((milestone.state(), milestone.actual_date), (milestone::State::Achieved, day(STARTED)));
    let followed = tracker.story();

    let mut tracker = tracker.reopened(&registry).await;
    registry.stop();
    tracker.readiness(FOLLOW, degraded).await;
    registry.start();
    let position = registry.say(|recorded| recorded.project("bridge"));
    tracker.reach(position).await;
    tracker.readiness(FOLLOW, |state| *state == State::Ready).await;
    let once = [followed, vec!["source.followed".to_owned()]].concat();
    assert_eq!(tracker.story(), once, "each entry once");
    assert_eq!(achieved(&tracker), 1);
    tracker.created(construction_start("bridge", "start")).await;
    tracker.stop().await;
}

#[tokio::test]
async fn a_method_answers_with_what_the_start_of_its_project_made_of_a_milestone() {
    let (mut registry, mut tracker) = road().await;
    tracker.created(construction_start("road", "gone")).await;
    let gone = format!("{PROJECT}/milestones/gone");
    let delete = DeleteMilestoneRequest { name: gone.clone(), ..Default::default() };
    tracker.client.delete_milestone(delete).await.unwrap();
    let position = registry.say(|recorded| recorded.start(&["road"], STARTED));
    tracker.reach(position).await;
    let outcome = |milestone: &Milestone| (milestone.state(), milestone.actual_date);
    let achieved = (milestone::State::Achieved, day(STARTED));
    let request = CreateMilestoneRequest { request_id: "once".into(), ..construction_start("road", "start") };
    let created = tracker.created(request.clone()).await;
    assert_eq!((outcome(&created), &created), (achieved, &tracker.got(START).await));
    assert_eq!(tracker.created(request).await, created, "the same id answers the same");
    let batch = BatchCreateMilestonesRequest {
        parent: PROJECT.into(),
        requests: vec![construction_start("road", "b"), create("end"), construction_start("road", "a")],
        ..Default::default()
    };
    let created = tracker.client.batch_create_milestones(batch).await.unwrap().into_inner().milestones;
    let planned = (milestone::State::Planned, None);
    assert_eq!(created.iter().map(outcome).collect::<Vec<_>>(), [achieved, planned, achieved]);
    let undelete = UndeleteMilestoneRequest { name: gone.clone(), ..Default::default() };
    let undeleted =
        tracker.client.undelete_milestone(undelete).await.unwrap().into_inner().milestone.unwrap();
    assert_eq!((outcome(&undeleted), &undeleted), (achieved, &tracker.got(&gone).await));
    let end = Milestone {
        name: format!("{PROJECT}/milestones/end"),
        r#type: "constructionStart".into(),
        ..Milestone::default()
    };
    let update = UpdateMilestoneRequest { milestone: Some(end), ..Default::default() };
    let updated = tracker.client.update_milestone(update).await.unwrap().into_inner().milestone.unwrap();
    assert_eq!(outcome(&updated), achieved);
    tracker.stop().await;
}

#[tokio::test]
async fn a_batch_of_ten_thousand_has_all_its_effects_through_the_wire_under_the_least_entry_size() {
    let mut registry = RegistryServer::running(road_recorded());
    let options = Options { max_entry_bytes: 1 << 20, ..Options::default() };
    let mut tracker = Running::with_options(&registry, options);
    tracker.follow();
    tracker.reach(registry.recorded.tail()).await;
    let ids: Vec<String> = (0..10_000).map(|i| format!("p{i:05}")).collect();
    let position = registry.say(|recorded| {
        let project = |id| ("milepost.project.created", Some(crate::tests::registry::project(id)));
        recorded.append(ids.iter().map(|id| project(id)).collect())
    });
    tracker.reach(position).await;
    for chunk in ids.chunks(500) {
        let batch = BatchCreateMilestonesRequest {
            parent: "portfolios/wsc/projects/-".into(),
            requests: chunk.iter().map(|id| construction_start(id, "start")).collect(),
            ..Default::default()
        };
        tracker.client.batch_create_milestones(batch).await.unwrap();
    }
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    // In one response with an entry after it.
    registry.recorded.start(&ids, STARTED);
    registry.recorded.project("after");
    let position = registry.publish();
    tracker.reach(position).await;
    let story = tracker.story();
    assert_eq!(story.iter().map(|line| line.matches("milestone.achieved").count()).sum::<usize>(), 10_000);
    assert!(story.iter().all(|line| !line.contains("skipped")));
    let last: Vec<_> = story.iter().rev().take(3).collect();
    assert_eq!(last[0], "source.followed");
    assert!(last[1].starts_with("source.followed milestone.achieved"), "{}", last[1].len());
    assert!(last[2].starts_with("source.partly_followed milestone.achieved"), "{}", last[2].len());
    tracker.stop().await;
}

#[tokio::test]
async fn an_entry_whose_taking_over_ended_in_the_middle_goes_on_where_it_was() {
    use milepost_ledger::journal::memory::Failure;
    let (mut registry, mut tracker) = road().await;
    let ids: Vec<String> = (0..3_000).map(|i| format!("p{i:05}")).collect();
    let position = registry.say(|recorded| {
        let project = |id| ("milepost.project.created", Some(crate::tests::registry::project(id)));
        recorded.append(ids.iter().map(|id| project(id)).collect())
    });
    tracker.reach(position).await;
    for chunk in ids.chunks(1000) {
        let batch = BatchCreateMilestonesRequest {
            parent: "portfolios/wsc/projects/-".into(),
            requests: chunk.iter().map(|id| construction_start(id, "start")).collect(),
            ..Default::default()
        };
        tracker.client.batch_create_milestones(batch).await.unwrap();
    }
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    // The first part is stored and not acknowledged, and the process ends.
    tracker.journal.fail_next(Failure::Stored);
    let position = registry.say(|recorded| recorded.start(&ids, STARTED));
    let mut failed = tracker.service.api.ledger.failure();
    failed.wait_for(Option::is_some).await.unwrap();
    let tracker = tracker.reopened(&registry).await;
    tracker.reach(position).await;
    let story = tracker.story();
    assert_eq!(story.iter().map(|line| line.matches("milestone.achieved").count()).sum::<usize>(), 3_000);
    assert!(story.iter().all(|line| !line.contains("skipped")));
    let parts = story.iter().filter(|line| line.starts_with("source.partly_followed milestone.achieved"));
    assert!(parts.count() >= 2, "it takes several entries");
    assert!(story.last().unwrap().starts_with("source.followed milestone.achieved"));
    tracker.stop().await;
}

#[tokio::test]
async fn a_milestone_of_a_project_registered_a_moment_ago_waits_for_it() {
    let registry = RegistryServer::running(road_recorded());
    // Nothing is followed yet.
    let mut tracker = Running::idle(&registry);
    let mut client = tracker.client.clone();
    let creating = tokio::spawn(async move { client.create_milestone(create("start")).await });
    tracker.follow();
    let created = creating.await.unwrap().unwrap().into_inner();
    assert_eq!(created.milestone.unwrap().name, START);

    let unknown = construction_start("nowhere", "start");
    let refused = tracker.client.create_milestone(unknown).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "RESOURCE_NOT_FOUND"));
    assert_eq!(fact(&refused, "name"), "portfolios/wsc/projects/nowhere");
    tracker.stop().await;
}

#[tokio::test]
async fn without_the_registry_what_is_known_goes_on_and_the_rest_is_unavailable() {
    let (mut registry, mut tracker) = road().await;
    registry.stop();
    tracker.readiness(FOLLOW, degraded).await;
    tracker.created(create("start")).await;
    let unknown = construction_start("nowhere", "start");
    let refused = tracker.client.create_milestone(unknown).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unavailable, "DEPENDENCY_UNAVAILABLE"));
    assert_eq!(fact(&refused, "service"), "registry");
    assert!(tracker.context.readiness.report().ready(), "its reads are as good as before");
    tracker.stop().await;
}

/// What is written once goes by all that the registry acknowledged before the call, not only by what was followed so far.
#[tokio::test]
async fn acts_that_do_not_correct_themselves_later_wait_for_what_the_registry_knows() {
    use milepost_proto::tracker::v1::campaign_service_client::CampaignServiceClient;
    use milepost_proto::tracker::v1::template_service_client::TemplateServiceClient;
    use milepost_proto::tracker::v1::warning_policy_service_client::WarningPolicyServiceClient;

    let (mut registry, mut tracker) = road().await;
    registry.stop();
    let mut campaigns = CampaignServiceClient::new(tracker.channel.clone());
    let mut templates = TemplateServiceClient::new(tracker.channel.clone());
    let mut policies = WarningPolicyServiceClient::new(tracker.channel.clone());
    for (is_there, expected) in [(false, Code::Unavailable), (true, Code::NotFound)] {
        if is_there {
            registry.start();
        }
        let campaign = || "portfolios/wsc/campaigns/none".to_owned();
        let template = || "portfolios/wsc/templates/none".to_owned();
        let project = || "portfolios/wsc/projects/road".to_owned();
        let close = CloseCampaignRequest { name: campaign(), ..Default::default() };
        let sign_off = SignOffCampaignRequest { name: campaign(), ..Default::default() };
        let revise = ReviseCampaignRequest { name: campaign(), reason: "so".into(), ..Default::default() };
        let recompute = RecomputeWarningsRequest {
            name: "portfolios/wsc/warningPolicies/none".into(),
            period_end: day("2021-04-30".parse().unwrap()),
            reason: "so".into(),
            ..Default::default()
        };
        let apply = ApplyTemplateRequest { name: template(), project: project(), ..Default::default() };
        let upgrade = UpgradeTemplateRequest {
            name: template(),
            project: project(),
            version: format!("{}/versions/first", template()),
            ..Default::default()
        };
        let advance = AdvanceDateRequest {
            portfolio: "portfolios/none".into(),
            date: day("2021-05-13".parse().unwrap()),
            ..Default::default()
        };
        let refusals = [
            campaigns.close_campaign(close).await.unwrap_err(),
            campaigns.sign_off_campaign(sign_off).await.unwrap_err(),
            campaigns.revise_campaign(revise).await.unwrap_err(),
            policies.recompute_warnings(recompute).await.unwrap_err(),
            templates.apply_template(apply).await.unwrap_err(),
            templates.upgrade_template(upgrade).await.unwrap_err(),
            tracker.client.advance_date(advance).await.unwrap_err(),
        ];
        assert_eq!(refusals.map(|refused| refused.code()), [expected; 7]);
    }
    tracker.stop().await;
}

#[tokio::test]
async fn a_registry_that_hangs_holds_nobody_up_for_long() {
    let (mut registry, mut tracker) = road().await;
    registry.hang();
    tracker.created(create("start")).await;
    let unknown = construction_start("nowhere", "start");
    let asked = std::time::Instant::now();
    let refused = tracker.client.create_milestone(unknown).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unavailable, "DEPENDENCY_UNAVAILABLE"));
    assert!(asked.elapsed() < std::time::Duration::from_secs(5), "{:?}", asked.elapsed());
    tracker.stop().await;
}

#[tokio::test]
async fn a_full_disk_delays_following_and_loses_nothing() {
    use milepost_ledger::journal::memory::Failure;
    let (mut registry, tracker) = road().await;
    tracker.journal.fail_next(Failure::DiskLow);
    registry.recorded.project("bridge");
    registry.recorded.project("tunnel");
    let position = registry.publish();
    tracker.readiness(FOLLOW, |state| state.reason().contains("cannot be taken over now")).await;
    tracker.reach(position).await;
    tracker.readiness(FOLLOW, |state| *state == State::Ready).await;
    assert_eq!(tracker.story(), ["source.followed"; 4]);
    tracker.stop().await;
}

#[tokio::test]
async fn an_entry_that_is_too_large_to_derive_from_is_followed_without() {
    let mut registry = RegistryServer::running(road_recorded());
    let options = Options { max_entry_bytes: 4096, ..Options::default() };
    let mut tracker = Running::with_options(&registry, options);
    tracker.follow();
    let ids: Vec<String> = (0..12).map(|i| format!("p{i}")).collect();
    for id in &ids {
        registry.say(|recorded| recorded.project(id));
    }
    tracker.reach(registry.recorded.tail()).await;
    for id in &ids {
        tracker.created(construction_start(id, "start")).await;
    }
    // In one response with entries before and after it.
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    registry.recorded.project("before");
    registry.recorded.start(&ids, STARTED);
    registry.recorded.project("after");
    let position = registry.publish();
    tracker.reach(position).await;
    let story = tracker.story();
    let skipped = story.iter().find(|line| line.contains("source.skipped")).expect("the start is skipped");
    assert_eq!(skipped, "source.followed source.skipped");
    assert_eq!(achieved(&tracker), 0);
    tracker.created(construction_start("after", "start")).await;
    tracker.stop().await;
}

#[tokio::test]
async fn a_registry_of_another_history_is_refused_with_both_positions_until_it_is_meant() {
    let (mut registry, mut tracker) = road().await;
    tracker.created(create("start")).await;
    let ours = tracker.service.followed_to().unwrap();
    // Restored to an older state, and grown past it.
    let mut restored =
        Registry { entries: registry.recorded.entries[..1].to_vec(), ..registry.recorded.clone() };
    restored.project("tunnel");
    restored.project("bridge");
    restored.project("road");
    registry.exchange(restored);
    let reason_recorded = tracker.readiness(FOLLOW, |state| state.reason().contains("LOG_DIVERGED")).await;
    let theirs = registry.recorded.position(2);
    assert!(
        reason_recorded.contains(&ours.to_string()) && reason_recorded.contains(&theirs.to_string()),
        "{reason_recorded}"
    );

    // It goes on with what it knows, and says of the rest that it cannot know.
    tracker.client.reforecast_milestone(reforecast(5, "rain")).await.unwrap();
    let unknown = construction_start("bridge", "start");
    let refused = tracker.client.create_milestone(unknown.clone()).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unavailable, "DEPENDENCY_UNAVAILABLE"));
    assert!(refused.message().contains("LOG_DIVERGED"), "{}", refused.message());

    // An operator says that this log is meant, from the place where the two part.
    reset(&tracker, registry.recorded.position(1)).await;
    let mut tracker = tracker.reopened(&registry).await;
    tracker.reach(registry.recorded.tail()).await;
    tracker.created(unknown).await;
    tracker.readiness(FOLLOW, |state| *state == State::Ready).await;
    tracker.stop().await;
}

#[tokio::test]
async fn a_new_log_can_be_followed_from_its_beginning() {
    let (mut registry, mut tracker) = road().await;
    tracker.created(construction_start("road", "start")).await;
    let position = registry.say(|recorded| recorded.start(&["road"], STARTED));
    tracker.reach(position).await;
    // The same entries under another log id.
    let log = LogId::from_bytes([4; 16]);
    registry.exchange(Registry { log, ..registry.recorded.clone() });
    let recorded = tracker.readiness(FOLLOW, |state| state.reason().contains("LOG_DIVERGED")).await;
    assert!(recorded.contains(&log.to_string()), "{recorded}");
    reset(&tracker, Position::start(log)).await;
    let mut tracker = tracker.reopened(&registry).await;
    tracker.reach(registry.recorded.tail()).await;
    assert_eq!(achieved(&tracker), 1, "what has happened does not happen again");
    tracker.created(create("end")).await;
    tracker.stop().await;
}

#[tokio::test]
async fn a_registry_that_was_restored_is_followed_on_by_itself_and_again_after_the_next_restore() {
    let (mut registry, tracker) = road().await;
    // An entry that was exported, and that the tracker has not seen when the registry is lost.
    registry.stop();
    tracker.readiness(FOLLOW, degraded).await;
    let mut first = registry.recorded.clone();
    first.project("bridge");
    let mut second = first.restored(4, 3);
    second.project("tunnel");
    registry.exchange(second.clone());
    tracker.readiness(FOLLOW, |state| *state == State::Ready).await;
    tracker.reach(second.tail()).await;
    for position in [first.position(1), first.position(3)] {
        tracker.reach(position).await;
    }
    let mut tracker = tracker;
    tracker.created(construction_start("bridge", "start")).await;
    tracker.created(construction_start("tunnel", "start")).await;

    let mut third = second.restored(5, 4);
    third.start(&["bridge"], STARTED);
    registry.stop();
    tracker.readiness(FOLLOW, degraded).await;
    registry.exchange(third.clone());
    tracker.readiness(FOLLOW, |state| *state == State::Ready).await;
    tracker.reach(third.tail()).await;
    for position in [first.position(3), second.position(4), third.position(5)] {
        tracker.reach(position).await;
    }
    let story = tracker.story();
    let (followed, created) = ("source.followed", "milestone.created");
    let expected = [
        &[followed; 2][..],
        &["source.reset", followed, followed, created, created],
        &["source.reset", "source.followed milestone.achieved"],
    ];
    assert_eq!(story, expected.concat(), "each entry once, and no operator");
    let lost = Position { sequence: 4, ..first.position(3) };
    let request = GetMilestoneRequest {
        name: "portfolios/wsc/projects/bridge/milestones/start".into(),
        min_revisions: vec![revision(LedgerKind::Registry, lost)],
    };
    let refused = tracker.client.get_milestone(request).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "LOG_DIVERGED"));

    let tracker = tracker.reopened(&registry).await;
    tracker.readiness(FOLLOW, |state| *state == State::Ready).await;
    assert_eq!(tracker.story(), story);
    tracker.reach(first.position(3)).await;
    tracker.stop().await;
}

#[tokio::test]
async fn a_registry_that_was_restored_twice_is_followed_on_though_the_log_between_was_never_seen() {
    let (mut registry, mut tracker) = road().await;
    registry.stop();
    tracker.readiness(FOLLOW, degraded).await;
    let mut first = registry.recorded.clone();
    first.project("bridge");
    let mut second = first.restored(4, 3);
    second.project("tunnel");
    let mut third = second.restored(5, 4);
    third.project("harbour");
    registry.exchange(third.clone());
    tracker.readiness(FOLLOW, |state| *state == State::Ready).await;
    tracker.reach(third.tail()).await;
    let story = [&["source.followed"; 2][..], &["source.reset"], &["source.followed"; 3]].concat();
    assert_eq!(tracker.story(), story, "each entry once, and no operator");

    tracker.created(construction_start("bridge", "start")).await;
    let mut get = async |position| {
        let request = GetMilestoneRequest {
            name: "portfolios/wsc/projects/bridge/milestones/start".into(),
            min_revisions: vec![revision(LedgerKind::Registry, position)],
        };
        tracker.client.get_milestone(request).await
    };
    for position in [first.position(1), first.position(3), second.position(4), third.tail()] {
        get(position).await.unwrap_or_else(|refused| panic!("{position}: {refused}"));
    }
    // Lost by the first restore, or by the second.
    for lost in [Position { sequence: 4, ..first.tail() }, Position { sequence: 5, ..second.tail() }] {
        let refused = get(lost).await.expect_err("it was lost");
        let recorded = (refused.code(), reason(&refused));
        assert_eq!(recorded, (Code::FailedPrecondition, "LOG_DIVERGED".to_owned()), "{lost}");
    }
    tracker.stop().await;
}

#[tokio::test]
async fn a_tracker_that_had_come_further_than_the_restore_stands_still_unready_until_it_is_reset() {
    let (mut registry, tracker) = road().await;
    let ours = registry.say(|recorded| recorded.project("bridge"));
    tracker.reach(ours).await;
    let mut older = registry.recorded.restored(4, 2);
    older.project("tunnel");
    registry.exchange(older.clone());
    let still = |state: &State| matches!(state, State::NotReady(reason) if reason.contains("LOG_DIVERGED"));
    let recorded = tracker.readiness(FOLLOW, still).await;
    let reset_command = "milepost follower reset --follower tracker --source registry".to_owned();
    for part in [ours.to_string(), older.position(2).to_string(), reset_command] {
        assert!(recorded.contains(&part), "{part}: {recorded}");
    }
    assert!(!tracker.context.readiness.report().ready(), "it would stand still for ever");

    let fork = older.position(2);
    let to = GoOn { after: fork, fork: Some(fork), lineage: older.lineage.clone() };
    reset_to(&tracker, to).await;
    let mut tracker = tracker.reopened(&registry).await;
    tracker.reach(older.tail()).await;
    tracker.created(construction_start("tunnel", "start")).await;
    tracker.readiness(FOLLOW, |state| *state == State::Ready).await;
    tracker.stop().await;
}

async fn reset(tracker: &Running, to: Position) {
    reset_to(tracker, GoOn::after(to)).await;
}

async fn reset_to(tracker: &Running, to: GoOn) {
    use crate::command::Command;
    let command = Command::ResetFollower { to, reason: "restored".into() };
    let submission = milepost_ledger::Submission::system("operator", command);
    tracker.service.api.ledger.submit(submission).await.unwrap();
}

#[tokio::test]
async fn an_entry_of_a_newer_format_ends_following_and_is_not_lost() {
    let (mut registry, tracker) = road().await;
    let sequence = registry.recorded.entries.len() as u64 + 1;
    let entry = milepost_proto::journal::v1::Entry { sequence, format: 2, ..Default::default() };
    let bytes = bytes::Bytes::from(entry.encode_to_vec());
    let previous: Hash = registry.recorded.entries.last().unwrap().hash;
    let hash = milepost_ledger::chain(&previous, &bytes);
    registry.recorded.entries.push(StoredEntry { sequence, hash, bytes });
    let before = tracker.service.followed_to();
    registry.publish();
    let recorded = tracker.readiness(FOLLOW, |state| state.reason().contains("format")).await;
    assert!(recorded.contains("newer"), "{recorded}");
    assert_eq!(tracker.service.followed_to(), before);
    tracker.stop().await;
}
