//! What rectification orders take from the score of an aspect: by which of their findings, and by what was known when.

use std::str::FromStr;

use milepost_proto::tracker::v1::RectificationExtension;

use super::*;

/// The day on which everything was found.
const FOUND: Date = date(2021, 3, 20);

/// The scores of a project by quality and by safety on day 50.
fn scores(world: &World, id: &str, knowledge: Knowledge) -> [String; 2] {
    let found = world.standings(DAY_50, knowledge);
    let standing = found.standings.iter().find(|standing| standing.project == project(id)).unwrap();
    [0, 1].map(|i| {
        let score = standing.scores[i].score.clone().unwrap();
        score.value.unwrap_or_else(|| score.missing[0].why.clone())
    })
}

/// Has a resource of B be this.
fn change_of<R: Rules<Tracker>>(world: &mut World, id: &str, change: impl FnOnce(&mut R)) {
    let name = milepost_resource::Name::<R>::from_str(&format!("{}/{id}", project("b"))).unwrap();
    let rows = milepost_resource::Rows::<Tracker>::new(&world.rows);
    let mut resource = rows.get(&name).unwrap().unwrap().into_inner();
    change(&mut resource);
    store(world, &resource);
}

/// Has the finding `s1`, which the order is of, be this.
fn change(world: &mut World, change: impl FnOnce(&mut Finding)) {
    change_of(world, "findings/s1", change);
}

fn change_order(world: &mut World, change: impl FnOnce(&mut RectificationOrder)) {
    change_of(world, "rectificationOrders/r", change);
}

/// office.md, section 5: an order costs an aspect its overdue days for findings of it that count: withdrawn ones do not.
#[test]
fn an_order_costs_nothing_for_findings_that_were_withdrawn() {
    let mut world = inspected_world();
    assert_eq!(scores(&world, "b", Knowledge::Latest), ["100.00", "94.00"]);
    // The order was withdrawn with it on day 56; until then it was overdue.
    let withdrawn = Some(date_message(date(2021, 4, 25)));
    change(&mut world, |finding| {
        finding.set_state(finding::State::Withdrawn);
        finding.state_date = withdrawn;
    });
    change_order(&mut world, |order| {
        order.set_state(rectification_order::State::Withdrawn);
        order.act_date = withdrawn;
    });
    assert_eq!(scores(&world, "b", Knowledge::Latest), ["100.00", "100.00"]);
    assert_eq!(scores(&world, "b", Knowledge::Then), ["100.00", "94.00"]);
    // Of another finding, which counts, it costs what it cost, and that aspect alone.
    found(
        &mut world,
        "b",
        "q",
        (Aspect::Quality, finding::Severity::Observation),
        (finding::State::Open, FOUND),
    );
    change_order(&mut world, |order| order.findings.push(format!("{}/findings/q", project("b"))));
    assert_eq!(scores(&world, "b", Knowledge::Latest), ["96.00", "100.00"]);
    assert_eq!(scores(&world, "b", Knowledge::Then), ["96.00", "94.00"]);
}

/// office.md, section 5: nor for what was deleted, or was not reported yet if what was known then is asked for.
#[test]
fn an_order_costs_nothing_for_findings_that_are_deleted_or_were_not_known() {
    let mut world = inspected_world();
    change(&mut world, |finding| finding.reported_date = Some(date_message(date(2021, 4, 20))));
    assert_eq!(scores(&world, "b", Knowledge::Latest), ["100.00", "94.00"]);
    assert_eq!(scores(&world, "b", Knowledge::Then), ["100.00", "100.00"]);
    let now = Some(milepost_resource::instant_message(world.now));
    change(&mut world, |finding| finding.delete_time = now);
    assert_eq!(scores(&world, "b", Knowledge::Latest), ["100.00", "100.00"]);
}

/// office.md, section 5: the overdue days of the window count, whenever the finding was found.
#[test]
fn an_order_of_a_finding_from_before_a_member_joined_costs_its_days_since() {
    let mut world = inspected_world();
    inspected(&mut world, "b", &[Aspect::Quality, Aspect::Safety], date(2021, 4, 17), date(2021, 4, 17));
    let mut given = world.campaign();
    // Due on Tuesday, the 13th: Thursday, Friday and Monday are overdue.
    given.members[1].join_date = Some(date_message(date(2021, 4, 15)));
    store(&mut world, &given);
    assert_eq!(scores(&world, "b", Knowledge::Latest), ["100.00", "97.00"]);
}

/// office.md, section 5: by what was known then, an order is due as it was before it was extended.
#[test]
fn an_extension_that_was_granted_later_was_not_known_on_the_day() {
    let mut world = inspected_world();
    let (previous_due_date, granted) = (Some(date_message(date(2021, 4, 13))), date(2021, 4, 20));
    change_order(&mut world, |order| {
        order.due_date = Some(date_message(date(2021, 4, 30)));
        order.extension = Some(RectificationExtension {
            due_date: order.due_date,
            grant_date: Some(date_message(granted)),
            previous_due_date,
            ..RectificationExtension::default()
        });
    });
    assert_eq!(scores(&world, "b", Knowledge::Latest), ["100.00", "98.00"]);
    assert_eq!(scores(&world, "b", Knowledge::Then), ["100.00", "94.00"]);
    let granted_in_time = Some(date_message(DAY_50));
    change_order(&mut world, |order| order.extension.as_mut().unwrap().grant_date = granted_in_time);
    assert_eq!(scores(&world, "b", Knowledge::Then), ["100.00", "98.00"]);
}
