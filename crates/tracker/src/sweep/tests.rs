//! Clocks: ordinary days, downtime, jumps in both directions.

mod jumps;

use std::time::Duration;

use jiff::SignedDuration;
use jiff::civil::date;
use milepost_service::readiness::State;

use super::*;
use crate::tests::{Registry, RegistryServer, Running, World};

const DATES: &str = "tracker.dates";

/// A tracker that knows the portfolio `wsc`, whose current date is 13 May 2021.
async fn tracker() -> (RegistryServer, Running, Sweep) {
    let mut recorded = Registry::new(3);
    recorded.portfolio("wsc");
    let registry = RegistryServer::running(recorded);
    let mut tracker = Running::idle(&registry);
    tracker.follow();
    tracker.reach(registry.recorded.tail()).await;
    let midnight = tracker.service.sweep(&tracker.context);
    midnight.check_clock(&mut Unconfirmed::new()).await;
    assert_eq!(current(&tracker), Some(date(2021, 5, 13)));
    (registry, tracker, midnight)
}

fn current(tracker: &Running) -> Option<Date> {
    super::current(&tracker.service.api.ledger.view(), &"portfolios/wsc".parse().unwrap()).unwrap()
}

/// How often a day began.
fn days(tracker: &Running) -> usize {
    tracker.story().iter().map(|line| line.matches("portfolio.date_advanced").count()).sum()
}

fn state(tracker: &Running) -> State {
    tracker.context.readiness.report().checks[DATES].clone()
}

#[tokio::test]
async fn days_begin_at_midnight_in_the_zone_and_no_earlier() {
    let (_registry, tracker, midnight) = tracker().await;
    let wait = midnight.check_clock(&mut Unconfirmed::new()).await;
    assert_eq!(wait, Duration::from_secs(60));
    assert_eq!(days(&tracker), 1, "the same day begins once");
    // Ten seconds before midnight in Shanghai.
    tracker.clock.set("2021-05-13T15:59:50Z".parse().unwrap());
    assert_eq!(midnight.check_clock(&mut Unconfirmed::new()).await, Duration::from_secs(10));
    assert_eq!(current(&tracker), Some(date(2021, 5, 13)));
    tracker.clock.advance(SignedDuration::from_secs(10));
    midnight.check_clock(&mut Unconfirmed::new()).await;
    assert_eq!(current(&tracker), Some(date(2021, 5, 14)));
    assert_eq!(state(&tracker), State::Ready);
    tracker.stop().await;
}

#[tokio::test]
async fn after_downtime_the_days_begin_one_by_one_each_in_its_entry() {
    let (_registry, tracker, midnight) = tracker().await;
    tracker.clock.advance(SignedDuration::from_hours(24 * 92));
    midnight.check_clock(&mut Unconfirmed::new()).await;
    assert_eq!(current(&tracker), Some(date(2021, 8, 13)));
    assert_eq!(days(&tracker), 93);
    assert!(tracker.story().iter().all(|line| line.matches("date_advanced").count() <= 1));
    tracker.stop().await;
}

#[tokio::test]
async fn a_clock_that_jumps_ahead_by_a_decade_begins_no_day_until_somebody_confirms() {
    let (_registry, mut tracker, midnight) = tracker().await;
    let before = tracker.clock.now();
    tracker.clock.advance(SignedDuration::from_hours(24 * 3652));
    let mut unconfirmed = Unconfirmed::new();
    for _ in 0..3 {
        midnight.check_clock(&mut unconfirmed).await;
    }
    assert_eq!((current(&tracker), days(&tracker)), (Some(date(2021, 5, 13)), 1));
    let State::Degraded(reason) = state(&tracker) else { panic!("{:?}", state(&tracker)) };
    assert!(reason.contains("3652 days") && reason.contains("AdvanceDate"), "{reason}");
    assert_eq!(unconfirmed.len(), 1);

    // The clock is set right: all is as before.
    tracker.clock.set(before);
    midnight.check_clock(&mut unconfirmed).await;
    assert_eq!((state(&tracker), days(&tracker)), (State::Ready, 1));

    // A year of downtime, on the other hand, is confirmed by hand, and the rest is caught up with.
    tracker.clock.advance(SignedDuration::from_hours(24 * 365));
    midnight.check_clock(&mut unconfirmed).await;
    assert_eq!(days(&tracker), 1);
    let confirmed = milepost_proto::tracker::v1::AdvanceDateRequest {
        portfolio: "portfolios/wsc".into(),
        date: Some(milepost_service::value::date_message(date(2022, 5, 1))),
        ..Default::default()
    };
    tracker.client.advance_date(confirmed).await.unwrap();
    midnight.check_clock(&mut unconfirmed).await;
    assert_eq!((current(&tracker), state(&tracker)), (Some(date(2022, 5, 13)), State::Ready));
    assert_eq!(days(&tracker), 366);
    tracker.stop().await;
}

