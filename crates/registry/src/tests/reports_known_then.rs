//! What was known then, office.md, section 0: corrections, removals and late reports, as THEN (reported by the day),
//! strict (committed by it) and LATEST have them; and after the store is built anew.

use std::sync::Arc;

use milepost_ledger::Options;
use milepost_ledger::journal::memory::MemoryJournal;
use milepost_proto::figure::v1::Knowledge;
use milepost_proto::google::r#type::Money;
use milepost_proto::registry::v1::project::Listing;
use milepost_proto::registry::v1::*;
use milepost_types::LogId;

use super::office::{Office, cny, named, project_name};
use super::reporting::*;

const ALL: [Knowledge; 3] = [Knowledge::Latest, Knowledge::Then, Knowledge::ThenStrict];

/// What was completed and what was planned, as the three have it.
async fn sums(office: &Office, day: &str) -> [(i64, i64); 3] {
    let mut sums = [(0, 0); 3];
    for (sum, knowledge) in sums.iter_mut().zip(ALL) {
        let total = office.total(known(day, knowledge)).await;
        let units = |amount: Option<Money>| amount.unwrap().units;
        *sum = (units(total.completed_investment), units(total.planned_investment));
    }
    sums
}

#[tokio::test]
async fn a_correction_is_known_from_its_report_on_and_what_was_said_before_stays_as_it_was() {
    let office = Office::at("2021-04-10").await;
    let first = |amount, reported: &str| completed("2021-01-01", "2021-03-31", cny(amount), reported);
    office.project("x", planned(cny(100), vec![first(50, "")])).await;
    assert_eq!(sums(&office, "2021-04-10").await, [(50, 100); 3]);
    // It was committed on 04-10 only, and so was the plan.
    assert_eq!(sums(&office, "2021-04-09").await, [(50, 100), (0, 0), (0, 0)]);

    office.turn_to("2021-06-20");
    office.complete_with("x", vec![first(40, "2021-05-15")]).await;
    assert_eq!(sums(&office, "2021-06-20").await, [(40, 100); 3]);
    assert_eq!(sums(&office, "2021-05-15").await, [(40, 100), (40, 100), (50, 100)], "committed on 06-20");
    assert_eq!(sums(&office, "2021-05-14").await, [(40, 100), (50, 100), (50, 100)]);

    // What says the same again is no correction.
    office.turn_to("2021-07-01");
    let second = completed("2021-04-01", "2021-06-30", cny(7), "");
    office.complete_with("x", vec![first(40, "2021-05-15"), second]).await;
    assert_eq!(sums(&office, "2021-06-30").await, [(47, 100), (40, 100), (40, 100)]);
    assert_eq!(sums(&office, "2021-07-01").await, [(47, 100); 3]);
    assert_eq!(sums(&office, "2021-05-14").await, [(40, 100), (50, 100), (50, 100)]);
}

#[tokio::test]
async fn what_is_taken_out_counts_until_then_and_other_days_take_the_place_of_those_they_cover() {
    let office = Office::at("2021-04-10").await;
    let reports = vec![
        completed("2021-01-01", "2021-01-31", cny(1), "2021-02-01"),
        completed("2021-02-01", "2021-03-31", cny(2), "2021-04-01"),
    ];
    let plans = AnnualPlan { reported_date: Some(date("2021-01-05")), ..plan(cny(100)) };
    office
        .project(
            "x",
            Project { annual_plans: vec![plans], completed_investments: reports.clone(), ..named("项目") },
        )
        .await;
    assert_eq!(sums(&office, "2021-04-10").await, [(3, 100); 3]);

    // January is taken out, and the other period is cut in two, with days of reports that lie back.
    office.turn_to("2021-06-20");
    let cut = vec![
        completed("2021-02-01", "2021-02-28", cny(10), "2021-05-01"),
        completed("2021-03-01", "2021-03-31", cny(20), "2021-06-01"),
    ];
    office.complete_with("x", cut).await;
    assert_eq!(sums(&office, "2021-06-20").await, [(30, 100); 3]);
    // January was still there. What covers days of a report takes its place whole, so nothing is counted twice.
    assert_eq!(sums(&office, "2021-06-19").await, [(30, 100), (31, 100), (3, 100)]);
    assert_eq!(sums(&office, "2021-05-31").await, [(30, 100), (11, 100), (3, 100)]);
    assert_eq!(sums(&office, "2021-04-30").await, [(30, 100), (3, 100), (3, 100)]);

    // All is taken out, and the plan as well.
    office.turn_to("2021-08-01");
    office.update("x", Project::default(), &["completed_investments", "annual_plans"]).await.unwrap();
    assert_eq!(sums(&office, "2021-08-01").await, [(0, 0); 3]);
    assert_eq!(sums(&office, "2021-07-31").await, [(0, 0), (30, 100), (30, 100)]);
}

#[tokio::test]
async fn a_plan_is_known_as_it_was_reported() {
    let office = Office::at("2021-01-10").await;
    office.project("x", planned(cny(100), Vec::new())).await;
    office.turn_to("2021-09-20");
    let adjusted = AnnualPlan { reported_date: Some(date("2021-07-01")), ..plan(cny(80)) };
    let request = AdjustAnnualPlanRequest {
        name: project_name("x"),
        annual_plan: Some(adjusted),
        reason: "调整".into(),
        ..Default::default()
    };
    office.projects().adjust_annual_plan(request).await.unwrap();
    let plans = async |day| sums(&office, day).await.map(|(_, planned)| planned);
    assert_eq!(plans("2021-09-20").await, [80, 80, 80]);
    assert_eq!(plans("2021-07-01").await, [80, 80, 100]);
    assert_eq!(plans("2021-06-30").await, [80, 100, 100]);
    assert_eq!(plans("2021-01-09").await, [80, 0, 0]);
}

