//! The rows of milestones and of their indexes, and what is read of rows that this version did not write.

use std::collections::BTreeMap;

use jiff::ToSpan;
use milepost_ledger::Write;
use milepost_proto::access::v1::Person;
use milepost_proto::google::r#type::Date as DateMessage;
use milepost_proto::tracker::v1::milestone::Outlook;
use milepost_proto::tracker::v1::{Evidence, GetMilestoneRequest, ListMilestonesRequest};
use milepost_resource::{Custom, Rows, Run, Target, date_message};
use milepost_service::access::Permit;
use milepost_types::DamagedRow;
use proptest::prelude::*;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage};

use super::*;
use crate::command::Command;
use crate::tests::World;
use crate::tests::samples::{BASELINE, NAME, OF_TEMPLATES, evidence, milestone};
use crate::tests::world::{Action, draft, running};

fn name() -> MilestoneName {
    NAME.parse().unwrap()
}

/// The milestone that a row holds.
fn read(world: &World) -> Result<Milestone, DamagedRow> {
    let found = Rows::<Tracker>::new(&world.rows).get(&name())?;
    Ok(found.unwrap().into_inner())
}

/// What is read of a row that holds this.
fn read_back(milestone: &Milestone) -> Result<Milestone, DamagedRow> {
    let mut world = World::default();
    world.store(milestone);
    read(&world)
}

/// Every field set, but those that only a planned one has, and the day on which its outcome was reported.
fn full() -> Milestone {
    let time = Some(prost_types::Timestamp { seconds: 1_622_073_600, nanos: 0 });
    Milestone {
        display_name: "超瞬态实验装置开工".into(),
        translations: BTreeMap::from([("en".into(), "Start".into())]),
        r#type: CONSTRUCTION_START.into(),
        code: "M-1".into(),
        weight: Some(0),
        owner: "organizations/cqu".into(),
        required_evidence: vec!["permit".into()],
        remarks: "note".into(),
        duration_working_days: 20,
        labels: BTreeMap::from([("ring".into(), "inner".into())]),
        evidence: vec![Evidence { create_time: time, ..evidence("permit") }],
        forecast_date: Some(date_message(BASELINE.saturating_add(14.days()))),
        actual_date: Some(date_message(BASELINE)),
        state: State::Achieved.into(),
        state_reason: "done".into(),
        outlook: 0,
        nearness: 0,
        slippage: 0,
        variance_working_days: Some(-3),
        forecast_sequence: 5,
        date_authors: vec![Person { principal: "user:corp/a".into(), on_behalf_of: "user:corp/b".into() }],
        delete_time: time,
        etag: "7".into(),
        ..milestone()
    }
}

#[test]
fn a_full_milestone_sets_every_field_of_the_message() {
    let pool = DescriptorPool::decode(milepost_proto::FILE_DESCRIPTOR_SET).unwrap();
    let descriptor = pool.get_message_by_name("milepost.tracker.v1.Milestone").unwrap();
    let set = DynamicMessage::decode(descriptor.clone(), full().encode_to_vec().as_slice()).unwrap();
    let unset: Vec<_> = descriptor.fields().filter(|field| !set.has_field(field)).collect();
    let unset: Vec<_> = unset.iter().map(|field| field.name()).collect();
    assert_eq!(
        unset,
        [&["outlook", "nearness", "slippage", "outcome_reported_date", "state_date"][..], &OF_TEMPLATES]
            .concat()
    );
}

/// Persisted: journals and stores hold these bytes.
#[test]
fn the_stored_bytes_never_change_and_are_read_back() {
    let hex: String = full().encode_to_vec().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, GOLDEN);
    for stored in [full(), milestone()] {
        assert_eq!(read_back(&stored), Ok(stored));
    }
}

const GOLDEN: &str = "0a37706f7274666f6c696f732f7773632f70726f6a656374732f736369656e63652d6176656e75652f6d696c65\
    73746f6e65732f7374617274121be8b685e79eace68081e5ae9ee9aa8ce8a385e7bdaee5bc80e5b7a51a0b0a02\
    656e120553746172742211636f6e737472756374696f6e53746172742a034d2d3130003a116f7267616e697a61\
    74696f6e732f63717542067065726d69744a520a067065726d6974121e68747470733a2f2f6578616d706c652e\
    636f6d2f7065726d69742e7064661a200707070707070707070707070707070707070707070707070707070707\
    07070722060880c2bb850652046e6f74655a0708e50f1005181b620708e50f1006180a6a0708e50f1005181b70\
    147a0d0a0472696e671205696e6e6572f00102fa0104646f6e658802fdffffffffffffffff01900205aa021a0a\
    0b757365723a636f72702f61120b757365723a636f72702f62c202060890d1c9ff05ca02060890d1c9ff05d202\
    060880c2bb8506da020137";

/// The keys of the rows that a milestone has.
fn keys(milestone: &Milestone) -> Vec<Vec<u8>> {
    let mut world = World::default();
    world.store(milestone);
    // Outcomes have a table of their own beside those of the milestone.
    let is_own = |key: &&bytes::Bytes| key[0] != crate::tables::Table::MilestoneOutcome as u8;
    world.rows.0.keys().filter(is_own).map(|key| key.to_vec()).collect()
}

