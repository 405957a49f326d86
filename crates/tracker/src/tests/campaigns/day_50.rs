//! The worked day 50 of office.md, section 5, as an office comes to it: day by day, by methods alone.

use super::*;

/// What A, B and C are on the evening of day 50. A has two minor findings of quality, and four of safety besides one that was
/// withdrawn; B a minor one of safety, whose order is overdue by four working days; C was not inspected for safety.
async fn office() -> Office {
    let mut office = Office::with(&["a", "b", "c"]).await;
    for (id, achieved, missed) in [("a", 32, 8), ("b", 20, 10), ("c", 30, 10)] {
        office.milestone(id, "done", achieved, date(2021, 4, 1)).await;
        office.milestone(id, "missed", missed, DAY_50).await;
        office.milestone(id, "later", 60, date(2021, 5, 20)).await;
    }
    let members = vec![member("a", 200), member("b", 150), member("c", 200)];
    let mut given = campaign(members, criteria([3_000, 3_000, 4_000]));
    given.tie_breakers = vec!["safety".into()];
    given.veto = Some(CampaignVeto { min_severity: Severity::Critical.into(), aspects: Vec::new() });
    office.open(given).await;
    office.begin(FOUND).await;
    for (id, aspects) in [("a", &BOTH[..]), ("b", &BOTH), ("c", &[Aspect::Quality])] {
        office.inspect(id, "i", aspects, FOUND).await;
    }
    for (of, id, aspect) in [
        ("a", "q1", Aspect::Quality),
        ("a", "q2", Aspect::Quality),
        ("a", "s1", Aspect::Safety),
        ("a", "s2", Aspect::Safety),
        ("a", "s3", Aspect::Safety),
        ("a", "s4", Aspect::Safety),
        ("b", "s1", Aspect::Safety),
        ("c", "q1", Aspect::Quality),
    ] {
        office.find(of, id, aspect, Severity::Minor).await;
    }
    office.find("a", "seen", Aspect::Safety, Severity::Observation).await;
    office.find("a", "mistaken", Aspect::Safety, Severity::Critical).await;
    office.withdraw_finding("a", "mistaken").await;
    // A Tuesday; Wednesday to Friday and Monday, day 50, are overdue.
    office.order("b", "s1", date(2021, 4, 13)).await;
    office.begin(date(2021, 3, 30)).await;
    for id in ["a", "b", "c"] {
        office.achieve(id, "done").await;
    }
    office.begin(DAY_50).await;
    for (id, fen) in [("a", 9_565), ("b", 8_000), ("c", 10_000)] {
        office.completes(id, DAY_50, fen).await;
    }
    office
}

/// The lines of the table of office.md, section 5.
fn check_day_50(found: &CampaignStandings) {
    let expected = [("b", 1, "91.53", "safety"), ("a", 2, "91.53", ""), ("c", 0, "", "")];
    assert_eq!(table(found), expected);
    assert_eq!(scores(found, "b"), ["100.00", "94.00", "83.33"]);
    assert_eq!(scores(found, "a"), ["96.00", "92.00", "87.83"], "87.825 is shown in hundredths");
    assert_eq!(scores(found, "c"), ["98.00", "NO_INSPECTION", "87.50"]);
    let parts = found.standings.iter().map(|standing| {
        let progress = &standing.scores[2];
        let (milestones, investment) = (progress.milestones.clone(), progress.investment.clone());
        let (milestones, investment) = (milestones.unwrap(), investment.unwrap());
        (format!("{}/{}", milestones.numerator, milestones.denominator), investment.value.unwrap())
    });
    let expected = [("20/30", "100.0"), ("32/40", "95.7"), ("30/40", "100.0")];
    assert_eq!(parts.collect::<Vec<_>>(), expected.map(|(m, i)| (m.to_owned(), i.to_owned())));
    assert!(found.standings.iter().all(|standing| standing.member_days == 50));
}

/// office.md, section 5: the table of day 50; on day 52 C's clean inspection of day 48 arrives: GetStandings(day 50, LATEST)
/// has C first, 94.40; THEN stays what the sweep stored that day.
#[tokio::test]
async fn day_50_is_that_of_the_specification_and_what_arrives_on_day_52_changes_the_latest_alone() {
    let mut office = office().await;
    for knowledge in [Knowledge::Latest, Knowledge::Then] {
        let found = office.standings(DAY_50, knowledge).await;
        assert!(!found.stored, "the day has not passed");
        check_day_50(&found);
    }
    let day_51 = DAY_50.tomorrow().unwrap();
    office.begin(day_51).await;
    let then = office.standings(DAY_50, Knowledge::Then).await;
    assert!(then.stored && !office.latest(DAY_50).await.stored);
    check_day_50(&then);

    let day_52 = day_51.tomorrow().unwrap();
    office.begin(day_52).await;
    let day_51_then = office.standings(day_51, Knowledge::Then).await;
    office.inspect("c", "late", &[Aspect::Safety], date(2021, 4, 17)).await;
    let latest = office.latest(DAY_50).await;
    let expected = [("c", 1, "94.40", ""), ("b", 2, "91.53", "safety"), ("a", 3, "91.53", "")];
    assert_eq!(table(&latest), expected);
    assert_eq!(scores(&latest, "c"), ["98.00", "100.00", "87.50"]);
    assert_eq!(office.standings(DAY_50, Knowledge::Then).await, then);
    assert_eq!(office.standings(day_51, Knowledge::Then).await, day_51_then);
    assert_eq!(table(&office.latest(date(2021, 4, 16)).await)[2].1, 0, "it is of the day after");

    // Day 52 is the first that passes with it: C leads, and B lost two points more by its order.
    office.begin(day_52.tomorrow().unwrap()).await;
    let then = office.standings(day_52, Knowledge::Then).await;
    assert!(then.stored);
    assert_eq!(table(&then), [("c", 1, "94.40", ""), ("a", 2, "91.53", ""), ("b", 3, "90.93", "")]);
    let story = office.tracker.story().join(" ");
    let count = |kind: &str| story.matches(kind).count();
    assert_eq!(count("campaign.standings_computed"), 52, "each day that passed once");
    let changes = "from nobody to B on day 50, then to A on day 51, and to C on day 52";
    assert_eq!(count("campaign.lead_changed"), 3, "{changes}");
    office.stop().await;
}
