//! Coupled milestones share one day, in whatever order things are done to them.

use std::collections::{BTreeMap, BTreeSet};

use milepost_proto::tracker::v1::milestone::{CouplingState, State as Milestones};

use super::*;
use crate::tests::world::Rows;

const IDS: [&str; 3] = ["a", "b", "c"];
const DAYS: [Date; 2] = [date(2021, 5, 11), date(2021, 5, 12)];

fn world() -> World {
    let mut world = World::with_template();
    let land = |id: &str| TemplateItem { coupling: "land".into(), ..item(id) };
    world.version_in_force("v1", OLD, IDS.map(land).to_vec());
    world.apply(None).unwrap();
    world
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Achieve(Date),
    Alone(Date),
    Together(Date),
    Partially,
    Miss,
    Cancel,
    Reopen,
}

/// Of what is missed and what is cancelled the rules say the same.
const STEPS: [Step; 9] = [
    Step::Achieve(DAYS[0]),
    Step::Achieve(DAYS[1]),
    Step::Alone(DAYS[0]),
    Step::Alone(DAYS[1]),
    Step::Together(DAYS[0]),
    Step::Together(DAYS[1]),
    Step::Partially,
    Step::Cancel,
    Step::Reopen,
];

impl World {
    fn step(&mut self, id: &str, step: Step) -> Result<Vec<Event>, Rejection> {
        let target = || Target { name: made(id), etag: None };
        let reason = || "有因".to_owned();
        match step {
            Step::Achieve(day) => self.achieve(id, day),
            Step::Alone(day) => {
                let change = StateChange::AchieveAlone(Some(day));
                let report = StateReport { change, reason: reason(), reported: None };
                self.submit(command(Custom::act(target(), report, change_state as Run<_, _, _>)))
            }
            Step::Together(day) => {
                let report = JointReport { actual: Some(day), reason: reason(), reported: None };
                self.submit(command(Custom::act(target(), report, achieve_coupled as Run<_, _, _>)))
            }
            Step::Partially => {
                self.act(made(id), Action::PartiallyAchieve { actual: Some(DAYS[0]), reason: reason() })
            }
            Step::Miss => self.act(made(id), Action::Miss { reason: reason() }),
            Step::Cancel => self.act(made(id), Action::Cancel { reason: reason() }),
            Step::Reopen => self.reopen(id),
        }
    }

    fn achieved_on(&self, id: &str) -> Option<Date> {
        let milestone = self.made(id);
        let day = milepost_resource::date(milestone.actual_date.as_ref());
        day.filter(|_| milestone.state() == Milestones::Achieved)
    }

    fn coupling(&self) -> [CouplingState; 3] {
        IDS.map(|id| self.made(id).coupling_state())
    }
}

/// How the three stand, as far as rules look at it.
type Standing = [(i32, Option<Date>, i32); 3];

fn standing(world: &World) -> Standing {
    IDS.map(|id| {
        let milestone = world.made(id);
        (milestone.state, milepost_resource::date(milestone.actual_date.as_ref()), milestone.coupling_state)
    })
}

/// office.md, section 7: coupled milestones have one day; alone: COUPLED, unless break_coupling, recorded BROKEN. Every way that
/// there is from the beginning is gone.
#[test]
fn in_whatever_order_things_are_done_those_that_are_coupled_have_one_day_or_are_broken() {
    let mut world = world();
    let mut seen: BTreeMap<Standing, String> = BTreeMap::new();
    let mut open: Vec<(Rows, String)> = vec![(world.rows.clone(), String::new())];
    while let Some((rows, way)) = open.pop() {
        world.rows = rows.clone();
        if seen.insert(standing(&world), way.clone()).is_some() {
            continue;
        }
        let coupled = world.coupling().iter().filter(|state| **state != CouplingState::Broken).count();
        assert!(coupled == 3 || coupled == 0, "broken for all of them or for none: {way}");
        if coupled == 3 {
            let days: BTreeSet<Date> = IDS.iter().filter_map(|id| world.achieved_on(id)).collect();
            assert!(days.len() < 2, "{days:?} after {way}");
            for id in IDS {
                let is_achieved = world.achieved_on(id).is_some();
                let state = world.made(id).coupling_state();
                assert_eq!(state == CouplingState::Achieved, is_achieved, "{id} after {way}");
            }
        }
        for id in IDS {
            for step in STEPS {
                world.rows = rows.clone();
                match world.step(id, step) {
                    Ok(_) => open.push((world.rows.clone(), format!("{way} {step:?} {id}"))),
                    Err(_) => assert_eq!(world.rows, rows),
                }
            }
        }
    }
    assert!(seen.len() > 100, "{}", seen.len());
}