/// Persisted: stores hold these bytes.
#[test]
fn the_bytes_of_keys_never_change() {
    let start = Milestone { name: "portfolios/wsc/projects/road/milestones/start".into(), ..milestone() };
    let row = b"\x01wsc\0road\0start".to_vec();
    let due = b"\x02wsc\0\x07\xe5\x05\x1broad\0start".to_vec();
    let baseline = b"\x03wsc\0\x07\xe5\x05\x1broad\0start".to_vec();
    assert_eq!(keys(&start), [row.clone(), due, baseline]);
    let undated = Milestone { baseline_date: None, ..start };
    assert_eq!(keys(&undated), [row, b"\x02wsc\0\xff\xff\xff\xffroad\0start".to_vec()]);
}

#[test]
fn every_milestone_is_in_the_order_of_due_dates_and_a_planned_one_is_found_by_its_baseline() {
    let later = Some(date_message(BASELINE.saturating_add(14.days())));
    let deleted = Some(prost_types::Timestamp::default());
    let (by_baseline, by_forecast) = (&b"\x02wsc\0\x07\xe5\x05\x1b"[..], &b"\x02wsc\0\x07\xe5\x06\x0a"[..]);
    for (milestone, due, planned) in [
        (milestone(), by_baseline, true),
        (Milestone { forecast_date: later, ..milestone() }, by_forecast, true),
        (Milestone { forecast_date: later, baseline_date: None, ..milestone() }, by_forecast, false),
        (Milestone { state: State::Cancelled.into(), ..milestone() }, by_baseline, false),
        (Milestone { state: State::PartiallyAchieved.into(), ..milestone() }, by_baseline, false),
        (Milestone { delete_time: deleted, ..milestone() }, by_baseline, false),
        (full(), by_forecast, false),
    ] {
        let keys = keys(&milestone);
        assert!(keys[1].starts_with(due), "{keys:?}");
        assert_eq!(keys.get(2).is_some(), planned, "{milestone:?}");
    }
}

#[test]
fn what_this_version_cannot_work_with_is_damage_that_says_what() {
    for (wrong, what) in [
        (Milestone { state: 0, ..milestone() }, "state: 0 is no state that this version knows"),
        (Milestone { state: 99, ..milestone() }, "state: 99 is no state that this version knows"),
        (Milestone { outlook: 99, nearness: 0, ..milestone() }, "outlook: 99 is no outlook"),
        (Milestone { nearness: 99, ..milestone() }, "nearness: is unknown"),
        (Milestone { slippage: 99, ..milestone() }, "slippage: is unknown"),
        (
            Milestone { baseline_date: Some(DateMessage { year: 2021, month: 2, day: 30 }), ..milestone() },
            "one of its dates is no date",
        ),
        (
            Milestone { forecast_date: Some(DateMessage { year: 2021, month: 2, day: 0 }), ..milestone() },
            "one of its dates is no date",
        ),
        (Milestone { actual_date: Some(DateMessage::default()), ..full() }, "one of its dates is no date"),
    ] {
        let expected = name().damaged::<Tracker>(what);
        assert_eq!(read_back(&wrong), Err(expected), "{wrong:?}");
    }
    let mut world = World::default();
    world.rows.put(b"\x01wsc\0science-avenue\0start".to_vec(), b"\xff".as_slice().into());
    let damaged = read(&world).unwrap_err();
    assert_eq!(
        (damaged.table, damaged.key.as_str()),
        ("tracker.milestone", r"wsc\x00science-avenue\x00start")
    );
}

/// As an earlier version stored one that stands like this: without the two facts.
fn old(milestone: Milestone) -> Milestone {
    Milestone { nearness: 0, slippage: 0, ..milestone }
}

#[test]
fn what_an_earlier_version_stored_with_only_an_outlook_is_completed_when_it_is_read() {
    let later = Some(date_message(BASELINE.saturating_add(14.days())));
    let undated = None;
    for (outlook, baseline_date, forecast_date, nearness, slippage) in [
        (Outlook::OnTrack, milestone().baseline_date, None, Nearness::Ahead, Slippage::None),
        (Outlook::DueSoon, milestone().baseline_date, None, Nearness::DueSoon, Slippage::None),
        (Outlook::Overdue, milestone().baseline_date, None, Nearness::Overdue, Slippage::None),
        (Outlook::Overdue, milestone().baseline_date, later, Nearness::Overdue, Slippage::Late),
        (Outlook::Overdue, undated, later, Nearness::Overdue, Slippage::Unspecified),
        (Outlook::DueSoon, undated, later, Nearness::DueSoon, Slippage::Unspecified),
        // How near one is that slipped it did not say.
        (Outlook::AtRisk, milestone().baseline_date, later, Nearness::Unspecified, Slippage::AtRisk),
        (Outlook::Late, milestone().baseline_date, later, Nearness::Unspecified, Slippage::Late),
        (Outlook::Unspecified, undated, None, Nearness::Unspecified, Slippage::Unspecified),
    ] {
        let stored = Milestone { outlook: outlook.into(), baseline_date, forecast_date, ..old(milestone()) };
        let completed = Milestone { nearness: nearness.into(), slippage: slippage.into(), ..stored.clone() };
        assert_eq!(read_back(&stored), Ok(completed.clone()));
        // It says whether it did something.
        let mut upgraded = stored.clone();
        let was_old = upgrade(&mut upgraded);
        assert_eq!((was_old, &upgraded), (Ok(outlook != Outlook::Unspecified), &completed));
        if nearness != Nearness::Unspecified {
            assert_eq!(upgrade(&mut upgraded), Ok(false));
        }
    }
    let achieved = full();
    assert_eq!(upgrade(&mut full()), Ok(false));
    assert_eq!(read_back(&achieved), Ok(achieved));
}

