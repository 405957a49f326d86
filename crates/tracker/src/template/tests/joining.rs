//! Gates and couplings: what is achieved together, what satisfies what, and what is taken back.

use milepost_proto::tracker::v1::milestone::{CouplingState, State as Milestones};

use super::*;

/// The three approvals of before the reform, and the one of after it.
fn reformed() -> World {
    let mut world = World::with_template();
    let before = ["eia", "soil-water", "outfall"].map(|code| satisfying(code, &[code]));
    world.version_in_force("v1", OLD, before.to_vec());
    let joint =
        TemplateItem { gate: Gate::Merged.into(), ..satisfying("joint", &["eia", "soil-water", "outfall"]) };
    world.version_in_force("v2", REFORM, vec![joint]);
    world
}

/// office.md, section 9, scenario 5: `eia` achieved 2020-06-10 in the old version; upgrade; joint gate achieved
/// 2020-08-03 satisfies `soil-water`, `outfall` only; reopened, these two are unsatisfied, `eia` is not.
#[test]
fn a_joint_gate_satisfies_only_the_rest_and_reopened_takes_back_only_that() {
    let mut world = reformed();
    world.apply(Some(date(2020, 6, 1))).unwrap();
    let events = world.achieve("eia", date(2020, 6, 10)).unwrap();
    assert_eq!(said(&events), [("milestone.achieved", "eia"), ("requirement.satisfied", "eia")]);
    let events = world.upgrade("v2").unwrap();
    let cancelled: Vec<_> =
        said(&events).into_iter().filter(|(kind, _)| *kind == "milestone.cancelled").collect();
    assert_eq!(cancelled, [("milestone.cancelled", "outfall"), ("milestone.cancelled", "soil-water")]);
    let events = world.achieve("joint", date(2020, 8, 3)).unwrap();
    let expected = [
        ("milestone.achieved", "joint"),
        ("requirement.satisfied", "joint"),
        ("requirement.satisfied", "joint"),
    ];
    assert_eq!(said(&events), expected);
    assert_eq!(
        (world.codes("eia"), world.codes("joint")),
        (vec!["eia".into()], vec!["outfall".into(), "soil-water".into()])
    );
    let events = world.reopen("joint").unwrap();
    let expected = [
        ("milestone.reopened", "joint"),
        ("requirement.unsatisfied", "joint"),
        ("requirement.unsatisfied", "joint"),
    ];
    assert_eq!(said(&events), expected);
    assert_eq!((world.codes("eia"), world.codes("joint").len()), (vec!["eia".into()], 0));
    assert_eq!(world.rebuilt(), world.rows);
}

#[test]
fn what_was_satisfied_on_a_day_is_said_of_that_day() {
    let mut world = reformed();
    world.apply(Some(date(2020, 6, 1))).unwrap();
    world.achieve("eia", date(2020, 6, 10)).unwrap();
    world.upgrade("v2").unwrap();
    world.achieve("joint", date(2020, 8, 3)).unwrap();
    let by = |day| world.satisfied(Some(day)).into_iter().map(|(code, by, _)| (code, by)).collect::<Vec<_>>();
    assert_eq!(by(date(2020, 6, 9)), []);
    assert_eq!(by(date(2020, 6, 10)), [("eia".into(), "eia".into())]);
    assert_eq!(by(date(2020, 8, 3)).len(), 3);
}

/// The joint gate is made only where something is left for it.
#[test]
fn a_joint_gate_of_which_nothing_is_left_is_not_made() {
    let mut world = reformed();
    world.apply(Some(date(2020, 6, 1))).unwrap();
    for id in ["eia", "soil-water", "outfall"] {
        world.achieve(id, date(2020, 6, 10)).unwrap();
    }
    assert!(world.upgrade("v2").unwrap().is_empty());
}

