//! What standings name of a member is bounded, however much there is: each day's are in one entry.

use super::*;

#[test]
fn reports_that_are_left_out_are_counted_and_each_kind_is_named_once() {
    let (mut world, mut registry) = world();
    let inside = completed(date(2021, 3, 2), date(2021, 4, 10), (50, 0), Some(DAY_50));
    let before = date(2021, 2, 1);
    let straddling = completed(before, START, (1, 0), Some(DAY_50));
    let elsewhere = CompletedInvestment {
        amount: Some(Money { currency_code: "USD".into(), units: 1, nanos: 0 }),
        ..completed(date(2021, 4, 18), date(2021, 4, 18), (1, 0), Some(DAY_50))
    };
    let reports = [vec![inside], vec![straddling; 40], vec![elsewhere]].concat();
    world.completes(&mut registry, "a", reports);
    world.opened(campaign(vec![member("a", 200)]));
    let found = world.standings(DAY_50, Knowledge::Latest);
    let investment = found.standings[0].scores[0].investment.clone().unwrap();
    let mut kinds: Vec<_> = investment.missing.iter().map(|missing| missing.why.as_str()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["OTHER_CURRENCY", "OVERLAPS", "STRADDLES"]);
    assert_eq!((investment.missing_count, investment.lower_bound), (41, true));
}

#[test]
fn findings_that_veto_are_counted_and_the_first_of_them_named() {
    let mut world = inspected_world();
    let grave = (Aspect::Safety, finding::Severity::Critical);
    for i in 0..12 {
        found(&mut world, "b", &format!("grave{i:02}"), grave, (finding::State::Open, date(2021, 3, 20)));
    }
    let latest = world.standings(DAY_50, Knowledge::Latest);
    let vetoed = latest.standings.iter().find(|standing| standing.project == project("b")).unwrap();
    let named: Vec<_> = (0..10).map(|i| format!("{}/findings/grave{i:02}", project("b"))).collect();
    assert_eq!((vetoed.veto_count, &vetoed.vetoed_by), (12, &named));
    assert_eq!(latest.standings[0].veto_count, 0);
}
