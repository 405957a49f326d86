//! Ranks: by rounded totals, shared where nothing decides, and the vetoed after all others.

use super::*;

/// office.md, section 5: rank by the *rounded* total, then shared: 1, 2, 2, 4.
#[tokio::test]
async fn equal_rounded_totals_share_a_rank_and_the_next_has_as_many_more() {
    let ids = ["a", "b", "c", "d", "e"];
    let mut office = Office::with(&ids).await;
    let members = ids.map(|id| member(id, 100_000)).to_vec();
    office.open(campaign(members, vec![criterion(Kind::Progress, 10_000)])).await;
    office.begin(DAY_50).await;
    // Of 50,000 each: 96, 90, 90.002 and 80 percent.
    for (id, yuan) in [("a", 48_000), ("b", 45_000), ("c", 45_001), ("d", 40_000)] {
        office.completes(id, DAY_50, yuan * 100).await;
    }
    let shared = [("a", 1, "96.00", ""), ("b", 2, "90.00", ""), ("c", 2, "90.00", ""), ("d", 4, "80.00", "")];
    let found = office.latest(DAY_50).await;
    assert_eq!(table(&found), [&shared[..], &[("e", 0, "", "")]].concat());
    // 90.005 is rounded away from zero, and is more.
    office.completes("e", DAY_50, 4_500_250).await;
    let found = office.latest(DAY_50).await;
    let expected = [
        ("a", 1, "96.00", ""),
        ("e", 2, "90.01", ""),
        ("b", 3, "90.00", ""),
        ("c", 3, "90.00", ""),
        ("d", 5, "80.00", ""),
    ];
    assert_eq!(table(&found), expected);
    office.stop().await;
}

/// office.md, section 5: vetoed after all others, however many points they have; any NOT_EVALUATED: unranked.
#[tokio::test]
async fn the_vetoed_come_after_all_others_by_their_own_order() {
    let ids = ["a", "b", "c", "d", "e"];
    let mut office = Office::with(&ids).await;
    let members = ids.map(|id| member(id, 100)).to_vec();
    let mut given = campaign(members, criteria([3_000, 3_000, 4_000]));
    let min_severity = Severity::Major.into();
    given.veto = Some(CampaignVeto { min_severity, aspects: vec![Aspect::Safety.into()] });
    office.open(given).await;
    office.begin(FOUND).await;
    for id in ids {
        office.inspect(id, "i", &BOTH, FOUND).await;
    }
    for (of, aspect, severity) in [
        ("a", Aspect::Safety, Severity::Major),
        ("b", Aspect::Safety, Severity::Minor),
        ("c", Aspect::Quality, Severity::Critical),
        ("d", Aspect::Safety, Severity::Critical),
        ("e", Aspect::Safety, Severity::Major),
    ] {
        office.find(of, "f", aspect, severity).await;
    }
    office.begin(DAY_50).await;
    for (id, yuan) in [("a", 50), ("b", 5), ("c", 10), ("e", 25)] {
        office.completes(id, DAY_50, yuan * 100).await;
    }
    let found = office.latest(DAY_50).await;
    let expected = [
        ("b", 1, "63.40", ""),
        ("c", 2, "59.00", ""),
        ("a", 3, "97.00", ""),
        ("e", 4, "77.00", ""),
        ("d", 0, "", ""),
    ];
    assert_eq!(table(&found), expected);
    let vetoed_by: Vec<_> = found.standings.iter().map(|standing| standing.vetoed_by.clone()).collect();
    let finding = |id: &str| vec![format!("{}/findings/f", project(id))];
    assert_eq!(vetoed_by, [vec![], vec![], finding("a"), finding("e"), finding("d")]);
    assert_eq!(scores(&found, "d"), ["100.00", "70.00", "NO_REPORT"]);

    // What was withdrawn since vetoes nothing, but did on the day.
    office.begin(DAY_50.tomorrow().unwrap()).await;
    let then = office.standings(DAY_50, Knowledge::Then).await;
    office.withdraw_finding("a", "f").await;
    let latest = office.latest(DAY_50).await;
    assert_eq!(table(&latest)[..2], [("a", 1, "100.00", ""), ("b", 2, "63.40", "")]);
    assert_eq!(table(&then)[2], ("a", 3, "97.00", ""));
    assert_eq!(office.standings(DAY_50, Knowledge::Then).await, then);
    office.stop().await;
}