/// What was cancelled while the others were achieved is achieved on their day, or the coupling is broken, for all of them.
#[test]
fn one_that_is_reopened_joins_the_day_of_the_others_or_breaks_with_them() {
    let joined = |world: &mut World| {
        world.step("c", Step::Cancel).unwrap();
        world.step("a", Step::Together(DAYS[0])).unwrap();
        world.step("c", Step::Reopen).unwrap();
    };
    let mut first = world();
    joined(&mut first);
    let apart = first.step("c", Step::Achieve(DAYS[1])).unwrap_err();
    assert!(apart.to_string().contains("2021-05-11"), "{apart}");
    assert_eq!(unmet(apart), [("COUPLED", "a".to_owned()), ("COUPLED", "b".to_owned())]);
    let nobody = first.step("c", Step::Together(DAYS[0])).unwrap_err();
    assert_eq!(unmet(nobody), [("NOT_COUPLED", "c".to_owned())]);
    first.step("c", Step::Achieve(DAYS[0])).unwrap();
    assert_eq!(first.coupling(), [CouplingState::Achieved; 3]);
    // They are one again.
    let events = first.step("b", Step::Reopen).unwrap();
    let reopened = ["b", "a", "c"].map(|id| ("milestone.reopened", id));
    assert_eq!(said(&events), reopened);
    assert_eq!(first.coupling(), [CouplingState::Coupled; 3]);
    assert_eq!(first.rebuilt(), first.rows);

    let mut second = world();
    joined(&mut second);
    let events = second.step("c", Step::Alone(DAYS[1])).unwrap();
    let broken = [("milestone.achieved", "c"), ("coupling.broken", "a"), ("coupling.broken", "b")];
    assert_eq!(said(&events), broken);
    assert_eq!(second.coupling(), [CouplingState::Broken; 3]);
    assert_eq!(second.achieved_on("a"), Some(DAYS[0]), "it stays");
    assert_eq!(second.rebuilt(), second.rows);
}

/// Two that are open join the day of the third, or are refused with every one that has another day.
#[test]
fn those_that_are_achieved_together_join_the_day_of_those_before() {
    let mut world = world();
    world.step("b", Step::Cancel).unwrap();
    world.step("c", Step::Miss).unwrap();
    world.step("a", Step::Achieve(DAYS[0])).unwrap();
    world.step("b", Step::Reopen).unwrap();
    world.step("c", Step::Reopen).unwrap();
    let alone = world.step("b", Step::Achieve(DAYS[1])).unwrap_err();
    assert_eq!(unmet(alone), [("COUPLED", "a".to_owned()), ("COUPLED", "c".to_owned())]);
    let apart = world.step("b", Step::Together(DAYS[1])).unwrap_err();
    assert_eq!(unmet(apart), [("COUPLED", "a".to_owned())]);
    world.step("b", Step::Together(DAYS[0])).unwrap();
    assert_eq!(IDS.map(|id| world.achieved_on(id)), [Some(DAYS[0]); 3]);
    assert_eq!(world.rebuilt(), world.rows);
}

/// One that is deleted is waited for by nobody; when it is there again, it joins the others, too.
#[test]
fn one_that_was_deleted_joins_the_day_of_the_others_when_it_is_there_again() {
    let mut world = world();
    world.act(made("c"), Action::Delete).unwrap();
    world.step("a", Step::Together(DAYS[0])).unwrap();
    world.act(made("c"), Action::Undelete).unwrap();
    let apart = world.step("c", Step::Achieve(DAYS[1])).unwrap_err();
    assert_eq!(unmet(apart), [("COUPLED", "a".to_owned()), ("COUPLED", "b".to_owned())]);
    world.step("c", Step::Achieve(DAYS[0])).unwrap();
}