#[test]
fn a_requirement_that_its_first_milestone_gives_up_is_satisfied_by_the_joint_gate() {
    let mut world = reformed();
    world.apply(Some(date(2020, 6, 1))).unwrap();
    world.achieve("eia", date(2020, 6, 10)).unwrap();
    world.upgrade("v2").unwrap();
    world.achieve("joint", date(2020, 8, 3)).unwrap();
    let events = world.reopen("eia").unwrap();
    let expected = [
        ("milestone.reopened", "eia"),
        ("requirement.unsatisfied", "eia"),
        ("milestone.updated", "joint"),
        ("requirement.satisfied", "joint"),
    ];
    assert_eq!(said(&events), expected);
    assert_eq!(world.codes("joint"), ["eia", "outfall", "soil-water"]);
    world.reopen("joint").unwrap();
    assert_eq!(world.satisfied(None), []);
    world.achieve("joint", date(2020, 9, 1)).unwrap();
    assert_eq!(world.codes("joint"), ["eia", "outfall", "soil-water"]);
    assert_eq!(world.rebuilt(), world.rows);
}

/// office.md, section 7: a BUNDLED gate is achieved only when all its members are.
#[test]
fn a_licence_for_several_needs_all_of_them_and_is_reopened_before_them() {
    let mut world = World::with_template();
    let members = vec!["fire".into(), "food".into()];
    let licence = TemplateItem { gate: Gate::Bundled.into(), members, ..item("licence") };
    world.version_in_force("v1", OLD, vec![satisfying("fire", &["fire"]), item("food"), licence]);
    world.apply(None).unwrap();
    let open = world.achieve("licence", date(2021, 5, 1)).unwrap_err();
    assert_eq!(unmet(open), [("MEMBER_OPEN", "fire".to_owned()), ("MEMBER_OPEN", "food".to_owned())]);
    world.achieve("fire", date(2021, 4, 1)).unwrap();
    let open = world.achieve("licence", date(2021, 5, 1)).unwrap_err();
    assert_eq!(unmet(open), [("MEMBER_OPEN", "food".to_owned())]);
    world.achieve("food", date(2021, 4, 2)).unwrap();
    world.achieve("licence", date(2021, 5, 1)).unwrap();
    assert_eq!(world.codes("fire"), ["fire"], "single permits keep their effect");
    let refused = world.reopen("fire").unwrap_err();
    assert_eq!(unmet(refused), [("GATE_ACHIEVED", "licence".to_owned())]);
    world.reopen("licence").unwrap();
    world.reopen("fire").unwrap();
    assert!(world.codes("fire").is_empty());
}

/// A licence that joins `food`, and `fire`, which holds for two months.
fn licensed() -> World {
    let mut world = World::with_template();
    let members = vec!["fire".into(), "food".into()];
    let licence = TemplateItem { gate: Gate::Bundled.into(), members, ..item("licence") };
    let validity = Some(MilestoneValidity { months: 2, ..MilestoneValidity::default() });
    let fire = TemplateItem { validity, ..satisfying("fire", &["fire"]) };
    world.version_in_force("v1", OLD, vec![fire, item("food"), licence]);
    world.apply(None).unwrap();
    world
}

/// office.md, section 7: a BUNDLED gate is achieved only when all its members are; section 0: every act has a day.
#[test]
fn a_licence_needs_all_of_them_on_its_own_day() {
    let mut world = licensed();
    world.until(date(2021, 7, 25));
    world.achieve("food", date(2021, 5, 10)).unwrap();
    world.achieve("fire", date(2021, 5, 20)).unwrap();
    for (day, open) in [
        (date(2021, 5, 1), &["fire", "food"][..]),
        (date(2021, 5, 19), &["fire"]),
        (date(2021, 7, 21), &["fire"]),
    ] {
        let expected: Vec<_> = open.iter().map(|id| ("MEMBER_OPEN", (*id).to_owned())).collect();
        assert_eq!(unmet(world.achieve("licence", day).unwrap_err()), expected, "{day}");
    }
    // Entered when what one of them brings has ended, it is of the last day on which that held.
    world.achieve("licence", date(2021, 7, 20)).unwrap();
    world.reopen("licence").unwrap();
    world.achieve("licence", date(2021, 5, 20)).unwrap();
    assert_eq!(world.rebuilt(), world.rows);
}

