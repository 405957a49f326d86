//! Scores: what findings and overdue orders take, what progress is the mean of, and what is not evaluated.

use super::*;

/// Days by which orders are overdue on day 50: from 13, 6, 5 and 2 April on.
const BY_FOUR: Date = date(2021, 4, 13);
const BY_NINE: Date = date(2021, 4, 6);
const BY_TEN: Date = date(2021, 4, 5);
const BY_ELEVEN: Date = date(2021, 4, 2);

/// An office whose members were all inspected for quality, by which alone they are judged.
async fn inspected(ids: &[&str], criterion: CampaignCriterion) -> Office {
    let mut office = Office::with(ids).await;
    office.open(campaign(ids.iter().map(|id| member(id, 0)).collect(), vec![criterion])).await;
    office.begin(FOUND).await;
    for id in ids {
        office.inspect(id, "i", &[Aspect::Quality], FOUND).await;
    }
    office
}

/// office.md, section 5: 100 − findings (0, 2, 10, 30) − 1 per working day overdue, ≤ 10 an order; floor 0.
#[tokio::test]
async fn an_order_takes_ten_points_at_most_and_nothing_is_below_zero() {
    let quality = criterion(Kind::Quality, 10_000);
    let mut office = inspected(&["clean", "nine", "ten", "eleven", "two", "floor"], quality).await;
    for (id, due) in [("nine", BY_NINE), ("ten", BY_TEN), ("eleven", BY_ELEVEN)] {
        office.find(id, "f", Aspect::Quality, Severity::Observation).await;
        office.order(id, "f", due).await;
    }
    for (finding, due) in [("f", BY_ELEVEN), ("g", BY_FOUR)] {
        office.find("two", finding, Aspect::Quality, Severity::Minor).await;
        office.order("two", finding, due).await;
    }
    for finding in ["f", "g", "h", "j"] {
        office.find("floor", finding, Aspect::Quality, Severity::Critical).await;
    }
    office.begin(DAY_50).await;
    let found = office.latest(DAY_50).await;
    let expected = [
        ("clean", 1, "100.00", ""),
        ("nine", 2, "91.00", ""),
        ("eleven", 3, "90.00", ""),
        ("ten", 3, "90.00", ""),
        ("two", 5, "82.00", ""),
        ("floor", 6, "0.00", ""),
    ];
    assert_eq!(table(&found), expected, "by two orders ten and four, and two for each finding");
    // A day later the order of nine days has its tenth, and the one of ten takes no more.
    let next = DAY_50.tomorrow().unwrap();
    office.begin(next).await;
    let found = office.latest(next).await;
    assert_eq!(
        ["nine", "ten", "two", "floor"].map(|id| scores(&found, id).concat()),
        ["90.00", "90.00", "81.00", "0.00"]
    );
    office.stop().await;
}

/// office.md, section 5: the parameters of a criterion. One that is left out is that of the specification, and 0 is 0.
#[tokio::test]
async fn a_criterion_may_have_deductions_of_its_own() {
    let own = CampaignDeductions {
        observation: Some(1),
        minor: Some(0),
        major: None,
        critical: Some(100),
        overdue_day: Some(2),
        overdue_limit: Some(4),
    };
    let quality = CampaignCriterion { deductions: Some(own), ..criterion(Kind::Quality, 10_000) };
    let mut office = inspected(&["a", "b", "c"], quality).await;
    for (of, id, severity) in [
        ("a", "f", Severity::Observation),
        ("a", "g", Severity::Observation),
        ("a", "h", Severity::Minor),
        ("a", "j", Severity::Major),
        ("b", "f", Severity::Minor),
        ("c", "f", Severity::Critical),
    ] {
        office.find(of, id, Aspect::Quality, severity).await;
    }
    office.order("a", "h", BY_FOUR).await;
    // A Friday: Monday, day 50, is the one day.
    office.order("b", "f", date(2021, 4, 16)).await;
    office.begin(DAY_50).await;
    let found = office.latest(DAY_50).await;
    let expected = [("b", 1, "98.00", ""), ("a", 2, "84.00", ""), ("c", 3, "0.00", "")];
    assert_eq!(table(&found), expected, "of A: 1 + 1 + 0 + 10, and 4 of 8");
    office.stop().await;
}

/// office.md, section 5: no weights: 1 each; only some: NOT_EVALUATED; nothing due yet: I alone; no target or report:
/// NOT_EVALUATED; M and I ≤ 100 each.
#[tokio::test]
async fn progress_is_the_mean_of_milestones_and_investment_or_is_not_evaluated() {
    let ids = ["early", "later", "ones", "silent", "some", "untold"];
    let mut office = Office::with(&ids).await;
    let (due, later) = (date(2021, 4, 1), date(2021, 4, 21));
    for (of, id, weight, due) in [
        ("early", "m", 1, due),
        ("early", "n", 1, later),
        ("later", "m", 5, later),
        ("ones", "k", 0, due),
        ("ones", "m", 0, due),
        ("ones", "n", 0, DAY_50),
        ("silent", "m", 1, due),
        ("some", "m", 5, due),
        ("some", "n", 0, later),
        ("untold", "m", 1, due),
    ] {
        office.milestone(of, id, weight, due).await;
    }
    let members = ids.map(|id| member(id, if id == "untold" { 0 } else { 100 })).to_vec();
    office.open(campaign(members, vec![criterion(Kind::Progress, 10_000)])).await;
    office.begin(due).await;
    for (of, id) in
        [("early", "m"), ("early", "n"), ("ones", "m"), ("silent", "m"), ("some", "m"), ("untold", "m")]
    {
        office.achieve(of, id).await;
    }
    office.begin(DAY_50).await;
    for (id, yuan) in [("early", 75), ("later", 40), ("ones", 50), ("some", 50), ("untold", 50)] {
        office.completes(id, DAY_50, yuan * 100).await;
    }
    let found = office.latest(DAY_50).await;
    let expected = [
        ("early", 1, "100.00", ""),
        ("later", 2, "80.00", ""),
        ("ones", 3, "66.67", ""),
        ("silent", 0, "", ""),
        ("some", 0, "", ""),
        ("untold", 0, "", ""),
    ];
    assert_eq!(table(&found), expected);
    let why = ["silent", "some", "untold"].map(|id| scores(&found, id).concat());
    assert_eq!(why, ["NO_REPORT", "SOME_WEIGHTS", "NO_TARGET"]);
    let milestones = |found: &CampaignStandings, at: usize| {
        let figure = found.standings[at].scores[0].milestones.clone();
        figure.map(|figure| (figure.numerator, figure.denominator))
    };
    let part = |part: &str, whole: &str| Some((part.to_owned(), whole.to_owned()));
    assert_eq!([0, 1, 2].map(|at| milestones(&found, at)), [part("2", "1"), None, part("1", "3")]);

    // Once something is due, it counts.
    office.begin(later).await;
    assert_eq!(scores(&office.latest(later.yesterday().unwrap()).await, "later"), ["80.00"]);
    assert_eq!(scores(&office.latest(later).await, "later"), ["40.00"]);
    office.achieve("later", "m").await;
    assert_eq!(scores(&office.latest(later).await, "later"), ["90.00"]);
    office.stop().await;
}
