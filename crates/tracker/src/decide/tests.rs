//! Commands on rows: what is loaded, what is refused, what an entry says.

use jiff::civil::date;
use milepost_proto::event::v1::event::{Payload, Resource};
use milepost_proto::tracker::v1::milestone::State;
use milepost_proto::tracker::v1::{
    CreateServiceRequestRequest, CreateTimelineEntryRequest, CreateTimelineRuleRequest, Milestone,
    ServiceRequest, TimelineEntry, TimelineRule, timeline_entry,
};
use milepost_resource::{Custom, Run, Standard, Target, Upstream, date_message, read_create};
use milepost_service::access::Permit;
use milepost_types::{LogId, Violations};
use proptest::prelude::*;

use super::*;
use crate::milestone::Timeliness;
use crate::service_request::{Rating, accept, answer, pause, rate, resume, return_answer, withdraw};
use crate::tests::registry::{assignment, deleted, portfolio, project};
use crate::tests::samples::BASELINE;
use crate::tests::world::{Action, command, create, draft, kinds, name, project_name};
use crate::tests::{Registry, World};
use crate::timeline;

fn reforecast(day: i8) -> Action {
    Action::Reforecast { forecast: Some(date(2021, 6, day)), reason: "rain".into() }
}

#[test]
fn a_milestone_is_created_reforecast_and_read() {
    let (mut world, registry) = World::with_projects(&["road"]);
    let created = world.submit(create(vec![draft("road", Some("start"), Some(BASELINE))])).unwrap();
    assert_eq!(kinds(&created), ["milestone.created"]);
    let event = &created[0];
    let sequence = world.entries.len();
    assert_eq!(event.event_id, format!("{}/{sequence}/0", LogId::from_bytes([9; 16])));
    assert_eq!((event.source.as_str(), event.sequence), ("tracker", sequence as u64));
    assert_eq!(event.subject, name("road", "start").to_string());
    assert_eq!(event.portfolio, "portfolios/wsc");
    assert_eq!(event.project, "portfolios/wsc/projects/road");
    assert!(event.changed_fields.is_empty());
    let entry = world.entries.last().unwrap();
    assert_eq!((entry.portfolio.as_str(), &entry.decided_on[..]), ("wsc", &[registry.tail()][..]));

    let recorded = world.act(name("road", "start"), reforecast(10)).unwrap();
    let Some(Payload::MilestoneReforecast(payload)) = &recorded[0].payload else { panic!("{recorded:?}") };
    assert_eq!((payload.slip_working_days, payload.previous_sequence), (Some(10), 0));
    let Some(Resource::MilestoneResource(resource)) = &recorded[0].resource else { panic!("{recorded:?}") };
    assert_eq!(resource.etag, (sequence + 1).to_string());
    let read = world.milestone(&name("road", "start"));
    assert_eq!((read.etag, read.forecast_sequence), ((sequence + 1).to_string(), sequence as u64 + 1));
    assert_eq!(world.rebuilt(), world.rows);
}

#[test]
fn what_changes_nothing_writes_no_entry() {
    let (mut world, _) = World::with_projects(&["road"]);
    world.create("start", Some(BASELINE));
    let count = world.entries.len();
    let nothing = Action::Reforecast { forecast: None, reason: "no news".into() };
    assert_eq!(world.act(name("road", "start"), nothing).unwrap(), []);
    assert_eq!(world.entries.len(), count);
}