#[test]
fn the_next_change_of_what_an_earlier_version_stored_says_how_it_stands() {
    let (mut world, _) = World::with_projects(&["science-avenue"]);
    let later = Some(date_message(BASELINE.saturating_add(14.days())));
    let outlook = Outlook::AtRisk.into();
    let slipped = Milestone { forecast_date: later, outlook, variance_working_days: Some(10), ..milestone() };
    world.store(&old(slipped));
    let events = world.act(NAME, Action::AddEvidence(evidence("permit"))).unwrap();
    let after = world.milestone(&name());
    assert_eq!((after.nearness(), after.slippage()), (Nearness::Ahead, Slippage::AtRisk));
    // What the outlook said was known before.
    let fields: Vec<_> = events.iter().map(|event| &event.changed_fields[..]).collect();
    assert_eq!(fields, [["evidence", "nearness"]]);
}

#[tokio::test]
async fn reads_and_lists_show_what_an_earlier_version_stored_completed() {
    let (_registry, mut tracker) = running().await;
    let created = tracker.client.create_milestone(draft("road", Some("start"), Some(BASELINE))).await;
    let created = created.unwrap().into_inner().milestone.unwrap();
    assert_eq!((created.nearness(), created.slippage()), (Nearness::Ahead, Slippage::None));

    let store: Run<Tracker, Milestone, ()> = |scope, before, ()| {
        let after = before.changed(scope, |milestone| *milestone = old(milestone.clone()));
        Ok(vec![Change::of(EventKind::Updated, Some(before), after)])
    };
    let target = Target { name: created.name.parse().unwrap(), etag: None };
    let act = Custom::act(target, (), store);
    let command = Command::Resources(Arc::new(milepost_resource::Command {
        act,
        traceparent: String::new(),
        permit: Permit::of_system(),
    }));
    tracker.service.api.ledger.submit(milepost_ledger::Submission::system("earlier", command)).await.unwrap();
    let row = tracker.rows().into_iter().find(|(key, _)| key.starts_with(b"\x01wsc\0")).unwrap().1;
    assert_eq!(Milestone::decode(row).unwrap().nearness(), Nearness::Unspecified, "it is stored so");

    let completed = Milestone { etag: "4".into(), ..created };
    let get = GetMilestoneRequest { name: completed.name.clone(), ..Default::default() };
    let got = tracker.client.get_milestone(get).await.unwrap().into_inner().milestone;
    assert_eq!(got.as_ref(), Some(&completed));
    for order_by in ["", "forecast_date"] {
        let list = ListMilestonesRequest {
            parent: "portfolios/wsc/projects/-".into(),
            filter: "nearness = NEARNESS_AHEAD AND slippage = SLIPPAGE_NONE".into(),
            order_by: order_by.into(),
            ..Default::default()
        };
        let listed = tracker.client.list_milestones(list).await.unwrap().into_inner().milestones;
        assert_eq!(listed, std::slice::from_ref(&completed), "in the order of {order_by:?}");
    }
    tracker.stop().await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_milestone_is_read_back(
        state in 1i32..=5,
        nearness in 0i32..=3,
        slippage in 0i32..=3,
        weight: Option<i32>,
        sequence: u64,
        days in 0i64..40_000,
        reason in ".{0,20}",
        seconds in 0i64..4_000_000_000,
        variance: Option<i32>,
    ) {
        let mut milestone = Milestone {
            weight,
            remarks: reason.clone(),
            state,
            state_reason: reason,
            forecast_date: Some(date_message(BASELINE.saturating_add(days.days()))),
            forecast_sequence: sequence,
            variance_working_days: variance,
            update_time: Some(prost_types::Timestamp { seconds, nanos: 0 }),
            etag: sequence.max(1).to_string(),
            ..full()
        };
        // Without a nearness there is no slippage: a baseline is a date.
        let slippage = if nearness == 0 { 0 } else { slippage };
        let (nearness, slippage) = (nearness.try_into().unwrap(), slippage.try_into().unwrap());
        Timeliness { nearness, slippage }.set(&mut milestone);
        prop_assert_eq!(read_back(&milestone), Ok(milestone));
    }
}
