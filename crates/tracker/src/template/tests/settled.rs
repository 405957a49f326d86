//! Who satisfies what is decided by days: not by the order in which acts are entered, nor by the day on which they are.

use milepost_proto::tracker::v1::MilestoneRequirement;
use milepost_proto::tracker::v1::milestone::State as Milestones;
use milepost_proto::tracker::v1::milestone_requirement::State as Requirement;

use super::*;

/// An item that satisfies requirements for so many months each.
fn for_months(id: &str, codes: &[(&str, i32)]) -> TemplateItem {
    let requirement = |(code, validity_months): &(&str, i32)| TemplateRequirement {
        code: (*code).into(),
        validity_months: *validity_months,
    };
    TemplateItem { satisfies: codes.iter().map(requirement).collect(), ..item(id) }
}

fn joint(codes: &[(&str, i32)]) -> TemplateItem {
    TemplateItem { gate: Gate::Merged.into(), ..for_months("joint", codes) }
}

fn applied(items: Vec<TemplateItem>) -> World {
    let mut world = World::with_template();
    world.advance(date(2021, 5, 13)).unwrap();
    world.version_in_force("v1", OLD, items);
    world.apply(None).unwrap();
    world
}

/// By which milestone a requirement is satisfied on a day, and until when.
fn by(world: &World, code: &str, day: Date) -> Option<(String, Option<Date>)> {
    let mut found = world.satisfied(Some(day)).into_iter();
    found.find_map(|(found, by, until)| (found == code).then_some((by, until)))
}

/// The requirements of milestones.
fn requirements_of(world: &World, ids: &[&str]) -> Vec<Vec<MilestoneRequirement>> {
    ids.iter().map(|id| world.made(id).requirements).collect()
}

/// What is said of requirements, with its day.
fn of_requirements(events: &[Event]) -> Vec<(&str, &str, Option<Date>)> {
    let days = events.iter().map(|event| milepost_resource::date(event.event_date.as_ref()));
    let said = said(events).into_iter().zip(days).map(|((kind, id), day)| (kind, id, day));
    said.filter(|(kind, ..)| kind.starts_with("requirement.")).collect()
}

/// office.md, section 7: the joint gate satisfies only the rest: what was not satisfied on its day.
#[test]
fn a_joint_gate_satisfies_the_rest_of_what_was_satisfied_on_its_day_though_that_has_ended_since() {
    let mut world = applied(vec![for_months("eia", &[("eia", 6)]), joint(&[("eia", 6), ("outfall", 0)])]);
    world.achieve("eia", date(2020, 6, 10)).unwrap();
    world.achieve("joint", date(2020, 8, 3)).unwrap();
    let eia = Some(("eia".to_owned(), Some(date(2020, 12, 10))));
    assert_eq!(by(&world, "eia", date(2020, 8, 3)), eia);
    assert_eq!(by(&world, "eia", date(2020, 12, 10)), eia);
    assert_eq!(by(&world, "eia", date(2020, 12, 11)), None);
    assert_eq!(by(&world, "outfall", date(2020, 8, 3)), Some(("joint".to_owned(), None)));
    assert_eq!(world.rebuilt(), world.rows);
}

#[test]
fn who_satisfies_what_goes_by_days_in_whatever_order_they_are_entered() {
    let ids = ["eia", "review", "joint"];
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for (days, expected) in [
        // The joint gate comes while the first holds, and the review after its end.
        ([date(2020, 6, 10), date(2021, 1, 5), date(2020, 8, 3)], "eia"),
        ([date(2020, 9, 1), date(2020, 10, 1), date(2020, 8, 3)], "joint"),
        // Of one day the joint gate comes last.
        ([date(2020, 9, 1), date(2020, 8, 3), date(2020, 8, 3)], "review"),
    ] {
        let mut first = None;
        for order in orders {
            let items = vec![
                for_months("eia", &[("eia", 6)]),
                for_months("review", &[("eia", 6)]),
                joint(&[("eia", 6), ("outfall", 0)]),
            ];
            let mut world = applied(items);
            for at in order {
                world.achieve(ids[at], days[at]).unwrap();
            }
            assert_eq!(by(&world, "eia", date(2020, 9, 1)).unwrap().0, expected, "{days:?} {order:?}");
            let requirements = requirements_of(&world, &ids);
            assert_eq!(
                *first.get_or_insert_with(|| requirements.clone()),
                requirements,
                "{days:?} {order:?}"
            );
            assert_eq!(world.rebuilt(), world.rows);
        }
    }
}