/// office.md, section 7: single permits keep effect and validity.
#[test]
fn a_permit_ends_by_its_own_validity_whether_a_licence_joins_it_or_not() {
    use milepost_proto::tracker::v1::milestone::Expiry;
    for is_joined in [false, true] {
        let mut world = licensed();
        world.achieve("food", date(2021, 5, 10)).unwrap();
        world.achieve("fire", date(2021, 5, 12)).unwrap();
        if is_joined {
            world.achieve("licence", date(2021, 5, 13)).unwrap();
        }
        let until = Some(date(2021, 7, 12));
        assert_eq!(world.satisfied(None), [("fire".to_owned(), "fire".to_owned(), until)]);
        world.until(date(2021, 7, 12));
        assert_eq!(world.codes("fire"), ["fire"]);
        let events = world.until(date(2021, 7, 13));
        assert_eq!(said(&events)[1..], [("milestone.expired", "fire"), ("requirement.unsatisfied", "fire")]);
        assert_eq!((world.made("fire").expiry(), world.satisfied(None)), (Expiry::Expired, Vec::new()));
        if is_joined {
            assert_eq!(world.made("licence").state(), Milestones::Achieved, "it stays");
            world.reopen("licence").unwrap();
        }
        let ended = world.achieve("licence", date(2021, 7, 13)).unwrap_err();
        assert_eq!(unmet(ended), [("MEMBER_OPEN", "fire".to_owned())]);
        assert_eq!(world.rebuilt(), world.rows);
    }
}

fn coupled() -> World {
    let mut world = World::with_template();
    let land = |id: &str| {
        let item = TemplateItem { coupling: "land".into(), required_evidence: vec![id.into()], ..item(id) };
        dated(item, Anchor::PlannedStart, 0, Unit::CalendarDays)
    };
    world.version_in_force(
        "v1",
        date(2021, 2, 3),
        vec![land("handover"), land("certificate"), item("other")],
    );
    world.apply(None).unwrap();
    world
}

fn together(world: &mut World, day: Date) -> Result<Vec<Event>, Rejection> {
    let target = Target { name: made("handover"), etag: None };
    let report = JointReport { actual: Some(day), reason: "同日办结".to_owned(), reported: None };
    world.submit(command(Custom::act(target, report, achieve_coupled as Run<_, _, _>)))
}

fn show(world: &mut World, id: &str) {
    let evidence = crate::tests::samples::evidence(id);
    world.act(made(id), Action::AddEvidence(evidence)).unwrap();
}

/// office.md, section 7: AchieveCoupledMilestones sets one date in one entry; alone: COUPLED; missing evidence:
/// MISSING_EVIDENCE.
#[test]
fn coupled_milestones_have_one_day_in_one_entry() {
    let mut world = coupled();
    let day = date(2021, 5, 12);
    let alone = world.achieve("handover", day).unwrap_err();
    let both = [("MISSING_EVIDENCE", "handover".to_owned()), ("COUPLED", "certificate".to_owned())];
    assert_eq!(unmet(alone), both);
    show(&mut world, "handover");
    let missing = together(&mut world, day).unwrap_err();
    assert_eq!(unmet(missing), [("MISSING_EVIDENCE", "certificate".to_owned())]);
    show(&mut world, "certificate");
    let count = world.entries.len();
    let events = together(&mut world, day).unwrap();
    let expected = [
        ("milestone.achieved", "handover"),
        ("milestone.achieved", "certificate"),
        ("coupling.achieved", "handover"),
    ];
    assert_eq!((said(&events), world.entries.len()), (expected.to_vec(), count + 1));
    for id in ["handover", "certificate"] {
        let milestone = world.made(id);
        assert_eq!(milestone.actual_date, Some(date_message(day)));
        assert_eq!(milestone.coupling_state(), CouplingState::Achieved);
    }
    let events = world.reopen("certificate").unwrap();
    let reopened: Vec<_> =
        said(&events).into_iter().filter(|(kind, _)| *kind == "milestone.reopened").collect();
    assert_eq!(reopened, [("milestone.reopened", "certificate"), ("milestone.reopened", "handover")]);
    assert_eq!(world.made("handover").coupling_state(), CouplingState::Coupled);
    assert_eq!(world.rebuilt(), world.rows);
}