#[tokio::test]
async fn a_clock_that_goes_back_changes_nothing() {
    let (_registry, tracker, midnight) = tracker().await;
    tracker.clock.advance(SignedDuration::from_hours(-24 * 3652));
    midnight.check_clock(&mut Unconfirmed::new()).await;
    assert_eq!((current(&tracker), days(&tracker)), (Some(date(2021, 5, 13)), 1));
    assert_eq!(state(&tracker), State::Ready);
    tracker.stop().await;
}

/// office.md, section 0: a new portfolio's sweep is at today at once.
#[tokio::test]
async fn a_new_portfolio_gets_its_first_day_at_once_and_a_deleted_one_no_more() {
    let (mut registry, mut tracker, midnight) = tracker().await;
    drop(midnight);
    tracker.watch_days();
    registry.say(|recorded| recorded.portfolio("new"));
    let mut positions = tracker.service.api.ledger.positions();
    let first = async {
        let name: PortfolioName = "portfolios/new".parse().unwrap();
        while tables::date::get(&tracker.service.api.ledger.view(), &name).unwrap().is_none() {
            positions.changed().await.unwrap();
        }
    };
    tokio::time::timeout(crate::tests::running::PATIENCE, first).await.expect("its first day begins");
    let gone = crate::tests::registry::deleted(crate::tests::registry::portfolio("wsc"));
    let position = registry.say(|recorded| recorded.append(vec![("milepost.portfolio.deleted", Some(gone))]));
    tracker.reach(position).await;
    let midnight = tracker.service.sweep(&tracker.context);
    tracker.clock.advance(SignedDuration::from_hours(24));
    midnight.check_clock(&mut Unconfirmed::new()).await;
    assert_eq!(current(&tracker), Some(date(2021, 5, 13)));
    tracker.stop().await;
}

/// What the registry said while nobody listened was known on the days that passed meanwhile.
#[tokio::test]
async fn days_that_were_missed_begin_when_the_registry_was_followed_and_the_day_that_comes_does_without_it() {
    let (mut registry, tracker, midnight) = tracker().await;
    registry.stop();
    tracker.clock.advance(SignedDuration::from_hours(24));
    midnight.check_clock(&mut Unconfirmed::new()).await;
    assert_eq!(current(&tracker), Some(date(2021, 5, 14)), "this day was not missed");

    registry.say(|recorded| recorded.project("road"));
    tracker.clock.advance(SignedDuration::from_hours(24 * 3));
    midnight.check_clock(&mut Unconfirmed::new()).await;
    assert_eq!((current(&tracker), days(&tracker)), (Some(date(2021, 5, 14)), 2));
    let State::Degraded(reason) = state(&tracker) else { panic!("{:?}", state(&tracker)) };
    assert!(reason.contains("portfolios/wsc missed days"), "{reason}");

    registry.start();
    midnight.check_clock(&mut Unconfirmed::new()).await;
    assert_eq!((current(&tracker), state(&tracker)), (Some(date(2021, 5, 17)), State::Ready));
    let story = tracker.story();
    let last_days: Vec<_> = story[story.len() - 4..].iter().map(String::as_str).collect();
    assert_eq!(
        last_days,
        ["source.followed", "portfolio.date_advanced", "portfolio.date_advanced", "portfolio.date_advanced"]
    );
    tracker.stop().await;
}