#[test]
fn what_comes_before_the_joint_gate_takes_over_from_it_in_the_same_entry() {
    let mut world = applied(vec![for_months("eia", &[("eia", 0)]), joint(&[("eia", 0), ("outfall", 0)])]);
    world.achieve("joint", date(2020, 8, 3)).unwrap();
    let (count, events) = (world.entries.len(), world.achieve("eia", date(2020, 6, 10)).unwrap());
    let expected = [
        ("milestone.achieved", "eia"),
        ("requirement.satisfied", "eia"),
        ("milestone.updated", "joint"),
        ("requirement.unsatisfied", "joint"),
    ];
    assert_eq!((said(&events), world.entries.len()), (expected.to_vec(), count + 1));
    let expected = [
        ("requirement.satisfied", "eia", Some(date(2020, 6, 10))),
        ("requirement.unsatisfied", "joint", Some(date(2020, 8, 3))),
    ];
    assert_eq!(of_requirements(&events), expected, "it did not satisfy it before its own day");
    assert_eq!(by(&world, "eia", date(2020, 7, 1)).unwrap().0, "eia");
    let events = world.reopen("joint").unwrap();
    let expected = [("requirement.unsatisfied", "joint", Some(date(2021, 5, 13)))];
    assert_eq!(of_requirements(&events), expected, "of the rest");
    assert_eq!(world.codes("eia"), ["eia"]);
    assert_eq!(world.rebuilt(), world.rows);
}

#[test]
fn what_comes_on_the_last_day_of_another_is_not_needed_whether_it_is_entered_then_or_later() {
    let requirements = [false, true].map(|late| {
        let mut world =
            applied(vec![for_months("eia", &[("eia", 12)]), joint(&[("eia", 12), ("outfall", 0)])]);
        world.achieve("eia", date(2020, 5, 13)).unwrap();
        if late {
            world.until(date(2021, 5, 14));
        }
        world.achieve("joint", date(2021, 5, 13)).unwrap();
        world.until(date(2021, 5, 14));
        requirements_of(&world, &["eia", "joint"])
    });
    assert_eq!(requirements[0], requirements[1]);
    assert_eq!(requirements[0][1][0].state(), Requirement::NotNeeded);
}

#[test]
fn an_approval_that_is_extended_holds_on_the_days_of_its_extension_whenever_that_is_entered() {
    let validity =
        MilestoneValidity { months: 6, extensions: 1, extension_months: 12, ..MilestoneValidity::default() };
    let approval = TemplateItem { validity: Some(validity), ..satisfying("approval", &["eia"]) };
    let requirements = [false, true].map(|late| {
        let mut world = applied(vec![approval.clone(), joint(&[("eia", 0), ("outfall", 0)])]);
        world.achieve("approval", date(2020, 6, 10)).unwrap();
        let extended = |world: &mut World| {
            let target = Target { name: made("approval"), etag: None };
            let (filed, until) = (Some(date(2020, 12, 1)), date(2021, 12, 10));
            let extension = Extend { filed, until, reason: "延期".into() };
            world.submit(command(Custom::act(target, extension, extend as Run<_, _, _>))).unwrap()
        };
        if late {
            world.achieve("joint", date(2021, 2, 1)).unwrap();
            assert_eq!(by(&world, "eia", date(2021, 2, 1)).unwrap().0, "joint");
            let events = extended(&mut world);
            let expected = [
                ("milestone.extended", "approval"),
                ("requirement.satisfied", "approval"),
                ("milestone.updated", "joint"),
                ("requirement.unsatisfied", "joint"),
            ];
            assert_eq!(said(&events), expected);
        } else {
            extended(&mut world);
            world.achieve("joint", date(2021, 2, 1)).unwrap();
        }
        assert_eq!(by(&world, "eia", date(2021, 2, 1)).unwrap().0, "approval");
        assert_eq!(world.rebuilt(), world.rows);
        requirements_of(&world, &["approval", "joint"])
    });
    assert_eq!(requirements[0], requirements[1]);
}