/// office.md, section 7: alone only with break_coupling and a reason, recorded BROKEN.
#[test]
fn a_coupling_is_broken_for_all_of_it_and_then_holds_nothing() {
    let mut world = coupled();
    show(&mut world, "handover");
    show(&mut world, "certificate");
    let target = Target { name: made("handover"), etag: None };
    let change = StateChange::AchieveAlone(Some(date(2021, 5, 1)));
    let alone = StateReport { change, reason: "证书未出".to_owned(), reported: None };
    let events = world.submit(command(Custom::act(target, alone, change_state as Run<_, _, _>))).unwrap();
    let expected = [("milestone.achieved", "handover"), ("coupling.broken", "certificate")];
    assert_eq!(said(&events), expected);
    for id in ["handover", "certificate"] {
        assert_eq!(world.made(id).coupling_state(), CouplingState::Broken, "{id}");
    }
    world.achieve("certificate", date(2021, 5, 12)).unwrap();
    world.reopen("handover").unwrap();
    assert_eq!(world.made("certificate").state(), Milestones::Achieved, "it stays");
    assert_eq!(world.made("handover").coupling_state(), CouplingState::Broken);
    let refused = together(&mut world, date(2021, 5, 12)).unwrap_err();
    assert_eq!(unmet(refused), [("NOT_COUPLED", "handover".to_owned())]);
}

/// office.md, section 7: reforecasting one moves both.
#[test]
fn coupled_milestones_are_expected_on_one_day() {
    let mut world = coupled();
    let expected = date(2021, 7, 1);
    let forecast = Action::Reforecast { forecast: Some(expected), reason: String::new() };
    let events = world.act(made("certificate"), forecast).unwrap();
    let moved: Vec<_> =
        said(&events).into_iter().filter(|(kind, _)| *kind == "milestone.reforecast").collect();
    assert_eq!(moved, [("milestone.reforecast", "certificate"), ("milestone.reforecast", "handover")]);
    for id in ["handover", "certificate"] {
        assert_eq!(world.made(id).forecast_date, Some(date_message(expected)), "{id}");
    }
    assert_eq!(world.made("other").forecast_date, None);
}

/// office.md, section 7: reforecasting one moves both, also one that happened in part.
#[test]
fn coupled_milestones_are_expected_on_one_day_also_if_one_is_achieved_in_part_meanwhile() {
    let mut world = coupled();
    let part = Action::PartiallyAchieve { actual: Some(date(2021, 5, 1)), reason: "部分".into() };
    world.act(made("handover"), part).unwrap();
    let expected = date(2021, 7, 1);
    let forecast = Action::Reforecast { forecast: Some(expected), reason: String::new() };
    world.act(made("certificate"), forecast).unwrap();
    world.reopen("handover").unwrap();
    for id in ["handover", "certificate"] {
        assert_eq!(world.made(id).forecast_date, Some(date_message(expected)), "{id}");
    }
    assert_eq!(world.rebuilt(), world.rows);
}

#[test]
fn a_licence_that_is_in_the_way_of_coupled_members_is_named_once() {
    let mut world = World::with_template();
    let land = |id: &str| TemplateItem { coupling: "land".into(), ..item(id) };
    let members = vec!["handover".into(), "certificate".into()];
    let licence = TemplateItem { gate: Gate::Bundled.into(), members, ..item("licence") };
    world.version_in_force("v1", OLD, vec![land("handover"), land("certificate"), licence]);
    world.apply(None).unwrap();
    together(&mut world, date(2021, 5, 12)).unwrap();
    world.achieve("licence", date(2021, 5, 12)).unwrap();
    let refused = world.reopen("handover").unwrap_err();
    assert_eq!(unmet(refused), [("GATE_ACHIEVED", "licence".to_owned())]);
}

