//! Commands on rows: what is loaded, what is refused, what an entry says.

use jiff::civil::date;
use milepost_proto::event::v1::event::{Payload, Resource};
use milepost_proto::tracker::v1::Milestone;
use milepost_proto::tracker::v1::milestone::State;
use milepost_resource::Upstream;
use milepost_service::access::Permit;
use milepost_types::LogId;
use proptest::prelude::*;

use super::*;
use crate::milestone::Timeliness;
use crate::tests::registry::{deleted, portfolio, project};
use crate::tests::samples::BASELINE;
use crate::tests::world::{Action, create, draft, kinds, name, project_name};
use crate::tests::{Registry, World};

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
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Rows that came about live are those that the journal makes; indexes and outlooks are in step.
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