#[tokio::test]
async fn refusals_that_rest_on_facts_are_known_from_others() {
    let (mut world, mut registry) = World::with_projects(&["road"]);
    world.create("start", None);
    let registry_server = crate::tests::RegistryServer::running(registry.clone());
    let tracker = crate::tests::Running::idle(&registry_server);
    let upstream = &tracker.service.upstream;
    let refused = |world: &mut World, command| {
        let rejection = world.submit(command).unwrap_err();
        (upstream.is_cause_of(&rejection), rejection)
    };
    let unknown = create(vec![draft("bridge", None, None)]);
    let (on_mirror, rejection) = refused(&mut world, unknown);
    assert!(on_mirror && rejection == Rejection::not_found(&project_name("bridge")));
    let missing = Action::Delete.on(&name("road", "end").to_string(), None);
    let (on_mirror, rejection) = refused(&mut world, missing);
    assert!(!on_mirror && rejection == Rejection::not_found(&name("road", "end")));
    let twice = create(vec![draft("road", Some("start"), None)]);
    let (on_mirror, rejection) = refused(&mut world, twice);
    assert!(!on_mirror && rejection == Rejection::already_exists(&name("road", "start"), false));
    let elsewhere: PortfolioName = "portfolios/other".parse().unwrap();
    let advance = |portfolio: PortfolioName, date| {
        let traceparent = String::new();
        Command::AdvanceDate(Arc::new(AdvanceDate {
            portfolio,
            date,
            preview: false,
            traceparent,
            permit: Permit::of_system(),
        }))
    };
    let nowhere = advance(elsewhere.clone(), BASELINE);
    let (on_mirror, rejection) = refused(&mut world, nowhere);
    assert!(on_mirror && rejection == Rejection::not_found(&elsewhere));

    let gone = registry.append(vec![("milepost.project.deleted", Some(deleted(project("road"))))]);
    world.ingest(gone).unwrap();
    for command in [
        create(vec![draft("road", Some("end"), None)]),
        reforecast(10).on(&name("road", "start").to_string(), None),
    ] {
        let (on_mirror, rejection) = refused(&mut world, command);
        assert!(on_mirror && rejection == Rejection::deleted(&project_name("road")));
    }
    world.ingest(registry.append(vec![("milepost.project.undeleted", Some(project("road")))])).unwrap();
    world
        .ingest(registry.append(vec![("milepost.portfolio.deleted", Some(deleted(portfolio("wsc"))))]))
        .unwrap();
    let wsc: PortfolioName = "portfolios/wsc".parse().unwrap();
    let date = date(2021, 5, 13);
    let (on_mirror, rejection) = refused(&mut world, advance(wsc.clone(), date));
    assert!(on_mirror && rejection == Rejection::deleted(&wsc));
}

#[test]
fn a_batch_is_created_whole_or_not_at_all() {
    let (mut world, _) = World::with_projects(&["road", "bridge"]);
    let before = world.rows.clone();
    let drafts = |last: &str| {
        vec![
            draft("road", Some("start"), None),
            draft("bridge", None, None),
            draft(last, None, Some(BASELINE)),
        ]
    };
    let tunnel = Rejection::not_found(&project_name("tunnel"));
    assert_eq!(world.submit(create(drafts("tunnel"))).unwrap_err(), tunnel);
    assert_eq!(world.rows, before);
    let recorded = world.submit(create(drafts("bridge"))).unwrap();
    assert_eq!(kinds(&recorded), ["milestone.created"; 3]);
    assert!(recorded.windows(2).all(|pair| pair[0].event_id < pair[1].event_id));
    assert_ne!(recorded[1].subject, recorded[2].subject);
    assert!(world.submit(create(drafts("bridge"))).is_err());
}