#[test]
fn one_that_is_cancelled_is_not_waited_for() {
    let mut world = coupled();
    world.act(made("certificate"), Action::Cancel { reason: "不再需要".into() }).unwrap();
    show(&mut world, "handover");
    world.achieve("handover", date(2021, 5, 1)).unwrap();
    assert_eq!(world.made("handover").state(), Milestones::Achieved);
}

/// A gate that others were built on: what was scheduled after it, waits for it, or was achieved since.
#[test]
fn a_gate_that_is_reopened_takes_back_what_it_brought_and_nothing_of_what_was_built_on_it() {
    let mut world = World::with_template();
    let land =
        |id: &str| TemplateItem { coupling: "land".into(), ..after(item(id), "joint", 2, Unit::Months) };
    let permit = TemplateItem {
        validity: Some(MilestoneValidity {
            months: 24,
            until_type: "joint".into(),
            ..MilestoneValidity::default()
        }),
        ..satisfying("permit", &["permit"])
    };
    let joint = TemplateItem {
        r#type: "joint".into(),
        gate: Gate::Merged.into(),
        ..satisfying("joint", &["eia", "outfall"])
    };
    let joint = dated(joint, Anchor::PlannedStart, 0, Unit::CalendarDays);
    let members = vec!["joint".into(), "design".into()];
    let licence = TemplateItem { gate: Gate::Bundled.into(), members, ..satisfying("licence", &["licence"]) };
    let design = after(satisfying("design", &["design"]), "joint", 1, Unit::Months);
    world.version_in_force(
        "v1",
        OLD,
        vec![permit, joint, design, licence, land("handover"), land("certificate")],
    );
    world.apply(None).unwrap();
    world.achieve("permit", date(2020, 7, 20)).unwrap();
    world.achieve("joint", date(2021, 3, 10)).unwrap();
    world.achieve("design", date(2021, 4, 2)).unwrap();
    world.achieve("licence", date(2021, 4, 3)).unwrap();
    let forecast = Action::Reforecast { forecast: Some(date(2021, 6, 1)), reason: String::new() };
    world.act(made("handover"), forecast).unwrap();
    use milepost_proto::tracker::v1::milestone::Expiry;
    assert_eq!(world.made("permit").expiry(), Expiry::Used);

    // Not while a licence is built on it; and that changes nothing.
    let rows = world.rows.clone();
    let refused = world.reopen("joint").unwrap_err();
    assert_eq!(unmet(refused), [("GATE_ACHIEVED", "licence".to_owned())]);
    assert_eq!(world.rows, rows);
    world.reopen("licence").unwrap();
    let kept = ["design", "handover", "certificate"].map(|id| world.made(id));
    let events = world.reopen("joint").unwrap();
    let expected = [
        ("milestone.reopened", "joint"),
        ("milestone.overdue", "joint"),
        ("requirement.unsatisfied", "joint"),
        ("requirement.unsatisfied", "joint"),
        ("milestone.updated", "permit"),
    ];
    assert_eq!(said(&events), expected);
    assert_eq!(
        ["design", "handover", "certificate"].map(|id| world.made(id)),
        kept,
        "dates, states and couplings"
    );
    assert_eq!(world.made("certificate").forecast_date, Some(date_message(date(2021, 6, 1))));
    assert_eq!(world.made("certificate").coupling_state(), CouplingState::Coupled);
    let codes: Vec<_> = world.satisfied(None).into_iter().map(|(code, ..)| code).collect();
    assert_eq!(codes, ["design", "permit"]);
    // What waited for the gate ends again, unless it is achieved in time.
    assert_eq!((world.made("permit").expiry(), world.made("permit").used_date), (Expiry::Valid, None));
    assert!(world.made("permit").next_expiry_date.is_some());
    let refused = world.achieve("licence", date(2021, 5, 1)).unwrap_err();
    assert_eq!(unmet(refused), [("MEMBER_OPEN", "joint".to_owned())]);
    world.achieve("joint", date(2021, 5, 10)).unwrap();
    assert_eq!(world.made("permit").expiry(), Expiry::Used);
    world.achieve("licence", date(2021, 5, 11)).unwrap();
    assert_eq!(world.satisfied(None).len(), 5);
    assert_eq!(world.rebuilt(), world.rows);
}