/// What the registry had acknowledged by then belongs to what a policy says of the past.
#[tokio::test]
async fn a_policy_that_is_adopted_for_the_past_is_evaluated_when_the_registry_was_followed() {
    use milepost_proto::tracker::v1 as proto;
    use proto::warning_policy_service_client::WarningPolicyServiceClient;

    let (mut registry, tracker, midnight) = tracker().await;
    registry.stop();
    registry.say(|recorded| recorded.project("road"));
    let mut policies = WarningPolicyServiceClient::new(tracker.channel.clone());
    let create = proto::CreateWarningPolicyRequest {
        parent: "portfolios/wsc".into(),
        warning_policy_id: "start".into(),
        warning_policy: Some(crate::warning::published("yc-start")),
        ..Default::default()
    };
    policies.create_warning_policy(create).await.unwrap();
    let adopt = proto::AdoptWarningPolicyRequest {
        name: "portfolios/wsc/warningPolicies/start".into(),
        date: Some(milepost_service::value::date_message(date(2021, 4, 1))),
        ..Default::default()
    };
    policies.adopt_warning_policy(adopt).await.unwrap();
    let said = |tracker: &Running, what: &str| tracker.story().iter().any(|line| line.contains(what));
    midnight.check_clock(&mut Unconfirmed::new()).await;
    let State::Degraded(reason) = state(&tracker) else { panic!("{:?}", state(&tracker)) };
    assert!(reason.contains("portfolios/wsc is behind"), "{reason}");
    assert!(!said(&tracker, "warning."), "{:?}", tracker.story());

    registry.start();
    midnight.check_clock(&mut Unconfirmed::new()).await;
    assert!(said(&tracker, "warning."), "{:?}", tracker.story());
    assert_eq!((current(&tracker), state(&tracker)), (Some(date(2021, 5, 13)), State::Ready));
    tracker.stop().await;
}

/// The whole of what a clock may do to a day that brings something: each once, in the order of days, none passed over.
#[tokio::test]
async fn clocks_that_jump_in_both_directions_let_each_day_begin_once_with_all_that_it_brings() {
    let (mut registry, mut tracker, midnight) = tracker().await;
    let position = registry.say(|recorded| recorded.project("road"));
    tracker.reach(position).await;
    for (id, days) in [("a", 2), ("b", 6), ("c", 11)] {
        let due = date(2021, 5, 13).saturating_add(jiff::Span::new().days(days));
        let milestone = milepost_proto::tracker::v1::Milestone {
            display_name: id.into(),
            baseline_date: Some(milepost_service::value::date_message(due)),
            ..Default::default()
        };
        let request = milepost_proto::tracker::v1::CreateMilestoneRequest {
            parent: "portfolios/wsc/projects/road".into(),
            milestone_id: id.into(),
            milestone: Some(milestone),
            ..Default::default()
        };
        tracker.client.create_milestone(request).await.unwrap();
    }
    let request = milepost_proto::tracker::v1::CreateServiceRequestRequest {
        parent: "portfolios/wsc/projects/road".into(),
        service_request: Some(milepost_proto::tracker::v1::ServiceRequest {
            title: "临时用电".into(),
            requester: "user:corp/unit".into(),
            due_date: Some(milepost_service::value::date_message(date(2021, 5, 17))),
            ..Default::default()
        }),
        ..Default::default()
    };
    let mut requests =
        milepost_proto::tracker::v1::service_request_service_client::ServiceRequestServiceClient::new(
            tracker.channel.clone(),
        );
    requests.create_service_request(request).await.unwrap();
    let mut unconfirmed = Unconfirmed::new();
    // Ahead by three days and back by two, by seven and back by thirty, then on as clocks do, over the same days again.
    for days in [3, -2, 7, -30, 25, 1, 1, 1, -1, 1, 9] {
        tracker.clock.advance(SignedDuration::from_hours(24 * days));
        midnight.check_clock(&mut unconfirmed).await;
    }
    assert_eq!(current(&tracker), Some(date(2021, 5, 28)));
    assert_eq!(days(&tracker), 16, "13 to 28 May, each once");
    let story = tracker.story();
    let all = |kind: &str| story.iter().map(|line| line.matches(kind).count()).sum::<usize>();
    assert_eq!(
        (all("milestone.overdue"), all("milestone.due_soon")),
        (3, 3),
        "two were due soon as they were made"
    );
    assert_eq!((all("service_request.overdue"), all("service_request.escalated")), (1, 1), "18 and 25 May");
    tracker.stop().await;
}