#[tokio::test]
async fn days_of_start_and_enrolment_are_known_as_the_schema_says() {
    let office = Office::at("2021-03-01").await;
    office.project("x", Project { listing: Listing::NewStart.into(), ..named("项目") }).await;
    office.turn_to("2021-06-20");
    let (name, start_date) = (project_name("x"), Some(date("2021-04-01")));
    let request = StartProjectRequest { name, start_date, ..Default::default() };
    office.projects().start_project(request).await.unwrap();
    let enrolled = Project { enrolment_date: Some(date("2021-05-01")), ..Project::default() };
    office.update("x", enrolled, &["enrolment_date"]).await.unwrap();
    let rates = async |day| {
        let mut rates = Vec::new();
        for knowledge in ALL {
            let total = office.total(known(day, knowledge)).await;
            let numerator = |figure: Option<milepost_proto::figure::v1::Figure>| figure.unwrap().numerator;
            rates.push(numerator(total.start_rate) + "/" + &numerator(total.enrolment_rate));
        }
        rates
    };
    assert_eq!(rates("2021-06-20").await, ["1/1", "1/1", "1/1"]);
    assert_eq!(rates("2021-06-19").await, ["1/1", "1/1", "0/0"], "committed on 06-20");
    assert_eq!(rates("2021-04-30").await, ["1/0", "1/0", "0/0"]);
    assert_eq!(rates("2021-03-31").await, ["0/0", "0/0", "0/0"]);
    // And what was known of a start that is taken back.
    office.turn_to("2021-08-01");
    office.update("x", Project::default(), &["actual_period"]).await.unwrap();
    assert_eq!(rates("2021-07-31").await, ["0/0", "0/0", "1/1"]);
    assert_eq!(rates("2021-08-01").await, ["0/0", "0/0", "0/0"]);
}

#[tokio::test]
async fn a_day_of_commit_is_one_of_the_portfolios_time_zone() {
    let office = Office::at("2021-04-10").await;
    // Before midnight in UTC, after it in Chongqing.
    office.clock.set("2021-04-10T17:00:00Z".parse().unwrap());
    office.project("x", planned(cny(100), Vec::new())).await;
    let planned = sums(&office, "2021-04-10").await.map(|(_, planned)| planned);
    assert_eq!(planned, [100, 0, 0]);
    assert_eq!(sums(&office, "2021-04-11").await.map(|(_, planned)| planned), [100; 3]);
}

#[tokio::test]
async fn a_period_of_two_years_is_known_to_straddle_in_both() {
    let office = Office::at("2022-04-10").await;
    let reports = vec![completed("2021-12-01", "2022-01-31", cny(5), "")];
    let plans = vec![plan(cny(100)), AnnualPlan { year: 2022, ..plan(cny(100)) }];
    office
        .project("x", Project { annual_plans: plans, completed_investments: reports, ..named("项目") })
        .await;
    for knowledge in ALL {
        for year in [2021, 2022] {
            let request = QueryStatisticsRequest { year, ..known("2022-04-10", knowledge) };
            let rate = office.total(request).await.investment_rate;
            assert_eq!(
                (value(rate.as_ref()), missing(rate.as_ref())),
                (("0.0", true), vec![("x", "STRADDLES")])
            );
        }
    }
}

#[tokio::test]
async fn what_was_known_is_the_same_after_the_store_is_built_anew_in_the_middle() {
    let journal = Arc::new(MemoryJournal::new(LogId::from_bytes([7; 16])));
    let options = Options { checkpoint_rows: 8, ..Options::default() };
    let office = Office::with(journal.clone(), options.clone()).await;
    office.turn_to("2021-02-10");
    office.portfolio("wsc").await;
    office.project("x", planned(cny(1000), Vec::new())).await;
    let report = |month: i32, amount| {
        let (start, end) = (format!("2021-{month:02}-01"), format!("2021-{month:02}-28"));
        completed(&start, &end, cny(amount), "")
    };
    // A correction of all that was said before in each month: more than one row of history.
    let mut said = Vec::new();
    for month in 1..=5 {
        said = (1..=month).map(|reported| report(reported, i64::from(month * 10 + reported))).collect();
        office.turn_to(&format!("2021-{:02}-10", month + 1));
        office.complete_with("x", said.clone()).await;
    }
    let days = ["2021-02-10", "2021-03-31", "2021-04-30", "2021-06-10"];
    let mut before = Vec::new();
    for day in days {
        before.push(sums(&office, day).await);
    }
    assert_eq!(before[1].map(|(completed, _)| completed), [51 + 52 + 53, 21 + 22, 21 + 22]);
    office.stopped();

    // A new store in another place, from the journal alone; then more is said.
    let office = Office::with(journal, options).await;
    office.turn_to("2021-07-10");
    for (day, before) in days.iter().zip(&before) {
        assert_eq!(sums(&office, day).await, *before, "{day}");
    }
    said.push(report(6, 7));
    for amount in 0..200 {
        said[0] = report(1, amount);
        office.complete_with("x", said.clone()).await;
    }
    for (day, before) in days.iter().zip(&before) {
        assert_eq!(sums(&office, day).await[1..], before[1..], "{day}");
    }
    let last = 199 + 52 + 53 + 54 + 55 + 7;
    assert_eq!(sums(&office, "2021-07-10").await.map(|(completed, _)| completed), [last; 3]);
    let rows = office.rows().into_iter().filter(|(key, _)| key[0] == 28);
    let sizes: Vec<usize> = rows.map(|(_, row)| row.len()).collect();
    assert!(sizes.len() > 2 && sizes.iter().all(|size| *size <= 4096), "a row stays small: {sizes:?}");
}