#[test]
fn slip_and_variance_follow_the_calendar_that_is_known_now() {
    let (mut world, mut registry) = World::with_projects(&["road"]);
    world.create("start", Some(BASELINE));
    world.act(name("road", "start"), reforecast(1)).unwrap();
    assert_eq!(world.milestone(&name("road", "start")).variance_working_days, Some(3));
    // Saturday 29 May is worked from now on.
    let Resource::PortfolioResource(mut changed) = portfolio("wsc") else { panic!() };
    changed.working_calendar = Some(milepost_proto::registry::v1::WorkingCalendar {
        make_up_days: vec![milepost_proto::google::r#type::Date { year: 2021, month: 5, day: 29 }],
        ..Default::default()
    });
    let updated = ("milepost.portfolio.updated", Some(Resource::PortfolioResource(changed)));
    world.ingest(registry.append(vec![updated])).unwrap();
    world.act(name("road", "start"), reforecast(2)).unwrap();
    assert_eq!(world.milestone(&name("road", "start")).variance_working_days, Some(5));
}

#[test]
fn a_reset_follower_goes_on_elsewhere_and_forgets_facts_only_if_it_begins_anew() {
    let (mut world, old) = World::with_projects(&["road"]);
    world.create("start", None);
    let mut restored = Registry { log: LogId::from_bytes([4; 16]), ..old.clone() };
    let reset = |to| Command::ResetFollower { to: GoOn::after(to), reason: "restored".into() };

    let recorded = world.submit(reset(restored.tail())).unwrap();
    assert_eq!(kinds(&recorded), ["source.reset"]);
    assert_eq!(world.submit(reset(restored.tail())).unwrap(), []);
    world.act(name("road", "start"), reforecast(10)).unwrap();
    assert_eq!(world.entries.last().unwrap().decided_on, [restored.tail()]);
    world.ingest(restored.project("bridge")).unwrap();

    world.submit(reset(restored.position(0))).unwrap();
    let refusal = world.act(name("road", "start"), reforecast(11)).unwrap_err();
    assert_eq!(refusal, Rejection::not_found(&project_name("road")));
    for sequence in 1..=restored.entries.len() {
        world.ingest(restored.source_entry(sequence)).unwrap();
    }
    world.act(name("road", "start"), reforecast(11)).unwrap();
    assert_eq!(world.rebuilt(), world.rows);
}

#[test]
fn a_restored_log_is_gone_on_in_only_from_where_the_follower_stood_and_rows_are_those_of_a_rebuild() {
    let (mut world, old) = World::with_projects(&["road"]);
    let own = tables::source::get(&world.rows);
    let mut restored = old.restored(4, 2);
    restored.project("bridge");
    let on = GoOn::by_itself(own, restored.log, &restored.lineage).unwrap();
    let follow = |from| Command::FollowRestored { from, to: on.clone() };

    let refusal = world.submit(follow(Some(old.position(1)))).unwrap_err();
    assert!(matches!(refusal, Rejection::LogDiverged { .. }), "{refusal:?}");
    let recorded = world.submit(follow(own)).unwrap();
    assert_eq!(kinds(&recorded), ["source.reset"]);
    let Some(Payload::SourceReset(reset)) = &recorded[0].payload else { panic!("{recorded:?}") };
    let wire = milepost_ledger::position_to_proto;
    assert_eq!(reset.previous_position, own.as_ref().map(wire));
    assert_eq!(reset.position, Some(wire(&restored.position(2))));
    assert_eq!(reset.fork, Some(wire(&restored.position(2))));
    assert_eq!(reset.lineage, [wire(&old.position(2))]);
    assert_eq!(tables::later_logs::of(&world.rows, old.log), [restored.position(2)]);
    // Another process, which found the same a moment later, does not bring the follower back.
    world.ingest(restored.source_entry(3)).unwrap();
    assert_eq!(world.submit(follow(own)).unwrap(), []);
    assert_eq!(tables::source::get(&world.rows), Some(restored.tail()));
    world.create("start", None);
    assert_eq!(world.rebuilt(), world.rows);
}

/// Whatever came to be due soon or overdue is announced, at once and once: by the day that did it, or right
/// after the event that did it, which it names.
fn announced_once_each(world: &World) {
    use milepost_proto::event::v1::Event;
    use milepost_proto::tracker::v1::milestone::Nearness;
    use prost::Message;
    let mut near = std::collections::BTreeMap::new();
    let mut awaited: Option<(String, &str)> = None;
    for event in world.entries.iter().flat_map(|entry| &entry.events) {
        let event = Event::decode(event.clone()).unwrap();
        let Some(Resource::MilestoneResource(milestone)) = event.resource else {
            assert_eq!(awaited, None);
            continue;
        };
        let now = milestone.nearness();
        let before = near.insert(event.subject.clone(), now).unwrap_or_default();
        let wanted = match now {
            Nearness::DueSoon => "milepost.milestone.due_soon",
            Nearness::Overdue => "milepost.milestone.overdue",
            _ => "",
        };
        if let Some((cause, kind)) = awaited.take() {
            assert_eq!((event.caused_by.as_str(), event.r#type.as_str(), before), (&*cause, kind, now));
        } else if let Some(Payload::MilestoneOutlookChanged(_)) = event.payload {
            assert_eq!(event.caused_by, "");
            assert_eq!(event.r#type == wanted, before != now, "{}: {before:?}", event.r#type);
        } else if before != now && !wanted.is_empty() {
            awaited = Some((event.event_id, wanted));
        }
    }
    assert_eq!(awaited, None);
}

/// One step of a random history.
#[derive(Debug, Clone)]
enum Step {
    Create(u8, u8, Option<i64>),
    Act(u8, u8, Action),
    Advance(i64),
    Part(i64),
    Start(u8, i64),
    Ingest,
    Request(u8, Option<i64>),
    ActOn(u8, u8),
    Assign(u8, u8, i64),
    Rule(u8),
    Entry(u8),
    Edit(u8, u8),
}

fn steps() -> impl Strategy<Value = Step> {
    let day = |days: i64| date(2021, 5, 13).saturating_add(jiff::Span::new().days(days));
    let action = prop_oneof![
        proptest::option::of(-20i64..40)
            .prop_map(move |days| Action::Reforecast { forecast: days.map(day), reason: String::new() }),
        (-20i64..40).prop_map(move |days| Action::Rebaseline { baseline: day(days), reason: "r".into() }),
        Just(Action::Achieve { actual: None, reason: String::new() }),
        Just(Action::PartiallyAchieve { actual: None, reason: "r".into() }),
        Just(Action::Miss { reason: "r".into() }),
        Just(Action::Reopen { reason: "r".into() }),
        Just(Action::Delete),
        Just(Action::Undelete),
    ];
    prop_oneof![
        2 => (0u8..3, 0u8..4, proptest::option::of(-20i64..40)).prop_map(|(p, m, d)| Step::Create(p, m, d)),
        6 => (0u8..3, 0u8..4, action).prop_map(|(p, m, action)| Step::Act(p, m, action)),
        2 => (0i64..5).prop_map(Step::Advance),
        3 => (0i64..3).prop_map(Step::Part),
        1 => (0u8..3, -5i64..1).prop_map(|(p, d)| Step::Start(p, d)),
        1 => Just(Step::Ingest),
        2 => (0u8..3, proptest::option::of(-10i64..10)).prop_map(|(r, d)| Step::Request(r, d)),
        4 => (0u8..3, 0u8..8).prop_map(|(r, act)| Step::ActOn(r, act)),
        2 => (0u8..2, 0u8..3, -5i64..5).prop_map(|(id, kind, d)| Step::Assign(id, kind, d)),
        1 => (0u8..2).prop_map(Step::Rule),
        1 => (0u8..2).prop_map(Step::Entry),
        2 => (0u8..2, 0u8..3).prop_map(|(e, act)| Step::Edit(e, act)),
    ]
}

/// Asks for something in the project `road`.
fn request(id: u8, due: Option<jiff::civil::Date>) -> Command {
    let request = CreateServiceRequestRequest {
        parent: "portfolios/wsc/projects/road".into(),
        service_request_id: format!("r{id}"),
        service_request: Some(ServiceRequest {
            title: "临时用电".into(),
            requester: "user:corp/unit-7".into(),
            due_date: due.map(date_message),
            ..ServiceRequest::default()
        }),
        ..CreateServiceRequestRequest::default()
    };
    created(|violations| read_create::<Tracker, ServiceRequest>(request, violations, Violations::new()))
}

/// Does one of the acts on a request.
fn act_on(id: u8, act: u8) -> Command {
    let name = format!("portfolios/wsc/projects/road/serviceRequests/r{id}");
    let target = || Target { name: name.parse().unwrap(), etag: None };
    let said = || ("因为".to_owned(), None);
    command(match act {
        0 => Custom::act(target(), None, accept as Run<_, _, _>),
        1 => Custom::act(target(), said(), answer as Run<_, _, _>),
        2 => Custom::act(target(), said(), return_answer as Run<_, _, _>),
        3 => Custom::act(
            target(),
            Rating { rating: 4, comment: String::new(), date: None },
            rate as Run<_, _, _>,
        ),
        4 => Custom::act(target(), ("等待图纸".to_owned(), String::new(), None), pause as Run<_, _, _>),
        5 => Custom::act(target(), None, resume as Run<_, _, _>),
        6 => Custom::act(target(), said(), withdraw as Run<_, _, _>),
        _ => Box::new(Standard::<ServiceRequest>::Delete(target())),
    })
}

/// A rule of the timeline: of milestones that are achieved, each by itself or those of a day together.
fn rule(id: u8) -> Command {
    let request = CreateTimelineRuleRequest {
        parent: "portfolios/wsc".into(),
        timeline_rule_id: format!("u{id}"),
        timeline_rule: Some(TimelineRule {
            display_name: "里程碑".into(),
            event_type: "milepost.milestone.achieved".into(),
            kind: timeline_entry::Kind::Milestone.into(),
            headline: "{subject}".into(),
            merge_key: if id == 0 { String::new() } else { "day/{event_date}".into() },
            auto_publish: true,
            ..TimelineRule::default()
        }),
        ..CreateTimelineRuleRequest::default()
    };
    created(|violations| read_create::<Tracker, TimelineRule>(request, violations, Violations::new()))
}

/// An entry that an editor writes.
fn entry(id: u8) -> Command {
    let request = CreateTimelineEntryRequest {
        parent: "portfolios/wsc".into(),
        timeline_entry_id: format!("e{id}"),
        timeline_entry: Some(TimelineEntry {
            date: Some(date_message(BASELINE)),
            kind: timeline_entry::Kind::Editorial.into(),
            headline: "国土空间规划发布".into(),
            ..TimelineEntry::default()
        }),
        ..CreateTimelineEntryRequest::default()
    };
    created(|violations| read_create::<Tracker, TimelineEntry>(request, violations, Violations::new()))
}

/// Publishes an entry, withdraws it or takes it up again.
fn edit(id: u8, act: u8) -> Command {
    let name = format!("portfolios/wsc/timelineEntries/e{id}");
    let target = Target { name: name.parse().unwrap(), etag: None };
    command(match act {
        0 => Custom::act(target, None, timeline::publish as Run<_, _, _>),
        1 => Custom::act(target, ("有误".to_owned(), None), timeline::withdraw as Run<_, _, _>),
        _ => Custom::act(target, None, timeline::revise as Run<_, _, _>),
    })
}

/// The command that a request without a fault is read to.
fn created(
    read: impl FnOnce(&mut Violations) -> Option<Box<dyn milepost_resource::Act<Tracker>>>,
) -> Command {
    let mut violations = Violations::new();
    let act = read(&mut violations);
    command(violations.finish(act).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Rows that came about live are those that the journal makes, of milestones, service requests, officers and the
    /// timeline; indexes and outlooks are in step.
    #[test]
    fn live_rows_are_the_rebuilt_rows(
        steps in proptest::collection::vec(steps(), 1..60),
        part_bytes in prop_oneof![Just(1), Just(1_500), Just(PART_BYTES)],
    ) {
        let projects = ["a", "b", "road"];
        let (mut world, mut registry) = World::with_projects(&projects);
        world.domain.part_bytes = part_bytes;
        let mut current = date(2021, 5, 13);
        for step in steps {
            let outcome = match step {
                Step::Create(p, m, days) => {
                    let baseline = days.map(|days| current.saturating_add(jiff::Span::new().days(days)));
                    let mut draft = draft(projects[p as usize], Some(&format!("m{m}")), baseline);
                    if m == 0 {
                        draft.milestone.as_mut().unwrap().r#type = "constructionStart".into();
                    }
                    world.submit(create(vec![draft]))
                }
                Step::Act(p, m, action) => world.act(name(projects[p as usize], &format!("m{m}")), action),
                Step::Advance(days) => {
                    current = current.saturating_add(jiff::Span::new().days(days));
                    world.now = world.now.max(current.in_tz("UTC").unwrap().timestamp());
                    world.advance(current)
                }
                // A day may stay unfinished for a while.
                Step::Part(days) => {
                    current = current.saturating_add(jiff::Span::new().days(days));
                    world.now = world.now.max(current.in_tz("UTC").unwrap().timestamp());
                    world.submit(crate::tests::world::advance(current))
                }
                Step::Start(p, days) => {
                    let day = current.saturating_add(jiff::Span::new().days(days));
                    world.ingest(registry.start(&[projects[p as usize]], day))
                }
                Step::Ingest => world.ingest(registry.project("c")),
                Step::Request(r, days) => {
                    let due = days.map(|days| current.saturating_add(jiff::Span::new().days(days)));
                    world.submit(request(r, due))
                }
                Step::ActOn(r, act) => world.submit(act_on(r, act)),
                Step::Assign(id, kind, days) => {
                    let day = current.saturating_add(jiff::Span::new().days(days));
                    let (id, person) = (["a", "b"][id as usize], ["user:corp/a", "user:corp/b"][id as usize]);
                    let end = (kind == 2).then_some(day);
                    let of = assignment(id, person, id == "a", date(2021, 1, 1), end);
                    let act = ["created", "updated", "ended"][kind as usize];
                    world.ingest(registry.assign(&format!("milepost.assignment.{act}"), &[of]))
                }
                Step::Rule(u) => world.submit(rule(u)),
                Step::Entry(e) => world.submit(entry(e)),
                Step::Edit(e, act) => world.submit(edit(e, act)),
            };
            if let Err(refusal) = outcome {
                prop_assert!(!matches!(refusal, Rejection::LogDiverged { .. }), "{refusal:?}");
            }
        }
        prop_assert_eq!(world.rebuilt(), world.rows.clone());
        world.advance(current).unwrap();
        prop_assert_eq!(world.rebuilt(), world.rows.clone());
        announced_once_each(&world);
        let on = world.today();
        prop_assert_eq!(on.advancing, None);
        let mut due = std::collections::BTreeSet::new();
        let mut baselines = std::collections::BTreeSet::new();
        let rows = milepost_resource::Rows::<Tracker>::new(&world.rows);
        for found in rows.under::<Milestone>(&[], None) {
            let (name, row) = found.unwrap();
            let milestone = rows.read(&name, row).unwrap();
            let ids: Vec<&str> = milestone.name().ids().iter().map(|id| id.as_str()).collect();
            let index_key = |tag: u8, date: Option<jiff::civil::Date>| {
                let date = date.map_or([0xff; 4], milepost_ledger::key::ordered_date);
                let (portfolio, rest) = (ids[0].as_bytes(), ids[1..].join("\0"));
                [&[tag], portfolio, &[0], &date, rest.as_bytes()].concat()
            };
            due.insert(index_key(2, crate::milestone::due(&milestone)));
            let baseline = milepost_resource::date(milestone.baseline_date.as_ref());
            let planned = milestone.state() == State::Planned && !milestone.is_deleted();
            if planned && baseline.is_some() {
                baselines.insert(index_key(3, baseline));
            }
            if !milestone.is_deleted() {
                let kept = Timeliness::kept(&milestone);
                prop_assert_eq!(Some(kept), crate::milestone::timeliness_on(&milestone, on.current));
            }
        }
        let keys = |tag: u8| -> std::collections::BTreeSet<Vec<u8>> {
            world.rows.0.keys().filter(|key| key[0] == tag).map(|key| key.to_vec()).collect()
        };
        prop_assert_eq!(keys(2), due);
        prop_assert_eq!(keys(3), baselines);
    }
}