/// What the registry acknowledged before midnight belongs to the day that passed.
#[tokio::test]
async fn a_day_begins_after_all_that_the_registry_has_is_followed() {
    let (mut registry, tracker, midnight) = tracker().await;
    for _ in 0..3 {
        registry.say(|recorded| recorded.project("road"));
        tracker.clock.advance(SignedDuration::from_hours(24));
        midnight.check_clock(&mut Unconfirmed::new()).await;
        let story = tracker.story();
        let last: Vec<_> = story[story.len() - 2..].iter().map(String::as_str).collect();
        assert_eq!(last, ["source.followed", "portfolio.date_advanced"]);
    }
    tracker.stop().await;
}

/// A tracker with what a world has, which follows its registry.
async fn tracker_of(world: &World, registry: Registry, now: &str) -> (RegistryServer, Running, Sweep) {
    let registry = RegistryServer::running(registry);
    let mut tracker = Running::on(&registry, world.journal());
    tracker.clock.set(now.parse().unwrap());
    tracker.follow();
    tracker.reach(registry.recorded.tail()).await;
    let midnight = tracker.service.sweep(&tracker.context);
    (registry, tracker, midnight)
}

/// Days go on without what cannot be read, and it is reported to whoever operates the tracker until it was found.
#[tokio::test]
async fn that_a_day_passed_over_a_milestone_is_said_until_it_was_found() {
    let (mut world, registry) = World::with_projects(&["road"]);
    world.advance(date(2021, 5, 13)).unwrap();
    world.create("a", Some(date(2021, 5, 20)));
    world.damage(&crate::tests::world::name("road", "a"));
    world.now = "2021-05-22T04:00:00Z".parse().unwrap();
    world.advance(date(2021, 5, 22)).unwrap();
    // Its rows are made anew of the journal.
    let (_registry, tracker, midnight) = tracker_of(&world, registry, "2021-05-22T04:00:00Z").await;
    midnight.check_clock(&mut Unconfirmed::new()).await;
    let State::Degraded(reason) = state(&tracker) else { panic!("{:?}", state(&tracker)) };
    assert!(reason.contains("portfolios/wsc passed over a milestone"), "{reason}");
    tracker.clock.advance(SignedDuration::from_hours(24));
    midnight.check_clock(&mut Unconfirmed::new()).await;
    assert_eq!((current(&tracker), state(&tracker)), (Some(date(2021, 5, 23)), State::Ready));
    tracker.stop().await;
}

/// The same of the start of a project that could not achieve a milestone.
#[tokio::test]
async fn that_a_start_passed_over_a_milestone_is_said_until_it_is_achieved() {
    let (mut world, mut registry) = World::with_projects(&["road"]);
    world.advance(date(2021, 5, 13)).unwrap();
    for (id, kind) in [("a", crate::milestone::CONSTRUCTION_START), ("b", "other")] {
        let mut start = crate::tests::world::draft("road", Some(id), Some(date(2021, 12, 1)));
        start.milestone.as_mut().unwrap().r#type = kind.into();
        world.submit(crate::tests::world::create(vec![start])).unwrap();
        world.damage_cut_off(&crate::tests::world::name("road", id));
    }
    world.ingest(registry.start(&["road"], date(2021, 5, 12))).unwrap();
    let (_registry, tracker, midnight) = tracker_of(&world, registry, "2021-05-13T04:00:00Z").await;
    midnight.check_clock(&mut Unconfirmed::new()).await;
    let State::Degraded(reason) = state(&tracker) else { panic!("{:?}", state(&tracker)) };
    assert!(reason.contains("portfolios/wsc passed over a milestone"), "{reason}");
    tracker.clock.advance(SignedDuration::from_hours(24));
    midnight.check_clock(&mut Unconfirmed::new()).await;
    assert_eq!((current(&tracker), state(&tracker)), (Some(date(2021, 5, 14)), State::Ready));
    assert!(tracker.story().iter().any(|line| line.contains("milestone.achieved")));
    tracker.stop().await;
}