/// What a start keeps does not end, so that what came after the end it would have had is not needed.
#[test]
fn a_start_decides_who_satisfies_what_after_the_end_that_it_takes_back() {
    let validity = MilestoneValidity { until_type: "works".into(), ..MilestoneValidity::default() };
    let eia = TemplateItem { validity: Some(validity), ..for_months("eia", &[("eia", 6)]) };
    let works = TemplateItem { r#type: "works".into(), ..item("works") };
    let mut world = applied(vec![eia, works, joint(&[("eia", 0), ("outfall", 0)])]);
    world.achieve("eia", date(2020, 6, 10)).unwrap();
    world.achieve("joint", date(2021, 2, 1)).unwrap();
    assert_eq!(by(&world, "eia", date(2021, 2, 1)).unwrap().0, "joint");
    world.achieve("works", date(2020, 12, 10)).unwrap();
    assert_eq!(by(&world, "eia", date(2021, 2, 1)), Some(("eia".to_owned(), None)));
    assert_eq!(world.codes("joint"), ["outfall"]);
    world.reopen("works").unwrap();
    assert_eq!(world.codes("joint"), ["eia", "outfall"]);
    assert_eq!(world.rebuilt(), world.rows);
}

/// office.md, section 7: an upgrade joins in one gate what is left, on its day.
#[test]
fn an_upgrade_makes_a_joint_gate_if_something_is_left_on_its_day() {
    for (achieved, day, is_made) in [
        (date(2020, 7, 10), date(2020, 7, 9), true),
        (date(2020, 6, 10), date(2020, 12, 10), false),
        (date(2020, 6, 10), date(2020, 12, 11), true),
    ] {
        let mut world = World::with_template();
        let both = [("eia", 0), ("outfall", 0)];
        world.version_in_force("v1", OLD, vec![for_months("old", &[("eia", 6), ("outfall", 6)])]);
        world.version_in_force("v2", REFORM, vec![joint(&both)]);
        world.apply(Some(OLD)).unwrap();
        world.achieve("old", achieved).unwrap();
        let events = world.upgrade_on("v2", Some(day), GIVEN).unwrap();
        assert_eq!(kinds(&events).contains(&"milestone.created"), is_made, "{day}");
    }
}

/// office.md, section 8: the date of an event is its civil date.
#[test]
fn what_an_act_satisfies_is_said_of_its_day_and_what_has_ended_since_of_the_day_after_its_last() {
    let mut world = applied(vec![for_months("eia", &[("eia", 12), ("outfall", 0)])]);
    let events = world.achieve("eia", date(2019, 5, 5)).unwrap();
    let expected = [
        ("requirement.satisfied", "eia", Some(date(2019, 5, 5))),
        ("requirement.unsatisfied", "eia", Some(date(2020, 5, 6))),
        ("requirement.satisfied", "eia", Some(date(2019, 5, 5))),
    ];
    assert_eq!(of_requirements(&events), expected);
    world.until(date(2021, 6, 1));
    let target = Target { name: made("eia"), etag: None };
    let change = StateChange::Reopen(Some(date(2021, 5, 20)));
    let report = StateReport { change, reason: "有误".into(), reported: None };
    let events = world.submit(command(Custom::act(target, report, change_state as Run<_, _, _>))).unwrap();
    let expected = [("requirement.unsatisfied", "eia", Some(date(2021, 5, 20)))];
    assert_eq!(of_requirements(&events), expected, "the other one had ended");
    assert_eq!(world.made("eia").state(), Milestones::Planned);
}

#[test]
fn a_validity_that_has_ended_when_an_act_is_entered_is_said_of_the_day_after_its_last() {
    let validity = MilestoneValidity { months: 12, ..MilestoneValidity::default() };
    let approval = |id: &str| TemplateItem { validity: Some(validity.clone()), ..satisfying(id, &[id]) };
    let mut world = applied(vec![approval("ended"), approval("ending")]);
    for (id, achieved, kind, came) in [
        ("ended", date(2019, 5, 5), "milestone.expired", date(2020, 5, 6)),
        ("ending", date(2020, 5, 20), "milestone.expiring", date(2021, 4, 20)),
    ] {
        let events = world.achieve(id, achieved).unwrap();
        let event = events.iter().find(|event| event.r#type.ends_with(kind)).unwrap();
        assert_eq!(event.event_date, Some(date_message(came)), "{id}");
    }
}
