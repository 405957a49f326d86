//! Amendments of weights: each day is judged by its own version, for the whole window.

use super::*;

/// office.md, section 5: AmendCampaign changes weights from tomorrow; each day uses its own version for the whole window.
#[tokio::test]
async fn the_day_of_an_amendment_has_totals_by_the_weights_before_it_and_the_next_by_those_after() {
    let mut office = Office::with(&["a", "b"]).await;
    let members = vec![member("a", 100_000), member("b", 100_000)];
    office.open(campaign(members, criteria([3_000, 3_000, 4_000]))).await;
    office.begin(FOUND).await;
    for id in ["a", "b"] {
        office.inspect(id, "i", &BOTH, FOUND).await;
    }
    for (of, id, aspect, severity) in [
        ("a", "q", Aspect::Quality, Severity::Minor),
        ("a", "s", Aspect::Safety, Severity::Minor),
        ("a", "t", Aspect::Safety, Severity::Minor),
        ("b", "q1", Aspect::Quality, Severity::Major),
        ("b", "q2", Aspect::Quality, Severity::Critical),
        ("b", "s", Aspect::Safety, Severity::Critical),
    ] {
        office.find(of, id, aspect, severity).await;
    }
    office.begin(DAY_50).await;
    // Of 50,000 each: 60.01 and 100 percent.
    office.completes("a", DAY_50, 3_000_500).await;
    office.completes("b", DAY_50, 5_000_000).await;
    let request = AmendCampaignRequest {
        name: CAMPAIGN.into(),
        reason: "重投资".into(),
        criteria: criteria([1_000, 2_000, 7_000]),
        ..Default::default()
    };
    let amended = office.campaigns().amend_campaign(by("user:corp/opener", request)).await;
    let next = DAY_50.tomorrow().unwrap();
    let versions = amended.unwrap().into_inner().campaign.unwrap().versions;
    assert_eq!(
        versions.iter().map(|version| version.start_date).collect::<Vec<_>>(),
        [day(START), day(next)]
    );

    office.begin(next.tomorrow().unwrap()).await;
    for knowledge in [Knowledge::Latest, Knowledge::Then] {
        // 0.3 × 98 + 0.3 × 96 + 0.4 × 60.01 = 82.204, and 0.3 × 60 + 0.3 × 70 + 0.4 × 100.
        let before = office.standings(DAY_50, knowledge).await;
        assert_eq!(table(&before), [("a", 1, "82.20", ""), ("b", 2, "79.00", "")]);
        assert_eq!(before.version.as_ref(), Some(&versions[0]));
        // 0.1 × 98 + 0.2 × 96 + 0.7 × 60.01 = 71.007, and 0.1 × 60 + 0.2 × 70 + 0.7 × 100.
        let after = office.standings(next, knowledge).await;
        assert_eq!(table(&after), [("b", 1, "90.00", ""), ("a", 2, "71.01", "")]);
        assert_eq!(after.version.as_ref(), Some(&versions[1]));
        assert_eq!(scores(&before, "a"), scores(&after, "a"), "the window is the whole one");
        assert_eq!(scores(&after, "b"), ["60.00", "70.00", "100.00"]);
    }
    office.stop().await;
}