/// A policy that cannot be evaluated is in the way of no day, and is said, too.
#[tokio::test]
async fn that_a_policy_stays_due_is_said() {
    use milepost_proto::event::v1::Event;
    use milepost_proto::event::v1::event::Resource;
    use prost::Message;

    let (mut world, registry) = World::with_projects(&["road"]);
    world.advance(date(2021, 5, 13)).unwrap();
    let policy = crate::warning::published("yc-start");
    let creation = crate::warning::tests::policies::creation("start", policy).unwrap();
    world.submit(creation).unwrap();
    let adopt = crate::warning::adopt as milepost_resource::Run<_, _, _>;
    world.submit(crate::warning::tests::policies::act("start", Some(date(2021, 5, 1)), adopt)).unwrap();
    // No period ends on that day.
    let adopted = world.entries.last_mut().unwrap();
    let mut event = Event::decode(adopted.events[0].clone()).unwrap();
    let Some(Resource::WarningPolicyResource(policy)) = &mut event.resource else { panic!("{event:?}") };
    policy.next_evaluation_date = Some(milepost_service::value::date_message(date(2021, 5, 2)));
    adopted.events[0] = event.encode_to_vec().into();
    let (_registry, tracker, midnight) = tracker_of(&world, registry, "2021-05-14T04:00:00Z").await;
    midnight.check_clock(&mut Unconfirmed::new()).await;
    assert_eq!(current(&tracker), Some(date(2021, 5, 14)));
    let State::Degraded(reason) = state(&tracker) else { panic!("{:?}", state(&tracker)) };
    assert!(reason.contains("a warning policy of portfolios/wsc is not evaluated"), "{reason}");
    tracker.stop().await;
}

/// A clock that goes on by this whenever somebody looks at it.
struct Ticking(Arc<milepost_types::ManualClock>, SignedDuration);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        self.0.advance(self.1);
        self.0.now()
    }
}

/// However long what is late takes, midnight is midnight: in other portfolios, and in its own.
#[tokio::test]
async fn a_long_evaluation_of_past_periods_keeps_no_day_from_beginning() {
    let (mut world, mut registry) = World::with_projects(&["road"]);
    world.ingest(registry.portfolio("zoo")).unwrap();
    world.advance(date(2021, 5, 13)).unwrap();
    let creation = crate::warning::tests::policies::creation("start", crate::warning::published("yc-start"));
    world.submit(creation.unwrap()).unwrap();
    let adopt = crate::warning::adopt as milepost_resource::Run<_, _, _>;
    let past = Some(date(2017, 5, 1));
    world.submit(crate::warning::tests::policies::act("start", past, adopt)).unwrap();
    let before = world.entries.len();
    let (_registry, tracker, midnight) = tracker_of(&world, registry, "2021-05-13T04:00:00Z").await;
    let clock = Arc::new(Ticking(Arc::clone(&tracker.clock), SignedDuration::from_mins(10)));
    let midnight = Sweep { clock, ..midnight };
    midnight.check_clock(&mut Unconfirmed::new()).await;
    let story = tracker.entries().split_off(before);
    let last = story.iter().rposition(|(_, kinds)| kinds.contains("warning.")).unwrap();
    let days = |portfolio: &str| {
        let of_portfolio =
            |entry: &&(String, String)| entry.0 == portfolio && entry.1.contains("portfolio.date_advanced");
        story[..last].iter().filter(of_portfolio).count()
    };
    assert!(days("zoo") >= 2 && days("wsc") >= 1, "{story:?}");
    assert_eq!(story.iter().filter(|(_, kinds)| kinds.contains("warning.")).count(), 48, "4 years");
    assert_eq!(state(&tracker), State::Ready);
    tracker.stop().await;
}
