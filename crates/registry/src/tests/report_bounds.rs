//! Reports at their bounds: plans to a billionth, what is said to be at least so much, and too many groups.

use std::collections::BTreeMap;

use milepost_proto::google::r#type::Money;
use milepost_proto::registry::v1::query_statistics_request::TimeBasis;
use milepost_proto::registry::v1::*;

use super::collections;
use super::office::{Office, cny, conditions, named, project_name};
use super::reporting::*;

/// The plans of the science city's batches are of this size.
#[tokio::test]
async fn how_far_plans_are_ahead_of_their_schedule_is_exact_to_a_billionth() {
    let office = Office::at("2021-12-31").await;
    let step = PlanStep { date: Some(date("2021-06-30")), cumulative: Some(cny(65_000_000_000)) };
    let mut investment = cny(130_000_000_000);
    investment.nanos = 1;
    let reports = vec![completed("2021-01-01", "2021-06-30", cny(78_000_000_000), "")];
    let mut project = planned(investment, reports);
    project.annual_plans[0].schedule = vec![step];
    office.project("x", project).await;
    let request = QueryStatisticsRequest { time_basis: TimeBasis::Schedule.into(), ..on("2021-10-31") };
    let total = office.total(request).await;
    assert_eq!(value(total.ahead.as_ref()), ("10.0", false));
    assert_eq!(total.ahead.unwrap().numerator, "13000000000000000000");
}

#[tokio::test]
async fn a_rate_is_no_lower_bound_beside_a_plan_in_another_currency() {
    let office = Office::at("2021-12-31").await;
    let dollars = Money { currency_code: "USD".into(), units: 9, nanos: 0 };
    office.project("a", planned(cny(100), Vec::new())).await;
    assert_eq!(value(office.total(on("2021-10-31")).await.investment_rate.as_ref()), ("0.0", true));
    office.project("b", planned(dollars, Vec::new())).await;
    let total = office.total(on("2021-10-31")).await;
    assert_eq!(value(total.investment_rate.as_ref()), ("0.0", false), "b could lower it");
    assert!(!value(total.ahead.as_ref()).1);
    assert_eq!(missing(total.investment_rate.as_ref()), [("a", "NOT_REPORTED"), ("b", "OTHER_CURRENCY")]);
}

#[tokio::test]
async fn a_report_refuses_too_many_groups_of_collections_before_it_has_made_them_all() {
    let office = Office::at("2021-12-31").await;
    let projects: Vec<_> = (0..60).map(|i| format!("p{i:02}")).collect();
    for id in &projects {
        office.project(id, named(id)).await;
    }
    let members: Vec<_> = projects.iter().map(|id| project_name(id)).collect();
    for i in 0..20 {
        let collection = Collection { members: members.clone(), ..collections::of(&[]) };
        collections::created(&office, &format!("c{i}"), collection).await.unwrap();
    }
    let by = |paths: &[&str]| QueryStatisticsRequest {
        group_by: paths.iter().map(|path| path.to_string()).collect(),
        ..on("2021-10-31")
    };
    let report = office.report(by(&["collection"])).await.unwrap();
    let listed: BTreeMap<_, _> = report
        .groups
        .iter()
        .map(|of| (of.values.clone(), of.statistics.as_ref().unwrap().listed_count))
        .collect();
    assert_eq!((listed.len(), listed.values().sum::<i32>()), (20, 1_200));
    let refused = office.report(by(&["collection", "display_name"])).await.unwrap_err();
    assert_eq!(conditions(&refused)[0].0, "TOO_MANY_GROUPS");
    assert!(refused.message().contains("more than 1000 groups"), "{refused:?}");
}
